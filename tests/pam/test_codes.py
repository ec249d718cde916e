#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Codes at the one prompt: approvals and responses made elsewhere, in any mix with shares typed
here, and everything that is not one for this request."""
import fcntl
import hashlib
import os
import pty
import re
import struct
import termios
import tty
import unittest

import codelib
import pamlib
import qrlib
from pamlib import CUSTODIANS

MODHEX_WORDS = ("benefit", "civil", "building")  # of the list, and all modhex
OPENED = ["GRANTED", "SESSION_OPENED", "SESSION_CLOSED"]
ALL_GOOD = {"auth": 0, "account": 0, "setcred": 0, "open": 0, "close": 0}


def plain(kind, body):
	"""A code as one line, for pasting."""
	return "".join(codelib.encode(kind, body))


class CodesCase(pamlib.StageCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.compact = {n: codelib.compact_share(cls.stage.compact(w))
			for n, w in cls.stage.shares.items()}

	def at_share(self, start=None, **more):
		"""A login at its first share prompt, whose request challenge is self.challenge."""
		login = (start or self.stage.login)()
		self.addCleanup(login.kill)
		self.challenge = self.read(self.stage.to_share(login, **more))
		return login

	def read(self, prompt):
		kind, body = codelib.decode(codelib.find_lines(prompt))
		self.assertEqual(kind, codelib.REQUEST_CHALLENGE)
		return codelib.read_request_challenge(body)

	def private(self, name, challenge=None):
		index, value = self.compact[name]
		challenge = challenge or self.challenge
		return index, codelib.custodian_key(value, challenge["set"], challenge["epoch"], index)

	def approval(self, name, **changes):
		challenge = {**self.challenge, **changes}
		return plain(codelib.APPROVAL, codelib.approval(challenge, *self.private(name)))

	def quorum(self):
		words = "\n".join(self.stage.shares[n] for n in ("ops", "dba")) + "\n"
		done = pamlib.subprocess.run([pamlib.COMMAND, "combine", str(self.stage.seal), "--stdin",
			"--reveal"], input=words, capture_output=True, text=True, check=True)
		return codelib.quorum_key(bytes.fromhex(done.stdout.strip()), self.challenge["set"],
			self.challenge["epoch"])

	def exposed(self, *names):
		return sum(1 << self.compact[n][0] for n in names)

	def response(self, names=("ops", "dba"), **changes):
		challenge = {**self.challenge, **changes}
		return plain(codelib.RESPONSE,
			codelib.response(challenge, self.exposed(*names), self.quorum()))

	def opens(self, login):
		self.assertEqual(login.finish(), ALL_GOOD, login.lines[-4:])

	def result_of(self, name):
		return [e["result"] for e in self.stage.events() if e["event"] == name]

	def refused(self, login, answer, sentence):
		"""It is named, recorded, and costs nothing that was counted."""
		before = len(self.result_of("APPROVAL_REFUSED"))
		login.answer(answer)
		prompt = login.expect("Share ")
		self.assertRegex(" ".join(prompt.split()), sentence)
		after = self.result_of("APPROVAL_REFUSED")
		self.assertEqual(len(after), before + 1, after)
		self.assertRegex(after[-1], sentence)
		return prompt


class GoodTest(CodesCase):
	def test_two_approvals(self):
		login = self.at_share()
		login.answer(self.approval("audit"))
		login.expect("audit counted. Share 2 of 2 (ops or dba;")
		login.answer(self.approval("dba"))
		self.opens(login)
		self.assertEqual(self.result_of("APPROVAL_ACCEPTED"),
			["audit approved elsewhere", "dba approved elsewhere"])
		self.assertEqual(self.result_of("GRANTED"), ["key and quorum"])
		self.assertIn("by dba and audit.", login.infos[-1])
		self.assertNotIn("reseal", login.infos[-1])

	def test_two_approvals_in_one_answer(self):
		login = self.at_share()
		login.answer(self.approval("audit") + " " + self.approval("ops").upper())
		self.opens(login)

	def test_a_typed_share_and_an_approval_in_both_orders(self):
		for first in ("share", "approval"):
			with self.subTest(first=first):
				self.stage.reset()
				login = self.at_share()
				answers = [self.stage.shares["audit"], self.approval("dba")]
				for answer in answers if first == "share" else answers[::-1]:
					login.answer(answer)
					if answer != (answers if first == "share" else answers[::-1])[-1]:
						login.expect("counted. Share 2 of 2")
				self.opens(login)
				self.assertEqual(self.result_of("GRANTED"), ["key and quorum; typed here: audit"])
				self.assertIn("1 share was typed here", login.infos[-1])

	def test_an_approval_and_a_share_in_one_answer(self):
		login = self.at_share()
		login.answer(self.approval("audit") + " " + self.stage.shares["ops"])
		self.opens(login)

	def test_a_response_settles_it_and_says_what_was_seen(self):
		login = self.at_share()
		login.answer(self.response())
		self.opens(login)
		self.assertEqual(self.result_of("GRANTED"),
			["key and quorum; seen by the combining machine: ops, dba"])
		event = [e for e in self.stage.events() if e["event"] == "SESSION_OPENED"][0]
		self.assertEqual(event["custodians"], "ops, dba")
		self.assertIn("reseal is due", login.infos[-1])

	def test_the_key_alone_opens_further_sessions_of_it(self):
		for answers in ((self.approval, "audit"), (self.approval, "dba")), ((self.response, None),):
			self.stage.reset()
			login = self.at_share()
			for make, name in answers:
				login.answer(make(name) if name else make())
				if name == "audit":
					login.expect("audit counted.")
			self.opens(login)
			again = self.stage.ssh()
			self.addCleanup(again.kill)
			self.stage.prove(again)
			self.opens(again)
		self.assertEqual(self.result_of("GRANTED")[-1], "a further session of the request; seen by the "
			"combining machine: ops, dba")

	def test_a_short_form_that_has_a_line_of_a_code_in_it_is_a_share(self):
		"""Dealt shares are so by chance only; this one is of nobody."""
		line = codelib.from_modhex(codelib.line(codelib.TOUCH_CHALLENGE, 17, bytes(13)))
		self.assertEqual(line[0], 0x11)
		raw = line + b"\0"
		raw += (~codelib.crc16(raw) & 0xFFFF).to_bytes(2, "little")
		login = self.at_share()
		login.answer(codelib.modhex(raw))
		login.expect("That share is of no custodian of set")

	def test_line_by_line_in_any_order_and_grouped(self):
		login = self.at_share()
		lines = codelib.encode(codelib.APPROVAL, codelib.approval(self.challenge,
			*self.private("audit")))
		for i, line in enumerate([lines[2], lines[0], lines[1], lines[5], lines[3]]):
			login.answer(" ".join(line[j:j + 4] for j in range(0, 32, 4)).upper())
			prompt = login.expect("Good so far. Line")
			self.assertIn(f"Line {(1, 2, 4, 4, 5)[i]} of the approval", prompt)
		login.answer(lines[4])
		login.expect("audit counted.")

	def test_only_the_misread_line_is_wanted_again(self):
		login = self.at_share()
		lines = codelib.encode(codelib.APPROVAL, codelib.approval(self.challenge,
			*self.private("audit")))
		wrong = lines[3][:9] + ("c" if lines[3][9] != "c" else "b") + lines[3][10:]
		login.answer("".join(lines[:3] + [wrong] + lines[4:]))
		login.expect("Line 4 is misread. Line 4 of the approval")
		login.answer(lines[3])
		login.expect("audit counted.")

	def test_a_paste_that_was_cut_goes_on(self):
		login = self.at_share()
		text = self.approval("audit")
		login.answer(text[:150])
		prompt = login.expect("of the approval")
		self.assertIn("line 5", prompt.lower())
		login.answer(text[128:])
		login.expect("audit counted.")

	def test_a_share_begun_and_a_code_begun_do_not_disturb_each_other(self):
		login = self.at_share()
		words = self.stage.shares["ops"].split()
		text = self.approval("audit")
		login.answer(" ".join(words[:9]))
		login.expect("ops: 9 of 20 words, go on: ")
		login.answer(text[:64])
		login.expect("Line 3 of the approval, or all of it (")
		for count, word in enumerate(MODHEX_WORDS, 10):
			login.answer(word)
			login.expect(f"ops: {count} of 20 words, go on: ")
		login.answer(" ".join(words))
		login.expect("ops counted. Line 3 of the approval")
		login.answer(text[64:])
		self.opens(login)

	def test_a_share_in_pieces_around_a_code_that_was_begun(self):
		login = self.at_share()
		words = self.stage.shares["ops"].split()
		text = self.approval("audit")
		login.answer(" ".join(words[:9]))
		login.expect("ops: 9 of 20 words, go on: ")
		login.answer(text[:64])
		login.expect("Line 3 of the approval, or all of it (")
		login.answer(" ".join(words[9:12]))
		login.expect("ops: 12 of 20 words, go on: ")
		login.answer(" ".join(words[12:]))
		login.expect("ops counted. Line 3 of the approval")
		login.answer(text[64:])
		self.opens(login)

	def test_a_code_after_a_word_that_is_none(self):
		"""What began with it is no share to go on with; a later wrong word is asked for again."""
		login = self.at_share()
		login.answer("hccc INC-1234")
		login.expect('word 1 "hccc" is not in the list.')
		login.answer(self.approval("audit"))
		login.expect("audit counted. Share 2 of 2 (")
		words = self.stage.shares["ops"].split()
		login.answer(" ".join(words[:6] + ["flme"] + words[7:]))
		login.expect("Word 7 of the share of ops: ")
		login.answer(self.approval("audit"))
		login.expect("Word 7 of the share of ops: ")
		login.answer(words[6])
		self.opens(login)

	def test_code_shows_the_challenge_again(self):
		login = self.at_share()
		login.answer("code")
		self.assertEqual(self.read(login.expect("Share 1 of 2")), self.challenge)
		login.answer("?")
		self.assertIn("code    show the request challenge again", login.expect("Share 1 of 2"))
		login.answer("no-code-and-no-word")
		login.expect("is not in the list")
		login.answer("code")
		self.assertNotIn("is not in the list", login.expect("Word 1"))

	def test_qr_where_the_size_is_not_known(self):
		"""Asked twice, since a picture that does not fit is no picture; what it holds is the
		challenge, read back by an independent reader of the picture's modules."""
		login = self.at_share()
		login.answer("qr")
		prompt = login.expect("columns and", "rows of a UTF-8 terminal")
		login.answer("qr")
		login.expect("Share 1 of 2")
		picture = [i for i in login.infos if "\u2588" in i][-1].rstrip("\n").split("\n")
		columns, rows = map(int, re.search(r"needs (\d+) columns\s+and\s+(\d+)", prompt).groups())
		self.assertEqual(({len(li) for li in picture}, len(picture) + 4), ({columns}, rows))
		text = plain(codelib.REQUEST_CHALLENGE, codelib.write_request_challenge(self.challenge))
		self.assertEqual(qrlib.read(qrlib.modules(picture)), text.upper())
		for line in picture:
			self.assertRegex(line, "^[ \u2580\u2584\u2588]+$")
		login.answer(self.response())
		self.opens(login)
		self.assertEqual([before for before, _ in login.fds], [after for _, after in login.fds])
		self.assertEqual(set(login.states), {"same"})

	def test_qr_over_ssh_begins_on_its_own_line(self):
		"""ssh's client puts "(user@host) " before what it shows."""
		login = self.at_share(self.stage.ssh)
		for _ in range(2):
			login.answer("qr")
			login.expect("Share 1 of 2")
		self.assertRegex([i for i in login.infos if "\u2588" in i][-1], "^\n\u2588+\n")

	def at_terminal(self, columns, rows):
		"""A login at the share prompt, whose standard input is a terminal of that size."""
		ours, theirs = pty.openpty()
		tty.setraw(theirs)
		fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
		login = self.stage.login(preexec=lambda: os.dup2(theirs, 0))
		os.close(theirs)
		login.process.stdin.close()
		login.process.stdin = os.fdopen(ours, "w")
		self.addCleanup(login.kill)
		self.challenge = self.read(self.stage.to_share(login))
		return login

	def test_qr_where_the_terminal_is_known(self):
		login = self.at_terminal(80, 24)
		login.answer("qr")
		prompt = " ".join(login.expect("Share 1 of 2").split())
		self.assertRegex(prompt, r"The QR code needs \d+ columns and \d+ rows, this terminal has 80 "
			r"and 24; code has the same\.")
		self.assertNotIn("\u2588", "".join(login.infos))
		login.kill()
		columns, rows = map(int, re.search(r"needs (\d+) columns and (\d+)", prompt).groups())
		for size, is_shown in (((columns, rows), True), ((columns - 1, rows), False),
				((columns, rows - 1), False)):
			with self.subTest(size=size):
				self.stage.reset()
				login = self.at_terminal(*size)
				login.answer("qr")
				login.expect("Share 1 of 2")
				self.assertEqual("\u2588" in "".join(login.infos), is_shown)
				login.kill()

	def test_what_may_be_typed_here_is_no_word_of_a_share(self):
		"""Nor its first four letters. help, which is, is told apart by the set."""
		words = (pamlib.Path(__file__).parents[2] / "data/slip39-words.txt").read_text().split()
		self.assertEqual(len(words), 1024)
		for typed in ("code", "qr", "new", "q", "quit", "exit", "abort", "cancel", "?"):
			self.assertNotIn(typed, [w for word in words for w in (word, word[:4])])

	def test_another_code_takes_the_place_of_one_begun(self):
		login = self.at_share()
		login.answer(self.approval("audit")[:64])
		login.expect("Line 3 of the approval, or all of it")
		login.answer(self.approval("dba"))
		login.expect("dba counted. Share 2 of 2")
		login.answer(self.approval("audit")[:64])
		login.expect("Line 3 of the approval, or all of it")
		login.answer(self.stage.shares["audit"])
		self.opens(login)

	def test_qr_without_its_program(self):
		"""It is a convenience: code has the same, and nothing else of the login changes."""
		path = pamlib.Path("/usr/libexec/breakglass/bg-qr")
		saved = path.read_bytes()
		for name, text in (("missing", None), ("no program", b"x"),
				("escape codes", b"#!/bin/sh\nprintf '\\0\\0\\0\\12\\1\\0\\1\\0\\1\\33[2Jx'\n")):
			with self.subTest(program=name):
				self.stage.reset()
				path.unlink(missing_ok=True)
				if text is not None:
					path.write_bytes(text)
					path.chmod(0o755)
				login = self.at_share()
				login.answer("qr")
				login.expect("No QR code can be drawn here (bg-qr); code has the same.")
				self.assertNotIn("\x1b", "".join(login.infos))
				login.answer(self.approval("audit"))
				login.expect("audit counted.")
		path.write_bytes(saved)
		path.chmod(0o755)

	def test_the_challenge_is_the_request(self):
		login = self.at_share(reason="INC-9 LDAP — gone")
		c = self.challenge
		self.assertEqual((c["purpose"], c["host_label"], c["account"], c["uid"], c["key"],
			c["holder"], c["reason"], c["session_seconds"], c["service"], c["origin"],
			c["threshold"], c["epoch"], len(c["custodians"])), ("emergency", "db1", "breakglass",
			pamlib.UID, "a", "oncall-a", "INC-9 LDAP — gone", 14400, "login", "/dev/tty1", 2, 1, 3))
		digest = hashlib.sha256(self.stage.seal.read_bytes()).digest()
		self.assertEqual(c["seal_digest"], digest)
		login.answer(self.stage.shares["audit"])
		login.expect("Share 2")
		opened = [e for e in self.stage.events() if e["event"] == "SHARE_ACCEPTED"][0]
		self.assertEqual(opened["request"], codelib.request_digest(c).hex())

	def test_the_line_drops_at_every_prompt_and_what_was_counted_stays(self):
		login = self.at_share(self.stage.ssh)
		challenge = self.challenge
		login.kill()
		for door in (self.stage.login, self.stage.ssh):
			again = door()
			self.addCleanup(again.kill)
			self.stage.prove(again)
			self.assertEqual(self.read(again.expect("Share ")), challenge)
			if door == self.stage.login:
				again.answer(self.approval("audit"))
				again.expect("audit counted.")
				again.answer(self.approval("dba")[:96])
				again.expect("Good so far")
				again.kill()
		again.answer(self.approval("dba"))
		self.opens(again)


