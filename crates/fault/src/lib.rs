//! Faults are rules with verdicts: off by default, first match wins, chosen deterministically.
//!
//! A role asks [`Faults::at`] where something may be made to go wrong; the answer is nearly always
//! `None`. A rule stays as long as its [`Guard`].

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// Where a fault may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Point {
    /// A request to Azure AD, before it is looked at.
    AzureAd,
    /// The body of client content on its way out of the management point.
    Content,
    /// A TLS connection that a role is about to open, by `host:port`.
    Dial,
    /// A request that the connection point is about to send to the management point.
    Forward,
    /// A request of a connection point's long poll, at the gateway, by its path.
    Poll,
    /// The site's settings on their way to the gateway.
    Settings,
    /// A connection point's wish to turn HTTPS into a channel, at the gateway, by its path.
    Upgrade,
}

/// What is done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// What stands between takes the wish for an upgrade out of the request.
    BreakUpgrade,
    /// One byte of the body is inverted: the middle one.
    FlipByte,
    /// The connection point's channel is cut while the request is under way.
    CutChannel,
    /// The long poll's session is ended.
    EndSession,
    /// It is not sent on for now.
    Hold,
    /// It is refused, as by a firewall.
    Refuse,
    /// It is answered that the service is down.
    Outage {
        /// Seconds after which to try again.
        retry_after: u32,
    },
    /// It is answered that there were too many.
    Throttle {
        /// Seconds after which to try again.
        retry_after: u32,
    },
}

/// Which of the passers-by a rule takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum When {
    /// Every one.
    #[default]
    Always,
    /// The first so many.
    First(u32),
    /// Only this one, counted from 1.
    Nth(u32),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where it acts.
    pub at: Point,
    /// What passes there must contain this text (a path, say); empty takes all.
    #[serde(default)]
    pub containing: String,
    /// Which of those it takes.
    #[serde(default)]
    pub when: When,
    /// What it does.
    pub verdict: Verdict,
}

/// The rules in force. Cheap to clone; clones are the same set.
#[derive(Clone, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Installed>>>,
}

struct Installed {
    rule: Rule,
    id: u64,
    passed: u32,
}

/// Takes its rule out when dropped.
#[derive(Debug)]
#[must_use = "the rule is taken out when this is dropped"]
pub struct Guard {
    faults: Faults,
    id: u64,
}

impl Faults {
    /// No faults.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Puts a rule behind those already there.
    pub fn install(&self, rule: Rule) -> Guard {
        let mut rules = self.rules();
        let id = rules.last().map_or(0, |last| last.id + 1);
        rules.push(Installed { rule, id, passed: 0 });
        Guard { faults: self.clone(), id }
    }

    /// Whether there is no rule at all, so that nobody need be asked about.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules().is_empty()
    }

    /// What is to happen to `subject`, which passes `point` now.
    #[must_use]
    pub fn at(&self, point: Point, subject: &str) -> Option<Verdict> {
        self.rules().iter_mut().filter(|one| one.rule.at == point).find_map(|one| one.judge(subject))
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Installed>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Installed {
    fn judge(&mut self, subject: &str) -> Option<Verdict> {
        if !subject.contains(&self.rule.containing) {
            return None;
        }
        self.passed = self.passed.saturating_add(1);
        let takes = match self.rule.when {
            When::Always => true,
            When::First(count) => self.passed <= count,
            When::Nth(which) => self.passed == which,
        };
        takes.then_some(self.rule.verdict)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.faults.rules().retain(|one| one.id != self.id);
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("rules", &self.rules().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(when: When) -> Rule {
        Rule { at: Point::Content, containing: ".cab".to_owned(), when, verdict: Verdict::FlipByte }
    }

    #[test]
    fn nothing_happens_without_a_rule_or_elsewhere() {
        let faults = Faults::none();
        assert!(faults.is_empty());
        assert_eq!(faults.at(Point::Content, "/a.cab"), None);
        let _guard = faults.install(rule(When::Always));
        assert!(!faults.is_empty());
        assert_eq!(faults.at(Point::Forward, "/a.cab"), None);
        assert_eq!(faults.at(Point::Content, "/a.msi"), None);
        assert_eq!(faults.at(Point::Content, "/a.cab"), Some(Verdict::FlipByte));
    }

    #[test]
    fn selectors_count_only_what_they_match() {
        let faults = Faults::none();
        let guard = faults.install(rule(When::Nth(2)));
        let verdicts: Vec<_> =
            ["/a.cab", "/x", "/a.cab", "/a.cab"].map(|one| faults.at(Point::Content, one).is_some()).into();
        assert_eq!(verdicts, [false, false, true, false]);
        drop(guard);
        let _first = faults.install(rule(When::First(1)));
        assert!(faults.at(Point::Content, "/a.cab").is_some());
        assert!(faults.at(Point::Content, "/a.cab").is_none());
    }

    #[test]
    fn a_dropped_guard_ends_its_rule() {
        let faults = Faults::none();
        drop(faults.install(rule(When::Always)));
        assert_eq!(faults.at(Point::Content, "/a.cab"), None);
    }
}
