//! Requests: the vector, every variant of mp-wire §1.2, and our own form.

use super::*;
use crate::ccm::payload::{deflate, utf16, utf16_nul};

const PAYLOAD: &str = "<ClientIDRequest><Identification/></ClientIDRequest>";
const HEADER: &str = "content-type: text/plain; charset=UTF-16\r\n";
const BINARY: &str = "content-type: application/octet-stream\r\n";

fn minimal_header(hooks: &str, length: usize) -> Vec<u8> {
    let xml = format!(
        "<Msg><ID>{{5DD100CD-DF1D-45F5-BA17-A327F43465F8}}</ID><Body Type=\"ByteRange\" Length=\"{length}\" \
         Offset=\"0\"/><Hooks>{hooks}</Hooks><TargetAddress>mp:[http]mp_locationmanager</TargetAddress></Msg>"
    );
    [&payload::BOM[..], &utf16(&xml)].concat()
}

fn decode(body: &[u8]) -> Request {
    Request::decode(CONTENT_TYPE, body, &limits()).unwrap()
}

#[test]
fn the_registration_vector_is_read() {
    let request = decode(&vector_bytes("registration_request_body_hex"));
    assert_eq!(request.msg.target_endpoint, Endpoint::ClientRegistration);
    assert_eq!(request.msg.id.braced(), "{5DD100CD-DF1D-45F5-BA17-A327F43465F8}");
    assert_eq!(request.msg.body.unwrap().length as u64, VECTORS["registration_msg_length"].as_u64().unwrap());
    assert_eq!(request.length_mismatch, None);
    assert!(request.payload.contains(vector("registration_data_xml")));
    assert_eq!(request.msg.sent_time, Some(time()));
    assert_eq!(request.msg.source_id, None);
}

#[test]
fn our_header_is_the_vectors_header() {
    let body = vector_bytes("registration_request_body_hex");
    let request = decode(&body);
    let ours = request.encode().1;
    assert_eq!(ours, body, "a decoded request is written back byte for byte");
    let fresh = Request::new(request.msg.clone(), &request.payload);
    assert_eq!(
        payload::inflate(&fresh.payload_bytes, 1 << 20),
        payload::inflate(&request.payload_bytes, 1 << 20)
    );
    assert_eq!(fresh.msg, request.msg);
}

#[test]
fn the_canonical_payload_has_nul_and_line_end_behind_the_text() {
    let request = Request::new(header(Endpoint::LocationManager), "<A/>");
    assert_eq!(request.payload_bytes[..2], [0x78, 0x9c]);
    assert_eq!(request.msg.body, Some(ByteRange { offset: 0, length: 10 }));
    let plain = payload::inflate(&request.payload_bytes, 100).unwrap();
    assert_eq!(plain, b"<\0A\0/\0>\0\0\0\r\n");
}

#[test]
fn every_spelling_of_the_content_type_is_read() {
    for content_type in [
        "multipart/mixed; boundary=\"XyZ\"",
        "multipart/mixed; boundary=XyZ",
        "Multipart/Mixed;BOUNDARY=XyZ",
        "multipart/form-data; charset=\"a;b\"; boundary=\"XyZ\"; x=y",
    ] {
        assert_eq!(multipart::boundary(content_type), Ok("XyZ"), "{content_type}");
    }
    let not = |text| multipart::boundary(text).unwrap_err();
    assert!(matches!(not("text/xml; boundary=XyZ"), CcmError::NotMultipart { .. }));
    for content_type in ["multipart/mixed", "multipart/mixed; boundary=", "multipart/mixed; boundary=\"X"] {
        assert_eq!(not(content_type), CcmError::NoBoundary, "{content_type}");
    }
    assert_eq!(not(&format!("multipart/mixed; boundary={}", "b".repeat(71))), CcmError::NoBoundary);
}

#[test]
fn compressed_without_line_end_is_read() {
    let plain = utf16_nul(PAYLOAD);
    let head = minimal_header("<Hook3 Name=\"zlib-compress\"/>", plain.len());
    for tail in ["", "\r\n"] {
        let request = decode(&frame(BOUNDARY, &[(HEADER, &head), (BINARY, &deflate(&plain))], tail));
        assert_eq!(request.payload, PAYLOAD);
        assert_eq!(request.length_mismatch, None);
        assert_eq!(request.msg.target_endpoint, Endpoint::LocationManager);
    }
}

