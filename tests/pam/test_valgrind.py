#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Right and wrong logins under memcheck: no invalid access, nothing uninitialised, no leak. There are
no suppressions."""
import unittest
from pathlib import Path

import pamlib
from pamlib import PAM_SUCCESS

LOG = Path("/run/memcheck.log")
# The helper's keeper is a copy of this process that ends by _exit(2): it has no heap of its own.
MEMCHECK = ("/usr/bin/valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
	"--errors-for-leak-kinds=definite,indirect,possible", "--child-silent-after-fork=yes",
	"--track-origins=yes", f"--log-file={LOG}")


class MemcheckTest(pamlib.StageCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.stage.stacks(audit=False)

	def check(self, talk, **more):
		self.stage.reset()
		with self.stage.login(under=MEMCHECK, **more) as login:
			talk(login)
			results = login.finish()
		self.assertEqual(LOG.read_text(), "")
		self.assertIn(login.process.returncode, (0, 1))
		return results

	def test_memcheck_a_login(self):
		self.assertEqual(self.check(self.stage.open).get("close"), PAM_SUCCESS)

	def test_memcheck_wrong_answers(self):
		def talk(login):
			login.expect("PIN")
			login.answer("000000")
			self.stage.to_share(login)
			words = self.stage.shares["ops"].split()
			for answer in ("?", "flme", *words[1:3], " ".join(words[:19]), "x" * 600, "\x1b[2J", "",
					" ".join(reversed(words)), self.stage.compact(self.stage.shares["ops"]),
					self.stage.shares["ops"], "new"):
				login.answer(answer)
				login.next()
			login.answer(None)
		self.assertNotEqual(self.check(talk)["auth"], PAM_SUCCESS)

	def test_memcheck_anybody_else(self):
		self.check(lambda login: None, user="plain")

	def test_memcheck_a_broken_seal(self):
		bad = self.stage.folder / "bad"
		self.addCleanup(self.stage.put_in_force, self.stage.seal)
		text = Path(self.stage.seal).read_text()
		for wrong in (text[:-40], text.replace("threshold", "treshold"), text + "x = y\n",
				text.replace("[key a]", "[key A]")):
			bad.write_text(wrong)
			self.stage.put_in_force(bad)
			self.check(lambda login: None)


if __name__ == "__main__":
	pamlib.enter()
	unittest.main()
