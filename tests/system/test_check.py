#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""check by itself: the timer, the trigger of packages that touch PAM, ssh or names, CHECK_FAILED once
for what has become critical; what the system answers for the account; how long it takes."""
import json
import time
import unittest

from boxlib import wait_until
from doorlib import ACCOUNT, GROUPS, DoorCase, packages

UNIT = "breakglass-check.service"
AUTH = "/etc/pam.d/common-auth"
SITE = "/etc/ssh/sshd_config.d/05-site.conf"
MODULE = "/usr/lib/*/security/pam_breakglass.so"
# what is written to SITE, and what check says of it
SSH_ROWS = (
	("AllowUsers alice", "CRITICAL", "allowusers does not let in"),
	("AllowGroups staff", "CRITICAL", "allowgroups does not let in"),
	("DenyUsers bob break*", "CRITICAL", "denyusers shuts out"),
	(f"DenyGroups {ACCOUNT}", "CRITICAL", "denygroups shuts out"),
	("UsePAM no", "CRITICAL", 'usepam is "no"'),
	("LoginGraceTime 60", "WARNING", "LoginGraceTime is 60 s"),
	("Nonsense yes", "CRITICAL", "Bad configuration option: Nonsense"),
	*((f"Match User {ACCOUNT}\n\t{line}", level, line.split()[0].lower() + ' is "')
		for line, level in (
			("AuthenticationMethods publickey,keyboard-interactive", "CRITICAL"),
			("KbdInteractiveAuthentication no", "CRITICAL"),
			("PasswordAuthentication yes", "CRITICAL"),
			("PubkeyAuthentication yes", "CRITICAL"),
			("PermitTTY no", "CRITICAL"),
			("ForceCommand /bin/true", "CRITICAL"),
			("ChrootDirectory /srv", "CRITICAL"),
			("AllowTcpForwarding yes", "WARNING"),
			("X11Forwarding yes", "WARNING"),
		)),
)
# (what breaks it, what mends it, row, level, text); others: tests/cmd/check.py, tests/cmd/past.py
HOST_ROWS = (
	("cp -a /etc/sudoers /root/; echo nonsense >>/etc/sudoers", "cp -a /root/sudoers /etc/",
		f"{ACCOUNT}/sudo", "WARNING", "sudoers is broken"),
	("mv /usr/bin/sudo /root/", "mv /root/sudo /usr/bin/", f"{ACCOUNT}/sudo", "WARNING",
		"no sudo here"),
	(f"(umask 0337; echo '%{ACCOUNT} ALL=(ALL:ALL) ALL' >/etc/sudoers.d/99-site)", "rm /etc/sudoers.d/99-site",
		f"{ACCOUNT}/sudo", "WARNING", "sudo asks breakglass for a password"),
	# in place of the file, not in it: whoever runs has it mapped
	(f"m=$(echo {MODULE}); mv $m /root/good.so; head -c 5000 /root/good.so >$m",
		f"m=$(echo {MODULE}); mv /root/good.so $m",
		"module", "CRITICAL", "cannot be loaded"),
	("touch /run/nologin", "rm /run/nologin", "nologin", "CRITICAL", "there is no own door"),
	(GROUPS + "mount -o remount,bind,ro .", GROUPS + "mount -o remount,bind,rw .",
		"limits", "WARNING", "no control groups of version 2"),
	(f"chage -E -1 {ACCOUNT}", f"chage -E 1 {ACCOUNT}", f"{ACCOUNT}/account", "CRITICAL",
		"not past its expiry"),
)


class Check(DoorCase):
	@classmethod
	def prepare(cls):
		cls.box.checks_itself = True
		cls.box.protect(packages())

	def setUp(self):
		# what the trigger of the test before started
		self.box.run(f"systemctl stop {UNIT}; cp -a {AUTH} /etc/nsswitch.conf /etc/passwd /root/; "
			"rm -f /var/lib/breakglass/announced")
		self.addCleanup(self.box.run, f"cp -a /root/common-auth {AUTH}; "
			"cp -a /root/nsswitch.conf /root/passwd /etc/")

	def findings(self):
		"""check's findings: {name: [(level, text)]}."""
		report, found = json.loads(self.box.run("bg-unlock check --json", check=False).out), {}
		for finding in report["findings"]:
			found.setdefault(finding["name"], []).append((finding["level"], finding["text"]))
		return found

	def failed(self, mark):
		return [e for e in self.box.events(mark) if e["event"] == "CHECK_FAILED"]

	def run_unit(self):
		self.box.run(f"systemctl start {UNIT}", timeout=120)

	def spoil(self):
		self.box.run(f"sed -i s/default=die/default=bad/ {AUTH}")

	def mend(self):
		self.box.run(f"cp -a /root/common-auth {AUTH}")

	def test_the_timer_waits_and_the_unit_sees_what_root_sees(self):
		self.assertEqual(self.box.run("systemctl is-enabled breakglass-check.timer").out.strip(),
			"enabled")
		self.assertEqual(self.box.run("systemctl is-active breakglass-check.timer").out.strip(),
			"active")
		mark = self.box.mark()
		self.run_unit()
		# what it said arrives when journald has the time
		by_unit = wait_until("what the unit said", lambda: self.box.run("timeout 5 journalctl --sync; "
			"journalctl -q -o cat _SYSTEMD_INVOCATION_ID="
			f"$(systemctl show -P InvocationID {UNIT})").out)
		# the sandbox turns no line: what is not OK here is not OK there
		for name, all in self.findings().items():
			for level, text in all:
				if level != "OK":
					self.assertIn(f"{level} {name}: {text}", by_unit)
		self.assertNotIn("\nCRITICAL", by_unit)
		self.assertEqual(by_unit.count("\nWARNING"), sum(
			level == "WARNING" for all in self.findings().values() for level, text in all), by_unit)
		self.assertEqual(self.failed(mark), [])

	def test_check_failed_once_for_what_is_new(self):
		mark = self.box.mark()
		self.spoil()
		self.run_unit()
		record = self.box.wait_event("CHECK_FAILED", mark)
		self.assertEqual((record["result"], record["host"]), ("critical: pam", "db1"))
		self.run_unit()
		self.assertEqual(len(self.failed(mark)), 1)
		# another one: only that one is named
		self.box.run("chmod 666 /etc/breakglass/breakglass.conf")
		self.addCleanup(self.box.run, "chmod 644 /etc/breakglass/breakglass.conf")
		self.run_unit()
		wait_until("two", lambda: len(self.failed(mark)) == 2)
		self.assertEqual(self.failed(mark)[1]["result"], "critical: conf")
		# mended, and spoilt again
		self.box.run("chmod 644 /etc/breakglass/breakglass.conf")
		self.mend()
		self.run_unit()
		self.spoil()
		self.run_unit()
		wait_until("three", lambda: len(self.failed(mark)) == 3)
		self.assertEqual(self.failed(mark)[2]["result"], "critical: pam")

	def test_a_package_that_touches_pam_has_it_run(self):
		mark = self.box.mark()
		self.spoil()
		self.box.run("mkdir -p /tmp/p/DEBIAN /tmp/p/etc/pam.d; echo auth required pam_deny.so "
			">/tmp/p/etc/pam.d/newcomer; printf 'Package: newcomer\\nVersion: 1\\nArchitecture: all\\n"
			"Maintainer: nobody <nobody@example.org>\\nDescription: a test\\n' >/tmp/p/DEBIAN/control; "
			"dpkg-deb --build /tmp/p /tmp/newcomer.deb && dpkg -i /tmp/newcomer.deb", timeout=120)
		self.addCleanup(self.box.run, "dpkg -P newcomer", timeout=120)
		self.assertEqual(self.box.wait_event("CHECK_FAILED", mark)["result"], "critical: pam")

	def test_what_the_system_answers_for_the_account(self):
		before = self.findings()
		self.assertEqual(before[f"{ACCOUNT}/lookup"][0][0], "OK")
		# a source before files that knows nothing is a warning; one that has another uid is critical
		self.box.run("sed -i 's/^passwd:.*/passwd: extra files/' /etc/nsswitch.conf")
		self.assertEqual(self.findings()["names"][0][0], "WARNING")
		self.box.run(f"sed -i '/^{ACCOUNT}:/d' /etc/passwd")
		# the source is named as well, the account is not in files, and sudo does not know it
		self.turns_only(before, f"{ACCOUNT}/lookup", "CRITICAL", "", also=("names",
			f"{ACCOUNT}/account", f"{ACCOUNT}/sudo"))

	def turns_only(self, before, name, level, text, also=()):
		now = self.findings()
		self.assertTrue([t for lv, t in now[name] if lv == level and text in t], now[name])
		turned = {row for row in now if now[row] != before.get(row)}
		self.assertEqual(turned, {name, *also}, {row: (before.get(row), now[row]) for row in turned})

	def test_each_blocker_turns_its_row_and_no_other(self):
		before = self.findings()
		self.assertEqual(before[f"{ACCOUNT}/ssh"][0][0], "OK", before)
		for text, level, said in SSH_ROWS:
			with self.subTest(text):
				self.box.write(SITE, text + "\n")
				self.turns_only(before, f"{ACCOUNT}/ssh", level, said)
		self.box.run(f"rm {SITE}")
		for break_it, mend, name, level, said in HOST_ROWS:
			with self.subTest(break_it):
				self.box.run(break_it)
				try:
					self.turns_only(before, name, level, said)
				finally:
					self.box.run(mend)
		self.assertEqual(self.findings(), before)

	def test_each_group_of_the_account_counts_for_sshd(self):
		before = self.findings()
		self.box.run(f"groupadd helpers; usermod -aG helpers {ACCOUNT}")
		self.addCleanup(self.box.run, f"rm -f {SITE}; gpasswd -d {ACCOUNT} helpers; groupdel helpers")
		self.box.write(SITE, "AllowGroups staff helpers\n")
		self.assertEqual(self.findings(), before)
		self.box.write(SITE, "DenyGroups helpers\n")
		self.turns_only(before, f"{ACCOUNT}/ssh", "CRITICAL", "denygroups shuts out")

	def test_a_record_that_is_in_no_sink_is_critical(self):
		self.box.run("runuser -u breakglass -- true", check=False)
		wait_until("the record", lambda: self.findings()["log"][0][0] == "OK")
		before = self.findings()
		self.box.run("systemctl stop syslog.socket rsyslog; : >/var/log/auth.log; : >/var/log/syslog; "
			"journalctl -q --rotate; journalctl -q --vacuum-time=1us")
		try:
			self.turns_only(before, "log", "CRITICAL", "neither in the journal nor in syslog")
		finally:
			self.box.run("systemctl start syslog.socket rsyslog")
			self.box.run("runuser -u breakglass -- true", check=False)
			wait_until("the next record", lambda: self.findings()["log"][0][0] == "OK")

	def test_it_changes_nothing(self):
		"""No file's content, mode or time, wherever; what the system itself writes aside."""
		self.box.run("touch /root/mark")
		self.box.run("bg-unlock check; bg-unlock check --json", check=False)
		changed = self.box.run("find / -xdev \\( -path /proc -o -path /sys -o -path /var/log -o "
			"-path /run/log -o -path /run/systemd -o -path /dev \\) -prune -o -cnewer /root/mark -print; "
			"find /run/breakglass /var/lib/breakglass /etc -cnewer /root/mark").out.split()
		self.assertEqual(changed, [])

	def test_how_long_it_takes(self):
		start = time.monotonic()
		done = self.box.run("bg-unlock check", check=False)
		self.assertTrue(done.out.startswith("BREAKGLASS "), done)
		print(f"check took {time.monotonic() - start:.2f} s", flush=True)


if __name__ == "__main__":
	unittest.main()
