#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One connection with many channels, with none, without a terminal; and what a connection that
dropped left running: each is recorded, ended and refused as the session that it belongs to."""
import unittest

from boxlib import wait_until
from doorlib import ACCOUNT, DoorCase, packages

CONTROL = "/root/control"
SOCKET = "/var/tmp/left"
LEFT = "in what a closed session left, while another of its request is open"


class Connections(DoorCase):
	@classmethod
	def prepare(cls):
		cls.box.protect(packages(), keys=("a", "b"))
		cls.box.add_own_sshd()
		cls.doors = (("ssh", cls.box.ssh_door), ("own sshd", cls.box.own_sshd_door))

	def setUp(self):
		self.box.fresh()
		self.mark = self.box.mark()

	def told(self, *names):
		return [e["event"] for e in self.box.events(self.mark) if e["event"] in names]

	def revoked(self, requests=1):
		"""Everything is ended, and told once."""
		self.assertEqual(self.box.run("bg-unlock revoke").out.count("revoked:"), requests)
		wait_until("the end", lambda: len(self.told("SESSION_CLOSED")) ==
			len(self.told("SESSION_OPENED")))
		self.assertNotEqual(self.box.run(f"pgrep -u {ACCOUNT}", check=False).rc, 0)

	def channel(self, *words):
		"""One more on the connection that is there."""
		return self.box.run(["timeout", "10", "ssh", "-F", "none", "-S", CONTROL, *words, "x"]
			if words and words[0].startswith("-") else
			["timeout", "10", "ssh", "-F", "none", "-S", CONTROL, "x", *words], check=False)

	def test_all_channels_are_one_session(self):
		for name, door in self.doors:
			with self.row("channels", name):
				self.setUp()
				with door((f"ControlPath={CONTROL}", "ControlMaster=yes", "ControlPersist=yes")) as person:
					person.opens()
					first = person.runs("echo sid=$(cat /proc/self/sessionid)").split("sid=")[-1].split()[0]
					person.leaves_shell()
					self.the_connection_goes_on(first)
					self.revoked()
				# else ssh would log in anew
				self.assertNotEqual(self.channel("-O", "check").rc, 0)
				self.assertEqual(self.told("SESSION_OPENED", "SESSION_ESCALATED", "BYPASS_BLOCKED"),
					["SESSION_OPENED", "SESSION_ESCALATED"])

	def the_connection_goes_on(self, session):
		done = self.channel("cat /proc/self/sessionid; echo; sudo -n id -u")
		self.assertEqual(done.out.split(), [session, "0"], done)
		self.assertRegex(self.channel("-W", "127.0.0.1:22").err, "prohibited|refused by peer")
		self.assertEqual(self.told("SESSION_CLOSED"), [])

	def test_without_a_terminal(self):
		"""A command, and a connection without any: ended like a shell."""
		for name, door in self.doors:
			for what, more in (("a command", {"command": "exec sleep 1000"}),
					("nothing", {"options": ("SessionType=none",)})):
				with self.row(what, name):
					self.setUp()
					with door(tty=False, **more) as person:
						person.pin()
						person.reason()
						person.share("audit")
						person.share("dba")
						self.box.wait_event("SESSION_OPENED", self.mark)
						self.revoked()
						person.sees("closed|reset")

	def in_what_is_left(self, command):
		"""What a command says that the tmux runs, as somebody who attaches to it would type it."""
		uid = self.box.run(f"id -u {ACCOUNT}").out.strip()
		self.box.run("rm -f /var/tmp/said")
		self.box.run(f"setpriv --reuid={uid} --clear-groups tmux -S {SOCKET} run-shell "
			f"'{command} >/var/tmp/said.new 2>&1; mv /var/tmp/said.new /var/tmp/said'")
		return wait_until("the command's end", lambda: self.box.run(
			"test -e /var/tmp/said && { cat /var/tmp/said; echo; }", check=False).out).strip()

	def test_what_a_dropped_line_left(self):
		"""It becomes root while its request goes on in another session, and not otherwise: S15, what
		other people approved does not carry it."""
		box = self.box
		with box.own_sshd_door() as person:
			person.opens()
			person.runs(f"tmux -S {SOCKET} new -d")
			self.assertEqual(self.in_what_is_left("sudo -n id -u"), "0")
			person.dies()
		box.wait_event("SESSION_CLOSED", self.mark)
		self.assertNotEqual(self.in_what_is_left("sudo -n id -u"), "0")
		self.assertEqual(self.told("BYPASS_BLOCKED"), ["BYPASS_BLOCKED"])
		with box.console_door() as person:
			person.pin()
			person.shell()
			for command in ("sudo -n id -u", "su -c \"id -u\""):
				self.assertEqual(self.in_what_is_left(command), "0")
			person.leaves_shell()
		of = {e["request"]: e["result"] for e in box.events(self.mark) if e["event"] == "SESSION_ESCALATED"}
		self.assertEqual(list(of.values()), [f"su to root {LEFT}"])
		self.assertNotEqual(self.in_what_is_left("sudo -n id -u"), "0")
		self.of_another_request_it_is_nobody()

	def of_another_request_it_is_nobody(self):
		box = self.box
		box.softkey_ctl("a", "unplug")
		box.softkey_ctl("b", "plug")
		with box.own_sshd_door() as person:
			person.opens(key="b")
			self.assertNotEqual(self.in_what_is_left("sudo -n id -u"), "0")
			self.revoked(2)
		self.assertEqual(self.told("BYPASS_BLOCKED"), ["BYPASS_BLOCKED"] * 3)


if __name__ == "__main__":
	unittest.main()
