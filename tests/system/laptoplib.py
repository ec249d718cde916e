# SPDX-License-Identifier: BSD-2-Clause
"""What is somewhere else: codes as a person copies them off a screen, and laptops where bg-unlock runs
on a terminal of 80x24 for an unprivileged user without a network.

	laptop = Laptop(box)
	approval = laptop.approve(person.challenge("request"), box.shares["dba"])
	person.pastes(approval)
"""
import re

import pexpect

MODHEX = "cbdefghijklnrtuv"
KINDS = ("touch", "touch answer", "request", "approval", "response", "refusal")
LINE = re.compile(rf"(?<![a-z])(?:[{MODHEX}]{{4}} ){{7}}[{MODHEX}]{{4}}(?![a-z])")
ONE_LINE = re.compile(rf"(?<![a-z])(?:[{MODHEX}]{{32}})+(?![a-z])")


def head(line):
	"""A code line's kind and number, from its first byte."""
	byte = MODHEX.index(line[0]) << 4 | MODHEX.index(line[1])
	return byte >> 5, byte & 31


def codes_in(text):
	"""The codes that a screen shows in groups of four, oldest first: (kind, its lines in order)."""
	found = []
	for match in LINE.finditer(text):
		kind, number = head(match.group())
		if number == 0 or not found or found[-1][0] != kind:
			found.append((kind, {}))
		found[-1][1][number] = match.group()
	return [(KINDS[kind] if kind < len(KINDS) else str(kind),
		[lines[number] for number in sorted(lines)]) for kind, lines in found]


def last_code(text, kind):
	"""The lines of the last code of a kind; AssertionError if none was shown."""
	for found, lines in reversed(codes_in(text)):
		if found == kind:
			return lines
	raise AssertionError(f"no {kind} code on the screen:\n{text}")


def one_line(text):
	"""The code that a tool printed as one line, to be pasted; AssertionError if there is none."""
	found = ONE_LINE.findall(text)
	if not found:
		raise AssertionError(f"no code on one line:\n{text}")
	return max(found, key=len)


class Typist:
	"""Somebody at a terminal; `screen` is everything that was seen. What is typed and what is pasted
	is counted: `keystrokes`, the Enter included, and `pasted` characters."""

	def __init__(self, box, child, door):
		self.box = box
		self.child = child
		self.door = door
		self.screen = ""
		self.keystrokes = 0
		self.pasted = 0

	def __enter__(self):
		return self

	def __exit__(self, *exc):
		self.hang_up()

	def sees(self, pattern, timeout=20):
		"""Waits for a text; gives what came until its end, printable and without CR."""
		try:
			self.child.expect(pattern, timeout=timeout)
		except (pexpect.TIMEOUT, pexpect.EOF):
			raise AssertionError(f"{self.door}: waited in vain for {pattern!r}; seen:\n"
				f"{self.screen}{self.child.before}") from None
		after = self.child.after if isinstance(self.child.after, str) else ""
		seen = (self.child.before + after).replace("\r", "")
		self.screen += seen
		return seen

	def types(self, text):
		self.keystrokes += len(text) + 1
		self.child.sendline(text)

	def pastes(self, text):
		"""Pastes a text, of several lines perhaps, and presses Enter."""
		self.pasted += len(text)
		self.keystrokes += 1
		self.child.send(text.replace("\n", "\r") + "\r")

	def leaves(self, char="c"):
		self.child.sendcontrol(char)

	def hang_up(self):
		self.child.close()


class Laptop:
	"""A machine that is not the server: bg-unlock, an unprivileged user, no network, no seal, no
	configuration. `keystrokes` and `pasted` add up what was done there."""

	def __init__(self, box, user="laptop"):
		self.box = box
		self.user = user
		self.keystrokes = self.pasted = 0
		self.watch = None  # what a demonstration shows of its screen
		box.run(f"id -u {user} >/dev/null 2>&1 || useradd -m -s /bin/bash {user}")

	def starts(self, *argv):
		"""A command on a terminal of 80x24, without network and privileges; a Typist."""
		child = self.box.spawn(["unshare", "-n", "setpriv", f"--reuid={self.user}",
			f"--regid={self.user}", "--clear-groups", "--no-new-privs", "--inh-caps=-all",
			"--bounding-set=-all", "env", "-C", "/", f"HOME=/home/{self.user}", *argv])
		child.logfile_read = self.watch
		return Typist(self.box, child, f"laptop of {self.user}")

	def ends(self, typist, status=0):
		"""Until the command ends; all that it showed. Adds up what was typed."""
		typist.sees(pexpect.EOF)
		typist.child.close()
		self.keystrokes += typist.keystrokes
		self.pasted += typist.pasted
		assert typist.child.exitstatus == status, (typist.child.exitstatus, typist.screen)
		return typist.screen

	def holds(self, key):
		"""The security key is in this laptop's socket: its device is this user's."""
		self.box.run(f"chown {self.user} /run/softkey/{key}")
		return f"/run/softkey/{key}"

	def approve(self, challenge, share, *options):
		"""One custodian's way: the challenge's lines, the share, yes; gives the approval."""
		with self.starts("bg-unlock", "approve", *options) as typist:
			typist.sees(r"[Cc]hallenge[^\n]*: ?$")
			typist.pastes("\n".join(challenge))
			typist.sees(r"[Ss]hare[^\n]*: ?$")
			typist.types(share)
			typist.sees(r"yes[^\n]*: ?$")
			typist.types("yes")
			return one_line(self.ends(typist))

	def refuse(self, challenge, share):
		"""The same way to a refusal."""
		return self.approve(challenge, share, "--refuse")

	def combine(self, challenge, shares):
		"""Custodians gathered here agree and come one after the other; gives the response."""
		with self.starts("bg-unlock", "combine") as typist:
			typist.sees(r"[Cc]hallenge[^\n]*: ?$")
			typist.pastes("\n".join(challenge))
			typist.sees(r"yes[^\n]*: ?$")
			typist.types("yes")
			for number, share in enumerate(shares, 1):
				if number > 1:
					typist.sees(r"next custodian[^\n]*: ?$")
					typist.types("")
				typist.sees(rf"Share {number} of [^\n]*: ?$")
				typist.types(share)
			return one_line(self.ends(typist))

	def touch(self, challenge, key, pin):
		"""The key holder's way: the challenge's lines, yes, the PIN, a touch; gives the answer."""
		with self.starts("bg-unlock", "touch", "--device", self.holds(key)) as typist:
			typist.sees(r"[Cc]hallenge[^\n]*: ?$")
			typist.pastes("\n".join(challenge))
			typist.sees(r"[^\n]*yes[^\n]*: ?$")
			typist.types("yes")
			typist.sees(r"PIN[^\n]*: ?$")
			typist.types(pin)
			self.box.softkey_ctl(key, "wait-touch", "10000")
			self.box.softkey_ctl(key, "touch")
			return one_line(self.ends(typist))