class StoryTest(CodesCase):
	"""What `bg-unlock log show` tells of it."""

	def story(self):
		done = pamlib.subprocess.run([pamlib.COMMAND, "log", "show"], capture_output=True, text=True,
			check=False)
		self.assertEqual(done.returncode, 0, done.stderr)
		self.assertLessEqual(max(map(len, done.stdout.split("\n"))), 79)
		return " ".join(done.stdout.split())

	def test_a_share_typed_here_and_an_approval(self):
		login = self.at_share()
		login.answer(self.approval("dba", reason="another"))
		login.expect("Share 1 of 2")
		login.answer(self.approval("dba"))
		login.expect("dba counted.")
		self.assertNotIn("shares ", self.story().split("because")[1])
		login.answer(self.stage.shares["audit"])
		self.opens(login)
		story = self.story()
		for text in ("OPENED by dba, audit;", "shares typed into this host: audit",
				"code refused: That approval is for request", "counted: dba approved elsewhere",
				"share counted: audit typed here"):
			self.assertIn(text, story)

	def test_two_approvals(self):
		login = self.at_share()
		for name in ("audit", "dba"):
			login.answer(self.approval(name))
			if name == "audit":
				login.expect("audit counted.")
		self.opens(login)
		self.assertIn("shares no machine but the custodians' own has seen any", self.story())

	def test_a_response_and_a_share(self):
		login = self.at_share()
		login.answer(self.stage.shares["audit"])
		login.expect("audit counted.")
		self.assertIn("not opened asked by oncall-a, with key a role full because INC-1234 directory down "
			"shares typed into this host: audit", self.story())
		login.answer(self.response())
		self.opens(login)
		story = self.story()
		for text in ("shares typed into this host: audit; typed into the machine that combined: ops, dba",
				"counted: response of the quorum; the combining machine has seen ops, dba"):
			self.assertIn(text, story)


