use super::*;

fn user(upn: Option<&str>, password: Option<&str>) -> Result<UserSignIn, String> {
    match SignIn::user(&Topology::default(), upn, password.map(str::to_owned)) {
        Ok(SignIn::User(user)) => Ok(user),
        Ok(SignIn::Certificate(_)) => panic!("a certificate"),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn the_logged_on_user_is_taken_unless_another_is_named() {
    let topology = Topology::default();
    let [home, other] = topology.azure_ad.tenants.as_slice() else { panic!("two tenants") };
    let alice = user(None, None).unwrap();
    assert_eq!((alice.upn.as_str(), alice.tenant), ("alice@lab.test", home.id));
    assert_eq!(alice.password.as_str(), "Lab-Password-1");
    assert_eq!(user(Some("CAROL@other.test"), None).unwrap().tenant, other.id);
    assert_eq!(user(Some("bob@lab.test"), Some("wrong")).unwrap().password.as_str(), "wrong");
    // Azure AD is to say that there is no such user.
    assert_eq!(user(Some("nobody@corp.lab.test"), Some("x")).unwrap().tenant, home.id);
}

#[test]
fn who_cannot_be_signed_in_is_told_what_to_give() {
    assert!(user(Some("nobody@lab.test"), None).unwrap_err().contains("give a password"));
    assert!(user(Some("alice@contoso.com"), Some("x")).unwrap_err().contains("no tenant"));
    assert!(user(Some("alice"), Some("x")).is_err());
    let mut nobody = Topology::default();
    nobody.client.logged_on = None;
    assert!(SignIn::user(&nobody, None, None).unwrap_err().to_string().contains("name a user"));
    assert!(SignIn::user(&nobody, Some("alice@lab.test"), None).is_ok());
}

#[test]
fn the_password_is_not_shown() {
    let shown = format!("{:?}", SignIn::User(user(None, None).unwrap()));
    assert!(shown.contains("alice@lab.test") && !shown.contains("Lab-Password"), "{shown}");
}

#[test]
fn forms_carry_any_text() {
    assert_eq!(form(&[("a", "x y"), ("b", "ü&=%+")]), "a=x%20y&b=%C3%BC%26%3D%25%2B");
}

#[test]
fn a_certificate_needs_key_and_chain() {
    let key = PrivateKey::generate(cmglab_pki::KeyKind::P256).unwrap();
    let other = PrivateKey::generate(cmglab_pki::KeyKind::P256).unwrap();
    let ids = cmglab_ids::Ids::seeded(1);
    let profiles = cmglab_pki::Profiles::builtin();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let authorities = cmglab_pki::Authorities::create(&profiles, now, &ids).unwrap();
    let issuing = authorities.get("client-issuing").unwrap();
    let issued =
        issuing.issue("pki-client", &[cmglab_pki::SubjectName::dns("pc.lab.test")], &key, now, &ids).unwrap();
    let chain = issued.chain_pem();
    let read = |key: &str, chain: &str| SignIn::certificate_of_pem(&format!("{key}{chain}"));
    let Ok(SignIn::Certificate(identity)) = read(&key.pkcs8_pem(), &chain) else { panic!("refused") };
    assert_eq!(identity.chain().next(), Some(issued.leaf()));
    assert!(read("", &chain).is_err(), "no key");
    assert!(read(&key.pkcs8_pem(), "").unwrap_err().to_string().contains("CERTIFICATE"));
    assert!(read(&other.pkcs8_pem(), &chain).is_err(), "another's key");
}
