use cmglab_fault::Verdict;

use super::*;

const GOOD: &str = "name: a/b\nabout: x\nsteps:\n  - register\n";

fn error(text: &str) -> String {
    Scenario::parse(text, Path::new("scenarios/a/b.yaml")).unwrap_err().to_string()
}

fn step(step: &str) -> String {
    error(&format!("name: a/b\nabout: x\nsteps:\n  - register\n  - {step}\n"))
}

fn expected(line: &str) -> String {
    error(&format!("{GOOD}expect:\n  {line}\n"))
}

#[test]
fn a_short_scenario_is_a_whole_one() {
    let scenario = Scenario::parse(GOOD, Path::new("scenarios/a/b.yaml")).unwrap();
    assert_eq!(scenario.steps, [Step::Register]);
    assert_eq!((scenario.lab, scenario.expect), (Topology::default(), Expect::default()));
}

#[test]
fn a_lab_is_given_in_part_and_lists_replace() {
    let text = "
name: b
about: x
lab:
  cmg: { host: myCMG.cloudapp.net }
  edition: 2018-draft
  faults:
    - { at: content, containing: .cab, when: { first: 1 }, verdict: flip-byte }
    - { at: azure-ad, containing: /oauth2/token, when: { nth: 2 }, verdict: { throttle: { retry_after: 5 } } }
  azure_ad:
    tenants:
      - id: 7a8ee388-0000-485c-8000-e8e4eb410001
        domain: x.test
        client_app: 22ed38d9-0000-4036-8000-a98452fda4fc
        server_app: f1f9b14e-0000-4f17-8000-2593f6eee91e
        users: [{ id: 2391ff2a-0000-4c1b-8000-5a6335f035a6, upn: alice@lab.test }]
steps: [{ advance: 8h 30m }, { set: { clients_check_crl: false } }, restart-client, send-message]
";
    let scenario = Scenario::parse(text, Path::new("somewhere/a/b.yaml")).unwrap();
    assert_eq!(scenario.lab.cmg.host, "myCMG.cloudapp.net");
    assert_eq!(scenario.lab.cmg.instance, Topology::default().cmg.instance);
    assert_eq!(scenario.lab.azure_ad.tenants.len(), 1);
    assert_eq!(scenario.lab.faults.len(), 2);
    assert_eq!(scenario.lab.faults[1].verdict, Verdict::Throttle { retry_after: 5 });
    let steps: Vec<String> = scenario.steps.iter().map(ToString::to_string).collect();
    let written = ["advance: 8h 30m", "set: clients_check_crl = false", "restart-client", "send-message"];
    assert_eq!(steps, written);
}

#[test]
fn mistakes_have_their_place_and_a_way_out() {
    assert_eq!(
        error("name: a/b\nabout: x\nstesp: []\n"),
        "scenarios/a/b.yaml:3:1: unknown key `stesp`; did you mean `steps`?"
    );
    assert_eq!(
        error("name: a/b\nabout: x\nlab:\n  cmg: { hots: a }\nsteps: [register]\n"),
        "scenarios/a/b.yaml:4:10: unknown key `hots`; did you mean `host`?"
    );
    assert_eq!(step("regsiter"), "scenarios/a/b.yaml:5:5: unknown word `regsiter`; did you mean `register`?");
    assert_eq!(
        error("name: a/c\nabout: x\nsteps: [register]\n"),
        "scenarios/a/b.yaml:1:7: the name `a/c` is not the file's path; write `name: a/b`"
    );
    assert!(error("about: x\nsteps: [register]\n").ends_with("the key `name` is missing; add `name:`"));
    assert_eq!(
        error("name: a/b\nname: a/b\n"),
        "scenarios/a/b.yaml:2:1: the key `name` stands here twice; keep one of the two"
    );
    assert_eq!(
        error("name: a/b\nabout: x\nsteps: []\n"),
        "scenarios/a/b.yaml:3:8: there is no step; add one, such as `- register`"
    );
}

#[test]
fn steps_are_checked_against_the_lab() {
    assert_eq!(
        step("unpublish-crl: cmg-rot"),
        "scenarios/a/b.yaml:5:5: no authority `cmg-rot` has a CRL; did you mean `cmg-root`?"
    );
    assert!(step("publish-crl: sms-issuing").contains("no authority `sms-issuing` has a CRL"));
    assert!(step("onboard-tenant: 00000000-0000-0000-0000-000000000001").contains("the lab has no tenant"));
    assert!(step("onboard-tenant: nobody").starts_with("scenarios/a/b.yaml:5:21: "));
    assert!(step("advance: 6 weeks").contains("is not"));
    assert!(step("advance: -6m").contains("is not more than zero"));
    assert!(step("request: { path: /a/../b }").contains("would not arrive"));
    assert!(step("request: { path: /a/%2E%2e/b }").contains("would not arrive"));
    assert!(step("request: { path: /a/. }").contains("would not arrive"));
    assert!(step("request: { path: /a, method: 'G T' }").contains("not a verb"));
    assert!(step("azure-ad: { delete-user: alcie@lab.test }").ends_with("did you mean `alice@lab.test`?"));
    assert!(step("azure-ad: disable-devcie").ends_with("did you mean `disable-device`?"));
    assert!(
        step("azure-ad: { unregister-app: 00000000-0000-0000-0000-000000000001 }").contains("no tenant has")
    );
    assert!(step("azure-ad: delete-user").contains("expected string"));
    assert!(
        step("azure-ad: { revoke-sessions: alice@lab.test, disable-user: alice@lab.test }").contains(":5:")
    );
    assert!(step("set: {}").contains("`clients_check_crl` is missing"));
}

