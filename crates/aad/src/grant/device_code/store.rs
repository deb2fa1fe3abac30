//! The device codes that are out, and the hand that settles them without a page.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cmglab_events::kinds::AadEvent;
use cmglab_ids::Ids;
use cmglab_proto::ids::{AppId, ObjectId, TenantId};
use jiff::Timestamp;

use super::{SignedIn, approve};
use crate::errors::{DEVICE_CODE_EXPIRED, DEVICE_CODE_UNKNOWN, Refusal, USER_CODE_EXPIRED};
use crate::grant::for_user::SignIn;
use crate::grant::scope::Target;
use crate::tickets::{Found, Tickets, make_room};
use crate::{Aad, AadError};

/// A device that waits for a user (RFC 8628).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingDeviceCode {
    /// What the user enters.
    pub user_code: String,
    /// The application on the device.
    pub client: AppId,
    /// The tenant that it asked at; any when it asked at `common`.
    pub tenant: Option<TenantId>,
    /// The code is refused from then on.
    pub expires: Timestamp,
}

/// What stands behind a device code.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(super) client: AppId,
    pub(super) tenant: Option<TenantId>,
    pub(super) target: Option<Target>,
    pub(super) expires: Timestamp,
    pub(super) state: State,
}

#[derive(Debug, Clone)]
pub(super) enum State {
    Pending,
    Approved(SignIn),
    Declined,
    Redeemed,
}

/// Device codes by user code. At most [`MAX_ENTRIES`] are kept; past that, what ends first goes first.
pub(crate) struct DeviceCodes {
    /// From a device code to its user code.
    tickets: Tickets<String>,
    entries: Mutex<HashMap<String, Entry>>,
}

impl DeviceCodes {
    pub(crate) fn new() -> Self {
        Self { tickets: Tickets::new(MAX_ENTRIES), entries: Mutex::default() }
    }

    /// Keeps an entry; its device code and its user code.
    pub(super) fn issue(&self, entry: Entry, now: Timestamp, ids: &Ids) -> (String, String) {
        let mut entries = self.lock();
        make_room(&mut entries, MAX_ENTRIES, now, |entry| entry.expires);
        let mut user_code = user_code(ids);
        while entries.contains_key(&user_code) {
            user_code = self::user_code(ids);
        }
        let expires = entry.expires;
        entries.insert(user_code.clone(), entry);
        drop(entries);
        (self.tickets.issue("CAQABAAE", user_code.clone(), now, expires, ids), user_code)
    }

    /// The user code and the entry of a device code.
    pub(super) fn find(&self, device_code: &str, now: Timestamp) -> Result<(String, Entry), Refusal> {
        let user_code = match self.tickets.find(device_code, now) {
            Found::Live(user_code) => user_code,
            Found::Expired(_) => return Err(DEVICE_CODE_EXPIRED.plain()),
            Found::Unknown => return Err(DEVICE_CODE_UNKNOWN.plain()),
        };
        let entry = self.lock().get(&user_code).cloned();
        entry.map(|entry| (user_code, entry)).ok_or_else(|| DEVICE_CODE_EXPIRED.plain())
    }

    /// Settles a pending entry; its user code as it was handed out.
    pub(super) fn settle(
        &self,
        user_code: &str,
        now: Timestamp,
        state: impl FnOnce(&Entry) -> Result<State, Refusal>,
    ) -> Result<String, Refusal> {
        let user_code = normal(user_code);
        let mut entries = self.lock();
        let entry = entries.get_mut(&user_code);
        let entry = entry.filter(|entry| matches!(entry.state, State::Pending));
        let entry = entry.ok_or_else(|| DEVICE_CODE_UNKNOWN.plain())?;
        if entry.expires <= now {
            return Err(USER_CODE_EXPIRED.plain());
        }
        entry.state = state(entry)?;
        Ok(user_code)
    }

