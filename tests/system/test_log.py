#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""log verify on a booted Debian 12: a tail that was cut off, with the head in /run rewritten to fit, is
known to the real journal and to rsyslog; what anybody writes to syslog is a doubt, and the journal knows
who it was; a head that goes while the host runs is a finding."""
import re
import unittest

from boxlib import wait_until
from test_install import SEAL, InstallCase

VAR, RUN = "/var/lib/breakglass/log", "/run/breakglass/log"
# the last line of the chain away, and a head as if it had never been
CUT = f"""
set -e
systemctl stop breakglass-carry.path breakglass-carry.service
f=$(ls {VAR}/segment-* | tail -1)
sed -i '$d' $f
hash=$(tail -n 1 $f | tr -d '\\n' | sha256sum | cut -d' ' -f1)
seq=$(tail -n 1 $f | sed 's/.*"seq":\\([0-9]*\\),.*/\\1/')
echo "$seq $hash" >{RUN}/head
"""


CARRIERS = "breakglass-carry.path breakglass-carry.timer breakglass-carry.service"
FORGED = f"chain=9999:{'ab' * 32}"


class LogCase(InstallCase):
	@classmethod
	def prepare(cls):
		super().prepare()
		cls.box.run(f"bg-unlock install {SEAL} --label db1 --fingerprint $(sha256sum {SEAL} | cut -d' ' -f1)")

	def verify(self, options=""):
		done = self.box.run(f"bg-unlock log verify {options}", check=False)
		return done.rc, done.out + done.err

	def attempt(self):
		child = self.box.ssh_door()
		child.sees("PIN of your")
		child.hang_up()

	def carried(self):
		wait_until("the carrier", lambda: self.box.run(f"test -s {RUN}/pending", check=False).rc)


class LogTest(LogCase):
	box_name = "log"

	def test_line_of_anybody_in_syslog_is_a_doubt_and_the_journal_knows_who(self):
		self.attempt()
		self.carried()
		before = self.box.run("cat /var/log/auth.log").out
		self.addCleanup(self.box.run, f"grep -v {FORGED} /var/log/syslog >/root/s; cat /root/s >/var/log/syslog")
		self.addCleanup(self.box.run, "cat >/var/log/auth.log", input=before)
		self.box.run("runuser -u alice -- logger -p authpriv.notice -t pam_breakglass "
			f"'GRANTED host=db1 account=breakglass {FORGED}'")
		self.box.wait_syslog(FORGED)
		self.assertEqual(self.verify("--journal")[0], 0, "the journal does not believe it")
		status, said = self.verify()
		self.assertEqual(status, 1, said)
		self.assertIn("record 9999, known there, not in the log", said)
		self.assertIn("DOUBTFUL: ", said)
		self.assertNotIn("DAMAGED", said)
		command = re.search(r"journalctl -o verbose -g '[^']+'", said)[0]
		shown = self.box.run(command).out
		self.assertIn(f"_UID={self.box.run('id -u alice').out.strip()}\n", shown)
		self.assertNotIn("_UID=0\n", shown)
		self.assertNotIn("_TRANSPORT=journal\n", shown)
		# one of ours, asked for the same way
		shown = self.box.run(command.replace("9999", "1")).out
		self.assertIn("_UID=0\n", shown)
		self.assertIn("_TRANSPORT=journal\n", shown)

	def test_missing_tail_is_known_to_journal_and_syslog(self):
		for _ in range(2):
			self.attempt()
		self.carried()
		last = self.box.run("bg-unlock log verify --json").out.split('"seq":')[-1].split(",")[0]
		self.box.wait_syslog(f" chain={last}:")
		status, said = self.verify()
		self.assertEqual(status, 0, said)
		self.assertIn("heads known elsewhere", said)
		# each record is in both: as many heads as records
		for options in ("--journal", "--syslog /var/log/auth.log"):
			self.assertIn(f"Compared with {last} heads", self.verify(options)[1])
		self.box.run(CUT)
		self.assertEqual(self.verify("--syslog /dev/null")[0], 0, "the host's own files agree")
		for options, who in (("", "the journal"), ("--journal", "the journal"),
				("--syslog /var/log/auth.log", "/var/log/auth.log")):
			status, said = self.verify(options)
			self.assertEqual(status, 1, said)
			self.assertIn(f"{who}: record {last}, known there, not in the log", said)


class LostTest(LogCase):
	box_name = "lost"

	def lose(self):
		self.box.run(f"systemctl stop {CARRIERS}")
		self.addCleanup(self.box.run, "systemctl start breakglass-carry.path breakglass-carry.timer")
		self.box.run("rm -rf /run/breakglass")

	def test_1_all_was_carried(self):
		self.attempt()
		self.carried()
		self.lose()
		status, said = self.verify()
		self.assertEqual(status, 1, said)
		self.assertIn("is the last one here: the head in /run was removed", said)
		self.assertIn("DOUBTFUL", said)
		# who goes on from what was carried goes on with all of it
		self.box.run("systemd-tmpfiles --create breakglass.conf; systemctl start breakglass-carry.service")
		status, said = self.verify()
		self.assertEqual(status, 0, said)

	def test_2_a_record_comes_first(self):
		self.lose()
		self.attempt()
		status, said = self.verify()
		self.assertEqual(status, 1, said)
		self.assertIn("record 1 begins anew in the middle of a boot: the head in /run was removed", said)
		self.assertIn("DOUBTFUL", said)

	def test_3_what_was_not_carried_is_known_to_the_journal(self):
		self.box.run(f"systemctl stop {CARRIERS}")
		self.attempt()
		last = self.box.run(f"cut -d' ' -f1 {RUN}/head").out.strip()
		self.lose()
		status, said = self.verify()
		self.assertEqual(status, 1, said)
		self.assertRegex(said, rf"the journal: records? (\d+ to )?{last}, known ")
		self.assertIn("DAMAGED", said)


del InstallCase, LogCase

if __name__ == "__main__":
	unittest.main()
