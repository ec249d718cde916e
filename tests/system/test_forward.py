#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What contrib/ has for the host itself, under the real programs: rsyslog's forwarding to a log host
over TLS (RFC 5424 and CEF), the audit rules, the journal's catalog."""
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from boxlib import BUILD, SOURCE, BoxCase, unpacked, wait_until

CONTRIB = SOURCE / "contrib"
HERE = Path(__file__).parent
LIBRARY = "usr/lib/x86_64-linux-gnu"
CEF_KEYS = {
	"host": "dvchost", "account": "duser", "holder": "suser", "reason": "reason",
	"service": "sproc", "origin": "cs6", "result": "outcome", "count": "cnt", "request": "cs2",
	"custodians": "cs1", "key": "cs3", "set": "cs4", "epoch": "cn1", "role": "flexString2", "ordinary": "flexNumber1",
	"normal": "msg", "seq": "externalId",
	"hash": "fileHash",
}
PAIR = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)')


def certificates(folder):
	"""An authority, a certificate for the log host and one for the host."""
	def openssl(*argv):
		subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True)
	openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
		"-subj", "/CN=test authority", "-days", "2")
	for name, host in (("server", "siem.example.org"), ("client", "db1.example.org"),
			("other", "other.example.org")):
		Path(folder, "san").write_text(f"subjectAltName=DNS:{host}\n", encoding="ascii")
		openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
			"-out", f"{name}.csr", "-subj", f"/CN={host}")
		openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
			"-CAcreateserial", "-days", "2", "-out", f"{name}.pem", "-extfile", "san")


def fields_of(text):
	"""The record's own fields; what was cut in the head is taken from its full form."""
	found = {name: value for name, value in PAIR.findall(text)}
	for name in list(found):
		if name.startswith("full_"):
			found[name[5:]] = found.pop(name)
	if "chain" in found:
		found["seq"], found["hash"] = found.pop("chain").split(":")
	return {name: re.sub(r'\\(["\\])', r"\1", value[1:-1]) if value.startswith('"') else value
		for name, value in found.items() if value not in ("", '""')}


def sd_of(text):
	"""Structured data as RFC 5424 says: a backslash counts before " \\ and ] only."""
	inner = re.fullmatch(r"\[breakglass@32473((?: [a-z]+=\"(?:[^\"\\\]]|\\.)*\")*)\]", text)
	assert inner, text
	return {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in
		re.findall(r' ([a-z]+)="((?:[^"\\\]]|\\.)*)"', inner[1])}


def cef_of(raw):
	"""(header, extension) of a CEF line."""
	header = re.search(r"CEF:0\|(.*)", raw, re.S)[1].split("|", 6)
	assert len(header) == 7, raw
	pairs = re.split(r"(?:^| )([A-Za-z0-9]+)=", re.sub(r"\\=", "\0", header[6]))
	values = [re.sub(r"\\(.)", r"\1", value).replace("\0", "=") for value in pairs[2::2]]
	return header[:6], dict(zip(pairs[1::2], values))


def samples():
	"""[(name, severity, text)] of records as they reach syslog."""
	out = subprocess.run([BUILD / "tests/contrib/event_table", "--samples"], check=True,
		capture_output=True, text=True).stdout
	for line in out.splitlines():
		name, _, severity, text = line.split("\t")
		yield name, int(severity), text


