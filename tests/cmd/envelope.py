#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Envelopes: made with Debian's age for the seal's recipient, opened by combine --open, sealed anew
by reseal --envelope."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import chainlib
import cmdlib
import requestlib
from cmdlib import PIN, Place, Terminal, fails, run

chainlib.enter()
chainlib.reset()
if os.path.exists("/mnt/passwd"):  # cmdlib's, which chainlib's own /etc hides
    subprocess.run(["mount", "--bind", "/mnt/passwd", "/etc/passwd"], check=True)

AGE = "/usr/bin/age"
SECRET = "root of db: correct horse\nbattery staple\n"


def age(*args, data=None):
    return subprocess.run([AGE, *args], input=data, check=True, capture_output=True,
                          timeout=60).stdout


class World(Place):
    def __enter__(self):
        super().__enter__()
        self.shares = self.ceremony()
        self.envelope = self.path("db.age")
        self.write("db.age", age("-r", self.recipient(), data=SECRET.encode()))
        return self

    def recipient(self, seal="breakglass.seal"):
        with open(self.path(seal), encoding="utf-8") as f:
            return re.search(r"^envelope-recipient = (age1\w+)$|^recipient = (age1\w+)$", f.read(),
                             re.M).group().split(" = ")[1]

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def lines(self, *names):
        return "".join(self.shares[n] + "\n" for n in names or ("ops", "audit"))

    def open(self, *more, envelope=None, seal=None, stdin=None, check=None):
        return run("combine", seal or self.seal, "--open", envelope or self.envelope, "--stdin",
                   *more, stdin=self.lines() if stdin is None else stdin, check=check,
                   cwd=self.folder)

    def files(self):
        return sorted(os.listdir(self.folder))


def test_to_a_file_and_to_standard_output():
    with World() as w:
        r = w.open(check=0)
        assert r.stdout == SECRET
        assert "quorum: stands (2 of 2)" in r.stderr and "not recorded" in r.stderr
        assert "this machine has now seen the shares of ops, audit: reseal" in r.stderr
        r = w.open("--output", "plain", check=0)
        assert r.stdout == "" and w.read("plain") == SECRET.encode()
        assert os.stat(w.path("plain")).st_mode & 0o7777 == 0o600
        armored = w.write("armored.age", age("-a", "-r", w.recipient(), data=b"x"))
        assert w.open(envelope=armored, check=0).stdout == "x"
        # to several recipients, and by a name that looks like an option
        own = age_identity(w)
        both = w.write("-both.age", age("-r", own, "-r", w.recipient(), data=b"both"))
        assert w.open(envelope=both, check=0).stdout == "both"
        r = run("combine", w.seal, "--open=-both.age", "--stdin", stdin=w.lines(), cwd=w.folder,
                check=0)
        assert r.stdout == "both"


def age_identity(w):
    subprocess.run(["age-keygen", "-o", w.path("other.key")], check=True, capture_output=True)
    return age_keygen_public(w.path("other.key"))


def age_keygen_public(path):
    return subprocess.run(["age-keygen", "-y", path], check=True, capture_output=True,
                          text=True).stdout.strip()


def test_big_ones_go_to_a_file():
    with World() as w:
        big = os.urandom(3_000_000)
        envelope = w.write("big.age", age("-r", w.recipient(), data=big))
        r = w.open(envelope=envelope)
        fails(r, 1, "holds more than 65536 bytes", "--output FILE")
        assert r.stdout == ""
        w.open("--output", "big", envelope=envelope, check=0)
        assert w.read("big") == big
        exact = os.urandom(65536).replace(b"\r", b"x")
        envelope = w.write("exact.age", age("-r", w.recipient(), data=exact))
        r = subprocess.run([cmdlib.UNLOCK, "combine", w.seal, "--open", envelope, "--stdin"],
                           input=w.lines().encode(), capture_output=True, check=True, timeout=60)
        assert r.stdout == exact


def open_S17_never_overwrites():
    with World() as w:
        w.write("plain", b"precious")
        before = w.files()
        fails(w.open("--output", "plain", stdin=""), 2, "never overwritten")
        assert w.read("plain") == b"precious" and w.files() == before
        os.symlink("/nowhere", w.path("link"))
        fails(w.open("--output", "link", stdin=""), 2, "never overwritten")
        fails(w.open("--output", "/none/plain"), 3, "/none/plain")


