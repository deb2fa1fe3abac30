//! The way back to the client (OAuth 2.0 Multiple Response Types, Form Post Response Mode).

use serde_json::Value;

use crate::answer::Page;
use crate::{form, pages};

/// Where answers go and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Back {
    /// The redirect URI, which the client has registered.
    pub(crate) uri: String,
    pub(crate) mode: Mode,
    /// What the client gets back as it sent it.
    pub(crate) state: Option<String>,
}

/// How an answer travels: `response_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Query,
    Fragment,
    FormPost,
}

impl Mode {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "query" => Some(Self::Query),
            "fragment" => Some(Self::Fragment),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}

impl Back {
    /// Gives the client what it wished for.
    pub(super) fn success(&self, fields: Vec<(&'static str, String)>) -> Page {
        self.deliver(fields)
    }

    /// Tells the client of a refusal, in its envelope.
    pub(super) fn refusal(&self, told: &Value) -> Page {
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        let mut fields = vec![("error", error(told)), ("error_description", text("error_description"))];
        fields.push(("error_uri", text("error_uri")));
        self.deliver(fields)
    }

    fn deliver(&self, mut fields: Vec<(&'static str, String)>) -> Page {
        fields.extend(self.state.clone().map(|state| ("state", state)));
        let joint = if self.uri.contains('?') { '&' } else { '?' };
        match self.mode {
            Mode::Query => pages::moved(format!("{}{joint}{}", self.uri, form::encode(&fields))),
            Mode::Fragment => pages::moved(format!("{}#{}", self.uri, form::encode(&fields))),
            Mode::FormPost => pages::form_post(&self.uri, &fields),
        }
    }
}

/// The error as this endpoint has it: refused grants are sign-ins that need the user.
fn error(told: &Value) -> String {
    match (told["error"].as_str(), told["suberror"].as_str()) {
        (Some("invalid_grant"), Some("consent_required")) => "consent_required",
        (Some("invalid_grant"), _) => "interaction_required",
        (Some(other), _) => other,
        (None, _) => "server_error",
    }
    .to_owned()
}
