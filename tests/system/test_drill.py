#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A drill on a live host: Debian's own stacks of sshd and login, also with no network and with sources
of names that do not answer."""
import os
import re
import time
import unittest
from pathlib import Path

import alertlib
from boxlib import wait_until
from doorlib import DoorCase, packages

BUILD = Path(os.environ["BG_BUILD_DIR"])
HANG = "/lib/x86_64-linux-gnu/libnss_hang.so.2"


class Drills(DoorCase):
	@classmethod
	def prepare(cls):
		cls.box.protect(packages())
		cls.box.push(BUILD / "tests/system/libnss_hang.so.2", HANG)
		cls.box.run("cp /etc/nsswitch.conf /root/")
		alertlib.arrange(cls.box, "mail", "sms")

	def setUp(self):
		self.box.fresh()
		self.box.run("cp /root/nsswitch.conf /etc/")

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
				person = self.box.drill("--id", f"q-{door}", "--door", door)
				person.sees("DRILL q-")
				result, name = self.through(person, f"q-{door}")
				self.assertRegex(result, f"^id={name} result=passed seconds=.* door={door} offline=no "
					"steps=key:")
		self.assertNotIn("SESSION_CONTEXT", [e["event"] for e in self.box.chain()])

	def test_its_alert_arrives_and_the_code_in_it_is_taken(self):
		mark = self.box.mark()
		person = self.box.drill("--id", "told")
		person.sees("PIN of your")
		# while the drill goes on, as a mail and as a text message of 140 characters
		mail = wait_until("the mail", lambda: alertlib.mails(self.box, "of drill told"))[0]
		code = re.search(r"confirm=(\w+) of drill told", mail.subject)[1]
		self.assertIn('"drill":true', mail.body)
		text = wait_until("the text message", lambda: [p for p in alertlib.received(self.box, "http")
			if "of drill told" in p])[0]
		self.assertIn(f"confirm={code} ", text)
		self.assertNotIn(code, person.screen)
		said = self.box.run(f"bg-unlock drill --confirm {code}").out
		self.assertIn("the alert of drill told arrived", said)
		self.box.wait_event("ALERT_DELIVERED", mark)
		person.leaves()
		self.assertEqual(self.box.wait_event("DRILL_ENDED", mark)["result"].split()[1], "result=failed")
		# every alert of it is marked
		wait_until("the last one", lambda: alertlib.mails(self.box, "DRILL_ENDED"), 30)
		for mail in alertlib.mails(self.box, "drill"):
			self.assertIn('"drill":true', mail.body)

	def test_offline_with_sources_that_hang(self):
		# of accounts: nobody asks them, nothing hangs
		self.box.run("sed -i -E '/^(passwd|shadow|hosts):/s/$/ hang/' /etc/nsswitch.conf")
		begin = time.monotonic()
		person = self.box.drill("--id", "off", "--offline")
		result, _ = self.through(person, "off")
		self.assertRegex(result, "^id=off result=passed .* offline=yes")
		self.assertLess(time.monotonic() - begin, 60)
		# of groups: the door would hang, the drill says so
		self.box.run("cp /root/nsswitch.conf /etc/; sed -i '/^group:/s/$/ hang/' /etc/nsswitch.conf; "
			"echo 'initgroups: files hang' >>/etc/nsswitch.conf")
		person = self.box.drill("--id", "off2", "--offline")
		result, _ = self.through(person, "off2")
		self.assertRegex(result, "^id=off2 result=failed .* failed at groups: a source of groups")
		self.assertEqual(self.box.run("ls /run/breakglass/drills /run/breakglass/grants").out.split(),
			["/run/breakglass/drills:", "/run/breakglass/grants:"])


if __name__ == "__main__":
	unittest.main(verbosity=2)
