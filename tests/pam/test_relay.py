#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The first factor from elsewhere: touch challenges and their answers."""
import re
import unittest

import codelib
import pamlib
import pexpect
from pamlib import PAM_MAXTRIES, PAM_SUCCESS, PIN

NO_KEY = ("No security key here. Plug one in and press Enter,\n"
	" or type touch to use one elsewhere: ")
HEAD = "Touch challenge, for bg-unlock touch where your security key is:\n"
ASKED = "Its answer (? helps; "
REFUSED = "Security key not accepted."
OTHER = "That answers another challenge than the last one."


def challenge(prompt):
	"""The touch challenge on the screen, read as the laptop reads it."""
	kind, body = codelib.decode(codelib.find_lines(prompt, codelib.TOUCH_CHALLENGE))
	assert kind == codelib.TOUCH_CHALLENGE
	return codelib.read_touch_challenge(body)


def code(kind, body):
	"""As one line, to be pasted."""
	return "".join(codelib.encode(kind, body))


class RelayCase(pamlib.StageCase):
	keys = ("a", "b")
	key_options = ("--touch-ms", "300")

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.key = cls.stage.keys["a"]
		cls.credential = {name: next((c, private) for c, rp, private in key.credentials()
			if rp == "breakglass:db") for name, key in cls.stage.keys.items()}

	def setUp(self):
		super().setUp()
		self.stage.plug()

	def start(self, network=False, **more):
		login = self.stage.ssh(**more) if network else self.stage.login(**more)
		self.addCleanup(login.kill)
		return login

	def relay(self, network=False, **more):
		"""(login, its first challenge)"""
		login = self.start(network, **more)
		login.expect(NO_KEY)
		login.answer("touch")
		return login, challenge(login.expect(HEAD, ASKED))

	def body(self, of, name="a", **more):
		return codelib.touch_answer(of, *self.credential[name], **more)

	def answer(self, of, name="a", **more):
		return code(codelib.TOUCH_ANSWER, self.body(of, name, **more))

	def results(self, event="KEY_REFUSED"):
		return [e["result"] for e in self.stage.events() if e["event"] == event]

	def still_shut(self, prompt):
		self.assertIsNotNone(prompt)
		self.assertNotIn("Reason", prompt)
		self.assertNotIn("REQUEST_OPENED", self.stage.event_names())


