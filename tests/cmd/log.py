#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bg-unlock log: damage of each kind is found, also by the heads that others know; exports read back."""

import hashlib
import json
import os
import re
import shutil
import sys
import tarfile
import time

import chainlib
import cmdlib
from chainlib import Chain, plain, put, segment
from cmdlib import run

DIGEST = "5be3" + "ab" * 30
REASON = 'LDAP "db=1" is \\ down] | again = é'


def verify(*args, status=0):
    """The exit status and all that was said."""
    done = run("log", "verify", *args, check=status)
    return done.stdout + done.stderr


def journal(*heads, status=0):
    """Takes journalctl's place; it must be asked for what only root's processes can have sent."""
    put("/mnt/journal", heads)
    with open("/mnt/journalctl", "w", encoding="ascii") as f:
        f.write(f"#!/bin/sh\necho \"$*\" >/mnt/asked\ncat /mnt/journal\nexit {status}\n")
    os.chmod("/mnt/journalctl", 0o755)


def start(*args, **kwargs):
    chainlib.reset()
    journal()
    chain = plain(9)
    chain.write(*(args or (4, 3)), **kwargs)
    return chain


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def test_whole_chain_is_whole():
    chain = start()
    said = verify()
    assert f"whole: 9 records, the last one is {chain.head(9)}" in said, said
    with open("/mnt/asked", encoding="ascii") as f:
        asked = f.read()
    assert "_TRANSPORT=journal" in asked and "_UID=0" in asked, asked


def test_damage_of_each_kind_is_named():
    def rewrite(change, path=segment(1)):
        lines = lines_of(path)
        change(lines)
        put(path, lines)

    def swap(lines):
        lines[1], lines[2] = lines[2], lines[1]

    one, two, pending = segment(1), segment(2), chainlib.RUN + "/pending"
    table = (
        ("a changed record", lambda: rewrite(lambda x: x.__setitem__(1, x[1].replace("db1", "db2"))),
         f"{one}:2: record 2 was changed"),
        ("a changed last record", lambda: rewrite(
            lambda x: x.__setitem__(1, x[1].replace("db1", "db2")), pending), "record 9 was changed"),
        ("no record any more", lambda: rewrite(lambda x: x.__setitem__(1, "{}")),
         f"{one}:2: record 2 is no record"),
        ("removed from the middle", lambda: rewrite(lambda x: x.pop(1)), "record 2 missing before"),
        ("removed at a segment's end", lambda: rewrite(lambda x: x.pop()), "record 4 missing before"),
        ("the first one removed", lambda: rewrite(lambda x: x.pop(0)), "record 1 missing before"),
        ("reordered", lambda: rewrite(swap), "stands at the wrong place"),
        ("doubled", lambda: rewrite(lambda x: x.insert(1, x[1])), "stands at the wrong place, or twice"),
        ("put in from elsewhere", lambda: rewrite(
            lambda x: x.insert(1, plain(1).lines[0].replace("db1", "db9"))), "stands at the wrong place"),
        ("a whole segment in the middle", lambda: os.unlink(two), "records 5 to 7 missing before"),
        ("the end, known in /run", lambda: put(pending, lines_of(pending)[:-1]), "record 9 cut off"),
        ("half a line in a segment", lambda: open(two, "a", encoding="ascii").write("{") and None,
         "cut off"),
    )
    for name, damage, expected in table:
        start()
        damage()
        said = verify(status=1)
        assert expected in said and "DAMAGED" in said, (name, said)


def test_missing_tail_is_known_elsewhere():
    """Cut off with the head in /run rewritten to fit: within the host's files all is well."""
    for source in ("journal", "syslog", "heads", "segments"):
        chain = start()
        cut = Chain()
        cut.lines = chain.lines[:6]
        cut.write(4, 2)
        assert "whole: 6 records" in verify(), source
        lost = [chain.head(n) for n in (6, 7, 8, 9)]
        if source == "journal":
            journal(*lost)
            args, who = (), "the journal"
        elif source == "syslog":
            put("/var/log/auth.log", [f"Nov 21 10:00:00 db1 pam_breakglass[7]: GRANTED chain={h}"
                                      for h in lost])
            args, who = (), "/var/log/auth.log"
        else:
            put("/mnt/copy", lost if source == "heads" else chain.lines)
            args, who = ("--heads", "/mnt/copy"), "/mnt/copy"
        said = verify(*args, status=1)
        assert f"{who}: records 7 to 9, known there, not in the log" in said, (source, said)
        told = json.loads(run("log", "verify", "--json", *args, check=1).stdout)
        assert told["findings"] == [{"kind": "missing", "source": who, "seq": 7, "last_seq": 9,
                                     "is_doubt": source == "syslog"}], told
        assert (told["damages"], told["doubts"]) == ((0, 1) if source == "syslog" else (1, 0)), told
        assert ("DOUBTFUL: 6 records" if source == "syslog" else "DAMAGED: 6 records") in said, said


