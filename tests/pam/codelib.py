# SPDX-License-Identifier: BSD-2-Clause
"""The codes that host, laptop and custodians exchange, for whoever plays one of them: found on a
screen, read, written and signed. Reading is tests/vectors/protocol.py, which is checked against the
library's vectors; writing is here (vectors.protocol checks that what it writes of theirs is theirs).

	kind, body = codelib.decode(codelib.find_lines(prompt))
	challenge = codelib.read_touch_challenge(body)
	text = codelib.touch_answer(challenge, credential, private_key)
"""
import re
import struct
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).parents[1] / "vectors"))
import protocol  # noqa: E402
from protocol import (APPROVAL, PURPOSES, REFUSAL, REQUEST_CHALLENGE, RESPONSE,  # noqa: E402, F401
	TOUCH_ANSWER, TOUCH_CHALLENGE, UP, UV, crc16, ed25519_verifies, field, frame, hkdf, modhex,
	read_approval, read_refusal, read_response, read_touch_answer, read_touch_challenge,
	request_digest, sha256, short_id, touch_digest)

ALPHABET = protocol.MODHEX


# ---- keys ----

def custodian_key(value, set_id, epoch, index):
	"""A custodian's signing key from the share's value (16 or 32 bytes)."""
	return Ed25519PrivateKey.from_private_bytes(
		protocol.custodian_seed(value, set_id, epoch, index))


def quorum_key(secret, set_id, epoch):
	return Ed25519PrivateKey.from_private_bytes(protocol.quorum_seed(secret, set_id, epoch))


def compact_share(text):
	"""(member index, value) of a short form."""
	return protocol.read_compact(re.sub(r"[^a-z]", "", text.lower()))


# ---- lines ----

def from_modhex(text):
	return protocol.unmodhex(re.sub(r"[^a-z]", "", text.lower()))


def line(kind, number, part):
	"""One line of 32 characters; part: at most 13 bytes."""
	return modhex(protocol.with_crc(bytes([kind << 5 | number]) + part.ljust(13, b"\0")))


def encode(kind, body):
	"""The lines of a code, as a list."""
	return protocol.code_lines(kind, body)


def decode(lines):
	"""(kind, body) of lines in any order; each CRC, number, length and the zeroes are checked."""
	return protocol.read_code([re.sub(r"[^a-z]", "", text.lower()) for text in lines])


def find_lines(text, kind=None):
	"""The code lines that stand on a screen: eight groups of four, one or two such lines a row.
	kind: only those of that kind."""
	groups = r"(?<![a-z])(?:[%s]{4} ){7}[%s]{4}(?![a-z])" % (ALPHABET, ALPHABET)
	found = [m.replace(" ", "") for m in re.findall(groups, text)]
	found = [li for li in found if crc16(from_modhex(li)) == 0xF0B8]
	return [li for li in found if kind is None or from_modhex(li)[0] >> 5 == kind]


# ---- bodies ----

def put_text(text):
	data = text.encode()
	return bytes([len(data)]) + data


TOUCH_FIELDS = ("zone", "host_label", "account", "service", "origin")


def write_touch_challenge(v):
	return b"\1" + v["nonce"] + v["seal_digest"] + b"".join(put_text(v[n]) for n in TOUCH_FIELDS)


def write_touch_answer(tag, credential_hash, flags, counter, signature):
	return (b"\1" + tag + credential_hash + bytes([flags]) + struct.pack(">I", counter)
		+ bytes([len(signature)]) + signature)


def key_sign(private, message):
	"""As an authenticator signs: ES256 (DER) or EdDSA."""
	if isinstance(private, Ed25519PrivateKey):
		return private.sign(message)
	return private.sign(message, ec.ECDSA(hashes.SHA256()))


def touch_answer(challenge, credential, private, flags=UP | UV, counter=7, rp_id=None):
	"""The body of what a key answers to a touch challenge (see read_touch_challenge)."""
	digest = touch_digest(challenge)
	rp_id = rp_id or "breakglass:" + challenge["zone"]
	authdata = sha256(rp_id.encode()) + bytes([flags]) + struct.pack(">I", counter)
	return write_touch_answer(digest[:4], sha256(credential)[:4], flags, counter,
		key_sign(private, authdata + digest))


def read_request_challenge(body):
	v = protocol.read_request_challenge(body)
	return {**v, "custodians": list(v["custodians"].items())}


def write_request_challenge(v):
	purpose = next(k for k, name in PURPOSES.items() if name == v["purpose"])
	return (bytes([1, purpose]) + v["seal_digest"] + put_text(v["host_label"])
		+ put_text(v["account"]) + struct.pack(">I", v["uid"]) + put_text(v["key"])
		+ put_text(v["holder"]) + put_text(v["reason"]) + struct.pack(">I", v["session_seconds"])
		+ v["nonce"] + put_text(v["service"]) + put_text(v["origin"]) + v["set"]
		+ struct.pack(">IHHBB", v["epoch"], v["strength"], v["slip39_id"], v["threshold"],
			len(v["custodians"]))
		+ b"".join(bytes([index]) + key_hash for index, key_hash in v["custodians"]))


def write_approval(tag, index, epoch, signature):
	return b"\1" + tag + bytes([index]) + struct.pack(">I", epoch) + signature


def approval(challenge, index, private):
	"""The body of a custodian's approval of a request challenge (custodian_key gives private)."""
	digest = request_digest(challenge)
	return write_approval(digest[:4], index, challenge["epoch"],
		private.sign(frame("approval", digest)))


def write_refusal(tag, index, epoch, signature):
	return write_approval(tag, index, epoch, signature)  # the same fields


def refusal(challenge, index, private):
	"""The body of a custodian's refusal, which ends the request."""
	digest = request_digest(challenge)
	return write_refusal(digest[:4], index, challenge["epoch"],
		private.sign(frame("refusal", digest)))


def write_response(tag, epoch, exposed, signature):
	return b"\1" + tag + struct.pack(">IH", epoch, exposed) + signature


def response(challenge, exposed, private):
	"""The body of the quorum's response; exposed: bit a member index."""
	digest = request_digest(challenge)
	return write_response(digest[:4], challenge["epoch"], exposed,
		private.sign(frame("response", digest, exposed)))