class WayTest(RelayCase):
	def test_a_whole_login_by_each_door(self):
		for network, service in ((False, "login"), (True, "sshd")):
			with self.subTest(service):
				self.stage.reset()
				login, of = self.relay(network)
				self.assertEqual((of["host_label"], of["account"], of["service"], of["zone"]),
					("db1", "breakglass", service, "db"))
				self.assertEqual(of["seal_digest"], codelib.sha256(self.stage.seal.read_bytes()))
				self.assertEqual(of["origin"], "192.0.2.7" if network else "/dev/tty1")
				login.answer(self.answer(of))
				login.expect("Reason")
				login.answer("INC-1 key at the laptop")
				for i, name in enumerate(("audit", "dba")):
					login.expect(f"Share {i + 1} of")
					login.answer(self.stage.shares[name])
				results = login.finish()
				self.assertEqual(results["open"], PAM_SUCCESS)
				self.assertEqual(self.results("REQUEST_OPENED"), ["key proved elsewhere (touch)"])
				granted = [e for e in self.stage.events() if e["event"] == "GRANTED"]
				self.assertEqual([e["key"] for e in granted], ["a"])

	def test_the_laptops_own_command_answers(self):
		"""bg-unlock touch with key b, of which this host knows nothing but the seal's lines."""
		self.stage.conf(device=self.key.path)
		self.addCleanup(self.stage.conf)
		self.stage.plug("b")
		login, of = self.relay(network=True)
		laptop = pexpect.spawn(str(pamlib.COMMAND), ["touch", "--device", self.stage.keys["b"].path],
			encoding="utf-8", dimensions=(24, 80), timeout=20)
		self.addCleanup(laptop.close, force=True)
		laptop.expect("Touch challenge:")
		laptop.expect(" ")
		laptop.sendline("".join(codelib.encode(codelib.TOUCH_CHALLENGE,
			codelib.write_touch_challenge(of))))
		laptop.expect("Did you start this login yourself")
		self.assertIn("192.0.2.7", laptop.before)
		laptop.sendline("yes")
		laptop.expect("PIN of your security key")
		pamlib.wait_until("the hidden prompt", laptop.waitnoecho)
		self.stage.keys["b"].ctl("touch")
		laptop.sendline(PIN)
		laptop.expect(pexpect.EOF)
		answer = max(re.findall(r"\b[cbdefghijklnrtuv]{64,}\b", laptop.before), key=len)
		login.answer(answer)
		login.expect("Reason")
		self.assertEqual(self.stage.events()[-1]["key"], "b")

	def test_the_other_key_is_told_by_its_credential(self):
		login, of = self.relay()
		login.answer(self.answer(of, "b"))
		login.expect("Reason")
		self.assertEqual(self.stage.events()[-1]["key"], "b")

	def test_another_door_takes_the_request_up(self):
		login, of = self.relay()
		login.answer(self.answer(of))
		login.expect("Reason")
		login.answer("INC-1 line drops")
		login.expect("Share 1")
		login.kill()
		login, of = self.relay(network=True)
		login.answer(self.answer(of))
		login.expect("Share 1")
		self.assertEqual(self.results("REQUEST_OPENED")[-1],
			"key proved again elsewhere (touch), request taken up")

	def test_line_by_line_in_any_shape(self):
		login, of = self.relay()
		lines = codelib.encode(codelib.TOUCH_ANSWER, self.body(of))
		for i, line in enumerate(lines[:-1]):
			login.answer(" ".join(line[j:j + 4] for j in range(0, 32, 4)).upper())
			prompt = login.expect(f"Line {i + 2} of {len(lines)} (")
			self.assertNotIn(HEAD, prompt)
		login.answer("-".join((lines[-1][:9], lines[-1][9:])))
		login.expect("Reason")

	def test_a_misread_line_is_named_and_only_it_is_wanted(self):
		login, of = self.relay()
		lines = codelib.encode(codelib.TOUCH_ANSWER, self.body(of))
		bad = list(lines)
		bad[2] = ("c" if bad[2][5] != "c" else "b").join((bad[2][:5], bad[2][6:]))
		login.answer(" ".join(bad))
		login.expect("Line 3 does not add up: a character is misread. Only it is wanted.\n",
			f"Line 3 of {len(lines)} (")
		login.answer(lines[2])
		login.expect("Reason")
		self.assertEqual(self.results(), [])

	def test_a_cut_paste_goes_on(self):
		login, of = self.relay()
		text = self.answer(of)
		login.answer(text[:77])
		login.expect("Line 3 of 7 (" if len(text) == 7 * 32 else "Line 3 of ")
		login.answer(text[64:])
		login.expect("Reason")

	def test_lines_of_two_answers_are_not_mixed(self):
		login, of = self.relay()
		one, two = (codelib.encode(codelib.TOUCH_ANSWER, self.body(of, counter=n)) for n in (1, 2))
		login.answer("".join(one[:3]))
		login.expect("Line 4")
		login.answer("".join(two[2:]))
		login.expect("Those are lines of two answers; nothing of them is kept.", ASKED)
		login.answer("".join(two))
		login.expect("Reason")

	def test_what_stands_on_the_screen_fits_80_by_24(self):
		login, of = self.relay(network=True)
		texts = [login.prompts[-1][1]]
		for answer in ("?", "help", "gibberish", "x" * 600, code(codelib.APPROVAL, bytes(78))):
			login.answer(answer)
			texts.append(login.next())
		self.assertIn("run bg-unlock touch", texts[1])
		self.assertEqual(challenge(texts[2]), of)
		self.assertIn("Longer than 511 characters", texts[4])
		self.assertEqual([style for style, _ in login.prompts[1:]], ["shown"] * 6)
		for text in texts:
			rows = text.split("\n")
			self.assertLessEqual(max(map(len, rows)), 79, text)
			self.assertLess(len(rows), 20)
		rows = [r for r in texts[0].split("\n") if codelib.find_lines(r)]
		self.assertEqual({len(r) for r in rows[:-1]}, {79})

	def test_back_to_a_key_that_is_plugged_in_after_all(self):
		login, _ = self.relay()
		self.stage.plug("a")
		login.answer("KEY")
		self.stage.prove(login)
		login.expect("Reason")
		self.assertEqual(self.results("REQUEST_OPENED"), ["key proved"])

	def test_question_mark_at_the_PIN_leads_there_and_back(self):
		self.stage.plug("a")
		before = self.key.count("pin-attempts"), self.key.count("touches")
		login = self.start()
		for _ in range(2):
			login.expect("PIN of your security key, then touch it when it blinks (? helps): ")
			login.answer("?")
			self.assertEqual(login.next(), "Press Enter to use the security key here, "
				"or type touch to use one elsewhere: ")
			login.answer("")
		login.expect("PIN of your security key")
		login.answer("?")
		login.expect("Press Enter to use")
		login.answer("touch")
		of = challenge(login.expect(HEAD))
		login.answer(self.answer(of, "b"))
		login.expect("Reason")
		self.assertEqual(self.stage.events()[-1]["key"], "b")
		# nor did the key in the server notice
		self.assertEqual((self.key.count("pin-attempts"), self.key.count("touches")), before)
		self.assertEqual(self.key.count("awaiting"), 0)

	def test_a_PIN_that_is_the_word_is_a_PIN(self):
		self.stage.plug("a")
		self.addCleanup(self.key.ctl, "set-pin", PIN)
		self.key.ctl("set-pin", "touch")
		login = self.start()
		self.stage.prove(login, pin="touch")
		login.expect("Reason")

	def test_where_few_PIN_tries_are_left(self):
		self.addCleanup(self.key.ctl, "set-pin", PIN)
		self.stage.plug("a")
		self.key.ctl("pin-retries", 2)
		login = self.start()
		login.expect("Type yes to try, touch to use one elsewhere: ")
		login.answer("touch")
		login.answer(self.answer(challenge(login.expect(HEAD))))
		login.expect("Reason")
		login = self.start(network=True)
		login.expect("Only 3 PIN tries are left", "or type touch to use one elsewhere: ")
		login.answer("Touch")
		login.expect(HEAD)
		self.assertEqual(self.key.count("pin-retries"), 2)


