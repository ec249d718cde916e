#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What ./demo tells: a server nobody can log in to, a security key, three custodians, four ways in.

Every step is checked; the status is 0 only if each ended as it should.
"""
import argparse
import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import doorlib
from boxlib import CACHE, SOFTKEY, BoxError
from laptoplib import Laptop
from wayslib import approval, give_one, opened, prove, response, satisfy, typed

TOUCH_FILE = CACHE / "demo.leader"
WIDTH = 80


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


class Way:
	"""One way in: what it takes until the shell. Keystrokes and pasted characters at the door, and
	at laptops."""

	def __init__(self, title, laptop):
		self.title = title
		self.laptop = laptop
		self.before = (laptop.keystrokes, laptop.pasted)
		self.start = time.monotonic()
		self.people = []
		self.counts = ()

	def ends(self):
		self.counts = (time.monotonic() - self.start,
			sum(p.keystrokes for p in self.people), sum(p.pasted for p in self.people),
			self.laptop.keystrokes - self.before[0], self.laptop.pasted - self.before[1])

	def row(self):
		return "{:38} {:4.1f} s {:7} {:6} {:7} {:6}".format(self.title, *self.counts)


class ShownLaptop(Laptop):
	"""What happens at a laptop is shown: each verb in full the first time."""

	def __init__(self, box, tee):
		super().__init__(box)
		self.tee = tee
		self.verbs = set()
		self.approval = None  # the last one

	def approve(self, challenge, share):
		self.approval = super().approve(challenge, share)
		return self.approval

	def starts(self, *argv):
		again = argv[1] in self.verbs
		self.verbs.add(argv[1])
		self.watch = None if again else self.tee
		self.tee.write(f"\r\n   -- at a laptop, offline: {' '.join(argv[:2])}"
			f"{' (as before)' if again else ''}\r\n")
		return super().starts(*argv)

	def ends(self, typist, status=0):
		screen = super().ends(typist, status)
		self.tee.write("   -- at the door again\r\n")
		return screen


class Story:
	def __init__(self, box, tee):
		self.box = box
		self.tee = tee
		self.number = 0
		self.laptop = None
		self.ways = []

	def say(self, text):
		print(text, flush=True)

	@contextlib.contextmanager
	def step(self, title):
		self.number += 1
		self.say("\n" + textwrap.fill(f"== {self.number}. {title}", WIDTH - 1,
			subsequent_indent="   "))
		start = time.monotonic()
		yield
		self.say(f"   ({time.monotonic() - start:.1f} s)")

	def expect(self, claim, is_true, detail=""):
		self.say(textwrap.fill(f"{'yes' if is_true else 'NO'}: {claim}", WIDTH - 1,
			initial_indent="   ", subsequent_indent="      "))
		if not is_true:
			raise AssertionError(f"{claim} {detail}")

	def events(self, since, *wanted):
		"""The events since a mark are these, in this order."""
		got = self.box.event_names(since)
		self.expect("recorded: " + ", ".join(wanted), got == list(wanted), f"but it was {got}")

	def has_event(self, since, name):
		self.expect(f"recorded: {name}", name in self.box.event_names(since),
			f"in {self.box.event_names(since)}")

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
				self.say("")

	def ssh(self, until=None, **options):
		return self.person(self.box.ssh_door(**options), until)

	# The steps

	def packages(self, debs):
		with self.step("Install the two packages with apt, in a freshly booted Debian 12"):
			for deb in debs:
				self.say(f"   {Path(deb).name}")
			self.box.install_packages(*debs)
			self.expect("an ordinary login is as before: common-auth asks pam_unix after us",
				"pam_unix.so" in self.box.read("/etc/pam.d/common-auth"))

	def ceremony(self):
		with self.step("The ceremony: one security key, three custodians, two of them suffice"):
			self.box.add_key("a")
			self.box.add_ssh_key("a")
			# each session needs its own quorum, so that each way below is a whole one
			self.box.shares = self.box.init(policy={"reentry": "no"})
			self.say("   Each custodian's share, dealt and read back:")
			for name, words in self.box.shares.items():
				self.say(f"     {name:6} {' '.join(words.split()[:4])} ... "
					f"({len(words.split())} words)")
			self.box.key_is("here")

	def install(self):
		with self.step("Install the seal on the host: account, PAM, ssh, sudo, the own doors"):
			done = self.box.install(more="--door sshd")
			lines = (done.out + done.err).splitlines()
			self.say(f"   {sum(li.startswith('did: ') for li in lines)} steps, each told; and:")
			for line in lines:
				if not line.startswith("did: "):
					self.say(f"   {line}")
			check = self.box.run("bg-unlock check", check=False)
			told = check.out.splitlines() or [check.err.strip()]
			self.say(f"   bg-unlock check: {told[0]}")
			for line in told[1:]:
				if line.startswith(("WARNING", "CRITICAL")):
					self.say(f"   {line}")
			self.expect("nothing is critical", check.rc in (0, 1), check.out)

	@contextlib.contextmanager
	def way(self, letter, short, title, *events):
		"""A step that is a way in, and what it records."""
		since = self.box.mark()
		with self.step(f"Way {letter}: {title}"):
			way = Way(f"{letter}  {short}", self.laptop)
			yield way
			self.box.wait_event("SESSION_CLOSED", since)
			self.events(since, *events, "GRANTED", "SESSION_OPENED", "SESSION_ESCALATED",
				"SESSION_CLOSED")
		self.ways.append(way)

	@contextlib.contextmanager
	def at(self, way, *door):
		with self.person(opened(self.box, *door)) as person:
			way.people.append(person)
			yield person

	def is_root(self, way, person):
		person.shell()
		way.ends()
		person.types("sudo id")
		person.sees(r"uid=0\(root\)")
		person.sees(doorlib.PROMPT)
		self.tee.end_cast()
		person.leaves_shell()

	def console(self):
		gives = (typed("audit"), typed("dba"))
		with self.way("a", "console: key, two shares read out", "02:00, the directory is down. At "
				"the console: key, PIN, touch, two shares", "ATTEMPT", "REQUEST_OPENED",
				"SHARE_ACCEPTED", "SHARE_ACCEPTED") as way:
			with self.at(way, "login") as person:
				satisfy(person, "here", gives, self.laptop)
				self.is_root(way, person)

	def by_ssh(self):
		with self.way("b", "ssh: security key, two approvals", "ssh with the security key at the "
				"laptop, two approvals from custodians at home", "ATTEMPT", "REQUEST_OPENED",
				"APPROVAL_ACCEPTED", "APPROVAL_ACCEPTED") as way:
			with self.at(way, "ssh", "ssh") as person:
				satisfy(person, "ssh", (approval("audit"), approval("dba")), self.laptop)
				self.is_root(way, person)

	def by_serial(self):
		with self.way("c", "serial: relayed touch, one response", "A serial console: the touch is "
				"relayed, two custodians at one laptop", "ATTEMPT", "REQUEST_OPENED",
				"APPROVAL_ACCEPTED") as way:
			with self.at(way, "login", "touch") as person:
				satisfy(person, "touch", (response("audit", "dba"),), self.laptop)
				self.is_root(way, person)

	def mixed(self):
		with self.way("d", "ssh, line drops, own console: a mix", "ssh and one approval; the line "
				"drops; on at the emergency console with a typed share", "ATTEMPT",
				"REQUEST_OPENED", "APPROVAL_ACCEPTED", "ATTEMPT", "REQUEST_OPENED",
				"SHARE_ACCEPTED") as way:
			with self.at(way, "ssh", "ssh") as person:
				prove(person, "ssh", self.laptop)
				person.reason()
				give_one(person, approval("ops"), self.laptop)
				person.sees("Share 2 of 2 [^\n]*: ")
				person.dies()
			self.say("   The line dropped. At the emergency console:")
			with self.at(way, "own console", "touch") as person:
				prove(person, "touch", self.laptop)
				give_one(person, typed("dba"), self.laptop)
				self.is_root(way, person)

	def table(self):
		with self.step("Four ways, until the shell: machine time, keystrokes, pasted characters"):
			self.say(f"   {'':47} at the door    at laptops")
			self.say(f"   {'':47} typed pasted   typed pasted")
			for way in self.ways:
				self.say("   " + way.row())

	@staticmethod
	def to_shares(person):
		"""Up to the prompt for a share: a new request asks the reason, one taken up again does not."""
		person.pin()
		share = r"Share \d of \d[^\n]*: "
		seen = person.sees(r"Reason \(ticket, what is broken\): |" + share)
		if "Reason" in seen:
			person.types(doorlib.REASON)
			seen = person.sees(share)
		return seen

	def wrong(self):
		shares, other = self.box.shares, self.box.init("other")
		words = shares["dba"].split()
		since = self.box.mark()
		self.box.key_is("here")
		with self.step("Refused, each named, nothing else lost: a wrong word, a wrong share, a share "
				"of another set, an approval of way b"):
			with self.ssh(until=self.to_shares) as person:
				person.types(" ".join(words[:6] + ["flme"] + words[7:]))
				person.sees(r'word 7 "flme" is not in the list\.')
				person.sees(r"Word 7 of the share of dba: ")
				person.types(" ".join(words[6:19] + ["academic"]))
				person.sees("The share of dba does not add up")
				person.sees("Word 20 of the share of dba: ")
				person.types(other["dba"])
				person.sees("another set[^\n]*\n[^\n]*: ")
				person.pastes(self.laptop.approval)
				person.sees("That approval is for request [^\n]*\n[^\n]*: ")
				person.leaves()
			self.has_event(since, "SHARE_REFUSED")
			self.has_event(since, "APPROVAL_REFUSED")

	def reseal(self):
		with self.step("Reseal: this host and a laptop have seen shares, so a new set is dealt; "
				"the old one retires"):
			self.old = dict(self.box.shares)
			self.box.softkey_ctl("a", "auto", "on")
			lines = [self.old["ops"], self.old["dba"], doorlib.PIN]
			self.box.run("mkdir -m 700 /root/second.shares && cd /root && bg-unlock reseal "
				"breakglass.seal -o second.seal --shares-to second.shares --stdin --pin-stdin "
				"--contacts breakglass.contacts --device /run/softkey/a",
				input="\n".join(lines) + "\n")
			self.box.softkey_ctl("a", "auto", "off")
			self.box.shares = self.box.read_shares("/root/second.shares")
			self.box.run("bg-unlock install /root/second.seal --contacts /root/breakglass.contacts")
			self.expect("epoch 2 is in force",
				"epoch = 2" in self.box.read("/etc/breakglass/accounts/breakglass/host"))

	def retired(self):
		since = self.box.mark()
		with self.step("Refused: a share that the reseal retired"):
			with self.ssh(until=self.to_shares) as person:
				person.types(self.old["dba"])
				person.sees("retired")
				person.leaves()
			self.has_event(since, "SHARE_REFUSED")

	def no_key(self):
		since = self.box.mark()
		self.box.softkey_ctl("a", "unplug")
		with self.step("Refused: no security key"):
			with self.ssh() as person:
				person.sees(r"No security key here\.[^:]*: ")
				person.leaves()
			self.has_event(since, "ATTEMPT")
		self.box.softkey_ctl("a", "plug")

	def public_key_alone(self):
		box, since = self.box, self.box.mark()
		with self.step("Refused: an ssh public key that somebody slipped in, without anything else"):
			box.run("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/thief && "
				"install -m 644 /root/.ssh/thief.pub /etc/ssh/thief.pub")
			box.write("/etc/ssh/sshd_config.d/00-thief.conf", f"Match User {doorlib.ACCOUNT}\n"
				"\tPubkeyAuthentication yes\n\tAuthenticationMethods publickey\n"
				"\tPubkeyAcceptedAlgorithms ssh-ed25519\n\tPubkeyAuthOptions none\n"
				"\tAuthorizedKeysFile /etc/ssh/thief.pub\n")
			box.run("systemctl reload ssh")
			try:
				with self.ssh(key="/root/.ssh/thief") as person:
					person.sees("closed|denied|refused|Permission")
			finally:
				box.run("rm /etc/ssh/sshd_config.d/00-thief.conf && systemctl reload ssh")
			self.has_event(since, "BYPASS_BLOCKED")

	def su_by_root(self):
		since = self.box.mark()
		with self.step("Refused: su to the account, by root"):
			done = self.box.run("su breakglass -c id", check=False)
			self.say("   " + (done.out + done.err).strip())
			self.expect("refused", done.rc != 0)
			self.has_event(since, "BYPASS_BLOCKED")

	def tell(self):
		box = self.box
		with self.step("The story, as bg-unlock log show tells it"):
			done = box.run("bg-unlock log show", check=False)
			self.say(done.out.rstrip())
			self.expect("told", done.rc == 0, done.err)
			verify = box.run("bg-unlock log verify", check=False)
			self.say("   " + (verify.out + verify.err).strip())
			self.expect("the chain is whole", verify.rc == 0)
		with self.step("The same in the journal and in syslog, each record exactly once"):
			for record in box.events():
				box.everywhere_once(record)
			granted = next(e for e in box.events() if e["event"] == "GRANTED")
			for line in box.wait_syslog(f"chain={granted['seq']}:")[:1]:
				self.say("   " + line)
			self.expect(f"{len(box.events())} records, each once in chain, journal and syslog", True)

	def run(self, debs):
		with self.step("Boot a Debian 12 in a container: systemd, journald, rsyslog, sshd"):
			self.say(f"   up after {self.box.boot():.1f} s")
			self.box.run(": >/etc/motd; chmod -x /etc/update-motd.d/*")
		self.packages(debs)
		self.ceremony()
		self.install()

	def all(self):
		self.laptop = ShownLaptop(self.box, self.tee)
		self.console()
		self.by_ssh()
		self.by_serial()
		self.mixed()
		self.table()
		self.wrong()
		self.reseal()
		self.retired()
		self.no_key()
		self.public_key_alone()
		self.su_by_root()
		self.tell()


def hands_on(box):
	"""A terminal for the person who started this; the key is touched by another command."""
	TOUCH_FILE.write_text(f"{box.leader}\n")
	print(f"""
