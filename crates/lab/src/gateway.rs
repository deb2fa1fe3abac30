//! The gateway of the topology: its instances with their ports, and the front before them.

use cmglab_cmg::{Cmg, CmgConfig, CmgContent, CmgService, InstancePorts, Meter};
use cmglab_events::Role;
use cmglab_net::{Deps, Listen};
use cmglab_proto::transport::Transport;
use cmglab_tls::{ClientJudge, ServerTls};
use cmglab_tunnel::ALPN;

use crate::LabError;
use crate::roles::{SERVER_TRUST, judge};
use crate::surroundings::Surroundings;
use crate::topology::{CmgCertificate, CmgInstance, CmgTopology, Topology};

const PART: &str = "cloud management gateway";

/// The service, not yet started.
pub(crate) fn service(
    around: &Surroundings,
    topology: &Topology,
    meter: Meter,
    content: Option<CmgContent>,
) -> Result<CmgService, LabError> {
    let cmg = &topology.cmg;
    let identity = server_identity(around, cmg)?;
    let machines = cmg.machines()?;
    let alone = machines.len() == 1;
    let mut instances = Vec::new();
    for machine in &machines {
        let instance = instance(around, cmg, machine, &meter, content.clone())?;
        let public = ServerTls::new(identity.clone()).asking(instance.judge());
        // Behind a front, the service's name leads to the front.
        let host = if alone { &cmg.host } else { &machine.name };
        let mut listen = around.listen(host, 443, Some(public));
        listen.shown_ip = Some(machine.internal_ip.into());
        let ports = channel_ports(around, cmg, machine, &identity, listen)?;
        instances.push((instance, ports));
    }
    let front = (!alone).then(|| around.listen(&cmg.host, 443, None));
    let site = around.deps(&topology.site.server, Role::Site, &[])?;
    let manager = site.events.clone();
    Ok(CmgService::new(&cmg.host, site, manager, instances, front, (cmg.cost_alert, meter)))
}

fn instance(
    around: &Surroundings,
    cmg: &CmgTopology,
    machine: &CmgInstance,
    meter: &Meter,
    content: Option<CmgContent>,
) -> Result<Cmg, LabError> {
    let deps = around.deps(&machine.name, Role::Cmg, &SERVER_TRUST)?;
    let judge = channel_judge(around, &deps)?;
    let config = CmgConfig {
        instance: machine.number,
        instances: cmg.instances,
        limits: cmg.limits(),
        ..CmgConfig::new(&cmg.host)
    };
    Cmg::new(config, deps, judge, meter.clone(), content).map_err(LabError::of(PART))
}

/// The ports that connection points dial, by the transports of the deployment (configmgr §1.2).
fn channel_ports(
    around: &Surroundings,
    cmg: &CmgTopology,
    machine: &CmgInstance,
    identity: &cmglab_tls::Identity,
    public: Listen,
) -> Result<InstancePorts, LabError> {
    let wanted = cmg.order_of_trial();
    let port = |transport: Transport| cmg.ports.of(transport, machine.number, cmg.instances);
    let deps = around.deps(&machine.name, Role::Cmg, &[])?;
    let judge = channel_judge(around, &deps)?;
    let tcp = match wanted.contains(&Transport::TcpTls) {
        true => {
            let identity = around.identity("cmg-channel", &cmg.host, &[])?;
            let tls = ServerTls::new(identity).with_alpn(&[ALPN]).asking(judge.clone());
            let listen = around.listen(&cmg.host, port(Transport::TcpTls), Some(tls));
            Some(Listen { shown_ip: public.shown_ip, ..listen })
        }
        false => None,
    };
    let https = match wanted.iter().any(|one| *one != Transport::TcpTls) && cmg.instances > 1 {
        true => {
            let tls = ServerTls::new(identity.clone()).asking(judge);
            let listen = around.listen(&cmg.host, port(Transport::HttpsUpgrade), Some(tls));
            Some(Listen { shown_ip: public.shown_ip, ..listen })
        }
        false => None,
    };
    Ok(InstancePorts { public, tcp, https })
}

/// Connection points have a CA of their own (see `certs/profiles.yaml`).
fn channel_judge(around: &Surroundings, deps: &Deps) -> Result<ClientJudge, LabError> {
    let dialling = around.authorities.bundle(&["channel"]).map_err(LabError::of(PART))?;
    judge(deps, dialling.certificates().to_vec())
}

fn server_identity(around: &Surroundings, cmg: &CmgTopology) -> Result<cmglab_tls::Identity, LabError> {
    match cmg.certificate {
        CmgCertificate::Pki => around.identity("cmg-server", &cmg.host, &[]),
        CmgCertificate::ThirdParty => around.identity("cmg-server-public", &cmg.host, &[]),
        CmgCertificate::OtherName => around.identity("cmg-server", OTHER_NAME, &[]),
    }
}

/// What a certificate for the deployment's own name would say, which is not what clients ask for.
const OTHER_NAME: &str = "cmg.cloudapp.lab.test";
