#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every way through the dialogue at the real doors, sshd and login(1) on a terminal, as a table: what
the person does, what the screen says, how it ends, and what is recorded."""
import fcntl
import struct
import sys
import termios
import unittest
from collections import namedtuple
from pathlib import Path

from boxlib import wait_until
from doorlib import PIN, REASON, DoorCase, packages

sys.path.insert(0, str(Path(__file__).parents[1] / "pam"))
import qrlib  # noqa: E402

SERVICE = {"ssh": "sshd", "login": "login"}
BOTH = ("ssh", "login")

# What a person does: each makes a step, a function of the Person.


def pin(value=PIN, key="a"):
	return lambda p: p.pin(value, key)


def pin_untouched(value=PIN):
	return lambda p: p.pin(value, touch=False)


def reason(text=REASON):
	return lambda p: p.reason(text)


def share(name):
	return lambda p: p.share(name)


def words(text):
	"""Answers the next question for shares with a text: of the box's, if it is a function."""
	return lambda p: (p.sees(r"(Share \d+ of \d+ |Word \d+|go on)[^\n]*: "),
		p.types(text(p.box) if callable(text) else text))


def sees(pattern):
	return lambda p: p.sees(pattern)


def types(text):
	return lambda p: p.types(text)


def leaves(char):
	return lambda p: p.leaves(char)


def key(command, name="a"):
	return lambda p: p.box.softkey_ctl(name, *command.split())


def touched(command, name="a"):
	"""Waits until the key blinks, then does this to it."""
	return lambda p: (p.box.softkey_ctl(name, "wait-touch", "10000"),
		p.box.softkey_ctl(name, *command.split()))


def tries(number):
	"""The key itself says how many are left."""
	return lambda p: wait_until(f"{number} tries left", lambda:
		f"pin-retries={number} " in p.box.softkey_ctl("a", "count"), 5)


def cut(name, first, last):
	return lambda box: " ".join(box.shares[name].split()[first:last])


def whole(name):
	return lambda box: box.shares[name]


def prefixes(name):
	return lambda box: " ".join(word[:4] for word in box.shares[name].split())


def misread(name):
	"""One word taken for another one of the list."""
	def text(box):
		said = box.shares[name].split()
		said[11] = "academic" if said[11] != "academic" else "acid"
		return " ".join(said)
	return text


def unheard(name):
	def text(box):
		said = box.shares[name].split()
		said[6] = "flme"
		return " ".join(said)
	return text


def on_the_sheet(name):
	"""Numbered, upper case, with the spaces that a word processor makes."""
	return lambda box: "\u00a0".join(f"{i}. {word.upper()}"
		for i, word in enumerate(box.shares[name].split(), 1))


def modhex(name, change=str):
	return lambda box: change(box.modhex[name])


ELSEWHERE = r",\s+or type touch to use one elsewhere: "
NO_KEY = r"No security key here\. Plug one in and press Enter" + ELSEWHERE

# What is recorded: event, pattern of its result.
TRIED = [("ATTEMPT", "^no key proved yet$")]
PROVED = TRIED + [("REQUEST_OPENED", "^key proved$")]
AUDIT = ("SHARE_ACCEPTED", "^audit typed here$")
DBA = ("SHARE_ACCEPTED", "^dba typed here$")
OPEN = [("GRANTED", "^key and quorum; typed here: [a-z, ]+$"), ("SESSION_OPENED", "^open$"),
	("SESSION_CLOSED", r"^closed after \d+ s; a review is due$")]
CLEAN = PROVED + [AUDIT, DBA] + OPEN


def refused(pattern, event="SHARE_REFUSED"):
	return [(event, pattern)]


def key_refused(pattern):
	return [("KEY_REFUSED", pattern)]


MISREAD = refused("word 12 looks misread")

# `ends`: how the steps end: "opens" (to a shell, then left), "denied" (this try), "ended" (the door),
# "stands" (still asking: the person goes away).
# `before`: what happens to the keys before anybody comes.
Row = namedtuple("Row", "name steps ends events seen doors before", defaults=((), BOTH, ()))
START = [pin(), reason()]
REST = [share("audit"), share("dba")]

