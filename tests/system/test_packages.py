#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The Debian packages on a booted Debian 12: install, upgrade over a live seal, remove, purge; and
the module missing or damaged while its PAM lines stand (RULES P18)."""
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import pexpect

from boxlib import SOURCE, BoxCase
from doorlib import DoorBox

PROMPT = r"\$ "
ACCOUNT = "breakglass"
STACKS = ("common-auth", "common-account", "common-session", "common-session-noninteractive")
SEAL_FILES = ("host", "seal.1", "contacts", "authorized_keys")
NEWER = "0.1.1~test"


def build_packages(version=None, tree=SOURCE):
	"""{name: path of the .deb}, built when its sources changed."""
	argv = [str(tree / "tools/package")] + (["--version", version] if version else [])
	done = subprocess.run(argv, capture_output=True, text=True, timeout=500, check=False)
	if done.returncode != 0:
		raise AssertionError(done.stderr)
	paths = [tree / line for line in done.stdout.split()]
	return {path.name.split("_")[0]: path for path in paths}


class PackageCase(BoxCase):
	"""Two ordinary people and, by hand, an emergency account as `bg-unlock install` leaves it."""

	box_name = "db1"

	@classmethod
	def prepare(cls):
		cls.debs = build_packages()
		cls.box.add_user("alice", password="correct horse", groups=("sudo",))
		cls.box.add_user("bob", password="battery staple")
		cls.stacks_before = cls.stacks()

	@classmethod
	def stacks(cls):
		return {name: cls.box.read(f"/etc/pam.d/{name}") for name in STACKS}

	@classmethod
	def install_both(cls, debs=None):
		debs = debs or cls.debs
		return cls.box.install_packages(debs["bg-unlock"], debs["libpam-breakglass"])

	@classmethod
	def apt(cls, *words):
		return cls.box.run(["apt-get", "-y", "-q", *words], timeout=180,
			env={"DEBIAN_FRONTEND": "noninteractive"}).out

	@classmethod
	def place_account(cls):
		"""Locked, expired, home /, with a key that sshd would take and sudo for all."""
		box, folder = cls.box, f"/etc/breakglass/accounts/{ACCOUNT}"
		box.run(f"useradd -M -d / -s /bin/bash {ACCOUNT} && usermod -L {ACCOUNT} && "
			f"chage -E 1 {ACCOUNT} && install -d -m 755 {folder} && "
			f"ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/{ACCOUNT}")
		for name in SEAL_FILES[:3]:
			box.write(f"{folder}/{name}", f"# {name} of a test\n", mode=0o600)
		box.run(f"install -m 644 /root/.ssh/{ACCOUNT}.pub {folder}/authorized_keys")
		box.write("/etc/ssh/sshd_config.d/10-test.conf",
			f"Match User {ACCOUNT}\n\tAuthorizedKeysFile {folder}/authorized_keys\n"
			"\tKbdInteractiveAuthentication yes\n")
		box.write(f"/etc/sudoers.d/{ACCOUNT}", f"{ACCOUNT} ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
		box.run("systemctl restart ssh")

	def seal_state(self):
		"""What must not change: content, owner, mode and time of all below /etc/breakglass."""
		return self.box.run("cd /etc/breakglass/accounts && find . -type f | sort | xargs "
			"stat -c '%n %a %U %Y' && find . -type f | sort | xargs sha256sum").out

	def assert_ordinary_users_come_in(self):
		"""By ssh with key and with password, login(1), su and sudo."""
		shell = self.box.ssh("alice", key=self.box.key("alice"))
		shell.expect(PROMPT)
		shell.sendline("su - bob -c 'echo =$(id -un)='")
		shell.expect("Password: ")
		shell.sendline("battery staple")
		shell.expect("=bob=\r\n")
		shell.sendline("sudo -k -p 'say it: ' sh -c 'echo =$(id -un)='")
		shell.expect("say it: ")
		shell.sendline("correct horse")
		shell.expect("=root=\r\n")
		shell.close()
		shell = self.box.ssh("bob")
		shell.expect("password: ")
		shell.sendline("battery staple")
		shell.expect(PROMPT)
		shell.close()
		terminal = self.box.login_tty()
		terminal.expect("login: ")
		terminal.sendline("alice")
		terminal.expect("Password: ")
		terminal.sendline("correct horse")
		terminal.expect(PROMPT)
		terminal.close()
		self.assertEqual(self.box.run("su alice -c 'id -un'").out, "alice\n")

	def assert_module_is_listed_first(self):
		control = r"\[success=(\d+) ignore=ignore module_unknown=ignore default=die\]\s+pam_breakglass\.so$"
		for name, text in self.stacks().items():
			lines = [li.strip() for li in text.splitlines() if li and not li.startswith("#")]
			phase = name.split("-")[1]
			if phase != "session":
				match = re.match(rf"{phase}\s+{control}", lines[0])
				self.assertTrue(match, text)
				self.assertRegex(lines[1 + int(match.group(1))], r"required\s+pam_permit\.so")
				continue
			ours = [i for i, li in enumerate(lines) if "pam_breakglass.so" in li]
			self.assertEqual(len(ours), 1, text)
			self.assertRegex(lines[ours[0]], r"^session\s+\[success=ok ignore=ignore "
				r"module_unknown=ignore default=die\]\s+pam_breakglass\.so$")
			later = [i for i, li in enumerate(lines) if re.search(r"pam_(unix|systemd)\.so", li)]
			self.assertTrue(all(ours[0] < i for i in later), text)

	def assert_no_trace_in_pam(self):
		self.assertEqual(self.stacks(), self.stacks_before)
		self.assertEqual(self.box.run("grep -rl breakglass /etc/pam.d", check=False).out, "")


class Alone(PackageCase):
	def test_command_needs_no_module(self):
		self.box.install_packages(self.debs["bg-unlock"])
		self.assertIn("usage: bg-unlock", self.box.run("bg-unlock --help").out)
		self.assertIn("/usr/sbin/nologin", self.box.run("getent passwd _breakglass").out)
		self.box.run("test -x /usr/libexec/breakglass/bg-fido2")
		self.assertNotEqual(self.box.run("dpkg -s libpam-breakglass", check=False).rc, 0)
		self.assert_no_trace_in_pam()
		self.apt("purge", "bg-unlock")
		self.assertNotEqual(self.box.run("test -e /usr/bin/bg-unlock", check=False).rc, 0)


class Life(PackageCase):
	"""One host's whole story, in this order."""

	@classmethod
	def prepare(cls):
		super().prepare()
		cls.install_both()
		cls.place_account()

	def test_1_installed_module_is_first_and_nobody_notices(self):
		self.box.run("test -f /lib/$(uname -m)-linux-gnu/security/pam_breakglass.so")
		self.assert_module_is_listed_first()
		self.assert_ordinary_users_come_in()
		self.assertEqual(self.box.run("dpkg --audit").out, "")
		self.assertEqual(self.box.run("systemctl --failed --no-legend --plain").out, "")
		self.assertEqual(self.box.run("stat -c '%a %U' /run/breakglass").out, "700 root\n")
		# an own door is install's to open
		self.assertNotEqual(self.box.run("systemctl is-enabled breakglass-sshd", check=False).rc, 0)
		self.assertEqual(self.box.run("stat -c '%a %U' /etc/breakglass/accounts").out, "755 root\n")

	def test_2_upgrade_over_a_live_seal_changes_nothing_of_it(self):
		self.box.write("/run/breakglass/requests/kept", "state of a request\n", mode=0o600)
		before, stacks = self.seal_state(), self.stacks()
		self.install_both(build_packages(NEWER))
		versions = self.box.run("dpkg-query -W -f '${Version}\n' bg-unlock libpam-breakglass").out
		self.assertEqual(versions, f"{NEWER}\n{NEWER}\n")
		self.assertEqual(self.seal_state(), before)
		self.assertEqual(self.stacks(), stacks)
		self.assertEqual(self.box.read("/run/breakglass/requests/kept"), "state of a request\n")
		self.assert_ordinary_users_come_in()

	def test_3_after_removal_everybody_comes_in_and_nothing_is_left_in_pam(self):
		before = self.seal_state()
		self.apt("remove", "libpam-breakglass")
		self.assert_no_trace_in_pam()
		self.assert_ordinary_users_come_in()
		self.assertEqual(self.seal_state(), before)
		self.assertNotEqual(self.box.run("ls /lib/*/security/pam_breakglass.so", check=False).rc, 0)
		self.assertIn("refused", self.emergency_by_su())

	def test_4_purge_keeps_seals_and_says_so(self):
		before = self.seal_state()
		self.box.run("install -d -m 700 /var/lib/breakglass/log")
		self.assertIn("are kept", self.apt("purge", "libpam-breakglass"))
		self.assertEqual(self.seal_state(), before)
		self.box.run("test -d /var/lib/breakglass/log")

	def test_5_purge_removes_seals_where_that_is_asked_for(self):
		self.install_both(build_packages(NEWER))
		self.assert_module_is_listed_first()
		self.box.run("touch /etc/breakglass/purge-seals")
		self.apt("purge", "libpam-breakglass", "bg-unlock")
		for path in ("/etc/breakglass", "/var/lib/breakglass"):
			self.assertNotEqual(self.box.run(f"test -e {path}", check=False).rc, 0, path)
		self.assert_no_trace_in_pam()
		self.assert_ordinary_users_come_in()

	def emergency_by_su(self):
		done = self.box.run(f"su {ACCOUNT} -c 'echo came in'", check=False)
		return "refused" if done.rc != 0 and "came in" not in done.out else done.out


