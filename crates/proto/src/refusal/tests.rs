use proptest::prelude::*;

use super::*;

fn line(refusal: &dyn Refusal) -> String {
    format!("{} {} {}", refusal.status().as_u16(), refusal.substatus(), refusal.reason())
}

#[test]
fn the_cmgs_own_refusals_are_fixed() {
    for (refusal, expected) in [
        (CmgRefusal::BadRequest, "400 0 CMGService_BadRequest"),
        (CmgRefusal::InvalidToken, "401 0 CMGService_Invalid_Token"),
        (CmgRefusal::UntrustedCertificate, "401 0 CMGService_Unauthorized"),
        (CmgRefusal::CertificateRequired, "403 7 CMGService_Forbidden"),
        (CmgRefusal::RevokedCertificate, "403 13 CMGService_Forbidden"),
        (CmgRefusal::ExpiredCertificate, "403 17 CMGService_Forbidden"),
        (CmgRefusal::Forbidden, "403 0 CMGService_Forbidden"),
        (CmgRefusal::NotFound, "404 0 CMGService_NotFound"),
        (CmgRefusal::RequestEntityTooLarge, "413 0 CMGService_RequestEntityTooLarge"),
        (CmgRefusal::NotImplemented, "501 0 CMGService_NotImplemented"),
        (CmgRefusal::ServiceUnavailable, "503 0 CMGService_ServiceUnavailable"),
    ] {
        assert_eq!(line(&refusal), expected);
    }
    assert!(CmgRefusal::ALL.iter().all(|refusal| refusal.reason().starts_with("CMGService_")));
    assert_eq!(CmgRefusal::CertificateRequired.body(), "403.7 CMGService_Forbidden\n");
}

#[test]
fn reasons_of_the_management_point_are_squeezed() {
    for (status, reason, expected) in [
        (403, "Client certificate required", "CMGConnector_Clientcertificaterequired"),
        (403, "Forbidden", "CMGConnector_Forbidden"),
        (500, "Internal Server Error", "CMGConnector_InternalServerError"),
        (500, "", "CMGConnector_InternalServerError"),
        (401, " ", "CMGConnector_Unauthorized"),
        (418, "", "CMGConnector_418"),
        (403, "a\r\nb: c\u{e9}", "CMGConnector_ab:c"),
    ] {
        assert_eq!(connector_reason(StatusCode::from_u16(status).unwrap(), reason), expected);
    }
    // The published aggregate of failures: 47 bytes an answer.
    assert_eq!("HTTP/1.1 500 CMGConnector_InternalServerError\r\n".len(), 47);
}

#[test]
fn the_connection_points_answers() {
    let of = |status: u16, reason: &str| {
        ConnectorRefusal::of_answer(StatusCode::from_u16(status).unwrap(), reason).map(|it| line(&it))
    };
    assert_eq!(of(403, "Forbidden").as_deref(), Some("403 0 CMGConnector_Forbidden"));
    assert_eq!(of(302, "Found").as_deref(), Some("401 0 CMGConnector_Unauthorized"));
    assert_eq!((of(200, "OK"), of(206, ""), of(304, "")), (None, None, None));
    assert_eq!(of(990, "BGB Session Ended").as_deref(), Some("990 0 CMGConnector_BGBSessionEnded"));
    assert_eq!(line(&ConnectorRefusal::MpUnreachable), "502 0 CMGConnector_BadGateway");
    assert_eq!(line(&ConnectorRefusal::MpTimeout), "504 0 CMGConnector_GatewayTimeout");
    assert_eq!(ConnectorRefusal::MpTimeout.body(), "");
}

#[test]
fn the_management_points_refusals_are_those_of_iis() {
    for (refusal, expected) in [
        (MpRefusal::Unauthorized, "401 0 Unauthorized"),
        (MpRefusal::TlsRequired, "403 4 Forbidden"),
        (MpRefusal::ClientCertificateRequired, "403 7 Client certificate required"),
        (MpRefusal::CertificateRevoked, "403 13 Forbidden"),
        (MpRefusal::CertificateUntrusted, "403 16 Forbidden"),
        (MpRefusal::CertificateWrongUsage, "403 16 Forbidden"),
        (MpRefusal::CertificateExpired, "403 17 Forbidden"),
        (MpRefusal::NotFound, "404 0 Not Found"),
        (MpRefusal::NotImplemented { gap: "BGB" }, "501 0 Not Implemented"),
    ] {
        assert_eq!(line(&refusal), expected);
    }
    assert!(MpRefusal::NotImplemented { gap: "the BGB channel" }.body().contains("the BGB channel"));
}

proptest! {
    #[test]
    fn a_rewritten_reason_is_always_a_reason_phrase(status in 100..1000_u16, reason in ".*") {
        let rewritten = connector_reason(StatusCode::from_u16(status).unwrap(), &reason);
        prop_assert!(rewritten.bytes().all(|byte| byte.is_ascii_graphic()) && rewritten.len() <= 160);
    }
}
