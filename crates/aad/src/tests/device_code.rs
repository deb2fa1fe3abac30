//! Devices without a browser.

use cmglab_events::kinds::AadEvent;
use jiff::SignedDuration;
use serde_json::json;

use super::clients::*;
use super::lab::*;
use crate::AadError;

const V2: &str = "/lab.test/oauth2/v2.0/token";
const PAGE: &str = "/common/oauth2/deviceauth";

/// A device that waits.
struct Waiting {
    device_code: String,
    user_code: String,
}

async fn start(lab: &Lab, path: &str, version: u8) -> Waiting {
    let client = NATIVE.to_string();
    let scope = format!("{RESOURCE}/.default openid offline_access");
    let form = [("client_id", client.as_str()), ("scope", scope.as_str()), ("resource", RESOURCE)];
    let form = if version == 2 { &form[..2] } else { &form[..] };
    let reply = lab.post(path, form).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let text = |name: &str| reply.json[name].as_str().unwrap().to_owned();
    let page = format!("https://login.microsoftonline.com{PAGE}");
    assert_eq!((text("verification_uri"), text("verification_url")), (page.clone(), page));
    assert!(text("message").contains(&text("user_code")) && text("user_code").len() == 9);
    let seconds = if version == 2 { (json!(900), json!(5)) } else { (json!("900"), json!("5")) };
    assert_eq!((reply.json["expires_in"].clone(), reply.json["interval"].clone()), seconds);
    Waiting { device_code: text("device_code"), user_code: text("user_code") }
}

async fn waiting(lab: &Lab) -> Waiting {
    start(lab, "/lab.test/oauth2/v2.0/devicecode", 2).await
}

async fn poll(lab: &Lab, path: &str, codes: &[(&str, &str)]) -> Reply {
    let client = NATIVE.to_string();
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    lab.post(path, &[&[grant, ("client_id", client.as_str())], codes].concat()).await
}

impl Waiting {
    async fn poll(&self, lab: &Lab) -> Reply {
        poll(lab, V2, &[("device_code", &self.device_code)]).await
    }

    async fn enter(&self, lab: &Lab, username: &str, password: &str, action: &str) -> Reply {
        let form = [
            ("user_code", self.user_code.as_str()),
            ("login", username),
            ("passwd", password),
            ("action", action),
        ];
        lab.post(PAGE, &form).await
    }
}

fn refused(reply: &Reply, error: &str, code: u64) {
    assert_eq!((reply.status, reply.code(), &reply.json["error"]), (400, code, &json!(error)));
}

#[tokio::test]
async fn a_device_waits_for_its_user_and_gets_tokens_once() {
    let lab = Lab::new();
    let device = waiting(&lab).await;
    refused(&device.poll(&lab).await, "authorization_pending", 70016);
    let page = lab.get(&format!("{PAGE}?user_code={}", device.user_code)).await;
    assert!(page.text.contains(&format!("value=\"{}\"", device.user_code)));
    let typed = device.user_code.to_lowercase();
    let typed = format!("{} - {}", &typed[..4], &typed[4..]);
    let form = [("user_code", typed.as_str()), ("login", "alice@lab.test"), ("passwd", PASSWORD)];
    assert!(lab.post(PAGE, &form).await.text.contains("The device is signed in."));
    let reply = device.poll(&lab).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let claims = lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    assert_eq!(
        (&claims["oid"], &claims["amr"], &claims["appid"]),
        (&json!(ALICE), &json!(["pwd"]), &json!(NATIVE))
    );
    assert!(reply.json["refresh_token"].is_string() && reply.json["id_token"].is_string());
    refused(&device.poll(&lab).await, "invalid_grant", 54005);
    // Nor can it be approved again.
    assert_eq!(lab.post(PAGE, &form).await.text.matches("AADSTS70018").count(), 1);
}

