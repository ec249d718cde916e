#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bg-unlock revoke beside the module: what is open ends at once, and nothing else."""
import hashlib
import os
import signal
import subprocess
import unittest
from pathlib import Path

import codelib
import pamlib
from pamlib import ACCOUNT, COMMAND, PAM_SUCCESS, wait_until

GONE = "This request was revoked on the host. Log in again for a new one."


class RevokeCase(pamlib.StageCase):
	keys = ("a", "b")

	def setUp(self):
		super().setUp()
		self.stage.plug("a")

	def revoke(self, *argv, status=0, env=None, preexec=None):
		done = subprocess.run([COMMAND, "revoke", *argv], capture_output=True, text=True, timeout=60,
			check=False, env=env or {}, preexec_fn=preexec)
		self.assertEqual(done.returncode, status, done)
		return done

	def said(self, event):
		found = [e for e in self.stage.events() if e["event"] == event]
		self.assertEqual({e["role"] for e in found}, {"full"} if found else set())
		return found

	def short_id(self, event):
		return codelib.short_id(bytes.fromhex(self.said(event)[0]["request"]))

	def request(self):
		return self.said("REQUEST_OPENED")[-1]

	def to_share(self, key="a"):
		login = self.stage.login()
		self.addCleanup(login.kill)
		self.stage.to_share(login, key)
		return login

	def opened(self):
		login = self.stage.login(wait=True)
		self.addCleanup(login.kill)
		self.stage.open(login)
		self.assertEqual(login.next(), "WAIT", login.lines[-4:])
		return login


class Requests(RevokeCase):
	def test_dialogue_ends_at_its_next_answer(self):
		login = self.to_share()
		done = self.revoke()
		self.assertRegex(done.stdout, rf"^revoked: {ACCOUNT} [0-9A-Z]{{4}}: by root \(.*\); 0 sessions\n$")
		login.answer(self.stage.shares["audit"])
		results = login.finish()
		self.assertNotEqual(results["auth"], PAM_SUCCESS)
		self.assertIn(GONE, "".join(login.infos))
		self.assertEqual(len(self.said("REVOKED")), 1)
		revoked = self.said("REVOKED")[0]
		for field in ("host", "account", "request", "key", "holder", "reason", "service", "origin"):
			self.assertTrue(revoked.get(field), field)
		self.assertEqual(self.said("GRANTED"), [])
		self.assertEqual(len(self.said("SHARE_ACCEPTED")), 0)
		# the same key begins anew
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("Reason")

	def test_before_the_reason(self):
		login = self.stage.login()
		self.addCleanup(login.kill)
		self.stage.prove(login)
		login.expect("Reason")
		self.revoke(self.request()["request"])
		login.answer("INC-1234 directory down")
		self.assertNotEqual(login.finish()["auth"], PAM_SUCCESS)
		self.assertIn(GONE, "".join(login.infos))

	def test_only_the_one_that_is_named(self):
		first = self.to_share()
		self.stage.plug("b")
		second = self.to_share("b")
		opened = {e["key"]: e["request"] for e in self.said("SHARE_ACCEPTED") + self.stage.events()
			if e.get("key") and len(e.get("request", "")) == 64}
		self.assertEqual(opened, {})  # no record has the digest yet: the prompt shows its short id
		shown = {name: login.infos + login.prompts for name, login in (("a", first), ("b", second))}
		ids = {name: str(text).split("request ")[1][:4] for name, text in shown.items()}
		self.assertNotEqual(ids["a"], ids["b"])
		self.revoke(ids["b"].lower(), "--account", ACCOUNT)
		self.assertEqual([e["key"] for e in self.said("REVOKED")], ["b"])
		self.assertEqual(self.short_id("REVOKED"), ids["b"])
		second.answer(self.stage.shares["audit"])
		self.assertNotEqual(second.finish()["auth"], PAM_SUCCESS)
		first.answer(self.stage.shares["audit"])
		first.expect("Share 2 of 2")
		first.answer(self.stage.shares["dba"])
		self.assertEqual(first.finish()["auth"], PAM_SUCCESS)
		# whoever types the other letters that look like it means it, too
		self.revoke("ABCD", status=1)

	def test_grant_that_is_out(self):
		login = self.stage.login("auth", "account", "pause", "open")
		self.addCleanup(login.kill)
		self.stage.open(login)
		self.assertEqual(login.next(), "WAIT")
		self.revoke()
		login.raw("")
		self.assertNotEqual(login.finish()["open"], PAM_SUCCESS)
		self.assertEqual(self.said("SESSION_OPENED"), [])
		self.assertEqual(list(Path("/run/breakglass/grants").iterdir()), [])


