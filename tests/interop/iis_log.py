"""A scanner's request is not found, and IIS.log has it with the columns of the documented line."""

import glob
import os
import time

import requests
import urllib3

from checks import READY, check, finish, status

# RD0003FF74XX2 10.0.0.4 GET /CCM_STS - 443 - HTTP/1.1 python-requests/2.20.0 - - 13.95.234.44 404 0 2 1477 154 15
DOCUMENTED = (
    "s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username cs-version cs(User-Agent) "
    "cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken"
).split()
NAME, TRUST = "cmg.lab.test", READY["trust_bundle"]
ADDED = ["date", "time", "c-ip"]


def records():
    """Every record of the gateway's IIS.log, by column."""
    fields, found = [], []
    for path in glob.glob(f"{os.environ['CMGLAB_OUT']}/logs/RD*/IIS.log"):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith("#Fields:"):
                    fields = line.split()[1:]
                elif not line.startswith("#") and len(line.split()) == len(fields):
                    found.append(dict(zip(fields, line.split())))
    return fields, found


def seen(host):
    """Asks as the scanner did, under this name or address, and looks at the line about it."""
    # By address no name can be verified; the scanner did not care.
    answer = requests.get(f"https://{host}/CCM_STS", timeout=30, verify=host == NAME and TRUST)
    check(f"GET /CCM_STS of {host} is not found", answer.status_code == 404, status(answer))
    expected = {
        "s-ip": "10.0.0.4", "cs-method": "GET", "cs-uri-stem": "/CCM_STS", "cs-uri-query": "-", "s-port": "443",
        "cs-username": "-", "cs-version": "HTTP/1.1", "cs(User-Agent)": answer.request.headers["User-Agent"],
        "cs(Cookie)": "-", "cs(Referer)": "-", "cs-host": host, "sc-status": "404", "sc-substatus": "0",
        "sc-win32-status": "2",
    }
    # The file is written after the answer; what is awaited is its line.
    patience = time.monotonic() + 10
    while True:
        fields, found = records()
        mine = [record for record in found if expected.items() <= record.items()]
        if mine or time.monotonic() > patience:
            break
        time.sleep(0.05)
    check("#Fields has the documented columns in their order",
          [one for one in fields if one not in ADDED] == DOCUMENTED, fields)
    check(f"the line of {host} has the documented values", len(mine) == 1, found[-3:])
    if mine:
        sizes = {name: mine[0][name] for name in ("sc-bytes", "cs-bytes", "time-taken")}
        check("sizes and time are numbers", all(value.isdecimal() for value in sizes.values()), sizes)
        check("sc-bytes covers the body", int(sizes["sc-bytes"]) > len(answer.content), sizes)


urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
seen(NAME)
# As published: the request came to the bare address, which is then the Host header.
seen(next(one["address"].rsplit(":", 1)[0] for one in READY["names"] if (one["name"], one["port"]) == (NAME, 443)))
finish()