You are root in the container now; the host is protected. Try:

    ssh breakglass@127.0.0.1       PIN {doorlib.PIN}; then, in another terminal of yours:
                                   sudo ./demo --touch
    cat /root/breakglass.shares/*  the custodians' shares, to type or to paste
    bg-unlock log show             afterwards
    exit                           ends the demo; everything is removed
""", flush=True)
	try:
		subprocess.run(box._nsenter() + box._environ({"TERM": os.environ.get("TERM", "linux")})
			+ ["/bin/bash", "-l"], check=False)
	finally:
		TOUCH_FILE.unlink(missing_ok=True)


def touch():
	if not TOUCH_FILE.exists():
		sys.exit("demo: error: nobody is at ./demo --shell just now")
	leader = TOUCH_FILE.read_text().strip()
	sys.exit(subprocess.run(["nsenter", "-t", leader, "-m", "-p", "-r", "-w", "--", SOFTKEY, "ctl",
		"/run/softkey/a.ctl", "touch"], check=False).returncode)


def main():
	parser = argparse.ArgumentParser(prog="demo")
	parser.add_argument("--shell", action="store_true", help="try it by hand")
	parser.add_argument("--touch", action="store_true", help="touch the key of a running --shell")
	parser.add_argument("--cast", metavar="FILE", help="also write what was on the terminal")
	options = parser.parse_args()
	if options.touch:
		touch()
	for number in (signal.SIGTERM, signal.SIGHUP):
		signal.signal(number, lambda *_: sys.exit(1))
	start = time.monotonic()
	debs = doorlib.packages()
	try:
		with doorlib.DoorBox("db1") as box:
			story = Story(box, Tee(options.cast))
			story.run(debs)
			if options.shell:
				hands_on(box)
				return
			story.all()
	except (AssertionError, BoxError) as error:
		print(f"\ndemo: error: {error}", file=sys.stderr)
		sys.exit(1)
	except KeyboardInterrupt:
		print("\ndemo: interrupted; the container is gone", file=sys.stderr)
		sys.exit(130)
	print(f"\nAll {story.number} steps ended as they should, in {time.monotonic() - start:.0f} s. "
		"The container is gone.")


if __name__ == "__main__":
	main()
