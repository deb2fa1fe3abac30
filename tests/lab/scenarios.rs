//! Every scenario file is a test: a lab of its own, over real TLS, in one process.

#![expect(clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::path::Path;
use std::sync::Mutex;

use cmglab_events::Role;
use cmglab_scenario::{Progress, RunOptions, RunReport, Scenario, StepOutcome, builtin, run};

macro_rules! scenarios {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                passes($name).await;
            }
        )*

        #[test]
        fn every_builtin_scenario_has_its_test() {
            let builtin: Vec<&str> = builtin::ALL.iter().map(|(name, _text)| *name).collect();
            assert_eq!(builtin, [$($name),*]);
        }
    };
}

scenarios! {
    failures_audience_mismatch: "failures/audience-mismatch",
    failures_azure_ad_throttled: "failures/azure-ad-throttled",
    failures_bulk_token_blocked: "failures/bulk-token-blocked",
    failures_bulk_token_expired: "failures/bulk-token-expired",
    failures_cabinet_corrupted: "failures/cabinet-corrupted",
    failures_certificate_other_name: "failures/certificate-other-name",
    failures_channel_ports_blocked: "failures/channel-ports-blocked",
    failures_channel_session_ended: "failures/channel-session-ended",
    failures_client_chain_incomplete: "failures/client-chain-incomplete",
    failures_client_silent: "failures/client-silent",
    failures_connection_point_certificate_missing: "failures/connection-point-certificate-missing",
    failures_connection_point_crl_offline: "failures/connection-point-crl-offline",
    failures_connection_point_down: "failures/connection-point-down",
    failures_consent_removed: "failures/consent-removed",
    failures_cost_alert: "failures/cost-alert",
    failures_crl_offline: "failures/crl-offline",
    failures_crl_offline_nocrlcheck: "failures/crl-offline-nocrlcheck",
    failures_device_deleted: "failures/device-deleted",
    failures_device_disabled: "failures/device-disabled",
    failures_iis_redirect: "failures/iis-redirect",
    failures_no_user_session: "failures/no-user-session",
    failures_resource_not_registered: "failures/resource-not-registered",
    failures_root_ca_missing: "failures/root-ca-missing",
    failures_stale_binding: "failures/stale-binding",
    failures_sts_assembly_mismatch: "failures/sts-assembly-mismatch",
    failures_tenant_not_onboarded_discovery: "failures/tenant-not-onboarded-discovery",
    failures_tenant_not_onboarded_token: "failures/tenant-not-onboarded-token",
    failures_token_auth_disabled: "failures/token-auth-disabled",
    failures_unknown_url: "failures/unknown-url",
    failures_wpj_certificate_missing: "failures/wpj-certificate-missing",
    install_crl_published: "install/crl-published",
    install_crl_site_option_off: "install/crl-site-option-off",
    install_device_token: "install/device-token",
    install_seed_0: "install/seed-0",
    install_seed_2: "install/seed-2",
    install_third_party_certificate: "install/third-party-certificate",
    install_user_token_fallback: "install/user-token-fallback",
    renewal_ccm_token_8h: "renewal/ccm-token-8h",
    renewal_session_revoked: "renewal/session-revoked",
    renewal_signing_keys_rotated: "renewal/signing-keys-rotated",
    topologies_client_chain_complete: "topologies/client-chain-complete",
    topologies_enhanced_http: "topologies/enhanced-http",
    topologies_long_poll: "topologies/long-poll",
    topologies_scale_set: "topologies/scale-set",
}

async fn passes(name: &str) {
    let scenario = Scenario::builtin(name).unwrap_or_else(|error| panic!("{error}"));
    let report = play(&scenario).await;
    assert!(report.verdict.passed, "{report:#?}");
}

async fn play(scenario: &Scenario) -> RunReport {
    run(scenario, &RunOptions::default(), &|_progress| {}).await
}

