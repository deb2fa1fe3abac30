//! Messages that cannot be taken.

use cmglab_events::kinds::ManagementPointEvent;
use cmglab_proto::ccm::payload::{deflate, utf16};
use cmglab_proto::ccm::{CONTENT_TYPE, Endpoint, ReplyMode};

use crate::aad;
use crate::clients::{Client, MESSAGES, ask, assert_dropped, message, raw};
use crate::lab::{Ask, Lab};

#[tokio::test]
async fn unreadable_messages_are_dropped_with_an_event_and_a_line() {
    let lab = Lab::new().await;
    let token = aad::device_token();
    let good = message(&lab, Endpoint::ClientRegistration, &Client::new(&lab).request(None));
    let mut bomb = good.clone();
    bomb.payload_bytes = deflate(&vec![b' '; 16 << 20]);
    let mut broken = good.clone();
    broken.payload_bytes = utf16("not zlib");
    for (content_type, body) in [
        bomb.encode(),
        broken.encode(),
        (CONTENT_TYPE.to_owned(), b"nothing of the kind".to_vec()),
        ("text/plain".to_owned(), good.encode().1),
        (CONTENT_TYPE.to_owned(), Vec::new()),
    ] {
        assert_dropped(&lab.send(raw(content_type, body, &token)).await);
        assert!(matches!(lab.last(), ManagementPointEvent::RegistrationInvalid { .. }));
        let log = lab.log("MP_RegistrationManager.log");
        let [first, _, failed, completed] = log.last_chunk().unwrap();
        assert_eq!(first, "MP Reg: Registration request body is invalid.");
        assert_eq!(failed, "MP Reg: Registration failed.");
        assert_eq!(completed, "MP Reg: Processing completed. Completion state = 0");
    }
    let answer = lab.send(ask(&good, &token)).await;
    assert!(!answer.body.is_empty(), "the good one is answered");
}

#[tokio::test]
async fn endpoints_that_are_not_built_drop_their_messages() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    for endpoint in [Endpoint::PolicyManager, Endpoint::Ddr, Endpoint::from_name("Nobody's]] \u{7}endpoint")]
    {
        let answer = lab.send(ask(&message(&lab, endpoint.clone(), "<A/>"), &token)).await;
        assert_dropped(&answer);
        assert!(matches!(lab.last(), ManagementPointEvent::MessageDropped { .. }), "{:?}", lab.last());
        let log = lab.log("MP_RegistrationManager.log");
        assert!(log.last().unwrap().contains("was dropped"), "{log:?}");
    }
}

#[tokio::test]
async fn an_asynchronous_message_is_done_and_answered_with_nothing() {
    let lab = Lab::new().await;
    let mut message = message(&lab, Endpoint::ClientRegistration, &Client::new(&lab).request(None));
    message.msg.reply_mode = ReplyMode::Async;
    assert_dropped(&lab.send(ask(&message, &aad::device_token())).await);
    assert!(matches!(lab.last(), ManagementPointEvent::Registered { .. }));
}

#[tokio::test]
async fn the_verb_and_the_size_are_checked_by_the_web_server() {
    let lab = Lab::with(|config| config.largest_message = 64 * 1024).await;
    let token = lab.ccm_token().await;
    let answer = lab.send(Ask::new("POST", MESSAGES).bearer(&token)).await;
    assert_eq!(answer.line(), (405, 0, "Method Not Allowed"));
    assert_eq!(answer.header(http::header::ALLOW), "CCM_POST");
    let answer = lab.send(raw(CONTENT_TYPE.to_owned(), vec![b'x'; 64 * 1024 + 1], &token)).await;
    assert_eq!(answer.line(), (413, 1, "Request Entity Too Large"));
    assert_eq!(lab.refusal(), (413, 1, "Request Entity Too Large".to_owned()));
    assert_dropped(&lab.send(raw(CONTENT_TYPE.to_owned(), vec![b'x'; 64 * 1024], &token)).await);
}
