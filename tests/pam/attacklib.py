# SPDX-License-Identifier: BSD-2-Clause
"""The rows of the attack table: what somebody may paste at the one prompt, and the sentence that names
it. For the module (test_attack_table.py) and for the doors (tests/system/test_attack.py).

The attacker is strong: he has real approvals and responses of requests that differ in one field, makes
lines whose CRC is right, and puts this request's tag before what is of another.
"""
import sys
from pathlib import Path

import codelib

sys.path.insert(0, str(Path(__file__).parents[1] / "vectors"))
import slip39_check as slip39  # noqa: E402

OTHER = r"That {} is for request [0-9A-Z]{{4}}; this is [0-9A-Z]{{4}}: code "
NOT_MADE = r"That approval was not made with the share of {} in force\."
NO_QUORUM = r"That response was not made by this set's quorum\."
WRONG_KIND = r"That is {}; a share or an approval is wanted\."
# at `revoke --code`
NO_SUCH = r"No request [0-9A-Z]{4} is open here: it is over, or another host's\."
NOT_REFUSED = r"That refusal of request [0-9A-Z]{{4}} was not made with the share of {} in force\."
NOT_A_REFUSAL = r"that is {}; a refusal is wanted"


def one_line(kind, body):
	return "".join(codelib.encode(kind, body))


class Custodians:
	"""The people of one epoch: what they, and whoever has their shares, can sign."""

	def __init__(self, words):
		self.words = words
		self.shares = {name: slip39.Share.read(text) for name, text in words.items()}

	def index(self, name):
		return self.shares[name].member

	def key(self, name, challenge, epoch=None):
		return codelib.custodian_key(self.shares[name].value, challenge["set"],
			epoch or challenge["epoch"], self.index(name))

	def quorum_key(self, challenge, epoch=None):
		kept, slip39.PASSPHRASE = slip39.PASSPHRASE, b""
		secret = slip39.combine(list(self.words.values())[:2])
		slip39.PASSPHRASE = kept
		return codelib.quorum_key(secret, challenge["set"], epoch or challenge["epoch"])

	def exposed(self, *names):
		return sum(1 << self.index(name) for name in names)

	def approval(self, name, challenge, **changed):
		"""Of the challenge, or of one that differs; `tag`, `epoch`, `index`: what the code says."""
		says = {k: changed.pop(k) for k in ("tag", "epoch", "index") if k in changed}
		body = codelib.read_approval(codelib.approval({**challenge, **changed}, self.index(name),
			self.key(name, challenge)))
		body.update(says)
		return codelib.write_approval(body["tag"], body["index"], body["epoch"], body["signature"])

	def refusal(self, name, challenge, **changed):
		says = {k: changed.pop(k) for k in ("tag", "epoch", "index") if k in changed}
		body = codelib.read_refusal(codelib.refusal({**challenge, **changed}, self.index(name),
			self.key(name, challenge)))
		body.update(says)
		return codelib.write_refusal(body["tag"], body["index"], body["epoch"], body["signature"])

	def response(self, challenge, exposed=None, **changed):
		says = {k: changed.pop(k) for k in ("tag", "epoch", "exposed_says") if k in changed}
		body = codelib.read_response(codelib.response({**challenge, **changed},
			exposed or self.exposed("dba", "audit"), self.quorum_key(challenge)))
		return codelib.write_response(says.get("tag", body["tag"]), says.get("epoch", body["epoch"]),
			says.get("exposed_says", body["exposed"]), body["signature"])


def tag_of(challenge):
	return codelib.request_digest(challenge)[:4]


def other_requests(challenge):
	"""(what differs, the field changed): one request for each field that an approval covers."""
	wrong = {"purpose": "drill", "seal_digest": bytes(32), "host_label": "db2",
		"account": "breakglass2", "uid": challenge["uid"] + 1, "key": "b", "holder": "mallory",
		"reason": "INC-1234 directory down ", "session_seconds": challenge["session_seconds"] + 1,
		"nonce": bytes(16), "service": "cron", "origin": "203.0.113.9"}
	return [(name, {name: value}) for name, value in wrong.items()]


# ---- the rows: (rule and name, text for the prompt, the sentence that names it) ----

def rows_other_request(people, c):
	"""P17, S15: what is of another purpose, host, account, key, reason ... with its own tag and with
	this request's."""
	for field, changed in other_requests(c):
		yield (f"P17 S15 approval, another {field}",
			one_line(codelib.APPROVAL, people.approval("dba", c, **changed)),
			OTHER.format("approval"))
		yield (f"P17 S15 response, another {field}",
			one_line(codelib.RESPONSE, people.response(c, **changed)), OTHER.format("response"))
		yield (f"P17 S15 approval, another {field}, tag forged",
			one_line(codelib.APPROVAL, people.approval("dba", c, tag=tag_of(c), **changed)),
			NOT_MADE.format("dba"))
		yield (f"P17 S15 response, another {field}, tag forged",
			one_line(codelib.RESPONSE, people.response(c, tag=tag_of(c), **changed)), NO_QUORUM)


