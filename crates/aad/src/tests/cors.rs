//! Which pages of other origins may read an answer.

use axum::body::Body;
use http::{Method, Request};

use super::lab::*;

const TOKEN: &str = "/lab.test/oauth2/v2.0/token";

async fn allowed(lab: &Lab, method: Method, path: &str, origin: &str) -> (u16, Option<String>) {
    let request = Request::builder().method(method).uri(path).header("origin", origin);
    let reply = lab.send(request.body(Body::empty()).unwrap()).await;
    let allowed = reply.headers.get("access-control-allow-origin");
    (reply.status, allowed.map(|origin| origin.to_str().unwrap().to_owned()))
}

#[tokio::test]
async fn anybody_may_read_what_is_public() {
    let lab = Lab::new();
    let any = |status| (status, Some("*".to_owned()));
    for path in [
        "/common/discovery/keys",
        "/lab.test/discovery/v2.0/keys",
        "/lab.test/.well-known/openid-configuration",
        "/lab.test/v2.0/.well-known/openid-configuration",
    ] {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(allowed(&lab, method, path, "https://anyone.test").await, any(200), "{path}");
        }
    }
    assert_eq!(allowed(&lab, Method::GET, "/common/discovery/instance", "https://x.test").await, any(400));
    let closed = "/lab.test/userrealm/alice@lab.test";
    assert_eq!(allowed(&lab, Method::GET, closed, "https://anyone.test").await, (200, None));
}

#[tokio::test]
async fn tokens_go_to_origins_of_redirect_uris() {
    let lab = Lab::new();
    for origin in ["https://web.test", "https://web.test:443", "http://localhost"] {
        let expected = Some(origin.to_owned());
        for path in [TOKEN, "/common/oauth2/token"] {
            assert_eq!(allowed(&lab, Method::OPTIONS, path, origin).await, (200, expected.clone()));
            // What is refused can be read too.
            assert_eq!(allowed(&lab, Method::POST, path, origin).await, (400, expected.clone()));
        }
    }
    let strangers = [
        "https://evil.test",
        "http://web.test",
        "https://web.test:444",
        "https://web.test.evil.test",
        "https://other.test",
        "null",
        "",
    ];
    for origin in strangers {
        assert_eq!(allowed(&lab, Method::OPTIONS, TOKEN, origin).await, (405, None), "{origin}");
        assert_eq!(allowed(&lab, Method::POST, TOKEN, origin).await, (400, None), "{origin}");
    }
    // Without a tenant, an application of any of them counts.
    let any = "/common/oauth2/token";
    assert_eq!(allowed(&lab, Method::OPTIONS, any, "https://other.test").await.0, 200);
}

#[tokio::test]
async fn a_preflight_says_what_may_be_sent() {
    let lab = Lab::new();
    let request = Request::builder().method(Method::OPTIONS).uri(TOKEN).header("origin", "https://web.test");
    let reply = lab.send(request.body(Body::empty()).unwrap()).await;
    let header = |name: &str| reply.headers[name].to_str().unwrap();
    assert_eq!(header("access-control-allow-methods"), "POST, OPTIONS");
    assert_eq!((header("access-control-allow-headers"), header("vary")), ("*", "Origin"));
    assert_eq!(reply.text, "");
}
