//! Registrations: which GUID a client gets, and what is kept of it.

use cmglab_proto::ccm::registration::Approval;
use cmglab_proto::ids::ClientGuid;
use cmglab_site::{ClientDetails, SiteError};

use super::contract;
use crate::shared::{HOSTILE, Lab, at, details, device};

contract!(
    a_new_client_is_kept_whole,
    registering_twice_is_registering_once,
    a_device_keeps_the_guid_that_it_got_before,
    a_new_key_of_a_known_device_replaces_the_old_one,
    a_known_key_takes_its_new_device_along,
    a_proposed_guid_is_taken_only_if_unused,
    a_block_survives_registration,
    approval_can_be_changed,
    registrations_are_listed_in_pages,
    hostile_names_are_data,
    a_certificate_over_the_limit_is_refused,
);

async fn a_new_client_is_kept_whole(lab: Lab) {
    let sent = ClientDetails { hardware_id: Some("2:AB".into()), ..details(1, Some(device(&lab.ids))) };
    let done = lab.site.register(sent.clone(), None, &lab.ids, at(5)).await.unwrap();
    assert_eq!((done.details.clone(), done.registered_at, done.blocked_at), (sent, at(5), None));
    assert_eq!(lab.site.registration(done.client).await, Ok(Some(done.clone())));
    assert_eq!(lab.site.registration_by_key([1; 32]).await, Ok(Some(done)));
    assert_eq!(lab.site.registration_by_key([2; 32]).await, Ok(None));
    assert_eq!(lab.site.registration(ClientGuid::new(lab.ids.guid())).await, Ok(None));
}

async fn registering_twice_is_registering_once(lab: Lab) {
    let first = lab.site.register(details(1, None), None, &lab.ids, at(0)).await.unwrap();
    let renamed = ClientDetails { netbios_name: "NEWNAME".into(), ..details(1, None) };
    let proposed = Some(ClientGuid::new(lab.ids.guid()));
    let second = lab.site.register(renamed, proposed, &lab.ids, at(9)).await.unwrap();
    assert_eq!(second.client, first.client);
    assert_eq!((second.details.netbios_name.as_str(), second.registered_at), ("NEWNAME", at(9)));
    assert_eq!(lab.site.registrations(None, 10).await.unwrap(), [second]);
}

async fn a_device_keeps_the_guid_that_it_got_before(lab: Lab) {
    let device = device(&lab.ids);
    let id = lab.site.client_for_aad_device(device, &lab.ids, at(0)).await.unwrap();
    let done = lab.site.register(details(1, Some(device)), None, &lab.ids, at(1)).await.unwrap();
    assert_eq!(done.client, id);
}

async fn a_new_key_of_a_known_device_replaces_the_old_one(lab: Lab) {
    let device = device(&lab.ids);
    let first = lab.site.register(details(1, Some(device)), None, &lab.ids, at(0)).await.unwrap();
    let second = lab.site.register(details(2, Some(device)), None, &lab.ids, at(1)).await.unwrap();
    assert_eq!(second.client, first.client);
    assert_eq!(lab.site.registration_by_key([1; 32]).await, Ok(None));
    assert_eq!(lab.site.registration_by_key([2; 32]).await, Ok(Some(second)));
}

async fn a_known_key_takes_its_new_device_along(lab: Lab) {
    let by_key = lab.site.register(details(1, None), None, &lab.ids, at(0)).await.unwrap().client;
    let joined = device(&lab.ids);
    let by_device = lab.site.client_for_aad_device(joined, &lab.ids, at(1)).await.unwrap();
    assert_ne!(by_key, by_device);

    let done = lab.site.register(details(1, Some(joined)), None, &lab.ids, at(2)).await.unwrap();
    assert_eq!(done.client, by_key);
    assert_eq!(lab.site.find_client(joined).await, Ok(Some(by_key)));
}

async fn a_proposed_guid_is_taken_only_if_unused(lab: Lab) {
    let proposed = ClientGuid::new(lab.ids.guid());
    let owner = lab.site.register(details(1, None), Some(proposed), &lab.ids, at(0)).await.unwrap();
    assert_eq!(owner.client, proposed);

    let thief = lab.site.register(details(2, None), Some(proposed), &lab.ids, at(1)).await.unwrap();
    assert_ne!(thief.client, proposed);
    assert_eq!(lab.site.registration(proposed).await, Ok(Some(owner)));

    let given_out = lab.site.client_for_aad_device(device(&lab.ids), &lab.ids, at(2)).await.unwrap();
    let thief = lab.site.register(details(3, None), Some(given_out), &lab.ids, at(3)).await.unwrap();
    assert_ne!(thief.client, given_out);
}

async fn a_block_survives_registration(lab: Lab) {
    let client = lab.site.register(details(1, None), None, &lab.ids, at(0)).await.unwrap().client;
    lab.site.block_client(client, at(1)).await.unwrap();
    let again = lab.site.register(details(1, None), None, &lab.ids, at(2)).await.unwrap();
    assert_eq!((again.client, again.blocked_at), (client, Some(at(1))));
}

async fn approval_can_be_changed(lab: Lab) {
    let pending = ClientDetails { approval: Approval::Pending, ..details(1, None) };
    let client = lab.site.register(pending, None, &lab.ids, at(0)).await.unwrap().client;
    for approval in [Approval::Approved, Approval::Blocked, Approval::Unknown, Approval::Automatic] {
        lab.site.set_approval(client, approval).await.unwrap();
        assert_eq!(lab.site.registration(client).await.unwrap().unwrap().details.approval, approval);
    }
    // A GUID alone is no registration.
    let id = lab.site.client_for_aad_device(device(&lab.ids), &lab.ids, at(0)).await.unwrap();
    let missing = lab.site.set_approval(id, Approval::Approved).await;
    assert_eq!(missing, Err(SiteError::NotFound { what: "registered client", key: id.to_string() }));
}

async fn registrations_are_listed_in_pages(lab: Lab) {
    for key in 1..=5 {
        lab.site.register(details(key, None), None, &lab.ids, at(0)).await.unwrap();
    }
    let all = lab.site.registrations(None, u32::MAX).await.unwrap();
    let first = lab.site.registrations(None, 3).await.unwrap();
    let second = lab.site.registrations(Some(first[2].client), 3).await.unwrap();
    assert_eq!((all.len(), first.len(), second.len()), (5, 3, 2));
    assert!(all.is_sorted_by_key(|registration| registration.client));
    assert_eq!([first, second].concat(), all);
}

async fn hostile_names_are_data(lab: Lab) {
    for (key, name) in (1..).zip(HOSTILE) {
        let sent = ClientDetails {
            netbios_name: name.into(),
            fqdn: name.into(),
            hardware_id: Some(name.into()),
            ..details(key, None)
        };
        let done = lab.site.register(sent.clone(), None, &lab.ids, at(0)).await.unwrap();
        assert_eq!(lab.site.registration(done.client).await.unwrap().unwrap().details, sent);
    }
    assert_eq!(lab.site.registrations(None, 100).await.unwrap().len(), HOSTILE.len());
}

async fn a_certificate_over_the_limit_is_refused(lab: Lab) {
    let sized = |bytes| ClientDetails { signing_certificate: vec![0x30; bytes], ..details(1, None) };
    assert!(lab.site.register(sized(16 * 1024), None, &lab.ids, at(0)).await.is_ok());
    let refused = lab.site.register(sized(16 * 1024 + 1), None, &lab.ids, at(0)).await;
    assert_eq!(refused, Err(SiteError::TooLarge { what: "signing certificate", size: 16385, limit: 16384 }));
}
