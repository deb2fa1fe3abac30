"""Primary refresh tokens from the protocol alone: a device with two keys, its PRT, and tokens for it.

Only requests and cryptography.
"""

import base64
import datetime
import os
import uuid

import requests
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from checks import (LOGIN, MP, TENANT, USER, access, bearer, check, claims, finish, needed, refused, shown,
                    status)
from prt_protocol import derive, open_answer, signed_by_device, signed_by_session, unwrap

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SIGN_IN = "38aa3b87-a06d-4817-b275-7a316988d93b"
BROKER = "29d9ed98-a469-4536-ade2-f981bc1d605e"
REGISTRATION = "https://enterpriseregistration.windows.net/EnrollmentServer/device/"
CLIENT = TENANT["client_app"]


def main():
    """From the published numbers to a CCM token."""
    vectors()
    key, transport = new_key(), new_key()
    certificate = join(key, transport)
    issued = issue(key, certificate, transport)
    session = unwrap(issued["session_key_jwe"], transport)
    check("the session key is 32 bytes, wrapped for the transport key", len(session) == 32, len(session))
    content(issued["session_key_jwe"], session)
    redeem(issued["refresh_token"], session)
    leave(key, certificate)
    answer = ask_by_session(issued["refresh_token"], session, 2)
    refused("the PRT of a device that has left", answer.json(), 700003)


def vectors():
    session, ctx = b"\1" * 32, b"\2" * 24
    check("key derivation, version 1", derive(session, ctx).hex()
          == "bc33fa55ab0f7b1611bca6e4ef73543a3b9ce1cfb905791debbeb120b8b4b830")
    check("key derivation, version 2", derive(session, ctx, b'{"a":1}').hex()
          == "27018e65da737bf7fb5ab9e7978c5c160956167bf1add1c27467e65186893bc6")


def join(key, transport):
    """Joins a device whose transport key is not the one in its certificate; the certificate, DER."""
    form = {"grant_type": "password", "client_id": BROKER, "username": USER["upn"], "password": USER["password"],
            "resource": "urn:ms-drs:enterpriseregistration.windows.net"}
    answer = post(form, "common").json()
    needed("a token to join devices with", "access_token" in answer, shown(answer))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "7E980AD9-B86D-4306-9425-9AC066FB014A")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    request = {
        "CertificateRequest": {"Type": "pkcs10", "Data": base64_of(csr.public_bytes(serialization.Encoding.DER))},
        "TransportKey": base64_of(rsa_blob(transport)), "TargetDomain": "lab.test", "DeviceType": "Windows",
        "OSVersion": "10.0.22631.0", "DeviceDisplayName": "PRTPC", "JoinType": 0,
        "attributes": {"ReuseDevice": "true", "ReturnClientSid": "true", "SharedDevice": "false"},
    }
    answer = requests.post(f"{REGISTRATION}?api-version=2.0", json=request,
                           headers=bearer(answer["access_token"]), timeout=30)
    needed("a device joins", answer.status_code == 200, answer.text)
    return base64.b64decode(answer.json()["Certificate"]["RawBody"])


def issue(key, certificate, transport):
    """A PRT for a password, under the device's key; and what gives none."""
    def ask(by=key, password=USER["password"], nonce=None, certificate=certificate):
        payload = {"client_id": SIGN_IN, "request_nonce": nonce or new_nonce(), "scope": "openid aza ugs",
                   "group_sids": [], "win_ver": "10.0.22621.608", "grant_type": "password",
                   "username": USER["upn"], "password": password}
        form = {"windows_api_version": "2.2", "grant_type": JWT_BEARER, "client_info": "1", "tgt": "true",
                "request": signed_by_device(payload, by, certificate)}
        return post(form).json()

    refused("a PRT for a wrong password", ask(password="wrong"), 50126)
    refused("with a nonce that was never given", ask(nonce="AwABAAEAAAAC"), 140000)
    refused("signed with another key than the certificate's", ask(by=transport), 50155)
    refused("with a certificate that nobody issued", ask(by=transport, certificate=self_signed(transport)), 50155)
    answer = ask()
    needed("a PRT for the password", {"refresh_token", "session_key_jwe"} <= set(answer), shown(answer))
    kinds = [type(answer.get(name)) for name in ("expires_in", "expires_on", "refresh_token_expires_in")]
    check("its figures are text, but for the PRT's own", kinds == [str, str, int], shown(answer))
    check("it lasts 14 days", answer["refresh_token_expires_in"] in (1209599, 1209600), shown(answer))
    told = claims(answer["id_token"])
    check("its ID token is the user's", (told["oid"], told["tid"]) == (USER["id"], TENANT["id"]), told)
    return answer


