//! Links to content on a content-enabled gateway.
//!
//! Fidelity: documented for the parameters and the lifetimes (configmgr §1.5, §3); lab for the key, which is
//! that of CCM tokens, since the gateway has its public half already.

use cmglab_events::kinds::ManagementPointEvent;
use cmglab_proto::content_link::{ContentId, ContentLink, ContentLinkError, PackageId};
use cmglab_proto::ids::ClientGuid;
use jiff::{SignedDuration, Timestamp, Unit};

use crate::{ManagementPoint, ManagementPointError};

impl ManagementPoint {
    /// The link by which `client` may list the files of a content at the gateway `base`,
    /// `https://CMG.LAB.TEST`, from now on and for `lifetime`: as a rule
    /// [`DEFAULT_LIFETIME`](cmglab_proto::content_link::DEFAULT_LIFETIME). Whether the content is there is the
    /// gateway's to say, whether the client may have it the caller's.
    ///
    /// # Errors
    /// [`ManagementPointError::ContentLink`] for a lifetime of less than a second or more than 24 hours, and
    /// for a `base` that is no gateway; [`ManagementPointError::Key`].
    pub async fn content_link(
        &self,
        package: PackageId,
        content: ContentId,
        client: ClientGuid,
        base: &str,
        lifetime: SignedDuration,
    ) -> Result<String, ManagementPointError> {
        let shared = self.shared();
        // Links know whole seconds.
        let now = shared.deps.clock.now();
        let starts = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let lifetime = lifetime.round(Unit::Second).unwrap_or(SignedDuration::MAX);
        let unusable = ContentLinkError::Lifetime { asked: lifetime };
        let Ok(ends) = starts.checked_add(lifetime) else { return Err(unusable.into()) };
        let link = ContentLink { package, content, client, issuer: shared.config.host.clone(), starts, ends };
        // First what is wrong with the link, before a key is kept for it.
        link.to_url(base, &[])?;
        let ContentLink { package, content, .. } = link.clone();
        let signature = shared.ccm_keys.sign_bytes_until(ends, link.signed_part().as_bytes()).await?;
        let (package, content) = (package.to_string(), content.to_string());
        let made = ManagementPointEvent::ContentLinkMade { client, package, content, expires: ends };
        shared.deps.events.emit(made);
        Ok(link.to_url(base, &signature)?)
    }
}
