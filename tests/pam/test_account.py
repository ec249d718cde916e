#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Grants, sessions, and every way to the account that is none."""
import os
import shutil
import unittest
from pathlib import Path

import pamlib
from pamlib import PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_SUCCESS, UID

GRANTS = Path("/run/breakglass/grants")
PERMIT = dict.fromkeys(("auth", "account", "session"), "required pam_permit.so")
ALL = {"auth": 0, "account": 0, "setcred": 0, "open": 0, "close": 0}


def new_audit_session(uid=UID):
	"""As pam_loginuid does: another audit session for this process and its children."""
	Path("/proc/self/loginuid").write_text("4294967295")
	Path("/proc/self/loginuid").write_text(str(uid))


class AccountCase(pamlib.StageCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		# The test is part of the sessions that it makes, and damages their files: a watchdog would
		# end it. Those are test_watchdog.py's.
		cls.stage.blind_watchdog()
		new_audit_session() # shared by all that this test starts, but for those who ask otherwise

	def setUp(self):
		super().setUp()
		self.stage.stacks(after=PERMIT, audit=False)

	def granted(self, *phases, **more):
		"""A login whose auth succeeded, waiting at the pause."""
		login = self.stage.login("auth", "pause", *phases, **more)
		self.addCleanup(login.kill)
		self.stage.open(login)
		self.assertEqual(login.next(), "WAIT")
		self.assertEqual(login.results, {"auth": PAM_SUCCESS})
		return login

	def session(self, **more):
		login = self.stage.login(wait=True, **more)
		self.addCleanup(login.kill)
		self.stage.open(login)
		self.assertEqual(login.next(), "WAIT", login.lines[-4:])
		return login

	def phase(self, phase, **more):
		with self.stage.login(phase, **more) as login:
			return login.finish()[phase]

	def goes_on(self, login):
		login.raw("")
		return login.finish()

	def said(self, event):
		return [e["result"] for e in self.stage.events() if e["event"] == event]

	def blocked(self, result, *texts):
		self.assertEqual(result, PAM_PERM_DENIED)
		self.assertEqual(len(self.said("BYPASS_BLOCKED")), 1)
		for text in texts:
			self.assertIn(text, self.said("BYPASS_BLOCKED")[0])
		event = [e for e in self.stage.events() if e["event"] == "BYPASS_BLOCKED"][0]
		self.assertEqual(event["severity"], 0)
		for field in ("host", "account", "set", "epoch", "service", "origin"):
			self.assertTrue(event.get(field), field)


class GrantTest(AccountCase):
	def test_account_without_auth_is_a_bypass(self):
		for service, rhost in (("sshd", "192.0.2.7"), ("login", None), ("su", None),
				("cron", None), ("sudo", None), ("breakglass-sshd", "192.0.2.7")):
			self.stage.reset()
			self.blocked(self.phase("account", service=service, rhost=rhost))

	def test_systemd_user_is_denied_without_an_alarm(self):
		self.assertEqual(self.phase("account", service="systemd-user"), PAM_PERM_DENIED)
		self.assertEqual(self.stage.events(), [])

	def test_a_session_without_a_grant_is_a_bypass(self):
		for service in ("sudo", "su", "cron", "login", "sshd"):
			self.stage.reset()
			self.blocked(self.phase("open", service=service), "without a grant")

	def test_a_session_needs_the_account_phase(self):
		login = self.granted("open")
		self.assertEqual(self.goes_on(login)["open"], PAM_PERM_DENIED)
		self.assertEqual(self.said("BYPASS_BLOCKED"), ["a session without a grant"])
		self.assertEqual(os.listdir(GRANTS), [])

	def test_a_grant_is_good_once(self):
		login = self.granted("account", "setcred", "open", "open")
		self.goes_on(login)
		self.assertEqual(self.stage.event_names().count("SESSION_OPENED"), 1)
		self.assertEqual(login.results["open"], PAM_PERM_DENIED)
		self.stage.reset()
		login = self.granted("account", "account")
		self.goes_on(login)
		self.assertEqual(login.results["account"], PAM_PERM_DENIED)

	def test_another_process_has_no_use_of_a_grant(self):
		login = self.granted("account", "setcred", "open")
		self.blocked(self.phase("account"), "no grant")
		self.assertEqual(self.phase("open"), PAM_PERM_DENIED)
		self.assertEqual(self.goes_on(login)["open"], PAM_SUCCESS)

	def test_a_grant_renamed_to_another_process_is_no_grant(self):
		login = self.granted()
		[grant] = GRANTS.iterdir()
		with self.stage.login("pause", "account", "open") as other:
			self.assertEqual(other.next(), "WAIT")
			pid = other.process.pid
			ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
			shutil.copy2(grant, GRANTS / f"{pid}.{ticks}")
			self.assertEqual(self.goes_on(other)["account"], PAM_PERM_DENIED)
		login.kill()

	def test_a_forged_or_damaged_grant_is_none(self):
		login = self.granted("account")
		[path] = GRANTS.iterdir()
		good = path.read_bytes()
		login.kill()
		bad = [good[:n] for n in (0, 1, 8, len(good) // 2, len(good) - 1)] + [good + b"\0"]
		bad += [good[:i] + bytes([good[i] ^ 1]) + good[i + 1:] for i in range(0, len(good), 9)]
		for data in bad:
			self.stage.reset()
			login = self.granted("account")
			[path] = GRANTS.iterdir()
			mine = path.read_bytes()
			at = next((i for i, (a, b) in enumerate(zip(good, data, strict=False)) if a != b), None)
			self.stage.write(path, data if at is None else
				mine[:at] + bytes([mine[at] ^ 1]) + mine[at + 1:])
			self.assertEqual(self.goes_on(login)["account"], PAM_PERM_DENIED)

	def test_P04_a_grant_through_a_link_or_of_a_foreign_owner_is_none(self):
		for spoil in (lambda p: (p.rename("/run/kept"), p.symlink_to("/run/kept")),
				lambda p: p.chmod(0o644), lambda p: os.chown(p, UID, UID),
				lambda p: os.link(p, "/run/kept")):
			self.stage.reset()
			login = self.granted("account")
			[path] = GRANTS.iterdir()
			spoil(path)
			self.assertEqual(self.goes_on(login)["account"], PAM_PERM_DENIED)
			Path("/run/kept").unlink(missing_ok=True)

	def test_P17_a_request_of_another_seal_gives_no_session(self):
		login = self.granted("account", "setcred", "open")
		other, _ = self.stage.deal_again("other" + str(id(self)))
		self.addCleanup(self.stage.put_in_force, self.stage.seal)
		self.stage.put_in_force(other)
		self.assertNotEqual(self.goes_on(login).get("open"), PAM_SUCCESS)
		self.assertNotIn("SESSION_OPENED", self.stage.event_names())

	def test_a_forged_request_record_does_not_open(self):
		for phases, where in ((("auth", "pause", "account", "open"), "account"),
				(("auth", "account", "pause", "open"), "open")):
			login = self.stage.login(*phases)
			self.addCleanup(login.kill)
			self.stage.open(login)
			self.assertEqual(login.next(), "WAIT")
			for path in Path("/run/breakglass/requests").iterdir():
				data = path.read_bytes()
				self.stage.write(path, data[:40] + bytes([data[40] ^ 1]) + data[41:])
			self.assertEqual(self.goes_on(login)[where], PAM_PERM_DENIED)
			self.assertNotIn("SESSION_OPENED", self.stage.event_names())
			self.stage.reset()

	def test_what_the_users_environment_says_is_nothing(self):
		env = {"BREAKGLASS_GRANT": "1", "pam_breakglass.session": "1"}
		self.blocked(self.phase("account", service="sshd", rhost="192.0.2.7", env=env))


class SessionTest(AccountCase):
	policy = {"session-seconds": 3600}

	def su(self, **more):
		more = {"uid": UID, **more}
		return self.phase("auth", service="su", user="root", **more)

	def sudo(self, **more):
		return self.phase("account", service="sudo", uid=UID, **more)

	def deny_others(self):
		self.stage.stacks(audit=False, after={"auth": "required pam_deny.so",
			"account": "required pam_deny.so", "session": "required pam_permit.so"})

	def test_deadline_and_both_ends(self):
		login = self.session()
		self.assertIn(login.deadline, ("3600", "3601"))  # logind's, a second behind the watchdog's
		login.raw("")
		self.assertEqual(login.finish(), ALL)
		closed = [e for e in self.stage.events() if e["event"] == "SESSION_CLOSED"]
		self.assertEqual(len(closed), 1)
		self.assertEqual((closed[0]["custodians"], closed[0]["key"]), ("dba, audit", "a"))
		self.assertEqual(self.stage.event_names().count("BYPASS_BLOCKED"), 0)

	def test_su_and_sudo_inside_the_session_only(self):
		self.deny_others()
		self.assertNotEqual(self.su(), PAM_SUCCESS)
		self.assertEqual(self.sudo(), PAM_PERM_DENIED)
		login = self.session()
		self.assertEqual(self.su(), PAM_SUCCESS)
		self.assertEqual(self.phase("auth", service="su-l", user="root", uid=UID), PAM_SUCCESS)
		self.assertEqual(self.sudo(), PAM_SUCCESS)
		self.assertEqual(len(self.said("SESSION_ESCALATED")), 3)
		# another uid in the same audit session; another service; another target
		self.assertNotEqual(self.su(uid=4712), PAM_SUCCESS)
		self.assertNotEqual(self.su(uid=0), PAM_SUCCESS)
		self.assertNotEqual(self.phase("auth", service="sudo", user="root", uid=UID), PAM_SUCCESS)
		self.assertNotEqual(self.phase("auth", service="su", user="plain", uid=UID), PAM_SUCCESS)
		self.assertEqual(self.phase("account", service="sudo", uid=4712), PAM_PERM_DENIED)
		# another audit session of the account, and none
		self.assertNotEqual(self.su(preexec=new_audit_session), PAM_SUCCESS)
		self.assertEqual(self.sudo(preexec=new_audit_session), PAM_PERM_DENIED)
		self.assertNotEqual(self.su(preexec=lambda: Path("/proc/self/loginuid")
			.write_text("4294967295")), PAM_SUCCESS)
		login.raw("")
		login.finish()
		self.assertNotEqual(self.su(), PAM_SUCCESS)
		self.assertEqual(self.sudo(), PAM_PERM_DENIED)
		self.assertEqual(len(self.said("SESSION_ESCALATED")), 3)

	def test_su_to_the_account_by_anybody_is_refused(self):
		self.session()
		for uid in (0, 4712, UID):
			self.assertEqual(self.phase("auth", service="su", uid=uid), PAM_AUTH_ERR)

	def test_after_the_deadline_nothing_is_live(self):
		"""The second process is in a time namespace an hour ahead."""
		self.deny_others()
		self.session()
		for ahead, is_live in ((3000, True), (3601, False)):
			under = ("unshare", "-T", "--boottime", str(ahead), "--fork")
			self.assertEqual(self.su(under=under) == PAM_SUCCESS, is_live)
			self.assertEqual(self.sudo(under=under) == PAM_SUCCESS, is_live)
		self.assertEqual(self.said("BYPASS_BLOCKED"), ["the session's deadline is over"])

	def test_a_further_session_has_the_first_ones_deadline(self):
		login = self.session()
		under = ("unshare", "-T", "--boottime", "3000", "--fork")
		with self.stage.login(under=under) as again:
			self.stage.prove(again)
			self.assertEqual(again.finish(), ALL)
			self.assertLessEqual(int(again.deadline), 600)
		with self.stage.login(under=("unshare", "-T", "--boottime", "3700", "--fork")) as late:
			self.stage.prove(late)
			late.expect("Reason")
		login.kill()

	def test_damaged_session_records_are_no_sessions(self):
		self.deny_others()
		self.session()
		[path] = Path("/run/breakglass/sessions").iterdir()
		good = path.read_bytes()
		for data in (b"", good[:-1], good[:50] + bytes([good[50] ^ 1]) + good[51:], good + b"x"):
			self.stage.write(path, data)
			self.assertNotEqual(self.su(), PAM_SUCCESS)
			self.assertEqual(self.sudo(), PAM_PERM_DENIED)
		self.stage.write(path, good)
		self.assertEqual(self.su(), PAM_SUCCESS)
		path.rename(path.with_name("1"))
		self.assertNotEqual(self.su(), PAM_SUCCESS)

	def test_without_an_audit_session_nothing_is_live_and_it_is_said(self):
		self.deny_others()
		self.session(preexec=lambda: Path("/proc/self/loginuid").write_text("4294967295"))
		self.assertEqual(len([r for r in self.said("DEGRADED") if "audit session" in r]), 1)
		self.assertNotEqual(self.su(), PAM_SUCCESS)

	def test_a_request_runs_out(self):
		with self.stage.login() as login:
			self.stage.to_share(login)
		under = ("unshare", "-T", "--boottime", "1801", "--fork")
		with self.stage.login(under=under) as login:
			self.stage.prove(login)
			login.expect("Reason")
		abandoned = [e for e in self.stage.events() if e["event"] == "ABANDONED"]
		self.assertEqual(len(abandoned), 1)
		for field in ("request", "key", "holder", "reason", "set", "epoch", "service", "origin"):
			self.assertTrue(abandoned[0].get(field), field)

	def test_nothing_of_ours_in_anybody_elses_session(self):
		with self.stage.login(user="plain") as login:
			self.assertEqual(login.finish(), ALL)
		self.assertIsNone(login.deadline)
		self.assertFalse(os.path.exists("/run/breakglass"))


class StaleTest(AccountCase):
	policy = {"grant-seconds": 10}

	def test_a_stale_grant_is_refused(self):
		login = self.granted("account")
		pamlib.wait_until("the grant's end", lambda: login.seconds() > 11, 15)
		self.assertEqual(self.goes_on(login)["account"], PAM_PERM_DENIED)
		self.assertEqual(self.said("BYPASS_BLOCKED"), ["the grant has expired"])


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
