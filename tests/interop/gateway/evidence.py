"""What the lab writes while the checks run: its events, and the logs of its machines."""

import json
import os
import pathlib
import time
import uuid

import requests

from checks import LOGIN, MP, TENANT, USER, bearer

OUT = pathlib.Path(os.environ["CMGLAB_OUT"])
CAB = f"{MP}/CCM_Client/ccmsetup.cab"


def ccm_token():
    """A CCM token, by way of a user's password."""
    form = {"grant_type": "password", "client_id": TENANT["client_app"], "resource": TENANT["resource"],
            "username": USER["upn"], "password": USER["password"]}
    aad = requests.post(f"{LOGIN}/{TENANT['id']}/oauth2/token", data=form, timeout=30).json()["access_token"]
    answer = requests.get(f"{MP}/CCM_STS", headers=bearer(aad), timeout=30)
    answer.raise_for_status()
    return answer.text


class Watch:
    """The events from its making until it is asked: both ends are requests of its own, whose events are awaited."""

    def __init__(self, token):
        self.token = token
        self.start = self._mark()

    def events(self):
        """What happened in between, in order."""
        end = self._mark()
        return [event for event in _events() if self.start < event["seq"] < end and not _is_mark(event)]

    def _mark(self):
        name = f"mark={uuid.uuid4()}"
        answer = requests.head(f"{CAB}?{name}", headers=bearer(self.token), timeout=30)
        answer.raise_for_status()
        patience = time.monotonic() + 10
        while time.monotonic() < patience:
            for event in _events():
                told = event["event"]
                if event["role"] == "cmg" and told["what"] == "served" and told.get("query") == name:
                    return event["seq"]
            time.sleep(0.05)
        raise TimeoutError(f"no event of the request with {name}")


def forwarded(events):
    """What left the gateway's connection point, or came to the management point."""
    def is_one(event):
        what = event["event"]["what"]
        return (event["role"], what) == ("connection-point", "forwarding") or (
            event["role"] == "management-point" and what in ("served", "malformed-request"))

    return [event for event in events if is_one(event)]


def log(name):
    """The text of a log of the gateway's instances."""
    return "".join(path.read_text(encoding="utf-8") for path in OUT.glob(f"logs/RD*/{name}"))


def _is_mark(event):
    return "mark=" in json.dumps(event["event"])


def _events():
    with open(OUT / "events.jsonl", encoding="utf-8") as file:
        for line in file:
            # The last line may still be half written.
            if line.endswith("\n"):
                yield json.loads(line)
