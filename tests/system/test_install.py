#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""install, uninstall and check on a booted Debian 12: with its sshd, sudo, pam-auth-update, journal
and syslog, right and broken."""
import json
import unittest

from boxlib import wait_until
from doorlib import ACCOUNT, PIN, PROMPT, DoorCase, packages

FOLDER = f"/etc/breakglass/accounts/{ACCOUNT}"
DROP_IN = f"/etc/ssh/sshd_config.d/60-breakglass-{ACCOUNT}.conf"
GLOBAL = "/etc/ssh/sshd_config.d/60-breakglass.conf"
SUDOERS = f"/etc/sudoers.d/60-breakglass-{ACCOUNT}"
SEAL = "/root/breakglass.seal"
# what install may change
STATE = f"find {FOLDER} /etc/ssh /etc/sudoers* /etc/login.defs /etc/pam.d /etc/breakglass -type f " \
	"-exec sha256sum {} + 2>/dev/null | sort; grep -c . /etc/passwd; getent shadow breakglass"
CONTROL = "[success=done ignore=ignore module_unknown=ignore default=die] pam_breakglass.so"


class InstallCase(DoorCase):
	@classmethod
	def prepare(cls):
		cls.box.add_user("alice", password="correct horse", groups=("sudo",))
		cls.box.install_packages(*packages())
		cls.box.add_key("a")
		cls.box.shares = cls.box.init()
		cls.box.write("/etc/breakglass/breakglass.conf", "[breakglass]\ndevice = /run/softkey/a\n")

	def state(self):
		return self.box.run(STATE, check=False).out

	def try_install(self, seal=SEAL, more=""):
		return self.box.run(f"bg-unlock install {seal} --label db1 {more} "
			f"--fingerprint $(sha256sum {seal} | cut -d' ' -f1)", check=False)

	def assert_refused_and_unchanged(self, before, *texts, seal=SEAL):
		done = self.try_install(seal)
		self.assertNotEqual(done.rc, 0, done)
		for text in texts:
			self.assertIn(text, done.err)
		self.assertEqual(self.state(), before)
		self.assert_alice_comes_in()
		return done

	def assert_alice_comes_in(self):
		child = self.box.ssh("alice", "id -un", key=self.box.key("alice"), tty=False)
		child.expect("alice")
		child.close()

	def check(self):
		"""check's findings as {name: [(level, text)]}, and its status."""
		done = self.box.run("bg-unlock check --json", check=False)
		report, found = json.loads(done.out), {}
		for finding in report["findings"]:
			found.setdefault(finding["name"], []).append((finding["level"], finding["text"]))
		levels = ["OK", "WARNING", "CRITICAL"]
		self.assertEqual(done.rc, levels.index(report["status"]))
		return found, report["status"]

	def assert_finds(self, name, level, text):
		found, _ = self.check()
		self.assertTrue(any(lv == level and text in tx for lv, tx in found.get(name, [])),
			(name, level, text, found))


