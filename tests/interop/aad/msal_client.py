"""MSAL gets tokens for an app itself: with its secret, and with its certificate in both forms."""

import datetime
import re

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from checks import LOGIN, READY, SCOPE, TENANT, UNKNOWN, access, app, check, finish, refused, shown
from msal_apps import confidential

DAEMON = app("Lab daemon")


def main():
    """Each credential, and what must not do in its place."""
    token = granted("a secret", None, "1")
    check("it is the app's: a role, and no user",
          token.get("roles") == ["Lab.Read"] and token.get("oid") == token.get("sub") and "upn" not in token, token)
    refused("a wrong secret", ask("wrong"), 7000215)
    refused("an unknown app", ask(one={**DAEMON, "id": UNKNOWN}), 700016)
    refused("an unknown resource", ask(scope="https://Nowhere/.default"), 500011)
    refused("no tenant", ask(authority=f"{LOGIN}/common"), 50059)

    with open(READY["app_certificates"][DAEMON["id"]], encoding="ascii") as file:
        pem = file.read()
    own, stranger = parts(pem), self_made()
    # With the certificate MSAL signs PS256 and names it by SHA-256; with a thumbprint RS256, and by SHA-1.
    granted("a certificate", {"private_key": own[0], "public_certificate": own[1]}, "2")
    granted("its thumbprint", {"private_key": own[0], "thumbprint": sha1(own[1])}, "2")
    refused("another certificate", ask({"private_key": stranger[0], "public_certificate": stranger[1]}), 700027)
    refused("another key under its thumbprint", ask({"private_key": stranger[0], "thumbprint": sha1(own[1])}), 700027)


def ask(credential=None, one=DAEMON, scope=SCOPE, **options):
    return confidential(one, credential, **options).acquire_token_for_client([scope])


def granted(what, credential, proof):
    """Checks that this credential gets a token that says how the app proved itself; its claims."""
    answer = ask(credential)
    if not check(f"an app with {what} gets a token", "access_token" in answer, shown(answer)):
        return {}
    token = access(answer)
    named = (token["appid"], token["aud"], token["idtyp"]) == (DAEMON["id"], TENANT["resource"], "app")
    check(f"the token says that it had {what}", named and token["appidacr"] == proof, token)
    check("there is nothing to refresh it with", not {"refresh_token", "id_token"} & set(answer), shown(answer))
    return token


def parts(pem):
    """Key and certificate of a PEM file that has both."""
    blocks = re.finditer(r"-----BEGIN (?:RSA )?([A-Z ]+)-----.*?-----END [A-Z ]+-----\n?", pem, re.DOTALL)
    found = {block[1]: block[0] for block in blocks}
    return found["PRIVATE KEY"], found["CERTIFICATE"]


def sha1(certificate):
    return x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA1()).hex().upper()


def self_made():
    """A key and a certificate that nobody has registered, under the name of the app."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab daemon")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30)).sign(key, hashes.SHA256())
    )
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = serialization.Encoding.PEM
    return key.private_bytes(pem, *form).decode(), certificate.public_bytes(pem).decode()


main()
finish()
