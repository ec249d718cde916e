#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The documented PAM lines, also as people write them by hand, and an account that is really
installed: the module missing, cut or without symbols shuts it and nobody else (RULES P18)."""
import unittest

import pexpect

import test_packages
from doorlib import ACCOUNT, DoorBox, packages

HAND_MADE = "sed -i '/pam_breakglass/s/success=[0-9][0-9]*/success=done/' " \
	"/etc/pam.d/common-auth /etc/pam.d/common-account"
DAMAGES = {"missing": "rm {0}", "truncated": "truncate -s 5000 {0}"}


class HandMade(test_packages.Damaged):
	"""What holds for pam-auth-update's lines holds for these."""

	# the same whatever the lines are
	test_P18_module_empty = None
	test_account_whose_seal_is_no_seal_is_refused_and_nobody_else = None
	test_without_lock_and_expiry_these_checks_would_see_it_come_in = None

	@classmethod
	def prepare(cls):
		super().prepare()
		cls.box.run(HAND_MADE)


class Real(test_packages.PackageCase):
	"""An account that bg-unlock installed, both kinds of lines, both doors."""

	box_type = DoorBox

	@classmethod
	def prepare(cls):
		cls.box.add_user("alice", password="correct horse", groups=("sudo",))
		cls.box.add_user("bob", password="battery staple")
		cls.box.protect(packages(), policy={"reentry": "no"})
		cls.box.run("systemctl restart ssh; cp -a /etc/pam.d /root/")
		cls.module = cls.box.run("ls /usr/lib/*/security/pam_breakglass.so").out.strip()
		cls.box.run(f"cp {cls.module} /root/good.so")

	def tearDown(self):
		self.box.run(f"cp -a /root/pam.d/* /etc/pam.d/; install -m 644 /root/good.so {self.module}")

	def damage(self, how):
		"""In place of the file, not in it: running sessions have it mapped."""
		self.box.run(f"rm -f {self.module} && cp /root/good.so {self.module} && "
			+ DAMAGES[how].format(self.module))

	def mend(self):
		self.box.run(f"rm -f {self.module} && install -m 644 /root/good.so {self.module}")

	def assert_shut(self):
		"""What a person sees at both doors, and root's su."""
		with self.box.ssh_door() as person:
			person.sees("(?i)password: ")
			person.types("any")
			person.sees("(?i)password: |denied|closed|too many")
		with self.box.console_door() as person:
			person.sees("(?i)password: ")
			person.types("any")
			person.sees("(?i)incorrect|expired")
		done = self.box.run(f"su {ACCOUNT} -c 'echo came in'", check=False)
		self.assertNotIn("came in", done.out)

	def test_P18_hand_made_lines_open_and_are_right_for_check(self):
		self.box.run(HAND_MADE)
		for name, door in self.box.doors():
			with self.subTest(name), door() as person:
				person.opens()
				self.assertIn("uid=0(root)", person.runs("sudo id"))
				self.assertIn("uid=0(root)", person.runs("su -c id"))
		# the shares that were typed here call for a reseal
		wrong = [li for li in self.box.run("bg-unlock check", check=False).out.splitlines()
			if li.startswith("CRITICAL ") and "/reviews: " not in li]
		self.assertEqual(wrong, [])
		self.assert_ordinary_users_come_in()

	def test_P18_damaged_module_shuts_the_installed_account_only(self):
		for how in DAMAGES:
			with self.subTest(how):
				self.damage(how)
				self.assert_ordinary_users_come_in()
				self.assert_shut()
				self.assertIn("CRITICAL", self.box.run("bg-unlock check", check=False).out)
		self.mend()
		with self.box.ssh_door() as person:
			person.opens()

	def test_P18_module_that_goes_during_a_session_takes_sudo_and_leaves_the_rest(self):
		with self.box.ssh_door() as person:
			person.opens()
			self.damage("missing")
			self.assertNotIn("uid=0(root)", person.runs("sudo -n id"))
			self.assert_ordinary_users_come_in()
			self.mend()
			self.assertIn("uid=0(root)", person.runs("sudo -n id"))

	def test_without_module_unknown_everybody_would_be_locked_out(self):
		"""The test of these tests: the word that carries it all, left out."""
		self.box.run("sed -i '/pam_breakglass/s/ module_unknown=ignore//' /etc/pam.d/common-*")
		self.assertIn("control words", self.box.run("bg-unlock check", check=False).out)
		self.damage("missing")
		child = self.box.ssh("alice", key=self.box.key("alice"), timeout=5)
		with self.assertRaises((AssertionError, pexpect.ExceptionPexpect)):
			child.expect(test_packages.PROMPT)


if __name__ == "__main__":
	unittest.main(verbosity=2)
