use proptest::prelude::*;

use super::*;

fn parse(target: &str) -> Result<CmgPath, TargetError> {
    CmgPath::parse(target.as_bytes())
}

#[test]
fn the_documented_shapes_are_read_in_any_case() {
    let sts = CmgPath::Proxy {
        scheme: AuthScheme::ServerAuth,
        role: RoleId::new(1, 10280),
        rest: "/CCM_STS".into(),
        query: None,
    };
    assert_eq!(parse("/CCM_Proxy_ServerAuth/72057594037938216/CCM_STS"), Ok(sts.clone()));
    assert_eq!(parse("/CCM_PROXY_SERVERAUTH/72057594037938216/CCM_STS"), Ok(sts));
    assert_eq!(
        parse("/ccm_proxy_mutualauth/9/SMS_MP/.sms_aut?MPLIST2&CM1"),
        Ok(CmgPath::Proxy {
            scheme: AuthScheme::MutualAuth,
            role: RoleId::from_u64(9),
            rest: "/SMS_MP/.sms_aut".into(),
            query: Some("MPLIST2&CM1".into()),
        })
    );
    assert_eq!(
        parse("/CCM_Proxy_ServerAuth/aadauthinfo?TenantID=x"),
        Ok(CmgPath::AadAuthInfo { query: Some("TenantID=x".into()) })
    );
    assert_eq!(
        parse("/CCM_Proxy_MutualAuth/ServiceMetadata"),
        Ok(CmgPath::ServiceMetadata { scheme: AuthScheme::MutualAuth })
    );
}

#[test]
fn what_names_no_endpoint_is_other() {
    for target in [
        "/",
        "/CCM_STS",
        "/CCM_Proxy_ServerAuth",
        "/CCM_Proxy_ServerAuth/",
        "/CCM_Proxy_ServerAuth/x/CCM_STS",
        "/CCM_Proxy_MutualAuth/AADAuthInfo",
        "/CCM_Proxy_ServerAuth/AADAuthInfo/more",
        "/CCM_Proxy_ServerAuth7981/CCM_STS",
        "/downloadrestservice.svc/getcontentxmlsecure?pid=1",
    ] {
        assert_eq!(parse(target), Ok(CmgPath::Other), "{target}");
    }
}

#[test]
fn raw_bytes_after_the_routing_part_are_kept() {
    let target = "/CCM_Proxy_MutualAuth/9/CCM_Client/a%20b/c%2B.cab?x=%2e%2e/\\&&y";
    let CmgPath::Proxy { rest, query, .. } = parse(target).unwrap() else { panic!("proxied") };
    assert_eq!(rest, "/CCM_Client/a%20b/c%2B.cab");
    assert_eq!(query.as_deref(), Some("x=%2e%2e/\\&&y"));
}

#[test]
fn ambiguous_targets_are_refused_by_cause() {
    use TargetError as E;
    let base = "/CCM_Proxy_ServerAuth/9";
    for (tail, cause) in [
        ("/CCM_STS/../SMS_MP", E::DotSegment),
        ("/CCM_STS/./x", E::DotSegment),
        ("/CCM_STS/...", E::DotSegment),
        ("/CCM_STS/..;x=1/SMS_MP", E::DotSegment),
        ("/CCM_STS/..%20/SMS_MP", E::DotSegment),
        ("/CCM_STS/%2e%2E/SMS_MP", E::EncodedSeparator),
        ("/CCM_STS%2fx", E::EncodedSeparator),
        ("/CCM_STS%5Cx", E::EncodedSeparator),
        ("/CCM_STS%00", E::EncodedSeparator),
        ("/CCM_STS/%252e%252e/x", E::EncodedSeparator),
        ("/CCM_STS/%25255cx", E::EncodedSeparator),
        ("/CCM_STS/%c0%ae", E::EncodedSeparator),
        ("/CCM_STS/%e0%80%af", E::EncodedText),
        ("/CCM_STS/%ff", E::EncodedText),
        ("/CCM_STS/%ef%bc%8e%ef%bc%8e%ef%bc%8fSMS_MP", E::EncodedText),
        ("/CCM_STS/%zz", E::BadEscape),
        ("/CCM_STS/%u002e", E::BadEscape),
        ("/CCM_STS/%2", E::BadEscape),
        ("/CCM_STS\\x", E::Backslash),
        ("//CCM_STS", E::DoubleSlash),
        ("/CCM_STS#x", E::Fragment),
        ("/CCM_STS\0", E::BadByte { byte: 0, at: 31 }),
        ("/CCM_STS?\r\nx", E::BadByte { byte: 13, at: 32 }),
        ("/CCM_STS x", E::BadByte { byte: 32, at: 31 }),
        ("/CCM_STSé", E::BadByte { byte: 0xc3, at: 31 }),
    ] {
        assert_eq!(parse(&format!("{base}{tail}")), Err(cause), "{tail}");
    }
    for sound in ["/CCM_STS/%25/100%25", "/CCM_Client/caf%C3%A9;v=1.2/a..b/%20", "/CCM_Client/a;b", "/x;..;y"]
    {
        assert!(parse(&format!("{base}{sound}")).is_ok(), "{sound}");
    }
}

#[test]
fn the_routing_part_is_never_decoded() {
    use TargetError as E;
    assert_eq!(parse("/CCM%5fProxy_ServerAuth/9/CCM_STS"), Err(E::EncodedRouting));
    assert_eq!(parse("/CCM_Proxy_ServerAuth/%39/CCM_STS"), Err(E::EncodedRouting));
    assert_eq!(parse("//CCM_Proxy_ServerAuth/9/CCM_STS"), Err(E::DoubleSlash));
    for target in ["", "*", "https://cmg.lab.test/CCM_Proxy_ServerAuth/9/CCM_STS", "cmg.lab.test:443"] {
        assert_eq!(parse(target), Err(E::NotAPath), "{target}");
    }
}

#[test]
fn the_length_is_bounded() {
    let longest = format!("/{}", "a".repeat(MAX_TARGET - 1));
    assert_eq!(parse(&longest), Ok(CmgPath::Other));
    assert_eq!(parse(&format!("{longest}a")), Err(TargetError::TooLong { bytes: MAX_TARGET + 1 }));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(target: Vec<u8>) {
        let _ = CmgPath::parse(&target);
    }

    #[test]
    fn what_is_read_is_written_back(target in "/ccm_proxy_(serverauth|mutualauth)/([0-9]{1,4}|aadauthinfo|servicemetadata)[a-zA-Z0-9/%._?&=-]{0,24}") {
        if let Ok(path) = parse(&target) && path != CmgPath::Other {
            prop_assert_eq!(parse(&path.to_string()), Ok(path));
        }
    }
}
