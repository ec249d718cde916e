#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Revocation at the real doors: by root, with a lock that a new quorum lifts, also after a reboot, and
by an alert handler that answers 75."""
import json
import re
import unittest

from alertlib import HANDLERS
from boxlib import wait_until
from doorlib import ACCOUNT, PIN, DoorCase, packages
from test_limits import JOBS, STUBBORN

LOCK = f"/etc/breakglass/accounts/{ACCOUNT}/locked"
TOLD = "/var/lib/breakglass/spool/told"
# Says that sessions are not authorised; takes everything else.
OBJECTS = """#!/bin/sh
grep -q '"message":"SESSION_OPENED ' && exit 75
exit 0
"""


class Revoke(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.protect(packages())
		box.add_own_sshd()
		box.write("/var/tmp/stubborn", STUBBORN, 0o755)
		box.run("install -d -m 1777 /var/tmp/jobs")

	def setUp(self):
		self.box.run("bg-unlock revoke; rm -f /var/tmp/jobs/*", check=False)
		self.box.fresh()

	def jobs(self, tag):
		return self.box.run(["pgrep", "-fc", f"^[^ ]*python3 [^ ]*stubborn [a-z ]+ {tag}$"],
			check=False).out.strip()

	def starts_jobs(self, person, tag):
		for _, command in JOBS:
			self.assertIn("status=0", person.runs(f"cd /; {command.format(tag)}"))
		wait_until("the jobs", lambda: self.jobs(tag) == str(len(JOBS)))

	def told(self, mark, *also):
		"""The records since then, but for what other things are about."""
		left = {"ALERT_DELIVERED", "SESSION_ESCALATED", "ATTEMPT", "BYPASS_BLOCKED", *also}
		return [e for e in self.box.events(mark) if e["event"] not in left]

	def check(self):
		return self.box.run("bg-unlock check", check=False).out

	def test_every_door_and_what_was_started_behind_it(self):
		box = self.box
		doors = (("ssh", box.ssh_door), ("login", box.console_door), ("own", box.own_sshd_door))
		people = {}
		for name, door in doors:
			people[name] = person = door()
			self.addCleanup(person.dies)
			if name == "ssh":
				person.opens()
			else:
				person.pin()
				person.shell()
			self.starts_jobs(person, name)
		mark = box.mark()
		out = box.run("bg-unlock revoke", timeout=60).out
		self.assertRegex(out, r"^revoked: breakglass [0-9A-Z]{4}: by root \(.*\); 3 sessions\n$")
		for name, person in people.items():
			with self.subTest(door=name):
				self.assertEqual(self.jobs(name), "0")
				person.sees("login: " if name == "login" else "closed")
		wait_until("the ends", lambda: box.event_names(mark).count("SESSION_CLOSED") == 3)
		events = self.told(mark)
		self.assertEqual([e["event"] for e in events], ["REVOKED"] + ["SESSION_CLOSED"] * 3)
		self.assertEqual({e["service"] for e in events[1:]}, {"sshd", "login", "breakglass-sshd"})
		self.assertEqual(len({e["request"] for e in events}), 1)
		box.everywhere_once(*events)
		wait_until("the watchdogs' end", lambda:
			box.run("pgrep -x breakglass-watc", check=False).rc == 1, 20)
		with box.ssh_door() as person:  # no further session of it
			person.pin()
			person.sees(r"Reason \(")

	def test_lock_outlives_a_reboot_and_a_new_quorum_lifts_it(self):
		box = self.box
		person = box.ssh_door()
		self.addCleanup(person.dies)
		person.opens()
		self.assertIn("status=0", person.runs("sudo -n true"))
		# As `revoke --lock` leaves it when it is killed between its first step and its second.
		box.write(LOCK, f"[lock]\nid = {'5a' * 16}\nat = 2026-01-01T00:00:00Z\nby = root (x)\n", 0o600)
		mark = box.mark()
		self.assertNotIn("status=0", person.runs("sudo -n true"))
		self.assertNotIn("status=0", person.runs("setsid -w su -c true </dev/null"))
		self.assertIn("the account was locked after this session",
			[e["result"] for e in box.events(mark) if e["event"] == "BYPASS_BLOCKED"])
		with box.own_sshd_door() as again:
			again.pin()
			again.sees(r"Locked 2026-01-01T00:00:00Z by root \(x\):\s+this request's quorum lifts it\.")
			again.sees(r"Reason \(")
		self.starts_jobs_unprivileged(person)
		mark = box.mark()
		out = box.run(f"bg-unlock revoke --lock {ACCOUNT}", timeout=60).out
		self.assertIn(f"locked: {ACCOUNT}: until a key and a new quorum lift it\n", out)
		person.sees("closed")
		self.assertEqual(self.jobs("locked"), "0")
		wait_until("its end", lambda: "SESSION_CLOSED" in box.event_names(mark))
		events = self.told(mark, "ABANDONED")
		self.assertEqual([e["event"] for e in events if e["event"] != "REVOKED"],
			["LOCKED", "SESSION_CLOSED"])
		box.everywhere_once(*events)
		self.assertRegex(self.check(), rf"WARNING {ACCOUNT}/lock: locked since \S+Z by root")
		box.reboot()
		box.softkey_start("a", pin=PIN, state="/var/lib/softkey/a")
		self.assertRegex(self.check(), rf"WARNING {ACCOUNT}/lock: locked since \S+Z by root")
		self.lifts()

	def starts_jobs_unprivileged(self, person):
		self.assertIn("status=0", person.runs("cd /; setsid -f /var/tmp/stubborn setsid locked"))
		wait_until("the job", lambda: self.jobs("locked") == "1")

	def lifts(self):
		box = self.box
		mark = box.mark()
		with box.ssh_door() as person:
			person.pin()
			person.sees(r"Locked \S+Z by root \([^)]*\):\s+this request's quorum lifts it\.")
			person.reason()
			person.share("audit")
			person.share("dba")
			person.shell()
			self.well_shown(person)
			self.assertIn("status=0", person.runs("sudo -n true"))
			lifted = box.wait_event("UNLOCKED", mark)
			granted = box.wait_event("GRANTED", mark)
			self.assertEqual(lifted["request"], granted["request"])
			self.assertRegex(granted["result"], r"^key and quorum, lifting the lock of \S+Z by root")
			box.everywhere_once(granted, lifted)
			wait_until("the lock's file to go", lambda:
				box.run(["test", "-e", LOCK], check=False).rc == 1, 20)
			self.assertIn(f"OK {ACCOUNT}/lock: not locked", self.check())
			self.assertIn("status=0", person.runs("sudo -n true"))
			person.leaves_shell()
		self.assertIn("lock lifted", box.run("bg-unlock log show").out)

	# An alert handler's word

	def configured(self, value):
		devices = " ".join(f"/run/softkey/{key}" for key in self.box.keys)
		self.box.write("/etc/breakglass/breakglass.conf",
			f"[breakglass]\ndevice = {devices}\nrevoke-on-75 = {value}\n")
		self.addCleanup(self.box.use_devices, *self.box.keys)

	def objecting(self):
		self.box.write(f"{HANDLERS}/siem", OBJECTS, 0o755)
		self.addCleanup(self.box.run, f"rm -f {HANDLERS}/siem", check=False)

	def answers(self, mark):
		return [e["result"] for e in self.box.events(mark)
			if e["event"] == "ALERT_DELIVERED" and "not authorised" in e["result"]]

	def answer(self, mark):
		return wait_until("the handler's answer", lambda: self.answers(mark), 30)

	def test_handler_that_answers_75_revokes_only_if_configured(self):
		box = self.box
		self.objecting()
		for value in ("no", "yes"):
			with self.subTest(value):
				box.fresh()
				self.configured(value)
				mark = box.mark()
				person = box.ssh_door()
				self.addCleanup(person.dies)
				person.opens()
				answer = self.answer(mark)
				if value == "no":
					self.assertRegex(answer[0], r"taken by siem, .*; answer: not authorised$")
					self.assertIn("status=0", person.runs("sudo -n true"))
					self.assertNotIn("REVOKED", box.event_names(mark))
					person.leaves_shell()
					continue
				self.assertRegex(answer[0], "not authorised, its request is being revoked$")
				person.sees("closed")
				revoked = box.wait_event("REVOKED", mark)
				self.assertRegex(revoked["result"], r"^by alert handler siem; 1 session$")
				box.wait_event("SESSION_CLOSED", mark)
				self.assertEqual(box.event_names(mark).count("REVOKED"), 1)
				box.everywhere_once(revoked)

	def forge(self, *lines):
		"""What the handlers' user can write: results of its own."""
		for i, line in enumerate(lines):
			self.box.run(f"runuser -u _breakglass-alert -- sh -c 'umask 022; printf \"%s\\n\" \"{line}\" "
				f">{TOLD}/.x && mv {TOLD}/.x {TOLD}/{i}-forged'")

	def test_handlers_user_gets_no_more_than_revocations_of_alerts_sent(self):
		box = self.box
		self.configured("yes")
		mark = box.mark()
		person = box.ssh_door()
		self.addCleanup(person.dies)
		person.opens()
		opened = box.wait_event("SESSION_OPENED", mark)
		first = self.next_alert()
		sent = self.alert_of(opened, first)
		# of no alert; of one to come; by a name that is no handler's; a request where an id belongs; an
		# id whose note would stand where that of one sent stands
		self.forge("0 2 1 1 siem", f"{first + 500} 2 1 1 siem", f"{first} 2 1 1 ../../x",
			f"{opened['request']} 2 1 1 siem", f"{sent + 1024} 2 1 1 siem")
		answers = wait_until("what became of the three that are readable", lambda: (lambda found:
			len(found) == 3 and found)(self.answers(mark)), 20)
		for answer in answers:
			self.assertRegex(answer, "not authorised, but it was about no request of this boot$")
		self.assertIn("status=0", person.runs("sudo -n true"))
		self.assertNotIn("REVOKED", box.event_names(mark))
		# what they are told of they may end, and that is all
		self.forge(f"{sent} 2 1 1 siem")
		person.sees("closed")
		self.assertEqual(box.wait_event("REVOKED", mark)["request"], opened["request"])
		self.assertNotEqual(box.run(["test", "-e", LOCK], check=False).rc, 0)

	def next_alert(self):
		return int(self.box.read("/var/lib/breakglass/spool/last").split()[0])

	def alert_of(self, event, last):
		"""The id of the alert of that record; the handlers' folder keeps none: by root's own notes."""
		notes = self.box.run(["cat", "/run/breakglass/alerted"]).out
		ids = [int(m[1]) for m in re.finditer(r"(\d{20}) ([0-9a-f]{64})", notes)
			if m[2] == event["request"]]
		self.assertLessEqual(max(ids), last + 10, json.dumps(ids))
		return max(ids)


if __name__ == "__main__":
	unittest.main()
