//! The connection analyzer: every step's verdict and text, in a healthy lab and in broken ones.

use cmglab_events::kinds::CmgEvent;
use cmglab_events::{Event, Kind, Role};
use cmglab_lab::topology::{BoundCertificate, CmgCertificate, UploadedAuthorities};
use cmglab_lab::{Analysis, AnalyzeRequest, Lab, SignIn, StepVerdict, Topology, UserSignIn, analyze};
use cmglab_net::Deps;

use crate::support::{self, PATIENCE};

const SIGN_IN: &str = "Signing in to Azure AD as 'alice@lab.test'";
const STATE: &str = "Testing the state of the CMG service 'CMG.LAB.TEST'";
const CONFIGURATION: &str = "Testing the configuration of the CMG service 'CMG.LAB.TEST'";
const CHANNEL: &str = "Testing the CMG channel for management point 'MP.LAB.TEST'";
const ANSWERS: &str = "Testing the answers of management point 'MP.LAB.TEST'";

const NO_TOKEN: &str = "Failed to get ConfigMgr token with Azure AD token.";
const NO_CHANNEL: &str = "The CMG channel has not passed its test.";
const NO_SERVICE: &str = "The CMG service has not passed its test.";

fn user(lab: &Lab, upn: &str) -> SignIn {
    SignIn::user(lab.topology(), Some(upn), None).unwrap()
}

fn certificate(lab: &Lab) -> SignIn {
    SignIn::certificate_of_pem(&lab.client_certificate().unwrap()).unwrap()
}

async fn from(deps: &Deps, lab: &Lab, sign_in: SignIn) -> Analysis {
    analyze(&AnalyzeRequest::of(lab.topology(), sign_in), deps).await
}

/// From a machine that has every root.
async fn analysis(lab: &Lab, sign_in: SignIn) -> Analysis {
    from(&support::stranger(lab), lab, sign_in).await
}

/// A step of this name ended so, with a fix if and only if it failed.
#[track_caller]
fn ended(analysis: &Analysis, name: &str, verdict: StepVerdict, description: &str) {
    let step = analysis.steps.iter().find(|step| step.name == name);
    let step = step.unwrap_or_else(|| panic!("no step «{name}»: {analysis:#?}"));
    assert_eq!((step.verdict, step.description.as_str()), (verdict, description), "{name}");
    assert_eq!(step.advice.is_some(), verdict == StepVerdict::Failed, "{step:#?}");
}

#[track_caller]
fn fix(analysis: &Analysis, name: &str) -> String {
    let step = analysis.steps.iter().find(|step| step.name == name).unwrap();
    step.advice.clone().unwrap_or_else(|| panic!("{step:#?}"))
}