    /// Takes an approval; `false` when there is none, or no more.
    pub(super) fn redeem(&self, user_code: &str) -> bool {
        let mut entries = self.lock();
        let entry = entries.get_mut(user_code).filter(|entry| matches!(entry.state, State::Approved(_)));
        entry.map(|entry| entry.state = State::Redeemed).is_some()
    }

    fn pending(&self, now: Timestamp) -> Vec<PendingDeviceCode> {
        let entries = self.lock();
        let open =
            entries.iter().filter(|(_, entry)| now < entry.expires && matches!(entry.state, State::Pending));
        let mut open: Vec<_> = open
            .map(|(user_code, entry)| PendingDeviceCode {
                user_code: user_code.clone(),
                client: entry.client,
                tenant: entry.tenant,
                expires: entry.expires,
            })
            .collect();
        open.sort_unstable_by(|one, other| one.user_code.cmp(&other.user_code));
        open
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DeviceCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodes").finish_non_exhaustive()
    }
}

impl Aad {
    /// The devices that wait for a user.
    #[must_use]
    pub fn device_codes(&self) -> Vec<PendingDeviceCode> {
        self.device_code_store().pending(self.deps().clock.now())
    }

    /// Signs a user in for a device that waits, as the page does, without asking for a password.
    ///
    /// # Errors
    /// [`AadError::UnknownUser`]; [`AadError::UnknownDeviceCode`] when none is pending under `user_code`;
    /// [`AadError::Invalid`] when the device asked at another tenant, or its application is not in that of
    /// the user.
    pub fn approve_device_code(&self, user_code: &str, upn: &str) -> Result<(), AadError> {
        let directory = self.directory();
        let user = directory.tenant_of_upn(upn).and_then(|tenant| {
            let user = directory.user(tenant, upn).ok()?.object_id;
            Some(SignedIn { tenant, user })
        });
        drop(directory);
        let signed_in = user.ok_or_else(|| AadError::UnknownUser(upn.to_owned()))?;
        let user = signed_in.user;
        let approved = approve(self, user_code, signed_in, self.deps().clock.now()).map_err(|refusal| {
            if [&DEVICE_CODE_UNKNOWN, &USER_CODE_EXPIRED].contains(&refusal.row) {
                return AadError::UnknownDeviceCode(user_code.to_owned());
            }
            let reason = "the device asked at another tenant, or its application is not in the user's";
            AadError::Invalid { what: "user", value: upn.to_owned(), reason }
        })?;
        self.deps().events.emit(settled(approved, Some(user)));
        Ok(())
    }

    /// Declines the sign-in of a device that waits.
    ///
    /// # Errors
    /// [`AadError::UnknownDeviceCode`] when none is pending under `user_code`.
    pub fn decline_device_code(&self, user_code: &str) -> Result<(), AadError> {
        let now = self.deps().clock.now();
        let declined = self.device_code_store().settle(user_code, now, |_| Ok(State::Declined));
        let declined = declined.map_err(|_| AadError::UnknownDeviceCode(user_code.to_owned()))?;
        self.deps().events.emit(settled(declined, None));
        Ok(())
    }
}

/// What is told of a settled code: the user who approved, or that it was declined.
pub(super) fn settled(user_code: String, user: Option<ObjectId>) -> AadEvent {
    AadEvent::DeviceCodeSettled { user_code, approved: user.is_some(), user }
}

fn user_code(ids: &Ids) -> String {
    let letter = || usize::try_from(ids.below(LETTERS.len() as u64)).ok().and_then(|at| LETTERS.get(at));
    (0..USER_CODE).filter_map(|_| letter().copied().map(char::from)).collect()
}

/// As it was handed out, however it was typed.
fn normal(user_code: &str) -> String {
    user_code.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().to_ascii_uppercase()
}

/// None that is mistaken for another.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const USER_CODE: usize = 9;
const MAX_ENTRIES: usize = 10_000;