class Refusals(InstallCase):
	"""Nothing is in force yet: whatever fails, everything is as it was."""

	def test_broken_sshd_config_takes_the_drop_ins_back(self):
		self.box.run("cp /etc/ssh/sshd_config /root/; echo Nonsense yes >>/etc/ssh/sshd_config")
		before = self.state()
		done = self.try_install()
		self.assertIn("sshd -t", done.err)
		self.assertIn("as they were before", done.err)
		self.assertEqual(self.state(), before)
		self.box.run("cp /root/sshd_config /etc/ssh/")
		self.assert_alice_comes_in()

	def test_sshd_that_would_not_let_it_in_takes_them_back(self):
		for line, text in ((f"DenyUsers x {ACCOUNT}", "denyusers shuts out"),
				("DenyGroups break*", "denygroups shuts out"), ("UsePAM no", "usepam"),
				(f"Match User {ACCOUNT}\n\tPasswordAuthentication yes", "passwordauthentication"),
				("Match All\n\tForceCommand /bin/true", "forcecommand")):
			with self.subTest(line):
				name = "/etc/ssh/sshd_config.d/05-site.conf"
				self.box.write(name, line + "\n")
				before = self.state()
				self.assert_refused_and_unchanged(before, text)
				self.box.run(f"rm {name}; systemctl restart ssh")

	def test_stacks_edited_by_hand_are_named_line_by_line(self):
		self.addCleanup(self.box.run, "mv /root/breakglass /usr/share/pam-configs/; "
			"cp -a /root/pam.d/* /etc/pam.d/")
		self.box.run("cp -a /etc/pam.d /root/; sed -i '/pam_breakglass/d' /etc/pam.d/common-*; "
			"sed -i 's/^auth.*pam_permit.so/&\\n# the site/' /etc/pam.d/common-auth; "
			"mv /usr/share/pam-configs/breakglass /root/")
		before = self.state()
		self.assert_refused_and_unchanged(before, "common-auth has no auth line",
			f"put this first into it: auth {CONTROL}")

	def test_sudoers_that_is_broken_already_does_not_stop_it(self):
		self.box.run("cp -a /etc/sudoers /root/; echo nonsense >>/etc/sudoers")
		self.assertEqual(self.try_install().rc, 0)
		self.assert_finds(f"{ACCOUNT}/sudo", "WARNING", "sudoers is broken")
		self.box.run(f"cp -a /root/sudoers /etc/; bg-unlock uninstall {ACCOUNT} --purge")

	def test_profile_that_was_switched_off_is_switched_on(self):
		before = self.state()
		self.box.run("pam-auth-update --package --remove breakglass")
		done = self.try_install()
		self.assertIn("did: pam-auth-update --package --enable breakglass", done.out)
		self.box.run(f"bg-unlock uninstall {ACCOUNT} --purge")
		self.assertEqual(self.state(), before)

	def test_not_by_others_than_root(self):
		self.box.run(f"cp {SEAL} /tmp/s; chmod 644 /tmp/s")
		done = self.box.run("su alice -c 'bg-unlock install /tmp/s --fingerprint 0'", check=False)
		self.assertEqual(done.rc, 3)
		self.assertIn("root", done.err)
		self.assertEqual(self.box.run("su alice -c 'bg-unlock check'", check=False).rc, 3)


