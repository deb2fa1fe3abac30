"""PyJWT and joserfc verify tokens with the keys that Azure AD publishes, as a service that takes them would.

The argument is a device token, a file of roadtx.
"""

import json
import sys
import time

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from joserfc import jwk
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError

from checks import (HOME, LOGIN, SCOPE, TENANT, TENANTS, base64url, check, finish, header, needed, shown, tampered)
from msal_apps import public

VERIFIED = "verified"
CAUSES = {
    "InvalidSignatureError": "signature", "BadSignatureError": "signature",
    "ExpiredSignatureError": "expired", "ExpiredTokenError exp": "expired",
    "InvalidAudienceError": "audience", "InvalidClaimError aud": "audience",
    "InvalidIssuerError": "issuer", "InvalidClaimError iss": "issuer",
    "InvalidAlgorithmError": "algorithm", "UnsupportedAlgorithmError": "algorithm",
}


def main():
    """Every library with both key documents; each twin is one property off what verifies."""
    with open(sys.argv[1], encoding="utf-8") as file:
        device = json.load(file)["accessToken"]
    user, foreign = sign_in(TENANT), sign_in(TENANTS[1])["access_token"]
    access = user["access_token"]
    metadata = [get(f"{HOME}{version}/.well-known/openid-configuration") for version in ("", "/v2.0")]
    # The resource wants version 1, whatever endpoint the token came from.
    right = {"audience": TENANT["resource"], "issuer": metadata[0]["issuer"]}
    identity = {"audience": TENANT["client_app"], "issuer": metadata[1]["issuer"]}
    for keys in (document["jwks_uri"] for document in metadata):
        check_keys(keys)
        for what, token, expected, outcome in [
            ("a user token", access, right, VERIFIED),
            ("a device token", device, right, VERIFIED),
            ("an ID token", user["id_token"], identity, VERIFIED),
            ("a user token tampered with", tampered(access), right, "signature"),
            ("a device token tampered with", tampered(device), right, "signature"),
            ("an unsigned one", unsigned(access), right, "algorithm"),
            ("one that has expired", access, {**right, "later": 2 * 3600}, "expired"),
            ("one for another audience", access, {**right, "audience": "https://elsewhere"}, "audience"),
            ("one of another tenant", foreign, right, "issuer"),
        ]:
            for verify in (pyjwt, joserfc):
                found = outcome_of(verify, keys, token, expected)
                where = f"{verify.__name__} with {keys.removeprefix(LOGIN)}"
                check(f"{where}: {what}: {outcome}", found == outcome, found)


def pyjwt(keys, token, audience, issuer, later=0):
    key = jwt.PyJWKClient(keys).get_signing_key_from_jwt(token)
    # It has no clock to set. A leeway below zero serves, but would make the token too new at its start.
    options = {"require": ["exp", "nbf", "iat"], "verify_nbf": not later, "verify_iat": not later}
    jwt.decode(token, key, ["RS256"], options, audience=audience, issuer=issuer, leeway=-later)


def joserfc(keys, token, audience, issuer, later=0):
    found = joserfc_jwt.decode(token, jwk.KeySet.import_key_set(get(keys)), ["RS256"])
    dates = {name: {"essential": True} for name in ("exp", "nbf", "iat")}
    rules = joserfc_jwt.JWTClaimsRegistry(
        now=int(time.time()) + later, **dates,
        aud={"essential": True, "value": audience}, iss={"essential": True, "value": issuer})
    rules.validate(found.claims)


def outcome_of(verify, keys, token, expected):
    """`verified`, or what the library holds against the token."""
    try:
        verify(keys, token, **expected)
        return VERIFIED
    except (jwt.PyJWTError, JoseError) as error:
        name = f"{type(error).__name__} {getattr(error, 'claim', '') or ''}".strip()
        return CAUSES.get(name, f"{name}: {error}")


def check_keys(keys):
    """The document itself: a key to come beside the current one, each named after its certificate."""
    found = get(keys)["keys"]
    for key in found:
        name = key["kid"]
        certificate = x509.load_pem_x509_certificate(
            f"-----BEGIN CERTIFICATE-----\n{key['x5c'][0]}\n-----END CERTIFICATE-----".encode())
        thumbprint = base64url(certificate.fingerprint(hashes.SHA1()))
        numbers = certificate.public_key().public_numbers()
        modulus = base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big"))
        check(f"key {name} of {keys.removeprefix(LOGIN)} is its certificate's",
              name == key["x5t"] == thumbprint and key["n"] == modulus, key)
    check("there is more than one key", len(found) > 1, found)


def unsigned(token):
    """The same claims under `alg` none."""
    head = base64url(json.dumps({**header(token), "alg": "none"}).encode())
    return f"{head}.{token.split('.')[1]}."


def sign_in(tenant):
    user, client = tenant["users"][0], public(tenant["client_app"], f"{LOGIN}/{tenant['id']}")
    answer = client.acquire_token_by_username_password(user["upn"], user["password"], [SCOPE])
    needed(f"MSAL signs {user['upn']} in", {"access_token", "id_token"} <= set(answer), shown(answer))
    return answer


def get(url):
    return requests.get(url, timeout=30).json()


main()
finish()
