//! What a request wants a token for: `resource` of version 1 or `scope` of version 2 (entra §4.5).

use crate::errors::{BAD_SCOPE, MALFORMED, MISSING_PARAMETER, Refusal};
use crate::first_party::GRAPH_URI;
use crate::route::Version;

/// The target of a request, as it names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The resource.
    pub(crate) resource: String,
    /// The scopes for that resource, as asked.
    pub(crate) scopes: Vec<String>,
    /// The scopes about the user, which are granted as asked.
    pub(crate) about_user: Vec<String>,
    /// Whether access is to outlast the session.
    pub(crate) offline: bool,
}

impl Target {
    /// Reads the target of an authorization request. As [`Self::named`], but that in version 1 a sign-in
    /// that names none means Microsoft Graph (inferred).
    pub(crate) fn of(version: Version, resource: Option<&str>, scope: Option<&str>) -> Result<Self, Refusal> {
        let openid = scope.unwrap_or_default().split_ascii_whitespace().any(|word| word == OPENID);
        match Self::named(version, resource, scope) {
            Err(refusal) if openid && refusal.row == &MISSING_PARAMETER => {
                Self::named(version, Some(GRAPH_URI), scope)
            }
            named => named,
        }
    }

    /// Reads the target of a request. A `resource` goes first; version 1 needs it, version 2 needs a `scope`.
    pub(crate) fn named(
        version: Version,
        resource: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Self, Refusal> {
        let missing = match version {
            Version::V1 => "resource",
            Version::V2 => "scope",
        };
        let words = || scope.unwrap_or_default().split_ascii_whitespace();
        let offline = words().any(|word| word == OFFLINE);
        let about_user = ABOUT_USER.into_iter().filter(|known| words().any(|word| word == *known));
        let about_user = about_user.map(str::to_owned).collect();
        if let Some(resource) = resource {
            if resource.len() > MAX_SCOPE {
                return Err(MALFORMED.about(&[&format!("resource is longer than {MAX_SCOPE} bytes")]));
            }
            return Ok(Self { resource: resource.to_owned(), scopes: Vec::new(), about_user, offline });
        }
        let mut target: Option<&str> = None;
        let mut scopes = Vec::new();
        for word in words().filter(|word| !ABOUT_USER.contains(word) && *word != OFFLINE) {
            if word.len() > MAX_SCOPE || scopes.len() == MAX_SCOPES {
                return Err(BAD_SCOPE.about(&["It is too long."]));
            }
            let (resource, _) = split(word);
            if target.is_some_and(|earlier| earlier != resource) {
                return Err(BAD_SCOPE.about(&["It names more than one resource."]));
            }
            target = Some(resource);
            scopes.push(word.to_owned());
        }
        // A request of version 2 that names no resource means Microsoft Graph; version 1 must name one.
        let graph = scope.filter(|_| version == Version::V2).map(|_| GRAPH_URI);
        let resource = target.or(graph).ok_or_else(|| MISSING_PARAMETER.about(&[missing]))?;
        Ok(Self { resource: resource.to_owned(), scopes, about_user, offline })
    }

    /// Checks that nothing is asked for that the resource does not offer.
    pub(crate) fn check_permissions(&self, offered: &[String]) -> Result<(), Refusal> {
        let unknown = |scope: &&String| {
            let permission = split(scope).1;
            permission != DEFAULT && !offered.iter().any(|one| one == permission)
        };
        match self.scopes.iter().find(unknown) {
            Some(scope) => Err(BAD_SCOPE.about(&[&format!("The scope {scope} is not valid.")])),
            None => Ok(()),
        }
    }

    /// The permissions that are asked for by name.
    pub(crate) fn permissions(&self) -> Vec<&str> {
        self.scopes.iter().map(|scope| split(scope).1).filter(|permission| *permission != DEFAULT).collect()
    }

    /// The scopes that are granted: the permissions, what was asked, and what it says about the user. Clients
    /// look for their own words among them.
    pub(crate) fn granted(&self, permissions: &str, refresh: bool) -> String {
        let held = permissions.split(' ').map(|permission| format!("{}/{permission}", self.resource));
        let mut all: Vec<String> = held.collect();
        let offline = refresh.then(|| OFFLINE.to_owned());
        for scope in self.scopes.iter().chain(&self.about_user).cloned().chain(offline) {
            if !all.contains(&scope) {
                all.push(scope);
            }
        }
        all.join(" ")
    }

    /// Whether a refresh token is due: version 1 always gives one (entra §4.5).
    pub(crate) fn wants_refresh(&self, version: Version) -> bool {
        version == Version::V1 || self.offline
    }

    pub(crate) fn wants_email(&self) -> bool {
        self.about_user.iter().any(|scope| scope == EMAIL)
    }

    pub(crate) fn wants_id_token(&self) -> bool {
        self.about_user.iter().any(|scope| scope == OPENID)
    }
}

/// Whether a scope says more than what it wants to know about the user.
pub(crate) fn names_resource(scope: &str) -> bool {
    scope.split_ascii_whitespace().any(|word| !ABOUT_USER.contains(&word) && word != OFFLINE)
}

/// The resource and the permission of one scope: `https://ConfigMgrService//.default` is the resource with a
/// slash at its end, and a bare word is one of Graph's.
fn split(scope: &str) -> (&str, &str) {
    scope.rsplit_once('/').unwrap_or((GRAPH_URI, scope))
}

const OPENID: &str = "openid";
const ABOUT_USER: [&str; 3] = [OPENID, "profile", EMAIL];
const EMAIL: &str = "email";
const OFFLINE: &str = "offline_access";
/// Everything that was granted.
const DEFAULT: &str = ".default";
/// In bytes; of a resource too.
const MAX_SCOPE: usize = 512;
const MAX_SCOPES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_names_a_resource() {
        let target = Target::of(Version::V1, Some("https://x"), Some("openid")).unwrap();
        assert_eq!((target.resource.as_str(), target.wants_id_token()), ("https://x", true));
        let refusal = Target::named(Version::V1, None, Some("openid")).unwrap_err();
        assert_eq!(refusal, MISSING_PARAMETER.about(&["resource"]));
    }

