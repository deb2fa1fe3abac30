//! The session of the user who is logged on: its primary refresh token is got once and used again.

use cmglab_events::kinds::ClientLog;

use super::fake::{CLIENT_APP, TENANT};
use super::world::World;
use crate::Client;
use crate::aad::AadApp;

fn app() -> AadApp {
    AadApp {
        tenant: TENANT.parse().unwrap(),
        client_app: CLIENT_APP.parse().unwrap(),
        resource: "https://ConfigMgrService".to_owned(),
    }
}

/// Requests to the token endpoint for one token of the user.
async fn requests(world: &World, client: &Client) -> usize {
    let before = world.fake.seen("/oauth2/token");
    client.aad().token(ClientLog::CcmSetup, &app(), client.machine()).await.unwrap();
    world.fake.seen("/oauth2/token") - before
}

#[tokio::test]
async fn a_session_logs_on_once_and_again_when_it_is_revoked() {
    let world = World::new().await;
    world.fake.causes().device_refusal = Some(50097);
    let mut client = world.joined().await;
    // Nonce and refusal of the device, nonce and log-on, nonce and redemption.
    assert_eq!(requests(&world, &client).await, 6);
    assert_eq!(requests(&world, &client).await, 4);
    world.fake.causes().prt_refusals = vec![50173];
    assert_eq!(requests(&world, &client).await, 8);
    // Another user is another session.
    client.machine_mut().session.as_mut().unwrap().upn = "bob@lab.test".to_owned();
    let refused = client.aad().token(ClientLog::CcmSetup, &app(), client.machine()).await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn only_a_token_that_has_ended_is_got_anew() {
    let world = World::new().await;
    world.fake.causes().device_refusal = Some(50097);
    let client = world.joined().await;
    assert_eq!(requests(&world, &client).await, 6);
    for code in [50173, 700_082, 70000, 70043] {
        world.fake.causes().prt_refusals = vec![code];
        assert_eq!(requests(&world, &client).await, 8, "{code}");
    }
    // Another token would be refused by the same cause.
    for code in [50057, 65001, 53000] {
        world.fake.causes().prt_refusals = vec![code];
        let before = world.fake.seen("/oauth2/token");
        let refused = client.aad().token(ClientLog::CcmSetup, &app(), client.machine()).await;
        assert!(refused.is_err(), "{code} {refused:?}");
        assert_eq!(world.fake.seen("/oauth2/token") - before, 4, "{code}");
        assert_eq!(requests(&world, &client).await, 4, "{code}");
    }
}