/// A scenario of this test's own, from the parts of its file.
fn written(parts: &[&str]) -> Scenario {
    let text = ["name: written\nabout: A test.\n"].iter().chain(parts).copied().collect::<String>();
    Scenario::parse(&text, Path::new("written.yaml")).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expectation_that_does_not_hold_fails_the_run() {
    const EXPECT: &str = "
expect:
  install: { return_code: 6 }
  requests: [{ at: cmg, path: /CCM_STS }]
  no_log: [{ file: ccmsetup.log, line: CcmSetup is exiting with return code 0 }]
";
    let report = play(&written(&["steps:\n", INSTALL, EXPECT])).await;
    assert!(!report.verdict.passed);
    assert_eq!(report.verdict.failures.len(), 3, "{report:#?}");
    assert_eq!(report.verdict.first_failing_hop, None, "nothing is wrong with the lab");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_tells_its_hops_and_leaves_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = Scenario::builtin("failures/tenant-not-onboarded-token").unwrap();
    let options = RunOptions { evidence: Some(folder.path().to_owned()), ..RunOptions::default() };
    let told = Mutex::new(Vec::new());
    let listen = |progress: Progress<'_>| {
        told.lock().unwrap().push(match progress {
            Progress::Ready { .. } => "ready",
            Progress::StepBegun { .. } => "begun",
            Progress::StepEnded(_) => "ended",
            _ => "else",
        });
    };
    let report = run(&scenario, &options, &listen).await;
    assert!(report.verdict.passed, "{report:#?}");
    assert_eq!(*told.lock().unwrap(), ["ready", "begun", "ended"]);
    assert!(report.verdict.ready_ms.is_some_and(|ready| ready <= report.verdict.taken_ms));
    assert!(matches!(report.steps[0].outcome, StepOutcome::Failed { .. }));
    let hop = report.verdict.first_failing_hop.as_ref().unwrap();
    assert_eq!((hop.to, hop.status, hop.reason.as_str()), (Role::Cmg, Some(401), "CMGService_Invalid_Token"));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("sequence.mmd").contains("client-xcmg: GET /CCM_Proxy_ServerAuth/"));
    assert!(read("report.json").contains("\"passed\": true"));
    assert!(read("events.jsonl").lines().count() > 10);
    assert!(read("logs/LABPC1/ccmsetup.log").contains("StatusText=CMGService_Invalid_Token"));
}

/// A cause can be set, and taken back, while the lab runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn causes_come_and_go_while_the_lab_runs() {
    const LAB: &str = "
lab:
  azure_ad:
    tenants:
      - id: 7a8ee388-0000-485c-8000-e8e4eb410001
        domain: lab.test
        onboarded: false
        client_app: 22ed38d9-0000-4036-8000-a98452fda4fc
        server_app: f1f9b14e-0000-4f17-8000-2593f6eee91e
        users: [{ id: 2391ff2a-0000-4c1b-8000-5a6335f035a6, upn: alice@lab.test }]
steps:
  - unpublish-crl: cmg-root
";
    const PUBLISHED: &str = "  - publish-crl: cmg-root\n";
    const ONBOARDED: &str = "  - onboard-tenant: 7a8ee388-0000-485c-8000-e8e4eb410001\n";
    const MEANWHILE: &str = "
  - register
  - rotate-ccm-key
  - send-message
  - set: { clients_check_crl: false }
  - refresh-location
  - remove-tenant: 7a8ee388-0000-485c-8000-e8e4eb410001
";
    const EXPECT: &str = "
expect:
  install: { return_code: 6 }
  client: registered
  communicates: true
  requests:
    - { at: revocation, path: /cmg-root.crl, status: 404, count: 1 }
    - { at: cmg, path: /CCM_Proxy_ServerAuth/AADAuthInfo, status: 404, count: 2 }
    - { at: cmg, path: /CCM_Proxy_ServerAuth/AADAuthInfo, status: 200, count: 1 }
  ordered: true
  log:
    - { file: ccmsetup.log, line: '[CCMHTTP] : WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED is set' }
    - { file: ccmsetup.log, line: '[CCMHTTP] ERROR INFO: StatusCode=404 StatusText=CMGService_NotFound' }
    - { file: ccmsetup.log, line: CcmSetup is exiting with return code 0 }
    - { file: ccmsetup.log, line: '[CCMHTTP] ERROR INFO: StatusCode=404 StatusText=CMGService_NotFound' }
    - { file: LocationServices.log, line: HTTPS is enforced for Client. The current state is 31. }
";
    let parts = [LAB, INSTALL, PUBLISHED, INSTALL, ONBOARDED, INSTALL, MEANWHILE, INSTALL, EXPECT];
    let report = play(&written(&parts)).await;
    assert!(report.verdict.passed, "{report:#?}");
}

/// The token of the fallback is good, and worth nothing once the site has forgotten its user.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_whom_the_site_forgot_gets_no_token() {
    const LAB: &str = "
