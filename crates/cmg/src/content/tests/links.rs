use cmglab_events::kinds::CmgEvent;
use cmglab_events::logs::{LogFile, lines};
use cmglab_proto::content_link::ContentLink;
use cmglab_proto::editions::Edition;
use http::Method;
use jiff::SignedDuration;

use super::world::{KEYS, NOW, World, signed_by};

#[tokio::test]
async fn a_signed_link_lists_the_files_with_links_to_storage() {
    let world = World::new();
    let list = world.files().await;
    let files: Vec<_> = list.files.iter().map(|file| (file.name.as_str(), file.size)).collect();
    assert_eq!(files, [("client.msi", 200_000), ("x64/b.dll", 10)]);
    let start = "https://labcontent.blob.core.windows.net/content-lab00007/LAB00007/client.msi?sv=2018-11-09&sr=b\
        &st=2027-03-01T11:55:00Z&se=2027-03-01T20:00:00Z&sp=r&sig=";
    assert!(list.files[0].link.expose().starts_with(start), "{}", list.files[0].link.expose());
    let told = world.told();
    let [CmgEvent::ContentListed { url, package, content, client, files: 2, .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(url.ends_with("&sig=[REDACTED]"), "{url}");
    assert_eq!((package.as_str(), content.as_str()), ("LAB00007", "LAB00007"));
    let line = lines(&world.events.snapshot()[0], Edition::Y2019).remove(0);
    assert_eq!(line.file, LogFile::CmgContentService);
    assert_eq!(
        line.text(),
        format!("Listed content LAB00007 of package LAB00007 for client {client}; files: 2")
    );
}

#[tokio::test]
async fn the_path_is_taken_in_any_case_and_no_other_is() {
    let world = World::new();
    let link = world.signed(&world.link());
    let spelt = link.replace(
        "downloadrestservice.svc/getcontentxmlsecure",
        "DownloadRestService.svc/GetContentXmlSecure",
    );
    assert_ne!(spelt, link);
    assert_eq!(world.ask(&spelt).await.status, 200);
    assert!(world.ask_with(&Method::GET, &link.replace("secure?", "secure/?")).await.is_none());
    assert!(world.ask_with(&Method::GET, "/").await.is_none());
    assert_eq!(world.ask_with(&Method::HEAD, &link).await.unwrap().status, 200);
    let other = world.ask_with(&Method::POST, &link).await.unwrap();
    assert_eq!((other.status, other.headers["allow"].to_str().unwrap()), (405, "GET, HEAD"));
}

/// The last character of each value, changed into another that is allowed there.
#[tokio::test]
async fn a_link_that_is_altered_anywhere_is_refused() {
    let world = World::new();
    let good = world.signed(&world.link());
    assert_eq!(world.ask(&good).await.status, 200);
    let (path, query) = good.split_once('?').unwrap();
    let pairs: Vec<&str> = query.split('&').collect();
    assert_eq!(pairs.len(), 8);
    for (nth, pair) in pairs.iter().enumerate() {
        let (start, last) = pair.split_at(pair.len() - 1);
        let other = match (last, pair.starts_with("sig=")) {
            // Only A, Q, g and w end the base64url of 256 bytes.
            (last, true) => {
                if last == "A" {
                    "Q"
                } else {
                    "A"
                }
            }
            ("1", _) => "2",
            _ => "1",
        };
        let mut altered = pairs.clone();
        let pair = format!("{start}{other}");
        altered[nth] = &pair;
        let answer = world.ask(&format!("{path}?{}", altered.join("&"))).await;
        assert_eq!((answer.status, answer.reason.as_str()), (401, "CMGService_Invalid_Token"), "{pair}");
    }
    let refused = world
        .told()
        .into_iter()
        .filter(|event| matches!(event, CmgEvent::ContentRefused { status: 401, .. }));
    assert_eq!(refused.count(), 8);
    let reordered = good.replace("pid=LAB00007&cid=LAB00007", "cid=LAB00007&pid=LAB00007");
    assert_eq!(world.ask(&reordered).await.status, 401);
    let unsigned = good.rsplit_once('&').unwrap().0;
    assert_eq!(world.ask(unsigned).await.status, 401);
    assert_eq!(world.ask(&format!("{path}?pid=LAB00007&cid=LAB00007")).await.status, 401);
    assert_eq!(world.ask(&format!("{path}?pid=LAB00007")).await.status, 400);
    assert_eq!(world.ask(path).await.status, 400);
}

#[tokio::test]
async fn only_keys_of_the_site_sign() {
    let world = World::new();
    let link = world.link();
    assert_eq!(world.ask(&signed_by(&KEYS[0], &link)).await.status, 200);
    let stranger = world.ask(&signed_by(&KEYS[1], &link)).await;
    assert_eq!(stranger.status, 401);
    assert!(stranger.text().contains("no key of the site"), "{}", stranger.text());
}

#[tokio::test]
async fn the_issuer_is_a_published_management_point() {
    let world = World::new();
    let by = |issuer: &str| world.signed(&ContentLink { issuer: issuer.to_owned(), ..world.link() });
    assert_eq!(world.ask(&by("mp.lab.test")).await.status, 200);
    assert_eq!(world.ask(&by("MP2.LAB.TEST")).await.status, 401);
}

#[tokio::test]
async fn a_blocked_client_is_refused() {
    let mut world = World::new();
    let link = world.signed(&world.link());
    assert_eq!(world.ask(&link).await.status, 200);
    world.document.blocked_clients.push(world.link().client);
    assert_eq!(world.ask(&link).await.status, 401);
}

#[tokio::test]
async fn a_link_is_good_for_its_time_and_five_minutes_more() {
    let world = World::new();
    let at = |hours: i64, minutes: i64| {
        let starts =
            world.clock.now() + SignedDuration::from_hours(hours) + SignedDuration::from_mins(minutes);
        let link = ContentLink { starts, ends: starts + SignedDuration::from_hours(8), ..world.link() };
        world.signed(&link)
    };
    for (hours, minutes, status) in [(0, 5, 200), (0, 6, 401), (-8, 0, 200), (-8, -4, 200), (-8, -5, 401)] {
        assert_eq!(world.ask(&at(hours, minutes)).await.status, status, "{hours}:{minutes} from {NOW}");
    }
    let good = world.signed(&world.link());
    world.clock.advance(SignedDuration::from_hours(9)).await;
    let expired = world.ask(&good).await;
    assert_eq!(expired.status, 401);
    assert!(expired.text().contains("expired"), "{}", expired.text());
}

#[tokio::test]
async fn what_is_not_published_is_not_found() {
    let world = World::new();
    let with = |package: &str, content: &str| {
        let (package, content) = (package.parse().unwrap(), content.parse().unwrap());
        world.signed(&ContentLink { package, content, ..world.link() })
    };
    assert_eq!(world.ask(&with("lab00007", "LAB00007")).await.status, 200);
    for (package, content) in [("LAB00008", "LAB00007"), ("LAB00007", "LAB00007.2")] {
        let answer = world.ask(&with(package, content)).await;
        assert_eq!((answer.status, answer.reason.as_str()), (404, "CMGService_NotFound"));
    }
    let event = world.events.snapshot().pop().unwrap();
    let line = lines(&event, Edition::Y2019).remove(0);
    assert_eq!(line.file, LogFile::CmgContentService);
    assert!(
        line.text()
            .ends_with("refused with 404 CMGService_NotFound: content LAB00007.2 of LAB00007 is not here")
    );
}

#[tokio::test]
async fn a_build_without_tls_1_2_reaches_no_storage() {
    let mut world = World::new();
    let link = world.signed(&world.link());
    assert_eq!(world.ask(&link).await.status, 200);
    world.content = world.content.clone().without_tls12();
    let answer = world.ask(&link).await;
    assert_eq!((answer.status, answer.reason.as_str()), (400, "Bad Request"));
    let line = lines(world.events.snapshot().last().unwrap(), Edition::Y2019).remove(0);
    assert_eq!(line.file, LogFile::CmgContentService);
    let end = "The client and server cannot communicate, because they do not possess a common algorithm";
    assert!(line.text().starts_with("ERROR: Exception processing request. ") && line.text().ends_with(end));
    let unsigned = link.rsplit_once('&').unwrap().0;
    assert_eq!(world.ask(unsigned).await.status, 401);
}
