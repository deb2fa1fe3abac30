//! Redeeming a code.

use jiff::SignedDuration;
use serde_json::json;

use super::clients::*;
use super::lab::*;

const V2: &str = "/lab.test/oauth2/v2.0/token";
const V1: &str = "/lab.test/oauth2/token";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Of RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

type Form = Vec<(&'static str, String)>;
/// A path, what to change in the form, and the refusal.
type Case<'a> = (&'a str, &'a [(&'static str, &'a str)], u64);

/// A code, by signing in at version 1 or 2.
async fn code(lab: &Lab, version: u8, changes: &[(&'static str, &str)]) -> String {
    let path = if version == 1 { "/lab.test/oauth2/authorize" } else { "/lab.test/oauth2/v2.0/authorize" };
    let target = authorize(path, &borrowed(&web_request(changes)));
    let reply = Browser::default().sign_in(lab, &target, "alice@lab.test").await;
    let start = changes.iter().find(|(name, _)| *name == "redirect_uri").map_or(WEB_BACK, |(_, uri)| uri);
    reply.back(&format!("{start}?")).get("code").unwrap().to_owned()
}

fn form(code: &str, changes: &[(&'static str, &str)]) -> Form {
    let mut form = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", WEB.to_string()),
        ("client_secret", SECRET.to_owned()),
        ("redirect_uri", WEB_BACK.to_owned()),
        ("code", code.to_owned()),
    ];
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        form.push((*name, (*value).to_owned()));
    }
    form
}

async fn redeem(lab: &Lab, path: &str, code: &str, changes: &[(&'static str, &str)]) -> Reply {
    lab.post(path, &borrowed(&form(code, changes))).await
}

#[tokio::test]
async fn a_code_is_good_once() {
    let lab = Lab::new();
    let code = code(&lab, 2, &[("nonce", "n-1"), ("client_info", "1")]).await;
    let reply = redeem(&lab, V2, &code, &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let claims = lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    assert_eq!((&claims["upn"], &claims["amr"]), (&json!("alice@lab.test"), &json!(["pwd"])));
    assert_eq!((&claims["appid"], &claims["appidacr"]), (&json!(WEB), &json!("1")));
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let id = lab.claims(&reply.json["id_token"], &issuer, &WEB.to_string()).await;
    assert_eq!(id["nonce"], "n-1");
    assert!(reply.json["client_info"].is_string());
    let again = redeem(&lab, V2, &code, &[]).await;
    assert_eq!((again.code(), &again.json["error"]), (54005, &json!("invalid_grant")));

    let refresh = reply.json["refresh_token"].as_str().unwrap();
    let renewal = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("code", "")];
    assert_eq!(redeem(&lab, V2, "", &renewal).await.status, 200);
}

#[tokio::test]
async fn version_1_names_the_resource_early_or_late() {
    let lab = Lab::new();
    let early = code(&lab, 1, &[("resource", RESOURCE), ("scope", "")]).await;
    let reply = redeem(&lab, V1, &early, &[]).await;
    assert_eq!((reply.status, &reply.json["resource"]), (200, &json!(RESOURCE)));
    assert!(reply.json["expires_in"].is_string() && reply.json["refresh_token"].is_string());
    lab.claims(&reply.json["id_token"], &v1_issuer(), &WEB.to_string()).await;
    let late = code(&lab, 1, &[("scope", "profile")]).await;
    assert_eq!(redeem(&lab, V1, &late, &[]).await.code(), 900_144);
    assert_eq!(redeem(&lab, V1, &late, &[("resource", RESOURCE)]).await.status, 200);
}

#[tokio::test]
async fn openid_alone_is_for_graph() {
    let lab = Lab::new();
    let old = code(&lab, 1, &[("scope", "openid")]).await;
    let reply = redeem(&lab, V1, &old, &[]).await;
    lab.claims(&reply.json["access_token"], &v1_issuer(), "https://graph.microsoft.com").await;
    let late = code(&lab, 1, &[("scope", "openid")]).await;
    let reply = redeem(&lab, V1, &late, &[("resource", RESOURCE)]).await;
    lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    // Who signs in without a browser must name it.
    let form = password_form("", BROKER);
    let form = [&form[..], &[("scope", "openid")]].concat();
    assert_eq!(lab.post(V1, &form).await.code(), 900_144);
    let code = code(&lab, 2, &[("scope", "openid profile")]).await;
    let reply = redeem(&lab, V2, &code, &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    assert!(reply.json["id_token"].is_string() && reply.json.get("refresh_token").is_none());
    lab.claims(&reply.json["access_token"], &v1_issuer(), "https://graph.microsoft.com").await;
}

#[tokio::test]
async fn words_about_the_user_do_not_change_the_resource() {
    let lab = Lab::new();
    let first = code(&lab, 2, &[]).await;
    let reply = redeem(&lab, V2, &first, &[("scope", "openid offline_access")]).await;
    lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    let second = code(&lab, 2, &[]).await;
    let reply = redeem(&lab, V2, &second, &[("scope", "https://v2/.default")]).await;
    assert_eq!(reply.status, 200);
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    lab.claims(&reply.json["access_token"], &issuer, &SERVER_V2.to_string()).await;
    assert!(reply.json["refresh_token"].is_string());
}

#[tokio::test]
async fn a_code_is_for_its_client_its_tenant_and_its_way_back() {
    let lab = Lab::new();
    let code = code(&lab, 2, &[]).await;
    let native = NATIVE.to_string();
    let refused: [Case<'_>; 9] = [
        ("/other.test/oauth2/v2.0/token", &[], 700_005),
        ("/nowhere.test/oauth2/v2.0/token", &[], 90002),
        (V2, &[("client_id", &native), ("client_secret", "")], 70000),
        (V2, &[("client_secret", "wrong")], 7_000_215),
        (V2, &[("client_secret", "")], 7_000_218),
        (V2, &[("redirect_uri", "https://web.test/other")], 500_112),
        (V2, &[("redirect_uri", "")], 900_144),
        (V2, &[("code", "0.Anonsense")], 70000),
        (V2, &[("code", "")], 900_144),
    ];
    for (path, changes, expected) in refused {
        assert_eq!(redeem(&lab, path, &code, changes).await.code(), expected, "{path} {changes:?}");
    }
    assert_eq!(redeem(&lab, "/common/oauth2/v2.0/token", &code, &[]).await.status, 200);
}

#[tokio::test]
async fn a_code_ends() {
    let lab = Lab::new();
    let early = code(&lab, 2, &[]).await;
    let late = code(&lab, 2, &[]).await;
    lab.clock.advance(SignedDuration::from_secs(599)).await;
    assert_eq!(redeem(&lab, V2, &early, &[]).await.status, 200);
    lab.clock.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(redeem(&lab, V2, &late, &[]).await.code(), 70008);
    assert_eq!(redeem(&lab, V2, &early, &[]).await.code(), 54005);
}

#[tokio::test]
async fn a_challenge_must_be_met() {
    let lab = Lab::new();
    let native = NATIVE.to_string();
    let back = "http://localhost:50123";
    let public = [("client_id", native.as_str()), ("redirect_uri", back)];
    let at_token = |verifier: &'static str| {
        [&public[..], &[("client_secret", ""), ("code_verifier", verifier)]].concat()
    };
    for (method, challenge) in [("S256", CHALLENGE), ("plain", VERIFIER), ("", VERIFIER)] {
        let challenge = [("code_challenge", challenge), ("code_challenge_method", method)];
        let code = code(&lab, 2, &[&public[..], &challenge].concat()).await;
        assert_eq!(redeem(&lab, V2, &code, &at_token("")).await.code(), 50148);
        assert_eq!(redeem(&lab, V2, &code, &at_token("short")).await.code(), 501_481);
        let other = "aBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(redeem(&lab, V2, &code, &at_token(other)).await.code(), 501_481);
        assert_eq!(redeem(&lab, V2, &code, &at_token(VERIFIER)).await.status, 200);
    }
    // The challenge itself is no verifier.
    let challenge = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let code_ = code(&lab, 2, &[&public[..], &challenge].concat()).await;
    assert_eq!(redeem(&lab, V2, &code_, &at_token(CHALLENGE)).await.code(), 501_481);
    // Nor may a challenge have been lost.
    let bare = code(&lab, 2, &public).await;
    assert_eq!(redeem(&lab, V2, &bare, &at_token(VERIFIER)).await.code(), 501_481);
    assert_eq!(redeem(&lab, V2, &bare, &at_token("")).await.status, 200);
}

#[tokio::test]
async fn the_only_redirect_uri_need_not_be_named() {
    let mut config = config();
    config.apps.iter_mut().filter(|app| app.app_id == WEB).for_each(|app| app.redirect_uris.truncate(1));
    let lab = Lab::with(&config);
    let target =
        authorize("/lab.test/oauth2/v2.0/authorize", &borrowed(&web_request(&[("redirect_uri", "")])));
    let reply = Browser::default().sign_in(&lab, &target, "alice@lab.test").await;
    let code = reply.back("https://web.test/back?").get("code").unwrap().to_owned();
    assert_eq!(redeem(&lab, V2, &code, &[("redirect_uri", "")]).await.status, 200);
}

#[tokio::test]
async fn what_changed_since_the_sign_in_counts() {
    let lab = Lab::new();
    let code = code(&lab, 2, &[]).await;
    lab.aad.unregister_app(SERVER).unwrap();
    assert_eq!(redeem(&lab, V2, &code, &[]).await.code(), 500_011);
}
