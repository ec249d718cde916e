#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A session's limits: its deadline at each door, under logind and without, for whatever was started
in it to outlive it."""
import re
import time
import unittest

from boxlib import BUILD, BoxError, wait_until
from doorlib import GROUPS, DoorCase, packages

SECONDS = 80

# Ignores what a session's end usually sends; says that it runs.
STUBBORN = """#!/usr/bin/python3
import os, signal, sys, time
for s in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGTSTP):
	signal.signal(s, signal.SIG_IGN)
if "daemon" in sys.argv:
	if os.fork():
		os._exit(0)
	os.setsid()
	if os.fork():
		os._exit(0)
open("/var/tmp/jobs/" + sys.argv[1] + "." + os.urandom(6).hex(), "w").close()
time.sleep(3600)
"""

JOBS = (
	("setsid", "setsid -f /var/tmp/stubborn setsid {}"),
	("nohup", "(nohup /var/tmp/stubborn nohup {} >/dev/null 2>&1 &)"),
	("daemon", "/var/tmp/stubborn daemon daemon {} </dev/null >/dev/null 2>&1"),
	("tmux", "tmux -L $$ new -d '/var/tmp/stubborn tmux {}'"),
	("root", "sudo setsid -f /var/tmp/stubborn root {}"),
	("namespace", "setsid -f unshare -Urpf /var/tmp/stubborn namespace {}"),
)
# Chains of processes, each of which forks the next and ends, in the session's last seconds.
COMET = "setsid -f sh -c 'sleep 50; exec evade comet /var/tmp/comets/$$ 90' >/dev/null 2>&1"
# What a service would run for the account, later and in no session: not run, or refused at once.
SERVICES = (
	("at", "echo touch /var/tmp/ran.at | at now + 1 minute"),
	("cron", "echo '* * * * * touch /var/tmp/ran.cron' | crontab -"),
	("user unit", "systemd-run --user touch /var/tmp/ran.unit"),
	("lingering", "loginctl enable-linger"),
)


class Limits(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.protect(packages(), policy={"session-seconds": SECONDS})
		box.add_own_sshd()
		box.write("/var/tmp/stubborn", STUBBORN, 0o755)
		box.push(BUILD / "tests/pam/evade", "/usr/local/bin/evade")
		box.run("install -d -m 1777 /var/tmp/jobs /var/tmp/comets")
		# The own doors without logind: there the watchdog is alone.
		box.run("sed -i /pam_systemd/d /etc/pam.d/breakglass-sshd")

	def members(self, sessions):
		"""What lives of these audit sessions: {pid: command}."""
		out = self.box.run("cd /proc && for p in [0-9]*; do "
			"echo $p $(cat $p/sessionid) $(sed 's/.*) //; s/ .*//' $p/stat) $(tr '\\0' ' ' <$p/cmdline); done "
			"2>/dev/null", check=False).out
		found = {}
		for line in out.splitlines():
			pid, session, state, *command = line.split(" ") + ["", ""]
			if session in sessions and state not in ("Z", "X", ""):
				found[int(pid)] = " ".join(command)
		return found

	def starts_jobs(self, person, door):
		for _, command in JOBS:
			self.assertIn("status=0", person.runs(f"cd /; {command.format('')}"))
		self.assertIn("status=0", person.runs(COMET))
		return re.search(r"sid=(\d+)", person.runs("echo sid=$(cat /proc/self/sessionid)"))[1]

	def comets(self):
		"""What each of them has counted."""
		return [int(n) for n in self.box.run("cd /var/tmp/comets && od -An -tu8 -w8 -v *", check=False).out.split()]

	def test_nothing_outlives_the_deadline(self):
		box = self.box
		mark = box.mark()
		begin = time.monotonic()
		people, sessions = {}, set()
		doors = (("ssh", box.ssh_door), ("login", box.console_door),
			("own sshd", box.own_sshd_door), ("own console", box.own_console_door))
		for name, door in doors:
			people[name] = person = door()
			self.addCleanup(person.dies)
			if name == "ssh":
				person.opens()
			else:  # a further session of the same request, and of its deadline
				person.pin()
				person.shell()
			sessions.add(self.starts_jobs(person, name))
			if name == "ssh":  # as a watchdog leaves it that is killed in the wrong moment
				box.run(GROUPS + "echo 1 >user.slice/user-$(id -u breakglass).slice/cgroup.freeze")
		print(f"four doors open after {time.monotonic() - begin:.0f} s", flush=True)
		self.assertEqual(len(sessions), 4)
		def started():
			return box.run("ls /var/tmp/jobs").out.split()
		try:
			wait_until("the jobs", lambda: len(started()) == 4 * len(JOBS))
		except BoxError:
			self.fail(f"only these jobs started: {started()}")
		for person in people.values():
			for name, command in SERVICES:
				out = person.runs(command, 30)
				if name == "user unit":
					self.assertNotIn("status=0", out)
		# logind knows two of the four; each has its watchdog (and for a while that one's child, which
		# asks what the session was opened beside)
		wait_until("four watchdogs", lambda:
			len(box.run("pgrep -x breakglass-watc", check=False).out.split()) == 4)
		for name, person in people.items():
			person.sees(r"this emergency session ends in 1 minute \(\d\d:\d\d", SECONDS)
		self.assertGreater(len(self.members(sessions)), 4 * len(JOBS))
		box.slow_watchdogs()
		wait_until("the comets", lambda: sum(n > 0 for n in self.comets()) == 4, 45)
		for name, person in people.items():
			with self.subTest(door=name):
				person.sees({"login": "login: ", "own console": "Press Enter"}.get(name, "closed"), SECONDS)
		try:
			wait_until("the end of all", lambda: not self.members(sessions), 60)
		except BoxError:
			self.fail(f"alive after the deadline: {self.members(sessions)}")
		wait_until("the watchdogs' end", lambda:
			box.run("pgrep -x breakglass-watc", check=False).rc == 1, 60)
		self.assertEqual(box.run(GROUPS + "ls -d breakglass-session-*; "
			"grep -l 1 user.slice/user-*/cgroup.freeze", check=False).out, "")
		frozen = box.frozen_groups()
		self.assertEqual(set(frozen), {"breakglass-session-" + s for s in sessions} |
			{"user-" + box.run("id -u breakglass").out.strip() + ".slice"})
		for group, written in frozen.items():
			self.assertIn("1", written, group)
		comets = self.comets()
		time.sleep(0.5)
		self.assertEqual(comets, self.comets())
		self.recorded_once(mark)
		self.refused_afterwards(mark)
		self.nothing_was_run(mark)

	def recorded_once(self, mark):
		wait_until("the ends", lambda: self.box.event_names(mark).count("SESSION_CLOSED") == 4)
		events = self.box.events(mark)
		names = [e["event"] for e in events]
		for name in ("SESSION_OPENED", "SESSION_EXPIRED", "SESSION_CLOSED"):
			self.assertEqual(names.count(name), 4, names)
		expired = [e for e in events if e["event"] == "SESSION_EXPIRED"]
		self.assertEqual({e["service"] for e in expired}, {"sshd", "login", "breakglass-sshd"})
		self.assertNotIn("DEGRADED", names)
		self.box.everywhere_once(*expired)

	def refused_afterwards(self, mark):
		"""The same key opens no further session of that request: a new one wants its own quorum."""
		with self.box.ssh_door() as person:
			person.pin()
			person.sees(r"Reason \(")

	def nothing_was_run(self, mark):
		"""Cron and at have had their minute; what they were told to do was refused."""
		def refused():
			return {e["service"] for e in self.box.events(mark) if e["event"] == "BYPASS_BLOCKED"}
		wait_until("cron and at", lambda: refused() >= {"cron", "atd"}, 130)
		self.assertEqual(self.box.run("ls /var/tmp/ran.* 2>/dev/null", check=False).out, "")
		self.assertNotEqual(self.box.run(
			f"pgrep -u {self.box.run('id -u breakglass').out.strip()}", check=False).rc, 0)
		self.box.run("loginctl enable-linger breakglass; crontab -u breakglass -r", check=False)
		time.sleep(1)
		self.assertNotEqual(self.box.run(
			"systemctl is-active user@$(id -u breakglass).service", check=False).out.strip(), "active")
		self.box.run("loginctl disable-linger breakglass", check=False)


if __name__ == "__main__":
	unittest.main()