#[test]
fn a_token_or_a_block_needs_the_step_before_it() {
    let nobody = |steps: &str| {
        let lab = "lab: { client: { logged_on: null } }";
        Scenario::parse(
            &format!("name: b\nabout: x\n{lab}\nsteps: [{steps}, register]\n"),
            Path::new("b.yaml"),
        )
        .map_err(|error| error.to_string())
    };
    assert_eq!(
        nobody("{ request: { path: /CCM_STS, token: ccm } }").unwrap_err(),
        "b.yaml:4:9: a token ccm is a user's, and nobody is logged on; set client.logged_on, or write another token"
    );
    assert!(nobody("{ make-token: azure-ad }").unwrap_err().contains("nobody is logged on"));
    assert!(nobody("{ make-token: client-auth }").unwrap_err().contains("not registered at that point"));
    assert!(nobody("block-client").unwrap_err().contains("add `- register` before it"));
    assert!(nobody("block-bulk-token").unwrap_err().contains("add `- make-token: bulk` before it"));
    assert!(nobody("{ make-token: bulk }, block-bulk-token, unblock-bulk-token").is_ok());
    assert!(nobody("register, { make-token: client-auth }, block-client, unblock-client").is_ok());
    assert!(step("make-token: bluk").ends_with("did you mean `bulk`?"));
    assert!(step("request: { path: /a, token: azuread }").ends_with("did you mean `azure-ad`?"));
    assert!(step("request: { path: /a, certificate: goood }").ends_with("did you mean `good`?"));
    assert!(step("disable-token-auth: 00000000-0000-0000-0000-000000000001").contains("has no tenant"));
    assert!(step("launch-conection-point").ends_with("did you mean `launch-connection-point`?"));
}

#[test]
fn steps_at_the_gateway_are_shown_as_they_are_written() {
    let written = [
        "register",
        "make-token: bulk",
        "block-bulk-token",
        "unblock-bulk-token",
        "block-client",
        "unblock-client",
        "stop-cmg",
        "start-cmg",
        "launch-connection-point",
        "disable-token-auth: 7a8ee388-0000-485c-8000-e8e4eb410001",
        "enable-token-auth: 7a8ee388-0000-485c-8000-e8e4eb410001",
    ];
    let steps: String = written.iter().map(|step| format!("  - {step}\n")).collect();
    let more =
        "  - request: { path: /SMS_MP/.sms_aut?MPLIST, token: ccm, certificate: without-intermediates }\n";
    let text = format!("name: b\nabout: x\nsteps:\n{steps}{more}");
    let scenario = Scenario::parse(&text, Path::new("b.yaml")).unwrap();
    let shown: Vec<String> = scenario.steps.iter().map(ToString::to_string).collect();
    assert_eq!(shown[..written.len()], written);
    let request =
        "request: GET /SMS_MP/.sms_aut?MPLIST with token ccm with certificate without-intermediates";
    assert_eq!(shown[written.len()], request);
}

#[test]
fn a_gateway_that_cannot_be_built_is_told_with_its_place() {
    let lab = |lab: &str| {
        let text = format!("name: a/b\nabout: x\nlab: {{ {lab} }}\nsteps: [register]\n");
        Scenario::parse(&text, Path::new("scenarios/a/b.yaml")).map_err(|error| error.to_string())
    };
    assert!(lab("cmg: { instances: 16 }").is_ok());
    assert_eq!(
        lab("cmg: { instances: 17 }").unwrap_err(),
        "scenarios/a/b.yaml:3:6: cmg.instances is 17; a gateway has 1 to 16; set cmg.instances to a number from 1 to 16"
    );
    assert!(lab("connection_points: []").unwrap_err().contains("there is no connection point"));
    assert!(lab("connection_points: [{ host: CP1 }, { host: cp1 }]").unwrap_err().contains("are named cp1"));
    assert!(lab("connection_points: [{ host: CP1 }, { host: CP2 }]").is_ok());
    assert!(lab("cmg: { certificate: others-name }").unwrap_err().ends_with("did you mean `other-name`?"));
    assert!(lab("management_point: { bound: stael }").unwrap_err().ends_with("did you mean `stale`?"));
}

