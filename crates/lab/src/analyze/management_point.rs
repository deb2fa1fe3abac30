//! Whether a management point does its work behind the channel: it tells a user's client about the site, and
//! hands the holder of a certificate the client's files.
//!
//! Fidelity: lab; the product's analyzer ends with the channel. The messages are those of clients (mp-wire §7).

use cmglab_net::Call;
use cmglab_proto::ccm::location::{SiteInfoReply, SiteInformationRequest};
use cmglab_proto::ccm::{self, Endpoint, Limits, Msg, Reply, Request};
use cmglab_proto::ids::MessageId;
use cmglab_proto::sts::BearerToken;
use cmglab_proto::url::AuthScheme;
use http::Method;
use http::header::{CONTENT_TYPE, RANGE, USER_AGENT};

use super::channel::{Access, CABINET};
use super::probe::{Probe, Trouble};
use super::report::{Fault, Tested};
use super::{AnalyzedManagementPoint, advice};

pub(super) async fn test(probe: &Probe<'_>, point: &AnalyzedManagementPoint, access: &Access) -> Tested<()> {
    let (asked, failed) = match access {
        Access::Token(token) => (
            site(probe, point, token).await,
            "Failed to get the site's information with the ConfigMgr token.",
        ),
        Access::Certificate => {
            (cabinet(probe, point).await, "Failed to get the client's files with the client certificate.")
        }
    };
    let found = asked.map_err(|trouble| Fault {
        description: format!("{failed} {}", trouble.sentence()),
        advice: advice::channel(&trouble),
    })?;
    Ok((found, ()))
}

/// Asks location services about the site.
async fn site(
    probe: &Probe<'_>,
    point: &AnalyzedManagementPoint,
    token: &BearerToken,
) -> Result<String, Trouble> {
    let id = MessageId::new(probe.deps.ids.guid());
    let url = probe.at_management_point(AuthScheme::ServerAuth, point.role, REQUEST_PATH);
    let (content_type, body) = message(probe, id).encode();
    let method = Method::from_bytes(ccm::METHOD.as_bytes()).unwrap_or(Method::POST);
    let call = Call::new(method, url)
        .header(USER_AGENT, ccm::USER_AGENT)
        .bearer(token.expose())
        .body(&content_type, body);
    let answer = probe.ask(&call).await?;
    if answer.body.is_empty() {
        return Err(Trouble::Unusable("the management point has dropped the message".to_owned()));
    }
    let content_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let reply = Reply::decode(content_type.unwrap_or_default(), &answer.body, &Limits::default());
    let reply = reply.map_err(|error| Trouble::Unusable(error.to_string()))?;
    if reply.msg.correlation != id {
        return Err(Trouble::Unusable("it is the reply to another message".to_owned()));
    }
    let known = SiteInfoReply::parse(&reply.payload, &Limits::default());
    let known = known.map_err(|error| Trouble::Unusable(error.to_string()))?;
    let code = probe.request.site_code;
    let found = known.sites.iter().find(|site| site.site_code == code);
    let found = found.ok_or_else(|| Trouble::Unusable(format!("it does not know site '{code}'")))?;
    Ok(format!("It answered for site '{code}', version {}.", super::probe::printable(&found.version)))
}

fn message(probe: &Probe<'_>, id: MessageId) -> Request {
    let mut msg = Msg::new(id, Endpoint::LocationManager, probe.deps.clock.now());
    let machine = probe.deps.events.machine();
    msg.reply_to = format!("direct:{machine}:SccmMessaging");
    machine.clone_into(&mut msg.source_host);
    msg.target_host.clone_from(&probe.request.service);
    let payload = SiteInformationRequest { site_code: probe.request.site_code }.to_xml();
    Request::new(msg, &payload)
}

/// Fetches the first bytes of the cabinet.
async fn cabinet(probe: &Probe<'_>, point: &AnalyzedManagementPoint) -> Result<String, Trouble> {
    let url = probe.at_management_point(AuthScheme::MutualAuth, point.role, CABINET);
    let last = MAGIC.len() - 1;
    let answer = probe.ask(&Call::get(url).header(RANGE, &format!("bytes=0-{last}"))).await?;
    if !answer.body.starts_with(MAGIC) {
        return Err(Trouble::Unusable("what came is not the beginning of a cabinet".to_owned()));
    }
    Ok("It handed out the beginning of ccmsetup.cab.".to_owned())
}

const REQUEST_PATH: &str = "/ccm_system_tokenauth/request";
/// How every cabinet begins (MS-CAB §2.1).
const MAGIC: &[u8] = b"MSCF";
