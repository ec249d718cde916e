#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""From an event to the start of a handler, in a booted Debian with the real packages: the module
records, breakglass-carry.path, breakglass-carry, breakglass-alert.path, breakglass-alert, handler.
Beside it in the same run: one path unit of systemd with a service that does nothing else. DESIGN
wants less than a second.

	sudo tests/bench/alerts.py [BUILD]      BUILD: build/release by default
"""
import json
import os
import random
import statistics
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
os.environ.setdefault("BG_BUILD_DIR", str(Path(sys.argv[1] if len(sys.argv) > 1
	else TOP / "build" / "release").resolve()))
sys.path.insert(0, str(TOP / "tests" / "system"))
from boxlib import wait_until  # noqa: E402
from doorlib import DoorBox, packages  # noqa: E402

ROUNDS, ATTEMPTS = 100, 20
STAMPS, BEGUN = "/var/tmp/stamps/alerts", "/var/tmp/stamps/begun"
# date is what comes first, so that nothing but its own start is counted too much
HANDLER = f"#!/bin/sh\ndate +%s%N >>{STAMPS}\nhead -c 65536 >>{STAMPS}\n"
PEER = f"#!/bin/sh\ndate +%s%N >>{STAMPS}.peer\nrm /run/peer\n"
UNITS = {
	"/etc/systemd/system/breakglass-alert.service.d/bench.conf":
		"[Service]\nPrivateTmp=no\nReadWritePaths=/var/tmp/stamps\n",
	"/etc/systemd/system/peer.path": "[Path]\nPathExists=/run/peer\n",
	"/etc/systemd/system/peer.service":
		"[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=/usr/local/bin/peer\n",
}


def prepare(box):
	box.boot()
	box.protect(packages())
	box.run("install -d -m 1777 /var/tmp/stamps; "
		"mkdir -p /etc/systemd/system/breakglass-alert.service.d")
	box.write("/etc/breakglass/alert.d/stamp", HANDLER, 0o755)
	box.write("/usr/local/bin/peer", PEER, 0o755)
	for path, text in UNITS.items():
		box.write(path, text)
	box.run("systemctl daemon-reload; systemctl start peer.path")


def ms_of(record):
	"""When it was recorded, by the clock that date reads; milliseconds."""
	seconds, fraction = record["time"].rstrip("Z").split(".")
	return time.mktime(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(fraction)


def stamps(box, suffix=""):
	return box.run(f"cat {STAMPS}{suffix}", check=False).out.splitlines()


def handled(box):
	"""{record's number: milliseconds} of what the handler was given."""
	lines, found = stamps(box), {}
	for begun, alert in zip(lines[::2], lines[1::2]):
		record = json.loads(alert)["record"]
		found[record["seq"]] = int(begun) / 1e6 - ms_of(record)
	return found


def after(box, seen, count, work):
	"""The latencies of so many alerts that work causes; seen: those of before."""
	work()
	now = wait_until("the handler", lambda: (lambda found: found
		if len(found.keys() - seen.keys()) >= count else None)(handled(box)), 120)
	fresh = [now[seq] for seq in now.keys() - seen.keys()]
	seen.update(now)
	return fresh


def bypass(box, count=1):
	box.run(f"for i in $(seq {count}); do runuser -u breakglass -- true; done", check=False,
		timeout=120)


def attempt(box):
	"""A stranger at the door; only the first since the last proved key alerts."""
	box.run("rm -f /run/breakglass/attempts.* /run/breakglass/told.*")
	with box.ssh_door() as person:
		person.sees("PIN of your security key")


def peer(box):
	before = len(stamps(box, ".peer"))
	begun = int(box.run("date +%s%N; touch /run/peer").out)
	wait_until("the peer", lambda: len(stamps(box, ".peer")) > before)
	return int(stamps(box, ".peer")[-1]) / 1e6 - begun / 1e6


def show(title, values):
	values.sort()
	print(f"{title:42} {len(values):4} {statistics.median(values):8.0f} "
		f"{values[int(len(values) * 0.95)]:8.0f} {values[-1]:8.0f}", flush=True)


def main():
	os.environ["TZ"] = "UTC"
	time.tzset()
	with DoorBox("db1") as box:
		prepare(box)
		seen, alone, theirs = {}, [], []
		after(box, seen, 1, lambda: bypass(box))
		print(f"{'milliseconds from event to handler':42} {'n':>4} {'median':>8} {'95 %':>8} {'max':>8}")
		for _ in range(ROUNDS):
			time.sleep(random.uniform(0, 0.3))  # anywhere in what the one before still does
			alone += after(box, seen, 1, lambda: bypass(box))
			theirs.append(peer(box))
		show("one at a time (BYPASS_BLOCKED)", alone)
		show("peer: one path unit, one small service", theirs)
		show("strangers at ssh (ATTEMPT)", [ms for _ in range(ATTEMPTS)
			for ms in after(box, seen, 1, lambda: attempt(box))])
		show(f"a burst of {ROUNDS}", after(box, seen, ROUNDS, lambda: bypass(box, ROUNDS)))


if __name__ == "__main__":
	main()
