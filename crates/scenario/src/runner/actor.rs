//! Takes the steps of a scenario in a running lab.

use cmglab_client::{Client, ClientError, Message, Registration};
use cmglab_events::kinds::LabEvent;
use cmglab_lab::{Lab, LabError};
use cmglab_proto::ccm::Endpoint;
use cmglab_proto::ccm::location::SiteInformationRequest;

use crate::StepOutcome;
use crate::model::{RawRequest, Step, UserAccount};

use super::operator::Operator;
use super::tokens::{Tokens, registered};
use super::{administrator, stranger};

/// Who acts: the administrator, the client, a stranger.
#[derive(Debug)]
pub(super) struct Actor<'a> {
    lab: &'a Lab,
    client: Client,
    operator: Operator<'a>,
    tokens: Tokens,
}

/// Why the lab could not do what a step asks for.
pub(super) type Impossible = String;

impl<'a> Actor<'a> {
    /// Makes the device and its client.
    pub(super) async fn new(lab: &'a Lab) -> Result<Self, LabError> {
        let client = lab.client().await?;
        Ok(Self { lab, client, operator: Operator::new(lab), tokens: Tokens::default() })
    }

    /// Takes one step; `text` is how the file has it.
    pub(super) async fn take(&mut self, step: &Step, text: &str) -> StepOutcome {
        self.lab.voice().emit(LabEvent::Step { step: text.to_owned() });
        match step {
            Step::Install(_) | Step::Register | Step::RefreshLocation | Step::SendMessage => {
                match self.as_client(step).await {
                    Ok(()) => StepOutcome::Done,
                    Err(cause) => StepOutcome::Failed { cause },
                }
            }
            _ => match self.as_lab(step).await {
                Ok(()) => StepOutcome::Done,
                Err(cause) => StepOutcome::Impossible { cause },
            },
        }
    }

    async fn as_client(&mut self, step: &Step) -> Result<(), String> {
        let words = |error: ClientError| error.to_string();
        match step {
            Step::Install(line) => {
                let outcome = self.client.install(line).await;
                let code = outcome.return_code.code();
                outcome.failure.map_or(Ok(()), |failure| Err(format!("return code {code}: {failure}")))
            }
            Step::Register => match self.client.register().await.map_err(words)? {
                Registration::Registered { .. } => Ok(()),
                Registration::Pending { .. } => {
                    Err("the site has not decided on the registration".to_owned())
                }
                _ => Err("the site did not take the client in".to_owned()),
            },
            Step::RefreshLocation => self.client.refresh_location().await.map(drop).map_err(words),
            _ => self.send_message().await,
        }
    }

    /// A signed question that the management point answers, unlike a heartbeat: what came of it is known.
    async fn send_message(&mut self) -> Result<(), String> {
        let payload = SiteInformationRequest { site_code: self.lab.topology().site.code }.to_xml();
        let message = Message::sync(Endpoint::LocationManager, payload);
        match self.client.send_message(&message).await {
            Ok(Some(_reply)) => Ok(()),
            Ok(None) => Err("the management point answered the message with nothing".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn as_lab(&mut self, step: &Step) -> Result<(), Impossible> {
        match step {
            Step::Advance(span) => self.lab.advance(span.get()).await,
            Step::AzureAd(change) => administrator::change(self.lab, &self.client, change).await?,
            Step::RestartClient => self.client = self.lab.client().await.map_err(words)?,
            Step::Request(request) => self.ask(request).await?,
            Step::PublishCrl(authority) => self.publish(authority, true)?,
            Step::UnpublishCrl(authority) => self.publish(authority, false)?,
            Step::LaunchConnectionPoint => self.operator.launch_connection_points().await?,
            Step::StartConnectionPoint => self.operator.start_connection_points().await?,
            Step::StopConnectionPoint => self.operator.stop_connection_points().await?,
            Step::StartCmg => self.operator.start_gateway().await?,
            Step::StopCmg => self.operator.stop_gateway().await?,
            _ => {
                self.as_administrator(step).await?;
                self.operator.settle().await?;
            }
        }
        Ok(())
    }

    async fn ask(&mut self, request: &RawRequest) -> Result<(), Impossible> {
        let token = match request.token {
            Some(kind) => {
                let token = self.tokens.of(self.lab, &self.client, kind).await?;
                // The gateway has to know of it what the site knows.
                self.operator.settle().await?;
                Some(token)
            }
            None => None,
        };
        stranger::ask(self.lab, request, token.as_ref()).await
    }

    async fn as_administrator(&mut self, step: &Step) -> Result<(), Impossible> {
        let (site, now) = (self.lab.site(), self.lab.clock().now());
        match step {
            Step::BlockBulkToken => site.block_bulk_token(self.tokens.bulk()?, now).await.map_err(words),
            Step::BlockClient => site.block_client(registered(&self.client)?, now).await.map_err(words),
            Step::DisableTokenAuth(tenant) => site.set_token_auth(*tenant, false).await.map_err(words),
            Step::EnableTokenAuth(tenant) => site.set_token_auth(*tenant, true).await.map_err(words),
            Step::MakeToken(kind) => self.tokens.keep(self.lab, &self.client, *kind).await,
            Step::OnboardTenant(tenant) => self.lab.onboard(*tenant).await.map_err(words),
            Step::RemoveTenant(tenant) => site.remove_tenant(*tenant).await.map_err(words),
            Step::RemoveUser(account) => self.remove(account).await,
            Step::RotateCcmKey => self.lab.management_point().rotate_ccm_key().await.map(drop).map_err(words),
            Step::Set(options) => site.set_clients_check_crl(options.clients_check_crl).await.map_err(words),
            Step::UnblockBulkToken => site.unblock_bulk_token(self.tokens.bulk()?).await.map_err(words),
            Step::UnblockClient => site.unblock_client(registered(&self.client)?).await.map_err(words),
            other => Err(format!("the step `{other}` is not known to the runner")),
        }
    }

    async fn remove(&self, account: &UserAccount) -> Result<(), Impossible> {
        let known = self.lab.topology().user(&account.upn);
        let user = known.ok_or_else(|| format!("the lab has no user {}", account.upn))?;
        self.lab.site().remove_user(account.tenant, user.id).await.map_err(words)
    }

    fn publish(&self, authority: &str, published: bool) -> Result<(), Impossible> {
        let known = self.lab.revocation().publish(authority, published);
        known.then_some(()).ok_or_else(|| format!("no authority `{authority}` has a CRL"))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(super) fn words(error: impl ToString) -> String {
    error.to_string()
}
