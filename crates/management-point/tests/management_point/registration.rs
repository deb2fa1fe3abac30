//! MP_ClientRegistration.

use cmglab_events::kinds::{CertificateFault, ManagementPointEvent, TokenFault, TokenService};
use cmglab_pki::{Authorities, Authority, Overrides, Profiles, SubjectName, Validity};
use cmglab_proto::ccm::registration::{Approval, RegistrationStatus, RequestType};
use cmglab_proto::ccm::sign::from_hex;
use cmglab_proto::ccm::{CONTENT_TYPE, Endpoint};
use cmglab_proto::ids::ClientGuid;
use cmglab_site::AadDevice;
use cmglab_token::forge;
use jiff::SignedDuration;
use serde_json::json;

use crate::aad::{self, KEY, TENANT};
use crate::clients::{self, Client, OTHER_KEY, ask, assert_dropped, message, raw, register};
use crate::lab::{DEVICE, Lab, NOW};

fn device() -> AadDevice {
    AadDevice { tenant: aad::tenant_id(), device: DEVICE.parse().unwrap() }
}

fn fault(lab: &Lab) -> Option<CertificateFault> {
    let judged = |event: ManagementPointEvent| match event {
        ManagementPointEvent::RegistrationCertificate { fault, .. } => Some(fault),
        _ => None,
    };
    lab.told().into_iter().rev().find_map(judged).unwrap()
}

#[tokio::test]
async fn a_new_client_keeps_the_guid_it_proposes() {
    let lab = Lab::new().await;
    lab.ccm_token().await;
    let client = Client::new(&lab);
    let wanted = ClientGuid::new(lab.ids.guid());
    let answer = register(&lab, &client.request(Some(wanted)), &aad::device_token()).await;
    assert_eq!((answer.status, answer.smsid), (RegistrationStatus::Success, Some(wanted)));
    assert_eq!(answer.approval, Approval::Automatic);
    assert_eq!(lab.site.find_client(device()).await.unwrap(), Some(wanted), "CCM_STS names it from now on");
    let known = lab.site.registration(wanted).await.unwrap().unwrap();
    assert_eq!(known.details.signing_certificate, client.certificate);
    assert_eq!((known.details.netbios_name.as_str(), known.details.aad_device), ("LABPC1", Some(device())));
}

#[tokio::test]
async fn the_log_reads_like_the_documentation() {
    let lab = Lab::new().await;
    let client = Client::new(&lab);
    let wanted = ClientGuid::new(lab.ids.guid());
    register(&lab, &client.request(Some(wanted)), &aad::device_token()).await;
    let thumbprint = cmglab_pki::read::sha1_thumbprint(&client.certificate);
    let of = format!("Certificate [Thumbprint {thumbprint}] issued to 'ConfigMgr Client'");
    let expected = [
        format!("Registering device using AAD auth: DeviceId='{DEVICE} ', TenantId='{TENANT}'"),
        format!("Processing Registration request from Client '{wanted}'"),
        format!("Begin validation of {of}"),
        format!("Completed validation of {of}"),
        "MP Reg: Processing completed. Completion state = 0".to_owned(),
    ];
    assert_eq!(lab.log("MP_RegistrationManager.log"), expected);
}

