#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The first factor by ssh: what sshd says in SSH_AUTH_INFO_0, and what of it counts."""
import base64
import re
import subprocess
import unittest

import codelib
import pamlib
from pamlib import PAM_SUCCESS

TYPES = ("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")


def string(data):
	return len(data).to_bytes(4, "big") + data


def ssh_key(kind, fill):
	"""TYPE BASE64 of a security key's public key (PROTOCOL.u2f)."""
	blob = string(kind.encode())
	if "ecdsa" in kind:
		blob += string(b"nistp256") + string(b"\4" + bytes([fill]) * 64)
	else:
		blob += string(bytes([fill]) * 32)
	return f"{kind} {base64.b64encode(blob + string(b'ssh:breakglass')).decode()}"


KEYS = {"a": ssh_key(TYPES[0], 1), "b": ssh_key(TYPES[1], 2)}
OTHER = ssh_key(TYPES[0], 3)


class SshCase(pamlib.StageCase):
	keys = ("a", "b")

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.stage.put_in_force(cls.with_ssh(cls.stage))

	@classmethod
	def with_ssh(cls, stage):
		"""The stage's seal with ssh keys, signed anew by its quorum."""
		done = subprocess.run([pamlib.COMMAND, "combine", "--reveal", "--stdin", stage.seal],
			input="".join(f"{stage.shares[n]}\n" for n in ("ops", "dba")), text=True,
			capture_output=True, timeout=30, check=False)
		assert done.returncode == 0, done.stderr
		secret = bytes.fromhex(re.search(r"\b[0-9a-f]{32}\b", done.stdout)[0])
		text = stage.seal.read_text()
		value = dict(re.findall(r"^(set|epoch) = (.*)$", text, re.M))
		body = text[:text.index("[signature]\n")]
		for name, ssh in KEYS.items():
			body = re.sub(rf"(\[key {name}\]\n(?:[^\[].*\n|\n)*?ssh = )none\n", rf"\g<1>{ssh}\n", body)
		assert all(ssh in body for ssh in KEYS.values()), body
		key = codelib.quorum_key(secret, bytes.fromhex(value["set"]), int(value["epoch"]))
		signature = key.sign(codelib.frame("seal", codelib.sha256(body.encode()))).hex()
		tail = re.sub(r"^quorum = .*$", f"quorum = {signature}", text[text.index("[signature]\n"):],
			flags=re.M)
		path = stage.folder / "seal.ssh"
		path.write_text(body + tail)
		return path

	def setUp(self):
		super().setUp()
		self.stage.plug()

	def start(self, info, service="sshd", network=True):
		login = self.stage.login(service=service, tty="ssh" if network else "/dev/tty1",
			rhost="192.0.2.7" if network else None, fork=network, info=info)
		self.addCleanup(login.kill)
		return login

	def results(self, event="KEY_REFUSED"):
		return [e["result"] for e in self.stage.events() if e["event"] == event]


