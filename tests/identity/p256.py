"""ECDSA over P-256 with SHA-256 (FIPS 186-5), in plain Python: checks the proofs of possession that a client sends,
without the library that made them. Slow, and for tests only."""
import base64
import hashlib
import json

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
A = -3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(one, other):
    """The sum of two points; None is the point at infinity."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P) % P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P) % P
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def multiply(point, factor):
    total = None
    while factor:
        if factor & 1:
            total = add(total, point)
        point = add(point, point)
        factor >>= 1
    return total


def is_point(point):
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - x * x * x - A * x - B) % P == 0


def verifies(public, message, signature):
    """Is `signature` (64 bytes, r and s) of `message` by the key whose public point this is?"""
    if len(signature) != 64 or not is_point(public):
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, N)
    point = add(multiply(G, digest * inverse % N), multiply(public, r * inverse % N))
    return point is not None and point[0] % N == r


def from_base64url(text):
    assert "=" not in text, "a JWS has no padding (RFC 7515, section 2)"
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read_proof(proof):
    """(header, payload, public point) of a DPoP proof (RFC 9449) whose signature is right."""
    header, payload, signature = proof.split(".")
    head = json.loads(from_base64url(header))
    x, y = (from_base64url(head["jwk"][name]) for name in "xy")
    assert len(x) == 32 and len(y) == 32, "coordinates have their full length (RFC 7518, section 6.2.1.2)"
    public = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    assert verifies(public, f"{header}.{payload}".encode(), from_base64url(signature)), "the signature is wrong"
    return head, json.loads(from_base64url(payload)), public


# --- keys in files, as `aws login` writes them (RFC 5915 in PEM) ---

def der(tag, content):
    length = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])
    return bytes([tag]) + length + content


def private_key_pem(secret):
    """(PEM text, public point) of the key with this secret number."""
    public = multiply(G, secret)
    point = b"\x04" + public[0].to_bytes(32, "big") + public[1].to_bytes(32, "big")
    content = der(0x30, der(0x02, b"\x01") + der(0x04, secret.to_bytes(32, "big"))
                  + der(0xA0, bytes.fromhex("06082a8648ce3d030107")) + der(0xA1, der(0x03, b"\x00" + point)))
    text = base64.b64encode(content).decode()
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN EC PRIVATE KEY-----\n{lines}\n-----END EC PRIVATE KEY-----\n", public
