//! A lab for a test, and strangers that call it.

use std::time::Duration;

use cmglab_events::{Event, Role};
use cmglab_lab::{Lab, LabOptions, Topology};
use cmglab_net::{Answer, Call, CallError, Deps, HttpClient};
use http::Method;

/// How long a test waits for an event.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A lab of `topology` on free ports.
pub(crate) async fn lab(topology: Topology) -> Lab {
    Lab::start(topology, LabOptions::default()).await.unwrap()
}

/// A machine that trusts what any client of the lab would.
pub(crate) fn stranger(lab: &Lab) -> Deps {
    lab.machine("stranger", Role::Client, &["cmg-root", "site", "aad-tls"]).unwrap()
}

/// One call by a stranger.
pub(crate) async fn call(deps: &Deps, call: &Call) -> Result<Answer, CallError> {
    HttpClient::new(deps).send(&deps.events, call).await
}

/// An Azure AD user token for the site, by password.
pub(crate) async fn aad_token(lab: &Lab, deps: &Deps, upn: &str) -> String {
    let user = lab.topology().user(upn).unwrap();
    let tenants = &lab.topology().azure_ad.tenants;
    let tenant = tenants.iter().find(|tenant| tenant.users.contains(user)).unwrap();
    let form = format!(
        "grant_type=password&client_id={}&resource={}&username={upn}&password={}&scope=openid",
        tenant.client_app, tenant.resource, user.password
    );
    let url = format!("https://login.microsoftonline.com/{}/oauth2/token", tenant.id);
    let asked = Call::new(Method::POST, url).body("application/x-www-form-urlencoded", form);
    let answer = call(deps, &asked).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    json["access_token"].as_str().unwrap().to_owned()
}

/// The security token service through the gateway, with this token.
pub(crate) fn sts_at_cmg(lab: &Lab, token: &str) -> Call {
    let role = lab.topology().management_point.role_id;
    Call::get(format!("https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/{role}/CCM_STS")).bearer(token)
}

/// The security token service, without the gateway.
pub(crate) fn sts_at_mp(token: &str) -> Call {
    Call::get("https://MP.LAB.TEST/CCM_STS").bearer(token)
}

/// A site token, through the gateway.
pub(crate) async fn ccm_token(lab: &Lab, deps: &Deps, aad_token: &str) -> String {
    let answer = call(deps, &sts_at_cmg(lab, aad_token)).await.unwrap();
    assert_eq!(answer.status, 200, "{} {}", answer.reason, String::from_utf8_lossy(&answer.body));
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// The events of one role since `from`.
pub(crate) fn events_of(lab: &Lab, role: Role, from: u64) -> Vec<Event> {
    lab.events().snapshot().into_iter().filter(|event| event.role == role && event.seq >= from).collect()
}

/// Every log line of these events, with its file name in front.
pub(crate) fn log_lines(lab: &Lab, events: &[Event]) -> Vec<String> {
    let edition = lab.topology().edition;
    let lines = events.iter().flat_map(|event| cmglab_events::logs::lines(event, edition));
    lines.map(|line| format!("{}: {}", line.file.file_name(), line.text())).collect()
}

/// The number that the next event will have.
pub(crate) fn now(lab: &Lab) -> u64 {
    lab.events().snapshot().last().map_or(0, |event| event.seq + 1)
}

/// The minimal command line of an internet client of this lab.
pub(crate) fn command_line(lab: &Lab) -> String {
    let (host, code) = (lab.topology().ccm_host_name(), &lab.topology().site.code);
    format!("ccmsetup.exe CCMHOSTNAME=\"{host}\" SMSSITECODE=\"{code}\"")
}
