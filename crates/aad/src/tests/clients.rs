//! Applications that sign in as themselves, and a browser for those that send it.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PSS_SHA256};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_ids::Ids;
use cmglab_pki::{KeyKind, Overrides, PrivateKey, SubjectName, Validity};
use cmglab_proto::ids::AppId;
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::uuid;

use super::lab::*;
use crate::form::Form;
use crate::{App, AppCertificate, AppSecret, Password, Permission};

/// A web application with secrets, certificates and roles.
pub(super) const WEB: AppId = AppId::new(uuid!("aaaaaaaa-0000-4000-8000-000000000004"));
/// Another one, in the other tenant, with the same secret.
pub(super) const OTHER_WEB: AppId = AppId::new(uuid!("aaaaaaaa-0000-4000-8000-000000000005"));
pub(super) const WEB_URI: &str = "https://web";
pub(super) const WEB_BACK: &str = "https://web.test/back";
pub(super) const ROLE: &str = "Device.Read.All";
pub(super) const SECRET: &str = "s3cret+&%7e";
pub(super) const OLD_SECRET: &str = "old secret";

/// A key and its certificate.
pub(super) struct Credential {
    pub(super) key: PrivateKey,
    pub(super) der: Vec<u8>,
}

impl Credential {
    fn new(kind: KeyKind, validity: Option<Validity>) -> Self {
        let key = PrivateKey::generate(kind).unwrap();
        let overrides = Overrides { validity, eku: None };
        let names = [SubjectName::Common("web".to_owned())];
        let identity =
            authority().issue_with("cp-client", &names, &overrides, &key, now(), &Ids::seeded(5)).unwrap();
        Self { der: identity.leaf().to_vec(), key }
    }

    pub(super) fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let (pkcs8, random) = (self.key.pkcs8_der(), SystemRandom::new());
        match alg {
            "ES256" => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap();
                pair.sign(&random, message).unwrap().as_ref().to_vec()
            }
            "PS256" => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).unwrap();
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            _ => self.key.sign_rs256(message).unwrap(),
        }
    }

    /// A compact JWS.
    pub(super) fn jws(&self, header: &Value, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.sign(header["alg"].as_str().unwrap(), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

pub(super) fn rsa() -> &'static Credential {
    static RSA: OnceLock<Credential> = OnceLock::new();
    RSA.get_or_init(|| Credential::new(KeyKind::Rsa2048, None))
}

pub(super) fn p256() -> &'static Credential {
    static P256: OnceLock<Credential> = OnceLock::new();
    P256.get_or_init(|| Credential::new(KeyKind::P256, None))
}

/// Registered, and past its end.
pub(super) fn expired() -> &'static Credential {
    static EXPIRED: OnceLock<Credential> = OnceLock::new();
    let validity = || Validity::ended(now(), SignedDuration::from_hours(1)).unwrap();
    EXPIRED.get_or_init(|| Credential::new(KeyKind::P256, Some(validity())))
}

/// Registered nowhere.
pub(super) fn stranger() -> &'static Credential {
    static STRANGER: OnceLock<Credential> = OnceLock::new();
    STRANGER.get_or_init(|| Credential::new(KeyKind::P256, None))
}

pub(super) fn web() -> App {
    let certificates = [rsa(), p256(), expired()].map(|one| AppCertificate(one.der.clone()));
    App {
        name: "Web <b>\"&'".to_owned(),
        redirect_uris: vec![WEB_BACK.to_owned(), "https://web.test/bye?a=1".to_owned()],
        secrets: vec![
            secret(SECRET, None),
            AppSecret { value: Password::new(OLD_SECRET), expires: Some(now()) },
        ],
        certificates: certificates.into(),
        permissions: vec![
            Permission { roles: vec![ROLE.to_owned(), "No.Such.Role".to_owned()], ..may_act(SERVER) },
            may_act(SERVER_V2),
        ],
        device_only_auth: false,
        ..app(WEB, Some(WEB_URI))
    }
}

pub(super) fn other_web() -> App {
    App {
        tenant: OTHER_TENANT,
        redirect_uris: vec!["https://other.test/back".to_owned()],
        secrets: vec![secret(SECRET, None)],
        certificates: vec![AppCertificate(p256().der.clone())],
        ..app(OTHER_WEB, Some("https://other-web"))
    }
}

