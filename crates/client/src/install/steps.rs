//! The steps of an installation.

use cmglab_events::Role;
use cmglab_events::kinds::{ClientEvent, ClientLog, HttpCaller, StsServer};
use cmglab_proto::aadauthinfo::{self, AadAuthInfo, AadAuthInfoError};
use cmglab_proto::ccm::location::SiteInfo;
use cmglab_proto::sts::BearerToken;
use cmglab_proto::url::{AAD_AUTH_INFO, AuthScheme};

use super::Step;
use crate::aad::{AadApp, AadToken};
use crate::assignment::{Assignment, RegistrationState};
use crate::cmg::{CmgRequest, Proof, Speaker};
use crate::location::{Asker, PackageLocation};
use crate::package::Package;
use crate::sts::TokenRequest;
use crate::token_cache::CcmToken;
use crate::{Client, ClientError, CommandLine};

/// A running ccmsetup.
pub(super) struct Setup<'a> {
    client: &'a mut Client,
    line: CommandLine,
    /// The step at hand.
    pub(super) reached: Step,
}

impl<'a> Setup<'a> {
    pub(super) fn new(client: &'a mut Client, line: CommandLine) -> Self {
        Self { client, line, reached: Step::CommandLine }
    }

    pub(super) async fn run(&mut self) -> Result<(), ClientError> {
        self.reached = Step::AadInfo;
        let app = self.aad_info().await?;
        self.reached = Step::AadToken;
        let aad = self.aad_token(&app).await?;
        self.reached = Step::CcmToken;
        let ccm = self.ccm_token(&aad).await?;
        self.reached = Step::SiteInformation;
        let site = self.asker(&ccm.token).site(self.line.site_code).await?;
        self.reached = Step::ContentLocation;
        let location = self.asker(&ccm.token).package(self.line.site_code).await?;
        self.reached = Step::Download;
        let cabinet = self.download(&ccm.token, &location).await?;
        self.reached = Step::Verification;
        let package = self.verify(&cabinet, &location)?;
        self.reached = Step::Unpacking;
        self.unpack(&package, app, site, &ccm)
    }

    /// The tenant's apps: from the command line when it names everything, else from the CMG.
    async fn aad_info(&self) -> Result<AadApp, ClientError> {
        let tenant = self.line.tenant.unwrap_or(self.client.machine.tenant);
        let given = (self.line.tenant, self.line.client_app, self.line.resource.clone());
        if let (Some(tenant), Some(client_app), Some(resource)) = given {
            return Ok(AadApp { tenant, client_app, resource });
        }
        let host = self.line.installs_from().host();
        self.client.say(ClientEvent::AadInfoRequested { cmg: host.to_owned() });
        let scheme = AuthScheme::ServerAuth.segment();
        let path = format!("/{scheme}/{AAD_AUTH_INFO}?{}", aadauthinfo::query(&tenant));
        let request = CmgRequest { largest_answer: aadauthinfo::MAX_BODY, ..CmgRequest::get(host, path) };
        let voice = self.client.transport.voice();
        let speaker = Speaker { log: ClientLog::CcmSetup, caller: HttpCaller::SmsCcm };
        let answer = self.client.transport.ask_cmg(&voice, speaker, &request).await?;
        let info = AadAuthInfo::parse(&answer.body).map_err(|error| match error {
            AadAuthInfoError::Empty => ClientError::NotOnboarded(error),
            other => ClientError::answer(Role::Cmg, "AADAuthInfo", other),
        })?;
        if info.tenant_id != tenant {
            let reason = format!("it is about tenant {}, not {tenant}", info.tenant_id);
            return Err(ClientError::answer(Role::Cmg, "AADAuthInfo", reason));
        }
        let (client_app, resource) = (info.client_app_id, info.resource_uri);
        voice.emit(ClientEvent::AadInfoReceived { tenant, client_app, resource: resource.clone() });
        // What the command line names goes first.
        Ok(AadApp {
            tenant,
            client_app: self.line.client_app.unwrap_or(client_app),
            resource: self.line.resource.clone().unwrap_or(resource),
        })
    }

    async fn aad_token(&self, app: &AadApp) -> Result<AadToken, ClientError> {
        let asked = self.client.aad().token(ClientLog::CcmSetup, app, &self.client.machine).await;
        if asked.is_err() {
            self.client.say(ClientEvent::NoAccessToken { log: ClientLog::CcmSetup });
        }
        asked
    }

    async fn ccm_token(&self, aad: &AadToken) -> Result<CcmToken, ClientError> {
        let name = self.line.installs_from();
        let server = StsServer::CommandLine { name: name.clone() };
        let request = TokenRequest { log: ClientLog::CcmSetup, server, name, aad: &aad.token };
        request.send(&self.client.transport, &self.client.cache).await
    }

    fn asker<'s>(&'s self, token: &'s BearerToken) -> Asker<'s> {
        Asker {
            transport: &self.client.transport,
            speaker: CCMSETUP,
            log: ClientLog::CcmSetup,
            name: self.line.installs_from(),
            token,
            host_name: &self.client.machine.host_name,
            domain: &self.client.machine.domain,
        }
    }

    async fn download(
        &self,
        token: &BearerToken,
        location: &PackageLocation,
    ) -> Result<Vec<u8>, ClientError> {
        let request = CmgRequest {
            proof: Proof::Ccm(token),
            user_agent: "ccmsetup",
            largest_answer: LARGEST_CABINET,
            ..CmgRequest::get(self.line.installs_from().host(), location.path.clone())
        };
        let voice = self.client.transport.voice();
        let answer = self.client.transport.ask_cmg(&voice, CCMSETUP, &request).await?;
        Ok(answer.body.to_vec())
    }

    fn verify(&self, cabinet: &[u8], location: &PackageLocation) -> Result<Package, ClientError> {
        let verified = Package::verify(cabinet, &location.sha256);
        if let Err(ClientError::ContentHash { file, expected, actual }) = &verified {
            self.client.say(ClientEvent::ContentHashMismatch {
                file: file.clone(),
                expected: expected.clone(),
                actual: actual.clone(),
            });
        }
        verified
    }

    /// Files first, the client's memory last: what is remembered is there.
    fn unpack(
        &mut self,
        package: &Package,
        app: AadApp,
        site: SiteInfo,
        ccm: &CcmToken,
    ) -> Result<(), ClientError> {
        let (version, product_code) = (package.version.clone(), package.product_code.clone());
        self.client
            .say(ClientEvent::Installing { version: version.clone(), product_code: product_code.clone() });
        package.unpack(&self.client.folder.inner(CLIENT_FOLDER)?)?;
        self.client.remember(Assignment {
            ccm_host_name: self.line.ccm_host_name.clone(),
            site_code: self.line.site_code,
            management_point: site.default_mp,
            tenant: app.tenant,
            client_app: app.client_app,
            resource: app.resource,
            version,
            product_code,
            proposed: ccm.client,
            registration: RegistrationState::None,
        })
    }
}

const CCMSETUP: Speaker = Speaker { log: ClientLog::CcmSetup, caller: HttpCaller::CcmSetup };
const CLIENT_FOLDER: &str = "ccmsetup";
const LARGEST_CABINET: usize = 64 * 1024 * 1024;
