//! The session of a browser, signing out, and who exists.

use http::Request;
use jiff::SignedDuration;
use serde_json::json;

use super::clients::*;
use super::lab::*;

const V2: &str = "/lab.test/oauth2/v2.0/authorize";

fn target(path: &str, changes: &[(&'static str, &str)]) -> String {
    authorize(path, &borrowed(&web_request(changes)))
}

async fn signed_in(lab: &Lab) -> Browser {
    let mut browser = Browser::default();
    browser.sign_in(lab, &target(V2, &[]), "alice@lab.test").await;
    browser
}

/// The error of a silent sign-in, if there is one.
async fn silent(lab: &Lab, browser: &mut Browser, path: &str, changes: &[(&'static str, &str)]) -> String {
    let changes = [changes, &[("prompt", "none")]].concat();
    let back = browser.get(lab, &target(path, &changes)).await.back("https://web.test/back?");
    assert_ne!(back.get("code").is_some(), back.get("error").is_some());
    back.get("error").unwrap_or_default().to_owned()
}

#[tokio::test]
async fn who_is_signed_in_is_not_asked_again() {
    let lab = Lab::new();
    let mut browser = signed_in(&lab).await;
    assert_eq!(silent(&lab, &mut browser, V2, &[]).await, "");
    assert_eq!(silent(&lab, &mut browser, "/common/oauth2/v2.0/authorize", &[]).await, "");
    assert_eq!(silent(&lab, &mut browser, V2, &[("login_hint", "ALICE@lab.test")]).await, "");
    assert_eq!(silent(&lab, &mut browser, V2, &[("login_hint", "dora@lab.test")]).await, "login_required");
    for prompt in ["", "consent"] {
        assert_eq!(browser.get(&lab, &target(V2, &[("prompt", prompt)])).await.status, 302);
    }
    for prompt in ["login", "select_account"] {
        assert_eq!(browser.get(&lab, &target(V2, &[("prompt", prompt)])).await.status, 200);
    }
    let mut stranger = Browser { cookie: Some("ESTSAUTH=0.Anonsense".to_owned()), ..Browser::default() };
    assert_eq!(silent(&lab, &mut stranger, V2, &[]).await, "login_required");
}

#[tokio::test]
async fn a_session_ends_with_time_and_by_signing_out() {
    let lab = Lab::new();
    let mut browser = signed_in(&lab).await;
    lab.clock.advance(SignedDuration::from_hours(23)).await;
    assert_eq!(silent(&lab, &mut browser, V2, &[]).await, "");
    lab.clock.advance(SignedDuration::from_hours(1)).await;
    assert_eq!(silent(&lab, &mut browser, V2, &[]).await, "login_required");

    let mut browser = signed_in(&lab).await;
    let cookie = browser.cookie.clone();
    let page = browser.get(&lab, "/common/oauth2/v2.0/logout").await;
    assert_eq!((page.status, browser.cookie.as_deref()), (200, Some("ESTSAUTH=")));
    assert!(page.text.contains("You signed out."));
    // Nor does the cookie count when the browser keeps it.
    assert_eq!(silent(&lab, &mut Browser { cookie, ..Browser::default() }, V2, &[]).await, "login_required");
}

#[tokio::test]
async fn what_came_before_a_revocation_is_over() {
    let lab = Lab::new();
    let mut browser = signed_in(&lab).await;
    let reply = browser.get(&lab, &target(V2, &[])).await;
    let code = reply.back("https://web.test/back?").get("code").unwrap().to_owned();
    let assertion = lab.user_token(WEB_URI, &NATIVE.to_string()).await;
    let web = WEB.to_string();
    let client = [("client_id", web.as_str()), ("client_secret", SECRET)];
    let by_code = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", WEB_BACK)];
    let by_code = [&client[..], &by_code].concat();
    let on_behalf = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("assertion", &assertion),
        ("scope", "https://v2/.default"),
    ];
    let on_behalf = [&client[..], &on_behalf].concat();
    let from = |second: i64| now() + SignedDuration::from_secs(second);
    lab.aad.directory_mut().revoke_sessions(ALICE.into(), from(1));
    for form in [&by_code, &on_behalf] {
        assert_eq!(lab.post("/lab.test/oauth2/v2.0/token", form).await.code(), 50173);
    }
    assert_eq!(silent(&lab, &mut browser, V2, &[]).await, "login_required");
    lab.aad.directory_mut().revoke_sessions(ALICE.into(), from(0));
    for form in [&by_code, &on_behalf] {
        assert_eq!(lab.post("/lab.test/oauth2/v2.0/token", form).await.status, 200);
    }
    assert_eq!(silent(&lab, &mut browser, V2, &[]).await, "");
}

#[tokio::test]
async fn a_session_does_not_cross_tenants() {
    let lab = Lab::new();
    let mut browser = signed_in(&lab).await;
    let other = OTHER_WEB.to_string();
    let of_other = [("client_id", other.as_str()), ("redirect_uri", "https://other.test/back")];
    let changes = [&of_other[..], &[("prompt", "none"), ("scope", "openid")]].concat();
    let reply = browser.get(&lab, &target("/other.test/oauth2/v2.0/authorize", &changes)).await;
    assert_eq!(reply.back("https://other.test/back?").get("error"), Some("login_required"));
    // At common the session counts, and then the application is not in its tenant.
    let reply = browser.get(&lab, &target("/common/oauth2/v2.0/authorize", &changes)).await;
    assert_eq!(reply.back("https://other.test/back?").get("error"), Some("unauthorized_client"));
    let mut carol = Browser::default();
    let changes = [&of_other[..], &[("scope", "openid")]].concat();
    let reply =
        carol.sign_in(&lab, &target("/other.test/oauth2/v2.0/authorize", &changes), "carol@other.test").await;
    assert!(reply.back("https://other.test/back?").get("code").is_some());
}

#[tokio::test]
async fn signing_out_leads_only_to_registered_places() {
    let lab = Lab::new();
    let leads = |path: &str, uri: &str| {
        format!("{path}?{}", encode(&[("post_logout_redirect_uri", uri), ("state", "s&t")]))
    };
    let path = "/lab.test/oauth2/logout";
    let good = [
        ("https://web.test/back", "https://web.test/back?"),
        ("https://web.test/bye?a=1", "https://web.test/bye?a=1&"),
    ];
    for (uri, start) in good {
        let reply = lab.get(&leads(path, uri)).await;
        assert_eq!(reply.back(start).get("state"), Some("s&t"));
        assert!(reply.headers["set-cookie"].to_str().unwrap().starts_with("ESTSAUTH=; expires="));
    }
    let common = lab.get(&leads("/common/oauth2/logout", "https://other.test/back")).await;
    assert_eq!(common.status, 302);
    for uri in ["https://evil.test/", "https://other.test/back"] {
        let reply = lab.get(&leads(path, uri)).await;
        assert_eq!((reply.status, reply.headers.contains_key("location")), (200, false), "{uri}");
    }
    let posted = lab.post(path, &[("post_logout_redirect_uri", "https://web.test/back")]).await;
    assert_eq!(posted.headers["location"], "https://web.test/back");
    assert_eq!(lab.get("/nowhere.test/oauth2/logout").await.code(), 90002);
    let put = Request::put(path).body(axum::body::Body::empty()).unwrap();
    assert_eq!(lab.send(put).await.status, 405);
}

#[tokio::test]
async fn credential_types_tell_who_exists() {
    let lab = Lab::new();
    let ask = async |path: &str, body: &str| {
        lab.send(Request::post(path).body(axum::body::Body::from(body.to_owned())).unwrap()).await
    };
    let cases = [
        ("/common/GetCredentialType", "Alice@lab.test", 0, 3),
        ("/lab.test/GetCredentialType?mkt=en-US", "alice@lab.test", 0, 3),
        ("/common/GetCredentialType", "nobody@lab.test", 1, 3),
        ("/other.test/GetCredentialType", "alice@lab.test", 1, 3),
        ("/common/GetCredentialType", "alice@nowhere.test", 1, 1),
    ];
    for (path, username, exists, domain) in cases {
        let reply = ask(path, &json!({"username": username, "isOtherIdpSupported": true}).to_string()).await;
        assert_eq!((reply.status, &reply.json["IfExistsResult"]), (200, &json!(exists)), "{username}");
        assert_eq!((&reply.json["Username"], &reply.json["Display"]), (&json!(username), &json!(username)));
        assert_eq!(reply.json["Credentials"]["PrefCredential"], 1);
        assert_eq!(reply.json["Credentials"]["HasPassword"], true);
        assert_eq!(reply.json["EstsProperties"]["DomainType"], domain);
        assert!(reply.json["apiCanary"].is_string());
    }
    assert_eq!(ask("/common/GetCredentialType", "x").await.code(), 9_002_313);
    assert_eq!(ask("/common/GetCredentialType", "{}").await.code(), 900_144);
    assert_eq!(ask("/nowhere.test/GetCredentialType", "{}").await.code(), 90002);
    assert_eq!(lab.get("/common/GetCredentialType").await.status, 405);
}
