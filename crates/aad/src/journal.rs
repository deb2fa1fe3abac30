//! The journal: what was asked, decoded, and how it was answered, without a secret (an event each).
//!
//! Only values of members that are known to hold no secret are shown, cut to [`MAX_VALUE`] characters; of
//! all others just the name. Tokens and signed requests are opened, and the same holds for what is inside.

use cmglab_events::kinds::AadEvent;
use cmglab_token::{Header, peek};
use serde_json::{Map, Value, json};

use crate::answer::{Outcome, Reply, Trouble};
use crate::ask::Ask;
use crate::form::Form;

/// Tells of a request and its answer.
pub(crate) fn tell(ask: &Ask, outcome: &Outcome) {
    let (status, answer) = told(outcome);
    ask.voice.emit(AadEvent::Answered {
        method: ask.method.to_string(),
        endpoint: ask.endpoint(),
        asked: asked(ask),
        status,
        answer,
    });
}

fn asked(ask: &Ask) -> Value {
    let mut all = Map::new();
    let mut put = |name: &str, members: Map<String, Value>| {
        if !members.is_empty() {
            all.insert(name.to_owned(), Value::Object(members));
        }
    };
    put("query", of_form(&ask.query));
    let json = ask.body.first() == Some(&b'{');
    match json.then(|| serde_json::from_slice::<Value>(&ask.body)) {
        Some(Ok(Value::Object(members))) => put("json", of_json(&members, 0)),
        _ => put("form", ask.form().map(|form| of_body(ask, form)).unwrap_or_default()),
    }
    let credentials = CREDENTIALS.iter().filter_map(|name| Some((*name, ask.header(name)?)));
    put("headers", credentials.map(|(name, jws)| (name.to_owned(), opened(jws))).collect());
    Value::Object(all)
}

fn of_form(form: &Form) -> Map<String, Value> {
    form.pairs().map(|(name, value)| (name_of(name, value), shown(name, value))).collect()
}

/// The signed request in a form has been opened before.
fn of_body(ask: &Ask, form: &Form) -> Map<String, Value> {
    let one = |(name, value): (&str, &str)| match (name, ask.inside()) {
        ("request", Some(Ok((header, payload)))) => (name.to_owned(), content(header, payload)),
        _ => (name_of(name, value), shown(name, value)),
    };
    form.pairs().map(one).collect()
}

fn of_json(members: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let one = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => shown(name, text),
            Value::Object(inner) if depth < MAX_DEPTH => Value::Object(of_json(inner, depth + 1)),
            Value::Array(_) | Value::Object(_) => json!("[…]"),
            plain if is_plain(name) => plain.clone(),
            _ => json!(REDACTED),
        };
        (clip(name), value)
    };
    members.iter().take(MAX_MEMBERS).map(one).collect()
}

fn shown(name: &str, value: &str) -> Value {
    if SIGNED.iter().any(|signed| signed.eq_ignore_ascii_case(name)) {
        return opened(value);
    }
    if is_plain(name) { json!(clip(value)) } else { json!(REDACTED) }
}

fn is_plain(name: &str) -> bool {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    PLAIN.binary_search_by(|plain| plain.bytes().cmp(name.bytes().map(lower))).is_ok()
}

/// A name as it is shown: a body that is no form would be one long name.
fn name_of(name: &str, value: &str) -> String {
    if value.is_empty() && !is_plain(name) { REDACTED.to_owned() } else { clip(name) }
}

/// A signed request, without its signature.
fn opened(jws: &str) -> Value {
    match peek(jws) {
        Ok((header, payload)) => content(&header, &payload),
        Err(_) => json!(REDACTED),
    }
}

fn content(header: &Header, payload: &Value) -> Value {
    let payload = match payload {
        Value::Object(members) => Value::Object(of_json(members, 0)),
        _ => json!(REDACTED),
    };
    let text = |member: &Option<String>| member.as_deref().map(clip);
    let header = json!({"alg": clip(&header.alg), "kid": text(&header.kid), "x5t": text(&header.x5t)});
    json!({"header": header, "payload": payload})
}

fn told(outcome: &Outcome) -> (u16, String) {
    let trouble = match outcome {
        Ok(Reply::Empty) => return (200, "nothing to say".to_owned()),
        Ok(Reply::Jose(_)) => return (200, "an encrypted answer".to_owned()),
        Ok(Reply::Json(Value::Object(members))) => {
            let names: Vec<&str> = members.keys().map(String::as_str).collect();
            return (200, names.join(", "));
        }
        Ok(Reply::Json(_)) => return (200, "JSON".to_owned()),
        Ok(Reply::Page(page)) => return (page.status, "a page".to_owned()),
        Err(trouble) => trouble,
    };
    because(trouble)
}

