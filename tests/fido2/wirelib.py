#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The messages between bg-fido2 and its callers, written down a second time (fido2.h, fido2.c),
and what a test needs to run software keys and helpers."""

import contextlib
import hashlib
import os
import re
import secrets
import select
import signal
import socket
import struct
import subprocess
import time

LIST, FIND, ASSERT, MAKE, DISCOVER = 1, 2, 3, 4, 5
RP = "breakglass:test"
UNKNOWN = 0xFF


def errors(source):
    """enum bg_err by name, from the header."""
    with open(os.path.join(source, "include/breakglass/err.h"), encoding="ascii") as f:
        body = re.search(r"enum bg_err \{(.*?)\};", f.read(), re.S).group(1)
    names = re.findall(r"^\s*BG_(?:ERR_)?(\w+)", body, re.M)
    return dict(enumerate(names))


SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
ERR = errors(SOURCE)


def blob(b):
    return struct.pack(">H", len(b)) + b


def request(op, device="", pin="", creds=(), timeout=10, min_retries=0, challenge=bytes(32),
            user_id=None, user_name="breakglass"):
    body = bytes([1, op]) + blob(device.encode()) + blob(RP.encode()) + challenge
    body += struct.pack(">IB", timeout, min_retries) + blob(pin.encode()) + bytes([len(creds)])
    body += b"".join(blob(c) for c in creds)
    return body + (user_id or secrets.token_bytes(32)) + blob(user_name.encode())


class View:
    def __init__(self, b):
        self.b = b

    def take(self, n):
        assert len(self.b) >= n, "reply is short"
        got, self.b = self.b[:n], self.b[n:]
        return got

    def u8(self):
        return self.take(1)[0]

    def blob(self):
        return self.take(struct.unpack(">H", self.take(2))[0])

    def text(self):
        return self.blob().decode()


class Reply:
    def __init__(self, body):
        v = View(body)
        assert v.u8() == 1
        self.err = ERR[struct.unpack(">H", v.take(2))[0]]
        self.detail = v.text()
        self.retries, self.credential, self.present = v.u8(), v.u8(), v.u8()
        self.assert_id, self.authdata, self.sig = v.blob(), v.blob(), v.blob()
        self.model, self.aaguid, self.id = v.text(), v.take(16), v.blob()
        self.alg, self.pub = -v.u8(), v.take(64)
        self.is_attested, self.is_discoverable = v.u8(), v.u8()
        self.devices = []
        for _ in range(v.u8()):
            d = {"path": v.text(), "model": v.text(), "aaguid": v.take(16)}
            d["retries"], d["has_pin"], d["is_fido2"] = v.u8(), v.u8(), v.u8()
            self.devices.append(d)
        assert not v.b, "reply has trailing bytes"

    def __repr__(self):
        return f"<{self.err} {self.detail!r} retries={self.retries}>"


def wait_for(what, seconds, check):
    """check()'s first true value; fails after seconds."""
    end = time.monotonic() + seconds
    while True:
        got = check()
        if got:
            return got
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.01)


class Softkey:
    def __init__(self, program, folder, name, pin="123456", *options):
        self.program, self.ctl = program, os.path.join(folder, name + ".ctl")
        self.path = os.path.join(folder, name)
        argv = [program, "--socket", self.ctl, "--link", self.path, "--die-with-parent"]
        argv += ["--pin", pin] if pin else []
        self.process = subprocess.Popen(argv + list(options), stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"

    def ask(self, *words):
        got = subprocess.run([self.program, "ctl", self.ctl, *map(str, words)], timeout=30,
                             stdout=subprocess.PIPE, check=False)
        assert got.returncode == 0, (words, got.stdout)
        return got.stdout.decode()

    def count(self, name):
        return int(re.search(rf"{name}=(\d+)", self.ask("count")).group(1))

    def close(self):
        self.process.terminate()
        self.process.wait(5)
        self.process.stdout.close()


class Helper:
    """One run of bg-fido2, by a socket as bg_helper_run does it."""

    def __init__(self, argv, body, env=None, **kw):
        ours, theirs = socket.socketpair()
        self.sock = ours
        self.process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, env=env or {},
                                        stderr=subprocess.PIPE, start_new_session=True, **kw)
        theirs.close()
        ours.sendall(struct.pack(">I", len(body)) + body)

    def receive(self, n, seconds):
        got = b""
        end = time.monotonic() + seconds
        while len(got) < n:
            ready, _, _ = select.select([self.sock], [], [], max(0, end - time.monotonic()))
            assert ready, "no reply in time"
            more = self.sock.recv(n - len(got))
            assert more, f"helper ended: {self.process.wait(5)} {self.process.stderr.read()!r}"
            got += more
        return got

    def reply(self, seconds=20):
        n = struct.unpack(">I", self.receive(4, seconds))[0]
        got = Reply(self.receive(n, seconds))
        assert self.process.wait(5) == 0
        assert self.process.stderr.read() == b"", "standard error is not silent"
        self.close()
        return got

    def close(self):
        self.sock.close()
        self.process.stderr.close()

    def status(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def challenge_of(text):
    return hashlib.sha256(text.encode()).digest()


@contextlib.contextmanager
def killed(process):
    """Whatever happens, process is dead afterwards."""
    try:
        yield process
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
