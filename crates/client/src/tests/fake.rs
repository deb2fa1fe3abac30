//! Stand-ins that answer as the protocol has it and note what they were asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use cmglab_clock::Clock;
use cmglab_ids::Ids;
use cmglab_pki::read::Certificate;
use cmglab_pki::{Authority, wpj};
use cmglab_proto::aadauthinfo::AadAuthInfo;
use cmglab_proto::cab::{self, File};
use cmglab_proto::ccm::location::{
    ContentLocationReply, ContentSite, LocationRecord, LocationRequest, OperationalSettings, SiteInfo,
    SiteInfoReply,
};
use cmglab_proto::ccm::sign::PublicKey;
use cmglab_proto::ccm::{self, ClientRegistrationRequest, Endpoint, Limits, Reply, ReplyMode};
use cmglab_proto::claims::{CCM_TOKEN_LIFETIME, CcmClaims, CcmTokenType};
use cmglab_proto::ids::{ClientGuid, HierarchyId, MessageId, UserId};
use cmglab_proto::manifest::{MANIFEST_NAME, Manifest};
use cmglab_token::session::SessionKey;
use cmglab_token::session_jws::SessionRequest;
use cmglab_token::{jwe, jws_x5c};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const TENANT: &str = "0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a";
pub(super) const CLIENT_APP: &str = "22ed38d9-0000-4036-8000-a98452fda4fc";
pub(super) const DEVICE: &str = "5dd100cd-df1d-45f5-ba17-a327f43465f8";
pub(super) const USER: &str = "e8838041-0000-4000-8000-000000000001";
pub(super) const CLIENT: &str = "GUID:11111111-2222-4333-8444-555555555555";

/// Azure AD, CMG, CRL host.
pub(super) struct Fake {
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    pub(super) wpj: Authority,
    pub(super) lists: Vec<Authority>,
    pub(super) public_roots: String,
    state: Mutex<Causes>,
}

/// What the stand-ins are made to do.
#[derive(Clone)]
pub(super) struct Causes {
    pub(super) device_refusal: Option<u32>,
    pub(super) onboarded: bool,
    /// The codes by which the next redemptions of a primary refresh token are refused, the last first.
    pub(super) prt_refusals: Vec<u32>,
    pub(super) sts_refusal: Option<(u16, &'static str)>,
    pub(super) crl_published: bool,
    pub(super) clients_check_crl: Option<bool>,
    /// Status, assigned id, approval.
    pub(super) registration: (u8, bool, i8),
    pub(super) cabinet_hash: Option<&'static str>,
    pub(super) content_host: &'static str,
    /// Method and path of each request, and the first letters of its token.
    pub(super) seen: Vec<String>,
}

impl Fake {
    pub(super) fn new(
        clock: Clock,
        ids: Ids,
        wpj: Authority,
        lists: Vec<Authority>,
        public_roots: String,
    ) -> Self {
        let causes = Causes {
            device_refusal: None,
            onboarded: true,
            prt_refusals: Vec::new(),
            sts_refusal: None,
            crl_published: true,
            clients_check_crl: Some(true),
            registration: (0, true, 3),
            cabinet_hash: None,
            content_host: "CMG.LAB.TEST",
            seen: Vec::new(),
        };
        Self { clock, ids, wpj, lists, public_roots, state: Mutex::new(causes) }
    }

    pub(super) fn causes(&self) -> MutexGuard<'_, Causes> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seen(&self, part: &str) -> usize {
        self.causes().seen.iter().filter(|seen| seen.contains(part)).count()
    }

