//! Tokens at the gate and at the management point: each refused one is a property away from one that is
//! answered 200 in the same test.

use cmglab_events::Role;
use cmglab_events::kinds::CmgEvent;
use cmglab_events::{Event, Kind};
use cmglab_fault::{Point, Rule, Verdict, When};
use cmglab_lab::{Lab, Topology};
use cmglab_net::Deps;
use cmglab_token::forge;

use crate::support::{self, PATIENCE, call, sts_at_cmg, sts_at_mp};

const ALICE: &str = "alice@lab.test";
const CAROL: &str = "carol@other.test";

async fn five_bad_tokens(lab: &Lab, deps: &Deps, good: &str) -> Vec<(&'static str, String)> {
    let (key, now) = (lab.azure_ad_key(), lab.clock().now());
    vec![
        ("tampered", forge::flipped_signature(good).unwrap()),
        ("expired", forge::expired(good, key, now).unwrap()),
        ("foreign tenant", support::aad_token(lab, deps, CAROL).await),
        ("wrong audience", forge::for_audience(good, key, "https://SomethingElse").unwrap()),
        ("unsigned", forge::unsigned(good).unwrap()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_stop_at_the_edge_and_nothing_is_forwarded() {
    let lab = support::lab(Topology::default()).await;
    let deps = support::stranger(&lab);
    let good = support::aad_token(&lab, &deps, ALICE).await;
    let bad = five_bad_tokens(&lab, &deps, &good).await;
    let start = support::now(&lab);
    for (what, token) in &bad {
        let answer = call(&deps, &sts_at_cmg(&lab, token)).await.unwrap();
        assert_eq!((answer.status, answer.reason.as_str()), (401, "CMGService_Invalid_Token"), "{what}");
    }
    assert_eq!(support::events_of(&lab, Role::ConnectionPoint, start), []);
    assert_eq!(support::events_of(&lab, Role::ManagementPoint, start), []);
    let lines = support::log_lines(&lab, &support::events_of(&lab, Role::Cmg, start));
    let validator = "There is no appropriate token validator to validate the token with issuer \
                     https://sts.windows.net/7a8ee388-0000-485c-8000-e8e4eb410002/ and audience \
                     https://ConfigMgrService";
    assert!(lines.iter().any(|line| line.contains(validator)), "{lines:#?}");
    assert!(!support::ccm_token(&lab, &deps, &good).await.is_empty());
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_point_refuses_the_same_tokens_by_itself() {
    let lab = support::lab(Topology::default()).await;
    let deps = support::stranger(&lab);
    let good = support::aad_token(&lab, &deps, ALICE).await;
    for (what, token) in five_bad_tokens(&lab, &deps, &good).await {
        let answer = call(&deps, &sts_at_mp(&token)).await.unwrap();
        assert_eq!((answer.status, answer.reason.as_str()), (401, "Unauthorized"), "{what}");
    }
    assert_eq!(call(&deps, &sts_at_mp(&good)).await.unwrap().status, 200);
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_token_is_good_for_its_own_purpose_only() {
    let lab = support::lab(Topology::default()).await;
    let deps = support::stranger(&lab);
    let aad = support::aad_token(&lab, &deps, ALICE).await;
    let ccm = support::ccm_token(&lab, &deps, &aad).await;
    assert_eq!(call(&deps, &sts_at_cmg(&lab, &ccm)).await.unwrap().status, 401);
    assert_eq!(call(&deps, &sts_at_mp(&ccm)).await.unwrap().status, 401);
    let role = lab.topology().management_point.role_id;
    let content = |host: &str, token: &str| {
        let base = if host == "MP" {
            "https://MP.LAB.TEST".to_owned()
        } else {
            format!("https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/{role}")
        };
        cmglab_net::Call::get(format!("{base}/CCM_Client/ccmsetup.cab"))
            .bearer(token)
            .largest_answer(64 << 20)
    };
    for host in ["CMG", "MP"] {
        assert_eq!(call(&deps, &content(host, &aad)).await.unwrap().status, 401, "{host}");
        assert_eq!(call(&deps, &content(host, &ccm)).await.unwrap().status, 200, "{host}");
    }
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_site_database_knows_is_judged_by_the_management_point() {
    let lab = support::lab(Topology::default()).await;
    let deps = support::stranger(&lab);
    let token = support::aad_token(&lab, &deps, ALICE).await;
    assert_eq!(call(&deps, &sts_at_cmg(&lab, &token)).await.unwrap().status, 200);
    // The gateway must not hear of the change, or it would refuse by itself.
    let hold =
        Rule { at: Point::Settings, containing: String::new(), when: When::Always, verdict: Verdict::Hold };
    let _held = lab.faults().install(hold);
    let tenant = lab.topology().azure_ad.tenants[0].clone();
    let settings = lab.site().tenant(tenant.id).await.unwrap().unwrap();
    lab.site().remove_tenant(tenant.id).await.unwrap();
    let line = format!("AAD tenant '{}' is not registered in the site database.", tenant.id);
    refused_by_the_mp(&lab, &deps, &token, &line).await;
    // The tenant is back; now only the user is missing.
    lab.site().onboard_tenant(settings).await.unwrap();
    assert_eq!(call(&deps, &sts_at_cmg(&lab, &token)).await.unwrap().status, 200);
    lab.site().remove_user(tenant.id, tenant.users[0].id).await.unwrap();
    refused_by_the_mp(&lab, &deps, &token, &format!("AAD user '{}'", tenant.users[0].id)).await;
    lab.shutdown().await;
}

async fn refused_by_the_mp(lab: &Lab, deps: &Deps, token: &str, because: &str) {
    let start = support::now(lab);
    let answer = call(deps, &sts_at_cmg(lab, token)).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (401, "CMGConnector_Unauthorized"));
    let edge = support::events_of(lab, Role::Cmg, start);
    assert!(edge.iter().any(|event| matches!(event.kind, Kind::Cmg(CmgEvent::TokenAccepted { .. }))));
    let lines = support::log_lines(lab, &support::events_of(lab, Role::ManagementPoint, start));
    assert!(lines.iter().any(|line| line.starts_with("CCM_STS.log") && line.contains(because)), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_site_key_and_a_new_tenant_take_effect_without_a_restart() {
    let lab = support::lab(Topology::default()).await;
    let deps = support::stranger(&lab);
    let carol = support::aad_token(&lab, &deps, CAROL).await;
    assert_eq!(call(&deps, &sts_at_cmg(&lab, &carol)).await.unwrap().status, 401);
    let before = support::now(&lab);
    lab.onboard(lab.topology().azure_ad.tenants[1].id).await.unwrap();
    applied(&lab, before).await;
    // The gate now lets it pass; the user is not discovered, which only the site knows.
    let answer = call(&deps, &sts_at_cmg(&lab, &carol)).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (401, "CMGConnector_Unauthorized"));

    let alice = support::aad_token(&lab, &deps, ALICE).await;
    let old = support::ccm_token(&lab, &deps, &alice).await;
    let before = support::now(&lab);
    lab.management_point().rotate_ccm_key().await.unwrap();
    applied(&lab, before).await;
    let new = support::ccm_token(&lab, &deps, &alice).await;
    let kid = |token: &str| cmglab_token::peek(token).unwrap().0.x5t;
    assert_ne!(kid(&old), kid(&new));
    let role = lab.topology().management_point.role_id;
    for token in [&old, &new] {
        let content = format!("https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/{role}/CCM_Client/ccmsetup.cab");
        let asked = cmglab_net::Call::get(content).bearer(token).largest_answer(64 << 20);
        assert_eq!(call(&deps, &asked).await.unwrap().status, 200);
    }
    lab.shutdown().await;
}

async fn applied(lab: &Lab, since: u64) {
    let matches = move |event: &Event| {
        event.seq >= since && matches!(event.kind, Kind::Cmg(CmgEvent::SettingsApplied { .. }))
    };
    lab.events().wait_for("new settings at the gateway", PATIENCE, matches).await.unwrap();
}
