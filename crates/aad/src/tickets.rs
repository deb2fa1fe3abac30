//! What the service hands out and must know again: codes, refresh tokens, primary refresh tokens.
//!
//! Fidelity: lab. They are opaque to everyone but the service (entra §4.2). Kept is a hash, not the text.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash as Key;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_ids::Ids;
use jiff::Timestamp;

/// A store of things that are found again by an opaque text. So many are kept and no more; past that, what
/// ends first goes first.
pub(crate) struct Tickets<T> {
    tickets: Mutex<HashMap<Hash, Ticket<T>>>,
    capacity: usize,
}

struct Ticket<T> {
    what: T,
    expires: Timestamp,
}

type Hash = [u8; 32];

/// What a text leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found<T> {
    /// Something that is still good.
    Live(T),
    /// Something that was good until some time ago.
    Expired(T),
    /// Nothing.
    Unknown,
}

impl<T: Clone> Tickets<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { tickets: Mutex::default(), capacity }
    }

    /// Keeps something until `expires`. The text that finds it starts with `start`.
    pub(crate) fn issue(
        &self,
        start: &str,
        what: T,
        now: Timestamp,
        expires: Timestamp,
        ids: &Ids,
    ) -> String {
        let text = format!("{start}{}", URL_SAFE_NO_PAD.encode(ids.bytes::<ENTROPY>()));
        self.keep(&text, what, now, expires);
        text
    }

    /// Keeps something under a text that the caller chose.
    pub(crate) fn keep(&self, text: &str, what: T, now: Timestamp, expires: Timestamp) {
        let mut tickets = self.lock();
        make_room(&mut tickets, self.capacity, now, |ticket| ticket.expires);
        tickets.insert(hash(text), Ticket { what, expires });
    }

    pub(crate) fn find(&self, text: &str, now: Timestamp) -> Found<T> {
        match self.lock().get(&hash(text)) {
            Some(ticket) if now < ticket.expires => Found::Live(ticket.what.clone()),
            Some(ticket) => Found::Expired(ticket.what.clone()),
            None => Found::Unknown,
        }
    }

    /// Changes what a text finds, in place; nothing happens when it finds nothing.
    pub(crate) fn change<R>(&self, text: &str, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.lock().get_mut(&hash(text)).map(|ticket| change(&mut ticket.what))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Ticket<T>>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept may be secret.
impl<T> fmt::Debug for Tickets<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

/// Makes room for one more in a map that is full: what has ended goes, and if that is nothing, what ends
/// first.
pub(crate) fn make_room<K: Key + Ord + Clone, V>(
    map: &mut HashMap<K, V>,
    capacity: usize,
    now: Timestamp,
    expires: impl Fn(&V) -> Timestamp,
) {
    if map.len() < capacity {
        return;
    }
    map.retain(|_, value| now < expires(value));
    let Some(over) = (map.len() + 1).checked_sub(capacity).filter(|over| *over > 0) else { return };
    let mut ends: Vec<_> = map.iter().map(|(key, value)| (expires(value), key.clone())).collect();
    ends.sort_unstable();
    // An eighth at once, so that a full store is not searched for every one.
    for (_, key) in ends.iter().take(over.max(capacity / 8)) {
        map.remove(key);
    }
}

fn hash(text: &str) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

const ENTROPY: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_ticket_is_found_until_it_expires() {
        let (tickets, ids) = (Tickets::new(10), Ids::seeded(1));
        let text = tickets.issue("0.A", 7, at(0), at(10), &ids);
        assert!(text.starts_with("0.A") && text.len() > 60);
        assert_eq!(tickets.find(&text, at(9)), Found::Live(7));
        assert_eq!(tickets.find(&text, at(10)), Found::Expired(7));
        assert_eq!(tickets.find(&text[1..], at(9)), Found::Unknown);
        assert_eq!(tickets.change(&text, |what| std::mem::replace(what, 8)), Some(7));
        assert_eq!(tickets.find(&text, at(9)), Found::Live(8));
    }

    #[test]
    fn a_full_store_lets_the_oldest_go() {
        let tickets = Tickets::new(16);
        for n in 0..=16 {
            tickets.keep(&n.to_string(), n, at(0), at(n + 1));
        }
        let lost = (0..=16).filter(|n| tickets.find(&n.to_string(), at(0)) == Found::Unknown);
        assert_eq!(lost.collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn what_has_ended_goes_before_anything_else() {
        let tickets = Tickets::new(2);
        tickets.keep("ended", 0, at(0), at(1));
        tickets.keep("good", 1, at(0), at(9));
        tickets.keep("new", 2, at(1), at(5));
        assert_eq!(tickets.find("ended", at(1)), Found::Unknown);
        assert_eq!(tickets.find("good", at(1)), Found::Live(1));
        assert_eq!(tickets.find("new", at(1)), Found::Live(2));
    }

    #[test]
    fn a_full_store_of_one_instant_is_not_emptied() {
        let tickets = Tickets::new(16);
        for n in 0..=16 {
            tickets.keep(&n.to_string(), n, at(0), at(10));
        }
        let kept = (0..=16).filter(|n| tickets.find(&n.to_string(), at(0)) == Found::Live(*n)).count();
        assert_eq!((kept, tickets.find("16", at(0))), (15, Found::Live(16)));
    }
}
