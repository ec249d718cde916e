#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The line drops at each prompt of each way, and the request goes on at the same door and at another
one: what was given stays, and a challenge seen before the drop is good after it."""
import unittest
from collections import namedtuple

from doorlib import PIN, DoorCase, packages
from laptoplib import Laptop
from test_doors import OPEN, TRIED
from wayslib import (SERVICE, approval, code, give_one, granted, opened, protect, prove, proved,
	recorded, response, typed)

AUDIT, DBA, BOTH = approval("audit"), approval("dba"), response("audit", "dba")
FIRST, NEXT = r"Share 1 of 2 [^\n]*: $", r"Share 2 of 2 [^\n]*: $"
COUNTED = r"Request taken up again: 1 counted\.\s+Share 2 of 2 [^\n]*: $"


class Dropped:
	"""Somebody whose line drops: what was done until then is kept for who goes on."""

	def __init__(self, person, key, laptop):
		self.person, self.key, self.laptop = person, key, laptop
		self.codes = []

	def proves(self):
		prove(self.person, self.key, self.laptop)

	def makes(self, give):
		self.codes.append(code(self.person, give, self.laptop))


def at_the_key(end):
	end.person.sees(r"to use one elsewhere: $|PIN (of|for) [^\n]*: $")


def at_the_challenge(end):
	end.person.asks_for_touch()


def half_an_answer(end):
	end.person.asks_for_touch()
	answer = end.laptop.touch(end.person.challenge("touch"), "a", PIN)
	end.person.pastes(answer[:64])
	end.person.sees(r"Line 3 of \d+ \([^\n]*: $")


def at_the_reason(end):
	end.proves()
	end.person.sees("Reason ")


def at_the_first_share(give):
	def until(end):
		end.proves()
		end.person.reason()
		end.person.sees(FIRST)
		end.makes(give)
	return until


def after_one(give, then):
	def until(end):
		end.proves()
		end.person.reason()
		give_one(end.person, give, end.laptop)
		end.person.sees(NEXT)
		end.makes(then)
	return until


def half_a_code(until):
	def more(end):
		until(end)
		end.person.pastes(end.codes[-1][:96])
		end.person.sees(r"Line 4 of the [^\n]*: $")
	return more


def anew(end):
	end.proves()
	end.person.reason()
	for give in (AUDIT, typed("dba")):
		give_one(end.person, give, end.laptop)


def goes_on(prompt):
	"""Proves the key, and pastes what was made before the line dropped."""
	def rest(end):
		end.proves()
		end.person.sees(prompt)
		end.person.pastes(end.codes[-1])
	return rest


# The line drops: at which prompt, with which keys this can be; how it goes on; what was counted before, after the key's proof (None: it was not proved), and afterwards.
Drop = namedtuple("Drop", "name keys until rest before after")
ALL, RELAYED = ("here", "touch", "ssh"), ("touch",)
MIXED = [AUDIT, typed("dba")]
DROPS = (
	Drop("the key", ALL, at_the_key, anew, None, MIXED),
	Drop("a touch challenge", RELAYED, at_the_challenge, anew, None, MIXED),
	Drop("half a touch answer", RELAYED, half_an_answer, anew, None, MIXED),
	Drop("the reason", ALL, at_the_reason, anew, [], MIXED),
	Drop("the first share, a response", ALL, at_the_first_share(BOTH), goes_on(FIRST), [],
		[BOTH]),
	Drop("the second share, an approval", ALL, after_one(AUDIT, DBA), goes_on(COUNTED),
		[AUDIT], [DBA]),
	Drop("half a response", ALL, half_a_code(at_the_first_share(BOTH)), goes_on(FIRST), [],
		[BOTH]),
	Drop("half an approval", ALL, half_a_code(after_one(typed("audit"), DBA)), goes_on(COUNTED),
		[typed("audit")], [DBA]),
)
# At which door and how the key is proved there, and then at another one.
ENDS = (("ssh", "ssh"), ("login", "touch"), ("own sshd", "ssh"), ("own console", "here"))


class WaysResume(DoorCase):
	@classmethod
	def prepare(cls):
		protect(cls.box, packages())
		cls.laptop = Laptop(cls.box)

	def test_dropped(self):
		for drop in DROPS:
			for number, first in enumerate(ENDS):
				another = ENDS[(number + 1) % len(ENDS)]
				if first[1] not in drop.keys:
					continue
				# before the key is proved there is nothing to take up
				for second in (first, another) if drop.before is not None else (another,):
					with self.row(f"dropped at {drop.name}",
							f"{'/'.join(first)}, then {'/'.join(second)}"):
						self.dropped(drop, first, second)

	def dropped(self, drop, first, second):
		self.box.fresh()
		mark = self.box.mark()
		with opened(self.box, *first) as person:
			end = Dropped(person, first[1], self.laptop)
			drop.until(end)
			person.dies()
		with opened(self.box, *second) as person:
			end.person, end.key = person, second[1]
			drop.rest(end)
			person.shell()
			person.leaves_shell()
		self.well_shown(person)
		self.judge(drop, first, second, mark)

	def judge(self, drop, first, second, mark):
		if drop.before is not None:
			expected = proved(first[1]) + [recorded(give) for give in drop.before] + \
				proved(second[1], is_again=True)
		else:  # a client of ssh that has not signed did not come as far as the module
			expected = (TRIED if first[1] != "ssh" else []) + proved(second[1])
		gives = (drop.before or []) + drop.after
		found = self.records(mark, expected + [recorded(give) for give in drop.after] +
			[granted(gives)] + OPEN[1:])
		if drop.before is not None or first[1] != "ssh":
			self.assertEqual(found[0]["service"], SERVICE[first[0]])
		self.assertEqual(found[-1]["service"], SERVICE[second[0]])
		# until the reason is given it has another id
		self.assertEqual(len({e["request"] for e in found[len(expected):]}), 1)


if __name__ == "__main__":
	unittest.main()
