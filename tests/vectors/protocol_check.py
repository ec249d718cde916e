#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""doc/protocol.md once more, in Python, over tests/vectors/protocol.json.

protocol_check.py FILE [PROGRAM]: with PROGRAM, what it prints must be FILE.
"""
import hashlib
import hmac
import json
import struct
import subprocess
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

checks = 0


def same(what, got, want):
    global checks
    checks += 1
    if isinstance(got, bytes):
        got = got.hex()
    if got != want:
        sys.exit(f"protocol_check: {what}: {got} is not {want}")


def verifies(what, public, signature, message):
    global checks
    checks += 1
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    try:
        key.verify(bytes.fromhex(signature), message)
    except InvalidSignature:
        sys.exit(f"protocol_check: {what}: signature does not verify")


def field(value):
    if isinstance(value, int):
        value = struct.pack(">I", value)
    elif isinstance(value, str):
        value = value.encode()
    return struct.pack(">I", len(value)) + value


def frame(context, *fields):
    return b"pam_breakglass/1 " + context.encode() + b"\0" + b"".join(map(field, fields))


def sha256(data):
    return hashlib.sha256(data).digest()


def hkdf(key, salt, info):
    """RFC 5869, one block of 32 bytes."""
    prk = hmac.new(salt, key, "sha256").digest()
    return hmac.new(prk, info + b"\x01", "sha256").digest()


def raw(public_key):
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def ed25519_public(seed):
    return raw(Ed25519PrivateKey.from_private_bytes(seed).public_key())


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


def modhex(data):
    return data.hex().translate(str.maketrans("0123456789abcdef", "cbdefghijklnrtuv"))


def read_ini(text):
    sections, section = {}, None
    for line in text.split("\n"):
        if line.startswith("["):
            section = sections.setdefault(line[1:-1], {})
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            section[key.strip()] = value.strip()
    return sections


def check_custodian(v):
    seed = hkdf(
        bytes.fromhex(v["value"]),
        bytes.fromhex(v["set"]),
        frame("custodian-key", v["epoch"], v["index"]),
    )
    same("custodian's seed", seed, v["seed"])
    same("custodian's key", ed25519_public(seed), v["public"])


def check_quorum(v):
    secret, salt = bytes.fromhex(v["secret"]), bytes.fromhex(v["set"])
    seed = hkdf(secret, salt, frame("quorum-key", v["epoch"]))
    same("quorum's seed", seed, v["sign_seed"])
    same("quorum's key", ed25519_public(seed), v["sign_public"])
    scalar = hkdf(secret, salt, frame("envelope-key", v["epoch"]))
    same("envelope scalar", scalar, v["envelope"])
    public = raw(X25519PrivateKey.from_private_bytes(scalar).public_key())
    same("envelope key", public, v["envelope_public"])
    same("recipient", bech32("age", public), v["recipient"])


def check_seal(v):
    text = v["text"].encode()
    same("digest", sha256(text), v["digest"])
    same("body", text.index(b"[signature]\n"), v["body_len"])
    body, sections = text[: v["body_len"]], read_ini(v["text"])
    verifies(
        "seal",
        sections["seal"]["quorum-key"],
        sections["signature"]["quorum"],
        frame("seal", sha256(body)),
    )
    return body, sections


def check_succession(first, second):
    _, old = check_seal(first)
    body, new = check_seal(second)
    same("predecessor", new["seal"]["predecessor"], first["digest"])
    signature = new["signature"]
    verifies(
        "endorsement by the quorum",
        old["seal"]["quorum-key"],
        signature["predecessor-quorum"],
        frame("succession-quorum", sha256(body)),
    )
    authdata = bytes.fromhex(signature["predecessor-authdata"])
    same("RP id hash", authdata[:32], sha256(old["seal"]["rp-id"].encode()).hex())
    same("UP and UV", authdata[32] & 5, 5)
    verifies(
        "endorsement by the key",
        old["key " + signature["predecessor-key"]]["public-key"],
        signature["predecessor-signature"],
        authdata + sha256(frame("succession-key", sha256(body))),
    )


def check_touch(v):
    digest = sha256(
        frame(
            "touch",
            bytes.fromhex(v["nonce"]),
            bytes.fromhex(v["seal_digest"]),
            v["host_label"],
            v["account"],
            v["service"],
            v["origin"],
        )
    )
    same("touch digest", digest, v["digest"])
    authdata = bytes.fromhex(v["authdata"])
    same("RP id hash", authdata[:32], sha256(v["rp_id"].encode()).hex())
    verifies("assertion", v["key_public"], v["signature"], authdata + digest)


def check_request(v, custodian, quorum):
    digest = sha256(
        frame(
            "request",
            v["purpose"],
            bytes.fromhex(v["seal_digest"]),
            v["host_label"],
            v["account"],
            v["uid"],
            v["key"],
            v["holder"],
            v["reason"],
            v["session_seconds"],
            bytes.fromhex(v["nonce"]),
            v["service"],
            v["origin"],
        )
    )
    same("request digest", digest, v["digest"])
    verifies("approval", custodian["public"], v["approval"], frame("approval", digest))
    verifies("response", quorum["sign_public"], v["response"], frame("response", digest, 0x3))


def check_compact(v):
    value = bytes.fromhex(v["value"])
    kind = 1 if len(value) == 16 else 2
    same("compact share", modhex(with_crc(bytes([kind << 4 | v["index"]]) + value)), v["modhex"])


def check_code(v):
    body = bytes.fromhex(v["body"])
    stream = struct.pack(">H", len(body)) + body
    lines = ""
    for number in range(-(-len(stream) // 13)):
        part = stream[13 * number : 13 * number + 13].ljust(13, b"\0")
        lines += modhex(with_crc(bytes([v["kind"] << 5 | number]) + part)) + "\n"
    same("code", lines, v["lines"])


def main():
    path = sys.argv[1]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if len(sys.argv) > 2:
        made = subprocess.run([sys.argv[2]], check=True, capture_output=True, text=True, timeout=30)
        same("the program's output", made.stdout, text)
    v = json.loads(text)
    check_custodian(v["custodian_ops"])
    check_custodian(v["custodian_audit"])
    check_quorum(v["quorum"])
    check_succession(v["seal"], v["successor"])
    check_touch(v["touch"])
    check_request(v["request"], v["custodian_ops"], v["quorum"])
    check_compact(v["compact"])
    check_code(v["code"])
    print(f"{checks} checks of {path}")


if __name__ == "__main__":
    main()