#[test]
fn every_name_of_a_hook_element_counts() {
    let plain = utf16_nul(PAYLOAD);
    for element in ["Hook", "Hook1", "Hook2", "Hook3"] {
        let head = minimal_header(&format!("<{element} Name=\"zlib-compress\"/>"), plain.len());
        let body = frame(BOUNDARY, &[(HEADER, &head), (BINARY, &deflate(&plain))], "");
        assert_eq!(decode(&body).payload, PAYLOAD, "{element}");
    }
}

#[test]
fn raw_payloads_are_read() {
    let line_end = format!("{PAYLOAD}\r\n");
    let variants = [
        // A search for distribution points: a second NUL, the length of the text alone.
        ("content-type: text/plain; charset=UTF-16\r\n", [utf16_nul(PAYLOAD), vec![0, 0]].concat()),
        // Boot media: no part header, a line end in the text, three NULs.
        ("", [utf16(&line_end), vec![0, 0, 0]].concat()),
        // A byte order mark, no NUL at all.
        (BINARY, [payload::BOM.to_vec(), utf16(PAYLOAD)].concat()),
    ];
    for (headers, bytes) in variants {
        let head = minimal_header("", 2 * PAYLOAD.len());
        let request = decode(&frame(BOUNDARY, &[(HEADER, &head), (headers, &bytes)], ""));
        assert_eq!(request.payload, PAYLOAD);
        assert_eq!(request.payload_bytes, bytes);
    }
}

#[test]
fn a_wrong_length_is_told_and_not_refused() {
    let head = minimal_header("", 1234);
    let request = decode(&frame(BOUNDARY, &[(HEADER, &head), (BINARY, &utf16_nul(PAYLOAD))], ""));
    let actual = 2 * PAYLOAD.len() + 2;
    assert_eq!(request.length_mismatch, Some(LengthMismatch { declared: 1234, actual }));
}

#[test]
fn form_data_with_another_boundary_is_read() {
    let head = &minimal_header("", 0)[2..];
    let parts = [
        (
            "Content-Disposition: form-data; name=\"Msg\"\r\nContent-Type: text/plain; charset=UTF-16\r\n",
            head,
        ),
        ("Content-Disposition: form-data; name=\"RequestAssignments\"\r\n", &utf16_nul(PAYLOAD)),
    ];
    let body = frame("8e4a2c", &parts, "\r\n");
    let request = Request::decode("multipart/mixed; boundary=8e4a2c", &body, &limits()).unwrap();
    assert_eq!(request.payload, PAYLOAD);
    let [first, _] = multipart::split(&body, "8e4a2c").unwrap();
    assert_eq!(first.header("content-disposition"), Some("form-data; name=\"Msg\""));
    assert_eq!(first.header("CONTENT-TYPE"), Some("text/plain; charset=UTF-16"));
}

#[test]
fn a_boundary_inside_a_payload_is_no_boundary() {
    // Bytes that begin like the delimiter and go on.
    let lookalike = format!("\r\n--{BOUNDARY}x");
    let body = frame(BOUNDARY, &[(HEADER, b"head"), (BINARY, lookalike.as_bytes())], "");
    let [_, payload] = multipart::split(&body, BOUNDARY).unwrap();
    assert_eq!(payload.body, lookalike.as_bytes());
}

#[test]
fn a_message_has_two_parts() {
    let head = minimal_header("", 0);
    let part = (BINARY, &utf16_nul(PAYLOAD)[..]);
    let parts = [(HEADER, &head[..]), part, part, part];
    for (count, found) in [(1, 1), (3, 3), (4, 3)] {
        let body = frame(BOUNDARY, &parts[..count], "");
        let error = Request::decode(CONTENT_TYPE, &body, &limits()).unwrap_err();
        assert_eq!(error, CcmError::PartCount { found });
    }
    assert!(Request::decode(CONTENT_TYPE, &frame(BOUNDARY, &parts[..2], ""), &limits()).is_ok());
}

