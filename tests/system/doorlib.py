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
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pexpect

from boxlib import BUILD, SOFTKEY, SOURCE, Box, BoxCase, BoxError, wait_until
from laptoplib import Typist, last_code

# cgroups(7), version 2: alone, or beside version 1
GROUPS = "cd /sys/fs/cgroup/unified 2>/dev/null || cd /sys/fs/cgroup; "
ACCOUNT = "breakglass"
PIN = "123456"
CUSTODIANS = {"ops": "+1 555 0101", "dba": "+1 555 0102", "audit": "+1 555 0103"}
REASON = "INC-1234 directory is down"
FIELDS = ("event", "account", "request", "set", "epoch", "key", "holder", "custodians", "reason",
	"role", "service", "origin", "result", "ordinary", "normal")
FIXED = ("SHARE_ACCEPTED", "SHARE_REFUSED", "GRANTED", "SESSION_OPENED", "SESSION_CONTEXT",
	"SESSION_CLOSED",
	"SESSION_ESCALATED")
KEYED = FIXED + ("REQUEST_OPENED", "ABANDONED")
COUNTED = ("SHARE_ACCEPTED", "GRANTED", "SESSION_OPENED", "SESSION_CONTEXT", "SESSION_CLOSED",
	"SESSION_ESCALATED")
PROVIDER = "/usr/local/lib/softkey-provider.so"  # ssh's, for security keys at the client
ENTER = "Press Enter to begin: "
PROMPT = r"breakglass\d?@\w+:[^\r\n]*\$ $"


def packages():
	"""Builds both packages if the sources changed; their paths."""
	if os.environ.get("BG_PACKAGES"):
		return sorted(str(deb) for deb in Path(os.environ["BG_PACKAGES"]).glob("*.deb"))
	out = subprocess.run([SOURCE / "tools" / "package"], check=True, capture_output=True,
		text=True).stdout
	debs = [line.strip() for line in out.splitlines() if line.strip().endswith(".deb")]
	return [deb for deb in debs if "dbgsym" not in deb]


class Person(Typist):
	"""Somebody at a door, in the dialogue of the emergency account."""

	def challenge(self, kind="request"):
		"""The lines of the last challenge on the screen, as a person copies them: of a "request"
		or a "touch"."""
		return last_code(self.screen, kind)

	# The dialogue

	def pin(self, pin=PIN, key="a", touch=True):
		self.sees(r"PIN of your security key, then touch it when it blinks \(\? helps\): ")
		self.types(pin)
		if touch:
			self.box.softkey_ctl(key, "wait-touch", "10000")
			self.box.softkey_ctl(key, "touch")

	def client_key(self, pin=PIN, key="a", touch=True):
		"""What the ssh client asks for a security key of its own, before the module is reached."""
		self.sees(r"Enter PIN for [A-Z0-9-]+ key [^\r\n]*: ")
		self.types(pin)
		if touch:
			self.box.softkey_ctl(key, "wait-touch", "10000")
			self.box.softkey_ctl(key, "touch")

	def asks_for_touch(self):
		"""The key is somewhere else: until the touch challenge is shown."""
		self.sees(r"or type touch to use one elsewhere: $")
		self.types("touch")
		self.sees(r"Its answer [^\n]*: $")

	def relays(self, laptop, key="a"):
		"""The whole relayed touch, by bg-unlock touch at that laptop."""
		self.asks_for_touch()
		self.pastes(laptop.touch(self.challenge("touch"), key, PIN))

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

	def leaves_shell(self):
		self.types("exit")
		self.sees({"ssh": "closed", "own-console": ENTER}.get(self.door, "login: "))

	def denied(self):
		"""This try was refused; another one may follow."""
		self.sees("Login incorrect" if self.door == "login" else "Permission denied")

	def ended(self):
		"""The door's program was told to stop asking. sshd then offers no method at all, which
		lets the client try those that it likes itself; a new getty takes login's terminal, before
		or after its last words."""
		self.sees("'s password: " if self.door == "ssh"
			else "Maximum number of tries exceeded|Debian GNU/Linux 12")

	def dies(self):
		"""Line, window or client gone from one moment to the next."""
		self.hang_up()

	def seen(self):
		"""All that was seen, without the ssh client's prefix."""
		return re.sub(r"\(breakglass@[0-9.]+\) ", "", self.screen)

	def dialogue(self):
		"""What the module showed until the shell."""
		return self.seen().split("OPEN until")[0].split(ENTER)[-1]

	def hang_up(self):
		"""The client first: one that loses only its terminal may still send an empty answer."""
		if self.door == "ssh" and self.child.isalive():
			children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
			with contextlib.suppress(OSError):
				for pid in children.read_text().split():
					os.kill(int(pid), signal.SIGKILL)
		if self.door == "own-console":
			self.box.run(["systemctl", "kill", "--signal=SIGKILL", self.child.unit], check=False)
		with contextlib.suppress(OSError, pexpect.ExceptionPexpect):
			self.child.close()
		if self.door == "own-console":
			# it begins anew for ever, also where the next terminal gets the same name
			self.box.run(["systemctl", "stop", self.child.unit], check=False)


