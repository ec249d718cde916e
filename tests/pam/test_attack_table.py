#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The attack table: each row on each way. A row is refused, named as what it is, recorded with that
sentence, costs nothing that was counted, and the right thing afterwards still opens (RULES P17, S13,
S15). The attacker of the rows is strong: he has real approvals and responses of requests that differ
in one field, makes lines whose CRC is right, and puts this request's tag before what is of another.

A way is how the key is proved and how custodians are counted; see WAYS.
"""
import functools
import sys
import unittest
from pathlib import Path

import codelib
import pamlib
from pamlib import PAM_SUCCESS, PIN

sys.path.insert(0, str(Path(__file__).parents[1] / "vectors"))
import slip39_check as slip39  # noqa: E402

REASON = "INC-1234 directory down"
CONNECTION_REFUSALS = 50  # the module ends a connection after sixty
OTHER = r"That {} is for request [0-9A-Z]{{4}}; this is [0-9A-Z]{{4}}\."
NOT_MADE = r"That approval was not made with the share of {} in force\."
NO_QUORUM = r"That response was not made by this set's quorum\."
WRONG_KIND = r"That is {}; a share or an approval is wanted\."


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
		r"That approval is of epoch 3; here set [0-9A-Z]{4} epoch 2 is in force: install the new seal\.")
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
	for context in ("response", "seal", "succession-quorum", "request", "touch", "enrol"):
		yield (f"P17 context {context} as an approval",
			approval(dba.sign(codelib.frame(context, digest))), NOT_MADE.format("dba"))
	for context in ("approval", "seal", "succession-quorum"):
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
			("a refusal", codelib.REFUSAL, b"\1no")):
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


def rows_mixed(people, c):
	"""P17: lines of two approvals, each good, are neither."""
	one = codelib.encode(codelib.APPROVAL, people.approval("dba", c))
	two = codelib.encode(codelib.APPROVAL, people.approval("audit", c))
	for cut in range(1, len(one)):
		yield (f"P17 mixed lines, dba's first {cut}", "".join(one[:cut] + two[cut:]),
			NOT_MADE.format("dba"))
	yield ("P17 the same line twice, differently", one[0] + one[1] + two[0],
		r"Those lines are of two codes; give one of them whole\.")


# ---- the ways ----

class Key:
	"""Proved by a key in the host."""
	name = "key here"
	service, network = "login", False

	def connect(self, stage):
		login = stage.ssh() if self.network else stage.login()
		stage.prove(login)
		return login


class KeyOverNetwork(Key):
	name = "key here, door sshd"
	network = True


class OtherKey:
	"""The same door, another's key."""

	def __init__(self, key):
		self.key = key

	def connect(self, stage):
		login = stage.ssh() if self.key.network else stage.login()
		stage.prove(login, "b")
		return login


class Way:
	"""first: how ops is counted before the rows; last: what opens after them."""

	def __init__(self, key, first, last):
		self.key, self.first, self.last = key, first, last
		self.name = f"{key.name}; {first}, then {last}"


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


WAYS = [
	Way(Key(), "typed", "typed"),
	Way(KeyOverNetwork(), "approval", "approval"),
	Way(Key(), "approval", "response"),
	Way(KeyOverNetwork(), "typed", "approval"),
	Way(Key(), "compact", "response"),
]