#[test]
fn changes_in_azure_ad_are_words_or_words_with_a_value() {
    let text = "
name: b
about: x
steps:
  - azure-ad: rotate-keys
  - azure-ad: { disable-user: Alice@lab.test }
  - azure-ad: { unregister-app: f1f9b14e-0000-4f17-8000-2593f6eee91e }
  - register
";
    let scenario = Scenario::parse(text, Path::new("b.yaml")).unwrap();
    let steps: Vec<String> = scenario.steps.iter().map(ToString::to_string).collect();
    assert_eq!(steps[0], "azure-ad: rotate-keys");
    assert_eq!(steps[1], "azure-ad: { disable-user: Alice@lab.test }");
    let device = |join: &str| {
        let text = format!(
            "name: a/b\nabout: x\nlab: {{ client: {{ join: {join} }} }}\nsteps: [{{ azure-ad: disable-device }}, register]\n"
        );
        Scenario::parse(&text, Path::new("scenarios/a/b.yaml"))
    };
    assert!(device("registered").is_ok());
    assert!(device("unknown").unwrap_err().what.contains("is not in Azure AD"));
}

#[test]
fn a_fault_must_be_able_to_act() {
    let fault = |rule: &str| {
        let text = format!("name: a/b\nabout: x\nlab: {{ faults: [{{ {rule} }}] }}\nsteps: [register]\n");
        Scenario::parse(&text, Path::new("scenarios/a/b.yaml")).map_err(|error| error.to_string())
    };
    assert!(fault("at: azure-ad, verdict: { outage: { retry_after: 5 } }").is_ok());
    assert!(fault("at: dial, containing: ':10140', verdict: refuse").is_ok());
    assert!(fault("at: upgrade, verdict: break-upgrade").is_ok());
    assert!(fault("at: poll, when: { first: 1 }, verdict: end-session").is_ok());
    assert!(fault("at: poll, verdict: refuse").unwrap_err().contains("`end-session` at `poll`"));
    assert!(fault("at: azure-ad, verdict: flip-byte").unwrap_err().contains("does nothing at its point"));
    assert!(
        fault("at: content, verdict: { throttle: { retry_after: 5 } }").unwrap_err().contains("b.yaml:3:")
    );
    assert!(
        fault("at: content, when: { first: 0 }, verdict: flip-byte").unwrap_err().contains("count from 1")
    );
}

#[test]
fn expectations_must_be_able_to_fail() {
    assert!(expected("install: { return_code: 0 }").contains("no step installs"));
    assert!(expected("communicates: true").contains("no step communicates"));
    assert!(expected("requests: [{ at: cmg, count: 0 }]").contains("move it to `no_requests`"));
    assert!(expected("no_log: [{ file: ccmsetup.log, line: a, count: 1 }]").contains("drop `count`"));
    assert_eq!(
        expected("requests: [{ at: cgm }]"),
        "scenarios/a/b.yaml:6:20: unknown word `cgm`; did you mean `cmg`?"
    );
    let unknown_log = expected("log: [{ file: ccmsteup.log, line: a }]");
    assert_eq!(
        unknown_log,
        "scenarios/a/b.yaml:6:17: there is no log `ccmsteup.log`; did you mean `ccmsetup.log`?"
    );
    let unknown_variable = expected("log: [{ file: ccmsetup.log, line: 'a {giud}' }]");
    assert!(unknown_variable.contains("did you mean `guid`?"), "{unknown_variable}");
}

#[test]
fn what_is_no_scenario_at_all_is_refused_in_words() {
    for text in ["", "a", "- a", "{", "name: [", "a: &x 1\nb: *x", "\u{0}", "name: a/b\n---\nname: a/b\n"] {
        let message = error(text);
        assert!(message.starts_with("scenarios/a/b.yaml"), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
    assert!(
        error("name: a/b\nabout: &a x\nsteps: [register]\n").contains("b.yaml:2:"),
        "anchors hide what is said"
    );
    assert!(error(&"#".repeat(LARGEST + 1)).contains("at most 256 KiB"));
    assert!(error(&format!("name: {}1{}", "[".repeat(40), "]".repeat(40))).contains("b.yaml:1:"));
}

#[test]
fn folders_are_read_in_order_and_need_a_scenario() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Scenario::load_folder(folder.path()).unwrap_err().what.contains("no scenario"));
    for name in ["z", "a"] {
        let text = GOOD.replace("a/b", name);
        fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "not a scenario").unwrap();
    let names: Vec<String> =
        Scenario::load_folder(folder.path()).unwrap().into_iter().map(|scenario| scenario.name).collect();
    assert_eq!(names, ["a", "z"]);
    assert!(Scenario::load(&folder.path().join("none.yaml")).unwrap_err().what.contains("cannot be read"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "(name|about|steps|lab|expect|[ -~\n]){0,40}") {
        let _either = Scenario::parse(&text, Path::new("a.yaml"));
    }
}

#[test]
fn a_scenario_that_could_not_fail_is_refused() {
    let text = |step: &str| format!("name: b\nabout: x\nsteps:\n  - {step}\nexpect: {{}}\n");
    let refused = Scenario::parse(&text("advance: 6m"), Path::new("b.yaml")).unwrap_err();
    assert!(refused.what.contains("nothing is expected"), "{refused}");
    // A client's step must succeed, or the run fails.
    assert!(Scenario::parse(&text("register"), Path::new("b.yaml")).is_ok());
}
