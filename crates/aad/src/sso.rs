//! Single sign-on: what a browser or a broker sends beside a request to the authorization endpoint to prove
//! its user and its device (entra §3.4, §4.3).
//!
//! Fidelity: documented (MS-OAPXBC) for the headers and observed for what clients put in them; some send the
//! same as cookies.

use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};

use crate::ask::Ask;
use crate::errors::{GRANT_OF_OTHER_DEVICE, Refusal, UNSUPPORTED_GRANT};
use crate::grant::for_user::usable;
use crate::proof::{self, Freshness};
use crate::{Aad, cookies};

/// Who was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proven {
    pub(crate) tenant: TenantId,
    pub(crate) user: Option<ObjectId>,
    pub(crate) device: Option<DeviceId>,
    /// How: `pwd`, `rsa` …
    pub(crate) amr: Vec<&'static str>,
}

/// Judges the credentials beside a request; none where there are none. One that is there and is no good is
/// refused, as is a pair from two devices.
pub(crate) fn from_headers(aad: &Aad, ask: &Ask) -> Result<Option<Proven>, Refusal> {
    let user = credential(ask, REFRESH_TOKEN).map(|jws| by_session(aad, ask, jws)).transpose()?;
    let device = credential(ask, DEVICE).map(|jws| by_device(aad, ask, jws)).transpose()?;
    match (user, device) {
        (Some(user), Some(device)) if user.device != device.device => {
            let named = device.device.map(|device| device.to_string()).unwrap_or_default();
            Err(GRANT_OF_OTHER_DEVICE.about(&[&named]))
        }
        (user, device) => Ok(user.or(device)),
    }
}

fn by_session(aad: &Aad, ask: &Ask, jws: &str) -> Result<Proven, Refusal> {
    let prt = proof::session(aad, jws, Freshness::NonceOrTime, ask.now)?.prt;
    usable(aad.directory().user_by_id(prt.tenant, prt.user)?)?;
    Ok(Proven { tenant: prt.tenant, user: Some(prt.user), device: Some(prt.device), amr: prt.amr })
}

fn by_device(aad: &Aad, ask: &Ask, jws: &str) -> Result<Proven, Refusal> {
    let (device, payload) = proof::device(aad, jws, ask.now)?;
    match proof::text(&payload, "grant_type")? {
        "device_auth" => {}
        other => return Err(UNSUPPORTED_GRANT.about(&[other])),
    }
    Ok(Proven { tenant: device.tenant, user: None, device: Some(device.id), amr: vec!["rsa"] })
}

/// The header, else the cookie of that name.
fn credential<'a>(ask: &'a Ask, name: &str) -> Option<&'a str> {
    let cookie = || {
        let found = cookies::all(ask).find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim_matches('"'))
    };
    ask.header(name).or_else(cookie).filter(|text| !text.is_empty())
}

const REFRESH_TOKEN: &str = "x-ms-refreshtokencredential";
const DEVICE: &str = "x-ms-devicecredential";
