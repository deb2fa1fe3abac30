//! Filter by filter.

use cmglab_events::kinds::{CertificateDrop, CertificateFilter, CertificateVerdict, ConnectionPointEvent};
use cmglab_net::{Deps, judge};
use cmglab_pki::Eku;
use cmglab_pki::read::{Certificate, sha1_thumbprint};
use cmglab_tls::{ClientJudge, Identity};
use jiff::{SignedDuration, Timestamp};

use super::Candidate;

/// A candidate, read.
#[derive(Debug)]
pub(super) struct Known {
    candidate: Candidate,
    thumbprint: String,
    /// Leaf first; empty when the leaf cannot be read.
    chain: Vec<Certificate>,
}

pub(super) struct Choice {
    pub(super) told: Vec<ConnectionPointEvent>,
    pub(super) chosen: Option<usize>,
    pub(super) good_until: Timestamp,
}

/// Goes through the filters in the order of the log; of what is left the longest validity wins.
pub(super) async fn choose(deps: &Deps, known: &[Known], verbose: bool) -> Choice {
    let mut story = Story { told: Vec::new(), verbose };
    let left = story.signing(known.iter().enumerate().collect());
    let roots = deps.store.roots();
    let left = story.allowed(left, &read(&roots));
    let left = story.meant_for_clients(left);
    let (left, unsure) = story.chains(deps, &roots, left).await;
    let chosen = left.into_iter().rev().max_by_key(|(_nth, one)| one.valid_until());
    let thumbprint = chosen.map(|(_nth, one)| one.thumbprint.clone());
    story.told.push(ConnectionPointEvent::CertificateSelected { thumbprint });
    let good_until = good_until(deps.clock.now(), known, unsure);
    Choice { told: story.told, chosen: chosen.map(|(nth, _one)| nth), good_until }
}

type Left<'a> = Vec<(usize, &'a Known)>;

struct Story {
    told: Vec<ConnectionPointEvent>,
    verbose: bool,
}

impl Story {
    fn signing<'a>(&mut self, candidates: Left<'a>) -> Left<'a> {
        let left = self.keep(candidates, CertificateDrop::NoDigitalSignature, Known::may_sign);
        self.left(CertificateFilter::DigitalSignature, left.len());
        left
    }

    /// Root and key are looked at together and counted afterwards, as the log has it.
    fn allowed<'a>(&mut self, candidates: Left<'a>, roots: &[Certificate]) -> Left<'a> {
        let allowed = self.keep(candidates.clone(), CertificateDrop::NotAllowed, |one| one.chains_to(roots));
        let with_key =
            self.keep(candidates, CertificateDrop::NoPrivateKey, |one| one.candidate.identity.is_some());
        self.left(CertificateFilter::AllowedRootCa, allowed.len());
        let left: Left<'_> =
            allowed.into_iter().filter(|(nth, _)| with_key.iter().any(|(other, _)| nth == other)).collect();
        self.left(CertificateFilter::PrivateKey, left.len());
        left
    }

    fn meant_for_clients<'a>(&mut self, candidates: Left<'a>) -> Left<'a> {
        let left = self.keep(candidates, CertificateDrop::NotClientAuth, Known::is_for_clients);
        self.left(CertificateFilter::ClientAuth, left.len());
        left
    }

    /// Builds each chain, with dates and revocation. Tells also whether a list could not be had.
    async fn chains<'a>(&mut self, deps: &Deps, roots: &[Vec<u8>], candidates: Left<'a>) -> (Left<'a>, bool) {
        let builder = ClientJudge::new(roots, Some(deps.store.crls().clone()), deps.clock.clone());
        let (mut left, mut unsure) = (Vec::new(), false);
        for (nth, one) in candidates {
            let verdict = match &builder {
                Ok(builder) => judge(deps, builder, &one.candidate.chain).await,
                Err(_unusable_root) => CertificateVerdict::UnknownIssuer,
            };
            match verdict {
                CertificateVerdict::Valid => left.push((nth, one)),
                verdict => {
                    unsure |= verdict == CertificateVerdict::RevocationUnknown;
                    self.dropped(one, CertificateDrop::Chain(verdict));
                }
            }
        }
        (left, unsure)
    }

    fn keep<'a>(
        &mut self,
        candidates: Left<'a>,
        cause: CertificateDrop,
        passes: impl Fn(&Known) -> bool,
    ) -> Left<'a> {
        let (left, dropped): (Left<'_>, Left<'_>) = candidates.into_iter().partition(|(_, one)| passes(one));
        dropped.into_iter().for_each(|(_, one)| self.dropped(one, cause));
        left
    }

    fn dropped(&mut self, one: &Known, cause: CertificateDrop) {
        let (thumbprint, verbose) = (one.thumbprint.clone(), self.verbose);
        self.told.push(ConnectionPointEvent::CertificateDropped { thumbprint, cause, verbose });
    }

    fn left(&mut self, filter: CertificateFilter, left: usize) {
        let verbose = self.verbose;
        self.told.push(ConnectionPointEvent::CertificatesFiltered { filter, left, verbose });
    }
}