    #[test]
    fn a_sign_in_of_version_1_means_graph() {
        let target = Target::of(Version::V1, None, Some("openid profile")).unwrap();
        assert_eq!((target.resource.as_str(), target.wants_id_token()), (GRAPH_URI, true));
        for scope in [None, Some("profile")] {
            let refusal = Target::of(Version::V1, None, scope).unwrap_err();
            assert_eq!(refusal, MISSING_PARAMETER.about(&["resource"]), "{scope:?}");
        }
    }

    #[test]
    fn a_target_is_not_larger_than_it_needs_to_be() {
        let scope = "openid ".repeat(10_000) + "email openid offline_access";
        let target = Target::of(Version::V2, None, Some(&scope)).unwrap();
        assert_eq!(
            (target.about_user, target.offline),
            (vec!["openid".to_owned(), "email".to_owned()], true)
        );
        let of = |length| Target::of(Version::V1, Some(&"x".repeat(length)), None);
        assert!(of(MAX_SCOPE).is_ok());
        assert_eq!(of(MAX_SCOPE + 1).unwrap_err().row, &MALFORMED);
    }

    #[test]
    fn version_2_names_it_in_the_scope() {
        let of = |scope| Target::of(Version::V2, None, Some(scope));
        let target = of("https://x/.default offline_access openid profile").unwrap();
        assert_eq!(target.resource, "https://x");
        assert_eq!(
            target.granted("user_impersonation", true),
            "https://x/user_impersonation https://x/.default openid profile offline_access"
        );
        assert!(target.wants_refresh(Version::V2) && !of("openid").unwrap().wants_refresh(Version::V2));
        assert_eq!(of("https://x//.default").unwrap().resource, "https://x/");
        assert_eq!(of("openid").unwrap().resource, GRAPH_URI);
        assert_eq!(of("User.Read").unwrap().resource, GRAPH_URI);
        assert!(of("https://x/.default https://x/user_impersonation").is_ok());
        assert_eq!(of("https://x/.default https://y/.default").unwrap_err().row, &BAD_SCOPE);
        assert_eq!(Target::of(Version::V2, None, None), Err(MISSING_PARAMETER.about(&["scope"])));
    }

    #[test]
    fn unknown_permissions_are_refused() {
        let offered = ["user_impersonation".to_owned()];
        let of = |scope| Target::of(Version::V2, None, Some(scope)).unwrap().check_permissions(&offered);
        assert_eq!(of("https://x/user_impersonation"), Ok(()));
        assert!(of("https://x/root").is_err());
    }
}
