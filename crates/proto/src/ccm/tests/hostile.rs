//! Input that is meant to hurt: each is refused with its own cause, nothing panics.

use proptest::prelude::*;

use super::*;
use crate::ccm::location::{ContentLocationReply, LocationRequest, SiteInfoReply};
use crate::ccm::payload::{deflate, utf16_nul};

fn decode(body: &[u8]) -> Result<Request, CcmError> {
    Request::decode(CONTENT_TYPE, body, &limits())
}

fn with_payload(bytes: &[u8]) -> Vec<u8> {
    let mut request = Request::new(header(Endpoint::LocationManager), "<A/>");
    request.payload_bytes = bytes.to_vec();
    request.encode().1
}

#[test]
fn a_zlib_bomb_is_cut_off() {
    let limit = limits().inflated;
    let bomb = deflate(&vec![b'A'; limit + 2]);
    assert!(bomb.len() < 20_000);
    assert_eq!(decode(&with_payload(&bomb)), Err(CcmError::InflatedTooLarge { limit }));
    let fits = deflate(&vec![b'A'; limit]);
    assert!(decode(&with_payload(&fits)).is_ok());
}

#[test]
fn broken_streams_are_refused() {
    let good = deflate(&utf16_nul("<A/>"));
    assert!(decode(&with_payload(&good)).is_ok());
    assert_eq!(decode(&with_payload(&good[..good.len() - 5])), Err(CcmError::BadZlib), "cut short");
    assert_eq!(decode(&with_payload(&utf16_nul("<A/>"))), Err(CcmError::BadZlib), "not compressed");
    assert_eq!(decode(&with_payload(b"")), Err(CcmError::BadZlib), "empty");
    let mut flipped = good;
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert_eq!(decode(&with_payload(&flipped)), Err(CcmError::BadZlib), "wrong checksum");
}

#[test]
fn a_long_body_is_refused_unread() {
    let limit = limits().body;
    let body = vec![b'-'; limit + 1];
    assert_eq!(decode(&body), Err(CcmError::BodyTooLarge { actual: limit + 1, limit }));
    assert!(matches!(decode(&body[..limit]), Err(CcmError::Framing { .. })));
}

#[test]
fn framing_must_be_complete() {
    let good = with_payload(&deflate(&utf16_nul("<A/>")));
    assert!(decode(&good).is_ok());
    assert!(matches!(decode(&good[..good.len() - 2]), Err(CcmError::Framing { .. })), "not closed");
    assert!(matches!(decode(&[b"x", &good[..]].concat()), Err(CcmError::Framing { .. })), "preamble");
    assert!(matches!(decode(b""), Err(CcmError::Framing { .. })), "empty");
    let other = Request::decode("multipart/mixed; boundary=other", &good, &limits());
    assert!(matches!(other, Err(CcmError::Framing { .. })), "another boundary");
    let part = frame(BOUNDARY, &[("no colon\r\n", b"x"), ("", b"y")], "");
    assert_eq!(decode(&part), Err(CcmError::PartHeader { part: 0 }));
}

#[test]
fn text_must_be_utf16() {
    let payload = |bytes: &[u8]| payload::decode(bytes, "payload").map(|decoded| decoded.text);
    let bad = Err(CcmError::BadUtf16 { part: "payload" });
    assert_eq!(payload(b"<\0A\0").as_deref(), Ok("<A"));
    assert_eq!(payload(b"<\0A"), bad, "odd length");
    assert_eq!(payload(&[0x00, 0xd8, b'A', 0]), bad, "lone surrogate");
    assert_eq!(payload(&[0xfe, 0xff, 0, b'<']), bad, "big-endian");
    assert_eq!(payload(&[0x3d, 0xd8, 0x00, 0xde]).as_deref(), Ok("\u{1f600}"), "surrogate pair");
    assert_eq!(payload(b"<\0\0\0\x00\xd8").as_deref(), Ok("<"), "nothing counts behind the NUL");
}

