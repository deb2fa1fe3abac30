//! A thread that owns one store and runs jobs on it in order, so that blocking SQL never holds up the
//! asynchronous side.

use std::fmt;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::error::SiteError;
use crate::store::Store;

/// The sending side of one thread; cheap to clone. The thread ends with the last clone, or at
/// [`Worker::close`].
#[derive(Clone)]
pub(crate) struct Worker {
    orders: mpsc::Sender<Order>,
}

type Job = Box<dyn FnOnce(&mut dyn Store) + Send>;

enum Order {
    Run(Job),
    Stop,
}

impl Worker {
    /// Starts a thread and opens the store on it.
    pub(crate) async fn start<S: Store>(
        name: &str,
        open: impl FnOnce() -> Result<S, SiteError> + Send + 'static,
    ) -> Result<Self, SiteError> {
        let (orders, mut queue) = mpsc::channel(QUEUE);
        let (opened, ready) = oneshot::channel();
        let serve = move || match open() {
            Ok(mut store) => {
                let _caller_gone = opened.send(Ok(()));
                while let Some(Order::Run(job)) = queue.blocking_recv() {
                    job(&mut store);
                }
                // In this order, so that whoever sees the queue closed finds the file released.
                drop(store);
                drop(queue);
            }
            Err(error) => {
                let _caller_gone = opened.send(Err(error));
            }
        };
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(serve)
            .map_err(|error| SiteError::Unavailable { path: name.to_owned(), cause: error.to_string() })?;
        ready.await.map_err(|_| SiteError::Closed)??;
        Ok(Self { orders })
    }

    /// Runs `job` on the thread and waits for its result. A job that has been sent runs to its end, also
    /// when the caller stops waiting.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Store) -> Result<T, SiteError> + Send + 'static,
    ) -> Result<T, SiteError> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Run(Box::new(move |store| {
            let _caller_gone = reply.send(job(store));
        }));
        self.orders.send(order).await.map_err(|_| SiteError::Closed)?;
        answer.await.map_err(|_| SiteError::Closed)?
    }

    /// Whether jobs are still taken.
    pub(crate) fn is_open(&self) -> bool {
        !self.orders.is_closed()
    }

    /// Lets the thread finish the jobs sent so far and waits until it has released the store.
    pub(crate) async fn close(&self) {
        let _closed_already = self.orders.send(Order::Stop).await;
        self.orders.closed().await;
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("open", &self.is_open()).finish()
    }
}

/// Jobs that may wait; a caller beyond that waits for a place.
const QUEUE: usize = 1024;
