#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The first factor: the key in the host, its PIN and its touch."""
import fcntl
import os
import time
import unittest

import pamlib
from pamlib import PAM_AUTH_ERR, PAM_MAXTRIES, PIN

PIN_PROMPT = "PIN of your security key, then touch it when it blinks (? helps): "
ELSEWHERE = ",\n or type touch to use one elsewhere: "


class KeyCase(pamlib.StageCase):
	keys = ("a", "b")
	key_options = ("--touch-ms", "300")

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.key = cls.stage.keys["a"]
		cls.stranger = pamlib.SoftKey(cls.stage.folder, "stranger")
		cls.addClassCleanup(cls.stranger.close)
		cls.stage.conf(device=" ".join(k.path for k in
			[*cls.stage.keys.values(), cls.stranger]))
		cls.stranger.ctl("unplug")

	def setUp(self):
		super().setUp()
		self.stage.plug("a")
		self.stranger.ctl("unplug", check=False)
		for key in self.stage.keys.values():
			key.ctl("flags", "none")
			key.ctl("set-pin", PIN)
			key.ctl("auto", "off")

	def start(self, network=False):
		login = self.stage.ssh() if network else self.stage.login()
		self.addCleanup(login.kill)
		return login

	def results(self, event="KEY_REFUSED"):
		return [e["result"] for e in self.stage.events() if e["event"] == event]

	def attempts(self):
		"""PINs that reached the key since the last call."""
		now = self.key.count("pin-attempts")
		before, self.pin_attempts = getattr(self, "pin_attempts", 0), now
		return now - before


class PlugTest(KeyCase):
	def test_no_key_until_one_is_plugged_in(self):
		self.stage.plug()
		login = self.start()
		self.assertEqual(login.next(), "No security key here. Plug one in and press Enter" + ELSEWHERE)
		login.answer("")
		login.expect("No security key here.")
		self.stage.plug("b")
		login.answer("")
		self.stage.prove(login, "b")
		login.expect("Reason")

	def test_a_key_that_is_not_enrolled(self):
		self.stage.plug()
		self.stranger.ctl("plug")
		login = self.start()
		self.assertEqual(login.next(),
			"Security key not accepted. Plug in an enrolled one and press Enter" + ELSEWHERE)
		self.assertEqual(self.stranger.count("pin-attempts"), 0)
		self.assertEqual(self.results(), ["the security key is not enrolled"])
		self.stage.plug("a")
		login.answer("")
		self.stage.prove(login)
		login.expect("Reason")

	def test_the_enrolled_one_is_found_among_several(self):
		self.stranger.ctl("plug")
		login = self.start()
		self.stage.prove(login)
		login.expect("Reason")
		self.assertEqual(self.stranger.count("pin-attempts"), 0)

	def test_no_PIN_goes_to_one_of_two_enrolled_keys(self):
		self.stage.plug("a", "b")
		self.attempts()
		login = self.start()
		several = ("Several enrolled security keys here. Type the name of yours,\n"
			" or leave only yours in and press Enter: ")
		self.assertEqual(login.next(), several)
		login.answer("nobody")
		self.assertEqual(login.next(), several)
		self.stage.plug("b")
		login.answer("")
		self.stage.prove(login, "b")
		login.expect("Reason")
		self.assertEqual(self.attempts(), 0)

	def test_the_named_one_of_two_enrolled_keys_is_asked(self):
		self.stage.plug("a", "b")
		login = self.start()
		login.expect("Several enrolled security keys here.")
		login.answer("b")
		self.stage.prove(login, "b")
		login.expect("Reason")
		self.assertEqual(self.stage.events()[-1]["key"], "b")

	def test_pulled_during_the_touch(self):
		login = self.start()
		login.expect(PIN_PROMPT)
		login.answer(PIN)
		self.key.ctl("wait-touch", 5000)
		self.key.ctl("unplug")
		login.expect("did not answer", "press Enter: ")
		login.answer("")
		login.expect("No security key here.")
		self.key.ctl("plug")
		login.answer("")
		self.stage.prove(login)
		login.expect("Reason")

	def test_not_touched_in_time_and_denied(self):
		login = self.start()
		login.expect(PIN_PROMPT)
		login.answer(PIN)
		login.expect("was not touched in time. Press Enter to try again: ")
		login.answer("")
		login.expect(PIN_PROMPT)
		self.key.ctl("deny")
		login.answer(PIN)
		login.expect("press Enter")
		login.answer("")
		self.stage.prove(login)
		login.expect("Reason")

	def test_P21_killed_during_the_touch_the_key_is_free_again(self):
		login = self.start(network=True)
		login.expect(PIN_PROMPT)
		login.answer(PIN)
		self.key.ctl("wait-touch", 5000)
		login.kill()
		login = self.start()
		login.expect(PIN_PROMPT)
		self.assertLess(login.seconds(), 8)
		self.key.ctl("touch")
		login.answer(PIN)
		login.expect("Reason")

	def test_nobody_looks_for_keys_for_ever(self):
		self.stage.plug()
		login = self.start()
		for _ in range(20):
			login.expect("No security key here.")
			login.answer("")
		self.assertEqual(login.finish(), {"auth": PAM_MAXTRIES})


