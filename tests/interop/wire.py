"""Gateway, CCM_STS and management point on the wire, with nothing but requests and cryptography."""

import datetime
import re
import uuid

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from ccm_message import now, read, send, utf16
from checks import CMG, LAB, LOGIN, MP, TENANT, USER, bearer, check, claims, finish, status, tampered

INVALID = "401 CMGService_Invalid_Token"
SHA256_RSA = "1.2.840.113549.1.1.11"


def main():
    """Every step of a client that has no device, each with what must be refused there."""
    aad = azure_ad()
    discovery()
    ccm = security_token_service(aad)
    gate(aad, ccm)
    location(aad, ccm)
    registration(aad)


def azure_ad():
    """A user token by password, version 1."""
    form = {
        "grant_type": "password", "client_id": TENANT["client_app"], "resource": TENANT["resource"],
        "username": USER["upn"], "password": USER["password"],
    }
    answer = requests.post(f"{LOGIN}/{TENANT['id']}/oauth2/token", data=form, timeout=30)
    needed("Azure AD gives a user token by password", answer)
    check("version 1 writes numbers as text", isinstance(answer.json()["expires_in"], str), answer.text)
    token = answer.json()["access_token"]
    check("the token is for ConfigMgrService", claims(token)["aud"] == TENANT["resource"], claims(token))
    return token


def discovery():
    """AADAuthInfo, which needs no token."""
    def ask(tenant):
        return get(f"{CMG}/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID={tenant}")

    info = ask(TENANT["id"])
    values = info.json().values() if info.ok else ()
    check("AADAuthInfo names client app and resource",
          {TENANT["client_app"], TENANT["resource"]} <= set(values), status(info))
    stranger = ask(uuid.uuid4())
    check("AADAuthInfo tells an unknown tenant nothing", TENANT["client_app"] not in stranger.text, stranger.text)


def security_token_service(aad):
    """An AAD token goes in, a CCM token comes out."""
    answer = get(f"{MP}/CCM_STS", aad)
    needed("CCM_STS exchanges it for a CCM token", answer)
    found = claims(answer.text)
    check("the CCM token lasts eight hours", found["exp"] - found["nbf"] == 28800, found)
    issued = found["iss"].startswith("urn:sccm:oauth2:") and found["aud"] == "urn:sccm:service"
    check("the CCM token is the site's", issued, found)
    return answer.text


def gate(aad, ccm):
    """What the gateway lets pass, by status line."""
    sts, package = f"{MP}/CCM_STS", f"{MP}/CCM_Client/ccmsetup.cab"
    for what, url, token, expected in [
        ("an AAD token at CCM_STS", sts, aad, "200 OK"),
        ("no token", sts, None, INVALID),
        ("a tampered AAD token", sts, tampered(aad), INVALID),
        ("a CCM token where an AAD token is due", sts, ccm, INVALID),
        ("a CCM token at content", package, ccm, "200 OK"),
        ("a tampered CCM token", package, tampered(ccm), INVALID),
        ("an AAD token where a CCM token is due", package, aad, INVALID),
        ("an unknown path", f"{CMG}/CCM_Elsewhere", ccm, "404 CMGService_NotFound"),
        ("a path that the management point does not publish", f"{MP}/Elsewhere", ccm, "404 CMGService_NotFound"),
    ]:
        answer = get(url, token)
        check(f"{what}: {expected}", status(answer) == expected, status(answer))


def location(aad, ccm):
    """Location services, under a CCM token."""
    site = LAB["site"]["code"]
    wanted = f'<SiteInformationRequest SchemaVersion="1.00"><SiteCode Name="{site}"/></SiteInformationRequest>'

    def ask(token, endpoint="MP_LocationManager"):
        return send(token, endpoint, wanted, "LS_ReplyLocations")

    reply = read("location", *ask(ccm))
    told = reply is not None and (reply.tag, reply.findtext("Sites/Site/SiteCode")) == ("SiteInfoReply", site)
    check("location: the reply tells the site", told, reply)
    for what, token, expected in [
        ("location under a tampered CCM token", tampered(ccm), INVALID),
        ("location under an AAD token", aad, "401 CMGConnector_Unauthorized"),
    ]:
        answer, _ = ask(token)
        check(f"{what}: {expected}", status(answer) == expected, status(answer))
    nothing("a message to an endpoint that is none", *ask(ccm, "MP_Nowhere"))


def registration(aad):
    """Registration with a key of our own, under an AAD token."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = self_signed(key)

    def ask(**options):
        document = registration_request(key, certificate, **options)
        return send(aad, "MP_ClientRegistration", document, "ClientRegistration")

    nothing("a registration whose signature is over something else", *ask(signed="<Data/>"))
    given = []
    for what in ("registration", "the same once more"):
        reply = read(what, *ask())
        found = {} if reply is None else reply.attrib
        approved = (found.get("Status"), found.get("ApprovalStatus")) == ("0", "3")
        check(f"{what}: approval status 3", approved, found)
        given.append(found.get("SMSID", ""))
    same = given[0] == given[1] and re.fullmatch("GUID:[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", given[0])
    check("one key keeps its SMSID", same, given)


def self_signed(key):
    """A client's own certificate, DER in upper-case hex."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ConfigMgr Client")])
    start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    usage = [ObjectIdentifier("1.3.6.1.4.1.311.101.2"), ObjectIdentifier("1.3.6.1.4.1.311.101")]
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start)
    builder = builder.not_valid_after(start + datetime.timedelta(days=3650))
    builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.DER).hex().upper()


def registration_request(key, certificate, signed=None):
    """The document; `signed` takes the place of what its signature has to be over."""
    data = (
        f'<Data HashAlgorithm="{SHA256_RSA}" SMSID="" RequestType="Registration" TimeStamp="{now()}">'
        '<AgentInformation AgentIdentity="CCMSetup.exe" AgentVersion="5.00.9128.1000" AgentType="0"/>'
        f'<Certificates><Encryption Encoding="HexBinary" KeyType="1">{certificate}</Encryption>'
        f'<Signing Encoding="HexBinary" KeyType="1">{certificate}</Signing></Certificates>'
        '<DiscoveryProperties><Property Name="Netbios Name" Value="WIREPC"/>'
        '<Property Name="FQ Name" Value="wirepc.lab.test"/></DiscoveryProperties></Data>'
    )
    signature = key.sign(utf16(signed or data), padding.PKCS1v15(), hashes.SHA256())
    # CryptoAPI writes signatures in little-endian order.
    value = signature[::-1].hex().upper()
    return (f"<ClientRegistrationRequest>{data}<Signature><SignatureValue>{value}</SignatureValue></Signature>"
            "</ClientRegistrationRequest>")


def get(url, token=None):
    """A GET, with a token if there is one."""
    return requests.get(url, headers=bearer(token) if token else {}, timeout=30)


def nothing(what, answer, _message_id):
    """The protocol's own refusal of a message."""
    check(f"{what}: 200 without a body", answer.status_code == 200 and not answer.content, status(answer))


def needed(what, answer):
    """A check without which nothing else makes sense."""
    if not check(what, answer.status_code == 200, f"{status(answer)} {answer.text}"):
        finish()


main()
finish()
