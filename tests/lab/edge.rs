//! The public port, seen by a stranger.

use cmglab_events::Kind;
use cmglab_events::kinds::NetEvent;
use cmglab_lab::Topology;
use cmglab_net::Call;

use crate::support::{self, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn aad_auth_info_knows_the_onboarded_tenant_only() {
    let lab = support::lab(Topology::default()).await;
    let stranger = support::stranger(&lab);
    let ask = |tenant: String| {
        Call::get(format!("https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID={tenant}"))
    };
    let known = lab.topology().client.tenant;
    let answer = support::call(&stranger, &ask(known.to_string())).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (200, "OK"));
    let info: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(info["TenantId"], known.to_string());
    assert_eq!(info["ResourceUri"], "https://ConfigMgrService");
    let answer =
        support::call(&stranger, &ask("11111111-1111-4111-8111-111111111111".to_owned())).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (404, "CMGService_NotFound"));
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_without_mapping_is_404_in_the_seeds_columns() {
    let lab = support::lab(Topology::default()).await;
    let stranger = support::stranger(&lab);
    let agent = http::header::USER_AGENT;
    let call = Call::get("https://CMG.LAB.TEST/CCM_STS").header(agent, "python-requests/2.20.0");
    assert_eq!(support::call(&stranger, &call).await.unwrap().status, 404);
    let seen = lab.events().wait_for("the 404", PATIENCE, |event| match &event.kind {
        Kind::Net(NetEvent::Served(served)) => served.status == 404 && served.stem == "/CCM_STS",
        _ => false,
    });
    let lines = cmglab_events::logs::lines(&seen.await.unwrap(), lab.topology().edition);
    let line = lines[0].text();
    assert!(
        line.contains(
            " RD0003FF74AB12 10.0.0.4 GET /CCM_STS - 443 - 127.0.0.1 HTTP/1.1 python-requests/2.20.0 - - "
        ),
        "{line}"
    );
    assert!(line.contains(" 404 0 2 "), "{line}");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn service_metadata_wants_a_token_where_tokens_are_wanted() {
    let lab = support::lab(Topology::default()).await;
    let stranger = support::stranger(&lab);
    let url = |scheme: &str| format!("https://CMG.LAB.TEST/CCM_Proxy_{scheme}/ServiceMetadata");
    let token = support::aad_token(&lab, &stranger, "alice@lab.test").await;
    for (call, status, reason) in [
        (Call::get(url("ServerAuth")), 401, "CMGService_Invalid_Token"),
        (Call::get(url("ServerAuth")).bearer("a.b.c"), 401, "CMGService_Invalid_Token"),
        (Call::get(url("ServerAuth")).bearer(&token), 200, "OK"),
        (Call::get(url("MutualAuth")), 200, "OK"),
    ] {
        let answer = support::call(&stranger, &call).await.unwrap();
        assert_eq!((answer.status, answer.reason.as_str()), (status, reason));
    }
    lab.shutdown().await;
}
