//! Links to content on the gateway, verified with the site's published keys.

use cmglab_events::Kind;
use cmglab_events::kinds::ManagementPointEvent;
use cmglab_management_point::ManagementPointError;
use cmglab_proto::content_link::{ContentLinkError, DEFAULT_LIFETIME, PresentedLink};
use cmglab_proto::ids::ClientGuid;
use cmglab_token::{Jwk, Jwks, Keys};
use jiff::SignedDuration;

use crate::lab::{Lab, PATIENCE};

const GATEWAY: &str = "https://CMG.LAB.TEST";

fn client(lab: &Lab) -> ClientGuid {
    lab.ids.guid().into()
}

async fn make(lab: &Lab, lifetime: SignedDuration) -> Result<PresentedLink, ManagementPointError> {
    let (package, content) = ("LAB00007".parse().unwrap(), "LAB00007.1".parse().unwrap());
    let url = lab.mp.content_link(package, content, client(lab), GATEWAY, lifetime).await?;
    let query =
        url.strip_prefix("https://CMG.LAB.TEST/downloadrestservice.svc/getcontentxmlsecure?").unwrap();
    Ok(PresentedLink::parse(query).unwrap())
}

/// The keys that the gateway would have: those in the site's settings.
async fn keys(lab: &Lab) -> Keys {
    let settings = lab.site.settings().await.unwrap();
    let keys = settings.ccm_keys.iter().map(|key| serde_json::from_value::<Jwk>(key.clone()).unwrap());
    Keys::from_jwks(&keys.collect::<Jwks>()).unwrap()
}

#[tokio::test]
async fn a_link_is_signed_with_a_published_key_and_named_after_the_management_point() {
    let lab = Lab::new().await;
    let made = make(&lab, DEFAULT_LIFETIME).await.unwrap();
    assert_eq!((made.link.package.as_str(), made.link.content.as_str()), ("LAB00007", "LAB00007.1"));
    assert_eq!(made.link.issuer, "MP.LAB.TEST");
    assert_eq!((made.link.starts, made.link.ends), (lab.clock.now(), lab.clock.now() + DEFAULT_LIFETIME));
    let keys = keys(&lab).await;
    assert_eq!(keys.verify_bytes(made.signed.as_bytes(), &made.signature), Ok(()));
    let other = made.signed.replace("LAB00007.1", "LAB00007.2");
    assert!(keys.verify_bytes(other.as_bytes(), &made.signature).is_err());
    let told = |event: &ManagementPointEvent| {
        matches!(event, ManagementPointEvent::ContentLinkMade { client, expires, .. }
            if *client == made.link.client && *expires == made.link.ends)
    };
    assert!(lab.told().iter().any(told));
}

#[tokio::test]
async fn a_key_stays_published_as_long_as_its_links() {
    let lab = Lab::new().await;
    let day = SignedDuration::from_hours(24);
    let made = make(&lab, day).await.unwrap();
    lab.mp.rotate_ccm_key().await.unwrap();
    lab.advance(day).await;
    assert_eq!(keys(&lab).await.verify_bytes(made.signed.as_bytes(), &made.signature), Ok(()));
    lab.advance(SignedDuration::from_hours(1)).await;
    let retired = |event: &cmglab_events::Event| {
        matches!(&event.kind, Kind::ManagementPoint(ManagementPointEvent::CcmKeyRetired { .. }))
    };
    lab.events.wait_for("the old key's end", PATIENCE, retired).await.unwrap();
    assert!(keys(&lab).await.verify_bytes(made.signed.as_bytes(), &made.signature).is_err());
}

#[tokio::test]
async fn no_link_is_good_for_more_than_a_day() {
    let lab = Lab::new().await;
    for hours in [-1, 0, 25, i64::MAX / 3600] {
        let made = make(&lab, SignedDuration::from_hours(hours)).await;
        let lifetime =
            matches!(made, Err(ManagementPointError::ContentLink(ContentLinkError::Lifetime { .. })));
        assert!(lifetime, "{hours}: {made:?}");
    }
    assert!(make(&lab, SignedDuration::from_hours(24)).await.is_ok());
}