#[tokio::test]
async fn clients_spell_the_grant_in_many_ways() {
    let lab = Lab::new();
    let client = NATIVE.to_string();
    for (path, version) in
        [("/lab.test/oauth2/devicecode?api-version=1.0", 1), ("/common/oauth2/v2.0/devicecode", 2)]
    {
        for grant in ["device_code", "urn:ietf:params:oauth:grant-type:device_code"] {
            let device = start(&lab, path, version).await;
            lab.aad.approve_device_code(&device.user_code, "alice@lab.test").unwrap();
            let code = device.device_code.as_str();
            let both = [
                ("grant_type", grant),
                ("client_id", client.as_str()),
                ("code", code),
                ("device_code", code),
            ];
            let path = if version == 1 { "/lab.test/oauth2/token" } else { "/common/oauth2/v2.0/token" };
            let codes = if version == 1 { &both[..3] } else { &both[..] };
            let reply = lab.post(path, codes).await;
            assert_eq!(reply.status, 200, "{}", reply.json);
            assert_eq!(reply.json["expires_in"].is_string(), version == 1);
            assert!(reply.json["id_token"].is_string());
        }
    }
    let device = waiting(&lab).await;
    let code = device.device_code.as_str();
    refused(&poll(&lab, V2, &[("code", code), ("device_code", "x")]).await, "invalid_request", 9_002_313);
    refused(&poll(&lab, V2, &[]).await, "invalid_request", 900_144);
    refused(&poll(&lab, V2, &[("code", code), ("device_code", code)]).await, "authorization_pending", 70016);
}

#[tokio::test]
async fn what_is_declined_expired_or_unknown_is_refused() {
    let lab = Lab::new();
    let by_page = waiting(&lab).await;
    assert!(by_page.enter(&lab, "", "", "decline").await.text.contains("not signed in"));
    refused(&by_page.poll(&lab).await, "authorization_declined", 70017);
    let by_hand = waiting(&lab).await;
    lab.aad.decline_device_code(&by_hand.user_code).unwrap();
    refused(&by_hand.poll(&lab).await, "authorization_declined", 70017);
    refused(&poll(&lab, V2, &[("device_code", "CAQABAAEnonsense")]).await, "bad_verification_code", 70018);

    let late = waiting(&lab).await;
    let in_time = waiting(&lab).await;
    lab.clock.advance(SignedDuration::from_secs(899)).await;
    lab.aad.approve_device_code(&in_time.user_code, "alice@lab.test").unwrap();
    assert_eq!(in_time.poll(&lab).await.status, 200);
    lab.clock.advance(SignedDuration::from_secs(1)).await;
    refused(&late.poll(&lab).await, "expired_token", 70020);
    let page = late.enter(&lab, "alice@lab.test", PASSWORD, "approve").await;
    assert!(page.text.contains("AADSTS70019"));
    assert!(lab.aad.device_codes().is_empty());
    let gone = AadError::UnknownDeviceCode(late.user_code.clone());
    assert_eq!(lab.aad.approve_device_code(&late.user_code, "alice@lab.test"), Err(gone));
}

#[tokio::test]
async fn the_page_checks_who_signs_in() {
    let lab = Lab::new();
    let device = waiting(&lab).await;
    for (username, password, code) in [
        ("alice@lab.test", "wrong", 50126),
        ("nobody@lab.test", PASSWORD, 50034),
        ("bob@lab.test", PASSWORD, 50057),
        ("carol@other.test", PASSWORD, 700_005),
        ("\"><script>alert(1)</script>", "x", 50034),
        ("", PASSWORD, 900_144),
    ] {
        let page = device.enter(&lab, username, password, "approve").await;
        assert!(page.text.contains(&format!("role=\"alert\">AADSTS{code}: ")), "{}", page.text);
        assert!(!page.text.contains("<script>"), "{}", page.text);
        refused(&device.poll(&lab).await, "authorization_pending", 70016);
    }
    let nobodys = [("user_code", "\"><script>"), ("login", "alice@lab.test"), ("passwd", PASSWORD)];
    let page = lab.post(PAGE, &nobodys).await;
    assert!(page.text.contains("AADSTS70018: ") && !page.text.contains("<script>"));
    assert!(device.enter(&lab, "alice@lab.test", PASSWORD, "approve").await.text.contains("is signed in"));
    assert_eq!(device.poll(&lab).await.status, 200);
    assert_eq!(lab.get("/nowhere.test/oauth2/deviceauth").await.code(), 90002);
}

#[tokio::test]
async fn a_code_keeps_to_its_client_and_its_tenant() {
    let lab = Lab::new();
    let device = waiting(&lab).await;
    let code = [("device_code", device.device_code.as_str())];
    refused(&poll(&lab, "/other.test/oauth2/v2.0/token", &code).await, "invalid_grant", 700_005);
    let web = WEB.to_string();
    let foreign = [("grant_type", "device_code"), ("client_id", web.as_str()), code[0]];
    refused(&lab.post(V2, &foreign).await, "invalid_grant", 70000);
    let wrong_tenant = lab.aad.approve_device_code(&device.user_code, "carol@other.test");
    assert!(matches!(wrong_tenant, Err(AadError::Invalid { what: "user", .. })));

    // At common any tenant will do that has the application.
    let anyones = start(&lab, "/common/oauth2/v2.0/devicecode", 2).await;
    let code = [("device_code", anyones.device_code.as_str())];
    assert!(lab.aad.approve_device_code(&anyones.user_code, "carol@other.test").is_err());
    refused(&poll(&lab, "/nowhere.test/oauth2/token", &code).await, "invalid_request", 90002);
    lab.aad.approve_device_code(&anyones.user_code, "alice@lab.test").unwrap();
    refused(&poll(&lab, "/other.test/oauth2/v2.0/token", &code).await, "invalid_grant", 700_005);
    assert_eq!(poll(&lab, "/common/oauth2/v2.0/token", &code).await.status, 200);
}

