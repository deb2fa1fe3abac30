//! The gateway and its connection points, as data.

use std::collections::{BTreeSet, HashSet};
use std::net::Ipv4Addr;

use cmglab_cmg::{CostAlert, Limits, VmSize};
use cmglab_proto::transport::{ChannelPorts, Transport};
use serde::{Deserialize, Serialize};

use crate::LabError;

/// The gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CmgTopology {
    /// Service name.
    pub host: String,
    /// How many virtual machines it has: 1 to 16.
    pub instances: u8,
    /// Role instance name of the first virtual machine, which is also its folder of logs; those of the others
    /// count up from it.
    pub instance: String,
    /// The first virtual machine's address, as IIS.log shows it; those of the others count up from it.
    pub internal_ip: Ipv4Addr,
    /// Size of the virtual machines, which bounds the requests under way on each.
    pub size: VmSize,
    /// How it was deployed, which decides on the transports of its channels.
    pub deployment: Deployment,
    /// Where connection points dial, in place of the documented ports.
    pub ports: ChannelPorts,
    /// The transports that connection points try, in this order, in place of those of the deployment.
    pub transports: Vec<Transport>,
    /// Who issued its server certificate.
    pub certificate: CmgCertificate,
    /// Which authorities of client certificates the administrator has uploaded.
    pub client_authorities: UploadedAuthorities,
    /// "Verify client certificate revocation".
    pub verify_client_revocation: bool,
    /// Whether it serves content from cloud storage ("Allow CMG to function as a cloud distribution point").
    pub content: bool,
    /// The alert on outbound data.
    pub cost_alert: CostAlert,
}

/// How a gateway was deployed (configmgr §1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deployment {
    /// As a cloud service: TCP-TLS is preferred, HTTPS the fallback. The published logs are of such ones.
    #[default]
    Classic,
    /// As a virtual machine scale set: HTTPS only.
    ScaleSet,
}

/// Who issued the gateway's server certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CmgCertificate {
    /// The organisation's own PKI: clients need its root.
    #[default]
    Pki,
    /// A public CA: clients obtain its root by themselves.
    ThirdParty,
    /// The organisation's own PKI, for another name than the one that clients use.
    OtherName,
}

/// Which authorities of client certificates were uploaded to the gateway (configmgr §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UploadedAuthorities {
    /// The root and the intermediate.
    #[default]
    FullChain,
    /// The root alone.
    RootOnly,
}

/// A connection point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionPointTopology {
    /// Host name.
    pub host: String,
    /// Whether it runs from the start.
    pub running: bool,
    /// Whether it has a certificate for client authentication, which a management point in HTTPS mode asks
    /// for on some of its paths.
    pub client_certificate: bool,
}

/// One virtual machine of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CmgInstance {
    /// Counted from 1.
    pub number: u8,
    /// Role instance name.
    pub name: String,
    /// Address, as IIS.log shows it.
    pub internal_ip: Ipv4Addr,
}

impl CmgTopology {
    /// Its virtual machines.
    ///
    /// # Errors
    /// [`LabError`] for a number of instances that no gateway has.
    pub fn machines(&self) -> Result<Vec<CmgInstance>, LabError> {
        if !(1..=MOST_INSTANCES).contains(&self.instances) {
            let is = format!("cmg.instances is {}; a gateway has 1 to 16", self.instances);
            return Err(wrong(format!("{is}; set cmg.instances to a number from 1 to 16")));
        }
        let machine = |nth: u8| CmgInstance {
            number: nth + 1,
            name: counted_up(&self.instance, nth),
            internal_ip: Ipv4Addr::from(u32::from(self.internal_ip).wrapping_add(nth.into())),
        };
        Ok((0..self.instances).map(machine).collect())
    }

    /// Checks what would contradict itself.
    pub(crate) fn check(&self) -> Result<(), LabError> {
        let mut seen = HashSet::new();
        if let Some(twice) = self.transports.iter().find(|one| !seen.insert(**one)) {
            return Err(wrong(format!("cmg.transports lists {twice} twice; once is enough")));
        }
        if self.deployment == Deployment::ScaleSet && self.transports.contains(&Transport::TcpTls) {
            let cause =
                "cmg.transports has tcp-tls, which a scale set never uses; leave it out, or deploy classic";
            return Err(wrong(cause.to_owned()));
        }
        if self.cost_alert.critical_percent == 0 || self.cost_alert.critical_percent > 100 {
            let percent = self.cost_alert.critical_percent;
            return Err(wrong(format!("cmg.cost_alert.critical_percent is {percent}; write 1 to 100")));
        }
        Ok(())
    }