def test_no_log_at_all_is_damage_where_one_is_known():
    chain = start()
    journal(chain.head(8), chain.head(9))
    for folder in (chainlib.VAR, chainlib.RUN):
        shutil.rmtree(os.path.dirname(folder))
    said = verify(status=1)
    assert "the journal: records 8 to 9, known there, not in the log" in said, said
    assert "DAMAGED: 0 records" in said and "nothing was recorded" not in said, said
    told = json.loads(run("log", "verify", "--json", check=1).stdout)
    assert told["damages"] == 1 and told["findings"][0]["last_seq"] == 9, told
    journal()
    assert "nothing was recorded" in verify(status=3)
    for part in ("verify", "show"):
        assert json.loads(run("log", part, "--json", check=3).stdout)["error"], part


def test_what_is_no_file_is_not_waited_for():
    start()
    os.mkfifo("/var/log/auth.log")
    assert "whole: 9 records" in verify()


def test_rewritten_chain_is_known_elsewhere():
    """All anew from a changed record on, head and links too: only a copy contradicts."""
    chain = start()
    other = Chain()
    for i in range(9):
        other.add("ATTEMPT", host="db1", account="breakglass" if i != 5 else "nobody",
                  origin="192.0.2.7", service="sshd", count=i + 1)
    other.write(4, 3)
    assert "whole: 9 records" in verify()
    journal(*(chain.head(n) for n in range(1, 10)))
    said = verify("--journal", status=1)
    assert "the journal: records 6 to 9, known with another hash" in said, said
    assert "records 1" not in said, said


def forged(*heads):
    """What `logger -t 'pam_breakglass[7]'` of any user leaves in a syslog's file."""
    put("/var/log/auth.log", [f"Nov 21 10:00:00 db1 pam_breakglass[7]: GRANTED host=db1 chain={h}"
                              for h in heads])


def test_a_line_that_anybody_can_write_is_a_doubt_and_no_proof():
    chain = start()
    for fake in (f"99:{'ab' * 32}", f"4:{'ab' * 32}"):
        number = fake.split(":", maxsplit=1)[0]
        forged(*(chain.head(n) for n in range(1, 10)), fake)
        for args in ((), ("--syslog", "/var/log/auth.log")):
            said = verify(*args, status=1)
            assert f"/var/log/auth.log: record {number}, known " in said, said
            assert "DOUBTFUL: 9 records" in said and "DAMAGED" not in said, said
            assert "anybody on the host can write such a line" in said, said
            assert f"journalctl -o verbose -g 'chain={number}:'" in said, said
            assert "compare BREAKGLASS_CHAIN" not in said, said
        # one that can be believed knows it as well: whichever was asked first
        put("/mnt/copy", [fake])
        for args in (("--heads", "/mnt/copy", "--syslog", "/var/log/auth.log"),
                     ("--syslog", "/var/log/auth.log", "--heads", "/mnt/copy")):
            said = verify(*args, status=1)
            assert f"/mnt/copy: record {number}, known " in said and "DAMAGED: 9 records" in said, said
            assert "anybody on the host" not in said, said
        journal(fake)
        said = verify(status=1)
        assert "the journal: record" in said and "DAMAGED: 9 records" in said, said
        journal()
    forged(*(chain.head(n) for n in range(1, 10)))
    assert "whole: 9 records" in verify()


def begun_anew(boot, *lengths):
    """Three records, then two of a chain that begins anew with DEGRADED."""
    start()
    first, second = plain(3), Chain()
    second.add("DEGRADED", boot=boot, result="the log's head is missing, a new segment starts")
    second.add("ATTEMPT", boot=boot, host="db1", account="breakglass", count=1)
    both = Chain()
    both.lines = first.lines + second.lines
    both.write(*lengths, head=False)
    put(chainlib.RUN + "/head", [second.head(2).replace(":", " ")])
    return first, second


def test_a_head_that_was_removed_on_a_running_host_is_a_finding():
    for lengths, where in (((5,), segment(1) + ":4"), ((3, 2), segment(2) + ":1"),
                           ((3,), chainlib.RUN + "/pending:1")):
        begun_anew("01234567-89ab-cdef-0123-456789abcdef", *lengths)
        said = verify()
        assert "whole: 5 records" in said and "starts a new segment after the head" in said, said
        _, second = begun_anew(chainlib.BOOT, *lengths)
        said = verify(status=1)
        assert f"error: {where}: record 1 begins anew in the middle of a boot" in said, said
        assert "DOUBTFUL: 5 records" in said and "only root can remove /run/breakglass" in said, said
        told = json.loads(run("log", "verify", "--json", check=1).stdout)
        assert [f["kind"] for f in told["findings"]] == ["lost"], told
        assert (told["damages"], told["doubts"], told["restarts"]) == (0, 1, 1), told
        assert "begins anew" in run("log", "show", check=0).stderr
        # what went with it is known elsewhere
        journal(second.head(1), f"4:{'cd' * 32}")
        said = verify(status=1)
        assert "DAMAGED" in said and "the journal: record 4, known there, not in the log" in said, said


