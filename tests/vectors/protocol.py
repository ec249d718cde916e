# SPDX-License-Identifier: BSD-2-Clause
"""doc/protocol.md in Python, with its standard library and python3-cryptography alone: written
from that page and not from the project's code, so that the two check each other.

What a reader refuses it raises as Refused with the name of an enum bg_err without its BG_ERR_.
"""
import base64
import hashlib
import hmac
import re
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TOUCH_CHALLENGE, TOUCH_ANSWER, REQUEST_CHALLENGE, APPROVAL, RESPONSE, REFUSAL = range(6)
PURPOSES = {1: "emergency", 2: "drill"}
UP, UV, AT, ED = 0x01, 0x04, 0x40, 0x80


class Refused(Exception):
    """Its text is the error's name."""


def sha256(data):
    return hashlib.sha256(data).digest()


# Frames and what is derived and signed -----------------------------------------------------


def field(value):
    if isinstance(value, int):
        value = struct.pack(">I", value)
    elif isinstance(value, str):
        value = value.encode()
    return struct.pack(">I", len(value)) + value


def frame(context, *fields):
    return b"pam_breakglass/1 " + context.encode() + b"\0" + b"".join(map(field, fields))


def hkdf(key, salt, info):
    """RFC 5869, one block of 32 bytes."""
    prk = hmac.new(salt, key, "sha256").digest()
    return hmac.new(prk, info + b"\x01", "sha256").digest()


def raw(public_key):
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def ed25519_public(seed):
    return raw(Ed25519PrivateKey.from_private_bytes(seed).public_key())


