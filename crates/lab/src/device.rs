//! The device of a topology, with its client.

use std::path::Path;

use cmglab_client::{AutomaticRoots, Client, ClientConfig, Machine, Sid, UserSession, Wpj};
use cmglab_net::Deps;
use cmglab_pki::{TrustBundle, read};
use cmglab_proto::wpj::JoinType;

use crate::topology::{Join, Topology};
use crate::{LabError, topology};

/// Makes the client of `topology`, and joins its device as the topology says: by a real join.
pub(crate) async fn client(
    topology: &Topology,
    public_roots: &TrustBundle,
    deps: Deps,
    folder: &Path,
) -> Result<Client, LabError> {
    let trouble = || LabError::of::<cmglab_client::ClientError>("client");
    let device = &topology.client;
    let tenant = topology.tenant(device.tenant).ok_or_else(|| LabError {
        part: "client".to_owned(),
        cause: format!("client.tenant {} is not among azure_ad.tenants", device.tenant),
    })?;
    let session = device.logged_on.as_deref().map(|upn| session(topology, upn)).transpose()?;
    let machine = Machine {
        host_name: device.host.clone(),
        tenant: tenant.id,
        domain: tenant.domain.clone(),
        wpj: Wpj::None,
        session,
        folder: folder.to_owned(),
    };
    let sha256 = public_roots.certificates().iter().map(|der| {
        let root = read::Certificate::parse(der).map_err(LabError::of("client"))?;
        Ok(root.sha256_thumbprint())
    });
    let roots = AutomaticRoots {
        host: topology.revocation.host.clone(),
        sha256: sha256.collect::<Result<_, LabError>>()?,
    };
    let config = ClientConfig { automatic_roots: Some(roots), ..ClientConfig::default() };
    let mut client = Client::new(config, machine, deps).map_err(trouble())?;
    let kind = match device.join {
        Join::Joined => JoinType::Join,
        Join::Registered => JoinType::Register,
        Join::Unknown => return Ok(client),
    };
    if matches!(client.machine().wpj, Wpj::None) {
        let user = user(topology, &device.joined_by)?;
        let password = user.password.clone().into();
        client.join(kind, &user.upn, &password).await.map_err(trouble())?;
    }
    Ok(client)
}

fn session(topology: &Topology, upn: &str) -> Result<UserSession, LabError> {
    let user = user(topology, upn)?;
    let sid = user.onprem_sid.as_deref().unwrap_or(CLOUD_ONLY_SID);
    Ok(UserSession {
        upn: user.upn.clone(),
        password: user.password.clone().into(),
        sid: sid.parse::<Sid>().map_err(LabError::of("client"))?,
        account: user.id,
    })
}

fn user<'a>(topology: &'a Topology, upn: &str) -> Result<&'a topology::UserTopology, LabError> {
    topology.user(upn).ok_or_else(|| LabError {
        part: "client".to_owned(),
        cause: format!("{upn} is not a user of any tenant in azure_ad.tenants"),
    })
}

/// The local SID of a user who exists in Azure AD alone.
const CLOUD_ONLY_SID: &str = "S-1-12-1-1004336348-1177238915-682003330-1604";
