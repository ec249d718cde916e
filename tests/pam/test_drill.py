#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Drills: the same stack, key and quorum, and nothing of it opens anything; by a marked process under
pam_login, and by `bg-unlock drill` itself at a terminal."""
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import time
import unittest
from pathlib import Path

import pexpect

import codelib
import pamlib
from pamlib import ACCOUNT, BUILD, COMMAND, CONTROL, MODULE, PAM_AUTH_ERR, PAM_PERM_DENIED, PIN
from test_codes import CodesCase

RUN = Path("/run/breakglass")
DRILLS, GRANTS = RUN / "drills", RUN / "grants"
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def text(value):
	return struct.pack(">H", len(value)) + value.encode()


def framed(kind, content):
	head = b"bgR1" + bytes([kind]) + struct.pack(">I", len(content)) + content
	return head + hashlib.sha256(head).digest()


def start_ticks(pid):
	return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])


def mark(pid=None, account=ACCOUNT, service="login", name="2026-Q4", damage=False):
	"""Marks a process (the caller) as one that drills."""
	pid = pid or os.getpid()
	ticks = start_ticks(pid)
	for folder in (RUN, DRILLS):
		folder.mkdir(mode=0o700, exist_ok=True)
	data = framed(4, text(BOOT) + struct.pack(">IIQQ", pid, 1, ticks, 1) + text(account)
		+ text(service) + text(name))
	fd = os.open(DRILLS / f"{pid}.{ticks}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
	os.write(fd, data[:-1] if damage else data)
	os.close(fd)


class DrillCase(CodesCase):
	def drill(self, *phases, preexec=mark, **more):
		login = self.stage.login(*phases, preexec=preexec, **more)
		self.addCleanup(login.kill)
		return login

	def challenge_of(self, prompt):
		return codelib.read_request_challenge(codelib.decode(codelib.find_lines(prompt))[1])

	def blocked(self):
		return self.result_of("BYPASS_BLOCKED")


class MarkedTest(DrillCase):
	def test_P17_a_drill_is_granted_and_opens_no_session(self):
		login = self.drill()
		prompt = self.stage.to_share(login)
		self.assertIn(f"DRILL {ACCOUNT}@db1", prompt)
		self.assertEqual(self.challenge_of(prompt)["purpose"], "drill")
		for i, name in enumerate(("ops", "dba")):
			login.answer(self.stage.shares[name])
			if i == 0:
				login.expect("Share 2 of 2")
		results = login.finish()
		self.assertEqual({k: results[k] for k in ("auth", "account", "open")},
			{"auth": 0, "account": 0, "open": PAM_PERM_DENIED})
		self.assertEqual(self.blocked(), ["drill: a drill opens no session"])
		self.assertEqual(self.result_of("GRANTED"), ["drill: key and quorum; typed here: ops, dba"])
		self.assertNotIn("SESSION_OPENED", self.stage.event_names())
		for event in self.stage.events():
			if event["event"] == "DEGRADED" and "head" in event["result"]:
				continue
			self.assertTrue(event["result"].startswith("drill: "), event)
			self.assertGreaterEqual(event["severity"], 1, event)
		self.assertEqual(list(GRANTS.iterdir()), [])

	def test_P17_an_approval_for_a_drill_is_none_for_an_emergency(self):
		prompt = self.stage.to_share(self.drill())
		practice = self.challenge_of(prompt)
		login = self.at_share()
		self.assertEqual(self.challenge["purpose"], "emergency")
		approval = plain_approval(practice, *self.private("dba", practice))
		self.refused(login, approval, "request")
		# nor where it is made for this request's nonce, as if that were practice
		approval = self.approval("dba", purpose="drill")
		self.refused(login, approval, "request")

	def test_P17_an_approval_for_an_emergency_is_none_for_a_drill(self):
		self.at_share()
		real = self.challenge
		login = self.drill()
		self.challenge = self.challenge_of(self.stage.to_share(login))
		self.assertEqual(self.challenge["purpose"], "drill")
		self.refused(login, plain_approval(real, *self.private("dba", real)), "request")
		self.refused(login, self.approval("dba", purpose="emergency"), "request")

	def test_a_drill_does_not_go_on_with_an_emergency_nor_an_emergency_with_a_drill(self):
		for first, second in ((None, mark), (mark, None), (mark, mark)):
			with self.subTest(first=first, second=second):
				self.stage.reset()
				self.stage.to_share(self.drill(preexec=first))
				login = self.drill(preexec=second)
				self.stage.prove(login)
				login.expect("Reason")

	def test_S15_a_satisfied_drill_is_no_quorum_for_an_emergency(self):
		login = self.drill("auth")
		self.stage.open(login)
		self.assertEqual(login.finish(), {"auth": 0})
		login = self.stage.login("auth")
		self.addCleanup(login.kill)
		self.stage.prove(login)
		login.expect("Reason")

	def granted(self, *phases):
		login = self.drill("auth", "pause", *phases)
		self.stage.open(login)
		self.assertEqual(login.next(), "WAIT")
		return login

	def go_on(self, login):
		login.raw("")
		return login.finish()

	def test_S15_a_drills_grant_is_none_for_a_process_without_the_mark(self):
		login = self.granted("account", "open")
		shutil.rmtree(DRILLS)
		self.assertEqual(self.go_on(login)["account"], PAM_PERM_DENIED)
		self.assertEqual(self.blocked()[0], "no grant for this login")

	def test_S15_an_admitted_drills_grant_opens_no_session_without_the_mark(self):
		login = self.drill("auth", "account", "pause", "open")
		self.stage.open(login)
		self.assertEqual(login.next(), "WAIT")
		shutil.rmtree(DRILLS)
		self.assertEqual(self.go_on(login)["open"], PAM_PERM_DENIED)
		self.assertEqual(self.blocked(), ["a drill opens no session"])

	def test_S15_a_grant_that_calls_itself_an_emergency_does_not_make_its_request_one(self):
		login = self.granted("account", "open")
		shutil.rmtree(DRILLS)
		[path] = GRANTS.iterdir()
		content = path.read_bytes()[9:-32]
		self.assertEqual(content[-1], 2)
		path.write_bytes(framed(2, content[:-1] + b"\1"))
		results = self.go_on(login)
		self.assertEqual((results["account"], results["open"]), (0, PAM_PERM_DENIED))
		self.assertEqual(self.blocked(), ["the grant's request is gone or over"])

	def test_an_unmarked_process_beside_a_drill_is_an_emergency(self):
		mark(os.getpid())
		login = self.stage.login()
		self.addCleanup(login.kill)
		self.stage.open(login)
		self.opens(login)
		self.assertEqual(self.result_of("GRANTED"), ["key and quorum; typed here: dba, audit"])

	def test_a_mark_that_is_damaged_or_for_something_else_denies_before_the_key(self):
		for change in ({"damage": True}, {"account": "other"}, {"service": "sshd"}):
			with self.subTest(change):
				self.stage.reset()
				login = self.drill("auth", preexec=lambda change=change: mark(**change))
				self.assertEqual(login.finish(), {"auth": PAM_AUTH_ERR})
				self.assertRegex(self.result_of("DENIED")[0], "^drill: the drill's mark: ")


def plain_approval(challenge, index, private):
	return "".join(codelib.encode(codelib.APPROVAL, codelib.approval(challenge, index, private)))


class CommandBase(DrillCase):
	"""`bg-unlock drill` at a terminal, the doors' stacks where libpam looks for them."""

	def setUp(self):
		super().setUp()
		lines = "".join(f"{kind} {CONTROL[kind]} {MODULE}\n{kind} requisite pam_deny.so\n"
			for kind in ("auth", "account"))
		for door in ("sshd", "login"):
			Path("/etc/pam.d", door).write_text(lines + "session required pam_deny.so\n")

	def run_command(self, *options):
		term = pexpect.spawn(str(COMMAND), ["drill", *options], encoding="utf-8", timeout=30,
			dimensions=(24, 80))
		self.addCleanup(term.close, force=True)
		return term

	def through(self, term, shares=("ops", "dba"), is_at_pin=False):
		if not is_at_pin:
			term.expect("PIN of your security key")
		self.stage.keys["a"].ctl("touch")
		term.sendline(PIN)
		term.expect("Reason")
		term.sendline("quarterly drill")
		for i, name in enumerate(shares):
			term.expect(f"Share {i + 1} of 2")
			self.screen = term.before
			term.sendline(self.stage.shares[name])

	def ends(self, term):
		rest = term.read()
		term.close()
		return rest, term.exitstatus

	def fields(self, name):
		return dict(pair.split("=", 1) for pair in self.result_of(name)[-1].split(";")[0].split()
			if "=" in pair)

	def code(self):
		"""The one in the alert: in its first 140 characters, which every way carries."""
		[started] = [e for e in self.stage.events() if e["event"] == "DRILL_STARTED"][-1:]
		return re.fullmatch(r"confirm=(\w+) of drill [\w-]+", started["reason"])[1]

	def nothing_is_left(self):
		self.assertEqual(list(DRILLS.iterdir()), [])
		self.assertEqual(list(GRANTS.iterdir()), [])


