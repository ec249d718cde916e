# SPDX-License-Identifier: BSD-2-Clause
"""A process's memory, and the secrets that must not be in it (RULES P08)."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "vectors"))
from protocol import ed25519_public, frame, hkdf  # noqa: E402

MODHEX = "cbdefghijklnrtuv"


def image(pid):
	"""Every writable mapping's bytes."""
	parts = []
	with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
		for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
			span, mode = line.split()[:2]
			start, end = (int(x, 16) for x in span.split("-"))
			if mode[:2] != "rw":
				continue
			mem.seek(start)
			parts.append(mem.read(end - start))
	return parts


def share_bytes(modhex):
	"""A compact share: one byte of type and index, the value, two of checksum."""
	digits = [MODHEX.index(c) for c in modhex]
	return bytes(a << 4 | b for a, b in zip(digits[::2], digits[1::2], strict=True))


def share_value(modhex):
	return share_bytes(modhex)[1:-2]


def seal_section(seal, name):
	text = Path(seal).read_text().split(f"[{name}]\n", 1)[1].split("\n[", 1)[0]
	return dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)


def custodian_seed(seal, name, value):
	"""The seed of the custodian's key, checked against the seal's public half."""
	head, custodian = seal_section(seal, "seal"), seal_section(seal, f"custodian {name}")
	seed = hkdf(value, bytes.fromhex(head["set"]),
		frame("custodian-key", int(head["epoch"]), int(custodian["index"])))
	assert ed25519_public(seed).hex() in custodian.values(), custodian
	return seed