class DoorBox(Box):
	"""A Box with an emergency account in force."""

	def __init__(self, name="db1", verbose=False):
		super().__init__(name, verbose)
		self.shares = {}
		self.keys = []
		self.ssh_keys = {}

	def add_key(self, name="a", **options):
		"""A security key, plugged in; it lives on over a reboot in /var/lib/softkey."""
		self.run("mkdir -p /var/lib/softkey")
		path = self.softkey_start(name, pin=PIN, state=f"/var/lib/softkey/{name}", **options)
		self.keys.append(name)
		return path

	def add_ssh_key(self, name="a", kind="ed25519-sk", file=None,
			options=("resident", "verify-required")):
		"""Makes a security key for ssh in a plugged-in key, as its holder does; the public part goes
		into the plans of later ceremonies (init), the path of the private part is given back."""
		path = f"/root/.ssh/{file or 'sk-' + name}"
		if self.run(["test", "-e", PROVIDER], check=False).rc != 0:
			self.push(BUILD / "tests/softkey/provider.so", PROVIDER)
		self.run("install -d -m 700 /root/.ssh")
		argv = ["ssh-keygen", "-q", "-t", kind, "-w", PROVIDER, "-N", "", "-C", name, "-f", path,
			"-O", "application=ssh:breakglass", "-O", f"user={file or name}"]
		for option in options:
			argv += ["-O", option]
		child = self.spawn(argv, env={"BG_SOFTKEY_DEVICE": f"/run/softkey/{name}"})
		if options:
			child.expect("Enter PIN for authenticator: ")
			child.sendline(PIN)
		self.softkey_ctl(name, "wait-touch", "10000")
		self.softkey_ctl(name, "touch")
		child.expect(pexpect.EOF)
		child.close()
		if child.exitstatus != 0:
			raise BoxError(f"ssh-keygen: {child.before}")
		public = " ".join(self.read(path + ".pub").split()[:2])
		if file is None:
			self.ssh_keys[name] = public
		return path

	def init(self, name="breakglass", keys=("a",), threshold=2, policy=None, more="",
			account=ACCOUNT, zone="db"):
		"""A ceremony with bg-unlock inside; gives {custodian: words}; the seal is /root/NAME.seal."""
		plan = f"[plan]\naccount = {account}\nzone = {zone}\nthreshold = {threshold}\n"
		if policy:
			plan += "[policy]\n" + "".join(f"{k} = {v}\n" for k, v in policy.items())
		plan += "".join(f"[custodian {c}]\nphone = {p}\n" for c, p in CUSTODIANS.items())
		for k in keys:
			plan += f"[key {k}]\nholder = oncall\ndevice = /run/softkey/{k}\n"
			plan += f"ssh = {self.ssh_keys[k]}\n" if k in self.ssh_keys else ""
		self.write(f"/root/{name}.plan", plan, 0o600)
		for key in keys:
			self.softkey_ctl(key, "auto", "on")
		self.run(f"mkdir -m 700 /root/{name}.shares && cd /root && bg-unlock init {account} "
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

	def reseal(self, key="a"):
		"""A new set for the same people; the seal is /root/breakglass.seal.EPOCH."""
		self.softkey_ctl(key, "auto", "on")
		self.run("rm -rf /root/new.shares; mkdir -m 700 /root/new.shares && cd /root && bg-unlock "
			"reseal breakglass.seal --stdin --pin-stdin --shares-to new.shares "
			f"--device /run/softkey/{key}",
			input="".join(self.shares[name] + "\n" for name in ("ops", "dba")) + PIN + "\n")
		self.softkey_ctl(key, "auto", "off")
		return self.read_shares("/root/new.shares")

	def modhex_of(self, shares):
		return {name: self.run("bg-unlock share convert --stdin", input=words + "\n").out.strip()
			for name, words in shares.items()}

	def install(self, seal="/root/breakglass.seal", label="db1", more=""):
		fingerprint = self.run(f"sha256sum {seal}").out.split()[0]
		return self.run(f"bg-unlock install {seal} --label {label} --fingerprint {fingerprint} "
			f"--contacts {seal.removesuffix('.seal')}.contacts {more}")

	def install_successor(self, seal):
		return self.run(f"bg-unlock install {seal}")

	def protect(self, debs, keys=("a",), policy=None):
		"""Packages, keys, ceremony, install: the whole way of the README."""
		self.install_packages(*debs)
		for key in keys:
			self.add_key(key)
		self.shares = self.init(keys=keys, policy=policy)
		self.use_devices(*self.keys)
		self.install()
		for key in keys[1:]:
			self.softkey_ctl(key, "unplug")

	def fresh(self):
		"""As if nobody had ever tried: no requests, sessions, counters; only key a plugged in."""
		commands = ["rm -rf /run/breakglass/requests/* /run/breakglass/grants/* "
			"/run/breakglass/sessions/* /run/breakglass/attempts.*"]
		for key in self.keys:
			ctl = f"{SOFTKEY} ctl /run/softkey/{key}.ctl"
			commands += [f"{ctl} auto off", f"{ctl} flags none", f"{ctl} pin-retries 8",
				f"{ctl} {'plug' if key == 'a' else 'unplug'}"]
		self.run("; ".join(commands), check=False)

	def use_devices(self, *keys):
		devices = " ".join(f"/run/softkey/{key}" for key in keys)
		self.write("/etc/breakglass/breakglass.conf", f"[breakglass]\ndevice = {devices}\n")

	def key_is(self, where):
		"""The keys are "here", in the host, or "away", in somebody's laptop."""
		self.use_devices(*(self.keys if where == "here" else ("none",)))

	def reload_ssh(self):
		"""Returns when sshd has read its configuration anew."""
		count = "journalctl -q --no-pager -t sshd | grep -c 'Server listening on 0.0.0.0'"
		before = int(self.run(count, check=False).out)
		self.run("systemctl reload ssh")
		wait_until("sshd", lambda: int(self.run(count, check=False).out) > before)

	# Doors

	def ssh_door(self, options=("NumberOfPasswordPrompts=1",), security_key=None, account=ACCOUNT,
			**more):
		"""One try only, unless `options` say otherwise: ssh would start anew after a refusal.
		security_key: the name of a plugged-in key that add_ssh_key() has made one in; `key` names
		the file of another one in the same."""
		if security_key:
			more.setdefault("key", f"/root/.ssh/sk-{security_key}")
			more["env"] = {"BG_SOFTKEY_DEVICE": f"/run/softkey/{security_key}"}
			options = (*options, f"SecurityKeyProvider={PROVIDER}")
		return Person(self, self.ssh(account, options=options, **more), "ssh")

	def console_door(self):
		terminal = self.login_tty()
		person = Person(self, terminal, "login")
		person.sees("login: ")
		person.types(ACCOUNT)
		return person

	def slow_watchdogs(self):
		"""Each of their system calls takes as long as many forks: a walk through /proc misses whom
		it can miss, if the machine is quiet; what they write is kept, for when it is not."""
		pids = self.run("pgrep -x breakglass-watc").out.split()
		self.run("setsid -f strace -f -y -e trace=write -o /var/tmp/written "
			f"-p {','.join(pids)} >/dev/null 2>&1")
		for pid in pids:
			wait_until("the tracer", lambda pid=pid: not re.search(r"^TracerPid:\s0$",
				self.read(f"/proc/{pid}/status"), re.M))

	def frozen_groups(self):
		"""What slow watchdogs froze, and thawed again: {group: [what was written]}."""
		groups = {}
		for group, text in re.findall(r"/(\S+)/cgroup\.freeze>, \"(\d)\"", self.read("/var/tmp/written")):
			groups.setdefault(group.rsplit("/", 1)[-1], []).append(text)
		return groups

	def add_own_sshd(self):
		"""breakglass-sshd.service, as an administrator adds it later."""
		return self.install(more="--door sshd")

	def own_sshd_door(self, options=("NumberOfPasswordPrompts=1",), **more):
		"""By ssh to breakglass-sshd (install --door sshd)."""
		own = ("UserKnownHostsFile=/etc/breakglass/sshd/known_hosts",)
		return self.ssh_door(options=own + tuple(options), port=922, **more)

	def own_console(self):
		"""A terminal of the container with breakglass-console@ on it, waiting for Enter."""
		terminal = self.terminal()
		terminal.unit = f"breakglass-console@{terminal.device[5:].replace('/', '-')}.service"
		self.run(["systemctl", "start", terminal.unit])
		person = Person(self, terminal, "own-console")
		person.sees(ENTER)
		return person

	def own_console_door(self):
		"""The same, Enter pressed."""
		person = self.own_console()
		person.types("")
		return person

	def drill(self, *options):
		"""bg-unlock drill, by root at a terminal of the host."""
		terminal = self.terminal()
		self.run(["systemd-run", "-q", "--collect", "-p", f"TTYPath={terminal.device}", "-p",
			"StandardInput=tty", "-p", "StandardOutput=tty", "-p", "StandardError=tty",
			"/usr/bin/bg-unlock", "drill", *options])
		return Person(self, terminal, "drill")

	def doors(self):
		return (("ssh", self.ssh_door), ("login", self.console_door))

	# What was recorded

	def chain(self):
		"""All records of the hash chain, carried or not, oldest first."""
		# In the order in which it is carried: what moves meanwhile is seen twice, not never. The
		# second folder is listed after the first was read: its first file may just be made.
		out = self.run("cd /run/breakglass/log; cat pending carrying 2>/dev/null; "
			"cat /var/lib/breakglass/log/* 2>/dev/null", check=False).out
		# a full disk has half a line; the whole one still waits in /run
		records = [json.loads(line) for line in out.splitlines()
			if line.startswith("{") and line.endswith("}")]
		return sorted({record["seq"]: record for record in records}.values(),
			key=lambda record: record["seq"])

	def mark(self):
		"""The chain's length now; events(since=mark) gives what came after."""
		chain = self.chain()
		return chain[-1]["seq"] if chain else 0

	def events(self, since=0):
		"""But for what sessions began beside: that is recorded when it is known (beside())."""
		return [record for record in self.chain()
			if record["seq"] > since and record["event"] != "SESSION_CONTEXT"]

	def beside(self, opened):
		"""What the sessions of the request of a SESSION_OPENED began beside: one record for each."""
		def told():
			mine = [e for e in self.chain() if e.get("request") == opened["request"]]
			found = [e for e in mine if e["event"] == "SESSION_CONTEXT"]
			sessions = [e for e in mine if e["event"] == "SESSION_OPENED"]
			assert len(found) <= len(sessions), mine
			return found if len(found) == len(sessions) else None
		return wait_until("what the session began beside", told, 30)

	def event_names(self, since=0):
		return [record["event"] for record in self.events(since)]

	def wait_event(self, name, since=0, timeout=15):
		"""The first such event after `since`."""
		return wait_until(f"event {name}", lambda: next(
			(e for e in self.events(since) if e["event"] == name), None), timeout)

	def everywhere_once(self, *records):
		"""AssertionError unless each record is in the journal and in syslog exactly once, the
		journal's fields being the chain's."""
		if records:
			self.wait_syslog(f"chain={records[-1]['seq']}:")
		entries = self.journal(SYSLOG_FACILITY=10)
		lines = self.syslog("/var/log/auth.log")
		for record in records:
			chain = f"{record['seq']}:"
			mine = [e for e in entries if str(e.get("BREAKGLASS_CHAIN", "")).startswith(chain)]
			assert len(mine) == 1, (record, mine)
			assert mine[0]["_TRANSPORT"] == "journal" and mine[0]["_UID"] == "0", mine
			assert mine[0]["PRIORITY"] == str(record["severity"]), (record, mine)
			for field in FIELDS:
				told = mine[0].get(f"BREAKGLASS_{field.upper()}")
				assert told == (str(record[field]) if field in record else None), \
					(field, record, mine)
			auth = [li for li in lines if f"chain={chain}" in li]
			assert len(auth) == 1 and record["event"] in auth[0], (record, auth)


class DoorCase(BoxCase):
	"""A TestCase with one protected DoorBox for all its tests: self.box."""

	box_type = DoorBox
	box_name = "db1"

	@contextlib.contextmanager
	def row(self, name, door):
		"""A row of a table as a subtest: what failed shows its name and the journal's end."""
		with self.subTest(row=name, door=door):
			try:
				yield
			except Exception:
				print(f"--- {name} ({door})", file=sys.stderr)
				self.box.show_trouble()
				raise

	def records(self, since, expected, service=None, key="a"):
		"""The records after `since` are these: (event, pattern of its result), in this order;
		all their fields are set, and each is everywhere once."""
		with contextlib.suppress(BoxError):
			wait_until("the events", lambda: len(self.box.events(since)) >= len(expected), 5)
		found = self.box.events(since)
		told = [(e["event"], e.get("result", "")) for e in found]
		self.assertEqual([e["event"] for e in found], [name for name, _ in expected], told)
		for record, (name, result) in zip(found, expected):
			self.assertRegex(record["result"], result, told)
			self.check_fields(record, service, key)
			self.assertEqual(name, record["event"])
		opened = [e for e in found if e["event"] == "SESSION_OPENED"]
		beside = self.box.beside(opened[-1]) if opened else []
		for record in beside:
			self.check_fields(record, service if len(beside) == 1 else None, key)
			self.assertIn("normal", record)
		found += beside
		self.box.everywhere_once(*sorted(found, key=lambda e: e["seq"]))
		return [e for e in found if e["event"] != "SESSION_CONTEXT"]

	def check_fields(self, record, service, key):
		wanted = {"host", "account", "role", "set", "epoch", "service", "origin", "result", "time",
			"boot", "boottime", "severity", "prev"}
		name = record["event"]
		if name == "ATTEMPT":
			wanted |= {"count"}
		if name in KEYED:
			wanted |= {"request", "key", "holder"}
			self.assertEqual((record["key"], record["holder"]), (key, "oncall"), record)
		if name in FIXED:
			wanted |= {"reason"}
		if name in COUNTED:
			wanted |= {"custodians"}
		self.assertLessEqual(wanted, set(record), record)
		self.assertEqual((record["host"], record["account"]), ("db1", ACCOUNT), record)
		if service is not None:
			self.assertEqual(record["service"], service, record)
			self.assertRegex(record["origin"], r"^127\.0\.0\.1$" if "sshd" in service
				else r"^(/dev/)?pts/\d+$", record)

	def well_shown(self, person):
		"""What holds for each screen: 80 columns, nothing but text, no name before the key."""
		text = person.dialogue()
		for line in text.split("\n"):
			# what is echoed as typed, and the ssh client's own
			if not re.search(r"Reason \(|Its answer|Its line|Line \d+ of|Confirm user presence", line):
				self.assertLessEqual(len(line), 80, line)
		self.assertNotRegex(text.replace("\n", ""), r"[\x00-\x08\x0b-\x1f\x7f]")
		before = re.split(r"Reason \(|BREAK-GLASS", text)[0]
		for name, phone in CUSTODIANS.items():
			self.assertNotIn(phone, before)
			self.assertNotRegex(before, rf"\b{name}\b")
