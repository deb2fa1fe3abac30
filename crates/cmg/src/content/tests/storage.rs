use std::net::Ipv4Addr;

use aws_lc_rs::digest::{SHA256, digest};
use cmglab_events::kinds::CmgEvent;
use cmglab_net::{Listen, serve};
use http::Method;
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::{World, file};
use crate::Meter;
use crate::content::{ContentError, ContentStore, Storage, StorageConfig};

async fn links(world: &World) -> [String; 2] {
    let list = world.files().await;
    [0, 1].map(|nth| list.files[nth].link.expose().to_owned())
}

#[tokio::test]
async fn a_file_is_what_the_list_says_and_counts_as_egress() {
    let world = World::new();
    let list = world.files().await;
    let before = world.meter.total();
    let answer = world.fetch(list.files[0].link.expose(), &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(digest(&SHA256, &answer.body).as_ref(), list.files[0].sha256);
    assert_eq!(answer.headers["content-length"], "200000");
    assert_eq!(answer.headers["x-ms-blob-type"], "BlockBlob");
    assert_eq!(answer.headers["last-modified"], "Mon, 01 Mar 2027 12:00:00 GMT");
    assert!(world.meter.total() > before + 200_000);
    let served =
        |event: &CmgEvent| matches!(event, CmgEvent::BlobServed { status: 200, from: 0, bytes: 200_000, .. });
    assert!(world.told().iter().any(served));

    let before = world.meter.total();
    let head = world.begin(Method::HEAD, list.files[0].link.expose(), &[]).await;
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-length"]),
        (200, &"200000".parse().unwrap())
    );
    assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
    assert!(world.meter.total() - before < 1000);
}