CARRY = os.path.join(os.path.dirname(cmdlib.UNLOCK), "../breakglass-carry/breakglass-carry")


def test_results_of_handlers_that_wait_at_boot_begin_no_chain_of_their_own():
    """As after a power cut: /run is empty, and the handlers' user has left results, true or not."""
    chain = start(9)
    shutil.rmtree("/run/breakglass")
    os.makedirs("/var/lib/breakglass/spool/told")
    put("/var/lib/breakglass/spool/told/1-mail", ["1 1 150 0 mail"])
    assert cmdlib.subprocess.run([CARRY], check=False).returncode == 0
    assert os.listdir("/var/lib/breakglass/spool/told") == []
    told = [json.loads(line) for line in lines_of(segment(1))]
    assert told[9]["event"] == "ALERT_DELIVERED" and told[9]["seq"] == 10, told[9:]
    assert told[9]["prev"] == chainlib.sha(chain.lines[8]) and len(told) == 10, told[9:]
    said = verify()
    assert "whole: 10 records" in said and "new segment" not in said, said


def test_a_head_that_is_gone_now_is_a_finding():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        now = f.read().strip()
    for boot, status in ((now, 1), (chainlib.BOOT, 0)):
        for gone in (chainlib.RUN + "/head", chainlib.RUN, "/run/breakglass"):
            start()
            chain = Chain()
            for i in range(3):
                chain.add("ATTEMPT", boot=boot, host="db1", account="breakglass", count=i + 1)
            chain.write(3)
            os.unlink(chainlib.RUN + "/pending")
            assert "whole: 3 records" in verify()
            (shutil.rmtree if os.path.isdir(gone) else os.unlink)(gone)
            said = verify(status=status)
            lost = "record 3 is the last one here: the head in /run was removed"
            assert (lost in said) == bool(status), (gone, said)
            assert ("DOUBTFUL" if status else "whole") + ": 3 records" in said, said
            os.makedirs(chainlib.RUN, mode=0o700, exist_ok=True)


def test_text_of_strangers_is_no_head():
    """A reason is quoted in syslog's line, and only the last word of a line is a head."""
    start()
    fake = f"99:{'ab' * 32}"
    put("/var/log/auth.log", [
        f'Nov 21 10:00:00 db1 pam_breakglass[7]: ATTEMPT reason="x chain={fake}"',
        f"Nov 21 10:00:00 db1 pam_breakglass[7]: ATTEMPT reason=chain={fake} chain=1:no",
        f"Nov 21 10:00:00 db1 other[7]: xchain={fake}", "x" * 40000 + f" chain={fake}"])
    said = verify()
    assert "whole" in said, said


def test_files_that_are_asked_for_must_be_there():
    start()
    put("/mnt/empty", ["nothing"])
    assert "/mnt/none" in verify("--heads", "/mnt/none", status=3)
    assert "/mnt/none" in verify("--syslog", "/mnt/none", status=3)
    assert "holds neither" in verify("--heads", "/mnt/empty", status=2)
    journal(status=1)
    verify("--journal", status=3)
    verify()


def test_oldest_segments_may_be_moved_away():
    chain = start(3, 3)
    shutil.move(segment(1), "/mnt/moved")
    said = verify()
    assert "record 4 is the first here" in said and "whole: 6 records" in said, said
    assert "It begins with record 4" in said, said
    # what was moved away still is this chain's: its last record has the hash that record 4 names
    assert "whole" in verify("--heads", "/mnt/moved")
    forged = plain(3)
    forged.lines[2] = forged.lines[2].replace("db1", "db2")
    put("/mnt/forged", forged.lines)
    assert "record 3, known with another hash" in verify("--heads", "/mnt/forged", status=1)
    journal(chain.head(1), chain.head(2))
    assert "whole" in verify()
    # never the newest
    os.unlink(segment(2))
    assert "missing before" in verify(status=1)


