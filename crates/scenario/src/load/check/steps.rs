//! What each step needs of the lab, and of the steps before it.

use cmglab_lab::Topology;
use cmglab_lab::topology::Join;
use cmglab_proto::ids::TenantId;
use serde_saphyr::Spanned;

use super::{at, authority};
use crate::error::Mistake;
use crate::model::{AzureAdChange, RawRequest, Step, TokenKind};
use crate::suggest::did_you_mean;

/// Checks them one by one, each with those before it.
pub(in super::super) fn steps(steps: &Spanned<Vec<Spanned<Step>>>, lab: &Topology) -> Result<(), Mistake> {
    let count = steps.value.len();
    if count == 0 {
        return Err(at(steps, "there is no step", "add one, such as `- register`"));
    }
    if count > MOST_STEPS {
        let what = format!("{count} steps are too many");
        return Err(at(steps, what, format!("split the scenario; it may have {MOST_STEPS}")));
    }
    let mut taken: Vec<&Step> = Vec::new();
    steps.value.iter().try_for_each(|step| {
        one(step, lab, &taken)?;
        taken.push(&step.value);
        Ok(())
    })
}

fn one(step: &Spanned<Step>, lab: &Topology, taken: &[&Step]) -> Result<(), Mistake> {
    match &step.value {
        Step::AzureAd(change) => azure_ad(step, change, lab),
        Step::PublishCrl(name) | Step::UnpublishCrl(name) => authority(step, name),
        Step::BlockBulkToken | Step::UnblockBulkToken => bulk_kept(step, taken),
        Step::BlockClient | Step::UnblockClient => registered(step, taken),
        Step::MakeToken(kind) => obtainable(step, *kind, lab, taken),
        Step::OnboardTenant(id)
        | Step::RemoveTenant(id)
        | Step::DisableTokenAuth(id)
        | Step::EnableTokenAuth(id) => tenant(step, *id, lab),
        Step::RemoveUser(account) => {
            tenant(step, account.tenant, lab)?;
            let known = lab.tenant(account.tenant).into_iter().flat_map(|tenant| &tenant.users);
            let upns: Vec<&str> = known.map(|user| user.upn.as_str()).collect();
            if upns.iter().any(|upn| upn.eq_ignore_ascii_case(&account.upn)) {
                return Ok(());
            }
            let what = format!("the tenant has no user {}", account.upn);
            Err(at(step, what, did_you_mean(&account.upn, &upns)))
        }
        Step::Request(request) => {
            sendable(step, request)?;
            request.token.map_or(Ok(()), |kind| obtainable(step, kind, lab, taken))
        }
        _ => Ok(()),
    }
}

fn obtainable(step: &Spanned<Step>, kind: TokenKind, lab: &Topology, taken: &[&Step]) -> Result<(), Mistake> {
    if kind.is_of_the_user() && lab.client.logged_on.is_none() {
        let fix = "set client.logged_on, or write another token";
        return Err(at(step, format!("a token {kind} is a user's, and nobody is logged on"), fix));
    }
    if kind == TokenKind::ClientAuth { registered(step, taken) } else { Ok(()) }
}

fn registered(step: &Spanned<Step>, taken: &[&Step]) -> Result<(), Mistake> {
    if taken.iter().any(|step| matches!(step, Step::Register)) {
        return Ok(());
    }
    Err(at(step, "the client is not registered at that point", "add `- register` before it"))
}

fn bulk_kept(step: &Spanned<Step>, taken: &[&Step]) -> Result<(), Mistake> {
    if taken.iter().any(|step| matches!(step, Step::MakeToken(TokenKind::Bulk))) {
        return Ok(());
    }
    let fix = "add `- make-token: bulk` before it";
    Err(at(step, "no bulk registration token is kept at that point", fix))
}

fn azure_ad(step: &Spanned<Step>, change: &AzureAdChange, lab: &Topology) -> Result<(), Mistake> {
    if change.is_of_the_device() && lab.client.join == Join::Unknown {
        let fix = "set client.join to `joined` or `registered`, or drop the step";
        return Err(at(step, "the client's device is not in Azure AD", fix));
    }
    let tenants = &lab.azure_ad.tenants;
    if let Some(upn) = change.user().filter(|upn| lab.user(upn).is_none()) {
        let upns: Vec<&str> =
            tenants.iter().flat_map(|tenant| &tenant.users).map(|user| user.upn.as_str()).collect();
        return Err(at(step, format!("no tenant has a user {upn}"), did_you_mean(upn, &upns)));
    }
    if let AzureAdChange::UnregisterApp(id) = change {
        let mut known = tenants.iter().flat_map(|tenant| {
            let others = tenant.apps.iter().map(|app| app.id);
            others.chain([tenant.client_app, tenant.server_app])
        });
        if !known.any(|app| app == *id) {
            let fix = "name the client_app, the server_app or one of the apps of a tenant";
            return Err(at(step, format!("no tenant has an app {id}"), fix));
        }
    }
    Ok(())
}

fn tenant(step: &Spanned<Step>, id: TenantId, lab: &Topology) -> Result<(), Mistake> {
    if lab.tenant(id).is_some() {
        return Ok(());
    }
    Err(at(step, format!("the lab has no tenant {id}"), "add it to lab.azure_ad.tenants"))
}

/// What would not arrive as it is written is refused: a scenario must say what goes over the wire.
fn sendable(step: &Spanned<Step>, request: &RawRequest) -> Result<(), Mistake> {
    let token = |text: &str| {
        !text.is_empty()
            && text.len() <= 64
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if !token(&request.method) {
        return Err(at(step, "the request's method is not a verb", "write one such as GET or CCM_POST"));
    }
    let path = request.path.as_str();
    let whole =
        path.starts_with('/') && path.len() <= 8192 && path.bytes().all(|byte| byte.is_ascii_graphic());
    let plain = path.to_ascii_lowercase().replace("%2e", ".");
    let stem = plain.split_once('?').map_or(plain.as_str(), |(stem, _query)| stem);
    let sent_as_written = !path.contains(['#', '\\', '"', '<', '>', '`', '{', '}', '|', '^'])
        && !stem.split('/').any(|segment| matches!(segment, "." | ".."));
    if !whole || !sent_as_written {
        let fix = "write a path such as /CCM_STS, percent-encoded and without dot segments";
        return Err(at(step, "the request's path would not arrive as it is written", fix));
    }
    let header = |text: &Option<String>| {
        text.iter().all(|text| text.len() <= 1024 && text.bytes().all(|b| (b' '..=b'~').contains(&b)))
    };
    if !header(&request.host) || !header(&request.user_agent) {
        return Err(at(step, "a header of the request is not plain text", "write visible ASCII characters"));
    }
    Ok(())
}

const MOST_STEPS: usize = 200;
