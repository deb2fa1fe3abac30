"""MSAL signs users in with their password; it finds the endpoints by itself."""

import requests

from checks import (LOGIN, MP, SCOPE, TENANT, TENANTS, UNKNOWN, USER, access, app, bearer, check, finish, needed,
                    refused, shown, status)
from msal_apps import public

OTHER = TENANTS[1]


def main():
    """Who gets a token, from where, and who does not."""
    home_user()
    for name in ("organizations", TENANT["domain"], *TENANT["other_domains"]):
        answer = sign_in(authority=f"{LOGIN}/{name}")
        check(f"the tenant is found from {name}", access(answer).get("tid") == TENANT["id"], shown(answer))
    refusals()
    other_tenant()


def sign_in(upn=USER["upn"], password=USER["password"], scope=SCOPE, **options):
    return public(**options).acquire_token_by_username_password(upn, password, [scope])


def home_user():
    client = public()
    answer = client.acquire_token_by_username_password(USER["upn"], USER["password"], [SCOPE])
    needed("MSAL signs the user in", "access_token" in answer, shown(answer))
    found = access(answer)
    check("a version 2 endpoint gives the version of token that the resource wants",
          (found["ver"], found["aud"]) == ("1.0", TENANT["resource"]), found)
    check("the token is the user's and no device's", found["upn"] == USER["upn"] and "deviceid" not in found, found)
    accounts = [(one["username"], one["home_account_id"]) for one in client.get_accounts()]
    check("MSAL knows the account by user and tenant",
          accounts == [(USER["upn"], f"{USER['id']}.{TENANT['id']}")], accounts)
    ask_for_ccm("CCM_STS takes the token", answer, "200 OK")


def refusals():
    refused("a wrong password", sign_in(password="wrong"), 50126)
    refused("an unknown user", sign_in("nobody@lab.test"), 50034)
    refused("a user who is switched off", sign_in("disabled@lab.test"), 50057)
    refused("a user who is locked out", sign_in("locked@lab.test"), 50053)
    answer = sign_in("mfa@lab.test")
    refused("a user who needs a second factor", answer, 50076)
    check("its suberror is basic_action", answer.get("suberror") == "basic_action", shown(answer))
    refused("an unknown app", sign_in(client=UNKNOWN), 700016)
    refused("an app that has a secret, without it", sign_in(client=app("Lab daemon")["id"]), 7000218)
    refused("an unknown resource", sign_in(scope="https://Nowhere/.default"), 500011)
    refused("a permission that the resource does not offer", sign_in(scope=f"{TENANT['resource']}/Nothing"), 70011)
    answer = sign_in(scope="api://lab-daemon/.default")
    refused("a resource that nobody consented to", answer, 65001)
    check("its suberror is consent_required", answer.get("suberror") == "consent_required", shown(answer))
    try:
        public(authority=f"{LOGIN}/{UNKNOWN}")
        check("MSAL refuses an unknown tenant", False, "it accepted it")
    except ValueError as error:
        # What the service said is the cause of what MSAL says.
        cause = str(error.__context__)
        check("MSAL refuses an unknown tenant: AADSTS90002", "AADSTS90002:" in cause, cause)


def other_tenant():
    carol = OTHER["users"][0]
    there = {"client": OTHER["client_app"], "authority": f"{LOGIN}/{OTHER['id']}"}
    answer = sign_in(carol["upn"], carol["password"], **there)
    if check("a user of another tenant signs in there", access(answer).get("tid") == OTHER["id"], shown(answer)):
        ask_for_ccm("the gateway does not know that tenant", answer, "401 CMGService_Invalid_Token")
    refused("a user of this tenant does not", sign_in(**there), 50034)
    refused("an app of that tenant is unknown here", sign_in(client=OTHER["client_app"]), 700016)


def ask_for_ccm(text, answer, expected):
    ccm = requests.get(f"{MP}/CCM_STS", headers=bearer(answer["access_token"]), timeout=30)
    check(f"{text}: {expected}", status(ccm) == expected, status(ccm))


main()
finish()
