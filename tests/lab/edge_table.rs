//! The edge over raw sockets: method × path × credential → status, reason, forwarded or not.
//!
//! An HTTP library would clean up much of this before it is sent, so every request is bytes over TLS. Whether
//! something was forwarded is read from the gateway's events, and whatever it refuses must leave an event and
//! a line of CMGService.log.

mod changes;
mod credentials;
mod form;
mod rows;

use cmglab_events::kinds::{CmgEvent, NetEvent};
use cmglab_events::{Event, Kind, Role};
use cmglab_lab::{Lab, Topology};
use cmglab_net::{Deps, dial};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{self, PATIENCE};
use credentials::{Credentials, Who};
use rows::{ROWS, Row};

/// What became of one request.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// Status and reason, `404 CMGService_NotFound`.
    status: String,
    forwarded: bool,
}

/// A lab, and those who call its gateway.
struct Edge {
    lab: Lab,
    credentials: Credentials,
}

impl Edge {
    async fn start(topology: Topology) -> Self {
        let lab = support::lab(topology).await;
        let credentials = Credentials::make(&lab).await;
        Self { lab, credentials }
    }

    /// The target of a row: `{S}` and `{M}` stand for the external URLs of the management point.
    fn target(&self, target: &str) -> String {
        let role = self.lab.topology().management_point.role_id;
        let tenant = self.lab.topology().client.tenant;
        target
            .replace("{S}", &format!("/CCM_Proxy_ServerAuth/{role}"))
            .replace("{M}", &format!("/CCM_Proxy_MutualAuth/{role}"))
            .replace("{role}", &role.to_string())
            .replace("{tenant}", &tenant.to_string())
    }

    async fn ask(&self, method: &str, target: &str, who: Who) -> (Outcome, String) {
        let headers = self.credentials.headers(who);
        let target = self.target(target);
        let request = format!("{method} {target} HTTP/1.1\r\nHost: cmg.lab.test\r\n{headers}\r\n");
        self.send(&self.credentials.machine(&self.lab, who), request.as_bytes()).await
    }

    /// Sends bytes as they are; returns what became of them, and the head of the answer.
    async fn send(&self, machine: &Deps, bytes: &[u8]) -> (Outcome, String) {
        let before = support::now(&self.lab);
        let head = exchange(machine, bytes).await;
        let status = head.lines().next().and_then(|line| line.split_once(' ')).map_or("", |(_, rest)| rest);
        let forwarded =
            self.cmg_events(before).iter().any(|event| matches!(event, CmgEvent::Relaying { .. }));
        let outcome = Outcome { status: status.to_owned(), forwarded };
        if refused(status) && !forwarded {
            self.must_be_told(before, &outcome).await;
        }
        (outcome, head)
    }

    fn cmg_events(&self, since: u64) -> Vec<CmgEvent> {
        let events = support::events_of(&self.lab, Role::Cmg, since).into_iter();
        events
            .filter_map(|event| if let Kind::Cmg(event) = event.kind { Some(event) } else { None })
            .collect()
    }

    /// What is refused at the edge leaves an event and a line of CMGService.log.
    async fn must_be_told(&self, since: u64, outcome: &Outcome) {
        let tells = move |event: &Event| {
            event.seq >= since
                && event.role == Role::Cmg
                && matches!(
                    event.kind,
                    Kind::Cmg(CmgEvent::Refused { .. } | CmgEvent::TokenRefused { .. })
                        | Kind::Net(NetEvent::MalformedRequest { .. })
                )
        };
        let told = self.lab.events().wait_for("the refusal's event", PATIENCE, tells).await;
        let told = told.unwrap_or_else(|error| panic!("{outcome:?}: {error}"));
        let lines = support::log_lines(&self.lab, &[told]);
        assert!(
            lines.iter().any(|line| line.starts_with("CMGService.log: ERROR: ")),
            "{outcome:?}: {lines:?}"
        );
    }

    fn only_the_published_was_reached(&self) {
        let served = support::events_of(&self.lab, Role::ManagementPoint, 0).into_iter();
        let stems = served.filter_map(|event| match event.kind {
            Kind::Net(NetEvent::Served(served)) => Some(served.stem.to_ascii_lowercase()),
            _ => None,
        });
        let published = [
            "/ccm_sts",
            "/ccm_system_tokenauth/",
            "/ccm_client/",
            "/ccm_incoming/",
            "/ccm_system/",
            "/sms_mp/",
        ];
        let (reached, beyond): (Vec<_>, Vec<_>) =
            stems.partition(|stem| published.iter().any(|prefix| stem.starts_with(prefix)));
        assert!(!reached.is_empty() && beyond.is_empty(), "{beyond:?}");
    }

    /// Waits until the gateway has what the site has published.
    async fn settled(&self) {
        let published = self.lab.site().settings().await.unwrap().version;
        let applied = move |event: &Event| matches!(event.kind, Kind::Cmg(CmgEvent::SettingsApplied { version, .. }) if version >= published);
        self.lab.events().wait_for("the site's settings at the gateway", PATIENCE, applied).await.unwrap();
    }
}

/// Also where there was no answer at all.
fn refused(status: &str) -> bool {
    status.is_empty() || status.starts_with('4') || status.starts_with('5')
}

/// The head of the answer to these bytes; empty when there was none.
async fn exchange(machine: &Deps, bytes: &[u8]) -> String {
    let mut stream = dial(machine, "CMG.LAB.TEST", 443, &[b"http/1.1"]).await.unwrap();
    // The gateway may have answered and closed before all was sent.
    let _sent = stream.write_all(bytes).await;
    let mut head = Vec::new();
    let read = async {
        let mut part = [0; 1024];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => break,
                Ok(read) => head.extend_from_slice(&part[..read]),
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("no hang");
    let text = String::from_utf8_lossy(&head).into_owned();
    text.split_once("\r\n\r\n").map_or(String::new(), |(head, _body)| head.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn method_path_and_credential_decide() {
    assert!(ROWS.len() >= 60);
    let edge = Edge::start(Topology::default()).await;
    let mut wrong = Vec::new();
    for Row(method, target, who, status, forwarded) in ROWS {
        let (outcome, _head) = edge.ask(method, target, *who).await;
        let expected = Outcome { status: (*status).to_owned(), forwarded: *forwarded };
        if outcome != expected {
            wrong.push(format!("{method} {target} {who:?}: {outcome:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    edge.only_the_published_was_reached();
    edge.lab.shutdown().await;
}
