#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every way in, each to a root prompt: how the key is proved, how the quorum is given, which door."""
import unittest

from doorlib import DoorCase, packages
from laptoplib import Laptop
from wayslib import KEY_DOORS, QUORUMS, SERVICE, exposed, goes_in, opened, protect, records_of


class Ways(DoorCase):
	@classmethod
	def prepare(cls):
		protect(cls.box, packages())
		cls.laptop = Laptop(cls.box)

	def test_ways(self):
		for key, doors in KEY_DOORS.items():
			for quorum in QUORUMS:
				for door in doors:
					with self.row(f"key {key}, {quorum}", door):
						self.goes(key, quorum, door)

	def goes(self, key, quorum, door):
		gives = QUORUMS[quorum]
		self.box.fresh()
		mark = self.box.mark()
		with opened(self.box, door, key) as person:
			goes_in(person, key, gives, self.laptop)
			self.assertIn("uid=0(root)", person.runs("sudo id"))
			person.leaves_shell()
		self.well_shown(person)
		expected = records_of(key, gives)
		expected.insert(-1, ("SESSION_ESCALATED", "sudo inside the session$"))
		found = self.records(mark, expected)
		granted = found[-4]
		self.assertEqual({e["service"] for e in found if e["event"] != "SESSION_ESCALATED"},
			{SERVICE[door]})
		self.assertEqual(granted["custodians"], "dba, audit")
		self.assertEqual("reseal is due" in person.seen(),
			bool(exposed(gives, "typed") or exposed(gives, "response")))


if __name__ == "__main__":
	unittest.main()
