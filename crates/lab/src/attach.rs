//! A client in another process than the lab's.

use std::path::Path;

use cmglab_client::Client;
use cmglab_clock::Clock;
use cmglab_events::{Events, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_net::{Deps, Resolver};
use cmglab_pki::TrustBundle;
use cmglab_tls::CertStore;

use crate::{LabError, ReadyFile, device};

/// The device of a running lab's topology, with its state in `folder`; it reaches the lab by the names in
/// `ready` and by nothing else.
///
/// # Errors
/// [`LabError`] when the file's contents cannot be used, or the device cannot join.
pub async fn attach(
    ready: &ReadyFile,
    events: &Events,
    clock: &Clock,
    folder: &Path,
) -> Result<Client, LabError> {
    let device = &ready.topology.client;
    let bundle = |pem: &str| TrustBundle::from_pem(pem).map_err(LabError::of("ready file"));
    let store = CertStore::new(clock.clone());
    let mut trusted = vec![bundle(&ready.device_trust)?];
    if device.has_private_root {
        trusted.push(bundle(&ready.private_root)?);
    }
    for root in trusted.iter().flat_map(TrustBundle::certificates) {
        store.trust(root).map_err(LabError::of("ready file"))?;
    }
    let resolver = Resolver::new();
    for one in &ready.names {
        if !resolver.point(&one.name, one.port, one.address) {
            let cause = format!("{} leads to {}, which is not loopback", one.name, one.address);
            return Err(LabError { part: "ready file".to_owned(), cause });
        }
    }
    let deps = Deps {
        clock: clock.clone(),
        // Another process must not draw the same ids as the lab does.
        ids: Ids::seeded(ready.topology.seed).fork(&format!("client {}", std::process::id())),
        events: events.source(&device.host, Role::Client, clock),
        store,
        resolver,
        faults: Faults::none(),
    };
    device::client(&ready.topology, &bundle(&ready.public_roots)?, deps, folder).await
}
