#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules learnt from other PAM modules, as an attacker would test them."""
import os
import re
import subprocess
import unittest
from pathlib import Path

import memory
import pamlib
from pamlib import ACCOUNT, PAM_AUTH_ERR, PAM_MAXTRIES, PAM_SUCCESS, UID

PERMIT = dict.fromkeys(("auth", "account", "session"), "required pam_permit.so")
HOSTILE = ["$(touch /run/pwned)", ";touch /run/pwned", "`touch /run/pwned`", "|touch /run/pwned",
	"../../../run/pwned", "%n%n%s%s", "\"'\\"]


class RulesCase(pamlib.StageCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.key = cls.stage.keys["a"]

	def opens(self, login):
		self.addCleanup(login.kill)
		self.stage.open(login)
		self.assertEqual(login.finish().get("close"), 0, login.lines[-4:])
		return login

	def denied(self, login, result=PAM_AUTH_ERR):
		self.addCleanup(login.kill)
		self.assertEqual(login.finish(), {"auth": result})
		self.assertEqual(login.prompts, [])
		return login

	def results(self, event):
		return [e["result"] for e in self.stage.events() if e["event"] == event]


class ConversationTest(RulesCase):
	def up_to(self, step):
		"""A login that waits at the step-th prompt."""
		login = self.stage.login()
		self.addCleanup(login.kill)
		self.assertIn("PIN", login.next())
		if step == 0:
			return login
		self.key.ctl("touch")
		login.answer(pamlib.PIN)
		self.assertIn("Reason", login.next())
		for answer in ("INC-1 directory down", self.stage.shares["ops"])[:step - 1]:
			login.answer(answer)
			self.assertIn("Share", login.next())
		return login

	def test_P02_NULL_or_failure_ends_the_attempt_at_each_prompt(self):
		for step in range(4):
			for answer in (None, False):
				self.stage.reset()
				login = self.up_to(step)
				login.answer(answer)
				self.assertEqual(login.finish(), {"auth": PAM_MAXTRIES}, (step, answer))

	def test_P02_an_empty_answer_at_each_prompt(self):
		for step, prompts in ((0, 0), (1, None), (2, 2), (3, 2)):
			self.stage.reset()
			login = self.up_to(step)
			if prompts is None: # the reason: once more, then MISSING
				login.answer("")
				login.expect("At least 8")
				login.answer("")
				login.expect("Share 1")
				continue
			for _ in range(prompts):
				login.answer("")
				login.expect("Nothing was typed. Share")
			login.answer("")
			self.assertEqual(login.finish(), {"auth": PAM_AUTH_ERR}, step)

	def test_P15_overlong_answers_are_refused_whole(self):
		for size in (512, 1023, 4095, 1 << 20):
			self.stage.reset()
			login = self.up_to(0)
			login.answer(pamlib.PIN + "0" * (size - len(pamlib.PIN)))
			login.expect("A PIN has 4 to 63 characters; nothing was sent")
			self.key.ctl("touch")
			login.answer(pamlib.PIN)
			login.expect("Reason")
			login.answer("r" * size)
			login.expect("At least 8", "Reason")
			login.answer("INC-1 directory down")
			login.expect("Share 1")
			login.answer(self.stage.shares["ops"] + " " * (size - len(self.stage.shares["ops"])))
			login.expect("Longer than 511", "Share 1 of 2")
			self.assertNotIn("SHARE_ACCEPTED", self.stage.event_names())

	def test_P15_511_bytes_are_taken(self):
		login = self.up_to(2)
		login.answer(self.stage.shares["ops"].ljust(511))
		login.expect("ops counted.")

	def test_P21_killed_at_each_prompt_counted_and_resumed_at_the_other_door(self):
		for step in range(4):
			self.stage.reset()
			self.up_to(step).kill()
			counts = [e.get("count") for e in self.stage.events() if e["event"] == "ATTEMPT"]
			self.assertEqual(counts, [1], step)
			with self.stage.ssh() as login:
				self.stage.prove(login)
				if step < 2:
					login.expect("Reason")
					login.answer("INC-1 directory down")
				login.expect("Share 2 of 2" if step == 3 else "Share 1 of 2")
				for name in ("dba", "audit")[step == 3:]:
					login.answer(self.stage.shares[name])
					login.next()
				self.assertEqual(login.results.get("close"), 0, step)
			requests = {e["request"] for e in self.stage.events() if e["event"] == "GRANTED"}
			self.assertEqual(len(requests), 1)
			new = [r for r in self.results("REQUEST_OPENED") if "again" not in r]
			self.assertEqual(new, ["key proved"], step)

	def test_P21_attempts_are_counted_and_said_at_powers_of_two(self):
		for _ in range(9):
			with self.stage.login() as login:
				login.expect("PIN")
		events = [e for e in self.stage.events() if e["event"] == "ATTEMPT"]
		self.assertEqual([e["count"] for e in events], [1, 2, 4, 8])
		self.assertEqual([e["severity"] for e in events], [1, 5, 5, 5])
		with self.stage.login() as login:
			self.stage.prove(login)
			login.expect("Reason")
		with self.stage.login() as login:
			login.expect("PIN")
		self.assertEqual([e["count"] for e in self.stage.events() if e["event"] == "ATTEMPT"],
			[1, 2, 4, 8, 1])

	def test_P20_foreign_text_is_escaped(self):
		bad = "a\nevent=GRANTED\x1b[2J\x07\"%n\u202e\r\x7f\\"
		for door in ({"service": "sshd", "tty": "ssh", "rhost": bad, "fork": True},
				{"tty": bad}):
			self.stage.reset()
			with self.stage.login(**door) as login:
				self.stage.prove(login)
				login.expect("Reason")
				login.answer("INC-1 " + bad)
				login.expect("Share 1")
				login.answer(bad * 5)
				prompt = login.expect("is not in the list.  Word 1: ")
				login.answer(None)
				login.finish()
			raw = Path("/run/breakglass/log/pending").read_bytes()
			self.assertNotRegex(raw.replace(b"\n", b""), rb"[\x00-\x1f\x7f]|\xe2\x80\xae")
			self.assertNotRegex(prompt.replace("\n", ""), r"[\x00-\x1f\x7f\u202e]")
			self.assertEqual(self.stage.event_names(), ["ATTEMPT", "REQUEST_OPENED",
				"SHARE_REFUSED"])
			self.assertTrue(all("\n" not in e["origin"] for e in self.stage.events()
				if "origin" in e))

	def test_P07_nothing_typed_is_ever_a_command(self):
		for text in HOSTILE:
			self.stage.reset()
			with self.stage.login(tty=text) as login:
				self.stage.prove(login)
				login.expect("Reason")
				login.answer(f"reason {text}")
				login.expect("Share 1")
				login.answer(text)
				login.expect("")
			with self.stage.login(user=text) as login:
				login.finish()
		self.assertFalse(os.path.exists("/run/pwned"))

	def test_P08_no_secret_stays_in_memory(self):
		pin = "hx7Qv-2931-pin"
		self.key.ctl("set-pin", pin)
		self.addCleanup(self.key.ctl, "set-pin", pamlib.PIN)
		words = {name: self.stage.shares[name] for name in ("audit", "dba")}
		wanted = {"the PIN": pin.encode()}
		for name, text in words.items():
			value = memory.share_value(self.stage.compact(text))
			wanted[f"{name}'s value"] = value
			wanted[f"{name}'s seed"] = memory.custodian_seed(self.stage.seal, name, value)
			for i in range(0, 18):
				wanted[f"{name}'s words from {i + 1}"] = " ".join(text.split()[i:i + 3]).encode()
		with self.stage.login(wait=True, fault=0) as login:
			def none(but=()):
				image = memory.image(login.process.pid)
				for what, secret in wanted.items():
					if what in but:
						continue
					self.assertFalse(any(secret in part for part in image), what)
				return image

			login.expect("PIN")
			self.key.ctl("touch")
			login.answer(pin)
			login.expect("Reason")
			none(but=["the PIN"])  # kept, in the locked page, to know it if it is typed as the reason
			login.answer("INC-1 directory down")
			login.expect("Share 1")
			none()
			login.answer(" ".join(words["audit"].split()[:7]))
			login.expect("7 of 20")
			none() # a share begun is kept as numbers, not as typed
			login.answer(" ".join(words["audit"].split()[7:]))
			login.expect("Share 2")
			none()
			login.answer(self.stage.shares["audit"])
			login.expect("counted already")
			none()
			login.answer("x" * 20 + " " + words["dba"])
			login.expect("not in the list")
			none()
			login.answer(words["dba"])
			self.assertEqual(login.next(), "WAIT")
			self.assertTrue(any(b"INC-1 directory down" in part for part in none()))
			login.raw("")
			login.finish()
		self.assertNotIn("an answer was freed unwiped", login.infos)


class ProcessTest(RulesCase):
	def test_P06_the_environment_decides_nothing(self):
		conf = self.stage.folder / "openssl.cnf"
		conf.write_text("openssl_conf = x\n[x]\nalg_section = y\nproviders = p\n[p]\nnull = n\n"
			"[n]\nactivate = 1\n[y]\ndefault_properties = fips=yes\n")
		for env in ({"FIDO_DEBUG": "1"}, {"OPENSSL_CONF": str(conf)}, {"OPENSSL_CONF": "/dev/zero"},
				{"OPENSSL_MODULES": "/nonexistent"}, {"TZ": ":/etc/passwd"},
				{"TZ": "../../../dev/zero"}, {"LANG": "de_DE.UTF-8", "LC_ALL": "tr_TR"},
				{"LD_LIBRARY_PATH": "/nonexistent", "LD_BIND_NOW": "1"},
				{"BREAKGLASS_CONF": "/tmp/x", "BG_DEVICE": "/dev/null", "HOME": "/nonexistent"},
				{"SSH_AUTH_INFO_0": "publickey sk-ssh-ed25519@openssh.com AAAA"}):
			with self.subTest(env):
				self.stage.reset()
				login = self.stage.login(env=env)
				self.opens(login)
				self.assertEqual(login.errors(), "")
				self.assertEqual(self.stage.event_names()[-1], "SESSION_CLOSED")

	def test_P06_the_module_asks_no_environment_and_runs_no_shell(self):
		names = self.symbols("--undefined-only")
		for name in ("getenv", "secure_getenv", "setenv", "putenv", "environ", "system", "popen",
				"execvp", "execlp", "posix_spawnp", "getpwnam", "getpwnam_r", "getaddrinfo",
				"gethostbyname", "openlog", "syslog", "strcpy", "sprintf", "memcmp_"):
			self.assertNotIn(name, names)

	def symbols(self, which):
		done = subprocess.run(["nm", "-D", which, pamlib.MODULE], capture_output=True, text=True,
			check=True)
		return {line.split()[-1].split("@")[0] for line in done.stdout.splitlines()}

	def test_P09_what_is_secret_is_compared_in_constant_time(self):
		"""PIN, seed, value and words only by bg_equal, which is CRYPTO_memcmp."""
		root = Path(__file__).parents[2]
		files = [*root.glob("pam_breakglass/*.c"), *root.glob("lib/core/*.c")]
		compare = re.compile(r"cmp\([^;]*(?:pin|seed|secret|value->bytes|"
			r"words->index|modhex)\b", re.I)
		for file in files:
			for text in re.findall(r"(?:mem|strn?)cmp\([^;]*;", file.read_text()):
				self.assertIsNone(compare.search(text), f"{file.name}: {text.strip()}")
		self.assertIn("CRYPTO_memcmp", self.symbols("--undefined-only"))

	def test_only_the_entry_points_are_exported(self):
		listed = set(re.findall(r"pam_sm_\w+", Path(__file__).parents[2]
			.joinpath("pam_breakglass/pam_breakglass.map").read_text()))
		self.assertEqual(self.symbols("--defined-only"), listed)

	def test_P16_the_process_is_left_as_it_was(self):
		for odd in (False, True):
			for door in (self.stage.login, self.stage.ssh):
				self.stage.reset()
				login = self.opens(door(odd=odd))
				self.assertEqual(login.states, ["same"])

	def trace(self, calls, user=None):
		"""The lines of strace -f of one login."""
		out = self.stage.folder / "trace"
		self.stage.stacks(audit=False, after=PERMIT if user else None)
		self.addCleanup(self.stage.stacks)
		login = self.stage.login(user=user,
			under=["/usr/bin/strace", "-f", "-qq", "-s", "200", "-o", str(out), "-e", calls])
		self.addCleanup(login.kill)
		if user is None:
			self.stage.open(login)
		self.assertEqual(login.finish().get("close"), 0, login.lines[-4:] + [login.prompts])
		return out.read_text().splitlines()

	def test_P13_nothing_resolves_or_connects(self):
		lines = self.trace("trace=%network,open,openat,openat2")
		text = "\n".join(lines)
		self.assertIn("openat(", text)
		# libpam itself tells the kernel's audit of each phase.
		text = re.sub(r"AF_NETLINK, SOCK_RAW, NETLINK_AUDIT", "", text)
		for word in ("AF_INET", "AF_NETLINK, SOCK", "AF_PACKET", "resolv.conf", "nsswitch", "libnss",
				"/etc/hosts", "nscd", "/sss/"):
			self.assertFalse([line for line in text.split("\n") if word in line], word)
		for line in lines:
			if re.search(r"\b(connect|sendto|sendmsg)\(", line) and "sun_path" in line:
				self.assertRegex(line, r"/run/systemd/journal/socket|/dev/log")
			if re.search(r"O_WRONLY|O_RDWR|O_CREAT", line):
				self.assertRegex(line, r'"/run/|/dev/|"[.a-z0-9-]+(\.new)?"|/proc/', line)

	def test_P11_no_path_is_built_of_foreign_names(self):
		names = ["../../x", "..", "-x", "/etc/passwd", "a/b", "a" * 33, "a" * 300, "x\ny", "Breakglass",
			"breakglass ", "break\u00e9", "4711", "breakglass/../breakglass", "."]
		for name in names:
			self.stage.stacks(after=PERMIT, audit=False)
			self.addCleanup(self.stage.stacks)
			with self.subTest(name):
				login = self.stage.login(user=name)
				self.addCleanup(login.kill)
				self.assertEqual(set(login.finish().values()), {PAM_SUCCESS})
				self.assertEqual(self.stage.events(), [])
		lines = self.trace("trace=%file", user="../../breakglass-x")
		self.assertFalse([line for line in lines if "breakglass-x" in line and "exec" not in line])
		lines = self.trace("trace=%file,read", user="plain")
		asked = [line for line in lines if "/etc/breakglass" in line]
		self.assertEqual(len(asked), len([li for li in asked if "stat" in li]))
		self.assertEqual(set(re.findall(r'"(/etc/breakglass[^"]*)"', "\n".join(asked))),
			{"/etc/breakglass/accounts/plain"})


class HostTest(RulesCase):
	def setUp(self):
		super().setUp()
		passwd = Path("/etc/passwd").read_text()
		self.addCleanup(lambda: Path("/etc/passwd").write_text(passwd))
		self.entry = next(li for li in passwd.splitlines() if li.startswith(ACCOUNT + ":"))
		self.others = passwd.replace(self.entry + "\n", "")

	def passwd(self, *lines):
		Path("/etc/passwd").write_text(self.others + "".join(f"{li}\n" for li in lines))

	def test_P14_the_account_is_the_one_that_install_recorded(self):
		changed = self.entry.replace(f":{UID}:", ":4999:", 1)
		cases = {"changed uid": [changed], "missing": [],
			"root": [self.entry.replace(f":{UID}:", ":0:", 1)],
			"another of that uid": [self.entry, f"other:x:{UID}:{UID}::/:/bin/sh"],
			"another of that uid first": [f"other:x:{UID}:{UID}::/:/bin/sh", self.entry],
			"twice": [self.entry, self.entry], "twice, other uid": [self.entry, changed],
			"trailing blank": [self.entry.replace(ACCOUNT, ACCOUNT + " ", 1)],
			"case": [self.entry.replace(ACCOUNT, ACCOUNT.upper(), 1)]}
		for what, lines in cases.items():
			with self.subTest(what):
				self.stage.reset()
				self.passwd(*lines)
				self.denied(self.stage.login())
				self.assertEqual(self.stage.event_names(), ["ATTEMPT", "SEAL_REFUSED", "DENIED"])
				self.assertIn("passwd", self.results("SEAL_REFUSED")[0])

	def test_P18_without_the_module_the_account_is_refused_and_nobody_else(self):
		self.shadow()
		broken = {"missing": None, "empty": b"", "truncated": pamlib.MODULE.read_bytes()[:5000],
			"no ELF": b"#!/bin/sh\n", "without symbols": pamlib.PROBE.read_bytes()}
		after = {"auth": "required pam_unix.so nodelay", "account": "required pam_unix.so",
			"session": "required pam_permit.so"}
		path = self.stage.folder / "broken.so"
		self.addCleanup(self.stage.stacks)
		for what, data in broken.items():
			with self.subTest(what):
				path.unlink(missing_ok=True)
				if data is not None:
					path.write_bytes(data)
				self.stage.stacks(module=path, after=after)
				for service in ("login", "sshd", "su"):
					self.assertEqual(self.password(service, "plain").get("close"), 0)
					self.assertNotEqual(self.password(service, ACCOUNT).get("auth"), 0)
					with self.stage.login("account", service=service) as login:
						self.assertNotEqual(login.finish()["account"], 0)

	def shadow(self):
		made = subprocess.run(["openssl", "passwd", "-6", "correct horse"], capture_output=True,
			text=True, check=True).stdout.strip()
		before = Path("/etc/shadow").read_text()
		self.addCleanup(lambda: Path("/etc/shadow").write_text(before))
		Path("/etc/shadow").write_text(before + f"plain:{made}:19000:0:99999:7:::\n"
			f"{ACCOUNT}:!*:19000:0:99999:7::1:\n")

	def password(self, service, user):
		with self.stage.login(service=service, user=user) as login:
			for _ in range(3):
				prompt = login.next()
				if prompt is None:
					break
				login.answer("correct horse")
			return login.results

	def test_P19_arguments_on_the_PAM_line_are_ignored_and_said(self):
		self.addCleanup(self.stage.stacks)
		for arguments in ("debug", "nullok nouserok", "authfile=/dev/zero seal=/tmp/x", "\\[x\\]"):
			self.stage.reset()
			self.stage.stacks(arguments=arguments)
			self.opens(self.stage.login())
			self.assertEqual(len([r for r in self.results("DEGRADED") if "PAM line" in r]), 1)

	def test_P19_a_typo_in_the_configuration_never_shuts(self):
		good = f"[breakglass]\ndevice = {self.key.path}\n"
		self.addCleanup(self.stage.conf)
		for text in ("service = sshd login\n", "severty = emerg\n", "rolle = full\n",
				"review-day = 7\n", "severity = loud\n", "services =\n", "[brakeglass]\nrole = x\n",
				"role = full\nrole = full\n", "junk\n", "services = login\x01sshd\n"):
			with self.subTest(text):
				self.stage.reset()
				self.stage.conf(good + text)
				self.opens(self.stage.login())
				self.assertEqual(len([r for r in self.results("DEGRADED") if "head" not in r]), 1)

	def test_P19_a_configuration_that_cannot_be_read_never_shuts(self):
		path = Path("/etc/breakglass/breakglass.conf")
		self.addCleanup(self.stage.conf)
		for make in (lambda: path.unlink(), lambda: path.chmod(0o666),
				lambda: path.write_bytes(b"\xff" * 70000), lambda: (path.unlink(), path.mkdir())):
			self.stage.reset()
			self.stage.conf()
			make()
			with self.stage.login() as login:
				# Without `device` keys are enumerated; there is none here.
				login.expect("security key")
			self.assertEqual(len([r for r in self.results("DEGRADED") if "head" not in r]), 1)
			if path.is_dir():
				path.rmdir()

	def test_P19_a_typo_in_the_seal_denies(self):
		self.addCleanup(self.stage.put_in_force, self.stage.seal)
		lines = Path(self.stage.seal).read_text().splitlines()
		wrong = self.stage.folder / "wrong"
		for i, line in enumerate(lines):
			if not re.match(r"[a-z\[]", line) or line.startswith("epoch"):
				continue
			word = line.replace("[", "[x", 1) if line[0] == "[" else "x" + line
			wrong.write_text("\n".join([*lines[:i], word, *lines[i + 1:]]) + "\n")
			self.stage.reset()
			self.stage.put_in_force(wrong)
			self.denied(self.stage.login("auth"))
			self.assertEqual(self.stage.event_names(), ["ATTEMPT", "SEAL_REFUSED", "DENIED"], line)

	def test_P04_P10_unsafe_files_deny_at_once_and_nobody_waits(self):
		home = Path("/etc/breakglass/accounts", ACCOUNT)
		self.addCleanup(self.stage.put_in_force, self.stage.seal)
		for name in ("host", "seal.1"):
			path = home / name

			def link(target):
				path.rename(home / "kept")
				os.symlink(target, path)

			cases = {"a link": lambda: link(home / "kept"),
				"a hard link": lambda p=path: os.link(p, home / "kept"),
				"a FIFO": lambda p=path: (p.unlink(), os.mkfifo(p, 0o600)),
				"a folder": lambda p=path: (p.unlink(), p.mkdir()),
				"a device": lambda p=path: (p.unlink(), os.mknod(p, 0o20600, os.makedev(1, 5))),
				"0666": lambda p=path: p.chmod(0o666), "0640": lambda p=path: p.chmod(0o640),
				"another's": lambda p=path: os.chown(p, 4712, 4712),
				"1 GiB": lambda p=path: os.truncate(p, 1 << 30),
				"missing": lambda p=path: p.unlink(), "empty": lambda p=path: os.truncate(p, 0)}
			for what, make in cases.items():
				with self.subTest(f"{name}: {what}"):
					self.stage.reset()
					self.stage.put_in_force(self.stage.seal)
					make()
					login = self.denied(self.stage.login("auth"))
					self.assertLess(login.seconds(), 1)
					self.assertEqual(self.stage.event_names(), ["ATTEMPT", "SEAL_REFUSED", "DENIED"])
					if path.is_dir():
						path.rmdir()
					path.unlink(missing_ok=True)
					(home / "kept").unlink(missing_ok=True)

	def test_P04_unsafe_folders_deny(self):
		for folder in ("/etc/breakglass", "/etc/breakglass/accounts",
				f"/etc/breakglass/accounts/{ACCOUNT}"):
			for spoil in (lambda f=folder: os.chmod(f, 0o777), lambda f=folder: os.chown(f, 4712, 0)):
				with self.subTest(folder):
					self.stage.reset()
					spoil()
					try:
						self.denied(self.stage.login("auth"))
					finally:
						os.chmod(folder, 0o755)
						os.chown(folder, 0, 0)


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
