//! The authorization endpoint: pages, ways back, and every refusal by its real cause.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_events::kinds::AadEvent;
use http::Method;
use jiff::SignedDuration;
use serde_json::json;

use super::clients::*;
use super::lab::*;
use crate::AccessRules;
use crate::form::Form;

const V2: &str = "/lab.test/oAuth2/v2.0/authorize";
const V1: &str = "/Lab.Test/oauth2/authorize/";

fn target(path: &str, changes: &[(&'static str, &str)]) -> String {
    authorize(path, &borrowed(&web_request(changes)))
}

#[tokio::test]
async fn a_user_signs_in_on_the_page_and_comes_back() {
    let lab = Lab::new();
    let mut browser = Browser::default();
    let page = browser.get(&lab, &target(V2, &[("login_hint", "x\"><script>")])).await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(page.text.contains("cmglab \u{2013} not for production"));
    assert!(page.text.contains("Web &lt;b&gt;&quot;&amp;&#39; asks"), "{}", page.text);
    assert!(page.text.contains("value=\"x&quot;&gt;&lt;script&gt;\""), "{}", page.text);
    assert_eq!(page_config(&page.text)["pgid"], "ConvergedSignIn");
    assert!(page_config(&page.text)["bsso"]["nonce"].is_string() && browser.cookie.is_none());

    let reply = browser.sign_in(&lab, &target(V2, &[("client_info", "1")]), "Alice@lab.test").await;
    let back = reply.back("https://web.test/back?");
    assert!(back.get("code").is_some() && back.get("session_state").is_some());
    assert_eq!(back.get("state"), Some("a&b=<c>\"'"));
    let info = URL_SAFE_NO_PAD.decode(back.get("client_info").unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&info).unwrap()["uid"], json!(ALICE));
    assert_eq!((back.get("id_token"), back.get("error")), (None, None));
}

#[tokio::test]
async fn the_request_may_be_posted_and_come_from_anywhere() {
    let lab = Lab::new();
    let params = web_request(&[]);
    let page = Browser::default().post(&lab, V2, &borrowed(&params)).await;
    assert!(page_config(&page.text)["sCtx"].is_string());
    for path in ["/common/oauth2/v2.0/authorize", "/organizations/oauth2/v2.0/authorize"] {
        let reply = Browser::default().sign_in(&lab, &target(path, &[]), "alice@lab.test").await;
        assert!(reply.back("https://web.test/back?").get("code").is_some());
    }
    let put = http::Request::builder().method(Method::PUT).uri(V2).body(axum::body::Body::empty()).unwrap();
    assert_eq!(lab.send(put).await.status, 405);
    assert_eq!(lab.get("/lab.test/login").await.status, 405);
}

#[tokio::test]
async fn what_cannot_be_trusted_ends_on_a_page() {
    let unknown = uuid::Uuid::from_u128(3).to_string();
    let native = NATIVE.to_string();
    let other = OTHER_WEB.to_string();
    let v2 = |changes: &[(&'static str, &str)]| target(V2, changes);
    let pages = [
        (v2(&[("client_id", "")]), 900_144),
        (v2(&[("client_id", &unknown)]), 700_016),
        (v2(&[("client_id", "<script>alert(1)</script>")]), 700_016),
        (v2(&[("client_id", &other), ("redirect_uri", "https://other.test/back")]), 700_016),
        (target("/nowhere.test/oauth2/v2.0/authorize", &[]), 90002),
        (target("/consumers/oauth2/v2.0/authorize", &[]), 90002),
        (v2(&[("redirect_uri", "https://evil.test/back")]), 50011),
        (v2(&[("redirect_uri", "https://web.test/back/")]), 50011),
        (v2(&[("redirect_uri", "")]), 900_144),
        (v2(&[("client_id", &native), ("redirect_uri", "http://localhost.evil.test")]), 50011),
    ];
    let lab = Lab::new();
    for (target, code) in pages {
        let reply = lab.get(&target).await;
        assert_eq!((reply.status, reply.code()), (200, code), "{target}");
        let config = page_config(&reply.text);
        assert_eq!(config["sErrorCode"], json!(code.to_string()));
        assert!(!reply.headers.contains_key("location") && !reply.text.contains("<script>alert"));
        let message = config["strServiceExceptionMessage"].as_str().unwrap();
        assert!(message.starts_with(&format!("AADSTS{code}: ")) && message.contains("Trace ID: "));
        assert!(reply.text.contains(&format!("AADSTS{code}: ")));
        assert!(matches!(lab.aad_events().pop(), Some(AadEvent::Refused { .. })));
    }
    let local = v2(&[("client_id", &native), ("redirect_uri", "http://localhost:8400/")]);
    assert_eq!(lab.get(&local).await.status, 200);
    let at_other = &[("client_id", other.as_str()), ("redirect_uri", "https://other.test/back")];
    assert_eq!(lab.get(&target("/common/oauth2/v2.0/authorize", at_other)).await.status, 200);

    let mut config = config();
    config.apps.iter_mut().for_each(|app| app.disabled = app.app_id == WEB);
    let lab = Lab::with(&config);
    for path in [V2, "/common/oauth2/v2.0/authorize"] {
        assert_eq!(lab.get(&target(path, &[])).await.code(), 7_000_112);
    }
}

#[tokio::test]
async fn what_is_refused_after_that_is_told_to_the_client() {
    const ID_TOKEN: (&str, &str) = ("response_type", "id_token");
    type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str);
    let cases: [Case; 13] = [
        (&[("response_type", "")], "invalid_request", "900144"),
        (&[("response_type", "code code")], "unsupported_response_type", "70005"),
        (&[("response_mode", "pigeon")], "invalid_request", "70007"),
        (&[("scope", "")], "invalid_request", "900144"),
        (&[("scope", "https://x/.default https://y/.default")], "invalid_scope", "70011"),
        (&[("scope", "https://x/.default")], "invalid_resource", "500011"),
        (&[("scope", "https://web/.default")], "invalid_request", "90009"),
        (&[("scope", "https://ConfigMgrService/root")], "invalid_scope", "70011"),
        (&[("prompt", "dance")], "invalid_request", "90023"),
        (&[("prompt", "none")], "login_required", "50058"),
        (&[("code_challenge", "short"), ("code_challenge_method", "S256")], "invalid_request", "501491"),
        (&[("code_challenge_method", "S256")], "invalid_request", "50147"),
        (
            &[
                ("code_challenge", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                ("code_challenge_method", "S512"),
            ],
            "invalid_request",
            "9002313",
        ),
    ];
    let lab = Lab::new();
    for (changes, error, code) in cases {
        let reply = lab.get(&target(V2, changes)).await;
        told(&reply.back("https://web.test/back?"), error, code);
        assert!(matches!(lab.aad_events().pop(), Some(AadEvent::Refused { .. })));
    }
    let of_tokens: [Case; 4] = [
        (&[("response_type", "token token")], "unsupported_response_type", "70005"),
        (&[ID_TOKEN], "invalid_request", "900144"),
        (&[ID_TOKEN, ("nonce", "n"), ("response_mode", "query")], "invalid_request", "70007"),
        (
            &[ID_TOKEN, ("nonce", "n"), ("scope", "https://ConfigMgrService/.default")],
            "invalid_scope",
            "70011",
        ),
    ];
    for (changes, error, code) in of_tokens {
        let reply = lab.get(&target(V2, changes)).await;
        told(&reply.back("https://web.test/back#"), error, code);
    }
    assert_eq!(lab.get(&target(V2, &[ID_TOKEN, ("nonce", "n")])).await.status, 200);
}

fn told(back: &Form, error: &str, code: &str) {
    let text = back.get("error_description").unwrap();
    assert_eq!(back.get("error"), Some(error), "{text}");
    assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
    assert_eq!(back.get("state"), Some("a&b=<c>\"'"));
    assert_eq!(back.get("code"), None);
}

#[tokio::test]
async fn consent_is_asked_for_of_the_client_that_lacks_it() {
    let mut config = config();
    config.apps.iter_mut().filter(|app| app.app_id == WEB).for_each(|app| app.permissions.clear());
    let lab = Lab::with(&config);
    told(&lab.get(&target(V2, &[])).await.back("https://web.test/back?"), "consent_required", "65001");
    // Without a tenant it can be told only once the user is known.
    let path = "/common/oauth2/v2.0/authorize";
    let reply = Browser::default().sign_in(&lab, &target(path, &[]), "alice@lab.test").await;
    told(&reply.back("https://web.test/back?"), "consent_required", "65001");
}

#[tokio::test]
async fn access_rules_are_told_before_there_is_a_code() {
    type Rule = fn(&mut AccessRules);
    let rules: [(Rule, &str, &str); 4] = [
        (|rules| rules.blocked = true, "access_denied", "53003"),
        (|rules| rules.device = true, "interaction_required", "50097"),
        (|rules| rules.compliant_device = true, "interaction_required", "53000"),
        (|rules| rules.second_factor = true, "interaction_required", "50076"),
    ];
    for (rule, error, code) in rules {
        let mut config = config();
        config.apps.iter_mut().filter(|app| app.app_id == SERVER).for_each(|app| rule(&mut app.access));
        let lab = Lab::with(&config);
        let reply = Browser::default().sign_in(&lab, &target(V2, &[]), "alice@lab.test").await;
        told(&reply.back("https://web.test/back?"), error, code);
        let elsewhere = target(V2, &[("scope", "https://v2/.default")]);
        let reply = Browser::default().sign_in(&lab, &elsewhere, "alice@lab.test").await;
        assert!(reply.back("https://web.test/back?").get("code").is_some());
    }
}

#[tokio::test]
async fn microsofts_own_client_may_end_on_a_page_of_ours() {
    let lab = Lab::new();
    let page = "https://login.microsoftonline.com/common/oauth2/nativeclient";
    let changes = [("client_id", BROKER), ("redirect_uri", page), ("scope", ""), ("resource", DRS)];
    let reply = Browser::default().sign_in(&lab, &target(V1, &changes), "alice@lab.test").await;
    assert!(reply.back(&format!("{page}?")).get("code").is_some());
    assert_eq!(lab.get("/common/oauth2/nativeclient?code=x").await.status, 200);
}

#[tokio::test]
async fn a_client_is_not_in_the_other_tenant() {
    let lab = Lab::new();
    let path = "/common/oauth2/v2.0/authorize";
    let reply = Browser::default().sign_in(&lab, &target(path, &[]), "carol@other.test").await;
    told(&reply.back("https://web.test/back?"), "unauthorized_client", "700016");
}

#[tokio::test]
async fn tokens_do_not_travel_in_queries() {
    let lab = Lab::new();
    let changes = &[("response_type", "code id_token"), ("nonce", "n-1")];
    let reply = Browser::default().sign_in(&lab, &target(V2, changes), "alice@lab.test").await;
    let back = reply.back("https://web.test/back#");
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let id_token = json!(back.get("id_token").unwrap());
    let claims = lab.claims(&id_token, &issuer, &WEB.to_string()).await;
    assert_eq!((&claims["nonce"], &claims["oid"]), (&json!("n-1"), &json!(ALICE)));
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, back.get("code").unwrap().as_bytes());
    assert_eq!(claims["c_hash"], json!(URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])));

    let changes = &[("response_type", "id_token"), ("nonce", "n"), ("response_mode", "form_post")];
    let changes = [&changes[..], &[("state", "\"><script>alert(1)</script>")]].concat();
    let reply = Browser::default().sign_in(&lab, &target(V1, &changes), "alice@lab.test").await;
    assert_eq!(reply.status, 200);
    assert!(reply.text.contains("action=\"https://web.test/back\"") && !reply.text.contains("<script>alert"));
    let claims = lab.claims(&json!(input(&reply.text, "id_token")), &v1_issuer(), &WEB.to_string()).await;
    assert_eq!((&claims["upn"], claims.get("c_hash")), (&json!("alice@lab.test"), None));
    assert!(!reply.text.contains("name=\"code\"") && reply.text.contains("name=\"session_state\""));
}

