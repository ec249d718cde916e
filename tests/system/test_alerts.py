#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Alerts go out: mail, webhook and SMS to real receivers in the box; through outages, crashes,
hangs, refusals, a full disk and reboots; nothing lost, nothing twice, in order."""
import base64
import json
import re
import unittest

from alertlib import HANDLERS, SHIPPED, arrange, received
from boxlib import wait_until
from doorlib import DoorCase, packages

SPOOL = "/var/lib/breakglass/spool"
# Keeps each alert's id, in order, once more than it takes.
KEEPER = """#!/bin/sh
umask 022
sed -n 's/^{"schema":1,"id":\\([0-9]*\\),.*/\\1/p' >>/var/tmp/kept/%s
%s
"""


class Alerts(DoorCase):
	@classmethod
	def prepare(cls):
		cls.box.protect(packages())
		cls.box.run("install -d -m 1777 /var/tmp/kept")
		arrange(cls.box)

	def setUp(self):
		self.settle()  # or a handler's place in the queue would be kept after it went
		self.box.run(f"rm -rf {HANDLERS}/* {SPOOL}/handlers/* {SPOOL}/new/* {SPOOL}/deferred/* "
			"/var/tmp/kept/* /run/received/refuse; mkdir -p /run/received/http /run/received/mail; "
			"rm -f /run/received/*/* /etc/systemd/system/breakglass-alert.service.d/test.conf; "
			"systemctl daemon-reload")
		self.settle()

	def settle(self):
		"""Nothing is being carried or delivered."""
		wait_until("quiet services", lambda: self.box.run(
			"systemctl is-active breakglass-carry breakglass-alert", check=False).out.split()
			in (["inactive", "inactive"], ["failed", "inactive"]), 60)

	def handler(self, name, text):
		self.box.write(f"{HANDLERS}/{name}", text, 0o755)

	def keeper(self, name, end="exit 0"):
		self.handler(name, KEEPER % (name, end))

	def kept(self, name):
		return [int(li) for li in self.box.run(f"cat /var/tmp/kept/{name}", check=False).out.split()]

	def alert(self, count=1):
		"""So many alerts: bypasses that are blocked."""
		self.box.run(f"for i in $(seq {count}); do runuser -u breakglass -- true; done", check=False,
			timeout=120)

	def received(self, kind):
		return received(self.box, kind)

	def waiting(self):
		return self.box.run(f"ls {SPOOL}/new {SPOOL}/deferred | grep -c json", check=False).out.strip()

	def test_mail_webhook_and_sms(self):
		self.box.run(f"cp {SHIPPED}/mail {SHIPPED}/webhook {SHIPPED}/sms {HANDLERS}/")
		mark = self.box.mark()
		self.alert()
		record = self.box.wait_event("BYPASS_BLOCKED", mark)
		wait_until("mail, webhook and two SMS", lambda: sum("BYPASS" in p for p in
			self.received("http")) >= 3 and any("BYPASS" in m for m in self.received("mail")), 20)
		hook = next(p for p in self.received("http") if "/hook" in p and "BYPASS" in p)
		self.assertIn("Authorization: Bearer s3cret", hook)
		told = json.loads(hook.split("\n\n", 1)[1])
		self.assertEqual(told["alert"]["record"], record)
		self.assertEqual(told["text"], told["alert"]["message"])
		self.assertRegex(told["text"][:140], r"^BYPASS_BLOCKED host=db1 account=breakglass ")
		sms = [json.loads(p.split("\n\n", 1)[1]) for p in self.received("http")
			if "/sms" in p and "BYPASS" in p]
		self.assertEqual([m["to"] for m in sms], ["+15550100", "+15550101"])
		self.assertEqual(sms[0]["body"], told["text"][:140])
		mail = next(m for m in self.received("mail") if "BYPASS_BLOCKED" in m)
		self.assertIn("RCPT TO:<oncall@example.org>", mail)
		self.assertRegex(mail, r"(?m)^Subject: \[breakglass\] BYPASS_BLOCKED host=db1 ")
		body = base64.b64decode(mail.split("\n\n", 2)[2]).decode()
		self.assertIn(told["text"], body)
		self.assertIn(json.dumps(record["prev"]), body)
		for handler in ("mail", "webhook", "sms"):
			delivered = wait_until("ALERT_DELIVERED", lambda h=handler: [e for e in
				self.box.events(mark) if e["event"] == "ALERT_DELIVERED" and f"by {h}," in e["result"]])
			self.assertLess(int(re.search(r"after (\d+) ms", delivered[0]["result"])[1]), 5000)
		# nobody is alerted of alerts
		self.settle()
		wait_until("an empty spool", lambda: self.waiting() == "0", 30)
		self.assertEqual([m for m in self.received("mail") if "ALERT_" in m.split("Subject:")[1]
			.split("\n")[0]], [])

	def test_check_alerts_says_who_takes_them(self):
		self.allow_kept()
		out = self.box.run("bg-unlock check --alerts", check=False)
		self.assertEqual(out.rc, 2)
		self.assertIn("no alert handler in /etc/breakglass/alert.d", out.err)
		self.assertIn("WARNING alerts: no alert handler", self.box.run("bg-unlock check", check=False).out)
		self.keeper("works")
		self.box.run(f"cp {SHIPPED}/webhook {HANDLERS}/")
		self.handler("broken", "#!/bin/sh\nexit 1\n")
		self.assertIn("WARNING alerts: handler works has not taken an alert yet",
			self.box.run("bg-unlock check", check=False).out)
		# /tmp is not its own while the test's drop-in stands, and so the webhook fails, too
		out = self.box.run("bg-unlock check --alerts", check=False)
		self.assertEqual(out.rc, 2)
		self.assertRegex(out.out, r"works: taken after 0\.\d s\n")
		self.assertIn("broken: NOT taken, it failed", out.out)
		checked = self.box.run("bg-unlock check", check=False).out
		self.assertIn("CRITICAL alerts: handler broken failed 1 time in a row", checked)
		self.assertIn("OK alerts: handler works takes alerts, the last one was", checked)
		self.assertEqual(len(self.kept("works")), 1)

	def test_without_settings(self):
		"""A file that is missing keeps no handler from its alerts that does not need it."""
		self.allow_kept()
		self.keeper("works")
		self.box.run("mv /etc/breakglass/alert.conf /root/")
		try:
			mark = self.box.mark()
			self.box.run(f"cp {SHIPPED}/webhook {HANDLERS}/")
			self.alert()
			wait_until("the handler", lambda: self.kept("works"), 20)
			wait_until("the other one", lambda: [e for e in self.box.events(mark)
				if e["event"] == "ALERT_FAILED" and "by webhook," in e["result"]], 20)
			self.assertNotIn("Invalid syntax", self.box.run(
				"journalctl -q --no-pager _PID=1").out)
		finally:
			self.box.run("mv /root/alert.conf /etc/breakglass/")

	def test_secrets_stay_with_the_service(self):
		self.box.run(f"cp {SHIPPED}/webhook {HANDLERS}/")
		self.handler("spy", "#!/bin/sh\ncat >/dev/null\n{ id -un; env; cat /etc/breakglass/alert.conf; "
			"cat /etc/shadow; touch /etc/x; } >/var/tmp/kept/spy 2>&1\n"
			"cat \"$CREDENTIALS_DIRECTORY/alert.conf\" >/dev/null && echo readable >>/var/tmp/kept/spy\n")
		self.allow_kept()
		self.alert()
		out = wait_until("the handler", lambda: (lambda t: t if "readable" in t else None)(
			self.box.run("cat /var/tmp/kept/spy", check=False).out))
		self.assertTrue(out.startswith("_breakglass-alert\n"), out)
		self.assertEqual(out.count("Permission denied") + out.count("Read-only"), 3, out)
		names = set(re.findall(r"(?m)^([A-Z_]+)=", out))
		self.assertLessEqual(names, {"PATH", "LANG", "CREDENTIALS_DIRECTORY", "PWD", "OLDPWD", "SHLVL",
			"_"})
		self.assertNotIn("s3cret", out)

	def test_an_outage_of_a_hundred_and_a_reboot(self):
		self.allow_kept()
		self.keeper("always")
		self.keeper("later", "[ -e /var/tmp/kept/up ]")
		mark = self.box.mark()
		self.alert(60)
		wait_until("the handler that works", lambda: len(self.kept("always")) >= 60, 120)
		self.box.reboot()
		self.alert(40)
		wait_until("the handler that works", lambda: len(self.kept("always")) >= 100, 120)
		self.settle()
		always = self.kept("always")
		self.assertEqual(always, sorted(set(always)))
		self.assertEqual(self.waiting(), str(len(always)))
		failed = [e["result"] for e in self.box.events(mark) if e["event"] == "ALERT_FAILED"]
		self.assertTrue(failed and all("by later, failure" in r for r in failed), failed)
		self.box.run("touch /var/tmp/kept/up; rm /var/tmp/kept/later")
		self.box.reboot()
		wait_until("all of them", lambda: len(self.kept("later")) >= len(always), 120)
		wait_until("an empty spool", lambda: self.waiting() == "0", 30)
		self.assertEqual(self.kept("later"), always)
		self.assertEqual(self.kept("always"), always)

	def allow_kept(self):
		self.box.run("mkdir -p /etc/systemd/system/breakglass-alert.service.d")
		self.box.write("/etc/systemd/system/breakglass-alert.service.d/test.conf",
			"[Service]\nPrivateTmp=no\nReadWritePaths=/var/tmp/kept\n")
		self.box.run("systemctl daemon-reload")

	def test_crash_hang_and_refusal_hold_up_nobody_else(self):
		self.allow_kept()
		self.keeper("crash", "kill -9 $$")
		self.keeper("hang", "trap '' TERM; sleep 300 & wait")
		self.keeper("no", "exit 75")
		self.keeper("works")
		mark = self.box.mark()
		self.alert(3)
		wait_until("the one that works", lambda: len(self.kept("works")) == 3, 20)
		told = wait_until("the refusal", lambda: [e["result"] for e in self.box.events(mark)
			if e["event"] == "ALERT_DELIVERED" and "by no," in e["result"]], 20)
		self.assertIn("not authorised", told[0])
		# one that hangs is stopped after half a minute, with what it started
		wait_until("the hanging one's end", lambda: [e for e in self.box.events(mark)
			if e["event"] == "ALERT_FAILED" and "by hang," in e["result"]], 60)
		self.settle()
		self.assertEqual(self.box.run("pgrep -u _breakglass-alert -c .", check=False).out.strip(), "0")
		self.assertEqual(self.kept("crash"), self.kept("hang"))
		self.assertEqual(len(self.kept("crash")), 1)
		# a new one meanwhile reaches the others at once
		self.alert()
		wait_until("the fourth", lambda: len(self.kept("works")) == 4, 20)

	def test_a_handler_that_others_could_write_is_not_run(self):
		self.allow_kept()
		self.keeper("works")
		self.keeper("loose")
		self.keeper("notes.txt")
		self.box.run(f"chmod 777 {HANDLERS}/loose; chmod 644 {HANDLERS}/notes.txt; "
			f"cp {HANDLERS}/works {HANDLERS}/theirs; chown nobody {HANDLERS}/theirs")
		self.alert()
		wait_until("the safe one", lambda: self.kept("works"), 20)
		self.settle()
		for name in ("loose", "notes.txt", "theirs"):
			self.assertEqual(self.kept(name), [])
		self.assertIn("others than root may write it", self.box.run(
			"journalctl -q --no-pager -u breakglass-alert").out)

	def test_a_damaged_alert_holds_up_nothing(self):
		"""That there was one is told, and those behind it come."""
		self.allow_kept()
		self.handler("texts", "#!/bin/sh\numask 022\n[ -e /var/tmp/kept/up ] || exit 1\n"
			"cat >>/var/tmp/kept/texts\n")
		self.alert(2)
		waiting = wait_until("two alerts", lambda: (lambda names: names if len(names) >= 2 else None)(
			self.box.run(f"ls {SPOOL}/deferred", check=False).out.split()))
		self.settle()
		damaged = int(waiting[0].split(".")[0])
		self.box.run(f"echo garbage >{SPOOL}/deferred/{waiting[0]}; touch /var/tmp/kept/up; "
			f"rm {SPOOL}/handlers/texts; systemctl start breakglass-alert")
		texts = [json.loads(li) for li in self.box.run("cat /var/tmp/kept/texts").out.splitlines()]
		self.assertEqual([t["id"] for t in texts], [int(w.split(".")[0]) for w in waiting])
		self.assertEqual(texts[0]["id"], damaged)
		self.assertIn("text is lost", texts[0]["message"])
		self.assertIn("BYPASS_BLOCKED", texts[1]["message"])

	def test_a_full_disk_delays_and_loses_nothing(self):
		self.allow_kept()
		self.keeper("works")
		self.box.run("cp -a /var/lib/breakglass /var/tmp/breakglass.kept && "
			"mount -t tmpfs -o size=256k,mode=711 tmpfs /var/lib/breakglass && "
			"cp -a /var/tmp/breakglass.kept/. /var/lib/breakglass/ ; "
			"head -c 1M /dev/zero >/var/lib/breakglass/filler; "
			# they watch the folder below
			"systemctl restart breakglass-alert.path breakglass-carry.path", check=False)
		try:
			mark = self.box.mark()
			with self.box.ssh_door() as person:
				person.opens()
				person.leaves_shell()
			self.assertIn("SESSION_OPENED", self.box.event_names(mark))
			self.assertEqual(self.kept("works"), [])
			self.box.run("rm /var/lib/breakglass/filler; systemctl start breakglass-carry")
			wait_until("the alerts of that login", lambda: len(self.kept("works")) >= 6, 20)
			self.settle()
			self.assertEqual(self.kept("works"), sorted(set(self.kept("works"))))
		finally:
			self.box.run("systemctl stop breakglass-carry.path breakglass-alert.path "
				"breakglass-carry.timer breakglass-alert.timer breakglass-carry breakglass-alert; "
				"rm -f /var/lib/breakglass/filler; cp -a /var/lib/breakglass /var/tmp/breakglass.new")
			wait_until("the disk to be free", lambda: self.box.run(
				"umount /var/lib/breakglass", check=False).rc == 0, 30)
			self.box.run("cp -a /var/tmp/breakglass.new/. /var/lib/breakglass/; systemctl start "
				"breakglass-carry.path breakglass-alert.path breakglass-carry.timer breakglass-alert.timer")


if __name__ == "__main__":
	unittest.main()
