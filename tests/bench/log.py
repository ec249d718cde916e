#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`log verify` of a million records, and as many heads in a copy, against sha256sum of the same bytes;
and `check`, which is to take less than a second, beside a log of 200,000 with 5,000 uses.

	sudo tests/bench/log.py [BUILD]
"""
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(sys.argv[1] if len(sys.argv) > 1 else TOP / "build" / "release").resolve()
os.environ.update(BG_UNLOCK=str(BUILD / "bg-unlock/bg-unlock"), BG_SOURCE=str(TOP),
	BG_FIDO2=str(BUILD / "bg-fido2/bg-fido2"), BG_SOFTKEY=str(BUILD / "tests/softkey/softkey"))
sys.path.insert(0, str(TOP / "tests" / "cmd"))
import chainlib  # noqa: E402
import past  # noqa: E402

RECORDS, TURNS, PER_SEGMENT = 1000000, 5, 9000


def timed(*command, check=True):
	start = time.perf_counter()
	subprocess.run(command, check=check, capture_output=True)
	return time.perf_counter() - start


def used(*command):
	"""Processor time of a command, whatever else the machine does."""
	before = resource.getrusage(resource.RUSAGE_CHILDREN)
	timed(*command, check=False)
	after = resource.getrusage(resource.RUSAGE_CHILDREN)
	return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write():
	lines, heads, prev = [], [], chainlib.ZERO
	for seq in range(1, RECORDS + 1):
		lines.append(f'{{"schema":1,"seq":{seq},"prev":"{prev}","time":"2026-11-21T10:31:40.123Z",'
			f'"boot":"{chainlib.BOOT}","boottime":{seq},"event":"SHARE_ACCEPTED","severity":1,'
			f'"host":"db1","account":"breakglass","reason":"LDAP is down","key":"blue",'
			f'"request":"{"ab" * 32}","service":"sshd","origin":"192.0.2.7","epoch":3}}')
		prev = chainlib.sha(lines[-1])
		heads.append(f"{seq}:{prev}")
		if len(lines) == PER_SEGMENT or seq == RECORDS:
			chainlib.put(chainlib.segment((seq - 1) // PER_SEGMENT + 1), lines)
			lines = []
	chainlib.put("/mnt/heads", heads)


def main():
	chainlib.enter()
	chainlib.reset()
	write()
	files = sorted(str(path) for path in Path(chainlib.VAR).iterdir())
	print(f"{RECORDS} records, {sum(os.path.getsize(f) for f in files) >> 20} MiB; median of {TURNS}")
	peer = statistics.median(timed("sha256sum", *files) for _ in range(TURNS))
	for title, options in (("log verify", ["--syslog", "/dev/null"]),
			("log verify with a million heads", ["--heads", "/mnt/heads"])):
		ours = statistics.median(
			timed(os.environ["BG_UNLOCK"], "log", "verify", *options) for _ in range(TURNS))
		print(f"{title:40} {ours:6.2f} s, sha256sum {peer:6.2f} s, ratio {ours / peer:5.2f}")
	look()


def look():
	check = os.environ["BG_UNLOCK"], "check"
	past.protect()
	for records in (0, 200000, 1000000):
		past.RECORDS = records
		past.long_log()
		ours = statistics.median(timed(*check, check=False) for _ in range(TURNS))
		cpu = statistics.median(used(*check) for _ in range(TURNS))
		files = [str(path) for path in Path(chainlib.VAR).iterdir()] or ["/dev/null"]
		peer = statistics.median(timed("sha256sum", *files) for _ in range(TURNS))
		print(f"check, {records:7} records in the log {'':6} {ours:6.2f} s, cpu {cpu:5.2f} s, "
			f"sha256sum {peer:6.2f} s")


if __name__ == "__main__":
	main()