def test_wrong_foreign_and_damaged():
    with World() as w, World() as other:
        before = w.files()
        good = w.read("db.age")
        # nothing is asked for before it looks like one
        for name, data, status, text in (
                ("text", b"hello\n", 2, "is no envelope"), ("empty", b"", 2, "is no envelope"),
                ("cut.age", good[:10], 2, "is no envelope")):
            r = w.open(envelope=w.write(name, data), stdin="")
            fails(r, status, text, "age -r " + w.recipient())
            os.unlink(w.path(name))
        for path in (w.path("none"), w.folder, "/dev/null"):
            fails(w.open(envelope=path, stdin=""), 3, path)
        os.mkfifo(w.path("fifo"))
        fails(w.open(envelope=w.path("fifo"), stdin=""), 3, "is no file")
        os.unlink(w.path("fifo"))
        assert w.files() == before
        for name, data, status, text in (
                ("foreign", other.read("db.age"), 1, "is not sealed to this set"),
                ("own", age("-r", age_identity(other), data=b"x"), 1, "is not sealed to this set"),
                ("head", good[:40], 2, "damaged"),
                ("last", good[:-1], 2, "damaged"), ("more", good + b"x", 2, "damaged"),
                ("flip", good[:-4] + bytes([good[-4] ^ 1]) + good[-3:], 2, "damaged"),
                ("mac", good.replace(b"--- ", b"--- A", 1), 2, "damaged")):
            path = w.write(name, data)
            for more in ((), ("--output", "plain")):
                r = w.open(*more, envelope=path)
                fails(r, status, text)
                assert r.stdout == "" and "has now seen the shares" in r.stderr
            os.unlink(path)
        assert w.files() == before


def test_nothing_of_a_damaged_one_is_given_out():
    with World() as w:
        # the first 64 KiB are good, and age gives them out before it finds the rest damaged
        data = bytearray(age("-r", w.recipient(), data=b"a" * 60000 + b"b" * 100000))
        data[-5] ^= 1
        path = w.write("late.age", bytes(data))
        r = w.open("--output", "plain", envelope=path)
        fails(r, 2, "damaged")
        assert not os.path.exists(w.path("plain"))
        data = bytearray(age("-r", w.recipient(), data=b"a" * 65536))
        data[-5] ^= 1
        assert w.open(envelope=w.write("late.age", bytes(data))).stdout == ""


def test_too_few_and_old_shares():
    with World() as w:
        r = w.open(stdin=w.lines("ops"))
        fails(r, 1, "short: 1 of 2")
        assert r.stdout == ""


def test_usage():
    with World() as w:
        fails(run("combine", "--open", w.envelope), 2, "wants the seal")
        fails(run("combine", w.seal, "--open", w.envelope, "--reveal"), 2, "one of them")
        fails(run("combine", w.seal, "--output", "x"), 2, "--open FILE")
        t = Terminal("combine", w.seal, "--open", w.envelope, "--stdin")
        assert t.end() == 2 and "would be shown unasked" in t.shown


def test_at_a_terminal():
    with World() as w:
        for answer, status in (("no", 1), ("yes", 0)):
            t = Terminal("combine", w.seal, "--open", "db.age", cwd=w.folder)
            t.see("OPEN db.age")
            t.see("Reseal afterwards.")
            t.see("Share 1 of 2")
            t.send_when_hidden(w.shares["ops"])
            t.see("Share 2 of 2")
            t.send_when_hidden(w.shares["dba"])
            t.see("is about to be shown (41 bytes)")
            t.see("Type yes to show it:")
            t.sendline(answer)
            assert t.end() == status
            assert ("correct horse" in t.shown) == (status == 0)
            t.check_width()
        w.write("esc.age", age("-r", w.recipient(), data=b"\x1b[2Jx"))
        t = Terminal("combine", w.seal, "--open", "esc.age", cwd=w.folder)
        for name in ("ops", "dba"):
            t.see("Share ")
            t.send_when_hidden(w.shares[name])
            t.see(f"{name} counted.")
        t.see("not text, and not for a terminal")
        assert t.end() == 1 and "\x1b[2Jx" not in t.shown


