//! Signatures: each is shown to verify, and to stop verifying when its bytes differ by a little.

use super::*;
use crate::ccm::payload::{utf16, utf16_nul};
use crate::ccm::registration::*;
use crate::ccm::sign::{HashAlgorithm, PublicKey, Signer, sign, sign_text, to_hex};

const SHA256: HashAlgorithm = HashAlgorithm::Sha256;

fn accepts(message: &[u8], signature: &str) -> bool {
    vector_key().verify(SHA256, message, signature, "vector").is_ok()
}

fn flipped(signature: &str) -> String {
    let mut bytes = from_hex(signature).unwrap();
    bytes[0] ^= 1;
    to_hex(&bytes)
}

#[test]
fn vector_signatures_verify_over_exactly_their_bytes() {
    let request =
        Request::decode(CONTENT_TYPE, &vector_bytes("registration_request_body_hex"), &limits()).unwrap();
    let data = vector("registration_data_xml");
    for (name, message) in [
        ("registration_signature", utf16(data)),
        ("client_id_signature", utf16_nul(vector("client_id"))),
        ("payload_signature_over_compressed", request.payload_bytes.clone()),
        ("client_token_signature", utf16_nul(vector("client_token_header"))),
    ] {
        let signature = vector(name);
        assert!(accepts(&message, signature), "{name}");
        assert!(accepts(&message, &signature.to_lowercase()), "{name}, lower case");
        assert!(!accepts(&message, &flipped(signature)), "{name}, one bit of the signature");
        assert!(!accepts(&[&message[..], &[0, 0]].concat(), signature), "{name}, one NUL more");
        assert!(!accepts(&[&payload::BOM[..], &message].concat(), signature), "{name}, byte order mark");
        let mut other = message.clone();
        other[0] ^= 1;
        assert!(!accepts(&other, signature), "{name}, one bit of the message");
    }
    let rewritten = data.replace("/>", " />");
    assert!(!accepts(&utf16(&rewritten), vector("registration_signature")), "written anew");
    assert!(!accepts(&utf16_nul(data), vector("registration_signature")), "with a NUL");
}

#[test]
fn signatures_that_are_no_signatures_are_refused() {
    for signature in ["", "AB", "xyz", "A", &"00".repeat(256), &"FF".repeat(256), &"ß".repeat(256)] {
        assert!(!accepts(b"x", signature), "{signature}");
    }
    assert_eq!(sign(&*KEY, b"x").unwrap().len(), 512);
}

#[test]
fn no_declared_hash_means_sha1() {
    let (text, sha1, sha256) =
        (vector("client_id"), vector("client_id_signature_sha1"), vector("client_id_signature"));
    let verify = |oid, signature| {
        vector_key().verify_text(HashAlgorithm::from_oid(oid).unwrap(), text, signature, "client id").is_ok()
    };
    assert!(verify(None, sha1) && verify(Some(HashAlgorithm::SHA256_OID), sha256));
    assert!(!verify(None, sha256) && !verify(Some(HashAlgorithm::SHA256_OID), sha1));
    let md5 = HashAlgorithm::from_oid(Some("1.2.840.113549.1.1.4"));
    assert!(matches!(md5, Err(CcmError::UnsupportedHash { .. })));
}

#[test]
fn public_key_blobs_are_read_and_written() {
    let blob = vector_bytes("publickeyblob_hex");
    assert_eq!(blob.len(), 276);
    assert_eq!(vector_key().to_blob().unwrap(), blob);
    assert_eq!(vector_key().bits(), 2048);

    let key = Signer::public_key(&*KEY).unwrap();
    assert_eq!(PublicKey::from_blob(&key.to_blob().unwrap()).unwrap(), key);
    for at in [0, 4, 8, 12, 275] {
        let mut bad = blob.clone();
        // Each field of the start in turn, then the top byte of the modulus.
        if at == 275 {
            bad[at] = 0
        } else {
            bad[at] ^= 0x55
        }
        assert!(matches!(PublicKey::from_blob(&bad), Err(CcmError::BadKey { .. })), "byte {at}");
    }
    for length in [0, 12, 19, 20, 275] {
        assert!(PublicKey::from_blob(&blob[..length]).is_err(), "{length} bytes");
    }
    assert!(PublicKey::from_der(&blob).is_err());
}

#[test]
fn short_keys_are_refused() {
    let mut blob = vec![0x06, 2, 0, 0, 0, 0xa4, 0, 0, b'R', b'S', b'A', b'1', 0, 4, 0, 0, 1, 0, 1, 0];
    blob.extend([0xff; 128]);
    assert!(PublicKey::from_blob(&blob).is_err(), "1024 bits");
    blob[13] = 8;
    blob.extend([0xff; 128]);
    assert!(PublicKey::from_blob(&blob).is_ok(), "2048 bits");
}

