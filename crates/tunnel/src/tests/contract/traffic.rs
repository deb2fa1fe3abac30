//! Requests and answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;

use crate::MESSAGE_PATH;
use crate::tests::lab::{Lab, Way, ask, ask_later, closed, echo, get, serve, within};

pub(super) async fn a_request_and_its_answer_cross_with_all_they_have(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let connector = lab.connector(serve(|request| async move {
        assert_eq!((request.method().as_str(), request.uri().path()), ("CCM_POST", MESSAGE_PATH));
        let header = request.headers().get("x-client").cloned().unwrap();
        let mut response = Response::new(Body::new(request.into_body()));
        *response.status_mut() = StatusCode::from_u16(990).unwrap();
        response.headers_mut().insert("x-server", header);
        response
    }));
    let _connector = connector.start();
    let up = gateway.channel().await;
    assert_eq!(up.transport, way.transport);
    let mut request = get(MESSAGE_PATH).map(|_| Body::from("hello"));
    *request.method_mut() = Method::from_bytes(b"CCM_POST").unwrap();
    request.headers_mut().insert("x-client", HeaderValue::from_static("value"));
    let response = up.channel.send(request).await.unwrap();
    assert_eq!(response.status().as_u16(), 990);
    assert_eq!(response.headers()["x-server"], "value");
    assert!(!response.headers().contains_key("date"), "no other clock than the lab's");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
}

pub(super) async fn many_requests_at_once_each_get_their_own_answer(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let _connector = lab.connector(echo()).start();
    let channel = gateway.channel().await.channel;
    let body = |nth: usize| format!("{nth} ").repeat(1000);
    let asked: Vec<_> =
        (0..200).map(|nth| ask_later(&channel, get("/").map(|_| Body::from(body(nth))))).collect();
    for (nth, answer) in asked.into_iter().enumerate() {
        let answer = within("an answer", answer).await.unwrap().unwrap();
        let answer = within("its body", answer.into_body().collect()).await.unwrap().to_bytes();
        assert!(answer == body(nth), "{nth}");
    }
}

pub(super) async fn a_hung_request_harms_no_other(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let _connector = lab.connector(hung_or_done()).start();
    let channel = gateway.channel().await.channel;
    // More of them than hyper would let be under way by default.
    let hung: Vec<_> = (0..300).map(|_| ask_later(&channel, get("/hung"))).collect();
    for _ in 0..20 {
        assert_eq!(ask(&channel, "/other").await, "done");
    }
    assert!(hung.iter().all(|one| !one.is_finished()));
}

/// As when clients of the gateway leave: more than HTTP/2 would take for good manners by default.
pub(super) async fn requests_given_up_all_at_once_harm_no_other(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    lab.between(&mut gateway).await;
    let _connector = lab.connector(hung_or_done()).start();
    let up = gateway.channel().await;
    for still in [true, false] {
        let between = gateway.between.as_ref().unwrap();
        if still {
            between.partition();
        }
        let left: Vec<_> = (0..300).map(|_| ask_later(&up.channel, get("/hung"))).collect();
        if still {
            // They get as far as the middlebox, and with them that they are given up.
            yield_often().await;
        } else {
            assert_eq!(ask(&up.channel, "/other").await, "done");
        }
        left.iter().for_each(tokio::task::JoinHandle::abort);
        yield_often().await;
        between.heal();
        assert_eq!(ask(&up.channel, "/other").await, "done");
    }
    assert_eq!(lab.count(closed), 0);
}

pub(super) async fn as_many_as_agreed_are_under_way_and_the_rest_wait(way: Way) {
    const AGREED: usize = crate::MOST_STREAMS as usize;
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let (came, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (counted, opened) = (Arc::clone(&came), Arc::clone(&gate));
    let connector = lab.connector(serve(move |_request| {
        let (counted, opened) = (Arc::clone(&counted), Arc::clone(&opened));
        async move {
            counted.fetch_add(1, Ordering::SeqCst);
            opened.acquire().await.unwrap().forget();
            Response::new(Body::empty())
        }
    }));
    let _connector = connector.start();
    let channel = gateway.channel().await.channel;
    let asked: Vec<_> = (0..AGREED + 10).map(|_| ask_later(&channel, get("/"))).collect();
    let all_came = |wanted| {
        let came = Arc::clone(&came);
        async move {
            while came.load(Ordering::SeqCst) < wanted {
                tokio::task::yield_now().await;
            }
        }
    };
    within("as many as agreed", all_came(AGREED)).await;
    gate.add_permits(5);
    within("five more", all_came(AGREED + 5)).await;
    assert_eq!(came.load(Ordering::SeqCst), AGREED + 5);
    gate.add_permits(AGREED + 5);
    for answer in asked {
        assert!(within("an answer", answer).await.unwrap().is_ok());
    }
}

async fn yield_often() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn hung_or_done() -> crate::Serve {
    serve(|request| async move {
        if request.uri().path() == "/hung" {
            std::future::pending::<()>().await;
        }
        Response::new(Body::from("done"))
    })
}
