//! Replies, judged by the rules that public clients apply (mp-wire §2).

use super::*;
use crate::ccm::multipart::{Spelling, join};
use crate::ccm::payload::{BOM, deflate, inflate, utf16, utf16_nul};

/// Reads a reply as the least forgiving of the public clients do.
fn strict_client(body: &[u8]) -> Result<String, &'static str> {
    let payload = second_part(body, "Content-Type: application/octet-stream")?;
    text_of(&inflate(payload, 1 << 20).map_err(|_| "no zlib stream")?)
}

fn second_part<'a>(body: &'a [u8], line: &str) -> Result<&'a [u8], &'static str> {
    let delimiter = format!("--{BOUNDARY}");
    let at: Vec<_> = (0..body.len()).filter(|at| body[*at..].starts_with(delimiter.as_bytes())).collect();
    let [0, second, last] = at[..] else { return Err("not two parts between the literal boundary") };
    if &body[last..] != format!("{delimiter}--").as_bytes() {
        return Err("something behind the last boundary");
    }
    one_line(&body[delimiter.len()..second], "Content-Type: text/plain; charset=UTF-16")?
        .strip_prefix(&BOM)
        .ok_or("header without byte order mark")?;
    one_line(&body[second + delimiter.len()..last], line)
}

fn one_line<'a>(part: &'a [u8], line: &str) -> Result<&'a [u8], &'static str> {
    let part = part.strip_prefix(b"\r\n").and_then(|part| part.strip_suffix(b"\r\n")).ok_or("line ends")?;
    let part = part.split_at_checked(line.len()).ok_or("too short")?;
    if !part.0.eq_ignore_ascii_case(line.as_bytes()) {
        return Err("another header line");
    }
    part.1.strip_prefix(b"\r\n\r\n").ok_or("more than one header line")
}

// Drops the last character without looking at it and parses what is left.
fn text_of(plain: &[u8]) -> Result<String, &'static str> {
    let units: Vec<u16> = plain.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    let text = String::from_utf16(&units[..units.len().saturating_sub(1)]).map_err(|_| "not UTF-16LE")?;
    if text.contains(['\0', '\u{feff}']) || !text.starts_with('<') || text.starts_with("<?") {
        return Err("a character too many in the text");
    }
    xml::parse(&text, &limits()).map_err(|_| "not XML once the last character is gone")?;
    Ok(text)
}

fn answer(request: &Msg) -> Reply {
    Reply::answering(request, MessageId::new(Uuid::from_u128(9)), time(), "MP1", vector("reply_xml"))
}

#[test]
fn the_reply_vector_is_read() {
    let body = vector_bytes("reply_body_hex");
    let reply = Reply::decode(CONTENT_TYPE, &body, &limits()).unwrap();
    assert_eq!(reply.payload, vector("reply_xml"));
    assert_eq!(strict_client(&body).as_deref(), Ok(vector("reply_xml")));
    let plain = inflate(&vector_bytes("reply_part1_hex"), 1 << 20).unwrap();
    assert_eq!(plain, utf16_nul(vector("reply_xml")));
}

#[test]
fn our_reply_pleases_the_strict_client() {
    let (content_type, body) = answer(&header(Endpoint::ClientRegistration)).encode();
    assert_eq!(content_type, CONTENT_TYPE);
    assert_eq!(multipart::boundary(CONTENT_TYPE), Ok(BOUNDARY));
    assert_eq!(strict_client(&body).as_deref(), Ok(vector("reply_xml")));
}

#[test]
fn the_strict_client_notices_every_deviation() {
    let xml = vector("reply_xml");
    let head = [&BOM[..], &utf16("<Msg/>")].concat();
    let judge = |plain: &[u8]| strict_client(&join(Spelling::Reply, &head, &deflate(plain)).1);
    assert!(judge(&utf16_nul(xml)).is_ok());
    assert!(judge(&utf16(xml)).is_err(), "no NUL");
    assert!(judge(&[utf16_nul(xml), vec![0, 0]].concat()).is_err(), "two NULs");
    assert!(judge(&[&BOM[..], &utf16_nul(xml)].concat()).is_err(), "byte order mark");
    assert!(judge(&[utf16_nul(xml), b"\r\n".to_vec()].concat()).is_err(), "line end behind the NUL");
    assert!(judge(&utf16_nul(&format!("<?xml version=\"1.0\"?>{xml}"))).is_err(), "declaration");

    let line = "Content-Type: text/plain; charset=UTF-16\r\n";
    let binary = "Content-Type: application/octet-stream\r\n";
    let zlib = deflate(&utf16_nul(xml));
    let framed =
        |second: &str, tail| strict_client(&frame(BOUNDARY, &[(line, &head), (second, &zlib)], tail));
    assert!(framed(binary, "").is_ok());
    assert!(framed(binary, "\r\n").is_err(), "line end behind the last boundary");
    assert!(framed(&format!("{binary}Content-Length: 9\r\n"), "").is_err(), "two header lines");
    assert!(framed("Content-Type: application/octet-stream; x=y\r\n", "").is_err(), "a parameter");
}

#[test]
fn a_reply_is_plain_when_the_request_wants_it() {
    let mut request = header(Endpoint::PolicyManager);
    request.reply_compression = Some(ReplyCompression::None);
    let (content_type, body) = answer(&request).encode();
    let payload = second_part(&body, "Content-Type: application/octet-stream").unwrap();
    assert_eq!(payload, utf16_nul(vector("reply_xml")));
    assert_eq!(Reply::decode(&content_type, &body, &limits()).unwrap().payload, vector("reply_xml"));

    for (wish, hooks, compressed) in [
        (None, vec![], false),
        (None, vec![Hook::zlib()], true),
        (Some(ReplyCompression::None), vec![Hook::zlib()], false),
        (Some(ReplyCompression::Zlib), vec![], true),
    ] {
        (request.reply_compression, request.hooks) = (wish, hooks);
        assert_eq!(answer(&request).msg.is_compressed(), compressed);
    }
}

#[test]
fn a_reply_is_addressed_to_where_the_request_wants_it() {
    let mut request = header(Endpoint::LocationManager);
    request.reply_to = "direct:LABPC1:LS_ReplyLocations".to_owned();
    let msg = answer(&request).msg;
    assert_eq!(msg.correlation, request.id);
    assert_eq!(msg.target_host, "LABPC1");
    assert_eq!(msg.target_endpoint.as_str(), "LS_ReplyLocations");
    assert!(msg.to_reply_xml().contains("<Hooks><Hook Name=\"zlib-compress\"/></Hooks>"));
    for (reply_to, host, endpoint) in [("direct:OSD", "OSD", "SccmMessaging"), ("", "", "SccmMessaging")] {
        request.reply_to = reply_to.to_owned();
        let msg = answer(&request).msg;
        assert_eq!((msg.target_host.as_str(), msg.target_endpoint.as_str()), (host, endpoint));
    }
}
