"""Requests that no HTTP library would send, byte by byte over TLS: refused, told in the log, never forwarded."""

import socket
import ssl

from checks import LAB, READY, check, finish
from evidence import Watch, ccm_token, forwarded, log

HOST = "cmg.lab.test"
PATH = f"/CCM_Proxy_ServerAuth/{LAB['management_point']['role_id']}/CCM_Client/ccmsetup.cab"
MESSAGES = f"/CCM_Proxy_ServerAuth/{LAB['management_point']['role_id']}/ccm_system_tokenauth/request"
TOKEN = ccm_token()
CLOSE = "Connection: close"
OPEN = b"(the connection stays open)"


def get(*lines, target=PATH, method="GET", host=f"Host: {HOST}", end="\r\n\r\n"):
    """A request with a good token and further lines."""
    head = [f"{method} {target} HTTP/1.1", *([host] if host else []), f"Authorization: Bearer {TOKEN}", *lines]
    return ("\r\n".join(head) + end).encode("latin-1")


def post(*lines, body=b""):
    """The same with a body."""
    return get(*lines, target=MESSAGES, method="CCM_POST") + body


SMUGGLED = get(CLOSE, target=f"{PATH}?smuggled")
# What, the bytes, the statuses it may have.
BROKEN = [
    ("absolute form", get(CLOSE, target=f"https://{HOST}{PATH}"), {400}),
    ("absolute form, another host", get(CLOSE, target="https://mp.lab.test/CCM_Client/ccmsetup.cab"), {400}),
    ("absolute form, no TLS", get(CLOSE, target="http://mp.lab.test/CCM_Client/ccmsetup.cab"), {400}),
    ("authority form", get(CLOSE, method="CONNECT", target="mp.lab.test:443"), {400, 405}),
    ("a target without its slash", get(CLOSE, target=PATH[1:]), {400}),
    ("two Host headers", get("Host: mp.lab.test", CLOSE), {400}),
    ("the same Host twice", get(f"Host: {HOST}", CLOSE), {400}),
    ("no Host header", get(CLOSE, host=None), {400}),
    ("Content-Length and Transfer-Encoding",
     post("Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED), {400}),
    ("Transfer-Encoding and Content-Length",
     post("Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED), {400}),
    ("two lengths", post("Content-Length: 0", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED), {400}),
    ("one length twice", post("Content-Length: 0", "Content-Length: 0", body=SMUGGLED), {400}),
    ("two lengths in one", post(f"Content-Length: 0, {len(SMUGGLED)}", body=SMUGGLED), {400}),
    ("a length with a sign", post("Content-Length: +5", body=b"12345"), {400}),
    ("a negative length", post("Content-Length: -1"), {400}),
    ("a length in hexadecimal", post("Content-Length: 0x5", body=b"12345"), {400}),
    ("chunked twice", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), {400}),
    ("chunked, then another coding", post("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"), {400}),
    ("another coding, then chunked", post("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), {400, 501}),
    ("a coding that is none", post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED), {400, 501}),
    ("a folded header", get("X-Folded: one\r\n two", CLOSE), {400}),
    ("a folded length", post("Content-Length:\r\n 5", body=b"12345"), {400}),
    ("a bare CR in a header", get("X-Bare: one\rX-Other: two", CLOSE), {400}),
    ("a bare CR before Transfer-Encoding", post("X-Bare: one\rTransfer-Encoding: chunked", CLOSE), {400}),
    ("a NUL in a header", get("X-Nul: one\0two", CLOSE), {400}),
    ("a header without a colon", get("NoColon", CLOSE), {400}),
    ("a header without a name", get(": nameless", CLOSE), {400}),
    ("white space before the colon", post("Transfer-Encoding : chunked", body=b"0\r\n\r\n"), {400}),
    ("white space before the first header", get(host=f" Host: {HOST}"), {400}),
    ("a header of 70 KiB", get("X-Large: " + "x" * 70 * 1024, CLOSE), {400, 431}),
    ("a target of 70 KiB", get(CLOSE, target=f"{PATH}?{'x' * 70 * 1024}"), {400, 414, 431}),
    ("two hundred headers", get(*[f"X-{number}: x" for number in range(200)], CLOSE), {400, 431}),
    ("a version that is none", get(CLOSE, end="\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.9", 1), {400, 505}),
    ("no version", f"GET {PATH}\r\n\r\n".encode(), {400}),
    # Cut off without an answer, which a client of HTTP/2 could not read.
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {""}),
    ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {400}),
]
# Well-formed, and refused by the gateway itself with its own words.
REFUSED = [
    ("asterisk form", get(CLOSE, target="*"), "400 CMGService_BadRequest"),
    ("a target of 9 KiB", get(CLOSE, target=f"{PATH}?{'x' * 9 * 1024}"), "414 CMGService_RequestUriTooLong"),
    ("Authorization for one hop only", get("Connection: close, Authorization"), "400 CMGService_BadRequest"),
    ("Host for one hop only", get("Connection: close, host"), "400 CMGService_BadRequest"),
    ("a verb that is none", get(CLOSE, method="GE~T"), "405 CMGService_MethodNotAllowed"),
]
SOUND = [
    ("one GET", get(CLOSE)),
    ("a header of 7 KiB", get("X-Large: " + "x" * 7 * 1024, CLOSE)),
    ("another header for one hop only", get("Connection: close, X-Own", "X-Own: 1")),
]


def exchange(data):
    """Sends the bytes; returns everything that comes until the gateway closes, and the caller's address."""
    context = ssl.create_default_context(cafile=READY["trust_bundle"])
    with socket.create_connection((HOST, 443), timeout=20) as plain:
        caller = "{}:{}".format(*plain.getsockname())
        with context.wrap_socket(plain, server_hostname=HOST) as stream:
            answer = b""
            try:
                stream.sendall(data)
                while part := stream.recv(65536):
                    answer += part
            except (ConnectionError, ssl.SSLError):
                # Cut off in the middle of sending: what came until then counts.
                pass
            except TimeoutError:
                answer += OPEN
    return answer, caller


def status(answer):
    """The status line without its version."""
    return answer.split(b"\r\n", 1)[0].decode("latin-1").removeprefix("HTTP/1.1 ").removeprefix("HTTP/1.0 ")


def main():
    """All of it, and what the lab tells of it."""
    for what, data in SOUND:
        answer, _ = exchange(data)
        check(f"{what}: 200 OK", status(answer) == "200 OK", answer[:200])

    watch = Watch(TOKEN)
    callers = {}
    for what, data, expected in BROKEN:
        answer, callers[what] = exchange(data)
        code = status(answer)[:3]
        once = answer.count(b"HTTP/1.") == len(code) // 3 and not answer.endswith(OPEN)
        check(f"{what}: {code or 'closed'}, once", code in map(str, expected) and once, answer[:300])
    for what, data, expected in REFUSED:
        answer, _ = exchange(data)
        check(f"{what}: {expected}", status(answer) == expected, answer[:200])
    events = watch.events()
    check("nothing of it left the gateway", not forwarded(events), forwarded(events))

    peers = [event["event"]["peer"] for event in events if event["event"]["what"] == "malformed-request"]
    check("each of the broken ones leaves one event", sorted(peers) == sorted(callers.values()),
          [what for what, caller in callers.items() if peers.count(caller) != 1])
    service = log("CMGService.log")
    lines = {what: service.count(f"ERROR: Malformed request from {caller} refused: ")
             for what, caller in callers.items()}
    check("each of them leaves one line in CMGService.log", set(lines.values()) == {1}, lines)
    lines = {what: f"refused with {expected}: " in service for what, _, expected in REFUSED}
    check("what the gateway refuses in its own words is in it, too", all(lines.values()), lines)


main()
finish()
