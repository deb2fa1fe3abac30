use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ids::{BulkTokenId, ClientGuid, HierarchyId, ObjectId, UserId};

const HIERARCHY: &str = "6b9b2b40-0a1c-4b9e-9a67-1a5a2d7a1f10";
const USER: &str = "23bbbba2-0000-4000-8000-000000000001";
const DEVICE: &str = "5dd100cd-df1d-45f5-ba17-a327f43465f8";

fn aad(more: serde_json::Value) -> AadClaims {
    let mut claims = json!({
        "iss": "https://sts.windows.net/0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a/", "aud": "https://ConfigMgrService",
        "tid": "0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a", "oid": USER, "nbf": 1, "exp": 3901, "uti": "passed over",
    });
    claims.as_object_mut().unwrap().append(more.as_object().cloned().as_mut().unwrap());
    AadClaims::parse(&serde_json::to_vec(&claims).unwrap()).unwrap()
}

#[test]
fn the_kind_follows_from_user_and_device_claims() {
    use AadTokenKind::{Device, Uda, User};
    for (more, kind) in [
        (json!({"deviceid": DEVICE, "idtyp": "device"}), Some(Device)),
        (json!({"deviceid": DEVICE}), Some(Device)),
        (json!({"deviceid": DEVICE, "idtyp": "app"}), None),
        (json!({"deviceid": DEVICE, "upn": "a@lab.test"}), Some(Uda)),
        (json!({"deviceid": DEVICE, "scp": "user_impersonation"}), Some(Uda)),
        (json!({"deviceid": DEVICE, "onprem_sid": "S-1-5-21-1", "idtyp": "device"}), Some(Uda)),
        (json!({"unique_name": "a@lab.test"}), Some(User)),
        (json!({"idtyp": "user"}), Some(User)),
        (json!({"idtyp": "app"}), None),
        (json!({}), None),
    ] {
        assert_eq!(aad(more.clone()).kind(), kind, "{more}");
    }
    assert_eq!(aad(json!({"deviceid": DEVICE})).user_object_id(), ObjectId::zero());
    assert_eq!(aad(json!({"upn": "a@lab.test"})).user_object_id(), USER.parse().unwrap());
}

#[test]
fn times_are_read_from_numbers_and_strings() {
    for (time, seconds) in [
        (json!(1795289721), 1_795_289_721),
        (json!("1795289721"), 1_795_289_721),
        (json!(1795290230.48), 1_795_290_230),
        (json!("1795290230.48"), 1_795_290_230),
        (json!(-1), -1),
    ] {
        assert_eq!(aad(json!({"iat": time})).iat, Some(NumericDate(seconds)));
    }
    for time in ["1e300", "\"soon\"", "18446744073709551615", "\"NaN\"", "\"inf\"", "true"] {
        assert!(serde_json::from_str::<NumericDate>(time).is_err(), "{time}");
    }
    assert_eq!(NumericDate(0).timestamp(), Some(Timestamp::UNIX_EPOCH));
    assert_eq!(NumericDate(i64::MAX).timestamp(), None);
}

fn ccm(token_type: CcmTokenType, device: Option<ClientGuid>) -> CcmClaims {
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let (hierarchy, user) = (HIERARCHY.parse().unwrap(), USER.parse().unwrap());
    CcmClaims::new(hierarchy, token_type, user, device, now, CCM_TOKEN_LIFETIME)
}

#[test]
fn ccm_claims_are_written_in_the_order_of_the_published_sample() {
    let device: ClientGuid = format!("GUID:{DEVICE}").parse().unwrap();
    let claims = ccm(CcmTokenType::Uda, Some(device));
    let json = serde_json::to_string(&claims).unwrap();
    assert_eq!(
        json,
        format!(
            "{{\"SCCMTokenCategory\":\"SCCMToken\",\"Authority\":\"SCCM\",\"License\":\"SCCM\",\"Type\":\"UDA\",\
             \"TenantId\":\"{}\",\"UserId\":\"{USER}\",\"DeviceId\":\"GUID:{}\",\"iss\":\"urn:sccm:oauth2:{HIERARCHY}\",\
             \"aud\":\"urn:sccm:service\",\"exp\":1700028800,\"nbf\":1700000000}}",
            HIERARCHY.to_uppercase(),
            DEVICE.to_uppercase()
        )
    );
    assert_eq!(SiteClaims::parse(json.as_bytes()), Ok(SiteClaims::Ccm(claims)));

    let user = ccm(CcmTokenType::User, None);
    let json = serde_json::to_string(&user).unwrap();
    assert!(json.contains("\"DeviceId\":\"\""));
    assert_eq!(SiteClaims::parse(json.as_bytes()), Ok(SiteClaims::Ccm(user)));
}

