//! Every credential that a caller may come with, good and bad: each bad one is a property away from a good one.

use cmglab_events::Role;
use cmglab_ids::Ids;
use cmglab_lab::Lab;
use cmglab_net::Deps;
use cmglab_pki::{Eku, Identity, KeyKind, Overrides, PrivateKey, SubjectName, Validity};
use cmglab_proto::claims::{
    BulkRegistrationClaims, CCM_TOKEN_LIFETIME, CLIENT_TOKEN_LIFETIME, CcmClaims, CcmTokenType,
    DEFAULT_BULK_LIFETIME,
};
use cmglab_proto::ids::{BulkTokenId, ClientGuid, HierarchyId, UserId};
use cmglab_site::AadDevice;
use cmglab_token::{HeaderKind, SigningKey, forge};
use jiff::{SignedDuration, Timestamp};

use crate::support;

/// How a caller proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Nobody,
    // Bearer tokens.
    Aad,
    AadExpired,
    AadEarly,
    AadForeignTenant,
    AadOtherAudience,
    AadUnsigned,
    AadTampered,
    Ccm,
    CcmOfBlockedClient,
    CcmOfOtherHierarchy,
    CcmUnknownKey,
    CcmUnknownCategory,
    Bulk,
    BulkExpired,
    BulkBlocked,
    ClientToken,
    ClientTokenLapsed,
    ClientTokenOfBlockedClient,
    // What is no bearer token.
    Garbage,
    Basic,
    TwoTokens,
    // Client certificates.
    Pki,
    PkiLeafAlone,
    PkiUnknownIssuer,
    PkiWrongUsage,
    PkiExpired,
    PkiEarly,
    PkiRevoked,
    // Both.
    AadAndPki,
    AadAndPkiUnknownIssuer,
    PkiAndGarbageToken,
}

pub(super) struct Credentials {
    tokens: Vec<(Who, String)>,
    identities: Vec<(Who, Identity)>,
    /// The client of [`Who::CcmOfBlockedClient`], and the token of [`Who::BulkBlocked`].
    pub(super) blocked: (ClientGuid, BulkTokenId),
    plain: Deps,
}

impl Credentials {
    /// Makes them all, and blocks at the site what is to be blocked.
    pub(super) async fn make(lab: &Lab) -> Self {
        let plain = support::stranger(lab);
        let mut tokens = aad_tokens(lab, &plain).await;
        let (of_site, blocked) = site_tokens(lab, &plain.ids).await;
        tokens.extend(of_site);
        let published = lab.site().settings().await.unwrap().version;
        let applied = move |event: &cmglab_events::Event| {
            use cmglab_events::kinds::CmgEvent::SettingsApplied;
            matches!(event.kind, cmglab_events::Kind::Cmg(SettingsApplied { version, .. }) if version >= published)
        };
        lab.events().wait_for("the blocks at the gateway", support::PATIENCE, applied).await.unwrap();
        Self { tokens, identities: identities(lab, &plain.ids), blocked, plain }
    }

    /// The headers that carry a caller's token.
    pub(super) fn headers(&self, who: Who) -> String {
        let bearer = |who| format!("Authorization: Bearer {}\r\n", self.token(who));
        match who {
            Who::Garbage | Who::PkiAndGarbageToken => "Authorization: Bearer a.b.c\r\n".to_owned(),
            Who::Basic => "Authorization: Basic YTpi\r\n".to_owned(),
            Who::TwoTokens => bearer(Who::Aad).repeat(2),
            Who::AadAndPki | Who::AadAndPkiUnknownIssuer => bearer(Who::Aad),
            _ if self.tokens.iter().any(|(one, _)| *one == who) => bearer(who),
            _ => String::new(),
        }
    }

    /// A machine that presents a caller's certificate.
    pub(super) fn machine(&self, lab: &Lab, who: Who) -> Deps {
        let who = match who {
            Who::AadAndPki | Who::PkiAndGarbageToken => Who::Pki,
            Who::AadAndPkiUnknownIssuer => Who::PkiUnknownIssuer,
            other => other,
        };
        match self.identities.iter().find(|(one, _)| *one == who) {
            Some((_, identity)) => presenting(lab, identity),
            None => self.plain.clone(),
        }
    }

    pub(super) fn token(&self, who: Who) -> &str {
        &self.tokens.iter().find(|(one, _)| *one == who).expect("a token of that kind").1
    }
}

fn presenting(lab: &Lab, identity: &Identity) -> Deps {
    let deps = lab.machine("presenter", Role::Client, &["cmg-root"]).unwrap();
    let (chain, key) = (identity.chain().to_vec(), identity.key().pkcs8_der());
    deps.store.present(Some(cmglab_tls::Identity::new("presenter", chain, key).unwrap()));
    deps
}

async fn aad_tokens(lab: &Lab, deps: &Deps) -> Vec<(Who, String)> {
    let good = support::aad_token(lab, deps, "alice@lab.test").await;
    let (key, now) = (lab.azure_ad_key(), lab.clock().now());
    vec![
        (Who::AadExpired, forge::expired(&good, key, now).unwrap()),
        (Who::AadEarly, forge::not_yet_valid(&good, key, now).unwrap()),
        (Who::AadForeignTenant, support::aad_token(lab, deps, "carol@other.test").await),
        (Who::AadOtherAudience, forge::for_audience(&good, key, "https://SomethingElse").unwrap()),
        (Who::AadUnsigned, forge::unsigned(&good).unwrap()),
        (Who::AadTampered, forge::flipped_signature(&good).unwrap()),
        (Who::Ccm, support::ccm_token(lab, deps, &good).await),
        (Who::Aad, good),
    ]
}

