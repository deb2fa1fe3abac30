"""CCM messages over HTTP: what a client sends, and the reply in the form that every public client reads."""

import datetime
import re
import uuid
import xml.etree.ElementTree as ElementTree
import zlib

import requests

from checks import MP, bearer, check, status

BOUNDARY = "aAbBcCdDv1234567890VxXyYzZ"
NUL = b"\0\0"


def now():
    """The time as messages write it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def utf16(text):
    """Little-endian, without a byte order mark."""
    return text.encode("utf-16-le")


def send(token, endpoint, document, reply_to):
    """Sends one message; returns the response and the message's id."""
    payload = utf16(document) + NUL
    message_id = "{" + str(uuid.uuid4()).upper() + "}"
    header = (
        '<Msg ReplyCompression="zlib" SchemaVersion="1.1">'
        f'<Body Type="ByteRange" Length="{len(payload)}" Offset="0"/>'
        "<CorrelationID>{00000000-0000-0000-0000-000000000000}</CorrelationID>"
        f'<Hooks><Hook3 Name="zlib-compress"/></Hooks><ID>{message_id}</ID><Payload Type="inline"/>'
        "<Priority>0</Priority><Protocol>http</Protocol><ReplyMode>Sync</ReplyMode>"
        f"<ReplyTo>direct:WIREPC:{reply_to}</ReplyTo><SentTime>{now()}</SentTime><SourceHost>WIREPC</SourceHost>"
        f"<TargetAddress>mp:{endpoint}</TargetAddress><TargetEndpoint>{endpoint}</TargetEndpoint>"
        "<TargetHost>mp.lab.test</TargetHost><Timeout>60000</Timeout></Msg>"
    )
    delimiter = f"--{BOUNDARY}".encode()
    # Senders compress a line end of two single bytes along, after the terminator.
    body = b"\r\n".join([
        delimiter, b"content-type: text/plain; charset=UTF-16", b"", b"\xff\xfe" + utf16(header),
        delimiter, b"content-type: application/octet-stream", b"", zlib.compress(payload + b"\r\n"),
        delimiter + b"--",
    ])
    headers = bearer(token) | {
        "User-Agent": "ConfigMgr Messaging HTTP Sender",
        "Content-Type": f'multipart/mixed; boundary="{BOUNDARY}"',
    }
    url = f"{MP}/ccm_system_tokenauth/request"
    return requests.request("CCM_POST", url, headers=headers, data=body, timeout=30), message_id


def read(what, response, message_id):
    """The document of a reply, whose form is checked; `None` if it has none."""
    problems = []
    document = None
    try:
        document = _read(response, message_id, lambda text, held: held or problems.append(text))
    except (ValueError, IndexError, AttributeError, zlib.error, ElementTree.ParseError) as error:
        problems.append(repr(error))
    check(f"{what}: the reply has the form that every public client reads", not problems,
          f"{problems} in {status(response)} {response.content[:80]!r}")
    return document


def _read(response, message_id, due):
    headers = response.headers
    due("status 200", response.status_code == 200)
    due("the common boundary", headers.get("Content-Type") == f'multipart/mixed; boundary="{BOUNDARY}"')
    due("Content-Length", headers.get("Content-Length") == str(len(response.content)))
    before, *parts, after = response.content.split(f"--{BOUNDARY}".encode())
    due("two parts, nothing around them", (before, len(parts), after.strip()) == (b"", 2, b"--"))
    (head_type, head), (body_type, body) = map(_part, parts)
    due("the type of part 0", head_type == "text/plain; charset=UTF-16")
    due("the type of part 1", body_type == "application/octet-stream")
    due("part 0 begins with a byte order mark", head.startswith(b"\xff\xfe"))
    message = ElementTree.fromstring(head.decode("utf-16"))
    payload = zlib.decompress(body)
    text = payload.decode("utf-16-le")
    due("one NUL, at the end", text.endswith("\0") and text.count("\0") == 1)
    due("no byte order mark and no declaration in the document", re.match("<[A-Za-z]", text) is not None)
    due("Body/@Length counts the NUL", message.find("Body").get("Length") == str(len(payload)))
    due("CorrelationID is the request's ID", message.findtext("CorrelationID") == message_id)
    return ElementTree.fromstring(text[:-1])


def _part(part):
    """The type and the content of a part, which has exactly that one header line."""
    head, content = part.removeprefix(b"\r\n").removesuffix(b"\r\n").split(b"\r\n\r\n", 1)
    name, value = head.decode().split(": ", 1)
    if name.lower() != "content-type" or "\r\n" in value:
        raise ValueError(f"part with the header {head!r}")
    return value, content
