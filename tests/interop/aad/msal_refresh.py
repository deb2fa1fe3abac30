"""MSAL renews tokens without the user."""

from checks import SCOPE, USER, access, app, check, claims, finish, needed, refused, shown
from msal_apps import confidential, public

client = public()
answer = client.acquire_token_by_username_password(USER["upn"], USER["password"], [SCOPE])
needed("MSAL signs the user in", "refresh_token" in answer, shown(answer))
refresh, first = answer["refresh_token"], answer["access_token"]
account = client.get_accounts()[0]

answer = client.acquire_token_silent([SCOPE], account)
check("MSAL finds the token again", answer and answer.get("access_token") == first, shown(answer))
answer = client.acquire_token_silent([SCOPE], account, force_refresh=True)
needed("MSAL renews it", answer and "access_token" in answer, shown(answer))
old, new = claims(first), access(answer)
check("the new one is another token of the same user", new["uti"] != old["uti"] and new["oid"] == old["oid"], new)


def renew(by, token):
    return by.acquire_token_by_refresh_token(token, [SCOPE])


answer = renew(public(), refresh)
check("the old refresh token is still good", "access_token" in answer, shown(answer))
check("each use gives a new one", answer.get("refresh_token") not in (None, refresh), shown(answer))
refused("a refresh token that was never given", renew(public(), "garbage"), 70000)
refused("one that was cut short", renew(public(), refresh[:-8]), 70000)
refused("one in the hands of another app", renew(confidential(app("Lab web")), refresh), 70000)
finish()
