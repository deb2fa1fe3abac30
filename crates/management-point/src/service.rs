//! The management point as its owner holds it.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use cmglab_events::kinds::ManagementPointEvent;
use cmglab_net::Deps;
use cmglab_proto::ccm::Limits;
use cmglab_site::{ClientPackage, Site};

use crate::aad::AadKeys;
use crate::content::hex;
use crate::keys::CcmKeys;
use crate::web_server::WrongBinding;
use crate::{Content, ManagementPointConfig, ManagementPointError, routes};

/// A management point of a site. Cheap to clone; clones are the same one.
#[derive(Clone)]
pub struct ManagementPoint {
    shared: Arc<Shared>,
}

/// What every handler works with.
pub(crate) struct Shared {
    pub(crate) config: ManagementPointConfig,
    pub(crate) site: Site,
    pub(crate) deps: Deps,
    pub(crate) content: ArcSwap<Content>,
    pub(crate) aad_keys: AadKeys,
    pub(crate) ccm_keys: CcmKeys,
    pub(crate) limits: Limits,
    pub(crate) wrong_binding: Option<WrongBinding>,
}

impl ManagementPoint {
    /// Sets up a management point: makes its key for CCM tokens, publishes the public half and `content`
    /// at the site. Binds nothing.
    ///
    /// # Errors
    /// [`ManagementPointError::Config`] names the setting that cannot be used; the causes of
    /// [`ManagementPoint::rotate_ccm_key`] and [`ManagementPoint::publish`].
    pub async fn new(
        config: ManagementPointConfig,
        site: Site,
        deps: Deps,
        content: Content,
    ) -> Result<Self, ManagementPointError> {
        config.check()?;
        let wrong_binding = WrongBinding::of(&config)?;
        let ccm_keys = CcmKeys::create(&site, &deps.clock, &deps.events).await?;
        let limits = Limits { body: config.largest_message, ..Limits::default() };
        let aad_keys = AadKeys::new(&deps);
        let kept = ArcSwap::from_pointee(content.clone());
        let shared = Shared { config, site, deps, content: kept, aad_keys, ccm_keys, limits, wrong_binding };
        let mp = Self { shared: Arc::new(shared) };
        mp.publish(content).await?;
        Ok(mp)
    }

    /// The routes. Requests need the extensions that `cmglab_net::serve` puts on them; without a `Peer`
    /// every request is refused.
    pub fn router(&self) -> Router {
        routes::router(Arc::clone(&self.shared))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The settings it was made with.
    #[must_use]
    pub fn config(&self) -> &ManagementPointConfig {
        &self.shared.config
    }

    /// Signs CCM tokens with a new key from now on and answers with its key id. The site's settings
    /// change, since they carry the public half; the old key stays in them, and accepted, until the last
    /// token that it signed has expired.
    ///
    /// # Errors
    /// [`ManagementPointError::Key`], [`ManagementPointError::Site`], [`ManagementPointError::Stopping`].
    pub async fn rotate_ccm_key(&self) -> Result<String, ManagementPointError> {
        let Shared { site, deps, config, ccm_keys, .. } = &*self.shared;
        let kid = ccm_keys.rotate(site, &deps.clock, &deps.events, config.token_lifetime).await?;
        site.forget_tokens(deps.clock.now()).await?;
        Ok(kid)
    }

    /// Serves `content` from now on and records the hash of its package at the site, with the next version
    /// when it differs from what the site has.
    ///
    /// # Errors
    /// [`ManagementPointError::Site`].
    pub async fn publish(&self, content: Content) -> Result<(), ManagementPointError> {
        let Shared { site, deps, .. } = &*self.shared;
        let sha256 = content.package_sha256();
        let known = site.client_package().await?;
        let package = match known {
            Some(known) if known.sha256 == sha256 => known,
            Some(known) => ClientPackage { version: known.version.saturating_add(1), sha256, ..known },
            None => ClientPackage {
                package_id: format!("{}{FIRST_PACKAGE}", site.site_code()),
                version: 1,
                sha256,
            },
        };
        let bytes = content.package_bytes().len() as u64;
        // First the bytes, then the hash: whoever is told the hash finds the bytes.
        self.shared.content.store(Arc::new(content));
        site.set_client_package(package.clone()).await?;
        let ClientPackage { package_id: package, version, .. } = package;
        deps.events.emit(ManagementPointEvent::ContentPublished {
            package,
            version,
            bytes,
            sha256: hex(&sha256),
        });
        Ok(())
    }
}

impl fmt::Debug for ManagementPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagementPoint")
            .field("config", &self.shared.config)
            .field("site", &self.shared.site)
            .finish_non_exhaustive()
    }
}

/// The client's package is the third that the product makes for itself.
const FIRST_PACKAGE: &str = "00003";
