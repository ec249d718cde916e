# SPDX-License-Identifier: BSD-2-Clause
"""The demo at the doors: four ways in, what each took, and attempts that are refused."""
import contextlib
import time

import doorlib
from storylib import Stage
from wayslib import approval, give_one, opened, prove, response, satisfy, typed


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


class Doors(Stage):
	def __init__(self, box, tee):
		super().__init__(box, tee)
		self.ways = []

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
			self.say("The line dropped. At the emergency console:")
			with self.at(way, "own console", "touch") as person:
				person.sees(r"Account \([^)]*\): ")
				person.types(doorlib.ACCOUNT)
				prove(person, "touch", self.laptop)
				give_one(person, typed("dba"), self.laptop)
				self.is_root(way, person)

	def table(self):
		with self.step("Four ways, until the shell: machine time, keystrokes, pasted characters"):
			print(f"   {'':47} at the door    at laptops")
			print(f"   {'':47} typed pasted   typed pasted")
			for way in self.ways:
				print("   " + way.row())
		slowest = max(way.counts[0] for way in self.ways)
		self.proved.append(f"{len(self.ways)} ways in, each at most {slowest:.1f} s of machine time "
			"until the shell")

	# Refused

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
				"of another set, an approval of way d"):
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
			self.runs("su breakglass -c id", status=1)
			self.has_event(since, "BYPASS_BLOCKED")

	def retired(self):
		since = self.box.mark()
		with self.step("Refused: a share that the reseal retired"):
			with self.ssh(until=self.to_shares) as person:
				person.types(self.old["dba"])
				person.sees("retired")
				person.leaves()
			self.has_event(since, "SHARE_REFUSED")
