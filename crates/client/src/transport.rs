//! How the client reaches others: one exchange for each request, and roots fetched where one is missing.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use cmglab_events::Source;
use cmglab_events::kinds::{ClientEvent, TlsFailure};
use cmglab_net::{Answer, Call, CallError, Deps, HttpClient, http_get};
use cmglab_pki::TrustBundle;
use cmglab_pki::read::Certificate;
use cmglab_proto::ids::ExchangeId;

use crate::config::AutomaticRoots;

/// The client's connection to the world.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) deps: Deps,
    http: HttpClient,
    roots: Option<AutomaticRoots>,
    fetched: Mutex<BTreeSet<String>>,
}

impl Transport {
    pub(crate) fn new(deps: Deps, roots: Option<AutomaticRoots>) -> Self {
        Self { http: HttpClient::new(&deps), deps, roots, fetched: Mutex::default() }
    }

    /// A voice for one request and its answer.
    pub(crate) fn voice(&self) -> Source {
        self.deps.events.in_exchange(ExchangeId::new(self.deps.ids.guid()))
    }

    /// Sends a request. Where the server's chain ends in a root that is not trusted, published roots are
    /// fetched and the request is sent once more; nothing was sent before.
    pub(crate) async fn send(&self, voice: &Source, call: &Call) -> Result<Answer, CallError> {
        let first = self.http.send(voice, call).await;
        match &first {
            Err(error) if error.tls() == Some(TlsFailure::UnknownIssuer) && self.fetch_roots(voice).await => {
                self.http.send(voice, call).await
            }
            _ => first,
        }
    }

    /// The automatic update of root certificates. Fidelity: lab; on Windows the list is signed and comes
    /// with the system, and one root is fetched by its hash. Here all that are published come at once,
    /// over plain HTTP as there, and only those on the machine's own list are taken. Tells whether one is
    /// new.
    async fn fetch_roots(&self, voice: &Source) -> bool {
        let Some(roots) = &self.roots else { return false };
        let url = format!("http://{}{PUBLISHED}", roots.host);
        let bundle = match http_get(&self.deps, &url, LARGEST_BUNDLE).await {
            Ok(bytes) => TrustBundle::from_pem(&String::from_utf8_lossy(&bytes)).map_err(|e| e.to_string()),
            Err(error) => Err(error.cause),
        };
        let found = match bundle {
            Ok(bundle) => {
                bundle.certificates().iter().filter(|der| self.take_root(voice, roots, der)).count()
            }
            Err(cause) => {
                voice.emit(ClientEvent::RootUnavailable { url, cause });
                return false;
            }
        };
        if found == 0 {
            let cause = "no root there is new and on this machine's list".to_owned();
            voice.emit(ClientEvent::RootUnavailable { url, cause });
        }
        found > 0
    }

    fn take_root(&self, voice: &Source, roots: &AutomaticRoots, der: &[u8]) -> bool {
        let Ok(root) = Certificate::parse(der) else { return false };
        let hash = root.sha256_thumbprint();
        let sound = root.is_ca
            && root.validity.contains(self.deps.clock.now())
            && root.is_signed_by(&root).is_ok()
            && roots.sha256.contains(&hash);
        let new = sound && self.fetched.lock().unwrap_or_else(PoisonError::into_inner).insert(hash);
        if !new || self.deps.store.trust(der).is_err() {
            return false;
        }
        let thumbprint = root.sha1_thumbprint();
        voice.emit(ClientEvent::RootTrusted { subject: root.subject, thumbprint });
        true
    }
}

const PUBLISHED: &str = "/authroot/roots.pem";
const LARGEST_BUNDLE: usize = 1024 * 1024;
