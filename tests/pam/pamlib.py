# SPDX-License-Identifier: BSD-2-Clause
"""The module on a stage of its own: a mount namespace with an overlay on /etc and /usr/libexec and
a tmpfs on /run, a seal dealt by the real bg-unlock with real software keys, and PAM stacks in a
folder that name the module just built.

	pamlib.enter()                     # first thing: re-executes the test in its namespace
	stage = pamlib.Stage()
	with stage.login(pin="123456", reason="INC-1 test", shares=["audit", "dba"]) as login: ...
"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_der_private_key

BUILD = Path(os.environ["BG_BUILD_DIR"])
MODULE = BUILD / "pam_breakglass" / "pam_breakglass.so"
COMMAND = BUILD / "bg-unlock" / "bg-unlock"
SOFTKEY = BUILD / "tests" / "softkey" / "softkey"
PROBE = BUILD / "tests" / "pam" / "pam_probe.so"
PAM_LOGIN = BUILD / "tests" / "pam" / "pam_login"
ACCOUNT = "breakglass"
UID = 4711
PIN = "123456"
CUSTODIANS = ("ops", "dba", "audit")

PAM_SUCCESS, PAM_SYSTEM_ERR, PAM_PERM_DENIED, PAM_AUTH_ERR, PAM_MAXTRIES = 0, 4, 6, 7, 11
PAM_ACCT_EXPIRED = 13
CONTROL = {
	"auth": "[success=done ignore=ignore module_unknown=ignore default=die]",
	"account": "[success=done ignore=ignore module_unknown=ignore default=die]",
	"session": "[success=ok ignore=ignore module_unknown=ignore default=die]",
}


def enter():
	"""Runs the calling script again in its own mount namespace, unless it is there already."""
	if os.environ.get("BG_STAGE") == str(os.getpid()):
		return
	if os.geteuid() != 0:
		sys.exit("this test needs root (sudo ./test)")
	script = """
		set -e
		mount --make-rprivate /
		[ ! -e /dev/kmsg ] || mount --bind /dev/null /dev/kmsg
		[ ! -e /usr/sbin/sshd ] || mount --bind /dev/null /usr/sbin/sshd
		mount -t tmpfs -o mode=755 tmpfs /run
		[ ! -d /sys/fs/cgroup ] || mount -t tmpfs tmpfs /sys/fs/cgroup
		for dir in etc usr/libexec; do
			mkdir -p /run/.stage/$dir/up /run/.stage/$dir/work
			mount -t overlay overlay -o \
			"lowerdir=/$dir,upperdir=/run/.stage/$dir/up,workdir=/run/.stage/$dir/work" /$dir
		done
		export BG_STAGE=$$
		exec "$@"
	"""
	os.execvp("unshare", ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
		sys.executable, "-B"] + sys.argv)


def wait_until(what, check, timeout=10.0):
	end = time.monotonic() + timeout
	while True:
		value = check()
		if value:
			return value
		if time.monotonic() > end:
			raise AssertionError(f"waited {timeout:g} s in vain for {what}")
		time.sleep(0.02)


class SoftKey:
	"""One software key: a process, its control socket, its device path."""

	def __init__(self, folder, name, *options, pin=PIN):
		self.control = f"{folder}/{name}.ctl"
		self.path = f"{folder}/{name}.key"
		self.state = f"{folder}/{name}.state"
		self.process = subprocess.Popen(
			[SOFTKEY, "--socket", self.control, "--link", self.path, "--die-with-parent",
				"--state", self.state, *(["--pin", pin] if pin else []), *options],
			stdout=subprocess.PIPE, text=True)
		assert self.process.stdout.readline().strip() == "ready"

	def ctl(self, *words, check=True):
		done = subprocess.run([SOFTKEY, "ctl", self.control, *map(str, words)],
			capture_output=True, text=True, check=False, timeout=30)
		if check and done.returncode != 0:
			raise AssertionError(f"softkey {words}: {done.stdout}{done.stderr}")
		return done.stdout.strip()

	def credentials(self):
		"""[(credential id, relying party, private key)] as it keeps them, in clear."""
		found = []
		for line in Path(self.state).read_text().splitlines():
			word, _, rest = line.partition(" ")
			values = dict(pair.split("=", 1) for pair in rest.split() if "=" in pair)
			if word == "cred":
				found.append((bytes.fromhex(values["id"]), bytes.fromhex(values["rp"]).decode(),
					load_der_private_key(bytes.fromhex(values["key"]), None)))
		return found

	def count(self, word):
		values = dict(pair.split("=") for pair in self.ctl("count").split() if "=" in pair)
		return int(values[word])

	def close(self):
		with contextlib.suppress(Exception):
			self.ctl("quit")
		self.process.wait(5)
		self.process.stdout.close()


class Journal:
	"""Takes journald's place: what the native protocol's socket is sent, and what /dev/log is."""

	def __init__(self):
		self.lock = threading.Lock()
		self.datagrams = []
		self.sock = self.listen("/run/systemd/journal/socket")

	def listen(self, path):
		os.makedirs(os.path.dirname(path), exist_ok=True)
		with contextlib.suppress(FileNotFoundError):
			os.unlink(path)
		sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		sock.bind(path)
		self.thread = threading.Thread(target=self.read, args=(sock,), daemon=True)
		self.thread.start()
		return sock

	def read(self, sock):
		while True:
			data = sock.recv(1 << 18)
			with self.lock:
				if data == b"stop":
					return
				self.datagrams.append(data)

	def field(self, name):
		"""This field's text in each entry, in order."""
		with self.lock:
			found = [re.search(rb"(?:^|\n)%s=([^\n]*)" % name.encode(), d) for d in self.datagrams]
		return [m[1].decode() if m else None for m in found]

	def events(self):
		with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
			sock.sendto(b"mark", "/run/systemd/journal/socket")
		wait_until("the journal's mark", lambda: b"mark" in self.datagrams)
		return [e for e in self.field("BREAKGLASS_EVENT") if e]

	def close(self):
		with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
			sock.sendto(b"stop", "/run/systemd/journal/socket")
		self.thread.join(5)
		self.sock.close()
		os.unlink("/run/systemd/journal/socket")