/// Tokens under a key that the test adds to those of the site.
async fn site_tokens(lab: &Lab, ids: &Ids) -> (Vec<(Who, String)>, (ClientGuid, BulkTokenId)) {
    let (site, now) = (lab.site(), lab.clock().now());
    let [key, unknown] = [(); 2].map(|()| SigningKey::generate(now, "site").unwrap());
    site.add_ccm_key(serde_json::to_value(key.jwk().unwrap()).unwrap(), now).await.unwrap();
    let (known, blocked) = (client(lab, ids).await, client(lab, ids).await);
    site.block_client(blocked, now).await.unwrap();
    let (bulk, expired, blocked_bulk) =
        (bulk(lab, ids, now).await, bulk(lab, ids, now).await, bulk(lab, ids, now).await);
    site.block_bulk_token(blocked_bulk, now).await.unwrap();

    let hierarchy = site.hierarchy();
    let (device, token) = (CcmTokenType::Device, CcmTokenType::ClientToken);
    let long_ago = now - SignedDuration::from_hours(91 * 24);
    let last_week = now - SignedDuration::from_hours(7 * 24);
    let of_client = |hierarchy: HierarchyId, kind, client, from, lifetime| {
        CcmClaims::new(hierarchy, kind, UserId::zero(), Some(client), from, lifetime)
    };
    let ccm = |hierarchy, client| of_client(hierarchy, device, client, now, CCM_TOKEN_LIFETIME);
    let own = |client, from| of_client(hierarchy, token, client, from, CLIENT_TOKEN_LIFETIME);
    let sign = |key: &SigningKey, claims: &CcmClaims| key.sign(HeaderKind::Ccm, claims).unwrap();
    let sign_bulk = |id, from| {
        key.sign(HeaderKind::Ccm, &BulkRegistrationClaims::new(hierarchy, id, from, DEFAULT_BULK_LIFETIME))
            .unwrap()
    };
    let odd = CcmClaims { category: "SomethingElse".into(), ..ccm(hierarchy, known) };
    let tokens = vec![
        (Who::CcmOfBlockedClient, sign(&key, &ccm(hierarchy, blocked))),
        (Who::CcmOfOtherHierarchy, sign(&key, &ccm(ids.guid().into(), known))),
        (Who::CcmUnknownKey, sign(&unknown, &ccm(hierarchy, known))),
        (Who::CcmUnknownCategory, sign(&key, &odd)),
        (Who::Bulk, sign_bulk(bulk, now)),
        (Who::BulkExpired, sign_bulk(expired, last_week)),
        (Who::BulkBlocked, sign_bulk(blocked_bulk, now)),
        (Who::ClientToken, sign(&key, &own(known, now - SignedDuration::from_hours(89 * 24)))),
        (Who::ClientTokenLapsed, sign(&key, &own(known, long_ago))),
        (Who::ClientTokenOfBlockedClient, sign(&key, &own(blocked, now))),
    ];
    (tokens, (blocked, blocked_bulk))
}

async fn client(lab: &Lab, ids: &Ids) -> ClientGuid {
    let device = AadDevice { tenant: lab.topology().client.tenant, device: ids.guid().into() };
    lab.site().client_for_aad_device(device, ids, lab.clock().now()).await.unwrap()
}

async fn bulk(lab: &Lab, ids: &Ids, now: Timestamp) -> BulkTokenId {
    let id = BulkTokenId::new(ids.guid());
    lab.site().add_bulk_token(id, now, now + DEFAULT_BULK_LIFETIME).await.unwrap();
    id
}

fn identities(lab: &Lab, ids: &Ids) -> Vec<(Who, Identity)> {
    let (now, names) = (lab.clock().now(), [SubjectName::dns("pc.lab.test")]);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let [client, stranger] =
        ["client-issuing", "public-issuing"].map(|name| lab.authorities().get(name).unwrap());
    let issue =
        |overrides: &Overrides| client.issue_with("pki-client", &names, overrides, &key, now, ids).unwrap();
    let hour = SignedDuration::from_hours(1);
    let good = issue(&Overrides::default());
    let revoked = issue(&Overrides::default());
    client.revoke(&revoked.certificate().unwrap().serial, now);
    vec![
        (Who::PkiLeafAlone, good.without_intermediates()),
        (Who::Pki, good),
        (Who::PkiUnknownIssuer, stranger.issue("pki-client", &names, &key, now, ids).unwrap()),
        (Who::PkiWrongUsage, issue(&Overrides { eku: Some(vec![Eku::ServerAuth]), ..Overrides::default() })),
        (Who::PkiExpired, issue(&Validity::ended(now, hour).unwrap().into())),
        (Who::PkiEarly, issue(&Validity::starting(now, hour).unwrap().into())),
        (Who::PkiRevoked, revoked),
    ]
}
