"""PyJWT verifies a device token (file of roadtx) with the keys that Azure AD publishes."""

import json
import sys

import jwt
from cryptography import x509
from cryptography.x509.oid import NameOID

from checks import LOGIN, TENANT, check, finish

with open(sys.argv[1], encoding="utf-8") as file:
    token = json.load(file)["accessToken"]
with open(sys.argv[2], "rb") as file:
    subject = x509.load_pem_x509_certificate(file.read()).subject
device = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
issuer = f"https://sts.windows.net/{TENANT['id']}/"


def verify(keys, **expected):
    key = jwt.PyJWKClient(f"{LOGIN}/{keys}").get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], options={"require": ["exp", "nbf", "iat"]}, **expected)


PUBLISHED = ("common/discovery/keys", f"{TENANT['id']}/discovery/v2.0/keys")
for keys in PUBLISHED:
    claims = verify(keys, audience=TENANT["resource"], issuer=issuer)
    check(f"PyJWT verifies the device token with {keys}", True)
for wrong in ({"audience": "https://elsewhere", "issuer": issuer},
              {"audience": TENANT["resource"], "issuer": "https://elsewhere"}):
    try:
        verify(PUBLISHED[0], **wrong)
        check(f"PyJWT refuses it for {wrong}", False, "it was accepted")
    except (jwt.InvalidAudienceError, jwt.InvalidIssuerError) as error:
        check(f"PyJWT refuses it where another is expected: {error}", True)
check("the token is the device's", claims["deviceid"] == claims["sub"] == device, claims)
check("it names no user", claims["idtyp"] == "device" and not {"upn", "unique_name", "scp"} & set(claims), claims)
check("it is valid for 65 minutes", claims["exp"] - claims["iat"] == 3900, claims)
finish()
