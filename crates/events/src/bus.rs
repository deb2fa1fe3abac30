//! The bus: who speaks, who listens, and how a test waits.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use cmglab_clock::Clock;
use cmglab_proto::ids::{ExchangeId, MessageId};
use tokio::sync::watch;

use crate::{Event, Kind, Role};

/// The one sequence of events of a lab. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

/// One role's voice on the bus, with the correlation ids of what it is working on.
#[derive(Clone)]
pub struct Source {
    events: Events,
    clock: Clock,
    machine: Arc<str>,
    role: Role,
    exchange: Option<ExchangeId>,
    message: Option<MessageId>,
}

/// An awaited event did not come within the patience given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no event matched «{what}» within {patience:?}; {seen} events were seen, the last was: {last}")]
pub struct NotSeen {
    /// What was waited for, in the waiter's words.
    pub what: String,
    /// How long.
    pub patience: Duration,
    /// How many events there were.
    pub seen: u64,
    /// The last one, in its debug form.
    pub last: String,
}

struct Shared {
    state: Mutex<State>,
    count: watch::Sender<u64>,
}

struct State {
    most: usize,
    next: u64,
    kept: VecDeque<Event>,
    listeners: Vec<mpsc::Sender<Event>>,
}

impl Events {
    /// An empty bus.
    #[must_use]
    pub fn new() -> Self {
        Self::keeping(KEPT)
    }

    /// An empty bus that keeps the last `most` events in memory.
    #[must_use]
    pub fn keeping(most: usize) -> Self {
        let state = State { most: most.max(1), next: 0, kept: VecDeque::new(), listeners: Vec::new() };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), count: watch::Sender::new(0) }) }
    }

    /// A voice for `role` on `machine`, whose events are stamped by `clock`.
    #[must_use]
    pub fn source(&self, machine: &str, role: Role, clock: &Clock) -> Source {
        Source {
            events: self.clone(),
            clock: clock.clone(),
            machine: machine.into(),
            role,
            exchange: None,
            message: None,
        }
    }

    /// The events so far (the last ones of them, as many as the bus keeps), oldest first.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Event> {
        self.state().kept.iter().cloned().collect()
    }

    /// A channel that receives every event from now on, in order; for log writers on their own thread.
    #[must_use]
    pub fn listen(&self) -> mpsc::Receiver<Event> {
        let (sender, receiver) = mpsc::channel();
        self.state().listeners.push(sender);
        receiver
    }

    /// Ends every [`Events::listen`] channel, so that its reader can finish.
    pub fn hang_up(&self) {
        self.state().listeners.clear();
    }

    /// Waits until an event matches, past or future. `what` names it in the error.
    ///
    /// # Errors
    /// [`NotSeen`] after `patience` of transport time.
    pub async fn wait_for(
        &self,
        what: &str,
        patience: Duration,
        matches: impl Fn(&Event) -> bool,
    ) -> Result<Event, NotSeen> {
        let mut count = self.shared.count.subscribe();
        let mut from = 0;
        let search = async {
            loop {
                count.mark_unchanged();
                if let Some(found) = self.find_from(&mut from, &matches) {
                    return found;
                }
                if count.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        };
        tokio::time::timeout(patience, search).await.map_err(|_elapsed| {
            let state = self.state();
            let last = state.kept.back().map_or_else(|| "none".to_owned(), |event| format!("{event:?}"));
            NotSeen { what: what.to_owned(), patience, seen: state.next, last }
        })
    }

    fn find_from(&self, from: &mut u64, matches: &impl Fn(&Event) -> bool) -> Option<Event> {
        let state = self.state();
        let first = state.next - state.kept.len() as u64;
        let skip = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        *from = state.next;
        state.kept.iter().skip(skip).find(|event| matches(event)).cloned()
    }

    fn publish(&self, source: &Source, kind: Kind) {
        let mut state = self.state();
        let event = Event {
            seq: state.next,
            at: source.clock.now(),
            machine: Arc::clone(&source.machine),
            role: source.role,
            exchange: source.exchange,
            message: source.message,
            kind,
        };
        state.next += 1;
        state.listeners.retain(|listener| listener.send(event.clone()).is_ok());
        if state.kept.len() >= state.most {
            state.kept.pop_front();
        }
        state.kept.push_back(event);
        let next = state.next;
        drop(state);
        self.shared.count.send_replace(next);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("seen", &self.state().next).finish()
    }
}

impl Source {
    /// Says that something happened.
    pub fn emit(&self, kind: impl Into<Kind>) {
        self.events.publish(self, kind.into());
    }

    /// The same voice, speaking of one exchange of a client.
    #[must_use]
    pub fn in_exchange(&self, exchange: ExchangeId) -> Self {
        Self { exchange: Some(exchange), ..self.clone() }
    }

    /// The same voice, speaking of one request that the CMG gave a MessageID.
    #[must_use]
    pub fn in_message(&self, message: MessageId) -> Self {
        Self { message: Some(message), ..self.clone() }
    }

    /// The exchange this voice speaks of.
    #[must_use]
    pub fn exchange(&self) -> Option<ExchangeId> {
        self.exchange
    }

    /// The MessageID this voice speaks of.
    #[must_use]
    pub fn message(&self) -> Option<MessageId> {
        self.message
    }

    /// The machine this voice belongs to.
    #[must_use]
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// The role this voice belongs to.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("machine", &self.machine)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// How many events a bus keeps in memory unless told otherwise; a lab that stays up for days must not grow without end.
pub const KEPT: usize = 50_000;
