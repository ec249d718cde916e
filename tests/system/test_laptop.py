#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The package bg-unlock alone, on a machine without a network, for a user without privileges and
without any configuration: approve, combine, touch and share; and that nothing of it stays there."""
import sys
import unittest

from boxlib import SOURCE
from doorlib import PIN, DoorCase, packages
from laptoplib import MODHEX, Laptop

sys.path.insert(0, str(SOURCE / "tests/pam"))
import codelib  # noqa: E402
import hostside  # noqa: E402

# Where an unprivileged user, or a program of his, may write.
PLACES = "/ /home /tmp /run /dev/shm /var/tmp"


class LaptopTest(DoorCase):
	"""One laptop for all tests; the ceremony was held elsewhere: neither seal nor shares are here."""

	box_name = "laptop"

	@classmethod
	def prepare(cls):
		cls.box.install_packages(*[deb for deb in packages() if "/bg-unlock_" in deb])
		cls.box.add_key("a")
		cls.shares = cls.box.init()
		cls.seal = cls.box.read("/root/breakglass.seal").encode()
		cls.host = hostside.Host(cls.seal)
		cls.box.run("rm -r /root/breakglass.*")
		cls.laptop = Laptop(cls.box)

	def setUp(self):
		self.laptop.holds("a")  # the device, while it is plugged in, is the user's
		self.before = self.kept()

	def tearDown(self):
		self.assertEqual(self.kept(), self.before, "something was left on the laptop (RULES S17)")

	def kept(self):
		"""Every file of the user: name, size, times. Device nodes are what was lent."""
		return self.box.run(f"find {PLACES} -xdev -user laptop ! -type c -printf "
			"'%p %s %T@ %C@\\n' | sort -u").out

	def test_nothing_else_is_there(self):
		self.assertNotEqual(self.box.run("dpkg -s libpam-breakglass", check=False).rc, 0)
		self.box.run("test ! -e /etc/breakglass && test ! -e /run/breakglass && "
			"test ! -e /var/lib/breakglass")
		with self.laptop.starts("sh", "-c", "id -u; cat /sys/class/net/*/operstate /proc/net/route; "
				"ip -o link; grep Cap /proc/self/status") as typist:
			seen = self.laptop.ends(typist)
		self.assertNotIn("\n0\n", "\n" + seen)
		self.assertIn("LOOPBACK", seen)
		self.assertNotIn("LOOPBACK,UP", seen)
		self.assertEqual(seen.count("\t0000000000000000"), 5, seen)

	def test_S17_approve(self):
		for name, share in self.shares.items():
			request = self.host.request()
			code = self.laptop.approve(hostside.lines(request), share)
			self.assertTrue(self.host.verifies(request, name, code))
			self.assertFalse(self.host.verifies(self.host.request(), name, code))

	def test_S17_refuse(self):
		request = self.host.request()
		code = self.laptop.refuse(hostside.lines(request), self.shares["dba"])
		self.assertTrue(self.host.refuses(request, "dba", code))

	def test_S17_combine(self):
		request = self.host.request(purpose="drill")
		code = self.laptop.combine(hostside.lines(request),
			[self.shares["audit"], self.shares["ops"]])
		self.assertTrue(self.host.answers(request, ("audit", "ops"), code))

	def test_S17_touch(self):
		challenge = {"nonce": bytes(range(32)), "seal_digest": codelib.sha256(self.seal),
			"zone": "db", "host_label": "db1", "account": "breakglass", "service": "login",
			"origin": "ttyS0"}
		body = codelib.write_touch_challenge(challenge)
		code = self.laptop.touch(codelib.encode(codelib.TOUCH_CHALLENGE, body), "a", PIN)
		kind, body = codelib.decode(hostside.chunks(code))
		answer = codelib.read_touch_answer(body)
		self.assertEqual(kind, codelib.TOUCH_ANSWER)
		self.assertEqual(answer["tag"], codelib.touch_digest(challenge)[:4])
		self.assertEqual(answer["flags"] & (codelib.UP | codelib.UV), codelib.UP | codelib.UV)

	def test_S17_share(self):
		with self.laptop.starts("bg-unlock", "share", "convert") as typist:
			typist.sees(r"Your share [^\n]*: ?$")
			typist.types(self.shares["dba"])
			shown = self.laptop.ends(typist)
		short = shown.split()[-1]
		self.assertEqual((len(short), set(short) - set(MODHEX)), (38, set()))
		with self.laptop.starts("bg-unlock", "combine") as typist:
			typist.sees(r"Request challenge [^\n]*: ?$")
			typist.types("")
			typist.sees(r"Share 1 [^\n]*: ?$")
			typist.types(self.shares["ops"])
			typist.sees(r"Share 2 of 2[^\n]*: ?$")
			typist.types(short)
			self.assertIn("quorum: stands", self.laptop.ends(typist))

	def test_share_verify_with_a_seal_that_is_brought_along(self):
		self.box.write("/mnt/breakglass.seal", self.seal, mode=0o644)
		with self.laptop.starts("bg-unlock", "share", "verify", "/mnt/breakglass.seal") as typist:
			typist.sees(r"Your share [^\n]*: ?$")
			typist.types(self.shares["dba"])
			self.assertIn("dba: current", self.laptop.ends(typist))


if __name__ == "__main__":
	unittest.main()
