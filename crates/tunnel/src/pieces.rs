//! A long poll's bytes travel in numbered pieces, so that a request may be sent again without harm: a
//! repeated piece is recognised, and a lost answer is given once more.

use bytes::Bytes;

/// The number of a piece, counted from 0 in each direction of a session.
pub(crate) type Number = u64;

/// What comes up, at the gateway.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    next: Number,
}

/// What to do with a piece that has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is the next: take it, then say so by [`Incoming::taken`].
    Next,
    /// It was taken before; only the answer was lost.
    Again,
    /// There is a gap before it: the caller has lost count.
    Gap,
}

/// What goes down, at the gateway: each piece is kept until the next is asked for.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    next: Number,
    kept: Option<Bytes>,
}

/// What to answer to one who asks for a piece.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It was given before: this one again.
    Again(Bytes),
    /// It does not exist yet; give it by [`Outgoing::give`].
    New,
    /// It is gone, or there is a gap before it.
    Gap,
}

impl Incoming {
    pub(crate) fn arrival(&self, number: Number) -> Arrival {
        match number.cmp(&self.next) {
            std::cmp::Ordering::Less => Arrival::Again,
            std::cmp::Ordering::Equal => Arrival::Next,
            std::cmp::Ordering::Greater => Arrival::Gap,
        }
    }

    pub(crate) fn taken(&mut self) {
        self.next += 1;
    }
}

impl Outgoing {
    /// Whoever asks for a piece has had all those before it.
    pub(crate) fn wish(&mut self, number: Number) -> Wish {
        if number == self.next {
            self.kept = None;
            return Wish::New;
        }
        match &self.kept {
            Some(piece) if number.checked_add(1) == Some(self.next) => Wish::Again(piece.clone()),
            _ => Wish::Gap,
        }
    }

    pub(crate) fn give(&mut self, piece: Bytes) -> Bytes {
        self.next += 1;
        self.kept.insert(piece).clone()
    }
}

#[cfg(test)]
mod tests;
