# SPDX-License-Identifier: BSD-2-Clause
"""What the scenes of the demo are told with: steps with a title and a time, claims that are checked,
people and laptops whose screens are shown."""
import contextlib
import io
import re
import sys
import textwrap
import time

from boxlib import wait_until
from doorlib import ACCOUNT
from laptoplib import Laptop

WIDTH = 79
ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z])?")


class Tee(io.TextIOBase):
	"""What a terminal shows, to the screen and, if wanted, to a file; but what clears or switches a
	screen, which would take the story along."""

	def __init__(self, cast=None):
		self.cast = open(cast, "w", encoding="utf-8") if cast else None
		self.rest = ""  # an escape sequence that has only begun

	def write(self, text):
		text = self.rest + text
		begun = re.search(r"\x1b(\[[0-9;?]*)?$", text)
		self.rest = text[begun.start():] if begun else ""
		text = ESCAPE.sub("", text[:begun.start()] if begun else text)
		sys.stdout.write(text.replace("\r\n", "\n"))
		if self.cast:
			self.cast.write(text)
		return len(text)

	def flush(self):
		sys.stdout.flush()

	def end_cast(self):
		"""The picture is of the first login; what comes later is not in it."""
		if self.cast:
			self.cast.close()
			self.cast = None


class ShownLaptop(Laptop):
	"""What happens at a laptop is shown: each verb in full the first time."""

	def __init__(self, box, tee):
		super().__init__(box)
		self.tee = tee
		self.verbs = set()
		self.approval = None  # the last one

	def approve(self, challenge, share, *options):
		code = super().approve(challenge, share, *options)
		if not options:
			self.approval = code
		return code

	def starts(self, *argv):
		name = " ".join(word for word in argv if word == "--refuse" or word[0] not in "-/")
		again = name in self.verbs
		self.verbs.add(name)
		self.watch = None if again else self.tee
		self.tee.write(f"\r\n   -- at a laptop, offline: {name}"
			f"{' (as before)' if again else ''}\r\n")
		return super().starts(*argv)

	def ends(self, typist, status=0):
		screen = super().ends(typist, status)
		self.tee.write("   -- back at the host\r\n")
		return screen


class Stage:
	"""A box, and what is said of it."""

	def __init__(self, box, tee):
		self.box = box
		self.tee = tee
		self.laptop = None
		self.number = 0
		self.title = "nothing yet"
		self.proved = []  # for the end

	def say(self, text, indent="   ", more=""):
		"""A text, each of its lines folded to the screen's width."""
		for line in text.splitlines() or [""]:
			print(textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent + more,
				break_on_hyphens=False) or "", flush=True)

	@contextlib.contextmanager
	def step(self, title):
		self.number += 1
		self.title = title
		print()
		self.say(f"== {self.number}. {title}", "", "   ")
		start = time.monotonic()
		yield
		self.say(f"({time.monotonic() - start:.1f} s)")

	def expect(self, claim, is_true, detail=""):
		self.say(f"{'yes' if is_true else 'NO'}: {claim}", more="   ")
		if not is_true:
			raise AssertionError(f"{claim} {detail}")

	def runs(self, command, status=0, shown=None, is_page=False, answer=None):
		"""Root types it on the host, and an answer; what it says is shown, or what shown(lines)
		makes of it; a page that is as wide as the screen as it is."""
		self.say(f"# {command}", more="    ")
		done = self.box.run(f"{{ {command}; }} 2>&1", input=answer, check=False)
		lines = done.out.splitlines()
		for line in shown(lines) if shown else lines:
			if is_page:
				print(line)
			else:
				self.say(line, more="   ")
		if done.rc != status:
			raise AssertionError(f"{command} ended with {done.rc}, not {status}\n{done.out}")
		return done.out

	# What was recorded

	def seen(self, since):
		"""The account's events since a mark; alerts are delivered, and the other account's session
		ends, when they do."""
		return [e["event"] for e in self.box.events(since) if e.get("account") == ACCOUNT
			and not e["event"].startswith("ALERT_")]

	def events(self, since, *wanted):
		"""The events since a mark are these, in this order."""
		got = self.seen(since)
		self.expect("recorded: " + ", ".join(wanted), got == list(wanted), f"but it was {got}")

	def has_event(self, since, name):
		self.expect(f"recorded: {name}", name in self.seen(since), f"in {self.seen(since)}")

	def gone(self, pattern):
		"""Waits until no process has this command line."""
		wait_until(f"the end of all that is {pattern}", lambda: self.box.run(
			["pgrep", "-f", pattern], check=False).rc == 1, 20)

	# Who is shown

	@contextlib.contextmanager
	def person(self, door, until=None):
		"""Somebody at a door; shown from the start, or from where until(person) has led."""
		with door as person:
			if until:
				self.tee.write(" ...\r\n" + until(person).split("\n")[-1])
			else:
				self.tee.write((person.screen + person.child.buffer).lstrip()
					.replace("\n", "\r\n"))
			person.child.logfile_read = self.tee
			try:
				yield person
			finally:
				person.child.logfile_read = None
				print(flush=True)

	def ssh(self, until=None, **options):
		return self.person(self.box.ssh_door(**options), until)
