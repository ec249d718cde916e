#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What keeps the commands of a session: that it does, and that nothing of it, broken in any way,
keeps anybody out or stops a session from being ended."""
import io
import re
import tarfile
import time
import unittest

from boxlib import unpacked, wait_until
from doorlib import ACCOUNT, DoorCase, packages

RULES = f"/etc/audit/rules.d/60-breakglass-{ACCOUNT}.rules"
PROFILE = f"/etc/profile.d/breakglass-{ACCOUNT}.sh"
INSTALL = "bg-unlock install /root/breakglass.seal --record "
TLOG = "/usr/bin/tlog-rec"

# auditctl over a file instead of the kernel, which takes no rules from a container; says what the
# real one says (3.0.9)
AUDITCTL = """#!/bin/bash
rules=/run/audit-rules
touch $rules
case $1 in
-l) [ -s $rules ] && sed 's/-F auid=[0-9]* \\(.*\\) -F key/\\1 -F auid=1 -F key/' $rules || echo 'No rules' ;;
-s) cat /run/audit-status ;;
-D) sed -i "/key=$3\\$/d" $rules; echo 'No rules' ;;
-R) [ -e /run/audit-immutable ] && { echo 'The audit system is in immutable mode, no rule changes allowed'; exit 1; }
	while read -r line; do
		case $line in -a*) ;; *) continue ;; esac
		grep -qxF -e "$line" $rules && { echo 'Error sending add rule data request (Rule exists)'; exit 1; }
		echo "$line" >>$rules
	done <$2 ;;
