"""MSAL signs users in who approve a code at another device."""

from browser import device_login
from checks import SCOPE, USER, access, check, finish, needed, refused, shown
from msal_apps import public

client = public()


def begin():
    flow = client.initiate_device_flow([SCOPE])
    needed("Azure AD gives a device code", "user_code" in flow and flow["user_code"] in flow["message"], flow)
    return flow


def poll(flow):
    """Asks once."""
    return client.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)


def visit(flow, password=USER["password"], code=None, **options):
    return device_login(flow["verification_uri"], code or flow["user_code"], USER["upn"], password, **options)


def pending(text, flow):
    answer = poll(flow)
    if refused(text, answer, 70016):
        check("its error is authorization_pending", answer["error"] == "authorization_pending", answer)


flow = begin()
pending("before the user has come", flow)
page = visit(flow, "wrong")
check("a wrong password is refused on the page: AADSTS50126", "AADSTS50126:" in page.text, page)
visit(flow, code="AAAAAAAAA")
pending("after a wrong password, and a wrong code", flow)
page = visit(flow)
check("the user approves it", page.status == 200, page)
answer = poll(flow)
needed("MSAL gets the token", "access_token" in answer, shown(answer))
check("the token is the user's", access(answer)["upn"] == USER["upn"], access(answer))
check("MSAL knows the account", [one["username"] for one in client.get_accounts()] == [USER["upn"]], shown(answer))
refused("the same code once more", poll(flow), 54005)

flow = begin()
visit(flow, decline=True)
answer = poll(flow)
if refused("after the user declined", answer, 70017):
    check("its error is authorization_declined", answer["error"] == "authorization_declined", answer)
refused("a code that was never given", poll({**flow, "device_code": "garbage"}), 70018)
finish()