fn names(analysis: &Analysis) -> Vec<&str> {
    analysis.steps.iter().map(|step| step.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_lab_passes_as_a_user_and_with_a_certificate() {
    let lab = support::lab(Topology::default()).await;
    let tenant = &lab.topology().azure_ad.tenants[0];
    let by_user = analysis(&lab, user(&lab, "alice@lab.test")).await;
    assert!(by_user.passed(), "{by_user:#?}");
    assert_eq!(names(&by_user), [SIGN_IN, STATE, CONFIGURATION, CHANNEL, ANSWERS]);
    let onboarded = format!(
        "Tenant '{}' is onboarded, with client app {} and resource 'https://ConfigMgrService'.",
        tenant.id, tenant.client_app
    );
    for (name, text) in [
        (SIGN_IN, "Azure AD issued a user token for 'https://ConfigMgrService'."),
        (STATE, "It answers on port 443, and its certificate is trusted and for 'CMG.LAB.TEST'."),
        (CONFIGURATION, &onboarded),
        (CHANNEL, "Got a ConfigMgr token with the Azure AD token."),
        (ANSWERS, "It answered for site 'LAB', version 5.00.9128.1000."),
    ] {
        ended(&by_user, name, StepVerdict::Passed, text);
    }

    let by_certificate = analysis(&lab, certificate(&lab)).await;
    assert!(by_certificate.passed(), "{by_certificate:#?}");
    assert_eq!(names(&by_certificate), [STATE, CONFIGURATION, CHANNEL, ANSWERS]);
    let reached = "The management point was reached with the client certificate.";
    ended(&by_certificate, CHANNEL, StepVerdict::Passed, reached);
    ended(&by_certificate, ANSWERS, StepVerdict::Passed, "It handed out the beginning of ccmsetup.cab.");
    let version = lab.site().settings().await.unwrap().version;
    let has = format!("It has version {version} of the site's settings, which publish the management point.");
    ended(&by_certificate, CONFIGURATION, StepVerdict::Passed, &has);

    // Once more from one machine, as somebody else: nothing of the certificate is left.
    let machine = support::stranger(&lab);
    assert!(from(&machine, &lab, certificate(&lab)).await.passed());
    assert!(from(&machine, &lab, user(&lab, "alice@lab.test")).await.passed());
    let from_here = support::now(&lab);
    assert!(from(&machine, &lab, user(&lab, "alice@lab.test")).await.passed());
    let by_certificate =
        |event: &Event| matches!(event.kind, Kind::Cmg(CmgEvent::CertificateAccepted { .. }));
    assert!(!support::events_of(&lab, Role::Cmg, from_here).iter().any(by_certificate));
    lab.shutdown().await;
}

/// How a management point or the gateway is broken, and what the channel's step says of it.
struct Broken {
    what: &'static str,
    change: fn(&mut Topology),
    with_certificate: bool,
    /// Status and reason.
    answer: (u16, &'static str),
    /// A word of the fix.
    fix: &'static str,
}

/// Whoever builds one more cause adds one more row.
const BROKEN: &[Broken] = &[
    Broken {
        what: "the token library of CCM_STS is another one",
        change: |lab| lab.management_point.sts_assembly = serde_json::from_str("\"mismatched\"").unwrap(),
        with_certificate: false,
        answer: (500, "CMGConnector_InternalServerError"),
        fix: "token library",
    },
    Broken {
        what: "IIS redirects every request",
        change: |lab| lab.management_point.redirect = Some("/CMApplicationCatalog".to_owned()),
        with_certificate: false,
        answer: (401, "CMGConnector_Unauthorized"),
        fix: "redirect",
    },
    Broken {
        what: "the old certificate is bound in enhanced HTTP",
        change: |lab| {
            lab.management_point.mode = serde_json::from_str("\"enhanced-http\"").unwrap();
            lab.management_point.bound = BoundCertificate::Stale;
        },
        with_certificate: false,
        answer: (403, "CMGConnector_Forbidden"),
        fix: "SMS Role SSL Certificate",
    },
    Broken {
        what: "the connection point has no certificate",
        change: |lab| lab.connection_points[0].client_certificate = false,
        with_certificate: true,
        answer: (403, "CMGConnector_Clientcertificaterequired"),
        fix: "certificate for client authentication",
    },
    Broken {
        what: "the intermediate was not uploaded",
        change: |lab| lab.cmg.client_authorities = UploadedAuthorities::RootOnly,
        with_certificate: true,
        answer: (401, "CMGService_Unauthorized"),
        fix: "Upload the whole chain",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_channel_is_told_in_the_documented_words() {
    for broken in BROKEN {
        let mut topology = Topology::default();
        (broken.change)(&mut topology);
        let lab = support::lab(topology).await;
        let (sign_in, begins) = match broken.with_certificate {
            true => (certificate(&lab), "Failed to reach the management point with the client certificate."),
            false => (user(&lab, "alice@lab.test"), NO_TOKEN),
        };
        let analysis = analysis(&lab, sign_in).await;
        let (status, reason) = broken.answer;
        let text = format!("{begins} Status code is '{status}' and status description is '{reason}'.");
        eprintln!("{}", broken.what);
        ended(&analysis, CHANNEL, StepVerdict::Failed, &text);
        ended(&analysis, ANSWERS, StepVerdict::Skipped, NO_CHANNEL);
        assert!(fix(&analysis, CHANNEL).contains(broken.fix), "{}", fix(&analysis, CHANNEL));
        let failed = analysis.steps.iter().filter(|step| step.verdict == StepVerdict::Failed);
        assert_eq!(failed.count(), 1, "{analysis:#?}");
        lab.shutdown().await;
    }
}

/// The twins of the rows above that change a mode: the mode itself breaks nothing.
#[tokio::test(flavor = "multi_thread")]
async fn enhanced_http_passes_with_the_certificate_of_the_site() {
    let mut topology = Topology::default();
    topology.management_point.mode = serde_json::from_str("\"enhanced-http\"").unwrap();
    let lab = support::lab(topology).await;
    let analysis = analysis(&lab, user(&lab, "alice@lab.test")).await;
    assert!(analysis.passed(), "{analysis:#?}");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_point_the_channel_is_down() {
    let lab = support::lab(Topology::default()).await;
    lab.stop_connection_points().await;
    let none = |_: &Event| lab.cmg().instances().all(|one| one.statistics().channels == 0);
    lab.events().wait_for("no channels", PATIENCE, none).await.unwrap();
    let down = "Status code is '503' and status description is 'CMGService_ServiceUnavailable'.";
    let by_user = analysis(&lab, user(&lab, "alice@lab.test")).await;
    ended(&by_user, CHANNEL, StepVerdict::Failed, &format!("{NO_TOKEN} {down}"));
    ended(&by_user, ANSWERS, StepVerdict::Skipped, NO_CHANNEL);
    assert!(fix(&by_user, CHANNEL).contains("Start the CMG connection point"));
    let by_certificate = analysis(&lab, certificate(&lab)).await;
    let begins = "Failed to reach the management point with the client certificate.";
    ended(&by_certificate, CHANNEL, StepVerdict::Failed, &format!("{begins} {down}"));
    lab.start_connection_points().await.unwrap();
    assert!(analysis(&lab, user(&lab, "alice@lab.test")).await.passed());
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_never_had_a_connection_point_knows_nothing() {
    let mut topology = Topology::default();
    topology.connection_points[0].running = false;
    let lab = support::lab(topology).await;
    let down = "Status code is '503' and status description is 'CMGService_ServiceUnavailable'.";
    let by_user = analysis(&lab, user(&lab, "alice@lab.test")).await;
    let tenant = lab.topology().client.tenant;
    let text = format!("Failed to get the Azure AD properties of tenant '{tenant}'. {down}");
    ended(&by_user, CONFIGURATION, StepVerdict::Failed, &text);
    ended(&by_user, CHANNEL, StepVerdict::Failed, &format!("{NO_TOKEN} {down}"));
    let by_certificate = analysis(&lab, certificate(&lab)).await;
    let text = format!("Failed to get the settings of the CMG service. {down}");
    ended(&by_certificate, CONFIGURATION, StepVerdict::Failed, &text);
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_must_be_onboarded_and_allowed() {
    let lab = support::lab(Topology::default()).await;
    let not_known = |tenant| {
        format!(
            "Failed to get the Azure AD properties of tenant '{tenant}'. \
             Status code is '404' and status description is 'CMGService_NotFound'."
        )
    };
    let refused =
        format!("{NO_TOKEN} Status code is '401' and status description is 'CMGService_Invalid_Token'.");
    let told = |analysis: &Analysis, tenant| {
        ended(analysis, CONFIGURATION, StepVerdict::Failed, &not_known(tenant));
        ended(analysis, CHANNEL, StepVerdict::Failed, &refused);
        ended(analysis, ANSWERS, StepVerdict::Skipped, NO_CHANNEL);
        assert!(fix(analysis, CONFIGURATION).contains("Onboard the tenant"));
        assert!(fix(analysis, CHANNEL).contains("tenant"));
    };
    let other = lab.topology().azure_ad.tenants[1].id;
    told(&analysis(&lab, user(&lab, "carol@other.test")).await, other);

    let home = lab.topology().client.tenant;
    for allowed in [false, true] {
        lab.site().set_token_auth(home, allowed).await.unwrap();
        settled(&lab).await;
        let analysis = analysis(&lab, user(&lab, "alice@lab.test")).await;
        if allowed {
            assert!(analysis.passed(), "{analysis:#?}");
        } else {
            told(&analysis, home);
        }
    }
    lab.shutdown().await;
}

/// Waits until the gateway has what the site has published.
async fn settled(lab: &Lab) {
    let published = lab.site().settings().await.unwrap().version;
    let applied = move |event: &Event| matches!(event.kind, Kind::Cmg(CmgEvent::SettingsApplied { version, .. }) if version >= published);
    lab.events().wait_for("the site's settings at the gateway", PATIENCE, applied).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_must_sign_in_and_be_known_to_the_site() {
    let lab = support::lab(Topology::default()).await;
    let unknown = analysis(&lab, user(&lab, "bob@lab.test")).await;
    let refused =
        format!("{NO_TOKEN} Status code is '401' and status description is 'CMGConnector_Unauthorized'.");
    ended(&unknown, CHANNEL, StepVerdict::Failed, &refused);
    assert!(fix(&unknown, CHANNEL).contains("user discovery"));

    let wrong = SignIn::user(lab.topology(), Some("alice@lab.test"), Some("not it".to_owned())).unwrap();
    let wrong = analysis(&lab, wrong).await;
    let step = &wrong.steps[0];
    assert_eq!((step.name.as_str(), step.verdict), (SIGN_IN, StepVerdict::Failed));
    assert!(step.description.starts_with("Failed to sign in. AADSTS50126: "), "{}", step.description);
    assert!(!step.description.contains("Trace ID"), "{}", step.description);
    assert!(fix(&wrong, SIGN_IN).contains("AADSTS"));
    ended(&wrong, CHANNEL, StepVerdict::Skipped, "There is no Azure AD token to test it with.");
    ended(&wrong, ANSWERS, StepVerdict::Skipped, NO_CHANNEL);
    // What needs no token is tested all the same.
    let others = &wrong.steps[1..3];
    assert!(others.iter().all(|step| step.verdict == StepVerdict::Passed), "{others:#?}");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_the_site_does_not_know_is_told() {
    let lab = support::lab(Topology::default()).await;
    let SignIn::User(known) = user(&lab, "alice@lab.test") else { panic!("a certificate") };
    let sign_in = UserSignIn { resource: format!("{}/", known.resource), ..known.clone() };
    let analysis = analysis(&lab, SignIn::User(sign_in)).await;
    let text = format!(
        "The CMG knows client app {app} and resource 'https://ConfigMgrService' for tenant '{tenant}', and the \
         user has signed in to client app {app} and resource 'https://ConfigMgrService/' of tenant '{tenant}'.",
        app = known.client_app,
        tenant = known.tenant,
    );
    ended(&analysis, CONFIGURATION, StepVerdict::Failed, &text);
    lab.shutdown().await;
}

/// How the service's certificate is wrong for a machine with these roots, and what its step says.
struct WrongCertificate {
    change: fn(&mut Topology),
    trusts: &'static [&'static str],
    begins: &'static str,
    /// A word of the fix.
    fix: &'static str,
}

const WRONG_CERTIFICATES: [WrongCertificate; 3] = [
    WrongCertificate {
        change: |_| {},
        trusts: &["aad-tls"],
        begins: "The certificate's check for a trusted root failed: ",
        fix: "Import the root",
    },
    WrongCertificate {
        change: |lab| lab.cmg.certificate = CmgCertificate::OtherName,
        trusts: &["cmg-root", "aad-tls"],
        begins: "The certificate's name check (CN and alternative names) failed: ",
        fix: "name that clients use",
    },
    WrongCertificate {
        change: |lab| lab.revocation.unpublished = vec!["cmg-root".to_owned()],
        trusts: &["cmg-root", "aad-tls"],
        begins: "The certificate's CRL check failed: ",
        fix: "Publish the CRL",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn the_service_step_names_the_check_that_failed() {
    for wrong in WRONG_CERTIFICATES {
        let mut topology = Topology::default();
        (wrong.change)(&mut topology);
        let lab = support::lab(topology).await;
        let machine = lab.machine("console", Role::Client, wrong.trusts).unwrap();
        let analysis = from(&machine, &lab, user(&lab, "alice@lab.test")).await;
        let step = &analysis.steps[1];
        assert_eq!((step.name.as_str(), step.verdict), (STATE, StepVerdict::Failed), "{analysis:#?}");
        assert!(step.description.starts_with(wrong.begins), "{}", step.description);
        assert!(fix(&analysis, STATE).contains(wrong.fix), "{}", fix(&analysis, STATE));
        for name in [CONFIGURATION, CHANNEL] {
            ended(&analysis, name, StepVerdict::Skipped, NO_SERVICE);
        }
        ended(&analysis, ANSWERS, StepVerdict::Skipped, NO_CHANNEL);
        lab.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_service_is_told() {
    let lab = support::lab(Topology::default()).await;
    let machine = support::stranger(&lab);
    lab.cmg().stop(std::time::Duration::from_secs(1)).await;
    let analysis = from(&machine, &lab, certificate(&lab)).await;
    let step = &analysis.steps[0];
    assert_eq!((step.name.as_str(), step.verdict), (STATE, StepVerdict::Failed), "{analysis:#?}");
    assert!(step.description.starts_with("The connection to port 443 failed: "), "{}", step.description);
    assert!(fix(&analysis, STATE).contains("Start the service"));
    ended(&analysis, CONFIGURATION, StepVerdict::Skipped, NO_SERVICE);
    lab.shutdown().await;
}