    pub(super) fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(answer).with_state(Arc::clone(self))
    }

    fn route(&self, request: &Seen) -> Response<Body> {
        let path = request.path.as_str();
        match path {
            "/common/oauth2/token" => json_answer(200, &json!({"Nonce": "AwABAA"})),
            "/EnrollmentServer/device/" => self.join(&request.body),
            "/authroot/roots.pem" => bytes(self.public_roots.clone().into_bytes()),
            "/CCM_Proxy_ServerAuth/AADAuthInfo" => self.aad_info(),
            _ if path.ends_with("/oauth2/token") => self.token(&request.form()),
            _ if path.ends_with("/CCM_STS") => self.sts(),
            _ if path.ends_with("/ccm_system_tokenauth/request") => self.message(request),
            _ if path.ends_with("/CCM_Client/ccmsetup.cab") => bytes(cabinet()),
            _ => self.crl(path),
        }
    }

    fn aad_info(&self) -> Response<Body> {
        let info = AadAuthInfo {
            client_app_id: CLIENT_APP.parse().unwrap(),
            resource_uri: "https://ConfigMgrService".to_owned(),
            tenant_id: TENANT.parse().unwrap(),
        };
        bytes(if self.causes().onboarded { info.to_body().into_bytes() } else { Vec::new() })
    }

    fn token(&self, form: &[(String, String)]) -> Response<Body> {
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let now = self.clock.now().as_second();
        let mut claims = json!({
            "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": "https://ConfigMgrService",
            "tid": TENANT, "nbf": now, "exp": now + 3900, "sub": DEVICE,
        });
        let Some(request) = field("request") else {
            if field("password") != Some(PASSWORD) {
                return refusal(50126);
            }
            claims["oid"] = USER.into();
            claims["upn"] = field("username").unwrap_or_default().into();
            return json_answer(200, &json!({"token_type": "Bearer", "access_token": jwt(&claims)}));
        };
        claims["deviceid"] = DEVICE.into();
        if let Ok(request) = SessionRequest::parse(request) {
            let payload = request.verify(&session_key()).unwrap();
            assert_eq!(
                (&payload["refresh_token"], &payload["grant_type"]),
                (&json!("prt"), &json!("refresh_token"))
            );
            if let Some(code) = self.causes().prt_refusals.pop() {
                return refusal(code);
            }
            claims["oid"] = USER.into();
            claims["upn"] = json!("alice@lab.test");
            let body = json!({"token_type": "Bearer", "access_token": jwt(&claims)}).to_string();
            let answer = jwe::seal(body.as_bytes(), &session_key(), &[2; 24], jwe::AnswerCipher::Cbc);
            return bytes(answer.unwrap().into_bytes());
        }
        let request = jws_x5c::verify(request).unwrap();
        if request.payload["grant_type"] == "password" {
            let signed_in =
                request.payload["username"] == "alice@lab.test" && request.payload["password"] == PASSWORD;
            return if signed_in { primary_refresh_token(request.leaf_der()) } else { refusal(50126) };
        }
        assert_eq!(request.payload["grant_type"], "device_token");
        if let Some(code) = self.causes().device_refusal {
            return refusal(code);
        }
        json_answer(200, &json!({"token_type": "Bearer", "access_token": jwt(&claims)}))
    }

    fn join(&self, body: &[u8]) -> Response<Body> {
        let request: Value = serde_json::from_slice(body).unwrap();
        let csr = STANDARD.decode(request["CertificateRequest"]["Data"].as_str().unwrap()).unwrap();
        let subject = wpj::WpjSubject {
            device_id: DEVICE.parse().unwrap(),
            object_id: USER.parse().unwrap(),
            tenant_id: TENANT.parse().unwrap(),
            join_type: if request["JoinType"] == 0 { b'1' } else { b'0' },
            region: "EU".to_owned(),
        };
        let der = self.wpj.issue_wpj(&csr, &subject, self.clock.now(), &self.ids).unwrap();
        json_answer(200, &json!({"Certificate": {"Thumbprint": "", "RawBody": STANDARD.encode(der)}}))
    }

    fn sts(&self) -> Response<Body> {
        if let Some((status, reason)) = self.causes().sts_refusal {
            return refused(status, reason);
        }
        let claims = CcmClaims::new(
            HierarchyId::new(Uuid::from_u128(9)),
            CcmTokenType::Uda,
            UserId::zero(),
            CLIENT.parse().ok(),
            self.clock.now(),
            CCM_TOKEN_LIFETIME,
        );
        bytes(jwt(&serde_json::to_value(claims).unwrap()).into_bytes())
    }

    fn message(&self, seen: &Seen) -> Response<Body> {
        assert_eq!(seen.method, ccm::METHOD);
        let message = ccm::Request::decode(&seen.content_type, &seen.body, &Limits::default()).unwrap();
        let payload = match message.msg.target_endpoint {
            Endpoint::LocationManager => self.location(&message.payload),
            Endpoint::ClientRegistration => self.register(&message.payload),
            Endpoint::Ddr => {
                assert!(message.msg.client_auth().unwrap().unwrap().payload_signature.is_some());
                assert_eq!(message.msg.source_client(), CLIENT.parse().ok());
                assert!(message.msg.reply_mode == ReplyMode::Async && message.attachments.len() == 1);
                return bytes(Vec::new());
            }
            _ => return bytes(Vec::new()),
        };
        let id = MessageId::new(self.ids.guid());
        let reply = Reply::answering(&message.msg, id, self.clock.now(), "MP", &payload);
        let (content_type, body) = reply.encode();
        let mut response = bytes(body);
        response.headers_mut().insert(http::header::CONTENT_TYPE, content_type.parse().unwrap());
        response
    }

    fn location(&self, payload: &str) -> String {
        let causes = self.causes().clone();
        match LocationRequest::parse(payload, &Limits::default()).unwrap() {
            LocationRequest::Site(request) => {
                let settings = causes.clients_check_crl;
                let site = SiteInfo {
                    site_code: request.site_code,
                    version: "5.00.9128.1000".to_owned(),
                    build: 9128,
                    default_mp: "MP.LAB.TEST".to_owned(),
                    capabilities: Vec::new(),
                    settings: settings.map(|clients_check_crl| OperationalSettings { clients_check_crl }),
                };
                SiteInfoReply { sites: vec![site] }.to_xml()
            }
            LocationRequest::Content(request) => {
                let base = format!("https://{}/CCM_Proxy_MutualAuth/9", causes.content_host);
                let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &cabinet());
                let hash = ccm::sign::to_hex(hash.as_ref());
                ContentLocationReply {
                    hash: Some(causes.cabinet_hash.map_or(hash, str::to_owned)),
                    hash_algorithm: Some(ContentLocationReply::SHA256),
                    package_flags: 0,
                    sites: vec![ContentSite {
                        site_code: request.site_code,
                        master_site_code: request.site_code,
                        locality: "LOCAL".to_owned(),
                        http_port: 80,
                        https_port: 443,
                        records: vec![record(&format!("{base}/CCM_Client"))],
                    }],
                }
                .to_xml()
            }
            other => panic!("{other:?}"),
        }
    }

    fn register(&self, payload: &str) -> String {
        let request = ClientRegistrationRequest::parse(payload, &Limits::default()).unwrap();
        let certificates = request.data().certificates.clone().unwrap();
        let certificate = cmglab_pki::read::Certificate::parse(&certificates.signing).unwrap();
        let key = PublicKey::from_der(&certificate.spki_der).unwrap();
        request.verify_signature(&key).unwrap();
        assert_eq!(request.data().property("FQ Name"), Some("pc1.lab.test"));
        let client: ClientGuid = request.data().smsid.unwrap();
        let (status, assigned, approval) = self.causes().registration;
        let id = if assigned { format!(" SMSID=\"{client}\"") } else { String::new() };
        let kind = request.data().request_type.as_str();
        format!(
            "<ClientRegistrationResponse ResponseType=\"{kind}\" TimeStamp=\"2026-01-02T03:04:06Z\" \
             Status=\"{status}\"{id} ApprovalStatus=\"{approval}\"/>"
        )
    }

    fn crl(&self, path: &str) -> Response<Body> {
        let named = |authority: &&Authority| authority.crl_url().is_some_and(|url| url.ends_with(path));
        match self.lists.iter().find(named) {
            Some(authority) if self.causes().crl_published => {
                bytes(authority.crl(self.clock.now(), 1).unwrap())
            }
            _ => refused(404, "Not Found"),
        }
    }
}

