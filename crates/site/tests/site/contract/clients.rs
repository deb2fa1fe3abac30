//! Client GUIDs and the Azure AD devices behind them.

use std::collections::HashSet;

use cmglab_ids::Ids;
use cmglab_proto::ids::{ClientGuid, TenantId};
use cmglab_site::{AadDevice, Client, SiteError};
use tokio::task::JoinSet;

use super::contract;
use crate::shared::{Lab, at, device};

contract!(
    a_device_gets_one_guid_and_keeps_it,
    the_same_device_id_in_another_tenant_is_another_client,
    only_a_new_device_draws_an_id,
    many_who_ask_at_once_get_one_guid,
    a_block_holds_until_it_is_lifted,
);

async fn a_device_gets_one_guid_and_keeps_it(lab: Lab) {
    let device = device(&lab.ids);
    assert_eq!(lab.site.find_client(device).await, Ok(None));

    let id = lab.site.client_for_aad_device(device, &lab.ids, at(0)).await.unwrap();
    assert_eq!(lab.site.client_for_aad_device(device, &lab.ids, at(9)).await, Ok(id));
    assert_eq!(lab.site.find_client(device).await, Ok(Some(id)));
    assert_eq!(lab.site.aad_device(id).await, Ok(Some(device)));
    assert_eq!(lab.site.aad_device(ClientGuid::new(lab.ids.guid())).await, Ok(None));
    assert_eq!(lab.site.client(id).await, Ok(Some(Client { id, created_at: at(0), blocked_at: None })));
    assert_eq!(lab.site.client(ClientGuid::new(lab.ids.guid())).await, Ok(None));
}

async fn the_same_device_id_in_another_tenant_is_another_client(lab: Lab) {
    let here = device(&lab.ids);
    let there = AadDevice { tenant: TenantId::new(lab.ids.guid()), ..here };
    let first = lab.site.client_for_aad_device(here, &lab.ids, at(0)).await.unwrap();
    let second = lab.site.client_for_aad_device(there, &lab.ids, at(0)).await.unwrap();
    assert_ne!(first, second);
}

async fn only_a_new_device_draws_an_id(lab: Lab) {
    let (drawn, expected) = (Ids::seeded(5), Ids::seeded(5));
    let device = device(&lab.ids);
    for _ in 0..3 {
        lab.site.client_for_aad_device(device, &drawn, at(0)).await.unwrap();
    }
    let _by_the_site = expected.guid();
    assert_eq!(drawn.guid(), expected.guid());
}

async fn many_who_ask_at_once_get_one_guid(lab: Lab) {
    let devices: Vec<AadDevice> = (0..4).map(|_| device(&lab.ids)).collect();
    let mut tasks = JoinSet::new();
    for n in 0..200 {
        let (site, ids, device) = (lab.site.clone(), lab.ids.clone(), devices[n % devices.len()]);
        tasks.spawn(async move { (device, site.client_for_aad_device(device, &ids, at(0)).await.unwrap()) });
    }
    let answers: HashSet<(AadDevice, ClientGuid)> = tasks.join_all().await.into_iter().collect();
    let guids: HashSet<ClientGuid> = answers.iter().map(|(_, guid)| *guid).collect();
    assert_eq!((answers.len(), guids.len()), (4, 4));
}

async fn a_block_holds_until_it_is_lifted(lab: Lab) {
    let id = lab.site.client_for_aad_device(device(&lab.ids), &lab.ids, at(0)).await.unwrap();
    let other = lab.site.client_for_aad_device(device(&lab.ids), &lab.ids, at(0)).await.unwrap();
    let blocked_at = async |id| lab.site.client(id).await.unwrap().unwrap().blocked_at;

    lab.site.block_client(id, at(10)).await.unwrap();
    lab.site.block_client(id, at(20)).await.unwrap();
    assert_eq!((blocked_at(id).await, blocked_at(other).await), (Some(at(10)), None));

    lab.site.unblock_client(id).await.unwrap();
    assert_eq!(blocked_at(id).await, None);

    let stranger = ClientGuid::new(lab.ids.guid());
    let missing = SiteError::NotFound { what: "client", key: stranger.to_string() };
    assert_eq!(lab.site.block_client(stranger, at(0)).await, Err(missing.clone()));
    assert_eq!(lab.site.unblock_client(stranger).await, Err(missing));
}
