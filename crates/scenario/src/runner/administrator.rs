//! The administrator of Azure AD.

use cmglab_client::{Client, Wpj};
use cmglab_lab::Lab;
use cmglab_proto::ids::DeviceId;
use cmglab_token::SigningKey;

use crate::model::AzureAdChange;

use super::actor::{Impossible, words};

/// Makes one change in the directory; whatever is asked of Azure AD afterwards meets it.
pub(super) async fn change(lab: &Lab, client: &Client, change: &AzureAdChange) -> Result<(), Impossible> {
    let aad = lab.aad();
    match change {
        AzureAdChange::DeleteDevice => aad.delete_device(device(client)?).map_err(words),
        AzureAdChange::DeleteUser(upn) => aad.delete_user(upn).map_err(words),
        AzureAdChange::DisableDevice => aad.disable_device(device(client)?).map_err(words),
        AzureAdChange::DisableUser(upn) => aad.set_user_enabled(upn, false).map_err(words),
        AzureAdChange::EnableDevice => aad.enable_device(device(client)?).map_err(words),
        AzureAdChange::RemoveConsent => remove_consent(lab),
        AzureAdChange::RevokeSessions(upn) => aad.revoke_sessions(upn).map_err(words),
        AzureAdChange::RotateKeys => rotate_keys(lab).await,
        AzureAdChange::UnregisterApp(app) => aad.unregister_app(*app).map_err(words),
    }
}

fn device(client: &Client) -> Result<DeviceId, Impossible> {
    match client.machine().wpj {
        Wpj::Joined { device_id, .. } | Wpj::Registered { device_id } => Ok(device_id),
        Wpj::None => Err("the client's device is not in Azure AD".to_owned()),
    }
}

fn remove_consent(lab: &Lab) -> Result<(), Impossible> {
    let tenant = lab.topology().client.tenant;
    let tenant = lab.topology().tenant(tenant).ok_or_else(|| format!("the lab has no tenant {tenant}"))?;
    lab.aad().remove_consent(tenant.client_app, tenant.server_app).map_err(words)
}

async fn rotate_keys(lab: &Lab) -> Result<(), Impossible> {
    // Tens of milliseconds of computing: not on a thread that serves requests.
    let now = lab.clock().now();
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(now, KEY_NAME)).await;
    lab.aad().rotate_keys(made.map_err(words)?.map_err(words)?).map_err(words)
}

/// Common name in the certificate of a signing key of Azure AD (entra §1.3).
const KEY_NAME: &str = "accounts.accesscontrol.windows.net";
