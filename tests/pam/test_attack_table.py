#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The attack table: each row on each way. A row is refused, named as what it is, recorded with that
sentence, costs nothing that was counted, and the right thing afterwards still opens (RULES P17, S13,
S15). The rows are in attacklib.py.

A way is how the key is proved and how custodians are counted; see WAYS.
"""
import base64
import functools
import re
import unittest

import attacklib
import codelib
import pamlib
from attacklib import OTHER, Custodians, answer_for, compact_of, one_line
from pamlib import PAM_SUCCESS

REASON = "INC-1234 directory down"
CONNECTION_REFUSALS = 50  # the module ends a connection after sixty


def ssh_key(fill):
	"""A security key of ssh's, which nobody has."""
	kind = b"sk-ssh-ed25519@openssh.com"
	blob = b"".join(len(part).to_bytes(4, "big") + part for part in (kind, bytes([fill]) * 32, b"ssh:"))
	return f"{kind.decode()} {base64.b64encode(blob).decode()}"


SSH = {"a": ssh_key(1), "b": ssh_key(2)}


# ---- the ways ----

class Key:
	"""Proved by a key in the host, at a console."""
	name = "key here"

	def connect(self, stage, key="a"):
		"""A login whose next prompt is the first after the proof."""
		stage.plug(key)
		login = self.login(stage)
		stage.prove(login, key)
		return login

	def login(self, stage):
		return stage.login()


class KeyByNetwork(Key):
	name = "key here, door sshd"

	def login(self, stage):
		return stage.ssh()


class KeyElsewhere(Key):
	"""By a touch challenge that is answered elsewhere."""
	name = "touch elsewhere"

	def connect(self, stage, key="a"):
		stage.plug()
		login = self.login(stage)
		login.expect("No security key here")
		login.answer("touch")
		body = codelib.decode(codelib.find_lines(login.next(), codelib.TOUCH_CHALLENGE))[1]
		credential, private = next((c, private) for c, rp, private in
			stage.keys[key].credentials() if rp == "breakglass:db")
		login.answer(one_line(codelib.TOUCH_ANSWER,
			codelib.touch_answer(codelib.read_touch_challenge(body), credential, private)))
		return login


class KeyBySsh(Key):
	"""By sshd's word."""
	name = "key by ssh"

	def connect(self, stage, key="a"):
		stage.plug()
		return stage.ssh(info=f"publickey {SSH[key]}\n")


class Way:
	"""first: how ops is counted before the rows; last: what opens after them."""

	def __init__(self, key, first, last):
		self.key, self.first, self.last = key, first, last
		self.name = f"{key.name}; {first}, then {last}"


WAYS = [
	Way(Key(), "typed", "typed"),
	Way(KeyBySsh(), "approval", "approval"),
	Way(KeyElsewhere(), "approval", "response"),
	Way(KeyByNetwork(), "typed", "approval"),
	Way(KeyElsewhere(), "compact", "typed"),
]


