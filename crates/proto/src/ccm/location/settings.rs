//! What the site tells its clients to do from now on.
//!
//! Fidelity: lab. Public sources name `OperationalSettings`, `ClientOperationalSettings` and
//! `SecurityConfiguration` and show no document (mp-wire §7, §10 point 12); the elements inside are ours.

use crate::ccm::CcmError;
use crate::ccm::xml::{Element, parse_flag};

/// The site's settings for its clients, which replace what a client was installed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationalSettings {
    /// Whether clients check the revocation of site system certificates. A client installed without
    /// that check begins to check once it has read this.
    pub clients_check_crl: bool,
}

impl OperationalSettings {
    pub(super) fn from_element(element: &Element) -> Result<Option<Self>, CcmError> {
        let Some(settings) = element.child("ClientOperationalSettings")? else { return Ok(None) };
        let Some(security) = settings.child("SecurityConfiguration")? else { return Ok(None) };
        let check = security.child("ClientsCheckCrl")?.map(|check| parse_flag(check.name(), check.text()));
        Ok(check.transpose()?.map(|clients_check_crl| Self { clients_check_crl }))
    }

    pub(super) fn to_element(self) -> Element {
        let security =
            Element::new("SecurityConfiguration").with_leaf("ClientsCheckCrl", self.clients_check_crl);
        Element::new("ClientOperationalSettings").with_child(security)
    }
}
