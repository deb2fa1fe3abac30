"""A person at a browser: opens a page of Azure AD, fills in its forms, and stops where an app takes over.

`browser.py VERIFICATION_URI USER_CODE UPN PASSWORD` approves a device code, `… decline` declines it.
"""

import sys
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

NO = ("cancel", "decline", "deny")


class Visit:
    """Where it ended: `params` is what the app got, if it got anything; `text` is the last page."""

    def __init__(self, response, params=None):
        self.status, self.text, self.params = response.status_code, response.text, params

    def __repr__(self):
        return f"{self.status} {self.params or self.text[:2000]}"


def sign_in(url, upn, password):
    """Signs in at an authorization request, up to the app's redirect URI."""
    app = dict(parse_qsl(urlsplit(url).query)).get("redirect_uri")
    return browse(url, {"user": upn, "password": password}, app)


def device_login(url, code, upn, password, decline=False):
    """Enters a user code and signs in, or declines."""
    return browse(url, {"code": code, "user": upn, "password": password}, None, decline)


def browse(url, answers, app, decline=False):
    """Follows redirects and fills in forms until the app takes over, or nothing is left to fill in."""
    session = requests.Session()
    response = session.get(url, allow_redirects=False, timeout=30)
    asked = False
    for _ in range(12):
        target = response.headers.get("Location")
        if target:
            target = urljoin(response.url, target)
            if app and target.startswith(app):
                return Visit(response, params_of(target))
            response = session.get(target, allow_redirects=False, timeout=30)
            continue
        form = Form.of(response.text)
        if form is None:
            break
        action = urljoin(response.url, form.action)
        if app and action.startswith(app):
            return Visit(response, form.hidden())
        if form.asks("password"):
            if asked:
                break  # It asks again: it did not like the answer, and says why.
            asked = True
        fields = form.filled(answers, decline)
        response = session.post(action, data=fields, allow_redirects=False, timeout=30)
    return Visit(response)


def params_of(target):
    """What a redirect tells the app, in its query or its fragment."""
    parts = urlsplit(target)
    return dict(parse_qsl(parts.query) + parse_qsl(parts.fragment))


class Form(HTMLParser):
    """The first form of a page: where it goes, its inputs and its buttons."""

    def __init__(self):
        super().__init__()
        self.action, self.inputs, self.buttons, self.ended = None, [], [], False

    @classmethod
    def of(cls, page):
        form = cls()
        form.feed(page)
        return None if form.action is None else form

    def handle_starttag(self, tag, attrs):
        attrs = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action = attrs.get("action", "")
        elif self.action is None or self.ended:
            return
        elif tag == "button" or tag == "input" and attrs.get("type") == "submit":
            self.buttons.append(attrs)
        elif tag == "input":
            self.inputs.append(attrs)

    def handle_endtag(self, tag):
        self.ended = self.ended or tag == "form" and self.action is not None

    def hidden(self):
        """The fields that a page sends by itself."""
        return {one["name"]: one.get("value", "") for one in self.inputs if one.get("type") == "hidden"}

    def asks(self, kind):
        return any(one.get("type") == kind for one in self.inputs)

    def filled(self, answers, decline):
        """The fields as a person fills them in, with the button that is pressed."""
        fields = self.hidden()
        for one in self.inputs:
            kind, name = one.get("type", "text"), one.get("name", "")
            if kind == "password":
                fields[name] = answers["password"]
            elif kind in ("text", "email", "tel"):
                fields[name] = one.get("value") or answers[meaning(name)]
        for button in self.buttons:
            no = any(word in " ".join(button.values()).lower() for word in NO)
            if no == decline and button.get("name"):
                fields[button["name"]] = button.get("value", "")
                break
        return fields


def meaning(name):
    """What a text field asks for."""
    return "code" if "code" in name.lower() or name.lower() == "otc" else "user"


if __name__ == "__main__":
    visit = device_login(*sys.argv[1:5], decline=sys.argv[5:] == ["decline"])
    print(visit)
    sys.exit(0 if visit.status == 200 else 1)