def content(wrapped, session):
    """What else is in the session key's JWE: a space, without additional data, as some clients decrypt it."""
    _, _, nonce, text, tag = (base64.urlsafe_b64decode(part + "==") for part in wrapped.split("."))

    def opened(tag):
        try:
            return AESGCM(session).decrypt(nonce, text + tag, None)
        except InvalidTag:
            return None

    check("the session key opens the rest of its JWE", opened(tag) == b" ", opened(tag))
    check("and refuses it with another tag", opened(bytes([tag[0] ^ 1]) + tag[1:]) is None, "it opened it")


def redeem(prt, session):
    """Access tokens for the PRT, by both derivations; and what gives none."""
    for version in (1, 2):
        text = f"redeemed by version {version}"
        answer = ask_by_session(prt, session, version)
        needed(text, answer.status_code == 200, answer.text)
        kind = answer.headers["Content-Type"]
        check(f"{text}: the answer is JOSE", kind.startswith("application/jose"), kind)
        _, document = open_answer(answer.text, session)
        token = access(document)
        check(f"{text}: the token is the user's on the device",
              token.get("upn") == USER["upn"] and "deviceid" in token, shown(document))
        check(f"{text}: figures are text", isinstance(document.get("expires_in"), str), shown(document))
    ccm = requests.get(f"{MP}/CCM_STS", headers=bearer(document["access_token"]), timeout=30)
    check("CCM_STS takes the token", ccm.status_code == 200, status(ccm))
    try:
        open_answer(answer.text, bytes(32))
        check("another session key does not open the answer", False, "it did")
    except ValueError as error:
        check("another session key does not open the answer", True, error)

    _, document = open_answer(ask_by_session(prt, session, 2, scope="openid aza", client_id=BROKER).text, session)
    check("with aza there is a new PRT", document.get("refresh_token") not in (None, prt)
          and isinstance(document.get("refresh_token_expires_in"), int), shown(document))
    answer = ask_by_session(document["refresh_token"], session, 2)
    check("the new PRT works with the old session key", answer.status_code == 200, answer.text)

    for text, code, answer in (
        ("another session key", 70000, ask_by_session(prt, bytes(32), 2)),
        ("version 2 under the name of version 1", 70000, ask_by_session(prt, session, 2, 1)),
        ("a PRT that was never given", 70000, ask_by_session("garbage", session, 2)),
        ("a nonce that was never given", 140000, ask_by_session(prt, session, 2, request_nonce="AwABAAEAAAAC")),
        ("an unknown app", 700016, ask_by_session(prt, session, 2, client_id=str(uuid.UUID(int=1)))),
        ("an unknown resource", 500011, ask_by_session(prt, session, 2, resource="https://Nowhere")),
    ):
        refused(text, answer.json(), code)


def ask_by_session(prt, session, version, said=None, **other):
    """A request for an access token, signed with the session key."""
    payload = {"refresh_token": prt, "grant_type": "refresh_token", "client_id": CLIENT, "scope": "openid",
               "resource": TENANT["resource"], "request_nonce": new_nonce(), "iss": "aad:brokerplugin",
               "redirect_uri": f"ms-appx-web://Microsoft.AAD.BrokerPlugin/{other.get('client_id', CLIENT)}",
               "aud": "login.microsoftonline.com", "win_ver": "10.0.22621.608", **other}
    request = signed_by_session(payload, session, os.urandom(24), version, said)
    return post({"windows_api_version": "2.2", "grant_type": JWT_BEARER, "client_info": "1", "request": request})


def leave(key, certificate):
    """Removes the device; its certificate is the client's in TLS."""
    with open("prt.pem", "wb") as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption()))
        found = x509.load_der_x509_certificate(certificate)
        file.write(found.public_bytes(serialization.Encoding.PEM))
    device = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    answer = requests.delete(f"{REGISTRATION}{device}", cert="prt.pem", timeout=30)
    check("the device leaves", answer.status_code == 200, status(answer))


def new_nonce():
    return post({"grant_type": "srv_challenge"}, "common").json()["Nonce"]


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def self_signed(key):
    """A certificate that says it is of the authority of devices."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MS-Organization-Access")])
    device = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(uuid.uuid4()))])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(device).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=3650)).sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def rsa_blob(key):
    """The public key as BCRYPT_RSAKEY_BLOB."""
    numbers = key.public_key().public_numbers()
    exponent = numbers.e.to_bytes(3, "big")
    figures = (key.key_size, len(exponent), key.key_size // 8, 0, 0)
    header = b"RSA1" + b"".join(figure.to_bytes(4, "little") for figure in figures)
    return header + exponent + numbers.n.to_bytes(key.key_size // 8, "big")


def base64_of(data):
    return base64.b64encode(data).decode()


def post(form, tenant=TENANT["id"]):
    return requests.post(f"{LOGIN}/{tenant}/oauth2/token", data=form, timeout=30)


main()
finish()
