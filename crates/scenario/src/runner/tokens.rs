//! Tokens that a scenario asks for: each got from the service that issues it, none made here.

use std::collections::BTreeMap;

use cmglab_client::Client;
use cmglab_lab::Lab;
use cmglab_proto::claims::DEFAULT_BULK_LIFETIME;
use cmglab_proto::ids::{BulkTokenId, ClientGuid};
use cmglab_proto::sts::{self, BearerToken};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;

use crate::model::TokenKind;

use super::actor::{Impossible, words};
use super::stranger::{Reply, Stranger};

/// The tokens that were kept, so that they may expire or be blocked.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    kept: BTreeMap<TokenKind, BearerToken>,
    bulk: Option<BulkTokenId>,
}

impl Tokens {
    /// Gets one and keeps it, in place of one of its kind.
    pub(super) async fn keep(
        &mut self,
        lab: &Lab,
        client: &Client,
        kind: TokenKind,
    ) -> Result<(), Impossible> {
        let (token, id) = get(lab, client, kind).await?;
        self.kept.insert(kind, token);
        self.bulk = id.or(self.bulk);
        Ok(())
    }

    /// The one that was kept, or else one that is got now.
    pub(super) async fn of(
        &self,
        lab: &Lab,
        client: &Client,
        kind: TokenKind,
    ) -> Result<BearerToken, Impossible> {
        match self.kept.get(&kind) {
            Some(token) => Ok(token.clone()),
            None => get(lab, client, kind).await.map(|(token, _id)| token),
        }
    }

    /// The id of the bulk registration token that was kept.
    pub(super) fn bulk(&self) -> Result<BulkTokenId, Impossible> {
        self.bulk.ok_or_else(|| "no bulk registration token was kept; add `- make-token: bulk`".to_owned())
    }
}

/// The client's id at the site.
pub(super) fn registered(client: &Client) -> Result<ClientGuid, Impossible> {
    let known = client.assignment().and_then(cmglab_client::Assignment::client);
    known.ok_or_else(|| "the client is not registered; add `- register`".to_owned())
}

async fn get(
    lab: &Lab,
    client: &Client,
    kind: TokenKind,
) -> Result<(BearerToken, Option<BulkTokenId>), Impossible> {
    let mp = lab.management_point();
    match kind {
        TokenKind::AzureAd => Ok((azure_ad(lab).await?, None)),
        TokenKind::Bulk => {
            let made = mp.bulk_registration_token(DEFAULT_BULK_LIFETIME).await.map_err(words)?;
            Ok((made.token, Some(made.id)))
        }
        TokenKind::Ccm => Ok((ccm(lab).await?, None)),
        TokenKind::ClientAuth => {
            let made = mp.client_auth_token(registered(client)?).await.map_err(words)?;
            Ok((made, None))
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

/// The user who is logged on signs in with name and password (entra §2.4).
async fn azure_ad(lab: &Lab) -> Result<BearerToken, Impossible> {
    let topology = lab.topology();
    let upn = topology.client.logged_on.as_deref().ok_or("nobody is logged on; set client.logged_on")?;
    let user = topology.user(upn).ok_or_else(|| format!("the lab has no user {upn}"))?;
    let mut tenants = topology.azure_ad.tenants.iter();
    let tenant = tenants.find(|tenant| tenant.users.contains(user));
    let tenant = tenant.ok_or_else(|| format!("no tenant has the user {upn}"))?;
    let app = tenant.client_app.to_string();
    let form = [
        ("grant_type", "password"),
        ("client_id", &app),
        ("resource", &tenant.resource),
        ("username", upn),
        ("password", &user.password),
        ("scope", "openid"),
    ];
    // A query has the form of a form.
    let form = Url::parse_with_params("https://form.invalid", form).map_err(words)?;
    let form = form.query().unwrap_or_default().to_owned();
    let with = |ask: RequestBuilder| ask.header(CONTENT_TYPE, FORM).body(form);
    let path = format!("/{}/oauth2/token", tenant.id);
    let reply = Stranger::new(lab)?.send(Method::POST, LOGIN, &path, with).await?;
    let reply = granted("Azure AD", reply)?;
    let Granted { access_token } = serde_json::from_slice(&reply.body).map_err(words)?;
    access_token.parse().map_err(words)
}

async fn ccm(lab: &Lab) -> Result<BearerToken, Impossible> {
    let (topology, proof) = (lab.topology(), azure_ad(lab).await?);
    let path = format!("/CCM_Proxy_ServerAuth/{}{}", topology.management_point.role_id, sts::PATH);
    let with = |ask: RequestBuilder| ask.bearer_auth(proof.expose());
    let reply = Stranger::new(lab)?.send(Method::GET, &topology.cmg.host, &path, with).await?;
    let reply = granted("CCM_STS", reply)?;
    sts::read_answer(&reply.headers, &reply.body).map_err(words)
}

fn granted(by: &str, reply: Reply) -> Result<Reply, Impossible> {
    if reply.status == StatusCode::OK {
        return Ok(reply);
    }
    let words: String = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
    Err(format!("{by} gave no token: {} {}: {words}", reply.status.as_u16(), reply.reason))
}

const LOGIN: &str = "login.microsoftonline.com";
const FORM: &str = "application/x-www-form-urlencoded";
