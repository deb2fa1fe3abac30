//! What all answers share: envelope, headers, limits, and what is not there.

use axum::body::Body;
use cmglab_events::kinds::AadEvent;
use http::{Method, Request};
use serde_json::{Value, json};

use super::lab::*;
use crate::answer::{Page, Reply};

const CALLER: &str = "0f1e2d3c-0000-4000-8000-00000000abcd";

#[tokio::test]
async fn errors_come_in_the_envelope() {
    let lab = Lab::new();
    let reply = lab.post("/lab.test/oauth2/token", &[("grant_type", "magic")]).await;
    assert_eq!(reply.status, 400);
    let (trace, correlation) = (&reply.json["trace_id"], &reply.json["correlation_id"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let expected = format!(
        "AADSTS70003: The app requested an unsupported grant type 'magic'. Trace ID: {} Correlation ID: {} \
         Timestamp: 2026-03-01 12:00:00Z",
        text(trace),
        text(correlation)
    );
    assert_eq!(reply.json["error"], "unsupported_grant_type");
    assert_eq!(reply.json["error_description"], json!(expected));
    assert_eq!(reply.json["error_codes"], json!([70003]));
    assert_eq!(reply.json["timestamp"], "2026-03-01 12:00:00Z");
    assert_eq!(reply.json["error_uri"], "https://login.microsoftonline.com/error?code=70003");
    assert_eq!(reply.headers["x-ms-request-id"], text(trace).as_str());
    let fixed = [
        ("cache-control", "no-store, no-cache"),
        ("pragma", "no-cache"),
        ("content-type", "application/json; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
    ];
    for (name, value) in fixed {
        assert_eq!(reply.headers[name], value);
    }
    assert!(reply.headers.contains_key("x-ms-ests-server") && reply.headers.contains_key("p3p"));
    assert!(!reply.headers.contains_key("client-request-id"));
}

#[tokio::test]
async fn the_callers_id_is_taken_over_and_sent_back_on_request() {
    let lab = Lab::new();
    let post = || Request::post("/common/oauth2/token");
    let form = encode(&[("grant_type", "magic")]);
    let by_header = post().header("client-request-id", CALLER).header("return-client-request-id", "true");
    let reply = lab.send(by_header.body(Body::from(form.clone())).unwrap()).await;
    assert_eq!(reply.json["correlation_id"], CALLER);
    assert_eq!(reply.headers["client-request-id"], CALLER);
    let by_query = Request::post(format!("/common/oauth2/token?client-request-id={CALLER}"));
    let reply = lab.send(by_query.body(Body::from(form.clone())).unwrap()).await;
    assert_eq!(reply.json["correlation_id"], CALLER);
    assert!(!reply.headers.contains_key("client-request-id"));
    let by_form = post().body(Body::from(format!("{form}&client-request-id={CALLER}"))).unwrap();
    assert_eq!(lab.send(by_form).await.json["correlation_id"], CALLER);
    let no_guid = post().header("client-request-id", "x").body(Body::from(form)).unwrap();
    assert_ne!(lab.send(no_guid).await.json["correlation_id"], "x");
}

#[tokio::test]
async fn limits_hold() {
    let lab = Lab::new();
    let body = |size: usize| {
        let form = encode(&[("grant_type", "magic")]) + "&x=";
        let padding = "x".repeat(size - form.len());
        Request::post("/common/oauth2/token").body(Body::from(form + &padding)).unwrap()
    };
    assert_eq!(lab.send(body(65_536)).await.json["error_codes"], json!([70003]));
    let reply = lab.send(body(65_537)).await;
    assert_eq!((reply.status, &reply.json["error_codes"]), (413, &json!([90013])));
    let query = |size: usize| format!("/common/discovery/keys?x={}", "x".repeat(size));
    assert_eq!(lab.get(&query(8000)).await.status, 200);
    assert_eq!(lab.get(&query(9000)).await.json["error_codes"], json!([90015]));
    let header = |size: usize| {
        let request = Request::get("/common/discovery/keys").header("x-long", "x".repeat(size));
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(lab.send(header(16_384)).await.status, 200);
    assert_eq!(lab.send(header(16_385)).await.status, 413);
    assert_eq!(lab.get(&"/a".repeat(9)).await.status, 404);
    assert_eq!(lab.post("/common/oauth2/token", &[]).await.json["error_codes"], json!([900_144]));
    let binary = Request::post("/common/oauth2/token").body(Body::from("a=%FF")).unwrap();
    assert_eq!(lab.send(binary).await.json["error_codes"], json!([9_002_313]));
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let lab = Lab::new();
    let grants =
        ["urn:ietf:params:oauth:grant-type:saml1_1-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer"];
    for grant in grants {
        let reply = lab.post("/common/oauth2/token", &[("grant_type", grant)]).await;
        assert_eq!((reply.status, &reply.json["error"]), (501, &json!("not_built")), "{grant}");
    }
    let bearer = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    for inner in ["urn:ietf:params:oauth:grant-type:saml1_1-bearer"] {
        let jws = signed(&Value::Null, device_key(), &json!({"grant_type": inner}));
        let reply = lab.post("/common/oauth2/token", &[bearer, ("request", &jws)]).await;
        assert_eq!(reply.status, 501, "{inner}");
    }
    let paths = [
        (Method::POST, "/lab.test/sidtoname"),
        (Method::GET, "/common/wsfed"),
        (Method::POST, "/lab.test/kerberos"),
        (Method::GET, "/common/saml2?SAMLRequest=x"),
        (Method::GET, "/lab.test/FederationMetadata/2007-06/FederationMetadata.xml"),
        (Method::GET, "/FederationMetadata/2007-06/FederationMetadata.xml"),
        (Method::GET, "/v1.0/me"),
        (Method::GET, "/beta/devices"),
        (Method::POST, "/EnrollmentServer/DeviceEnrollmentWebService.svc"),
    ];
    for (method, path) in paths {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_eq!(lab.send(request).await.status, 501, "{path}");
        assert!(matches!(lab.aad_events().pop(), Some(AadEvent::NotBuilt { .. })), "{path}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let lab = Lab::new();
    let request =
        |method: Method, path: &str| Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    for path in ["/common/discovery/keys", "/lab.test/userrealm/x@lab.test", "/common/oauth2/nativeclient"] {
        let head = lab.send(request(Method::HEAD, path)).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        assert!(!lab.get(path).await.text.is_empty());
    }
    assert_eq!(lab.send(request(Method::HEAD, "/common/oauth2/token")).await.status, 405);
}

#[tokio::test]
async fn a_parameter_stands_once() {
    let lab = Lab::new();
    let twice = [("grant_type", "srv_challenge"), ("grant_type", "srv_challenge")];
    assert_eq!(lab.post("/common/oauth2/token", &twice[..1]).await.status, 200);
    assert_eq!(lab.post("/common/oauth2/token", &twice).await.json["error_codes"], json!([9_000_411]));
    let keys = "/common/discovery/keys?a=1&";
    assert_eq!(lab.get(&format!("{keys}b=1")).await.status, 200);
    assert_eq!(lab.get(&format!("{keys}a=1")).await.json["error_codes"], json!([9_000_411]));
}

#[test]
fn answers_are_printed_without_what_they_hold() {
    let page = Page {
        status: 302,
        location: Some("https://x/?code=hunter2".to_owned()),
        html: "hunter2".to_owned(),
        headers: vec![(http::header::SET_COOKIE, "hunter2".to_owned())],
    };
    let all = [Reply::Page(page), Reply::Jose("hunter2".to_owned()), json!({"a": "hunter2"}).into()];
    let text = format!("{all:?}");
    assert!(!text.contains("hunter2") && text.contains("302"), "{text}");
}

#[tokio::test]
async fn what_is_not_there_is_json_too() {
    let lab = Lab::new();
    for path in ["/", "/common", "/common/oauth2/nothing", "/EnrollmentServer/nothing"] {
        let reply = lab.get(path).await;
        assert_eq!((reply.status, &reply.json["error"]), (404, &json!("not_found")), "{path}");
    }
    let reply = lab.get("/common/oauth2/token").await;
    assert_eq!((reply.status, reply.headers["allow"].to_str().unwrap()), (405, "POST"));
    let posted = lab.post("/common/discovery/keys", &[]).await;
    assert_eq!(posted.headers["allow"], "GET, HEAD");
    assert_eq!(lab.post("/common/discovery/keys", &[]).await.status, 405);
    for path in ["/EnrollmentServer/device/", "/EnrollmentServer/device/x", "/EnrollmentServer/key/"] {
        assert_eq!(lab.get(path).await.status, 405, "{path}");
    }
}