struct Seen {
    method: String,
    path: String,
    content_type: String,
    body: Bytes,
}

impl Seen {
    fn form(&self) -> Vec<(String, String)> {
        let text = str::from_utf8(&self.body).unwrap();
        text.split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect()
    }
}

async fn answer(State(fake): State<Arc<Fake>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = cmglab_net::read_capped(body, 1 << 20).await.unwrap();
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        content_type: header(http::header::CONTENT_TYPE).to_owned(),
        body,
    };
    let token = header(http::header::AUTHORIZATION).strip_prefix("Bearer ").map(kind_of_token);
    fake.causes().seen.push(format!("{} {} {}", seen.method, seen.path, token.unwrap_or("-")));
    fake.route(&seen)
}

/// `aad` or `ccm`, by its claims.
fn kind_of_token(token: &str) -> &'static str {
    let (_header, claims) = cmglab_token::peek(token).unwrap();
    if claims.get("SCCMTokenCategory").is_some() { "ccm" } else { "aad" }
}

/// What `ccmsetup.cab` holds.
pub(super) fn cabinet() -> Vec<u8> {
    let files = vec![File::new("client.msi", "stands in for the installer")];
    let manifest = File::new(MANIFEST_NAME, Manifest::of("5.00.9128.1000", &files).to_xml());
    cab::write(&[vec![manifest], files].concat()).unwrap()
}

fn record(url: &str) -> LocationRecord {
    LocationRecord {
        url: url.to_owned(),
        signature_url: None,
        ad_site: String::new(),
        subnets: Vec::new(),
        build: 9128,
        capabilities: Vec::new(),
        server: "MP.LAB.TEST".to_owned(),
        kind: "SERVER".to_owned(),
        trusted: true,
        locality: "LOCAL".to_owned(),
    }
}

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(&json!({"alg": "RS256"})), part(claims))
}

fn refusal(code: u32) -> Response<Body> {
    let body = json!({
        "error": "invalid_grant", "error_codes": [code], "error_description": format!("AADSTS{code}: no."),
    });
    json_answer(400, &body)
}

fn json_answer(status: u16, body: &Value) -> Response<Body> {
    let mut response = bytes(body.to_string().into_bytes());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn refused(status: u16, reason: &'static str) -> Response<Body> {
    let mut response = json_answer(status, &Value::Null);
    response.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
    response
}

fn bytes(body: Vec<u8>) -> Response<Body> {
    Response::new(Body::from(body))
}

fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(out).unwrap()
}

fn session_key() -> SessionKey {
    SessionKey::from_bytes([7; 32])
}

/// The session key goes out under the key of the certificate, which is the transport key too.
fn primary_refresh_token(leaf: &[u8]) -> Response<Body> {
    let spki = Certificate::parse(leaf).unwrap().spki_der;
    json_answer(
        200,
        &json!({
            "token_type": "Bearer", "refresh_token": "prt", "refresh_token_expires_in": 1_209_599,
            "session_key_jwe": jwe::wrap_session_key(&spki, &session_key()).unwrap(),
        }),
    )
}

const PASSWORD: &str = "p&ss wörd";
