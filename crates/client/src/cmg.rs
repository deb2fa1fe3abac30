//! Requests to the CMG, with what the client's logs say of them.

use cmglab_events::Source;
use cmglab_events::kinds::{ClientEvent, ClientLog, HttpCaller, WinHttpFailure};
use cmglab_net::{Answer, Call, CallError, CallFailure};
use cmglab_proto::sts::BearerToken;
use http::Method;
use http::header::USER_AGENT;

use crate::ClientError;
use crate::error::hop_of;
use crate::transport::Transport;

/// The component that speaks, and where it logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaker {
    pub(crate) log: ClientLog,
    pub(crate) caller: HttpCaller,
}

/// What a request is proven with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof<'a> {
    Aad(&'a BearerToken),
    Ccm(&'a BearerToken),
    None,
}

/// One request.
#[derive(Debug)]
pub(crate) struct CmgRequest<'a> {
    pub(crate) method: Method,
    pub(crate) host: &'a str,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) proof: Proof<'a>,
    /// Its type and the body.
    pub(crate) body: Option<(String, Vec<u8>)>,
    pub(crate) user_agent: &'static str,
    pub(crate) largest_answer: usize,
    /// Whether the log tells how the connection is set up; it does not for the token service.
    pub(crate) announced: bool,
}

impl CmgRequest<'_> {
    /// A GET of `path` at `host`, without proof.
    pub(crate) fn get(host: &str, path: String) -> CmgRequest<'_> {
        CmgRequest {
            method: Method::GET,
            host,
            path,
            proof: Proof::None,
            body: None,
            user_agent: "SMS CCM 5.0",
            largest_answer: LARGEST_ANSWER,
            announced: true,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}{}", self.host, self.path)
    }

    fn call(&self) -> Call {
        let call = Call::new(self.method.clone(), self.url())
            .header(USER_AGENT, self.user_agent)
            .largest_answer(self.largest_answer);
        let call = match self.proof {
            Proof::Aad(token) | Proof::Ccm(token) => call.bearer(token.expose()),
            Proof::None => call,
        };
        match &self.body {
            Some((content_type, body)) => call.body(content_type, body.clone()),
            None => call,
        }
    }
}

impl Transport {
    /// Asks the CMG; any status but a success is an error.
    pub(crate) async fn ask_cmg(
        &self,
        voice: &Source,
        speaker: Speaker,
        request: &CmgRequest<'_>,
    ) -> Result<Answer, ClientError> {
        let checks_crl = self.deps.store.checks_crl();
        if request.announced {
            voice.emit(ClientEvent::Connecting {
                log: speaker.log,
                caller: speaker.caller,
                host: request.host.to_owned(),
                path: request.path.clone(),
                ccm_token: matches!(request.proof, Proof::Ccm(_)),
                checks_crl,
            });
        }
        if let Proof::Ccm(_) = request.proof {
            voice.emit(ClientEvent::CcmTokenAppended { log: speaker.log });
        }
        let url = request.url();
        let answer = match self.send(voice, &request.call()).await {
            Ok(answer) => answer,
            Err(call) => {
                voice.emit(unanswered(speaker, &url, checks_crl, &call));
                return Err(ClientError::Unanswered { hop: cmglab_events::Role::Cmg, url, call });
            }
        };
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let Answer { status, reason, .. } = answer;
        voice.emit(ClientEvent::HttpRefused {
            log: speaker.log,
            caller: speaker.caller,
            url: url.clone(),
            checks_crl,
            status,
            reason: reason.clone(),
        });
        Err(ClientError::Refused { hop: hop_of(&reason), url, status, reason })
    }
}

fn unanswered(speaker: Speaker, url: &str, checks_crl: bool, error: &CallError) -> ClientEvent {
    let Speaker { log, caller } = speaker;
    let (url, cause) = (url.to_owned(), error.cause.clone());
    let failure = match error.failure {
        CallFailure::Tls(failure) => {
            return ClientEvent::TlsRefused { log, caller, url, checks_crl, failure, cause };
        }
        CallFailure::Connect => WinHttpFailure::CannotConnect,
        CallFailure::Timeout => WinHttpFailure::Timeout,
        CallFailure::UnknownName => WinHttpFailure::NameNotResolved,
        CallFailure::TooLarge | CallFailure::Request => WinHttpFailure::InvalidServerResponse,
        _ => WinHttpFailure::ConnectionError,
    };
    ClientEvent::HttpUnanswered { log, caller, url, checks_crl, failure, cause }
}

pub(crate) const LARGEST_ANSWER: usize = 1024 * 1024;
