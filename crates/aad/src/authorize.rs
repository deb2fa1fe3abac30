//! The authorization endpoint and its sign-in page (entra §1.2, §4.3, §4.5; RFC 6749, RFC 7636, OpenID
//! Connect Core).
//!
//! Fidelity: documented and observed; the look of pages is the lab's. A user is proven by what the request
//! carries ([`sso`]), by the browser's session, or by name and password on the page. What is refused before
//! the redirect URI can be trusted ends on a page; after that the client is told.

mod back;
mod browser;
mod redirect_uri;
mod wish;

use cmglab_proto::ids::TenantId;
use http::Method;
use jiff::{SignedDuration, Timestamp};

use crate::answer::{self, Outcome, Page, Trouble};
use crate::ask::Ask;
use crate::claims::Wanted;
use crate::errors::{
    FLOW_EXPIRED, FLOW_OF_OTHER_BROWSER, GRANT_OF_OTHER_TENANT, MALFORMED, MISSING_PARAMETER, Refusal,
    SIGN_IN_NEEDED, UNKNOWN_USER,
};
use crate::form::Form;
use crate::grant::authorization_code::Code;
use crate::grant::for_user::{SignIn, admitted, client_info, device_now, granted, usable};
use crate::grant::scope::Target;
use crate::grant::{Request, password};
use crate::pages::{self, SignInForm};
use crate::route::{Version, only};
use crate::session::{self, Session};
use crate::sso::{self, Proven};
use crate::tenant_ref::TenantRef;
use crate::tickets::Found;
use crate::{Aad, User};

use self::back::Back;
pub(crate) use self::redirect_uri::registered;
pub(crate) use self::wish::Wish;

/// Answers an authorization request.
pub(crate) fn answer(aad: &Aad, ask: &Ask, tenant: &str, version: Version) -> Outcome {
    let params = match ask.method {
        Method::GET => Ok(&ask.query),
        Method::POST => ask.form(),
        _ => return Err(Trouble::Method("GET, POST")),
    };
    let path = aad.directory().tenant_ref(tenant);
    on_page(ask, params.map_err(Trouble::from).and_then(|params| trusted(aad, ask, path, version, params)))
}

/// Answers the sign-in page.
pub(crate) fn login(aad: &Aad, ask: &Ask) -> Outcome {
    only(ask, &Method::POST, "POST")?;
    on_page(ask, posted(aad, ask))
}

/// Shows what was refused on a page.
pub(crate) fn on_page(ask: &Ask, outcome: Outcome) -> Outcome {
    match outcome {
        Err(Trouble::Refused(refusal)) => Ok(pages::error(ask, refusal).into()),
        other => other,
    }
}

/// The user of a name and password as pages send them, in the tenant of `path`.
pub(crate) fn user_of(
    aad: &Aad,
    path: &TenantRef,
    form: &Form,
    version: Version,
) -> Result<(User, TenantId), Refusal> {
    let field = |names: [&'static str; 2]| {
        let found = names.iter().find_map(|name| form.get(name));
        found.ok_or_else(|| MISSING_PARAMETER.about(&[names[0]]))
    };
    let (username, password) = (field(["login", "username"])?, field(["passwd", "password"])?);
    let directory = aad.directory();
    let tenant = match path {
        TenantRef::Known(tenant) => Some(*tenant),
        _ => directory.tenant_of_upn(username),
    };
    let tenant = tenant.ok_or_else(|| UNKNOWN_USER.about(&[username, &path.to_string()]))?;
    let user = directory.user(tenant, username)?.clone();
    drop(directory);
    password::right(&user, password, version)?;
    Ok((user, tenant))
}

fn trusted(aad: &Aad, ask: &Ask, path: TenantRef, version: Version, params: &Form) -> Outcome {
    let (client, back) = wish::destination(aad, &path, params)?;
    if let Some(kinds) = wish::with_access_token(params) {
        let gap = format!("an access token from the authorization endpoint (response_type '{kinds}')");
        return Err(Trouble::NotBuilt(gap));
    }
    let outcome = Wish::read(path, version, client, back.clone(), params)
        .map_err(Trouble::from)
        .and_then(|wish| proceed(aad, ask, wish));
    told(ask, &back, outcome)
}

