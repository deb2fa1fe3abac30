//! Key provisioning: a user registers the key that he will sign in with on this device (MS-KPP; entra §1.6).
//!
//! Fidelity: observed for the request and for the id of a key (SHA-256 of the blob as it was sent);
//! inferred for the members of the answer. `krctx` is a receipt that this service has signed; what the real
//! one holds is not public.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::AadEvent;
use cmglab_proto::ids::{DeviceId, TenantId};
use serde::Deserialize;
use serde_json::json;

use super::bearer::Caller;
use super::request::ApiVersion;
use super::{Denied, bearer, within};
use crate::answer::{Outcome, Reply, Trouble};
use crate::ask::Ask;
use crate::device::key_id;
use crate::directory::UserKey;
use crate::{Aad, TransportKey};

/// Keeps the key.
pub(super) fn answer(aad: &Aad, ask: &Ask) -> Outcome {
    let during = |denied: Denied| denied.during(OPERATION);
    let caller = bearer::caller(aad, ask).map_err(during)?;
    let tenant = caller.tenant;
    provision(aad, ask, caller).map_err(|trouble| match within(trouble, tenant) {
        Trouble::Denied(denied) => during(denied).into(),
        other => other,
    })
}

/// The body. More members are passed over.
#[derive(Deserialize)]
struct Wire {
    /// Base64 of a BCRYPT_RSAKEY_BLOB.
    kngc: String,
}

fn provision(aad: &Aad, ask: &Ask, caller: Caller) -> Result<Reply, Trouble> {
    ApiVersion::of(ask)?;
    let Caller { tenant, user, device, amr } = caller;
    let device = usable(aad, tenant, device)?;
    if aad.key_provisioning_needs_second_factor() && !amr.iter().any(|method| SECOND.contains(&&**method)) {
        let message = "The user must have signed in with a second factor to register a key.";
        return Err(Denied::authorization("SecondFactorRequired", message).into());
    }
    let wire: Wire = serde_json::from_slice(&ask.body)
        .map_err(|error| Denied::request(format!("The body registers no key: {error}.")))?;
    let blob = STANDARD.decode(wire.kngc).map_err(|_| Denied::request("kngc is not base64."))?;
    let key = TransportKey::from_blob(&blob).map_err(|error| Denied::request(format!("kngc: {error}.")))?;
    let (id, kid) = (user.object_id, key_id(&blob));
    let key = UserKey { user: id, device, kid: kid.clone(), public_key: key.pkcs1_der() };
    if !aad.directory_mut().add_user_key(key) {
        return Err(Denied::directory("QuotaExceeded", "The user has too many keys.").into());
    }
    let change = format!("user {}: key {kid} of device {device} registered", user.upn);
    ask.voice.emit(AadEvent::DirectoryChanged { change });
    let receipt = json!({
        "iss": aad.issuer(1, tenant), "upn": user.upn, "oid": id, "deviceid": device, "kid": kid,
        "iat": ask.now.as_second(),
    });
    let receipt = aad.sign(1, &receipt)?;
    Ok(json!({"kid": kid, "upn": user.upn, "krctx": STANDARD.encode(receipt)}).into())
}

/// The device of the token as it is now.
fn usable(aad: &Aad, tenant: TenantId, device: Option<DeviceId>) -> Result<DeviceId, Denied> {
    let unbound = || Denied::authorization("DeviceRequired", "The token was not issued on a device.");
    let id = device.ok_or_else(unbound)?;
    let directory = aad.directory();
    let device = directory.device(id).filter(|device| device.tenant == tenant);
    let gone = || Denied::authentication("DeviceNotFound", format!("Device {id} is not in the directory."));
    if device.ok_or_else(gone)?.enabled {
        Ok(id)
    } else {
        Err(Denied::authorization("DeviceDisabled", format!("Device {id} is disabled.")))
    }
}

const OPERATION: &str = "KeyProvisioning";
/// The words in `amr` for a second factor, the other being that of a sign-in made for this purpose.
const SECOND: [&str; 2] = ["mfa", "ngcmfa"];
