//! What a scenario must be beyond its form: names that exist, steps that can be judged.

use std::path::Path;

use cmglab_fault::{Point, Rule, Verdict, When};
use cmglab_lab::Topology;
use cmglab_lab::topology::Join;
use cmglab_pki::Profiles;
use cmglab_proto::ids::TenantId;
use serde_saphyr::Spanned;

use super::mistake::at;
use super::name_by_path;
use crate::error::Mistake;
use crate::model::{AzureAdChange, Expect, RawRequest, Step};
use crate::suggest::did_you_mean;

pub(super) fn name(name: &Spanned<String>, path: &Path) -> Result<(), Mistake> {
    let (expected, exact) = name_by_path(path);
    let value = name.value.as_str();
    let fits =
        if exact { value == expected } else { expected == value || expected.ends_with(&format!("/{value}")) };
    if fits && !value.is_empty() {
        return Ok(());
    }
    let what = format!("the name `{value}` is not the file's path");
    let stem = expected.rsplit('/').next().unwrap_or_default();
    Err(at(name, what, format!("write `name: {}`", if exact { &expected } else { stem })))
}

pub(super) fn about(about: &Spanned<String>) -> Result<(), Mistake> {
    if about.value.trim().is_empty() {
        return Err(at(about, "the scenario says nothing about itself", "write what happens, and why"));
    }
    Ok(())
}

pub(super) fn lab(lab: &Spanned<Topology>) -> Result<(), Mistake> {
    let topology = &lab.value;
    for name in &topology.revocation.unpublished {
        authority(lab, name)?;
    }
    if topology.tenant(topology.client.tenant).is_none() {
        let what = format!("the client's tenant {} is not among the tenants", topology.client.tenant);
        return Err(at(lab, what, "add it to azure_ad.tenants, or set client.tenant to one of them"));
    }
    for upn in topology.client.logged_on.iter().chain([&topology.client.joined_by]) {
        if topology.user(upn).is_none() {
            let what = format!("the client's user {upn} is no user of any tenant");
            return Err(at(lab, what, "add the user to its tenant, or name another one"));
        }
    }
    topology.faults.iter().try_for_each(|rule| fault(lab, rule))
}

/// A rule that could never do anything is a mistake.
fn fault(lab: &Spanned<Topology>, rule: &Rule) -> Result<(), Mistake> {
    let acts = matches!(
        (rule.at, rule.verdict),
        (Point::AzureAd, Verdict::Outage { .. } | Verdict::Throttle { .. })
            | (Point::Content, Verdict::FlipByte)
            | (Point::Forward, Verdict::CutChannel)
            | (Point::Settings, Verdict::Hold)
    );
    if !acts {
        let fix = "write `throttle` or `outage` at `azure-ad`, `flip-byte` at `content`, `cut-channel` at \
                   `forward`, `hold` at `settings`";
        return Err(at(lab, "a fault's verdict does nothing at its point", fix));
    }
    if matches!(rule.when, When::First(0) | When::Nth(0)) {
        return Err(at(lab, "a fault takes nothing that passes", "count from 1 in `when`"));
    }
    Ok(())
}

pub(super) fn steps(steps: &Spanned<Vec<Spanned<Step>>>, lab: &Topology) -> Result<(), Mistake> {
    let count = steps.value.len();
    if count == 0 {
        return Err(at(steps, "there is no step", "add one, such as `- register`"));
    }
    if count > MOST_STEPS {
        let what = format!("{count} steps are too many");
        return Err(at(steps, what, format!("split the scenario; it may have {MOST_STEPS}")));
    }
    steps.value.iter().try_for_each(|step| one(step, lab))
}

fn one(step: &Spanned<Step>, lab: &Topology) -> Result<(), Mistake> {
    match &step.value {
        Step::AzureAd(change) => azure_ad(step, change, lab),
        Step::PublishCrl(name) | Step::UnpublishCrl(name) => authority(step, name),
        Step::OnboardTenant(id) | Step::RemoveTenant(id) => tenant(step, *id, lab),
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
        Step::Request(request) => sendable(step, request),
        _ => Ok(()),
    }
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

fn authority<T>(place: &Spanned<T>, name: &str) -> Result<(), Mistake> {
    let profiles = Profiles::builtin();
    let with_crl = profiles.authorities().iter().filter(|authority| authority.crl.is_some());
    let names: Vec<&str> = with_crl.map(|authority| authority.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(at(place, format!("no authority `{name}` has a CRL"), did_you_mean(name, &names)))
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
    let sent_as_written = !path.contains(['#', '\\', '"', '<', '>', '`', '{', '}', '|', '^'])
        && !path.to_ascii_lowercase().replace("%2e", ".").contains("/.");
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

/// Without an expectation a scenario still says that its client's steps succeed; without those it says
/// nothing.
pub(super) fn says_something(expect: Option<&Expect>, steps: &[Spanned<Step>]) -> Result<(), Mistake> {
    let by_client = |step: &Spanned<Step>| {
        matches!(step.value, Step::Install(_) | Step::Register | Step::RefreshLocation | Step::SendMessage)
    };
    if steps.iter().any(by_client) || expect.is_some_and(|expect| *expect != Expect::default()) {
        return Ok(());
    }
    let fix = "add `expect:` and say what must be seen";
    Err(Mistake::of_file("nothing is expected, so the scenario could not fail", fix))
}

pub(super) fn expect(expect: &Spanned<Expect>, steps: &[Spanned<Step>]) -> Result<(), Mistake> {
    let value = &expect.value;
    let has = |wanted: fn(&Step) -> bool| steps.iter().any(|step| wanted(&step.value));
    if value.install.is_some() && !has(|step| matches!(step, Step::Install(_))) {
        return Err(at(
            expect,
            "`install` is expected, and no step installs",
            "add `- install: …`, or drop it",
        ));
    }
    let talks = |step: &Step| matches!(step, Step::RefreshLocation | Step::SendMessage);
    if value.communicates.is_some() && !has(talks) {
        let fix = "add `- send-message` or `- refresh-location`, or drop it";
        return Err(at(expect, "`communicates` is expected, and no step communicates", fix));
    }
    let zero = value.requests.iter().any(|request| request.count == Some(0))
        || value.log.iter().any(|line| line.count == Some(0));
    if zero {
        return Err(at(
            expect,
            "`count: 0` expects something absent",
            "move it to `no_requests` or `no_log`",
        ));
    }
    let counted = value.no_requests.iter().any(|request| request.count.is_some())
        || value.no_log.iter().any(|line| line.count.is_some());
    if counted {
        return Err(at(expect, "what is absent has no count", "drop `count`"));
    }
    Ok(())
}

const MOST_STEPS: usize = 200;