class PolicyTest(RelayCase):
	policy = {"remote": "approve combine ssh"}

	def test_not_offered_nor_understood(self):
		login = self.start()
		for _ in range(2):
			self.assertEqual(login.next(), "No security key here. Plug one in and press Enter: ")
			login.answer("touch")
		self.assertEqual(login.next(), "No security key here. Plug one in and press Enter: ")
		self.stage.plug("a")
		login.answer("")
		self.assertEqual(login.next(), "PIN of your security key, then touch it when it blinks: ")
		login.answer("?")
		login.expect("A PIN has 4 to 63 characters; nothing was sent")


class RuleTest(RelayCase):
	def test_P17_each_challenge_is_fresh_and_dies_with_its_first_answer(self):
		login, of = self.relay()
		seen = [of]
		for _ in range(3):
			login.answer("")
			seen.append(challenge(login.expect(HEAD)))
		self.assertEqual(len({of["nonce"] for of in seen}), 4)
		for old in seen[:-1]:
			login.answer(self.answer(old))
			prompt = login.expect(OTHER, HEAD)
			self.still_shut(prompt)
			new = challenge(prompt)
			self.assertNotIn(new["nonce"], {of["nonce"] for of in seen})
			seen.append(new)
		# a wrong answer kills it too
		last = seen[-1]
		login.answer(self.answer(last, flags=0))
		login.expect(REFUSED, HEAD)
		login.answer(self.answer(last))
		self.still_shut(login.expect(OTHER))

	def test_P17_an_answer_is_good_once(self):
		login, of = self.relay()
		text = self.answer(of)
		login.answer(text)
		login.expect("Reason")
		login.kill()
		for network in (False, True):
			self.stage.reset()
			login, new = self.relay(network)
			login.answer(text)
			login.expect(OTHER)
			login.answer(code(codelib.TOUCH_ANSWER,
				codelib.touch_digest(new)[:4].join((b"\1", self.body(of)[5:]))))
			self.still_shut(login.next())

	def test_P17_an_answer_for_anything_else_is_refused(self):
		"""Each field is signed; with its own tag it is another challenge's, with ours a bad one."""
		others = {"nonce": bytes(32), "seal_digest": bytes(32), "host_label": "db2",
			"account": "breakglass2", "service": "login", "origin": "192.0.2.8"}
		for name, value in others.items():
			with self.subTest(name):
				self.stage.reset()
				login, of = self.relay(network=True)
				login.answer(self.answer(dict(of, **{name: value})))
				login.expect(OTHER)
				of = challenge(login.prompts[-1][1])
				body = self.body(dict(of, **{name: value}))
				login.answer(code(codelib.TOUCH_ANSWER,
					body[:1] + codelib.touch_digest(of)[:4] + body[5:]))
				self.still_shut(login.expect(REFUSED))
				self.assertEqual(self.results(), ["touch elsewhere: of another challenge",
					"touch elsewhere: signature of the key is not over this challenge"])
				login.kill()

	def test_P03_flags_relying_party_and_credential(self):
		rows = {"UP": {"flags": codelib.UV}, "UV": {"flags": codelib.UP},
			"AT": {"flags": 0x45}, "RP": {"rp_id": "breakglass:web"}}
		for name, more in rows.items():
			with self.subTest(name):
				self.stage.reset()
				login, of = self.relay()
				login.answer(self.answer(of, **more))
				self.still_shut(login.expect(REFUSED))
				self.assertEqual(len(self.results()), 1)
				login.kill()
		login, of = self.relay()
		login.answer(code(codelib.TOUCH_ANSWER, codelib.touch_answer(of, b"x" * 32,
			self.credential["a"][1])))
		self.still_shut(login.expect(REFUSED))
		of = challenge(login.prompts[-1][1])
		login.answer(code(codelib.TOUCH_ANSWER, codelib.touch_answer(of, self.credential["b"][0],
			self.credential["a"][1])))
		self.still_shut(login.expect(REFUSED))

	def test_P17_no_bit_of_an_answer_can_be_flipped(self):
		"""In a body whose lines add up: refused for what it says (the counter is signed too). Over
		several connections, for each takes eight wrong ones."""
		login, of, bit = None, None, 0
		while True:
			if bit % 5 == 0:
				if login is not None:
					login.kill()
				self.stage.reset()
				login, of = self.relay()
			body = bytearray(self.body(of))
			if bit // 8 >= len(body):  # a signature's length varies by a byte or two
				break
			body[bit // 8] ^= 1 << bit % 8
			login.answer(code(codelib.TOUCH_ANSWER, bytes(body)))
			prompt = login.next()
			self.still_shut(prompt)
			self.assertTrue(REFUSED in prompt or OTHER in prompt, (bit, prompt))
			of, bit = challenge(prompt), bit + 1
		self.assertGreater(bit, 8 * 80)

	def test_P17_no_line_with_a_flipped_bit_is_taken(self):
		login, of = self.relay()
		text = self.answer(of)
		for at in range(0, len(text), 9):
			char = "b" if text[at] == "c" else "c"
			login.answer(text[:at] + char + text[at + 1:])
			prompt = login.expect("Line %d does not add up" % (at // 32 + 1))
			self.assertNotIn(HEAD, prompt)
			login.answer("")
			of = challenge(login.expect(HEAD))
			text = self.answer(of)

	def test_S15_other_kinds_are_named_and_open_nothing(self):
		login, of = self.relay()
		answer = self.body(of)
		kinds = {codelib.TOUCH_CHALLENGE: "a touch challenge",
			codelib.REQUEST_CHALLENGE: "a request challenge", codelib.APPROVAL: "an approval",
			codelib.RESPONSE: "a response", codelib.REFUSAL: "a refusal"}
		for kind, name in kinds.items():
			login.answer(code(kind, answer))
			prompt = login.expect(f"That is {name}; the answer of bg-unlock touch is wanted.")
			self.still_shut(prompt)
			self.assertNotIn(HEAD, prompt)
		# and none of them has spent the challenge
		login.answer(code(codelib.TOUCH_ANSWER, answer))
		login.expect("Reason")

	def test_P17_an_answer_by_a_key_for_another_context_is_refused(self):
		"""The same key signs at enrolment and for a successor: neither proves a login."""
		login, of = self.relay()
		credential, private = self.credential["a"]
		for context in ("enrol", "succession-key", "request", "approval", "key-test"):
			digest = codelib.sha256(codelib.frame(context, of["nonce"], of["seal_digest"],
				of["host_label"], of["account"], of["service"], of["origin"]))
			authdata = codelib.sha256(b"breakglass:db") + b"\5\0\0\0\1"
			login.answer(code(codelib.TOUCH_ANSWER, codelib.write_touch_answer(
				codelib.touch_digest(of)[:4], codelib.sha256(credential)[:4], 5, 1,
				codelib.key_sign(private, authdata + digest))))
			prompt = login.expect(REFUSED)
			self.still_shut(prompt)
			of = challenge(prompt)

	def test_malformed_answers_are_refused(self):
		login, of = self.relay()
		for change in (lambda b: b[:-1], lambda b: b + b"\0", lambda b: b"\2" + b[1:],
				lambda b: b"\1", lambda b: b[:14] + b"\0", lambda b: b[:14] + b"\xff" + b[15:]):
			login.answer(code(codelib.TOUCH_ANSWER, change(self.body(of))))
			prompt = login.next()
			self.still_shut(prompt)
			of = challenge(prompt)

	def test_a_stranger_is_bounded(self):
		login, of = self.relay(network=True)
		for _ in range(7):
			login.answer(self.answer(of, flags=0))
			of = challenge(login.expect(REFUSED))
		login.answer(self.answer(of, flags=0))
		self.assertEqual(login.finish()["auth"], PAM_MAXTRIES)
		self.assertEqual(login.infos, ["Too many answers that prove no key. "
			"Log in again for a new challenge."])
		login, of = self.relay(network=True)
		for _ in range(9):
			login.answer("secret1")
			login.expect("That is no code")
		login.answer("secret1")
		self.assertEqual(login.finish()["auth"], PAM_MAXTRIES)
		login, of = self.relay(network=True)
		for _ in range(59):
			login.answer("")
			login.expect(HEAD)
		login.answer("")
		self.assertEqual(login.finish()["auth"], PAM_MAXTRIES)
		self.assertFalse([p for p in pamlib.Path("/run/breakglass").rglob("*")
			if "request" in str(p.parent) and p.is_file()])

	def test_P02_no_answer_ends_it(self):
		for answer in (None, False):
			login, _ = self.relay()
			login.answer(answer)
			self.assertEqual(login.finish()["auth"], PAM_MAXTRIES)


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