    /// The transports that connection points try, in order.
    #[must_use]
    pub fn order_of_trial(&self) -> Vec<Transport> {
        use Transport::{HttpsUpgrade, LongPoll, TcpTls};
        match (self.transports.as_slice(), self.deployment) {
            ([], Deployment::Classic) => vec![TcpTls, HttpsUpgrade, LongPoll],
            ([], Deployment::ScaleSet) => vec![HttpsUpgrade, LongPoll],
            (given, _) => given.to_vec(),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { most_requests: self.size.most_requests(), ..Limits::default() }
    }
}

impl ConnectionPointTopology {
    /// Checks that there is at least one, and no two of one name.
    pub(crate) fn check(all: &[Self]) -> Result<(), LabError> {
        if all.is_empty() {
            let fix = "add one, such as `connection_points: [{ running: false }]`, or drop the key";
            return Err(wrong(format!("there is no connection point; {fix}")));
        }
        if all.len() > MOST_CONNECTION_POINTS {
            return Err(wrong(format!("there are {} connection points; write 1 to 16", all.len())));
        }
        let mut names = BTreeSet::new();
        match all.iter().find(|one| !names.insert(one.host.to_ascii_lowercase())) {
            Some(twice) => Err(wrong(format!("two connection points are named {}; rename one", twice.host))),
            None => Ok(()),
        }
    }
}

impl Default for CmgTopology {
    fn default() -> Self {
        Self {
            host: "CMG.LAB.TEST".to_owned(),
            instances: 1,
            instance: "RD0003FF74AB12".to_owned(),
            internal_ip: Ipv4Addr::new(10, 0, 0, 4),
            size: VmSize::default(),
            deployment: Deployment::default(),
            ports: ChannelPorts::default(),
            transports: Vec::new(),
            certificate: CmgCertificate::default(),
            client_authorities: UploadedAuthorities::default(),
            verify_client_revocation: true,
            content: false,
            cost_alert: CostAlert::default(),
        }
    }
}

impl Default for ConnectionPointTopology {
    fn default() -> Self {
        Self { host: "CP.LAB.TEST".to_owned(), running: true, client_certificate: true }
    }
}

/// `RD0003FF74AB12` counts up in its last hexadecimal digits; another name gets a number behind it.
fn counted_up(first: &str, nth: u8) -> String {
    let digits = first.len().checked_sub(2).and_then(|at| first.split_at_checked(at));
    let counted = digits.and_then(|(name, last)| {
        let number = u8::from_str_radix(last, 16).ok()?.checked_add(nth)?;
        Some(format!("{name}{number:02X}"))
    });
    match (nth, counted) {
        (0, _) => first.to_owned(),
        (_, Some(name)) => name,
        (_, None) => format!("{first}_{nth}"),
    }
}

fn wrong(cause: String) -> LabError {
    LabError { part: "topology".to_owned(), cause }
}

const MOST_INSTANCES: u8 = 16;
const MOST_CONNECTION_POINTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_count_up_from_the_first() {
        let machines = |instances| CmgTopology { instances, ..CmgTopology::default() }.machines();
        let names: Vec<_> = machines(3).unwrap().into_iter().map(|one| (one.name, one.internal_ip)).collect();
        let [first, _, third] = names.as_slice() else { panic!("{names:?}") };
        assert_eq!(first, &("RD0003FF74AB12".to_owned(), Ipv4Addr::new(10, 0, 0, 4)));
        assert_eq!(third, &("RD0003FF74AB14".to_owned(), Ipv4Addr::new(10, 0, 0, 6)));
        assert!(machines(0).is_err() && machines(17).is_err() && machines(16).is_ok());
        assert_eq!(counted_up("gateway", 2), "gateway_2");
        assert_eq!(counted_up("gateway-fe", 2), "gateway-fe_2", "no digits past FF");
    }

    #[test]
    fn connection_points_need_names_of_their_own() {
        let named = |host: &str| ConnectionPointTopology { host: host.to_owned(), ..Default::default() };
        assert!(ConnectionPointTopology::check(&[named("a"), named("b")]).is_ok());
        assert!(ConnectionPointTopology::check(&[named("a"), named("A")]).is_err());
        assert!(ConnectionPointTopology::check(&[]).is_err());
    }
}
