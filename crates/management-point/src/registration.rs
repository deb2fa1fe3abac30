//! MP_ClientRegistration: a client becomes known to the site.
//!
//! Fidelity: documented for the request, the statuses and that certificate validation always runs
//! (mp-wire §3, the transcript); lab for how the Azure AD token comes along (mp-wire §10.16). Nothing is
//! believed before the signature over the request holds, and no registration of a blocked client changes
//! anything.

mod certificate;

use cmglab_events::Source;
use cmglab_events::kinds::ManagementPointEvent;
use cmglab_proto::ccm::registration::{
    Approval, Certificates, ClientRegistrationRequest, ClientRegistrationResponse, RegistrationData,
    RegistrationStatus, RequestType,
};
use cmglab_proto::ccm::{CcmError, Request};
use cmglab_proto::ids::{ClientGuid, DeviceId};
use cmglab_site::{AadDevice, ClientDetails, Registration, Sha256, SiteError};

use self::certificate::Judged;
use crate::messaging::Caller;
use crate::refused::Refused;
use crate::service::Shared;

/// The document to reply with; none when the message is dropped.
pub(crate) async fn answer(
    shared: &Shared,
    voice: &Source,
    caller: &Caller,
    message: &Request,
) -> Result<Option<String>, Refused> {
    let request = match ClientRegistrationRequest::parse(&message.payload, &shared.limits) {
        Ok(request) => request,
        Err(error) => return Ok(invalid(voice, &error)),
    };
    let data = request.data();
    let (tenant, device) = match caller {
        Caller::Aad(subject) => (Some(subject.tenant.tenant_id), subject.device.map(|it| it.device)),
        Caller::Ccm(_) => (None, None::<DeviceId>),
    };
    voice.emit(ManagementPointEvent::RegistrationRequested { client: data.smsid, tenant, device });
    match (data.request_type, &data.certificates) {
        (RequestType::Confirmation, _) => confirm(shared, voice, &request).await,
        (RequestType::Registration, Some(certificates)) => {
            register(shared, voice, caller, &request, certificates).await
        }
        (RequestType::Registration, None) => {
            let missing = CcmError::Missing { parent: "Data".to_owned(), name: "Certificates" };
            Ok(invalid(voice, &missing))
        }
    }
}

async fn register(
    shared: &Shared,
    voice: &Source,
    caller: &Caller,
    request: &ClientRegistrationRequest,
    certificates: &Certificates,
) -> Result<Option<String>, Refused> {
    let data = request.data();
    let now = shared.deps.clock.now();
    let authorities = certificate::authorities(&shared.site).await?;
    let signing = certificate::judge(&certificates.signing, &authorities, now);
    voice.emit(signing.event());
    let mut faulty = signing.fault;
    if certificates.encryption != certificates.signing {
        let encryption = certificate::judge(&certificates.encryption, &authorities, now);
        voice.emit(encryption.event());
        faulty = faulty.or(encryption.fault);
    }
    let Judged { key: Some(key), sha256, .. } = signing else {
        return Ok(Some(rejected(shared, voice, data, "the signing certificate cannot be used")));
    };
    if faulty.is_some() {
        return Ok(Some(rejected(shared, voice, data, "certificate validation failed")));
    }
    if let Err(error) = request.verify_signature(&key) {
        return Ok(invalid(voice, &error));
    }
    let device = device_of(shared, caller).await?;
    if is_blocked(shared, sha256, device).await? {
        return Ok(Some(rejected(shared, voice, data, BLOCKED)));
    }
    let details = details(data, certificates, sha256, device);
    match enter(shared, details, data.smsid).await {
        Ok(registration) => Ok(Some(accepted(shared, voice, data, &registration))),
        Err(error @ SiteError::TooLarge { .. }) => Ok(invalid(voice, &error)),
        Err(error) => Err(error.into()),
    }
}

/// The Azure AD device behind the token. A CCM token names a client, which the site gave to a device.
async fn device_of(shared: &Shared, caller: &Caller) -> Result<Option<AadDevice>, SiteError> {
    match caller {
        Caller::Aad(subject) => Ok(subject.device),
        Caller::Ccm(claims) => match claims.device {
            Some(client) => shared.site.aad_device(client).await,
            None => Ok(None),
        },
    }
}

