//! Site options.

use cmglab_site::{ClientPackage, SiteError};

use super::contract;
use crate::shared::{Lab, config};

contract!(a_new_site_has_its_identity_and_defaults, options_are_kept);

async fn a_new_site_has_its_identity_and_defaults(lab: Lab) {
    assert_eq!(lab.site.site_code().as_str(), "LAB");
    assert_eq!(lab.site.hierarchy(), config("LAB", 1).new_hierarchy);
    assert_eq!(lab.site.clients_check_crl().await, Ok(true));
    assert_eq!(lab.site.client_package().await, Ok(None));
}

async fn options_are_kept(lab: Lab) {
    lab.site.set_clients_check_crl(false).await.unwrap();
    assert_eq!(lab.site.clients_check_crl().await, Ok(false));

    for version in [1, u32::MAX] {
        let package = ClientPackage { package_id: "LAB00003".into(), version, sha256: [7; 32] };
        lab.site.set_client_package(package.clone()).await.unwrap();
        assert_eq!(lab.site.client_package().await, Ok(Some(package)));
    }
    let longer = ClientPackage { package_id: "L".repeat(65), version: 1, sha256: [7; 32] };
    assert!(matches!(lab.site.set_client_package(longer).await, Err(SiteError::TooLarge { size: 65, .. })));
}