lab:
  azure_ad:
    tenants:
      - id: 7a8ee388-0000-485c-8000-e8e4eb410001
        domain: lab.test
        device_tokens: false
        client_app: 22ed38d9-0000-4036-8000-a98452fda4fc
        server_app: f1f9b14e-0000-4f17-8000-2593f6eee91e
        users: [{ id: 2391ff2a-0000-4c1b-8000-5a6335f035a6, upn: alice@lab.test }]
steps:
";
    const FORGOTTEN: &str =
        "  - remove-user: { tenant: 7a8ee388-0000-485c-8000-e8e4eb410001, upn: alice@lab.test }\n";
    const EXPECT: &str = "
expect:
  install: { return_code: 6 }
  requests:
    - { at: management-point, path: /CCM_STS, status: 200, count: 1 }
    - { at: management-point, path: /CCM_STS, status: 401, count: 1 }
  log:
    - file: CCM_STS.log
      line: AAD user '2391ff2a-0000-4c1b-8000-5a6335f035a6' of tenant '{guid}' was not found in the site database.
";
    let report = play(&written(&[LAB, INSTALL, FORGOTTEN, INSTALL, EXPECT])).await;
    assert!(report.verdict.passed, "{report:#?}");
}

/// A device that is let in again, and a user who is first kept out and then gone: each as Azure AD has it at
/// that moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_in_azure_ad_counts_from_then_on() {
    const DISABLED: &str = "steps:\n  - azure-ad: disable-device\n";
    const ENABLED: &str = "  - azure-ad: enable-device\n";
    const NO_MORE: &str = "  - azure-ad: { unregister-app: f1f9b14e-0000-4f17-8000-2593f6eee91e }\n";
    const USER_DISABLED: &str = "  - azure-ad: { disable-user: alice@lab.test }\n";
    const USER_DELETED: &str = "  - azure-ad: { delete-user: Alice@lab.test }\n";
    const EXPECT: &str = "
