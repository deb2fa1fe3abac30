"""The gateway by python-requests, as it comes: certificates, tokens, large bodies and sessions that go on."""

import requests

from checks import CMG, LAB, MP, READY, UNKNOWN, bearer, check, finish, status
from evidence import CAB, ccm_token

ROLE = LAB["management_point"]["role_id"]
MUTUAL = f"{CMG}/CCM_Proxy_MutualAuth/{ROLE}/CCM_Client/ccmsetup.cab"
GOOD = READY["client_certificate"]
MESSAGES = f"{MP}/ccm_system_tokenauth/request"
TOO_LARGE = "413 CMGService_RequestEntityTooLarge"
MIB = 1024 * 1024
token = ccm_token()
by_token = bearer(token)


def chunks(total):
    """A body without a stated length."""
    for _ in range(total // 65536):
        yield bytes(65536)


def get(url, **options):
    """A GET whose answer is a status and a body."""
    return requests.get(url, timeout=30, **options)


whole = get(MUTUAL, cert=GOOD)
check("MutualAuth with the PKI's certificate: 200 OK", status(whole) == "200 OK", status(whole))
for what, url, options, expected in [
    ("MutualAuth without a certificate", MUTUAL, {}, "403 CMGService_Forbidden"),
    ("ServerAuth with a token", CAB, {"headers": by_token}, "200 OK"),
    ("ServerAuth with a token and a certificate", CAB, {"headers": by_token, "cert": GOOD}, "200 OK"),
    ("ServerAuth with a certificate alone", CAB, {"cert": GOOD}, "401 CMGService_Invalid_Token"),
    ("ServerAuth with a word for a token", CAB, {"headers": bearer("word")}, "401 CMGService_Invalid_Token"),
    ("a role that nobody has", f"{CMG}/CCM_Proxy_ServerAuth/9/CCM_STS", {"headers": by_token},
     "404 CMGService_NotFound"),
    ("AADAuthInfo of an unknown tenant", f"{CMG}/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID={UNKNOWN}", {},
     "404 CMGService_NotFound"),
]:
    answer = get(url, **options)
    check(f"{what}: {expected}", status(answer) == expected, status(answer))
    if answer.ok:
        check(f"{what}: the same bytes", answer.content == whole.content)

part = get(MUTUAL, cert=GOOD, headers={"Range": "bytes=-100"})
check("the last hundred bytes: 206", (part.status_code, part.content) == (206, whole.content[-100:]), status(part))

with requests.Session() as session:
    session.headers.update(by_token)
    for what, body in [
        ("3 MiB", bytes(3 * MIB)), ("3 MiB in chunks", chunks(3 * MIB)), ("12 MiB", bytes(12 * MIB)),
        ("12 MiB in chunks", chunks(12 * MIB)),
    ]:
        try:
            found = status(session.request("CCM_POST", MESSAGES, data=body, timeout=60))
        except requests.RequestException as error:
            found = repr(error)
        check(f"{what}: {TOO_LARGE}", found == TOO_LARGE, found)
        answer = session.get(CAB, timeout=30)
        check("the session goes on", answer.content == whole.content, status(answer))
    for what, body in [("2 MiB", bytes(2 * MIB)), ("2 MiB in chunks", chunks(2 * MIB))]:
        answer = session.request("CCM_POST", MESSAGES, data=body, timeout=60)
        held = answer.status_code == 200 or answer.reason.startswith("CMGConnector_")
        check(f"{what} reach the management point: {status(answer)}", held, status(answer))
finish()
