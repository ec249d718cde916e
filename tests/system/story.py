#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What ./demo tells: a server nobody can log in to, a security key, three custodians, four ways in; who
hears of it, how it ends, what is left of it.

Every step is checked; the status is 0 only if each ended as it should.
"""
import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import doorlib
from boxlib import CACHE, SOFTKEY, BoxError
from story_doors import Doors
from story_watch import Watch
from storylib import ShownLaptop, Tee

TOUCH_FILE = CACHE / "demo.leader"


class Story(Doors, Watch):
	def run(self, debs):
		"""What --shell begins with, too."""
		with self.step("Boot a Debian 12 in a container: systemd, journald, rsyslog, sshd"):
			self.say(f"up after {self.box.boot():.1f} s")
			self.box.run(": >/etc/motd; chmod -x /etc/update-motd.d/*")
		self.packages(debs)
		self.ceremony()
		self.install()

	def packages(self, debs):
		with self.step("Install the two packages with apt, in a freshly booted Debian 12"):
			for deb in debs:
				self.say(Path(deb).name)
			self.box.install_packages(*debs)
			self.expect("an ordinary login is as before: common-auth asks pam_unix after us",
				"pam_unix.so" in self.box.read("/etc/pam.d/common-auth"))

	def ceremony(self):
		with self.step("The ceremony: one security key, three custodians, two of them suffice"):
			self.box.add_key("a")
			self.box.add_ssh_key("a")
			# each session needs its own quorum, so that each way below is a whole one
			self.box.shares = self.box.init(policy={"reentry": "no"})
			self.say("Each custodian's share, dealt and read back:")
			for name, words in self.box.shares.items():
				self.say(f"  {name:6} {' '.join(words.split()[:4])} ... ({len(words.split())} words)")
			self.box.key_is("here")

	def install(self):
		with self.step("Install the seal on the host: account, PAM, ssh, sudo, the own doors"):
			done = self.box.install(more="--door sshd")
			lines = (done.out + done.err).splitlines()
			self.say(f"{sum(li.startswith('did: ') for li in lines)} steps, each told; and:")
			for line in lines:
				if not line.startswith("did: "):
					self.say(line, more="   ")

	def all(self):
		self.laptop = ShownLaptop(self.box, self.tee)
		self.hears()
		self.drill()
		self.before()
		self.short_session()
		since = self.box.mark()
		self.console()
		self.heard(since)
		self.by_ssh()
		self.by_serial()
		self.mixed()
		self.table()
		self.meanwhile()
		self.revocation()
		self.refusal()
		self.wrong()
		self.no_key()
		self.public_key_alone()
		self.su_by_root()
		self.story()
		self.report()
		self.reseal()
		self.retired()
		self.lock()
		self.limit()
		self.review()
		self.after()
		self.everywhere()

	def summary(self, seconds):
		print(f"\nAll {self.number} steps ended as they should, in {seconds:.0f} s. "
			"The container is gone.")
		for line in self.proved:
			self.say(f"- {line}", "  ", "  ")


def hands_on(box):
	"""A terminal for the person who started this; the key is touched by another command."""
	TOUCH_FILE.write_text(f"{box.leader}\n")
	print(f"""
You are root in the container now; the host is protected. Try:

    ssh breakglass@127.0.0.1       PIN {doorlib.PIN}; then, in another terminal of yours:
                                   sudo ./demo --touch
    cat /root/breakglass.shares/*  the custodians' shares, to type or to paste
    bg-unlock check                is all in order?
    bg-unlock drill --id mine      the same way, opening nothing
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
	story = None
	try:
		debs = doorlib.packages()
		with doorlib.DoorBox("db1") as box:
			story = Story(box, Tee(options.cast))
			story.run(debs)
			if options.shell:
				hands_on(box)
				return
			story.all()
	except (AssertionError, BoxError, subprocess.CalledProcessError) as error:
		where = f" in step {story.number} ({story.title})" if story else ""
		print(f"\ndemo: error{where}: {error}", file=sys.stderr)
		sys.exit(1)
	except KeyboardInterrupt:
		print("\ndemo: interrupted; the container is gone", file=sys.stderr)
		sys.exit(130)
	story.summary(time.monotonic() - start)


if __name__ == "__main__":
	main()
