//! A client, or another machine, in another process than the lab's.

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
    let deps = machine(ready, events, clock, &ready.topology.client.host)?;
    let public_roots = bundle(&ready.public_roots)?;
    device::client(&ready.topology, &public_roots, deps, folder).await
}

/// The surroundings of a machine with the administrator's console, for [`crate::analyze`]. It trusts what the
/// lab's device does, public roots included.
///
/// # Errors
/// [`LabError`] when the file's contents cannot be used.
pub fn console(ready: &ReadyFile, events: &Events, clock: &Clock) -> Result<Deps, LabError> {
    let deps = machine(ready, events, clock, "console")?;
    for root in bundle(&ready.public_roots)?.certificates() {
        deps.store.trust(root).map_err(LabError::of(PART))?;
    }
    Ok(deps)
}

/// A machine that trusts the roots that the lab's device has from the start.
fn machine(ready: &ReadyFile, events: &Events, clock: &Clock, name: &str) -> Result<Deps, LabError> {
    let store = CertStore::new(clock.clone());
    let mut trusted = vec![bundle(&ready.device_trust)?];
    if ready.topology.client.has_private_root {
        trusted.push(bundle(&ready.private_root)?);
    }
    for root in trusted.iter().flat_map(TrustBundle::certificates) {
        store.trust(root).map_err(LabError::of(PART))?;
    }
    let resolver = Resolver::new();
    for one in &ready.names {
        if !resolver.point(&one.name, one.port, one.address) {
            let cause = format!("{} leads to {}, which is not loopback", one.name, one.address);
            return Err(LabError { part: PART.to_owned(), cause });
        }
    }
    Ok(Deps {
        clock: clock.clone(),
        // Another process must not draw the same ids as the lab does.
        ids: Ids::seeded(ready.topology.seed).fork(&format!("{name} {}", std::process::id())),
        events: events.source(name, Role::Client, clock),
        store,
        resolver,
        faults: Faults::none(),
    })
}

fn bundle(pem: &str) -> Result<TrustBundle, LabError> {
    TrustBundle::from_pem(pem).map_err(LabError::of(PART))
}

const PART: &str = "ready file";
