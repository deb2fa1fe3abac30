use proptest::prelude::*;

use super::*;

/// The query of the documented sample; its signature is ours.
const SAMPLE: &str = "pid=CMG00013&cid=CMG00013&tid=GUID:3fb5cf5d-28a5-4460-ab39-9184ca214369\
    &iss=CMDP.IAAS2.CONTOSO.COM&alg=1.2.840.113549.1.1.11&st=2019-11-19T01:44:04&et=2019-11-19T09:44:04";

fn link() -> ContentLink {
    ContentLink {
        package: "CMG00013".parse().unwrap(),
        content: "CMG00013".parse().unwrap(),
        client: "GUID:3FB5CF5D-28A5-4460-AB39-9184CA214369".parse().unwrap(),
        issuer: "CMDP.IAAS2.CONTOSO.COM".to_owned(),
        starts: "2019-11-19T01:44:04Z".parse().unwrap(),
        ends: "2019-11-19T09:44:04Z".parse().unwrap(),
    }
}

fn parse(from: &str, to: &str) -> Result<PresentedLink, ContentLinkError> {
    PresentedLink::parse(&format!("{SAMPLE}&sig=AAEC").replacen(from, to, 1))
}

#[test]
fn a_link_is_spelt_as_in_the_documented_sample() {
    assert_eq!(link().signed_part(), SAMPLE);
    let url = link().to_url("https://cmg1.contoso.com:443", &[0, 1, 2]).unwrap();
    assert_eq!(
        url,
        format!("https://cmg1.contoso.com:443/downloadrestservice.svc/getcontentxmlsecure?{SAMPLE}&sig=AAEC")
    );
    let read = parse("", "").unwrap();
    assert_eq!(
        (read.link.clone(), read.signed.as_str(), read.signature.as_slice()),
        (link(), SAMPLE, &[0, 1, 2][..])
    );
    assert!(!format!("{read:?}").contains("AAEC"));
}

#[test]
fn names_and_their_order_are_free_and_stay_as_they_are() {
    let turned = "CID=CMG00013&pid=CMG00013";
    let read = parse("pid=CMG00013&cid=CMG00013", turned).unwrap();
    assert_eq!(read.link, link());
    assert!(read.signed.starts_with(turned));
}

#[test]
fn each_mistake_is_named() {
    use ContentLinkError as E;
    for name in ["pid", "cid", "tid", "iss", "alg", "st", "et"] {
        let other = format!("{name}x=");
        assert_eq!(parse(&format!("{name}="), &other), Err(E::Unknown { got: format!("{name}x") }));
        let value = SAMPLE.split('&').find(|pair| pair.starts_with(&format!("{name}="))).unwrap();
        let (start, rest) = SAMPLE.split_once(value).unwrap();
        let without = format!("{start}{rest}").replace("&&", "&");
        let without = format!("{}&sig=AAEC", without.trim_matches('&'));
        assert_eq!(PresentedLink::parse(&without), Err(E::Missing { name }));
        let twice = format!("{value}&{SAMPLE}&sig=AAEC");
        assert_eq!(PresentedLink::parse(&twice), Err(E::Twice { name }));
        let empty = format!("{name}=");
        assert!(matches!(parse(value, &empty), Err(E::Bad { name: bad, .. }) if bad == name), "{name}");
    }
    assert_eq!(parse("&sig=AAEC", ""), Err(E::Missing { name: "sig" }));
    assert_eq!(parse("AAEC", "AAEC&pid=CMG00014"), Err(E::AfterSignature));
    assert!(matches!(parse("AAEC", "AAE="), Err(E::Bad { name: "sig", .. })));
    assert!(matches!(parse("1.11", "1.5"), Err(E::Bad { name: "alg", .. })));
    assert!(matches!(parse("GUID:", "GUID%3A"), Err(E::Bad { name: "tid", .. })));
    assert!(matches!(parse("01:44:04", "1:44:04"), Err(E::Bad { name: "st", .. })));
    assert!(matches!(parse("09:44:04", "09:44:04Z"), Err(E::Bad { name: "et", .. })));
    assert_eq!(PresentedLink::parse(""), Err(E::Missing { name: "pid" }));
    assert_eq!(PresentedLink::parse(&"a".repeat(MAX_QUERY + 1)), Err(E::TooLong { bytes: MAX_QUERY + 1 }));
}

