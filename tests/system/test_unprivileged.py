#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What somebody without root may try, in a session or as the alert handlers' user: no alert is
stopped by it, no session goes on, no record is hidden, and root's programs are not led astray."""
import re
import unittest

from alertlib import HANDLERS
from boxlib import BUILD, wait_until
from doorlib import ACCOUNT, DoorBox, DoorCase, packages

SECONDS = 60  # the least that a seal may say
SPOOL = "/var/lib/breakglass/spool"
# Each would end the walk of a program that ends processes one by one, or that asks for a state.
EVADERS = ("leaderless", "comet")
# What is left in told/, from which root's breakglass-carry reads: shell commands, as the handlers' user.
LEFT = (
	("folder", "mkdir {}/00000-folder"),
	("folder with something in it", "mkdir -p {0}/00001-full/x; chmod 0 {0}/00001-full"),
	("pipe", "mkfifo {}/00002-pipe"),
	("link", "ln -s /etc/shadow {}/00003-link"),
	("long name", "touch {}/00004-$(printf %0240d 1)"),
	("huge", "truncate -s 1T {}/00005-huge"),
)
FLOOD = 6000


class OlderBox(DoorBox):
	"""Where the host has both versions of cgroups, this has them too."""

	is_unified = False


class Unprivileged(DoorCase):
	box_type = OlderBox

	@classmethod
	def prepare(cls):
		box = cls.box
		box.protect(packages(), policy={"session-seconds": SECONDS})
		box.add_own_sshd()
		box.push(BUILD / "tests/pam/evade", "/usr/local/bin/evade")
		box.add_user("carol", password="carols own")
		box.write(f"{HANDLERS}/keeper", "#!/bin/sh\ncat >/dev/null\n", 0o755)
		# Without logind: the watchdog is alone.
		box.run("sed -i /pam_systemd/d /etc/pam.d/breakglass-sshd")

	def last_alert(self):
		return int(self.box.read(f"{SPOOL}/last").split()[0]) - 1

	def delivered(self, mark):
		return {int(m[1]) for e in self.box.events(mark) if e["event"] == "ALERT_DELIVERED"
			and (m := re.match(r"alert (\d+) taken by keeper", e["result"]))}

	def as_handler(self, command):
		self.box.run(["runuser", "-u", "_breakglass-alert", "--", "sh", "-c", command])

	def an_alert_arrives(self, mark):
		before = self.last_alert()
		self.box.run("runuser -u breakglass -- true", check=False)
		wait_until("its alert", lambda: self.last_alert() > before, 15)
		wait_until("its delivery", lambda: max(self.delivered(mark), default=0) > before, 15)

	def test_what_the_handlers_user_leaves_does_not_stop_the_carrier(self):
		box = self.box
		mark = box.mark()
		told = f"{SPOOL}/told"
		for name, command in LEFT:
			with self.subTest(name):
				self.as_handler(command.format(told))
				wait_until("it to be out of the way", lambda:
					not box.run(f"ls {told}").out.strip(), 15)
				self.an_alert_arrives(mark)
		self.as_handler(f"cd {told}; i=0; while [ $i -lt {FLOOD} ]; do i=$((i+1)); "
			"echo '1 1 1 1 keeper' >.x; mv .x 9-$i; done")
		wait_until("the flood's end", lambda: not box.run(f"ls {told}").out.strip(), 60)
		self.assertLess(sum(e["event"] == "ALERT_DELIVERED" for e in box.events(mark)), FLOOD - 1000)
		box.run("rm -f /run/breakglass/results")
		self.an_alert_arrives(mark)
		for unit in ("breakglass-carry.path", "breakglass-alert.path"):
			self.assertEqual(box.run(f"systemctl is-active {unit}", check=False).out.strip(), "active")
		self.assertIn("whole", box.run("bg-unlock log verify --journal").out)

	def test_who_has_no_root_neither_stays_nor_hides(self):
		box = self.box
		mark = box.mark()
		with box.own_sshd_door() as person:
			person.opens()
			session = re.search(r"sid=(\d+)", person.runs("echo sid=$(cat /proc/self/sessionid)"))[1]
			# its share of the journal spent, then root: chain, alert and syslog have it all the same
			person.runs("yes x | head -60000 | logger -p user.crit --size 8 -t flood", 60)
			person.runs("sudo -n true")
			person.runs("cp /bin/bash /var/tmp/left; chmod 4755 /var/tmp/left")
			for how in EVADERS:
				person.runs(f"(evade {how} /var/tmp/evade.{how} 90 </dev/null >/dev/null 2>&1 &)")
			for how in EVADERS:
				wait_until(how, lambda how=how: self.lives(how))
			box.slow_watchdogs()
			person.sees("closed", SECONDS + 20)
		escalated = box.wait_event("SESSION_ESCALATED", mark)
		self.assertEqual(escalated["account"], ACCOUNT)
		self.assertEqual(len(box.wait_syslog("SESSION_ESCALATED")), 1)
		wait_until("the end of all", lambda: not any(self.lives(how) for how in EVADERS), 30)
		wait_until("the watchdog's end", lambda:
			box.run("pgrep -x breakglass-watc", check=False).rc == 1, 40)
		self.assertEqual(self.members(session), "")
		written = box.frozen_groups()[f"breakglass-session-{session}"]
		self.assertEqual((written[0], written[-1]), ("1", "0"))
		self.a_copy_left_behind_is_nobody(mark)
		names = box.event_names(mark)
		for name in ("SESSION_OPENED", "SESSION_EXPIRED", "SESSION_CLOSED"):
			self.assertEqual(names.count(name), 1, names)
		last = self.last_alert()
		wait_until("every alert", lambda: last in self.delivered(mark), 30)
		self.assertIn("whole", box.run("bg-unlock log verify --journal").out)

	def lives(self, how):
		return self.box.run(f"a=$(od -An -tx8 /var/tmp/evade.{how}); sleep 0.3; "
			f"[ \"$a\" != \"$(od -An -tx8 /var/tmp/evade.{how})\" ]", check=False).rc == 0

	def members(self, session):
		return self.box.run(f"grep -lx {session} /proc/[0-9]*/sessionid", check=False).out

	def a_copy_left_behind_is_nobody(self, mark):
		"""A setuid copy of a shell gives the account's uid, to whoever runs it, and no way to root."""
		box = self.box
		out = box.run(["runuser", "-u", "carol", "--", "/var/tmp/left", "-p", "-c",
			"python3 -c 'import os; u = os.geteuid(); os.setresuid(u, u, u); "
			"os.execv(\"/bin/sh\", [\"sh\", \"-c\", \"id -un; sudo -n id; echo x | su -c id\"])'"], check=False)
		self.assertEqual(out.out.split("\n")[0], ACCOUNT)
		self.assertNotIn("uid=0", out.out)
		self.assertIn("BYPASS_BLOCKED", box.event_names(mark))


if __name__ == "__main__":
	unittest.main()