class Forward(BoxCase):
	box_name = "db1"

	@classmethod
	def prepare(cls):
		extra = unpacked("rsyslog-gnutls", "auditd", "libauparse0", "libaudit1")
		for path in (f"{LIBRARY}/rsyslog/lmnsd_gtls.so", "sbin/auditctl", "sbin/augenrules"):
			cls.box.push(extra / path, "/" + path.replace("sbin/", "usr/sbin/"))
		for file in (*extra.glob("lib/x86_64-linux-gnu/lib*.so.*"),
				*extra.glob(f"{LIBRARY}/libau*.so.*")):
			if not file.is_symlink():
				soname = re.sub(r"(\.so\.\d+).*", r"\1", file.name)
				cls.box.push(file, f"/{LIBRARY}/{soname}")
		with tempfile.TemporaryDirectory() as folder:
			certificates(folder)
			for source, target in (("ca.pem", "/etc/ssl/certs/siem-ca.pem"),
					("client.pem", "/etc/ssl/certs/this-host.pem"),
					("client.key", "/etc/ssl/private/this-host.key"),
					*((f"{name}.{kind}", f"/var/tmp/siem/{name}.{kind}")
						for name in ("server", "other") for kind in ("pem", "key"))):
				cls.box.push(Path(folder, source), target)
		cls.box.push(HERE / "receive.conf", "/var/tmp/siem/receive.conf")
		cls.box.run("echo 127.0.0.1 siem.example.org >>/etc/hosts; "
			"mkdir -p /var/log/audit; : >/var/log/audit/audit.log; "
			"useradd -m -s /bin/bash breakglass")
		for file in (CONTRIB / "rsyslog").iterdir():
			cls.box.push(file, f"/etc/rsyslog.d/{file.name}")
		cls.receiver_start()
		cls.box.run("systemctl restart rsyslog")

	@classmethod
	def receiver_start(cls, name="server"):
		cls.box.run(f"cd /var/tmp/siem && sed 's,siem/server,siem/{name},' receive.conf >now.conf && "
			"systemd-run -q --unit=receiver rsyslogd -n -f /var/tmp/siem/now.conf "
			"-i /var/tmp/siem/pid")
		wait_until("the log host", lambda: cls.box.run(
			"ss -Htln 'sport = 6514 or sport = 6515'", check=False).out.count(":65") >= 2)

	def taken(self, kind):
		"""What the log host has, in order."""
		text = self.box.run(f"cat /var/tmp/siem/{kind}", check=False).out
		return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

	def wait_for(self, kind, words, timeout=30):
		"""The first record that has these words."""
		return wait_until(f"{words} in {kind}", lambda: next(
			(row for row in self.taken(kind) if words in row["raw"]), None), timeout)

	def log(self, text, program="pam_breakglass", priority="authpriv.alert"):
		self.box.run(["logger", "-p", priority, "-t", program, "--", text])

	def test_configuration_is_read_and_a_broken_one_is_noticed(self):
		check = "rsyslogd -N1 -f /etc/rsyslog.conf"
		self.assertEqual(self.box.run(check).rc, 0)
		file = "/etc/rsyslog.d/60-breakglass.conf"
		whole = self.box.read(file)
		for old, new in (("TCP_Framing", "TCP_Framng"), ("call breakglass_session", "call nowhere"),
				("breakglass-read.inc", "breakglass-none.inc"), ("else if", "elsif"),
				("ltrim(", "lefttrim(")):
			self.assertIn(old, whole)
			self.box.write(file, whole.replace(old, new))
			result = self.box.run(check, check=False)
			self.assertRegex(result.out + result.err, "rror", new)
		self.box.write(file, whole)

	def test_every_record_arrives_in_both_formats_with_its_fields(self):
		rows = list(samples())
		lines = "".join(f"<{80 + severity}>{text}\n" for _, severity, text in rows)
		self.box.write("/var/tmp/rows", lines)
		self.box.run("logger -t pam_breakglass --prio-prefix -f /var/tmp/rows")
		for kind in ("rfc5424", "cef"):
			wait_until(f"{len(rows)} records as {kind}", lambda kind=kind:
				sum("db1.example" in row["raw"] for row in self.taken(kind)) >= len(rows), 60)
		self.check_rfc5424(rows, [r for r in self.taken("rfc5424") if "db1.example" in r["raw"]])
		self.check_cef(rows, [r for r in self.taken("cef") if "db1.example" in r["raw"]])

	def check_rfc5424(self, rows, taken):
		self.assertEqual(len(taken), len(rows))
		for (name, severity, text), row in zip(rows, taken):
			self.assertEqual((row["version"], row["pri"], row["host"], row["app"], row["msgid"],
				row["msg"].lstrip()), ("1", str(80 + severity), "db1", "pam_breakglass", name, text))
			self.assertEqual(sd_of(row["sd"]), {"event": name, **fields_of(text)})

	def test_cef_is_the_commands(self):
		"""`bg-unlock log show --format cef` and rsyslog must not tell a SIEM different things."""
		source = (SOURCE / "bg-unlock/log_export.c").read_text(encoding="utf-8")
		rows = dict(re.findall(r'\{ "(\w+)", "(\w+)", (?:NULL|"\w+") \}', source))
		for field, key in CEF_KEYS.items():
			if field != "hash":
				self.assertEqual(rows[field], key)
		self.assertIn('"fileHash="', source)
		self.assertIn("CEF:0|pam_breakglass|pam_breakglass|", source)
		levels = re.search(r"levels\[\] = \{ ([0-9, ]+) \}", source)[1].split(", ")
		self.assertEqual([levels[0], levels[1], levels[5]], ["10", "9", "3"])

	def check_cef(self, rows, taken):
		catalog = json.loads((CONTRIB / "rsyslog/breakglass-events.json").read_text("utf-8"))
		named = {row["index"]: row["value"].split("|") for row in catalog["table"]}
		self.assertEqual(len(taken), len(rows))
		for (name, _, text), row in zip(rows, taken):
			header, extension = cef_of(row["raw"])
			self.assertEqual(header[:3] + header[3:5],
				["pam_breakglass", "pam_breakglass", "1", name, named[name][0]])
			self.assertEqual(header[5], named[name][1])
			self.assertIn(header[5], ("10", "9", "3"))
			for field, value in fields_of(text).items():
				self.assertEqual(extension[CEF_KEYS[field]], value, (field, row["raw"]))
			self.assertRegex(extension["rt"], r"^\d{13}$")

	def test_words_in_a_value_are_no_field(self):
		self.log('ATTEMPT host=forged account=breakglass origin="x holder=me" result="a \\" reason=b"')
		sd = sd_of(self.wait_for("rfc5424", "host=forged")["sd"])
		self.assertEqual(sd, {"event": "ATTEMPT", "host": "forged", "account": "breakglass",
			"origin": "x holder=me", "result": 'a " reason=b'})
		_, extension = cef_of(self.wait_for("cef", "dvchost=forged")["raw"])
		self.assertNotIn("suser", extension)
		self.assertNotIn("reason", extension)

	def test_sudo_and_audit_records_of_the_account_follow_as_they_happen(self):
		self.log("alice : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/other", "sudo")
		self.log("breakglassx : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/other", "sudo")
		self.log("breakglass : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/a b=c", "sudo")
		row = self.wait_for("rfc5424", "COMMAND=/bin/a")
		self.assertEqual((row["app"], row["msgid"], row["sd"]), ("sudo", "SESSION", "-"))
		header, extension = cef_of(self.wait_for("cef", "/bin/a b")["raw"])
		self.assertEqual(header[1:4:2], ["session", "sudo"])
		self.assertTrue(extension["msg"].endswith("COMMAND=/bin/a b=c"), extension)
		audit = (
			'type=SYSCALL msg=audit(1795227220.1:41): syscall=59 auid=1000 key=(null)',
			'type=EXECVE msg=audit(1795227220.1:41): argc=1 a0="others"',
			'type=SYSCALL msg=audit(1795227221.2:42): syscall=59 auid=1001 key="breakglass-breakglass"',
			'type=EXECVE msg=audit(1795227221.2:42): argc=2 a0="systemctl" a1="restart"',
			'type=SYSCALL msg=audit(1795227222.3:43): syscall=59 auid=1000 key=(null)')
		self.box.run("cat >>/var/log/audit/audit.log", input="\n".join(audit) + "\n")
		self.wait_for("rfc5424", 'a0="systemctl"')
		self.wait_for("cef", 'a0\\="systemctl"')
		raw = " ".join(row["raw"] for row in self.taken("rfc5424"))
		self.assertIn('key="breakglass-breakglass"', raw)
		for others in ("/bin/other", "others", ":43)"):
			self.assertNotIn(others, raw)

	def test_outage_delays_nobody(self):
		"""Syslog over TCP has no acknowledgement: what is under way as the line breaks is lost
		(contrib/README.md says so), here one record. Everything after it arrives."""
		self.box.run("systemctl stop receiver")
		self.log("ATTEMPT host=underway account=breakglass")
		for i in range(20):
			self.log(f"SESSION_OPENED host=outage{i} account=breakglass")
		self.receiver_start("other")  # a log host with another's name in its certificate
		self.box.run("systemctl restart rsyslog")
		wait_until("the refusal", lambda: "peer" in self.box.run(
			"journalctl -b -u rsyslog -o cat --no-pager", check=False).out, 30)
		self.assertFalse([row for row in self.taken("rfc5424") if "outage" in row["raw"]])
		self.box.run("systemctl stop receiver")
		self.receiver_start()
		for i in range(20):
			self.wait_for("rfc5424", f"host=outage{i} ", 90)
			self.wait_for("cef", f"dvchost=outage{i} ", 90)

	def test_audit_rules(self):
		rules = (CONTRIB / "audit/breakglass.rules").read_text(encoding="utf-8")
		self.box.write("/etc/audit/rules.d/60-breakglass.rules", rules)
		self.assertIn("should be updated", self.box.run("augenrules --check").out)
		self.box.run("augenrules")
		self.assertIn("No change", self.box.run("augenrules --check").out)
		made = self.box.read("/etc/audit/audit.rules")
		rules = [line for line in rules.splitlines() if line and not line.startswith("#")]
		for rule in rules:
			self.assertIn("\n" + rule + "\n", made)
			self.assertIn("-F auid=1001 ", rule)
			self.assertEqual(self.refusal(rule), "", rule)
		for old, new in (("execve,", "exec_ve,"), ("auid=1001", "auid=nobody-here"),
				("arch=b64", "arch=b65"), ("always,exit", "always,leave"), ("-F key", "-F kee")):
			self.assertNotEqual(self.refusal(rules[0].replace(old, new)), "", new)

	def test_audit_rules_are_those_of_install(self):
		"""Configuration management's file and the one that install places must not differ."""
		placed = (SOURCE / "data/audit.rules").read_text(encoding="utf-8")
		placed = placed.replace("@UID@", "1001").replace("@ACCOUNT@", "breakglass")
		ours = (CONTRIB / "audit/breakglass.rules").read_text(encoding="utf-8")
		self.assertEqual(placed.split("\n\n", 1)[1], ours.split("\n\n", 1)[1])

	def refusal(self, rule):
		"""What auditctl has against a rule. In a container the kernel takes none: a rule that was
		understood ends there, at sending."""
		result = self.box.run(["auditctl", *rule.split()], check=False)
		text = result.out + result.err
		return "" if re.fullmatch(
			r"(Error sending (status|add rule data) request "
			r"\((Operation not permitted|Connection refused)\)\n?)+",
			text) else text or f"status {result.rc}"

	def test_catalog_says_what_to_do(self):
		catalog = SOURCE / "data/breakglass.catalog"
		self.box.push(catalog, "/usr/lib/systemd/catalog/breakglass.catalog")
		self.box.run("journalctl --update-catalog")
		entries = re.findall(r"^-- ([0-9a-f]{32})\nSubject: (.*)$", catalog.read_text("utf-8"), re.M)
		for number, subject in entries:
			shown = self.box.run(["journalctl", "--catalog", f"--dump-catalog", number]).out
			self.assertIn(f"Subject: {subject}", shown)
			self.assertIn("What to do: ", shown)
		number, subject = next(row for row in entries if row[1].endswith(" GRANTED"))
		self.box.run("logger --journald", input=f"MESSAGE_ID={number}\nMESSAGE=GRANTED host=db1\n"
			"BREAKGLASS_HOST=db1\nBREAKGLASS_ACCOUNT=breakglass\nPRIORITY=1\n")
		text = wait_until("the entry", lambda: self.box.run(
			f"journalctl -x --no-pager MESSAGE_ID={number}", check=False).out)
		self.assertIn("Host db1, account breakglass.", text)
		self.assertIn("What to do: Somebody comes in now.", text)


if __name__ == "__main__":
	unittest.main()
