//! Rotation of the key for CCM tokens.

use cmglab_events::Kind;
use cmglab_events::kinds::{ManagementPointEvent, TokenFault};
use jiff::SignedDuration;

use crate::lab::{Ask, Lab, PATIENCE};

const FILE: &str = "/CCM_Client/ccmsetup.cab";

async fn takes(lab: &Lab, token: &str) -> bool {
    lab.send(Ask::new("HEAD", FILE).bearer(token)).await.status == 200
}

#[tokio::test]
async fn a_new_key_signs_and_the_old_one_lives_as_long_as_its_tokens() {
    let lab = Lab::new().await;
    let before = lab.site.settings().await.unwrap();
    assert_eq!(before.ccm_keys.len(), 1);
    let old = lab.ccm_token().await;

    let kid = lab.mp.rotate_ccm_key().await.unwrap();
    let after = lab.site.settings().await.unwrap();
    assert!(after.version > before.version);
    assert_eq!(after.ccm_keys.len(), 2);
    assert!(after.ccm_keys.iter().any(|key| key["kid"] == kid.as_str()));
    let new = lab.ccm_token().await;
    assert_eq!(cmglab_token::peek(&new).unwrap().0.x5t, Some(kid));
    assert!(takes(&lab, &old).await && takes(&lab, &new).await);

    lab.advance(SignedDuration::from_hours(8) + SignedDuration::from_mins(4)).await;
    assert!(takes(&lab, &old).await, "within the tolerance");
    assert_eq!(lab.site.settings().await.unwrap().ccm_keys.len(), 2);

    lab.advance(SignedDuration::from_mins(1)).await;
    assert!(!takes(&lab, &old).await);
    let retired = |event: &cmglab_events::Event| {
        matches!(&event.kind, Kind::ManagementPoint(ManagementPointEvent::CcmKeyRetired { .. }))
    };
    lab.events.wait_for("the old key's end", PATIENCE, retired).await.unwrap();
    assert_eq!(lab.site.settings().await.unwrap().ccm_keys.len(), 1);
}

#[tokio::test]
async fn the_token_of_a_retired_key_is_refused() {
    let lab = Lab::new().await;
    let old = lab.ccm_token().await;
    let kid = cmglab_token::peek(&old).unwrap().0.x5t.unwrap();
    lab.mp.rotate_ccm_key().await.unwrap();
    assert!(takes(&lab, &old).await);
    lab.site.retire_ccm_key(&kid, lab.clock.now()).await.unwrap();
    assert!(!takes(&lab, &old).await);
    assert!(matches!(lab.refused_token().1, TokenFault::Signature { .. }));
}

#[tokio::test]
async fn many_rotations_at_once_leave_one_signer_and_all_keys() {
    let lab = Lab::new().await;
    let (a, b, c) = tokio::join!(lab.mp.rotate_ccm_key(), lab.mp.rotate_ccm_key(), lab.mp.rotate_ccm_key());
    let kids = [a.unwrap(), b.unwrap(), c.unwrap()];
    assert_eq!(lab.site.settings().await.unwrap().ccm_keys.len(), 4);
    let signer = cmglab_token::peek(&lab.ccm_token().await).unwrap().0.x5t.unwrap();
    assert!(kids.contains(&signer));
}
