use std::fs;

use cmglab_events::kinds::{ClientEvent as E, NetEvent, TlsFailure};
use cmglab_events::logs::LogFile;
use cmglab_events::{Kind, Role};
use cmglab_proto::ccm::Endpoint;
use jiff::SignedDuration;

use super::fake::CLIENT;
use super::world::{INSTALL, World};
use crate::{Client, ClientError, Message, Registration, Sid};

async fn installed(world: &World) -> Client {
    let mut client = world.joined().await;
    assert_eq!(client.install(INSTALL).await.failure, None);
    client
}

async fn registered(world: &World) -> Client {
    let mut client = installed(world).await;
    client.register().await.unwrap();
    client
}

#[tokio::test]
async fn registration_goes_by_a_fresh_aad_token_and_ends_with_a_new_ccm_token() {
    let world = World::new().await;
    let mut client = installed(&world).await;
    world.fake.causes().seen.clear();
    let client_guid = CLIENT.parse().unwrap();
    let expected = Registration::Registered { client: client_guid, approval: 3 };
    assert_eq!(client.register().await, Ok(expected));
    assert_eq!(
        world.log(LogFile::ClientIdManagerStartup),
        [
            "[RegTask] - Client is not registered. Sending registration request for \
             GUID:11111111-2222-4333-8444-555555555555 ...",
            "Registering client using AAD auth.",
            "[RegTask] - Client is registered. Server assigned ClientID is \
             GUID:11111111-2222-4333-8444-555555555555. Approval status 3",
            "Getting CCM Token from STS server 'MP.LAB.TEST'",
            "Getting CCM Token from https://MP.LAB.TEST/CCM_STS",
            "Cached encrypted token for 'S-1-5-18'. Will expire at '03/01/2026 20:00:00'",
        ]
    );
    assert_eq!(
        world.log(LogFile::AdalOperationProvider),
        [
            "Getting AAD (device) token with: ClientId = 22ed38d9-0000-4036-8000-a98452fda4fc, ResourceUrl = \
             https://ConfigMgrService, AccountId = https://login.microsoftonline.com/common/oauth2/token",
            "Retrieved AAD token for AAD device '5dd100cd-df1d-45f5-ba17-a327f43465f8'",
        ]
    );
    let messaging = world.log(LogFile::CcmMessaging);
    assert!(messaging.iter().any(|line| line.contains("endpoint 'MP_ClientRegistration'")));
    assert!(!messaging.contains(&"Appending CCM Token to the header.".to_owned()));
    // Whatever the log says of the server, the CMG was asked.
    let tenant = super::fake::TENANT;
    assert_eq!(
        world.fake.causes().seen,
        [
            "POST /common/oauth2/token -".to_owned(),
            format!("POST /{tenant}/oauth2/token -"),
            "CCM_POST /CCM_Proxy_ServerAuth/9/ccm_system_tokenauth/request aad".to_owned(),
            "GET /CCM_Proxy_ServerAuth/9/CCM_STS aad".to_owned(),
        ]
    );
    let asked = world.client_events().into_iter().filter_map(|event| match event {
        E::CcmTokenRequested { url, .. } => Some(url),
        _ => None,
    });
    assert!(
        asked
            .collect::<Vec<_>>()
            .ends_with(&["https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/9/CCM_STS".to_owned()])
    );

    // A client made anew over the folder knows that it is registered.
    let mut again = world.client();
    world.fake.causes().seen.clear();
    assert_eq!(again.register().await, Ok(expected));
    assert!(world.fake.causes().seen.is_empty());
    assert_eq!(
        world.log(LogFile::ClientIdManagerStartup).last().unwrap(),
        "[RegTask] - Client is already registered. Exiting."
    );
}