#[tokio::test]
async fn registering_twice_is_registering_once() {
    let lab = Lab::new().await;
    let client = Client::new(&lab);
    let first = register(&lab, &client.request(None), &aad::device_token()).await;
    let proposed = Some(ClientGuid::new(lab.ids.guid()));
    for again in [first.smsid, proposed, None] {
        let answer = register(&lab, &client.request(again), &aad::device_token()).await;
        assert_eq!(answer.smsid, first.smsid);
    }
    assert_eq!(lab.site.registrations(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn without_a_proposal_the_guid_is_the_one_ccm_sts_gave() {
    let lab = Lab::new().await;
    lab.ccm_token().await;
    let given = lab.site.find_client(device()).await.unwrap();
    let answer = register(&lab, &Client::new(&lab).request(None), &aad::device_token()).await;
    assert_eq!(answer.smsid, given);
}

#[tokio::test]
async fn a_guid_that_another_client_has_is_not_given_twice() {
    let lab = Lab::new().await;
    let owner = register(&lab, &Client::new(&lab).request(None), &aad::device_token()).await.smsid;
    let thief = Client::with(&lab, &OTHER_KEY, Overrides::default());
    let other_device = forge::resigned(&aad::device_token(), &KEY, |claims| {
        claims.insert("deviceid".to_owned(), json!("7b1f2c0b-1111-4f0b-8f3a-52a1f2c0b333"));
    });
    let answer = register(&lab, &thief.request(owner), &other_device.unwrap()).await;
    assert_eq!(answer.status, RegistrationStatus::Success);
    assert_ne!(answer.smsid, owner);
    // The same device with a new key is the same client.
    let answer = register(&lab, &thief.request(None), &aad::device_token()).await;
    assert!(answer.smsid.is_some());
}

#[tokio::test]
async fn a_new_key_of_a_registered_device_is_the_same_client() {
    let lab = Lab::new().await;
    let first = register(&lab, &Client::new(&lab).request(None), &aad::device_token()).await.smsid;
    let renewed = Client::with(&lab, &OTHER_KEY, Overrides::default());
    let proposed = Some(ClientGuid::new(lab.ids.guid()));
    let answer = register(&lab, &renewed.request(proposed), &aad::device_token()).await;
    assert_eq!(answer.smsid, first);
}

#[tokio::test]
async fn users_tokens_and_ccm_tokens_register_too() {
    for kind in 0..3 {
        let lab = Lab::new().await;
        let token = match kind {
            0 => aad::user_on_device_token(),
            1 => aad::user_token(),
            _ => lab.ccm_token().await,
        };
        let given = lab.site.find_client(device()).await.unwrap();
        let answer = register(&lab, &Client::new(&lab).request(None), &token).await;
        assert_eq!((answer.status, answer.approval), (RegistrationStatus::Success, Approval::Automatic));
        if kind == 2 {
            assert_eq!(answer.smsid, given, "a CCM token stands for the device it was given to");
        }
    }
}

#[tokio::test]
async fn a_signature_that_does_not_hold_drops_the_message() {
    let lab = Lab::new().await;
    let good = Client::new(&lab).request(None);
    let mut other_data = Client::new(&lab).data(None);
    other_data.certificates = Client::with(&lab, &OTHER_KEY, Overrides::default()).data(None).certificates;
    for bad in [
        good.replace("LABPC1", "LABPC2"),
        good.replace("<Data ", "<Data  "),
        Client::new(&lab).signed(other_data),
        good.replace("SignatureValue>", "SignatureValu>"),
        "<ClientRegistrationRequest/>".to_owned(),
    ] {
        let message = message(&lab, Endpoint::ClientRegistration, &bad);
        assert_dropped(&lab.send(ask(&message, &aad::device_token())).await);
        assert!(matches!(lab.last(), ManagementPointEvent::RegistrationInvalid { .. }), "{:?}", lab.last());
    }
    assert!(lab.site.registrations(None, 10).await.unwrap().is_empty());
    let answer = register(&lab, &good, &aad::device_token()).await;
    assert_eq!(answer.status, RegistrationStatus::Success);
}

#[tokio::test]
async fn the_recorded_request_of_a_public_client_is_taken() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/ccm.json")).unwrap();
    let body = from_hex(vectors["registration_request_body_hex"].as_str().unwrap()).unwrap();
    let lab = Lab::new().await;
    let answer = lab.send(raw(CONTENT_TYPE.to_owned(), body, &aad::device_token())).await;
    let reply = clients::document(&answer);
    assert!(reply.contains("Status=\"0\" SMSID=\"GUID:"), "{reply} {:?}", lab.told());
}

#[tokio::test]
async fn certificate_validation_always_runs() {
    let lab = Lab::new().await;
    let now = NOW.parse().unwrap();
    let (ago, ahead) = (SignedDuration::from_secs(1), SignedDuration::from_secs(1));
    let expired = Overrides::from(Validity::ended(now, ago).unwrap());
    let early = Overrides::from(Validity::starting(now, ahead).unwrap());
    for (overrides, expected) in
        [(expired, CertificateFault::Expired), (early, CertificateFault::NotYetValid)]
    {
        let client = Client::with(&lab, &clients::KEY, overrides);
        let answer = register(&lab, &client.request(None), &aad::device_token()).await;
        assert_eq!((answer.status, answer.smsid), (RegistrationStatus::Rejected, None));
        assert_eq!(fault(&lab), Some(expected));
        assert!(matches!(lab.last(), ManagementPointEvent::RegistrationRejected { .. }));
    }
    let log = lab.log("MP_RegistrationManager.log").join("\n");
    assert!(log.contains("issued to 'ConfigMgr Client' has expired.") && log.contains("is not yet valid."));
    let boundary = Overrides::from(Validity::ended(now, SignedDuration::ZERO).unwrap());
    let client = Client::with(&lab, &clients::KEY, boundary);
    let answer = register(&lab, &client.request(None), &aad::device_token()).await;
    assert_eq!(answer.status, RegistrationStatus::Success);
}

#[tokio::test]
async fn keys_must_be_rsa_of_2048_bits() {
    let lab = Lab::new().await;
    let p256 = Authority::create_root(&Profiles::builtin(), "site", NOW.parse().unwrap(), &lab.ids).unwrap();
    let weak = from_hex(RSA_1024).unwrap();
    for (certificate, expected) in [
        (p256.cert_der().to_vec(), CertificateFault::WeakKey),
        (weak, CertificateFault::WeakKey),
        (b"no certificate".to_vec(), CertificateFault::Malformed),
    ] {
        let client = Client::new(&lab);
        for only_encryption in [false, true] {
            let mut data = client.data(None);
            let certificates = data.certificates.as_mut().unwrap();
            certificates.encryption.clone_from(&certificate);
            if !only_encryption {
                certificates.signing.clone_from(&certificate);
            }
            let answer = register(&lab, &client.signed(data), &aad::device_token()).await;
            assert_eq!(answer.status, RegistrationStatus::Rejected);
            assert_eq!(fault(&lab), Some(expected));
        }
    }
}

#[tokio::test]
async fn a_certificate_of_a_pki_needs_an_authority_that_the_site_knows() {
    let lab = Lab::new().await;
    let now = NOW.parse().unwrap();
    let authorities = Authorities::create(&Profiles::builtin(), now, &lab.ids).unwrap();
    let names = [SubjectName::dns("labpc1.lab.test")];
    let client = Client::of(&authorities.issue("pki-client", &names, now, &lab.ids).unwrap());
    let answer = register(&lab, &client.request(None), &aad::device_token()).await;
    assert_eq!(answer.status, RegistrationStatus::Rejected);
    assert_eq!(fault(&lab), Some(CertificateFault::Untrusted));
    let log = lab.log("MP_RegistrationManager.log").join("\n");
    assert!(log.contains("terminated in a root certificate not trusted per ConfigMgr CTL."));

    let issuing = authorities.get("client-issuing").unwrap().cert_der().to_vec();
    lab.site.add_client_authority(issuing).await.unwrap();
    let answer = register(&lab, &client.request(None), &aad::device_token()).await;
    assert_eq!(answer.status, RegistrationStatus::Success);
}

#[tokio::test]
async fn the_token_of_another_tenant_proves_nothing() {
    let lab = Lab::new().await;
    let client = Client::new(&lab);
    let other = "99999999-6d7e-4c93-9b2b-1f0f0d1c2b3a";
    let token = forge::resigned(&aad::device_token(), &KEY, |claims| {
        claims.insert("tid".to_owned(), json!(other));
        claims.insert("iss".to_owned(), json!(aad::issuer(other)));
    });
    let message = message(&lab, Endpoint::ClientRegistration, &client.request(None));
    let answer = lab.send(ask(&message, &token.unwrap())).await;
    assert_eq!(answer.line(), (401, 0, "Unauthorized"));
    let tenant = other.parse().unwrap();
    assert_eq!(lab.refused_token(), (TokenService::Registration, TokenFault::TenantUnknown { tenant }));
    let log = lab.log("MP_RegistrationManager.log");
    assert!(log.last().unwrap().contains("is not registered in the site database"), "{log:?}");
    assert!(lab.site.registrations(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_blocked_client_is_rejected_and_nothing_changes() {
    let lab = Lab::new().await;
    let client = Client::new(&lab);
    let id = register(&lab, &client.request(None), &aad::device_token()).await.smsid.unwrap();
    let before = lab.site.registration(id).await.unwrap().unwrap();
    lab.site.block_client(id, lab.clock.now()).await.unwrap();
    let renewed = Client::with(&lab, &OTHER_KEY, Overrides::default());
    let proposed = Some(ClientGuid::new(lab.ids.guid()));
    for (client, smsid) in [(&client, Some(id)), (&renewed, None), (&renewed, proposed)] {
        let answer = register(&lab, &client.request(smsid), &aad::device_token()).await;
        assert_eq!((answer.status, answer.smsid), (RegistrationStatus::Rejected, None));
    }
    assert_eq!(lab.site.registration(id).await.unwrap().unwrap().details, before.details);
    lab.site.unblock_client(id).await.unwrap();
    let answer = register(&lab, &client.request(Some(id)), &aad::device_token()).await;
    assert_eq!(answer.smsid, Some(id));
}

#[tokio::test]
async fn a_confirmation_is_answered_to_the_holder_of_the_key() {
    let lab = Lab::new().await;
    let client = Client::new(&lab);
    let id = register(&lab, &client.request(None), &aad::device_token()).await.smsid;
    let confirmation = |client: &Client, smsid| {
        let mut data = client.data(smsid);
        data.request_type = RequestType::Confirmation;
        data.certificates = None;
        client.signed(data)
    };
    let answer = register(&lab, &confirmation(&client, id), &aad::device_token()).await;
    assert_eq!((answer.status, answer.smsid), (RegistrationStatus::Success, id));
    assert_eq!(answer.response_type, RequestType::Confirmation);

    let stranger = Client::with(&lab, &OTHER_KEY, Overrides::default());
    let forged = message(&lab, Endpoint::ClientRegistration, &confirmation(&stranger, id));
    assert_dropped(&lab.send(ask(&forged, &aad::device_token())).await);
    let nobody = Some(ClientGuid::new(lab.ids.guid()));
    let answer = register(&lab, &confirmation(&client, nobody), &aad::device_token()).await;
    assert_eq!(answer.status, RegistrationStatus::Rejected);
}

#[tokio::test]
async fn values_over_their_limits_are_invalid() {
    let lab = Lab::new().await;
    let client = Client::new(&lab);
    let mut data = client.data(None);
    data.properties[0].1 = "x".repeat(256);
    let message = message(&lab, Endpoint::ClientRegistration, &client.signed(data));
    assert_dropped(&lab.send(ask(&message, &aad::device_token())).await);
    assert!(matches!(lab.last(), ManagementPointEvent::RegistrationInvalid { .. }));
}

/// A self-signed certificate of an RSA key of 1024 bits, valid until 2126; the key is not kept.
const RSA_1024: &str = "\
    308202143082017DA00302010202144556152CC01A237AC091D36D713E848F291F93F3300D06092A864886F70D01010B0500\
    301B3119301706035504030C10436F6E6669674D677220436C69656E743020170D3236313132313231313032385A180F3231\
    3236313032383231313032385A301B3119301706035504030C10436F6E6669674D677220436C69656E7430819F300D06092A\
    864886F70D010101050003818D0030818902818100B6F4B3AEB3ADD2CEE66016F00A795502D1A835055389BA17614DD54E9A\
    AF9E50552E69B44F4810F265B9BE0C58E131CD7771D2931D24A54E26811793F299A302F0907AB6DAB251FA16CAD30E930A5D\
    C38B13D936850DE11D8DE277202E98D86EF2EE4B142BAAA17AC1FD38EC941D21BED8CFA5FFE5DF1A93685014A6028E847902\
    03010001A3533051301D0603551D0E041604149F51DBDB27E8CF10759476C0B22AEAE4A1C898FE301F0603551D2304183016\
    80149F51DBDB27E8CF10759476C0B22AEAE4A1C898FE300F0603551D130101FF040530030101FF300D06092A864886F70D01\
    010B0500038181009069D9C727CE27884BEF3E1C4DA20C4A15FC87E8CD7303B59C9697F0CB06E69BA82397311B52DC0E2973\
    40E21D8972EACE65DB829B2AB6907E35424A76BD05BEE7F2FE67E5E60E42D6783292B8D7713A92413941F616C0C0385E7665\
    FB5E57E9345EF70EC6850A2CA8BE7FDF9926DD3F97697190B5145171245D7141C70C6432\
    ";