def story():
    chain = Chain()
    base = {"host": "db1", "account": "breakglass", "key": "a", "holder": "Example Holder",
            "service": "sshd", "origin": "192.0.2.7", "set": "cd" * 16, "epoch": 1,
            "role": "identity"}
    chain.add("ATTEMPT", host="db1", account="breakglass", service="sshd", origin="192.0.2.7", count=1)
    chain.add("REQUEST_OPENED", request="0123" * 8, **base)
    chain.add("SHARE_ACCEPTED", request=DIGEST, reason=REASON, result="ops typed here", **base)
    chain.add("GRANTED", severity=0, request=DIGEST, reason=REASON, custodians="ops, dba",
              result="key and quorum; typed here: ops, dba", **base)
    chain.add("GRANTED", severity=0, request="77" * 32, reason="another one", custodians="ops",
              result="key and quorum", **base)
    return chain


def read_rfc5424(line):
    """RFC 5424 section 6: the header's words, and the one structured element."""
    match = re.fullmatch(r'<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) \[(\S+)((?: [^\s="\]]{1,32}='
                         r'"(?:[^"\\\]]|\\["\\\]])*")*)\] (.*)', line)
    assert match, line
    pairs = re.findall(r' ([^\s=]+)="((?:[^"\\\]]|\\.)*)"', match[8])
    fields = {name: re.sub(r'\\(["\\\]])', r"\1", text) for name, text in pairs}
    return match, fields


def read_cef(line):
    """The Common Event Format: seven parts parted by |, then key=value with \\= and \\\\."""
    parts = re.split(r"(?<!\\)\|", line, maxsplit=7)
    assert len(parts) == 8 and parts[0] == "CEF:0", line
    keys = list(re.finditer(r"(?:^|(?<= ))([A-Za-z0-9]+)=", parts[7]))
    fields = {}
    for i, key in enumerate(keys):
        end = keys[i + 1].start() - 1 if i + 1 < len(keys) else len(parts[7])
        fields[key[1]] = re.sub(r"\\(.)", r"\1", parts[7][key.end():end])
    return parts, fields


def test_rfc5424_reads_back_to_the_same_fields():
    start()
    chain = story()
    chain.write(5)
    os.makedirs("/etc/breakglass", exist_ok=True)
    with open("/etc/breakglass/breakglass.conf", "w", encoding="ascii") as f:
        f.write("[breakglass]\nsyslog-sd-id = unit@12345\n")
    lines = run("log", "show", "--format", "rfc5424", check=0).stdout.splitlines()
    os.unlink("/etc/breakglass/breakglass.conf")
    for line, text, record in zip(lines, chain.lines, chain.records(), strict=True):
        header, fields = read_rfc5424(line)
        assert int(header[1]) == 80 + record["severity"] and header[7] == "unit@12345", line
        assert (header[2], header[3], header[6]) == (record["time"], "db1", record["event"]), line
        assert fields.pop("hash") == chainlib.sha(text)
        for name in ("schema", "time", "event"):
            record.pop(name)
        assert fields == {k: str(v) for k, v in record.items()}, (fields, record)


def test_cef_reads_back_to_the_same_fields():
    start()
    chain = story()
    chain.write(5)
    plain_keys = {"seq": "externalId", "host": "dvchost", "account": "duser", "holder": "suser",
                  "reason": "reason", "service": "sproc", "result": "outcome", "count": "cnt"}
    lines = run("log", "show", "--format=cef", check=0).stdout.splitlines()
    for line, text, record in zip(lines, chain.lines, chain.records(), strict=True):
        header, fields = read_cef(line)
        assert header[4] == record["event"] and 0 <= int(header[6]) <= 10, line
        labels = {fields[k]: fields[k.removesuffix("Label")] for k in fields if k.endswith("Label")}
        assert fields["fileHash"] == chainlib.sha(text)
        assert fields["rt"].isdigit()
        for name, value in record.items():
            if name in ("schema", "time", "event"):
                continue
            got = fields[plain_keys[name]] if name in plain_keys else labels[name]
            assert got == str(value), (name, got, value)


def test_one_request_is_shown_alone():
    start()
    story().write(5)
    short = re.search(r"REQUEST (\w{4}),", run("log", "show", DIGEST[:10], check=0).stdout)[1]
    for name in (short, short.lower(), DIGEST, DIGEST[:6].upper(), "012301230123"):
        shown = run("log", "show", name, check=0).stdout
        assert "LDAP" in shown and "another one" not in shown, (name, shown)
    told = json.loads(run("log", "show", "--json", DIGEST, check=0).stdout)
    assert [r["seq"] for r in told["records"]] == [1, 2, 3, 4], told["records"]
    for name in ("ZZZZ", "5be", "ffffffff", ""):
        assert "no request" in run("log", "show", name, check=1).stderr, name


