"""Microsoft's own library for Python signs a user in; it finds the endpoints by itself."""

import msal
import requests

from checks import LOGIN, MP, TENANT, USER, bearer, check, claims, finish, status


def sign_in(password):
    # A new one each time: the library answers from its cache after errors.
    app = msal.PublicClientApplication(TENANT["client_app"], authority=f"{LOGIN}/{TENANT['id']}")
    return app, app.acquire_token_by_username_password(USER["upn"], password, [f"{TENANT['resource']}/.default"])


app, answer = sign_in(USER["password"])
if check("MSAL signs the user in", "access_token" in answer, answer):
    token = answer["access_token"]
    check("a version 2 endpoint gives the version of token that the resource wants",
          claims(token)["ver"] == "1.0" and claims(token)["aud"] == TENANT["resource"], claims(token))
    check("MSAL knows the account", [one["username"] for one in app.get_accounts()] == [USER["upn"]], app.get_accounts())
    ccm = requests.get(f"{MP}/CCM_STS", headers=bearer(token), timeout=30)
    check("CCM_STS takes the token", ccm.status_code == 200, status(ccm))
_, answer = sign_in("wrong")
check("MSAL reports a wrong password as AADSTS50126", answer.get("error_codes") == [50126], answer)
finish()
