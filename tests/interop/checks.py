"""What every Python check here shares: one line per check, and the lab as its ready file tells it."""

import base64
import json
import os
import sys

with open(os.environ["CMGLAB_READY"], encoding="utf-8") as file:
    LAB = json.load(file)["topology"]
TENANT = LAB["azure_ad"]["tenants"][0]
USER = TENANT["users"][0]
LOGIN = "https://login.microsoftonline.com"
CMG = "https://cmg.lab.test"
MP = f"{CMG}/CCM_Proxy_ServerAuth/{LAB['management_point']['role_id']}"
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


def finish():
    """Ends the script; the exit status tells whether everything held."""
    sys.exit(1 if _failed else 0)


def claims(token):
    """The claims of a JWT, unverified."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def bearer(token):
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def status(response):
    """A response's status line without its version, as clients log it."""
    return f"{response.status_code} {response.reason}"