#[tokio::test]
async fn each_status_of_a_registration_is_handled() {
    let world = World::new().await;
    let mut client = installed(&world).await;
    let last = || world.log(LogFile::ClientIdManagerStartup).pop().unwrap();

    world.fake.causes().registration = (2, false, -1);
    assert_eq!(client.register().await, Ok(Registration::Retry));
    world.fake.causes().registration = (3, false, -1);
    assert_eq!(client.register().await, Ok(Registration::Rejected));
    assert_eq!(last(), "[RegTask] - Server rejected registration 3");
    assert_eq!(client.heartbeat().await, Err(ClientError::NotRegistered));

    world.fake.causes().registration = (1, true, 0);
    let guid = CLIENT.parse().unwrap();
    assert_eq!(client.register().await, Ok(Registration::Pending { client: guid }));
    assert_eq!(
        last(),
        format!("[RegTask] - Client registration is pending. Server assigned ClientID is {CLIENT}")
    );
    world.fake.causes().registration = (0, true, 1);
    let expected = Registration::Registered { client: guid, approval: 1 };
    assert_eq!(client.register().await, Ok(expected));
}

#[tokio::test]
async fn a_token_that_is_due_is_renewed_before_a_message() {
    let world = World::new().await;
    let mut client = registered(&world).await;
    let before = world.log(LogFile::CcmMessaging).len();
    client.heartbeat().await.unwrap();
    let log = world.log(LogFile::CcmMessaging);
    assert!(!log[before..].iter().any(|line| line.starts_with("Getting CCM Token")), "{log:?}");

    world.clock.advance(SignedDuration::from_mins(7 * 60 + 50)).await;
    let before = log.len();
    client.heartbeat().await.unwrap();
    let log: Vec<_> = world.log(LogFile::CcmMessaging).split_off(before);
    assert_eq!(
        log[..3],
        [
            "CCM Token for 'S-1-5-18' (03/01/2026 20:00:00) is already expired or close to expire",
            "Getting CCM Token from https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/9/CCM_STS",
            "Cached encrypted token for 'S-1-5-18'. Will expire at '03/02/2026 03:50:00'",
        ]
    );
    assert!(log[3].starts_with("Sending remote sync message '{"), "{log:?}");
    assert_eq!(
        log[4..],
        [
            "ccmhttp: Host=CMG.LAB.TEST, Path=/CCM_Proxy_ServerAuth/9/ccm_system_tokenauth/request, Port=443, \
             Protocol=https, CcmTokenAuth=1, Flags=0x4200, Options=0x1e0",
            "Target URL scheme is HTTPS: https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/9/ccm_system_tokenauth/\
             request",
            "Appending CCM Token to the header.",
        ]
    );
}

#[tokio::test]
async fn a_failed_renewal_says_why() {
    let world = World::new().await;
    let mut client = registered(&world).await;
    world.clock.advance(SignedDuration::from_hours(9)).await;
    world.fake.causes().sts_refusal = Some((401, "CMGService_Invalid_Token"));
    let error = client.heartbeat().await.unwrap_err();
    assert_eq!((error.hop(), error.hresult()), (Role::Cmg, 0x87d0_027e));
    let log = world.log(LogFile::CcmMessaging);
    assert_eq!(
        log[log.len() - 4..],
        [
            "[CCMHTTP] ERROR: URL=https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/9/CCM_STS, Port=443, Options=480, \
             Code=0, Text=CCM_E_BAD_HTTP_STATUS_CODE",
            "[CCMHTTP] ERROR INFO: StatusCode=401 StatusText=CMGService_Invalid_Token",
            "RetrieveTokenFromStsServerImpl failed with error 0x87d0027e",
            "Failed to get CCM access token and client doesn't have PKI issued cert to use SSL. Error \
             0x80070002",
        ]
    );
}

#[tokio::test]
async fn a_damaged_cache_costs_one_request_and_nothing_else() {
    let world = World::new().await;
    let mut client = registered(&world).await;
    let path = world.place.path().join("client/token-S-1-5-18.bin");
    let mut sealed = fs::read(&path).unwrap();
    sealed[40] ^= 1;
    fs::write(&path, sealed).unwrap();
    world.fake.causes().seen.clear();
    client.heartbeat().await.unwrap();
    client.heartbeat().await.unwrap();
    assert_eq!(world.fake.seen("CCM_STS"), 1);
    let unreadable = |event: &E| matches!(event, E::CachedTokenUnreadable { .. });
    assert_eq!(world.client_events().iter().filter(|event| unreadable(event)).count(), 1);
    assert!(matches!(client.token_cache().load(&Sid::system()), Ok(Ok(Some(_)))));
}

