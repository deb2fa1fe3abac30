//! Public keys of CCM tokens.

use cmglab_proto::settings::SettingsError;
use cmglab_site::SiteError;
use serde_json::{Value, json};

use super::contract;
use crate::shared::{Lab, at};

contract!(
    keys_are_published_until_retired,
    a_kid_names_one_key_for_ever,
    only_public_keys_with_a_kid_are_taken,
);

fn jwk(kid: &str) -> Value {
    json!({"kty": "RSA", "n": "AQ", "e": "AQAB", "kid": kid})
}

async fn keys_are_published_until_retired(lab: Lab) {
    lab.site.add_ccm_key(jwk("b"), at(0)).await.unwrap();
    lab.site.add_ccm_key(jwk("a"), at(1)).await.unwrap();
    assert_eq!(lab.site.settings().await.unwrap().ccm_keys, [jwk("b"), jwk("a")]);

    lab.site.retire_ccm_key("b", at(2)).await.unwrap();
    lab.site.retire_ccm_key("b", at(3)).await.unwrap();
    assert_eq!(lab.site.settings().await.unwrap().ccm_keys, [jwk("a")]);

    let keys = lab.site.ccm_keys().await.unwrap();
    let dates: Vec<_> = keys.iter().map(|key| (key.kid.as_str(), key.created_at, key.retired_at)).collect();
    assert_eq!(dates, [("b", at(0), Some(at(2))), ("a", at(1), None)]);

    let missing = SiteError::NotFound { what: "CCM signing key", key: "c".into() };
    assert_eq!(lab.site.retire_ccm_key("c", at(0)).await, Err(missing));
}

async fn a_kid_names_one_key_for_ever(lab: Lab) {
    let conflict = Err(SiteError::Conflict { what: "CCM signing key", key: "a".into() });
    lab.site.add_ccm_key(jwk("a"), at(0)).await.unwrap();
    assert_eq!(lab.site.add_ccm_key(jwk("a"), at(1)).await, Ok(()));
    let mut other = jwk("a");
    other["n"] = json!("Ag");
    assert_eq!(lab.site.add_ccm_key(other, at(1)).await, conflict);
    lab.site.retire_ccm_key("a", at(2)).await.unwrap();
    assert_eq!(lab.site.add_ccm_key(jwk("a"), at(3)).await, conflict);
}

async fn only_public_keys_with_a_kid_are_taken(lab: Lab) {
    let nameless = json!({"kty": "RSA", "n": "AQ", "e": "AQAB"});
    assert_eq!(lab.site.add_ccm_key(nameless, at(0)).await, Err(SiteError::NoKeyId));
    assert_eq!(lab.site.add_ccm_key(json!("a"), at(0)).await, Err(SiteError::NoKeyId));

    let mut private = jwk("a");
    private["d"] = json!("AQ");
    let refused = SiteError::Settings { cause: SettingsError::BadKey { index: 0 } };
    assert_eq!(lab.site.add_ccm_key(private, at(0)).await, Err(refused));
    assert_eq!(lab.site.ccm_keys().await.unwrap(), []);
    assert_eq!(lab.site.settings().await.unwrap().version, 1);

    assert_eq!(lab.site.add_ccm_key(jwk("a"), at(0)).await, Ok(()));
    let long = lab.site.add_ccm_key(jwk(&"a".repeat(129)), at(0)).await;
    assert_eq!(long, Err(SiteError::TooLarge { what: "kid", size: 129, limit: 128 }));
}