#[test]
fn a_link_ends_after_it_starts_and_within_a_day() {
    use ContentLinkError as E;
    assert!(parse("19T09:44:04", "20T01:44:04").is_ok());
    assert!(matches!(parse("19T09:44:04", "20T01:44:05"), Err(E::Lifetime { .. })));
    assert!(matches!(parse("19T09:44:04", "19T01:44:04"), Err(E::Lifetime { .. })));
    let made = |ends: &str| {
        let link = ContentLink { ends: ends.parse().unwrap(), ..link() };
        link.to_url("https://cmg1.contoso.com", &[])
    };
    assert!(made("2019-11-20T01:44:04Z").is_ok());
    assert!(matches!(made("2019-11-20T01:44:05Z"), Err(E::Lifetime { .. })));
    assert!(matches!(made("2019-11-19T01:44:04Z"), Err(E::Lifetime { .. })));
}

#[test]
fn links_lead_to_a_gateway() {
    assert!(link().to_url("https://CMG.LAB.TEST/", &[]).is_ok());
    for base in ["http://CMG.LAB.TEST", "CMG.LAB.TEST", "https://CMG.LAB.TEST/a", "https://"] {
        assert!(matches!(link().to_url(base, &[]), Err(ContentLinkError::Base { .. })), "{base}");
    }
    let other = ContentLink { issuer: "mp&cid=x".to_owned(), ..link() };
    assert!(matches!(
        other.to_url("https://CMG.LAB.TEST", &[]),
        Err(ContentLinkError::Bad { name: "iss", .. })
    ));
}

#[test]
fn what_is_asked_for_and_what_proves_it_are_told_apart() {
    assert!(!parse("pid=CMG00013", "pid=1").unwrap_err().is_of_proof());
    assert!(!parse("cid=CMG00013", "cid=/").unwrap_err().is_of_proof());
    assert!(!parse("cid=", "x=").unwrap_err().is_of_proof());
    assert!(parse("&sig=AAEC", "").unwrap_err().is_of_proof());
    assert!(parse("GUID:", "").unwrap_err().is_of_proof());
}

#[test]
fn the_path_is_taken_in_any_case() {
    assert!(is_at("/DownloadRestService.svc/GetContentXmlSecure"));
    for other in ["/downloadrestservice.svc", "/downloadrestservice.svc/getcontentxmlsecure/", "/x"] {
        assert!(!is_at(other), "{other}");
    }
}

proptest! {
    #[test]
    fn anything_is_read_without_panic(query in "((pid|cid|tid|iss|alg|st|et|sig)=[ -~é]{0,12}&?){0,9}.*") {
        let _ = PresentedLink::parse(&query);
    }

    #[test]
    fn times_are_read_without_panic(text in "[0-9]{0,6}-[0-9]{1,2}-[0-9]{1,2}T[0-9:]{0,9}") {
        if let Some(at) = time(&text, TIME) {
            prop_assert_eq!(stamp(at), text);
        }
    }

    #[test]
    fn what_is_written_is_read(
        package in "[A-Za-z0-9]{8}",
        content in "[A-Za-z0-9_-][A-Za-z0-9._-]{0,40}",
        issuer in "[A-Za-z0-9]{1,9}(\\.[A-Za-z0-9-]{1,9}){0,3}",
        client: u128,
        starts in 0..250_000_000_000_i64,
        span in 1..=86_400_i64,
        signature in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let link = ContentLink {
            package: package.parse().unwrap(),
            content: content.parse().unwrap(),
            client: uuid::Uuid::from_u128(client).into(),
            issuer,
            starts: Timestamp::from_second(starts).unwrap(),
            ends: Timestamp::from_second(starts + span).unwrap(),
        };
        let url = link.to_url("https://CMG.LAB.TEST", &signature).unwrap();
        let read = PresentedLink::parse(url.split_once('?').unwrap().1).unwrap();
        prop_assert_eq!(&read.signed, &link.signed_part());
        prop_assert_eq!((read.link, read.signature), (link, signature));
    }
}