/// Whether the client that the key or the device stands for is blocked.
async fn is_blocked(shared: &Shared, key: Sha256, device: Option<AadDevice>) -> Result<bool, SiteError> {
    let site = &shared.site;
    if site.registration_by_key(key).await?.is_some_and(|known| known.blocked_at.is_some()) {
        return Ok(true);
    }
    let Some(device) = device else { return Ok(false) };
    let Some(client) = site.find_client(device).await? else { return Ok(false) };
    Ok(site.client(client).await?.is_some_and(|known| known.blocked_at.is_some()))
}

/// A new client keeps the GUID that it proposes if nobody has it, even though CCM_STS may have named its
/// device by another one before: no client has registered under that. Otherwise the site decides by key,
/// device and proposal.
async fn enter(
    shared: &Shared,
    details: ClientDetails,
    proposed: Option<ClientGuid>,
) -> Result<Registration, SiteError> {
    let (site, ids, now) = (&shared.site, &shared.deps.ids, shared.deps.clock.now());
    if let Some(wanted) = proposed
        && site.client(wanted).await?.is_none()
        && site.registration_by_key(details.signing_key).await?.is_none()
        && !is_registered(shared, details.aad_device).await?
    {
        let unbound = ClientDetails { aad_device: None, ..details.clone() };
        site.register(unbound, proposed, ids, now).await?;
    }
    // The key is known now where it was new above, and takes the device along.
    site.register(details, proposed, ids, now).await
}

async fn is_registered(shared: &Shared, device: Option<AadDevice>) -> Result<bool, SiteError> {
    let Some(device) = device else { return Ok(false) };
    let Some(client) = shared.site.find_client(device).await? else { return Ok(false) };
    Ok(shared.site.registration(client).await?.is_some())
}

fn details(
    data: &RegistrationData,
    certificates: &Certificates,
    signing_key: Sha256,
    aad_device: Option<AadDevice>,
) -> ClientDetails {
    let property = |name| data.property(name).unwrap_or_default().to_owned();
    ClientDetails {
        signing_key,
        signing_certificate: certificates.signing.clone(),
        encryption_certificate: certificates.encryption.clone(),
        netbios_name: property("Netbios Name"),
        fqdn: property("FQ Name"),
        hardware_id: data.property("HardwareID1").map(str::to_owned),
        aad_device,
        approval: Approval::Automatic,
    }
}

/// A client asks how its registration went; it proves itself by the key on record.
async fn confirm(
    shared: &Shared,
    voice: &Source,
    request: &ClientRegistrationRequest,
) -> Result<Option<String>, Refused> {
    let data = request.data();
    let known = match data.smsid {
        Some(client) => shared.site.registration(client).await?,
        None => None,
    };
    let Some(known) = known else {
        return Ok(Some(rejected(shared, voice, data, "no such client is registered")));
    };
    let judged = certificate::judge(&known.details.signing_certificate, &[], shared.deps.clock.now());
    let signed = match judged.key {
        Some(key) => request.verify_signature(&key),
        None => Err(CcmError::NotSigned { what: "registration data" }),
    };
    if let Err(error) = signed {
        return Ok(invalid(voice, &error));
    }
    if known.blocked_at.is_some() {
        return Ok(Some(rejected(shared, voice, data, BLOCKED)));
    }
    Ok(Some(accepted(shared, voice, data, &known)))
}

fn accepted(shared: &Shared, voice: &Source, data: &RegistrationData, known: &Registration) -> String {
    voice.emit(ManagementPointEvent::Registered {
        client: known.client,
        proposed: data.smsid,
        netbios_name: known.details.netbios_name.clone(),
        approval: known.details.approval.code(),
    });
    response(shared, data, RegistrationStatus::Success, Some(known))
}

fn rejected(shared: &Shared, voice: &Source, data: &RegistrationData, cause: &str) -> String {
    voice.emit(ManagementPointEvent::RegistrationRejected { client: data.smsid, cause: cause.to_owned() });
    response(shared, data, RegistrationStatus::Rejected, None)
}

fn response(
    shared: &Shared,
    data: &RegistrationData,
    status: RegistrationStatus,
    known: Option<&Registration>,
) -> String {
    ClientRegistrationResponse {
        response_type: data.request_type,
        timestamp: shared.deps.clock.now(),
        status,
        smsid: known.map(|known| known.client),
        approval: known.map_or(Approval::Unknown, |known| known.details.approval),
    }
    .to_xml()
}

fn invalid(voice: &Source, error: &dyn std::error::Error) -> Option<String> {
    voice.emit(ManagementPointEvent::RegistrationInvalid { cause: error.to_string() });
    None
}

const BLOCKED: &str = "the client is blocked";
