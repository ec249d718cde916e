#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Security keys at the ssh client: which of them sshd takes, what the module makes of it, and that
nobody else's ssh is concerned."""
import json
import unittest

from boxlib import wait_until
from doorlib import ACCOUNT, PIN, DoorCase, packages
from laptoplib import Laptop

FOLDER = f"/etc/breakglass/accounts/{ACCOUNT}"
KEYS = f"{FOLDER}/authorized_keys"
DROP_IN = f"/etc/ssh/sshd_config.d/60-breakglass-{ACCOUNT}.conf"
SITE = "/etc/ssh/sshd_config.d/05-site.conf"
SEAL = "/root/breakglass.seal"
ASKED = "No security key here"  # the module, of one who proved none


class SshKeyCase(DoorCase):
	"""Keys a (ed25519) and b (ecdsa) of the seal have a security key for ssh, the one that c has was
	made without -O verify-required; all three are in a laptop. d is nobody's."""

	policy = None

	@classmethod
	def prepare(cls):
		box = cls.box
		box.add_user("alice", password="correct horse")
		box.install_packages(*packages())
		box.plain_view = cls.view_of("alice")
		for name in "abcd":
			box.add_key(name)
		box.add_ssh_key("a")
		box.add_ssh_key("b", kind="ecdsa-sk")
		box.add_ssh_key("c", options=("resident",))
		box.add_ssh_key("d")
		box.shares = box.init(keys=("a", "b", "c"), policy=cls.policy)
		box.key_is("away")
		box.install()

	@classmethod
	def view_of(cls, user):
		"""sshd's own settings for a user, without the grace time that install says it changes."""
		out = cls.box.run(f"sshd -T -C user={user},host=x,addr=127.0.0.1").out
		return [line for line in out.splitlines() if not line.startswith("logingracetime")]

	def setUp(self):
		self.box.run("rm -rf /run/breakglass/requests/* /run/breakglass/grants/* "
			"/run/breakglass/sessions/* /run/breakglass/attempts.*", check=False)

	def finding(self, name):
		"""check's findings of a name: [(level, text)]."""
		report = json.loads(self.box.run("bg-unlock check --json", check=False).out)
		return [(f["level"], f["text"]) for f in report["findings"]
			if f["name"] == f"{ACCOUNT}/{name}"]

	def only_asked(self, person):
		"""sshd did not take the key: the module asks for one."""
		person.sees(ASKED)
		self.assertNotIn("Reason", person.screen)
		person.hang_up()

	def wait_sshd(self, text, since):
		"""sshd logged this since."""
		return wait_until(f"sshd: {text}", lambda: [line for line in self.box.run(
			f"journalctl -q --no-pager -o cat -t sshd --since=@{since}").out.splitlines()
			if text in line])

	def now(self):
		return self.box.run("date +%s").out.strip()


