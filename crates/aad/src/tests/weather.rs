//! Throttling, outages and loops.

use cmglab_events::Kind;
use cmglab_events::kinds::LabEvent;
use cmglab_fault::{Point, Rule, Verdict, When};
use serde_json::json;

use super::lab::{BROKER, DRS, Lab, config, password_form};
use crate::LoopLimit;

fn rule(containing: &str, when: When, verdict: Verdict) -> Rule {
    Rule { at: Point::AzureAd, containing: containing.to_owned(), when, verdict }
}

#[tokio::test]
async fn a_throttled_service_says_when_to_come_back() {
    let lab = Lab::new();
    let throttle = Verdict::Throttle { retry_after: 30 };
    let _guard = lab.faults.install(rule(" password ", When::First(1), throttle));
    let form = password_form(DRS, BROKER);
    // Another grant is not meant.
    lab.nonce().await;
    let reply = lab.post("/lab.test/oauth2/token", &form).await;
    assert_eq!((reply.status, &reply.json["error"]), (429, &json!("temporarily_unavailable")));
    assert_eq!(
        (&reply.json["error_codes"], reply.headers["retry-after"].to_str().unwrap()),
        (&json!([90055]), "30")
    );
    assert_eq!(lab.post("/lab.test/oauth2/token", &form).await.status, 200);
}

#[tokio::test]
async fn an_outage_is_a_503() {
    let lab = Lab::new();
    let guard = lab.faults.install(rule("", When::Always, Verdict::Outage { retry_after: 5 }));
    let reply = lab.get("/common/.well-known/openid-configuration").await;
    assert_eq!((reply.status, &reply.json["error_codes"]), (503, &json!([90033])));
    let applied = LabEvent::FaultApplied { point: "azure-ad".to_owned(), verdict: "outage".to_owned() };
    assert!(lab.events.snapshot().iter().any(|event| event.kind == Kind::Lab(applied.clone())));
    // A page in a browser must be able to read that, and the time to wait.
    assert_eq!(reply.headers["access-control-allow-origin"], "*");
    assert!(reply.headers.contains_key("strict-transport-security"));
    drop(guard);
    assert_eq!(lab.get("/common/.well-known/openid-configuration").await.status, 200);
}

#[tokio::test]
async fn device_registration_is_busy_in_its_own_words() {
    let lab = Lab::new();
    let throttle = Verdict::Throttle { retry_after: 300 };
    let _guard = lab.faults.install(rule("/enrollmentserver/device", When::Always, throttle));
    let reply = lab.join_with("token", &super::lab::join_body(0)).await;
    assert_eq!((reply.status, reply.headers["retry-after"].to_str().unwrap()), (503, "300"));
    let text = "Your request is throttled temporarily. Please try after 300 seconds.";
    assert_eq!(reply.json["Message"], json!(text));
}

#[tokio::test]
async fn the_very_same_request_too_often_is_a_loop() {
    let mut config = config();
    config.loop_limit = Some(LoopLimit { requests: 2, seconds: 300 });
    let lab = Lab::with(&config);
    let form = password_form(DRS, BROKER);
    for status in [200, 200, 400] {
        let reply = lab.post("/lab.test/oauth2/token", &form).await;
        assert_eq!(reply.status, status, "{}", reply.json);
    }
    assert_eq!(lab.post("/lab.test/oauth2/token", &form).await.json["error_codes"], json!([50196]));
    let other = [&form[..], &[("x", "1")]].concat();
    assert_eq!(lab.post("/lab.test/oauth2/token", &other).await.status, 200);
    lab.clock.advance(jiff::SignedDuration::from_mins(5)).await;
    assert_eq!(lab.post("/lab.test/oauth2/token", &form).await.status, 200);
}
