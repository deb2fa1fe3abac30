"""What a token of a user on a device (a file of roadtx) says about both."""

import json
import sys

from checks import TENANT, USER, check, claims, finish

with open(sys.argv[1], encoding="utf-8") as file:
    found = claims(json.load(file)["accessToken"])
device = sys.argv[2]
check("the token is the user's", (found["upn"], found["oid"]) == (USER["upn"], USER["id"]), found)
check("it names the device too", found["deviceid"] == device and found["sub"] != device, found)
check("it is for the resource, with its permission",
      (found["aud"], found["scp"]) == (TENANT["resource"], "user_impersonation"), found)
check("it tells the user's local SID", found["onprem_sid"] == USER["onprem_sid"], found)
check("it is valid for 60 to 90 minutes", 3600 <= found["exp"] - found["iat"] <= 5400, found)
finish()