#[test]
fn deep_and_wide_documents_are_refused() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(xml::parse(&nested(32), &limits()).is_ok());
    for depth in [33, 100_000] {
        assert_eq!(xml::parse(&nested(depth), &limits()).unwrap_err(), CcmError::TooDeep { limit: 32 });
    }
    let unclosed = "<a>".repeat(100_000);
    assert_eq!(xml::parse(&unclosed, &limits()).unwrap_err(), CcmError::TooDeep { limit: 32 });

    let wide = |count: usize| format!("<r>{}</r>", "<a/>".repeat(count));
    assert!(xml::parse(&wide(limits().xml_elements - 1), &limits()).is_ok());
    let error = xml::parse(&wide(limits().xml_elements), &limits()).unwrap_err();
    assert_eq!(error, CcmError::TooMany { what: "XML elements", limit: limits().xml_elements });

    let attributes = |count: usize| {
        let all: String = (0..count).map(|n| format!(" a{n}='1'")).collect();
        format!("<r{all}/>")
    };
    assert!(xml::parse(&attributes(64), &limits()).is_ok());
    assert!(matches!(xml::parse(&attributes(65), &limits()), Err(CcmError::TooMany { .. })));
}

#[test]
fn counted_things_have_a_limit() {
    let msg = |hooks: &str, rest: &str| {
        let text = format!(
            "<Msg><ID>{}</ID><Hooks>{hooks}</Hooks><TargetEndpoint>x</TargetEndpoint>{rest}</Msg>",
            Uuid::nil()
        );
        Msg::parse(&text, &limits())
    };
    let hooks = |count: usize| (0..count).map(|n| format!("<Hook Name='{n}'/>")).collect::<String>();
    let properties = |count: usize| {
        let all: String = (0..count).map(|n| format!("<Property Name='{n}'/>")).collect();
        format!("<Hook Name='x'>{all}</Hook>")
    };
    let attachments = |count: usize| "<Attachment Name='x' Offset='0' Length='0'/>".repeat(count);
    assert!(msg(&hooks(16), &attachments(64)).is_ok() && msg(&properties(32), "").is_ok());
    for refused in [msg(&hooks(17), ""), msg(&properties(33), ""), msg("", &attachments(65))] {
        assert!(matches!(refused, Err(CcmError::TooMany { .. })));
    }
}

#[test]
fn what_xml_can_do_and_messages_do_not_is_refused() {
    let refused = |text: &str| matches!(xml::parse(text, &limits()), Err(CcmError::BadXml { .. }));
    for good in [
        "<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<a/>",
        "<a b='&lt;&#65;'>&amp;<![CDATA[<mp>]]></a>",
        "<a><!-- x --></a>\n",
    ] {
        assert!(xml::parse(good, &limits()).is_ok(), "{good}");
    }
    for bad in [
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
        "<?run it?><a/>",
        "<a><?xml version=\"1.0\"?></a>",
        "<a>&x;</a>",
        "<a>&nbsp;</a>",
        "<a b='&x;'/>",
        "<a>&#0;</a>",
        "<a>&#1;</a>",
        "<a b='&#1;'/>",
        "<a>\u{1}</a>",
        "<a b='<'/>",
        "<a b='1' b='2'/>",
        "<a b=1/>",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><a/>",
        "<a/>x",
        "x<a/>",
        "< a/>",
        "",
    ] {
        assert!(refused(bad), "{bad}");
    }
}

#[test]
fn errors_quote_little_of_what_they_refuse() {
    let long = "x".repeat(10_000);
    let text = format!("<Msg ReplyCompression='{long}'><ID>{}</ID></Msg>", Uuid::nil());
    for text in [text, format!("<{long}/>"), format!("<Msg><{long}></Msg>")] {
        let message = Msg::parse(&text, &limits()).unwrap_err().to_string();
        assert!(message.len() < 300, "{message}");
    }
}

#[test]
fn debug_output_keeps_secrets() {
    let mut request = Request::new(header(Endpoint::TokenManager), "<Token>s3cret</Token>");
    request.sign(&*KEY, "LABPC1", Some(client())).unwrap();
    let signature = request.msg.client_auth().unwrap().unwrap().payload_signature.unwrap();
    let reply = Reply::answering(&request.msg, MessageId::zero(), time(), "MP1", "<Token>s3cret</Token>");
    for shown in [format!("{request:?}"), format!("{reply:?}"), format!("{:?}", request.msg.client_auth())] {
        assert!(!shown.contains("s3cret") && !shown.contains(&signature[..32]), "{shown}");
    }
}

