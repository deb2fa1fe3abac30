use proptest::prelude::*;

use super::*;

fn mappings() -> Vec<UrlMapping> {
    vec![
        UrlMapping::new(RoleId::new(1, 10280), "https://MP.LAB.TEST".parse().unwrap()),
        UrlMapping::new(RoleId::from_u64(9), "http://mp2.lab.test:8080".parse().unwrap()),
    ]
}

fn to(target: &str) -> Result<Rewritten, NoMapping> {
    rewrite(&mappings(), &CmgPath::parse(target.as_bytes()).unwrap())
}

#[test]
fn a_published_endpoint_is_rewritten() {
    let sts = to("/CCM_PROXY_SERVERAUTH/72057594037938216/CCM_STS").unwrap();
    assert_eq!(sts.internal_url, "https://MP.LAB.TEST/CCM_STS");
    assert_eq!(sts.internal_prefix, "https://MP.LAB.TEST/CCM_STS");
    assert_eq!(sts.endpoint_name, "CCM_STS");
    assert_eq!(sts.max_request_bytes, 2 << 20);

    let content = to("/CCM_Proxy_MutualAuth/9/ccm_client/a%20b.cab?x=1&&").unwrap();
    assert_eq!(content.internal_url, "http://mp2.lab.test:8080/ccm_client/a%20b.cab?x=1&&");
    assert_eq!(content.internal_target, "/ccm_client/a%20b.cab?x=1&&");
    assert_eq!(content.internal_prefix, "http://mp2.lab.test:8080/CCM_Client");

    let info = to("/CCM_Proxy_MutualAuth/9/SMS_MP/.sms_aut?").unwrap();
    assert_eq!(info.internal_target, "/SMS_MP/.sms_aut?");
}

#[test]
fn each_cause_of_no_mapping_is_told_apart() {
    assert_eq!(to("/CCM_STS"), Err(NoMapping::NotProxied));
    assert_eq!(to("/CCM_Proxy_ServerAuth/AADAuthInfo"), Err(NoMapping::NotProxied));
    assert_eq!(
        to("/CCM_Proxy_ServerAuth/8/CCM_STS"),
        Err(NoMapping::UnknownRole { role: RoleId::from_u64(8) })
    );
    for rest in ["/", "/CCM_STSX", "/CCM_ST", "/%43CM_STS", "/SMS_MP_TokenAuth/x", "/iisstart.htm"] {
        assert_eq!(
            to(&format!("/CCM_Proxy_ServerAuth/9{rest}")),
            Err(NoMapping::NotPublished { role: RoleId::from_u64(9), rest: rest.into() })
        );
    }
    assert_eq!(
        to("/CCM_Proxy_MutualAuth/9/CCM_STS"),
        Err(NoMapping::SchemeNotAllowed { endpoint: "CCM_STS".into(), scheme: AuthScheme::MutualAuth })
    );
    assert!(to("/CCM_Proxy_MutualAuth/9/ccm_system/request").is_ok());
    assert!(to("/CCM_Proxy_ServerAuth/9/ccm_system/request").is_err());
}

#[test]
fn of_nested_prefixes_the_longest_counts() {
    let mut mapping = UrlMapping::new(RoleId::from_u64(9), "https://mp.lab.test".parse().unwrap());
    mapping.endpoints.push(Endpoint {
        name: "setup".into(),
        path_prefix: "/CCM_Client/setup".parse().unwrap(),
        schemes: vec![AuthScheme::ServerAuth],
        max_request_bytes: 1,
    });
    let name = |rest: &str| {
        let target = format!("/CCM_Proxy_ServerAuth/9{rest}");
        rewrite(std::slice::from_ref(&mapping), &CmgPath::parse(target.as_bytes()).unwrap())
            .map(|found| found.endpoint_name)
    };
    assert_eq!(name("/CCM_Client/SETUP/x"), Ok("setup".into()));
    assert_eq!(name("/CCM_Client/setups"), Ok("CCM_Client".into()));
}

#[test]
fn bases_and_prefixes_are_validated_also_in_json() {
    for base in
        ["MP.LAB.TEST", "https://", "https://mp/", "https://mp/x", "https://a@mp", "https://mp:x", "ftp://mp"]
    {
        assert!(base.parse::<MpBase>().is_err(), "{base}");
    }
    for prefix in ["", "/", "CCM_STS", "/CCM_STS/", "//x", "/..", "/a/../b", "/a%2fb", "/a b", "/a?b"] {
        assert!(prefix.parse::<PathPrefix>().is_err(), "{prefix}");
    }
    let json = serde_json::to_string(&mappings()).unwrap();
    assert_eq!(serde_json::from_str::<Vec<UrlMapping>>(&json).unwrap(), mappings());
    assert!(serde_json::from_str::<Vec<UrlMapping>>(&json.replace("/CCM_STS", "/")).is_err());
    let base: MpBase = "https://MP.LAB.TEST".parse().unwrap();
    assert_eq!((base.authority(), base.is_https()), ("MP.LAB.TEST", true));
}

proptest! {
    #[test]
    fn the_rewrite_is_total_and_stays_below_a_published_prefix(
        scheme in "(?i)ccm_proxy_(serverauth|mutualauth)",
        role in "9|72057594037938216|8",
        endpoint in "(?i)(ccm_sts|ccm_system|ccm_system_tokenauth|sms_mp|ccm_client|ccm_incoming)",
        tail in "(/|\\.|%2e|%2f|%|\\\\|[a-z0-9_?#&=;:@]){0,16}",
    ) {
        let target = format!("/{scheme}/{role}/{endpoint}{tail}");
        let Ok(path) = CmgPath::parse(target.as_bytes()) else { return Ok(()) };
        if let Ok(found) = rewrite(&mappings(), &path) {
            let mapping = mappings().into_iter().find(|mapping| mapping.role == found.role).unwrap();
            let below = found.internal_url.strip_prefix(mapping.mp_base.as_str()).unwrap();
            prop_assert_eq!(below, &found.internal_target);
            let plain = below.split('?').next().unwrap();
            prop_assert!(mapping.endpoints.iter().any(|endpoint| endpoint.path_prefix.covers(plain)));
            prop_assert!(!plain.split('/').any(|segment| segment == ".." || segment == "."));
            prop_assert!(target.ends_with(&found.internal_target));
        }
    }

    #[test]
    fn any_path_is_rewritten_without_panic(rest in ".*", query in proptest::option::of(".*")) {
        let path = CmgPath::Proxy { scheme: AuthScheme::ServerAuth, role: RoleId::from_u64(9), rest, query };
        if let Ok(found) = rewrite(&mappings(), &path) {
            prop_assert!(found.internal_target.to_ascii_lowercase().starts_with("/cc"));
        }
    }
}
