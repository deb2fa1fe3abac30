//! The pages that people and browsers see, and those that clients read as if they were one.
//!
//! Fidelity: observed where a client reads a page: a redirection repeats its link as `Object moved to
//! <a href="…">here</a>`, and pages that end a sign-in, or wait for one, say so in `$Config={…};` between
//! CDATA marks (entra §4.3). How they look is the lab's. Nothing needs a script but the form that posts
//! itself, and that has a button too.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use serde_json::{Value, json};

use crate::answer::{self, Page};
use crate::ask::Ask;
use crate::errors::Refusal;

/// What the page that asks for a user shows.
pub(crate) struct SignInForm<'a> {
    /// Where it posts to.
    pub(crate) action: &'a str,
    /// What ties the answer to the request.
    pub(crate) context: &'a str,
    /// The name of the application that asks.
    pub(crate) client: &'a str,
    /// The user's name, if it is known.
    pub(crate) username: &'a str,
    /// A nonce for those who can prove themselves.
    pub(crate) nonce: &'a str,
    /// Why the last attempt failed.
    pub(crate) refusal: Option<Value>,
}

/// What the page for devices without a browser shows.
pub(crate) struct DeviceForm<'a> {
    pub(crate) action: &'a str,
    pub(crate) user_code: &'a str,
    pub(crate) username: &'a str,
    pub(crate) refusal: Option<Value>,
}

/// A redirection.
pub(crate) fn moved(location: String) -> Page {
    let html = format!(
        "<html><head><title>Object moved</title></head><body>\r\n<h2>Object moved to <a \
         href=\"{}\">here</a>.</h2>\r\n</body></html>\r\n",
        escape(&location)
    );
    Page { status: 302, location: Some(location), html, headers: headers(STRICT) }
}

/// The page of a refusal that may not go to the client. Its status is 200, whatever the refusal: clients read
/// what a page says only where it succeeded (inferred).
pub(crate) fn error(ask: &Ask, refusal: Refusal) -> Page {
    let told = answer::refused(ask, refusal);
    let text = told["error_description"].as_str().unwrap_or_default();
    let body = format!(
        "<h1>Sorry, but we are having trouble signing you in.</h1><p class=\"error\">{}</p>{}",
        escape(text),
        script(&config(ask, "ConvergedError", Some(&told)))
    );
    page("Sign in", &body, STRICT)
}

/// The page that asks for name and password.
pub(crate) fn sign_in(ask: &Ask, form: &SignInForm<'_>) -> Page {
    let mut config = config(ask, "ConvergedSignIn", form.refusal.as_ref());
    config["urlPost"] = json!(form.action);
    config["sCtx"] = json!(form.context);
    config["bsso"] = json!({"nonce": form.nonce});
    let body = format!(
        "<h1>Sign in</h1><p>{client} asks who you are.</p>{problem}<form method=\"post\" \
         action=\"{action}\"><input type=\"hidden\" name=\"ctx\" value=\"{context}\">{fields}<button \
         id=\"idSIButton9\">Sign in</button></form>{script}",
        client = escape(form.client),
        problem = problem(form.refusal.as_ref()),
        action = escape(form.action),
        context = escape(form.context),
        fields = credentials(form.username),
        script = script(&config),
    );
    page("Sign in", &body, STRICT)
}

/// The page that takes a user code.
pub(crate) fn device(form: &DeviceForm<'_>) -> Page {
    let body = format!(
        "<h1>Sign in to a device</h1><p>Enter the code that the device shows. Go on only if you started \
         this yourself.</p>{problem}<form method=\"post\" action=\"{action}\"><label>Code<input \
         name=\"user_code\" id=\"otc\" value=\"{code}\" autocomplete=\"off\"></label>{fields}<button \
         name=\"action\" value=\"approve\">Continue</button> <button name=\"action\" \
         value=\"decline\">Decline</button></form>",
        problem = problem(form.refusal.as_ref()),
        action = escape(form.action),
        code = escape(form.user_code),
        fields = credentials(form.username),
    );
    page("Sign in to a device", &body, STRICT)
}

/// A page that says one thing.
pub(crate) fn message(title: &str, text: &str) -> Page {
    page(title, &format!("<h1>{}</h1><p>{}</p>", escape(title), escape(text)), STRICT)
}