class PinTest(KeyCase):
	def test_wrong_then_right(self):
		login = self.start()
		login.expect(PIN_PROMPT)
		login.answer("000000")
		self.assertEqual(login.next(),
			f"Wrong PIN, 7 tries left. Caps Lock? Keyboard layout?\n{PIN_PROMPT}")
		self.stage.keys["a"].ctl("touch")
		login.answer(PIN)
		login.expect("Reason")
		self.assertEqual(self.results(), ["wrong PIN, tries left 7"])

	def test_P02_an_empty_PIN_never_reaches_the_key(self):
		self.attempts()
		for answer, result in (("", PAM_AUTH_ERR), ("\n", PAM_AUTH_ERR), (None, PAM_MAXTRIES)):
			login = self.start()
			login.expect(PIN_PROMPT)
			login.answer(answer)
			self.assertEqual(login.finish(), {"auth": result})
		self.assertEqual(self.attempts(), 0)

	def test_what_cannot_be_a_PIN_is_not_sent(self):
		self.attempts()
		login = self.start()
		login.expect(PIN_PROMPT)
		for answer in ("123", "1" * 64, "1" * 600):
			login.answer(answer)
			login.expect("4 to 63 characters; nothing was sent, 8 tries left.", PIN_PROMPT)
		self.assertEqual(self.attempts(), 0)

	def test_the_same_wrong_PIN_is_sent_once(self):
		self.attempts()
		login = self.start(network=True)
		login.expect(PIN_PROMPT)
		login.answer("000000")
		login.expect("Wrong PIN, 7 tries left.")
		for _ in range(2):
			login.answer("000000")
			login.expect("The same PIN again; nothing was sent, 7 tries left.")
		login.answer("000000")
		self.assertEqual(login.finish()["auth"], PAM_MAXTRIES)
		self.assertEqual(self.attempts(), 1)

	def test_a_network_door_keeps_three_tries(self):
		self.key.ctl("pin-retries", 4)
		self.attempts()
		login = self.start(network=True)
		login.expect(PIN_PROMPT)
		login.answer("000000")
		login.expect("Wrong PIN, 3 tries left.", "Only 3 PIN tries are left: they are for an ordinary console login.")
		self.assertEqual(self.attempts(), 1)
		login.kill()
		login = self.start(network=True)
		login.expect("Only 3 PIN tries are left: they are for an ordinary console login.")
		self.assertEqual(self.attempts(), 0)

	def test_the_last_tries_are_spent_only_after_yes(self):
		self.key.ctl("pin-retries", 2)
		self.attempts()
		login = self.start()
		login.expect("Only 2 PIN tries are left, then this key is blocked for good.\n"
			" Type yes to try, touch to use one elsewhere: ")
		login.answer("y")
		self.assertEqual(login.finish(), {"auth": PAM_AUTH_ERR})
		login = self.start()
		login.expect("Type yes to try, touch")
		login.answer("yes")
		login.expect(PIN_PROMPT)
		login.answer("000000")
		login.expect("Only 1 PIN try is left")
		login.answer("yes")
		login.expect("Wrong PIN, 1 try left.", PIN_PROMPT)
		self.assertEqual(self.attempts(), 1)
		self.key.ctl("touch")
		login.answer(PIN)
		login.expect("Reason")

	def test_a_blocked_PIN_is_named(self):
		self.key.ctl("pin-retries", 0)
		login = self.start()
		login.expect("No PIN tries left", "press Enter" + ELSEWHERE)
		self.assertEqual(self.results(), ["PIN blocked"])
		self.stage.plug("b")
		login.answer("")
		self.stage.prove(login, "b")
		login.expect("Reason")

	def test_three_wrong_in_a_row_want_a_power_cycle(self):
		login = self.start()
		for i, left in enumerate((7, 6)):
			login.expect(PIN_PROMPT)
			login.answer(f"00000{i}")
			login.expect(f"Wrong PIN, {left} tries left.") if i == 1 else None
		login.answer("000003")
		login.expect("Plug the security key out and in")
		self.key.ctl("unplug")
		self.key.ctl("plug")
		login.answer("")
		self.stage.prove(login)
		login.expect("Reason")


