//! Client certificates are judged before anything else.

use cmglab_events::kinds::{CertificateVerdict, ManagementPointEvent};

use crate::aad;
use crate::lab::{Ask, Lab};

#[tokio::test]
async fn a_bad_certificate_is_refused_on_every_path() {
    let lab = Lab::new().await;
    for (verdict, substatus) in [
        (CertificateVerdict::Revoked, 13),
        (CertificateVerdict::RevocationUnknown, 13),
        (CertificateVerdict::UnknownIssuer, 16),
        (CertificateVerdict::WrongUsage, 16),
        (CertificateVerdict::Malformed, 16),
        (CertificateVerdict::Expired, 17),
        (CertificateVerdict::NotYetValid, 17),
    ] {
        for path in ["/CCM_STS", "/ccm_system/request", "/CCM_Client/ccmsetup.cab", "/nothing"] {
            let ask = Ask::get(path).bearer(&aad::device_token()).certificate(verdict);
            let answer = lab.send(ask).await;
            assert_eq!(answer.line(), (403, substatus, "Forbidden"), "{verdict:?} {path}");
            assert_eq!(answer.text(), format!("403.{substatus} Forbidden\n"));
            let path = path.to_owned();
            let event = ManagementPointEvent::CertificateRefused { path, verdict, status: 403, substatus };
            assert_eq!(lab.last(), event);
        }
    }
}

#[tokio::test]
async fn none_and_a_good_one_pass() {
    let lab = Lab::new().await;
    for verdict in [CertificateVerdict::Absent, CertificateVerdict::Valid] {
        let answer = lab.send(Ask::get("/CCM_STS").bearer(&aad::device_token()).certificate(verdict)).await;
        assert_eq!(answer.status, 200, "{verdict:?}");
    }
}
