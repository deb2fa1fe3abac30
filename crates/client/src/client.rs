//! One client on one machine.

use cmglab_net::Deps;
use cmglab_pki::Profiles;

use crate::aad::{Aad, PrtSlot};
use crate::assignment::Assignment;
use crate::folder::Folder;
use crate::token_cache::TokenCache;
use crate::transport::Transport;
use crate::{ClientConfig, ClientError, Machine};

/// A client: ccmsetup while it installs, the agent after it.
///
/// It keeps everything in the machine's folder, so that one made anew over the same folder goes on where
/// the other stopped.
#[derive(Debug)]
pub struct Client {
    pub(crate) config: ClientConfig,
    pub(crate) machine: Machine,
    pub(crate) transport: Transport,
    pub(crate) folder: Folder,
    pub(crate) cache: TokenCache,
    pub(crate) profiles: Profiles,
    pub(crate) prt: PrtSlot,
    pub(crate) assignment: Option<Assignment>,
}

impl Client {
    /// A client on `machine`, with what an earlier one left in its folder.
    ///
    /// # Errors
    /// [`ClientError::Config`]; [`ClientError::Storage`] when the folder cannot be used.
    pub fn new(config: ClientConfig, mut machine: Machine, deps: Deps) -> Result<Self, ClientError> {
        config.check()?;
        let folder = Folder::open(&machine.folder)?;
        machine.recall(&folder)?;
        Ok(Self {
            cache: TokenCache::open(&folder)?,
            assignment: Assignment::load(&folder)?,
            transport: Transport::new(deps, config.automatic_roots.clone()),
            profiles: Profiles::builtin(),
            prt: PrtSlot::default(),
            config,
            machine,
            folder,
        })
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine, to log somebody on or off.
    pub fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// What the client remembers; `None` before it is installed.
    #[must_use]
    pub fn assignment(&self) -> Option<&Assignment> {
        self.assignment.as_ref()
    }

    /// The tokens of the client's folder.
    #[must_use]
    pub fn token_cache(&self) -> &TokenCache {
        &self.cache
    }

    pub(crate) fn aad(&self) -> Aad<'_> {
        Aad { transport: &self.transport, config: &self.config, prt: &self.prt }
    }

    /// Remembers, in memory and in the folder.
    pub(crate) fn remember(&mut self, assignment: Assignment) -> Result<(), ClientError> {
        assignment.save(&self.folder)?;
        self.assignment = Some(assignment);
        Ok(())
    }
}