def test_role_is_told_once_and_old_records_have_none():
    start()
    chain = story()
    old = {"host": "db1", "account": "breakglass", "key": "a", "holder": "H", "epoch": 1}
    chain.add("GRANTED", severity=0, request="55" * 32, result="key and quorum", **old)
    chain.add("SESSION_OPENED", request="55" * 32, result="open; role full", **old)
    chain.write(7)
    shown = run("log", "show", DIGEST, check=0).stdout
    assert shown.count("identity") == 1 and "\n  role       identity\n" in shown, shown
    shown = run("log", "show", "55" * 32, check=0).stdout
    assert "  role " not in shown and "session began: open; role full" in shown, shown
    verify()


def test_story_tells_what_a_session_began_beside():
    start()
    chain = story()
    chain.add("SESSION_OPENED", request=DIGEST, result="open", host="db1", account="breakglass")
    chain.add("SESSION_CONTEXT", request=DIGEST, host="db1", account="breakglass", ordinary=240,
              normal="healthy", severity=1,
              result="an ordinary login 4 minutes before; normal ways looked healthy")
    chain.write(7)
    shown = run("log", "show", DIGEST, check=0).stdout
    assert "  begun beside: an ordinary login 4 minutes before; normal ways\n" in shown, shown
    cef = run("log", "show", "--format", "cef", check=0).stdout.splitlines()[-1]
    assert " flexNumber1Label=ordinary flexNumber1=240 msg=healthy " in cef, cef
    verify()


def test_story_tells_of_sessions_without_an_end():
    start()
    chain = story()
    for count in (1, 2):
        chain.add("SESSION_OPENED", request=DIGEST, result="open", host="db1", account="breakglass")
        chain.write(len(chain.lines))
        shown = run("log", "show", DIGEST, check=0).stdout
        last = shown.splitlines()[-1]
        assert f"no end is recorded of {count} session{'s' * (count > 1)}: open still" in last, shown
        assert len(last) <= 79, shown
    for _ in range(2):
        chain.add("SESSION_CLOSED", request=DIGEST, host="db1", account="breakglass",
                  result="closed after 7 s; a review is due")
    chain.write(len(chain.lines))
    assert "no end is recorded" not in run("log", "show", DIGEST, check=0).stdout


def test_a_use_that_the_host_went_down_with_owes_its_review():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        now = f.read().strip()
    with open("/proc/uptime", encoding="ascii") as f:
        uptime = int(float(f.read().split()[0]))
    for boot, ends, due in ((chainlib.BOOT, (), True), (now, (), False),
                            (now, ("SESSION_CLOSED",), True), (now, ("SESSION_EXPIRED",), True)):
        start()
        chain = story()
        for event in ("SESSION_OPENED", *ends):
            chain.add(event, request=DIGEST, host="db1", account="breakglass", boot=boot,
                      boottime=uptime, result="x")
        chain.write(len(chain.lines))
        shown = run("log", "show", DIGEST, check=0).stdout
        assert ("OPENED by ops, dba; review due\n" in shown) == due, (boot, ends, shown)


def test_who_ended_it_is_said_in_one_breath():
    start()
    chain = story()
    for event, result in (("REVOKED", "by root (x); 1 session"), ("REVOKED", "refused by ops"),
                          ("LOCKED", "by root (x), until")):
        chain.add(event, request=DIGEST, host="db1", account="breakglass", result=result)
    chain.write(8)
    shown = run("log", "show", DIGEST, check=0).stdout
    for text in ("  ended by root (x); 1 session\n", "  ended: refused by ops\n", "  LOCKED by root (x)"):
        assert text in shown, (text, shown)


def test_an_empty_log_is_said_to_be_one():
    chainlib.reset()
    shown = run("log", "show", check=0).stdout
    assert shown.endswith("\nNothing is recorded yet.\n"), shown


def test_a_drill_is_told_as_one():
    start()
    chain = story()
    for i, line in enumerate(chain.lines[2:4], 2):
        chain.lines[i] = line.replace('"result":"', '"result":"drill: ')
    again = Chain()
    for record in chain.records():
        again.add(**{k: v for k, v in record.items() if k not in ("schema", "seq", "prev")})
    again.write(5)
    shown = run("log", "show", DIGEST, check=0).stdout
    assert "breakglass@db1: a drill, passed by ops, dba\n" in shown and "OPENED by" not in shown, shown
    again.lines.pop()
    again.lines.pop()
    again.write(3)
    assert "typed into this host: ops\n" in run("log", "show", DIGEST, check=0).stdout


def test_ambiguous_request_is_refused():
    start()
    chain = Chain()
    for tail in ("01", "02"):
        chain.add("GRANTED", request="abcdef" + tail * 29, account="breakglass")
    chain.write(2)
    assert "2 requests are called" in run("log", "show", "abcdef", check=1).stderr
    assert "2 requests" not in run("log", "show", "abcdef01", check=0).stdout


