use serde_json::json;

use super::*;

const TENANT: &str = "0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a";
const ISSUER: &str = "https://sts.windows.net/0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a/";
const SITE: &str = "urn:sccm:oauth2:6b9b2b40-0a1c-4b9e-9a67-1a5a2d7a1f10";

fn document() -> SettingsDocument {
    let hierarchy = "6b9b2b40-0a1c-4b9e-9a67-1a5a2d7a1f10".parse().unwrap();
    let mut document = SettingsDocument::new(1, hierarchy, "LAB".parse().unwrap());
    document.tenants.push(TenantSettings {
        tenant_id: TENANT.parse().unwrap(),
        name: "Lab".into(),
        client_app_id: "f3c1a6ab-0c06-49fb-a5ed-7d3a1f6b7a11".parse().unwrap(),
        resource_uri: "https://ConfigMgrService".into(),
        token_auth_enabled: true,
        authority: "https://login.microsoftonline.com".into(),
        issuers: vec![ISSUER.into()],
        openid_configuration: "https://login.microsoftonline.com/openid".into(),
    });
    document
}

/// The validator's kind, or why there is none.
fn chosen(document: SettingsDocument, issuer: &str, audience: &str) -> Result<&'static str, String> {
    let settings = CurrentSettings::default();
    assert!(settings.apply(document, |_| Ok(())).unwrap());
    let applied = settings.current().unwrap();
    applied.validator(issuer, audience).map(|validator| match validator {
        Validator::Aad(tenant) => {
            assert_eq!(tenant.name, "Lab");
            "aad"
        }
        Validator::Site => "site",
    })
}

#[test]
fn issuer_and_audience_choose_the_validator() {
    let (service, site) = ("https://ConfigMgrService", claims::AUDIENCE);
    for (issuer, audience, kind) in [
        (ISSUER, service, Some("aad")),
        (ISSUER, "https://ConfigMgrService/", Some("aad")),
        (SITE, site, Some("site")),
        (ISSUER, "https://SomethingElse", None),
        (ISSUER, site, None),
        (SITE, service, None),
        ("https://sts.windows.net/other/", service, None),
        ("", "", None),
    ] {
        assert_eq!(chosen(document(), issuer, audience).ok(), kind, "{issuer} {audience}");
    }
}

#[test]
fn a_disabled_tenant_has_none_and_the_cause_says_so() {
    let mut disabled = document();
    disabled.tenants[0].token_auth_enabled = false;
    let cause = chosen(disabled, ISSUER, "https://ConfigMgrService").unwrap_err();
    assert_eq!(cause, format!("Azure AD authentication is disabled for tenant {TENANT}"));
}

#[test]
fn the_same_document_changes_nothing_and_bad_keys_leave_the_old_one() {
    let settings = CurrentSettings::default();
    assert_eq!(settings.version(), 0);
    assert!(settings.apply(document(), |_| Ok(())).unwrap());
    assert!(!settings.apply(document(), |_| Ok(())).unwrap());
    let mut bad = SettingsDocument { version: 2, ..document() };
    bad.ccm_keys.push(json!({"kty": "RSA", "n": "not base64!", "e": "AQAB"}));
    assert!(settings.apply(bad, |_| Ok(())).unwrap_err().starts_with("CCM signing key: "));
    assert_eq!(settings.version(), 1);
    // A site database that was made anew counts from where it stands.
    assert!(settings.apply(SettingsDocument { version: 0, ..document() }, |_| Ok(())).unwrap());
    assert_eq!(settings.version(), 0);
}

#[test]
fn a_document_whose_authorities_cannot_be_used_changes_nothing() {
    let settings = CurrentSettings::default();
    assert!(settings.apply(document(), |_| Ok(())).unwrap());
    let newer = SettingsDocument { version: document().version + 1, ..document() };
    assert!(settings.apply(newer.clone(), |_| Err("bad".to_owned())).is_err());
    assert_eq!(settings.version(), document().version);
    assert!(settings.apply(newer, |_| Ok(())).unwrap(), "the same document again is not taken for known");
}
