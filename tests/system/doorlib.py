# SPDX-License-Identifier: BSD-2-Clause
"""A booted Debian with the real packages, a real ceremony and the real doors: what the system tests
and the demo share.

	with DoorBox("db1") as box:
	    box.boot()
	    box.protect(packages())                  # apt install, init, install
	    with box.ssh_door() as person:           # or box.console_door()
	        person.pin(); person.reason(); person.share("audit"); person.share("dba")
	        person.shell()
"""
import contextlib
import json
import re
import subprocess
import time

import pexpect

from boxlib import BUILD, SOURCE, Box, BoxError, wait_until

ACCOUNT = "breakglass"
PIN = "123456"
CUSTODIANS = {"ops": "+1 555 0101", "dba": "+1 555 0102", "audit": "+1 555 0103"}
REASON = "INC-1234 directory is down"
PROMPT = r"breakglass@\w+:[^\r\n]*\$ $"


def packages():
	"""Builds both packages if the sources changed; their paths."""
	out = subprocess.run([SOURCE / "tools" / "package"], check=True, capture_output=True,
		text=True).stdout
	debs = [line.strip() for line in out.splitlines() if line.strip().endswith(".deb")]
	return [deb for deb in debs if "dbgsym" not in deb]


class Person:
	"""Somebody at a terminal; `screen` is everything that was seen."""

	def __init__(self, box, child, door):
		self.box = box
		self.child = child
		self.door = door
		self.screen = ""
		self.keystrokes = 0

	def __enter__(self):
		return self

	def __exit__(self, *exc):
		self.hang_up()

	def sees(self, pattern, timeout=20):
		"""Waits for a text; gives what came until its end, printable and without CR."""
		try:
			self.child.expect(pattern, timeout=timeout)
		except (pexpect.TIMEOUT, pexpect.EOF) as error:
			raise AssertionError(f"{self.door}: waited in vain for {pattern!r}; seen:\n"
				f"{self.screen}{self.child.before}") from error
		seen = (self.child.before + self.child.after).replace("\r", "")
		self.screen += seen
		return seen

	def types(self, text):
		self.keystrokes += len(text) + 1
		self.child.sendline(text)

	def leaves(self, char="c"):
		self.child.sendcontrol(char)

	# The dialogue

	def pin(self, pin=PIN, key="a", touch=True):
		self.sees("PIN of your security key, then touch it when it blinks: ")
		self.types(pin)
		if touch:
			self.box.softkey_ctl(key, "wait-touch", "10000")
			self.box.softkey_ctl(key, "touch")

	def reason(self, text=REASON):
		self.sees(r"Reason \(ticket, what is broken\): ")
		self.types(text)

	def share(self, name=None, words=None):
		"""Types one share at the next prompt; gives the text of the prompt."""
		seen = self.sees(r"Share \d+ of \d+ [^\n]*: ")
		self.types(words if words is not None else self.box.shares[name])
		return seen

	def opens(self, shares=("audit", "dba"), **more):
		"""All of it, to the shell's prompt."""
		self.pin(**more)
		self.reason()
		for name in shares:
			self.share(name)
		self.shell()

	def shell(self):
		seen = self.sees(r"OPEN until [^\n]*")
		self.sees(PROMPT)
		return seen

	def runs(self, command, timeout=20):
		"""A command in the shell that was opened; its output."""
		self.types(command + "; echo status=$?")
		out = self.sees(r"status=\d+", timeout)
		self.sees(PROMPT)
		return out

	def refused(self):
		"""The door stays shut: ssh ends or asks anew, login says so."""
		if self.door == "ssh":
			self.sees("Permission denied|Received disconnect|Too many authentication|closed|PIN of your")
		else:
			self.sees("Login incorrect|incorrect|PIN of your|[Ee]xceeded|login: ")

	def hang_up(self):
		with contextlib.suppress(OSError, pexpect.ExceptionPexpect):
			self.child.close()