#[tokio::test]
async fn an_interrupted_download_is_resumed_to_the_same_bytes() {
    let world = World::new();
    let [link, _] = links(&world).await;
    let response = world.begin(Method::GET, &link, &[]).await;
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    let mut body = response.into_body();
    let mut got = Vec::new();
    for _ in 0..2 {
        got.extend_from_slice(&body.frame().await.unwrap().unwrap().into_data().unwrap());
    }
    drop(body);
    assert!(!got.is_empty() && got.len() < 200_000);
    let cut = got.len() as u64;
    let told = world.told();
    assert!(
        told.iter().any(|event| matches!(event, CmgEvent::BlobServed { bytes, .. } if *bytes == cut)),
        "{told:?}"
    );

    let range = format!("bytes={}-", got.len());
    let rest = world.fetch(&link, &[("range", &range), ("if-range", &etag)]).await;
    assert_eq!(rest.status, 206);
    assert_eq!(rest.headers["content-range"], format!("bytes {cut}-199999/200000").as_str());
    got.extend_from_slice(&rest.body);
    assert_eq!(got, file(200_000));

    let changed = world.fetch(&link, &[("range", &range), ("if-range", "\"0x0\"")]).await;
    assert_eq!((changed.status, changed.body.len()), (200, 200_000));
    let wanted = world.fetch(&link, &[("range", &range), ("if-match", "\"0x0\"")]).await;
    assert_eq!(
        (wanted.status, &wanted.headers["x-ms-error-code"]),
        (412, &"ConditionNotMet".parse().unwrap())
    );
    assert_eq!(world.fetch(&link, &[("range", &range), ("if-match", &etag)]).await.status, 206);
    let known = world.fetch(&link, &[("if-none-match", &etag)]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
}

/// What an HTTP library makes of the answers: over a socket, one connection for all of them.
#[tokio::test]
async fn answers_end_where_they_say_over_a_socket() {
    let world = World::new();
    let [_, link] = links(&world).await;
    let target = link.strip_prefix(&format!("https://{}", world.storage.host())).unwrap();
    let bind = (Ipv4Addr::LOCALHOST, 0).into();
    let listen = Listen { host: world.storage.host(), port: 0, bind, shown_ip: None, tls: None };
    let port = serve(&world.deps(), listen, world.storage.router()).await.unwrap();
    let mut stream = TcpStream::connect(port.local_addr()).await.unwrap();
    let head = format!("{target} HTTP/1.1\r\nHost: {}\r\n", world.storage.host());
    let asked = format!(
        "HEAD {head}\r\nGET {head}Range: bytes=2-4\r\n\r\nGET {head}If-None-Match: *\r\n\r\nHEAD /none{head}\r\n\
         GET {head}Connection: close\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).await.unwrap();
    let text = String::from_utf8_lossy(&answers);
    let statuses: Vec<_> = text.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect();
    assert_eq!(statuses, ["200", "206", "304", "403", "200"], "{text}");
    assert!(answers.ends_with(&file(10)), "{text}");
}

#[tokio::test]
async fn ranges_are_cut_out_or_refused() {
    let world = World::new();
    let [_, link] = links(&world).await;
    for (range, status, part, content_range) in [
        ("bytes=0-3", 206, 0..4, "bytes 0-3/10"),
        ("bytes=-3", 206, 7..10, "bytes 7-9/10"),
        ("bytes=8-99", 206, 8..10, "bytes 8-9/10"),
    ] {
        let answer = world.fetch(&link, &[("range", range)]).await;
        assert_eq!(
            (answer.status, &answer.headers["content-range"]),
            (status, &content_range.parse().unwrap())
        );
        assert_eq!(answer.body, file(10).slice(part), "{range}");
    }
    let beyond = world.fetch(&link, &[("range", "bytes=10-")]).await;
    assert_eq!((beyond.status, &beyond.headers["content-range"]), (416, &"bytes */10".parse().unwrap()));
    assert!(beyond.text().contains("<Error><Code>InvalidRange</Code>"), "{}", beyond.text());
    assert_eq!(world.fetch(&link, &[("range", "bytes=0-1,3-4")]).await.status, 200);
}

#[tokio::test]
async fn a_signature_is_for_one_blob_and_every_part_of_it_counts() {
    let world = World::new();
    let [first, second] = links(&world).await;
    let (path, access) = first.split_once('?').unwrap();
    let (other_path, _) = second.split_once('?').unwrap();
    assert_eq!(world.fetch(&format!("{path}?{access}"), &[]).await.status, 200);
    let swapped = world.fetch(&format!("{other_path}?{access}"), &[]).await;
    assert_eq!(
        (swapped.status, &swapped.headers["x-ms-error-code"]),
        (403, &"AuthenticationFailed".parse().unwrap())
    );
    let start = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>AuthenticationFailed</Code><Message>";
    assert!(swapped.text().starts_with(start), "{}", swapped.text());

    let signature = access.rsplit_once("sig=").unwrap().1;
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let altered = [
        access.replace("sp=r", "sp=rw"),
        access.replace("sr=b", "sr=c"),
        access.replace("sv=2018", "sv=2019"),
        access.replace("st=2027", "st=2026"),
        access.replace("se=2027", "se=2028"),
        access.replace(signature, &format!("{other}{}", &signature[1..])),
        access.replace(signature, ""),
        String::new(),
    ];
    for altered in altered {
        assert_eq!(world.fetch(&format!("{path}?{altered}"), &[]).await.status, 403, "{altered}");
    }
    assert_eq!(world.fetch(&format!("{path}?{access}&comp=list"), &[]).await.status, 400);
    assert_eq!(world.fetch(&path.replace("client", "%63lient"), &[]).await.status, 403);
    let refused = |event: &&CmgEvent| matches!(event, CmgEvent::BlobRefused { status: 403, code, .. } if code == "AuthenticationFailed");
    assert_eq!(world.told().iter().filter(refused).count(), 10);
    let post = world.begin(Method::PUT, &first, &[]).await;
    assert_eq!(
        (post.status().as_u16(), &post.headers()["x-ms-error-code"]),
        (405, &"UnsupportedHttpVerb".parse().unwrap())
    );
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_a_file_with_its_content() {
    let world = World::new();
    let [first, _] = links(&world).await;
    world.clock.advance(SignedDuration::from_mins(8 * 60 - 1)).await;
    assert_eq!(world.fetch(&first, &[]).await.status, 200);
    world.clock.advance(SignedDuration::from_mins(1)).await;
    let expired = world.fetch(&first, &[]).await;
    assert_eq!(expired.status, 403);
    assert!(expired.text().contains("<AuthenticationErrorDetail>"), "{}", expired.text());

    let [_, second] = links(&world).await;
    let files = vec![("client.msi".to_owned(), file(3))];
    world
        .storage
        .content()
        .publish(&"LAB00007".parse().unwrap(), &"LAB00007".parse().unwrap(), files)
        .unwrap();
    let gone = world.fetch(&second, &[]).await;
    assert_eq!((gone.status, &gone.headers["x-ms-error-code"]), (404, &"BlobNotFound".parse().unwrap()));
}

#[tokio::test]
async fn links_survive_one_rotation_and_not_two() {
    let world = World::new();
    let [link, _] = links(&world).await;
    world.storage.rotate_key().unwrap();
    assert_eq!(world.fetch(&link, &[]).await.status, 200);
    let [newer, _] = links(&world).await;
    assert_ne!(newer, link);
    world.storage.rotate_key().unwrap();
    assert_eq!(world.fetch(&link, &[]).await.status, 403);
    assert_eq!(world.fetch(&newer, &[]).await.status, 200);
}

#[tokio::test]
async fn keys_rotate_every_180_days() {
    let world = World::new();
    let rotated = || {
        let told = world.told().into_iter();
        let key = |event| match event {
            CmgEvent::StorageKeyRotated { account, key } => Some((account, key)),
            _ => None,
        };
        told.filter_map(key).map(|(_account, key)| key).collect::<Vec<_>>()
    };
    // The task has to be waiting before time moves.
    tokio::task::yield_now().await;
    world.clock.advance(SignedDuration::from_hours(180 * 24 - 1)).await;
    assert!(rotated().is_empty());
    let [link, _] = links(&world).await;
    world.clock.advance(SignedDuration::from_hours(1)).await;
    assert_eq!(rotated(), ["key2"]);
    assert_eq!(world.fetch(&link, &[]).await.status, 200);
    world.clock.advance(SignedDuration::from_hours(180 * 24)).await;
    assert_eq!(rotated(), ["key2", "key1"]);
}

#[tokio::test]
async fn one_file_is_not_asked_for_too_often() {
    let account = "labcontent".parse().unwrap();
    let world = World::with(StorageConfig { most_requests_per_second: 0, ..StorageConfig::new(account) });
    let [link, _] = links(&world).await;
    let busy = world.fetch(&link, &[]).await;
    assert_eq!((busy.status, &busy.headers["x-ms-error-code"]), (503, &"ServerBusy".parse().unwrap()));
}

#[tokio::test]
async fn a_lifetime_of_links_is_usable() {
    let world = World::new();
    let make = |minutes: i64| {
        let link_lifetime = SignedDuration::from_mins(minutes);
        let config = StorageConfig { link_lifetime, ..StorageConfig::new("labcontent".parse().unwrap()) };
        let clock = world.clock.clone();
        Storage::new(config, ContentStore::new(clock.clone()), world.deps(), Meter::new(clock)).map(drop)
    };
    assert_eq!((make(1), make(24 * 60)), (Ok(()), Ok(())));
    for minutes in [-1, 0, 24 * 60 + 1] {
        assert!(matches!(make(minutes), Err(ContentError::LinkLifetime { .. })), "{minutes}");
    }
}