class Installed(InstallCase):
	@classmethod
	def prepare(cls):
		super().prepare()
		cls.box.install()

	def test_twice_is_once_without_a_reload(self):
		before = self.state(), len(self.box.journal(_SYSTEMD_UNIT="ssh.service"))
		done = self.try_install()
		self.assertIn("nothing to do", done.out)
		after = self.state(), len(self.box.journal(_SYSTEMD_UNIT="ssh.service"))
		self.assertEqual(after, before)

	def test_sites_own_lists_are_met(self):
		self.box.run("groupadd people; gpasswd -a alice people")
		for line, wanted in (("AllowUsers alice", f"AllowUsers {ACCOUNT}"),
				("AllowGroups people", f"AllowGroups {ACCOUNT}")):
			self.box.write("/etc/ssh/sshd_config.d/05-site.conf", line + "\n")
			self.assert_finds(f"{ACCOUNT}/ssh", "CRITICAL", "does not let in")
			self.assertEqual(self.try_install().rc, 0)
			self.assertIn(f"\t{wanted}\n", self.box.read(DROP_IN))
			self.assertIn("nothing to do", self.try_install().out)
			self.assert_finds(f"{ACCOUNT}/ssh", "OK", ACCOUNT)
			self.assert_alice_comes_in()
			# who is not on it stays out
			done = self.box.run("sshd -T -C user=mallory,host=x,addr=127.0.0.1").out
			self.assertNotIn(ACCOUNT, done)
		self.box.run(f"rm /etc/ssh/sshd_config.d/05-site.conf {DROP_IN}")
		self.box.run(f"bg-unlock install {SEAL} && systemctl restart ssh")

	def test_drop_in_concerns_nobody_else(self):
		done = self.box.run("sshd -T -C user=alice,host=x,addr=127.0.0.1").out.splitlines()
		for line in ("pubkeyauthentication yes", "kbdinteractiveauthentication no",
				"authenticationmethods any", "logingracetime 600"):
			self.assertIn(line, done)

	def test_host_that_is_in_order(self):
		self.assert_in_order()

	def assert_in_order(self):
		"""As it can be: no handler, one key, one account, no drill yet; and what the other tests
		here owe, who used the account (its shares were typed, nobody reviews it)."""
		found, _ = self.check()
		wrong = {name for name, all in found.items() if any(lv != "OK" for lv, _ in all)}
		self.assertEqual(wrong - {f"{ACCOUNT}/reviews"}, {"alerts", f"{ACCOUNT}/keys",
			f"{ACCOUNT}/drill", "accounts"}, found)
		self.assertNotIn("CRITICAL", {lv for name, all in found.items() for lv, _ in all
			if name != f"{ACCOUNT}/reviews"})

	def test_what_is_broken_on_a_live_host_is_named(self):
		module = self.box.run("ls /usr/lib/*/security/pam_breakglass.so").out.strip()
		rows = (
			# in place of the file, not in it: whoever runs has it mapped
			(f"mv {module} /root/good.so; head -c 5000 /root/good.so >{module}",
				f"mv /root/good.so {module}", "module", "CRITICAL", "cannot be loaded"),
			(f"mv {module} /root/good.so", f"mv /root/good.so {module}", "pam", "CRITICAL",
				"missing"),
			(f"rm {DROP_IN}", None, f"{ACCOUNT}/ssh", "CRITICAL", "kbdinteractiveauthentication"),
			(f"rm {GLOBAL}", None, f"{ACCOUNT}/ssh", "WARNING", "LoginGraceTime is 120"),
			(f"rm {SUDOERS}", None, f"{ACCOUNT}/sudo", "WARNING", "does not let"),
			("sed -i s/LOGIN_TIMEOUT.*/LOGIN_TIMEOUT\\ 30/ /etc/login.defs", None, "login",
				"WARNING", "30 s"),
			(f"usermod -p x {ACCOUNT}", None, f"{ACCOUNT}/account", "CRITICAL", "password"),
			(f"chage -E -1 {ACCOUNT}", None, f"{ACCOUNT}/account", "CRITICAL", "expiry"),
		)
		for break_it, mend, name, level, text in rows:
			with self.subTest(break_it):
				self.box.run(break_it)
				self.assert_finds(name, level, text)
				# what check names, install mends, but for the module itself
				self.box.run(mend or f"bg-unlock install {SEAL}")
				self.assert_in_order()

	def test_sinks_are_proved_by_reading_back(self):
		self.assert_finds("log", "OK", "in the journal and in syslog")
		self.box.run("systemctl stop syslog.socket rsyslog")
		child = self.box.ssh_door()
		child.sees("PIN of your")
		child.hang_up()
		self.assert_finds("log", "WARNING", "did not arrive in syslog")
		self.box.run("systemctl start syslog.socket rsyslog")

	def test_P19_one_letter_in_breakglass_conf_is_recorded_and_the_login_works(self):
		conf = "/etc/breakglass/breakglass.conf"
		good = self.box.read(conf)
		self.box.write(conf, good + "xeverity = alert\n")
		mark = self.box.mark()
		self.assert_finds("conf", "CRITICAL", "xeverity")
		with self.box.ssh_door() as person:
			person.opens()
		self.assertIn("DEGRADED", self.box.event_names(mark))
		self.box.write(conf, good)
		self.assert_finds("conf", "OK", "is right")

	def test_uninstall_and_again(self):
		before = self.state()
		self.assertEqual(self.box.run(f"bg-unlock uninstall {ACCOUNT}").rc, 0)
		for path in (DROP_IN, GLOBAL, SUDOERS, f"{FOLDER}/host"):
			self.assertNotEqual(self.box.run(f"test -e {path}", check=False).rc, 0, path)
		self.assertIn("LOGIN_TIMEOUT\t\t60", self.box.read("/etc/login.defs"))
		self.assertNotEqual(self.box.run(f"getent passwd {ACCOUNT}", check=False).rc, 0)
		self.box.run("sshd -t && visudo -c && systemctl is-active ssh")
		self.assert_alice_comes_in()
		self.assertEqual(self.try_install().rc, 0)
		self.assertEqual(self.state(), before)

	def test_account_in_use_is_not_removed(self):
		"""By a process that no session of ours started: those are ended."""
		pid = self.box.run(f"setpriv --reuid {ACCOUNT} --clear-groups sleep 300 >/dev/null 2>&1 "
			"</dev/null & echo $!").out.strip()
		wait_until("a process of the account", lambda: self.box.run(
			f"pgrep -u {ACCOUNT}", check=False).rc == 0)
		done = self.box.run(f"bg-unlock uninstall {ACCOUNT}", check=False)
		self.assertEqual(done.rc, 3, done)
		self.assertEqual(self.box.run(f"getent passwd {ACCOUNT}").rc, 0)
		self.box.run(f"kill {pid}")
		wait_until("its end", lambda: self.box.run(f"pgrep -u {ACCOUNT}", check=False).rc != 0)
		self.box.run(f"bg-unlock uninstall {ACCOUNT}")
		self.assertEqual(self.try_install().rc, 0)

	def test_uninstall_ends_a_live_session(self):
		with self.box.ssh_door() as person:
			person.pin()
			seen = person.sees(r"Reason \(ticket, what is broken\): |OPEN until ")
			if "OPEN" not in seen:  # no other test has opened one that is still live
				person.types("INC-1 test of uninstall")
				person.share("audit")
				person.share("dba")
			person.sees(PROMPT)
			done = self.box.run(f"bg-unlock uninstall {ACCOUNT}", check=False)
			self.assertEqual(done.rc, 0, done)
			self.assertIn("revoked: ", done.out)
			self.assertNotEqual(self.box.run(f"getent passwd {ACCOUNT}", check=False).rc, 0)
			person.sees("closed")
		self.assertEqual(self.try_install().rc, 0)


