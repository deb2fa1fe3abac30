//! Microsoft's own applications that every tenant has and the lab's clients name (entra §1.6, §4.2).

use cmglab_proto::ids::{AppId, ObjectId, TenantId};
use uuid::{Uuid, uuid};

use crate::App;

/// The resource that joins devices, by name.
pub(crate) const REGISTRATION_URI: &str = "urn:ms-drs:enterpriseregistration.windows.net";
/// The same by its application id.
pub(crate) const REGISTRATION_APP: Uuid = uuid!("01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9");

/// Microsoft Graph, the target of a version 2 request that names none.
pub(crate) const GRAPH_URI: &str = "https://graph.microsoft.com";

/// The applications, which belong to no tenant.
pub(crate) fn apps() -> Vec<App> {
    let resource = |id, name, uri: &str, scopes: &[&str]| App {
        app_id_uris: vec![uri.to_owned()],
        scopes: owned(scopes),
        ..app(id, name, &[])
    };
    vec![
        resource(REGISTRATION_APP, "Device Registration Service", REGISTRATION_URI, &["user_impersonation"]),
        resource(
            uuid!("00000003-0000-0000-c000-000000000000"),
            "Microsoft Graph",
            GRAPH_URI,
            &[
                "User.Read",
                "Directory.Read.All",
                "Group.Read.All",
                "User.Read.All",
                "openid",
                "profile",
                "email",
            ],
        ),
        resource(
            uuid!("00000002-0000-0000-c000-000000000000"),
            "Windows Azure Active Directory",
            "https://graph.windows.net",
            &["user_impersonation", "User.Read"],
        ),
        app(
            BROKER,
            "Microsoft Authentication Broker",
            &of_broker(BROKER, &["msauth://Microsoft.AAD.BrokerPlugin", NATIVE_CLIENT, JOIN, OUT_OF_BAND]),
        ),
        app(
            REGISTRATION_CLIENT,
            "Microsoft Device Registration Client",
            &of_broker(REGISTRATION_CLIENT, &[JOIN, OUT_OF_BAND]),
        ),
        app(
            LINUX_BROKER,
            "Microsoft Intune Company Portal for Linux",
            &with_broker(LINUX_BROKER, &["companyportal://com.microsoft.CompanyPortal"]),
        ),
        app(SIGN_IN, "Windows Sign In", &[broker_redirect(SIGN_IN)]),
        app(AZURE_CLI, "Microsoft Azure CLI", &with_broker(AZURE_CLI, &[LOOPBACK, NATIVE_CLIENT])),
        app(
            AZURE_POWERSHELL,
            "Microsoft Azure PowerShell",
            &with_broker(AZURE_POWERSHELL, &[LOOPBACK, NATIVE_CLIENT, OUT_OF_BAND]),
        ),
        app(
            uuid!("1b730954-1685-4b74-9bfd-dac224a7b894"),
            "Azure Active Directory PowerShell",
            &owned(&[LOOPBACK, NATIVE_CLIENT, OUT_OF_BAND]),
        ),
    ]
}

/// Where the answers of a broker on Windows go (entra §3.2).
pub(crate) fn broker_redirect(app: Uuid) -> String {
    format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{app}")
}

/// With the redirect URI that an application has at a broker.
fn with_broker(app: Uuid, others: &[&str]) -> Vec<String> {
    let mut all = owned(others);
    all.push(broker_redirect(app));
    all
}

/// With those of an application that joins devices, too.
fn of_broker(app: Uuid, others: &[&str]) -> Vec<String> {
    let mut all = with_broker(app, others);
    all.extend(["DRS", "DRSFF"].map(|name| format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{name}")));
    all
}

fn owned(all: &[&str]) -> Vec<String> {
    all.iter().map(|&one| one.to_owned()).collect()
}

fn app(app_id: Uuid, name: &str, redirect_uris: &[String]) -> App {
    App {
        redirect_uris: redirect_uris.to_vec(),
        public: true,
        ..App::new(AppId::new(app_id), ObjectId::new(app_id), name, TenantId::zero())
    }
}

/// The Microsoft Authentication Broker.
pub(crate) const BROKER: Uuid = uuid!("29d9ed98-a469-4536-ade2-f981bc1d605e");
/// Windows Sign In.
pub(crate) const SIGN_IN: Uuid = uuid!("38aa3b87-a06d-4817-b275-7a316988d93b");
const AZURE_CLI: Uuid = uuid!("04b07795-8ddb-461a-bbee-02f9e1bf7b46");
const AZURE_POWERSHELL: Uuid = uuid!("1950a258-227b-4e31-a9cf-717495945fc2");
const LINUX_BROKER: Uuid = uuid!("b743a22d-6705-4147-8670-d92fa515ee2b");
const REGISTRATION_CLIENT: Uuid = uuid!("dd762716-544d-4aeb-a526-687b73838a22");

/// Where clients listen on their own machine.
const LOOPBACK: &str = "http://localhost";
/// Where those land that join devices.
const JOIN: &str = "ms-aadj-redir://auth/drs";
/// Where those land that read the title of the page.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
/// Where native clients without a page of their own land.
const NATIVE_CLIENT: &str = "https://login.microsoftonline.com/common/oauth2/nativeclient";
