//! Throttling and outages: requests that the service turns away for no fault of their own (entra §5.2).
//!
//! Off unless a rule of the lab's faults says so at [`Point::AzureAd`]; a rule's text is looked for in
//! `METHOD /path grant_type client_id`, all in lower case but the method.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use cmglab_events::kinds::LabEvent;
use cmglab_fault::{Point, Verdict};
use jiff::{SignedDuration, Timestamp};

use crate::answer::Trouble;
use crate::ask::Ask;
use crate::drs::Denied;
use crate::errors::{LOOP, OUTAGE, THROTTLED};
use crate::{Aad, LoopLimit};

/// Turns a request away if the service is throttled or down.
pub(crate) fn check(aad: &Aad, ask: &Ask) -> Result<(), Trouble> {
    aad.loops().check(ask)?;
    if aad.deps().faults.is_empty() {
        return Ok(());
    }
    let (throttled, retry_after) = match aad.deps().faults.at(Point::AzureAd, &subject(ask)) {
        Some(Verdict::Throttle { retry_after }) => (true, retry_after),
        Some(Verdict::Outage { retry_after }) => (false, retry_after),
        _ => return Ok(()),
    };
    let verdict = if throttled { "throttle" } else { "outage" }.to_owned();
    ask.voice.emit(LabEvent::FaultApplied { point: "azure-ad".to_owned(), verdict });
    Err(away(ask, throttled, retry_after))
}

/// Counts how often the very same request comes, and refuses it past a limit.
#[derive(Debug, Default)]
pub(crate) struct Loops {
    limit: Option<LoopLimit>,
    seen: Mutex<HashMap<[u8; 32], Vec<Timestamp>>>,
}

impl Loops {
    pub(crate) fn new(limit: Option<LoopLimit>) -> Self {
        Self { limit, seen: Mutex::default() }
    }

    fn check(&self, ask: &Ask) -> Result<(), Trouble> {
        let Some(limit) = self.limit.filter(|_| !ask.body.is_empty()) else { return Ok(()) };
        let since = ask.now.saturating_sub(SignedDuration::from_secs(i64::from(limit.seconds)));
        let since = since.unwrap_or(Timestamp::MIN);
        let mut hash = [0; 32];
        let same = [ask.endpoint().as_bytes(), b"\n", &ask.body].concat();
        hash.copy_from_slice(digest(&SHA256, &same).as_ref());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_REQUESTS {
            seen.retain(|_, times| times.last().is_some_and(|last| since < *last));
        }
        if seen.len() >= MAX_REQUESTS && !seen.contains_key(&hash) {
            return Ok(());
        }
        let times = seen.entry(hash).or_default();
        times.retain(|time| since < *time);
        if times.len() >= limit.requests as usize {
            return Err(LOOP.plain().into());
        }
        times.push(ask.now);
        Ok(())
    }
}

fn subject(ask: &Ask) -> String {
    let form = ask.form().ok();
    let word = |name| form.and_then(|form| form.get(name)).unwrap_or("-").to_lowercase();
    format!("{} {} {} {}", ask.method, ask.endpoint(), word("grant_type"), word("client_id"))
}

fn away(ask: &Ask, throttled: bool, retry_after: u32) -> Trouble {
    let to_registration = ask.segments.first().is_some_and(|first| first == "enrollmentserver");
    let why = match (to_registration, throttled) {
        (true, true) => {
            let text =
                format!("Your request is throttled temporarily. Please try after {retry_after} seconds.");
            Denied::busy("Throttled", text).into()
        }
        (true, false) => Denied::busy("ServiceUnavailable", "The service is unavailable.").into(),
        (false, true) => THROTTLED.plain().into(),
        (false, false) => OUTAGE.plain().into(),
    };
    Trouble::Later(Box::new(why), retry_after)
}

const MAX_REQUESTS: usize = 10_000;