# as auditd 3.0 of Debian 12 writes it, also with what ENRICHED puts behind a group separator
AUDIT = """\
type=SYSCALL msg=audit({t}.100:11): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c items=2 ppid=1 pid=2 auid=4711 uid=0 gid=0 tty=pts0 ses=3 comm="vi" exe="/usr/bin/vi" key="breakglass-breakglass"\x1dARCH=x86_64 SYSCALL=openat AUID="breakglass" UID="root"
type=SYSCALL msg=audit({t}.200:12): arch=c000003e syscall=257 success=yes auid=1000 uid=0 ses=4 exe="/bin/x" key=(null)
type=CWD msg=audit({t}.100:11): cwd="/etc/sssd"
type=PATH msg=audit({t}.100:11): item=0 name="/etc/sssd/" nametype=PARENT
type=PATH msg=audit({t}.200:12): item=1 name="/etc/else" nametype=CREATE
type=PATH msg=audit({t}.100:11): item=1 name="sssd.conf" inode=1 nametype=CREATE cap_fp=0\x1dOUID="root"
type=PROCTITLE msg=audit({t}.100:11): proctitle=76690073737364
type=SYSCALL msg=audit({t}.300:14): arch=c000003e syscall=59 success=yes exit=0 auid=4711 uid=0 ses=3 exe="/usr/bin/systemctl" key="breakglass-breakglass"
type=EXECVE msg=audit({t}.300:14): argc=4 a0="systemctl" a1="restart" a2=6F6E652074776F
type=EXECVE msg=audit({t}.300:14): a3_len=6 a3[0]="abc" a3[1]=64656627
type=CWD msg=audit({t}.300:14): cwd="/"
type=PATH msg=audit({t}.300:14): item=0 name="/usr/bin/systemctl" nametype=NORMAL
type=SYSCALL msg=audit({t}.400:15): arch=c000003e syscall=87 success=yes auid=4711 uid=1001 ses=3 exe="/usr/bin/rm" key="breakglass-breakglass"
type=CWD msg=audit({t}.400:15): cwd="/tmp"
type=PATH msg=audit({t}.400:15): item=1 name=612062 nametype=DELETE
type=SYSCALL msg=audit({t}.410:16): syscall=87 success=yes auid=4711 uid=1001 ses=3 exe="/usr/bin/rm" key="breakglass-breakglass"
type=PATH msg=audit({t}.410:16): item=1 name="/tmp/a b" nametype=DELETE
type=SYSCALL msg=audit({t}.500:17): syscall=257 success=yes auid=4711 uid=1001 ses=3 exe="/usr/bin/bash" key="breakglass-breakglass"
type=PATH msg=audit({t}.500:17): item=0 name="/dev/null" nametype=NORMAL
type=SYSCALL msg=audit({t}.510:18): syscall=257 success=no auid=4711 uid=1001 ses=3 exe="/usr/bin/bash" key="breakglass-breakglass"
type=PATH msg=audit({t}.510:18): item=0 name="/etc/refused" nametype=NORMAL
type=SYSCALL msg=audit({t}.520:19): syscall=257 success=yes auid=4711 uid=0 ses=3 exe="/usr/bin/cat" key="shadow"
type=PATH msg=audit({t}.520:19): item=0 name="/etc/shadow" nametype=NORMAL
type=SYSCALL msg=audit({t}.530:20): syscall=257 success=yes auid=4711 uid=0 ses=3 exe="/usr/bin/tee" key="breakglass-breakglass"
type=PATH msg=audit({t}.530:20): item=0 name=2F6574632F1B5B32 nametype=NORMAL
type=SYSCALL msg=audit(1500000000.200:13): arch=c000003e syscall=257 success=yes auid=4711 uid=0 ses=1 key="breakglass-breakglass"
type=PATH msg=audit(1500000000.200:13): item=1 name="/etc/long-ago" nametype=CREATE
"""


def report_place():
    """What a host has after a use: the account's uid, syslog, auditd's log."""
    start()
    story().write(5)
    os.makedirs("/etc/breakglass/accounts/breakglass", mode=0o700)
    put("/etc/breakglass/accounts/breakglass/host", ["[host]", "label = db1", "account = breakglass",
        "uid = 4711", "epoch = 1", "seal = " + "ab" * 32])
    put("/var/log/auth.log", [f"db1 pam_breakglass[7]: GRANTED request={DIGEST} chain=x", "db1 other: y"])
    os.makedirs("/var/log/audit")
    lines = AUDIT.format(t=1795255202).split("\n")[:-1]
    put("/var/log/audit/audit.log.10", lines[-2:])
    put("/var/log/audit/audit.log.2", lines[:8])
    put("/var/log/audit/audit.log", lines[8:-2])
    journal('{"from":"journal"}')


