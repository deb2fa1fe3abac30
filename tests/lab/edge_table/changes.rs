//! What the administrator changes at the site decides at the edge, without a restart.

use cmglab_events::Role;
use cmglab_events::kinds::{BearerKind, CmgEvent, TokenRefusal};
use cmglab_lab::Topology;

use super::{Edge, Outcome, Who};
use crate::support;

const STS: &str = "{S}/CCM_STS";
const CAB: &str = "{S}/CCM_Client/ccmsetup.cab";
const CAB_M: &str = "{M}/CCM_Client/ccmsetup.cab";
const META_S: &str = "/CCM_Proxy_ServerAuth/ServiceMetadata";
const META_M: &str = "/CCM_Proxy_MutualAuth/ServiceMetadata";
const TOKEN: &str = "401 CMGService_Invalid_Token";

impl Edge {
    async fn must(&self, target: &str, who: Who, status: &str, forwarded: bool) {
        let (outcome, _head) = self.ask("GET", target, who).await;
        assert_eq!(outcome, Outcome { status: status.to_owned(), forwarded }, "{target} {who:?}");
    }

    fn lines(&self, since: u64) -> Vec<String> {
        support::log_lines(&self.lab, &support::events_of(&self.lab, Role::Cmg, since))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_tenant_has_no_validator() {
    let edge = Edge::start(Topology::default()).await;
    let tenant = edge.lab.topology().client.tenant;
    let stranger = support::stranger(&edge.lab);
    let url = format!("https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID={tenant}");
    let ask_info = cmglab_net::Call::get(url);
    let settings = edge.lab.site().tenant(tenant).await.unwrap().unwrap();
    for enabled in [true, false, true] {
        let mut settings = settings.clone();
        settings.token_auth_enabled = enabled;
        edge.lab.site().onboard_tenant(settings).await.unwrap();
        edge.settled().await;
        let info = support::call(&stranger, &ask_info).await.unwrap();
        assert_eq!(info.status, if enabled { 200 } else { 404 });
        let before = support::now(&edge.lab);
        if enabled {
            edge.must(STS, Who::Aad, "200 OK", true).await;
        } else {
            edge.must(STS, Who::Aad, TOKEN, false).await;
            let text = "System.IdentityModel.Tokens.SecurityTokenValidationException: There is no appropriate \
                        token validator to validate the token with issuer https://sts.windows.net/";
            let lines = edge.lines(before);
            let line = lines.iter().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{lines:#?}"));
            let frames = ["ValidateJsonToken(", "ValidateTokenEx(", "ValidateAuthorizationToken("];
            let places = frames.map(|frame| line.find(frame).unwrap_or_else(|| panic!("{frame} in {line}")));
            assert!(places.is_sorted(), "{line}");
        }
        // Of the site's own tokens nobody has spoken.
        edge.must(CAB, Who::Ccm, "200 OK", true).await;
    }
    edge.lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_holds_until_it_is_lifted() {
    let edge = Edge::start(Topology::default()).await;
    let (client, bulk) = edge.credentials.blocked;
    let before = support::now(&edge.lab);
    for who in [Who::CcmOfBlockedClient, Who::ClientTokenOfBlockedClient, Who::BulkBlocked] {
        edge.must(META_S, who, TOKEN, false).await;
    }
    let refused = edge.cmg_events(before).into_iter().filter_map(|event| match event {
        CmgEvent::TokenRefused { refusal, cause, .. } => Some((refusal, cause)),
        _ => None,
    });
    let blocked = |what: String| (TokenRefusal::Blocked, format!("{what} is blocked at the site"));
    assert_eq!(
        refused.collect::<Vec<_>>(),
        [
            blocked(format!("client {client}")),
            blocked(format!("client {client}")),
            blocked(format!("bulk registration token {bulk}")),
        ]
    );
    edge.lab.site().unblock_client(client).await.unwrap();
    edge.lab.site().unblock_bulk_token(bulk).await.unwrap();
    edge.settled().await;
    let before = support::now(&edge.lab);
    for who in [Who::CcmOfBlockedClient, Who::ClientTokenOfBlockedClient, Who::BulkBlocked] {
        edge.must(META_S, who, "200 OK", false).await;
    }
    let accepted = edge.cmg_events(before).into_iter().filter_map(|event| match event {
        CmgEvent::TokenAccepted { kind, .. } => Some(kind),
        _ => None,
    });
    let kinds = [BearerKind::Ccm, BearerKind::ClientToken, BearerKind::BulkRegistration];
    assert_eq!(accepted.collect::<Vec<_>>(), kinds);
    edge.lab.shutdown().await;
}

/// Rows 14 and 15 of the failure catalogue: in both the token's time is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_token_is_refused_in_the_librarys_words() {
    let edge = Edge::start(Topology::default()).await;
    for (lapsed, good) in [(Who::BulkExpired, Who::Bulk), (Who::ClientTokenLapsed, Who::ClientToken)] {
        edge.must(META_S, good, "200 OK", false).await;
        let before = support::now(&edge.lab);
        edge.must(META_S, lapsed, TOKEN, false).await;
        let lines = edge.lines(before);
        let text =
            "SecurityTokenExpiredException: IDX10223: Lifetime validation failed. The token is expired.";
        assert!(lines.iter().any(|line| line.contains(text) && line.contains("ValidTo: '")), "{lines:#?}");
    }
    // A token that is good today is not after another 90 days.
    edge.lab.advance(cmglab_proto::claims::CLIENT_TOKEN_LIFETIME).await;
    edge.must(META_S, Who::ClientToken, TOKEN, false).await;
    edge.lab.shutdown().await;
}

/// Row 13 of the failure catalogue: with the root alone the chain cannot be built, whatever the client sends.
#[tokio::test(flavor = "multi_thread")]
async fn the_whole_chain_must_be_uploaded() {
    let mut topology = Topology::default();
    topology.cmg.client_authorities = serde_json::from_value("root-only".into()).unwrap();
    let edge = Edge::start(topology).await;
    for who in [Who::Pki, Who::PkiLeafAlone] {
        edge.must(CAB_M, who, "401 CMGService_Unauthorized", false).await;
    }
    let issuing = edge.lab.authorities().get("client-issuing").unwrap().cert_der().to_vec();
    edge.lab.site().add_client_authority(issuing).await.unwrap();
    edge.settled().await;
    for who in [Who::Pki, Who::PkiLeafAlone] {
        edge.must(CAB_M, who, "200 OK", true).await;
    }
    edge.lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_counts_only_where_it_is_verified() {
    for (verified, status, forwarded) in [(true, "403 CMGService_Forbidden", false), (false, "200 OK", true)]
    {
        let mut topology = Topology::default();
        topology.cmg.verify_client_revocation = verified;
        let edge = Edge::start(topology).await;
        edge.must(CAB_M, Who::PkiRevoked, status, forwarded).await;
        edge.must(CAB_M, Who::Pki, "200 OK", true).await;
        edge.lab.shutdown().await;
    }
    // A list that cannot be had counts as a revocation.
    for verified in [true, false] {
        let mut topology = Topology::default();
        topology.cmg.verify_client_revocation = verified;
        topology.revocation.unpublished = ["client-issuing".to_owned()].into();
        let edge = Edge::start(topology).await;
        let (outcome, _head) = edge.ask("GET", CAB_M, Who::Pki).await;
        // Behind the gateway the connection point may miss the same list for its own certificate.
        assert_eq!(outcome.forwarded, !verified, "{outcome:?}");
        assert_eq!(outcome.status == "403 CMGService_Forbidden", verified, "{outcome:?}");
        edge.lab.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn service_metadata_names_what_is_published_and_nothing_of_the_inside() {
    let edge = Edge::start(Topology::default()).await;
    let role = edge.lab.topology().management_point.role_id;
    for (target, who, path) in [
        (META_M, Who::Nobody, format!("/CCM_Proxy_MutualAuth/{role}/SMS_MP")),
        (META_S, Who::Aad, format!("/CCM_Proxy_ServerAuth/{role}/CCM_STS")),
    ] {
        let call = cmglab_net::Call::get(format!("https://CMG.LAB.TEST{target}"));
        let call = if who == Who::Nobody { call } else { call.bearer(edge.credentials.token(who)) };
        let answer = support::call(&support::stranger(&edge.lab), &call).await.unwrap();
        assert_eq!(answer.status, 200);
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["ServiceName"], "CMG.LAB.TEST");
        assert_eq!(json["SettingsVersion"], edge.lab.site().settings().await.unwrap().version);
        let mut endpoints = json["Endpoints"].as_array().unwrap().iter();
        assert!(endpoints.any(|endpoint| endpoint["Path"] == path.as_str()), "{text}");
        let lower = text.to_ascii_lowercase();
        for inside in ["mp.lab.test", "https://", "sts.windows.net", "tenant", "site.lab.test"] {
            assert!(!lower.contains(inside), "{inside} in {text}");
        }
    }
    for (method, allow) in
        [("POST", "GET, HEAD"), ("DELETE", "GET, HEAD, POST, CCM_POST, BITS_POST, PROPFIND")]
    {
        let (outcome, head) = edge.ask(method, META_M, Who::Nobody).await;
        assert_eq!(outcome.status, "405 CMGService_MethodNotAllowed");
        assert!(
            head.to_ascii_lowercase().contains(&format!("allow: {}", allow.to_ascii_lowercase())),
            "{head}"
        );
    }
    edge.lab.shutdown().await;
}