#[tokio::test]
async fn the_page_says_what_went_wrong_and_asks_again() {
    let lab = Lab::new();
    let mut browser = Browser::default();
    let page = browser.get(&lab, &target(V2, &[])).await;
    let context = input(&page.text, "ctx");
    let attempts = [
        ("alice@lab.test", "wrong", 50126),
        ("nobody@lab.test", PASSWORD, 50034),
        ("carol@other.test", PASSWORD, 50034),
        ("bob@lab.test", PASSWORD, 50057),
        ("alice@lab.test", "", 900_144),
        ("", PASSWORD, 900_144),
        ("\"><script>alert(1)</script>", "x", 50034),
    ];
    for (username, password, code) in attempts {
        let form = [("ctx", context.as_str()), ("login", username), ("passwd", password)];
        let reply = browser.post(&lab, "/lab.test/login", &form).await;
        assert_eq!((reply.status, reply.code()), (200, code), "{username}");
        assert!(reply.text.contains(&format!("role=\"alert\">AADSTS{code}: ")));
        assert!(!reply.text.contains("<script>alert") && browser.cookie.is_none());
        assert_eq!(page_config(&reply.text)["urlPost"], format!("/{TENANT}/login"));
    }
    let form = [("ctx", context.as_str()), ("username", "alice@lab.test"), ("password", PASSWORD)];
    assert_eq!(browser.post(&lab, "/lab.test/login", &form).await.status, 302);

    for (context, code) in [("", 900_144), ("nonsense", 9_002_313)] {
        let form = [("ctx", context), ("login", "alice@lab.test"), ("passwd", PASSWORD)];
        let reply = browser.post(&lab, "/lab.test/login", &form).await;
        assert_eq!((reply.status, reply.code()), (200, code));
    }
    lab.clock.advance(SignedDuration::from_mins(10)).await;
    let reply = browser.post(&lab, "/lab.test/login", &form).await;
    assert_eq!((reply.status, reply.code()), (200, 50089));
}
