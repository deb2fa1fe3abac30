use proptest::prelude::*;

use super::*;

const HOST: &str = "CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216";

fn parse(text: &str) -> Result<CommandLine, CommandLineError> {
    CommandLine::parse(text)
}

/// The least that installs, with more words in front and behind.
fn with(parameters: &str, properties: &str) -> Result<CommandLine, CommandLineError> {
    parse(&format!("ccmsetup.exe {parameters} CCMHOSTNAME={HOST} SMSSITECODE=LAB {properties}"))
}

#[test]
fn two_properties_are_enough() {
    let line = with("", "").unwrap();
    assert_eq!(line.ccm_host_name.as_str(), HOST);
    assert_eq!(line.site_code.as_str(), "LAB");
    assert_eq!(line.installs_from(), &line.ccm_host_name);
    assert!(!line.no_crl_check && line.tenant.is_none() && line.sms_mp.is_none());
    let words = [format!("CCMHOSTNAME={HOST}"), "SMSSiteCode=lab".to_owned()];
    assert_eq!(CommandLine::from_args(&words), Ok(line));
}

#[test]
fn a_full_command_line_is_read() {
    let line = with(
        "/nocrlcheck /mp:https://CMG2.LAB.TEST/CCM_Proxy_MutualAuth/9 /BITSPriority:high /retry:5 /noservice",
        "SMSMP=https://MP.LAB.TEST AADTENANTID=0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a \
         AADCLIENTAPPID=22ED38D9-0000-4036-8000-a98452fda4fc AADRESOURCEURI=\"https://ConfigMgrService\" \
         CCMLOGLEVEL=0 CCMLOGMAXSIZE=250000 CCMALWAYSINF=1",
    )
    .unwrap();
    assert!(line.no_crl_check);
    assert_eq!(line.installs_from().as_str(), "CMG2.LAB.TEST/CCM_Proxy_MutualAuth/9");
    assert_eq!(line.sms_mp.as_deref(), Some("https://MP.LAB.TEST"));
    assert_eq!(line.tenant.unwrap().to_string(), "0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a");
    assert_eq!(line.client_app.unwrap().to_string(), "22ed38d9-0000-4036-8000-a98452fda4fc");
    assert_eq!(line.resource.as_deref(), Some("https://ConfigMgrService"));
}

#[test]
fn the_switch_that_stops_crl_checks_is_taken_in_any_case() {
    for spelling in ["/NoCRLCheck", "/NoCRLcheck", "/NOCRLCHECK", "-nocrlcheck"] {
        assert!(with(spelling, "").unwrap().no_crl_check, "{spelling}");
    }
    assert_eq!(with("/NoCRLCheck:1", ""), Err(CommandLineError::NoValueWanted { name: "/NoCRLCheck" }));
}

#[test]
fn the_program_may_stand_in_front() {
    let rest = format!("CCMHOSTNAME={HOST} SMSSITECODE=LAB");
    for program in ["", "ccmsetup", "CcmSetup.EXE", "C:\\tools\\ccmsetup.exe", "\"C:\\a b\\ccmsetup.exe\""] {
        assert!(parse(&format!("{program} {rest}")).is_ok(), "{program}");
    }
    assert!(matches!(parse(&format!("setup.exe {rest}")), Err(CommandLineError::NotCcmSetup { .. })));
    assert!(matches!(parse(&format!("ccmsetup.msi {rest}")), Err(CommandLineError::NotBuilt { .. })));
    assert_eq!(parse("  "), Err(CommandLineError::Empty));
}