def ed25519_sign(seed, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def ed25519_verifies(public, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def es256_verifies(public, signature, message):
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + public)
    try:
        key.verify(signature, message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def x25519_public(scalar):
    return raw(X25519PrivateKey.from_private_bytes(scalar).public_key())


def custodian_seed(value, set_id, epoch, index):
    return hkdf(value, set_id, frame("custodian-key", epoch, index))


def quorum_seed(secret, set_id, epoch):
    return hkdf(secret, set_id, frame("quorum-key", epoch))


def envelope_scalar(secret, set_id, epoch):
    return hkdf(secret, set_id, frame("envelope-key", epoch))


BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(prefix, data):
    """BIP 173."""
    number = int.from_bytes(data, "big") << (-8 * len(data) % 5)
    count = -(-8 * len(data) // 5)
    values = [number >> 5 * (count - 1 - i) & 31 for i in range(count)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = 1
    for value in expanded + values + [0] * 6:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= g if top >> i & 1 else 0
    checksum ^= 1
    values += [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(BECH32[v] for v in values)


def age_recipient(public):
    return bech32("age", public)


def age_identity(scalar):
    return bech32("age-secret-key-", scalar).upper()


def short_id(data):
    bits = int.from_bytes(data[:3], "big") >> 4
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[bits >> 5 * i & 31] for i in (3, 2, 1, 0))


def touch_digest(v):
    """v: a touch challenge's fields."""
    return sha256(frame("touch", v["nonce"], v["seal_digest"], v["host_label"], v["account"],
                        v["service"], v["origin"]))


def request_digest(v):
    return sha256(frame("request", v["purpose"], v["seal_digest"], v["host_label"], v["account"],
                        v["uid"], v["key"], v["holder"], v["reason"], v["session_seconds"],
                        v["nonce"], v["service"], v["origin"]))


def check_assertion(v, digest):
    """v: algorithm, public, credential and rp_id of the key; named, authdata, signature."""
    authdata = v["authdata"]
    if len(authdata) < 37:
        raise Refused("ASSERTION")
    flags = authdata[32]
    if (authdata[:32] != sha256(v["rp_id"].encode()) or not flags & UP or not flags & UV
            or flags & AT or bool(flags & ED) != (len(authdata) > 37)
            or v["named"] not in (b"", v["credential"])):
        raise Refused("ASSERTION")
    es256 = v["algorithm"] == "es256"
    if not 8 <= len(v["signature"]) <= 72 if es256 else len(v["signature"]) != 64:
        raise Refused("ASSERTION")
    verifies = es256_verifies if es256 else ed25519_verifies
    if not verifies(v["public"], v["signature"], authdata + digest):
        raise Refused("SIGNATURE")


# What is typed -----------------------------------------------------------------------------


def crc16(data):
    """ISO 13239 (as libyubikey): reflected 0x1021, all ones to start with."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def with_crc(data):
    return data + struct.pack("<H", ~crc16(data) & 0xFFFF)


HEX, MODHEX = "0123456789abcdef", "cbdefghijklnrtuv"


def modhex(data):
    return data.hex().translate(str.maketrans(HEX, MODHEX))


def unmodhex(text):
    text = text.lower()
    if set(text) - set(MODHEX):
        raise Refused("SYNTAX")
    return bytes.fromhex(text.translate(str.maketrans(MODHEX, HEX)))


def compact(index, value):
    return modhex(with_crc(bytes([(1 if len(value) == 16 else 2) << 4 | index]) + value))


def read_compact(text):
    """(member index, value)"""
    if len(text) not in (38, 70):
        raise Refused("RANGE")
    data = unmodhex(text)
    if crc16(data) != 0xF0B8:
        raise Refused("CHECKSUM")
    if data[0] >> 4 != (1 if len(text) == 38 else 2):
        raise Refused("WRONG_KIND")
    return data[0] & 15, data[1:-2]


def code_lines(kind, body):
    stream = struct.pack(">H", len(body)) + body
    return [modhex(with_crc(bytes([kind << 5 | number])
                            + stream[13 * number : 13 * number + 13].ljust(13, b"\0")))
            for number in range(-(-len(stream) // 13))]


def grouped(line):
    return " ".join(line[i : i + 4] for i in range(0, len(line), 4))


def read_line(text):
    """(kind, number, 13 bytes)"""
    if len(text) != 32:
        raise Refused("RANGE")
    data = unmodhex(text)
    if crc16(data) != 0xF0B8:
        raise Refused("CHECKSUM")
    if data[0] >> 5 > REFUSAL:
        raise Refused("WRONG_KIND")
    return data[0] >> 5, data[0] & 31, data[1:14]


def read_code(lines):
    """(kind, body) of lines in any order."""
    kind, parts, total = None, {}, None
    for text in lines:
        its_kind, number, part = read_line(text)
        if kind not in (None, its_kind):
            raise Refused("WRONG_KIND")
        if parts.get(number, part) != part:
            raise Refused("DUPLICATE")
        kind, parts[number] = its_kind, part
        if 0 not in parts:
            continue
        total = 2 + int.from_bytes(parts[0][:2], "big")
        count = -(-total // 13)
        if total == 2 or count > 32 or max(parts) >= count:
            raise Refused("RANGE")
        if count - 1 in parts and any(parts[count - 1][total - 13 * (count - 1) :]):
            raise Refused("RANGE")
    if total is None or len(parts) != -(-total // 13):
        raise Refused("MISSING")
    return kind, b"".join(parts[i] for i in sorted(parts))[2:total]


HIDDEN = [(0, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x61C, 0x61C), (0x180E, 0x180E),
          (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF),
          (0xFFF9, 0xFFFB), (0xE0000, 0xE007F)]
NAME = r"[a-z0-9][a-z0-9-]{0,11}"
ACCOUNT = r"[a-z_][a-z0-9_-]{0,15}"
LABEL = r"[A-Za-z0-9][A-Za-z0-9._-]{0,23}"


class Body:
    """Reads a code's body from its front; all that is not as it must be is SYNTAX."""

    def __init__(self, data):
        self.data = data
        self.need(self.number(1) == 1)

    @staticmethod
    def need(good):
        if not good:
            raise Refused("SYNTAX")

    def take(self, length):
        self.need(len(self.data) >= length)
        part, self.data = self.data[:length], self.data[length:]
        return part

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def text(self, most, pattern=None):
        data = self.take(self.number(1))
        self.need(len(data) <= most)
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise Refused("SYNTAX") from error
        self.need(not any(a <= ord(c) <= b for c in text for a, b in HIDDEN))
        self.need(pattern is None or re.fullmatch(pattern, text))
        return text

    def end(self, fields):
        self.need(not self.data)
        return fields


def read_touch_challenge(data):
    b = Body(data)
    return b.end({"nonce": b.take(32), "seal_digest": b.take(32), "zone": b.text(24, LABEL),
                  "host_label": b.text(24, LABEL), "account": b.text(16, ACCOUNT),
                  "service": b.text(16), "origin": b.text(64)})


def read_touch_answer(data):
    b = Body(data)
    v = {"tag": b.take(4), "credential_hash": b.take(4), "flags": b.number(1),
         "counter": b.number(4)}
    length = b.number(1)
    b.need(length <= 128 and not v["flags"] & ED)
    v["signature"] = b.take(length)
    return b.end(v)


def answer_authdata(answer, rp_id):
    return sha256(rp_id.encode()) + struct.pack(">BI", answer["flags"], answer["counter"])


def read_request_challenge(data):
    b = Body(data)
    purpose = b.number(1)
    b.need(purpose in PURPOSES)
    v = {"purpose": PURPOSES[purpose], "seal_digest": b.take(32),
         "host_label": b.text(24, LABEL), "account": b.text(16, ACCOUNT), "uid": b.number(4),
         "key": b.text(12, NAME), "holder": b.text(24), "reason": b.text(64),
         "session_seconds": b.number(4), "nonce": b.take(16), "service": b.text(16),
         "origin": b.text(64), "set": b.take(16), "epoch": b.number(4), "strength": b.number(2),
         "slip39_id": b.number(2), "threshold": b.number(1), "custodians": {}}
    count = b.number(1)
    b.need(v["epoch"] > 0 and v["strength"] in (128, 256) and v["slip39_id"] < 0x8000)
    b.need(1 <= v["threshold"] <= count <= 16 and (v["threshold"] > 1 or count == 1))
    for _ in range(count):
        index = b.number(1)
        b.need(index < 16 and index not in v["custodians"])
        v["custodians"][index] = b.take(2)
    return b.end(v)


def read_approval(data):
    b = Body(data)
    v = {"tag": b.take(4), "index": b.number(1), "epoch": b.number(4), "signature": b.take(64)}
    b.need(v["index"] < 16)
    return b.end(v)


def read_refusal(data):
    return read_approval(data)  # the same fields


def read_response(data):
    b = Body(data)
    v = {"tag": b.take(4), "epoch": b.number(4), "exposed": b.number(2), "signature": b.take(64)}
    b.need(v["exposed"])
    return b.end(v)


READERS = {TOUCH_CHALLENGE: read_touch_challenge, TOUCH_ANSWER: read_touch_answer,
           REQUEST_CHALLENGE: read_request_challenge, APPROVAL: read_approval,
           RESPONSE: read_response, REFUSAL: read_refusal}


# Files -------------------------------------------------------------------------------------


def read_ini(text):
    """{section: {key: value}} of a seal, as far as its vectors need it."""
    sections, section = {}, None
    for line in text.split("\n"):
        if line.startswith("["):
            section = sections.setdefault(line[1:-1], {})
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            section[key.strip()] = value.strip()
    return sections


def string(data):
    """RFC 4251."""
    return struct.pack(">I", len(data)) + data


def ssh_line(public, application):
    """An sk key of 32 bytes (Ed25519) or 64 (P-256's x and y) as its seal and sshd write it."""
    if len(public) == 32:
        kind, parts = b"sk-ssh-ed25519@openssh.com", [public]
    else:
        kind, parts = b"sk-ecdsa-sha2-nistp256@openssh.com", [b"nistp256", b"\x04" + public]
    blob = b"".join(map(string, [kind, *parts, application.encode()]))
    return kind.decode() + " " + base64.b64encode(blob).decode(), blob
