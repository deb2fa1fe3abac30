//! What location services tell: the site, and where the client's files are (mp-wire §7).

use cmglab_events::Role;
use cmglab_events::kinds::{ClientEvent, ClientLog};
use cmglab_proto::ccm::location::{
    ClientLocation, ContentLocationReply, ContentLocationRequest, ContentWanted, LocationFlags,
    NetworkAddress, SiteInfo, SiteInfoReply, SiteInformationRequest,
};
use cmglab_proto::ccm::{Endpoint, Limits, ReplyMode};
use cmglab_proto::ids::{MessageId, SiteCode};
use cmglab_proto::sts::BearerToken;
use cmglab_proto::url::{AuthScheme, CcmHostName};

use crate::cmg::{Proof, Speaker};
use crate::messaging::Mail;
use crate::transport::Transport;
use crate::{ClientError, Sid};

/// Who asks location services, through which CMG, with which token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) speaker: Speaker,
    /// The log of the questions and answers.
    pub(crate) log: ClientLog,
    pub(crate) name: &'a CcmHostName,
    pub(crate) token: &'a BearerToken,
    pub(crate) host_name: &'a str,
    pub(crate) domain: &'a str,
}

/// Where the client's package is, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageLocation {
    /// As the site gave it.
    pub(crate) url: String,
    /// Path of the cabinet at the CMG, in the form for a token.
    pub(crate) path: String,
    /// SHA-256 of the cabinet in hexadecimal.
    pub(crate) sha256: String,
}

impl Asker<'_> {
    /// What the management point says about a site.
    pub(crate) async fn site(&self, site_code: SiteCode) -> Result<SiteInfo, ClientError> {
        let payload = SiteInformationRequest { site_code }.to_xml();
        let asked = |payload: &str| ClientEvent::LocationRequested {
            log: self.log,
            server: self.name.clone(),
            payload: payload.to_owned(),
        };
        let reply = self.ask(&payload, asked).await?;
        let reply = SiteInfoReply::parse(&reply, &Limits::default());
        let sites = reply.map_err(|error| ClientError::reply(&error))?.sites;
        let found = sites.into_iter().find(|site| site.site_code == site_code);
        found.ok_or_else(|| ClientError::SiteUnknown { site: site_code.to_string() })
    }

    /// Where the client's package is.
    pub(crate) async fn package(&self, site_code: SiteCode) -> Result<PackageLocation, ClientError> {
        let content = ContentWanted::client_package();
        let request = ContentLocationRequest { content, site_code, client: self.own_location() };
        let asked = |body: &str| ClientEvent::ContentLocationRequested { body: body.to_owned() };
        let reply = self.ask(&request.to_xml(), asked).await?;
        let reply = ContentLocationReply::parse(&reply, &Limits::default());
        let location = located(&reply.map_err(|error| ClientError::reply(&error))?, self.name)?;
        let url = location.url.clone();
        self.transport.deps.events.emit(ClientEvent::ContentLocated { url });
        Ok(location)
    }

    async fn ask(
        &self,
        payload: &str,
        asked: impl FnOnce(&str) -> ClientEvent,
    ) -> Result<String, ClientError> {
        let voice = self.transport.voice();
        voice.emit(asked(payload));
        let mail = Mail {
            id: MessageId::new(self.transport.deps.ids.guid()),
            name: self.name,
            proof: Proof::Ccm(self.token),
            endpoint: Endpoint::LocationManager,
            payload,
            attachments: &[],
            mode: ReplyMode::Sync,
            sender: self.host_name,
            signed_by: None,
        };
        // Of ccmsetup's messages nothing goes through the messaging component.
        let agent = self.log == ClientLog::LocationServices;
        if agent {
            voice.emit(ClientEvent::MessageSending {
                message: mail.id,
                server: self.name.clone(),
                endpoint: mail.endpoint.to_string(),
                sid: Sid::system().to_string(),
            });
        }
        let reply = self.transport.post(&voice, self.speaker, &mail).await?;
        if agent {
            let reply = reply.as_ref().map(|reply| reply.msg.id);
            voice.emit(ClientEvent::MessageAnswered { message: mail.id, reply });
        }
        let body = reply.map(|reply| reply.payload).unwrap_or_default();
        voice.emit(ClientEvent::MessageReceived { log: self.log, body: body.clone() });
        Ok(body)
    }

    fn own_location(&self) -> ClientLocation {
        let address = NetworkAddress { subnet: "127.0.0.0".to_owned(), address: "127.0.0.1".to_owned() };
        ClientLocation {
            location_type: "SMSPACKAGE".to_owned(),
            flags: LocationFlags::internet(),
            ad_site: "Default".to_owned(),
            forest: self.domain.to_owned(),
            domain: self.domain.to_owned(),
            addresses: vec![address],
        }
    }
}

