#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A custodian's refusal at real doors: made at a laptop from the challenge that was on the screen, given
to bg-unlock revoke --code by somebody who is root on the host."""
import unittest

import pexpect
from boxlib import wait_until
from doorlib import DoorCase, packages
from laptoplib import Laptop, Typist
from test_limits import JOBS, STUBBORN

PROMPT = r"The custodian's refusal \(paste it; \? helps\): "


class Refusal(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.protect(packages(), keys=("a", "b"))
		box.add_own_sshd()
		box.write("/var/tmp/stubborn", STUBBORN, 0o755)
		box.run("install -d -m 1777 /var/tmp/jobs")
		cls.laptop = Laptop(box)

	def plugged(self, key):
		for name in self.box.keys:
			self.box.softkey_ctl(name, "plug" if name == key else "unplug", check=False)

	def jobs(self, tag):
		return self.box.run(["pgrep", "-fc", f"^[^ ]*python3 [^ ]*stubborn [a-z ]+ {tag}$"],
			check=False).out.strip()

	def gives(self, code, status=0):
		"""Root on the host pastes it; what was shown."""
		with Typist(self.box, self.box.spawn(["bg-unlock", "revoke", "--code"], timeout=60),
				"root") as root:
			root.sees(PROMPT)
			root.pastes(code)
			root.sees(pexpect.EOF, 60)
			root.child.close()
			self.assertEqual(root.child.exitstatus, status, root.screen)
			for line in root.screen.split("\n"):
				self.assertLessEqual(len(line), 130 if line.startswith("revoked:") else 80, line)
			return root.screen

	def enters(self, door, key):
		"""A session by this key with jobs in it: (the person, the challenge that was on the screen)."""
		self.plugged(key)
		person = door()
		self.addCleanup(person.dies)
		person.pin(key=key)
		person.reason()
		person.sees(r"Share 1 of 2 [^\n]*: $")
		challenge = person.challenge()
		person.types(self.box.shares["audit"])
		person.sees(r"Share 2 of 2 [^\n]*: $")
		person.types(self.box.shares["dba"])
		person.shell()
		for _, command in JOBS:
			self.assertIn("status=0", person.runs(f"cd /; {command.format(key + key)}"))
		wait_until("the jobs", lambda: self.jobs(key + key) == str(len(JOBS)))
		return person, challenge

	def test_a_session_dies_with_its_jobs_and_no_other(self):
		box, shares = self.box, self.box.shares
		begin = box.mark()
		mine, challenge = self.enters(box.ssh_door, "a")
		other, _ = self.enters(box.own_sshd_door, "b")
		request = {e["key"]: e["request"] for e in box.events(begin) if e["event"] == "SESSION_OPENED"}
		code = self.laptop.refuse(challenge, shares["ops"])
		mark = box.mark()
		self.assertRegex(self.gives(code), r"revoked: breakglass [0-9A-Z]{4}: refused by ops, given by "
			r"root \(.*\); 1 session")
		mine.sees("closed")
		wait_until("the end of its jobs", lambda: self.jobs("aa") == "0")
		self.assertEqual(self.jobs("bb"), str(len(JOBS)))
		self.assertIn("status=0", other.runs("sudo true"))
		wait_until("its end", lambda: "SESSION_CLOSED" in box.event_names(mark))
		events = [e for e in box.events(mark) if e["event"] not in ("SESSION_ESCALATED",
			"ALERT_DELIVERED")]
		self.assertEqual([(e["event"], e["request"]) for e in events],
			[("REVOKED", request["a"]), ("SESSION_CLOSED", request["a"])])
		self.assertRegex(events[0]["result"], r"^refused by ops, given by root \(.*\); 1 session$")
		self.assertEqual((events[0]["key"], events[0]["custodians"]), ("a", "dba, audit"))
		box.everywhere_once(*events)
		self.refused_again(code, challenge)
		self.assertIn("status=0", other.runs("true"))
		other.leaves_shell()
		self.anew()

	def refused_again(self, code, challenge):
		"""The same code, and what is no refusal of it: named, recorded, nothing ended."""
		mark = self.box.mark()
		self.assertIn("which is over already.", self.gives(code, 1))
		approval = self.laptop.approve(challenge, self.box.shares["ops"])
		with Typist(self.box, self.box.spawn(["bg-unlock", "revoke", "--code"]), "root") as root:
			root.sees(PROMPT)
			root.pastes(approval)
			root.sees("This is an approval; a refusal is wanted.")
			root.leaves()
		self.assertEqual(self.box.event_names(mark), ["APPROVAL_REFUSED"] * 2)
		self.box.everywhere_once(*self.box.events(mark))

	def anew(self):
		"""The key of the use that was refused asks for a new request, and that one is refused, too,
		before anything of it is open."""
		box = self.box
		self.plugged("a")
		mark = box.mark()
		with box.ssh_door() as person:
			person.pin()
			person.reason()
			person.sees(r"Share 1 of 2 [^\n]*: $")
			code = self.laptop.refuse(person.challenge(), box.shares["dba"])
			person.pastes(code)
			person.sees("That is a refusal; a share or an approval is wanted.")
			person.sees(r"Share 1 of 2 [^\n]*: $")
			self.assertIn("refused by dba, given by root", self.gives(code))
			person.types(box.shares["audit"])
			person.sees("This request was revoked on the host.")
		names = [e["event"] for e in box.events(mark) if e["event"] != "ALERT_DELIVERED"]
		self.assertEqual(names.count("REVOKED"), 1)
		self.assertNotIn("GRANTED", names)


if __name__ == "__main__":
	unittest.main()
