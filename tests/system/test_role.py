#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the account may as root: each role's commands do what they should, and a table of ways out
of them ends as nobody but the account. A mark in /root is what a way out would leave."""
import json
import unittest
from typing import NamedTuple

from doorlib import ACCOUNT, DoorCase, packages

SUDOERS = f"/etc/sudoers.d/60-breakglass-{ACCOUNT}"
HOST = f"/etc/breakglass/accounts/{ACCOUNT}/host"
MARK = "/root/way-out"
EVIL = "/var/tmp/evil"  # touches the mark


class Row(NamedTuple):
	command: str
	says: str = ""  # of what may be done: that its output says this


MAY = {
	"identity": (
		Row("sudo systemctl restart ssh"), Row("sudo systemctl daemon-reload"),
		Row("sudo systemctl status --no-pager ssh", "active (running)"),
		Row("sudo journalctl --no-pager -b -u ssh -n 5", "sshd"),
		Row("sudo pam-auth-update --package --force"), Row("sudo /usr/sbin/sshd -t"),
		Row("sudo ssh-keygen -A"),
		Row("sudo install --backup=numbered -m 0644 /usr/share/libc-bin/nsswitch.conf "
			"/etc/nsswitch.conf"),
		Row("sudo ip link set dev lo up"), Row("sudo ip addr replace 127.0.0.9/32 dev lo"),
		Row("sudo ip addr del 127.0.0.9/32 dev lo"),
		Row("sudo bg-unlock check", "role identity, and sudo's lines are its"),
		Row("sudoedit /etc/hosts && tail -n 1 /etc/hosts", "edited by breakglass")),
	"read-only": (
		Row("sudo systemctl status --no-pager ssh", "active (running)"),
		Row("sudo systemctl --failed --no-pager", "units listed"),
		Row("sudo journalctl --no-pager -n 3"), Row("sudo tail -n 2 /var/log/secret.log", "kept"),
		Row("sudo /usr/sbin/sshd -T", "port 22"),
		Row("sudo bg-unlock log verify"), Row("sudo bg-unlock log show", "session began"),
		Row("sudo bg-unlock check", "role read-only, and sudo's lines are its")),
}

# nobody's but full's
EVERYWHERE = (
	f"sudo {EVIL}", "sudo -i", "sudo -s", f"sudo sh {EVIL}", f"sudo -u alice {EVIL}",
	f"sudo su -c {EVIL}", f"su -c {EVIL}", f"sudo env {EVIL}", f"sudo cp {EVIL} {MARK}",
	f"echo x | sudo tee {MARK}", f"sudo dd if={EVIL} of={MARK}", f"sudo ln {EVIL} {MARK}",
	f"sudo find / -maxdepth 0 -exec {EVIL} ;", f"sudo vi -c ':!{EVIL}' /etc/hosts",
	f"sudo ip netns exec x {EVIL}", "sudo ip -batch /var/tmp/batch",
	f"sudo nsenter -t 1 -m {EVIL}", f"sudo systemd-run -q -P {EVIL}",
	"sudo systemctl edit ssh", "sudo systemctl link /var/tmp/evil.service",
	"sudo systemctl start evil", "sudo systemctl start /var/tmp/evil.service",
	"sudo systemctl restart ssh /var/tmp/evil.service",
	"sudo systemctl -H localhost restart ssh", "sudo systemctl --root=/var/tmp restart ssh",
	"sudo systemctl set-environment LD_PRELOAD=/var/tmp/evil.so", "sudo systemctl status ssh",
	"sudo systemctl restart 'ssh\n/var/tmp/evil.service'", "sudo systemctl stop breakglass-carry",
	f"SYSTEMD_PAGER={EVIL} PAGER={EVIL} SYSTEMD_PAGERSECURE=0 sudo systemctl status ssh",
	"sudo journalctl", f"sudo journalctl --no-pager --cursor-file={MARK}",
	"sudo journalctl --no-pager -D /var/tmp", "sudo journalctl --no-pager --vacuum-size=1",
	"sudo journalctl --no-pager -u ssh --rotate", "sudo journalctl --no-pager -n 1 -u -x --sync",
	f"sudo LD_PRELOAD=/var/tmp/evil.so systemctl status --no-pager ssh",
	"sudo -E systemctl status --no-pager --all ssh", "sudo -D /var/tmp systemctl daemon-reexec",
	"sudo -R /var/tmp systemctl daemon-reload", f"sudo -g root {EVIL}",
	"sudoedit /etc/shadow", "sudoedit /etc/pam.d/sshd", "sudoedit /etc/sssd/sssd.conf",
	"sudoedit /etc/hosts /etc/sudoers", "sudoedit /etc/../etc/passwd",
	"sudo bg-unlock install /root/breakglass.seal --role full",
	f"sudo bg-unlock uninstall {ACCOUNT}", "sudo visudo", f"sudo install {EVIL} {MARK}",
	"sudo /usr/sbin/sshd -t -f /var/tmp/evil.conf", "sudo /usr/sbin/sshd -T -E " + MARK,
	f"sudo ssh-keygen -A -f {MARK}", "sudo pam-auth-update --enable evil",
	"sudo pam-auth-update --root /var/tmp --package --force", "sudo -l -U root", "pkexec " + EVIL,
	"sudo ifup -i /var/tmp/interfaces evil", "sudo ifup evil=lo -i/var/tmp/interfaces",
	"sudo nmcli connection up x passwd-file /etc/shadow", "sudo resolvectl dns lo 127.0.0.9",
	"sudo tail /etc/shadow", "sudo tail -n 1 /var/log/../../etc/shadow",
	"sudo tail /var/log/./../../etc/shadow", "sudo tail /var/log/a/../../../etc/shadow",
	"sudo tail -n 1 /var/log/secret.log /etc/shadow", "sudo tail -n 1 -f/etc/shadow /var/log/x",
	"sudo dmesg --clear", "sudo dmesg -F /etc/shadow", "sudo ss -K", "sudo ss -D " + MARK,
	"sudo nft flush ruleset", f"sudo iptables-save -f {MARK}",
	"sudo bg-unlock log show --follow /etc/shadow",
)
# these may be edited; what edits is the account, and only that file
EDITORS = (
	"EDITOR='vi -- /etc/passwd' sudoedit /etc/hosts; grep -q edited /etc/passwd",
	f"SUDO_EDITOR={EVIL} VISUAL={EVIL} EDITOR={EVIL} sudoedit /etc/hosts; false",
)


class Role(DoorCase):
	@classmethod
	def prepare(cls):
		box = cls.box
		box.add_user("alice", password="correct horse")
		box.protect(packages())
		box.write(EVIL, f"#!/bin/sh\n[ $(id -u) = {cls.uid()} ] || touch {MARK}\n", 0o755)
		box.write("/var/tmp/batch", "link show\n")
		box.write("/var/tmp/evil.service", f"[Service]\nExecStart={EVIL}\n")
		box.write("/var/tmp/interfaces", f"iface evil inet manual\n\tup {EVIL}\n")
		box.write("/var/log/secret.log", "kept\n", 0o600)
		box.write("/usr/local/bin/edits", "#!/bin/sh\nfor f; do echo \"# edited by $(id -un)\" >>$f; "
			"done\n", 0o755)
		box.run("ln -sf /usr/local/bin/edits /usr/bin/editor; echo 127.0.0.1 localhost db1 >/etc/hosts")

	@classmethod
	def uid(cls):
		return cls.box.run(["id", "-u", ACCOUNT]).out.strip()

	def try_all(self, commands):
		"""In one session of the account; [(status, output)]."""
		lines = ["exec 3</dev/null", "cd /var/tmp"]
		for i, command in enumerate(commands):
			lines += [f"( {command}\n) </dev/null >/var/tmp/out/{i} 2>&1; echo $? >>/var/tmp/out/status"]
		self.box.run("rm -rf /var/tmp/out; mkdir -m 1777 /var/tmp/out")
		self.box.write("/var/tmp/tries", "\n".join(lines) + "\n", 0o644)
		self.box.fresh()
		with self.box.ssh_door() as person:
			person.opens()
			self.assertIn("status=0", person.runs("bash /var/tmp/tries", timeout=180))
			person.leaves_shell()
		status = [int(line) for line in self.box.read("/var/tmp/out/status").split()]
		self.assertEqual(len(status), len(commands))
		return [(s, self.box.read(f"/var/tmp/out/{i}")) for i, s in enumerate(status)]

	def role(self, name):
		mark = self.box.mark()
		self.box.run(f"bg-unlock install /root/breakglass.seal --role {name}")
		self.assertIn(f"role = {name}\n", self.box.read(HOST))
		self.assertEqual([e["result"] for e in self.box.events(mark)
			if e["event"] == "SEAL_INSTALLED"], [f"the same seal; role {name}"])
		found = json.loads(self.box.run("bg-unlock check --json", check=False).out)["findings"]
		said = [f["text"] for f in found if f["name"] == f"{ACCOUNT}/sudo"]
		self.assertIn(f"sudo lets {ACCOUNT} do what role {name} may", said)
		return self.box.mark()

	def test_each_role_may_what_it_should_and_nothing_else(self):
		for name, rows in MAY.items():
			with self.subTest(name):
				mark = self.role(name)
				for row, (status, out) in zip(rows, self.try_all([r.command for r in rows])):
					with self.subTest(row.command):
						# check's status says what it found
						self.assertTrue(status == 0 or "check" in row.command, out)
						self.assertIn(row.says, out)
				opened = self.box.wait_event("SESSION_OPENED", mark)
				self.assertEqual((opened["result"], opened["role"]), ("open", name))
				commands = EVERYWHERE + (EDITORS if name == "identity" else ())
				for command, (status, out) in zip(commands, self.try_all(commands)):
					with self.subTest(command):
						self.assertNotEqual(status, 0, out)
						self.assertNotRegex(out, r"uid=0|root:\$|root:\*|root:!")
				self.assertEqual(self.box.run(f"test -e {MARK}", check=False).rc, 1)

	def test_full_disk_does_not_stop_a_recorded_sudo(self):
		self.box.run("bg-unlock install /root/breakglass.seal --role full --record sudo")
		log = f"/var/log/sudo-io/{ACCOUNT}"
		(status, out), = self.try_all(["sudo sh -c 'echo shown; id -u'"])
		self.assertEqual((status, out.split()), (0, ["shown", "0"]))
		self.assertIn("shown", self.box.run(f"sudoreplay -d {log} -s 100 000001").out)
		self.box.run(f"mount -t tmpfs -o size=16k tmpfs {log}; head -c 1M /dev/zero >{log}/fill",
			check=False)
		(status, out), = self.try_all(["sudo sh -c 'echo shown; id -u'"])
		self.box.run(f"umount {log}; bg-unlock install /root/breakglass.seal --record none")
		self.assertEqual(status, 0, out)
		self.assertRegex(out, r"(?m)^shown\r?\n0\r?$")

	def test_role_is_remembered_and_changed_back(self):
		before = self.box.run(f"cat {HOST} {SUDOERS}", check=False).out
		self.box.run("bg-unlock install /root/breakglass.seal --role identity")
		self.assertIn("nothing to do", self.box.run("bg-unlock install /root/breakglass.seal").out)
		self.box.run("bg-unlock install /root/breakglass.seal --role full")
		self.assertIn("NOPASSWD: ALL\n", self.box.read(SUDOERS))
		self.assertIn("role = full\n", self.box.read(HOST))
		self.assertTrue(before)


if __name__ == "__main__":
	unittest.main()
