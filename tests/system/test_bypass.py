#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Ways around the dialogue: each is denied, named in the log, and BYPASS_BLOCKED where somebody got
past authentication. What a session may do, and until when. Everybody else logs in as ever."""
import re
import unittest
from collections import namedtuple

import pexpect

from boxlib import wait_until
from doorlib import ACCOUNT, PROMPT, DoorCase, Person, packages

DROP_IN = "/etc/ssh/sshd_config.d/00-test.conf"
BY_KEY = (f"Match User {ACCOUNT}\n\tPubkeyAuthentication yes\n\tAuthenticationMethods publickey\n"
	"\tAuthorizedKeysFile /etc/ssh/test_keys\n")
NOT_LIVE = "^not from inside a live session$"
NO_GRANT = "^no grant for this login$"
NO_SESSION = "^a session without a grant$"
SECONDS = 60

# A command of alice's, who may become root; the events: event, pattern of its result, service.
Row = namedtuple("Row", "name command events")
BYPASSES = (
	Row("su by root", "sudo su breakglass -c id", [("BYPASS_BLOCKED", NOT_LIVE, "su")]),
	Row("su - by root", "sudo su - breakglass -c id", [("BYPASS_BLOCKED", NOT_LIVE, "su-l")]),
	Row("su by a user", "su breakglass -c id",
		[("ATTEMPT", "^not a door: use ssh or the console$", "su")]),
	Row("sudo -u by root", "sudo sudo -u breakglass id", [("BYPASS_BLOCKED", NO_SESSION, "sudo")]),
	Row("sudo -u by a user", "sudo -u breakglass id", [("BYPASS_BLOCKED", NO_SESSION, "sudo")]),
	Row("sudo -i -u by a user", "sudo -i -u breakglass id",
		[("BYPASS_BLOCKED", NO_SESSION, "sudo(-i)?")]),
	Row("runuser", "sudo runuser -u breakglass id", [("BYPASS_BLOCKED", NO_SESSION, "runuser")]),
	Row("runuser -l", "sudo runuser -l breakglass -c id",
		[("BYPASS_BLOCKED", NO_SESSION, "runuser-l")]),
	Row("login -f by root", "sudo login -f breakglass", [("BYPASS_BLOCKED", NO_GRANT, "login")]),
	Row("a unit that names login's stack", "sudo systemd-run -q -P -p User=breakglass "
		"-p PAMName=login id", [("BYPASS_BLOCKED", NO_GRANT, "login")]),
)

# What may be broken: a shell line; the people it concerns are none but the emergency account.
SEAL = "/etc/breakglass/accounts/breakglass/seal.1"
HOST = "/etc/breakglass/accounts/breakglass/host"
CONF = "/etc/breakglass/breakglass.conf"
MODULE = "/lib/x86_64-linux-gnu/security/pam_breakglass.so"
DAMAGE = (
	("seal truncated", f"truncate -s 100 {SEAL}"),
	("seal changed", f"sed -i 's/^threshold = 2/threshold = 1/' {SEAL}"),
	("seal gone", f"rm {SEAL}"),
	("host file damaged", f"echo nonsense > {HOST}"),
	("configuration damaged", f"printf '[breakglass\\0\\n' > {CONF}"),
	("configuration a folder", f"rm {CONF}; mkdir {CONF}"),
	("module missing", f"rm {MODULE}"),
	("module truncated", f"cp {MODULE} {MODULE}.part; truncate -s 3000 {MODULE}.part; mv {MODULE}.part {MODULE}"),
	("module empty", f"rm {MODULE}; : > {MODULE}"),
	("module without symbols", f"cp --remove-destination /lib/x86_64-linux-gnu/libdl.so.2 {MODULE}"),
)

# What a session leaves behind: outside of its scope, with its uid and its audit session.
LEFTOVER = """#!/bin/sh
exec > /var/tmp/after 2>&1 < /dev/null
until [ -e /run/over ]; do sleep 0.1; done
id -un
cat /proc/self/sessionid
sudo -n id
su -c id
touch /var/tmp/done
"""
PAUSE = """#!/bin/sh
[ -e /run/pause ] || exit 0
echo "$PPID" > "/run/paused.$PAM_SERVICE"
while [ -e /run/pause ]; do sleep 0.05; done
"""


class Bypass(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.add_user("alice", password="correct horse")
		box.add_user("bob", password="battery staple", groups=("sudo",))
		box.write("/etc/sudoers.d/alice", "alice ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440)
		box.protect(packages(), keys=("a", "b"),
			policy={"session-seconds": SECONDS, "grant-seconds": 10})
		box.run("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/thief && "
			"install -m 644 /root/.ssh/thief.pub /etc/ssh/test_keys")
		box.write("/root/pause", PAUSE, 0o755)
		box.run("sed -i 's#^@include common-account#account optional pam_exec.so quiet "
			"/root/pause\\n&#' /etc/pam.d/login /etc/pam.d/sshd")

	def alice(self, command):
		"""What alice's command printed."""
		child = self.box.ssh("alice", command, key=self.box.key("alice"))
		child.expect(pexpect.EOF)
		return child.before

	def blocked(self, mark, events):
		found = self.records(mark, [event[:2] for event in events])
		for record, (_, _, service) in zip(found, events):
			self.assertRegex(record["service"], f"^{service}$")
			if record["event"] == "BYPASS_BLOCKED":
				self.assertEqual(record["severity"], 0)

	def test_bypasses(self):
		for row in BYPASSES:
			with self.row(row.name, "alice"):
				self.box.fresh()
				mark = self.box.mark()
				out = self.alice(row.command)
				self.assertNotIn("uid=", out)
				self.assertNotRegex(out, PROMPT)
				self.blocked(mark, row.events)

	def test_cron_job_of_the_account(self):
		self.box.run("echo '@reboot id > /var/tmp/cron-ran' | crontab -u breakglass -")
		mark = self.box.mark()
		self.box.run("rm -f /run/crond.reboot; systemctl restart cron")
		self.blocked(mark, [("BYPASS_BLOCKED", NOT_LIVE, "cron")])
		self.assertNotEqual(self.box.run("test -e /var/tmp/cron-ran", check=False).rc, 0)
		self.box.run("crontab -u breakglass -r")

	def by_key(self):
		self.box.write(DROP_IN, BY_KEY)
		self.box.reload_ssh()
		self.addCleanup(self.box.reload_ssh)
		self.addCleanup(self.box.run, f"rm -f {DROP_IN} /.pam_environment")

	def thief(self):
		return Person(self.box, self.box.ssh(ACCOUNT, key="/root/.ssh/thief"), "ssh")

	def test_public_key_alone(self):
		self.by_key()
		forged = ("BREAKGLASS_GRANT=1\nSSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA\n"
			"BREAKGLASS_REQUEST=" + "0" * 64 + "\n")
		for name, environment in (("public key alone", ""), ("forged ~/.pam_environment", forged)):
			with self.row(name, "ssh"):
				self.box.fresh()
				self.box.write("/.pam_environment", environment)
				mark = self.box.mark()
				with self.thief() as person:
					person.sees("closed")
				self.blocked(mark, [("BYPASS_BLOCKED", NO_GRANT, "sshd")])

	def pause(self):
		self.box.run("rm -f /run/paused.*; touch /run/pause")
		self.addCleanup(self.box.run, "rm -f /run/pause")

	def paused(self, service):
		"""Waits until the account phase of such a login stands still; its process id."""
		return int(wait_until("the pause", lambda: self.box.run(
			f"cat /run/paused.{service}", check=False).out.strip()))

	def granted_at_the_console(self):
		person = self.box.console_door()
		person.pin()
		person.reason()
		person.share("audit")
		person.share("dba")
		return person

	def test_stale_grant(self):
		self.box.fresh()
		self.pause()
		mark = self.box.mark()
		with self.granted_at_the_console() as person:
			self.paused("login")
			end = float(self.box.read("/proc/uptime").split()[0]) + 10.5
			wait_until("the grant's end", lambda:
				float(self.box.read("/proc/uptime").split()[0]) > end, 15)
			self.box.run("rm /run/pause")
			person.sees("Permission denied|login: ")
		names = self.box.event_names(mark)
		self.assertEqual(names[-2:], ["GRANTED", "BYPASS_BLOCKED"])
		self.assertEqual(self.box.events(mark)[-1]["result"], "the grant has expired")
		# The request itself still stands: the key alone goes on with it.
		with self.box.console_door() as person:
			person.pin()
			person.shell()
			person.leaves_shell()

	def test_another_process_grant(self):
		self.by_key()
		self.box.fresh()
		self.pause()
		with self.granted_at_the_console() as person:
			owner = self.paused("login")
			mark = self.box.mark()
			with self.thief() as thief:
				pid = self.paused("sshd")
				folder = "/run/breakglass/grants"
				ticks = self.box.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[19]
				self.box.run(f"cp -p {folder}/{owner}.* {folder}/{pid}.{ticks}")
				self.box.run("rm /run/pause")
				thief.sees("closed")
			person.shell()
			person.leaves_shell()
		events = self.box.events(mark)
		self.assertEqual(sorted((e["event"], e["service"]) for e in events), [
			("BYPASS_BLOCKED", "sshd"), ("SESSION_CLOSED", "login"), ("SESSION_OPENED", "login")])
		self.box.everywhere_once(*events)

	def test_session_becomes_root(self):
		"""sudo, su and su - inside the session; not a single false alarm."""
		for name, door in self.box.doors():
			with self.row("sudo and su", name):
				self.box.fresh()
				mark = self.box.mark()
				with door() as person:
					person.opens()
					for command in ("sudo id", "su -c id", "su - -c id", "sudo su -c id"):
						self.assertIn("uid=0(root)", person.runs(command))
					self.assertIn("uid=1000", person.runs("sudo -u alice id"))
					person.leaves_shell()
				self.box.wait_event("SESSION_CLOSED", mark)
				names = self.box.event_names(mark)
				self.assertNotIn("BYPASS_BLOCKED", names)
				self.assertNotIn("DEGRADED", names)
				self.assertGreaterEqual(names.count("SESSION_ESCALATED"), 5)
				self.box.everywhere_once(*self.box.events(mark))

	def test_deadline(self):
		"""Without its watchdog, too, a session ends at the deadline; what slipped out of it is not let
		through any more."""
		self.box.fresh()
		self.box.write("/var/tmp/leftover", LEFTOVER, 0o755)
		with self.box.ssh_door() as person:
			person.opens()
			session = person.runs("cat /proc/self/sessionid")
			out = person.runs("sudo systemd-run -q --scope --uid=breakglass setsid -f /var/tmp/leftover")
			self.assertIn("status=0", out)
			# Root's to end; then logind is alone, and does not reach the other scope.
			self.box.run("pkill -KILL -x breakglass-watc")
			person.sees("closed", SECONDS + 15)
		self.box.wait_event("SESSION_CLOSED")
		mark = self.box.mark()
		self.box.run("touch /run/over")
		wait_until("sudo and su", lambda: self.box.run("test -e /var/tmp/done", check=False).rc == 0)
		after = self.box.read("/var/tmp/after")
		self.assertRegex(after, r"^breakglass\n\d+")
		self.assertIn(re.match(r"breakglass\n(\d+)", after)[1], session)
		self.assertNotIn("uid=", after)
		blocked = self.box.wait_event("BYPASS_BLOCKED", mark)
		self.assertEqual(blocked["service"], "breakglass-sudo")
		self.assertRegex(blocked["result"], "deadline is over|not from inside a live session")

	def test_everybody_else_logs_in_as_ever(self):
		saved = "/var/tmp/saved.tar"
		self.box.run(f"tar -cpf {saved} {SEAL} {HOST} {CONF} {MODULE}")
		for name, damage in DAMAGE:
			with self.row(name, "everybody else"):
				self.box.run(damage)
				try:
					self.ssh_with_password()
					self.console_with_password()
					self.assertIn("uid=1000(alice)", self.alice("id"))
					self.sudo_and_su()
					if "configuration" not in name:
						self.nobody_comes_in()
				finally:
					self.box.run(f"rm -rf {CONF}; tar -xpf {saved} -C /")

	def ssh_with_password(self):
		child = self.box.ssh("bob", "id", options=("PreferredAuthentications=password",))
		child.expect("password: ")
		child.sendline("battery staple")
		child.expect(r"uid=\d+\(bob\)")

	def console_with_password(self):
		terminal = self.box.login_tty()
		for prompt, answer in (("login: ", "bob"), ("Password: ", "battery staple"), (r"\$ ", "id")):
			terminal.expect(prompt)
			terminal.sendline(answer)
		terminal.expect(r"uid=\d+\(bob\)")
		terminal.sendline("exit")
		terminal.close()

	def sudo_and_su(self):
		child = self.box.ssh("bob", "sudo id; su alice -c id", key=self.box.key("bob"))
		child.expect("password for bob: ")
		child.sendline("battery staple")
		child.expect(r"uid=0\(root\)")
		child.expect("Password: ")
		child.sendline("correct horse")
		child.expect(r"uid=1000\(alice\)")

	def nobody_comes_in(self):
		"""The emergency account itself stays shut, whatever is broken."""
		child = self.box.ssh(ACCOUNT, "id", options=("NumberOfPasswordPrompts=1",))
		if child.expect(["(?i)password: ", "denied|closed"]) == 0:
			child.sendline("x")
			child.expect("denied|closed")
		self.assertNotIn("uid=", child.before)


if __name__ == "__main__":
	unittest.main()
