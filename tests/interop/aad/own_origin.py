"""Azure AD under an origin of its own: clients that hold an issuer to its address take it as it is."""

import jwt
import requests

from browser import sign_in
from checks import (HOME, MP, READY, SCOPE, TENANT, USER, bearer, check, claims, finish, needed, shown, status,
                    tampered)
from msal_apps import public

OWN = f"{READY['own_origin']}/{TENANT['id']}"

metadata = requests.get(f"{OWN}/v2.0/.well-known/openid-configuration", timeout=30).json()
check("the issuer is its address", metadata["issuer"] == f"{OWN}/v2.0", metadata)
elsewhere = [url for name, url in metadata.items()
             if name.endswith(("_endpoint", "_uri")) and not url.startswith(READY["own_origin"])]
check("it sends nobody elsewhere", not elsewhere, elsewhere)

# This kind of authority is compared with the issuer; neither has a name that MSAL knows.
client = public(authority=None, oidc_authority=f"{OWN}/v2.0")
flow = client.initiate_auth_code_flow([SCOPE], redirect_uri="http://localhost:53682", response_mode="form_post")
visit = sign_in(flow["auth_uri"], USER["upn"], USER["password"])
needed("a user signs in at a browser", visit.params and "code" in visit.params, visit)
answer = client.acquire_token_by_auth_code_flow(flow, visit.params)
needed("MSAL has the tokens", {"access_token", "id_token"} <= set(answer), shown(answer))


def verify(token, issuer, audience):
    """`verified`, or the error of PyJWT."""
    try:
        key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token)
        jwt.decode(token, key, ["RS256"], issuer=issuer, audience=audience)
        return "verified"
    except jwt.PyJWTError as error:
        return type(error).__name__


access, identity = answer["access_token"], answer["id_token"]
microsofts = requests.get(f"{HOME}/.well-known/openid-configuration", timeout=30).json()["issuer"]
for text, expected, found in (
    ("PyJWT verifies the ID token", "verified", verify(identity, metadata["issuer"], TENANT["client_app"])),
    ("and the access token, of version 1", "verified", verify(access, f"{OWN}/", TENANT["resource"])),
    ("not one tampered with", "InvalidSignatureError", verify(tampered(access), f"{OWN}/", TENANT["resource"])),
    ("not as one of Microsoft's", "InvalidIssuerError", verify(access, microsofts, TENANT["resource"])),
):
    check(f"{text}: {expected}", found == expected, found)
check("the token is the user's", claims(access)["upn"] == USER["upn"], claims(access))
ccm = requests.get(f"{MP}/CCM_STS", headers=bearer(access), timeout=30)
check("the gateway, which knows Microsoft's issuer, does not take it: 401 CMGService_Invalid_Token",
      status(ccm) == "401 CMGService_Invalid_Token", status(ccm))
finish()