/// A page whose form posts itself (OAuth 2.0 Form Post Response Mode).
pub(crate) fn form_post(action: &str, fields: &[(&str, String)]) -> Page {
    let inputs: String = fields
        .iter()
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
        })
        .collect();
    let body = format!(
        "<form method=\"post\" name=\"hiddenform\" action=\"{}\">{inputs}<p>You are signed in.</p><button>Go \
         on</button></form><script>document.forms[0].submit();</script>",
        escape(action)
    );
    page("Working", &body, SELF_POSTING)
}

/// Text as it may stand in an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// What clients read instead of the page.
fn config(ask: &Ask, page: &str, refusal: Option<&Value>) -> Value {
    let mut config = json!({
        "pgid": page,
        "correlationId": ask.correlation,
        "sessionId": ask.trace,
        "canary": opaque(ask, "canary"),
        "sFT": opaque(ask, "flow token"),
        "urlGetCredentialType": "/common/GetCredentialType",
    });
    if let Some(told) = refusal {
        let code = &told["error_codes"][0];
        config["iErrorCode"] = code.clone();
        config["sErrorCode"] = json!(code.to_string());
        config["strMainMessage"] = json!("Sign in");
        config["strAdditionalMessage"] = json!("Sorry, but we are having trouble signing you in.");
        config["strServiceExceptionMessage"] = told["error_description"].clone();
    }
    config
}

/// What clients must find on a page and send back; nobody looks at it (fidelity: lab).
fn opaque(ask: &Ask, what: &str) -> String {
    STANDARD.encode(digest(&SHA256, format!("{what} {}", ask.trace).as_bytes()))
}

/// JSON in a script: nothing in it can end the script.
fn script(config: &Value) -> String {
    let mut text = String::new();
    for char in config.to_string().chars() {
        match char {
            '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            other => text.push(other),
        }
    }
    format!("<script type=\"text/javascript\">//<![CDATA[\n$Config={text};\n//]]></script>")
}

fn credentials(username: &str) -> String {
    format!(
        "<label>User<input name=\"login\" id=\"i0116\" value=\"{}\" autocomplete=\"username\"></label>\
         <label>Password<input type=\"password\" name=\"passwd\" id=\"i0118\" \
         autocomplete=\"current-password\"></label>",
        escape(username)
    )
}

fn problem(refusal: Option<&Value>) -> String {
    let text = refusal.and_then(|told| told["error_description"].as_str());
    text.map(|text| format!("<p class=\"error\" role=\"alert\">{}</p>", escape(text))).unwrap_or_default()
}

fn page(title: &str, body: &str, policy: &str) -> Page {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}\
         </style></head><body><main>{body}</main><footer>cmglab \u{2013} not for production</footer></body>\
         </html>\n",
        escape(title)
    );
    Page { status: 200, location: None, html, headers: headers(policy) }
}

fn headers(policy: &str) -> Vec<(HeaderName, String)> {
    vec![(CONTENT_SECURITY_POLICY, policy.to_owned()), (X_FRAME_OPTIONS, "DENY".to_owned())]
}

const STRICT: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
const SELF_POSTING: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                            base-uri 'none'; frame-ancestors 'none'";
const STYLE: &str = "body{font:16px sans-serif;background:#eef;margin:0}main{max-width:26em;margin:3em \
                     auto;padding:2em;background:#fff}label,input{display:block;width:100%;margin:.3em \
                     0}.error{color:#a00}footer{text-align:center;color:#a00}";

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = "</script><script>alert('1')</script>&\"\u{2028}";

    #[test]
    fn nothing_said_becomes_markup() {
        let form = DeviceForm {
            action: NASTY,
            user_code: NASTY,
            username: NASTY,
            refusal: Some(json!({"error_description": NASTY})),
        };
        let pages = [
            device(&form),
            message(NASTY, NASTY),
            moved(NASTY.to_owned()),
            form_post(NASTY, &[(NASTY, NASTY.to_owned())]),
        ];
        for page in pages {
            assert!(!page.html.contains("alert('1')"), "{}", page.html);
            assert!(page.html.contains("alert(&#39;1&#39;)"), "{}", page.html);
        }
        assert_eq!(escape("a&b<c>\"d'"), "a&amp;b&lt;c&gt;&quot;d&#39;");
    }

    #[test]
    fn json_cannot_end_its_script() {
        let config = json!({"nasty": NASTY, "end": "//]]></script>"});
        let script = script(&config);
        assert_eq!(script.matches("</script>").count(), 1);
        let json = script.split_once("$Config=").unwrap().1.split_once(";\n//]]>").unwrap().0;
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), config);
    }
}