/// Tells the client what was refused.
fn told(ask: &Ask, back: &Back, outcome: Outcome) -> Outcome {
    match outcome {
        Err(Trouble::Refused(refusal)) => Ok(back.refusal(&answer::refused(ask, refusal)).into()),
        other => other,
    }
}

/// Goes on without a page if who asks is known, and with one else.
fn proceed(aad: &Aad, ask: &Ask, mut wish: Wish) -> Outcome {
    if let TenantRef::Known(tenant) = wish.path {
        open_to(aad, &wish, tenant)?;
    }
    // What proves the device or the user wrongly is told to who sent it, not to the application.
    let proven = match sso::from_headers(aad, ask).and_then(|proven| in_tenant(&wish.path, proven)) {
        Ok(proven) => proven,
        Err(refusal) => return Ok(pages::error(ask, refusal).into()),
    };
    wish.device = proven.as_ref().and_then(|proven| Some((proven.tenant, proven.device?)));
    let session = if wish.prompt.page() { None } else { silent(aad, ask, &wish, proven) };
    match session {
        Some(session) => Ok(completed(aad, ask, &wish, &session)?.into()),
        None if wish.prompt.silent() => Err(SIGN_IN_NEEDED.plain().into()),
        None => page(aad, ask, wish, None),
    }
}

/// Whether the client may have what it wishes for in a tenant.
fn open_to(aad: &Aad, wish: &Wish, tenant: TenantId) -> Result<(), Refusal> {
    let directory = aad.directory();
    let client = directory.client(tenant, &wish.client.to_string())?;
    if let Some(target) = wish.target.as_ref().filter(|_| wish.code) {
        granted(&directory, tenant, client, target)?;
    }
    Ok(())
}

fn in_tenant(path: &TenantRef, proven: Option<Proven>) -> Result<Option<Proven>, Refusal> {
    match (path, &proven) {
        (TenantRef::Known(tenant), Some(proven)) if *tenant != proven.tenant => {
            Err(GRANT_OF_OTHER_TENANT.about(&[&proven.tenant.to_string(), &tenant.to_string()]))
        }
        _ => Ok(proven),
    }
}

/// The session that a request proves or its browser has, if it is the one that is wished for.
fn silent(aad: &Aad, ask: &Ask, wish: &Wish, proven: Option<Proven>) -> Option<Session> {
    let proven = proven.and_then(|proven| {
        let id = aad.deps().ids.guid();
        Some(Session::new(proven.tenant, proven.user?, proven.amr, ask.now, id))
    });
    let session = proven.or_else(|| session::of(aad, ask))?;
    let at_home = !matches!(wish.path, TenantRef::Known(tenant) if tenant != session.tenant);
    let directory = aad.directory();
    let user = directory.user_by_id(session.tenant, session.user).ok()?;
    let hinted = wish.login_hint.as_ref().is_none_or(|hint| hint.eq_ignore_ascii_case(&user.upn));
    let fresh = wish.max_age.is_none_or(|seconds| fresh(&session, seconds, ask.now));
    (at_home && hinted && fresh).then_some(session)
}

/// Whether a sign-in is no older than `max_age`; with zero, none is fresh (OpenID Connect Core §3.1.2.1).
fn fresh(session: &Session, max_age: u32, now: Timestamp) -> bool {
    max_age > 0 && now.duration_since(session.signed_in).as_secs() <= i64::from(max_age)
}

/// What a wish is granted once the user is known.
fn completed(aad: &Aad, ask: &Ask, wish: &Wish, session: &Session) -> Result<Page, Trouble> {
    let sign_in = sign_in(wish, session);
    admit(aad, wish, &sign_in)?;
    let mut fields = Vec::new();
    let code = wish.code.then(|| aad.keep_code(Code::new(wish, sign_in.clone(), ask.now), ask.now));
    if wish.id_token {
        let path = TenantRef::Known(session.tenant);
        let request = Request { aad, ask, path, version: wish.version, form: Form::default() };
        let email = wish.target.as_ref().is_some_and(Target::wants_email);
        let wanted = Wanted { nonce: wish.nonce.as_deref(), email, auth_time: wish.auth_time };
        fields.push(("id_token", request.id_token(&sign_in, wanted, code.as_deref())?));
    }
    fields.splice(0..0, code.map(|code| ("code", code)));
    if wish.client_info {
        fields.push(("client_info", client_info(session.user, session.tenant)));
    }
    fields.push(("session_state", session.id.to_string()));
    Ok(wish.back.success(fields))
}

