//! What a scenario does.

use std::fmt;

use cmglab_proto::ids::TenantId;
use jiff::SignedDuration;
use serde::Deserialize;

use super::{AzureAdChange, RawRequest, TokenKind};

/// One step. Written as a word (`- register`) or as a word with a value (`- advance: 6m`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Step {
    /// Protocol time moves on.
    Advance(StepSpan),
    /// The administrator of Azure AD changes something there.
    AzureAd(AzureAdChange),
    /// The site's administrator blocks the bulk registration token that was kept.
    BlockBulkToken,
    /// The site's administrator blocks the client.
    BlockClient,
    /// The site's administrator disables Azure AD authentication for a tenant.
    DisableTokenAuth(TenantId),
    /// Azure AD authentication is allowed again for a tenant.
    EnableTokenAuth(TenantId),
    /// ccmsetup is started with this command line.
    Install(String),
    /// The connection points are started, and nobody waits for what comes of it but their first round.
    LaunchConnectionPoint,
    /// A token is got and kept, for requests to come.
    MakeToken(TokenKind),
    /// The site's administrator onboards a tenant of the topology.
    OnboardTenant(TenantId),
    /// The CRL of an authority is published again.
    PublishCrl(String),
    /// The agent asks the site for its present settings.
    RefreshLocation,
    /// The installed agent starts: it registers and gets a CCM token.
    Register,
    /// The site's administrator takes a tenant back.
    RemoveTenant(TenantId),
    /// The site forgets a user.
    RemoveUser(UserAccount),
    /// A stranger sends one HTTPS request to the gateway.
    Request(RawRequest),
    /// The agent's process ends and starts again: what it holds in memory is gone.
    RestartClient,
    /// The management point signs CCM tokens with a new key.
    RotateCcmKey,
    /// The agent sends a message to the management point.
    SendMessage,
    /// The site's options change.
    Set(SiteOptions),
    /// The gateway's service is started.
    StartCmg,
    /// The connection points are started.
    StartConnectionPoint,
    /// The gateway's service is stopped.
    StopCmg,
    /// The connection points are switched off.
    StopConnectionPoint,
    /// The bulk registration token that was kept is good again.
    UnblockBulkToken,
    /// The client may come back.
    UnblockClient,
    /// The CRL of an authority is not to be had any more.
    UnpublishCrl(String),
}

/// A span of protocol time, written as `6m` or `8h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct StepSpan(SignedDuration);

/// A user, as the site knows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserAccount {
    /// The tenant.
    pub tenant: TenantId,
    /// The user principal name.
    pub upn: String,
}

/// The options of the site that a step may change; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteOptions {
    /// "Clients check the certificate revocation list (CRL) for site systems".
    pub clients_check_crl: bool,
}

impl StepSpan {
    /// The span.
    #[must_use]
    pub fn get(self) -> SignedDuration {
        self.0
    }
}

impl TryFrom<String> for StepSpan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        const FORM: &str = "write it as `6m`, `8h` or `8h 30m`";
        let span: SignedDuration =
            text.parse().map_err(|_| format!("`{}` is not a span of time; {FORM}", cut(&text)))?;
        if !span.is_positive() || span > LONGEST {
            return Err(format!("`{}` is not more than zero and at most ten years; {FORM}", cut(&text)));
        }
        Ok(Self(span))
    }
}

impl Step {
    /// Whether the step is the agent's own: its failure is what the scenario is about, or a surprise.
    #[must_use]
    pub fn is_of_the_client(&self) -> bool {
        matches!(
            self,
            Self::Install(_)
                | Self::Register
                | Self::RefreshLocation
                | Self::SendMessage
                | Self::RestartClient
        )
    }
}

/// As it stands in the file.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advance(span) => write!(f, "advance: {:#}", span.0),
            Self::AzureAd(change) => write!(f, "azure-ad: {change}"),
            Self::BlockBulkToken => f.write_str("block-bulk-token"),
            Self::BlockClient => f.write_str("block-client"),
            Self::DisableTokenAuth(tenant) => write!(f, "disable-token-auth: {tenant}"),
            Self::EnableTokenAuth(tenant) => write!(f, "enable-token-auth: {tenant}"),
            Self::Install(line) => write!(f, "install: {line}"),
            Self::LaunchConnectionPoint => f.write_str("launch-connection-point"),
            Self::MakeToken(kind) => write!(f, "make-token: {kind}"),
            Self::OnboardTenant(tenant) => write!(f, "onboard-tenant: {tenant}"),
            Self::PublishCrl(authority) => write!(f, "publish-crl: {authority}"),
            Self::RefreshLocation => f.write_str("refresh-location"),
            Self::Register => f.write_str("register"),
            Self::RemoveTenant(tenant) => write!(f, "remove-tenant: {tenant}"),
            Self::RemoveUser(user) => write!(f, "remove-user: {}", user.upn),
            Self::Request(request) => write!(f, "request: {request}"),
            Self::RestartClient => f.write_str("restart-client"),
            Self::RotateCcmKey => f.write_str("rotate-ccm-key"),
            Self::SendMessage => f.write_str("send-message"),
            Self::Set(options) => write!(f, "set: clients_check_crl = {}", options.clients_check_crl),
            Self::StartCmg => f.write_str("start-cmg"),
            Self::StartConnectionPoint => f.write_str("start-connection-point"),
            Self::StopCmg => f.write_str("stop-cmg"),
            Self::StopConnectionPoint => f.write_str("stop-connection-point"),
            Self::UnblockBulkToken => f.write_str("unblock-bulk-token"),
            Self::UnblockClient => f.write_str("unblock-client"),
            Self::UnpublishCrl(authority) => write!(f, "unpublish-crl: {authority}"),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

const LONGEST: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);
