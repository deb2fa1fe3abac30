//! In the management point's place: an origin that takes and gives bodies of any size.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::routing::{any, get};
use bytes::Bytes;
use cmglab_events::kinds::CmgEvent;
use cmglab_events::{Event, Kind, Role};
use cmglab_lab::Lab;
use cmglab_net::{Listen, ServerHandle, serve};
use cmglab_pki::SubjectName;
use cmglab_proto::ids::RoleId;
use cmglab_proto::mapping::UrlMapping;
use cmglab_tls::{Identity, ServerTls};
use http_body_util::BodyExt as _;

/// Where it stands.
pub(crate) const ORIGIN: &str = "https://ORIGIN.LAB.TEST";

/// Its id in external URLs.
pub(crate) fn role() -> RoleId {
    RoleId::new(1, 77)
}

/// Starts it: `/CCM_Incoming/large` counts what it is sent, `/CCM_Client/<n>` gives n bytes. The gateway then
/// publishes it and takes requests of up to `most_bytes`.
pub(crate) async fn start(lab: &Lab, most_bytes: u64) -> ServerHandle {
    let deps = lab.machine("ORIGIN.LAB.TEST", Role::ManagementPoint, &[]).unwrap();
    let names = [SubjectName::dns("ORIGIN.LAB.TEST")];
    let issued = lab.authorities().issue("mp-server", &names, lab.clock().now(), &deps.ids).unwrap();
    let identity = Identity::new("origin", issued.chain().to_vec(), issued.key().pkcs8_der()).unwrap();
    let take = |request: Request| async { count(request.into_body()).await.to_string() };
    let give = |Path(bytes): Path<u64>| async move { body(bytes) };
    let app = Router::new().route("/CCM_Incoming/large", any(take)).route("/CCM_Client/{bytes}", get(give));
    let listen = Listen {
        host: "ORIGIN.LAB.TEST".to_owned(),
        port: 443,
        bind: ([127, 0, 0, 1], 0).into(),
        shown_ip: None,
        tls: Some(ServerTls::new(identity)),
    };
    let handle = serve(&deps, listen, app).await.unwrap();
    publish(lab, most_bytes).await;
    handle
}

async fn publish(lab: &Lab, most_bytes: u64) {
    let mut mapping = UrlMapping::new(role(), ORIGIN.parse().unwrap());
    mapping.endpoints.iter_mut().for_each(|endpoint| endpoint.max_request_bytes = most_bytes);
    lab.site().set_mapping(mapping).await.unwrap();
    let due = lab.site().settings().await.unwrap().version;
    let applied = move |event: &Event| match &event.kind {
        Kind::Cmg(CmgEvent::SettingsApplied { version, .. }) => *version >= due,
        _ => false,
    };
    lab.events().wait_for("the mapping", Duration::from_secs(20), applied).await.unwrap();
}

/// So many bytes, in pieces of 64 KiB, none made before it is wanted.
pub(crate) fn body(bytes: u64) -> Body {
    static PIECE: [u8; 64 * 1024] = [0x5a; 64 * 1024];
    let pieces = futures_util::stream::unfold(bytes, |left| async move {
        let now = left.min(PIECE.len() as u64);
        let piece = Bytes::from_static(&PIECE[..usize::try_from(now).unwrap()]);
        (now > 0).then(|| (Ok::<_, std::io::Error>(piece), left - now))
    });
    Body::from_stream(pieces)
}

/// The number of bytes of a body, none of them kept.
pub(crate) async fn count(mut body: Body) -> u64 {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame.unwrap().data_ref().map_or(0, |data| data.len() as u64);
    }
    bytes
}
