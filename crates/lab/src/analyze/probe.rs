//! One request of the analyzer and what became of it.

use cmglab_net::{Answer, Call, CallError, Deps, HttpClient};
use cmglab_proto::ids::{ExchangeId, RoleId};
use cmglab_proto::url::AuthScheme;

use super::AnalyzeRequest;

/// Whoever asks.
#[derive(Debug)]
pub(super) struct Probe<'a> {
    pub(super) request: &'a AnalyzeRequest,
    pub(super) deps: &'a Deps,
    http: HttpClient,
}

/// Why a request did not do what it was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There was no answer.
    Unanswered(CallError),
    /// The answer is a refusal.
    Refused { status: u16, reason: String },
    /// The answer says yes and is of no use.
    Unusable(String),
}

impl<'a> Probe<'a> {
    pub(super) fn new(request: &'a AnalyzeRequest, deps: &'a Deps) -> Self {
        Self { request, deps, http: HttpClient::new(deps) }
    }

    /// Sends a request, in an exchange of its own.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, CallError> {
        let voice = self.deps.events.in_exchange(ExchangeId::new(self.deps.ids.guid()));
        self.http.send(&voice, call).await
    }

    /// The same, where any status but a success is trouble.
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer, Trouble> {
        let answer = self.send(call).await.map_err(Trouble::Unanswered)?;
        match answer.status {
            200..300 => Ok(answer),
            status => Err(Trouble::Refused { status, reason: printable(&answer.reason) }),
        }
    }

    /// The URL of `path` at the gateway, which begins with a slash.
    pub(super) fn at_service(&self, scheme: AuthScheme, path: &str) -> String {
        format!("https://{}/{}{path}", self.request.service, scheme.segment())
    }

    /// The external URL of `path` at a management point.
    pub(super) fn at_management_point(&self, scheme: AuthScheme, role: RoleId, path: &str) -> String {
        self.at_service(scheme, &format!("/{role}{path}"))
    }
}

impl Trouble {
    /// One sentence; that of a refusal has the documented form.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Unanswered(error) => format!("There was no answer: {}.", error.cause),
            Self::Refused { status, reason } => {
                format!("Status code is '{status}' and status description is '{reason}'.")
            }
            Self::Unusable(why) => format!("The answer is of no use: {why}."),
        }
    }
}

/// Foreign text without what could move a terminal's cursor, cut to a length that fits a line.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(LONGEST_TEXT).collect()
}

const LONGEST_TEXT: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_documented_form() {
        let reason = printable("CMGConnector_InternalServerError\u{1b}[2J\r\n");
        assert_eq!(
            Trouble::Refused { status: 500, reason }.sentence(),
            "Status code is '500' and status description is 'CMGConnector_InternalServerError[2J'."
        );
        assert_eq!(printable(&"x".repeat(1000)).len(), LONGEST_TEXT);
    }
}
