"""What a device token (a file of roadtx) says about its device; `verify_tokens.py` verifies it."""

import json
import sys

from checks import check, claims, finish

with open(sys.argv[1], encoding="utf-8") as file:
    found = claims(json.load(file)["accessToken"])
check("the token is the device's", found["deviceid"] == found["sub"] == sys.argv[2], found)
check("it names no user", found["idtyp"] == "device" and not {"upn", "unique_name", "scp"} & set(found), found)
check("it is valid for 65 minutes", found["exp"] - found["iat"] == 3900, found)
finish()
