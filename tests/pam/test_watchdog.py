#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""breakglass-watchdog alone, with sessions made here (so that a deadline need not be a minute away),
and as the module starts it."""
import contextlib
import hashlib
import json
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest
from pathlib import Path

import pamlib
from pamlib import ACCOUNT, UID, wait_until

EVADE = pamlib.BUILD / "tests/pam/evade"
WATCHDOG = "/usr/libexec/breakglass/breakglass-watchdog"
SESSIONS = Path("/run/breakglass/sessions")
LOG = Path("/run/breakglass/log/pending")
HOUR = 3600_000

# Becomes a session of the account as pam_loginuid makes one, says its number, and starts what each
# line asks for: a shell command, by itself or on a terminal.
LEADER = r"""
import os, signal, subprocess, sys
for text in ("4294967295", sys.argv[1]):
	open("/proc/self/loginuid", "w").write(text)
print(open("/proc/self/sessionid").read(), flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for line in sys.stdin:
	word, _, rest = line.strip().partition(" ")
	if word == "exit":
		break
	if word == "start":
		child = subprocess.Popen(["sh", "-c", rest])
		print(child.pid, flush=True)
	if word == "wait":
		while True:
			try:
				os.wait()
			except ChildProcessError:
				break
		print("alone", flush=True)
"""

def boot_ms():
	return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def ticks(pid):
	return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])


def members(session):
	"""Living processes of an audit session."""
	found = []
	for entry in Path("/proc").iterdir():
		if entry.name.isdigit():
			with contextlib.suppress(OSError):
				if (entry / "sessionid").read_text() == str(session) \
						and (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX":
					found.append(int(entry.name))
	return found


def records():
	"""What was recorded, but that the log is new."""
	with contextlib.suppress(FileNotFoundError):
		found = [json.loads(line) for line in LOG.read_text().splitlines()]
		return [e for e in found if e["seq"] > 1 or e["event"] != "DEGRADED"]
	return []


def events():
	"""But for what a session began beside, which comes when it is known."""
	return [e for e in records() if e["event"] != "SESSION_CONTEXT"]


def beside():
	return [e for e in records() if e["event"] == "SESSION_CONTEXT"]


def may_be_spared():
	"""May root take a process out of the OOM killer's choice here? (Not in every container.)"""
	return subprocess.run(["sh", "-c", "echo -1000 > /proc/self/oom_score_adj"], check=False,
		stderr=subprocess.DEVNULL).returncode == 0


class Session:
	"""A leader with its audit session, the session's file, and a watchdog."""

	def __init__(self, deadline_ms=HOUR, length_ms=None, watch=True, uid=UID):
		self.leader = subprocess.Popen([sys.executable, "-c", LEADER, str(uid)],
			stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
		self.number = int(self.leader.stdout.readline())
		now = boot_ms()
		self.fields = {"session": self.number, "closed": 0, "revoked": 0, "told": 0,
			"deadline": now + deadline_ms,
			"opened": now + deadline_ms - length_ms if length_ms else now}
		self.write()
		self.watchdog = None
		if watch:
			self.watch()

	def write(self, **changes):
		self.fields.update(changes)
		f = self.fields
		text = lambda t: struct.pack(">H", len(t)) + t.encode()
		boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
		body = (struct.pack(">I", f["session"]) + text(boot) + text(ACCOUNT) + struct.pack(">I", UID)
			+ struct.pack(">QQ", f["opened"], f["deadline"])
			+ bytes((f["closed"], f["revoked"], f["told"])) + bytes(16) + b"\x22" * 32
			+ struct.pack(">I", 1) + b"".join(map(text, ("db1", "a", "oncall", "INC-1 test",
			"audit, dba", "sshd", "192.0.2.7", "full"))) + bytes(32))  # the set, no lock
		record = b"bgR1\x03" + struct.pack(">I", len(body)) + body
		record += hashlib.sha256(record).digest()
		SESSIONS.mkdir(parents=True, exist_ok=True)
		for folder in (SESSIONS, SESSIONS.parent):
			folder.chmod(0o700)
		(SESSIONS.parent / "log").mkdir(mode=0o700, exist_ok=True)
		new = SESSIONS / ".new-test"
		with open(new, "wb", opener=lambda p, fl: os.open(p, fl, 0o600)) as file:
			file.write(record)
		new.rename(SESSIONS / str(self.number))

	def read(self):
		"""(closed, revoked, told) as the file says now."""
		record = (SESSIONS / str(self.number)).read_bytes()
		at = 9 + 4 + 2 + 36 + 2 + len(ACCOUNT) + 4 + 16
		return tuple(record[at:at + 3])

	def order(self, **changes):
		f = {**self.fields, "pid": self.leader.pid, "ticks": ticks(self.leader.pid), **changes}
		return struct.pack(">IQIIQ", f["session"], f["opened"], f["pid"], 1, f["ticks"])

	def watch(self, order=None):
		ours, theirs = socket.socketpair()
		self.watchdog = subprocess.Popen([WATCHDOG], stdin=theirs, stdout=theirs, env={})
		theirs.close()
		ours.sendall(order or self.order())
		ours.settimeout(10)
		answer = ours.recv(1)
		ours.close()
		return answer

	def starts(self, command):
		self.leader.stdin.write(f"start {command}\n".replace("\n", " ").strip() + "\n")
		self.leader.stdin.flush()
		return int(self.leader.stdout.readline())

	def waits(self):
		"""The leader does nothing but wait for those that it started, as login and sshd do."""
		self.leader.stdin.write("wait\n")
		self.leader.stdin.flush()

	def askers(self):
		"""The watchdog's child, which finds out what the session began beside, if it does yet."""
		pid = self.watchdog.pid if self.watchdog is not None and self.watchdog.poll() is None else 0
		with contextlib.suppress(OSError):
			return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
		return []

	def close(self):
		for pid in self.askers():  # before the watchdog: it would write to the next test's log
			with contextlib.suppress(ProcessLookupError):
				os.kill(pid, signal.SIGKILL)
		for process in (self.watchdog, self.leader):
			if process is not None:
				if process.poll() is None:
					process.kill()
				process.wait()
		for pid in members(self.number):
			os.kill(pid, signal.SIGKILL)
		self.leader.stdin.close()
		self.leader.stdout.close()


class Case(unittest.TestCase):
	def setUp(self):
		shutil.rmtree("/run/breakglass", ignore_errors=True)

	@staticmethod
	def held(pid, but=()):
		return {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")
			if fd not in but}

	def session(self, *args, **more):
		session = Session(*args, **more)
		self.addCleanup(session.close)
		return session

	def ended(self, session, timeout=10):
		wait_until("the watchdog's end", lambda: session.watchdog.poll() is not None, timeout)
		self.assertEqual(session.watchdog.returncode, 0)
		self.assertEqual(members(session.number), [])


class Watchdog(Case):
	def stubborn(self, session, how="{}"):
		"""Starts one that ignores HUP and TERM; returns when it does."""
		mark = f"/run/stubborn.{time.monotonic_ns()}"
		Path(mark + ".py").write_text(
			"import signal, time, sys\n"
			"for s in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):\n"
			"\tsignal.signal(s, signal.SIG_IGN)\n"
			f"open('{mark}', 'w').close()\n"
			"time.sleep(600)\n")
		session.starts(how.format(f"python3 {mark}.py"))
		wait_until("the stubborn one", lambda: os.path.exists(mark))

	def test_everything_of_the_session_ends_at_its_deadline(self):
		session = self.session(3000)
		for how in ("{}", "setsid {}", "nohup {} >/dev/null 2>&1", "setsid -f {}",
				"(setsid sh -c '({} &) &' &)", "exec unshare -Upf --mount-proc {}", "sh -c 'kill -STOP $$'"):
			if "kill" in how:
				session.starts(how)
			else:
				self.stubborn(session, how)
		other = self.session(watch=False)  # of the same account, with its own hour
		other.starts("exec sleep 600")
		self.assertGreaterEqual(len(members(session.number)), 8)
		self.assertNotIn(session.watchdog.pid, members(session.number))
		session.waits()
		self.ended(session, 25)
		self.assertEqual(len(members(other.number)), 2)
		told = [e for e in events() if e["event"] == "SESSION_EXPIRED"]
		self.assertEqual(len(told), 1, events())
		self.assertRegex(told[0]["result"], r"ended at its deadline after 3 s: \d+ processes")
		self.assertEqual((told[0]["account"], told[0]["reason"], told[0]["custodians"],
			told[0]["request"]), (ACCOUNT, "INC-1 test", "audit, dba", "22" * 32))
		self.assertEqual(session.read()[0], 1)
		self.assertEqual([e["event"] for e in events()], ["SESSION_EXPIRED", "SESSION_CLOSED"])
		self.assertEqual(len(beside()), 1)

	def test_who_obeys_is_not_killed(self):
		"""TERM first, and the leader is left to end by himself."""
		session = self.session(1500)
		session.starts("trap 'touch /run/obeyed; exit' HUP TERM; while :; do sleep 0.1; done")
		session.waits()
		self.assertEqual(session.leader.stdout.readline().strip(), "alone")
		self.assertTrue(os.path.exists("/run/obeyed"))
		self.assertIsNone(session.leader.poll())
		session.write(closed=1, told=1)
		session.leader.stdin.close()
		self.ended(session)
		self.assertEqual(session.leader.wait(), 0)
		self.assertEqual([e["event"] for e in events()], ["SESSION_EXPIRED"])

	def evader(self, session, how):
		"""Starts one of evade.c's, as the account itself; asks whether it lives."""
		mark = f"/run/evader.{time.monotonic_ns()}"
		Path(mark).touch(0o666)
		Path(mark).chmod(0o666)
		session.starts(f"exec {EVADE} {how} {mark} 30 {UID}")
		def lives():
			before = Path(mark).read_bytes()
			time.sleep(0.3)
			return Path(mark).read_bytes() != before
		wait_until(how, lives)
		return lives

	def evading(self, how, when):
		session = self.session(8000)
		lives = self.evader(session, how)
		if when == "login gone":
			session.write(closed=1, told=1)
			session.leader.stdin.close()
			session.leader.wait()
		else:
			session.waits()
		if when == "revoked":
			session.write(closed=1, revoked=1)
		return session, lives

	def test_process_whose_first_thread_has_ended_ends_too(self):
		"""Without root, and /proc says Z of it. Ended at the deadline, by a revocation, and when the
		login is long gone. Nobody else is stopped or ended meanwhile: root's, the account's in
		another session, anybody's."""
		bystanders = [subprocess.Popen(["sleep", "600"], user=uid, start_new_session=True)
			for uid in (0, UID, UID + 1)]
		for process in bystanders:
			self.addCleanup(process.kill)
		rows = [(when, *self.evading("leaderless", when)) for when in
			("deadline", "revoked", "login gone")]
		for when, session, lives in rows:
			with self.subTest(when):
				self.ended(session, 40)
				self.assertFalse(lives())
		for process in bystanders:
			told = os.waitpid(process.pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
			self.assertEqual(told, (0, 0), process.args)

	def test_revoked_session_ends_within_seconds(self):
		for name, change in (("revoked", lambda s: s.write(revoked=1, closed=1)),
				("file gone", lambda s: (SESSIONS / str(s.number)).unlink()),
				("file damaged", lambda s: (SESSIONS / str(s.number)).write_bytes(b"x")),
				("another's file", lambda s: s.write(opened=1))):
			with self.subTest(name):
				session = self.session()
				self.stubborn(session, "setsid -f {}")
				begin = time.monotonic()
				change(session)
				wait_until("its processes' end", lambda s=session: members(s.number) == [s.leader.pid])
				self.assertLess(time.monotonic() - begin, 6)
				session.leader.stdin.close()
				self.ended(session)
				self.assertNotIn("SESSION_EXPIRED", [e["event"] for e in events()])

	def test_deadline_is_only_ever_shortened(self):
		session = self.session(3000)
		session.write(deadline=boot_ms() + HOUR)
		session.starts("exec sleep 600")
		session.waits()
		self.ended(session, 20)

	def test_ends_with_its_session(self):
		session = self.session()
		session.write(closed=1, told=1)
		session.leader.stdin.close()
		self.ended(session)
		self.assertEqual(events(), [])

	def test_waits_for_who_outlives_the_login(self):
		session = self.session(6000)
		self.stubborn(session, "setsid -f {}")
		session.write(closed=1, told=1)
		session.leader.stdin.close()
		session.leader.wait()
		self.ended(session, 25)
		told = events()
		self.assertEqual([e["event"] for e in told], ["SESSION_EXPIRED"])
		self.assertIn(": 1 process", told[0]["result"])

	def test_killed_login_is_told_once(self):
		session = self.session()
		session.leader.kill()
		self.ended(session)
		self.assertEqual([e["event"] for e in events()], ["SESSION_CLOSED"])
		self.assertIn("its login was killed", events()[0]["result"])
		self.assertEqual(session.read(), (1, 0, 1))

	def test_nobody_else_is_touched(self):
		"""The same audit session, but not the account's: what a daemon started by hand would have."""
		session = self.session(1000, watch=False, uid=UID + 1)
		session.watch()
		session.starts("exec sleep 600")
		wait_until("the deadline", lambda: "SESSION_EXPIRED" in [e["event"] for e in events()])
		self.assertEqual(len(members(session.number)), 2)

	def test_order_that_is_none(self):
		session = self.session(watch=False)
		for name, order in (("another session", session.order(session=session.number + 1000)),
				("another opening", session.order(opened=1)), ("no leader", session.order(pid=0)),
				("another leader", session.order(ticks=1)), ("short", b"\0" * 27)):
			with self.subTest(name):
				ours, theirs = socket.socketpair()
				watchdog = subprocess.Popen([WATCHDOG], stdin=theirs, stdout=theirs, env={})
				theirs.close()
				ours.sendall(order)
				ours.shutdown(socket.SHUT_WR)
				self.assertEqual(ours.recv(1), b"")
				self.assertEqual(watchdog.wait(10), 3)
				ours.close()
		self.assertEqual(subprocess.run([WATCHDOG, "x"], capture_output=True, check=False).returncode, 2)

	def test_P05_P06_nothing_of_the_login_is_kept(self):
		session = self.session()
		pid = session.watchdog.pid
		wait_until("its descriptors to be its own", lambda: self.held(pid, but=("2",))
			== {"/dev/null", "anon_inode:[pidfd]"})
		if may_be_spared():
			self.assertEqual(Path(f"/proc/{pid}/oom_score_adj").read_text().strip(), "-1000")
		self.assertRegex(Path(f"/proc/{pid}/status").read_text(), r"NoNewPrivs:\t1")


class Beside(Case):
	"""What a session began beside. No sshd is here, and /var is the host's."""

	def setUp(self):
		super().setUp()
		Path("/run/utmp").unlink(missing_ok=True)
		self.bind("/var/log/wtmp", b"")

	def bind(self, path, data, mode=0o644):
		"""Another file in its place, until the test's end."""
		if not os.path.exists(path):
			return
		new = Path(f"/run/.bound.{time.monotonic_ns()}")
		new.write_bytes(data)
		new.chmod(mode)
		subprocess.run(["mount", "--bind", new, path], check=True)
		self.addCleanup(subprocess.run, ["umount", path], check=True)

	@staticmethod
	def login(name, ago, kind=7):
		"""utmp(5)'s record."""
		return struct.pack("<h2xi32s4s32s256shhiii4i20x", kind, 77, b"pts/7", b"7", name.encode(),
			b"", 0, 0, 0, int(time.time()) - ago, 0, 0, 0, 0, 0)

	@staticmethod
	def asker(session):
		path = f"/proc/{session.watchdog.pid}/task/{session.watchdog.pid}/children"
		return int(wait_until("the child that looks around", lambda: Path(path).read_text()))

	def told(self, session, timeout=10):
		"""The one record of it, with the session's fields."""
		record = wait_until("what it began beside", beside, timeout)
		self.assertEqual(len(record), 1)
		self.assertEqual([record[0][n] for n in ("account", "reason", "custodians", "request", "role",
			"service")], [ACCOUNT, "INC-1 test", "audit, dba", "22" * 32, "full", "sshd"])
		return record[0]

	def test_healthy_ways_and_an_ordinary_login(self):
		Path("/run/utmp").write_bytes(self.login("alice", 7200))
		record = self.told(self.session())
		self.assertIn(record["ordinary"], range(7198, 7203))
		self.assertEqual(record["normal"], "healthy")
		self.assertEqual(record["result"], "an ordinary login 2 hours before; normal ways looked healthy")
		self.assertEqual(record["severity"], 1)

	def test_only_an_ordinary_login_of_the_past_counts(self):
		os.makedirs(f"/etc/breakglass/accounts/{ACCOUNT}", exist_ok=True)
		self.addCleanup(os.rmdir, f"/etc/breakglass/accounts/{ACCOUNT}")
		Path("/run/utmp").write_bytes(self.login("alice", 600) + self.login(ACCOUNT, 60)
			+ self.login("later", -HOUR) + self.login("gone", 30, kind=8) + self.login("../x", 20)
			+ self.login("-x", 20) + self.login("two words", 20) + self.login("", 20) + b"cut")
		self.assertIn(self.told(self.session())["ordinary"], range(598, 603))

	def test_no_ordinary_login_is_known(self):
		record = self.told(self.session())
		self.assertNotIn("ordinary", record)
		self.assertIn("no ordinary login is known; ", record["result"])

	def test_nologin_is_no_healthy_way(self):
		Path("/run/nologin").touch()
		self.addCleanup(os.unlink, "/run/nologin")
		record = self.told(self.session())
		self.assertEqual((record["normal"], record["severity"]), ("broken: nologin is there", 5))

	def test_names_that_hang_hold_nothing_up(self):
		self.bind("/usr/bin/getent", b"#!/bin/sh\nexec sleep 600\n", 0o755)
		session = self.session(2000)
		session.starts("exec sleep 600")
		session.waits()
		wait_until("the deadline", lambda: "SESSION_EXPIRED" in [e["event"] for e in events()], 4)
		self.assertEqual(self.told(session)["normal"], "broken: names do not answer")
		self.ended(session, 20)

	def test_whoever_looks_around_and_hangs_is_not_waited_for(self):
		session = self.session()
		os.kill(self.asker(session), signal.SIGSTOP)
		session.write(closed=1, told=1)
		session.leader.stdin.close()
		session.leader.wait()
		record = self.told(session, 30)
		self.assertEqual((record["normal"], record["severity"]), ("unknown", 1))
		self.ended(session)

	def test_whoever_looks_around_is_killed(self):
		session = self.session()
		os.kill(self.asker(session), signal.SIGKILL)
		self.assertEqual(self.told(session)["normal"], "unknown")

	def test_killed_watchdog_takes_it_not_along(self):
		session = self.session()
		self.asker(session)
		session.watchdog.kill()
		self.assertEqual(self.told(session)["normal"], "healthy")

	def test_shortest_session_has_its_record(self):
		session = self.session()
		session.write(closed=1, told=1)
		session.leader.stdin.close()
		self.ended(session)
		self.told(session)


class Warnings(Case):
	def terminal(self, session):
		"""A process of the session on a terminal of its own; the terminal's other side."""
		ours, theirs = pty.openpty()
		self.addCleanup(os.close, ours)
		name = os.ttyname(theirs)
		session.starts(f"exec setsid -c sleep 600 <{name} >{name} 2>&1")
		wait_until("its terminal", lambda: any(
			os.path.realpath(f"/proc/{pid}/fd/0") == name for pid in members(session.number)))
		os.close(theirs)
		return ours

	@staticmethod
	def read(fd, seconds):
		text = b""
		end = time.monotonic() + seconds
		while select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
			try:
				text += os.read(fd, 4096)
			except OSError:
				break
			if b"outlive it.\r\n" in text.replace(b"\r\r", b"\r"):
				break
		return text.decode()

	def test_at_ten_minutes_and_at_one(self):
		# a session of five minutes is warned at one only; the other one's terminal is there in time
		for minutes, length, words in ((10, HOUR, "10 minutes"), (1, HOUR // 12, "1 minute")):
			with self.subTest(words):
				session = self.session(minutes * 60_000 + 4000, length_ms=length)
				ours = self.terminal(session)
				text = self.read(ours, 10)
				self.assertIn(f"{ACCOUNT}: this emergency session ends in {words} (", text)
				self.assertLessEqual(max(len(li.strip("\a\r")) for li in text.split("\n")), 79)
				# once
				self.assertEqual(self.read(ours, 1.5), "")
				session.close()

	def test_short_session_is_not_warned_at_its_beginning(self):
		session = self.session(60_000)
		self.assertEqual(self.read(self.terminal(session), 1.5), "")

	def test_stopped_terminal_stops_nothing(self):
		session = self.session(62_000, length_ms=HOUR)
		ours = self.terminal(session)
		other = self.terminal(session)
		os.write(ours, b"\x13")  # Ctrl-S
		self.assertIn("1 minute", self.read(other, 10))
		session.write(revoked=1)
		wait_until("its processes' end", lambda: members(session.number) == [session.leader.pid])


class Module(Case):
	@classmethod
	def setUpClass(cls):
		cls.stage = pamlib.Stage(policy={"session-seconds": 60})

	@classmethod
	def tearDownClass(cls):
		cls.stage.close()

	def setUp(self):
		super().setUp()
		for folder in ("", "/requests", "/grants", "/sessions", "/log"):
			os.makedirs(f"/run/breakglass{folder}", mode=0o700, exist_ok=True)

	def opened(self):
		"""A session, the module's host waiting in it; its number."""
		login = self.stage.login(wait=True)
		self.addCleanup(login.kill)
		self.stage.open(login)
		self.assertEqual(login.next(), "WAIT", login.lines[-4:])
		return login, int(Path(f"/proc/{login.process.pid}/sessionid").read_text())

	def names(self):
		return [e["event"] for e in events()]

	def test_one_watchdog_a_session_and_the_host_learns_nothing(self):
		login, number = self.opened()
		watchdogs = self.stage.watchdogs()
		self.assertEqual(len(watchdogs), 1)
		self.assertNotEqual(int(Path(f"/proc/{watchdogs[0]}/stat").read_text().rsplit(")", 1)[1]
			.split()[1]), login.process.pid)
		self.assertEqual(Path(f"/proc/{login.process.pid}/task/{login.process.pid}/children")
			.read_text(), "")
		self.assertNotIn(watchdogs[0], members(number))
		self.assertEqual(Path(f"/proc/{watchdogs[0]}/environ").read_text(), "")
		self.assertEqual(os.readlink(f"/proc/{watchdogs[0]}/cwd"), "/")
		wait_until("its descriptors to be its own", lambda: self.held(watchdogs[0])
			== {"/dev/null", "anon_inode:[pidfd]"})
		login.raw("")
		login.finish()
		wait_until("the watchdog's end", lambda: not self.stage.watchdogs())
		self.assertEqual(self.names().count("SESSION_CLOSED"), 1)
		self.assertEqual(len(beside()), 1)
		self.assertNotIn("DEGRADED", self.names())

	def test_killed_host_is_told_for(self):
		login, _ = self.opened()
		login.kill()
		wait_until("the watchdog's end", lambda: not self.stage.watchdogs())
		self.assertEqual(self.names().count("SESSION_CLOSED"), 1)

	def test_without_a_watchdog_it_opens_and_says_so(self):
		os.rename(WATCHDOG, WATCHDOG + ".away")
		self.addCleanup(os.rename, WATCHDOG + ".away", WATCHDOG)
		login, _ = self.opened()
		self.assertIn("no watchdog", next(e["result"] for e in events() if e["event"] == "DEGRADED"))
		self.assertEqual([(e["normal"], e["role"], len(e["request"])) for e in beside()],
			[("unknown", "full", 64)])
		login.raw("")
		self.assertEqual(login.finish()["close"], 0)

	def test_watchdog_that_hangs_holds_nobody_up(self):
		os.rename(WATCHDOG, WATCHDOG + ".away")
		self.addCleanup(os.rename, WATCHDOG + ".away", WATCHDOG)
		Path(WATCHDOG).write_text("#!/bin/sh\nexec sleep 20\n")
		os.chmod(WATCHDOG, 0o755)
		begin = time.monotonic()
		self.opened()
		self.assertLess(time.monotonic() - begin, 10)
		self.assertIn("no watchdog", next(e["result"] for e in events() if e["event"] == "DEGRADED"))

	def test_session_that_is_somebody_elses_is_none(self):
		"""A daemon started by hand has its starter's audit session; ending it would end hers."""
		self.stage.stacks(audit=False)
		self.addCleanup(self.stage.stacks)

		def mine():
			for text in ("4294967295", "0"):
				Path("/proc/self/loginuid").write_text(text)
		login = self.stage.login(wait=True, preexec=mine)
		self.addCleanup(login.kill)
		self.stage.open(login)
		self.assertEqual(login.next(), "WAIT")
		self.assertEqual(self.stage.watchdogs(), [])
		self.assertEqual(list(SESSIONS.iterdir()), [])
		self.assertIn("no audit session", next(e["result"] for e in events() if e["event"] == "DEGRADED"))


def main():
	pamlib.enter()
	pamlib.Stage.helper()
	unittest.main()


if __name__ == "__main__":
	main()
