//! The host that distribution points name: CRLs, and the list of public roots, over plain HTTP.
//!
//! Whether a list can be had is a cause that scenarios set: an unpublished CRL is what breaks clients
//! whose gateway has a private certificate (configmgr §4.3). What is served is always signed and current
//! on the lab's clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::get;
use cmglab_net::Deps;
use cmglab_pki::Authority;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};

/// Which lists this host publishes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationConfig {
    /// Names of authorities whose CRL is not published.
    #[serde(default)]
    pub unpublished: Vec<String>,
}

/// The host. Cheap to clone; clones are the same host.
#[derive(Debug, Clone)]
pub struct Revocation {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    deps: Deps,
    lists: RwLock<BTreeMap<String, Listed>>,
    public_roots: String,
    number: AtomicU64,
}

#[derive(Debug)]
struct Listed {
    authority: Authority,
    published: bool,
}

impl Revocation {
    /// A host for the CRLs of `authorities`. `public_roots` (PEM) is the list from which machines fetch
    /// the root of a third-party certificate by themselves.
    #[must_use]
    pub fn new(
        config: &RevocationConfig,
        authorities: impl IntoIterator<Item = Authority>,
        public_roots: String,
        deps: Deps,
    ) -> Self {
        let lists = authorities.into_iter().filter_map(|authority| {
            let file = authority.crl_url()?.rsplit('/').next()?.to_owned();
            let published = !config.unpublished.iter().any(|name| name == authority.name());
            Some((file, Listed { authority, published }))
        });
        let lists = RwLock::new(lists.collect());
        Self { shared: Arc::new(Shared { deps, lists, public_roots, number: AtomicU64::new(1) }) }
    }

    /// Publishes the CRL of an authority, or stops publishing it. Tells whether there is such an authority.
    pub fn publish(&self, authority: &str, published: bool) -> bool {
        let mut lists = self.shared.lists.write().unwrap_or_else(PoisonError::into_inner);
        let listed = lists.values_mut().find(|listed| listed.authority.name() == authority);
        listed.map(|listed| listed.published = published).is_some()
    }

    /// The host's service.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/{file}", get(crl))
            .route("/authroot/roots.pem", get(roots))
            .with_state(Arc::clone(&self.shared))
    }
}

async fn crl(State(shared): State<Arc<Shared>>, Path(file): Path<String>) -> Response<Body> {
    let lists = shared.lists.read().unwrap_or_else(PoisonError::into_inner);
    let listed = lists.get(&file).filter(|listed| listed.published);
    let number = shared.number.fetch_add(1, Ordering::SeqCst);
    match listed.map(|listed| listed.authority.crl(shared.deps.clock.now(), number)) {
        Some(Ok(der)) => answer(StatusCode::OK, "application/pkix-crl", der),
        Some(Err(error)) => {
            answer(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string().into_bytes())
        }
        None => answer(StatusCode::NOT_FOUND, "text/plain", b"no such list is published\n".to_vec()),
    }
}

async fn roots(State(shared): State<Arc<Shared>>) -> Response<Body> {
    answer(StatusCode::OK, "application/x-pem-file", shared.public_roots.clone().into_bytes())
}

fn answer(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
