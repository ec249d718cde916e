#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The own doors, breakglass-sshd and breakglass-console, while what they are for is broken: to a
root prompt. Who else comes in (nobody), what install makes and uninstall gives back, what check
sees."""
import json
import time
import unittest
from collections import namedtuple

import pexpect

from boxlib import BUILD, wait_until
from doorlib import ACCOUNT, ENTER, DoorCase, Person, packages

SEAL = "/root/breakglass.seal"
OWN = "/etc/breakglass/sshd"
SECONDS = 30
ROOT = "uid=0(root)"
STATE = "find /etc -type f ! -path '*/accounts/*' -exec sha256sum {} + | sort -k2; " \
	"find /etc/systemd -type l -printf '%p %l\\n' | sort"

# Broken by `breaks`; a command that fails then, as root or inside the session.
Broken = namedtuple("Broken", "name breaks fails inside")
BROKEN = (
	Broken("common-auth: a line of garbage", "sed -i '1i garbage (( here' /etc/pam.d/common-auth",
		None, "su -c id"),
	Broken("common-auth: includes a file that is missing",
		"echo '@include common-nowhere' >>/etc/pam.d/common-auth", None, "su -c id"),
	Broken("common-auth is missing", "rm /etc/pam.d/common-auth", None, "su -c id"),
	Broken("all common files: garbage",
		"for f in /etc/pam.d/common-*; do echo garbage >>$f; done", None, "su -c id"),
	Broken("common-account refuses", "sed -i '1i account requisite pam_deny.so' "
		"/etc/pam.d/common-account", None, "su -c id"),
	Broken("passwd and shadow hang", "sed -i -e 's/^\\(passwd\\|shadow\\):.*/\\1: files hang/' "
		"/etc/nsswitch.conf", "timeout 2 getent passwd nobody-here", None),
	Broken("sshd_config is wrong", "echo 'Nonsense yes' >>/etc/ssh/sshd_config; "
		"systemctl restart ssh", "sshd -t", None),
	Broken("nologin", "echo down >/run/nologin", "test ! -e /run/nologin", None),
	Broken("the host's sshd is dead", "systemctl stop ssh", "systemctl is-active ssh", None),
	Broken("sudoers is wrong", "echo 'Defaults \"never ends' >>/etc/sudoers", "visudo -c", None),
)
KEPT = "/etc/pam.d /etc/nsswitch.conf /etc/ssh /etc/sudoers"


class OwnDoorCase(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.add_user("alice", password="correct horse")
		box.protect(packages())

	def check(self):
		"""check's findings: {name: [(level, text)]}."""
		report = json.loads(self.box.run("bg-unlock check --json", check=False, timeout=90).out)
		found = {}
		for finding in report["findings"]:
			found.setdefault(finding["name"], []).append((finding["level"], finding["text"]))
		return found

	def assert_finds(self, name, level, text):
		found = self.check()
		self.assertTrue(any(lv == level and text in tx for lv, tx in found.get(name, [])),
			(name, level, text, found))

	def assert_refused(self, child):
		"""An ssh client that gets in nowhere, whatever it answers."""
		for _ in range(8):
			which = child.expect(["(?i)(password|PIN|code)[^\r\n]*: ", r"uid=\d+", pexpect.EOF])
			if which == 1:
				self.fail(f"came in: {child.before}{child.after}")
			if which == 2:
				return
			child.sendline("correct horse")
		self.fail("it goes on asking")


