# SPDX-License-Identifier: BSD-2-Clause
"""The codes that host, laptop and custodians exchange, once more from doc/protocol.md: lines, bodies,
digests, signatures. Shares nothing with the project's code, so that what both agree on is the page.

	kind, body = codelib.decode(codelib.find_lines(prompt))
	challenge = codelib.read_touch_challenge(body)
	text = codelib.touch_answer(challenge, credential, private_key)
"""
import hashlib
import hmac
import re
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TOUCH_CHALLENGE, TOUCH_ANSWER, REQUEST_CHALLENGE, APPROVAL, RESPONSE, REFUSAL = range(6)
ALPHABET = "cbdefghijklnrtuv"
LINE = 13  # bytes of body in a line
UP, UV = 0x01, 0x04


# ---- frames, keys ----

def sha256(data):
	return hashlib.sha256(data).digest()


def field(value):
	if isinstance(value, int):
		value = struct.pack(">I", value)
	elif isinstance(value, str):
		value = value.encode()
	return struct.pack(">I", len(value)) + value


def frame(context, *fields):
	return b"pam_breakglass/1 " + context.encode() + b"\0" + b"".join(map(field, fields))


def hkdf(key, salt, info):
	"""RFC 5869 with SHA-256, one block of 32 bytes."""
	prk = hmac.new(salt, key, "sha256").digest()
	return hmac.new(prk, info + b"\x01", "sha256").digest()


def custodian_key(value, set_id, epoch, index):
	"""A custodian's signing key from the share's value (16 or 32 bytes)."""
	return Ed25519PrivateKey.from_private_bytes(
		hkdf(value, set_id, frame("custodian-key", epoch, index)))


def quorum_key(secret, set_id, epoch):
	return Ed25519PrivateKey.from_private_bytes(hkdf(secret, set_id, frame("quorum-key", epoch)))


def compact_share(text):
	"""(member index, value) of a short form."""
	raw = from_modhex(text)
	assert crc16(raw) == 0xF0B8, text
	return raw[0] & 15, raw[1:-2]


# ---- lines ----

def crc16(data):
	"""ISO 13239: reflected 0x1021, all ones to start with."""
	crc = 0xFFFF
	for byte in data:
		crc ^= byte
		for _ in range(8):
			crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
	return crc


def modhex(data):
	return data.hex().translate(str.maketrans("0123456789abcdef", ALPHABET))


def from_modhex(text):
	text = re.sub(r"[^a-z]", "", text.lower())
	return bytes.fromhex(text.translate(str.maketrans(ALPHABET, "0123456789abcdef")))


def line(kind, number, part):
	"""One line of 32 characters; part: at most 13 bytes."""
	raw = bytes([kind << 5 | number]) + part.ljust(LINE, b"\0")
	return modhex(raw + struct.pack("<H", ~crc16(raw) & 0xFFFF))


