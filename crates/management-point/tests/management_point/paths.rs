//! Paths that are not built, closed, or unknown.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use cmglab_events::kinds::CertificateVerdict;
use cmglab_net::{MESSAGE_HEADER, Peer};
use http::{HeaderName, Request, StatusCode};
use tower::ServiceExt as _;

use crate::lab::{Ask, Lab};

#[tokio::test]
async fn paths_for_certificates_want_one_and_are_not_built() {
    let lab = Lab::new().await;
    for path in ["/SMS_MP/.sms_aut?MPLIST", "/ccm_system/request", "/CCM_Incoming/upload", "/sms_mp"] {
        let answer = lab.send(Ask::get(path)).await;
        assert_eq!(answer.line(), (403, 7, "Client certificate required"), "{path}");
        assert_eq!(answer.text(), "403.7 Client certificate required\n");
        assert_eq!(lab.refusal(), (403, 7, "Client certificate required".to_owned()));

        let answer = lab.send(Ask::get(path).certificate(CertificateVerdict::Valid)).await;
        assert_eq!(answer.line(), (501, 0, "Not Implemented"), "{path}");
        assert!(answer.text().ends_with(" is not part of this lab\n"), "{}", answer.text());
    }
}

#[tokio::test]
async fn an_upload_is_refused_unread() {
    let lab = Lab::new().await;
    let polled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&polled);
    // Without an end: whoever reads it never answers.
    let endless = std::iter::repeat_with(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::convert::Infallible>(bytes::Bytes::from_static(&[0; 4096]))
    });
    let body = Body::from_stream(futures_util::stream::iter(endless));
    let mut request =
        Request::builder().method("BITS_POST").uri("/CCM_Incoming/%7B1%7D/a.xml").body(body).unwrap();
    request.extensions_mut().insert(Peer {
        address: "127.0.0.1:40000".parse().unwrap(),
        chain: Arc::default(),
        verdict: CertificateVerdict::Valid,
    });
    let response = lab.mp.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(polled.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_a_real_server_has_besides_names_its_gap() {
    let lab = Lab::new().await;
    for path in [
        "/ccm_system_windowsauth/request",
        "/CCM_System_AltAuth/request",
        "/BGB/x",
        "/SMS_MP_AltAuth/.sms_pol",
    ] {
        let answer = lab.send(Ask::get(path)).await;
        assert_eq!(answer.line(), (501, 0, "Not Implemented"), "{path}");
        assert_eq!(lab.refusal().0, 501);
    }
}

#[tokio::test]
async fn anything_else_is_not_found() {
    let lab = Lab::new().await;
    for path in ["/", "/favicon.ico", "/CCM_STS/more", "/ccm_system_tokenauth", "/CCM%5fSTS"] {
        let answer = lab.send(Ask::get(path)).await;
        assert_eq!(answer.line(), (404, 0, "Not Found"), "{path}");
        assert_eq!(lab.refusal(), (404, 0, "Not Found".to_owned()));
    }
}

#[tokio::test]
async fn a_caller_that_nobody_judged_is_refused() {
    let lab = Lab::new().await;
    let request = Request::get("/CCM_STS").body(Body::empty()).unwrap();
    let response = lab.mp.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn the_message_id_is_carried_and_decides_nothing() {
    let lab = Lab::new().await;
    let header = HeaderName::from_static(MESSAGE_HEADER);
    let id = "3087bd34-b82c-4950-b972-e82bb0fb8385";
    // Believed of a caller with a certificate alone, as the connection point has one.
    for (value, certificate, told) in [
        (id, CertificateVerdict::Valid, Some(id.parse().unwrap())),
        (id, CertificateVerdict::Absent, None),
        ("not a guid", CertificateVerdict::Valid, None),
    ] {
        let ask = Ask::get("/nothing").header(header.clone(), value).certificate(certificate);
        assert_eq!(lab.send(ask).await.status, 404);
        assert_eq!(lab.events.snapshot().last().unwrap().message, told, "{value} {certificate:?}");
    }
}
