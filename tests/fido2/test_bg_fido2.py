#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bg-fido2 with software keys: test_bg_fido2.py BG-FIDO2 SOFTKEY FIDO2-ASK [unittest arguments]"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tty
import unittest

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives import hashes

import wirelib as w

PIN = "123456"
HELPER = SOFTKEY = ASK = None


def verify(key, challenge, reply):
    """Raises InvalidSignature."""
    signed = reply.authdata + challenge
    if key.alg == -7:
        x, y = (int.from_bytes(p, "big") for p in (key.pub[:32], key.pub[32:]))
        pub = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        pub.verify(reply.sig, signed, ec.ECDSA(hashes.SHA256()))
    else:
        ed25519.Ed25519PublicKey.from_public_bytes(key.pub[:32]).verify(reply.sig, signed)


class Base(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bg-fido2.")
        os.chmod(self.folder.name, 0o755)
        self.addCleanup(self.folder.cleanup)

    def key(self, name="key", *options, pin=PIN):
        key = w.Softkey(SOFTKEY, self.folder.name, name, pin, *options)
        self.addCleanup(key.close)
        return key

    def start(self, op, device, env=None, **kw):
        return self.started([HELPER], w.request(op, device, **kw), env)

    def started(self, argv, body, env=None, **kw):
        helper = w.Helper(argv, body, env, **kw)
        self.addCleanup(helper.close)
        self.addCleanup(lambda: helper.process.poll() is None and helper.process.kill())
        return helper

    def run_op(self, op, device, **kw):
        return self.start(op, device, **kw).reply()

    def make(self, key, **kw):
        key.ask("auto", "on")
        made = self.run_op(w.MAKE, key.path, pin=PIN, **kw)
        key.ask("auto", "off")
        self.assertEqual(made.err, "OK", made)
        return made

    def enrolled(self, *options):
        key = self.key("key", *options)
        return key, self.make(key)


class Make(Base):
    def check(self, options, alg, is_attested, is_discoverable):
        key, made = self.enrolled(*options)
        self.assertEqual((made.alg, made.is_attested, made.is_discoverable),
                         (alg, is_attested, is_discoverable))
        self.assertTrue(made.id)
        self.assertEqual(made.model, "FIDO2 security key")
        challenge = w.challenge_of("after")
        key.ask("auto", "on")
        got = self.run_op(w.ASSERT, key.path, pin=PIN, creds=[made.id], challenge=challenge)
        self.assertEqual(got.err, "OK", got)
        verify(made, challenge, got)
        with self.assertRaises(InvalidSignature):
            verify(made, w.challenge_of("other"), got)
        self.assertEqual(got.authdata[32] & 5, 5)

    def test_packed(self):
        self.check(["--attestation", "packed"], -7, 1, 1)

    def test_self(self):
        self.check(["--attestation", "self"], -7, 0, 1)

    def test_none(self):
        self.check(["--attestation", "none"], -7, 0, 1)

    def test_eddsa_only(self):
        self.check(["--alg", "eddsa"], -8, 1, 1)

    def test_eddsa_self(self):
        self.check(["--alg", "eddsa", "--attestation", "self"], -8, 0, 1)

    def test_not_discoverable(self):
        self.check(["--no-rk"], -7, 1, 0)

    def test_aaguid(self):
        self.assertEqual(self.enrolled("--aaguid", "ab" * 16)[1].aaguid, b"\xab" * 16)

    def test_excluded_credential_is_a_duplicate(self):
        key, made = self.enrolled()
        key.ask("auto", "on")
        self.assertEqual(self.run_op(w.MAKE, key.path, pin=PIN, creds=[made.id]).err, "DUPLICATE")

    def test_wrong_pin(self):
        got = self.run_op(w.MAKE, self.key().path, pin="654321")
        self.assertEqual((got.err, got.retries), ("PIN", 7))

    def test_no_pin_set(self):
        self.assertEqual(self.run_op(w.MAKE, self.key(pin=None).path, pin=PIN).err, "PIN_NOT_SET")

    def test_several_keys_and_none_named(self):
        a, b = self.key("a"), self.key("b")
        got = self.run_op(w.MAKE, f"{a.path} {b.path}", pin=PIN)
        self.assertEqual((got.err, len(got.devices)), ("ARGUMENT", 2))
        self.assertEqual(a.count("pin-attempts") + b.count("pin-attempts"), 0)


class Find(Base):
    def test_list(self):
        a, b = self.key("a"), self.key("b", pin=None)
        got = self.run_op(w.LIST, f"{a.path} {b.path}")
        self.assertEqual([(d["path"], d["retries"], d["has_pin"], d["is_fido2"])
                          for d in got.devices],
                         [(a.path, 8, 1, 1), (b.path, w.UNKNOWN, 0, 1)])
        self.assertEqual(self.run_op(w.LIST, "").devices, [])

    def test_which_of_the_credentials_without_pin_or_touch(self):
        key, made = self.enrolled()
        before = key.count("touches")
        got = self.run_op(w.FIND, key.path, creds=[b"x" * 48, made.id])
        self.assertEqual((got.err, got.credential, got.present, got.retries), ("OK", 1, 2, 8))
        self.assertEqual(key.count("touches"), before)
        self.assertEqual(got.sig, b"")

    def test_no_device(self):
        self.assertEqual(self.run_op(w.FIND, "", creds=[b"x" * 48]).err, "NO_DEVICE")
        gone = os.path.join(self.folder.name, "gone")
        self.assertEqual(self.run_op(w.FIND, gone, creds=[b"x" * 48]).err, "NO_DEVICE")

    def test_not_enrolled(self):
        got = self.run_op(w.FIND, self.key().path, creds=[b"x" * 48])
        self.assertEqual(got.err, "NOT_ENROLLED")

    def test_the_enrolled_one_of_several(self):
        a, b, c = (self.key(n) for n in "abc")
        made = self.make(b)
        device = f"{a.path} {b.path} {c.path}"
        self.assertEqual(self.run_op(w.FIND, device, creds=[made.id]).err, "OK")
        b.ask("auto", "on")
        got = self.run_op(w.ASSERT, device, creds=[made.id], pin=PIN)
        self.assertEqual(got.err, "OK", got)
        self.assertEqual(a.count("pin-attempts") + c.count("pin-attempts"), 0)

    def test_several_enrolled_ones_get_no_pin(self):
        a, b = self.key("a"), self.key("b")
        creds = [self.make(a).id, self.make(b).id]
        a.ask("auto", "on")
        before = a.count("pin-attempts"), b.count("pin-attempts")
        device = f"{a.path} {b.path}"
        got = self.run_op(w.FIND, device, creds=creds)
        self.assertEqual((got.err, got.present, len(got.devices)), ("ARGUMENT", 3, 2))
        self.assertEqual(self.run_op(w.ASSERT, device, creds=creds, pin=PIN).err, "ARGUMENT")
        self.assertEqual((a.count("pin-attempts"), b.count("pin-attempts")), before)
        self.assertEqual(self.run_op(w.ASSERT, device, creds=creds[:1], pin=PIN).err, "OK")

    def test_P04_what_is_no_character_device_is_left_out_at_once(self):
        f = self.folder.name
        os.mkfifo(f + "/fifo")
        with open(f + "/file", "wb") as file:
            file.truncate(1 << 30)
        os.symlink("/dev/null", f + "/foreign")
        os.lchown(f + "/foreign", 65534, 65534)
        os.symlink(f + "/link2", f + "/link1")
        os.symlink("/dev/null", f + "/link2")
        start = time.monotonic()
        for name in ("fifo", "file", ".", "foreign", "link1", "missing"):
            got = self.run_op(w.FIND, os.path.join(f, name), creds=[b"x"])
            self.assertEqual(got.err, "NO_DEVICE", name)
        self.assertLess(time.monotonic() - start, 6)

    def test_a_device_that_is_no_key(self):
        self.assertEqual(self.run_op(w.FIND, "/dev/null", creds=[b"x"]).err, "NO_DEVICE")

    def test_only_hidraw_nodes_that_say_so_are_enumerated(self):
        """In a /dev of its own, with the wire of a key and null under hidraw's names."""
        key, made = self.enrolled()
        before = key.count("inits")
        dev, log = os.path.join(self.folder.name, "dev"), os.path.join(self.folder.name, "log")
        os.mkdir(dev)
        for name in ("hidraw10", "hidraw9", "hidrawx", "hidraw", "hidraw1x", "null"):
            with open(os.path.join(dev, name), "wb"):
                pass
        script = ("for n in hidraw10 hidraw9 hidrawx hidraw hidraw1x null; do "
                  "mount --bind /dev/null $1/$n; done; mount --bind $3 $1/hidraw10; "
                  "mount --rbind $1 /dev; exec strace -o $4 $2")
        body = w.request(w.FIND, creds=[made.id])
        got = self.started(["/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh", "-c",
                            script, "sh", dev, HELPER, os.path.realpath(key.path), log], body).reply()
        self.assertEqual(got.err, "NO_DEVICE")
        with open(log, encoding="utf-8") as f:
            opened = [line.split('"')[1] for line in f if 'O_RDWR' in line and '"/dev/' in line]
        self.assertEqual(opened, ["/dev/hidraw9", "/dev/hidraw10"])
        self.assertEqual(key.count("inits"), before)

    def hostile(self, answer):
        """The path of a device whose answer to each report is answer(report)."""
        master, slave = os.openpty()
        tty.setraw(slave)
        os.chmod(os.ttyname(slave), 0o600)
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                ready, _, _ = select.select([master], [], [], 0.02)
                report = os.read(master, 65) if ready else b""
                with contextlib.suppress(BlockingIOError):
                    os.write(master, answer(report))
        os.set_blocking(master, False)
        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(lambda: (stop.set(), thread.join(), os.close(master), os.close(slave)))
        return os.ttyname(slave)

    def test_hostile_devices_cost_time_only(self):
        key, made = self.enrolled()
        keepalive = b"\xff\xff\xff\xff\xbb\0\1\2"
        for name, answer in (("mute", lambda r: b""),
                             ("garbage", lambda r: os.urandom(64)),
                             ("echo", lambda r: r[1:]),
                             ("zeroes", lambda r: bytes(640)),
                             ("keep-alive for ever", lambda r: keepalive.ljust(64, b"\0") * 9)):
            device = f"{self.hostile(answer)} {key.path}"
            start = time.monotonic()
            got = self.run_op(w.FIND, device, creds=[made.id])
            self.assertEqual(got.err, "OK", name)
            self.assertLess(time.monotonic() - start, 5, name)

    def test_a_key_in_use_is_busy_within_the_bound(self):
        key, made = self.enrolled()
        first = self.start(w.ASSERT, key.path, creds=[made.id], pin=PIN, timeout=30)
        key.ask("wait-touch", 5000)
        start = time.monotonic()
        self.assertEqual(self.run_op(w.FIND, key.path, creds=[made.id]).err, "BUSY")
        self.assertLess(time.monotonic() - start, 8)
        key.ask("touch")
        self.assertEqual(first.reply().err, "OK")


class Discover(Base):
    """A laptop without a seal: no credential is known, so only one key may be there."""

    def discover(self, device, **kw):
        return self.run_op(w.DISCOVER, device, **{"pin": PIN, **kw})

    def test_the_one_key_answers(self):
        key, made = self.enrolled()
        key.ask("auto", "on")
        challenge = w.challenge_of("discover")
        got = self.discover(key.path, challenge=challenge, user_name="somebody else")
        self.assertEqual((got.err, got.assert_id, got.present, got.authdata[32] & 5),
                         ("OK", made.id, 1, 5))
        verify(made, challenge, got)

    def test_several_credentials_are_told_apart_by_account_and_age(self):
        key, first = self.enrolled()
        other, second = self.make(key, user_name="other"), self.make(key)
        key.ask("auto", "on")
        touches = key.count("touches")
        for name, made, count in (("breakglass", second, 2), ("other", other, 1), ("", second, 3)):
            got = self.discover(key.path, user_name=name)
            self.assertEqual((got.err, got.assert_id, got.present), ("OK", made.id, count), name)
            verify(made, bytes(32), got)
        self.assertNotEqual(first.id, second.id)
        self.assertEqual(key.count("touches"), touches + 3)
        self.assertEqual(self.discover(key.path, user_name="third").err, "NOT_ENROLLED")

    def test_several_keys_get_no_pin(self):
        (a, _), b = self.enrolled(), self.key("b")
        before = a.count("pin-attempts")
        got = self.discover(f"{a.path} {b.path}")
        self.assertEqual((got.err, len(got.devices)), ("ARGUMENT", 2))
        self.assertEqual((a.count("pin-attempts"), b.count("pin-attempts")), (before, 0))

    def test_nothing_to_discover(self):
        self.assertEqual(self.discover("").err, "NO_DEVICE")
        key = self.key("empty")
        key.ask("auto", "on")
        self.assertEqual(self.discover(key.path).err, "NOT_ENROLLED")
        hidden = self.key("hidden", "--no-rk")
        self.make(hidden)
        hidden.ask("auto", "on")
        self.assertEqual(self.discover(hidden.path).err, "NOT_ENROLLED")

    def test_wrong_pin_never_a_touch(self):
        key, _ = self.enrolled()
        before = key.count("touches")
        got = self.discover(key.path, pin="000000")
        self.assertEqual((got.err, got.retries, key.count("touches")), ("PIN", 7, before))
        self.assertEqual(self.discover(key.path, min_retries=7).err, "PIN_RESERVED")

    def test_an_assertion_never_discovers(self):
        key, made = self.enrolled()
        self.assertEqual(self.run_op(w.ASSERT, key.path, pin=PIN).err, "ARGUMENT")
        self.assertEqual(self.discover(key.path, creds=[made.id]).err, "ARGUMENT")


class Assert(Base):
    def setUp(self):
        super().setUp()
        self.k, self.made = self.enrolled()

    def ready(self, **kw):
        helper = self.start(w.ASSERT, self.k.path, creds=[self.made.id],
                            **{"pin": PIN, "timeout": 20, **kw})
        self.k.ask("wait-touch", 5000)
        return helper

    def test_touched(self):
        helper = self.ready()
        self.k.ask("touch")
        got = helper.reply()
        self.assertEqual((got.err, got.assert_id, len(got.authdata)), ("OK", self.made.id, 37))
        verify(self.made, bytes(32), got)

    def test_denied(self):
        helper = self.ready()
        self.k.ask("deny")
        self.assertEqual(helper.reply().err, "DENIED")

    def test_unplugged(self):
        helper = self.ready()
        self.k.ask("unplug")
        self.assertEqual(helper.reply(3).err, "DENIED")

    def test_timeout_cancels(self):
        start = time.monotonic()
        self.assertEqual(self.ready(timeout=1).reply().err, "TIMEOUT")
        self.assertLess(time.monotonic() - start, 3)
        self.assertEqual(self.k.count("cancels"), 1)

    def test_end_of_input_cancels(self):
        helper = self.ready()
        helper.sock.shutdown(1)
        self.assertEqual(helper.reply(1).err, "CANCELLED")
        self.assertEqual(self.k.count("cancels"), 1)

    def test_caller_killed_ends_the_helper_and_tells_the_key(self):
        caller = subprocess.Popen([ASK, HELPER], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL)
        with w.killed(caller):
            caller.stdin.write(w.request(w.ASSERT, self.k.path, creds=[self.made.id], pin=PIN))
            caller.stdin.close()
            self.k.ask("wait-touch", 5000)
            os.kill(caller.pid, signal.SIGKILL)
            caller.wait()
        w.wait_for("cancel", 1, lambda: self.k.count("cancels") == 1)
        w.wait_for("free key", 1, lambda: "awaiting=0" in self.k.ask("count"))
        self.assertEqual(self.run_op(w.FIND, self.k.path, creds=[self.made.id]).err, "OK")

    def test_helper_killed_leaves_the_key_usable(self):
        helper = self.ready()
        helper.process.kill()
        helper.process.wait()
        self.assertEqual(self.run_op(w.FIND, self.k.path, creds=[self.made.id]).err, "OK")

    def test_wrong_pin_then_blocked_and_never_a_touch(self):
        before = self.k.count("touches")
        for want in (("PIN", 7), ("PIN", 6), ("PIN_BLOCKED", 5)):
            got = self.run_op(w.ASSERT, self.k.path, creds=[self.made.id], pin="000000")
            self.assertEqual((got.err, got.retries), want)
        self.assertEqual(self.k.count("touches"), before)

    def test_reserved_tries_are_not_touched(self):
        before = self.k.count("pin-attempts")
        for tries, err in ((3, "PIN_RESERVED"), (0, "PIN_BLOCKED")):
            self.k.ask("pin-retries", tries)
            got = self.run_op(w.ASSERT, self.k.path, creds=[self.made.id], pin=PIN, min_retries=3)
            self.assertEqual((got.err, got.retries), (err, tries))
        self.assertEqual(self.k.count("pin-attempts"), before)
        self.k.ask("pin-retries", 4)
        self.k.ask("auto", "on")
        got = self.run_op(w.ASSERT, self.k.path, creds=[self.made.id], pin=PIN, min_retries=3)
        self.assertEqual(got.err, "OK")

    def test_wrong_answers_pass_for_the_caller_to_refuse(self):
        self.k.ask("auto", "on")
        for flag in ("no-uv", "bad-sig"):
            self.k.ask("flags", flag)
            got = self.run_op(w.ASSERT, self.k.path, creds=[self.made.id], pin=PIN)
            self.assertIn(got.err, ("OK", "IO"), flag)
            if got.err == "OK" and flag == "no-uv":
                self.assertEqual(got.authdata[32] & 4, 0)
            if got.err == "OK" and flag == "bad-sig":
                self.assertRaises(InvalidSignature, verify, self.made, bytes(32), got)

    def test_by_the_library(self):
        self.k.ask("auto", "on")
        body = w.request(w.ASSERT, self.k.path, creds=[self.made.id], pin=PIN)
        got = subprocess.run([ASK, HELPER], input=body, stdout=subprocess.PIPE, timeout=20,
                             check=True).stdout.decode().split()
        self.assertEqual(got[0], "reply")
        verify(self.made, bytes(32), w.Reply(bytes.fromhex(got[1])))


class Secured(Base):
    def test_privileges_are_gone_before_a_device_is_spoken_to(self):
        key, made = self.enrolled()
        helper = self.start(w.ASSERT, key.path, creds=[made.id], pin=PIN)
        key.ask("wait-touch", 5000)
        status = helper.status()
        self.assertEqual(status["Uid"].split(), ["64999"] * 4)
        self.assertEqual(status["Gid"].split(), ["64998"] * 4)
        self.assertEqual(status["Groups"].strip(), "")
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        with open(f"/proc/{helper.process.pid}/limits", encoding="ascii") as f:
            self.assertRegex(f.read(), r"Max core file size +0 +0 ")
        with open(f"/proc/{helper.process.pid}/environ", "rb") as f:
            self.assertEqual(f.read().strip(b"\0"), b"")
        key.ask("touch")
        self.assertEqual(helper.reply().err, "OK")

    def test_order_of_system_calls(self):
        key, made = self.enrolled()
        log = os.path.join(self.folder.name, "strace")
        body = w.request(w.FIND, key.path, creds=[made.id])
        got = self.started(["/usr/bin/strace", "-f", "-o", log, HELPER], body).reply()
        self.assertEqual(got.err, "OK")
        with open(log, encoding="utf-8") as f:
            lines = [line.split(None, 1)[1] for line in f]

        def first(*starts, after=0):
            return next(i for i, line in enumerate(lines)
                        if i > after and line.startswith(starts))
        opened = next(i for i, line in enumerate(lines) if "/dev/pts/" in line and "O_RDWR" in line)
        fd = int(lines[opened].rsplit("= ", 1)[1])
        filtered = next(i for i, line in enumerate(lines) if "SECCOMP_SET_MODE_FILTER" in line
                        and "= 0" in line)
        talked = first(*(f"{call}({fd}," for call in ("read", "write", "ioctl", "flock")),
                       after=opened)
        self.assertLess(opened, first("setresuid("))
        self.assertLess(first("setresuid("), filtered)
        self.assertLess(filtered, talked)
        for line in lines[filtered:]:
            self.assertNotRegex(line, r"^(openat|open|socket|execve|clone)", line)

    def test_without_its_user_it_refuses(self):
        key, made = self.enrolled()
        with open("/etc/passwd", encoding="ascii") as f:
            kept = f.read()
        try:
            with open("/etc/passwd", "w", encoding="ascii") as f:
                f.write("".join(line + "\n" for line in kept.splitlines()
                                if not line.startswith("_breakglass:")))
            got = self.run_op(w.FIND, key.path, creds=[made.id])
        finally:
            with open("/etc/passwd", "w", encoding="ascii") as f:
                f.write(kept)
        self.assertEqual((got.err, got.detail),
                         ("HELPER", "bg-fido2: user _breakglass: not found"))

    def test_P06_the_environment_decides_nothing(self):
        key, made = self.enrolled()
        key.ask("auto", "on")
        conf = os.path.join(self.folder.name, "openssl.cnf")
        with open(conf, "w", encoding="ascii") as f:
            f.write("openssl_conf = a\n[a]\nproviders = p\nalg_section = g\n[p]\nnull = n\n"
                    "[n]\nactivate = 1\n[g]\ndefault_properties = fips=yes\n")
        env = {"FIDO_DEBUG": "1", "OPENSSL_CONF": conf, "OPENSSL_MODULES": self.folder.name,
               "TZ": "/etc/shadow", "LANG": "xx_XX", "LC_ALL": "xx", "MALLOC_PERTURB_": "7",
               "FIDO_BREAK": "1", "SSLKEYLOGFILE": "/tmp/x"}
        got = self.run_op(w.ASSERT, key.path, creds=[made.id], pin=PIN, env=env)
        self.assertEqual(got.err, "OK", got)
        verify(made, bytes(32), got)

    def test_memory_with_the_pin_is_closed_even_to_its_own_user(self):
        key, made = self.enrolled()
        helper = self.start(w.ASSERT, key.path, creds=[made.id], pin=PIN)
        key.ask("wait-touch", 5000)
        # a dumpable process's would be its user's
        self.assertEqual(os.stat(f"/proc/{helper.process.pid}/mem").st_uid, 0)
        key.ask("touch")
        self.assertEqual(helper.reply().err, "OK")

    def test_as_an_ordinary_user(self):
        key = self.key("key", "--mode", "0666")
        key.ask("auto", "on")

        def ask(op, **kw):
            return self.started([os.path.join(self.folder.name, "bg-fido2")],
                                w.request(op, os.path.realpath(key.path), pin=PIN, **kw),
                                user=1234, group=1235, extra_groups=[]).reply()
        shutil.copy(HELPER, self.folder.name)  # where that user can run it
        made = ask(w.MAKE)
        self.assertEqual(made.err, "OK", made)
        self.assertEqual(ask(w.ASSERT, creds=[made.id]).err, "OK")

    def test_garbage_requests_are_refused(self):
        for body in (b"", b"\0", b"\2" + bytes(300), w.request(w.FIND, "", creds=[]),
                     w.request(w.ASSERT, "", creds=[b"x"], pin=""), w.request(9, "")):
            self.assertEqual(self.started([HELPER], body).reply().err, "ARGUMENT")


def enter_namespace():
    """/etc/passwd of our own, with the helper's user in it."""
    if os.environ.get("BG_TEST_INSIDE") != "1":
        os.environ["BG_TEST_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable]
                  + sys.argv)
    path = os.path.join(tempfile.mkdtemp(prefix="bg-fido2."), "passwd")
    with open(path, "w", encoding="utf-8") as f, open("/etc/passwd", encoding="utf-8") as old:
        f.write("".join(line for line in old if not line.startswith("_breakglass:")))
        f.write("_breakglass:x:64999:64998::/nonexistent:/usr/sbin/nologin\n")
    os.chmod(path, 0o644)
    subprocess.run(["mount", "--bind", path, "/etc/passwd"], check=True)
    return path


if __name__ == "__main__":
    passwd = enter_namespace()
    HELPER, SOFTKEY, ASK = (os.path.realpath(p) for p in sys.argv[1:4])
    try:
        unittest.main(argv=[sys.argv[0]] + sys.argv[4:])
    finally:
        shutil.rmtree(os.path.dirname(passwd))
