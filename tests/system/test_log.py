#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""log verify on a booted Debian 12: a tail that was cut off, with the head in /run rewritten to fit, is
known to the real journal and to rsyslog."""
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


class LogTest(InstallCase):
	box_name = "log"

	def verify(self, options=""):
		done = self.box.run(f"bg-unlock log verify {options}", check=False)
		return done.rc, done.out + done.err

	def test_missing_tail_is_known_to_journal_and_syslog(self):
		self.assertEqual(self.try_install(SEAL).rc, 0)
		for _ in range(2):
			child = self.box.ssh_door()
			child.sees("PIN of your")
			child.hang_up()
		wait_until("the carrier", lambda: self.box.run(f"test -s {RUN}/pending", check=False).rc)
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


del InstallCase

if __name__ == "__main__":
	unittest.main()