#[test]
fn bulk_claims_have_the_published_form() {
    let (hierarchy, id): (HierarchyId, BulkTokenId) = (HIERARCHY.parse().unwrap(), DEVICE.parse().unwrap());
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let claims = BulkRegistrationClaims::new(hierarchy, id, now, DEFAULT_BULK_LIFETIME);
    let json = serde_json::to_string(&claims).unwrap();
    assert_eq!(
        json,
        format!(
            "{{\"SCCMTokenCategory\":\"SCCMPreAuthToken\",\"Authority\":\"SCCM\",\"License\":\"SCCM\",\
             \"Type\":\"BulkRegistration\",\"TenantId\":\"{}\",\"UniqueId\":\"{DEVICE}\",\
             \"iss\":\"urn:sccm:oauth2:{HIERARCHY}\",\"aud\":\"urn:sccm:service\",\"exp\":1700259200,\"nbf\":1700000000}}",
            HIERARCHY.to_uppercase()
        )
    );
    let read = SiteClaims::parse(json.as_bytes()).unwrap();
    assert_eq!(read.hierarchy(), hierarchy);
    assert_eq!(read.validity(), (NumericDate(1_700_000_000), NumericDate(1_700_259_200)));
    assert_eq!(read, SiteClaims::Bulk(claims));
}

#[test]
fn claims_that_the_site_never_writes_are_refused() {
    let json = serde_json::to_string(&ccm(CcmTokenType::Device, None)).unwrap();
    let claim = |from: &str, to: &str| {
        let changed = json.replacen(from, to, 1);
        assert_ne!(changed, json);
        match SiteClaims::parse(changed.as_bytes()) {
            Err(ClaimsError::Unexpected { claim, .. }) => claim,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(claim("urn:sccm:oauth2:6", "urn:sccm:oauth2:7"), "iss");
    assert_eq!(claim("urn:sccm:service", "urn:other"), "aud");
    assert_eq!(claim("\"Authority\":\"SCCM\"", "\"Authority\":\"X\""), "Authority");
    let foreign = json.replace("SCCMToken\"", "OtherToken\"");
    assert_eq!(
        SiteClaims::parse(foreign.as_bytes()),
        Err(ClaimsError::UnknownCategory { got: "OtherToken".into() })
    );
    assert_eq!(SiteClaims::parse(b"{}"), Err(ClaimsError::UnknownCategory { got: String::new() }));
    assert!(matches!(SiteClaims::parse(b"[1]x"), Err(ClaimsError::Malformed { .. })));
    let giant = vec![b' '; MAX_PAYLOAD + 1];
    assert!(matches!(SiteClaims::parse(&giant), Err(ClaimsError::TooLarge { .. })));
    assert!(SiteClaims::parse(json.as_bytes()).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(payload: Vec<u8>) {
        let _ = (SiteClaims::parse(&payload), AadClaims::parse(&payload));
    }

    #[test]
    fn ccm_claims_round_trip(hierarchy: [u8; 16], device: Option<[u8; 16]>, seconds in 0..4_000_000_000_i64) {
        let claims = CcmClaims::new(
            HierarchyId::new(uuid::Uuid::from_bytes(hierarchy)),
            CcmTokenType::ClientToken,
            UserId::zero(),
            device.map(|bytes| ClientGuid::new(uuid::Uuid::from_bytes(bytes))),
            Timestamp::from_second(seconds).unwrap(),
            SignedDuration::from_secs(seconds),
        );
        let json = serde_json::to_vec(&claims).unwrap();
        prop_assert_eq!(SiteClaims::parse(&json), Ok(SiteClaims::Ccm(claims)));
    }
}