#[tokio::test]
async fn what_ccmsetup_did_not_check_the_agent_checks_after_its_location_refresh() {
    let world = World::new().await;
    let mut client = world.joined().await;
    world.fake.causes().crl_published = false;
    let line = INSTALL.replace("ccmsetup.exe", "ccmsetup.exe /NoCRLCheck");
    assert_eq!(client.install(&line).await.failure, None);
    client.register().await.unwrap();
    client.heartbeat().await.unwrap();

    world.fake.causes().clients_check_crl = Some(false);
    client.refresh_location().await.unwrap();
    client.heartbeat().await.unwrap();

    world.fake.causes().clients_check_crl = Some(true);
    client.refresh_location().await.unwrap();
    assert_eq!(
        world.log(LogFile::LocationServices).last().unwrap(),
        "HTTPS is enforced for Client. The current state is 63."
    );
    let error = client.heartbeat().await.unwrap_err();
    assert_eq!(error.tls(), Some(TlsFailure::RevocationOffline));
    let log = world.log(LogFile::CcmMessaging);
    let url = "https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/9/ccm_system_tokenauth/request";
    assert_eq!(
        log[log.len() - 6..],
        [
            format!(
                "[CCMHTTP] ERROR: URL={url}, Port=443, Options=480, Code=12175, \
                     Text=ERROR_WINHTTP_SECURE_FAILURE"
            ),
            "[CCMHTTP] AsyncCallback(): WINHTTP_CALLBACK_STATUS_SECURE_FAILURE Encountered".to_owned(),
            "[CCMHTTP] : dwStatusInformationLength is 4".to_owned(),
            "[CCMHTTP] : lpvStatusInformation is 0x1".to_owned(),
            "[CCMHTTP] : WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED is set".to_owned(),
            format!("Post to {url} failed with 0x87d00231."),
        ]
    );
    assert!(client.refresh_location().await.is_err());
    assert!(
        world
            .log(LogFile::LocationServices)
            .last()
            .unwrap()
            .ends_with("with error 0x87d00231, retaining previous list.")
    );

    // Once the list is published the client comes back by itself.
    world.fake.causes().crl_published = true;
    client.heartbeat().await.unwrap();
}

#[tokio::test]
async fn an_unanswered_message_is_an_error_unless_none_is_wanted() {
    let world = World::new().await;
    let mut client = registered(&world).await;
    let message = Message::sync(Endpoint::PolicyManager, "<RequestAssignments/>");
    let error = client.send_message(&message).await.unwrap_err();
    assert!(matches!(error, ClientError::NoReply { .. }));
    assert!(world.log(LogFile::CcmMessaging).last().unwrap().ends_with("failed with 0x8000000a."));
    assert_eq!(client.heartbeat().await, Ok(()));
}

#[tokio::test]
async fn no_event_and_no_file_holds_a_secret() {
    let world = World::new().await;
    let mut client = registered(&world).await;
    client.refresh_location().await.unwrap();
    let Ok(Ok(Some(token))) = client.token_cache().load(&Sid::system()) else { panic!("no token") };
    let secrets = [token.token.expose(), "p&ss wörd", "p%26ss"];
    for event in world.events.snapshot() {
        let text = format!("{event:?}");
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{text}");
        assert!(!matches!(&event.kind, Kind::Net(NetEvent::Called { target, .. }) if target.contains("eyJ")));
    }
    for entry in fs::read_dir(world.place.path().join("client")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { fs::read(path).unwrap() } else { Vec::new() };
        assert!(
            !bytes.windows(token.token.expose().len()).any(|part| part == token.token.expose().as_bytes())
        );
    }
}