def test_report_has_all_of_one_use():
    report_place()
    done = run("log", "report", DIGEST[:8], "-o", "/mnt/report.tar", check=0)
    assert done.stdout == "/mnt/report.tar\n", done
    assert os.stat("/mnt/report.tar").st_mode & 0o777 == 0o600
    assert os.listdir("/var/tmp") == []
    with tarfile.open("/mnt/report.tar") as tar:
        parts = {os.path.basename(m.name): tar.extractfile(m).read().decode()
                 for m in tar.getmembers() if m.isfile()}
    hashes = dict(reversed(line.split("  ")) for line in parts.pop("SHA256SUMS").splitlines())
    assert hashes == {n: hashlib.sha256(t.encode()).hexdigest() for n, t in parts.items()}, hashes
    for name in hashes:
        assert name == "README.txt" or name in parts["README.txt"], name
    assert DIGEST in parts["README.txt"]
    assert "share counted: ops typed here" in parts["story.txt"]
    assert "another one" not in parts["story.txt"]
    assert [r["seq"] for r in json.loads(parts["records.json"])["records"]] == [1, 2, 3, 4]
    assert "journal" in parts["journal.json"] and "journal" in parts["sudo.txt"]
    assert "GRANTED request=" in parts["syslog.txt"] and "other: y" not in parts["syslog.txt"]
    assert "whole: 5 records" in parts["verify.txt"], parts["verify.txt"]
    assert "auid=4711" in parts["audit.txt"] and "auid=1000" not in parts["audit.txt"]
    assert "long-ago" not in parts["audit.txt"]
    # by login uid and time; joined over rotated files and other events' records in between
    day = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1795255202))
    command = f"{day}  session 3  uid 0  systemctl restart 'one two' abc'def'\\'''\n"
    assert parts["commands.txt"] == command, parts["commands.txt"]
    assert [line.split("  ", 2)[2] for line in parts["files.txt"].splitlines()] == [
        "uid 0  made    /etc/sssd/sssd.conf  by /usr/bin/vi",
        "uid 1001  removed /tmp/a b  by /usr/bin/rm",
        "uid 0  named   /etc/shadow  by /usr/bin/cat",
        "uid 0  changed /etc/?[2  by /usr/bin/tee"], parts["files.txt"]
    assert "seal of epoch 1 is not here" in parts["seal.txt"]
    assert json.loads(parts["check.json"])["schema"] == 1
    again = run("log", "report", DIGEST[:8], "-o", "/mnt/report.tar", check=3)
    assert "/mnt/report.tar" in again.stderr and os.listdir("/var/tmp") == [], again
    shutil.rmtree("/etc/breakglass/accounts")


def report(*more, log=AUDIT, t=1795255202):
    """The parts of a report of the story and more records; log: auditd's, its times from t."""
    report_place()
    chain = story()
    for event, second in more:
        chain.add(event, request=DIGEST, host="db1", account="breakglass", result="x",
                  time=f"2026-11-21T10:00:{second:02}.000Z")
    chain.write(len(chain.lines))
    for name in os.listdir("/var/log/audit"):
        os.unlink("/var/log/audit/" + name)
    put("/var/log/audit/audit.log", log.format(t=t).split("\n")[:-1])
    os.mkfifo("/var/log/syslog")
    run("log", "report", DIGEST[:8], "-o", "/mnt/some.tar", check=0)
    with tarfile.open("/mnt/some.tar") as tar:
        parts = {os.path.basename(m.name): tar.extractfile(m).read().decode()
                 for m in tar.getmembers() if m.isfile()}
    os.unlink("/mnt/some.tar")
    shutil.rmtree("/etc/breakglass/accounts")
    return parts


def test_report_goes_on_while_a_session_is_open():
    """Of two sessions one is closed; what the other one does then is of the use too."""
    begun = 1795255200  # 2026-11-21 10:00:00
    for events, has in (
        ((("SESSION_OPENED", 10), ("SESSION_OPENED", 11), ("SESSION_CLOSED", 12)), True),
        ((("SESSION_OPENED", 10), ("SESSION_CLOSED", 12)), False),
        ((("SESSION_OPENED", 10), ("SESSION_CLOSED", 12), ("REVIEWED", 59)), False),
        ((("SESSION_OPENED", 10), ("SESSION_EXPIRED", 12)), True),
    ):
        assert ("systemctl" in report(*events, t=begun + 40)["commands.txt"]) == has, events


def test_report_reads_records_with_the_host_before_them():
    """auditd.conf: name_format = HOSTNAME"""
    log = "".join(f"node=db1.example.org {line}\n" for line in AUDIT.split("\n")[:-1])
    parts = report(log=log)
    assert "systemctl restart 'one two'" in parts["commands.txt"], parts["commands.txt"]
    assert "made    /etc/sssd/sssd.conf" in parts["files.txt"], parts["files.txt"]


