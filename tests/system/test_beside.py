#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The misuse signal on a real host: what a session's record says that it began beside, while the
normal ways work, and while they do not; and that no login waits for it."""
import json
import struct
import tempfile
import time
import unittest
from pathlib import Path

from boxlib import BUILD, wait_until
from doorlib import DoorCase, packages

HANG = "/lib/x86_64-linux-gnu/libnss_hang.so.2"
HEALTHY = "healthy"


class Beside(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		folder = tempfile.TemporaryDirectory()
		cls.addClassCleanup(folder.cleanup)
		cls.folder = folder.name
		box.add_user("alice", password="correct horse")
		box.protect(packages())
		box.add_own_sshd()
		box.push(BUILD / "tests/system/libnss_hang.so.2", HANG)
		box.run("mkdir /root/kept; cp -a --parents /etc/nsswitch.conf /etc/ssh /root/kept")

	def setUp(self):
		self.box.fresh()

	def mend(self):
		self.box.run("cp -a /root/kept/etc/. /etc/; rm -f /run/nologin; systemctl reset-failed ssh; "
			"systemctl start ssh", check=False)

	def use(self, door=None):
		"""A whole use; its record of what it began beside, and of its beginning."""
		mark = self.box.mark()
		with (door or self.box.own_sshd_door)() as person:
			person.opens()
			person.leaves_shell()
		opened = self.box.wait_event("SESSION_OPENED", mark)
		beside, = self.box.beside(opened)
		for name in ("request", "role", "holder", "reason", "custodians", "service", "origin"):
			self.assertEqual(beside[name], opened[name], beside)
		self.assertGreater(beside["seq"], opened["seq"])
		self.box.everywhere_once(opened, beside)
		return beside, opened

	def test_healthy_ways_and_an_ordinary_login_before(self):
		handler = "/etc/breakglass/alert.d/refuses-healthy"
		self.box.write(handler, "#!/bin/sh\n! grep -q '\"normal\":\"healthy\"'\n", 0o755)
		self.addCleanup(self.box.run, ["rm", handler])
		with self.box.ssh("alice") as child:
			child.expect("password: ")
			child.sendline("correct horse")
			child.expect(r"alice@\w+:[^\r\n]*\$ $")
			since = time.time()
			child.sendline("exit")
		beside, _ = self.use(self.box.ssh_door)
		self.assertEqual((beside["normal"], beside["severity"]), (HEALTHY, 1), beside)
		self.assertIn(beside["ordinary"], range(0, int(time.time() - since) + 3))
		self.assertRegex(beside["result"],
			r"^an ordinary login \d+ (seconds?|minutes?) before; normal ways looked healthy$")
		# it alerts like any other: what is not taken is kept
		def kept():
			lines = self.box.run("cat /var/lib/breakglass/spool/deferred/*", check=False).out.splitlines()
			return [a for a in map(json.loads, lines) if a["record"]["seq"] == beside["seq"]]
		alert, = wait_until("its alert", kept)
		self.assertRegex(alert["message"], r" role=full .* normal=healthy ")
		self.assertEqual(alert["record"]["normal"], HEALTHY)
		# and whoever reviews it is asked
		said = self.box.run(f"bg-unlock review {beside['request'][:8]}", check=False)
		self.assertEqual(said.rc, 2, said)
		self.assertIn(f"Begun beside: {beside['result']}.\nWas this an emergency?\n", said.out)
		story = " ".join(self.box.run(f"bg-unlock log show {beside['request'][:8]}").out.split())
		self.assertIn(f"begun beside: {beside['result']}", story)
		# the emergency login itself is no ordinary one
		self.box.fresh()
		again, _ = self.use()
		self.assertGreaterEqual(again["ordinary"], beside["ordinary"])

	def test_what_is_broken_is_named(self):
		passwd = "sed -i -e 's/^passwd:.*/passwd: files hang/' /etc/nsswitch.conf"
		rows = (
			("sshd is dead", "systemctl stop ssh", "sshd does not answer"),
			("sshd's configuration is wrong", "echo 'Nonsense yes' >>/etc/ssh/sshd_config; "
				"systemctl restart ssh", "sshd does not answer"),
			("nologin", "echo down >/run/nologin", "nologin is there"),
			("names hang", passwd, "names do not answer"),
			("sssd is down", "mkdir -p /etc/sssd; touch /etc/sssd/sssd.conf; sed -i "
				"'s/^passwd:.*/passwd: files sss/' /etc/nsswitch.conf", "the directory's service is down"),
			("two of it", passwd + "; systemctl stop ssh", "names do not answer, sshd does not answer"),
		)
		for name, breaks, says in rows:
			with self.row(name, "own ssh"):
				self.box.fresh()
				try:
					self.box.run(breaks, check=False)
					beside, opened = self.use()
				finally:
					self.mend()
				self.assertEqual((beside["normal"], beside["severity"]), (f"broken: {says}", 5), beside)
				self.assertLess(beside["boottime"] - opened["boottime"], 20)

	def test_no_login_is_known(self):
		"""And one of the future is none."""
		future = struct.pack("<h2xi32s4s32s256shhiii4i20x", 7, 1, b"pts/9", b"9", b"mallory", b"", 0, 0,
			0, int(time.time()) + 86400, 0, 0, 0, 0, 0)
		self.box.run("cp -a /var/log/wtmp /run/utmp /root/kept; : >/run/utmp")
		try:
			for wtmp in (None, future, b"no such record" * 99):
				with self.subTest(wtmp):
					self.box.run("rm /var/log/wtmp")
					if wtmp:
						Path(self.folder, "wtmp").write_bytes(wtmp)
						self.box.push(Path(self.folder, "wtmp"), "/var/log/wtmp")
					self.box.fresh()
					beside, _ = self.use()
					self.assertNotIn("ordinary", beside)
					self.assertEqual(beside["result"],
						"no ordinary login is known; normal ways looked healthy")
					self.box.run("touch /var/log/wtmp")
		finally:
			self.box.run("cp -a /root/kept/wtmp /var/log/; cp -a /root/kept/utmp /run/")

	def test_nothing_the_user_does_stops_it(self):
		"""He tries to kill it, fills what he may fill, and is gone at once."""
		mark = self.box.mark()
		with self.box.own_sshd_door() as person:
			person.opens()
			person.types("kill -9 -1; kill -9 $(pidof breakglass-watchdog)")
			person.hang_up()
		opened = self.box.wait_event("SESSION_OPENED", mark)
		beside, = self.box.beside(opened)
		self.assertEqual(beside["normal"], HEALTHY)


if __name__ == "__main__":
	unittest.main()
