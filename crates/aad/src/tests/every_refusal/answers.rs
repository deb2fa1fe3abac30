//! What answers say, wherever they say it: in JSON, on a page, to the redirect URI.

use cmglab_events::kinds::AadEvent;
use serde_json::{Value, json};

use super::super::clients::{WEB_BACK, page_config};
use super::super::lab::{Lab, Reply};
use super::Shown;
use crate::errors::Aadsts;

/// A refusal as its reader finds it.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The HTTP status, where it is that of the refusal.
    status: Option<u16>,
    error: String,
    codes: Value,
    suberror: Option<String>,
    /// Without the number before it and the ids after it.
    text: String,
}

impl Refusal {
    /// Whether it is the refusal of a row, about whatever.
    pub(super) fn is(&self, row: &Aadsts) -> bool {
        self.status.is_none_or(|status| status == row.status)
            && self.error == row.error
            && self.codes == json!([row.code])
            && self.suberror.as_deref() == row.suberror
            && fits(row.text, &self.text)
    }
}

/// Whether an answer gives what was asked for, or goes on to ask who the user is.
pub(super) fn grants(reply: &Reply) -> bool {
    let says = |word: &str| reply.text.contains(word);
    match reply.status {
        200 => reply.json.get("error").is_none() && !says("AADSTS"),
        302 => !says("error="),
        _ => false,
    }
}

/// What an answer refuses; the event that tells of it must say the same.
pub(super) fn refusal(Shown { lab, reply }: &Shown) -> Refusal {
    let found = match (reply.status, &reply.json) {
        (302, _) => told_to_client(lab, reply),
        (_, Value::Null) => on_page(lab, reply),
        (status, json) => Refusal {
            status: Some(status),
            error: json["error"].as_str().unwrap().to_owned(),
            codes: json["error_codes"].clone(),
            suberror: json["suberror"].as_str().map(str::to_owned),
            text: bare(json["error_description"].as_str().unwrap(), &json["error_codes"][0]),
        },
    };
    let (code, error, text) = event(lab);
    assert_eq!((json!([code]), &error, &text), (found.codes.clone(), &found.error, &found.text));
    assert!(!text.contains("{0}") && !text.contains("{1}"), "not filled in: {text}");
    found
}

fn told_to_client(lab: &Lab, reply: &Reply) -> Refusal {
    let back = reply.back(&format!("{WEB_BACK}?"));
    assert_eq!((back.get("code"), back.get("error")), (None, Some(event(lab).1.as_str())));
    of_text(lab, None, back.get("error_description").unwrap())
}

fn on_page(lab: &Lab, reply: &Reply) -> Refusal {
    if let Some((_, rest)) = reply.text.split_once("role=\"alert\">") {
        // A form that is shown again.
        let text = rest.split_once("</p>").unwrap().0.replace("&#39;", "'");
        return of_text(lab, None, &text);
    }
    let config = page_config(&reply.text);
    let text = config["strServiceExceptionMessage"].as_str().unwrap();
    assert_eq!(config["iErrorCode"], json!(event(lab).0));
    // The status of a page says nothing of the refusal on it.
    of_text(lab, None, text)
}

/// Pages and redirections leave out what the row says beside its text.
fn of_text(lab: &Lab, status: Option<u16>, text: &str) -> Refusal {
    let (code, error, _) = event(lab);
    Refusal { status, error, codes: json!([code]), suberror: None, text: bare(text, &json!(code)) }
}

fn bare(text: &str, code: &Value) -> String {
    let text = text.strip_prefix(&format!("AADSTS{code}: ")).unwrap_or_else(|| panic!("{text}"));
    text.split_once(" Trace ID: ").unwrap().0.to_owned()
}

/// Number, error and text of the last refusal that the lab told of.
fn event(lab: &Lab) -> (u32, String, String) {
    match lab.aad_events().pop() {
        Some(AadEvent::Refused { code, error, text, .. }) => (code, error, text),
        other => panic!("no refusal: {other:?}"),
    }
}

/// Whether `text` is `pattern` with its places filled in.
fn fits(pattern: &str, text: &str) -> bool {
    let mut fixed: Vec<&str> = pattern.split("{0}").flat_map(|part| part.split("{1}")).collect();
    let last = fixed.pop().unwrap_or_default();
    if fixed.is_empty() {
        return text == pattern;
    }
    let Some(mut rest) = text.strip_prefix(fixed.remove(0)) else { return false };
    for part in fixed {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn a_text_fits_its_own_pattern_alone() {
    assert!(fits("of '{0}' for '{1}'.", "of 'a' for 'b'."));
    assert!(fits("{0}.", "a.") && fits("plain", "plain"));
    for (pattern, text) in [
        ("of '{0}' for '{1}'.", "of 'a' to 'b'."),
        ("of '{0}'.", "of 'a'"),
        ("of '{0}'.", "Of 'a'."),
        ("plain", "plainer"),
    ] {
        assert!(!fits(pattern, text), "{pattern} {text}");
    }
}
