#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A protected host after people and keys changed: what left is refused and named, what came opens."""
import unittest

from doorlib import ACCOUNT, PIN, SOFTKEY, DoorCase, packages

TWO = "/root/breakglass.seal.2"


class Reseal(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.protect(packages(), keys=("a", "b"))
		cls.old = box.shares
		box.add_key("c")

	def plug(self, wanted):
		for key in ("a", "b", "c"):
			self.box.run(f"{SOFTKEY} ctl /run/softkey/{key}.ctl "
				f"{'plug' if key == wanted else 'unplug'}", check=False)

	def reseal(self):
		"""b is lost, c comes; night takes over from dba. a endorses."""
		box = self.box
		self.plug("a")
		box.softkey_ctl("c", "plug")
		for key in ("a", "c"):
			box.softkey_ctl(key, "auto", "on")
		done = box.run("mkdir -m 700 /root/new.shares && cd /root && bg-unlock reseal breakglass.seal "
			"--replace 'dba=night=+1 555 0199' --remove-key b "
			"--add-key c=deputy@/run/softkey/c --stdin --pin-stdin --shares-to new.shares "
			"--device /run/softkey/a",
			input=f"{PIN}\n" + "".join(self.old[n] + "\n" for n in ("ops", "dba")) + f"{PIN}\n")
		for key in ("a", "c"):
			box.softkey_ctl(key, "auto", "off")
		self.assertIn("keys leave: b (oncall)", done.err)
		return box.read_shares("/root/new.shares")

	def test_what_left_is_refused_and_what_came_opens(self):
		box = self.box
		shares = self.reseal()
		self.plug("a")
		with self.row("a dialogue begun before, with what the old seal wants", "ssh"):
			with box.ssh_door() as person:
				person.pin()
				person.reason()
				person.share("dba", words=self.old["dba"])
				mark = box.mark()
				box.install_successor(TWO)
				person.share("ops", words=self.old["ops"])
				box.wait_event("BYPASS_BLOCKED", mark)
				person.dies()
			self.assertNotIn("SESSION_OPENED", box.event_names(mark))
		installed, resealed = [e for e in box.events(mark) if e["event"] in (
			"SEAL_INSTALLED", "RESEALED")]
		self.assertEqual(installed["result"], "succeeds epoch 1")
		self.assertEqual((resealed["event"], resealed["epoch"], resealed["key"], resealed["severity"]),
			("RESEALED", 2, "a", 1))
		self.assertEqual(resealed["result"],
			"2 of 3; key left b (oncall); key came c (deputy); left dba; came night")
		self.assertEqual(resealed["custodians"], "ops, night, audit")
		box.everywhere_once(installed, resealed)
		self.assertIn("night", box.read(f"/etc/breakglass/accounts/{ACCOUNT}/contacts"))
		box.use_devices("a", "b", "c")
		with self.row("the key that left", "ssh"):
			self.plug("b")
			mark = box.mark()
			with box.ssh_door() as person:
				person.sees(r"Security key not accepted\. Plug in an enrolled one and press Enter")
				person.dies()
		mark = box.mark()
		with self.row("old shares, then new ones, with the key that came", "ssh"):
			self.plug("c")
			with box.ssh_door() as person:
				person.pin(key="c")
				person.reason()
				for name in ("dba", "ops"):
					person.share(name, words=self.old[name])
					person.sees(r"retired.*epoch 1.*set [0-9A-Z]{4} epoch 2 is wanted\.")
				person.share("night", words=shares["night"])
				person.share("ops", words=shares["ops"])
				person.shell()
				person.leaves_shell()
		refused = [e for e in box.events(mark) if e["event"] == "SHARE_REFUSED"]
		self.assertEqual([e["result"].split(" (epoch")[0] for e in refused],
			["That share of dba is retired", "That share of ops is retired"])
		granted, = [e for e in box.events(mark) if e["event"] == "GRANTED"]
		self.assertEqual((granted["holder"], granted["custodians"]), ("deputy", "ops, night"))


if __name__ == "__main__":
	unittest.main(verbosity=2)