class Doors(OwnDoorCase):
	"""Both doors are there."""

	@classmethod
	def prepare(cls):
		super().prepare()
		cls.open_doors()
		box = cls.box
		box.push(BUILD / "tests/system/libnss_hang.so.2", "/lib/x86_64-linux-gnu/libnss_hang.so.2")
		box.run(f"mkdir /root/kept; cp -a --parents {KEPT} /root/kept")

	@classmethod
	def open_doors(cls):
		terminal = cls.box.terminal()
		unit = "breakglass-console@" + terminal.device[5:].replace("/", "-")
		cls.box.install(more=f"--door sshd --door console={terminal.device[5:]}")
		cls.terminal, cls.unit = terminal, unit

	def setUp(self):
		self.box.fresh()

	def mend(self):
		self.box.run("cp -a /root/kept/etc/. /etc/; rm -f /run/nologin; systemctl reset-failed ssh; "
			"systemctl start ssh")

	def console(self):
		"""Whoever stands at the terminal now; it waits for Enter."""
		while self.terminal.expect([r".+", pexpect.TIMEOUT], timeout=0.1) == 0:
			pass  # what the last one left on the screen
		self.box.run(["systemctl", "restart", self.unit])
		person = Person(self.box, self.terminal, "own-console")
		person.sees(ENTER)
		return person

	def begin(self, door):
		if door == "own ssh":
			return self.box.own_sshd_door()
		person = self.console()
		person.types("")
		return person

	def becomes_root(self, door, refused=()):
		"""To the root prompt; gives the seconds, of which none is a person's."""
		start = time.monotonic()
		person = self.begin(door)
		person.opens()
		self.assertIn(ROOT, person.runs("sudo -n id", SECONDS))
		person.types("sudo -i")
		person.sees(r"root@\w+:~# $", SECONDS)
		seconds = time.monotonic() - start
		person.types("exit")
		person.sees(r"\$ $")
		for command in refused:
			self.assertNotIn("status=0", person.runs(command, SECONDS))
		person.leaves_shell()
		return seconds

	def test_to_root_whatever_is_broken(self):
		rows = [(broken.name, (broken,)) for broken in BROKEN]
		# one common-auth only; and the rest of it
		rows.append(("all of it", BROKEN[1:2] + BROKEN[4:]))
		rows.append(("all of it, no common-auth at all", BROKEN[2:]))
		for name, brokens in rows:
			for door in ("own ssh", "own console"):
				with self.row(name, door):
					self.to_root(brokens, door)

	def to_root(self, brokens, door):
		self.box.fresh()
		mark = self.box.mark()
		try:
			for broken in brokens:
				self.box.run(broken.breaks, check=False)
				if broken.fails:
					self.assertNotEqual(self.box.run(broken.fails, check=False).rc, 0)
			seconds = self.becomes_root(door, [b.inside for b in brokens if b.inside])
		finally:
			self.mend()
		self.assertLess(seconds, SECONDS)
		names = self.box.event_names(mark)
		self.assertGreaterEqual(names.count("SESSION_ESCALATED"), 2, names)
		self.assertNotIn("BYPASS_BLOCKED", names)

	def test_records_name_the_door(self):
		mark = self.box.mark()
		self.becomes_root("own console")
		self.records(mark, [("ATTEMPT", "^"), ("REQUEST_OPENED", "^"), ("SHARE_ACCEPTED", "^"),
			("SHARE_ACCEPTED", "^"), ("GRANTED", "^"), ("SESSION_OPENED", "^"),
			("SESSION_ESCALATED", "breakglass-sudo inside"),
			("SESSION_ESCALATED", "breakglass-sudo inside"), ("SESSION_CLOSED", "^")])
		told = {e["service"] for e in self.box.events(mark)}
		self.assertEqual(told, {"breakglass-sshd", "breakglass-sudo"})

	def test_request_goes_on_at_the_other_door(self):
		with self.box.own_sshd_door() as person:
			person.pin()
			person.reason()
			person.share("audit")
			person.sees(r"Share 2 of 2 [^\n]*: ")
		person = self.begin("own console")
		person.pin()
		person.share("dba")
		person.shell()
		person.leaves_shell()

	def test_source_of_groups_that_hangs_is_named(self):
		found = self.check()
		self.assertIn("OK", [level for level, _ in found[f"{ACCOUNT}/groups"]], found)
		self.addCleanup(self.mend)
		self.box.run("sed -i 's/^group:.*/group: files hang/' /etc/nsswitch.conf")
		self.assert_finds(f"{ACCOUNT}/groups", "CRITICAL", "does not answer")
		self.box.run("sed -i -e 's/^group:.*/group: files/' "
			"-e 's/^passwd:.*/passwd: files hang/' /etc/nsswitch.conf")
		self.assert_finds(f"{ACCOUNT}/groups", "OK", "answer")

	# The terminal

	def test_idle_console_makes_no_records(self):
		mark = self.box.mark()
		person = self.console()
		for key in "c", "z", "\\", "c", "d":
			person.leaves(key)
			if key != "z":
				person.sees(ENTER)
		person.child.send("words of a share typed too late")
		person.leaves("u")
		self.assertEqual(self.box.events(mark), [])
		self.assertEqual(self.box.run("ss -Htn state established '( dport = :922 )'").out, "")

	def test_interrupt_and_hangup_bring_back_the_line(self):
		for key in "c", "\\", "d":
			with self.subTest(key):
				self.box.fresh()
				person = self.begin("own console")
				person.sees("PIN of your security key")
				person.leaves(key)
				person.sees(ENTER)
		terminal = self.box.terminal()
		unit = "breakglass-console@" + terminal.device[5:].replace("/", "-")
		self.box.run(["systemctl", "start", unit])
		person = Person(self.box, terminal, "own-console")
		person.sees(ENTER)
		person.types("")
		person.opens()
		terminal.close()
		wait_until("the client to end", lambda: not self.box.run(
			"ss -Htn state established '( dport = :922 )'").out)
		self.box.wait_event("SESSION_CLOSED")

	def test_terminal_is_as_it_was_after_a_session(self):
		person = self.console()
		stty = f"stty -F {self.terminal.device} -g"
		before = self.box.run(stty).out
		person.types("")
		person.opens()
		self.assertIn("24 80", person.runs("stty size"))
		self.assertIn("\u00e4\u00f6", person.runs("printf '\\303\\244\\303\\266\\n'"))
		person.types("kill -9 $$")  # the client ends without a word from the shell
		person.sees(ENTER)
		self.assertEqual(self.box.run(stty).out, before)

	def test_console_has_no_rights(self):
		self.console()
		pid = self.box.run(f"systemctl show -P MainPID {self.unit}").out.strip()
		status = self.box.read(f"/proc/{pid}/status")
		uid = self.box.run("id -u _breakglass-console").out.strip()
		self.assertIn(f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n", status)
		self.assertIn("CapEff:\t0000000000000000\n", status)
		self.assertIn("NoNewPrivs:\t1\n", status)
		environ = set(self.box.read(f"/proc/{pid}/environ").split("\0"))
		self.assertIn("LC_ALL=C.UTF-8", environ)

	def test_console_takes_no_other_host_key(self):
		self.addCleanup(self.box.run, f"mv /root/known_hosts {OWN}/")
		self.box.run(f"cp -a {OWN}/known_hosts /root/; sed -i 's/AAAAC3/AAAAC4/' {OWN}/known_hosts")
		mark = self.box.mark()
		person = self.begin("own console")
		person.sees("Host key verification failed")
		person.sees(ENTER)
		self.assertEqual(self.box.events(mark), [])

	def test_several_accounts_are_asked_for(self):
		folder = "/etc/breakglass/accounts/second"
		self.addCleanup(self.box.run, f"rm -r {folder}")
		self.box.run(f"install -d -m 755 {folder} && install -m 600 /dev/null {folder}/host")
		person = self.begin("own console")
		person.sees(r"Account \(breakglass second\): ")
		person.types("third")
		person.sees("That is not one of them")
		person.sees(ENTER)
		person.types("")
		person.sees("Account [^:]*: ")
		person.types(ACCOUNT)
		person.opens()
		person.leaves_shell()

	# Who else

	def test_nobody_else_comes_in(self):
		box, mark = self.box, self.box.mark()
		own = (f"UserKnownHostsFile={OWN}/known_hosts",)
		box.run("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/root && "
			"cp /root/.ssh/root.pub /root/.ssh/authorized_keys")
		self.addCleanup(box.run, f"cp /root/own {OWN}/sshd_config; systemctl reload breakglass-sshd")
		box.run(f"cp {OWN}/sshd_config /root/own")
		for step in ("as installed", "AllowUsers and keys opened wide: the stack alone"):
			for user in "alice", "root", "breakglass":
				for key in None, box.key("root" if user == "breakglass" else user):
					with self.subTest(step=step, user=user, key=key):
						box.fresh()
						self.assert_refused(box.ssh(user, "id", key=key, options=own, port=922,
							tty=False))
			box.run(f"sed -i -e 's/^AllowUsers.*/AllowUsers */; s/^PubkeyAuth.*/PubkeyAuthentication "
				"yes/; s/^PermitRoot.*/PermitRootLogin yes/; s/^PasswordAuth.*/PasswordAuthentication "
				"yes/; s/^AuthenticationM.*/AuthenticationMethods any/; "
				f"s#^AuthorizedKeysF.*#AuthorizedKeysFile .ssh/authorized_keys#' {OWN}/sshd_config; "
				"systemctl restart breakglass-sshd")
		self.assertNotIn("SESSION_OPENED", self.box.event_names(mark))

	# Always there

	def test_comes_back_when_it_is_killed(self):
		pid = self.box.run("systemctl show -P MainPID breakglass-sshd").out.strip()
		self.box.run(["kill", "-KILL", pid])
		wait_until("another breakglass-sshd", lambda: self.box.run(
			"systemctl is-active breakglass-sshd && systemctl show -P MainPID breakglass-sshd",
			check=False).out.split() not in ([], ["active", pid], ["activating"]))
		self.becomes_root("own ssh")

	def test_session_outlives_its_server(self):
		with self.box.own_sshd_door() as person:
			person.opens()
			self.box.run("systemctl restart breakglass-sshd")
			self.assertIn(ROOT, person.runs("sudo -n id"))
			person.leaves_shell()

	def test_check_sees_what_is_wrong(self):
		found = self.check()
		self.assertEqual({lv for name in ("doors", f"{ACCOUNT}/own-ssh", f"{ACCOUNT}/sudo")
			for lv, _ in found[name]}, {"OK"}, found)
		for text, breaks, mends in (
				("does not run", "systemctl stop breakglass-sshd", "systemctl start breakglass-sshd"),
				("is not enabled", "systemctl disable breakglass-sshd",
					"systemctl enable breakglass-sshd"),
				("nobody answers", "systemctl stop breakglass-sshd; systemd-run -q --unit=taker "
					"python3 -c 'import socket, time; s = socket.create_server((\"\", 922)); "
					"time.sleep(99)'; sleep 0.5; systemctl start --no-block breakglass-sshd",
					"systemctl stop taker; systemctl restart breakglass-sshd"),
				(f"{OWN}/ssh_host_ed25519_key: is missing",
					f"mv {OWN}/ssh_host_ed25519_key /root/k", f"mv /root/k "
					f"{OWN}/ssh_host_ed25519_key"),
				("shows another key", f"sed -i.old s/AAAAC3/AAAAC4/ {OWN}/known_hosts",
					f"mv {OWN}/known_hosts.old {OWN}/known_hosts"),
				("/etc/pam.d/breakglass-sshd: is not as", "echo 'auth required pam_permit.so' "
					">>/etc/pam.d/breakglass-sshd", "sed -i '$d' /etc/pam.d/breakglass-sshd"),
				("includes whole files", "echo '@include x' >>/etc/pam.d/other",
					"sed -i '$d' /etc/pam.d/other"),
				(f"{OWN}/sshd_config", f"echo Nonsense >>{OWN}/sshd_config",
					f"sed -i '$d' {OWN}/sshd_config"),
				("does not run", f"systemctl stop {self.unit}", f"systemctl start {self.unit}")):
			with self.subTest(text):
				self.box.run(breaks, check=False)
				try:
					self.assert_finds("doors", "CRITICAL", text)
				finally:
					self.box.run(mends)
		self.box.run("sed -i.old 's/^LoginGraceTime.*/LoginGraceTime 60/' "
			f"{OWN}/sshd_config")
		self.assert_finds(f"{ACCOUNT}/own-ssh", "WARNING", "LoginGraceTime is 60 s")
		self.box.run(f"mv {OWN}/sshd_config.old {OWN}/sshd_config")
		self.box.run("sed -i.old '/pam_deny/d' /etc/pam.d/breakglass-sudo")
		self.assert_finds(f"{ACCOUNT}/sudo", "CRITICAL", "is not as install placed it")
		self.box.run("mv /etc/pam.d/breakglass-sudo.old /etc/pam.d/breakglass-sudo")

	def test_z_there_after_a_reboot(self):
		self.box.run("systemctl disable ssh; echo 'Nonsense yes' >>/etc/ssh/sshd_config")
		self.box.reboot()
		self.box.softkey_start("a", pin="123456", state="/var/lib/softkey/a")
		self.box.fresh()
		self.box.run("systemctl start breakglass-sshd")
		type(self).terminal = self.box.terminal()
		type(self).unit = "breakglass-console@" + self.terminal.device[5:].replace("/", "-")
		self.becomes_root("own ssh")
		self.box.fresh()
		self.becomes_root("own console")


class Install(OwnDoorCase):
	"""What install makes, and uninstall gives back."""

	def state(self):
		return self.box.run(STATE).out

	def install(self, more, check=True):
		return self.box.run(f"bg-unlock install {SEAL} {more}", check=check)

	def uninstall_and_protect(self):
		self.box.run(f"bg-unlock uninstall {ACCOUNT}")
		self.box.install()

	def test_twice_is_once_and_later_ones_keep_the_doors(self):
		before = self.state()
		dry = self.install("--door sshd --dry-run")
		self.assertIn("would: systemctl enable breakglass-sshd.service", dry.out)
		self.assertEqual(self.state(), before)
		done = self.install("--door sshd")
		fingerprint = self.box.run(f"ssh-keygen -lf {OWN}/ssh_host_ed25519_key").out.split()[1]
		self.assertIn(fingerprint, done.out)
		self.assertIn(fingerprint, self.box.run(f"bg-unlock sheet {SEAL}").out)
		self.assertNotIn(fingerprint, self.box.run(f"bg-unlock sheet {SEAL} --label db2").out)
		placed = self.state()
		for more in "--door sshd", "":
			self.assertIn("nothing to do", self.install(more).out)
		self.assertEqual(self.state(), placed)
		self.box.run(f"rm {OWN}/known_hosts")
		self.install("")
		self.assertEqual(self.state(), placed)
		self.uninstall_and_protect()
		self.assertEqual(self.state(), before)
		self.assertNotEqual(self.box.run("systemctl is-active breakglass-sshd", check=False).rc, 0)

	def test_terminal_is_taken_from_its_getty_and_given_back(self):
		before = self.state()
		terminal = self.box.login_tty()
		terminal.expect("login: ")
		tty = terminal.device[5:]
		done = self.install(f"--door console={tty}")
		self.assertIn(f"did: systemctl mask {terminal.unit}", done.out)
		self.assertIn("no ordinary login there", done.err)
		terminal.expect(ENTER)
		self.assertNotEqual(self.box.run(["systemctl", "start", terminal.unit], check=False).rc, 0)
		self.assertIn("nothing to do", self.install("").out)
		self.assertRegex(self.box.run(f"bg-unlock sheet {SEAL}").out,
			rf"at its terminal {tty} +press Enter")
		self.assertNotIn("its terminal", self.box.run(f"bg-unlock sheet {SEAL} --label x").out)
		self.uninstall_and_protect()
		terminal.expect("login: ")
		self.assertEqual(self.state(), before)

	def test_names_that_are_no_door(self):
		for door in "ftp", "console=", "console=../x", "console=/dev/tty9", "console=tty-9", \
				"console=pts/x", "console=tty9 x":
			with self.subTest(door):
				self.assertEqual(self.install(f"--door '{door}'", check=False).rc, 2)

	def test_without_an_ssh_server_it_says_what_to_do(self):
		before = self.state()
		self.addCleanup(self.box.run, "mv /root/sshd /usr/sbin/sshd")
		self.box.run("mv /usr/sbin/sshd /root/sshd; mv /etc/ssh/sshd_config /root/sshd_config")
		done = self.install("--door sshd", check=False)
		self.box.run("mv /root/sshd_config /etc/ssh/")
		self.assertEqual(done.rc, 1)
		self.assertIn("apt-get install openssh-server", done.err)
		self.assertEqual(self.state(), before)

	def test_door_that_does_not_open_is_taken_back(self):
		before = self.state()
		self.addCleanup(self.box.run, "systemctl stop taker")
		self.box.run("systemd-run -q --unit=taker python3 -c 'import socket, time; "
			"s = socket.create_server((\"\", 922)); time.sleep(99)'; sleep 0.5")
		done = self.install("--door sshd", check=False)
		self.assertEqual(done.rc, 1, done)
		self.assertIn("breakglass-sshd", done.err)
		self.assertIn("the own doors are as they were before", done.err)
		self.assertEqual(self.state(), before)

	def test_two_accounts_have_one_door(self):
		self.install("--door sshd")
		config = f"{OWN}/sshd_config"
		self.assertIn(f"AllowUsers {ACCOUNT}\n", self.box.read(config))
		self.box.run(f"install -d -m 755 /etc/breakglass/accounts/other && "
			"install -m 600 /dev/null /etc/breakglass/accounts/other/host")
		self.addCleanup(self.uninstall_and_protect)
		self.install("")
		self.assertRegex(self.box.read(config), r"AllowUsers (breakglass other|other breakglass)\n")
		self.box.run("rm -r /etc/breakglass/accounts/other")
		self.install("")
		self.assertIn(f"AllowUsers {ACCOUNT}\n", self.box.read(config))

	def test_root_below_a_folder(self):
		"""Files and links only: nothing of this host's systemd is asked."""
		self.box.run("mkdir -p /root/tree/usr /root/tree/lib && cp -a /etc /root/tree/ && "
			"cp -a /lib/systemd /root/tree/lib/ 2>/dev/null; mkdir -p /root/tree/usr/sbin "
			"/root/tree/usr/bin /root/tree/usr/libexec && cp -a /usr/libexec/breakglass "
			"/root/tree/usr/libexec/ && cp /usr/sbin/sshd /root/tree/usr/sbin/ && "
			"cp /usr/bin/ssh /usr/bin/ssh-keygen /root/tree/usr/bin/")
		self.addCleanup(self.box.run, "rm -r /root/tree")
		self.install("--root /root/tree --door sshd --door console=ttyS0")
		for link, target in (("multi-user.target.wants/breakglass-sshd.service", "breakglass-sshd"),
				("multi-user.target.wants/breakglass-console@ttyS0.service", "breakglass-console@"),
				("serial-getty@ttyS0.service", "/dev/null")):
			self.assertIn(target, self.box.run(
				f"readlink /root/tree/etc/systemd/system/{link}").out)
		self.assertNotEqual(self.box.run("systemctl is-enabled breakglass-sshd", check=False).rc, 0)
		self.box.run(f"bg-unlock uninstall {ACCOUNT} --root /root/tree")
		self.assertEqual(self.box.run("find /root/tree/etc -name '*breakglass-ss*' -o -name '*breakglass-con*'").out, "")


class SecurityKeys(OwnDoorCase):
	"""The second sshd is told the same about an account as the first."""

	@classmethod
	def prepare(cls):
		box = cls.box
		box.install_packages(*packages())
		for name in "ab":
			box.add_key(name)
		box.add_ssh_key("a")
		box.add_ssh_key("b")
		box.shares = box.init(keys=("a", "b"))
		box.use_devices("a")
		box.install(more="--door sshd")
		box.run("echo 'Nonsense yes' >>/etc/ssh/sshd_config; systemctl stop ssh")

	def test_key_at_the_client_opens(self):
		with self.box.own_sshd_door(security_key="b") as person:
			person.client_key(key="b")
			person.reason()
			person.share("audit")
			person.share("dba")
			person.shell()
			self.assertIn(ROOT, person.runs("sudo -n id"))
			person.leaves_shell()
		opened = self.box.wait_event("SESSION_OPENED")
		self.assertEqual((opened["key"], opened["service"]), ("b", "breakglass-sshd"))

	def test_key_in_the_host_opens_beside_it(self):
		self.box.fresh()
		person = self.box.own_console_door()
		person.opens()
		person.leaves_shell()


if __name__ == "__main__":
	unittest.main(verbosity=2)
