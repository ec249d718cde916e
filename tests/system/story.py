#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What ./demo tells: a server nobody can log in to, a security key, three custodians.

Every step is checked; the status is 0 only if each ended as it should.
"""
import argparse
import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import doorlib
from boxlib import CACHE, SOFTKEY, BoxError

TOUCH_FILE = CACHE / "demo.leader"
WIDTH = 80


class Tee(io.TextIOBase):
	"""What a terminal shows, to the screen and, if wanted, to a file."""

	def __init__(self, cast=None):
		self.cast = open(cast, "w", encoding="utf-8") if cast else None

	def write(self, text):
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


class Story:
	def __init__(self, box, tee):
		self.box = box
		self.tee = tee
		self.number = 0
		self.start = self.last = time.monotonic()

	def say(self, text):
		print(text, flush=True)

	@contextlib.contextmanager
	def step(self, title):
		self.number += 1
		self.say(f"\n== {self.number}. {title}")
		start = time.monotonic()
		yield
		self.say(f"   ({time.monotonic() - start:.1f} s)")

	def expect(self, claim, is_true, detail=""):
		self.say(f"   {'yes' if is_true else 'NO'}: {claim}")
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
	def person(self, door):
		with door as person:
			person.child.logfile_read = self.tee
			try:
				yield person
			finally:
				person.child.logfile_read = None
				self.say("")

	def ssh(self, **options):
		return self.person(self.box.ssh_door(**options))

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
			self.box.shares = self.box.init()
			self.say("   Each custodian's share, dealt and read back:")
			for name, words in self.box.shares.items():
				self.say(f"     {name:6} {' '.join(words.split()[:4])} ... "
					f"({len(words.split())} words)")
			self.box.write("/etc/breakglass/breakglass.conf",
				"[breakglass]\ndevice = /run/softkey/a\n")

	def install(self):
		with self.step("Install the seal on the host: account, PAM, ssh, sudo"):
			done = self.box.install()
			for line in (done.out + done.err).splitlines():
				self.say(f"   {line}")
			check = self.box.run("bg-unlock check", check=False)
			told = check.out.splitlines() or [check.err.strip()]
			self.say(f"   bg-unlock check: {told[0]}")
			for line in told[1:]:
				if line.startswith(("WARNING", "CRITICAL")):
					self.say(f"   {line}")
			self.expect("nothing is critical", check.rc in (0, 1), check.out)

	def login(self):
		since = self.box.mark()
		with self.step("02:00. The directory is down. ssh as breakglass: key, PIN, touch, reason, "
				"two shares"):
			start = time.monotonic()
			with self.ssh() as person:
				person.opens(("audit", "dba"))
				seconds = time.monotonic() - start
				for command in ("sudo id", "su -c id"):
					person.types(command)
					person.sees(r"uid=0\(root\)")
					person.sees(doorlib.PROMPT)
				person.types("exit")
				person.sees("closed[^\n]*")
				self.tee.end_cast()
			self.expect(f"a shell after {seconds:.1f} s of machine time; sudo and su both work", True)
			self.box.wait_event("SESSION_CLOSED", since)
			self.events(since, "ATTEMPT", "REQUEST_OPENED", "SHARE_ACCEPTED", "SHARE_ACCEPTED",
				"GRANTED", "SESSION_OPENED", "SESSION_ESCALATED", "SESSION_ESCALATED",
				"SESSION_CLOSED")

	def one_share(self):
		since = self.box.mark()
		with self.step("Refused: one share only"):
			with self.ssh() as person:
				self.to_shares(person)
				person.types(self.box.shares["audit"])
				person.sees(r"audit counted\. Share 2 of 2")
				person.leaves()
			self.expect("no session", "SESSION_OPENED" not in self.box.event_names(since))
			self.has_event(since, "SHARE_ACCEPTED")

	def to_shares(self, person):
		"""Up to the prompt for a share: a new request asks the reason, one taken up again does not."""
		person.pin()
		if "Reason" in person.sees(r"Reason \(ticket, what is broken\): |Share \d of \d[^\n]*: "):
			person.types(doorlib.REASON)
			person.sees(r"Share \d of \d[^\n]*: ")

	def wrong_share(self):
		words = self.box.shares["dba"].split()
		words[6] = "flme"
		since = self.box.mark()
		with self.step("Refused: a wrong word, then a wrong share; both named, nothing else lost"):
			with self.ssh() as person:
				self.to_shares(person)
				person.types(" ".join(words))
				person.sees(r'word 7 "flme" is not in the list\.')
				person.sees(r"Word 7 of the share of dba: ")
				person.types(" ".join(self.box.shares["dba"].split()[6:19] + ["academic"]))
				person.sees("The share of dba does not add up")
				person.sees(": ")
				person.leaves()
			self.has_event(since, "SHARE_REFUSED")

	def other_set(self):
		other = self.box.init("other")
		since = self.box.mark()
		with self.step("Refused: a share of another set"):
			with self.ssh() as person:
				self.to_shares(person)
				person.types(other["dba"])
				person.sees("another set")
				person.leaves()
			self.has_event(since, "SHARE_REFUSED")

	def reseal(self):
		with self.step("Reseal: the shares were typed here, so a new set is dealt; "
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
			with self.ssh() as person:
				self.to_shares(person)
				person.types(self.old["dba"])
				person.sees("retired")
				person.leaves()
			self.has_event(since, "SHARE_REFUSED")

	def no_key(self):
		since = self.box.mark()
		self.box.softkey_ctl("a", "unplug")
		with self.step("Refused: no security key"):
			with self.ssh() as person:
				person.sees(r"No security key here\. Plug one in and press Enter,\s+or type touch ")
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
		self.packages(debs)
		self.ceremony()
		self.install()

	def all(self):
		self.login()
		# The first request is live: its key alone would open another session. Each refusal below is
		# shown on a request of its own, so the live one is ended with its boot.
		self.reboot()
		self.one_share()
		self.wrong_share()
		self.other_set()
		self.reseal()
		self.retired()
		self.no_key()
		self.public_key_alone()
		self.su_by_root()
		self.tell()

	def reboot(self):
		with self.step("A reboot ends what is live: requests and sessions are of one boot"):
			self.box.softkey_stop("a")
			self.say(f"   up after {self.box.reboot():.1f} s")
			self.box.softkey_start("a", pin=doorlib.PIN, state="/var/lib/softkey/a")


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