fn read_everything(text: &str) {
    let limits = limits();
    let _ = Msg::parse(text, &limits);
    let _ = ClientRegistrationRequest::parse(text, &limits);
    let _ = ClientRegistrationResponse::parse(text, &limits);
    let _ = LocationRequest::parse(text, &limits);
    let _ = SiteInfoReply::parse(text, &limits);
    let _ = ContentLocationReply::parse(text, &limits);
}

proptest! {
    #[test]
    fn bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..512), kind in ".{0,80}") {
        let _ = decode(&body);
        let _ = Request::decode(&kind, &body, &limits());
        let _ = Request::decode(&format!("multipart/mixed; {kind}"), &body, &limits());
        let _ = decode(&frame(BOUNDARY, &[("", &body), ("", &body)], ""));
        let _ = decode(&with_payload(&body));
        let _ = sign::PublicKey::from_blob(&body);
        let _ = sign::PublicKey::from_der(&body);
    }

    #[test]
    fn a_damaged_message_never_panics(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let mut body = vector_bytes("registration_request_body_hex");
        let at = at.index(body.len());
        body[at] = byte;
        let _ = decode(&body);
        body.truncate(cut.index(body.len()));
        let _ = decode(&body);
    }

    #[test]
    fn markup_never_panics(text in "([<>/=&;'\"!?\\[\\]#a \u{e9}-]|Msg|<Data|</Data>|<!\\[CDATA\\[|&#x|<a b='c'>){0,40}") {
        read_everything(&text);
        read_everything(&format!("<ClientRegistrationRequest>{text}</ClientRegistrationRequest>"));
        if let Ok(root) = xml::parse(&text, &limits()) {
            prop_assert_eq!(&text[root.span()], text[root.span()].trim());
            let again = xml::parse(&root.to_xml(), &limits()).unwrap();
            prop_assert_eq!(again.to_xml(), root.to_xml());
        }
    }

    #[test]
    fn messages_survive_the_wire(
        payload in "<[a-z]{1,9}>[ -~\u{e9}\u{1f600}]{0,40}</a>",
        texts in proptest::collection::vec("[!-~]([ -~\t\n\r\u{e9}\u{1f600}]{0,20}[!-~])?", 5),
        (id, priority, timeout_ms, compressed, offset) in any::<(u128, u8, u32, bool, u32)>(),
    ) {
        let mut msg = header(Endpoint::from_name(&texts[0]));
        msg.id = MessageId::new(Uuid::from_u128(id));
        (msg.priority, msg.timeout_ms) = (priority, timeout_ms);
        msg.sent_time = Timestamp::from_second(i64::from(offset)).ok();
        msg.source_id = Some(SourceId::Other(format!("UID:{}", texts[1])));
        msg.source_host.clone_from(&texts[2]);
        msg.allow_registration_reset = Some(texts[3].clone());
        if !compressed {
            msg.hooks.clear();
        }
        msg.hooks.push(Hook { name: texts[4].clone(), properties: vec![(texts[1].clone(), texts[2].clone())] });
        let sent = Request::new(msg, &payload);
        let (content_type, body) = sent.encode();
        prop_assert_eq!(Request::decode(&content_type, &body, &limits()).unwrap(), sent);
    }

    #[test]
    fn replies_survive_the_wire(payload in "<[ -~\u{e9}\u{1f600}]{0,60}>", compressed: bool) {
        let mut request = header(Endpoint::LocationManager);
        request.reply_compression = Some(if compressed { ReplyCompression::Zlib } else { ReplyCompression::None });
        let reply = Reply::answering(&request, MessageId::zero(), time(), "MP1", &payload);
        let (content_type, body) = reply.encode();
        prop_assert_eq!(Reply::decode(&content_type, &body, &limits()).unwrap(), reply);
    }

    #[test]
    fn hexadecimal_survives_the_wire(bytes: Vec<u8>) {
        prop_assert_eq!(from_hex(&sign::to_hex(&bytes)), Some(bytes.clone()));
        prop_assert_eq!(from_hex(&sign::to_hex(&bytes).to_lowercase()), Some(bytes));
    }
}
