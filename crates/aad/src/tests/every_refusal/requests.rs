//! Requests that succeed, until something in them is changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_pki::PrivateKey;
use serde_json::{Value, json};

use super::super::broker::Broker;
use super::super::clients::{SECRET, WEB, borrowed};
use super::super::lab::{Lab, NATIVE, PASSWORD, RESOURCE, Reply, SERVER, config, device_key, signed};
use super::Shown;
use crate::AccessRules;

pub(super) const V1: &str = "/lab.test/oauth2/token";
pub(super) const V2: &str = "/lab.test/oauth2/v2.0/token";
pub(super) const ALICE_UPN: &str = "alice@lab.test";
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A form that is posted.
pub(super) struct Attempt {
    pub(super) lab: Lab,
    pub(super) path: &'static str,
    pub(super) form: Vec<(&'static str, String)>,
}

impl Attempt {
    pub(super) fn new(lab: Lab, path: &'static str, form: &[(&'static str, &str)]) -> Self {
        let form = form.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { lab, path, form }
    }

    /// Alice's token for the resource at the native client.
    pub(super) fn password() -> Self {
        let native = NATIVE.to_string();
        let form = [
            ("grant_type", "password"),
            ("client_id", native.as_str()),
            ("resource", RESOURCE),
            ("username", ALICE_UPN),
            ("password", PASSWORD),
        ];
        Self::new(Lab::new(), V1, &form)
    }

    /// The same by version 2.
    pub(super) fn password_v2() -> Self {
        let attempt = Self { path: V2, ..Self::password() };
        attempt.with("resource", "").with("scope", &format!("{RESOURCE}/.default"))
    }

    /// The web application's own token for the resource.
    pub(super) fn credentials() -> Self {
        let (web, scope) = (WEB.to_string(), format!("{RESOURCE}/.default"));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", web.as_str()),
            ("client_secret", SECRET),
            ("scope", scope.as_str()),
        ];
        Self::new(Lab::new(), V2, &form)
    }

    /// Renews what Alice has signed in to at the native client.
    pub(super) async fn refresh() -> Self {
        let Shown { lab, reply } = Self::password().send().await;
        let (native, token) = (NATIVE.to_string(), reply.json["refresh_token"].as_str().unwrap());
        let form = [("grant_type", "refresh_token"), ("client_id", &native), ("refresh_token", token)];
        Self::new(lab, V1, &form)
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Gives a parameter another value; an empty one counts as absent.
    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        self.form.retain(|(known, _)| *known != name);
        self.form.push((name, value.to_owned()));
    }

    /// Puts a parameter there once more.
    pub(super) fn repeat(&mut self, name: &'static str, value: &str) {
        self.form.push((name, value.to_owned()));
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.form.iter().find(|(known, _)| *known == name).map(|(_, value)| value).unwrap()
    }

    pub(super) async fn post(&self) -> Reply {
        self.lab.post(self.path, &borrowed(&self.form)).await
    }

    pub(super) async fn send(self) -> Shown {
        let reply = self.post().await;
        Shown { lab: self.lab, reply }
    }

    /// Sends it, after `fault` if there is to be a cause.
    pub(super) async fn tried(mut self, cause: bool, fault: fn(&mut Self)) -> Shown {
        if cause {
            fault(&mut self);
        }
        self.send().await
    }
}

/// A request that a device signs.
pub(super) struct Signed {
    pub(super) broker: Broker,
    pub(super) path: &'static str,
    pub(super) x5c: Value,
    pub(super) key: &'static PrivateKey,
    pub(super) payload: Value,
}

impl Signed {
    /// For the device's own token.
    pub(super) async fn device_token() -> Self {
        Self::by(Broker::new().await, async |broker| {
            json!({
                "resource": RESOURCE,
                "client_id": NATIVE,
                "request_nonce": broker.lab.nonce().await,
                "grant_type": "device_token",
                "redirect_uri": format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{NATIVE}"),
            })
        })
        .await
    }

    /// For a primary refresh token by Alice's password.
    pub(super) async fn prt() -> Self {
        Self::by(Broker::new().await, async |broker| broker.wish().await).await
    }

    pub(super) async fn by(broker: Broker, payload: impl AsyncFnOnce(&Broker) -> Value) -> Self {
        let payload = payload(&broker).await;
        Self { x5c: broker.x5c(), key: device_key(), path: V1, payload, broker }
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.payload[name] = value.into();
    }

    pub(super) fn certificate(&mut self, der: &[u8]) {
        self.x5c = json!(STANDARD.encode(der));
    }

    pub(super) async fn send(self) -> Shown {
        let jws = signed(&self.x5c, self.key, &self.payload);
        let reply = self.broker.lab.post(self.path, &[("grant_type", JWT_BEARER), ("request", &jws)]).await;
        Shown { lab: self.broker.lab, reply }
    }

    /// Sends it, after `fault` if there is to be a cause.
    pub(super) async fn tried(mut self, cause: bool, fault: fn(&mut Self)) -> Shown {
        if cause {
            fault(&mut self);
        }
        self.send().await
    }
}

/// A lab whose resource has access rules.
pub(super) fn guarded(rule: fn(&mut AccessRules)) -> Lab {
    let mut config = config();
    config.apps.iter_mut().filter(|app| app.app_id == SERVER).for_each(|app| rule(&mut app.access));
    Lab::with(&config)
}
