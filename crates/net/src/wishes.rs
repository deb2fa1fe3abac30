//! Wishes for an upgrade that were not granted.
//!
//! At the end of a connection that ever carried one, hyper hands the connection over instead of closing it;
//! if nobody takes it, a TLS caller never gets the close that tells a whole answer from a broken one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;

/// The last ungranted wish of one connection.
#[derive(Clone, Default)]
pub(crate) struct Wishes(Arc<Mutex<Option<OnUpgrade>>>);

impl Wishes {
    /// The wish of this request, if it has one.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<OnUpgrade> {
        request.extensions().get().cloned()
    }

    pub(crate) fn refused(&self, wish: Option<OnUpgrade>) {
        if wish.is_some() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = wish;
        }
    }

    /// Closes a connection that has come to its end in good order.
    pub(crate) async fn close(&self) {
        let wish = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(wish) = wish else { return };
        let close = async {
            if let Ok(stream) = wish.await {
                // The caller may be gone already.
                let _closed = TokioIo::new(stream).shutdown().await;
            }
        };
        let _in_time = tokio::time::timeout(PATIENCE, close).await;
    }
}

const PATIENCE: Duration = Duration::from_secs(2);
