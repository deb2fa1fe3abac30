//! What the roles of one lab share: time, events, names, faults, authorities.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use cmglab_clock::Clock;
use cmglab_events::{Events, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_net::{Deps, Listen, Resolver};
use cmglab_pki::{Authorities, Identity, SubjectName};
use cmglab_tls::{CertStore, ServerTls};

use crate::LabError;

/// Where the lab's ports are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Binding {
    /// On free ports of 127.0.0.1.
    #[default]
    FreePorts,
    /// On the documented ports, one address of 127.0.0.0/8 for each role.
    RealPorts,
}

/// The shared surroundings.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) events: Events,
    pub(crate) resolver: Resolver,
    pub(crate) faults: Faults,
    pub(crate) authorities: Authorities,
    pub(crate) binding: Binding,
    addresses: Mutex<BTreeMap<String, IpAddr>>,
    starts: Mutex<BTreeMap<String, u32>>,
}

impl Surroundings {
    pub(crate) fn new(
        clock: Clock,
        ids: Ids,
        events: Events,
        authorities: Authorities,
        binding: Binding,
    ) -> Self {
        Self {
            clock,
            ids,
            events,
            resolver: Resolver::new(),
            faults: Faults::none(),
            authorities,
            binding,
            addresses: Mutex::default(),
            starts: Mutex::default(),
        }
    }

    /// The surroundings of `role` on `machine`, which trusts these authorities' roots.
    pub(crate) fn deps(&self, machine: &str, role: Role, trusts: &[&str]) -> Result<Deps, LabError> {
        let store = CertStore::new(self.clock.clone());
        for name in trusts {
            let authority = self.authorities.get(name).map_err(LabError::of(machine))?;
            store.trust(authority.cert_der()).map_err(LabError::of(machine))?;
        }
        Ok(Deps {
            clock: self.clock.clone(),
            ids: self.stream(machine),
            events: self.events.source(machine, role, &self.clock),
            store,
            resolver: self.resolver.clone(),
            faults: self.faults.clone(),
        })
    }

    /// A machine that starts again must not draw the ids of its first life once more.
    fn stream(&self, machine: &str) -> Ids {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let start = starts.entry(machine.to_owned()).or_insert(0);
        *start += 1;
        match *start {
            1 => self.ids.fork(machine),
            again => self.ids.fork(&format!("{machine} {again}")),
        }
    }

    /// A certificate of `profile` for `host` and its aliases, ready for handshakes.
    pub(crate) fn identity(
        &self,
        profile: &str,
        host: &str,
        aliases: &[String],
    ) -> Result<cmglab_tls::Identity, LabError> {
        Ok(self.issued(profile, host, aliases)?.0)
    }

    /// The same with the certificate itself, in DER.
    pub(crate) fn identity_and_leaf(
        &self,
        profile: &str,
        host: &str,
    ) -> Result<(cmglab_tls::Identity, Vec<u8>), LabError> {
        self.issued(profile, host, &[])
    }

    fn issued(
        &self,
        profile: &str,
        host: &str,
        aliases: &[String],
    ) -> Result<(cmglab_tls::Identity, Vec<u8>), LabError> {
        let names: Vec<SubjectName> =
            std::iter::once(host).chain(aliases.iter().map(String::as_str)).map(SubjectName::dns).collect();
        let issued = self
            .authorities
            .issue(profile, &names, self.clock.now(), &self.ids.fork(host))
            .map_err(LabError::of(host))?;
        Ok((tls_identity(host, &issued)?, issued.leaf().to_vec()))
    }

    /// A listener for `host:port`, on the socket that the binding asks for.
    pub(crate) fn listen(&self, host: &str, port: u16, tls: Option<ServerTls>) -> Listen {
        let bind = match self.binding {
            Binding::FreePorts => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            Binding::RealPorts => SocketAddr::from((self.address_of(host), port)),
        };
        Listen { host: host.to_owned(), port, bind, shown_ip: None, tls }
    }

    /// One address of 127.0.0.0/8 for each host, always the same one.
    fn address_of(&self, host: &str) -> IpAddr {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let last = u8::try_from(addresses.len()).unwrap_or(u8::MAX).saturating_add(FIRST_ADDRESS);
        let fresh = Ipv4Addr::new(127, 0, 0, last).into();
        *addresses.entry(host.to_ascii_lowercase()).or_insert(fresh)
    }
}

pub(crate) fn tls_identity(whose: &str, identity: &Identity) -> Result<cmglab_tls::Identity, LabError> {
    let chain = identity.chain().to_vec();
    cmglab_tls::Identity::new(whose, chain, identity.key().pkcs8_der()).map_err(LabError::of(whose))
}

/// 127.0.0.1 to 127.0.0.9 are left to whatever else runs on the machine.
const FIRST_ADDRESS: u8 = 10;