class Ambiguous(RevokeCase):
	"""Two requests whose short ids are the same: one in a million, made by hand here."""

	@staticmethod
	def digest_at(data):
		"""Where a request's record has its digest (lib/core/record.c)."""
		at = 9 + 2 + 32
		for kind in ("text", "text", 4, "text", "text", "text", 4, 16, "text", "text"):
			at += kind if kind != "text" else 2 + int.from_bytes(data[at:at + 2])
		return at

	def alike(self):
		"""{key: digest}, their first 20 bits the same."""
		self.to_share()
		self.stage.plug("b")
		self.to_share("b")
		found = {}
		for path in sorted(Path("/run/breakglass/requests").iterdir()):
			data = bytearray(path.read_bytes())
			at = self.digest_at(data)
			data[at:at + 3] = b"\xab\xcd\xe7" if found else b"\xab\xcd\xe1"
			data[-32:] = hashlib.sha256(data[:-32]).digest()
			self.stage.write(path, data)
			found["a" if b"oncall-a" in data else "b"] = bytes(data[at:at + 32]).hex()
		self.assertEqual(set(found), {"a", "b"})
		return found

	def test_both_are_listed_and_none_is_ended(self):
		found = self.alike()
		short = codelib.short_id(bytes.fromhex(found["a"]))
		for name in (short, short.lower()):
			done = self.revoke(name, status=1)
			self.assertEqual(done.stdout, "")
			for key in found:
				self.assertIn(f"  {found[key][:12]}  {ACCOUNT}, key {key} (oncall-{key}): INC-1234 directory "
					"down\n", done.stderr)
			self.assertIn(f"{name} names 2 requests, and nothing was ended:", done.stderr)
			self.assertIn("type instead the digits in front of the one that is meant", done.stderr)
			for line in done.stderr.splitlines():
				self.assertLess(len(line), 80)
		self.assertEqual(self.said("REVOKED"), [])
		# what it says is what ends the one, and then the short id is plain again
		self.revoke(found["b"][:12])
		self.assertEqual([e["request"] for e in self.said("REVOKED")], [found["b"]])
		self.revoke(short)
		self.assertEqual({e["request"] for e in self.said("REVOKED")}, set(found.values()))


class Sessions(RevokeCase):
	def test_live_session_ends_within_seconds(self):
		login = self.opened()
		done = self.revoke()
		self.assertIn("1 session\n", done.stdout)
		self.assertEqual(login.process.wait(1), -signal.SIGTERM)
		self.assertEqual(len(self.said("REVOKED")), 1)
		wait_until("its end to be told", lambda: self.said("SESSION_CLOSED"))
		self.assertEqual(len(self.said("SESSION_CLOSED")), 1)
		self.assertEqual(self.said("SESSION_EXPIRED"), [])
		for field in ("custodians", "set"):
			self.assertTrue(self.said("SESSION_CLOSED")[0][field])
		# no further session of that request
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("Reason")
		self.assertIn("nothing to revoke", self.revoke("--account", "other").stdout)

	def test_without_its_watchdog(self):
		login = self.opened()
		for pid in self.stage.watchdogs():
			os.kill(pid, signal.SIGKILL)
		self.revoke()
		self.assertLess(login.process.wait(1), 0)

	def test_session_whose_request_is_forgotten(self):
		login = self.opened()
		for file in Path("/run/breakglass/requests").iterdir():
			file.unlink()
		self.revoke(self.short_id("SESSION_OPENED"))
		self.assertLess(login.process.wait(1), 0)
		self.assertEqual(self.said("REVOKED")[0]["custodians"], "dba, audit")


class Words(RevokeCase):
	def test_who_is_the_login_and_not_what_the_environment_says(self):
		def as_plain():
			for text in ("4294967295", "4712"):
				Path("/proc/self/loginuid").write_text(text)
		self.to_share()
		self.revoke(env={"SUDO_USER": "mallory", "LOGNAME": "mallory", "USER": "mallory"},
			preexec=as_plain)
		self.assertEqual(self.said("REVOKED")[0]["result"], "by root (plain); 0 sessions")

	def test_usage(self):
		self.assertIn("nothing to revoke", self.revoke().stdout)
		self.assertIn("no request VWYF is open here", self.revoke("VWYF", status=1).stderr)
		for argv in (("VWY",), ("--nonsense",), ("a", "b"), ("--account", "../x"), ("x" * 64,)):
			self.revoke(*argv, status=2)
		self.assertIn("root's", self.revoke(status=3, preexec=lambda: os.setuid(4712)).stderr)
		wait_until("nothing", lambda: self.said("REVOKED") == [])


class Uninstall(RevokeCase):
	def test_uninstall_ends_what_is_open(self):
		login = self.opened()
		subprocess.run([COMMAND, "uninstall", ACCOUNT, "--dry-run"], check=False, capture_output=True)
		self.assertIsNone(login.process.poll())
		subprocess.run([COMMAND, "uninstall", ACCOUNT], check=False, capture_output=True, timeout=60)
		self.assertLess(login.process.wait(1), 0)
		self.assertEqual(len(self.said("REVOKED")), 1)


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
