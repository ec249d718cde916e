#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""check's rows that look at the host itself, and what a folder cannot stand for: what the chain says is
owed (a long one is read once), what the kernel has, what `revoke --lock` left."""

import fcntl
import functools
import hashlib
import json
import os
import re
import resource
import shutil
import socket
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
        # given to a verb of the command: no request
        ([step(("SHARE_ACCEPTED", "ops typed here for bg-unlock reseal"), 1, request="",
               custodians="ops")], "WARNING", "reviews", "seen 1 share of epoch 1, 2 open it: ops"),
        ([*typed[:1], step(("SHARE_ACCEPTED", "dba typed here for bg-unlock reseal"), 1, request="",
                           custodians="dba")], "CRITICAL", "reviews", "2 open it: ops, dba"),
        ([step(("SHARE_ACCEPTED", "ops typed here for bg-unlock reseal"), 1, request="", epoch=0,
               custodians="ops")], "OK", "reviews", "every use"),
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


def test_records_that_nobody_carries_are_critical():
    chainlib.reset()
    chain = Chain().add("ATTEMPT", time=utc(0)).add("ATTEMPT", time=utc(0))
    for boottime, is_late in ((100, True), (10 ** 9, False)):
        shutil.rmtree(chainlib.RUN)
        os.mkdir(chainlib.RUN, 0o700)
        chain.lines.pop()
        chain.add("ATTEMPT", time=utc(0), boottime=boottime)
        chain.write(1)
        for name in ("pending", "carrying"):
            late = [t for lv, t in rows()["alerts"] if lv == "CRITICAL"]
            assert len(late) == is_late and (not late or "records wait in /run for " in late[0]), late
            if name == "pending":
                shutil.move(chainlib.RUN + "/pending", chainlib.RUN + "/carrying")


def test_an_old_record_is_not_expected_in_sinks():
    """They keep what came for some time only; a host that nobody uses writes none for months."""
    for days, level in ((1, "CRITICAL"), (8, "OK")):
        os.makedirs("/var/log/journal", exist_ok=True)
        write(step(GRANTED, days))
        os.makedirs("/var/log/journal", exist_ok=True)
        found = [(lv, t) for lv, t in rows()["log"] if "record" in t and "listens" not in t]
        assert [lv for lv, _ in found] == [level], (days, found)
    # a journal in memory has nothing of another boot
    write(step(GRANTED, 1))
    found = [lv for lv, t in rows()["log"] if "listens" not in t]
    assert found == [level], found


def turned(before, now, level, name, text):
    """Only that row is another one (the head is another in each chain, so the row log is)."""
    name = name if name in before else "breakglass/" + name
    assert [(lv, t) for lv, t in now[name] if lv == level and text in t], (text, now[name])
    other = {row for row in before | now if before.get(row) != now.get(row)} - {name, "log"}
    assert not other, (name, text, {row: (before.get(row), now.get(row)) for row in other})


def test_a_kernel_without_audit_turns_its_row():
    """As with audit=0: that file is not there, and everything else is."""
    write(step(("ATTEMPT", "login begun"), 20))
    before = rows()
    for name in ("sessionid", "loginuid"):
        without = ("strace", "-qq", "-o", "/mnt/strace", "-P", "/proc/self/" + name, "-e",
                   "inject=access,faccessat,faccessat2:error=ENOENT")
        turned(before, rows(without), "CRITICAL", "audit", "sudo and su are refused inside a session")


GETENT = "/usr/bin/getent"


def answers(passwd, groups="true"):
    """Takes getent's place: what the system's sources answer."""
    with open("/mnt/getent", "w", encoding="ascii") as f:
        f.write(f"#!/bin/sh\ncase $1 in passwd) {passwd};; initgroups) {groups};; esac\n")
    os.chmod("/mnt/getent", 0o755)


def test_what_the_system_answers_turns_its_row():
    with open("/etc/breakglass/accounts/breakglass/host", encoding="ascii") as f:
        uid = int(re.search(r"^uid = (\d+)$", f.read(), re.M)[1])
    good = f"echo breakglass:x:{uid}:1:::"
    table = (
        ("echo breakglass:x:4811:1:::", "true", "CRITICAL", "lookup", "not uid "),
        ("exit 2", "true", "CRITICAL", "lookup", "the system gives"),
        ("exec sleep 100", "true", "CRITICAL", "lookup", "the account's name is not answered within"),
        ("kill -SEGV $$", "true", "CRITICAL", "lookup", "ends the program that asks for the account"),
        (good, "kill -SEGV $$", "CRITICAL", "groups", "ends the program that asks for them"),
        (good, "exec sleep 100", "CRITICAL", "groups", "a source of groups does not answer within"),
    )
    write(step(("ATTEMPT", "login begun"), 20))
    answers(good)
    subprocess.run(["mount", "--bind", "/mnt/getent", GETENT], check=True)
    try:
        before = rows()
        for name in ("lookup", "groups"):
            assert before["breakglass/" + name][0][0] == "OK", before
        for passwd, groups, level, name, text in table:
            answers(passwd, groups)
            turned(before, rows(), level, name, text)
    finally:
        subprocess.run(["umount", GETENT], check=True)


LOCKED = "/etc/breakglass/accounts/breakglass/locked"
MARK = "/run/breakglass/locks/breakglass"
LOCK = "[lock]\nid = " + "a5" * 16 + "\nat = 2026-11-20T10:00:00Z\nby = root (kim)\n"


def lift_mark():
    """As the module leaves it when a quorum lifted that lock (lib/core/record.c)."""
    content = len(b"breakglass").to_bytes(2, "big") + b"breakglass" + b"\xa5" * 16
    record = b"bgR1\5" + len(content).to_bytes(4, "big") + content
    return record + hashlib.sha256(record).digest()


def put_file(path, data):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, 0o600)


def test_a_lock_turns_its_row():
    table = (
        (LOCK.encode(), None, "locked since 2026-11-20T10:00:00Z by root (kim)"),
        (b"x", None, "accounts/breakglass/locked cannot be read, and locks"),
        (LOCK.encode(), lift_mark(), "lifted the lock of 2026-11-20T10:00:00Z, but its file is still"),
        # a mark that is damaged lifts nothing
        (LOCK.encode(), lift_mark()[:-1], "locked since 2026-11-20T10:00:00Z by root (kim)"),
    )
    write(step(("ATTEMPT", "login begun"), 20))
    before = rows()
    assert before["breakglass/lock"] == [("OK", "not locked")], before["breakglass/lock"]
    for lock, mark, text in table:
        put_file(LOCKED, lock)
        if mark:
            put_file(MARK, mark)
        try:
            turned(before, rows(), "WARNING", "lock", text)
        finally:
            for path in (LOCKED, MARK):
                if os.path.exists(path):
                    os.unlink(path)
    # lifted, and its file gone, as it should be
    put_file(MARK, lift_mark())
    assert rows() == before
    os.unlink(MARK)


def test_a_log_that_another_reads_is_no_damage():
    """log verify of a long one at the time of the daily check: nothing to wake anybody for."""
    write(step(GRANTED, 1))
    with open(chainlib.RUN + "/carry", "w", encoding="ascii") as f:
        os.chmod(f.name, 0o600)
        fcntl.flock(f, fcntl.LOCK_EX)
        level, text = rows()["breakglass/reviews"][0]
    assert level == "WARNING" and "is being read or written by another" in text, (level, text)


def test_check_failed_names_a_host():
    """Also where what is broken is the file that says how the host is called."""
    host = "/etc/breakglass/accounts/breakglass/host"
    for mode, name in ((0o600, "db1"), (0o644, socket.gethostname())):
        chainlib.reset()
        write(*(step(("SHARE_ACCEPTED", f"{n} typed here"), 1) for n in ("ops", "dba")))
        os.chmod(host, mode)
        subprocess.run([cmdlib.UNLOCK, "check", "--announce"], capture_output=True, check=False)
        os.chmod(host, 0o600)
        with open(chainlib.RUN + "/pending", encoding="utf-8") as f:
            record = json.loads(f.read().splitlines()[-1])
        assert (record["event"], record.get("host")) == ("CHECK_FAILED", name), record


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


def cost(*args):
    """Seconds of processor time that a verb takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([cmdlib.UNLOCK, *args], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_one_request_of_many_is_found_in_time():
    """Not each record against each request: a report of it has a minute for each of its parts."""
    chainlib.reset()
    long_log()
    proof, once = cost("log", "verify")
    shown, secs = cost("log", "show", digest(RECORDS // PER_USE // 2))
    assert "whole" in proof and shown.count("\nREQUEST ") == 1, (proof, shown)
    assert secs < 10 * once, (secs, once)


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
