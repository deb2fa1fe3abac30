use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::chunks::Chunks;
use super::*;

/// What the framing makes of `bytes` when they come in pieces: each request's form and size.
fn requests(pieces: &[&[u8]]) -> (Vec<(Form, u64)>, Option<&'static str>) {
    let mut framing = Framing::default();
    for piece in pieces {
        framing.feed(piece);
    }
    let heads = std::iter::from_fn(|| framing.next_head());
    let found = heads.map(|head| (head.form, head.received.load(std::sync::atomic::Ordering::Relaxed)));
    (found.collect(), framing.broken())
}

fn form(lengths: u32, encodings: u32, exotic: bool) -> Form {
    Form { lengths, encodings, exotic }
}

#[test]
fn every_request_is_found_with_its_size() {
    let get = b"\r\nGET / HTTP/1.1\r\nHost:a\r\n\r\n".as_slice();
    let post = b"POST / HTTP/1.1\nContent-length: \t5 \n\nabcde".as_slice();
    let chunked =
        b"PUT / HTTP/1.1\r\ntransfer-ENCODING: Chunked\r\n\r\nA ;x=\"y\"\r\n0123456789\r\n0\r\nT: 1\r\n\r\n";
    let stream = [get, post, chunked, get].concat();
    let expected = vec![
        (form(0, 0, false), get.len() as u64),
        (form(1, 0, false), post.len() as u64),
        (form(0, 1, false), chunked.len() as u64),
        (form(0, 0, false), get.len() as u64),
    ];
    assert_eq!(requests(&[&stream]), (expected.clone(), None));
    assert_eq!(requests(&stream.chunks(1).collect::<Vec<_>>()), (expected, None));
}

#[test]
fn nothing_is_recognised_behind_an_ambiguity() {
    let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    for (fields, seen) in [
        ("Content-Length: 0\r\nContent-Length: 0\r\n", form(2, 0, false)),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", form(1, 1, false)),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", form(1, 1, false)),
        ("Transfer-Encoding: gzip, chunked\r\n", form(0, 1, true)),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", form(0, 2, false)),
        ("Content-Length: +0\r\n", form(1, 0, false)),
        ("Content-Length: \r\n", form(1, 0, false)),
    ] {
        let stream = format!("POST / HTTP/1.1\r\n{fields}\r\n0\r\n\r\n{next}");
        let (found, _broken) = requests(&[stream.as_bytes()]);
        assert_eq!(found.iter().map(|one| one.0).collect::<Vec<_>>(), [seen], "{fields:?}");
    }
    let sound = format!("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n{next}");
    assert_eq!(requests(&[sound.as_bytes()]).0.len(), 2);
}

#[test]
fn a_chunked_body_that_hyper_refuses_is_refused_here() {
    for (body, sound) in [
        ("0\r\n\r\n", true),
        ("3;x\r\nabc\r\n000\r\n\r\n", true),
        ("3\t \r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n", true),
        ("\r\n", false),
        ("x\r\n", false),
        ("3 3\r\n", false),
        ("3\nabc", false),
        ("3;a\nb\r\n", false),
        ("3\rabc", false),
        ("3\r\nabcd", false),
        ("3\r\nabc\n", false),
        ("0\r\n\rx", false),
        ("0\r\nA: b\rx", false),
        ("ffffffffffffffff0\r\n", false),
    ] {
        assert_eq!(Chunks::Start.follow(body.as_bytes()).is_ok(), sound, "{body:?}");
        let stream =
            format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}GET / HTTP/1.1\r\n\r\n");
        let (found, broken) = requests(&[stream.as_bytes()]);
        assert_eq!((found.len(), broken.is_some()), (if sound { 2 } else { 1 }, !sound), "{body:?}");
    }
    // A bare line feed ends no line of a trailer, and so hides no request.
    let (at, used) = Chunks::Start.follow(b"0\r\nA: b\n\nGET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!((at, used), (Chunks::End, 27));
}

