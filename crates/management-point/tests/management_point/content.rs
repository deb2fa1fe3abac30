//! The client's files.

use cmglab_events::Kind;
use cmglab_events::kinds::{CertificateVerdict, LabEvent, ManagementPointEvent, TokenFault, TokenService};
use cmglab_fault::{Point, Rule, Verdict, When};
use cmglab_management_point::Content;
use cmglab_proto::cab;
use cmglab_proto::manifest::Manifest;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, RANGE};

use crate::aad;
use crate::lab::{Ask, Lab};

const FILE: &str = "/CCM_Client/ccmsetup.cab";

#[tokio::test]
async fn a_token_or_a_certificate_opens_the_folder() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    for ask in [
        Ask::get(FILE).bearer(&token),
        Ask::get("/ccm_client/CCMSETUP.CAB").certificate(CertificateVerdict::Valid),
    ] {
        let answer = lab.send(ask).await;
        assert_eq!(answer.line(), (200, 0, "OK"));
        assert_eq!(answer.header(ACCEPT_RANGES), "bytes");
        assert_eq!(answer.header(CONTENT_LENGTH), answer.body.len().to_string());
        let mut files = cab::read(&answer.body, &cab::Limits::default()).unwrap();
        let manifest = Manifest::parse(&files.remove(0).data).unwrap();
        assert_eq!(manifest.verify(&files), Ok(()));
    }
    let answer = lab.send(Ask::get(FILE)).await;
    assert_eq!(answer.line(), (403, 7, "Client certificate required"));
    // A bad token is not made good by the connection point's certificate.
    let ask = Ask::get(FILE).bearer(&aad::device_token()).certificate(CertificateVerdict::Valid);
    assert_eq!(lab.send(ask).await.line(), (401, 0, "Unauthorized"));
    assert!(matches!(lab.refused_token(), (TokenService::Content, TokenFault::WrongPurpose { .. })));
}

#[tokio::test]
async fn head_tells_the_length_and_sends_nothing() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    let whole = lab.send(Ask::get(FILE).bearer(&token)).await;
    let head = lab.send(Ask::new("HEAD", FILE).bearer(&token)).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header(CONTENT_LENGTH), whole.body.len().to_string());
    assert_eq!(head.header(ETAG), whole.header(ETAG));
    let answer = lab.send(Ask::new("POST", FILE).bearer(&token)).await;
    assert_eq!(answer.line(), (405, 0, "Method Not Allowed"));
}

#[tokio::test]
async fn ranges_put_together_are_the_file() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    let whole = lab.send(Ask::get(FILE).bearer(&token)).await;
    let half = whole.body.len() / 2;
    let ranges = [format!("bytes=0-{}", half - 1), format!("bytes={half}-")];
    let mut joined = Vec::new();
    for range in ranges {
        let ask = Ask::get(FILE).bearer(&token).header(RANGE, &range).header(IF_RANGE, whole.header(ETAG));
        let answer = lab.send(ask).await;
        assert_eq!(answer.line(), (206, 0, "Partial Content"));
        let end = joined.len() + answer.body.len() - 1;
        let expected = format!("bytes {}-{end}/{}", joined.len(), whole.body.len());
        assert_eq!(answer.header(CONTENT_RANGE), expected);
        joined.extend_from_slice(&answer.body);
    }
    assert_eq!(joined, whole.body);
    let last = ManagementPointEvent::ContentServed {
        path: FILE.to_owned(),
        status: 206,
        from: half as u64,
        bytes: (joined.len() - half) as u64,
        of: joined.len() as u64,
    };
    assert_eq!(lab.last(), last);
}

#[tokio::test]
async fn a_range_behind_the_end_is_refused() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    let length = lab.send(Ask::get(FILE).bearer(&token)).await.body.len();
    let answer = lab.send(Ask::get(FILE).bearer(&token).header(RANGE, &format!("bytes={length}-"))).await;
    assert_eq!(answer.line(), (416, 0, "Requested Range Not Satisfiable"));
    assert_eq!(answer.header(CONTENT_RANGE), format!("bytes */{length}"));
    assert_eq!(lab.refusal().0, 416);
}

#[tokio::test]
async fn other_files_are_found_or_not() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    let content = Content::client("5.00.9132.1000").unwrap().with_file("i386/readme.txt", "hello").unwrap();
    lab.mp.publish(content).await.unwrap();
    let answer = lab.send(Ask::get("/CCM_Client/I386/ReadMe.txt").bearer(&token)).await;
    assert_eq!((answer.status, answer.text()), (200, "hello"));
    for path in
        ["/CCM_Client/other.txt", "/CCM_Client/", "/CCM_Client/../CCM_STS", "/CCM_Client/%63cmsetup.cab"]
    {
        let answer = lab.send(Ask::get(path).bearer(&token)).await;
        assert_eq!(answer.line(), (404, 0, "Not Found"), "{path}");
    }
}

#[tokio::test]
async fn publishing_records_the_hash_and_counts_versions() {
    let lab = Lab::new().await;
    let first = lab.site.client_package().await.unwrap().unwrap();
    assert_eq!((first.package_id.as_str(), first.version), ("LAB00003", 1));
    lab.mp.publish(Content::client("5.00.9128.1000").unwrap()).await.unwrap();
    assert_eq!(lab.site.client_package().await.unwrap().unwrap(), first);
    let newer = Content::client("5.00.9132.1000").unwrap();
    let sha256 = newer.package_sha256();
    lab.mp.publish(newer).await.unwrap();
    let second = lab.site.client_package().await.unwrap().unwrap();
    assert_eq!((second.version, second.sha256), (2, sha256));
}

#[tokio::test]
async fn a_fault_flips_the_middle_byte_and_says_so() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    let good = lab.send(Ask::get(FILE).bearer(&token)).await.body;
    let rule = Rule {
        at: Point::Content,
        containing: "ccmsetup.cab".to_owned(),
        when: When::First(1),
        verdict: Verdict::FlipByte,
    };
    let _guard = lab.faults.install(rule);
    let head = lab.send(Ask::new("HEAD", FILE).bearer(&token)).await;
    assert_eq!(head.status, 200, "nothing to spoil");
    let bad = lab.send(Ask::get(FILE).bearer(&token)).await.body;
    let different: Vec<usize> = (0..good.len()).filter(|&at| good[at] != bad[at]).collect();
    assert_eq!((bad.len(), different), (good.len(), vec![good.len() / 2]));
    let applied = LabEvent::FaultApplied { point: "content".to_owned(), verdict: "flip-byte".to_owned() };
    let events = lab.events.snapshot();
    assert_eq!(events.iter().filter(|event| event.kind == Kind::Lab(applied.clone())).count(), 1);
    assert_eq!(lab.send(Ask::get(FILE).bearer(&token)).await.body, good, "the rule took the first only");
}
