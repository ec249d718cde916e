#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A drill on a live host: Debian's own stacks of sshd and login, also with no network and with sources
of names that do not answer."""
import os
import time
import unittest
from pathlib import Path

from doorlib import DoorCase, Person, packages

BUILD = Path(os.environ["BG_BUILD_DIR"])
HANG = "/lib/x86_64-linux-gnu/libnss_hang.so.2"


class Drills(DoorCase):
	@classmethod
	def prepare(cls):
		cls.box.protect(packages())
		cls.box.push(BUILD / "tests/system/libnss_hang.so.2", HANG)
		cls.box.run("cp /etc/nsswitch.conf /root/")

	def setUp(self):
		self.box.fresh()
		self.box.run("cp /root/nsswitch.conf /etc/")

	def drill(self, *options):
		terminal = self.box.terminal()
		self.box.run(["systemd-run", "-q", "--collect", "-p", f"TTYPath={terminal.device}", "-p",
			"StandardInput=tty", "-p", "StandardOutput=tty", "-p", "StandardError=tty",
			"/usr/bin/bg-unlock", "drill", *options])
		return Person(self.box, terminal, "drill")

	def through(self, person, name):
		mark = self.box.mark()
		person.pin()
		person.reason()
		for share in ("audit", "dba"):
			person.share(share)
		return self.box.wait_event("DRILL_ENDED", mark)["result"], name

	def test_each_door_is_practised_by_its_own_stack(self):
		for door in ("sshd", "login"):
			with self.subTest(door):
				self.setUp()
				person = self.drill("--id", f"q-{door}", "--door", door)
				person.sees("DRILL q-")
				result, name = self.through(person, f"q-{door}")
				self.assertRegex(result, f"^id={name} result=passed seconds=.* door={door} offline=no "
					"steps=key:")

	def test_offline_with_sources_that_hang(self):
		# of accounts: nobody asks them, nothing hangs
		self.box.run("sed -i -E '/^(passwd|shadow|hosts):/s/$/ hang/' /etc/nsswitch.conf")
		begin = time.monotonic()
		person = self.drill("--id", "off", "--offline")
		result, _ = self.through(person, "off")
		self.assertRegex(result, "^id=off result=passed .* offline=yes")
		self.assertLess(time.monotonic() - begin, 60)
		# of groups: the door would hang, the drill says so
		self.box.run("cp /root/nsswitch.conf /etc/; sed -i '/^group:/s/$/ hang/' /etc/nsswitch.conf; "
			"echo 'initgroups: files hang' >>/etc/nsswitch.conf")
		person = self.drill("--id", "off2", "--offline")
		result, _ = self.through(person, "off2")
		self.assertRegex(result, "^id=off2 result=failed .* failed at groups: a source of groups")
		self.assertEqual(self.box.run("ls /run/breakglass/drills /run/breakglass/grants").out.split(),
			["/run/breakglass/drills:", "/run/breakglass/grants:"])


if __name__ == "__main__":
	unittest.main(verbosity=2)