class RefusedTest(CodesCase):
	def test_S15_P17_an_approval_for_anything_else(self):
		login = self.at_share()
		here = codelib.short_id(codelib.request_digest(self.challenge))
		for name, other in (("host", {"host_label": "db2"}), ("account", {"account": "other"}),
				("purpose", {"purpose": "drill"}), ("reason", {"reason": "something else"}),
				("holder", {"holder": "somebody"}), ("key", {"key": "b"}), ("uid", {"uid": 0}),
				("length", {"session_seconds": 86400}), ("request", {"nonce": b"x" * 16}),
				("seal", {"seal_digest": b"s" * 32}), ("service", {"service": "sshd"}),
				("origin", {"origin": "10.0.0.1"})):
			with self.subTest(swapped=name):
				there = codelib.short_id(codelib.request_digest({**self.challenge, **other}))
				self.refused(login, self.approval("audit", **other),
					f"That approval is for request {there}; this is {here}")
				self.refused(login, self.response(**other),
					f"That response is for request {there}; this is {here}")
		login.answer(self.approval("audit"))
		login.expect("audit counted.")

	def test_P17_a_right_tag_does_not_help_a_wrong_digest(self):
		login = self.at_share()
		digest = codelib.request_digest(self.challenge)
		index, private = self.private("audit")
		other = codelib.request_digest({**self.challenge, "reason": "something else"})
		self.refused(login, plain(codelib.APPROVAL, codelib.write_approval(digest[:4], index, 1,
			private.sign(codelib.frame("approval", other)))), "not made with the share of audit")
		self.refused(login, plain(codelib.RESPONSE, codelib.write_response(digest[:4], 1, 6,
			self.quorum().sign(codelib.frame("response", other, 6)))), "not made by this set's quorum")

	def test_P17_no_other_context(self):
		login = self.at_share()
		digest = codelib.request_digest(self.challenge)
		index, private = self.private("audit")
		for context in ("response", "seal", "request", "touch", "succession-quorum"):
			with self.subTest(context=context):
				self.refused(login, plain(codelib.APPROVAL, codelib.write_approval(digest[:4],
					index, 1, private.sign(codelib.frame(context, digest)))),
					"not made with the share of audit")
		for context in ("approval", "seal"):
			self.refused(login, plain(codelib.RESPONSE, codelib.write_response(digest[:4], 1, 6,
				self.quorum().sign(codelib.frame(context, digest, 6)))),
				"not made by this set's quorum")

	def test_P17_what_a_response_says_of_exposure_is_signed(self):
		login = self.at_share()
		digest = codelib.request_digest(self.challenge)
		signed = self.quorum().sign(codelib.frame("response", digest, self.exposed("ops", "dba")))
		self.refused(login, plain(codelib.RESPONSE, codelib.write_response(digest[:4], 1,
			self.exposed("audit", "dba"), signed)), "not made by this set's quorum")

	def test_epochs_and_indices(self):
		login = self.at_share()
		digest = codelib.request_digest(self.challenge)
		index, private = self.private("audit")
		signed = private.sign(codelib.frame("approval", digest))
		for epoch, sentence in ((0, "of epoch 0, retired; set .* epoch 1 is wanted"),
				(2, "of epoch 2, newer than 1 here: install its seal")):
			self.refused(login, plain(codelib.APPROVAL,
				codelib.write_approval(digest[:4], index, epoch, signed)), sentence)
		free = next(i for i in range(16) if i not in [c[0] for c in self.challenge["custodians"]])
		self.refused(login, plain(codelib.APPROVAL,
			codelib.write_approval(digest[:4], free, 1, signed)), "of no custodian of this set")
		for name in ("ops", "dba"):
			self.refused(login, plain(codelib.APPROVAL, codelib.write_approval(digest[:4],
				self.compact[name][0], 1, signed)), f"not made with the share of {name}")

	def test_S13_one_custodian_by_two_ways_counts_once(self):
		login = self.at_share()
		login.answer(self.approval("audit"))
		login.expect("audit counted. Share 2 of 2")
		self.refused(login, self.approval("audit"), "audit is counted already")
		login.answer(self.stage.shares["audit"])
		self.assertIn("audit is counted already. Share 2 of 2", login.expect("Share 2 of 2"))
		login.answer(self.approval("ops"))
		self.opens(login)
		# it counted once, but it was typed here
		self.assertEqual(self.result_of("GRANTED"), ["key and quorum; typed here: audit"])

	def test_other_kinds_are_named(self):
		login = self.at_share()
		challenge = plain(codelib.REQUEST_CHALLENGE, codelib.write_request_challenge(self.challenge))
		touch = {"nonce": b"n" * 32, "seal_digest": b"s" * 32, "zone": "db", "host_label": "db1",
			"account": "breakglass", "service": "login", "origin": "/dev/tty1"}
		for kind, text in (("a request challenge", challenge[:320]), ("a touch challenge",
				plain(codelib.TOUCH_CHALLENGE, codelib.write_touch_challenge(touch))),
				("a touch answer", plain(codelib.TOUCH_ANSWER, codelib.write_touch_answer(
					b"tagg", b"cred", 5, 1, b"s" * 64)))):
			self.refused(login, text, f"That is {kind}; a share or an approval is wanted")

	def test_lines_of_two_codes(self):
		login = self.at_share()
		ours, theirs = self.approval("audit"), self.approval("ops")
		login.answer(ours[:64])
		login.expect("Good so far")
		self.refused(login, theirs[32:64], "of two codes")
		login.answer(ours)
		login.expect("audit counted.")

	def test_P17_used_ones_are_dead(self):
		login = self.at_share()
		texts = [self.approval("audit"), self.approval("dba"), self.response()]
		login.answer(texts[0])
		login.expect("Share 2")
		login.answer(texts[1])
		self.opens(login)
		for file in pamlib.Path("/run/breakglass/requests").iterdir():
			file.unlink()
		again = self.at_share()
		for text in texts:
			self.refused(again, text, "is for request")

	def test_each_bit_of_an_approval_and_a_response(self):
		"""As code lines with right checksums: what is left to notice it is the signature."""
		for kind, body in ((codelib.APPROVAL, "approval"), (codelib.RESPONSE, "response")):
			login = self.at_share()
			good = (codelib.approval(self.challenge, *self.private("audit")) if body == "approval"
				else codelib.response(self.challenge, self.exposed("ops", "dba"), self.quorum()))
			for bit in range(0, 8 * len(good)):
				wrong = bytearray(good)
				wrong[bit // 8] ^= 1 << bit % 8
				if bit % 50 == 49:  # a connection takes sixty refusals
					login.kill()
					login = self.stage.login()
					self.addCleanup(login.kill)
					self.stage.prove(login)
					login.expect("Share 1 of 2")
				login.answer(plain(kind, bytes(wrong)))
				self.assertRegex(login.expect("Share 1 of 2"), "(?s)That (approval|response)")
			login.answer(plain(kind, good))
			if kind == codelib.APPROVAL:
				login.expect("audit counted.")
				login.answer("new")
				login.expect("Reason")
				login.kill()
				self.stage.reset()
			else:
				self.opens(login)


class QrProgramTest(unittest.TestCase):
	"""bg-qr by itself: u32 length; columns u16, rows u16, text."""
	program = pamlib.BUILD / "bg-qr" / "bg-qr"

	def run_it(self, data, *arguments):
		done = pamlib.subprocess.run([self.program, *arguments], input=data, capture_output=True,
			env={}, timeout=20, check=False)
		self.assertEqual(done.stderr, b"")
		return done.returncode, done.stdout

	@staticmethod
	def request(text, columns=0, rows=0):
		body = struct.pack(">HH", columns, rows) + text
		return struct.pack(">I", len(body)) + body

	def test_what_fits_is_drawn_and_what_does_not_is_measured(self):
		wide, high = 21 + 4, 13
		for columns, rows, fits in ((0, 0, 1), (wide, high, 1), (wide - 1, high, 0), (wide, high - 1, 0)):
			status, out = self.run_it(self.request(b"cbde fghi\njklnrtuv", columns, rows))
			self.assertEqual(status, 0)
			self.assertEqual(struct.unpack(">IBHH", out[:9]), (len(out) - 4, fits, wide, high))
			picture = out[9:].decode()
			self.assertEqual(len(picture), (wide + 1) * high * fits)
			if fits:
				self.assertEqual(qrlib.read(qrlib.modules(picture.split("\n")[:-1])),
					"CBDEFGHIJKLNRTUV")

	def test_the_longest_challenge_fits_into_one(self):
		text = b"cbdefghijklnrtuv" * 64  # as many characters as a code may have
		status, out = self.run_it(self.request(text))
		picture = out[9:].decode().split("\n")[:-1]
		self.assertEqual((status, qrlib.read(qrlib.modules(picture))), (0, text.decode().upper()))

	def test_anything_else_is_refused_without_a_word(self):
		good = self.request(b"cbde")
		for name, data, arguments in (("nothing", b"", ()), ("half a length", good[:3], ()),
				("cut", good[:-1], ()), ("no text", struct.pack(">IHH", 4, 0, 0), ()),
				("a length of everything", b"\xff" * 4 + good, ()),
				("too long", self.request(b"c" * 2049), ()), ("an argument", good, ("-h",))):
			with self.subTest(name):
				self.assertEqual(self.run_it(data, *arguments), (1, b""))

	def test_it_is_nobody_and_ends_by_itself(self):
		with pamlib.subprocess.Popen([self.program], stdin=pamlib.subprocess.PIPE, env={}) as child:
			status = pamlib.Path(f"/proc/{child.pid}/status")
			pamlib.wait_until("rights dropped", lambda: re.search(r"\nUid:(\t65534){4}\n",
				status.read_text()))
			text = status.read_text()
			for line in ("Gid:" + "\t65534" * 4, "Groups:\t ", "CapEff:\t" + "0" * 16,
					"NoNewPrivs:\t1"):
				self.assertIn(f"\n{line}\n", text)
			self.assertEqual(child.wait(20), -14)  # its alarm: nothing was said


class PolicyTest(CodesCase):
	policy = {"remote": "touch"}

	def at_share(self, start=None, **more):
		login = self.stage.login()
		self.addCleanup(login.kill)
		self.prompt = self.stage.to_share(login)
		return login

	def test_a_policy_without_approve_and_combine(self):
		login = self.at_share()
		self.assertNotIn("challenge", self.prompt)
		self.challenge = {"set": b"s" * 16, "epoch": 1, "nonce": b"n" * 16, "purpose": "emergency",
			"seal_digest": b"d" * 32, "host_label": "db1", "account": "breakglass", "uid": 1,
			"key": "a", "holder": "h", "reason": "r", "session_seconds": 1, "service": "login",
			"origin": "o"}
		login.answer(self.approval("audit"))
		self.assertRegex(" ".join(login.expect("Share 1 of 2").split()),
			"This seal takes no approvals from elsewhere")
		login.answer("code")
		self.assertNotRegex(login.expect(""), "challenge")


class WidthTest(unittest.TestCase):
	def test_the_first_prompt_fits_a_small_terminal(self):
		stage = pamlib.Stage(custodians=("c" * 12, "d" * 12, "e" * 12), label="h" * 24,
			account="a" * 16, holder="W" * 24, phone="+1 (555) 555-0100 ext. {:02}")
		self.addCleanup(stage.close)
		with stage.login(service="sshd", tty="ssh", rhost="r" * 64, fork=True) as login:
			prompt = stage.to_share(login, reason="r" * 64)
			self.assertLessEqual(prompt.count("\n"), 23)
			for line in prompt.split("\n"):
				self.assertLessEqual(len(line), 79, line)
			self.assertTrue(re.search("Request challenge, for custodians elsewhere", prompt))


if __name__ == "__main__":
	pamlib.enter()
	assert CUSTODIANS
	unittest.main()