#[test]
fn a_head_without_end_is_not_kept() {
    let mut framing = Framing::default();
    framing.feed(b"GET / HTTP/1.1\r\nA: ");
    for _ in 0..40 {
        framing.feed(&[b'a'; 8 * 1024]);
    }
    framing.feed(b"\r\n\r\n");
    assert!(framing.next_head().is_none());
}

#[tokio::test]
async fn an_answer_is_told_when_it_is_handed_over() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = || -> Tell {
        let told = Arc::clone(&told);
        Box::new(move |bytes| told.lock().unwrap().push(bytes))
    };
    let (near, mut far) = tokio::io::duplex(1024);
    let (mut wire, ledger) = Wire::new(near);
    let _head = ledger.next_head();
    ledger.answered(tell());
    wire.write_all(b"12345").await.unwrap();
    assert!(told.lock().unwrap().is_empty());
    wire.flush().await.unwrap();
    assert_eq!(*told.lock().unwrap(), [Some(5)]);

    // Two at once cannot be told apart; the one after them can.
    for _ in 0..2 {
        let _head = ledger.next_head();
        ledger.answered(tell());
    }
    wire.write_all(b"1234567").await.unwrap();
    wire.flush().await.unwrap();
    let _head = ledger.next_head();
    wire.write_all(b"123").await.unwrap();
    ledger.answered(tell());
    wire.flush().await.unwrap();
    assert_eq!(told.lock().unwrap()[1..], [None, None, Some(3)]);

    // A connection that dies in the middle of an answer: what went out counts.
    let _head = ledger.next_head();
    wire.write_all(b"12").await.unwrap();
    wire.flush().await.unwrap();
    drop(wire);
    ledger.answered(tell());
    assert_eq!(told.lock().unwrap().last(), Some(&Some(2)));
    let mut all = Vec::new();
    far.read_to_end(&mut all).await.unwrap();
    assert_eq!(all.len(), 17);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_given_up_and_a_slow_one_is_not() {
    let (near, mut far) = tokio::io::duplex(4);
    let (mut wire, _ledger) = Wire::new(near);
    let slow = async {
        let mut taken = [0; 4];
        for _ in 0..3 {
            tokio::time::sleep(std::time::Duration::from_secs(100)).await;
            far.read_exact(&mut taken).await.unwrap();
        }
    };
    let (written, ()) = tokio::join!(wire.write_all(b"twelve bytes"), slow);
    written.unwrap();
    let error = wire.write_all(b"nobody reads").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

/// A sound request, by what kind of body it has.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let chunk = vec(any::<u8>(), 1..20).prop_map(|data| {
        let size = format!("{:x}\r\n", data.len());
        [size.as_bytes(), &data, b"\r\n"].concat()
    });
    let length = vec(any::<u8>(), 0..40).prop_map(|data| {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", data.len());
        [head.as_bytes(), &data].concat()
    });
    let chunked = vec(chunk, 0..4).prop_map(|chunks| {
        let head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n".as_slice();
        [head, &chunks.concat(), b"0\r\n\r\n"].concat()
    });
    let bare = Just(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
    prop_oneof![length, chunked, bare]
}

proptest! {
    #[test]
    fn sound_requests_are_found_however_they_are_cut(
        all in vec(request(), 1..6),
        cuts in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let stream = all.concat();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        at.extend([0, stream.len()]);
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let (found, broken) = requests(&pieces);
        prop_assert_eq!(broken, None);
        let sizes: Vec<u64> = all.iter().map(|one| one.len() as u64).collect();
        prop_assert_eq!(found.iter().map(|one| one.1).collect::<Vec<_>>(), sizes);
    }

    #[test]
    fn nothing_that_comes_in_makes_it_panic(pieces in vec(vec(any::<u8>(), 0..60), 0..6)) {
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        requests(&pieces);
        let mut chunked = vec![b"P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice()];
        chunked.extend(pieces);
        requests(&chunked);
    }
}