class RealSeal(PackageCase):
	"""The same over what `bg-unlock init` and `install` made."""

	box_type = DoorBox

	@classmethod
	def prepare(cls):
		super().prepare()
		cls.box.protect([cls.debs["bg-unlock"], cls.debs["libpam-breakglass"]])
		# install reloads sshd, which for a moment listens to nobody; a restart is waited for
		cls.box.run("systemctl restart ssh")

	def traces(self):
		return self.box.run("ls /etc/ssh/sshd_config.d /etc/sudoers.d | grep breakglass",
			check=False).out.split()

	def test_1_account_opens_before_and_after_an_upgrade(self):
		with self.box.ssh_door() as person:
			person.opens()
		self.box.add_own_sshd()
		before = self.seal_state()
		records = len(self.box.chain())
		self.install_both(build_packages(NEWER))
		self.assertEqual(self.seal_state(), before)
		self.assertGreaterEqual(len(self.box.chain()), records)
		for door in self.box.console_door, self.box.own_sshd_door:
			with door() as person:
				person.pin()  # the request is still open: the same key goes on
				person.shell()
		self.assert_ordinary_users_come_in()
		self.box.run("bg-unlock log verify")

	def test_2_removal_takes_back_the_ways_in_and_keeps_the_seal(self):
		before = self.seal_state()
		self.assertTrue(self.traces())
		self.apt("remove", "libpam-breakglass")
		self.assertEqual(self.traces(), [])
		self.assertEqual(self.box.run("ss -Hltn 'sport = :922'; find /etc/systemd -name "
			"'*breakglass-ss*'; grep -c ^@include /etc/pam.d/other").out, "4\n")
		self.assert_no_trace_in_pam()
		self.assertEqual(self.seal_state(), before)
		self.assertEqual(self.box.run("ls -A /run/breakglass/log/pending 2>/dev/null | xargs -r cat",
			check=False).out, "")
		self.box.run("sshd -t && visudo -c")
		self.assert_ordinary_users_come_in()
		shadow = self.box.run("getent shadow breakglass").out.split(":")
		self.assertTrue(shadow[1].startswith("!") or shadow[1].startswith("*"), shadow)
		self.assertNotEqual(shadow[7], "")

	def test_3_purge_keeps_it_too(self):
		before = self.seal_state()
		self.apt("purge", "libpam-breakglass", "bg-unlock")
		self.assertEqual(self.seal_state(), before)