class KeyTest(SshCase):
	def test_a_whole_login_with_no_prompt_for_a_key(self):
		for service in ("sshd", "breakglass-sshd"):
			for name, ssh in KEYS.items():
				with self.subTest(service, key=name):
					self.stage.reset()
					login = self.start(f"publickey {ssh}\n", service)
					login.expect("Reason")
					login.answer("INC-1 key at the laptop")
					for i, custodian in enumerate(("ops", "audit")):
						login.expect(f"Share {i + 1} of")
						login.answer(self.stage.shares[custodian])
					self.assertEqual(login.finish()["open"], PAM_SUCCESS)
					self.assertEqual(self.results("REQUEST_OPENED"), ["key proved by ssh"])
					granted = [e["key"] for e in self.stage.events() if e["event"] == "GRANTED"]
					self.assertEqual(granted, [name])
					self.assertEqual(self.results(), [])

	def test_the_request_is_taken_up_by_the_same_key_at_another_door(self):
		login = self.start(f"publickey {KEYS['a']}\n")
		login.expect("Reason")
		login.answer("INC-1 line drops")
		login.expect("Share 1")
		login.kill()
		login = self.start(f"publickey {KEYS['b']}\n")
		login.expect("Reason")
		login.kill()
		self.stage.plug("a")
		login = self.start(None, "login", network=False)
		self.stage.prove(login)
		login.expect("Share 1")
		login.kill()
		login = self.start(f"publickey {KEYS['a']}\n", "breakglass-sshd")
		login.expect("Share 1")
		self.assertEqual(self.results("REQUEST_OPENED")[-1],
			"key proved again by ssh, request taken up")

	def test_exactly_that_line_counts(self):
		"""Anything else is recorded with why, and the hunt for a key here goes on."""
		a, kind, blob = KEYS["a"], *KEYS["a"].split(" ")
		flipped = blob[:60] + ("A" if blob[60] != "A" else "B") + blob[61:]
		more, method = "more than one method", "a method other than publickey"
		bad = "no plain key of a security key"
		other = "not a key of this seal"
		rows = [
			(f"publickey {OTHER}\n", other), (f"publickey {kind} {flipped}\n", other),
			(f"publickey {TYPES[1]} {blob}\n", bad),
			(f"publickey {kind} {KEYS['b'].split(' ')[1]}\n", bad),
			(f"publickey {a}", "not a line"), ("\n", method),
			(f"publickey {a}\n\n", more), (f"publickey {a}\npublickey {a}\n", more),
			(f"publickey {OTHER}\npublickey {a}\n", more), (f"publickey {a}\npassword\n", more),
			(f"password\npublickey {a}\n", more), (f"publickey {a}\nhostbased x y\n", more),
			(f"publickey {a}\r\n", bad), (f"publickey {a} \n", bad),
			(f"publickey {a} comment\n", bad), (f"publickey {kind}  {blob}\n", bad),
			(f"publickey {kind} {blob}=\n", bad), (f"publickey {kind} {blob[:-1]}\n", bad),
			(f"publickey {kind} \n", bad), (f"publickey {kind} {blob[:-4]}\n", bad),
			(f"publickey {kind}\n", bad), (f"publickey  {a}\n", bad),
			(f" publickey {a}\n", method), (f"Publickey {a}\n", method),
			(f"hostbased {a}\n", method), ("password\n", method), ("none\n", method),
			(f"publickey sk-ssh-ed25519-cert-v01@openssh.com {blob}\n", bad),
			(f"publickey sk-ecdsa-sha2-nistp256-cert-v01@openssh.com {blob}\n", bad),
			(f"publickey ssh-ed25519 {blob}\n", bad), (f"publickey SK{a[2:]}\n", bad),
			(f"publickey {kind} {'A' * 600}\n", "a key that is too long"),
			(f"publickey {kind} {'A' * 6000}\n", "not a line"),
		]
		for info, why in rows:
			with self.subTest(info):
				self.stage.reset()
				login = self.start(info)
				prompt = login.expect("No security key here.")
				self.assertNotIn("Reason", prompt)
				self.assertEqual(self.results(), [f"key by ssh: {why}"])
				self.assertNotIn("REQUEST_OPENED", self.stage.event_names())
				login.kill()

	def test_a_refused_one_leaves_the_other_ways(self):
		self.stage.plug("b")
		login = self.start(f"publickey {OTHER}\n")
		self.stage.prove(login, "b")
		login.expect("Reason")
		self.assertEqual(self.results("REQUEST_OPENED"), ["key proved"])

	def test_other_services_are_not_believed(self):
		for service, network in (("login", False), ("login", True)):
			login = self.start(f"publickey {KEYS['a']}\n", service, network)
			login.expect("No security key here.")
			self.assertEqual(self.results(), [])
			login.kill()
		self.stage.conf(f"[breakglass]\nservices = sshd login cron\n"
			f"device = {' '.join(k.path for k in self.stage.keys.values())}\n")
		self.addCleanup(self.stage.conf)
		login = self.start(f"publickey {KEYS['a']}\n", "cron")
		login.expect("No security key here.")
		self.assertEqual(self.results(), [])

	def test_P06_the_callers_own_environment_is_not_asked(self):
		login = self.stage.ssh(env={"SSH_AUTH_INFO_0": f"publickey {KEYS['a']}\n"})
		self.addCleanup(login.kill)
		login.expect("No security key here.")


class PolicyTest(SshCase):
	policy = {"remote": "approve combine touch"}

	def test_not_taken_nor_told_where_the_policy_has_no_ssh(self):
		login = self.start(f"publickey {KEYS['a']}\n")
		login.expect("No security key here.")
		self.assertEqual(self.results(), [])


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
