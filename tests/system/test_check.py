#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""check by itself: the timer, the trigger of packages that touch PAM, ssh or names, CHECK_FAILED once
for what has become critical; what the system answers for the account; how long it takes."""
import json
import time
import unittest

from boxlib import wait_until
from doorlib import ACCOUNT, DoorCase, packages

UNIT = "breakglass-check.service"
AUTH = "/etc/pam.d/common-auth"


class Check(DoorCase):
	@classmethod
	def prepare(cls):
		cls.box.checks_itself = True
		cls.box.protect(packages())

	def setUp(self):
		# what the trigger of the test before started
		self.box.run(f"systemctl stop {UNIT}; cp -a {AUTH} /etc/nsswitch.conf /etc/passwd /root/; "
			"rm -f /var/lib/breakglass/announced")
		self.addCleanup(self.box.run, f"cp -a /root/common-auth {AUTH}; "
			"cp -a /root/nsswitch.conf /root/passwd /etc/")

	def findings(self):
		"""check's findings: {name: [(level, text)]}."""
		report, found = json.loads(self.box.run("bg-unlock check --json", check=False).out), {}
		for finding in report["findings"]:
			found.setdefault(finding["name"], []).append((finding["level"], finding["text"]))
		return found

	def failed(self, mark):
		return [e for e in self.box.events(mark) if e["event"] == "CHECK_FAILED"]

	def run_unit(self):
		self.box.run(f"systemctl start {UNIT}", timeout=120)

	def spoil(self):
		self.box.run(f"sed -i s/default=die/default=bad/ {AUTH}")

	def mend(self):
		self.box.run(f"cp -a /root/common-auth {AUTH}")

	def test_the_timer_waits_and_the_unit_sees_what_root_sees(self):
		self.assertEqual(self.box.run("systemctl is-enabled breakglass-check.timer").out.strip(),
			"enabled")
		self.assertEqual(self.box.run("systemctl is-active breakglass-check.timer").out.strip(),
			"active")
		mark = self.box.mark()
		self.run_unit()
		by_unit = self.box.run("journalctl -q -o cat _SYSTEMD_INVOCATION_ID="
			f"$(systemctl show -P InvocationID {UNIT})").out
		# the sandbox turns no line: what is not OK here is not OK there
		for name, all in self.findings().items():
			for level, text in all:
				if level != "OK":
					self.assertIn(f"{level} {name}: {text}", by_unit)
		self.assertNotIn("\nCRITICAL", by_unit)
		self.assertEqual(self.failed(mark), [])

	def test_check_failed_once_for_what_is_new(self):
		mark = self.box.mark()
		self.spoil()
		self.run_unit()
		record = self.box.wait_event("CHECK_FAILED", mark)
		self.assertEqual((record["result"], record["host"]), ("critical: pam", "db1"))
		self.run_unit()
		self.assertEqual(len(self.failed(mark)), 1)
		# another one: only that one is named
		self.box.run("chmod 666 /etc/breakglass/breakglass.conf")
		self.addCleanup(self.box.run, "chmod 644 /etc/breakglass/breakglass.conf")
		self.run_unit()
		wait_until("two", lambda: len(self.failed(mark)) == 2)
		self.assertEqual(self.failed(mark)[1]["result"], "critical: conf")
		# mended, and spoilt again
		self.box.run("chmod 644 /etc/breakglass/breakglass.conf")
		self.mend()
		self.run_unit()
		self.spoil()
		self.run_unit()
		wait_until("three", lambda: len(self.failed(mark)) == 3)
		self.assertEqual(self.failed(mark)[2]["result"], "critical: pam")

	def test_a_package_that_touches_pam_has_it_run(self):
		mark = self.box.mark()
		self.spoil()
		self.box.run("mkdir -p /tmp/p/DEBIAN /tmp/p/etc/pam.d; echo auth required pam_deny.so "
			">/tmp/p/etc/pam.d/newcomer; printf 'Package: newcomer\\nVersion: 1\\nArchitecture: all\\n"
			"Maintainer: nobody <nobody@example.org>\\nDescription: a test\\n' >/tmp/p/DEBIAN/control; "
			"dpkg-deb --build /tmp/p /tmp/newcomer.deb && dpkg -i /tmp/newcomer.deb", timeout=120)
		self.addCleanup(self.box.run, "dpkg -P newcomer", timeout=120)
		self.assertEqual(self.box.wait_event("CHECK_FAILED", mark)["result"], "critical: pam")

	def test_what_the_system_answers_for_the_account(self):
		self.assertEqual(self.findings()[f"{ACCOUNT}/lookup"][0][0], "OK")
		# a source before files that knows nothing is a warning; one that has another uid is critical
		self.box.run("sed -i 's/^passwd:.*/passwd: extra files/' /etc/nsswitch.conf")
		self.assertEqual(self.findings()["names"][0][0], "WARNING")
		self.box.run(f"sed -i '/^{ACCOUNT}:/d' /etc/passwd")
		level, text = self.findings()[f"{ACCOUNT}/lookup"][0]
		self.assertEqual(level, "CRITICAL", text)

	def test_how_long_it_takes(self):
		start = time.monotonic()
		done = self.box.run("bg-unlock check", check=False)
		self.assertTrue(done.out.startswith("BREAKGLASS "), done)
		print(f"check took {time.monotonic() - start:.2f} s", flush=True)


if __name__ == "__main__":
	unittest.main()
