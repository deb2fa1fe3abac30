"""Fifty downloads at once by curl, and callers that hang: nobody waits for them, and they lose nothing."""

import hashlib
import pathlib
import socket
import ssl
import subprocess
import time

import requests

from checks import LAB, READY, bearer, check, finish
from evidence import CAB, ccm_token

HOST, COUNT = "cmg.lab.test", 50
TOKEN = ccm_token()
PATH = f"/CCM_Proxy_ServerAuth/{LAB['management_point']['role_id']}/CCM_Client/ccmsetup.cab"
HEAD = f"GET {PATH} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {TOKEN}\r\n"
# More than all buffers on the way hold.
PIPELINED = 400


def downloads(name):
    """All at once; returns curl's exit status, the files' digests and the seconds it took."""
    folder = pathlib.Path(name)
    folder.mkdir()
    config = folder / "curl.txt"
    config.write_text("".join(f'url = "{CAB}?{n}"\noutput = "{folder}/{n}.cab"\n' for n in range(COUNT)), "utf-8")
    start = time.monotonic()
    call = ["curl", "-sS", "--parallel", "--parallel-immediate", "--parallel-max", str(COUNT), "--fail",
            "-H", f"Authorization: Bearer {TOKEN}", "-K", str(config)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300, check=False)
    taken = time.monotonic() - start
    files = [file.read_bytes() for file in folder.glob("*.cab")]
    return done, [hashlib.sha256(file).hexdigest() for file in files], taken


def all_came(what, done, digests):
    """Whether every file is there, and the right one."""
    check(f"{what}: curl is content", done.returncode == 0, done.stderr)
    check(f"{what}: {COUNT} files, one digest", digests == [WHOLE] * COUNT, sorted(set(digests)))


def connect(receive=None):
    """A TLS connection to the gateway; `receive` limits what the kernel takes in advance."""
    plain = socket.socket()
    if receive:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    plain.settimeout(60)
    plain.connect((HOST, 443))
    return ssl.create_default_context(cafile=READY["trust_bundle"]).wrap_socket(plain, server_hostname=HOST)


def answers(stream, count):
    """The digests of so many answers on one connection."""
    file, found = stream.makefile("rb"), []
    for _ in range(count):
        line, length = file.readline(), 0
        while (header := file.readline().strip()):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        found.append(hashlib.sha256(file.read(length)).hexdigest() if b" 200 " in line else line)
    return found


WHOLE = hashlib.sha256(requests.get(CAB, headers=bearer(TOKEN), timeout=30).content).hexdigest()
done, digests, _ = downloads("warm")
all_came("50 at once", done, digests)
alone = min(downloads(f"alone{n}")[2] for n in range(2))

half, deaf = connect(), connect(receive=4096)
half.sendall(HEAD.encode())
deaf.sendall((HEAD + "\r\n").encode() * PIPELINED)
pending = []
for n in range(2):
    done, digests, taken = downloads(f"beside{n}")
    all_came(f"50 at once beside two that hang ({n + 1})", done, digests)
    pending.append(taken)
check("they are not slower for it", min(pending) < 4 * alone + 0.5, (alone, pending))

# Neither was given up in the meantime: the gateway was really holding them.
half.sendall(b"\r\n")
check("the one with half a head gets its answer when it sends the rest", answers(half, 1) == [WHOLE])
found = answers(deaf, PIPELINED)
check(f"the one that did not read finds all {PIPELINED} answers whole", found == [WHOLE] * PIPELINED,
      [one for one in found if one != WHOLE][:3])
finish()
