//! What a program for the eye needs before it begins.

use cmglab_lab::Lab;
use cmglab_net::{Call, Deps, HttpClient};
use http::Method;

/// A CCM token of a user of the lab, by password and through the gateway.
pub(crate) async fn ccm_token(lab: &Lab, caller: &Deps) -> String {
    let tenant = lab.topology().tenant(lab.topology().client.tenant).unwrap();
    let user = tenant.users.iter().find(|user| user.discovered).unwrap();
    let form = format!(
        "grant_type=password&client_id={}&resource={}&username={}&password={}&scope=openid",
        tenant.client_app, tenant.resource, user.upn, user.password
    );
    let http = HttpClient::new(caller);
    let url = format!("https://login.microsoftonline.com/{}/oauth2/token", tenant.id);
    let call = Call::new(Method::POST, url).body("application/x-www-form-urlencoded", form);
    let answer = http.send(&caller.events, &call).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let role = lab.topology().management_point.role_id;
    let sts = Call::get(format!("https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/{role}/CCM_STS"));
    let answer =
        http.send(&caller.events, &sts.bearer(json["access_token"].as_str().unwrap())).await.unwrap();
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// The number that follows an option of the program.
pub(crate) fn argument(name: &str) -> Option<u64> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1)?.parse().ok()
}
