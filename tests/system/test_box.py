#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The container itself: without our packages it behaves as a plain Debian 12 server does, and
leaves nothing behind. What the other system tests rely on is proved here."""
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from boxlib import Box, BoxCase, BoxError, wait_until

UNSET = 4294967295
PROMPT = r"\$ "


def mounts():
	return Path("/proc/self/mountinfo").read_text().splitlines()


def alive(pid):
	try:
		return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
	except OSError:
		return False


def our_children():
	return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def our_cgroups():
	return [str(p) for p in Path("/sys/fs/cgroup").rglob(f"bgbox-*-{os.getpid()}*")]


def sent(child, command, marker="@@"):
	"""Types a command and returns what it printed, without echo and prompt."""
	child.sendline(f"echo '{marker[0]}''{marker[1]}'; {command}; echo '{marker[0]}''{marker[1]}'")
	child.expect(rf"(?s){marker}\r\n(.*?){marker}\r\n")
	return child.match.group(1).replace("\r\n", "\n").strip()


class Doors(BoxCase):
	box_name = "db1"

	@classmethod
	def prepare(cls):
		cls.box.add_user("alice", password="correct horse", groups=("sudo",))

	def alice_by_ssh(self):
		child = self.box.ssh("alice", key=self.box.key("alice"))
		child.expect(PROMPT)
		return child

	def session_of(self, child):
		words = sent(child, "cat /proc/self/sessionid; echo; cat /proc/self/loginuid; echo")
		return [int(word) for word in words.split()]

	def scope_of(self, child):
		lines = sent(child, "cat /proc/self/cgroup").splitlines()
		return next(li for li in lines if "session-" in li).rsplit("/", 1)[1]

	def test_system_is_up_and_whole(self):
		failed = self.box.run("systemctl --failed --no-legend --plain").out
		self.assertEqual(failed, "")
		for unit in ("ssh", "rsyslog", "systemd-logind", "systemd-journald", "cron", "dbus"):
			self.assertEqual(self.box.run(f"systemctl is-active {unit}").out.strip(), "active", unit)
		self.assertEqual(self.box.run("hostname").out.strip(), "db1")

	def test_network_is_loopback_only(self):
		links = self.box.run("ls /sys/class/net").out.split()
		addresses = self.box.run("ip -br addr").out
		self.assertIn("lo", links)
		self.assertRegex(addresses, "^lo .*127.0.0.1/8")
		self.assertEqual(re.findall(r"(?m)^(\S+) +UP", addresses), [])

	def test_ssh_login_has_fresh_audit_session_and_scope(self):
		one, two = self.alice_by_ssh(), self.alice_by_ssh()
		(first, uid), (second, _) = self.session_of(one), self.session_of(two)
		self.assertEqual(uid, 1000)
		self.assertNotIn(UNSET, (first, second))
		self.assertNotEqual(first, second)
		scope = self.scope_of(one)
		show = self.box.run(f"systemctl show -p ActiveState,RuntimeMaxUSec {scope}").out
		self.assertIn("ActiveState=active", show)
		self.assertIn("RuntimeMaxUSec=infinity", show)

	def test_scope_deadline_ends_what_runs_in_it(self):
		done = self.box.run("systemd-run --quiet --scope --unit=deadline -p RuntimeMaxSec=1 sleep 60",
			check=False, timeout=20)
		self.assertNotEqual(done.rc, 0)
		self.box.run("systemctl reset-failed deadline.scope")
		entries = self.box.journal(UNIT="deadline.scope")
		self.assertTrue(any("runtime time limit" in e["MESSAGE"] for e in entries), entries)

	def test_login_on_a_terminal(self):
		terminal = self.box.login_tty()
		terminal.expect("login: ")
		terminal.sendline("alice")
		terminal.expect("Password: ")
		terminal.sendline("correct horse")
		terminal.expect(PROMPT)
		self.assertEqual(sent(terminal, "tty"), terminal.device)
		session, uid = self.session_of(terminal)
		self.assertEqual(uid, 1000)
		self.assertNotEqual(session, UNSET)
		self.assertTrue(self.scope_of(terminal).endswith(".scope"))
		self.assertTrue(self.box.journal(_COMM="login", SYSLOG_IDENTIFIER="login"))
		terminal.sendcontrol("d")
		terminal.expect("login: ")

	def test_wrong_password_on_a_terminal(self):
		terminal = self.box.login_tty()
		terminal.expect("login: ")
		terminal.sendline("alice")
		terminal.expect("Password: ")
		terminal.sendline("wrong")
		terminal.expect("Login incorrect")

	def test_hang_up_ends_the_login(self):
		terminal = self.box.login_tty()
		terminal.expect("login: ")
		terminal.sendline("alice")
		terminal.expect("Password: ")
		tty = terminal.device.removeprefix("/dev/")
		self.assertEqual(self.box.run(f"pgrep -t {tty} login", check=False).rc, 0)
		terminal.close()
		wait_until("the end of login", lambda: self.box.run(
			f"pgrep -t {tty} login", check=False).rc != 0)

	def test_sudo_in_a_session_is_recorded(self):
		child = self.alice_by_ssh()
		child.sendline("sudo -p 'say it: ' id -u")
		child.expect("say it: ")
		child.sendline("correct horse")
		child.expect(r"\n0\r\n")
		self.box.wait_syslog("COMMAND=/usr/bin/id -u")
		entries = self.box.journal(SYSLOG_IDENTIFIER="sudo", _UID=1000)
		self.assertTrue(any("COMMAND=/usr/bin/id -u" in e["MESSAGE"] for e in entries), entries)

	def test_message_is_in_journal_and_syslog_exactly_once(self):
		self.box.run("logger -p authpriv.notice -t probe 'only once 4711'")
		lines = self.box.wait_syslog("only once 4711")
		self.assertEqual(len(lines), 1, lines)
		entries = self.box.journal(SYSLOG_IDENTIFIER="probe")
		self.assertEqual([e["MESSAGE"] for e in entries], ["only once 4711"])
		self.assertIn("only once 4711", "\n".join(self.box.syslog("/var/log/auth.log")))

	def test_files_go_in_and_out(self):
		self.box.write("/etc/deep/er/file", "text\n", mode=0o600)
		self.assertEqual(self.box.run("stat -c '%a %U' /etc/deep/er/file").out, "600 root\n")
		self.assertEqual(self.box.read("/etc/deep/er/file"), "text\n")
		self.box.push(__file__, "/opt/copied")
		self.assertEqual(self.box.run("cat /opt/copied").out, Path(__file__).read_text())

	def test_softkey_is_a_key_for_unmodified_programs(self):
		device = self.box.softkey_start("probe", pin="1234")
		self.assertIn("FIDO_2_0", self.box.run(["fido2-token", "-I", device]).out)
		self.assertIn("pin-retries=8", self.box.softkey_ctl("probe", "count"))
		self.box.softkey_ctl("probe", "unplug")
		self.assertNotEqual(self.box.run(["fido2-token", "-I", device], check=False).rc, 0)
		self.box.softkey_stop("probe")

	def test_failing_and_hanging_commands_are_errors(self):
		with self.assertRaises(BoxError):
			self.box.run("exit 3")
		self.assertEqual(self.box.run("exit 3", check=False).rc, 3)
		with self.assertRaises(BoxError):
			self.box.run("sleep 100", timeout=0.3)
		wait_until("its end", lambda: self.box.run("pgrep -x sleep", check=False).rc == 1)


class Life(unittest.TestCase):
	def test_changes_stay_over_reboot_and_power_cut_and_nothing_is_left(self):
		before = mounts()
		with Box("life") as box:
			box.boot()
			first = box.read("/proc/sys/kernel/random/boot_id"), box.run("journalctl --list-boots").out
			box.run("echo stays >/var/lib/kept; touch /run/goes")
			box.reboot()
			self.assertEqual(box.read("/var/lib/kept"), "stays\n")
			self.assertNotEqual(box.run("test -e /run/goes", check=False).rc, 0)
			self.assertNotEqual(box.run("journalctl --list-boots").out, first[1])
			box.power_cut()
			box.boot()
			self.assertEqual(box.read("/var/lib/kept"), "stays\n")
			box.poweroff()
		self.assertEqual(mounts(), before)
		self.assertEqual(our_children(), [])
		self.assertEqual(our_cgroups(), [])

	def test_killed_run_leaves_no_process(self):
		script = ("import time; from boxlib import Box; b = Box('killed'); b.boot();"
			"print(b.leader, b._holder.pid, b._nspawn.pid, flush=True); time.sleep(100)")
		run = subprocess.Popen([sys.executable, "-B", "-c", script], stdout=subprocess.PIPE,
			cwd=Path(__file__).parent, text=True)
		pids = run.stdout.readline().split()
		self.assertEqual([Path("/proc", pid).exists() for pid in pids], [True] * 3)
		run.kill()
		run.communicate()
		wait_until("their end", lambda: not any(alive(pid) for pid in pids))

	def test_two_run_side_by_side(self):
		with Box("one") as one, Box("two") as two:
			one.boot()
			two.boot()
			one.run("echo one >/etc/who")
			self.assertNotEqual(two.run("test -e /etc/who", check=False).rc, 0)
			two.run("systemctl stop ssh")
			self.assertEqual(one.run("systemctl is-active ssh").out, "active\n")
			two.power_cut()
			self.assertEqual(one.run("pgrep -c sshd").out, "1\n")

	def test_nothing_of_it_is_in_the_base(self):
		with Box("gone") as box:
			box.boot()
			box.run("echo x >/etc/changed")
			base = box.base
		self.assertFalse((base / "etc/changed").exists())


if __name__ == "__main__":
	unittest.main(verbosity=2)