QUORUM = [
	Row("right key and quorum", START + REST, "opens", CLEAN, (
		r"BREAK-GLASS breakglass@db1  set [0-9A-Z]{4} epoch 2  key a \(oncall\)  request [0-9A-Z]{4}\n",
		r" need 2 of: ops \+1 555 0101, dba \+1 555 0102, audit \+1 555 0103   (9|10) min\n",
		r"Share 1 of 2 \(words, or their first 4 letters; \? helps\): ",
		r"audit counted\. Share 2 of 2 \(ops or dba; (9|10) min left\): ",
		r"OPEN until \d\d:\d\d UTC \(4 h\), recorded, by dba and audit\.\n",
		r" Afterwards: review [0-9A-Z]{4}; reseal is due \(2 shares were typed here\)\.")),
	Row("one share less than the quorum", START + [share("audit"), sees("Share 2 of 2 .*: ")],
		"stands", PROVED + [AUDIT]),
	Row("one share, then nothing", START + [share("audit"), words(""), words(""), words("")],
		"denied", PROVED + [AUDIT] + refused("^no share was typed$", "DENIED"),
		(r"Nothing was typed\. Share 2 of 2 ",)),
	Row("wrong then right", START + [words(misread("audit")), words(whole("audit")), share("dba")],
		"opens", PROVED + MISREAD + CLEAN[2:],
		(r"The share of audit does not add up: word 12 looks misread\.\s+Word 12 of the share of ",)),
	Row("right then wrong then right", START + [share("audit"), words(misread("dba")),
		words(cut("dba", 11, 12))], "opens", PROVED + [AUDIT] + MISREAD + [DBA] + OPEN,
		(r"audit counted\. Share 2 of 2", r"The share of dba does not add up", "Word 12 of the share")),
	Row("a word that is none", START + [words(unheard("audit")), words(cut("audit", 6, 7)),
		share("dba")], "opens", PROVED + refused("^a word that is not in the list$") + CLEAN[2:],
		(r' word 7 "flme" is not in the list\.\s+Word 7 of the share of audit: ',)),
	Row("same share twice", START + [share("audit"), share("audit"), share("dba")], "opens",
		PROVED + [AUDIT] + refused(r"^audit is counted already\.$") + [DBA] + OPEN,
		(r"audit is counted already\. Share 2 of 2 \(ops or dba; ",)),
	Row("retired epoch", START + [words(lambda box: box.retired["audit"])] + REST, "opens",
		PROVED + refused(r"(is|are of) retired.*epoch 1") + CLEAN[2:],
		(r"retired.*epoch 1.*set [0-9A-Z]{4} epoch 2 is wanted\.",)),
	Row("other set", START + [words(lambda box: box.other["audit"])] + REST, "opens",
		PROVED + refused("of another set") + CLEAN[2:], (r"of another set.* is wanted\.",)),
	Row("retired quorum", START + [words(lambda box: box.retired["audit"]),
		words(lambda box: box.retired["dba"]), sees("Share 1 of 2")], "stands",
		PROVED + refused("epoch 1") * 2),
	Row("modhex", START + [words(modhex("audit")), words(modhex("dba", str.upper))], "opens", CLEAN),
	Row("modhex of a retired epoch", START + [words(lambda box: box.retired_modhex["audit"])] + REST,
		"opens", PROVED + refused(r"^That share of audit is retired \(epoch 1\)") + CLEAN[2:]),
	Row("prefixes", START + [words(prefixes("audit")), words(prefixes("dba"))], "opens", CLEAN),
	Row("as on the sheet", START + [words(on_the_sheet("audit")), words(on_the_sheet("dba"))],
		"opens", CLEAN),
	Row("in pieces", START + [words(cut("audit", 0, 9)), words(cut("audit", 9, 20)),
		words(cut("dba", 0, 1)), words(cut("dba", 1, 19)), words(cut("dba", 19, 20))],
		"opens", CLEAN, (r"audit: 9 of 20 words, go on: ", r"this share: 1 of 20 words, go on: ",
		r"dba: 19 of 20 words, go on: ")),
	Row("help, and a new request", START + [share("audit"), words("?"), words("new"), reason()] + REST,
		"opens", PROVED + [AUDIT, ("ABANDONED", "^dropped for a new request$"),
		("REQUEST_OPENED", "^key proved$"), AUDIT, DBA] + OPEN,
		(r"A wrong word costs only that word", r"BREAK-GLASS")),
]