def rows_other_people(people, c, old):
	"""P17, S13: another epoch, a retired custodian, another custodian, nobody."""
	yield ("P17 approval by a retired custodian",
		one_line(codelib.APPROVAL, old.approval("dba", {**c, "set": old.set_id, "epoch": 1})),
		r"That approval is of epoch 1, retired; set [0-9A-Z]{4} epoch 2 is wanted\.")
	yield ("P17 approval by a retired custodian, epoch forged",
		one_line(codelib.APPROVAL, old.approval("dba", {**c, "set": old.set_id, "epoch": 1}, epoch=2)),
		NOT_MADE.format("dba"))
	yield ("P17 response by the retired quorum",
		one_line(codelib.RESPONSE, old.response({**c, "set": old.set_id, "epoch": 1})),
		r"That response is of epoch 1, retired; set [0-9A-Z]{4} epoch 2 is wanted\.")
	yield ("P17 response by the retired quorum, epoch forged",
		one_line(codelib.RESPONSE, old.response({**c, "set": old.set_id, "epoch": 1}, epoch=2)),
		NO_QUORUM)
	yield ("P17 approval of an epoch to come",
		one_line(codelib.APPROVAL, people.approval("dba", c, epoch=3)),
		r"That approval is of epoch 3, newer than 2 here: install its seal\.")
	for what, lie in (("set", {"set": bytes(16)}), ("epoch", {"epoch": 7})):
		yield (f"P17 forged challenge, another {what}",
			one_line(codelib.APPROVAL, people.approval("dba", {**c, **lie}, epoch=2)),
			NOT_MADE.format("dba"))
	yield ("S13 ops signs as dba",
		one_line(codelib.APPROVAL, people.approval("ops", c, index=people.index("dba"))),
		NOT_MADE.format("dba"))
	yield ("S13 approval by a member whom the set does not have",
		one_line(codelib.APPROVAL, people.approval("dba", c, index=9)),
		r"That approval is of no custodian of this set\.")


def rows_other_context(people, c, seal_signature):
	"""P17: a signature of the right key made for something else."""
	digest = codelib.request_digest(c)
	dba, quorum = people.key("dba", c), people.quorum_key(c)
	exposed = people.exposed("dba", "audit")

	def approval(signature):
		return one_line(codelib.APPROVAL,
			codelib.write_approval(digest[:4], people.index("dba"), c["epoch"], signature))

	def response(signature, seen=exposed):
		return one_line(codelib.RESPONSE,
			codelib.write_response(digest[:4], c["epoch"], seen, signature))

	yield ("P17 the seal's signature as an approval", approval(seal_signature), NOT_MADE.format("dba"))
	yield ("P17 the seal's signature as a response", response(seal_signature), NO_QUORUM)
	for context in ("response", "refusal", "seal", "succession-quorum", "request", "touch", "enrol"):
		yield (f"P17 context {context} as an approval",
			approval(dba.sign(codelib.frame(context, digest))), NOT_MADE.format("dba"))
	for context in ("approval", "refusal", "seal", "succession-quorum"):
		yield (f"P17 context {context} as a response",
			response(quorum.sign(codelib.frame(context, digest, exposed))), NO_QUORUM)
	yield ("P17 the bare digest as an approval", approval(dba.sign(digest)), NOT_MADE.format("dba"))
	yield ("P17 the quorum signs an approval", approval(quorum.sign(codelib.frame("approval", digest))),
		NOT_MADE.format("dba"))
	yield ("P17 a custodian signs a response",
		response(dba.sign(codelib.frame("response", digest, exposed))), NO_QUORUM)
	good = codelib.read_response(people.response(c))["signature"]
	yield ("P17 a response that hides an exposed share", response(good, 1 << people.index("dba")),
		NO_QUORUM)
	yield ("P17 a signature of zeroes", approval(bytes(64)), NOT_MADE.format("dba"))


def rows_other_kind(people, c):
	"""P17: other codes at this prompt, named as what they are."""
	touch = {"nonce": bytes(32), "zone": "db", **{k: c[k] for k in
		("seal_digest", "host_label", "account", "service", "origin")}}
	answer = codelib.touch_answer(touch, b"credential", people.key("dba", c))
	for name, kind, body in (
			("a touch challenge", codelib.TOUCH_CHALLENGE, codelib.write_touch_challenge(touch)),
			("a touch answer", codelib.TOUCH_ANSWER, answer),
			("a request challenge", codelib.REQUEST_CHALLENGE, codelib.write_request_challenge(c)),
			("a refusal", codelib.REFUSAL, people.refusal("dba", c))):
		# what is longer than an answer may be is told by its first lines
		yield (f"P17 {name} at the share prompt", one_line(kind, body)[:480], WRONG_KIND.format(name))
	for kind, name, body in ((codelib.APPROVAL, "approval", people.approval("dba", c)),
			(codelib.RESPONSE, "response", people.response(c))):
		unreadable = f"That {name} cannot be read: was it made by a newer bg-unlock\\?"
		yield (f"P17 {name} of another version", one_line(kind, b"\2" + body[1:]), unreadable)
		yield (f"P17 {name} with a byte more", one_line(kind, body + b"\0"), unreadable)
		yield (f"P17 {name} with a byte less", one_line(kind, body[:-1]), unreadable)
	yield ("P17 a response's bytes as an approval", one_line(codelib.APPROVAL, people.response(c)),
		r"That approval cannot be read")
	yield ("P17 an approval's bytes as a response", one_line(codelib.RESPONSE,
		people.approval("dba", c)), r"That response cannot be read")