/// The first location, which must be at the CMG: the token goes there and nowhere else.
fn located(reply: &ContentLocationReply, cmg: &CcmHostName) -> Result<PackageLocation, ClientError> {
    let record = reply.records().next().ok_or(ClientError::NoLocation)?;
    let path = cmg_path(&record.url, cmg.host()).ok_or_else(|| ClientError::ForeignLocation {
        url: record.url.chars().take(256).collect(),
        cmg: cmg.host().to_owned(),
    })?;
    let unusable = |reason| ClientError::answer(Role::ManagementPoint, "a content location", reason);
    if reply.hash_algorithm != Some(ContentLocationReply::SHA256) {
        return Err(unusable("its hash is not declared as SHA-256 (32780)"));
    }
    let sha256 = reply.hash.clone().ok_or_else(|| unusable("it announces no hash"))?;
    Ok(PackageLocation { url: record.url.clone(), path, sha256 })
}

/// The path of the cabinet in its form for a token; `None` when the URL leads elsewhere.
fn cmg_path(url: &str, cmg: &str) -> Option<String> {
    let rest =
        url.split_at_checked(SCHEME.len()).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))?.1;
    let (host, path) = rest.split_once('/')?;
    if !host.eq_ignore_ascii_case(cmg) || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (segment, below) = path.split_once('/')?;
    AuthScheme::from_segment(segment)?;
    let scheme = AuthScheme::ServerAuth.segment();
    let scheme = if segment.bytes().any(|byte| byte.is_ascii_lowercase()) {
        scheme.to_owned()
    } else {
        scheme.to_ascii_uppercase()
    };
    let below = below.trim_end_matches('/');
    let cabinet = below.len() >= 4 && below.as_bytes()[below.len() - 4..].eq_ignore_ascii_case(b".cab");
    let file = if cabinet { "" } else { "/ccmsetup.cab" };
    Some(format!("/{scheme}/{below}{file}"))
}

const SCHEME: &str = "https://";

#[cfg(test)]
mod tests {
    use cmglab_proto::ccm::location::{ContentSite, LocationRecord};

    use super::*;

    #[test]
    fn the_path_is_that_for_a_token_and_of_the_cabinet() {
        let path = |url| cmg_path(url, "CMG.LAB.TEST");
        let expected = Some("/CCM_Proxy_ServerAuth/9/CCM_Client/ccmsetup.cab".to_owned());
        for url in [
            "https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/9/CCM_Client",
            "https://cmg.lab.test/CCM_Proxy_MutualAuth/9/CCM_Client/",
            "HTTPS://CMG.LAB.TEST/CCM_Proxy_ServerAuth/9/CCM_Client/ccmsetup.cab",
        ] {
            assert_eq!(path(url), expected, "{url}");
        }
        assert_eq!(
            path("https://CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/9/CCM_Client").unwrap(),
            "/CCM_PROXY_SERVERAUTH/9/CCM_Client/ccmsetup.cab"
        );
        for foreign in [
            "https://MP.LAB.TEST/CCM_Client",
            "https://CMG.LAB.TEST.evil/CCM_Proxy_MutualAuth/9/CCM_Client",
            "https://CMG.LAB.TEST@evil/CCM_Proxy_MutualAuth/9",
            "https://CMG.LAB.TEST/CCM_Client",
            "http://CMG.LAB.TEST/CCM_Proxy_MutualAuth/9/CCM_Client",
            "https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/9/a b",
            "é",
        ] {
            assert_eq!(path(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_location_without_hash_or_elsewhere_is_refused() {
        let cmg = "CMG.LAB.TEST/CCM_Proxy_MutualAuth/9".parse().unwrap();
        let good = ContentLocationReply {
            hash: Some("AA".to_owned()),
            hash_algorithm: Some(ContentLocationReply::SHA256),
            package_flags: 0,
            sites: vec![ContentSite {
                site_code: "LAB".parse().unwrap(),
                master_site_code: "LAB".parse().unwrap(),
                locality: "LOCAL".to_owned(),
                http_port: 80,
                https_port: 443,
                records: vec![record("https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/9/CCM_Client")],
            }],
        };
        assert_eq!(located(&good, &cmg).unwrap().sha256, "AA");
        let without = ContentLocationReply { hash: None, ..good.clone() };
        assert!(matches!(located(&without, &cmg), Err(ClientError::Answer { .. })));
        let sha1 = ContentLocationReply { hash_algorithm: Some(32_772), ..good.clone() };
        assert!(matches!(located(&sha1, &cmg), Err(ClientError::Answer { .. })));
        let nowhere = ContentLocationReply { sites: Vec::new(), ..good.clone() };
        assert_eq!(located(&nowhere, &cmg), Err(ClientError::NoLocation));
        let mut foreign = good;
        foreign.sites[0].records = vec![record("https://MP.LAB.TEST/CCM_Client")];
        assert!(matches!(located(&foreign, &cmg), Err(ClientError::ForeignLocation { .. })));
    }

    fn record(url: &str) -> LocationRecord {
        LocationRecord {
            url: url.to_owned(),
            signature_url: None,
            ad_site: String::new(),
            subnets: Vec::new(),
            build: 9128,
            capabilities: Vec::new(),
            server: String::new(),
            kind: "SERVER".to_owned(),
            trusted: true,
            locality: "LOCAL".to_owned(),
        }
    }
}