#[test]
fn quotes_keep_a_value_together() {
    let quoted = parse(&format!("ccmsetup \"CCMHOSTNAME={HOST}\" SMSSITECODE=\"LAB\" DNSSUFFIX=\"a b\""));
    assert!(quoted.is_ok());
    assert_eq!(parse("ccmsetup SMSSITECODE=\"LAB"), Err(CommandLineError::OpenQuote));
    assert_eq!(
        parse("ccmsetup SMSSITECODE=\u{201c}LAB\u{201d}"),
        Err(CommandLineError::TypographicQuote { quote: '\u{201c}' })
    );
    assert_eq!(words::split(r#"a "b c" d\"e "" f"#).unwrap(), ["a", "b c", "d\"e", "", "f"]);
}

#[test]
fn misspelt_names_get_a_suggestion() {
    let error = with("/NoCRLChek", "").unwrap_err();
    assert_eq!(error.to_string(), "/NoCRLChek is not a parameter of ccmsetup; did you mean /NoCRLCheck?");
    let error = with("", "AADTENANTIDS=x").unwrap_err();
    assert_eq!(error.to_string(), "AADTENANTIDS is not a property of the client; did you mean AADTENANTID?");
    let error = with("", "PATIENCE=1").unwrap_err();
    assert!(matches!(error, CommandLineError::UnknownProperty { suggestion: None, .. }), "{error}");
}

#[test]
fn documented_gaps_are_refused_by_name() {
    for parameter in ["/UsePKICert", "/source:\\\\a\\b", "/uninstall", "/regtoken:secret", "/config:x"] {
        let error = with(parameter, "").unwrap_err();
        assert!(matches!(error, CommandLineError::NotBuilt { .. }), "{parameter}: {error}");
        assert!(!error.to_string().contains("secret"));
    }
    for property in ["FSP=a", "CCMCERTSEL=b", "SMSPUBLICROOTKEY=c", "PROVISIONTS=d"] {
        assert!(matches!(with("", property), Err(CommandLineError::NotBuilt { .. })), "{property}");
    }
}

#[test]
fn each_mistake_is_named() {
    use CommandLineError as E;
    assert_eq!(parse("ccmsetup SMSSITECODE=LAB"), Err(E::Missing { name: "CCMHOSTNAME" }));
    assert_eq!(parse(&format!("ccmsetup CCMHOSTNAME={HOST}")), Err(E::Missing { name: "SMSSITECODE" }));
    let auto = parse(&format!("ccmsetup CCMHOSTNAME={HOST} SMSSITECODE=auto"));
    assert_eq!(auto, Err(E::AutomaticSite));
    assert!(matches!(with("/mp", ""), Err(E::ValueMissing { name: "/mp" })));
    assert!(matches!(with("/mp:CMG.LAB.TEST", ""), Err(E::BadValue { name: "/mp", .. })));
    assert!(matches!(with("/mp:https://MP.LAB.TEST", ""), Err(E::NotBuilt { name: "/mp", .. })));
    assert!(matches!(with("/mp:https://a;https://b", ""), Err(E::NotBuilt { name: "/mp", .. })));
    assert!(matches!(with("", "/NoCRLCheck"), Err(E::ParameterAfterProperty { .. })));
    assert!(matches!(with("", "SMSSITECODE=ABC"), Err(E::Twice { name: "SMSSITECODE" })));
    assert!(matches!(with("/nocrlcheck /NoCRLCheck", ""), Err(E::Twice { name: "/NoCRLCheck" })));
    assert!(matches!(with("", "word"), Err(E::NotAnArgument { .. })));
    assert!(matches!(with("", "AADTENANTID=contoso"), Err(E::BadValue { name: "AADTENANTID", .. })));
    assert!(matches!(with("", "AADTENANTID="), Err(E::ValueMissing { name: "AADTENANTID" })));
    assert!(matches!(with("", "CCMLOGLEVEL=4"), Err(E::BadValue { name: "CCMLOGLEVEL", .. })));
    assert!(matches!(with("", "CCMHTTPSPORT=8443"), Err(E::BadValue { name: "CCMHTTPSPORT", .. })));
    let url = parse(&format!("ccmsetup CCMHOSTNAME=https://{HOST} SMSSITECODE=LAB"));
    assert!(matches!(url, Err(E::HostName(_))));
    let long = "x".repeat(9000);
    assert!(matches!(parse(&long), Err(E::TooLong { .. })));
    assert!(matches!(parse(&"a ".repeat(200)), Err(E::TooLong { .. })));
}

#[test]
fn secrets_are_never_shown() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln";
    let line = format!("ccmsetup /RegToken:{jwt} {jwt} CCMHOSTNAME={HOST} X=\"{jwt}\"");
    let shown = redacted(&line);
    assert!(!shown.contains("eyJ"), "{shown}");
    assert!(shown.contains(HOST));
    let error = with("", jwt).unwrap_err();
    assert!(!error.to_string().contains("eyJ"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_panic(text in "[/A-Za-z=:\"\\\\ é;.]{0,80}") {
        let _ = (parse(&text), redacted(&text));
    }

    #[test]
    fn words_without_quotes_are_those_of_the_text(text in "[a-z ]{0,40}") {
        let expected: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        prop_assert_eq!(words::split(&text).unwrap(), expected);
    }
}
