#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each call of the module fails in turn: no error opens, and none harms anybody else."""
import sys
import unittest

import codelib
import pamlib
import test_relay
from pamlib import PAM_SUCCESS

# With these an error that became IGNORE would be a success.
PERMISSIVE = {"control": dict.fromkeys(("auth", "account", "session"), "required"),
	"after": dict.fromkeys(("auth", "account", "session"), "required pam_permit.so")}
ANSWERS_MAX = 40


class FaultCase(pamlib.StageCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.stage.keys["a"].ctl("auto", "on")
		cls.stage.stacks(audit=False, **PERMISSIVE)

	def run_one(self, login, answer):
		"""Answers by what is asked, as a person would; (results, the prompts seen)."""
		with login:
			for _ in range(ANSWERS_MAX):
				prompt = login.next()
				if prompt is None:
					break
				login.answer(answer(prompt))
			else:
				self.fail(f"no end of prompts: {login.prompts[-3:]}")
			self.assertEqual(login.errors(), "")
			self.assertIn(login.process.returncode, (0, 1), (login.fired, login.lines[-3:]))
			for before, after in login.fds:
				self.assertEqual(before, after, login.fired)
			self.assertEqual(login.states, ["same"], login.fired)
		return login

	def each(self, make, person, check):
		"""Runs make(nth) for each call that may fail, until none is left; their number."""
		nth = 1
		while True:
			self.stage.reset()
			login = self.run_one(make(nth), person())
			if login.fired == "-":
				break
			with self.subTest(nth=nth, call=login.fired):
				check(login)
			nth += 1
		return nth - 1

	@staticmethod
	def nobody():
		"""Leaves at the first prompt."""
		return lambda prompt: None

	def person(self):
		"""Types PIN, reason and the shares of audit and dba, once more where asked."""
		shares = iter(["audit", "dba", "ops", "audit", "dba", "ops"] * 5)

		def answer(prompt):
			if "PIN of your" in prompt:
				return pamlib.PIN
			if "Reason" in prompt:
				return "INC-1 directory down"
			if "Share " in prompt:
				return self.stage.shares[next(shares)]
			return ""
		return answer


class FaultTest(FaultCase):
	def test_P01_a_login_succeeds_rightly_or_fails(self):
		outcomes = {True: 0, False: 0}

		def check(login):
			seen = " ".join(text for _, text in login.prompts)
			opened = login.results.get("open") == PAM_SUCCESS
			if login.results.get("auth") == PAM_SUCCESS:
				self.assertIn("PIN of your", seen)
				self.assertIn("Share 2 of 2", seen)
			if opened:
				self.assertEqual(login.results["account"], PAM_SUCCESS)
				self.assertIsNotNone(login.deadline)
				# A text that cannot be shown shuts nobody out.
				self.assertTrue(login.fired == "pam_get_item" or "OPEN until" in login.infos[-1])
			outcomes[opened] += 1

		nth = self.each(lambda n: self.stage.login(fault=n), self.person, check)
		self.assertGreater(nth, 500)
		self.assertGreater(outcomes[False], 100)
		sys.stderr.write(f"[{nth} faults: {outcomes[True]} opened rightly] ")

	def test_P01_what_is_to_be_refused_stays_refused(self):
		def refused(login):
			self.assertNotEqual(login.results[phase], PAM_SUCCESS)

		for phase in ("auth", "account", "open"):
			for service in ("login", "sshd"):
				nth = self.each(lambda n, s=service: self.stage.login(phase, service=s,
					rhost="192.0.2.7" if s == "sshd" else None, fault=n),
					self.nobody, refused)
				self.assertGreater(nth, 50)

	def test_P01_a_service_that_is_no_door(self):
		def refused(login):
			self.assertNotEqual(login.results["auth"], PAM_SUCCESS)

		self.each(lambda n: self.stage.login("auth", service="su", fault=n), self.nobody,
			refused)

	def test_P01_anybody_else_comes_in_whatever_fails(self):
		def welcome(login):
			self.assertEqual(set(login.results.values()), {PAM_SUCCESS})

		for user, more in (("plain", {}), ("root", {"service": "su", "uid": 4712}),
				("nobody-of-that-name", {})):
			self.each(lambda n, u=user, m=more: self.stage.login(user=u, fault=n, **m),
				self.nobody, welcome)


class RelayTest(test_relay.RelayCase):
	"""A key that is touched elsewhere."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.stage.stacks(audit=False, **PERMISSIVE)

	def each(self, flags):
		"""Logs in by an answer with these flags until no call is left to fail; how often a key was
		proved, and the number of calls."""
		nth, proved = 1, 0
		while True:
			self.stage.reset()
			answers = 0
			with self.stage.login("auth", fault=nth) as login:
				while (prompt := login.next()) is not None:
					if "Reason" in prompt:
						proved += 1
						self.assertGreater(answers, 0)
						login.answer(None)
					elif "Its answer (" in prompt and answers == 0:
						login.answer(self.answer(test_relay.challenge(prompt), flags=flags))
						answers += 1
					else:
						login.answer("touch" if "touch" in prompt and not answers else None)
				self.assertEqual(login.errors(), "")
				self.assertIn(login.process.returncode, (0, 1), (login.fired, login.lines[-3:]))
				self.assertNotEqual(login.results.get("auth"), PAM_SUCCESS, login.fired)
				self.assertEqual(login.fds[0][0], login.fds[0][1], login.fired)
				self.assertEqual(login.states, ["same"], login.fired)
			if login.fired == "-":
				return proved, nth
			nth += 1

	def test_P01_a_right_answer_whatever_fails(self):
		proved, calls = self.each(codelib.UP | codelib.UV)
		self.assertGreater(proved, 10)
		self.assertGreater(calls, proved + 50)

	def test_P01_a_wrong_answer_proves_nothing_whatever_fails(self):
		self.assertEqual(self.each(codelib.UP)[0], 0)


class ManyTest(FaultCase):
	def rounds(self, count, answer):
		login = self.stage.login("auth", "account", "setcred", "open", "close", rounds=count,
			env={"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"})
		with login:
			while (prompt := login.next()) is not None:
				login.answer(answer(prompt))
		self.assertEqual(len(login.fds), count)
		self.assertEqual({after for _, after in login.fds}, {login.fds[0][0]})
		self.assertEqual(set(login.states), {"same"})
		# What libraries keep for good is there after the first hundred.
		self.assertLessEqual(login.heap[-1][1], login.heap[100][1] + 1024)

	def test_P05_a_thousand_logins_leave_nothing_open_and_nothing_behind(self):
		self.stage.reset()
		self.rounds(1000, self.person())

	def test_P05_nor_do_failing_ones(self):
		self.stage.reset()
		turn = iter(range(1 << 30))
		share = self.stage.shares["ops"]

		def answer(prompt):
			n = next(turn)
			if "PIN of your" in prompt and n % 3:
				return pamlib.PIN
			if "Reason" in prompt:
				return "INC-1 directory down"
			return (None, False, "", "x" * 600, share, "flme", "?", "new", share + " acid",
				"\x1b[2J")[n % 10]
		self.rounds(300, answer)


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
