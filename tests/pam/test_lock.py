#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bg-unlock revoke --lock beside the module: what began before opens nothing in any phase, and a new
request with key and quorum opens, whatever root did to the lock."""
import ctypes
import os
import re
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

import pamlib
from pamlib import ACCOUNT, COMMAND, PAM_PERM_DENIED, PAM_SUCCESS
from test_drill import mark
from test_revoke import GONE, RevokeCase

LOCK = Path("/etc/breakglass/accounts") / ACCOUNT / "locked"
MARK = Path("/run/breakglass/locks") / ACCOUNT
STATE = ("requests", "grants", "sessions")


class LockCase(RevokeCase):
	def setUp(self):
		super().setUp()
		self.forget()
		self.addCleanup(self.forget)

	@staticmethod
	def forget():
		if LOCK.is_dir():
			LOCK.rmdir()
		LOCK.unlink(missing_ok=True)
		MARK.unlink(missing_ok=True)

	def lock(self):
		return self.revoke(ACCOUNT, "--lock")

	def settle(self):
		return self.revoke("--due")

	def result_of(self, event):
		return [e["result"] for e in self.said(event)]

	@staticmethod
	def kept():
		"""What is below /run now, as root could put it back."""
		return {path: path.read_bytes() for name in STATE
			for path in (Path("/run/breakglass") / name).iterdir()}

	@staticmethod
	def put_back(kept):
		for path, data in kept.items():
			pamlib.Stage.write(path, data)


class Before(LockCase):
	"""What began before the lock, ended or put back."""

	def test_request_in_its_dialogue(self):
		login = self.to_share()
		done = self.lock()
		self.assertRegex(done.stdout, rf"^locked: {ACCOUNT}: .*\nrevoked: {ACCOUNT} ")
		login.answer(self.stage.shares["audit"])
		self.assertNotEqual(login.finish()["auth"], PAM_SUCCESS)
		self.assertIn(GONE, "".join(login.infos))
		self.assertEqual(len(self.said("LOCKED")), 1)
		self.assertEqual(len(self.said("REVOKED")), 1)
		locked = self.said("LOCKED")[0]
		self.assertEqual((locked["host"], locked["account"]), ("db1", ACCOUNT))
		self.assertRegex(locked["result"], r"^by root \(.*\), until a key and a new quorum lift it; "
			r"1 open request$")

	def test_request_that_outran_the_lock(self):
		login = self.to_share()
		kept = self.kept()
		self.lock()
		self.put_back(kept)
		login.answer(self.stage.shares["audit"])
		self.assertNotEqual(login.finish()["auth"], PAM_SUCCESS)
		self.assertIn("This account was locked on the host.", "".join(login.infos))
		self.assertIn("the account was locked after this request was opened", self.result_of("DENIED"))
		self.assertEqual(self.said("SHARE_ACCEPTED"), [])
		# and whoever proves the same key gets a new one, not that
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("Reason")

	def waits(self, *phases):
		"""Opened, and stopped at the pause among the phases."""
		login = self.stage.login(*phases)
		self.addCleanup(login.kill)
		self.stage.open(login)
		self.assertEqual(login.next(), "WAIT")
		return login

	def outruns_lock(self, *phases):
		"""What the phases answer that come after the lock, with all of /run as before it."""
		login = self.waits(*phases)
		kept = self.kept()
		self.lock()
		self.put_back(kept)
		login.raw("")
		done = login.finish()
		self.assertIn("the account was locked after this request", self.result_of("BYPASS_BLOCKED"))
		return done

	def test_account_phase(self):
		self.assertEqual(self.outruns_lock("auth", "pause", "account", "open")["account"],
			PAM_PERM_DENIED)
		self.assertEqual(list(Path("/run/breakglass/grants").iterdir()), [])

	def test_account_phase_of_a_revoked_request(self):
		login = self.waits("auth", "pause", "account", "open")
		kept = {path: data for path, data in self.kept().items() if path.parent.name == "grants"}
		self.assertEqual(len(kept), 1)
		self.revoke()
		self.put_back(kept)
		login.raw("")
		self.assertEqual(login.finish()["account"], PAM_PERM_DENIED)
		self.assertIn("the grant's request was revoked", self.result_of("BYPASS_BLOCKED"))

	def test_session_phase(self):
		self.assertEqual(self.outruns_lock("auth", "account", "pause", "open")["open"],
			PAM_PERM_DENIED)
		self.assertEqual(self.said("SESSION_OPENED"), [])

	def test_lock_that_comes_while_the_session_opens(self):
		"""The watchdog is started between the request's last look and the session's: here it locks, as
		a `revoke --lock` that was killed before it looked for sessions."""
		path = Path("/usr/libexec/breakglass/breakglass-watchdog")
		path.unlink()
		path.write_text("#!/bin/sh\nhead -c 28 >/dev/null\numask 077\n"
			f"printf '[lock]\\nid = {'a5' * 16}\\nat = now\\nby = root\\n' >{LOCK}\nprintf r\n")
		path.chmod(0o755)
		self.addCleanup(self.stage.helper)
		with self.stage.login() as login:
			self.stage.open(login)
			self.assertEqual(login.finish()["open"], PAM_PERM_DENIED)
		self.assertIn("the request was revoked, or the account locked, meanwhile",
			self.result_of("BYPASS_BLOCKED"))
		self.assertEqual(self.said("SESSION_OPENED"), [])
		[session] = Path("/run/breakglass/sessions").iterdir()
		self.forget()
		self.assertNotEqual(self.inside(session.name, "account", service="sudo")["account"], PAM_SUCCESS)

	def test_reentry_and_escalation(self):
		login = self.opened()
		kept = self.kept()
		for pid in self.stage.watchdogs():
			os.kill(pid, signal.SIGKILL)
		session = re.search(r"sessions/(\d+)", " ".join(map(str, kept)))[1]
		self.lock()
		self.assertLess(login.process.wait(1), 0)
		self.put_back(kept)
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("Reason")
		for phases, service in ((("account",), "sudo"), (("auth",), "su")):
			result = self.inside(session, *phases, service=service)
			self.assertNotEqual(result[phases[0]], PAM_SUCCESS, service)
		self.assertIn("the account was locked after this session", self.result_of("BYPASS_BLOCKED"))
		self.assertEqual(self.said("SESSION_ESCALATED"), [])
		self.forget()  # as if it had never been
		self.put_back(kept)
		self.assertEqual(self.inside(session, "account", service="sudo")["account"], PAM_SUCCESS)

	def inside(self, session, *phases, service):
		"""sudo and su by the account, in that audit session as far as the module can see."""
		number = self.stage.folder / "sessionid"
		number.write_text(session)
		def preexec():
			if ctypes.CDLL(None).mount(bytes(number), b"/proc/self/sessionid", None, 4096, None):
				os._exit(70)
		user = ACCOUNT if service == "sudo" else "root"
		with self.stage.login(*phases, service=service, user=user, uid=self.stage.uid,
				preexec=preexec) as login:
			return login.finish()


class After(LockCase):
	"""A new request."""

	def opens(self, said=r"Locked \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ by root \(.*\):"):
		login = self.stage.login(wait=True)
		self.addCleanup(login.kill)
		self.stage.prove(login)
		prompt = login.expect("Reason").replace("\n", "")
		if said is None:
			self.assertNotIn("ocked", prompt)
		else:
			self.assertRegex(prompt, said)
			self.assertIn("this request's quorum lifts it.", prompt)
		for line in login.prompts[-1][1].splitlines():
			self.assertLess(len(line), 80)
		login.answer("INC-1 after the lock")
		self.assertEqual("ocked" in login.expect("Share 1 of 2"), said is not None)
		login.answer(self.stage.shares["dba"])
		login.expect("Share 2 of 2")
		login.answer(self.stage.shares["audit"])
		self.assertEqual(login.next(), "WAIT", login.lines[-4:])
		return login

	def test_quorum_lifts_it_loudly(self):
		self.lock()
		login = self.opens()
		self.assertEqual([e["event"] for e in self.stage.events() if e["event"] in
			("LOCKED", "GRANTED", "UNLOCKED", "SESSION_OPENED")],
			["LOCKED", "GRANTED", "UNLOCKED", "SESSION_OPENED"])
		self.assertRegex(self.result_of("GRANTED")[0],
			r"^key and quorum, lifting the lock of \S+Z by root \(.*\); typed here: dba, audit$")
		lifted = self.said("UNLOCKED")[0]
		self.assertRegex(lifted["result"],
			r"^a key and a new quorum lift the lock of \S+Z by root \(.*\)$")
		self.assertEqual((lifted["custodians"], lifted["holder"], lifted["request"]),
			("dba, audit", "oncall-a", self.said("GRANTED")[0]["request"]))
		# the module wrote below /run only; the rest is root's command's
		self.assertTrue(LOCK.exists())
		self.settle()
		self.assertFalse(LOCK.exists())
		self.assertIsNone(login.process.poll())
		with self.stage.login() as again:  # re-entry of the same request
			self.stage.prove(again)
			self.assertEqual(again.finish()["open"], PAM_SUCCESS)
		self.assertEqual(len(self.said("UNLOCKED")), 1)

	def test_old_request_stays_shut_after_the_lift(self):
		old = self.to_share()
		kept = self.kept()
		self.lock()
		self.opens()
		self.settle()
		self.put_back(kept)
		old.answer(self.stage.shares["audit"])
		self.assertNotEqual(old.finish()["auth"], PAM_SUCCESS)

	def test_locked_again_what_lifted_the_first_is_old(self):
		self.lock()
		login = self.opens()
		kept = self.kept()
		self.lock()
		self.assertLess(login.process.wait(1), 0)
		self.put_back(kept)
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("Reason", "Locked ")
		self.settle()
		self.assertTrue(LOCK.exists())

	def test_lock_that_is_lifted_only_below_run_stands_after_a_reboot(self):
		self.lock()
		self.opens()
		shutil.rmtree("/run/breakglass")
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("Reason", "Locked ")

	def test_damaged_lock_shuts_and_is_lifted_the_same_way(self):
		for damage in ("", "[lock]\nid = 00\n", "x" * 5000, "folder", "link", "mode"):
			with self.subTest(damage=damage[:8]):
				self.forget()
				self.stage.reset()
				old = self.to_share()
				kept = self.kept()
				self.lock()
				if damage == "mode":
					LOCK.chmod(0o666)
				else:
					LOCK.unlink()
				if damage == "folder":
					LOCK.mkdir()
				elif damage == "link":
					LOCK.symlink_to("/dev/null")
				elif damage != "mode":
					LOCK.write_text(damage)
				self.put_back(kept)
				old.answer(self.stage.shares["audit"])
				self.assertNotEqual(old.finish()["auth"], PAM_SUCCESS)
				self.opens(said=r"Locked \(the lock's file is damaged\):")
				self.assertIn("the lock (its file is damaged)", self.result_of("UNLOCKED")[-1])
				if damage == "folder":
					self.revoke("--due", status=3)
				else:
					self.settle()
					self.assertFalse(LOCK.exists() or LOCK.is_symlink())
				self.revoke()

	def test_drill_says_so_and_lifts_nothing(self):
		self.lock()
		login = self.stage.login(preexec=mark)
		self.addCleanup(login.kill)
		self.stage.prove(login)
		login.expect("Reason", "Locked ", "a drill's does not")
		login.answer("INC-1 practice")
		login.expect("Share 1 of 2", "a drill's does not")
		login.answer(self.stage.shares["dba"])
		login.expect("Share 2 of 2")
		login.answer(self.stage.shares["audit"])
		results = login.finish()
		self.assertEqual((results["auth"], results["account"]), (PAM_SUCCESS, PAM_SUCCESS))
		self.assertEqual(self.said("UNLOCKED"), [])
		self.assertFalse(MARK.exists())
		self.assertNotIn("lifting", self.result_of("GRANTED")[0])
		self.settle()
		self.assertTrue(LOCK.exists())

	def test_without_a_lock_nothing_is_said(self):
		self.opens(said=None)
		self.assertEqual(self.said("UNLOCKED"), [])
		self.settle()


class Words(LockCase):
	def test_usage(self):
		for argv in (("--lock",), (ACCOUNT, "--lock", "--account", ACCOUNT), ("--lock", "../x"),
				("--due", ACCOUNT), ("--due", "--lock", ACCOUNT)):
			self.revoke(*argv, status=2)
		self.assertIn("no emergency account here", self.revoke("other", "--lock", status=1).stderr)
		self.assertFalse(LOCK.exists())

	def test_file_is_roots_and_says_who(self):
		self.lock()
		self.assertEqual(LOCK.stat().st_mode & 0o7777, 0o600)
		self.assertRegex(LOCK.read_text(), r"\[lock\]\nid = [0-9a-f]{32}\nat = \S+Z\nby = root \(.*\)\n$")

	def test_lock_that_cannot_be_written_ends_what_is_open(self):
		login = self.opened()
		LOCK.mkdir()
		self.assertIn("nothing keeps it shut", self.revoke(ACCOUNT, "--lock", status=3).stderr)
		self.assertLess(login.process.wait(1), 0)
		self.assertEqual(self.said("LOCKED"), [])

	def test_uninstall_takes_it(self):
		self.lock()
		subprocess.run([COMMAND, "uninstall", ACCOUNT], check=False, capture_output=True, timeout=60)
		self.assertFalse(LOCK.exists())


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