def encode(kind, body):
	"""The lines of a code, as a list."""
	stream = struct.pack(">H", len(body)) + body
	return [line(kind, i // LINE, stream[i:i + LINE]) for i in range(0, len(stream), LINE)]


def decode(lines):
	"""(kind, body) of lines in any order; each CRC, number, length and the zeroes are checked."""
	parts, kinds = {}, set()
	for text in lines:
		raw = from_modhex(text)
		assert len(raw) == 16 and crc16(raw) == 0xF0B8, text
		kinds.add(raw[0] >> 5)
		parts[raw[0] & 31] = raw[1:14]
	assert len(kinds) == 1 and sorted(parts) == list(range(len(parts))), (kinds, parts)
	stream = b"".join(parts[i] for i in range(len(parts)))
	total = struct.unpack(">H", stream[:2])[0]
	assert len(parts) == -(-(2 + total) // LINE) and not stream[2 + total:].strip(b"\0")
	return kinds.pop(), stream[2:2 + total]


def find_lines(text, kind=None):
	"""The code lines that stand on a screen: eight groups of four, one or two such lines a row.
	kind: only those of that kind."""
	groups = r"(?<![a-z])(?:[%s]{4} ){7}[%s]{4}(?![a-z])" % (ALPHABET, ALPHABET)
	found = [m.replace(" ", "") for m in re.findall(groups, text)]
	found = [li for li in found if crc16(from_modhex(li)) == 0xF0B8]
	return [li for li in found if kind is None or from_modhex(li)[0] >> 5 == kind]


# ---- bodies ----

class Reader:
	def __init__(self, data):
		self.data = data

	def take(self, size):
		assert len(self.data) >= size
		part, self.data = self.data[:size], self.data[size:]
		return part

	def number(self, size):
		return int.from_bytes(self.take(size), "big")

	def text(self):
		return self.take(self.number(1)).decode()

	def end(self):
		assert not self.data


def put_text(text):
	data = text.encode()
	return bytes([len(data)]) + data


TOUCH_FIELDS = ("zone", "host_label", "account", "service", "origin")


def read_touch_challenge(body):
	r = Reader(body)
	assert r.number(1) == 1
	v = {"nonce": r.take(32), "seal_digest": r.take(32)}
	v.update((name, r.text()) for name in TOUCH_FIELDS)
	r.end()
	return v


def write_touch_challenge(v):
	return b"\1" + v["nonce"] + v["seal_digest"] + b"".join(put_text(v[n]) for n in TOUCH_FIELDS)


def touch_digest(v):
	"""What the key signs as clientDataHash."""
	return sha256(frame("touch", v["nonce"], v["seal_digest"], v["host_label"], v["account"],
		v["service"], v["origin"]))


def write_touch_answer(tag, credential_hash, flags, counter, signature):
	return (b"\1" + tag + credential_hash + bytes([flags]) + struct.pack(">I", counter)
		+ bytes([len(signature)]) + signature)


def read_touch_answer(body):
	r = Reader(body)
	assert r.number(1) == 1
	v = {"tag": r.take(4), "credential_hash": r.take(4), "flags": r.number(1),
		"counter": r.number(4)}
	v["signature"] = r.take(r.number(1))
	r.end()
	return v


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


PURPOSES = {1: "emergency", 2: "drill"}


def read_request_challenge(body):
	r = Reader(body)
	assert r.number(1) == 1
	v = {"purpose": PURPOSES[r.number(1)], "seal_digest": r.take(32), "host_label": r.text(),
		"account": r.text(), "uid": r.number(4), "key": r.text(), "holder": r.text(),
		"reason": r.text(), "session_seconds": r.number(4), "nonce": r.take(16),
		"service": r.text(), "origin": r.text(), "set": r.take(16), "epoch": r.number(4),
		"strength": r.number(2), "slip39_id": r.number(2), "threshold": r.number(1)}
	v["custodians"] = [(r.number(1), r.take(2)) for _ in range(r.number(1))]
	r.end()
	return v


def write_request_challenge(v):
	purpose = next(k for k, name in PURPOSES.items() if name == v["purpose"])
	return (bytes([1, purpose]) + v["seal_digest"] + put_text(v["host_label"])
		+ put_text(v["account"]) + struct.pack(">I", v["uid"]) + put_text(v["key"])
		+ put_text(v["holder"]) + put_text(v["reason"]) + struct.pack(">I", v["session_seconds"])
		+ v["nonce"] + put_text(v["service"]) + put_text(v["origin"]) + v["set"]
		+ struct.pack(">IHHBB", v["epoch"], v["strength"], v["slip39_id"], v["threshold"],
			len(v["custodians"]))
		+ b"".join(bytes([index]) + key_hash for index, key_hash in v["custodians"]))


def request_digest(v):
	return sha256(frame("request", v["purpose"], v["seal_digest"], v["host_label"], v["account"],
		v["uid"], v["key"], v["holder"], v["reason"], v["session_seconds"], v["nonce"],
		v["service"], v["origin"]))


def write_approval(tag, index, epoch, signature):
	return b"\1" + tag + bytes([index]) + struct.pack(">I", epoch) + signature


def read_approval(body):
	r = Reader(body)
	assert r.number(1) == 1
	v = {"tag": r.take(4), "index": r.number(1), "epoch": r.number(4), "signature": r.take(64)}
	r.end()
	return v


def approval(challenge, index, private):
	"""The body of a custodian's approval of a request challenge (custodian_key gives private)."""
	digest = request_digest(challenge)
	return write_approval(digest[:4], index, challenge["epoch"],
		private.sign(frame("approval", digest)))


def write_response(tag, epoch, exposed, signature):
	return b"\1" + tag + struct.pack(">IH", epoch, exposed) + signature


def read_response(body):
	r = Reader(body)
	assert r.number(1) == 1
	v = {"tag": r.take(4), "epoch": r.number(4), "exposed": r.number(2), "signature": r.take(64)}
	r.end()
	return v


def response(challenge, exposed, private):
	"""The body of the quorum's response; exposed: bit a member index."""
	digest = request_digest(challenge)
	return write_response(digest[:4], challenge["epoch"], exposed,
		private.sign(frame("response", digest, exposed)))