expect:
  install: { return_code: 6 }
  ordered: true
  log:
    - { file: ccmsetup.log, line: \"WAM token request failed. Status 5, Details 'AADSTS135011: \", match: start, count: 2 }
    - { file: ccmsetup.log, line: CcmSetup is exiting with return code 0, count: 1 }
    - { file: ccmsetup.log, line: \"WAM token request failed. Status 5, Details 'AADSTS500011: \", match: start }
    - { file: ccmsetup.log, line: \"WAM token request failed. Status 5, Details 'AADSTS50057: \", match: start, count: 1 }
    - { file: ccmsetup.log, line: \"WAM token request failed. Status 5, Details 'AADSTS500011: \", match: start }
    - { file: ccmsetup.log, line: \"WAM token request failed. Status 5, Details 'AADSTS50034: \", match: start, count: 1 }
";
    let parts =
        [DISABLED, INSTALL, ENABLED, INSTALL, NO_MORE, USER_DISABLED, INSTALL, USER_DELETED, INSTALL, EXPECT];
    let report = play(&written(&parts)).await;
    assert!(report.verdict.passed, "{report:#?}");
}

/// A client that is blocked is refused with what names it, and with nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_client_is_known_by_its_own_token() {
    const BEFORE: &str = "  - register\n  - make-token: client-auth\n";
    const ASK: &str = "
  - request: { path: /CCM_Proxy_ServerAuth/ServiceMetadata, token: client-auth }
  - request: { path: /CCM_Proxy_ServerAuth/ServiceMetadata, token: ccm }
  - request: { path: /CCM_Proxy_ServerAuth/ServiceMetadata, token: azure-ad }
";
    const EXPECT: &str = "
  - request: { path: /CCM_Proxy_ServerAuth/ServiceMetadata }
expect:
  install: { return_code: 0 }
  client: registered
  requests:
    - { at: cmg, path: /CCM_Proxy_ServerAuth/ServiceMetadata, status: 200, count: 8 }
    - { at: cmg, path: /CCM_Proxy_ServerAuth/ServiceMetadata, status: 401, reason: CMGService_Invalid_Token, count: 2 }
";
    let (block, unblock) = ("  - block-client\n", "  - unblock-client\n");
    let parts = ["steps:\n", INSTALL, BEFORE, ASK, block, ASK, unblock, ASK, EXPECT];
    let report = play(&written(&parts)).await;
    assert!(report.verdict.passed, "{report:#?}");
}

/// Each state of a client certificate, as the gateway answers it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_certificate_is_in_the_state_that_is_asked_for() {
    // The revoked one comes first: with a list from before, the gateway could not know.
    const STATES: [(&str, u16); 7] = [
        (", certificate: revoked", 403),
        (", certificate: good", 200),
        (", certificate: without-intermediates", 200),
        (", certificate: expired", 403),
        (", certificate: unknown-issuer", 401),
        (", certificate: wrong-usage", 401),
        ("", 403),
    ];
    let (mut steps, mut expected) = ("steps:\n".to_owned(), "expect:\n  requests:\n".to_owned());
    for (nth, (certificate, status)) in STATES.iter().enumerate() {
        let path = format!("/CCM_Proxy_MutualAuth/72057594037938216/CCM_Client/ccmsetup.cab?{nth}");
        steps += &format!("  - request: {{ path: \"{path}\"{certificate} }}\n");
        expected += &format!("    - {{ at: cmg, path: \"{path}\", status: {status}, count: 1 }}\n");
    }
    let report = play(&written(&[&steps, &expected])).await;
    assert!(report.verdict.passed, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_was_stopped_is_back_with_its_channels() {
    const LAB: &str = "lab: { cmg: { instances: 2 } }\nsteps:\n  - stop-cmg\n";
    const EXPECT: &str = "
expect:
  install: { return_code: 0 }
  requests:
    - { at: cmg, path: \"/CCM_Proxy_ServerAuth/{id}/CCM_STS\", status: 200, count: 1 }
  no_requests: [{ at: cmg, status: 503 }]
  ordered: true
  log:
    - { file: ccmsetup.log, line: CcmSetup is exiting with return code 6, count: 1 }
    - { file: ccmsetup.log, line: CcmSetup is exiting with return code 0, count: 1 }
    - { file: CloudMgr.log, line: Deployment instance status for service CMG.LAB.TEST is StoppedVM. }
    - { file: CloudMgr.log, line: Deployment instance status for service CMG.LAB.TEST is RestartingRole., count: 2 }
";
    let report = play(&written(&[LAB, INSTALL, "  - start-cmg\n", INSTALL, EXPECT])).await;
    assert!(report.verdict.passed, "{report:#?}");
}

/// A launch ends whether or not a channel comes up, and what is wrong may end later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_waits_for_no_channel() {
    const LAB: &str = "
lab:
  cmg: { transports: [long-poll] }
  connection_points: [{ host: CP1.LAB.TEST, running: false }, { host: CP2.LAB.TEST, running: false }]
  faults: [{ at: poll, when: { first: 1 }, verdict: end-session }]
steps:
  - launch-connection-point
  - start-connection-point
";
    const EXPECT: &str = "
expect:
  install: { return_code: 0 }
  log:
    - { file: SMS_CLOUD_PROXYCONNECTOR.log, match: start, count: 1, line: 'ERROR: Failed to build Http connection ' }
    - { file: SMS_CLOUD_PROXYCONNECTOR.log, count: 2, line: 'Built Http connection {guid} with server CMG.LAB.TEST:443' }
";
    let report = play(&written(&[LAB, INSTALL, EXPECT])).await;
    assert!(report.verdict.passed, "{report:#?}");
}

/// A change that cannot be made ends the run; it is not taken for what the scenario is about.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_azure_ad_refuses_fails_the_run() {
    const TWICE: &str = "steps:\n  - azure-ad: delete-device\n  - azure-ad: delete-device\n  - register\n";
    let report = play(&written(&[TWICE, "expect: { client: not-installed }\n"])).await;
    assert_eq!(report.steps.len(), 2, "{report:#?}");
    assert!(
        matches!(&report.steps[1].outcome, StepOutcome::Impossible { cause } if cause.contains("no device"))
    );
    assert!(!report.verdict.passed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_that_cannot_start_is_a_failed_run() {
    const REST: &str =
        "lab: { cmg: { host: 'a b' } }\nsteps: [register]\nexpect: { client: not-installed }\n";
    let report = play(&written(&[REST])).await;
    assert_eq!(report.verdict.failures.len(), 1, "{report:#?}");
    assert_eq!(report.verdict.failures[0].expectation, "the lab is ready");
    assert_eq!(report.verdict.ready_ms, None);
}

const INSTALL: &str = "  - install: ccmsetup.exe \
                       CCMHOSTNAME=\"CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216\" SMSSITECODE=\"LAB\"\n";
