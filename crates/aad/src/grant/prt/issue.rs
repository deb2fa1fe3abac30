//! A primary refresh token for a user who signs in on a device (entra §4.2). The device proves itself first,
//! as for its own token.

use cmglab_proto::ids::{ObjectId, TenantId};
use cmglab_token::session::SessionKey;
use serde_json::{Map, Value};

use super::{Wish, answer, hello, only_brokers};
use crate::answer::{Outcome, Reply, Trouble};
use crate::claims::ClientProof;
use crate::errors::{GRANT_OF_OTHER_CLIENT, GRANT_OF_OTHER_DEVICE, GRANT_OF_OTHER_TENANT, Refusal};
use crate::grant::for_user::{Extras, SignIn, usable};
use crate::grant::{Request, password};
use crate::prt::Prt;
use crate::{App, Device, proof};

/// Answers a request that a device signed and in which its user proves himself.
pub(in crate::grant) fn answer(request: &Request<'_>, jws: &str, grant_type: &str) -> Outcome {
    let (device, payload) = proof::device(request.aad, jws, request.ask.now)?;
    let tenant = proof::tenant(&request.path, &device)?;
    let client = proof::text(&payload, "client_id")?;
    let client = request.aad.directory().client(tenant, client)?.clone();
    only_brokers(&client)?;
    let around = Around { request, tenant, client: &client, device: &device, payload: &payload };
    let sign_in = match grant_type {
        "password" => around.by_password()?,
        "refresh_token" => around.by_refresh_token()?,
        _ => hello::sign_in(&around)?,
    };
    let wish = Wish::of(request, &payload)?;
    let body = match &wish.target {
        None if wish.prt => {
            answer::primary(request, grant_type, &client, &device, around.prt(sign_in)?, true)?
        }
        None => return Err(wish.missing(request.version).into()),
        Some(target) => {
            let refresh = !wish.prt && target.wants_refresh(request.version);
            let extras = Extras { refresh, id_token: wish.prt, client_info: wish.prt, ..Extras::default() };
            let body = request.for_user(grant_type, &sign_in, ClientProof::None, target, extras)?;
            if wish.prt {
                let prt = around.prt(sign_in)?;
                let primary = answer::primary(request, grant_type, &client, &device, prt, true)?;
                answer::with_access(body, primary)
            } else {
                body
            }
        }
    };
    Ok(Reply::from(body))
}

/// What the ways to prove a user work with.
pub(super) struct Around<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) tenant: TenantId,
    pub(super) client: &'a App,
    pub(super) device: &'a Device,
    pub(super) payload: &'a Map<String, Value>,
}

impl Around<'_> {
    fn by_password(&self) -> Result<SignIn, Refusal> {
        let (username, given) =
            (proof::text(self.payload, "username")?, proof::text(self.payload, "password")?);
        let user = self.request.aad.directory().user(self.tenant, username)?.clone();
        password::right(&user, given, self.request.version)?;
        Ok(self.signed_in(user.object_id, vec!["pwd", DEVICE]))
    }

    /// A refresh token that the broker got where the user signed in.
    fn by_refresh_token(&self) -> Result<SignIn, Refusal> {
        let (aad, now) = (self.request.aad, self.request.ask.now);
        let earlier = aad.refresh_token(proof::text(self.payload, "refresh_token")?, now)?.sign_in;
        if earlier.tenant != self.tenant {
            let (issued, asked) = (earlier.tenant.to_string(), self.tenant.to_string());
            return Err(GRANT_OF_OTHER_TENANT.about(&[&issued, &asked]));
        }
        let directory = aad.directory();
        // The broker may use what the sign-in of Windows got, and the other way round.
        only_brokers(directory.client(self.tenant, &earlier.client.to_string())?)
            .map_err(|_| GRANT_OF_OTHER_CLIENT.about(&[&self.client.app_id.to_string()]))?;
        if earlier.device.is_some_and(|device| device != self.device.id) {
            return Err(GRANT_OF_OTHER_DEVICE.about(&[&self.device.id.to_string()]));
        }
        usable(directory.user_by_id(self.tenant, earlier.user)?)?;
        drop(directory);
        let mut amr = earlier.amr;
        if !amr.contains(&DEVICE) {
            amr.push(DEVICE);
        }
        Ok(SignIn { signed_in: earlier.signed_in, ..self.signed_in(earlier.user, amr) })
    }

    /// A user who proved himself just now.
    pub(super) fn signed_in(&self, user: ObjectId, amr: Vec<&'static str>) -> SignIn {
        SignIn {
            tenant: self.tenant,
            client: self.client.app_id,
            user,
            device: Some(self.device.id),
            amr,
            signed_in: self.request.ask.now,
        }
    }

    fn prt(&self, sign_in: SignIn) -> Result<Prt, Trouble> {
        let now = self.request.ask.now;
        Ok(Prt {
            tenant: self.tenant,
            user: sign_in.user,
            device: self.device.id,
            amr: sign_in.amr,
            signed_in: sign_in.signed_in,
            session_key: SessionKey::generate().map_err(|error| Trouble::Failed(error.to_string()))?,
            key_made: now,
            issued: now,
        })
    }
}

/// The device proved itself with an RSA key.
const DEVICE: &str = "rsa";