class CommandTest(CommandBase):
	def test_a_drill_is_measured_recorded_and_opens_nothing(self):
		for door in ("sshd", "login"):
			with self.subTest(door):
				self.stage.reset()
				term = self.run_command("--id", "2026-Q4", "--door", door)
				self.through(term)
				rest, status = self.ends(term)
				self.assertEqual(status, 0, rest)
				for step in ("key proved", "reason given", "ops counted", "dba counted", "granted",
						"admitted", "groups looked up", "in all"):
					self.assertRegex(rest, rf"\n  {step} +\d+")
				self.assertIn("PASSED; nothing was opened.", rest)
				names = self.stage.event_names()
				self.assertEqual((names[0], names[-1]), ("DRILL_STARTED", "DRILL_ENDED"))
				self.assertNotIn("SESSION_OPENED", names)
				ended = self.fields("DRILL_ENDED")
				self.assertEqual({k: ended[k] for k in ("id", "result", "of", "door", "offline")},
					{"id": "2026-Q4", "result": "passed", "of": "180", "door": door,
						"offline": "no"})
				self.assertRegex(ended["steps"], r"^key:\d+,reason:\d+,ops:\d+,dba:\d+,"
					r"grant:\d+,account:\d+,groups:\d+$")
				self.nothing_is_left()

	def test_its_alert_is_confirmed_by_the_code_in_it(self):
		term = self.run_command("--id", "q4")
		self.through(term)
		self.assertEqual(self.ends(term)[1], 0)
		code = self.code()
		self.assertRegex(code, "^[0-9A-Z]{6}$")
		wrong = subprocess.run([COMMAND, "drill", "--confirm", "000000"], capture_output=True,
			text=True, check=False)
		self.assertEqual(wrong.returncode, 1, wrong)
		self.assertEqual(self.result_of("ALERT_DELIVERED"), [])
		done = subprocess.run([COMMAND, "drill", "--confirm", code.lower()], capture_output=True,
			text=True, check=False)
		self.assertEqual(done.returncode, 0, done)
		self.assertRegex(self.result_of("ALERT_DELIVERED")[0], r"^drill id=q4 arrived=yes after=\d+ ")

	def test_the_code_is_in_the_alert_and_not_on_the_drillers_screen(self):
		term = self.run_command("--id", "q4")
		term.expect("PIN of your security key")
		code = self.code()
		self.assertNotIn(code, term.before)
		term.sendintr()
		self.assertNotIn(code, self.ends(term)[0])

	def test_given_up_it_has_failed_and_leaves_nothing(self):
		term = self.run_command("--id", "q4")
		term.expect("PIN of your security key")
		self.stage.keys["a"].ctl("touch")
		term.sendline(PIN)
		term.expect("Reason")
		term.sendintr()
		rest, status = self.ends(term)
		self.assertEqual(status, 1, rest)
		self.assertIn("FAILED at reason: given up", rest)
		self.assertRegex(self.result_of("DRILL_ENDED")[0],
			"^id=q4 result=failed .* failed at reason: given up; steps=key:")
		self.nothing_is_left()

	def test_a_stack_without_the_module_fails(self):
		Path("/etc/pam.d/sshd").write_text("auth required pam_deny.so\naccount required pam_deny.so\n")
		rest, status = self.ends(self.run_command("--id", "q4"))
		self.assertEqual(status, 1, rest)
		self.assertIn("FAILED at authentication", rest)

	def test_a_stack_that_never_asked_the_module_fails(self):
		Path("/etc/pam.d/sshd").write_text(
			"auth required pam_permit.so\naccount required pam_permit.so\n")
		rest, status = self.ends(self.run_command("--id", "q4"))
		self.assertEqual(status, 1, rest)
		self.assertIn("without pam_breakglass", rest)

	def finding(self, row):
		done = subprocess.run([COMMAND, "check", "--json"], capture_output=True, text=True,
			check=False)
		return [f for f in json.loads(done.stdout)["findings"] if f["name"] == f"{ACCOUNT}/{row}"]

	def test_check_tells_the_last_drill(self):
		[found] = self.finding("drill")
		self.assertEqual(found["level"], "WARNING")
		self.assertIn("never practised", found["text"])
		term = self.run_command("--id", "one")
		self.through(term)
		self.assertEqual(self.ends(term)[1], 0)
		[found] = self.finding("drill")
		self.assertEqual(found["level"], "OK", found)
		self.assertRegex(found["text"], r"^drill one passed in \d+ s, 0 days ago; nobody confirmed")
		subprocess.run([COMMAND, "drill", "--confirm", self.code()],
			check=True, capture_output=True)
		self.assertIn("its alert arrived", self.finding("drill")[0]["text"])
		# read back while the drill still goes on, of one with the same name, too
		for name in ("one", "while"):
			term = self.run_command("--id", name)
			term.expect("PIN of your security key")
			if name == "while":
				subprocess.run([COMMAND, "drill", "--confirm", self.code()], check=True,
					capture_output=True)
			self.through(term, is_at_pin=True)
			self.assertEqual(self.ends(term)[1], 0)
			self.assertIn("its alert arrived" if name == "while" else "nobody confirmed",
				self.finding("drill")[0]["text"])
		term = self.run_command("--id", "two")
		term.expect("PIN of your security key")
		term.sendintr()
		self.ends(term)
		[found] = self.finding("drill")
		self.assertEqual((found["level"], found["text"]),
			("WARNING", "drill two, the last one, did not pass: failed"))

	def test_an_old_drill_is_overdue(self):
		term = self.run_command("--id", "old")
		self.through(term)
		self.assertEqual(self.ends(term)[1], 0)
		then = time.strftime("%Y-%m-%dT", time.gmtime(time.time() - 91 * 86400))
		path = RUN / "log/pending"
		path.write_text(re.sub(r'"time":"[0-9-]+T', f'"time":"{then}', path.read_text()))
		[found] = self.finding("drill")
		self.assertEqual((found["level"], found["text"]),
			("WARNING", "drill old, the last one, was 91 days ago; 90 are agreed"))

	def test_a_share_typed_for_practice_is_exposed(self):
		term = self.run_command("--id", "q4")
		self.through(term, ("ops",))
		term.expect("Share 2 of 2")
		term.sendintr()
		self.ends(term)
		self.assertIn("ops", json.dumps(self.finding("reviews")), self.finding("reviews"))

	def test_one_drill_of_an_account_at_a_time(self):
		first = self.run_command("--id", "one")
		first.expect("PIN of your security key")
		rest, status = self.ends(self.run_command("--id", "two"))
		self.assertEqual(status, 1, rest)
		self.assertIn("another drill of this account runs", rest)
		first.sendintr()
		self.ends(first)

	def test_what_it_will_not_begin(self):
		for options, status in ((["--id", "a b"], 2), (["--id", ""], 2), ([], 2),
				(["--id", "q", "--confirm", "x"], 2), (["--id", "q", "--door", "su"], 2),
				(["--id", "q", "--account", "nobody"], 2)):
			with self.subTest(options):
				rest, got = self.ends(self.run_command(*options))
				self.assertNotEqual(got, 0, rest)
				if options != ["--id", "q", "--account", "nobody"]:
					self.assertEqual(got, status, rest)
		self.assertNotIn("DRILL_STARTED", self.stage.event_names())

	def test_without_a_terminal_there_is_none(self):
		done = subprocess.run(["setsid", "-w", COMMAND, "drill", "--id", "q"], capture_output=True,
			text=True, check=False, stdin=subprocess.DEVNULL)
		self.assertEqual(done.returncode, 3, done)
		self.assertNotIn("DRILL_STARTED", self.stage.event_names())