#[test]
fn a_signed_request_verifies_with_its_own_key_alone() {
    let mut msg = header(Endpoint::PolicyManager);
    msg.source_id = Some(SourceId::Client(client()));
    let mut sent = Request::new(msg, "<RequestAssignments/>");
    let (key, other) = (Signer::public_key(&*KEY).unwrap(), Signer::public_key(&*OTHER_KEY).unwrap());
    assert_eq!(sent.verify_payload(&key), Err(CcmError::NotSigned { what: "payload" }));
    sent.sign(&*KEY, "LABPC1", Some(client())).unwrap();

    let (content_type, body) = sent.encode();
    let mut request = Request::decode(&content_type, &body, &limits()).unwrap();
    assert_eq!(request, sent);
    assert_eq!(request.verify_payload(&key), Ok(()));
    assert_eq!(request.verify_client_id(&key), Ok(()));
    assert_eq!(request.verify_payload(&other), Err(CcmError::BadSignature { what: "payload" }));
    assert_eq!(request.verify_client_id(&other), Err(CcmError::BadSignature { what: "client id" }));

    let auth = request.msg.client_auth().unwrap().unwrap();
    assert_eq!(auth.public_key.unwrap(), to_hex(&key.to_blob().unwrap()));
    request.msg.source_id = Some(SourceId::Client(ClientGuid::new(Uuid::from_u128(1))));
    assert!(request.verify_client_id(&key).is_err(), "another client's id");
    request.payload_bytes.push(0);
    assert!(request.verify_payload(&key).is_err(), "one byte more");
}

#[test]
fn client_tokens_are_signed_as_text() {
    let key = Signer::public_key(&*KEY).unwrap();
    let text = vector("client_token_header");
    let signature = sign_text(&*KEY, text).unwrap();
    assert_eq!(key.verify_text(SHA256, text, &signature, "token"), Ok(()));
    assert!(key.verify_text(SHA256, &text.to_lowercase(), &signature, "token").is_err());
}

#[test]
fn the_registration_vector_verifies_over_its_raw_data() {
    let request =
        Request::decode(CONTENT_TYPE, &vector_bytes("registration_request_body_hex"), &limits()).unwrap();
    let registration = ClientRegistrationRequest::parse(&request.payload, &limits()).unwrap();
    assert_eq!(registration.raw_data(), vector("registration_data_xml"));
    assert_eq!(registration.verify_signature(&vector_key()), Ok(()));
    assert_eq!(registration.to_xml(), request.payload);
    assert!(registration.verify_signature(&Signer::public_key(&*KEY).unwrap()).is_err());

    let data = registration.data();
    assert_eq!((data.request_type, data.smsid), (RequestType::Registration, None));
    assert_eq!(data.property("Netbios Name"), Some("LABPC1"));
    let certificates = data.certificates.as_ref().unwrap();
    assert_eq!(certificates.signing, vector_bytes("cert_der_hex"));
    assert_eq!(certificates.encryption, certificates.signing);

    let changed = request.payload.replace("LABPC1", "LABPC2");
    let changed = ClientRegistrationRequest::parse(&changed, &limits()).unwrap();
    assert_eq!(
        changed.verify_signature(&vector_key()),
        Err(CcmError::BadSignature { what: "registration data" })
    );
    let spaced = request.payload.replace("/><", "/> <");
    let spaced = ClientRegistrationRequest::parse(&spaced, &limits()).unwrap();
    assert_eq!(spaced.data(), data, "the same to an XML reader");
    assert!(spaced.verify_signature(&vector_key()).is_err(), "and not the same text");
}

#[test]
fn signed_data_must_be_the_only_data() {
    let good = format!(
        "<ClientRegistrationRequest>{}<Signature><SignatureValue>{}</SignatureValue></Signature></ClientRegistrationRequest>",
        vector("registration_data_xml"),
        vector("registration_signature")
    );
    let parse = |text: &str| ClientRegistrationRequest::parse(text, &limits());
    assert!(parse(&good).is_ok());
    assert!(parse(&good.replace("<Signature>", "<DataX/><Signature>")).is_ok(), "another name");
    for bad in [
        good.replace("<Signature>", "<Data></Data><Signature>"),
        good.replace("<Signature>", "<Data/><Signature>"),
        good.replace("<Signature>", "<!--<Data >--><Signature>"),
        good.replace("<Signature>", "<![CDATA[</Data>]]><Signature>"),
        good.replace("<Signature>", "<X><Data\n>y</Data></X><Signature>"),
        good.replace("</Data>", "</Data >"),
        good.replace("</Data>", "</Data ><!--</Data>-->"),
    ] {
        assert_eq!(parse(&bad), Err(CcmError::Ambiguous { name: "Data".to_owned() }), "{bad}");
    }
    let hidden = good.replace("<Data ", "<X><Data ").replace("</Data>", "</Data></X>");
    assert!(matches!(parse(&hidden), Err(CcmError::Missing { .. })), "not at its place");
}