SPY = """#!/bin/sh
tr '\\0' ' ' </proc/$$/cmdline >>/mnt/spy; tr '\\0' '\\n' </proc/$$/environ >>/mnt/spy
ls -l /proc/$$/fd >>/mnt/spy; cat /proc/$$/stat >>/mnt/spy
exec /mnt/age.real "$@"
"""


def open_S17_the_identity_is_in_no_argument_environment_or_file():
    with World() as w:
        shutil.copy(AGE, "/mnt/age.real")
        with open("/mnt/age.spy", "w", encoding="ascii") as f:
            f.write(SPY)
        os.chmod("/mnt/age.spy", 0o755)
        subprocess.run(["mount", "--bind", "/mnt/age.spy", AGE], check=True)
        inherited = os.open("/dev/null", os.O_RDONLY)
        try:
            r = run("combine", w.seal, "--open", w.envelope, "--stdin", "--output", w.path("plain"),
                    stdin=w.lines(), check=0, pass_fds=(inherited,))
        finally:
            subprocess.run(["umount", AGE], check=True)
            os.close(inherited)
        with open("/mnt/spy", encoding="utf-8") as f:
            seen = f.read()
        assert w.read("plain") == SECRET.encode()
        assert "--identity /dev/fd/3" in seen and "AGE-SECRET" not in seen + r.stderr
        assert "HOME=" not in seen and "LANG" not in seen
        fds = re.findall(r" (\d+) -> (\S+)", seen)
        assert dict(fds)["3"].startswith("pipe:"), fds
        # the shell has its script open as 10 or more
        assert {int(n) for n, _ in fds if int(n) < 10} == {0, 1, 2, 3}, fds
        for root, _, names in os.walk(w.folder):
            for name in names:
                path = os.path.join(root, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as f:
                        assert b"AGE-SECRET-KEY" not in f.read(), path


@contextlib.contextmanager
def protected(w):
    """This namespace is a host where the ceremony's seal is in force."""
    chainlib.reset()
    folder = "/etc/breakglass/accounts/breakglass"
    os.makedirs(folder)
    shutil.copy(w.seal, folder + "/seal.1")
    digest = hashlib.sha256(w.read("breakglass.seal")).hexdigest()
    with open(folder + "/host", "w", encoding="ascii") as f:
        f.write("[host]\nlabel = db1\naccount = breakglass\nuid = 999\nepoch = 1\n"
                f"seal = {digest}\n")
    os.chmod(folder + "/host", 0o600)
    try:
        yield
    finally:
        shutil.rmtree("/etc/breakglass")


def recorded():
    path = chainlib.RUN + "/pending"
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [r for r in map(json.loads, f) if r["event"] != "DEGRADED"]


def exposed():
    """What check says of exposure: (level, text), or None."""
    return next(((f["level"], f["text"]) for f in json.loads(run("check", "--json").stdout)["findings"]
                 if "machines have seen" in f["text"]), None)


def test_on_a_protected_host_it_is_recorded_and_the_shares_are_exposed():
    with World() as w, protected(w):
        r = w.open("--output", "plain", check=0)
        assert "not recorded" not in r.stderr
        w.open(envelope=w.write("bad.age", w.read("db.age")[:-1]), stdin=w.lines("ops", "dba"))
        story = run("log", "show", check=0).stdout
        records = recorded()
        assert [r["event"] for r in records] == ["ENVELOPE_OPENED"] * 2, records
        first, second = records
        assert first["severity"] == 1 and first["host"] == "db1" and first["epoch"] == 1
        assert first["custodians"] == "ops, audit" and first["result"] == f"by ops, audit: {w.envelope}"
        assert second["custodians"] == "ops, dba"
        assert second["result"].startswith("by ops, dba; but it did not open: ")
        assert SECRET.split()[3] not in json.dumps(records)
        assert story.count("ENVELOPE OPENED") == 2 and "by ops, audit:" in story, story
        level, text = exposed()
        assert "3 shares of epoch 1, 2 open it" in text and level == "CRITICAL", text


def test_shares_given_on_a_protected_host_are_exposed_whatever_for():
    with World() as w:
        verbs = (
            ("reseal", lambda: reseal(w), ("ops", "audit"), "now seen the shares of ops, audit, good until"),
            # it never got its quorum, and what was given was seen all the same
            ("reseal", lambda: reseal(w, stdin=w.lines("dba")), ("dba",), "now seen the share of dba, good"),
            ("combine", lambda: run("combine", w.seal, "--stdin", stdin=w.lines()), ("ops", "audit"), ""),
            ("combine", lambda: w.open(stdin=w.lines("ops")), ("ops",), "short"),
            ("share verify", lambda: run("share", "verify", w.seal, "--stdin", stdin=w.lines("dba")),
             ("dba",), "it is recorded"),
        )
        for verb, call, names, said in verbs:
            with protected(w):
                assert exposed() is None
                r = call()
                assert said in r.stderr and (verb != "reseal" or "; it is recorded\n" in r.stderr), r
                records = recorded()
                assert [(r["event"], r["custodians"], r["result"]) for r in records] == [
                    ("SHARE_ACCEPTED", n, f"{n} typed here for bg-unlock {verb}") for n in names], records
                assert {(r["severity"], r["host"], r["epoch"]) for r in records} == {(1, "db1", 1)}
                assert "request" not in records[0] and len(records[0]["set"]) == 32, records
                assert w.shares["ops"].split()[5] not in json.dumps(records)
                level, text = exposed()
                assert text.endswith(f"of epoch 1, 2 open it: {', '.join(names)}"), text
                assert level == ("CRITICAL" if len(names) == 2 else "WARNING"), level
            for name in ("breakglass.seal.2", "n"):
                path = w.path(name)
                if os.path.exists(path):
                    (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)


def test_shares_for_a_request_are_exposed_where_they_are_typed():
    with World() as w, World() as other:
        request = requestlib.Host(w.seal).request()
        for answer in ("yes", "no"):  # what was typed was seen
            with protected(w):
                t = requestlib.asked(request)
                t.see(requestlib.SHARE)
                t.send_when_hidden(w.shares["dba"])
                t.see("This host has now seen that share; it is recorded.")
                t.see("type yes to approve request")
                t.sendline(answer)
                assert t.end() == (answer != "yes")
                t = requestlib.asked(request, "--refuse")
                t.see(requestlib.SHARE)
                t.send_when_hidden(w.shares["audit"])
                t.see("type yes to refuse request")
                t.sendline(answer)
                t.end()
                assert [(r["event"], r["custodians"], r["result"]) for r in recorded()] == [
                    ("SHARE_ACCEPTED", "dba", "dba typed here for bg-unlock approve"),
                    ("SHARE_ACCEPTED", "audit", "audit typed here for bg-unlock approve --refuse")]
                assert exposed()[1].endswith("2 open it: dba, audit"), exposed()
        with protected(w):
            t = Terminal("combine")
            t.see(requestlib.ASK)
            t.send_when_hidden("\n".join(requestlib.lines(request)))
            t.see("Type yes")
            t.sendline("yes")
            t.see("Share 1 of 2")
            t.send_when_hidden(w.shares["ops"])
            t.see("Hand over")
            t.sendline("")
            t.see("Share 2 of 2")
            t.send_when_hidden(w.shares["dba"])
            assert t.end() == 0, t.shown
            assert [r["result"] for r in recorded()] == [
                f"{name} typed here for bg-unlock combine" for name in ("ops", "dba")]
        with protected(other):  # another seal is in force here
            t = requestlib.approve(request, w.shares["dba"])
            assert "it is recorded" not in t.shown and recorded() == []


def test_shares_of_a_seal_that_is_not_in_force_are_not_counted_against_the_one_that_is():
    with World() as w, World() as other, protected(w):
        for r in (reseal(other), run("combine", other.seal, "--stdin", stdin=other.lines())):
            assert r.returncode == 0 and "it is recorded" not in r.stderr, r
        run("share", "verify", other.seal, "--stdin", stdin=other.lines("dba"), check=0)
        assert recorded() == [] and exposed() is None


def reseal(w, *more, stdin=None, names=("ops", "audit")):
    if not os.path.isdir(w.path("n")):
        w.private("n")
    return run("reseal", w.seal, "--stdin", "--pin-stdin", "--device", w.key.path, "--shares-to",
               w.path("n"), *more, cwd=w.folder,
               stdin=w.lines(*names) + PIN + "\n" if stdin is None else stdin)


def test_reseal_seals_anew_beside_the_old_one():
    with World() as w:
        big = os.urandom(2_000_000)
        w.write("big.age", age("-r", w.recipient(), data=big))
        before = w.read("db.age")
        r = reseal(w, "--envelope", "db.age", "--envelope", w.path("big.age"), "--add", "spare")
        assert r.returncode == 0, r.stderr
        assert "Envelope    db.age.2 (so far db.age: the old shares open that one" in r.stdout
        assert w.read("db.age") == before
        assert os.stat(w.path("db.age.2")).st_mode & 0o7777 == 0o600
        old, w.shares = w.shares, w.read_shares("n")
        two = w.path("breakglass.seal.2")
        assert f"Recipient   {w.recipient('breakglass.seal.2')}\n" in r.stdout
        new = w.lines("spare", "dba")
        assert w.open(envelope=w.path("db.age.2"), seal=two, stdin=new, check=0).stdout == SECRET
        w.open("--output", "big", envelope=w.path("big.age.2"), seal=two, stdin=new, check=0)
        assert w.read("big") == big
        fails(w.open(envelope=w.path("db.age"), seal=two, stdin=new), 1, "not sealed to this set")
        w.shares = old
        fails(w.open(envelope=w.path("db.age.2")), 1, "not sealed to this set")
        assert w.open(check=0).stdout == SECRET


def test_reseal_leaves_nothing_where_one_envelope_is_not_right():
    with World() as w, World() as other:
        w.private("n")
        good = w.read("db.age")
        w.write("late.age", age("-r", w.recipient(), data=b"a" * 200000)[:-1])
        w.write("foreign.age", other.read("db.age"))
        w.write("text", b"hello")
        w.write("taken.age", good)
        w.write("taken.age.2", b"precious")
        before = w.files()
        for name, asked, status, text in (
                ("text", False, 2, "is no envelope"), ("none", False, 3, "cannot be read"),
                ("taken.age", False, 2, "never overwritten"),
                ("late.age", True, 2, "damaged"), ("foreign.age", True, 1, "not sealed to this set")):
            r = reseal(w, "--envelope", "db.age", "--envelope", name, stdin=None if asked else "")
            fails(r, status, name, text)
            assert w.files() == before and not os.listdir(w.path("n")), name
        assert w.read("taken.age.2") == b"precious" and w.read("db.age") == good
        fails(reseal(w, "--envelope", "db.age", stdin=w.lines() + "wrong-pin\n"), 1, "PIN")
        assert w.files() == before
        fails(reseal(w, *["--envelope=db.age"] * 33), 2, "more than 32 times")


def test_a_full_disk_is_named_as_such():
    with World() as w:
        os.makedirs(w.path("small"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", w.path("small")],
                       check=True)
        try:
            w.write("big.age", age("-r", w.recipient(), data=os.urandom(300000)))
            shutil.copy(w.path("db.age"), w.path("small/db.age"))
            os.symlink(w.path("big.age"), w.path("small/big.age"))
            r = reseal(w, "--envelope", "small/big.age")
            fails(r, 3, "no space left")
            assert not os.path.exists(w.path("breakglass.seal.2"))
            fails(w.open("--output", "small/x", envelope=w.path("big.age")), 3, "no space left")
            assert sorted(os.listdir(w.path("small"))) == ["big.age", "db.age"]
        finally:
            subprocess.run(["umount", w.path("small")], check=True)


def test_what_the_new_set_does_not_open_ends_the_reseal():
    with World() as w:
        shutil.copy(AGE, "/mnt/age.real")
        with open("/mnt/age.wrong", "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\ncase $1 in --encrypt) exec /mnt/age.real -r {age_identity(w)};; esac\n"
                    "exec /mnt/age.real \"$@\"\n")
        os.chmod("/mnt/age.wrong", 0o755)
        before = w.files()
        subprocess.run(["mount", "--bind", "/mnt/age.wrong", AGE], check=True)
        try:
            r = reseal(w, "--envelope", "db.age")
        finally:
            subprocess.run(["umount", AGE], check=True)
        fails(r, 1, "nothing was written")
        assert w.files() == sorted([*before, "n"]) and not os.listdir(w.path("n"))


def test_without_age():
    with World() as w:
        subprocess.run(["mount", "--bind", "/dev/null", AGE], check=True)
        try:
            fails(w.open(stdin=""), 3, "age is not installed here", "apt install age")
        finally:
            subprocess.run(["umount", AGE], check=True)


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
