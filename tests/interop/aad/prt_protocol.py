"""The cryptography of primary refresh tokens after MS-OAPXBC, with nothing but `cryptography`."""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from checks import base64url, from_base64url

LABEL = b"AzureAD-SecureConversation"


def derive(session_key, ctx, payload=None):
    """SP 800-108 in counter mode, one block; with the payload it is version 2."""
    context = ctx if payload is None else hashlib.sha256(ctx + payload).digest()
    block = (1).to_bytes(4, "big") + LABEL + b"\0" + context + (256).to_bytes(4, "big")
    return hmac.new(session_key, block, hashlib.sha256).digest()


def jws(header, payload, sign):
    """A compact JWS; `sign` gets what is signed, and the payload's bytes."""
    body = json.dumps(payload).encode()
    signed = f"{base64url(json.dumps(header).encode())}.{base64url(body)}"
    return f"{signed}.{base64url(sign(signed.encode(), body))}"


def signed_by_device(payload, key, certificate_der):
    """RS256 under the device's key, its certificate in the header."""
    header = {"alg": "RS256", "typ": "JWT", "x5c": base64.b64encode(certificate_der).decode()}
    return jws(header, payload, lambda signed, _: key.sign(signed, rsa_padding.PKCS1v15(), hashes.SHA256()))


def signed_by_session(payload, session_key, ctx, version, said=None):
    """HS256 under a key derived by `version`; the header may say another."""
    said = said or version
    header = {"alg": "HS256", "typ": "JWT", "ctx": base64.b64encode(ctx).decode()}
    if said == 2:
        header["kdf_ver"] = 2

    def sign(signed, body):
        key = derive(session_key, ctx, body if version == 2 else None)
        return hmac.new(key, signed, hashlib.sha256).digest()
    return jws(header, payload, sign)


def unwrap(jwe, transport_key):
    """The session key, RSA-OAEP with SHA-1 in the encrypted key of a JWE."""
    encrypted = from_base64url(jwe.split(".")[1])
    oaep = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    return transport_key.decrypt(encrypted, oaep)


def open_answer(jwe, session_key):
    """An answer's header and document: it says A256GCM and is AES-256-CBC, under a key of version 1."""
    head, encrypted_key, iv, ciphertext, _tag = jwe.split(".")
    header = json.loads(from_base64url(head))
    assert encrypted_key == "" and (header["alg"], header["enc"]) == ("dir", "A256GCM"), header
    key = derive(session_key, base64.b64decode(header["ctx"], validate=True))
    decryptor = Cipher(algorithms.AES(key), modes.CBC(from_base64url(iv))).decryptor()
    padded = decryptor.update(from_base64url(ciphertext)) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    return header, json.loads(unpadder.update(padded) + unpadder.finalize())