impl Known {
    pub(super) fn of(candidate: Candidate) -> Self {
        let leaf = candidate.chain.first();
        let chain =
            leaf.filter(|leaf| Certificate::parse(leaf).is_ok()).map(|_readable| read(&candidate.chain));
        let thumbprint = leaf.map(|leaf| sha1_thumbprint(leaf)).unwrap_or_default();
        Self { thumbprint, chain: chain.unwrap_or_default(), candidate }
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        self.candidate.identity.clone()
    }

    fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()
    }

    /// Also when it is silent about the use of its key.
    fn may_sign(&self) -> bool {
        self.leaf()
            .is_some_and(|leaf| leaf.key_usage.is_empty() || leaf.key_usage.contains(&"digitalSignature"))
    }

    fn is_for_clients(&self) -> bool {
        self.leaf().is_some_and(|leaf| leaf.allows(Eku::ClientAuth))
    }

    /// By signatures alone; the rest is asked when the chain is built.
    fn chains_to(&self, roots: &[Certificate]) -> bool {
        self.leaf().is_some_and(|leaf| self.reaches(leaf, roots, LONGEST_CHAIN))
    }

    fn reaches(&self, below: &Certificate, roots: &[Certificate], depth: usize) -> bool {
        let is_above =
            |one: &&Certificate| one.is_ca && one.der != below.der && below.is_signed_by(one).is_ok();
        roots.iter().any(|root| below.is_signed_by(root).is_ok())
            || (depth > 0
                && self.chain.iter().filter(is_above).any(|above| self.reaches(above, roots, depth - 1)))
    }

    fn valid_until(&self) -> Option<Timestamp> {
        self.leaf().map(|leaf| leaf.validity.not_after)
    }
}

fn read(certificates: &[Vec<u8>]) -> Vec<Certificate> {
    certificates.iter().filter_map(|der| Certificate::parse(der).ok()).take(LONGEST_LIST).collect()
}

/// Until a certificate begins or ceases to be valid, and no longer than lists may change unseen.
fn good_until(now: Timestamp, known: &[Known], unsure: bool) -> Timestamp {
    let later = now.saturating_add(if unsure { WHEN_UNSURE } else { AT_LEAST }).unwrap_or(Timestamp::MAX);
    let second = SignedDuration::from_secs(1);
    let validities = known.iter().filter_map(|one| Some(one.leaf()?.validity));
    let turns = validities
        .flat_map(|one| [one.not_before, one.not_after.saturating_add(second).unwrap_or(Timestamp::MAX)]);
    turns.filter(|turn| *turn > now).fold(later, Timestamp::min)
}

const AT_LEAST: SignedDuration = SignedDuration::from_hours(1);
/// A list that could not be had is asked for again.
const WHEN_UNSURE: SignedDuration = SignedDuration::from_mins(5);
const LONGEST_LIST: usize = 64;
const LONGEST_CHAIN: usize = 6;
