"""azure-identity, Azure's own SDK: every credential that works without a desktop.

With an argument: at the origin of the lab's own instead of Microsoft's names.
"""

import logging
import sys
import warnings

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (CertificateCredential, ClientSecretCredential,
                            DeviceCodeCredential, UsernamePasswordCredential)

from browser import device_login
from checks import READY, SCOPE, TENANT, UNKNOWN, USER, app, check, claims, finish

# It logs what is refused, and advises against passwords.
logging.getLogger("azure").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", category=DeprecationWarning)

OWN = sys.argv[1:] == ["own-origin"]
WHERE = {"authority": READY["own_origin"], "disable_instance_discovery": True} if OWN else {}
ISSUER = f"{READY['own_origin'] if OWN else 'https://sts.windows.net'}/{TENANT['id']}/"
DAEMON = app("Lab daemon")
# Key and certificate in one file.
PEM = READY["app_certificates"][DAEMON["id"]]


def secret(text=DAEMON["secret"], tenant=TENANT["id"], client=DAEMON["id"]):
    return ClientSecretCredential(tenant, client, text, **WHERE)


def certificate(client=DAEMON["id"], **options):
    return CertificateCredential(TENANT["id"], client, PEM, **options, **WHERE)


def password(text=USER["password"], upn=USER["upn"]):
    return UsernamePasswordCredential(TENANT["client_app"], upn, text, tenant_id=TENANT["id"], **WHERE)


def device_code(decline=False):
    """Approved or declined as soon as it is shown."""
    def prompt(uri, code, _expires):
        device_login(uri, code, USER["upn"], USER["password"], decline=decline)
    return DeviceCodeCredential(TENANT["client_app"], tenant_id=TENANT["id"], prompt_callback=prompt, **WHERE)


def given(what, credential, **expected):
    """Checks that the credential gets a token with these claims."""
    try:
        found = claims(credential.get_token(SCOPE).token)
    except ClientAuthenticationError as error:
        check(what, False, error)
        return
    expected |= {"aud": TENANT["resource"], "iss": ISSUER}
    check(what, expected.items() <= found.items(), found)


def refused(what, credential, code, scope=SCOPE):
    """Checks that it is refused with this AADSTS code."""
    try:
        credential.get_token(scope)
        check(f"{what}: AADSTS{code}", False, "it was accepted")
    except ClientAuthenticationError as error:
        check(f"{what}: AADSTS{code}", f"AADSTS{code}:" in str(error), error)


given("ClientSecretCredential gets a token", secret(), appid=DAEMON["id"], appidacr="1", roles=["Lab.Read"])
refused("a wrong secret", secret("wrong"), 7000215)
refused("an unknown app", secret(client=UNKNOWN), 700016)
refused("an unknown resource", secret(), 500011, "https://Nowhere/.default")
given("CertificateCredential gets a token", certificate(), appid=DAEMON["id"], appidacr="2")
given("so it does when it sends the certificate along", certificate(send_certificate_chain=True), appidacr="2")
refused("a certificate of another app", certificate(client=app("Lab web")["id"]), 700027)
given("DeviceCodeCredential gets a token", device_code(), upn=USER["upn"], scp="user_impersonation")
refused("a declined device code", device_code(decline=True), 70017)
if not OWN:
    # At an origin with a port it asks for the user's realm at 443 of that host.
    given("UsernamePasswordCredential gets a token", password(), upn=USER["upn"], scp="user_impersonation")
    refused("a wrong password", password("wrong"), 50126)
    refused("an unknown user", password(upn="nobody@lab.test"), 50034)
finish()
