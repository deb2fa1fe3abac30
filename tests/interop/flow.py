"""The whole flow on one page: an Azure AD token, a CCM token, site information, registration.

Only requests and cryptography; nothing of this project. `wire.py` checks each answer in depth.
"""
import base64, datetime, json, os, re, sys, uuid, zlib

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

LAB = json.load(open(os.environ["CMGLAB_READY"], encoding="utf-8"))["topology"]
TENANT = LAB["azure_ad"]["tenants"][0]
USER = TENANT["users"][0]
MP = f"https://cmg.lab.test/CCM_Proxy_ServerAuth/{LAB['management_point']['role_id']}"
BOUNDARY = "aAbBcCdDv1234567890VxXyYzZ"
NOW = datetime.datetime.now(datetime.timezone.utc)


def step(text, held, evidence=""):
    print(f"ok      {text}" if held else f"FAILED  {text}: {evidence}")
    if not held:
        sys.exit(1)


def utf16(text):
    return text.encode("utf-16-le")


def message(token, endpoint, document):
    """Sends a CCM message and returns the document of its reply."""
    payload = utf16(document) + b"\0\0"
    header = (
        '<Msg ReplyCompression="zlib" SchemaVersion="1.1">'
        f'<Body Type="ByteRange" Length="{len(payload)}" Offset="0"/>'
        "<CorrelationID>{00000000-0000-0000-0000-000000000000}</CorrelationID>"
        f'<Hooks><Hook3 Name="zlib-compress"/></Hooks><ID>{{{str(uuid.uuid4()).upper()}}}</ID>'
        '<Payload Type="inline"/><Priority>0</Priority><Protocol>http</Protocol><ReplyMode>Sync</ReplyMode>'
        f"<ReplyTo>direct:FLOWPC:SccmMessaging</ReplyTo><SentTime>{NOW:%Y-%m-%dT%H:%M:%SZ}</SentTime>"
        f"<SourceHost>FLOWPC</SourceHost><TargetAddress>mp:{endpoint}</TargetAddress>"
        f"<TargetEndpoint>{endpoint}</TargetEndpoint><TargetHost>mp</TargetHost><Timeout>60000</Timeout></Msg>"
    )
    line = f"--{BOUNDARY}".encode()
    body = b"\r\n".join([
        line, b"content-type: text/plain; charset=UTF-16", b"", b"\xff\xfe" + utf16(header),
        line, b"content-type: application/octet-stream", b"", zlib.compress(payload), line + b"--",
    ])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": f'multipart/mixed; boundary="{BOUNDARY}"'}
    url = f"{MP}/ccm_system_tokenauth/request"
    answer = requests.request("CCM_POST", url, headers=headers, data=body, timeout=30)
    step(f"{endpoint} answers", answer.status_code == 200 and answer.content, f"{answer.status_code} {answer.reason}")
    reply = answer.content.split(line)[2].split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
    return zlib.decompress(reply).decode("utf-16-le").rstrip("\0")


def registration():
    """A signed registration request with a self-signed certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ConfigMgr Client")])
    usages = [ObjectIdentifier("1.3.6.1.4.1.311.101.2"), ObjectIdentifier("1.3.6.1.4.1.311.101")]
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=365))
        .add_extension(x509.ExtendedKeyUsage(usages), False).sign(key, hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER).hex().upper()
    data = (
        f'<Data HashAlgorithm="1.2.840.113549.1.1.11" SMSID="" RequestType="Registration" '
        f'TimeStamp="{NOW:%Y-%m-%dT%H:%M:%SZ}"><AgentInformation AgentIdentity="flow.py" '
        f'AgentVersion="5.00.9128.1000" AgentType="0"/><Certificates><Encryption Encoding="HexBinary" '
        f'KeyType="1">{der}</Encryption><Signing Encoding="HexBinary" KeyType="1">{der}</Signing></Certificates>'
        '<DiscoveryProperties><Property Name="Netbios Name" Value="FLOWPC"/>'
        '<Property Name="FQ Name" Value="flowpc.lab.test"/></DiscoveryProperties></Data>'
    )
    signature = key.sign(utf16(data), padding.PKCS1v15(), hashes.SHA256())[::-1].hex().upper()
    signed = f"<Signature><SignatureValue>{signature}</SignatureValue></Signature>"
    return f"<ClientRegistrationRequest>{data}{signed}</ClientRegistrationRequest>"


form = {"grant_type": "password", "client_id": TENANT["client_app"], "resource": TENANT["resource"],
        "username": USER["upn"], "password": USER["password"]}
answer = requests.post(f"https://login.microsoftonline.com/{TENANT['id']}/oauth2/token", data=form, timeout=30)
step("Azure AD gives a token", answer.ok, answer.text)
aad = answer.json()["access_token"]
answer = requests.get(f"{MP}/CCM_STS", headers={"Authorization": f"Bearer {aad}"}, timeout=30)
step("CCM_STS exchanges it", answer.ok, f"{answer.status_code} {answer.reason}")
ccm = answer.text
claims = json.loads(base64.urlsafe_b64decode(ccm.split(".")[1] + "=="))
step("the CCM token lives eight hours", claims["exp"] - claims["nbf"] == 28_800, claims)
site = message(ccm, "MP_LocationManager",
               '<SiteInformationRequest SchemaVersion="1.00"><SiteCode Name="LAB"/></SiteInformationRequest>')
step("the site tells its code", "<SiteCode>LAB</SiteCode>" in site, site)
reply = message(aad, "MP_ClientRegistration", registration())
step("the client is registered", re.search(r'Status="0" SMSID="GUID:[0-9A-F-]{36}" ApprovalStatus="3"', reply), reply)