def test_report_has_events_that_were_written_at_once():
    """All records of all of them, whoever's stand between."""
    head = 'type=SYSCALL msg=audit({{t}}.1:{n}): success=yes auid=4711 uid=0 ses=3 exe="/x" key="k"\n'
    path = 'type=PATH msg=audit({{t}}.1:{n}): item=0 name="/made/{n}" nametype=CREATE\n'
    log = "".join(line.format(n=n) for line in (head, path) for n in range(16))
    parts = report(log=log)
    for n in range(16):
        assert f"made    /made/{n} " in parts["files.txt"], (n, parts["files.txt"])
        assert f'"/made/{n}"' in parts["audit.txt"], (n, parts["audit.txt"])


def test_report_is_not_ended_by_what_a_user_logs():
    """A NUL in a message of the account's own (journalctl -o cat prints it as it is)."""
    report_place()
    journal("before", "\0", "after")
    run("log", "report", DIGEST[:8], "-o", "/mnt/nul.tar", check=0)
    with tarfile.open("/mnt/nul.tar") as tar:
        parts = {os.path.basename(m.name): tar.extractfile(m).read() for m in tar.getmembers()
                 if m.isfile()}
    os.unlink("/mnt/nul.tar")
    shutil.rmtree("/etc/breakglass/accounts")
    for name in ("tlog.json", "sudo.txt", "journal.json"):
        assert parts[name] == b"before\n\0\nafter\n", (name, parts[name])
    hashes = dict(reversed(line.split("  ")) for line in parts["SHA256SUMS"].decode().splitlines())
    assert hashes["tlog.json"] == hashlib.sha256(parts["tlog.json"]).hexdigest()


def test_report_reads_what_auditd_really_writes():
    report_place()
    with open(os.path.join(os.path.dirname(__file__), "audit-session.log"), encoding="utf-8") as f:
        real = f.read().replace(" auid=1001 ", " auid=4711 ").replace("audit(179527677", "audit(179525520")
    shutil.rmtree("/var/log/audit")
    os.makedirs("/var/log/audit")
    put("/var/log/audit/audit.log", real.split("\n")[:-1])
    run("log", "report", DIGEST[:8], "-o", "/mnt/real.tar", check=0)
    with tarfile.open("/mnt/real.tar") as tar:
        parts = {os.path.basename(m.name): tar.extractfile(m).read().decode()
                 for m in tar.getmembers() if m.isfile()}
    commands = [line.split("  ", 3)[3] for line in parts["commands.txt"].splitlines() if line[0] != "("]
    assert commands == [
        "cat /proc/self/loginuid /proc/self/sessionid", "/bin/date -u", "mv made renamed",
        "ln -s renamed link", "chmod 600 renamed", "mkdir dir", "cat renamed",
        "cat /etc/passwd", "rm link", "/bin/echo 'with blank' 'uml ä' ''",
        "touch '/tmp/name with blank'"], commands
    files = [line.split("  ", 3)[3] for line in parts["files.txt"].splitlines() if line[0] != "("]
    assert [f.split("  by ")[0] for f in files] == [
        "made    /tmp/made", "changed /tmp/made", "removed /tmp/made", "made    /tmp/renamed",
        "made    /tmp/link", "changed /tmp/renamed", "made    /tmp/dir",
        "removed /tmp/link", "made    /tmp/name with blank"], files
    # the use began before the first line that auditd has
    assert "auditd's log begins at 2026-11-21 10:00:01 UTC" in parts["files.txt"], parts["files.txt"]
    os.unlink("/mnt/real.tar")
    shutil.rmtree("/etc/breakglass/accounts")


def test_report_says_what_the_host_does_not_have():
    start()
    story().write(5)
    journal(status=1)
    done = run("log", "report", DIGEST[:8], cwd="/mnt", check=0)
    with tarfile.open("/mnt/" + done.stdout.strip()) as tar:
        parts = {os.path.basename(m.name): tar.extractfile(m).read().decode()
                 for m in tar.getmembers() if m.isfile()}
    for name in ("syslog.txt", "audit.txt", "files.txt", "commands.txt", "sudo.txt", "sudo-io.txt",
                 "seal.txt", "journal.json"):
        assert parts[name].startswith("("), (name, parts[name])


def test_report_wants_one_request():
    start()
    story().write(5)
    for args, status in (((), 2), (("ffffff",), 1), ((DIGEST, "--journal"), 2), ((DIGEST, "x"), 2)):
        assert run("log", "report", *args, cwd="/mnt").returncode == status, args
    assert os.listdir("/var/tmp") == []


if __name__ == "__main__":
    chainlib.enter()
    journal()
    cmdlib.subprocess.run(["mount", "--bind", "/mnt/journalctl", "/usr/bin/journalctl"], check=True)
    cmdlib.main(sys.modules[__name__])
