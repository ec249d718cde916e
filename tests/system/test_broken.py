#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What people find at 2 a.m.: disks full or read-only, folders gone, logs that nobody takes, a clock that
lies. For each: does the emergency account open, to root, or fail with a line that says what to do; is it
recorded; does everybody else come in; did check say so beforehand."""
import json
import re
import time
import unittest
from collections import namedtuple

import pexpect

from boxlib import wait_until
from doorlib import DoorCase, packages

DOORS = ("own sshd", "login")
RUN, VAR = "/run/breakglass", "/var/lib/breakglass"
FULL = ("cp -a {0} /root/copy; mount -t tmpfs -o size={1},mode={2} tmpfs {0}; cp -a /root/copy/. {0}/; "
	"rm -rf /root/copy; head -c 50M /dev/zero >{0}/fill; head -c 4k /dev/zero >{0}/fill.2")
# What found room in a page that was there (a record, and its number) is kept.
EMPTIED = ("rm -f {0}/fill*; cp -a {0} /root/copy; umount -l {0}; cp -a /root/copy/. {0}/; "
	"rm -rf /root/copy")
DISKS = "/etc /home /opt /root /tmp /usr /var"
# Of as many as there is room for; one is made, and gone, by whoever replaces a file.
INODES = "mount -o remount,nr_inodes=$(($(df --output=iused /run | tail -1) + {})) /run"
NO_INODES = f"{INODES.format(20)}; cd /run; while mktemp fill.XXXXXX; do :; done >/dev/null 2>&1; true"
JOURNALD = " ".join(f"systemd-journald{unit}" for unit in (".socket", "-dev-log.socket",
	"-audit.socket", ".service"))

# `breaks` before anybody comes, or, with `late`, while the second share is wanted. `check`: the row,
# its level and a part of what it says beforehand. `says`: what the person reads where it does not
# open. `records`: where they are looked for: the chain, or where the chain takes none the journal.
Row = namedtuple("Row", "name breaks mends check late says records",
	defaults=(None, False, None, "chain"))
CANNOT_BE_KEPT = (r"The request cannot be kept in /run/breakglass: is /run full \(df, df -i /run\)\?\s+"
	r"Make room as root, or restart the host, which empties it; then log in again\.")
TABLE = (
	Row("/var/lib/breakglass is full", FULL.format(VAR, "600k", "0711"), f"umount -l {VAR}",
		("disk", "WARNING", f"{VAR} has 0 KiB")),
	Row("every disk is read-only", f"for d in {DISKS}; do mount --bind $d $d; "
		"mount -o remount,bind,ro $d; done", f"umount -l {DISKS}",
		("disk", "WARNING", f"{VAR} is on a file system that is read-only")),
	Row("/run/breakglass is full", FULL.format(RUN, "200k", "0700"), EMPTIED.format(RUN),
		("disk", "CRITICAL", f"{RUN} has 0 KiB"), says=CANNOT_BE_KEPT, records="journal"),
	Row("/run fills during the dialogue",
		"head -c 100G /dev/zero >/run/fill; head -c 4k /dev/zero >/run/fill.2", "rm /run/fill*",
		late=True, says=CANNOT_BE_KEPT, records="journal"),
	Row("/run has no inode left", NO_INODES, "rm -f /run/fill.*; mount -o remount,nr_inodes=800k /run",
		("disk", "CRITICAL", " 0 inodes left"), says=CANNOT_BE_KEPT, records="journal"),
	Row("journald is stopped", f"systemctl stop {JOURNALD}", "systemctl start systemd-journald",
		("log", "WARNING", "nobody listens at the journal's socket")),
	Row("syslog is stopped", "systemctl stop syslog.socket rsyslog", "systemctl start rsyslog"),
	Row("no log takes anything", f"systemctl stop syslog.socket rsyslog {JOURNALD}; rm -f /dev/log",
		"systemctl start systemd-journald rsyslog",
		("log", "WARNING", "nobody listens at the journal's socket")),
	Row("sudo has lost its bit", "chmod u-s /usr/bin/sudo", "chmod u+s /usr/bin/sudo",
		("breakglass/root", "WARNING", "/usr/bin/sudo does not run as root")),
	Row("an alert handler hangs", "printf '#!/bin/sh\nsleep 1000\n' >/etc/breakglass/alert.d/hang; "
		"chmod 755 /etc/breakglass/alert.d/hang", "rm /etc/breakglass/alert.d/hang",
		("alerts", "WARNING", "handler hang has not taken an alert yet")),
	# The numbers begin anew: these are the last.
	Row("/run/breakglass is gone", f"rm -rf {RUN}", "true", ("disk", "CRITICAL", f"{RUN} is not there")),
	Row("/run/breakglass goes during the dialogue", f"rm -rf {RUN}", "true", late=True,
		says="The request (is gone from|cannot be kept in) /run/breakglass"),
)


class Broken(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.protect(packages())
		box.add_own_sshd()
		box.add_user("alice", password="correct horse")
		# The key is no part of the host: it is not to stop with a disk.
		box.run("mkdir /srv/key && mount -t tmpfs tmpfs /srv/key && cp -a /var/lib/softkey/a /srv/key/")
		box.softkey_stop("a")
		box.run("rm -rf /run/softkey/a*")
		box.keys.remove("a")
		box.softkey_start("a", pin="123456", state="/srv/key/a")
		box.keys.append("a")

	def setUp(self):
		self.box.run("systemd-tmpfiles --create breakglass.conf; systemctl reset-failed", check=False)
		self.box.fresh()

	def door(self, name):
		return {"own sshd": self.box.own_sshd_door, "login": self.box.console_door}[name]()

	def findings(self):
		done = self.box.run("bg-unlock check --json", check=False, timeout=90)
		return [(f["name"], f["level"], f["text"]) for f in json.loads(done.out)["findings"]]

	def told(self, where, since):
		"""The events since then."""
		if where == "journal":
			return [e["BREAKGLASS_EVENT"] for e in self.box.journal("--since", f"@{since:.3f}")
				if "BREAKGLASS_EVENT" in e]
		text = self.box.run(f"cat {RUN}/log/pending {RUN}/log/carrying {VAR}/log/*", check=False).out
		found = {}
		for line in text.splitlines():
			match = re.match(r'\{"schema":1,"seq":\d+,"prev":"(\w+)","time":"([^"]+)",.*"event":"(\w+)"', line)
			if match and match[2] >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since)):
				found[match[1], match[2]] = match[3]
		return list(found.values())

	def becomes_root(self, person):
		person.shell()
		ways = [person.runs(command) for command in ("sudo -n id -u", "su -c 'id -u' -")]
		self.assertTrue(any("\n0\n" in way for way in ways), ways)
		person.leaves_shell()

	def alice_comes_in(self):
		with self.box.spawn(["ssh", "-o", "BatchMode=yes", "-i", self.box.key("alice"),
				"alice@127.0.0.1", "id -un"]) as child:
			child.expect(r"alice\r\n")

	def uses(self, row, door):
		box, since = self.box, time.time()
		with self.door(door) as person:
			person.pin()
			if not row.says or row.late:
				person.reason()
				person.share("audit")
				person.sees(r"audit counted\. Share 2 of 2 [^\n]*: ")
				if row.late:
					box.run(row.breaks, check=False)
				person.types(box.shares["dba"])
			if not row.says:
				self.becomes_root(person)
			else:
				person.sees(row.says)
				person.sees({"login": "(Login incorrect|Maximum number of tries)"}.get(door,
					"Permission denied"))
				self.assertNotIn("OPEN until", person.screen)
			for line in person.dialogue().split("\n"):
				self.assertLessEqual(len(line), 80, line)
			self.alice_comes_in()
		wanted = {"DENIED"} if row.says else {"GRANTED", "SESSION_OPENED", "SESSION_CLOSED"}
		wait_until(f"{wanted}", lambda: wanted <= set(self.told(row.records, since)), 10)
		self.assertEqual("GRANTED" in self.told(row.records, since), not row.says)

	def test_whatever_is_broken(self):
		for row in TABLE:
			for door in DOORS:
				with self.subTest(row.name, door=door):
					self.setUp()
					is_checked = row.check and door == DOORS[0]
					if is_checked:
						self.assertFalse([f for f in self.findings() if row.check[2] in f[2]])
					try:
						if not row.late:
							self.box.run(row.breaks, check=False)
						if is_checked:
							self.assertTrue([f for f in self.findings()
								if f[:2] == row.check[:2] and row.check[2] in f[2]], self.findings())
						self.uses(row, door)
					finally:
						self.box.run(row.mends)
					if row.breaks != f"rm -rf {RUN}":
						self.numbers_go_on()

	def numbers_go_on(self):
		"""Whatever was recorded meanwhile, no number was given twice."""
		done = self.box.run("bg-unlock log verify", check=False)
		self.assertEqual(done.rc, 0, done)


if __name__ == "__main__":
	unittest.main()
