//! What every service is made with.

use cmglab_clock::Clock;
use cmglab_events::Source;
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_tls::CertStore;

use crate::Resolver;

/// The surroundings of one role on one machine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Protocol time as this machine sees it.
    pub clock: Clock,
    /// This role's stream of identifiers.
    pub ids: Ids,
    /// This role's voice on the event bus.
    pub events: Source,
    /// This machine's certificate store.
    pub store: CertStore,
    /// The lab's names.
    pub resolver: Resolver,
    /// The faults in force.
    pub faults: Faults,
}
