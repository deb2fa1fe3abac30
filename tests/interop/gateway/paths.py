"""Paths with two meanings, as curl sends them when it is told to leave them alone: none gets past the gateway."""

import subprocess

from checks import CMG, LAB, MP, READY, check, finish
from evidence import Watch, ccm_token, forwarded

ROLE = LAB["management_point"]["role_id"]
BAD, NOT_FOUND = "400 CMGService_BadRequest", "404 CMGService_NotFound"
# Each behind a prefix with its role id.
TRICKS = [
    ("CCM_Client/../SMS_MP/.sms_aut", BAD),
    ("CCM_Client/..", BAD),
    ("../../CCM_Client/ccmsetup.cab", BAD),
    ("CCM_Client/./ccmsetup.cab", BAD),
    ("CCM_Client/.../ccmsetup.cab", BAD),
    ("CCM_Client/%2e%2e/SMS_MP/.sms_aut", BAD),
    ("CCM_Client/%2E./SMS_MP/.sms_aut", BAD),
    ("CCM_Client/..%20/SMS_MP/.sms_aut", BAD),
    ("CCM_Client/%252e%252e/SMS_MP/.sms_aut", BAD),
    ("CCM_Client/%25252e%25252e/SMS_MP/.sms_aut", BAD),
    ("CCM_Client/%c0%ae%c0%ae/SMS_MP/.sms_aut", BAD),
    ("CCM_Client/%ef%bc%8e%ef%bc%8e/SMS_MP/.sms_aut", BAD),
    ("CCM_Client%2fccmsetup.cab", BAD),
    ("CCM_Client/..%2fSMS_MP/.sms_aut", BAD),
    ("CCM_Client%5cccmsetup.cab", BAD),
    ("CCM_Client\\ccmsetup.cab", BAD),
    ("CCM_Client/..\\SMS_MP\\.sms_aut", BAD),
    ("/CCM_Client/ccmsetup.cab", BAD),
    ("CCM_Client//ccmsetup.cab", BAD),
    ("CCM_Client/..;/SMS_MP/.sms_aut", BAD),
    ("CCM_Client/..;x=y/SMS_MP/.sms_aut", BAD),
    ("CCM_Client/ccmsetup.cab%00.txt", BAD),
    ("CCM_Client/ccmsetup.cab%0d%0aX:y", BAD),
    ("CCM_Client/%zz", BAD),
    ("CCM_Client/%", BAD),
    ("CCM_Client;/ccmsetup.cab", NOT_FOUND),
    ("CCM_Client;x/ccmsetup.cab", NOT_FOUND),
    ("CCM_Clien%74/ccmsetup.cab", NOT_FOUND),
    ("CCM_Client%20/ccmsetup.cab", NOT_FOUND),
    ("CCM_Client::$INDEX_ALLOCATION/ccmsetup.cab", NOT_FOUND),
    ("CCM_CLI~1/ccmsetup.cab", NOT_FOUND),
]
# Each behind the gateway's name.
ROUTING = [
    (f"/CCM_Proxy_%53erverAuth/{ROLE}/CCM_Client/ccmsetup.cab", BAD),
    (f"/CCM_Proxy_ServerAuth/%37{str(ROLE)[1:]}/CCM_Client/ccmsetup.cab", BAD),
    (f"//CCM_Proxy_ServerAuth/{ROLE}/CCM_Client/ccmsetup.cab", BAD),
    (f"/CCM_Proxy_ServerAuth//{ROLE}/CCM_Client/ccmsetup.cab", BAD),
    (f"/CCM_Proxy_ServerAuth{ROLE}/CCM_Client/ccmsetup.cab", NOT_FOUND),
    (f"/CCM_Proxy_ServerAuth;x/{ROLE}/CCM_Client/ccmsetup.cab", NOT_FOUND),
    (f"/CCM_Proxy_ServerAuth/{ROLE};x/CCM_Client/ccmsetup.cab", NOT_FOUND),
    (f"/CCM_Proxy_ServerAuth/{int(ROLE) + 1}/CCM_Client/ccmsetup.cab", NOT_FOUND),
    (f"/CCM_Proxy_ServerAuth/0{ROLE}/CCM_Client/ccmsetup.cab", NOT_FOUND),
    (f"/CCM_Proxy_ServerAuth/+{ROLE}/CCM_Client/ccmsetup.cab", NOT_FOUND),
    ("/CCM_Client/ccmsetup.cab", NOT_FOUND),
    ("/", NOT_FOUND),
]


def curl(url, *proof):
    """The status line of the answer, without its version."""
    call = ["curl", "-sS", "--path-as-is", "--globoff", "-D", "-", "-o", "/dev/null", *proof, url]
    done = subprocess.run(call, capture_output=True, timeout=60, check=False)
    line = done.stdout.split(b"\r\n", 1)[0].decode("latin-1").removeprefix("HTTP/1.1 ")
    return line or f"nothing; curl: {done.stderr.decode().strip()}"


token = ccm_token()
by_token = ["-H", f"Authorization: Bearer {token}"]
by_certificate = ["--cert", READY["client_certificate"]]
prefixes = [("ServerAuth", MP, by_token), ("MutualAuth", MP.replace("ServerAuth", "MutualAuth"), by_certificate)]
for name, prefix, proof in prefixes:
    straight = curl(f"{prefix}/CCM_Client/ccmsetup.cab", *proof)
    check(f"{name}, the path itself: 200 OK", straight == "200 OK", straight)

watch = Watch(token)
for name, prefix, proof in prefixes:
    for path, expected in TRICKS:
        found = curl(f"{prefix}/{path}", *proof)
        check(f"{name}, {path}: {expected}", found == expected, found)
for path, expected in ROUTING:
    found = curl(CMG + path, *by_token)
    check(f"{path}: {expected}", found == expected, found)
events = watch.events()
told = [event["event"]["what"] for event in events if event["role"] == "cmg"]
count = 2 * len(TRICKS) + len(ROUTING)
check(f"the events tell of all {count}", told.count("served") == told.count("refused") == count, told)
check("nothing of it left the gateway", not forwarded(events), forwarded(events))

watch = Watch(token)
curl(f"{MP}/CCM_Client/ccmsetup.cab?straight", *by_token)
check("what is sound does, and the events tell of it", len(forwarded(watch.events())) == 2)
finish()