/// The checks of whoever redeems the code, told here while the user can still see them.
fn admit(aad: &Aad, wish: &Wish, sign_in: &SignIn) -> Result<(), Refusal> {
    open_to(aad, wish, sign_in.tenant)?;
    let directory = aad.directory();
    usable(directory.user_by_id(sign_in.tenant, sign_in.user)?)?;
    let device = sign_in.device.map(|id| device_now(&directory, sign_in.tenant, id)).transpose()?;
    let Some(target) = wish.target.as_ref().filter(|_| wish.code) else { return Ok(()) };
    admitted(&directory.resource(sign_in.tenant, &target.resource)?.app, sign_in, device, wish.version)
}

fn sign_in(wish: &Wish, session: &Session) -> SignIn {
    let device = wish.device.filter(|(tenant, _)| *tenant == session.tenant).map(|(_, device)| device);
    let mut amr = session.amr.clone();
    if device.is_some() && !amr.contains(&"rsa") {
        amr.push("rsa");
    }
    SignIn {
        tenant: session.tenant,
        client: wish.client,
        user: session.user,
        device,
        amr,
        signed_in: session.signed_in,
    }
}

/// The sign-in page, which holds on to the wish.
fn page(aad: &Aad, ask: &Ask, mut wish: Wish, refusal: Option<Refusal>) -> Outcome {
    let directory = aad.directory();
    let name = directory.client_at(&wish.path, &wish.client.to_string())?.name.clone();
    drop(directory);
    let action = format!("/{}/login", wish.path);
    let username = ask.form().ok().and_then(|form| form.get("login").map(str::to_owned));
    let username = username.or_else(|| wish.login_hint.clone()).unwrap_or_default();
    let (nonce, _) = aad.nonces().issue(ask.now, &aad.deps().ids);
    let (browser, cookie) = browser::known_from_now(aad, ask);
    wish.browser = Some(browser);
    let expires = ask.now.saturating_add(PATIENCE).unwrap_or(Timestamp::MAX);
    let context = aad.wishes().issue("rQQ", wish, ask.now, expires, &aad.deps().ids);
    let form = SignInForm {
        action: &action,
        context: &context,
        client: &name,
        username: &username,
        nonce: &nonce,
        refusal: refusal.map(|refusal| answer::refused(ask, refusal)),
    };
    let mut page = pages::sign_in(ask, &form);
    page.headers.extend(cookie);
    Ok(page.into())
}

fn posted(aad: &Aad, ask: &Ask) -> Outcome {
    let form = ask.form()?;
    let context = form.get("ctx").ok_or_else(|| MISSING_PARAMETER.about(&["ctx"]))?;
    let wish = match aad.wishes().find(context, ask.now) {
        Found::Live(wish) if wish.ended => return Err(FLOW_EXPIRED.plain().into()),
        Found::Live(wish) => wish,
        Found::Expired(_) => return Err(FLOW_EXPIRED.plain().into()),
        Found::Unknown => return Err(MALFORMED.about(&["ctx is not one of this service"]).into()),
    };
    if wish.browser.is_none() || wish.browser != browser::known(ask) {
        return Err(FLOW_OF_OTHER_BROWSER.plain().into());
    }
    match user_of(aad, &wish.path, form, wish.version) {
        Err(refusal) => page(aad, ask, wish, Some(refusal)),
        Ok((user, tenant)) => {
            let ended = aad.wishes().change(context, |wish| std::mem::replace(&mut wish.ended, true));
            if ended != Some(false) {
                return Err(FLOW_EXPIRED.plain().into());
            }
            let id = aad.deps().ids.guid();
            let session = Session::new(tenant, user.object_id, vec!["pwd"], ask.now, id);
            let outcome = completed(aad, ask, &wish, &session).map(|mut page| {
                page.headers.push(session::open(aad, ask, session.clone()));
                page.into()
            });
            told(ask, &wish.back, outcome)
        }
    }
}

/// How long the sign-in page may stay open.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