fn because(trouble: &Trouble) -> (u16, String) {
    match trouble {
        Trouble::Denied(denied) => (denied.status, format!("{}: {}", denied.kind, denied.message)),
        Trouble::Failed(cause) => (500, cause.clone()),
        Trouble::Later(why, seconds) => {
            let (status, why) = because(why);
            (status, format!("{why} Retry after {seconds} s."))
        }
        Trouble::Method(allow) => (405, format!("takes {allow} only")),
        Trouble::NotBuilt(gap) => (501, format!("not built: {gap}")),
        Trouble::NotFound => (404, "no such path".to_owned()),
        Trouble::Refused(refusal) => {
            (refusal.row.status, format!("AADSTS{}: {}", refusal.row.code, refusal.text))
        }
    }
}

fn clip(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(MAX_VALUE).collect()
}

const REDACTED: &str = "[redacted]";
/// Longer than any scope or URL that matters.
const MAX_VALUE: usize = 256;
const MAX_MEMBERS: usize = 64;
const MAX_DEPTH: usize = 3;

/// Headers that carry a signed request.
const CREDENTIALS: [&str; 2] = ["x-ms-devicecredential", "x-ms-refreshtokencredential"];
/// Members that hold a signed request or a token.
const SIGNED: [&str; 3] = ["assertion", "client_assertion", "request"];
/// Members whose values are no secret.
const PLAIN: [&str; 59] = [
    "api-version",
    "aud",
    "authorization_endpoint",
    "cert_token_use",
    "client-request-id",
    "client_assertion_type",
    "client_id",
    "client_info",
    "code_challenge",
    "code_challenge_method",
    "csr_type",
    "devicedisplayname",
    "devicetype",
    "domain_hint",
    "encoding",
    "exp",
    "grant_type",
    "iat",
    "is_primary",
    "iss",
    "jointype",
    "jti",
    "kdf_ver",
    "keytype",
    "login_hint",
    "managed",
    "max_age",
    "nbf",
    "netbios_name",
    "nonce",
    "osversion",
    "post_logout_redirect_uri",
    "prompt",
    "prt_protocol_version",
    "redirect_uri",
    "requested_token_use",
    "resource",
    "response_mode",
    "response_type",
    "return-client-request-id",
    "reusedevice",
    "scope",
    "sid",
    "sub",
    "targetdomain",
    "targetdomainid",
    "tbidv2",
    "tgt",
    "type",
    "ua_client_id",
    "ua_redirect_uri",
    "usage",
    "user",
    "username",
    "win_ver",
    "windows_api_version",
    "x-client-sku",
    "x-client-ver",
    "x_client_platform",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_harmless_is_shown() {
        let form = Form::parse(b"username=alice&password=hunter2&scope=a+b&made_up=hunter2").unwrap();
        let told = json!({"username": "alice", "password": REDACTED, "scope": "a b", "made_up": REDACTED});
        assert_eq!(Value::Object(of_form(&form)), told);
    }

    #[test]
    fn numbers_and_bodies_that_are_no_form_are_not_shown_either() {
        let json = json!({"password": 98_765_432, "JoinType": 0, "nested": {"pin": 1234}});
        let Value::Object(members) = json else { panic!() };
        let told = json!({"password": REDACTED, "JoinType": 0, "nested": {"pin": REDACTED}});
        assert_eq!(Value::Object(of_json(&members, 0)), told);
        let told = of_form(&Form::parse(b"hunter2").unwrap());
        assert_eq!(Value::Object(told), json!({REDACTED: REDACTED}));
    }

    #[test]
    fn a_signed_request_is_opened_without_its_secrets() {
        let jws = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VybmFtZSI6ImEiLCJwYXNzd29yZCI6Imh1bnRlcjIiLCJwIjp7InJlZnJlc2hfdG9rZW4iOiJ4In19.c2ln";
        let told = shown("request", jws);
        assert_eq!(told["header"]["alg"], json!("RS256"));
        let payload = json!({"username": "a", "password": REDACTED, "p": {"refresh_token": REDACTED}});
        assert_eq!(told["payload"], payload);
        assert_eq!(shown("request", "rubbish"), json!(REDACTED));
    }

    #[test]
    fn names_are_in_order_and_small() {
        assert!(PLAIN.is_sorted() && PLAIN.iter().all(|name| *name == name.to_ascii_lowercase()));
    }
}
