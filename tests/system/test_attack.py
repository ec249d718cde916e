#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The attack table at real doors (RULES P17, S13, S15). All its rows are tried on the module by
pam.attack_table; here a part of them goes through sshd and login, by each way: refused, named on the
screen, recorded once each with that sentence; what was counted stays, and the right thing opens."""
import re
import sys
import unittest
from pathlib import Path

from boxlib import wait_until
from doorlib import PIN, DoorCase, packages
from laptoplib import Laptop

sys.path.insert(0, str(Path(__file__).parents[1] / "pam"))
import attacklib  # noqa: E402
import codelib  # noqa: E402
from attacklib import Custodians, answer_for, one_line  # noqa: E402

FIELDS = ("host_label", "account", "reason", "nonce")
PROMPT = r"Share {} of 2 [^\n]*: $"


class Way:
	"""Which door, how the key is proved, how ops is counted before the rows and dba after them."""

	def __init__(self, door, proof, first, last):
		self.door, self.proof, self.first, self.last = door, proof, first, last
		self.name = f"{door}, key {proof}; {first}, {last}"

	def opened(self, box, key="a"):
		box.key_is("here" if self.proof == "here" else "away")
		for name in box.keys:
			box.softkey_ctl(name, "plug" if name == key else "unplug")
		more = {"security_key": key} if self.proof == "ssh" else {}
		return {"ssh": box.ssh_door, "login": box.console_door, "own sshd": box.own_sshd_door,
			"own console": box.own_console_door}[self.door](**more)

	def prove(self, person, laptop, key="a"):
		if self.proof == "here":
			person.pin(key=key)
		elif self.proof == "ssh":
			person.client_key(key=key)
		else:
			asks_for_touch(person)
			person.pastes(laptop.touch(person.challenge("touch"), key, PIN))


def asks_for_touch(person):
	person.sees(r"or type touch to use one elsewhere: $")
	person.types("touch")
	person.sees(r"Its answer [^\n]*: $")


WAYS = (
	Way("login", "here", "typed", "typed"),
	Way("ssh", "ssh", "approval", "approval"),
	Way("login", "elsewhere", "approval", "response"),
	Way("ssh", "here", "typed", "approval"),
	Way("own sshd", "ssh", "approval", "response"),
	Way("own console", "elsewhere", "typed", "approval"),
)
RELAYED = WAYS[2]


def rows(people, old, c, signature):
	"""A part of each kind of row; the rest is the module's test's."""
	for row in attacklib.rows_other_request(people, c):
		if any(f"another {field}" in row[0] for field in FIELDS):
			yield row
	yield from attacklib.rows_other_people(people, c, old)
	yield from list(attacklib.rows_other_context(people, c, signature))[:4]
	yield from list(attacklib.rows_other_kind(people, c))[:5]
	yield from list(attacklib.rows_mixed(people, c))[-2:]
	body = people.approval("dba", c)
	for bit in range(3, 8 * len(body), 101):
		flipped = bytearray(body)
		flipped[bit // 8] ^= 1 << bit % 8
		yield f"P17 bit {bit}", one_line(codelib.APPROVAL, bytes(flipped)), r"That approval "


class Attack(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.install_packages(*packages())
		for key in ("a", "b"):
			box.add_key(key)
			box.add_ssh_key(key)
		box.shares = box.init(keys=("a", "b"))
		cls.old = Custodians(box.shares)
		cls.old.set_id = bytes.fromhex(cls.sealed("set", "/root/breakglass.seal"))
		box.use_devices(*box.keys)
		box.install()
		box.add_own_sshd()
		box.shares = box.reseal()
		box.install_successor("/root/breakglass.seal.2")
		cls.people = Custodians(box.shares)
		cls.signature = bytes.fromhex(cls.sealed("quorum", "/root/breakglass.seal.2"))
		cls.laptop = Laptop(box)

	@classmethod
	def sealed(cls, name, path):
		return re.search(rf"^{name} = (.*)$", cls.box.read(path), re.M)[1]

	def to_prompt(self, person, way, number=1, reason="INC-1234 directory down", key="a"):
		"""Up to the prompt for share `number`; the request challenge on the screen."""
		way.prove(person, self.laptop, key)
		seen = person.sees(rf"(Reason \(|Share \d of 2 )[^\n]*: $")
		if "Reason (" in seen:
			person.types(reason)
			seen = person.sees(PROMPT.format(r"\d"))
		self.assertRegex(seen, PROMPT.format(number))
		kind, body = codelib.decode([line.replace(" ", "") for line in person.challenge()])
		self.assertEqual(kind, codelib.REQUEST_CHALLENGE)
		return codelib.read_request_challenge(body)

	def refused(self, person, text, sentence, number=2):
		person.pastes(text)
		seen = person.sees(PROMPT.format(r"\d"))
		self.assertRegex(seen.replace("\n", " "), sentence)
		self.assertRegex(seen, PROMPT.format(number))

	def counts_ops(self, person, way, c):
		person.pastes(answer_for(self.people, c, way.first, "ops"))
		self.assertIn("ops counted.", person.sees(PROMPT.format(2)))

	def opens(self, person, way, c):
		person.pastes(answer_for(self.people, c, way.last, "dba"))
		person.shell()
		person.leaves_shell()

	def fits(self, person):
		"""What the module showed at the one prompt, in 80 columns."""
		for line in person.dialogue().split("BREAK-GLASS", 1)[1].split("\n"):
			self.assertLessEqual(len(line), 80, line)

	def recorded(self, mark, sentences):
		"""One APPROVAL_REFUSED for each, in order, with the sentence; nothing else was refused."""
		wait_until("the session's end", lambda: "SESSION_CLOSED" in self.box.event_names(mark))
		events = self.box.events(mark)
		told = [e["result"] for e in events if e["event"] == "APPROVAL_REFUSED"]
		self.assertEqual(len(told), len(sentences), told)
		for result, sentence in zip(told, sentences):
			self.assertRegex(result, sentence)
		names = [e["event"] for e in events]
		for name in ("SHARE_REFUSED", "KEY_REFUSED", "DENIED", "BYPASS_BLOCKED"):
			self.assertNotIn(name, names)
		self.assertEqual([names.count(n) for n in ("GRANTED", "SESSION_OPENED")], [1, 1], names)
		self.box.everywhere_once(*[e for e in events if e["event"] == "APPROVAL_REFUSED"][:2])

	def test_P17_S13_S15_rows(self):
		for way in WAYS:
			with self.row("rows", way.name):
				self.box.fresh()
				mark = self.box.mark()
				with way.opened(self.box) as person:
					c = self.to_prompt(person, way)
					self.counts_ops(person, way, c)
					table = list(rows(self.people, self.old, c, self.signature))
					self.assertTrue(40 < len(table) < 60, len(table))
					for name, text, sentence in table:
						with self.subTest(name, way=way.name):
							self.refused(person, text, sentence)
					self.refused(person, answer_for(self.people, c, "approval", "ops"),
						r"ops is counted already\.")
					self.opens(person, way, c)
				self.fits(person)
				self.recorded(mark, [row[2] for row in table] + [r"^ops is counted already\.$"])

	def test_P17_what_opened_once_opens_nothing_again(self):
		for way in WAYS:
			with self.row("replay after success", way.name):
				self.box.fresh()
				with way.opened(self.box) as person:
					used = self.to_prompt(person, way)
					self.counts_ops(person, way, used)
					self.opens(person, way, used)
				self.box.fresh()  # as after a boot: else the same key has its session again
				mark = self.box.mark()
				proofs = [answer_for(self.people, used, how, "dba") for how in ("approval", "response")]
				with way.opened(self.box) as person:
					c = self.to_prompt(person, way)
					for text in proofs:
						self.refused(person, text, "is for request", number=1)
					self.counts_ops(person, way, c)
					self.opens(person, way, c)
				self.recorded(mark, ["is for request"] * 2)

	def test_P17_another_holder_goes_on_with_nothing(self):
		for way in WAYS:
			with self.row("another holder", way.name):
				self.box.fresh()
				mark = self.box.mark()
				with way.opened(self.box) as person:
					mine = self.to_prompt(person, way)
					self.counts_ops(person, way, mine)
				with way.opened(self.box, "b") as other:
					c = self.to_prompt(other, way, key="b")
					self.assertEqual((mine["key"], c["key"]), ("a", "b"))
					self.refused(other, answer_for(self.people, mine, "approval", "dba"),
						"is for request", number=1)
				with way.opened(self.box) as person:
					self.assertEqual(self.to_prompt(person, way, number=2), mine)
					self.opens(person, way, mine)
				self.recorded(mark, ["is for request"])

	def test_S15_another_reason_needs_other_approvals(self):
		for way in WAYS:
			with self.row("swapped reason", way.name):
				self.box.fresh()
				mark = self.box.mark()
				with way.opened(self.box) as person:
					asked = self.to_prompt(person, way, reason="change a disk in rack 4")
					self.counts_ops(person, way, asked)
					person.types("new")
					person.reason()
					self.assertRegex(person.sees(PROMPT.format(r"\d")), PROMPT.format(1))
					c = codelib.read_request_challenge(codelib.decode(
						[line.replace(" ", "") for line in person.challenge()])[1])
					for stale in (asked, {**asked, "reason": c["reason"]}):
						self.refused(person, answer_for(self.people, stale, "approval", "dba"),
							"is for request", number=1)
					self.counts_ops(person, way, c)
					self.opens(person, way, c)
				self.recorded(mark, ["is for request"] * 2)

	def test_P17_touches_of_another_time_and_place(self):
		"""At the touch prompt of a real door: old answers, other kinds; then the right one."""
		self.box.fresh()
		mark = self.box.mark()
		with RELAYED.opened(self.box) as person:
			asks_for_touch(person)
			old = self.laptop.touch(person.challenge("touch"), "a", PIN)
			person.types("")  # a new challenge
			person.sees(r"Its answer [^\n]*: $")
			person.pastes(old)
			person.sees(r"That answers another challenge than the last one\.[^$]*: $")
			c = {**dict.fromkeys(("host_label", "account", "key", "holder", "reason", "service",
				"origin"), "x"), "purpose": "emergency", "seal_digest": bytes(32), "uid": 1,
				"session_seconds": 60, "nonce": bytes(16), "set": self.old.set_id, "epoch": 2,
				"strength": 128, "slip39_id": 1, "threshold": 1, "custodians": [(0, b"ab")]}
			for kind, body, name in (
					(codelib.REQUEST_CHALLENGE, codelib.write_request_challenge(c), "a request challenge"),
					(codelib.APPROVAL, self.people.approval("dba", c), "an approval"),
					(codelib.RESPONSE, self.people.response(c), "a response")):
				person.pastes(one_line(kind, body))
				person.sees(rf"That is {name}; [^$]*: $")
			person.pastes(self.laptop.touch(person.challenge("touch"), "a", PIN))
			person.reason()
			person.sees(PROMPT.format(1))
		refused = [e["result"] for e in self.box.events(mark) if e["event"] == "KEY_REFUSED"]
		self.assertTrue(refused and "another challenge" in refused[0], refused)


if __name__ == "__main__":
	unittest.main()
