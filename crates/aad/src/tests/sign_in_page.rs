//! The sign-in page: what clients read from it, whose it is, and how often it is good; and what a request says
//! of the age of a sign-in.

use http::Request;
use jiff::SignedDuration;
use serde_json::json;

use super::clients::*;
use super::lab::*;

const V2: &str = "/lab.test/oauth2/v2.0/authorize";
const LOGIN: &str = "/lab.test/login";
const ALICE_UPN: &str = "alice@lab.test";

fn target(changes: &[(&'static str, &str)]) -> String {
    authorize(V2, &borrowed(&web_request(changes)))
}

fn credentials(context: &str) -> [(&'static str, &str); 3] {
    [("ctx", context), ("login", ALICE_UPN), ("passwd", PASSWORD)]
}

#[tokio::test]
async fn pages_have_what_clients_cannot_do_without() {
    let lab = Lab::new();
    for (target, page) in
        [(target(&[]), "ConvergedSignIn"), (target(&[("client_id", "x")]), "ConvergedError")]
    {
        let config = page_config(&lab.get(&target).await.text);
        assert_eq!(config["pgid"], page);
        for name in ["canary", "sFT", "sessionId"] {
            assert!(config[name].as_str().is_some_and(|text| text.len() > 30), "{name}");
        }
        assert_ne!(config["canary"], config["sFT"]);
    }
}

#[tokio::test]
async fn a_page_is_good_in_its_browser_only() {
    let lab = Lab::new();
    let (mut browser, mut other) = (Browser::default(), Browser::default());
    let context = input(&browser.get(&lab, &target(&[])).await.text, "ctx");
    let reply = lab.post(LOGIN, &credentials(&context)).await;
    assert_eq!((reply.status, reply.code()), (200, 165_000));
    other.get(&lab, &target(&[])).await;
    assert_eq!(other.post(&lab, LOGIN, &credentials(&context)).await.code(), 165_000);
    assert!(other.cookie.is_none() && other.context != browser.context);
    assert_eq!(browser.post(&lab, LOGIN, &credentials(&context)).await.status, 302);
}

#[tokio::test]
async fn a_browser_may_have_two_pages_open() {
    let lab = Lab::new();
    let mut browser = Browser::default();
    let first = input(&browser.get(&lab, &target(&[])).await.text, "ctx");
    let known = browser.context.clone();
    let second = input(&browser.get(&lab, &target(&[])).await.text, "ctx");
    assert_eq!(browser.context, known);
    for context in [second, first] {
        assert_eq!(browser.post(&lab, LOGIN, &credentials(&context)).await.status, 302);
    }
}

#[tokio::test]
async fn a_page_is_good_until_somebody_has_signed_in() {
    let lab = Lab::new();
    let mut browser = Browser::default();
    let context = input(&browser.get(&lab, &target(&[])).await.text, "ctx");
    let wrong = [("ctx", context.as_str()), ("login", ALICE_UPN), ("passwd", "wrong")];
    assert_eq!(browser.post(&lab, LOGIN, &wrong).await.code(), 50126);
    assert_eq!(browser.post(&lab, LOGIN, &credentials(&context)).await.status, 302);
    assert_eq!(browser.post(&lab, LOGIN, &credentials(&context)).await.code(), 50089);
}

#[tokio::test]
async fn a_malformed_request_ends_on_a_page_too() {
    let lab = Lab::new();
    for path in [V2, LOGIN, "/lab.test/oauth2/logout"] {
        let reply = lab.post(path, &[("client_id", "x"), ("client_id", "y")]).await;
        assert_eq!((reply.status, reply.code()), (200, 9_000_411), "{path}");
        assert_eq!(page_config(&reply.text)["pgid"], "ConvergedError");
    }
    // What no handler sees is not shown by one.
    assert_eq!(lab.get(&format!("{V2}?a=1&a=2")).await.status, 400);
}

#[tokio::test]
async fn an_access_token_is_not_built_here() {
    let lab = Lab::new();
    let of = |kinds| target(&[("response_type", kinds), ("nonce", "n")]);
    for kinds in ["token", "id_token token", "token code", "code id_token token"] {
        let reply = lab.get(&of(kinds)).await;
        assert_eq!((reply.status, &reply.json["error"]), (501, &json!("not_built")), "{kinds}");
        assert!(reply.json["error_description"].as_str().unwrap().contains("token'"));
    }
    assert_eq!(lab.get(&of("code id_token")).await.status, 200);
}

#[tokio::test]
async fn an_old_session_is_not_good_for_who_wants_a_young_one() {
    let lab = Lab::new();
    let mut browser = Browser::default();
    browser.sign_in(&lab, &target(&[]), ALICE_UPN).await;
    lab.clock.advance(SignedDuration::from_secs(60)).await;
    for (max_age, status) in [("", 302), ("60", 302), ("59", 200), ("0", 200)] {
        assert_eq!(browser.get(&lab, &target(&[("max_age", max_age)])).await.status, status, "{max_age}");
    }
    let silent = browser.get(&lab, &target(&[("max_age", "59"), ("prompt", "none")])).await;
    assert_eq!(silent.back("https://web.test/back?").get("error"), Some("login_required"));
    for nonsense in ["-1", "soon", "99999999999"] {
        let back = browser.get(&lab, &target(&[("max_age", nonsense)])).await.back("https://web.test/back?");
        assert_eq!(back.get("error"), Some("invalid_request"), "{nonsense}");
    }
}

#[tokio::test]
async fn id_tokens_say_what_was_asked() {
    let lab = Lab::new();
    let web = WEB.to_string();
    let scope = format!("{RESOURCE}/.default openid");
    let with_email = format!("{scope} email");
    let claims = r#"{"id_token":{"auth_time":{"essential":true}}}"#;
    let of_token = r#"{"access_token":{"auth_time":null}}"#;
    type Changes<'a> = &'a [(&'static str, &'a str)];
    let cases: [(Changes<'_>, bool, bool); 5] = [
        (&[("scope", &scope)], false, false),
        (&[("scope", &with_email)], true, false),
        (&[("scope", &scope), ("max_age", "60")], false, true),
        (&[("scope", &scope), ("claims", claims)], false, true),
        (&[("scope", &scope), ("claims", of_token)], false, false),
    ];
    for (changes, email, auth_time) in cases {
        let check = |id_token: &str| {
            let (_, claims) = cmglab_token::peek(id_token).unwrap();
            assert_eq!(claims.get("email"), email.then_some(&json!("alice@lab.test")), "{changes:?}");
            assert_eq!(
                claims.get("auth_time"),
                auth_time.then_some(&json!(now().as_second())),
                "{changes:?}"
            );
        };
        let hybrid = [changes, &[("response_type", "code id_token"), ("nonce", "n")]].concat();
        let reply = Browser::default().sign_in(&lab, &target(&hybrid), ALICE_UPN).await;
        check(reply.back("https://web.test/back#").get("id_token").unwrap());
        let reply = Browser::default().sign_in(&lab, &target(changes), ALICE_UPN).await;
        let back = reply.back("https://web.test/back?");
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &*web),
            ("client_secret", SECRET),
            ("redirect_uri", WEB_BACK),
            ("code", back.get("code").unwrap()),
        ];
        let reply = lab.post("/lab.test/oauth2/v2.0/token", &form).await;
        check(reply.json["id_token"].as_str().unwrap());
    }
}

/// Some browsers and HTTP/2 clients write a line for each.
#[tokio::test]
async fn cookies_may_be_on_several_lines() {
    let lab = Lab::new();
    let mut browser = Browser::default();
    browser.sign_in(&lab, &target(&[]), ALICE_UPN).await;
    let session = browser.cookie.unwrap();
    for lines in [vec![&*session], vec!["a=b", &session], vec!["a=b; c=d", "e=f", &session]] {
        let request =
            lines.iter().fold(Request::get(target(&[])), |request, line| request.header("cookie", *line));
        assert_eq!(lab.send(request.body(axum::body::Body::empty()).unwrap()).await.status, 302, "{lines:?}");
    }
    let other = Request::get(target(&[])).header("cookie", format!("x{session}"));
    assert_eq!(lab.send(other.body(axum::body::Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn microsofts_own_clients_have_their_redirect_uris() {
    let broker = |id: &str| format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{id}");
    let (cli, registration) =
        ("04b07795-8ddb-461a-bbee-02f9e1bf7b46", "dd762716-544d-4aeb-a526-687b73838a22");
    let (linux, oob) = ("b743a22d-6705-4147-8670-d92fa515ee2b", "urn:ietf:wg:oauth:2.0:oob");
    let (shell, old_shell) = ("1950a258-227b-4e31-a9cf-717495945fc2", "1b730954-1685-4b74-9bfd-dac224a7b894");
    let good = [
        (cli, broker(cli)),
        (shell, broker(shell)),
        (shell, oob.to_owned()),
        (old_shell, oob.to_owned()),
        (BROKER, "ms-aadj-redir://auth/drs".to_owned()),
        (BROKER, broker("DRS")),
        (BROKER, broker("DRSFF")),
        (BROKER, oob.to_owned()),
        (linux, "companyportal://com.microsoft.CompanyPortal".to_owned()),
        (linux, broker(linux)),
        (registration, broker(registration)),
        (registration, broker("DRS")),
        (registration, "ms-aadj-redir://auth/drs".to_owned()),
        (registration, oob.to_owned()),
    ];
    let lab = Lab::new();
    let shown = async |client: &str, uri: &str| {
        let changes = [("client_id", client), ("redirect_uri", uri), ("scope", "openid")];
        page_config(&lab.get(&target(&changes)).await.text)["pgid"].clone()
    };
    for (client, uri) in good {
        assert_eq!(shown(client, &uri).await, "ConvergedSignIn", "{client} {uri}");
        assert_eq!(shown(client, &format!("{uri}x")).await, "ConvergedError", "{client} {uri}");
    }
}