class Succession(InstallCase):
	def reseal(self, seal, shares, folder):
		"""The next seal, its shares; what reseal names it is moved to FOLDER.seal."""
		words = "".join(shares[name] + "\n" for name in ("ops", "dba"))
		self.box.softkey_ctl("a", "auto", "on")
		self.box.run(f"mkdir -m 700 /root/{folder} /root/{folder}.shares && cd /root/{folder} && "
			f"bg-unlock reseal {seal} --stdin --pin-stdin --device /run/softkey/a "
			f"--shares-to /root/{folder}.shares -o /root/{folder}/new.seal",
			input=words + PIN + "\n")
		self.box.softkey_ctl("a", "auto", "off")
		return f"/root/{folder}/new.seal", self.box.read_shares(f"/root/{folder}.shares")

	def test_only_an_endorsed_successor_comes_in_and_each_refusal_is_an_alert(self):
		mark = self.box.mark()
		self.box.install()
		event, = [e for e in self.box.events(mark) if e["event"] == "SEAL_INSTALLED"]
		self.assertEqual((event["host"], event["account"], event["epoch"]), ("db1", ACCOUNT, 1))
		self.box.everywhere_once(event)
		two, shares = self.reseal(SEAL, self.box.shares, "two")
		fork, _ = self.reseal(SEAL, self.box.shares, "fork")
		three, _ = self.reseal(two, shares, "three")
		self.refused(three, "epoch")
		self.installed(two, 2)
		self.refused(SEAL, "epoch")
		self.refused(fork, "another seal of the same epoch")
		self.refused(self.with_flipped_digit(three, "predecessor-quorum"), "signature")
		self.refused(self.with_flipped_digit(three, "predecessor-signature"), "--keys-lost")
		self.box.run(f"sed 's/^holder = .*/holder = mallory/' {three} >/root/bad.seal")
		self.refused("/root/bad.seal", "signature")
		self.box.shares = shares
		with self.box.ssh_door() as person:
			person.pin()
			person.reason()
			self.assertIn("epoch 2", person.share("ops"))
			person.share("dba")
			person.shell()
		self.installed(three, 3)

	def with_flipped_digit(self, seal, key):
		text = self.box.read(seal)
		at = text.index(f"\n{key} = ") + len(key) + 12
		digit = "0" if text[at] != "0" else "1"
		self.box.write("/root/bad.seal", text[:at] + digit + text[at + 1:])
		return "/root/bad.seal"

	def refused(self, seal, text):
		before, mark = self.state(), self.box.mark()
		done = self.box.run(f"bg-unlock install {seal}", check=False)
		self.assertEqual(done.rc, 1, done)
		self.assertIn(text, done.err)
		self.assertEqual(self.state(), before)
		event, = self.box.events(mark)
		self.assertEqual((event["event"], event["severity"]), ("SEAL_REFUSED", 1), event)
		self.box.everywhere_once(event)

	def installed(self, seal, epoch):
		mark = self.box.mark()
		self.box.run(f"bg-unlock install {seal}")
		self.assertIn(f"epoch = {epoch}\n", self.box.read(f"{FOLDER}/host"))
		event, resealed = self.box.events(mark)
		self.assertEqual((event["event"], resealed["event"]), ("SEAL_INSTALLED", "RESEALED"))
		self.assertIn(f"succeeds epoch {epoch - 1}", event["result"])
		self.assertEqual((resealed["epoch"], resealed["key"], resealed["severity"]), (epoch, "a", 1))
		self.assertEqual(resealed["result"], "2 of 3; the same people and keys")
		self.assertEqual(resealed["custodians"], "ops, dba, audit")
		self.assertEqual((event["role"], resealed["role"]), ("full", "full"))


if __name__ == "__main__":
	unittest.main(verbosity=2)
