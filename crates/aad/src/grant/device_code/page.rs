//! The page where a user enters the code that a device shows.

use http::Method;

use super::store::{State, settled as event};
use super::{SignedIn, approve};
use crate::Aad;
use crate::answer::{self, Outcome, Page, Trouble};
use crate::ask::Ask;
use crate::authorize::{on_page, user_of};
use crate::errors::{MISSING_PARAMETER, Refusal, UNKNOWN_TENANT};
use crate::form::Form;
use crate::pages::{self, DeviceForm};
use crate::route::Version;
use crate::tenant_ref::TenantRef;

/// Answers the page.
pub(crate) fn answer(aad: &Aad, ask: &Ask, tenant: &str) -> Outcome {
    on_page(ask, shown(aad, ask, tenant))
}

fn shown(aad: &Aad, ask: &Ask, tenant: &str) -> Outcome {
    let path = aad.directory().tenant_ref(tenant);
    if let TenantRef::Unknown(_) | TenantRef::Consumers = path {
        return Err(UNKNOWN_TENANT.about(&[&path.to_string()]).into());
    }
    match ask.method {
        Method::GET => Ok(page(ask, &path, &ask.query, None).into()),
        Method::POST => {
            let form = ask.form()?;
            let page = settled(aad, ask, &path, form)
                .unwrap_or_else(|refusal| page(ask, &path, form, Some(refusal)));
            Ok(page.into())
        }
        _ => Err(Trouble::Method("GET, POST")),
    }
}

fn settled(aad: &Aad, ask: &Ask, path: &TenantRef, form: &Form) -> Result<Page, Refusal> {
    let code = form.get("user_code").ok_or_else(|| MISSING_PARAMETER.about(&["user_code"]))?;
    if form.get("action") == Some("decline") {
        let code = aad.device_code_store().settle(code, ask.now, |_| Ok(State::Declined))?;
        ask.voice.emit(event(code, None));
        return Ok(pages::message("Declined", "The device was not signed in. You can close this page."));
    }
    let (user, tenant) = user_of(aad, path, form, Version::V2)?;
    let code = approve(aad, code, SignedIn { tenant, user: user.object_id }, ask.now)?;
    ask.voice.emit(event(code, Some(user.object_id)));
    Ok(pages::message("Signed in", "The device is signed in. You can close this page."))
}

fn page(ask: &Ask, path: &TenantRef, params: &Form, refusal: Option<Refusal>) -> Page {
    let code = params.get("user_code").or_else(|| params.get("otc")).unwrap_or_default();
    let action = format!("/{path}/oauth2/deviceauth");
    pages::device(&DeviceForm {
        action: &action,
        user_code: code,
        username: params.get("login").unwrap_or_default(),
        refusal: refusal.map(|refusal| answer::refused(ask, refusal)),
    })
}
