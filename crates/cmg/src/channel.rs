//! The port that connection points dial, and the settings that come over it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use cmglab_events::kinds::{CertificateVerdict, CmgEvent};
use cmglab_net::{Listen, Peer, ServeError, ServerHandle, read_capped};
use cmglab_pki::read::Certificate;
use cmglab_proto::settings::{MAX_SETTINGS, SettingsDocument};
use cmglab_tunnel::{CONNECTION_HEADER, Channel, ChannelUp, HttpsChannels, SETTINGS_PATH};
use http::{Request, StatusCode};

use crate::Shared;

pub(crate) async fn accept(shared: Arc<Shared>, listen: Listen) -> Result<ServerHandle, ServeError> {
    let (deps, admitting) = (shared.deps.clone(), Arc::clone(&shared));
    let admit = move |peer: &Peer| admitting.admit(peer);
    cmglab_tunnel::accept(&deps, listen, admit, move |up| shared.attend(up)).await
}

pub(crate) fn over_https(shared: &Arc<Shared>) -> HttpsChannels {
    let (admitting, attending) = (Arc::clone(shared), Arc::clone(shared));
    let admit = move |peer: &Peer| admitting.admit(peer);
    HttpsChannels::new(&shared.deps, shared.connection_points.clone(), admit, move |up| attending.attend(up))
}

impl Shared {
    fn admit(&self, peer: &Peer) -> Result<(), String> {
        let admitted = admitted(peer);
        if let Err(cause) = &admitted {
            let (peer, cause) = (peer.address.to_string(), cause.clone());
            self.deps.events.emit(CmgEvent::ChannelRefused { peer, cause });
        }
        admitted
    }

    fn attend(self: &Arc<Self>, up: ChannelUp) {
        tokio::spawn(attend(Arc::clone(self), up));
    }
}

/// Mutual certificate authentication (configmgr §1.1): only a connection point of the site may dial in.
fn admitted(peer: &Peer) -> Result<(), String> {
    match peer.verdict {
        CertificateVerdict::Valid => Ok(()),
        verdict => Err(format!("the connection point's certificate is {verdict:?}")),
    }
}

fn subject(peer: &Peer) -> String {
    let read = peer.chain.first().and_then(|leaf| Certificate::parse(leaf).ok());
    read.map_or_else(|| peer.address.to_string(), |certificate| certificate.subject)
}

/// Takes the site's settings from the channel at hello and on change, and puts it in service.
async fn attend(shared: Arc<Shared>, up: ChannelUp) {
    let run = shared.this_run();
    let (mut gone, mut hello) = (up.gone, Hello { subject: subject(&up.peer), connection: None });
    let cause = tokio::select! {
        cause = &mut gone => cause.unwrap_or_else(|_| "closed".to_owned()),
        cause = follow_settings(&shared, &up.channel, &mut hello) => cause,
        () = run.cancelled() => "the gateway is closing".to_owned(),
    };
    // One that never said its name was never up.
    if let Some(connection) = hello.connection {
        shared.channels.remove(&connection);
        shared.deps.events.emit(CmgEvent::ChannelDown { connection, cause });
    }
}

/// Who dialled, and the id that it gave the connection, once it has said it.
struct Hello {
    subject: String,
    connection: Option<String>,
}

/// Asks for settings newer than those in force, for as long as the channel lives; returns why it ended.
async fn follow_settings(shared: &Shared, channel: &Channel, hello: &mut Hello) -> String {
    loop {
        let serving = hello.connection.is_some();
        // At hello the present document is wanted, whatever version this instance already has.
        let after = if serving { shared.settings.version() } else { 0 };
        let (connection, document) = match ask_settings(channel, after).await {
            Ok(answer) => answer,
            Err(cause) => return cause,
        };
        if !serving {
            hello.connection = Some(connection.clone());
            let (connection, subject) = (connection.clone(), hello.subject.clone());
            shared.deps.events.emit(CmgEvent::ChannelUp { connection, subject });
        }
        let (version, tenants) = (document.version, document.tenants.len());
        match apply(shared, document) {
            Ok(true) => shared.deps.events.emit(CmgEvent::SettingsApplied { version, tenants }),
            Ok(false) => {}
            Err(cause) => return cause,
        }
        if !serving {
            shared.channels.add(channel.clone().named(&connection));
            shared.deps.events.emit(CmgEvent::InService { connection });
        }
    }
}

fn apply(shared: &Shared, document: SettingsDocument) -> Result<bool, String> {
    shared.settings.apply(document, |document| {
        let authorities = document.client_authorities_der().map_err(|error| error.to_string())?;
        shared.judge.trust(&authorities).map_err(|error| format!("client authorities: {error}"))?;
        shared.judge.check_revocation(document.verify_client_revocation);
        Ok(())
    })
}

/// The connection point's name for the connection, and the document.
async fn ask_settings(channel: &Channel, after: u64) -> Result<(String, SettingsDocument), String> {
    let request = Request::get(format!("https://channel{SETTINGS_PATH}?after={after}"))
        .version(http::Version::HTTP_2)
        .body(Body::empty())
        .map_err(|error| error.to_string())?;
    let response = channel.send(request).await.map_err(|error| error.to_string())?;
    if response.status() != StatusCode::OK {
        // Nothing new within the connection point's patience, or it cannot read the site just now.
        tokio::time::sleep(RETRY).await;
        return Err(format!("the connection point answered the settings request with {}", response.status()));
    }
    let named = response.headers().get(CONNECTION_HEADER).and_then(|value| value.to_str().ok());
    let named = named.filter(|name| name.len() <= LONGEST_NAME).unwrap_or_else(|| channel.connection());
    let named = named.to_owned();
    let body = read_capped(response.into_body(), MAX_SETTINGS).await.map_err(|error| error.cause)?;
    let document = SettingsDocument::from_json(&body).map_err(|error| error.to_string())?;
    Ok((named, document))
}

const LONGEST_NAME: usize = 64;
const RETRY: Duration = Duration::from_millis(200);