class DoorBox(Box):
	"""A Box with an emergency account in force."""

	def __init__(self, name="db1", verbose=False):
		super().__init__(name, verbose)
		self.shares = {}
		self.keys = []

	def add_key(self, name="a", **options):
		"""A security key, plugged in; it lives on over a reboot in /var/lib/softkey."""
		self.run("mkdir -p /var/lib/softkey")
		path = self.softkey_start(name, pin=PIN, state=f"/var/lib/softkey/{name}", **options)
		self.keys.append(name)
		return path

	def init(self, name="breakglass", keys=("a",), threshold=2, policy=None, more=""):
		"""A ceremony with bg-unlock inside; gives {custodian: words}; the seal is /root/NAME.seal."""
		plan = f"[plan]\naccount = {ACCOUNT}\nzone = db\nthreshold = {threshold}\n"
		if policy:
			plan += "[policy]\n" + "".join(f"{k} = {v}\n" for k, v in policy.items())
		plan += "".join(f"[custodian {c}]\nphone = {p}\n" for c, p in CUSTODIANS.items())
		plan += "".join(f"[key {k}]\nholder = oncall\ndevice = /run/softkey/{k}\n" for k in keys)
		self.write(f"/root/{name}.plan", plan, 0o600)
		for key in keys:
			self.softkey_ctl(key, "auto", "on")
		self.run(f"mkdir -m 700 /root/{name}.shares && cd /root && bg-unlock init {ACCOUNT} "
			f"--plan {name}.plan -o {name}.seal --shares-to {name}.shares --pin-stdin {more}",
			input=f"{PIN}\n" * len(keys))
		for key in keys:
			self.softkey_ctl(key, "auto", "off")
		return self.read_shares(f"/root/{name}.shares")

	def read_shares(self, folder):
		found = {}
		for file in self.run(f"ls {folder}").out.split():
			lines = [li for li in self.read(f"{folder}/{file}").splitlines()
				if li.strip() and not li.startswith("#")]
			found[file.split(".")[0]] = lines[0].strip()
		return found

	def install(self, seal="/root/breakglass.seal", label="db1", more=""):
		fingerprint = self.run(f"sha256sum {seal}").out.split()[0]
		return self.run(f"bg-unlock install {seal} --label {label} --fingerprint {fingerprint} "
			f"--contacts {seal.removesuffix('.seal')}.contacts {more}")

	def protect(self, debs, keys=("a",), policy=None):
		"""Packages, keys, ceremony, install: the whole way of the README."""
		self.install_packages(*debs)
		for key in keys:
			self.add_key(key)
		self.shares = self.init(keys=keys, policy=policy)
		devices = " ".join(f"/run/softkey/{k}" for k in self.keys)
		self.write("/etc/breakglass/breakglass.conf", f"[breakglass]\ndevice = {devices}\n")
		self.install()
		for key in keys[1:]:
			self.softkey_ctl(key, "unplug")

	# Doors

	def ssh_door(self, **options):
		return Person(self, self.ssh(ACCOUNT, **options), "ssh")

	def console_door(self):
		terminal = self.login_tty()
		person = Person(self, terminal, "login")
		person.sees("login: ")
		person.types(ACCOUNT)
		return person

	def doors(self):
		return (("ssh", self.ssh_door), ("login", self.console_door))

	# What was recorded

	def chain(self):
		"""All records of the hash chain, carried or not, oldest first."""
		out = self.run("cat /var/lib/breakglass/log/* /run/breakglass/log/pending 2>/dev/null",
			check=False).out
		records = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
		return sorted({record["seq"]: record for record in records}.values(),
			key=lambda record: record["seq"])

	def mark(self):
		"""The chain's length now; events(since=mark) gives what came after."""
		chain = self.chain()
		return chain[-1]["seq"] if chain else 0

	def events(self, since=0):
		return [record for record in self.chain() if record["seq"] > since]

	def event_names(self, since=0):
		return [record["event"] for record in self.events(since)]

	def wait_event(self, name, since=0, timeout=15):
		"""The first such event after `since`."""
		return wait_until(f"event {name}", lambda: next(
			(e for e in self.events(since) if e["event"] == name), None), timeout)

	def everywhere_once(self, record):
		"""AssertionError unless the record is in the journal and in syslog exactly once."""
		chain = rf"chain={record['seq']}:"
		entries = [e for e in self.journal(SYSLOG_FACILITY=10)
			if str(e.get("BREAKGLASS_CHAIN", "")).startswith(f"{record['seq']}:")]
		assert len(entries) == 1, (record, entries)
		lines = self.wait_syslog(chain)
		auth = [li for li in self.syslog("/var/log/auth.log") if re.search(chain, li)]
		assert len(auth) == 1, (record, auth, lines)
