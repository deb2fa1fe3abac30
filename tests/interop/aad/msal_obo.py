"""A web app that was called by a user calls on, in the user's name: on behalf of."""

from checks import SCOPE, TENANT, USER, access, app, check, finish, needed, refused, shown, tampered
from msal_apps import confidential, public

WEB = app("Lab web")
CALL = "api://lab-web/access_as_user"


def sign_in(scope):
    answer = public().acquire_token_by_username_password(USER["upn"], USER["password"], [scope])
    needed(f"a user has a token for {scope}", "access_token" in answer, shown(answer))
    return answer


def on_behalf(token, credential=None, scope=SCOPE):
    return confidential(WEB, credential).acquire_token_on_behalf_of(token, [scope])


call = sign_in(CALL)
check("its audience is the web app", access(call)["aud"] == "api://lab-web", access(call))
token = call["access_token"]
answer = on_behalf(token)
needed("the web app exchanges it", "access_token" in answer, shown(answer))
found = access(answer)
check("the new one is for the resource, and still the user's",
      (found["aud"], found["upn"], found["oid"]) == (TENANT["resource"], USER["upn"], USER["id"]), found)
check("it names the web app as the client, with its secret",
      (found["appid"], found["appidacr"], found["scp"]) == (WEB["id"], "1", "user_impersonation"), found)

refused("the token tampered with", on_behalf(tampered(token)), 50013)
refused("a token for somebody else", on_behalf(sign_in(SCOPE)["access_token"]), 50013)
refused("a wrong secret", on_behalf(token, "wrong"), 7000215)
refused("an unknown resource", on_behalf(token, scope="https://Nowhere/.default"), 500011)
refused("a resource that nobody consented to", on_behalf(token, scope="api://lab-daemon/.default"), 65001)
finish()
