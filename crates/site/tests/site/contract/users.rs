//! Discovered users.

use cmglab_proto::ids::ObjectId;
use cmglab_site::{DiscoveredUser, SiteError};

use super::contract;
use crate::shared::{HOSTILE, Lab, at, tenant_id};

contract!(
    a_user_keeps_its_site_id_while_its_names_change,
    a_removed_user_is_unknown,
    hostile_names_are_data,
    a_name_over_the_limit_is_refused,
);

fn alice(object: ObjectId, upn: &str) -> DiscoveredUser {
    DiscoveredUser { tenant: tenant_id(), object, upn: upn.to_owned(), on_prem_sid: None }
}

async fn a_user_keeps_its_site_id_while_its_names_change(lab: Lab) {
    let object: ObjectId = lab.ids.guid().into();
    assert_eq!(lab.site.user(tenant_id(), object).await, Ok(None));

    let first = lab.site.discover_user(alice(object, "alice@lab.test"), &lab.ids, at(0)).await.unwrap();
    assert_ne!(first.id.guid(), object.guid());
    assert_eq!(lab.site.user(tenant_id(), object).await, Ok(Some(first.clone())));

    let renamed =
        DiscoveredUser { on_prem_sid: Some("S-1-5-21-1-2-3-1105".into()), ..alice(object, "al@lab.test") };
    let second = lab.site.discover_user(renamed, &lab.ids, at(60)).await.unwrap();
    assert_eq!((second.id, second.discovered_at), (first.id, at(0)));
    assert_eq!(second.upn, "al@lab.test");
    assert_eq!(second.on_prem_sid.as_deref(), Some("S-1-5-21-1-2-3-1105"));
    assert_eq!(lab.site.user(tenant_id(), object).await, Ok(Some(second)));
}

async fn a_removed_user_is_unknown(lab: Lab) {
    let object: ObjectId = lab.ids.guid().into();
    let first = lab.site.discover_user(alice(object, "alice@lab.test"), &lab.ids, at(0)).await.unwrap();

    lab.site.remove_user(tenant_id(), object).await.unwrap();
    assert_eq!(lab.site.user(tenant_id(), object).await, Ok(None));
    let again = lab.site.remove_user(tenant_id(), object).await;
    assert_eq!(again, Err(SiteError::NotFound { what: "user", key: object.to_string() }));

    let back = lab.site.discover_user(alice(object, "alice@lab.test"), &lab.ids, at(0)).await.unwrap();
    assert_ne!(back.id, first.id);
}

async fn hostile_names_are_data(lab: Lab) {
    for upn in HOSTILE {
        let object: ObjectId = lab.ids.guid().into();
        lab.site.discover_user(alice(object, upn), &lab.ids, at(0)).await.unwrap();
        assert_eq!(lab.site.user(tenant_id(), object).await.unwrap().unwrap().upn, upn);
    }
}

async fn a_name_over_the_limit_is_refused(lab: Lab) {
    let object: ObjectId = lab.ids.guid().into();
    let longest = "a".repeat(1024);
    assert!(lab.site.discover_user(alice(object, &longest), &lab.ids, at(0)).await.is_ok());
    let longer = lab.site.discover_user(alice(object, &(longest + "a")), &lab.ids, at(0)).await;
    assert_eq!(longer, Err(SiteError::TooLarge { what: "user principal name", size: 1025, limit: 1024 }));
}