class Keys(SshKeyCase):
	def test_security_key_and_shares_open(self):
		for name in ("a", "b"):
			with self.row(f"key {name}", "ssh"):
				mark = self.box.mark()
				with self.box.ssh_door(security_key=name) as person:
					person.client_key(key=name)
					person.reason()
					person.share("audit")
					person.share("dba")
					person.shell()
					person.leaves_shell()
				self.assertNotIn("PIN of your security key", person.screen)
				opened = self.box.wait_event("SESSION_OPENED", mark)
				self.assertEqual((opened["key"], opened["service"]), (name, "sshd"))
				self.box.wait_event("SESSION_CLOSED", mark)
				self.setUp()

	def test_security_key_and_approvals_open(self):
		"""Nothing but codes is known to this host: neither a key's device nor a share."""
		laptop, mark = Laptop(self.box), self.box.mark()
		with self.box.ssh_door(security_key="a") as person:
			person.client_key()
			person.reason()
			for name in ("audit", "dba"):
				person.sees(r"Share \d of 2 [^\n]*: ")
				person.pastes(laptop.approve(person.challenge(), self.box.shares[name]))
			person.shell()
			person.leaves_shell()
		self.box.wait_event("SESSION_CLOSED", mark)
		self.assertEqual(self.box.event_names(mark).count("APPROVAL_ACCEPTED"), 2)

	def test_line_drops_and_another_connection_of_the_same_key_goes_on(self):
		with self.box.ssh_door(security_key="a") as person:
			person.client_key()
			person.reason()
			person.share("audit")
			person.sees("Share 2 of 2")
			person.dies()
		with self.box.ssh_door(security_key="b") as person:
			person.client_key(key="b")
			person.sees("Reason")  # another key: a request of its own
			person.dies()
		with self.box.ssh_door(security_key="a") as person:
			person.client_key()
			person.sees("Share 2 of 2")
			self.assertNotIn("Reason", person.screen)

	def test_wrong_pin_at_the_client_proves_nothing(self):
		with self.box.ssh_door(security_key="a") as person:
			person.client_key(pin="654321", touch=False)
			self.only_asked(person)
		self.box.softkey_ctl("a", "pin-retries", "8")

	def test_keys_that_are_not_the_seals_are_refused_and_another_way_is_offered(self):
		"""Another security key, one without the seal's, an ordinary key, a key of alice's."""
		box = self.box
		box.run("test -e /root/.ssh/plain || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/plain")
		for name, how in (("not in the seal", {"security_key": "d"}),
				("no security key", {"key": "/root/.ssh/plain"}),
				("another user's", {"key": box.key("alice")})):
			with self.row(name, "ssh"), box.ssh_door(**how) as person:
				self.only_asked(person)

	def test_P03_key_made_without_verify_required_is_refused(self):
		"""Touch alone is no proof: sshd must say no, for the module is not told."""
		since = self.now()
		with self.box.ssh_door(security_key="c") as person:
			self.box.softkey_ctl("c", "wait-touch", "10000")
			self.box.softkey_ctl("c", "touch")
			self.only_asked(person)
		self.wait_sshd("user verification", since)

	def test_certificate_of_the_seals_key_is_refused(self):
		"""Whoever signs certificates would choose who holds a key; also where the site has such a CA."""
		box = self.box
		box.run("cd /root/.ssh && test -e ca || ssh-keygen -q -t ed25519 -N '' -f ca; "
			f"ssh-keygen -q -s ca -I x -n {ACCOUNT} sk-d.pub; cp ca.pub /etc/ssh/ca.pub")
		box.write(SITE, "TrustedUserCAKeys /etc/ssh/ca.pub\n")
		box.reload_ssh()
		since = self.now()
		try:
			with box.ssh_door(security_key="d", options=("NumberOfPasswordPrompts=1",
					"CertificateFile=/root/.ssh/sk-d-cert.pub")) as person:
				self.only_asked(person)
			self.wait_sshd("sk-ssh-ed25519-cert-v01@openssh.com not in PubkeyAcceptedAlg", since)
			self.assertEqual(self.finding("ssh")[0][0], "OK")
		finally:
			box.run(f"rm {SITE} /root/.ssh/sk-d-cert.pub")
			box.reload_ssh()

	def test_line_added_to_the_keys_file_opens_nothing_and_is_named(self):
		box = self.box
		good, mark = box.read(KEYS), box.mark()
		box.write(KEYS, good + f"{box.ssh_keys['d']} mallory\n")
		try:
			with box.ssh_door(security_key="d") as person:
				person.client_key(key="d")  # sshd takes it
				self.only_asked(person)
			box.wait_event("KEY_REFUSED", mark)
			self.assertIn("does not say what the seal says", self.finding("ssh-keys")[0][1])
			box.run(f"bg-unlock install {SEAL}")
			self.assertEqual(box.read(KEYS), good)
			self.assertEqual(self.finding("ssh-keys")[0][0], "OK")
		finally:
			box.write(KEYS, good)

	def test_key_alone_never_comes_in(self):
		"""publickey is the first of two steps: no answer, no session."""
		with self.box.ssh_door(security_key="a", options=("NumberOfPasswordPrompts=1",
				"KbdInteractiveAuthentication=no", "PasswordAuthentication=no")) as person:
			person.client_key()
			person.sees("Permission denied")

	def test_agent_with_many_other_keys_still_reaches_the_module(self):
		"""Each key that is offered costs a try, 20 in all; six would not have been enough."""
		box = self.box
		box.run("cd /root/.ssh && for i in $(seq 21); do test -e many-$i || "
			"ssh-keygen -q -t ed25519 -N '' -f many-$i; done")

		def many(count):
			files = [f"IdentityFile=/root/.ssh/many-{i}" for i in range(1, count + 1)]
			return box.ssh_door(options=("NumberOfPasswordPrompts=1", *files[1:]),
				key="/root/.ssh/many-1")

		with many(16) as person:
			self.only_asked(person)
		with many(21) as person:
			person.sees("Too many authentication failures")
		since = self.now()
		box.run(f"sed -i 's/MaxAuthTries 20/MaxAuthTries 6/' {DROP_IN}")
		box.reload_ssh()
		try:
			with many(6) as person:
				person.sees("Too many authentication failures")
			self.wait_sshd("Too many", since)
			self.assertIn(("WARNING", f'sshd: maxauthtries is "6" for {ACCOUNT}, wanted "20"'),
				self.finding("ssh"))
		finally:
			box.run(f"bg-unlock install {SEAL}")

	def test_sites_AuthorizedKeysCommand_that_hangs_is_not_run(self):
		box = self.box
		box.write("/usr/local/bin/hang", "#!/bin/sh\ntouch /run/asked\nsleep 60\n", 0o755)
		box.write(SITE, "AuthorizedKeysCommand /usr/local/bin/hang\n"
			"AuthorizedKeysCommandUser root\n")
		box.reload_ssh()
		try:
			with box.ssh_door(security_key="d") as person:
				self.only_asked(person)
			self.assertNotEqual(box.run("test -e /run/asked", check=False).rc, 0)
		finally:
			box.run(f"rm -f {SITE} /run/asked")
			box.reload_ssh()

	def test_P06_SSH_AUTH_INFO_0_of_a_users_own_making_is_nothing(self):
		"""Said by ssh's client to an sshd that takes every variable, at login(1), and by pam_env."""
		box = self.box
		forged = f"publickey {box.ssh_keys['a']}"
		box.write(SITE, "AcceptEnv *\n")
		box.write("/etc/environment", f'SSH_AUTH_INFO_0="{forged}"\n')
		box.reload_ssh()
		try:
			with box.ssh_door(options=("NumberOfPasswordPrompts=1",
					f'SetEnv=SSH_AUTH_INFO_0="{forged}"')) as person:
				self.only_asked(person)
			child = box.spawn(["login", "-p", ACCOUNT], env={"SSH_AUTH_INFO_0": forged + "\n"})
			child.expect(ASKED)
			child.close(force=True)
		finally:
			box.run(f"rm {SITE} /etc/environment")
			box.reload_ssh()

	def test_nobody_elses_ssh_is_concerned(self):
		box = self.box
		self.assertEqual(self.view_of("alice"), box.plain_view)
		# the seal's key is no key of alice's, and hers are read as ever
		person = box.ssh("alice", "id -un", key="/root/.ssh/sk-a", tty=False,
			options=("BatchMode=yes",))
		person.expect("Permission denied")
		person.close()
		child = box.ssh("alice", "id -un", key=box.key("alice"), tty=False)
		child.expect("alice")
		child.close()

	def test_what_an_earlier_match_takes_away_is_named_and_not_installed(self):
		box = self.box
		rows = (("AuthenticationMethods publickey", "authenticationmethods"),
			("PubkeyAuthentication no", "pubkeyauthentication"),
			("PubkeyAuthOptions none", "pubkeyauthoptions"),
			("PubkeyAuthOptions touch-required", "pubkeyauthoptions"),
			("PubkeyAcceptedAlgorithms *", "pubkeyacceptedalgorithms"),
			("AuthorizedKeysFile .ssh/authorized_keys", "authorizedkeysfile"),
			("AuthorizedKeysCommand /bin/true\n\tAuthorizedKeysCommandUser nobody",
				"authorizedkeyscommand"),
			("TrustedUserCAKeys /etc/ssh/ca.pub", "trustedusercakeys"))
		good = box.run(f"cat {KEYS} {DROP_IN}").out
		for line, keyword in rows:
			with self.row(line, "ssh"):
				box.write(SITE, f"Match User {ACCOUNT}\n\t{line}\n")
				found = [text for level, text in self.finding("ssh") if level == "CRITICAL"]
				self.assertTrue(any(f"sshd: {keyword} is" in text for text in found), found)
				# even a keys file that was lost is then not made
				box.run(f"mv {KEYS} /root/keys")
				done = box.run(f"bg-unlock install {SEAL}", check=False)
				self.assertIn(keyword, done.err)
				self.assertNotEqual(box.run(f"test -e {KEYS}", check=False).rc, 0)
				box.run(f"mv /root/keys {KEYS}; rm {SITE}")
				self.assertEqual(box.run(f"cat {KEYS} {DROP_IN}").out, good)