class AnswerTest(KeyCase):
	"""What a broken or hostile key (or helper) answers is judged by the module."""

	def refused(self, *flags):
		self.stage.reset()
		self.key.ctl("flags", *flags)
		login = self.start()
		self.stage.prove(login)
		prompt = login.next()
		self.assertIsNotNone(prompt, flags)
		self.assertNotIn("Reason", prompt)
		self.assertIn("press Enter", prompt)
		self.assertNotIn("REQUEST_OPENED", self.stage.event_names())
		login.kill()

	def test_P03_each_wrong_assertion_is_refused(self):
		for flag in ("no-uv", "no-up", "bad-rpid", "bad-sig", "wrong-alg", "wrong-cred"):
			with self.subTest(flag):
				self.refused(flag)
				self.assertEqual(len(self.results()) + len(self.results("DEGRADED")) > 0, True)

	def test_P17_an_assertion_is_good_once(self):
		login = self.start()
		self.stage.prove(login)
		login.expect("Reason")
		login.kill()
		for network in (False, True):
			self.stage.reset()
			self.key.ctl("flags", "replay")
			login = self.start(network)
			self.stage.prove(login)
			prompt = login.expect("press Enter")
			self.assertNotIn("Reason", prompt)

	def test_P03_the_helper_is_not_believed(self):
		"""A helper that answers at once with nothing, or garbage, or not at all."""
		path = "/usr/libexec/breakglass/bg-fido2"
		self.addCleanup(self.stage.helper)
		for script in ("exit 0", "printf '\\0\\0\\0\\1\\0'", "head -c 100000 /dev/zero",
				"head -c 4000 /dev/urandom", "kill -SEGV $$"):
			with self.subTest(script):
				self.stage.reset()
				self.stage.write(path, f"#!/bin/sh\n{script}\n".encode(), 0o755)
				login = self.start()
				login.expect("Security keys cannot be read here (bg-fido2).")
				self.assertEqual(len([r for r in self.results("DEGRADED") if "fido2" in r]), 1)
				login.kill()


class TwoTest(KeyCase):
	def test_two_attempts_with_different_keys_do_not_disturb_each_other(self):
		one = self.start()
		self.stage.prove(one, "a")
		one.expect("Reason")
		one.answer("INC-1 first of two")
		one.expect("Share 1")
		self.stage.plug("b")
		two = self.start(network=True)
		self.stage.prove(two, "b")
		two.expect("Reason")
		two.answer("INC-2 second of two")
		two.expect("Share 1")
		for login in (one, two):
			login.answer(self.stage.shares["ops"])
			login.expect("ops counted. Share 2")
		for login in (two, one):
			login.answer(self.stage.shares["dba"])
			self.assertEqual(login.finish()["open"], 0)
		granted = [(e["key"], e["reason"]) for e in self.stage.events() if e["event"] == "GRANTED"]
		self.assertEqual(granted, [("b", "INC-2 second of two"), ("a", "INC-1 first of two")])

	def test_two_that_want_the_same_key_take_turns(self):
		one, two = self.start(), self.start(network=True)
		one.expect(PIN_PROMPT)
		two.expect(PIN_PROMPT)
		one.answer(PIN)
		self.key.ctl("wait-touch", 5000)
		two.answer(PIN)
		for login in (one, two):
			login.expect("was not touched in time")

	def test_a_busy_key_is_waited_for_a_bounded_time(self):
		fd = os.open(self.key.path, os.O_RDWR | os.O_NOCTTY)
		self.addCleanup(os.close, fd)
		fcntl.flock(fd, fcntl.LOCK_EX)
		begin = time.monotonic()
		login = self.start()
		login.expect("The security key is busy with another login. Press Enter to try again: ")
		self.assertLess(time.monotonic() - begin, 12)
		fcntl.flock(fd, fcntl.LOCK_UN)
		login.answer("")
		self.stage.prove(login)
		login.expect("Reason")


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