class TableCase(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.stage = pamlib.Stage(keys=("a", "b"))
		cls.old = Custodians(cls.stage.shares)
		text = cls.stage.seal.read_text()
		cls.old.set_id = bytes.fromhex(text.split("\nset = ")[1].split("\n")[0])
		seal, words = cls.stage.reseal("next", cls.stage.seal,
			[cls.stage.shares[name] for name in ("ops", "dba")])
		cls.stage.seal = seal
		cls.people = Custodians(words)
		cls.people.compact = {name: cls.stage.compact(w) for name, w in words.items()}
		cls.seal_signature = bytes.fromhex(
			seal.read_text().split("\nquorum = ")[1].split("\n")[0])
		cls.stage.put_in_force(seal)

	@classmethod
	def tearDownClass(cls):
		cls.stage.close()

	def setUp(self):
		self.stage.reset()
		self.stage.plug("a")

	def to_prompt(self, key, expected="Share 1 of 2", reason=REASON):
		"""A connection up to the share prompt; (login, the request challenge that is shown)."""
		login = key.connect(self.stage)
		self.addCleanup(login.kill)
		prompt = login.next()
		if "Reason" in prompt:
			login.answer(reason)
			prompt = login.next()
		self.assertIn(expected, prompt)
		kind, body = codelib.decode(codelib.find_lines(prompt, codelib.REQUEST_CHALLENGE))
		self.assertEqual(kind, codelib.REQUEST_CHALLENGE)
		return login, codelib.read_request_challenge(body)

	def refused(self, login, text, sentence, event="APPROVAL_REFUSED", expected="Share 2 of 2"):
		"""Refused with that sentence, recorded with it, and nobody more or less is counted."""
		login.answer(text)
		prompt = login.next()
		self.assertIsNotNone(prompt, (login.lines[-3:], login.results))
		self.assertRegex(prompt.replace("\n", " "), sentence)
		self.assertIn(expected, prompt)
		last = self.stage.events()[-1]
		self.assertEqual(last["event"], event)
		self.assertRegex(last["result"], sentence)

	def opens(self, login, text):
		login.answer(text)
		self.assertEqual(login.finish().get("open"), PAM_SUCCESS, login.lines[-5:])
		self.assertIn("GRANTED", self.stage.event_names())

	def run_rows(self, way, rows):
		"""All rows on one request, with as many connections as it takes, then the right thing."""
		login, c = self.to_prompt(way.key)
		login.answer(answer_for(self.people, c, way.first, "ops"))
		login.expect("ops counted.", "Share 2 of 2")
		count = 0
		for name, text, sentence in rows(c):
			if count and count % CONNECTION_REFUSALS == 0:
				login.kill()
				login, again = self.to_prompt(way.key, "Share 2 of 2")
				self.assertEqual(again, c)
			count += 1
			with self.subTest(name, way=way.name):
				self.refused(login, text, sentence)
		self.assertGreater(count, 0)
		self.opens(login, answer_for(self.people, c, way.last, "dba"))
		granted = [e for e in self.stage.events() if e["event"] == "GRANTED"]
		self.assertEqual([e["reason"] for e in granted], [REASON])


class RowsTest(TableCase):
	def each_way(self, rows):
		for way in WAYS:
			self.stage.reset()
			self.run_rows(way, rows)

	def test_P17_S15_of_another_request(self):
		self.each_way(lambda c: rows_other_request(self.people, c))

	def test_P17_S13_of_other_people_and_epochs(self):
		self.each_way(lambda c: rows_other_people(self.people, c, self.old))

	def test_P17_of_another_context(self):
		self.each_way(lambda c: rows_other_context(self.people, c, self.seal_signature))

	def test_P17_of_another_kind(self):
		self.each_way(lambda c: rows_other_kind(self.people, c))

	def test_P17_mixed_lines(self):
		self.each_way(lambda c: rows_mixed(self.people, c))


class SharesTest(TableCase):
	"""Shares at the same prompt: SHARE_REFUSED."""

	def test_S13_P17_shares_of_others_cost_nothing(self):
		other = self.stage.deal_again("elsewhere")[1]
		self.stage.plug("a")
		rows = [("S13 a retired share", self.old.words["dba"], r"That share of dba is retired \(epoch 1\);"),
			("S13 a retired short form", compact_of(self.old, "dba"),
				r"That share of dba is retired \(epoch 1\);"),
			("S13 a share of another seal", other["dba"], r"That share is of another set;"),
			("S13 the same custodian again", self.people.words["ops"], r"ops is counted already\."),
			("S13 the same custodian's short form", self.people.compact["ops"],
				r"ops is counted already\.")]
		for way in WAYS:
			self.stage.reset()
			login, c = self.to_prompt(way.key)
			login.answer(answer_for(self.people, c, way.first, "ops"))
			login.expect("ops counted.", "Share 2 of 2")
			for name, text, sentence in rows:
				with self.subTest(name, way=way.name):
					self.refused(login, text, sentence, "SHARE_REFUSED")
			with self.subTest("S13 the same custodian by an approval", way=way.name):
				self.refused(login, answer_for(self.people, c, "approval", "ops"),
					r"ops is counted already\.")
			self.opens(login, answer_for(self.people, c, way.last, "dba"))


def on_each_way(story):
	"""A test of story(self, way), for each way."""
	@functools.wraps(story)
	def test(self):
		for way in WAYS:
			self.stage.reset()
			self.stage.plug("a")
			with self.subTest(way=way.name):
				story(self, way)
	return test


class StoryTest(TableCase):
	"""What takes more than one request or connection, on each way."""

	def proofs(self, c):
		"""An approval and a response of this request, and the sentences for them at another one."""
		return ((answer_for(self.people, c, "approval", "dba"), OTHER.format("approval")),
			(answer_for(self.people, c, "response", "dba"), OTHER.format("response")))

	@on_each_way
	def test_P17_what_opened_once_opens_nothing_again(self, way):
		login, used = self.to_prompt(way.key)
		for how, name in ((way.first, "ops"), (way.last, "dba")):
			login.answer(answer_for(self.people, used, how, name))
			if name == "ops":
				login.expect("Share 2 of 2")
		self.assertEqual(login.finish().get("open"), PAM_SUCCESS)
		self.stage.reset()  # /run is new, as after a boot; the host and its seal are the same
		login, c = self.to_prompt(way.key)
		self.assertNotEqual(c["nonce"], used["nonce"])
		for text, sentence in self.proofs(used):
			self.refused(login, text, sentence, expected="Share 1 of 2")
		login.answer(answer_for(self.people, c, way.first, "ops"))
		login.expect("ops counted.", "Share 2 of 2")
		self.opens(login, answer_for(self.people, c, way.last, "dba"))

	@on_each_way
	def test_P17_another_holder_goes_on_with_nothing(self, way):
		login, mine = self.to_prompt(way.key)
		login.answer(answer_for(self.people, mine, way.first, "ops"))
		login.expect("ops counted.", "Share 2 of 2")
		login.kill()
		self.stage.plug("b")
		login, c = self.to_prompt(OtherKey(way.key))
		self.assertEqual((c["key"], mine["key"]), ("b", "a"))
		for text, sentence in self.proofs(mine):
			self.refused(login, text, sentence, expected="Share 1 of 2")
		login.kill()
		self.stage.plug("a")
		login, again = self.to_prompt(way.key, "Share 2 of 2")
		self.assertEqual(again, mine)
		self.opens(login, answer_for(self.people, mine, way.last, "dba"))

	@on_each_way
	def test_S15_another_reason_needs_other_approvals(self, way):
		login, asked = self.to_prompt(way.key, reason="change a disk in rack 4")
		login.answer(answer_for(self.people, asked, way.first, "ops"))
		login.expect("ops counted.", "Share 2 of 2")
		login.answer("new")
		self.stage.plug("a")
		prompt = login.next()
		if "PIN" in prompt:
			self.stage.keys["a"].ctl("touch")
			login.answer(PIN)
			prompt = login.next()
		self.assertIn("Reason", prompt)
		login.answer(REASON)
		prompt = login.expect("Share 1 of 2")
		c = codelib.read_request_challenge(
			codelib.decode(codelib.find_lines(prompt, codelib.REQUEST_CHALLENGE))[1])
		self.assertEqual((asked["reason"], c["reason"]), ("change a disk in rack 4", REASON))
		for text, sentence in self.proofs(asked):
			self.refused(login, text, sentence, expected="Share 1 of 2")
		# the swap alone: the old nonce, the new reason
		for text, sentence in self.proofs({**asked, "reason": REASON}):
			self.refused(login, text, sentence, expected="Share 1 of 2")
		login.answer(answer_for(self.people, c, way.first, "ops"))
		login.expect("ops counted.", "Share 2 of 2")
		self.opens(login, answer_for(self.people, c, way.last, "dba"))

	@on_each_way
	def test_P17_lines_cut_and_misread_are_named_and_nothing_else_is_lost(self, way):
		login, c = self.to_prompt(way.key)
		lines = codelib.encode(codelib.APPROVAL, self.people.approval("ops", c))
		wrong = lines[2][:5] + ("c" if lines[2][5] != "c" else "d") + lines[2][6:]
		login.answer("".join(lines[:2] + [wrong] + lines[3:]))
		login.expect("Line 3 is misread.", "Line 3 of the approval")
		login.answer(lines[2][:-1])
		self.assertNotIn("ops counted", login.next())
		login.answer(lines[2])
		login.expect("ops counted.", "Share 2 of 2")
		cut = codelib.encode(codelib.APPROVAL, self.people.approval("dba", c))
		login.answer("".join(cut)[:-7])
		login.expect(f"Line {len(cut)}")
		# begun and left: the right thing opens all the same
		self.opens(login, answer_for(self.people, c, way.last, "audit"))


class FlippedTest(TableCase):
	"""Each bit of a code, with a CRC that is right again: the way of somebody, not of a misreading."""

	def each_bit(self, kind, make):
		def rows(c):
			body = make(c)
			for bit in range(8 * len(body)):
				flipped = bytearray(body)
				flipped[bit // 8] ^= 1 << bit % 8
				yield f"P17 bit {bit}", one_line(kind, bytes(flipped)), r"^ *That "

		self.run_rows(WAYS[1], rows)

	def test_P17_each_bit_of_an_approval(self):
		self.each_bit(codelib.APPROVAL, lambda c: self.people.approval("dba", c))

	def test_P17_each_bit_of_a_response(self):
		self.each_bit(codelib.RESPONSE, lambda c: self.people.response(c))


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