class Login:
	"""pam_login running: prompts come out, answers go in."""

	def __init__(self, argv, env=None, preexec=None):
		self.lines = []
		self.results = {}
		self.infos = []
		self.prompts = []
		self.deadline = None
		self.fds = []
		self.begin = time.monotonic()
		self.states = []
		self.stderr = ""
		self.calls, self.fired = 0, None
		self.heap = []
		self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
			stderr=subprocess.PIPE, text=True, env=env if env is not None else {},
			preexec_fn=preexec)

	def __enter__(self):
		return self

	def __exit__(self, *exc):
		self.kill()

	def kill(self):
		if self.process.poll() is None:
			self.process.kill()
		self.process.wait()
		for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
			with contextlib.suppress(OSError):
				pipe.close()

	def next(self):
		"""The next prompt's text, "WAIT" or None at the end; what comes before is kept."""
		for line in self.process.stdout:
			self.lines.append(line.rstrip("\n"))
			word, _, rest = line.rstrip("\n").partition(" ")
			if word == "PROMPT":
				style, _, text = rest.partition(" ")
				self.prompts.append((style, json.loads(text)))
				return self.prompts[-1][1]
			if word in ("INFO", "ERROR"):
				self.infos.append(json.loads(rest))
			elif word == "RESULT":
				phase, number, _ = rest.split(" ", 2)
				self.results[phase] = int(number)
			elif word == "DATA":
				self.deadline = rest.split()[1]
			elif word == "FDS":
				self.fds.append(tuple(map(int, rest.split())))
			elif word == "HEAP":
				self.heap.append(tuple(map(int, rest.split())))
			elif word == "STATE":
				self.states.append(rest)
			elif word == "CALLS":
				self.calls, self.fired = int(rest.split()[0]), rest.split()[1]
			elif word == "WAIT":
				return "WAIT"
		self.process.wait(30)
		self.stderr += self.process.stderr.read()
		assert not re.search("Sanitizer|runtime error", self.stderr), self.stderr
		return None

	def raw(self, line):
		self.process.stdin.write(line + "\n")
		self.process.stdin.flush()

	def answer(self, text):
		"""text: str or bytes; None: NULL as at Ctrl-D; False: the conversation fails."""
		if text is None:
			self.raw("NULL")
		elif text is False:
			self.raw("FAIL")
		else:
			data = text.encode() if isinstance(text, str) else text
			self.raw("= " + data.hex())

	def expect(self, *parts):
		"""The next prompt, which must hold each of the parts."""
		prompt = self.next()
		for part in parts:
			assert prompt is not None and part in prompt, (part, prompt, self.lines[-5:],
				self.errors() if prompt is None else "")
		return prompt

	def seconds(self):
		return time.monotonic() - self.begin

	def errors(self):
		"""What it wrote to standard error, once it has ended."""
		return self.stderr

	def finish(self):
		"""Runs to the end; no prompt may come. The results by phase."""
		prompt = self.next()
		assert prompt is None, f"an unexpected prompt: {prompt!r}"
		return self.results


