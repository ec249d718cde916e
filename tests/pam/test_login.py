#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The emergency login, phase by phase, through the unchanged module."""
import unittest

import pamlib


class LoginTest(pamlib.StageCase):
	keys = ("a", "b")

	def test_key_and_quorum_open(self):
		for start in (self.stage.login, self.stage.ssh):
			self.stage.reset()
			with start() as login:
				self.stage.open(login)
				results = login.finish()
			self.assertEqual(results, {"auth": 0, "account": 0, "setcred": 0, "open": 0,
				"close": 0}, login.lines)
			self.assertIn("OPEN until", login.infos[-1])
			self.assertIn("by dba and audit", login.infos[-1])
			self.assertEqual(self.stage.event_names(), ["ATTEMPT", "REQUEST_OPENED",
				"SHARE_ACCEPTED", "SHARE_ACCEPTED", "GRANTED", "SESSION_OPENED",
				"SESSION_CLOSED"])
			self.assertEqual({event.get("role") for event in self.stage.events()
				if "account" in event}, {"full"})

	def test_one_share_is_not_enough(self):
		with self.stage.ssh() as login:
			self.stage.open(login, shares=["audit"])
			login.expect("audit counted. Share 2 of 2 (ops or dba;")
			login.answer(None)
			results = login.finish()
		self.assertNotEqual(results["auth"], 0)
		self.assertNotIn("account", results)

	def test_no_line_is_over_80_columns(self):
		with self.stage.ssh() as login:
			self.stage.open(login)
			login.finish()
		for _, prompt in login.prompts:
			for line in prompt.split("\n"):
				self.assertLessEqual(len(line), 80, prompt)

	def test_a_dropped_line_loses_nothing_also_at_the_other_door(self):
		with self.stage.ssh() as login:
			self.stage.open(login, shares=["audit"])
			login.expect("Share 2 of 2")
			login.kill()
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("taken up again", "Share 2 of 2")
			login.answer(self.stage.shares["ops"])
			self.assertEqual(login.finish()["open"], 0)

	def test_somebody_else_is_ignored(self):
		self.stage.stacks(after={"auth": "required pam_permit.so",
			"account": "required pam_permit.so", "session": "required pam_permit.so"})
		try:
			with self.stage.login(user="plain") as login:
				self.assertEqual(login.finish()["open"], 0)
			self.assertEqual(login.prompts, [])
			self.assertEqual(self.stage.events(), [])
		finally:
			self.stage.stacks()


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
