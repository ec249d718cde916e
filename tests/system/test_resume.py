#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Lines that drop, clients that are killed, doors that run out of time, several people at once: a
request outlives its connection and goes on at any door for whoever proves the same key."""
import unittest

from boxlib import wait_until
from doorlib import PIN, REASON, DoorCase, packages
from test_doors import AUDIT, DBA, OPEN, PROVED, SERVICE, TRIED, key_refused

DROP_IN = "/etc/ssh/sshd_config.d/00-test.conf"
DOORS = ("ssh", "login")
AGAIN = TRIED + [("REQUEST_OPENED", "^key proved again, request taken up$")]


def to_pin(person):
	person.sees("PIN of your security key")


def to_no_key(person):
	person.sees("No security key here")


def to_reason(person):
	person.pin()
	person.sees("Reason ")


def to_first_share(person):
	person.pin()
	person.reason()
	person.sees("Share 1 of 2 .*: ")


def to_second_share(person):
	person.pin()
	person.reason()
	person.share("audit")
	person.sees("audit counted. Share 2 of 2 .*: ")


def all_of_it(person):
	person.opens()


def without_reason(person):
	person.pin()
	for name in ("audit", "dba"):
		person.share(name)
	person.shell()


def last_share(person):
	person.pin()
	person.sees(r"Request taken up again: 1 counted\.\s+Share 2 of 2")
	person.types(person.box.shares["dba"])
	person.shell()


# Killed at the prompt: how far it came, what happens to key a meanwhile, how it goes on, the events.
KILLED = (
	("PIN", to_pin, None, all_of_it, TRIED + PROVED + [AUDIT, DBA] + OPEN),
	("no key", to_no_key, "unplug", all_of_it, TRIED + PROVED + [AUDIT, DBA] + OPEN),
	("reason", to_reason, None, all_of_it, PROVED + AGAIN + [AUDIT, DBA] + OPEN),
	("first share", to_first_share, None, without_reason, PROVED + AGAIN + [AUDIT, DBA] + OPEN),
	("second share", to_second_share, None, last_share, PROVED + [AUDIT] + AGAIN + [DBA] + OPEN),
)


class Resume(DoorCase):
	@classmethod
	def prepare(cls):
		cls.box.protect(packages(), keys=("a", "b"))

	def door(self, name):
		return self.box.ssh_door() if name == "ssh" else self.box.console_door()

	def goes_on(self, door, steps):
		with self.door(door) as person:
			steps(person)
			person.leaves_shell()
		self.well_shown(person)
		return person

	def test_killed_at_each_prompt(self):
		for name, to_prompt, key, rest, events in KILLED:
			for first in DOORS:
				for second in DOORS:
					with self.row(f"killed at {name}", f"{first}, then {second}"):
						self.killed(first, to_prompt, key, second, rest, events)

	def killed(self, first, to_prompt, key, second, rest, events):
		self.box.fresh()
		mark = self.box.mark()
		if key is not None:
			self.box.softkey_ctl("a", key)
		with self.door(first) as person:
			to_prompt(person)
			person.dies()
		if key is not None:
			self.box.softkey_ctl("a", "plug")
		self.goes_on(second, rest)
		found = self.records(mark, events)
		self.assertEqual((found[0]["service"], found[-1]["service"]),
			(SERVICE[first], SERVICE[second]))
		self.assertEqual(len({e["request"] for e in found[-3:]}), 1)

	def test_killed_while_the_key_blinks(self):
		for door in DOORS:
			with self.row("killed while the key blinks", door):
				self.box.fresh()
				with self.door(door) as person:
					person.pin(touch=False)
					self.box.softkey_ctl("a", "wait-touch", "10000")
					person.dies()
				with self.door("login") as person:
					# sshd notices only after the touch: until then the key is busy.
					if "busy" in person.sees("PIN of your|busy with another login"):
						self.box.softkey_ctl("a", "touch")
						wait_until("the key", lambda: "awaiting=0" in
							self.box.softkey_ctl("a", "count"))
						person.types("")
						person.sees("PIN of your")
					person.types(PIN)
					self.box.softkey_ctl("a", "wait-touch", "10000")
					self.box.softkey_ctl("a", "touch")
					person.reason()
					person.share("audit")
					person.share("dba")
					person.shell()
					person.leaves_shell()

	def test_grace_time_over(self):
		self.box.fresh()
		mark = self.box.mark()
		self.box.write(DROP_IN, "LoginGraceTime 4\n")
		self.box.reload_ssh()
		with self.door("ssh") as person:
			to_second_share(person)
			wait_until("the end of the grace time", lambda:
				self.box.run("pgrep -cx sshd", check=False).out.strip() == "1")
			person.types("")  # the client waits for its user first
			person.sees("closed|reset|disconnected")
		self.box.run(f"rm {DROP_IN}")
		self.box.reload_ssh()
		self.goes_on("ssh", last_share)
		self.records(mark, PROVED + [AUDIT] + AGAIN + [DBA] + OPEN, "sshd")

	def test_login_timeout_over(self):
		self.box.fresh()
		mark = self.box.mark()
		self.box.run("sed -i 's/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 4/' /etc/login.defs")
		with self.door("login") as person:
			to_second_share(person)
			# login(1) says so and hangs the terminal up at once, which may swallow its words;
			# then there is only the next login's prompt.
			person.sees("timed out after 4 seconds|login: ", 15)
		self.box.run("sed -i 's/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 600/' /etc/login.defs")
		self.goes_on("login", last_share)
		self.records(mark, PROVED + [AUDIT] + AGAIN + [DBA] + OPEN, "login")

	def test_two_people_with_two_keys(self):
		for first, second in (DOORS, DOORS[::-1]):
			with self.row("two keys at once", f"{first} and {second}"):
				self.box.fresh()
				mark = self.box.mark()
				with self.door(first) as a:
					to_first_share(a)
					self.box.softkey_ctl("b", "plug")
					with self.door(second) as b:
						self.two_go_on(a, b)
				found = self.box.events(mark)
				granted = [e for e in found if e["event"] == "GRANTED"]
				self.assertEqual(sorted((e["key"], e["custodians"], e["reason"]) for e in granted),
					[("a", "dba, audit", REASON), ("b", "ops, dba", "INC-5678 another thing")])
				self.assertEqual(len({e["request"] for e in granted}), 2)
				self.assertNotIn("BYPASS_BLOCKED", [e["event"] for e in found])
				self.box.everywhere_once(*found)

	@staticmethod
	def two_go_on(a, b):
		b.sees("Several enrolled security keys here.")
		b.sees("press Enter: ")
		b.types("b")
		b.pin(key="b")
		a.types(a.box.shares["audit"])
		b.reason("INC-5678 another thing")
		b.share("ops")
		a.share("dba")
		a.shell()
		b.share("dba")
		b.shell()
		a.leaves_shell()
		b.leaves_shell()

	def test_same_key_the_newest_takes_over(self):
		for first in DOORS:
			for second in DOORS:
				with self.row("taken over", f"{first} by {second}"):
					self.box.fresh()
					mark = self.box.mark()
					with self.door(first) as old:
						to_second_share(old)
						with self.door(second) as new:
							new.pin()
							new.sees(r"Request taken up again: 1 counted\.\s+Share 2 of 2 .*: ")
							old.types(self.box.shares["ops"])
							if first == "ssh":  # login ends before its terminal shows this
								old.sees("A newer login with the same key has taken this "
									"request over. Go on there.")
							old.ended()
							new.types(self.box.shares["dba"])
							new.shell()
							new.leaves_shell()
					self.records(mark, PROVED + [AUDIT] + AGAIN + [DBA] + OPEN)

	def test_a_key_that_is_busy(self):
		self.box.fresh()
		with self.door("ssh") as first, self.door("login") as second:
			second.sees("PIN of your")
			first.pin(touch=False)
			self.box.softkey_ctl("a", "wait-touch", "10000")
			second.types(PIN)
			second.sees("The security key is busy with another login. Press Enter to try again: ")
			self.box.softkey_ctl("a", "touch")
			first.reason()
			second.types("")
			second.pin()
			second.sees("Share 1 of 2 ")

	def test_reentry_with_the_key_alone(self):
		self.box.fresh()
		mark = self.box.mark()
		with self.door("ssh") as first:
			first.opens()
			with self.door("login") as second:
				second.pin()
				second.shell()
				self.assertIn("uid=0", second.runs("sudo id"))
				self.assertIn("uid=0", first.runs("sudo id"))
				first.leaves_shell()
				self.assertIn("uid=0", second.runs("sudo id"))
				second.leaves_shell()
		further = [("GRANTED", "^a further session of the request; typed here: [a-z, ]+$"), OPEN[1]]
		sudo = [("SESSION_ESCALATED", "^breakglass-sudo inside the session$")]
		found = self.records(mark, PROVED + [AUDIT, DBA] + OPEN[:2] + TRIED + further + sudo * 2 +
			OPEN[2:] + sudo + OPEN[2:])
		self.assertEqual(len({e["request"] for e in found if e["event"] == "SESSION_OPENED"}), 1)

	def test_password_method(self):
		"""sshd gives each hidden prompt the same answer: one PIN try is spent, however often it is
		repeated, and nothing opens."""
		self.box.fresh()
		self.box.write(DROP_IN, "Match User breakglass\n\tPasswordAuthentication yes\n"
			"\tAuthenticationMethods password\n")
		self.box.reload_ssh()
		try:
			mark = self.box.mark()
			with self.box.ssh_door(("PreferredAuthentications=password",)) as person:
				for _ in range(3):
					person.sees("password: ")
					person.types("654321")
				person.sees("Permission denied|Too many authentication failures")
			self.assertIn("pin-retries=7 ", self.box.softkey_ctl("a", "count"))
			self.records(mark, TRIED + key_refused("^wrong PIN, tries left 7$") +
				key_refused("^the same answer to every prompt$"), "sshd")
			self.box.softkey_ctl("a", "auto", "on")
			mark = self.box.mark()
			with self.box.ssh_door(("PreferredAuthentications=password",)) as person:
				person.sees("password: ")
				person.types(PIN)
				person.sees("Permission denied|password: ")
			self.records(mark, PROVED, "sshd")
		finally:
			self.box.run(f"rm {DROP_IN}")
			self.box.reload_ssh()


if __name__ == "__main__":
	unittest.main()
