//! Content from a content-enabled gateway: the management point's link, the list, the files.

use cmglab_lab::{Lab, Topology};
use cmglab_net::{Answer, Call, Deps};
use cmglab_proto::content_link::{ContentList, DEFAULT_LIFETIME};
use http::header::RANGE;
use jiff::SignedDuration;

use crate::support;

async fn lab() -> Lab {
    let mut topology = Topology::default();
    topology.cmg.content = true;
    support::lab(topology).await
}

/// A machine that trusts the public CA, as clients of Azure storage do.
fn machine(lab: &Lab) -> Deps {
    lab.machine("stranger", cmglab_events::Role::Client, &["cmg-root", "public-root"]).unwrap()
}

async fn link(lab: &Lab, deps: &Deps) -> String {
    let package = lab.site().client_package().await.unwrap().unwrap().package_id;
    let client = deps.ids.guid().into();
    let (id, content) = (package.parse().unwrap(), package.parse().unwrap());
    let made =
        lab.management_point().content_link(id, content, client, "https://CMG.LAB.TEST", DEFAULT_LIFETIME);
    made.await.unwrap()
}

async fn get(deps: &Deps, url: &str) -> Answer {
    support::call(deps, &Call::get(url)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_link_leads_to_the_files_and_an_altered_or_late_one_does_not() {
    let lab = lab().await;
    let deps = machine(&lab);
    let link = link(&lab, &deps).await;
    let answer = get(&deps, &link).await;
    assert_eq!((answer.status, answer.reason.as_str()), (200, "OK"));
    let list = ContentList::parse(&answer.body).unwrap();
    let file = &list.files[0];
    let whole = get(&deps, file.link.expose()).await;
    assert_eq!((whole.status, whole.body.len() as u64), (200, file.size));

    // An interrupted download goes on where it stopped.
    let first = Call::get(file.link.expose()).header(RANGE, "bytes=0-99");
    let rest = Call::get(file.link.expose()).header(RANGE, "bytes=100-");
    let first = support::call(&deps, &first).await.unwrap();
    let rest = support::call(&deps, &rest).await.unwrap();
    assert_eq!((first.status, rest.status), (206, 206));
    assert_eq!([first.body, rest.body].concat(), whole.body);
    let sent = whole.body.len() as u64 * 2;
    assert!(lab.cmg().egress().total() >= sent, "storage counts towards what leaves the service");

    let altered = get(&deps, &link.replacen("pid=LAB", "pid=LAC", 1)).await;
    assert_eq!((altered.status, altered.reason.as_str()), (401, "CMGService_Invalid_Token"));
    let other_file = get(&deps, &file.link.expose().replacen("ccmsetup", "ccmsetuq", 1)).await;
    assert_eq!(other_file.status, 403);
    lab.advance(SignedDuration::from_hours(9)).await;
    assert_eq!(get(&deps, &link).await.status, 401, "a link lives eight hours");
    assert_eq!(get(&deps, file.link.expose()).await.status, 403, "and so does a file's");
    assert_eq!(get(&deps, &self::link(&lab, &deps).await).await.status, 200);
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_content_the_path_is_unknown() {
    let lab = support::lab(Topology::default()).await;
    let deps = machine(&lab);
    let answer = get(&deps, &link(&lab, &deps).await).await;
    assert_eq!((answer.status, answer.reason.as_str()), (404, "CMGService_NotFound"));
    lab.shutdown().await;
}