fn secret(value: &str, expires: Option<jiff::Timestamp>) -> AppSecret {
    AppSecret { value: Password::new(value), expires }
}

/// The value of `name` in the form or the link of a page.
pub(super) fn input(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{page}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// What a page tells clients, cut out of it as they do.
pub(super) fn page_config(page: &str) -> Value {
    let (_, rest) = page.split_once("$Config=").unwrap_or_else(|| panic!("{page}"));
    let (json, _) = rest.split_once("//]]></script>").unwrap();
    serde_json::from_str(&json[..json.len() - 2]).unwrap()
}

impl Reply {
    /// The parameters of a redirection, after `start`, and that its body has the same link.
    pub(super) fn back(&self, start: &str) -> Form {
        assert_eq!(self.status, 302, "{}", self.text);
        let location = self.headers["location"].to_str().unwrap();
        let anchor = format!("Object moved to <a href=\"{}\">here</a>", location.replace('&', "&amp;"));
        assert!(self.text.contains(&anchor), "{}", self.text);
        let query = location.strip_prefix(start).unwrap_or_else(|| panic!("{location}"));
        Form::parse(query.as_bytes()).unwrap()
    }

    /// The number of a refusal on a page or in JSON.
    pub(super) fn code(&self) -> u64 {
        match &self.json {
            Value::Null => page_config(&self.text)["iErrorCode"].as_u64().unwrap_or_default(),
            json => json["error_codes"][0].as_u64().unwrap_or_default(),
        }
    }
}

/// A browser: it keeps its cookies.
#[derive(Default)]
pub(super) struct Browser {
    /// The session.
    pub(super) cookie: Option<String>,
    /// What ties a sign-in page to it.
    pub(super) context: Option<String>,
}

impl Browser {
    pub(super) async fn get(&mut self, lab: &Lab, target: &str) -> Reply {
        let request = Request::get(target);
        self.send(lab, request, String::new()).await
    }

    pub(super) async fn post(&mut self, lab: &Lab, target: &str, form: &[(&str, &str)]) -> Reply {
        self.send(lab, Request::post(target), encode(form)).await
    }

    async fn send(&mut self, lab: &Lab, request: http::request::Builder, body: String) -> Reply {
        let mut request = request;
        for cookie in ["x=y"].into_iter().chain(self.cookie.as_deref()).chain(self.context.as_deref()) {
            request = request.header("cookie", cookie);
        }
        let reply = lab.send(request.body(Body::from(body)).unwrap()).await;
        for cookie in reply.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.ends_with("; path=/; Secure; HttpOnly; SameSite=None"), "{cookie}");
            let cookie = cookie.split_once(';').unwrap().0.to_owned();
            let kept = if cookie.starts_with("esctx=") { &mut self.context } else { &mut self.cookie };
            *kept = Some(cookie);
        }
        reply
    }

    /// Asks for a page and signs in on it.
    pub(super) async fn sign_in(&mut self, lab: &Lab, target: &str, username: &str) -> Reply {
        let page = self.get(lab, target).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let (action, context) = (page_config(&page.text)["urlPost"].clone(), input(&page.text, "ctx"));
        let form = [("ctx", context.as_str()), ("login", username), ("passwd", PASSWORD)];
        self.post(lab, action.as_str().unwrap(), &form).await
    }
}

/// The target of an authorization request.
pub(super) fn authorize(path: &str, params: &[(&str, &str)]) -> String {
    format!("{path}?{}", encode(params))
}

/// The parameters of a request for a code by the web application.
pub(super) fn web_request(changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut params = vec![
        ("client_id", WEB.to_string()),
        ("response_type", "code".to_owned()),
        ("redirect_uri", WEB_BACK.to_owned()),
        ("scope", format!("{RESOURCE}/.default openid profile offline_access")),
        ("state", "a&b=<c>\"'".to_owned()),
    ];
    for (name, value) in changes {
        params.retain(|(known, _)| known != name);
        params.push((*name, (*value).to_owned()));
    }
    params
}

pub(super) fn borrowed<'a>(params: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    params.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A good assertion of the web application.
pub(super) fn claims() -> Value {
    let second = now().as_second();
    json!({
        "aud": format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"),
        "iss": WEB, "sub": WEB, "jti": "1", "nbf": second, "exp": second + 600,
    })
}
