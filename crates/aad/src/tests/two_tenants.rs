//! Two tenants that are alike but for their ids never take each other's tokens, codes, keys or devices.
//!
//! Both have the same applications under the same names, URIs and certificates, and a user of the same name
//! with the same password. Each visit takes something that one tenant has given out across to the other: by
//! the path, by whose client or device stands beside it, or both. Then it is used at home, where it is good.

mod kinds;
mod sides;
mod uses;

use cmglab_token::peek;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use self::kinds::{KINDS, Kind, mint};
use self::sides::{SIDES, Side, World};
use self::uses::attempt;
use super::lab::Reply;
use crate::form::Form;
use crate::route::Version;

/// Something that is taken across.
#[derive(Debug, Clone, Copy)]
struct Visit {
    kind: Kind,
    /// Which tenant gave it out.
    from: usize,
    place: Place,
    /// Whether the client, or the device where that matters, is the other tenant's.
    with_other: bool,
    version: Version,
}

/// The tenant that the path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Own,
    Common,
    OtherDomain,
    OtherId,
}

/// How something is used.
struct At<'a> {
    /// Who gave it out.
    own: &'a Side,
    /// Whose client or device stands beside it.
    beside: &'a Side,
    tenant: String,
    version: Version,
}

impl Visit {
    fn own(&self) -> &'static Side {
        &SIDES[self.from]
    }

    /// Across, by what can cross with a thing of this kind.
    fn across(&self) -> At<'static> {
        let (own, other) = (self.own(), &SIDES[1 - self.from]);
        let with_other = self.with_other || self.kind.has_no_path();
        let stays = matches!(self.place, Place::Own | Place::Common);
        let place =
            if stays && (self.kind.has_path_alone() || !with_other) { Place::OtherId } else { self.place };
        let tenant = match place {
            Place::Own => own.domain.to_owned(),
            Place::Common => "common".to_owned(),
            Place::OtherDomain => other.domain.to_uppercase(),
            Place::OtherId => other.tenant.to_string(),
        };
        At { own, beside: if with_other { other } else { own }, tenant, version: self.version }
    }

    fn at_home(&self) -> At<'static> {
        let own = self.own();
        At { own, beside: own, tenant: own.domain.to_owned(), version: self.version }
    }

    /// That it is refused across, and good at home all the same.
    async fn check(&self, world: &World) -> Result<(), TestCaseError> {
        let thing = mint(world, self.kind, self.own()).await;
        let before = world.lab.aad.devices();
        let at = self.across();
        let reply = attempt(world, self.kind, &thing, &at).await;
        prop_assert!(refuses(&reply), "{self:?} at {}: {} {}", at.tenant, reply.status, reply.text);
        prop_assert_eq!(&world.lab.aad.devices(), &before, "{:?}", self);
        let reply = attempt(world, self.kind, &thing, &self.at_home()).await;
        prop_assert!(gives(&reply), "{self:?} at home: {} {}", reply.status, reply.text);
        for token in ["access_token", "id_token"].iter().filter_map(|name| reply.json[name].as_str()) {
            let (_, claims) = peek(token).unwrap();
            prop_assert_eq!(&claims["tid"], &json!(self.own().tenant), "{:?}", self);
        }
        Ok(())
    }
}

/// Whether an answer says no, and has nothing in it to go on with.
fn refuses(reply: &Reply) -> bool {
    let no = reply.status >= 400 || back(reply, "error").is_some() || reply.text.contains("ConvergedError");
    // What tokens, signed or encrypted, start with.
    no && !gives(reply) && !reply.text.contains("eyJ")
}

/// Whether an answer has what was asked for.
fn gives(reply: &Reply) -> bool {
    let encrypted = reply.headers["content-type"].to_str().unwrap().starts_with("application/jose");
    let deleted = reply.status == 200 && reply.text.is_empty();
    let named = PRODUCTS.iter().any(|name| reply.json.get(name).is_some());
    encrypted || deleted || named || back(reply, "code").is_some()
}

/// A parameter of a redirection.
fn back(reply: &Reply, name: &str) -> Option<String> {
    let (_, query) = reply.headers.get("location")?.to_str().unwrap().split_once('?')?;
    Form::parse(query.as_bytes()).unwrap().get(name).map(str::to_owned)
}

const PRODUCTS: [&str; 7] =
    ["access_token", "id_token", "refresh_token", "session_key_jwe", "x5c", "Certificate", "krctx"];
const PLACES: [Place; 4] = [Place::Own, Place::Common, Place::OtherDomain, Place::OtherId];
const VERSIONS: [Version; 2] = [Version::V1, Version::V2];

fn visit() -> impl Strategy<Value = Visit> {
    let version = select(&VERSIONS[..]);
    (select(KINDS), 0..2_usize, select(&PLACES[..]), any::<bool>(), version)
        .prop_map(|(kind, from, place, with_other, version)| Visit { kind, from, place, with_other, version })
}

fn block_on<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(what)
}

proptest! {
    // What is printed of a failure repeats it: the lab is the same each time.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_crosses_whatever_came_before(visits in prop::collection::vec(visit(), 1..8)) {
        block_on(async {
            let world = World::new().await;
            for visit in &visits {
                visit.check(&world).await?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}

#[tokio::test]
async fn nothing_crosses_by_any_way() {
    for &kind in KINDS {
        let world = World::new().await;
        for (from, place) in [0, 1].into_iter().flat_map(|from| PLACES.map(|place| (from, place))) {
            for (with_other, version) in
                [true, false].into_iter().flat_map(|other| VERSIONS.map(|one| (other, one)))
            {
                Visit { kind, from, place, with_other, version }.check(&world).await.unwrap();
            }
        }
    }
}

/// Where the path leaves the tenant open, the device of one may come along with the user of the other; it
/// proves nothing.
#[tokio::test]
async fn a_device_is_not_named_beside_the_other_tenants_user() {
    let world = World::new().await;
    for (from, by) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let (user, device) = (&SIDES[from], &SIDES[by]);
        let named = uses::page_with_device(&world, user.domain, user, device).await;
        assert_eq!((named.text.contains("ConvergedSignIn"), refuses(&named)), (from == by, from != by));
        let open = uses::page_with_device(&world, "common", user, device).await;
        let code = uses::sign_in(&world, &open, user).await;
        let token = uses::redeem(&world, &code, &Visit { from, ..HOME }.at_home()).await;
        let (_, claims) = peek(token.json["access_token"].as_str().unwrap()).unwrap();
        let device = if from == by { json!(world.device(user).id) } else { Value::Null };
        assert_eq!(claims["deviceid"], device, "{from} {by}");
    }
}

const HOME: Visit =
    Visit { kind: Kind::Code, from: 0, place: Place::Own, with_other: false, version: Version::V2 };
