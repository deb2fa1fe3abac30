use super::*;

fn mutated(from: &str, to: &str) -> Result<Profiles, PkiError> {
    assert!(BUILTIN.contains(from), "the built-in file has no {from:?}");
    Profiles::parse(&BUILTIN.replacen(from, to, 1))
}

fn reason(result: Result<Profiles, PkiError>) -> String {
    match result {
        Err(PkiError::Profiles { reason }) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn builtin_profiles_are_valid() {
    let profiles = Profiles::builtin();
    assert_eq!(profiles.authority("ms-organization-access").unwrap().common_name, "MS-Organization-Access");
    assert_eq!(profiles.leaf("wpj").unwrap().eku, [Eku::ClientAuth]);
    let site = profiles.authority("site").unwrap();
    assert_eq!(profiles.crl_url(site).as_deref(), Some("http://crl.lab.test/site.crl"));
}

#[test]
fn the_crl_host_is_configurable() {
    let profiles = Profiles::builtin().with_crl_host("127.0.0.1:8080").unwrap();
    let site = profiles.authority("site").unwrap();
    assert_eq!(profiles.crl_url(site).as_deref(), Some("http://127.0.0.1:8080/site.crl"));
    assert!(Profiles::builtin().with_crl_host("a/b").is_err());
}

#[test]
fn unknown_fields_are_refused() {
    assert!(reason(mutated("crl_host:", "color: red\ncrl_host:")).contains("color"));
    assert!(reason(mutated("backdate: 30m", "backdate: 30m\n    colour: red")).contains("colour"));
    assert!(reason(mutated("lifetime: 7d }", "lifetime: 7d, shape: round }")).contains("shape"));
}

#[test]
fn references_must_resolve() {
    assert!(reason(mutated("issuer: aad-tls", "issuer: nobody")).contains("nobody"));
    assert!(reason(mutated("parent: public-root", "parent: site")).contains("stands before it"));
}

#[test]
fn values_must_make_sense() {
    assert!(reason(mutated("lifetime: 20y", "lifetime: -1d")).contains("positive"));
    assert!(reason(mutated("backdate: 30m", "backdate: -30m")).contains("negative"));
    assert!(reason(mutated("file: site.crl", "file: ../site.crl")).contains("plain file name"));
    assert!(reason(mutated("name: wpj", "name: mp-server")).contains("twice"));
    assert!(reason(mutated("eku: [client-auth]", "eku: [everything]")).contains("everything"));
}

#[test]
fn unknown_names_list_the_known_ones() {
    let error = Profiles::builtin().leaf("wjp").unwrap_err();
    assert!(error.to_string().contains("wpj"), "{error}");
    let error = Profiles::builtin().authority("root").unwrap_err();
    assert!(error.to_string().contains("cmg-root"), "{error}");
}
