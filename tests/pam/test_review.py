#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""After a real login: what check says is owed, until the review and the reseal; the log's own records
are what decides."""
import datetime
import hashlib
import json
import subprocess
import unittest
from pathlib import Path

import pamlib

PENDING = Path("/run/breakglass/log/pending")
HEAD = Path("/run/breakglass/log/head")


def rewrite(change):
	"""The chain anew, each record after change(record)."""
	prev, lines = "0" * 64, []
	for line in PENDING.read_text().splitlines():
		record = json.loads(line)
		change(record)
		record["prev"] = prev
		lines.append(json.dumps(record, separators=(",", ":"), ensure_ascii=False))
		prev = hashlib.sha256(lines[-1].encode()).hexdigest()
	PENDING.write_text("".join(line + "\n" for line in lines))
	HEAD.write_text(f"{len(lines)} {prev}\n")


def days_ago(days):
	then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
	return then.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class ReviewTest(pamlib.StageCase):
	def setUp(self):
		super().setUp()
		self.listen()

	def findings(self):
		"""[(level, text)] of the row that is tested here."""
		done = subprocess.run([pamlib.COMMAND, "check", "--json"], capture_output=True, text=True,
			check=False)
		return [(f["level"], f["text"]) for f in json.loads(done.stdout)["findings"]
			if f["name"] == "breakglass/reviews"]

	def begin(self, *names):
		login = self.stage.login()
		self.addCleanup(login.kill)
		self.stage.to_share(login)
		for i, name in enumerate(names):
			login.answer(self.stage.shares[name])
			if i + 1 < len(names):
				login.expect("counted")
		return login

	def use(self):
		self.assertEqual(self.begin("ops", "audit").finish()["open"], pamlib.PAM_SUCCESS)

	def review(self, by="Audit Reviewer"):
		request = [e for e in self.stage.events() if e["event"] == "GRANTED"][-1]["request"]
		return subprocess.run([pamlib.COMMAND, "review", request, "--class", "drill", "--by", by,
			"--cause", "a test", "--finding", "all well"], capture_output=True, text=True, check=False)

	def test_nothing_was_used(self):
		self.assertEqual(self.findings(), [("OK", "every use is reviewed")])

	def test_a_use_owes_a_review_at_once_and_k_exposed_shares_a_reseal(self):
		self.use()
		(level, text), (level_of_shares, shares) = self.findings()
		self.assertEqual(level, "WARNING")
		self.assertRegex(text, r"^1 use without a review: [0-9A-Z]{4}$")
		self.assertEqual(level_of_shares, "CRITICAL")
		self.assertEqual(shares, "machines have seen 2 shares of epoch 1, 2 open it: ops, audit")
		self.assertEqual(self.review(by="ONCALL A").returncode, 1)
		done = self.review()
		self.assertEqual(done.returncode, 0, done.stderr)
		self.assertIn("A reseal is due", done.stdout)
		self.assertIn("REVIEWED", self.journal.events())
		(level, text), (level_of_shares, shares) = self.findings()
		self.assertEqual((level, text), ("OK", "every use is reviewed"))
		self.assertEqual(level_of_shares, "CRITICAL")
		# a newer epoch in force: those shares open nothing any more
		rewrite(lambda record: record.update(epoch=7))
		self.assertEqual(self.findings(), [("OK", "every use is reviewed")])

	def test_one_exposed_share_is_a_warning_also_without_a_use(self):
		login = self.begin("dba")
		login.expect("dba counted")
		login.kill()
		(level, text), (level_of_shares, shares) = self.findings()
		self.assertEqual((level, text), ("OK", "every use is reviewed"))
		self.assertEqual((level_of_shares, shares), ("WARNING",
			"machines have seen 1 share of epoch 1, 2 open it: dba"))

	def test_a_drill_owes_no_review_but_its_shares_were_seen(self):
		self.use()
		rewrite(lambda record: record.update(result="drill: " + record["result"]))
		(level, text), (level_of_shares, shares) = self.findings()
		self.assertEqual((level, text), ("OK", "every use is reviewed"))
		self.assertIn("seen 2 shares of epoch 1, 2 open it: ops, audit", shares)
		PENDING.write_text("".join(line + "\n" for line in PENDING.read_text().splitlines()
			if '"GRANTED"' not in line))
		rewrite(lambda record: None)
		self.assertIn("open it: ops, audit", self.findings()[-1][1])

	def test_a_review_is_overdue_after_seven_days(self):
		self.use()
		for days, level in ((6, "WARNING"), (8, "CRITICAL")):
			rewrite(lambda record, time=days_ago(days): record.update(time=time))
			self.assertEqual(self.findings()[0][0], level, days)

	def test_a_damaged_log_may_owe_more(self):
		self.use()
		lines = PENDING.read_text().splitlines()
		PENDING.write_text("".join(line + "\n" for line in lines if '"GRANTED"' not in line))
		self.assertEqual(self.findings()[0], ("CRITICAL", "the log is damaged: more may be owed than it says"))


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
