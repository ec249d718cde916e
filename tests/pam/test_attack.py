#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What somebody without key and quorum may do to shut the door, to fill it, or to be silent."""
import fcntl
import os
import resource
import signal
import unittest

import pamlib
from pamlib import PAM_AUTH_ERR, PAM_SUCCESS


class AttackTest(pamlib.StageCase):
	def su(self, **more):
		"""Somebody's `su breakglass`."""
		return self.stage.login("auth", service="su", uid=1000, tty="pts/0", **more)

	def stop_holding(self, lock):
		"""A process with a user's real uid, as su has its caller's, stopped under that lock, which it
		took as lib/os does (unit.state stops that itself; trying it on su takes seconds)."""
		pid = os.fork()
		if pid == 0:
			fd = os.open(lock, os.O_RDWR)
			os.setresuid(1000, 0, 0)
			fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
			fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
			os.kill(os.getpid(), signal.SIGSTOP)
			os._exit(0)
		self.assertTrue(os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1]))
		return pid

	def test_a_user_who_stops_su_under_a_lock_shuts_nothing(self):
		with self.su() as su:
			self.assertEqual(su.finish()["auth"], PAM_AUTH_ERR)
		for lock in ("/run/breakglass/lock", "/run/breakglass/log/lock"):
			pid = self.stop_holding(lock)
			with self.stage.ssh() as login:
				self.stage.open(login)
				self.assertEqual(login.finish()["open"], PAM_SUCCESS, login.lines)
			self.assertEqual(os.WTERMSIG(os.waitpid(pid, 0)[1]), signal.SIGKILL)
			names = self.stage.event_names()
			self.assertIn("GRANTED", names)
			self.assertIn("SESSION_OPENED", names)
			self.stage.reset()
			with self.su() as su:
				su.finish()

	def test_strangers_do_not_fill_the_log(self):
		seal = "/etc/breakglass/accounts/breakglass/seal.1"
		os.chmod(seal, 0o644)
		try:
			with self.stage.ssh("auth", rounds=300) as login:
				login.finish()
			self.assertLess(len(self.stage.events()), 120)
			self.assertGreater(self.stage.event_names().count("SEAL_REFUSED"), 20)
			# who stands before the machine is told of always
			before = len(self.stage.events())
			with self.stage.login("auth") as login:
				login.finish()
			self.assertGreater(len(self.stage.events()), before)
		finally:
			os.chmod(seal, 0o600)

	def test_an_unknown_key_does_not_fill_the_log(self):
		self.stage.keys["a"].ctl("unplug")
		try:
			for _ in range(60):
				with self.stage.ssh("auth") as login:
					for _ in range(3):
						login.expect("No security key here")
						login.answer("x")
					login.finish()
		finally:
			self.stage.keys["a"].ctl("plug")
		refused = self.stage.event_names().count("KEY_REFUSED")
		self.assertTrue(20 < refused < 50, refused)

	def test_the_callers_limits_hide_no_attempt(self):
		def limits():
			os.umask(0o777)
			resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
			resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

		with self.su(preexec=limits) as su:
			self.assertEqual(su.finish()["auth"], PAM_AUTH_ERR)
		self.assertEqual(self.stage.event_names(), ["ATTEMPT"])
		self.assertEqual(self.stage.events()[-1]["count"], 1)
		for folder in ("/run/breakglass", "/run/breakglass/log", "/run/breakglass/requests"):
			self.assertEqual(os.stat(folder).st_mode & 0o7777, 0o700, folder)


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