class Damaged(PackageCase):
	"""The control lines stand and the module does not (RULES P18)."""

	@classmethod
	def prepare(cls):
		super().prepare()
		cls.install_both()
		cls.place_account()
		cls.module = cls.box.run("ls /lib/*/security/pam_breakglass.so").out.strip()
		cls.box.run(f"cp {cls.module} /root/good.so")

	def tearDown(self):
		self.replace("cat /root/good.so")

	def replace(self, what):
		"""In place of the file, not in it: whoever runs has it mapped."""
		self.box.run(f"rm -f {self.module}; {what} >{self.module}; chmod 644 {self.module}")

	def test_P18_module_missing(self):
		self.box.run(f"rm {self.module}")
		self.assert_others_only()

	def test_P18_module_truncated(self):
		self.replace("head -c 5000 /root/good.so")
		self.assert_others_only()

	def test_P18_module_empty(self):
		self.replace(":")
		self.assert_others_only()

	def test_P18_module_without_symbols(self):
		with tempfile.TemporaryDirectory() as folder:
			path = Path(folder, "empty.so")
			subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", str(path), "-"],
				input=b"extern int nothing; int nothing;\n", check=True)
			self.box.run(f"rm {self.module}")
			self.box.push(path, self.module)
		self.assert_others_only()

	def test_account_whose_seal_is_no_seal_is_refused_and_nobody_else(self):
		self.assert_others_only()

	def test_without_lock_and_expiry_these_checks_would_see_it_come_in(self):
		self.box.run(f"rm {self.module} && chage -E -1 {ACCOUNT}")
		try:
			self.assertIn("came in", self.by_public_key())
			self.assertIn("came in", self.by_su_of_root())
			self.assertIn("came in", self.by_sudo())
		finally:
			self.box.run(f"chage -E 1 {ACCOUNT}")

	def assert_others_only(self):
		self.assert_ordinary_users_come_in()
		for way in (self.by_public_key, self.by_password, self.by_login, self.by_su_of_root,
				self.by_su_of_alice, self.by_sudo):
			with self.subTest(way.__name__):
				self.assertNotIn("came in", way())

	def by_public_key(self):
		child = self.box.ssh(ACCOUNT, "echo came in", key=f"/root/.ssh/{ACCOUNT}", tty=False,
			options=("PreferredAuthentications=publickey",))
		child.expect(pexpect.EOF)
		return child.before

	def type_until_the_end(self, child, told):
		"""Answers each prompt for a password; returns what was printed."""
		seen = ""
		for _ in range(8):
			which = child.expect(["(?i)password: ", r"(?i)incorrect", pexpect.EOF, PROMPT])
			seen += child.before + ("came in" if which == 3 else "")
			if which != 0:
				return seen
			child.sendline(told)
		return seen

	def by_password(self):
		child = self.box.ssh(ACCOUNT, "echo came in", tty=False,
			options=("PreferredAuthentications=keyboard-interactive,password",))
		return self.type_until_the_end(child, "any")

	def by_login(self):
		terminal = self.box.login_tty()
		terminal.expect("login: ")
		terminal.sendline(ACCOUNT)
		which = terminal.expect(["Password: ", "(?i)incorrect", "login: ", PROMPT])
		if which == 0:
			terminal.sendline("any")
			which = terminal.expect(["(?i)incorrect", "login: ", "(?i)expired", PROMPT])
		terminal.close()
		return "came in" if which == 3 else ""

	def by_su_of_root(self):
		return self.box.run(f"su {ACCOUNT} -c 'echo came in'", check=False).out

	def by_su_of_alice(self):
		shell = self.box.ssh("alice", f"su {ACCOUNT} -c 'echo ca''me in'", key=self.box.key("alice"))
		return self.type_until_the_end(shell, "any")

	def by_sudo(self):
		"""A process of the account's that somebody kept: sudo's account phase sees the caller."""
		return self.box.run(f"setpriv --reuid={ACCOUNT} --regid={ACCOUNT} --clear-groups "
			"sudo -n echo came in", check=False).out


class Reproducible(unittest.TestCase):
	def test_same_sources_elsewhere_give_the_same_packages(self):
		files = subprocess.run(["git", "-c", f"safe.directory={SOURCE}", "ls-files", "-z"],
			cwd=SOURCE, capture_output=True, check=True).stdout
		files = b"\0".join(f for f in files.split(b"\0") if f and Path(SOURCE, f.decode()).is_file())
		with tempfile.TemporaryDirectory() as folder:
			subprocess.run(["tar", "-c", "-f", f"{folder}/all.tar", "--null", "-T", "-"],
				cwd=SOURCE, input=files, check=True)
			tree = Path(folder, "tree")
			tree.mkdir()
			subprocess.run(["tar", "-x", "-f", f"{folder}/all.tar", "-C", str(tree)], check=True)
			for command in ("init -q", "add -A -f"):
				subprocess.run(["git", *command.split()], cwd=tree, check=True)
			there = build_packages(tree=tree)
			here = build_packages()
			self.assertEqual(here.keys(), {"bg-unlock", "libpam-breakglass"})
			for name, path in here.items():
				self.assertTrue(path.read_bytes() == there[name].read_bytes(), f"{name} differs")


if __name__ == "__main__":
	unittest.main(verbosity=2)