def rows_refusal(people, c, old):
	"""P17, S13: at `revoke --code`, while this request is open: what ends nothing."""
	def one(body):
		return one_line(codelib.REFUSAL, body)

	was = {**c, "set": old.set_id, "epoch": 1}
	digest, dba, quorum = codelib.request_digest(c), people.key("dba", c), people.quorum_key(c)
	for field, changed in other_requests(c):
		yield f"P17 refusal, another {field}", one(people.refusal("dba", c, **changed)), NO_SUCH
		yield (f"P17 refusal, another {field}, tag forged",
			one(people.refusal("dba", c, tag=tag_of(c), **changed)), NOT_REFUSED.format("dba"))
	yield ("P17 refusal by a retired custodian, of a request of his time",
		one(old.refusal("dba", was, tag=tag_of(c))),
		r"That refusal is of epoch 1, retired; set [0-9A-Z]{4} epoch 2 is in force\.")
	yield ("P17 refusal by a retired custodian, epoch forged",
		one(old.refusal("dba", was, epoch=2)), NOT_REFUSED.format("dba"))
	yield ("P17 refusal of an epoch to come", one(people.refusal("dba", c, epoch=3)),
		r"That refusal is of epoch 3, not installed here; set [0-9A-Z]{4} epoch 2 is in force\.")
	yield ("S13 ops refuses as dba", one(people.refusal("ops", c, index=people.index("dba"))),
		NOT_REFUSED.format("dba"))
	yield ("S13 refusal by a member whom the set does not have",
		one(people.refusal("dba", c, index=9)), r"That refusal is of no custodian of set")
	for context in ("approval", "response", "request", "touch", "seal"):
		yield (f"P17 context {context} as a refusal", one(codelib.write_refusal(digest[:4],
			people.index("dba"), 2, dba.sign(codelib.frame(context, digest)))),
			NOT_REFUSED.format("dba"))
	for what, signature in (("the bare digest", dba.sign(digest)), ("zeroes", bytes(64)),
			("the quorum's", quorum.sign(codelib.frame("refusal", digest)))):
		yield (f"P17 {what} as a refusal", one(codelib.write_refusal(digest[:4],
			people.index("dba"), 2, signature)), NOT_REFUSED.format("dba"))
	lines = [codelib.encode(codelib.REFUSAL, people.refusal(name, c)) for name in ("dba", "audit")]
	yield "P17 lines of two refusals", "".join(lines[0][:3] + lines[1][3:]), NOT_REFUSED.format("dba")
	for name, kind, body in (("an approval", codelib.APPROVAL, people.approval("dba", c)),
			("a response", codelib.RESPONSE, people.response(c)),
			("a request challenge", codelib.REQUEST_CHALLENGE, codelib.write_request_challenge(c))):
		yield f"P17 {name} at revoke --code", one_line(kind, body), NOT_A_REFUSAL.format(name)
	good = people.refusal("dba", c)
	for what, body in (("of another version", b"\2" + good[1:]), ("with a byte more", good + b"\0"),
			("with a byte less", good[:-1])):
		yield f"P17 refusal {what}", one(body), r"That refusal cannot be read"


def rows_mixed(people, c):
	"""P17: lines of two approvals, each good, are neither."""
	one = codelib.encode(codelib.APPROVAL, people.approval("dba", c))
	two = codelib.encode(codelib.APPROVAL, people.approval("audit", c))
	for cut in range(1, len(one)):
		yield (f"P17 mixed lines, dba's first {cut}", "".join(one[:cut] + two[cut:]),
			NOT_MADE.format("dba"))
	yield ("P17 the same line twice, differently", one[0] + one[1] + two[0],
		r"Those lines are of two codes; give one of them whole\.")


# ---- what is right ----

def compact_of(people, name):
	"""A share's short form, also of a set that is not in force."""
	share = people.shares[name]
	raw = bytes([0x10 | share.member]) + share.value
	return codelib.modhex(raw + (~codelib.crc16(raw) & 0xFFFF).to_bytes(2, "little"))


def answer_for(people, c, how, name):
	if how == "typed":
		return people.words[name]
	if how == "compact":
		return people.compact[name]
	if how == "approval":
		return one_line(codelib.APPROVAL, people.approval(name, c))
	return one_line(codelib.RESPONSE, people.response(c))
