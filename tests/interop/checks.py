"""What every Python check here shares: one line per check, and the lab as its ready file tells it."""

import base64
import json
import os
import sys

with open(os.environ["CMGLAB_READY"], encoding="utf-8") as file:
    READY = json.load(file)
LAB = READY["topology"]
TENANTS = LAB["azure_ad"]["tenants"]
TENANT = TENANTS[0]
USER = TENANT["users"][0]
LOGIN = "https://login.microsoftonline.com"
HOME = f"{LOGIN}/{TENANT['id']}"
# Every permission that was granted at the service that devices need tokens for.
SCOPE = f"{TENANT['resource']}/.default"
CMG = "https://cmg.lab.test"
MP = f"{CMG}/CCM_Proxy_ServerAuth/{LAB['management_point']['role_id']}"
# One that nothing in the lab has.
UNKNOWN = "00000000-1111-4222-8333-444444444444"
_failed = False


def check(text, held, evidence=""):
    """Prints whether `text` held, and what speaks against it."""
    global _failed
    if held:
        print(f"ok      {text}")
    else:
        _failed = True
        print(f"FAILED  {text}: {evidence}")
    return held


def needed(text, held, evidence=""):
    """A check without which nothing else makes sense."""
    if not check(text, held, evidence):
        finish()


def finish():
    """Ends the script; the exit status tells whether everything held."""
    sys.exit(1 if _failed else 0)


def refused(text, answer, code):
    """Checks that a token answer, as Azure AD or MSAL gives it, is the refusal with this AADSTS code."""
    held = "access_token" not in answer and answer.get("error_codes") == [code]
    return check(f"{text}: AADSTS{code}", held, shown(answer))


def shown(answer):
    """An answer without its tokens."""
    return {name: value for name, value in (answer or {}).items() if not name.endswith("_token")}


def app(name):
    """A further application of the home tenant."""
    return next(one for one in TENANT["apps"] if one["name"] == name)


def header(token):
    """The header of a JWT, unverified."""
    return json.loads(from_base64url(token.split(".")[0]))


def claims(token):
    """The claims of a JWT, unverified."""
    return json.loads(from_base64url(token.split(".")[1]))


def access(answer):
    """The claims of an answer's access token; none if there is no such token."""
    return claims(answer["access_token"]) if answer and "access_token" in answer else {}


def tampered(token):
    """The same token, one character of its signature changed."""
    head, signature = token.rsplit(".", 1)
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return f"{head}.{signature[:middle]}{other}{signature[middle + 1:]}"


def base64url(data):
    """Base64url without padding, as JOSE writes it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    """Its reverse."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def bearer(token):
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def status(response):
    """A response's status line without its version, as clients log it."""
    return f"{response.status_code} {response.reason}"
