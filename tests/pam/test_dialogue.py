#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the person sees and may type, and what each case leaves in the log."""
import re
import subprocess
import unittest

import pamlib
from pamlib import CUSTODIANS, PAM_AUTH_ERR, PAM_MAXTRIES

FIELDS = ("host", "account", "set", "epoch", "service", "origin", "result")
OF_REQUEST = ("request", "key", "holder")
NEEDS = {
	"ATTEMPT": FIELDS,
	"KEY_REFUSED": FIELDS,
	"REQUEST_OPENED": FIELDS + OF_REQUEST,
	"SHARE_REFUSED": FIELDS + OF_REQUEST + ("reason",),
	"SHARE_ACCEPTED": FIELDS + OF_REQUEST + ("reason", "custodians"),
	"GRANTED": FIELDS + OF_REQUEST + ("reason", "custodians"),
	"SESSION_OPENED": FIELDS + OF_REQUEST + ("reason", "custodians"),
	"SESSION_CLOSED": FIELDS + OF_REQUEST + ("reason", "custodians"),
	"ABANDONED": FIELDS + OF_REQUEST,
}
OPENED = ["GRANTED", "SESSION_OPENED", "SESSION_CLOSED"]
LEFT = r"\d+ (min|s|h)"


class DialogueCase(pamlib.StageCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.stage.blind_watchdog()  # it records what it finds when it finds it
		cls.other, cls.other_shares = cls.stage.deal_again("other")

	def setUp(self):
		super().setUp()
		self.listen()

	def check_events(self, *names):
		"""These and no others, once each in the chain and in the journal, all fields set."""
		events = [e for e in self.stage.events() if "head is missing" not in e["result"]]
		self.assertEqual([e["event"] for e in events], list(names))
		for event in events:
			for field in NEEDS.get(event["event"], FIELDS):
				self.assertTrue(event.get(field), (field, event))
		seqs = [e["seq"] for e in self.stage.events()]
		self.assertEqual(seqs, list(range(1, len(seqs) + 1)))
		self.assertEqual([e["event"] for e in self.stage.events()], self.journal.events())
		return events

	def at_share(self, start=None):
		login = (start or self.stage.login)()
		self.addCleanup(login.kill)
		self.first = self.stage.to_share(login)
		return login

	def opens(self, login):
		self.assertEqual(login.finish(), {"auth": 0, "account": 0, "setcred": 0, "open": 0,
			"close": 0}, login.lines[-4:])


class ScreenTest(DialogueCase):
	def test_a_line_dropped_at_the_reason_refuses_nothing(self):
		for _ in range(3):
			with self.stage.ssh() as login:
				self.stage.prove(login)
				self.assertNotIn("At least", login.expect("Reason"))
				login.kill()
		with self.stage.login() as login:
			self.stage.open(login)
			self.assertEqual(login.finish()["open"], 0)
		self.assertNotIn("MISSING", [e.get("reason") for e in self.stage.events()])

	def test_a_terminal_that_hangs_up_at_the_reason_refuses_nothing(self):
		"""Whose client sends one empty answer before it ends, as ssh's does every other time."""
		for _ in range(3):
			with self.stage.ssh() as login:
				self.stage.prove(login)
				self.assertNotIn("At least", login.expect("Reason"))
				login.answer("")
				login.expect("At least 8 characters")
				login.kill()
		with self.stage.login() as login:
			self.stage.open(login)
			self.assertEqual(login.finish()["open"], 0)
		self.assertNotIn("MISSING", [e.get("reason") for e in self.stage.events()])

	def test_no_connection_fills_the_log_with_refusals(self):
		"""As sshd's password method would, which gives each prompt the same answer."""
		with self.stage.login() as login:
			self.stage.open(login, shares=["audit"])
			refused = 0
			login.expect("Share 2 of 2")
			login.answer("flme")
			while login.next() is not None:
				refused += 1
				login.answer("flme")
			self.assertLess(refused, 70)
			self.assertIn("Too many answers were refused", login.infos[-1])
			self.assertEqual(login.results["auth"], pamlib.PAM_MAXTRIES)
		self.assertEqual(self.stage.event_names()[-1], "DENIED")
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("taken up again: 1 counted")

	def test_each_prompt_reads_as_designed(self):
		words = self.stage.shares["audit"].split()
		wrong = [("PIN of your security key, then touch it when it blinks (? helps): ", "123456"),
			("Reason (ticket, what is broken): ", "INC-1234 directory down")]
		login = self.stage.login()
		self.addCleanup(login.kill)
		for text, answer in wrong:
			self.assertEqual(login.next(), text)
			self.stage.keys["a"].ctl("touch") if answer == "123456" else None
			login.answer(answer)
		lines = login.next().split("\n")
		self.assertRegex(lines[0], r"^BREAK-GLASS breakglass@db1  set [0-9A-Z]{4} epoch 1  "
			r"key a \(oncall-a\)  request [0-9A-Z]{4}$")
		self.assertRegex(lines[1], r"^ need 2 of: ops \+1 555 0100, dba \+1 555 0101, "
			rf"audit \+1 555 0102   {LEFT}$")
		self.assertEqual(lines[2],
			" Request challenge, for custodians elsewhere (bg-unlock approve or combine):")
		for line in lines[3:-1]:
			self.assertRegex(line, r"^([cbdefghijklnrtuv]{4} ?){8,16}$")
		self.assertLessEqual(len(lines), 24)
		self.assertEqual(lines[-1], "Share 1 of 2 (words, or their first 4 letters; ? helps): ")
		login.answer(" ".join(words[:6]) + " flme " + " ".join(words[7:]))
		self.assertEqual(login.next(),
			' word 7 "flme" is not in the list.  Word 7 of the share of audit: ')
		login.answer(" ".join(words[6:9]))
		self.assertEqual(login.next(), "audit: 9 of 20 words, go on: ")
		login.answer(" ".join(words[9:]))
		self.assertRegex(login.next(),
			rf"^audit counted. Share 2 of 2 \(ops or dba; {LEFT} left\): $")
		login.answer(self.stage.shares["dba"])
		self.opens(login)
		self.assertRegex(login.infos[-1],
			r"^OPEN until \d\d:\d\d( UTC)? \(4 h\), recorded, by dba and audit\.\n"
			r" Afterwards: review [0-9A-Z]{4}; reseal is due \(2 shares were typed here\)\.$")
		self.assertEqual([style for style, _ in login.prompts],
			["hidden", "shown"] + ["hidden"] * 4)
		self.check_events("ATTEMPT", "REQUEST_OPENED", "SHARE_REFUSED", "SHARE_ACCEPTED",
			"SHARE_ACCEPTED", *OPENED)

	def test_names_are_for_those_who_proved_the_key(self):
		with self.stage.ssh() as login:
			login.expect("PIN")
			login.answer("999999")
			login.expect("Wrong PIN, 7 tries left. Caps Lock? Keyboard layout?")
			login.answer(None)
			login.finish()
		shown = " ".join(text for _, text in login.prompts) + " ".join(login.infos)
		for secret in CUSTODIANS + ("db1", "oncall", "555", "epoch"):
			self.assertNotIn(secret, shown)
		self.stage.keys["a"].ctl("set-pin", pamlib.PIN)
		self.check_events("ATTEMPT", "KEY_REFUSED")

	def test_help_and_the_header_again(self):
		login = self.at_share()
		login.answer("?")
		prompt = login.expect("BREAK-GLASS", "need 2 of", "20 words", "38 characters", "new ",
			"Share 1 of 2")
		self.assertLessEqual(prompt.count("\n"), 22)
		login.answer(self.stage.shares["ops"])
		login.expect("ops counted.")
		login.answer("?")
		login.expect("ops counted.", "Share 2 of 2 (dba or audit;")
		login.answer(self.stage.shares["dba"])
		self.opens(login)

	def test_new_begins_anew(self):
		login = self.at_share()
		login.answer(self.stage.shares["ops"])
		login.expect("ops counted.")
		login.answer("new")
		login.expect("Reason")
		login.answer("another reason")
		second = login.expect("BREAK-GLASS", "Share 1 of 2 (")
		self.assertNotIn("counted", second)
		self.assertNotEqual(*(re.search(r"request (\w+)", p)[1] for p in (self.first, second)))
		login.answer(self.stage.shares["ops"])
		login.expect("Share 2")
		login.answer(self.stage.shares["dba"])
		self.opens(login)
		self.check_events("ATTEMPT", "REQUEST_OPENED", "SHARE_ACCEPTED", "ABANDONED",
			"REQUEST_OPENED", "SHARE_ACCEPTED", "SHARE_ACCEPTED", *OPENED)

	def test_a_secret_is_no_reason(self):
		words = self.stage.shares["audit"]
		pin = "correct horse 9"
		for secret in ("12345678", "1234 5678", words, " ".join(w[:4] for w in words.split()[:7]),
				self.stage.compact(words), pin):
			self.stage.reset()
			self.stage.keys["a"].ctl("set-pin", pin if secret == pin else pamlib.PIN)
			login = self.stage.login()
			self.addCleanup(login.kill)
			login.expect("PIN")
			self.stage.keys["a"].ctl("touch")
			login.answer(pin if secret == pin else pamlib.PIN)
			login.expect("Reason")
			login.answer(secret)
			login.expect("That looks like a PIN or a share", "Reason (ticket, what is broken): ")
			login.answer("INC-1234 directory down")
			login.expect("Share 1 of 2")
			login.answer(words)
			login.next()
			self.assertEqual([e["reason"] for e in self.stage.events()
				if e["event"] == "SHARE_ACCEPTED"], ["INC-1234 directory down"])
			login.kill()
		self.stage.keys["a"].ctl("set-pin", pamlib.PIN)

	def test_a_pin_among_the_words_is_not_shown(self):
		for pin in ("123456", "hunter2", "correct horse 9", "98765432"):
			self.stage.reset()
			login = self.at_share()
			login.answer(pin)
			prompt = login.expect("is not in the list.  Word 1: ")
			self.assertNotRegex(prompt.split(" word 1 ")[1].split(" is not")[0], r"\d|hunter")

	def test_a_short_reason_is_missing_the_second_time(self):
		for first, second in (("INC-1", "short"), ("", ""), ("        ", "x" * 600)):
			self.stage.reset()
			login = self.stage.login()
			self.addCleanup(login.kill)
			self.stage.prove(login)
			login.expect("Reason")
			login.answer(first)
			login.expect("At least 8 characters", "Reason (ticket, what is broken): ")
			login.answer(second)
			login.expect("MISSING is told as the reason; new begins anew.", "Share 1 of 2")
			for name in ("audit", "ops"):
				login.answer(self.stage.shares[name])
				login.next()
			granted = [e for e in self.stage.events() if e["event"] == "GRANTED"]
			self.assertEqual([e["reason"] for e in granted], ["MISSING"])


class StoryTest(DialogueCase):
	"""What `bg-unlock log show` makes of it."""

	def test_the_log_tells_who_when_and_why(self):
		login = self.at_share()
		login.answer(self.other_shares["ops"])
		login.expect("of another set")
		login.answer(self.stage.shares["ops"])
		login.expect("ops counted.")
		login.answer(self.stage.shares["audit"])
		self.opens(login)
		again = self.stage.login()
		self.stage.prove(again)
		self.opens(again)
		for _ in range(4):
			stranger = self.stage.login()
			stranger.expect("PIN")
			stranger.kill()
		done = subprocess.run([pamlib.COMMAND, "log", "show"], capture_output=True, text=True,
			check=False)
		self.assertEqual(done.returncode, 0, done.stderr)
		self.assertLessEqual(max(map(len, done.stdout.split("\n"))), 79)
		head, story = done.stdout.split("REQUEST ")
		self.assertNotIn("login begun", head)
		self.assertRegex(story, r"^[0-9A-Z]{4}, \d{4}-\d\d-\d\d, breakglass@db1: "
			r"OPENED by ops, audit; review due\n  asked by   oncall-a, with key a\n  role       full\n  because    ")
		wanted = ("login begun (", "request opened: key proved", "share refused: That share is of",
			"share counted: ops typed here", "share counted: audit typed here",
			"OPENED: key and quorum", "session began", "session ended: closed after",
			"login begun", "OPENED: a further session", "session ended", "NO REQUEST, ", "login begun for breakglass; attempts 1 to 4 until ")
		at = 0
		for text in wanted:
			self.assertIn(text, story[at:], story)
			at = story.index(text, at)


class TypingTest(DialogueCase):
	def accepted(self, *pieces):
		self.stage.reset()
		login = self.at_share()
		for piece in pieces:
			login.answer(piece)
			prompt = login.next()
		self.assertIn("audit counted. Share 2 of 2 (ops or dba;", prompt)
		login.kill()

	def test_everything_that_a_person_may_send(self):
		words = self.stage.shares["audit"].split()
		numbered = [f"{i + 1}. {w}" for i, w in enumerate(words)]
		modhex = self.stage.compact(self.stage.shares["audit"])
		self.accepted(" ".join(words))
		self.accepted(" ".join(w[:4] for w in words))
		self.accepted(" ".join(words).upper())
		self.accepted("\u00a0".join(words))
		self.accepted("  ".join(numbered))
		self.accepted("\r\n".join(words) + "\r\n")
		self.accepted(", ".join(words[:10]) + ",\n", " ".join(words[10:]))
		self.accepted(*words)
		self.accepted(modhex)
		self.accepted(modhex.upper() + "\r")
		self.accepted(modhex[:20], modhex[20:])
		self.accepted(" ".join(modhex[i:i + 4] for i in range(0, 38, 4)))

	def test_pieces_say_whose_and_how_far(self):
		words = self.stage.shares["audit"].split()
		login = self.at_share()
		login.answer(" ".join(words[:3]))
		self.assertRegex(login.next(), r"^this share: 3 of 20 words, go on: $")
		login.answer(words[3])
		self.assertRegex(login.next(), r"^audit: 4 of 20 words, go on: $")
		login.answer(" ".join(words[4:]))
		login.expect("audit counted.")

	def test_a_wrong_word_costs_that_word_only(self):
		words = self.stage.shares["audit"].split()
		login = self.at_share()
		login.answer("qqqq " + " ".join(words))
		self.assertEqual(login.next(), ' word 1 "qqqq" is not in the list.  Word 1: ')
		login.answer(" ".join(words[:19]))
		login.expect("audit: 19 of 20 words")
		login.answer("z" * 300)
		prompt = login.expect("is not in the list.", " Word 20 of the share of audit: ")
		self.assertNotIn("z" * 60, prompt)
		login.answer(words[19])
		login.expect("audit counted.")

	def test_a_mistyped_word_keeps_what_follows(self):
		words = self.stage.shares["audit"].split()
		login = self.at_share()
		login.answer(" ".join(words[:2] + ["flme"] + words[3:16] + ["qqqq"] + words[17:]))
		login.expect('word 3 "flme" is not in the list.', "Word 3: ")
		login.answer(words[2])
		login.expect('word 17 "qqqq" is not in the list.', "Word 17 of the share of audit: ")
		login.answer(words[16])
		login.expect("audit counted. Share 2 of 2")
		words = self.stage.shares["dba"].split()
		login.answer(" ".join(words[:8] + ["acne" if words[8] == "acid" else "acid"] + words[9:]))
		login.expect("The share of dba does not add up: word 9 looks misread.",
			"Word 9 of the share of dba: ")
		login.answer("?")
		login.expect("20 words", "Word 9 of the share of dba: ")
		login.answer(words[8])
		self.opens(login)

	def test_words_that_people_try(self):
		login = self.at_share()
		for text in ("help", "HELP", "?"):
			login.answer(text)
			login.expect("BREAK-GLASS", "Ctrl-C", "Share 1 of 2")
		for text in ("quit", "exit", "q"):
			login.answer(text)
			login.expect("To leave press Ctrl-C", "Share 1 of 2")
		login.answer(self.stage.shares["ops"])
		login.expect("ops counted.")
		login.answer(self.stage.shares["dba"])
		self.opens(login)
		self.check_events("ATTEMPT", "REQUEST_OPENED", "SHARE_ACCEPTED", "SHARE_ACCEPTED", *OPENED)

	def test_wrong_shares_are_named_and_dropped(self):
		words = self.stage.shares["dba"].split()
		swapped = words[:10] + [words[11], words[10]] + words[12:]
		login = self.at_share()
		login.answer(self.stage.shares["audit"])
		login.expect("audit counted.")
		login.answer(" ".join(swapped))
		login.expect("The share of dba does not add up", "Share 2 of 2 (ops or dba;")
		login.answer(self.stage.shares["audit"])
		login.expect("audit is counted already.", "Share 2 of 2 (ops or dba;")
		login.answer(self.other_shares["dba"])
		login.expect("of another set; set ", " is wanted.", "Share 2 of 2")
		modhex = self.stage.compact(self.stage.shares["dba"])
		login.answer(modhex[:-1] + ("c" if modhex[-1] != "c" else "b"))
		login.expect("The short form does not add up: a character is misread.", "Share 2 of 2")
		login.answer("cccccc" + "b" * 38)
		login.expect("Share 2 of 2")
		login.answer(" ".join(words))
		self.opens(login)
		self.check_events("ATTEMPT", "REQUEST_OPENED", "SHARE_ACCEPTED",
			*["SHARE_REFUSED"] * 5, "SHARE_ACCEPTED", *OPENED)

	def test_a_retired_epoch_is_named(self):
		old = dict(self.stage.shares)
		seal, shares = self.stage.reseal("second", self.stage.seal, [old["ops"], old["dba"]])
		before = self.stage.event_names()  # the reseal's own
		self.stage.put_in_force(seal)
		self.addCleanup(self.stage.put_in_force, self.stage.seal)
		login = self.at_share()
		self.assertIn("epoch 2", self.first)
		login.answer(old["audit"])
		login.expect("retired", "epoch 1", "epoch 2 is wanted.", "Share 1 of 2")
		login.answer(self.stage.compact(old["audit"]))
		login.expect("That share of audit is retired (epoch 1); set ", "Share 1 of 2")
		login.answer(" ".join(old["audit"].split()[:5]))
		login.expect("retired", "Share 1 of 2")
		login.answer(shares["audit"])
		login.expect("audit counted.")
		login.answer(shares["ops"])
		self.opens(login)
		self.assertEqual(self.stage.event_names()[len(before):], ["ATTEMPT", "REQUEST_OPENED",
			*["SHARE_REFUSED"] * 3, "SHARE_ACCEPTED", "SHARE_ACCEPTED", *OPENED])

	def test_no_lockout(self):
		login = self.at_share()
		login.answer(self.stage.shares["ops"])
		for _ in range(30):
			login.expect("Share 2 of 2")
			login.answer(self.other_shares["dba"])
		login.expect("Share 2 of 2")
		login.answer(self.stage.shares["dba"])
		self.opens(login)

	def test_empty_answers_end_the_try_not_the_request(self):
		login = self.at_share()
		login.answer(self.stage.shares["ops"])
		for _ in range(3):
			login.expect("Share 2 of 2")
			login.answer("")
		self.assertEqual(login.finish(), {"auth": PAM_AUTH_ERR})
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("taken up again", "1 counted", "Share 2 of 2 (dba or audit;")

	def test_too_long_is_refused_whole(self):
		login = self.at_share()
		login.answer(self.stage.shares["ops"] + " " * 400)
		login.expect("Longer than 511", "Share 1 of 2")


class TakeOverTest(DialogueCase):
	def test_the_newest_login_with_the_key_takes_over(self):
		older = self.at_share()
		older.answer(self.stage.shares["ops"])
		older.expect("ops counted.")
		with self.stage.ssh() as newer:
			self.stage.prove(newer)
			newer.expect("taken up again", "Share 2 of 2")
			older.answer(self.stage.shares["dba"])
			self.assertEqual(older.finish(), {"auth": PAM_MAXTRIES})
			self.assertIn("taken this request over", older.infos[-1])
			newer.answer(self.stage.shares["audit"])
			self.opens(newer)
			self.assertIn("by ops and audit.", newer.infos[-1])

	def test_the_same_key_opens_a_further_session(self):
		login = self.at_share()
		login.answer(self.stage.shares["ops"])
		login.expect("Share 2")
		login.answer(self.stage.shares["dba"])
		self.opens(login)
		with self.stage.ssh() as again:
			self.stage.prove(again)
			self.opens(again)
		self.assertEqual(self.stage.event_names()[-3:], OPENED)


class WidthTest(unittest.TestCase):
	"""The longest names that a seal may hold."""

	def test_no_line_is_over_80_columns(self):
		account, label = "a" * 16, "h" * 24
		names = [f"{chr(97 + i)}" + "u" * 11 for i in range(16)]
		stage = pamlib.Stage(keys=("k" * 12,), account=account, label=label, threshold=16,
			custodians=names, strength=256, holder="W" * 24, phone="+1 (555) 555-0100 ext. {:02}")
		self.addCleanup(stage.close)
		with stage.ssh() as login:
			stage.prove(login, "k" * 12)
			login.expect("Reason")
			login.answer("r" * 64)
			self.assertLessEqual(login.expect("Share 1 of 16").count("\n"), 23)
			login.answer("?")
			login.expect("Share 1 of 16")
			login.answer("z" * 24)
			login.expect("not in the list")
			login.answer(stage.shares[names[0]])
			login.next()
			login.answer(" ".join(stage.shares[names[1]].split()[:8] + ["z" * 24]))
			login.expect("is not in the list")
			login.answer(" ".join(stage.shares[names[1]].split()[8:]))
			for name in names[2:]:
				login.expect("of 16")
				login.answer(stage.shares[name])
			login.finish()
		self.assertEqual(login.results.get("open"), 0, (login.lines[-5:], stage.events()[-3:]))
		for text in [prompt for _, prompt in login.prompts] + login.infos:
			for line in text.split("\n"):
				self.assertLessEqual(len(line), 80, text)


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