class TableCase(pamlib.StageCase):
	keys = ("a", "b")

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.old = Custodians(cls.stage.shares)
		text = cls.stage.seal.read_text()
		cls.old.set_id = bytes.fromhex(text.split("\nset = ")[1].split("\n")[0])
		seal, words = cls.stage.reseal("next", cls.stage.seal,
			[cls.stage.shares[name] for name in ("ops", "dba")])
		cls.stage.seal = seal
		cls.people = Custodians(words)
		cls.give_ssh_keys(seal)
		cls.people.compact = {name: cls.stage.compact(w) for name, w in words.items()}
		cls.seal_signature = bytes.fromhex(
			seal.read_text().split("\nquorum = ")[1].split("\n")[0])
		cls.stage.put_in_force(seal)

	@classmethod
	def give_ssh_keys(cls, seal):
		"""The same seal with an ssh key for each key, signed by its quorum."""
		body, tail = seal.read_text().split("[signature]\n")
		for name, ssh in SSH.items():
			body = re.sub(rf"(\[key {name}\]\n(?:[^\[].*\n|\n)*?ssh = )none\n", rf"\g<1>{ssh}\n", body)
		assert all(ssh in body for ssh in SSH.values()), body
		key = cls.people.quorum_key({"set": bytes.fromhex(re.search(r"\nset = (.*)\n", body)[1]),
			"epoch": 2})
		signature = key.sign(codelib.frame("seal", codelib.sha256(body.encode()))).hex()
		seal.write_text(body + "[signature]\n"
			+ re.sub(r"^quorum = .*$", f"quorum = {signature}", tail, flags=re.M))

	def to_prompt(self, way, expected="Share 1 of 2", reason=REASON, key="a"):
		"""A connection up to the share prompt; (login, the request challenge that is shown)."""
		login = way.connect(self.stage, key)
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
		self.assertLessEqual(max(map(len, prompt.split("\n"))), 79, prompt)
		last = self.stage.events()[-1]
		self.assertEqual(last["event"], event)
		self.assertRegex(last["result"], sentence)

	def count_ops(self, login, way, c):
		login.answer(answer_for(self.people, c, way.first, "ops"))
		login.expect("ops counted.", "Share 2 of 2")

	def opens(self, login, text):
		login.answer(text)
		self.assertEqual(login.finish().get("open"), PAM_SUCCESS, login.lines[-5:])
		self.assertIn("GRANTED", self.stage.event_names())

	def run_rows(self, way, rows):
		"""All rows on one request, with as many connections as it takes, then the right thing."""
		login, c = self.to_prompt(way.key)
		self.count_ops(login, way, c)
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
		self.each_way(lambda c: attacklib.rows_other_request(self.people, c))

	def test_P17_S13_of_other_people_and_epochs(self):
		self.each_way(lambda c: attacklib.rows_other_people(self.people, c, self.old))

	def test_P17_of_another_context(self):
		self.each_way(lambda c: attacklib.rows_other_context(self.people, c, self.seal_signature))

	def test_P17_of_another_kind(self):
		self.each_way(lambda c: attacklib.rows_other_kind(self.people, c))

	def test_P17_mixed_lines(self):
		self.each_way(lambda c: attacklib.rows_mixed(self.people, c))


class SharesTest(TableCase):
	"""Shares at the same prompt: SHARE_REFUSED."""

	def test_S13_P17_shares_of_others_cost_nothing(self):
		other = self.stage.deal_again("elsewhere")[1]
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
			self.count_ops(login, way, c)
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
			with self.subTest(way=way.name):
				story(self, way)
	return test


class StoryTest(TableCase):
	"""What takes more than one request or connection, on each way."""

	def refuse_proofs(self, login, c):
		"""Neither an approval nor a response of this request counts at another one's prompt."""
		for kind in ("approval", "response"):
			self.refused(login, answer_for(self.people, c, kind, "dba"), OTHER.format(kind),
				expected="Share 1 of 2")

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
		self.refuse_proofs(login, used)
		self.count_ops(login, way, c)
		self.opens(login, answer_for(self.people, c, way.last, "dba"))

	@on_each_way
	def test_P17_another_holder_goes_on_with_nothing(self, way):
		login, mine = self.to_prompt(way.key)
		self.count_ops(login, way, mine)
		login.kill()
		login, c = self.to_prompt(way.key, key="b")
		self.assertEqual((c["key"], mine["key"]), ("b", "a"))
		self.refuse_proofs(login, mine)
		login.kill()
		login, again = self.to_prompt(way.key, "Share 2 of 2")
		self.assertEqual(again, mine)
		self.opens(login, answer_for(self.people, mine, way.last, "dba"))

	@on_each_way
	def test_S15_another_reason_needs_other_approvals(self, way):
		login, asked = self.to_prompt(way.key, reason="change a disk in rack 4")
		self.count_ops(login, way, asked)
		login.answer("new")
		login.expect("Reason")
		login.answer(REASON)
		prompt = login.expect("Share 1 of 2")
		c = codelib.read_request_challenge(
			codelib.decode(codelib.find_lines(prompt, codelib.REQUEST_CHALLENGE))[1])
		self.assertEqual((asked["reason"], c["reason"]), ("change a disk in rack 4", REASON))
		self.refuse_proofs(login, asked)
		# the swap alone: the old nonce, the new reason
		self.refuse_proofs(login, {**asked, "reason": REASON})
		self.count_ops(login, way, c)
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
