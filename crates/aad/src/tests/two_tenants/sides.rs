//! The two tenants, alike but for their ids, and a device in each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_pki::PrivateKey;
use cmglab_pki::read::Certificate;
use cmglab_proto::ids::{AppId, TenantId};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::super::broker::{blob, transport_key};
use super::super::clients::{OTHER_WEB, ROLE, WEB, WEB_BACK, WEB_URI, p256};
use super::super::lab::*;
use crate::{AadConfig, App, AppCertificate, AppSecret, Password};

/// One of them.
pub(super) struct Side {
    pub(super) tenant: TenantId,
    pub(super) domain: &'static str,
    pub(super) upn: &'static str,
    pub(super) native: AppId,
    pub(super) web: AppId,
    /// That of the web application.
    pub(super) secret: &'static str,
    /// The key that the user registers.
    pub(super) hello: fn() -> &'static PrivateKey,
    server: AppId,
    user: Uuid,
}

pub(super) static SIDES: [Side; 2] = [
    Side {
        tenant: TENANT,
        domain: "lab.test",
        upn: "alice@lab.test",
        native: NATIVE,
        web: WEB,
        secret: "secret of lab",
        hello: transport_key,
        server: SERVER,
        user: ALICE,
    },
    Side {
        tenant: OTHER_TENANT,
        domain: "other.test",
        upn: "alice@other.test",
        native: AppId::new(uuid!("aaaaaaaa-0000-4000-8000-000000000011")),
        web: OTHER_WEB,
        secret: "secret of other",
        hello: stolen_key,
        server: AppId::new(uuid!("aaaaaaaa-0000-4000-8000-000000000012")),
        user: uuid!("bbbbbbbb-0000-4000-8000-000000000011"),
    },
];

impl Side {
    fn apps(&self) -> [App; 3] {
        let native = App {
            redirect_uris: vec![self.broker_redirect()],
            public: true,
            permissions: vec![may_act(self.server), may_act(self.web)],
            ..app(self.native, None)
        };
        let server = App { roles: vec![ROLE.to_owned()], ..app(self.server, Some(RESOURCE)) };
        let web = App {
            redirect_uris: vec![WEB_BACK.to_owned()],
            secrets: vec![AppSecret { value: Password::new(self.secret), expires: None }],
            certificates: vec![AppCertificate(p256().der.clone())],
            permissions: vec![may_act(self.server)],
            ..app(self.web, Some(WEB_URI))
        };
        [native, server, web].map(|app| App { tenant: self.tenant, ..app })
    }

    /// Where the answers for the native client go.
    pub(super) fn broker_redirect(&self) -> String {
        format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{}", self.native)
    }

    /// A password form of the user.
    pub(super) fn password<'a>(&self, client: &'a str, resource: &'a str) -> Vec<(&'static str, &'a str)> {
        let mut form = password_form(resource, client).to_vec();
        form.retain(|(name, _)| *name != "username");
        form.push(("username", self.upn));
        form
    }
}

/// A lab with both, and a device in each.
pub(super) struct World {
    pub(super) lab: Lab,
    devices: Vec<Joined>,
}

impl World {
    pub(super) async fn new() -> Self {
        let config = AadConfig {
            apps: SIDES.iter().flat_map(Side::apps).collect(),
            users: SIDES.iter().map(|side| user(side.user, side.upn)).collect(),
            ..config()
        };
        let mut world = Self { lab: Lab::with(&config), devices: Vec::new() };
        for side in &SIDES {
            let device = world.join(side).await;
            world.devices.push(device);
        }
        world
    }

    pub(super) fn device(&self, side: &Side) -> &Joined {
        &self.devices[usize::from(side.tenant != TENANT)]
    }

    pub(super) fn x5c(&self, side: &Side) -> Value {
        json!(STANDARD.encode(&self.device(side).certificate))
    }

    /// One more device of a tenant.
    pub(super) async fn join(&self, side: &Side) -> Joined {
        let reply = self.lab.join_with(&self.token(side, BROKER, DRS).await, &join()).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        let certificate = STANDARD.decode(reply.json["Certificate"]["RawBody"].as_str().unwrap()).unwrap();
        let read = Certificate::parse(&certificate).unwrap();
        assert_eq!(read.wpj.tenant_id, Some(side.tenant.guid()));
        Joined { id: read.subject_common_name.unwrap().parse().unwrap(), certificate }
    }

    /// What the user gets by password at home.
    pub(super) async fn signed_in(&self, side: &Side, client: &str, resource: &str) -> Reply {
        let reply =
            self.lab.post(&format!("/{}/oauth2/token", side.domain), &side.password(client, resource)).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply
    }

    pub(super) async fn token(&self, side: &Side, client: &str, resource: &str) -> String {
        self.signed_in(side, client, resource).await.json["access_token"].as_str().unwrap().to_owned()
    }
}

/// A join with a transport key that its owner has.
pub(super) fn join() -> Value {
    let mut body = join_body(0);
    body["TransportKey"] = json!(STANDARD.encode(blob(transport_key())));
    body
}