esac
"""
STATUS = "enabled {enabled}\nfailure {failure}\npid {pid}\nrate_limit 0\nbacklog_limit 8192\nlost 0\n"


def put_tlog(box):
	"""As its package does."""
	folder = unpacked("tlog", "libtlog0", "libcurl3-gnutls")
	for name in ("usr/bin/tlog-rec", "usr/bin/tlog-play", "etc/tlog", "usr/share/tlog"):
		box.push(folder / name, "/" + name)
	for library in (folder / "usr/lib/x86_64-linux-gnu").glob("lib*.so.*"):
		if not library.is_symlink():
			box.push(library, f"/usr/lib/x86_64-linux-gnu/{library.name}")
	box.run("ldconfig")


class Record(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.add_user("alice")
		box.protect(packages())
		put_tlog(box)

	def setUp(self):
		self.box.fresh()

	def rows(self):
		"""What check's row recording says."""
		out = self.box.run("bg-unlock check", check=False).out
		return [line for line in out.splitlines() if f" {ACCOUNT}/recording: " in line]

	def opened(self):
		"""A session; (person, seconds from the last share to the prompt)."""
		self.box.fresh()
		person = self.box.ssh_door()
		self.addCleanup(person.hang_up)
		person.pin()
		person.reason()
		person.share("audit")
		person.share("dba")
		start = time.monotonic()
		person.shell()
		return person, time.monotonic() - start

	# auditd

	def test_audit_rules_are_loaded_once_and_unloaded(self):
		box = self.box
		box.write("/usr/sbin/auditctl", AUDITCTL, 0o755)
		box.run("mkdir -p /etc/audit/rules.d; echo '-a always,exit -S all -F key=site' >/run/audit-rules")
		box.write("/run/audit-status", STATUS.format(enabled=1, failure=1, pid=7))
		self.addCleanup(box.run, f"{INSTALL} none; rm -rf /etc/audit /usr/sbin/auditctl /run/audit-*")
		mark = box.mark()
		box.run(INSTALL + "audit")
		wanted = [line for line in box.read(RULES).splitlines() if line.startswith("-a")]
		self.assertEqual(box.read("/run/audit-rules").splitlines()[1:], wanted)
		self.assertIn("the same seal; commands kept by audit",
			[e["result"] for e in box.events(mark) if e["event"] == "SEAL_INSTALLED"])
		self.assertRegex(self.rows()[0], "^OK .*: auditd keeps commands and changed files")
		self.assertIn("nothing to do", box.run(INSTALL + "audit").out)
		# the kernel lost them: install loads them anew, and says nothing was to be done
		box.run("sed -i 3d /run/audit-rules")
		self.assertRegex(self.rows()[0], r"^WARNING .*: 9 of the 10 rules .* are loaded")
		self.assertIn("nothing to do", box.run(INSTALL + "audit").out)
		self.assertEqual(box.read("/run/audit-rules").splitlines()[1:], wanted)
		for status, says in ((STATUS.format(enabled=0, failure=1, pid=7), "switched off"),
				(STATUS.format(enabled=1, failure=1, pid=0), "auditd does not run"),
				(STATUS.format(enabled=1, failure=2, pid=7), "this host panics"), ("", "does not answer")):
			with self.subTest(says):
				box.write("/run/audit-status", status)
				self.assertRegex("\n".join(self.rows()), f"^WARNING .*{says}")
		box.write("/run/audit-status", STATUS.format(enabled=2, failure=1, pid=7))
		box.run("touch /run/audit-immutable; truncate -s 0 /run/audit-rules")
		self.assertRegex(self.rows()[0], "^WARNING .*0 of the 10 rules")
		self.assertIn("immutable mode", box.run(INSTALL + "audit").err)
		box.run("rm /run/audit-immutable")
		box.run(INSTALL + "none")
		self.assertNotIn("breakglass", box.read("/run/audit-rules"))
		self.assertEqual(box.run(f"test -e {RULES}", check=False).rc, 1)

	def test_audit_rules_that_the_kernel_refuses_stop_nothing(self):
		"""The real auditctl, in a container."""
		box = self.box
		folder = unpacked("auditd", "libauparse0")
		box.push(folder / "sbin/auditctl", "/usr/sbin/auditctl")
		box.push(next((folder / "lib/x86_64-linux-gnu").glob("libauparse.so.0.*")),
			"/usr/lib/x86_64-linux-gnu/libauparse.so.0")
		box.run("mkdir -p /etc/audit/rules.d")
		self.addCleanup(box.run, f"{INSTALL} none; rm -rf /etc/audit /usr/sbin/auditctl")
		done = box.run(INSTALL + "audit")
		self.assertIn("did not take them now", done.err)
		self.assertIn("they load as auditd starts", done.err)
		self.assertIn("key=breakglass-", box.read(RULES))
		self.assertRegex(self.rows()[0], "^WARNING .*audit system does not answer here")
		person, _ = self.opened()
		self.assertIn("status=0", person.runs("sudo id -u"))
		person.leaves_shell()

	# sudo

	def test_sudoers_that_are_really_in_force_are_looked_at(self):
		box = self.box
		box.run(INSTALL + "sudo")
		self.addCleanup(box.run, f"rm -f /etc/sudoers.d/zz; {INSTALL} none")
		self.assertRegex(self.rows()[0], "^OK .*: sudo keeps what commands show")
		box.write("/etc/sudoers.d/zz", "Defaults !log_output\n", 0o440)
		self.assertRegex(self.rows()[0], "^WARNING .*: sudoers as they are in force do not keep")
		box.run("rm /etc/sudoers.d/zz; mkdir -p /var/log/sudo-io; mount -t tmpfs -o size=1m,mode=700 x "
			"/var/log/sudo-io")
		try:
			self.assertRegex(self.rows()[0], "^WARNING .*sudo runs on, but what commands show is not")
		finally:
			box.run("umount /var/log/sudo-io")

	# tlog

	def test_tlog_records_what_is_shown_and_the_session_is_what_it_was(self):
		box = self.box
		box.run(INSTALL + "sudo,tlog")
		self.addCleanup(box.run, INSTALL + "none")
		self.assertTrue(any("OK" in r and "tlog keeps" in r for r in self.rows()), self.rows())
		mark = box.mark()
		person, seconds = self.opened()
		self.assertLess(seconds, 5)
		self.assertIn("is recorded (what is typed is not)", person.screen)
		inner = person.runs("cat /proc/self/sessionid; echo; ps -o comm= -p $PPID; umask; pwd")
		self.assertIn("breakglass-tlog", inner)
		session = re.search(r"(?m)^(\d+)\s*$", inner)[1]
		person.types("read -rs typed; echo shown-$((6*7)); sudo id -u; su -c 'id -un'; "
			r"sudo printf 'page\302\2332J\n\0behind\n' >/dev/null; echo all=$?")
		person.types("hidden-words")
		person.sees("all=0")
		# what journald knew of the sender is too old then, and it is late to ask again
		time.sleep(5.5)
		box.run("j=$(pgrep -x systemd-journal); kill -STOP $j; "
			"setsid -f sh -c 'sleep 1; kill -CONT '$j >/dev/null 2>&1")
		person.leaves_shell()  # one exit ends shell and login
		lines = wait_until("the recording", lambda: [e for e in box.journal(
			SYSLOG_IDENTIFIER="breakglass-tlog", _AUDIT_SESSION=session) if "logout" in e["MESSAGE"]])
		everything = "".join(e["MESSAGE"] for e in box.journal(SYSLOG_IDENTIFIER="breakglass-tlog"))
		self.assertIn("shown-42", everything)
		self.assertNotIn("hidden-words", everything)
		self.assertIn(f'"session":{session}', lines[-1]["MESSAGE"])
		events = [e["event"] for e in box.events(mark)]
		self.assertEqual(events.count("SESSION_ESCALATED"), 3, events)
		wait_until("the session's end", lambda: "SESSION_CLOSED" in [
			e["event"] for e in box.events(mark)])
		# the report has them
		request = [e for e in box.events(mark) if e["event"] == "GRANTED"][-1]["request"]
		box.run(f"rm -f /root/r.tar; bg-unlock log report {request[:12]} -o /root/r.tar")
		with tarfile.open(fileobj=io.BytesIO(box.run("base64 -w0 /root/r.tar | base64 -d",
				input=b"").out)) as tar:
			parts = {m.name.split("/")[-1]: tar.extractfile(m).read().decode() for m in tar if m.isfile()}
		self.assertIn("shown-42", parts["tlog.json"])
		self.assertRegex(parts["sudo-io.txt"], r"\$ /usr/bin/id -u\n0\n")
		# a control character above 0x7f, and one that ends a string
		self.assertIn("\npage?2J\n?behind\n", parts["sudo-io.txt"])
		self.assertIn("COMMAND=/usr/bin/id -u", parts["sudo.txt"])
		self.assertIn("install --record: sudo tlog", parts["recording.txt"])

	def test_nobody_elses_shell_knows_of_it(self):
		self.box.run(INSTALL + "tlog")
		self.addCleanup(self.box.run, INSTALL + "none")
		child = self.box.ssh("alice", key=self.box.key("alice"))
		child.expect(r"\$ ")
		child.sendline("echo \"tlog=${BREAKGLASS_TLOG-no} $(ps -o comm= -p $PPID)\"")
		child.expect("tlog=no sshd")
		child.close()

	def test_broken_tlog_leaves_a_shell_within_seconds(self):
		box = self.box
		box.run(INSTALL + "tlog")
		box.run(f"cp -a {TLOG} /root/tlog-rec; cp -a /etc/tlog/tlog-rec.conf /root/")
		back = (f"rm -f {TLOG}; cp -a /root/tlog-rec {TLOG}; cp -a /root/tlog-rec.conf /etc/tlog/; "
			"umount /tmp /var/log/journal 2>/dev/null; true")
		self.addCleanup(box.run, f"{back}; {INSTALL} none")
		rows = (
			("removed", f"rm {TLOG}", "tlog is not installed"),
			("hangs", f"printf '#!/bin/sh\\nsleep 600\\n' >{TLOG}", "within two seconds"),
			("ends at once", f"printf '#!/bin/sh\\nexit 0\\n' >{TLOG}", "tlog did not start"),
			("crashes", f"printf '#!/bin/sh\\nkill -SEGV $$\\n' >{TLOG}", "tlog did not start"),
			("no program", f"echo x >{TLOG}", "tlog did not start"),
			("configuration", "echo '{' >/etc/tlog/tlog-rec.conf", "tlog did not start"),
			("our part gone", "mv /usr/libexec/breakglass/breakglass-tlog /root/", None),
		)
		for name, breaks, says in rows:
			with self.subTest(name):
				box.run(breaks)
				try:
					person, seconds = self.opened()
					self.assertLess(seconds, 6)
					if says:
						self.assertIn(says, person.screen)
					self.assertIn("status=0", person.runs("test -z \"${BREAKGLASS_TLOG-}\" && sudo true"))
					person.leaves_shell()
				finally:
					box.run(back + "; [ -e /root/breakglass-tlog ] && mv /root/breakglass-tlog "
						"/usr/libexec/breakglass/; true")
		told = [e["MESSAGE"] for e in box.journal(SYSLOG_IDENTIFIER="breakglass-tlog", PRIORITY=4)]
		self.assertEqual(len([m for m in told if "goes on unrecorded" in m]), len(rows) - 1, told)

	def test_tlog_killed_in_a_session_leaves_the_shell(self):
		self.box.run(INSTALL + "tlog")
		self.addCleanup(self.box.run, INSTALL + "none")
		person, _ = self.opened()
		self.box.run("pkill -KILL tlog-rec")
		person.sees("Not recorded by tlog from here: tlog ended before the shell did")
		person.sees(r"\$ $")
		self.assertIn("status=0", person.runs("sudo true"))
		self.assertIn(" echo ", person.runs("stty -a"))
		person.leaves_shell()

	def test_full_disks_and_a_journal_that_hangs_do_not_hold_a_session(self):
		box = self.box
		box.run(INSTALL + "tlog")
		self.addCleanup(box.run, "systemctl kill -s CONT systemd-journald; umount /tmp /var/log; "
			f"{INSTALL} none", check=False)
		box.run("for d in /tmp /var/log; do mount -t tmpfs -o size=64k x $d; "
			"head -c 1M /dev/zero >$d/fill; done", check=False)
		person, _ = self.opened()
		self.assertIn("status=0", person.runs("test -n \"$BREAKGLASS_TLOG\" && sudo true"))
		box.run("systemctl kill -s STOP systemd-journald")
		# more than the journal's socket and all pipes take
		out = person.runs("seq 300000 | tail -c 900000; sleep 15; seq 300000 | tail -c 900000; echo d''one", timeout=60)
		self.assertIn("done", out)
		self.assertIn("status=0", person.runs("true"))
		box.run("systemctl kill -s CONT systemd-journald")
		person.leaves_shell()
		box.run("umount /var/log")  # what the journal keeps is below it
		wait_until("the count of what was lost", lambda: [e for e in box.journal(
			SYSLOG_IDENTIFIER="breakglass-tlog", PRIORITY=4) if "were not taken" in e["MESSAGE"]])

	def test_revoked_session_ends_with_all_that_tlog_started(self):
		box = self.box
		box.run(INSTALL + "tlog")
		self.addCleanup(box.run, INSTALL + "none")
		person, _ = self.opened()
		person.types("trap '' HUP TERM; sleep 600 & echo st''arted")
		person.sees("started")
		box.run("bg-unlock revoke")
		wait_until("the end of all of it", lambda: box.run(
			"pgrep -f 'tlog|sleep 600'", check=False).rc != 0, 30)


if __name__ == "__main__":
	unittest.main()
