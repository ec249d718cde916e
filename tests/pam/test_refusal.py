#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A custodian's refusal, given to bg-unlock revoke --code: it ends the one request or session that it
names, and nothing else ends anything. The rows are in attacklib.py."""
import os
import re
import shutil
import signal
import subprocess
import unittest

import attacklib
import codelib
import pamlib
import pexpect
from attacklib import Custodians, one_line
from pamlib import COMMAND, PAM_SUCCESS, wait_until
from test_revoke import GONE

PROMPT = "The custodian's refusal (paste it; ? helps):"


def digest_of(challenge):
	return codelib.request_digest(challenge).hex()


def short_id(challenge):
	return codelib.short_id(codelib.request_digest(challenge))


class RefusalCase(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.stage = pamlib.Stage(keys=("a", "b"))
		cls.old = Custodians(cls.stage.shares)
		text = cls.stage.seal.read_text()
		cls.old.set_id = bytes.fromhex(text.split("\nset = ")[1].split("\n")[0])
		cls.stage.seal, words = cls.stage.reseal("next", cls.stage.seal,
			[cls.stage.shares[name] for name in ("ops", "dba")])
		cls.stage.shares = words
		cls.people = Custodians(words)
		cls.stage.put_in_force(cls.stage.seal)

	@classmethod
	def tearDownClass(cls):
		cls.stage.close()

	def setUp(self):
		self.stage.reset()
		self.stage.plug("a")

	def revoke(self, text, status=0, argv=("--stdin",)):
		done = subprocess.run([COMMAND, "revoke", "--code", *argv], input=text + "\n",
			capture_output=True, text=True, timeout=60, check=False, env={})
		self.assertEqual(done.returncode, status, done)
		self.assertFalse(len(text) > 30 and text in done.stderr)
		return done

	def said(self, event):
		return [e for e in self.stage.events() if e["event"] == event]

	def asked(self, key="a"):
		"""A login at its share prompt, and the challenge that it shows."""
		self.stage.plug(key)
		login = self.stage.login(wait=True)
		self.addCleanup(login.kill)
		prompt = self.stage.to_share(login, key)
		return login, codelib.read_request_challenge(
			codelib.decode(codelib.find_lines(prompt, codelib.REQUEST_CHALLENGE))[1])

	def opened(self, key="a"):
		login, c = self.asked(key)
		login.answer(self.stage.shares["audit"])
		login.expect("Share 2 of")
		login.answer(self.stage.shares["dba"])
		self.assertEqual(login.next(), "WAIT", login.lines[-4:])
		return login, c

	def refusal(self, name, c):
		return one_line(codelib.REFUSAL, self.people.refusal(name, c))


class Ends(RefusalCase):
	def test_the_one_request_that_it_names(self):
		first, mine = self.asked()
		second, other = self.asked("b")
		done = self.revoke(self.refusal("ops", mine))
		self.assertRegex(done.stdout, r"^revoked: breakglass " + short_id(mine)
			+ r": refused by ops, given by root \(.*\); 0 sessions\n$")
		self.assertEqual([e["request"] for e in self.said("REVOKED")], [digest_of(mine)])
		first.answer(self.stage.shares["audit"])
		self.assertNotEqual(first.finish()["auth"], PAM_SUCCESS)
		self.assertIn(GONE, "".join(first.infos))
		second.answer(self.stage.shares["audit"])
		second.expect("audit counted.", "Share 2 of")
		second.answer(self.stage.shares["dba"])
		self.assertEqual(second.next(), "WAIT")
		self.assertEqual([e["request"] for e in self.said("GRANTED")], [digest_of(other)])
		self.assertEqual(self.said("APPROVAL_REFUSED"), [])

	def test_the_one_session_by_the_challenge_that_was_shown_for_it(self):
		stays, _ = self.opened("b")
		login, c = self.opened()
		done = self.revoke(self.refusal("audit", c))
		self.assertIn("refused by audit, given by root", done.stdout)
		self.assertIn("1 session\n", done.stdout)
		self.assertEqual(login.process.wait(1), -signal.SIGTERM)
		self.assertIsNone(stays.process.poll())
		revoked = self.said("REVOKED")
		self.assertEqual([e["request"] for e in revoked], [digest_of(c)])
		for field in ("host", "account", "key", "holder", "reason", "service", "origin"):
			self.assertTrue(revoked[0].get(field), field)
		wait_until("its end to be told", lambda: self.said("SESSION_CLOSED"))
		self.assertEqual([e["request"] for e in self.said("SESSION_CLOSED")], [digest_of(c)])
		# the same again, and another custodian's, are named as late
		for name in ("audit", "ops"):
			self.assertIn(f"{name} refused request {short_id(c)}, which is over already.",
				self.revoke(self.refusal(name, c), 1).stderr)
		self.assertEqual(len(self.said("REVOKED")), 1)
		self.assertEqual(len(self.said("APPROVAL_REFUSED")), 2)
		self.assertIsNone(stays.process.poll())

	def test_session_whose_request_is_forgotten(self):
		login, c = self.opened()
		for name in os.listdir("/run/breakglass/requests"):
			os.unlink(f"/run/breakglass/requests/{name}")
		self.revoke(self.refusal("dba", c))
		self.assertLess(login.process.wait(1), 0)
		self.assertTrue(self.said("REVOKED")[0]["result"].startswith("refused by dba, given by root"))

	def test_P17_replayed_when_the_request_is_over(self):
		_, c = self.asked()
		self.revoke(self.refusal("ops", c))
		self.assertRegex(self.revoke(self.refusal("ops", c), 1).stderr, attacklib.NO_SUCH)
		self.stage.reset()  # as after a boot
		_, again = self.asked()
		self.assertRegex(self.revoke(self.refusal("ops", c), 1).stderr, attacklib.NO_SUCH)
		self.assertEqual(self.said("REVOKED"), [])
		self.revoke(self.refusal("ops", again))
		self.assertEqual(len(self.said("REVOKED")), 1)

	def test_given_in_lines_and_by_the_command_itself(self):
		_, c = self.asked()
		lines = codelib.encode(codelib.REFUSAL, self.people.refusal("dba", c))
		grouped = [" ".join(li[i:i + 4] for i in range(0, 32, 4)).upper() for li in lines]
		self.assertIn("line 4 is missing", self.revoke("\n".join(grouped[:3] + grouped[4:]), 2).stderr)
		wrong = lines[1][:-1] + ("c" if lines[1][-1] != "c" else "b")
		self.assertIn("line 2 is misread", self.revoke(lines[0] + wrong + lines[2], 2).stderr)
		for text in ("", "hello"):
			self.assertIn("error: ", self.revoke(text, 2).stderr)
		self.assertEqual(self.said("REVOKED"), [])
		self.revoke("\n".join(grouped))
		self.assertEqual(len(self.said("REVOKED")), 1)


class Refused(RefusalCase):
	def run_rows(self, rows, login, c):
		for name, text, sentence in rows:
			with self.subTest(name):
				before = len(self.stage.events())
				done = self.revoke(text, 2 if "a refusal is wanted" in sentence else 1)
				self.assertRegex(done.stderr, sentence.replace("that is", "this is"))
				self.assertRegex(done.stderr, r"(?m)^bg-unlock: hint: .")
				self.assertEqual(done.stdout, "")
				events = self.stage.events()[before:]
				self.assertEqual([e["event"] for e in events], ["APPROVAL_REFUSED"])
				self.assertRegex(events[0]["result"], sentence)
				self.assertEqual((events[0]["host"], events[0]["account"]), ("db1", "breakglass"))
		login.answer(self.stage.shares["audit"])
		login.expect("audit counted.", "Share 2 of")
		self.revoke(self.refusal("dba", c))
		self.assertEqual([e["result"].split(",")[0] for e in self.said("REVOKED")], ["refused by dba"])

	def test_P17_S13_rows(self):
		login, c = self.asked()
		self.run_rows(attacklib.rows_refusal(self.people, c, self.old), login, c)

	def test_P17_each_bit_of_a_refusal(self):
		login, c = self.asked()
		body = self.people.refusal("dba", c)

		def rows():
			for bit in range(8 * len(body)):
				flipped = bytearray(body)
				flipped[bit // 8] ^= 1 << bit % 8
				yield f"P17 bit {bit}", one_line(codelib.REFUSAL, bytes(flipped)), r"^(That|No) "

		for name, text, sentence in rows():
			with self.subTest(name):
				self.assertRegex(self.revoke(text, 1).stderr.split("error: ")[1], sentence)
		self.assertEqual(self.said("REVOKED"), [])
		self.assertEqual(len(self.said("APPROVAL_REFUSED")), 8 * len(body))
		login.answer(self.stage.shares["audit"])
		login.expect("audit counted.")

	def test_a_refusal_of_a_set_that_was_retired_meanwhile(self):
		"""Whoever reseals while a session lives: the new seal judges."""
		_, c = self.asked()
		seal, _ = self.stage.reseal("later", self.stage.seal,
			[self.stage.shares[name] for name in ("ops", "dba")])
		self.stage.put_in_force(seal)
		self.addCleanup(self.stage.put_in_force, self.stage.seal)
		said = self.revoke(self.refusal("ops", c), 1).stderr
		self.assertRegex(said, r"is of epoch 2, retired; set \w{4} epoch 3 is in force\. "
			r"Request (\w{4}) goes on, with what was opened before the reseal\.\n"
			r"bg-unlock: hint: if you mean it, root ends it without "
			r"a code: bg-unlock revoke \1\n")
		self.assertEqual(self.said("REVOKED"), [])
		# and that very command does
		subprocess.run([COMMAND, "revoke", re.search(r"bg-unlock revoke (\w{4})\n", said)[1]], check=True,
			timeout=60)
		self.assertEqual(len(self.said("REVOKED")), 1)

	def test_P17_custodians_of_another_account_end_nothing_here(self):
		seal, words = self.stage.deal_again("elsewhere", account="another")
		self.stage.put_in_force(seal, account="another", uid=4811)
		self.addCleanup(shutil.rmtree, "/etc/breakglass/accounts/another")
		_, c = self.asked()
		text = seal.read_text()
		theirs = Custodians(words)
		lie = {**c, "epoch": 1, "set": bytes.fromhex(text.split("\nset = ")[1].split("\n")[0])}
		for epoch, sentence in ((1, "is of epoch 1, retired"), (2, "was not made with the share of dba")):
			code = one_line(codelib.REFUSAL, theirs.refusal("dba", lie, epoch=epoch))
			self.assertIn(sentence, self.revoke(code, 1).stderr)
			self.assertEqual(self.stage.events()[-1]["account"], "breakglass")
		# what names nothing here is nobody's: two accounts could be meant
		self.assertRegex(self.revoke(self.refusal("dba", {**c, "reason": "x"}), 1).stderr,
			attacklib.NO_SUCH)
		self.assertNotIn("account", self.stage.events()[-1])
		self.assertEqual(self.said("REVOKED"), [])
		self.revoke(self.refusal("dba", c))
		self.assertEqual(len(self.said("REVOKED")), 1)

	def test_without_a_seal_nobody_is_believed(self):
		_, c = self.asked()
		self.addCleanup(self.stage.put_in_force, self.stage.seal)
		os.unlink("/etc/breakglass/accounts/breakglass/seal.2")
		done = self.revoke(self.refusal("ops", c), 3)
		self.assertIn("revoke ID ends it by root's own word", " ".join(done.stderr.split()))
		self.assertEqual(self.said("REVOKED"), [])


class Words(RefusalCase):
	def test_at_a_terminal(self):
		_, c = self.asked()
		code = self.refusal("ops", c)
		t = pexpect.spawn(str(COMMAND), ["revoke", "--code"], dimensions=(24, 80), timeout=30,
			encoding="utf-8", env={"PATH": "/usr/bin"})
		self.addCleanup(t.close)
		t.delaybeforesend = 0

		def give(text):
			t.expect_exact(PROMPT)
			wait_until("echo off", lambda: not t.getecho())
			t.sendline(text)

		give("?")
		t.expect_exact("Wanted is a refusal")
		give(one_line(codelib.APPROVAL, self.people.approval("ops", c)))
		t.expect_exact(" This is an approval; a refusal is wanted.")
		give(self.stage.shares["ops"])
		t.expect_exact(" This is a share; a refusal is wanted. Nothing of it was kept.")
		give(code[:64] + "b" + code[65:] if code[64] != "b" else code[:64] + "c" + code[65:])
		t.expect_exact("Line 3 again:")
		wait_until("echo off", lambda: not t.getecho())
		t.sendline(code[64:96])
		t.expect_exact("refused by ops, given by root")
		t.expect(pexpect.EOF)
		t.close()
		self.assertEqual(t.exitstatus, 0)
		self.assertEqual([e["result"] for e in self.said("APPROVAL_REFUSED")],
			["revoke --code: that is an approval; a refusal is wanted"])
		self.assertEqual(len(self.said("REVOKED")), 1)

	def test_usage(self):
		for argv in (("VWYF",), ("--account", "breakglass"), ("--stdin", "VWYF")):
			self.revoke("", 2, argv)
		done = subprocess.run([COMMAND, "revoke", "--stdin"], capture_output=True, text=True,
			check=False, timeout=30)
		self.assertEqual(done.returncode, 2)
		self.assertIn("--stdin goes with --code", done.stderr)
		done = subprocess.run([COMMAND, "revoke", "--code"], stdin=subprocess.DEVNULL,
			capture_output=True, text=True, check=False, timeout=30, start_new_session=True)
		self.assertEqual(done.returncode, 3)
		self.assertIn("bg-unlock revoke --code --stdin", done.stderr)

	def test_at_the_share_prompt_it_is_named_and_ends_nothing(self):
		login, c = self.asked()
		login.answer(self.refusal("ops", c))
		prompt = login.next()
		self.assertIn("That is a refusal; a share or an approval is wanted.", prompt)
		self.assertIn("Share 1 of 2", prompt)
		login.answer(self.stage.shares["audit"])
		login.expect("audit counted.")


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