class Stage:
	"""Account, configuration, one seal of 2 of 3 and its keys; see the head of this file."""

	def __init__(self, keys=("a",), threshold=2, custodians=CUSTODIANS, strength=128, policy=None,
			account=ACCOUNT, label="db1", key_options=(), **plan):
		self.account = account
		self.uid = UID if account == ACCOUNT else UID + 100
		self.folder = Path(tempfile.mkdtemp(prefix="stage-", dir="/run"))
		self.confdir = self.folder / "pam.d"
		self.keys = {}
		self.helper()
		self._users()
		os.makedirs("/etc/breakglass/accounts", exist_ok=True)
		for name in keys:
			self.keys[name] = SoftKey(self.folder, name, *key_options)
		self.seal, self.shares = self.deal("seal", threshold, custodians, strength, policy, account,
			**plan)
		self.plug(keys[0])
		self.put_in_force(self.seal, label, account, self.uid)
		self.conf()
		self.stacks()

	@staticmethod
	def helper():
		os.makedirs("/usr/libexec/breakglass", exist_ok=True)
		for name in ("bg-fido2", "bg-qr", "breakglass-watchdog"):
			path = f"/usr/libexec/breakglass/{name}"
			shutil.copy2(BUILD / name / name, path + ".new")
			os.rename(path + ".new", path)  # a watchdog of a stage before may still run

	@staticmethod
	def _watchdogs():
		"""{process id: parent} of them and of the children that look around for them; those of other
		stages and of containers are not ours."""
		found = {}
		for entry in Path("/proc").iterdir():
			with contextlib.suppress(OSError):
				if entry.name.isdigit() and os.readlink(entry / "ns/mnt") == os.readlink(
						"/proc/self/ns/mnt") and os.readlink(entry / "exe").endswith("/breakglass-watchdog"):
					found[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
		return found

	def watchdogs(self):
		"""Their process ids."""
		found = self._watchdogs()
		return [pid for pid, parent in found.items() if parent not in found]

	@staticmethod
	def blind_watchdog():
		"""From now on one that says that it watches, and goes; until the next Stage."""
		path = Path("/usr/libexec/breakglass/breakglass-watchdog")
		path.unlink()
		path.write_text("#!/bin/sh\nhead -c 28 >/dev/null\nprintf r\n")
		path.chmod(0o755)

	def _users(self):
		text = Path("/etc/passwd").read_text()
		if "\n_breakglass:" not in text:
			text += "_breakglass:x:4710:4710::/:/usr/sbin/nologin\n"
		if f"\n{self.account}:" not in text:
			text += f"{self.account}:x:{self.uid}:{self.uid}:emergency:/:/bin/bash\n"
		if "\nplain:" not in text:
			text += "plain:x:4712:4712::/:/bin/bash\n"
		Path("/etc/passwd").write_text(text)

	def deal(self, name, threshold=2, custodians=CUSTODIANS, strength=128, policy=None,
			account=ACCOUNT, holder="oncall-{}", phone="+1 555 010{}"):
		"""A ceremony by the real command; (path of the seal, {custodian: words})."""
		out = self.folder / name
		shares = self.folder / f"{name}.shares"
		shares.mkdir(mode=0o700)
		plan = self.folder / f"{name}.plan"
		plan.write_text(f"[plan]\naccount = {account}\nzone = db\nthreshold = {threshold}\n"
			f"strength = {strength}\n"
			+ ("[policy]\n" + "".join(f"{k} = {v}\n" for k, v in policy.items()) if policy else "")
			+ "".join(f"[custodian {c}]\nphone = {phone.format(i)}\n"
				for i, c in enumerate(custodians))
			+ "".join(f"[key {k}]\nholder = {holder.format(k)}\ndevice = {key.path}\n"
				for k, key in self.keys.items()))
		for key in self.keys.values():
			key.ctl("plug", check=False)
			key.ctl("auto", "on")
		done = subprocess.run([COMMAND, "init", account, "--plan", plan, "-o", out, "--shares-to", shares,
			"--pin-stdin"], input="".join(f"{PIN}\n" for _ in self.keys), text=True,
			capture_output=True, timeout=60, check=False)
		for key in self.keys.values():
			key.ctl("auto", "off")
		assert done.returncode == 0, done.stderr + done.stdout
		return out, self.read_shares(shares)

	def deal_again(self, name, **more):
		"""Another seal of the same people and keys, not in force."""
		return self.deal(name, **more)

	def reseal(self, name, seal, shares):
		"""The next epoch by the real command; (path of its seal, {custodian: words})."""
		out = self.folder / name
		folder = self.folder / f"{name}.shares"
		folder.mkdir(mode=0o700)
		key = next(iter(self.keys.values()))
		key.ctl("auto", "on")
		done = subprocess.run([COMMAND, "reseal", seal, "--stdin", "--pin-stdin", "--shares-to",
			folder, "-o", out, "--device", key.path], text=True, capture_output=True,
			timeout=60, check=False,
			input="".join(f"{words}\n" for words in shares) + f"{PIN}\n")
		key.ctl("auto", "off")
		assert done.returncode == 0, done.stderr + done.stdout
		return out, self.read_shares(folder)

	def compact(self, words):
		"""A share's words as the characters of its short form, by the real command."""
		done = subprocess.run([COMMAND, "share", "convert", "--stdin", self.seal], text=True,
			input=words + "\n", capture_output=True, timeout=30, check=False)
		assert done.returncode == 0, done.stderr
		return done.stdout.strip()

	@staticmethod
	def read_shares(folder):
		"""{custodian: words} from the files of --shares-to (comment lines apart)."""
		found = {}
		for file in Path(folder).iterdir():
			lines = [li for li in file.read_text().splitlines()
				if li.strip() and not li.startswith("#")]
			found[file.name.split(".")[0]] = lines[0].strip()
		return found

	def plug(self, *names):
		"""Only these keys are in the host."""
		for name, key in self.keys.items():
			key.ctl("plug" if name in names else "unplug", check=False)

	def put_in_force(self, seal, label="db1", account=ACCOUNT, uid=UID):
		"""What install does with the files: seal.EPOCH, then host."""
		data = Path(seal).read_bytes()
		epoch = next(li.split("=")[1].strip() for li in data.decode().splitlines()
			if li.startswith("epoch ="))
		home = Path("/etc/breakglass/accounts", account)
		home.mkdir(mode=0o755, exist_ok=True)
		self.write(home / f"seal.{epoch}", data)
		contacts = Path(f"{seal}.contacts")
		if contacts.exists():
			self.write(home / "contacts", contacts.read_bytes())
		digest = subprocess.run(["sha256sum", seal], capture_output=True, text=True,
			check=True).stdout.split()[0]
		self.write(home / "host", f"[host]\nlabel = {label}\naccount = {account}\nuid = {uid}\n"
			f"epoch = {epoch}\nseal = {digest}\n".encode())

	@staticmethod
	def write(path, data, mode=0o600):
		with contextlib.suppress(FileNotFoundError):
			os.unlink(path)
		fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
		with os.fdopen(fd, "wb") as file:
			file.write(data)
		os.chmod(path, mode)

	def conf(self, text=None, device=None):
		"""breakglass.conf; by default the keys' device paths and nothing else."""
		device = device or " ".join(key.path for key in self.keys.values())
		self.write("/etc/breakglass/breakglass.conf",
			(text or f"[breakglass]\ndevice = {device}\n").encode(), 0o644)

	def stacks(self, module=MODULE, after=None, services=("sshd", "login", "su", "su-l", "sudo",
			"cron", "systemd-user", "breakglass-sshd"), control=None, audit=True, arguments=""):
		"""A folder of PAM stacks: the module with its documented control words, then `after`
		(pam_deny for auth, pam_deny for account, pam_permit for session by default). audit: with
		pam_loginuid first; arguments: on the module's own lines."""
		shutil.rmtree(self.confdir, ignore_errors=True)
		self.confdir.mkdir()
		words = control or CONTROL
		rest = after or {"auth": "required pam_deny.so", "account": "required pam_deny.so",
			"session": "required pam_permit.so"}
		# As in sshd's and login's own stacks, pam_loginuid gives the audit session before us.
		first = {"auth": "", "account": "", "session": "session required pam_loginuid.so\n" if audit else ""}
		last = {"auth": "", "account": "", "session": f"session optional {PROBE}\n"}
		text = "".join(f"{first[kind]}{kind} {words[kind]} {module} {arguments}\n{last[kind]}{kind} {rest[kind]}\n"
			for kind in ("auth", "account", "session"))
		for service in services:
			(self.confdir / service).write_text(text)

	def login(self, *phases, service="login", user=None, tty="/dev/tty1", rhost=None, uid=None,
			fork=False, rounds=1, wait=False, fault=None, odd=False, env=None, preexec=None,
			under=(), info=None):
		"""Starts pam_login; under: a program and its arguments that run it; info: SSH_AUTH_INFO_0,
		which sshd puts into the PAM environment."""
		argv = [*under, str(PAM_LOGIN), "--confdir", str(self.confdir), "--service", service,
			"--user", user if user is not None else self.account, "--rounds", str(rounds)]
		argv += ["--tty", tty] if tty else []
		argv += ["--rhost", rhost] if rhost else []
		argv += ["--uid", str(uid)] if uid is not None else []
		argv += ["--info", info] if info is not None else []
		argv += ["--fork"] if fork else []
		argv += ["--wait"] if wait else []
		argv += ["--odd"] if odd else []
		argv += ["--fault", str(fault)] if fault is not None else []
		return Login(argv + list(phases), env=env, preexec=preexec)

	def ssh(self, *phases, **more):
		return self.login(*phases, service="sshd", tty="ssh", rhost="192.0.2.7", fork=True, **more)

	def prove(self, login, key="a", pin=PIN):
		"""PIN and touch."""
		login.expect("PIN of your security key")
		self.keys[key].ctl("touch")
		login.answer(pin)

	def to_share(self, login, key="a", reason="INC-1234 directory down"):
		"""Up to the first prompt for a share, which is returned."""
		self.prove(login, key)
		login.expect("Reason")
		login.answer(reason)
		return login.expect("Share 1 of")

	def open(self, login, key="a", reason="INC-1234 directory down", shares=("audit", "dba")):
		"""The whole dialogue up to the last share."""
		self.prove(login, key)
		login.expect("Reason")
		login.answer(reason)
		for i, name in enumerate(shares):
			login.expect(f"Share {i + 1} of")
			login.answer(self.shares[name])

	def reset(self):
		"""Forgets requests, grants, sessions and the log; also whoever might yet write into it."""
		while found := self._watchdogs():
			for pid in found:
				with contextlib.suppress(ProcessLookupError):
					os.kill(pid, signal.SIGKILL)
			time.sleep(0.01)
		shutil.rmtree("/run/breakglass", ignore_errors=True)

	@staticmethod
	def events(beside=False):
		"""The chain's records not yet carried, as dicts. SESSION_CONTEXT comes when it is known,
		perhaps in the next test: only what is asked for it (test_watchdog.py) has it."""
		path = Path("/run/breakglass/log/pending")
		if not path.exists():
			return []
		found = [json.loads(line) for line in path.read_text().splitlines()]
		if not beside and [e["event"] for e in found[:2]] == ["DEGRADED", "SESSION_CONTEXT"]:
			found = found[2:]  # the new chain's first word is of that record, too
		return [e for e in found if beside or e["event"] != "SESSION_CONTEXT"]

	def event_names(self):
		"""Without the DEGRADED by which a chain without a head begins."""
		events = self.events()
		if events and events[0]["event"] == "DEGRADED" and "head" in events[0]["result"]:
			events = events[1:]
		return [event["event"] for event in events]

	def close(self):
		for key in self.keys.values():
			key.close()


class StageCase(unittest.TestCase):
	"""A stage of the class, fresh for each test."""
	keys = ("a",)
	key_options = ()
	policy = None

	@classmethod
	def setUpClass(cls):
		cls.stage = Stage(keys=cls.keys, key_options=cls.key_options, policy=cls.policy)
		cls.addClassCleanup(cls.stage.close)

	def setUp(self):
		self.stage.reset()

	def listen(self):
		"""The journal's side of it is self.journal."""
		self.journal = Journal()
		self.addCleanup(self.journal.close)
