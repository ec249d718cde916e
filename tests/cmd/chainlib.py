# SPDX-License-Identifier: BSD-2-Clause
"""A chain of records as the module writes it, made here once more, on a /run, /var/lib and /var/log
of the test's own."""

import hashlib
import json
import os
import shutil

import cmdlib

VAR = "/var/lib/breakglass/log"
RUN = "/run/breakglass/log"
BOOT = "6d1f0a52-7c3b-4c2e-9d53-0c6b5f0a9b11"
ZERO = "0" * 64


def enter():
    cmdlib.enter()
    for folder in ("/run", "/var/lib", "/var/log", "/var/tmp"):
        cmdlib.mount("tmpfs", folder)
    for folder in ("/run/.etc/up", "/run/.etc/work"):
        os.makedirs(folder)
    cmdlib.subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                           "lowerdir=/etc,upperdir=/run/.etc/up,workdir=/run/.etc/work", "/etc"],
                          check=True)


def reset():
    for folder in (VAR, RUN):
        shutil.rmtree(os.path.dirname(folder), ignore_errors=True)
        os.makedirs(folder, mode=0o700)
        os.chmod(os.path.dirname(folder), 0o700)
    for name in os.listdir("/var/log"):
        path = "/var/log/" + name
        (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)


def sha(line):
    return hashlib.sha256(line.encode()).hexdigest()


def put(path, lines):
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join(line + "\n" for line in lines))
    os.chmod(path, 0o600)


def segment(number):
    return f"{VAR}/segment-{number:06}.jsonl"


class Chain:
    """Records in a row; write() puts them to segments of the given lengths, the rest to pending."""

    def __init__(self):
        self.lines = []

    def add(self, event, boot=BOOT, boottime=100, time=None, severity=1, **fields):
        record = {"schema": 1, "seq": len(self.lines) + 1,
                  "prev": sha(self.lines[-1]) if self.lines else ZERO,
                  "time": time or f"2026-11-21T10:{len(self.lines) // 60:02}:{len(self.lines) % 60:02}.123Z",
                  "boot": boot, "boottime": boottime, "event": event, "severity": severity, **fields}
        self.lines.append(json.dumps(record, separators=(",", ":"), ensure_ascii=False))
        return self

    def head(self, seq):
        return f"{seq}:{sha(self.lines[seq - 1])}"

    def write(self, *lengths, head=True):
        at = 0
        for name in os.listdir(VAR):
            os.unlink(f"{VAR}/{name}")
        for number, length in enumerate(lengths, 1):
            put(segment(number), self.lines[at:at + length])
            at += length
        put(RUN + "/pending", self.lines[at:])
        if head:
            put(RUN + "/head", [self.head(len(self.lines)).replace(":", " ")])

    def records(self):
        return [json.loads(line) for line in self.lines]


def plain(count):
    chain = Chain()
    for i in range(count):
        chain.add("ATTEMPT", host="db1", account="breakglass", origin="192.0.2.7", service="sshd",
                  count=i + 1)
    return chain
