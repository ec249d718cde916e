#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""check's rows that speak of the past: what the chain says is owed, and that a long one is read once."""

import functools
import json
import re
import shutil
import subprocess
import sys
import time

import chainlib
import cmdlib
from chainlib import Chain
from treelib import Host

BASE = {"host": "db1", "account": "breakglass", "key": "a", "holder": "Example Holder",
        "service": "sshd", "origin": "192.0.2.7", "epoch": 1}
GRANTED = ("GRANTED", "key and quorum")
REVIEWED = ("REVIEWED", "class=emergency")
STARTED = ("DRILL_STARTED", "id=q4 door=sshd offline=no confirm=2345")
ENDED = ("DRILL_ENDED", "id=q4 door=sshd offline=no result=passed seconds=95")
RECORDS, PER_SEGMENT, PER_USE = 200000, 9000, 40


@functools.cache
def utc(days):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - days * 86400))


def digest(number):
    return f"{number:064x}"


def protect():
    """An account in force on this host, which is a namespace."""
    chainlib.reset()
    with open("/etc/passwd", "r+", encoding="utf-8") as f:
        if "\n_breakglass:" not in f.read():
            f.write("_breakglass:x:64998:65534::/nonexistent:/usr/sbin/nologin\n")
    with Host() as h:
        h.install()
        shutil.rmtree("/etc/breakglass", ignore_errors=True)
        shutil.copytree(h.tree.path("etc/breakglass"), "/etc/breakglass")


def rows(argv=()):
    """check's rows, worst level and all texts: {name: (level, texts)}."""
    done = subprocess.run([*argv, cmdlib.UNLOCK, "check", "--json"], capture_output=True, text=True,
                          check=False)
    found = {}
    for finding in json.loads(done.stdout)["findings"]:
        levels = found.setdefault(finding["name"], [])
        levels.append((finding["level"], finding["text"]))
    return found


def write(*steps, last=None):
    """A chain of (event, result, days ago, fields); last: what is done to its lines."""
    chainlib.reset()
    chain = Chain()
    for event, result, days, more in sorted(steps, key=lambda s: -s[2]):
        chain.add(event, time=utc(days), **{"request": digest(7), **BASE, "result": result, **more})
    if last:
        chain.lines = last(chain.lines)
    chain.write(len(chain.lines))


def step(what, days=0, **more):
    return (*what, days, more)


def test_each_blocker_turns_its_row():
    typed = [step(("SHARE_ACCEPTED", f"{name} typed here"), 1) for name in ("ops", "dba")]
    drill = [step(STARTED, 3, request=""), step(ENDED, 3, request="")]
    confirmed = step(("ALERT_DELIVERED", "drill alert confirmed id=q4"), 3, request="")
    good = [step(("ATTEMPT", "login begun"), 20), *drill]
    table = (
        ([step(GRANTED, 1)], "WARNING", "reviews", "1 use without a review"),
        ([step(GRANTED, 8)], "CRITICAL", "reviews", "1 of 1 uses without a review are older"),
        ([step(GRANTED, 8), step(REVIEWED, 2)], "OK", "reviews", "every use is reviewed"),
        ([step(GRANTED, 8), step(REVIEWED, 2), step(GRANTED, 1)], "WARNING", "reviews", "1 use"),
        ([step(GRANTED, 8, account="other")], "OK", "reviews", "every use is reviewed"),
        (typed[:1], "WARNING", "reviews", "machines have seen 1 share of epoch 1, 2 open it: ops"),
        (typed, "CRITICAL", "reviews", "machines have seen 2 shares of epoch 1, 2 open it: ops, dba"),
        ([step(("SHARE_ACCEPTED", "ops typed here"), 1, epoch=0)], "OK", "reviews", "every use"),
        ([step(STARTED, 2, request=""), step((ENDED[0], ENDED[1].replace("passed", "failed")), 2,
                                             request="")], "WARNING", "drill", "did not pass: failed"),
        ([step(STARTED, 2, request=""), step((ENDED[0], ENDED[1].replace("passed", "late")), 2,
                                             request="")], "WARNING", "drill", "did not pass: late"),
        ([confirmed], "OK", "drill", "3 days ago; its alert arrived"),
    )
    write(*good)
    before = rows()
    assert before["breakglass/drill"] == [
        ("OK", "drill q4 passed in 95 s, 3 days ago; nobody confirmed its alert "
         "(drill --confirm CODE)")], before["breakglass/drill"]
    for steps, level, name, text in table:
        write(*good, *steps)
        turned(before, rows(), level, name, text)
    write(step(("ATTEMPT", "login begun"), 20))
    turned(before, rows(), "WARNING", "drill", "it was never practised")
    write(*(step(what, 91, request="") for what in (STARTED, ENDED)))
    turned(before, rows(), "WARNING", "drill", "was 91 days ago; 90 are agreed")
    write(*good, last=lambda lines: [lines[0].replace("login", "logon"), *lines[1:]])
    turned(before, rows(), "CRITICAL", "reviews", "the log is damaged")


def turned(before, now, level, name, text):
    """Only that row is another one (the head is another in each chain, so the row log is)."""
    name = "breakglass/" + name
    assert [(lv, t) for lv, t in now[name] if lv == level and text in t], (text, now[name])
    other = {row for row in before | now if before.get(row) != now.get(row)} - {name, "log"}
    assert not other, (name, text, {row: (before.get(row), now.get(row)) for row in other})


def long_log(path=chainlib.segment):
    """The first and the last use owe a review, each other one has its own; one drill in between."""
    lines, prev, part = [], chainlib.ZERO, 0
    middle = RECORDS // 2 + PER_USE // 2
    for seq in range(1, RECORDS + 1):
        use, at = divmod(seq - 1, PER_USE)
        event, result = ("SHARE_REFUSED", "not right") if at else ("GRANTED", "key and quorum")
        if at == PER_USE - 1 and 0 < use < RECORDS // PER_USE - 1:
            event, result = REVIEWED
        if seq in (middle, middle + 1):
            event, result = STARTED if seq == middle else ENDED
        lines.append(f'{{"schema":1,"seq":{seq},"prev":"{prev}","time":"{utc(10)}","boot":"'
                     f'{chainlib.BOOT}","boottime":{seq},"event":"{event}","severity":1,"host":"db1",'
                     f'"account":"breakglass","request":"{digest(use)}","key":"a","epoch":1,'
                     f'"result":"{result}"}}')
        prev = chainlib.sha(lines[-1])
        if len(lines) == PER_SEGMENT or seq == RECORDS:
            part += 1
            chainlib.put(path(part), lines)
            lines = []


def test_a_long_log_is_read_whole_and_once():
    chainlib.reset()
    long_log()
    found = rows(("strace", "-qq", "-e", "trace=openat,open", "-o", "/mnt/opened"))
    (level, text), = found["breakglass/reviews"]
    assert (level, text.split(": ")[0]) == (
        "CRITICAL", "2 of 2 uses without a review are older than 7 days"), text
    assert found["breakglass/drill"][0][1].startswith("drill q4 passed in 95 s, 10 days ago"), found
    with open("/mnt/opened", encoding="utf-8") as f:
        opened = re.findall(r'segment-(\d+)\.jsonl"', f.read())
    count = -(-RECORDS // PER_SEGMENT)
    # the last two once more: other rows look at the newest records
    assert [opened.count(f"{n:06}") for n in range(1, count - 1)] == [1] * (count - 2), opened


if __name__ == "__main__":
    chainlib.enter()
    protect()
    cmdlib.main(sys.modules[__name__])