#[tokio::test]
async fn waiting_devices_can_be_seen_and_settled() {
    let lab = Lab::new();
    let (one, two) = (waiting(&lab).await, start(&lab, "/common/oauth2/v2.0/devicecode", 2).await);
    let mut pending = lab.aad.device_codes();
    pending.sort_by_key(|code| code.tenant.is_none());
    assert_eq!(
        (pending.len(), &pending[0].user_code, &pending[1].user_code),
        (2, &one.user_code, &two.user_code)
    );
    assert_eq!((pending[0].client, pending[0].tenant, pending[1].tenant), (NATIVE, Some(TENANT), None));
    assert_eq!(pending[0].expires, now() + SignedDuration::from_secs(900));
    let unknown = lab.aad.approve_device_code(&one.user_code, "nobody@lab.test");
    assert_eq!(unknown, Err(AadError::UnknownUser("nobody@lab.test".to_owned())));
    let none = AadError::UnknownDeviceCode("XXXX".to_owned());
    assert_eq!(lab.aad.decline_device_code("XXXX"), Err(none));
    lab.aad.approve_device_code(&one.user_code, "alice@lab.test").unwrap();
    lab.aad.decline_device_code(&two.user_code).unwrap();
    assert!(lab.aad.device_codes().is_empty());
}

#[tokio::test]
async fn a_device_code_is_not_given_to_everyone() {
    let lab = Lab::new();
    let (native, other) = (NATIVE.to_string(), OTHER_WEB.to_string());
    let path = "/lab.test/oauth2/v2.0/devicecode";
    let scope = ("scope", "https://x/.default https://y/.default");
    for (path, form, code) in [
        (path, vec![("scope", "openid")], 900_144),
        (path, vec![("client_id", native.as_str())], 900_144),
        (path, vec![("client_id", native.as_str()), scope], 70011),
        (path, vec![("client_id", other.as_str()), ("scope", "openid")], 700_016),
        ("/nowhere.test/oauth2/devicecode", vec![("client_id", native.as_str())], 90002),
    ] {
        assert_eq!(lab.post(path, &form).await.code(), code, "{form:?}");
    }
    assert_eq!(lab.get(path).await.status, 405);
}

#[tokio::test]
async fn an_approval_ends_with_the_sessions_of_its_user() {
    let lab = Lab::new();
    let (early, late) = (waiting(&lab).await, waiting(&lab).await);
    lab.aad.approve_device_code(&early.user_code, "alice@lab.test").unwrap();
    lab.aad.revoke_sessions("alice@lab.test").unwrap();
    lab.aad.approve_device_code(&late.user_code, "alice@lab.test").unwrap();
    refused(&early.poll(&lab).await, "invalid_grant", 50173);
    assert_eq!(late.poll(&lab).await.status, 200);
}

#[tokio::test]
async fn it_is_told_how_a_code_was_settled() {
    let lab = Lab::new();
    let alice = Some(ALICE.into());
    let codes = [waiting(&lab).await, waiting(&lab).await, waiting(&lab).await, waiting(&lab).await];
    lab.aad.approve_device_code(&codes[0].user_code.to_lowercase(), "alice@lab.test").unwrap();
    lab.aad.decline_device_code(&codes[1].user_code).unwrap();
    codes[2].enter(&lab, "alice@lab.test", PASSWORD, "approve").await;
    codes[3].enter(&lab, "", "", "decline").await;
    // What settles nothing is not told.
    codes[3].enter(&lab, "alice@lab.test", PASSWORD, "approve").await;
    let told = lab.aad_events().into_iter().filter_map(|event| match event {
        AadEvent::DeviceCodeSettled { user_code, approved, user } => Some((user_code, approved, user)),
        _ => None,
    });
    let expected = [alice, None, alice, None];
    let expected = codes.into_iter().zip(expected).map(|(code, user)| (code.user_code, user.is_some(), user));
    assert_eq!(told.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}
