//! Microsoft's own applications that every tenant has and the lab's clients name (entra §1.6, §4.2).

use cmglab_proto::ids::{AppId, ObjectId, TenantId};
use uuid::{Uuid, uuid};

use crate::App;

/// The resource that joins devices, by name.
pub(crate) const REGISTRATION_URI: &str = "urn:ms-drs:enterpriseregistration.windows.net";
/// The same by its application id.
pub(crate) const REGISTRATION_APP: Uuid = uuid!("01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9");

/// The applications, which belong to no tenant.
pub(crate) fn apps() -> Vec<App> {
    vec![
        app(REGISTRATION_APP, "Device Registration Service", &[REGISTRATION_URI], &[]),
        app(
            uuid!("29d9ed98-a469-4536-ade2-f981bc1d605e"),
            "Microsoft Authentication Broker",
            &[],
            &["ms-appx-web://Microsoft.AAD.BrokerPlugin/29d9ed98-a469-4536-ade2-f981bc1d605e"],
        ),
        app(
            uuid!("38aa3b87-a06d-4817-b275-7a316988d93b"),
            "Windows Sign In",
            &[],
            &["ms-appx-web://Microsoft.AAD.BrokerPlugin/38aa3b87-a06d-4817-b275-7a316988d93b"],
        ),
    ]
}

fn app(app_id: Uuid, name: &str, uris: &[&str], redirect_uris: &[&str]) -> App {
    let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
    App {
        app_id: AppId::new(app_id),
        object_id: ObjectId::new(app_id),
        name: name.to_owned(),
        tenant: TenantId::zero(),
        app_id_uris: owned(uris),
        redirect_uris: owned(redirect_uris),
        public: true,
        device_only_auth: false,
        access_token_version: 1,
        disabled: false,
    }
}