KEYS = [
	Row("wrong PIN then right", [pin_untouched("654321"), tries(7)] + START + REST, "opens",
		TRIED + key_refused("^wrong PIN, tries left 7$") + CLEAN[1:],
		(r"Wrong PIN, 7 tries left\. Caps Lock\? Keyboard layout\?\nPIN of your",)),
	Row("P02 an empty PIN never reaches the key", [pin_untouched(""),
		lambda p: p.denied(), tries(8)], "stands", TRIED + key_refused("^no PIN was typed; nothing was sent$")),
	Row("key not enrolled", [], "refused", TRIED + key_refused("."), (), BOTH,
		("a unplug", "c plug")),
	Row("the enrolled key beside another one", START + REST, "opens", CLEAN, (), BOTH,
		("c plug",)),
	Row("no key, then plugged in", [
		sees(NO_KEY), types(""),
		sees(NO_KEY), key("plug"), types("")] +
		START + REST, "opens", CLEAN, (), BOTH, ("a unplug",)),
	Row("key pulled during the touch", [pin_untouched(), touched("unplug"),
		sees("The security key did not answer. Plug it in again and press Enter: "), key("plug"),
		types("")] + START + REST, "opens", CLEAN),
	Row("touch denied", [pin_untouched(), touched("deny"),
		sees("The security key did not answer. Plug it in again and press Enter: "), types("")] +
		START + REST, "opens", CLEAN),
	# After a row whose last answer was good: that one comes again, byte for byte.
	Row("replayed assertion", [pin()], "refused", TRIED + key_refused("."), (), BOTH,
		("a flags replay",)),
	Row("P03 assertion without UV", [pin()], "refused", TRIED + key_refused("."), (), BOTH,
		("a flags no-uv",)),
	Row("P03 assertion without UP", [pin()], "refused", TRIED + key_refused("."), (), ("ssh",),
		("a flags no-up",)),
	Row("assertion of a bad signature", [pin()], "refused", TRIED + key_refused("."), (), ("login",),
		("a flags bad-sig",)),
	Row("assertion of another credential", [pin()], "refused", TRIED + key_refused("."), (), ("ssh",),
		("a flags wrong-cred",)),
	Row("wrong flags, then right", [pin(), sees("not accepted.*: "), key("flags none"),
		types("")] + START + REST, "opens", TRIED + key_refused(".") + CLEAN[1:], (), BOTH,
		("a flags no-uv",)),
]

CONTROLS = "\x01\x02\x1b[mred\x07"
NOTHING_SENT = r"A PIN has 4 to 63 characters; nothing was sent, 8 tries left\.\nPIN of your"
TOO_LONG = r"Longer than 511 characters: nothing was taken\. Send it in pieces\.\s+Share 1 of 2"


def answers(size):
	"""The same oversized answer at each prompt, and then the right one."""
	return Row(f"an answer of {size} bytes at each prompt", [pin_untouched("7" * size), pin(),
		 reason("x" * size), reason(), words("y" * size)] + REST, "opens", CLEAN,
		(NOTHING_SENT, TOO_LONG))


