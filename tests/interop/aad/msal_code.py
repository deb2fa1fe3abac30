"""MSAL signs users in at a browser: authorization codes with PKCE."""

from urllib.parse import urlencode

from browser import sign_in
from checks import HOME, SCOPE, TENANT, UNKNOWN, USER, access, app, check, finish, needed, refused, shown
from msal_apps import confidential, public

WEB = app("Lab web")
CALLBACK = "https://localhost/callback"
# Apps on a desktop listen where there is a free port.
DESKTOP = "http://localhost:53682"


def start(client, uri=DESKTOP, mode="form_post", password=USER["password"]):
    """A request of this client, and what the user's browser brings back."""
    flow = client.initiate_auth_code_flow([SCOPE], redirect_uri=uri, response_mode=mode)
    return flow, sign_in(flow["auth_uri"], USER["upn"], password)


def redeem(client, flow, visit):
    came_back = visit.params or {"error": repr(visit), "state": flow["state"]}
    return client.acquire_token_by_auth_code_flow(flow, came_back)


flow, visit = start(public())
needed("the browser comes back with a code", visit.params and "code" in visit.params, visit)
client = public()
answer = redeem(client, flow, visit)
needed("MSAL redeems it", "access_token" in answer, shown(answer))
# MSAL compares state and nonce itself.
told = answer["id_token_claims"]
check("the ID token is the user's, for this app",
      told["preferred_username"] == USER["upn"] and told["aud"] == TENANT["client_app"], told)
found = access(answer)
check("the access token is the user's, for the resource",
      found["upn"] == USER["upn"] and found["aud"] == TENANT["resource"], found)
check("MSAL knows the account", [one["username"] for one in client.get_accounts()] == [USER["upn"]], told)
refused("the same code once more", redeem(public(), flow, visit), 54005)

flow, visit = start(public(), mode="query")
answer = redeem(public(), {**flow, "code_verifier": flow["code_verifier"][::-1]}, visit)
refused("another code verifier", answer, 501481)
flow, visit = start(public())
refused("another redirect URI", redeem(public(), {**flow, "redirect_uri": CALLBACK}, visit), 500112)
refused("in the hands of another app", redeem(confidential(WEB), flow, visit), 70000)
flow, visit = start(public(), mode="query")
answer = redeem(public(), flow, visit)
check("a code in the query is as good", "access_token" in answer, shown(answer))

flow, visit = start(confidential(WEB), CALLBACK)
refused("a web app without its secret", redeem(public(WEB["id"]), flow, visit), 7000218)
flow, visit = start(confidential(WEB), CALLBACK)
refused("a web app with a wrong one", redeem(confidential(WEB, "wrong"), flow, visit), 7000215)
flow, visit = start(confidential(WEB), CALLBACK)
answer = redeem(confidential(WEB), flow, visit)
check("a web app with it, and its token says so", access(answer).get("appidacr") == "1", shown(answer))

for text, code, visit in (
    ("a wrong password in the browser", 50126, start(public(), password="wrong")[1]),
    ("a redirect URI that the app has not", 50011, start(public(), "https://localhost/elsewhere")[1]),
):
    check(f"{text}: AADSTS{code} on the page, and no code",
          visit.params is None and f"AADSTS{code}:" in visit.text, visit)
flow = public().initiate_auth_code_flow([SCOPE], DESKTOP, response_mode="query", prompt="none")
answer = redeem(public(), flow, sign_in(flow["auth_uri"], USER["upn"], USER["password"]))
check("no sign-in without a page: login_required", answer.get("error") == "login_required", shown(answer))
query = {"client_id": UNKNOWN, "response_type": "code", "redirect_uri": DESKTOP, "scope": SCOPE}
visit = sign_in(f"{HOME}/oauth2/v2.0/authorize?{urlencode(query)}", USER["upn"], USER["password"])
check("an unknown app in the browser: AADSTS700016 on the page, and no code",
      visit.params is None and "AADSTS700016:" in visit.text, visit)
finish()
