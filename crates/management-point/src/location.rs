//! MP_LocationManager: what the site is, and where the client's package is.
//!
//! Fidelity: observed for the documents (mp-wire §7). The hash of the package is the site's; nothing in a
//! request can change what a reply says about it.

use cmglab_events::Source;
use cmglab_events::kinds::ManagementPointEvent;
use cmglab_proto::ccm::location::{
    Capability, ContentLocationReply, ContentLocationRequest, ContentSite, ContentWanted, LocationRecord,
    LocationRequest, OperationalSettings, SiteInfo, SiteInfoReply, SiteInformationRequest,
};
use cmglab_proto::ccm::{Endpoint, Request};
use cmglab_proto::claims::CcmClaims;

use crate::bearer::printable;
use crate::content::hex;
use crate::refused::Refused;
use crate::service::Shared;

/// The document to reply with; none when the message is dropped.
pub(crate) async fn answer(
    shared: &Shared,
    voice: &Source,
    caller: &CcmClaims,
    message: &Request,
) -> Result<Option<String>, Refused> {
    match LocationRequest::parse(&message.payload, &shared.limits) {
        Ok(LocationRequest::Site(wanted)) => site_info(shared, voice, caller, wanted).await.map(Some),
        Ok(LocationRequest::Content(wanted)) => content(shared, voice, caller, wanted).await.map(Some),
        Ok(LocationRequest::Other(root)) => {
            let root = printable(&root);
            Ok(dropped(voice, format!("location request <{root}> is not part of this lab")))
        }
        Ok(_) => Ok(dropped(voice, "this kind of location request is not part of this lab".to_owned())),
        Err(error) => Ok(dropped(voice, error.to_string())),
    }
}

async fn site_info(
    shared: &Shared,
    voice: &Source,
    caller: &CcmClaims,
    wanted: SiteInformationRequest,
) -> Result<String, Refused> {
    let Shared { site, config, .. } = shared;
    let clients_check_crl = site.clients_check_crl().await?;
    let found = wanted.site_code == site.site_code();
    let info = found.then(|| SiteInfo {
        site_code: site.site_code(),
        version: config.site_version.clone(),
        build: config.build,
        default_mp: config.host.clone(),
        capabilities: vec![Capability::with_version("SSL", "1")],
        settings: Some(OperationalSettings { clients_check_crl }),
    });
    voice.emit(ManagementPointEvent::SiteInfoAnswered {
        client: caller.device,
        site: wanted.site_code.to_string(),
        found,
        clients_check_crl,
    });
    Ok(SiteInfoReply { sites: info.into_iter().collect() }.to_xml())
}

async fn content(
    shared: &Shared,
    voice: &Source,
    caller: &CcmClaims,
    wanted: ContentLocationRequest,
) -> Result<String, Refused> {
    let Shared { site, config, .. } = shared;
    let package = site.client_package().await?;
    let (asked, matches) = match &wanted.content {
        ContentWanted::ClientPackage { .. } => (None, true),
        ContentWanted::Package { id, version } => {
            let is_it = |known: &cmglab_site::ClientPackage| {
                known.package_id.eq_ignore_ascii_case(id) && (*version == 0 || known.version == *version)
            };
            (Some(printable(id)), package.as_ref().is_some_and(is_it))
        }
    };
    let found = package.filter(|_| matches && wanted.site_code == site.site_code());
    let url = found.as_ref().map(|_| config.content_url());
    let reply = ContentLocationReply {
        hash: found.as_ref().map(|package| hex(&package.sha256)),
        hash_algorithm: found.as_ref().map(|_| ContentLocationReply::SHA256),
        package_flags: 0,
        sites: vec![ContentSite {
            site_code: site.site_code(),
            master_site_code: site.site_code(),
            locality: LOCALITY.to_owned(),
            http_port: 80,
            https_port: 443,
            records: url.iter().map(|url| record(shared, url)).collect(),
        }],
    };
    voice.emit(ManagementPointEvent::ContentLocated { client: caller.device, package: asked, url });
    Ok(reply.to_xml())
}

fn record(shared: &Shared, url: &str) -> LocationRecord {
    let server = url.split('/').nth(2).unwrap_or_default();
    LocationRecord {
        url: url.to_owned(),
        signature_url: None,
        ad_site: String::new(),
        subnets: Vec::new(),
        build: shared.config.build,
        capabilities: vec![Capability::with_value("SSLState", "63")],
        server: server.to_owned(),
        kind: "SERVER".to_owned(),
        trusted: true,
        locality: LOCALITY.to_owned(),
    }
}

fn dropped(voice: &Source, cause: String) -> Option<String> {
    let endpoint = Some(Endpoint::LocationManager.as_str().to_owned());
    voice.emit(ManagementPointEvent::MessageDropped { endpoint, cause });
    None
}

const LOCALITY: &str = "LOCAL";