class Succession(SshKeyCase):
	def test_successor_takes_the_old_keys_away_and_uninstall_all(self):
		"""At the host's own sshd and at breakglass-sshd, which reads the same keys file."""
		box = self.box
		box.add_own_sshd()
		path, shares = self.reseal_with_another_key()
		box.run("bg-unlock install /root/two.seal")
		self.assertIn(" ".join(box.read(path + ".pub").split()[:2]), box.read(KEYS))
		self.assertNotIn(box.ssh_keys["a"], box.read(KEYS))
		self.assertEqual(self.finding("ssh-keys")[0][0], "OK")
		box.shares = shares
		for name, door in (("sshd", box.ssh_door), ("breakglass-sshd", box.own_sshd_door)):
			with self.row(name, "ssh"):
				self.setUp()
				mark = box.mark()
				with door(security_key="a") as person:  # retired
					self.only_asked(person)
				with door(security_key="a", key=path) as person:
					person.client_key()
					person.reason()
					person.share("audit")
					person.share("dba")
					person.shell()
					person.leaves_shell()
				closed = box.wait_event("SESSION_CLOSED", mark)
				self.assertEqual((closed["key"], closed["service"]), ("a", name))
		self.uninstalled()

	def reseal_with_another_key(self):
		"""The successor is /root/two.seal; the path of a's new security key for ssh, its shares."""
		box = self.box
		path = box.add_ssh_key("a", file="sk-a-new")
		box.softkey_ctl("a", "auto", "on")
		box.run("mkdir -m 700 /root/new.shares && cd /root && bg-unlock reseal breakglass.seal "
			"--stdin --pin-stdin --shares-to new.shares --device /run/softkey/a "
			f"--ssh-key a={path}.pub -o two.seal",
			input="".join(box.shares[name] + "\n" for name in ("ops", "dba")) + PIN + "\n")
		box.softkey_ctl("a", "auto", "off")
		return path, box.read_shares("/root/new.shares")

	def uninstalled(self):
		box = self.box
		wait_until("the end of the session", lambda: box.run(
			f"pgrep -u {ACCOUNT}", check=False).rc != 0)
		box.run(f"bg-unlock uninstall {ACCOUNT} --purge")
		self.assertNotEqual(box.run(f"test -e {FOLDER}", check=False).rc, 0)
		self.assertEqual(box.run("grep -rl breakglass /etc/ssh", check=False).out, "")
		self.assertEqual(self.view_of("alice"), box.plain_view)
		self.assertEqual(self.view_of(ACCOUNT), box.plain_view)


class Without(SshKeyCase):
	"""The seal has the keys, its policy does not take them."""

	policy = {"remote": "approve combine touch"}

	def test_policy_without_ssh_asks_no_client_for_a_key(self):
		box = self.box
		self.assertNotEqual(box.run(f"test -e {KEYS}", check=False).rc, 0)
		self.assertIn("PubkeyAuthentication no\n", box.read(DROP_IN))
		self.assertEqual(self.finding("ssh")[0][0], "OK")
		self.assertEqual(self.finding("ssh-keys"), [])
		with box.ssh_door(security_key="a") as person:
			self.only_asked(person)
		box.write(KEYS, box.ssh_keys["a"] + "\n")
		self.assertEqual(self.finding("ssh-keys")[0][0], "WARNING")
		with box.ssh_door(security_key="a") as person:
			self.only_asked(person)
		box.run(f"rm {KEYS}")


if __name__ == "__main__":
	unittest.main()