ANSWERS = [
	answers(512),
	answers(4095),
	Row("P02 Ctrl-D at the PIN is a refusal", [sees("PIN of your"), leaves("d")], "ended", TRIED, (),
		("login",)),
	Row("P02 Ctrl-D at the reason", [pin(), sees("Reason"), leaves("d")], "ended", PROVED, (),
		("login",)),
	Row("P02 Ctrl-D at a share", START + [share("audit"), sees("Share 2 of 2"), leaves("d")],
		"ended", PROVED + [AUDIT], (), ("login",)),
	Row("P02 Ctrl-D at the client is an empty answer", [sees("PIN of your"), leaves("d")], "denied",
		TRIED + key_refused("^no PIN was typed; nothing was sent$"), (), ("ssh",)),
	Row("P02 no reason", [pin(), reason(""), reason("")] + REST, "opens", CLEAN,
		("At least 8 characters", r"MISSING is told as the reason; new begins anew\.")),
	Row("a reason too short", [pin(), reason("fix"), reason()] + REST, "opens", CLEAN,
		("At least 8 characters",)),
	Row("P02 empty shares, then right", START + [words(""), words("")] + REST, "opens", CLEAN,
		(r"Nothing was typed\. Share 1 of 2",)),
	Row("control characters at each prompt", [pin_untouched(CONTROLS), tries(7), pin(),
		reason("INC-1 " + CONTROLS), words(CONTROLS + " academic"), words("new"),
		reason()] + REST, "opens", TRIED + key_refused("^wrong PIN, tries left 7$") + PROVED[1:] +
		refused("^a word that is not in the list$") + [("ABANDONED", "^dropped for a new request$")] +
		CLEAN[1:], (r"Wrong PIN, 7 tries left\.", r'word 1 "\\x01\\x02\\x1b\[mred\.\.\." is not')),
]


class Doors(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.protect(packages())
		box.retired, box.retired_modhex = box.shares, box.modhex_of(box.shares)
		box.other = box.init(name="other", more="")
		box.shares = box.reseal()
		box.install_successor("/root/breakglass.seal.2")
		box.modhex = box.modhex_of(box.shares)
		box.add_key("c")
		box.use_devices("a", "c")

	def test_quorum(self):
		self.table(QUORUM)

	def test_keys(self):
		self.table(KEYS)

	def test_answers(self):
		self.table(ANSWERS)

	def test_qr_code_is_the_request_challenge_at_both_doors(self):
		"""Over ssh the size of the terminal is not known before the session, at the console it is."""
		for door, rows, columns, first in (("ssh", 24, 80, r"needs \d+\s+columns\s+and\s+\d+\s+rows of"),
				("login", 24, 80, r"this\s+terminal\s+has\s+80\s+and\s+24"), ("login", 60, 100, None)):
			with self.row(f"qr, {columns}x{rows}", door):
				self.box.fresh()
				with getattr(self.box, {"ssh": "ssh_door", "login": "console_door"}[door])() as person:
					fcntl.ioctl(person.child.fileno(), termios.TIOCSWINSZ,
						struct.pack("HHHH", rows, columns, 0, 0))
					person.pin()
					person.reason()
					person.sees("Share 1 of 2 .*: ")
					code = "".join(person.challenge()).replace(" ", "")
					person.types("qr")
					if first:
						self.assertRegex(person.sees("Share 1 of 2 .*: "), first)
						person.types("qr")
					seen = person.sees("Share 1 of 2 .*: ")
					if first and door == "login":
						self.assertNotIn("\u2588", seen)
						continue
					picture = [li for li in seen.split("\n") if "\u2588" in li]
					self.assertEqual(qrlib.read(qrlib.modules(picture)), code.upper())
					person.types(self.box.shares["audit"])
					person.share("dba")
					person.shell()
					person.leaves_shell()

	def play(self, row, door):
		"""One row at one door; the marks of the log before it and the person, gone again."""
		box = self.box
		box.fresh()
		for name, *command in map(str.split, row.before):
			box.softkey_ctl(name, *command)
		mark = box.mark()
		with getattr(box, {"ssh": "ssh_door", "login": "console_door"}[door])() as person:
			for step in row.steps:
				step(person)
			ENDS[row.ends](person)
		self.well_shown(person)
		for pattern in row.seen:
			self.assertRegex(person.seen(), pattern)
		if row.events is not None:
			self.records(mark, row.events, SERVICE[door])
		return mark

	def table(self, rows):
		for row in rows:
			for door in row.doors:
				with self.row(row.name, door):
					self.play(row, door)


def opens(person):
	person.shell()
	person.leaves_shell()


ENDS = {
	"opens": opens,
	"denied": lambda person: person.denied(),
	"ended": lambda person: person.ended(),
	"refused": lambda person: person.sees(
		"Security key not accepted. Plug in an enrolled one and press Enter" + ELSEWHERE),
	"stands": lambda person: None,
}

if __name__ == "__main__":
	unittest.main()