#[test]
fn attachments_are_cut_out_of_one_payload() {
    let name = "{00000000-0000-0000-0000-000000000003}";
    let sent =
        Request::with_attachments(header(Endpoint::Ddr), "<Report/>", &[(name, "<Report>all</Report>")]);
    let (content_type, body) = sent.encode();
    let request = Request::decode(&content_type, &body, &limits()).unwrap();
    assert_eq!(request, sent);
    assert_eq!(request.attachment(name), Some("<Report>all</Report>"));
    assert_eq!(request.attachment("{other}"), None);

    // Without a NUL between the documents only the range tells where the first one ends.
    let mut joined = sent.clone();
    joined.msg.hooks.clear();
    joined.payload_bytes = utf16("<Report/><Report>all</Report>");
    joined.msg.body = Some(ByteRange { offset: 0, length: 18 });
    joined.msg.attachments[0].range = ByteRange { offset: 18, length: 40 };
    assert_eq!(Request::decode(&content_type, &joined.encode().1, &limits()), Ok(joined));

    let mut outside = sent;
    outside.msg.attachments[0].range.length += 1000;
    let error = Request::decode(&content_type, &outside.encode().1, &limits()).unwrap_err();
    assert!(matches!(error, CcmError::BadValue { .. }), "{error}");
}

#[test]
fn the_header_is_read_by_name_and_each_name_once() {
    let text = "<Msg ReplyCompression='none'><TargetEndpoint>MP_PolicyManager</TargetEndpoint>\
                <SourceID>guid:5dd100cd-df1d-45f5-ba17-a327f43465f8</SourceID><ReplyMode>ASync</ReplyMode>\
                <ID>5dd100cd-df1d-45f5-ba17-a327f43465f8</ID></Msg>";
    let msg = Msg::parse(text, &limits()).unwrap();
    assert_eq!(msg.source_client(), Some(client()));
    assert_eq!(msg.reply_mode, ReplyMode::Async);
    assert!(!msg.wants_compressed_reply());
    assert!(msg.target_endpoint.is_client_signed());

    let doubled = text.replace("</Msg>", "<SourceID/></Msg>");
    assert_eq!(Msg::parse(&doubled, &limits()), Err(CcmError::Ambiguous { name: "SourceID".to_owned() }));
    let nowhere = text.replace("TargetEndpoint>", "Elsewhere>");
    assert!(matches!(Msg::parse(&nowhere, &limits()), Err(CcmError::Missing { .. })));
    let not_a_guid = text.replace("guid:5dd", "guid:'--");
    assert!(matches!(Msg::parse(&not_a_guid, &limits()), Err(CcmError::BadValue { .. })));
    let user = Msg::parse(&text.replace("guid:5dd", "UID:5dd"), &limits()).unwrap();
    assert_eq!(user.source_client(), None);
    assert!(matches!(user.source_id, Some(SourceId::Other(_))));
}

#[test]
fn doubled_hooks_and_properties_are_refused() {
    let hooks = |inner: &str| {
        let text = format!(
            "<Msg><ID>{}</ID><Hooks>{inner}</Hooks><TargetEndpoint>x</TargetEndpoint></Msg>",
            Uuid::nil()
        );
        Msg::parse(&text, &limits())
    };
    let auth =
        "<Hook2 Name='clientauth'><Property Name='Token'><![CDATA[ClientToken:{x}]]></Property></Hook2>";
    assert_eq!(
        hooks(auth).unwrap().client_auth().unwrap().unwrap().token.as_deref(),
        Some("ClientToken:{x}")
    );
    assert!(matches!(hooks(&auth.repeat(2)), Err(CcmError::Ambiguous { .. })));
    let property = "<Property Name='A'>1</Property>";
    assert!(hooks(&format!("<Hook Name='h'>{property}</Hook>")).is_ok());
    assert!(matches!(
        hooks(&format!("<Hook Name='h'>{property}{property}</Hook>")),
        Err(CcmError::Ambiguous { .. })
    ));
}
