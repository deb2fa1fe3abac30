//! What may stand between: a relay of TCP that can be slow, stand still, and break.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

pub(super) struct Middlebox {
    address: SocketAddr,
    rules: watch::Sender<Rules>,
    lost: Arc<AtomicUsize>,
    _accepting: AbortOnDropHandle<()>,
}

#[derive(Debug, Clone, Copy)]
struct Rules {
    still: bool,
    slow: bool,
    /// Counts up to cut what is open.
    cuts: usize,
    /// The most bytes that one connection carries before it is lost.
    most: usize,
}

impl Middlebox {
    pub(super) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let rules = watch::Sender::new(Rules { still: false, slow: false, cuts: 0, most: usize::MAX });
        let lost = Arc::new(AtomicUsize::new(0));
        let (relayed, counted) = (rules.clone(), Arc::clone(&lost));
        let accepting = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                open.spawn(relay(client, server, relayed.subscribe(), Arc::clone(&counted)));
                while open.try_join_next().is_some() {}
            }
        });
        Self { address, rules, lost, _accepting: AbortOnDropHandle::new(accepting) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on bytes trickle.
    pub(super) fn slow_down(&self) {
        self.rules.send_modify(|rules| rules.slow = true);
    }

    /// From now on no byte moves, and nobody is told.
    pub(super) fn partition(&self) {
        self.rules.send_modify(|rules| rules.still = true);
    }

    pub(super) fn heal(&self) {
        self.rules.send_modify(|rules| rules.still = false);
    }

    /// Every connection is lost, and may be made again.
    pub(super) fn cut(&self) {
        self.rules.send_modify(|rules| rules.cuts += 1);
    }

    /// From now on every connection is lost when it has carried so many bytes.
    pub(super) fn lose_after(&self, bytes: usize) {
        self.rules.send_modify(|rules| rules.most = bytes);
    }

    /// How many connections were lost for what they carried.
    pub(super) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }
}

async fn relay(client: TcpStream, server: SocketAddr, rules: watch::Receiver<Rules>, lost: Arc<AtomicUsize>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (cuts, mut watched) = (rules.borrow().cuts, rules.clone());
    let carried = AtomicUsize::new(0);
    let both = futures_util::future::try_join(
        pump(from_client, to_server, rules.clone(), &carried),
        pump(from_server, to_client, rules, &carried),
    );
    tokio::select! {
        ended = both => {
            let spent = matches!(ended, Err(error) if error.kind() == io::ErrorKind::QuotaExceeded);
            lost.fetch_add(usize::from(spent), Ordering::SeqCst);
        }
        _cut = watched.wait_for(|rules| rules.cuts != cuts) => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut rules: watch::Receiver<Rules>,
    carried: &AtomicUsize,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = from.read(&mut buffer).await?;
        let Ok(Rules { slow, most, .. }) = rules.wait_for(|rules| !rules.still).await.map(|rules| *rules)
        else {
            return Ok(());
        };
        if read == 0 {
            return to.shutdown().await;
        }
        if carried.fetch_add(read, Ordering::SeqCst) >= most {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        to.write_all(&buffer[..read]).await?;
        if slow {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

const CHUNK: usize = 16 * 1024;