class OfflineTest(CommandBase):
	"""With no network and with sources of names that do not answer."""

	def test_offline_it_passes_and_leaves_the_host_as_it_was(self):
		os.makedirs("/run/nscd", exist_ok=True)
		Path("/run/nscd/socket").write_text("")
		before = Path("/proc/self/mountinfo").read_text()
		term = self.run_command("--id", "off", "--offline")
		term.expect("PIN of your security key")
		[child] = subprocess.run(["pgrep", "-P", str(term.pid)], capture_output=True, text=True,
			check=True).stdout.split()
		links = Path(f"/proc/{child}/net/dev").read_text().splitlines()[2:]
		self.assertEqual([li.split(":")[0].strip() for li in links], ["lo"])
		self.assertEqual(os.listdir(f"/proc/{child}/root/run/nscd"), [])
		self.assertNotEqual(os.readlink(f"/proc/{child}/ns/net"), os.readlink("/proc/self/ns/net"))
		self.stage.keys["a"].ctl("touch")
		term.sendline(PIN)
		term.expect("Reason")
		term.sendline("quarterly drill")
		for i, name in enumerate(("ops", "dba")):
			term.expect(f"Share {i + 1} of 2")
			term.sendline(self.stage.shares[name])
		rest, status = self.ends(term)
		self.assertEqual(status, 0, rest)
		self.assertEqual(self.fields("DRILL_ENDED")["offline"], "yes")
		self.assertEqual(Path("/proc/self/mountinfo").read_text(), before)
		self.assertEqual(os.listdir("/run/nscd"), ["socket"])

	def hang(self, databases):
		"""Puts a source that does not answer behind files."""
		Path("/etc/ld.so.conf.d/hang.conf").write_text(f"{BUILD}/tests/system\n")
		subprocess.run(["ldconfig", "-X"], check=True)
		conf = Path("/etc/nsswitch.conf")
		before = conf.read_text()
		self.addCleanup(conf.write_text, before)
		conf.write_text("".join(f"{db}: files{' hang' if db in databases else ''}\n"
			for db in ("passwd", "shadow", "group", "hosts")))

	def test_a_source_of_accounts_that_hangs_does_not_hang_it(self):
		self.hang(("passwd", "shadow"))
		begin = time.monotonic()
		term = self.run_command("--id", "off", "--offline")
		self.through(term)
		rest, status = self.ends(term)
		self.assertEqual(status, 0, rest)
		self.assertLess(time.monotonic() - begin, 20)

	def test_a_source_of_groups_that_hangs_is_found_and_named(self):
		self.hang(("group", "initgroups"))
		begin = time.monotonic()
		term = self.run_command("--id", "off", "--offline")
		self.through(term)
		rest, status = self.ends(term)
		self.assertEqual(status, 1, rest)
		self.assertRegex(" ".join(rest.split()),
			"FAILED at groups: a source of groups does not answer")
		self.assertLess(time.monotonic() - begin, 30)
		self.nothing_is_left()


if __name__ == "__main__":
	pamlib.enter()
	unittest.main(verbosity=2)
