//! What a scenario must be beyond its form: names that exist, steps that can be judged.

mod steps;

use std::path::Path;

use cmglab_fault::{Point, Rule, Verdict, When};
use cmglab_lab::{LabError, Topology};
use cmglab_pki::Profiles;
use serde_saphyr::Spanned;

use super::mistake::at;
use super::name_by_path;
use crate::error::Mistake;
use crate::model::{Expect, Step};
use crate::suggest::did_you_mean;

pub(super) use steps::steps;

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
    consistent(lab)?;
    topology.faults.iter().try_for_each(|rule| fault(lab, rule))
}

/// The lab knows best what contradicts itself; its causes end in what to do.
fn consistent(lab: &Spanned<Topology>) -> Result<(), Mistake> {
    lab.value.check().map_err(|LabError { cause, .. }| {
        let (what, fix) = cause.rsplit_once("; ").unwrap_or((&cause, "see docs/scenarios.md"));
        at(lab, what, fix)
    })
}

/// A rule that could never do anything is a mistake.
fn fault(lab: &Spanned<Topology>, rule: &Rule) -> Result<(), Mistake> {
    let acts = matches!(
        (rule.at, rule.verdict),
        (Point::AzureAd, Verdict::Outage { .. } | Verdict::Throttle { .. })
            | (Point::Content, Verdict::FlipByte)
            | (Point::Dial, Verdict::Refuse)
            | (Point::Forward, Verdict::CutChannel)
            | (Point::Poll, Verdict::EndSession)
            | (Point::Settings, Verdict::Hold)
            | (Point::Upgrade, Verdict::BreakUpgrade)
    );
    if !acts {
        let fix = "write `throttle` or `outage` at `azure-ad`, `flip-byte` at `content`, `refuse` at `dial`, \
                   `cut-channel` at `forward`, `end-session` at `poll`, `hold` at `settings`, `break-upgrade` \
                   at `upgrade`";
        return Err(at(lab, "a fault's verdict does nothing at its point", fix));
    }
    if matches!(rule.when, When::First(0) | When::Nth(0)) {
        return Err(at(lab, "a fault takes nothing that passes", "count from 1 in `when`"));
    }
    Ok(())
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
