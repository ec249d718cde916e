#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""reseal: a new set for the same people; the old one stays until the new seal is there."""

import os
import sys

import cmdlib
from cmdlib import PIN, Place, Terminal, fails, run, ssh_line
from init import read_screen, seal_line, show

cmdlib.enter()


def digest(path):
    with open(path, "rb") as f:
        return f.read()


def lines(shares, *names):
    return "".join(shares[n] + "\n" for n in names)


def reseal(p, stdin, *more, seal=None, check=None):
    return run("reseal", seal or p.seal, "--stdin", "--pin-stdin", "--device", p.key.path, *more,
               stdin=stdin, check=check, cwd=p.folder)


def test_by_lines():
    with Place() as p:
        old = p.ceremony()
        before = digest(p.seal)
        r = reseal(p, lines(old, "ops", "audit") + PIN + "\n", "--shares-to", p.private("n"), check=0)
        assert digest(p.seal) == before
        new, seal = p.read_shares("n"), p.path("breakglass.seal.2")
        assert "epoch 2, 2 of 3" in r.stdout and "the old set opens" in r.stdout
        assert sorted(new) == sorted(old) and not set(new.values()) & set(old.values())
        with open(seal, encoding="utf-8") as f:
            text = f.read()
        assert "[retired 1]" in text and "predecessor-key = a\n" in text
        for name, words in new.items():
            r = run("share", "verify", seal, "--stdin", stdin=words, check=0)
            assert r.stdout.startswith(f"{name}: current") and "epoch 2" in r.stdout
        assert os.stat(seal).st_mode & 0o7777 == 0o600


def test_an_ssh_key_is_added_and_replaced():
    with Place() as p:
        shares, seal = p.ceremony(), p.seal
        for epoch, line in ((2, ssh_line(1)), (3, ssh_line(2)), (4, None)):
            with open(p.path("a.pub"), "w", encoding="ascii") as f:
                f.write(f"{line} x\n")
            more = ["--ssh-key", f"a={p.path('a.pub')}"] if line else []
            reseal(p, lines(shares, "ops", "dba") + PIN + "\n", "--shares-to", p.private(f"n{epoch}"),
                   *more, seal=seal, check=0)
            shares, seal = p.read_shares(f"n{epoch}"), p.path(f"breakglass.seal.{epoch}")
            assert seal_line(seal, "a") == (line or ssh_line(2))
        fails(reseal(p, "", "--shares-to", p.path("n2"), "--ssh-key", f"b={seal}", seal=seal), 2,
              "no key has that name")


def reseal_S11_a_retired_share_is_named():
    with Place() as p:
        old = p.ceremony()
        reseal(p, lines(old, "ops", "dba") + PIN + "\n", "--shares-to", p.private("n"), check=0)
        new, seal = p.read_shares("n"), p.path("breakglass.seal.2")
        r = run("share", "verify", seal, "--stdin", stdin=old["audit"], check=1)
        assert r.stdout.startswith("audit: retired, of epoch 1; in force is set"), r.stdout
        compact = run("share", "convert", "--stdin", stdin=old["audit"], check=0).stdout
        r = run("share", "verify", seal, "--stdin", stdin=compact, check=1)
        assert "audit: retired, of epoch 1" in r.stdout
        r = run("combine", seal, "--stdin", stdin=lines(old, "ops", "dba"))
        fails(r, 1, "0 of 2")
        r = run("share", "verify", p.seal, "--stdin", stdin=new["ops"], check=1)
        assert "another set" in r.stdout
        # a second time, from the second: both are retired in the third
        r = reseal(p, lines(old, "ops") + lines(new, "ops", "audit") + PIN + "\n", "--shares-to",
                   p.private("m"), seal=seal, check=0)
        assert "retired, of epoch 1" in r.stderr
        with open(p.path("breakglass.seal.3"), encoding="utf-8") as f:
            text = f.read()
        assert text.index("[retired 2]") < text.index("[retired 1]")


def test_refusals_leave_nothing():
    with Place() as p, Place() as other:
        old, strange = p.ceremony(), other.ceremony()
        files = sorted(os.listdir(p.folder)) + ["n"]
        folder = ("--shares-to", p.private("n"))

        def nothing():
            assert not os.listdir(p.path("n"))
            assert sorted(os.listdir(p.folder)) == sorted(files)

        fails(reseal(p, lines(old, "ops"), *folder), 1, "short: 1 of 2", "audit")
        nothing()
        fails(reseal(p, lines(old, "ops", "ops", "ops"), *folder), 1, "short: 1 of 2")
        nothing()
        fails(reseal(p, lines(strange, "ops", "dba"), *folder), 1, "short: 0 of 2")
        nothing()
        fails(reseal(p, lines(old, "ops", "dba") + "wrong-pin\n", *folder), 1, "PIN")
        nothing()
        fails(reseal(p, lines(old, "ops", "dba"), *folder), 1)
        nothing()
        p.key.ctl("unplug")
        fails(reseal(p, lines(old, "ops", "dba") + PIN + "\n", *folder), 3)
        p.key.ctl("plug")
        nothing()
        for flags, status in (("no-uv", 1), ("bad-sig", 1), ("bad-rpid", 1), ("wrong-cred", 1)):
            p.key.ctl("flags", flags)
            r = reseal(p, lines(old, "ops", "dba") + PIN + "\n", *folder)
            assert r.returncode in (status, 3), (flags, r.returncode, r.stderr)
            nothing()
        p.key.ctl("flags", "none")
        p.key.ctl("auto", "off")
        p.key.ctl("deny")
        fails(reseal(p, lines(old, "ops", "dba") + PIN + "\n", *folder), 1)
        nothing()


def reseal_S17_never_overwrites():
    with Place() as p:
        old = p.ceremony()
        before = digest(p.seal)
        good = lines(old, "ops", "dba") + PIN + "\n"
        folder = ("--shares-to", p.private("n"))
        fails(reseal(p, good, *folder, "-o", p.seal), 2, "never overwritten")
        with open(p.path("breakglass.seal.2"), "w", encoding="utf-8") as f:
            f.write("precious")
        fails(reseal(p, good, *folder), 2, "never overwritten")
        assert digest(p.seal) == before and not os.listdir(p.path("n"))
        assert digest(p.path("breakglass.seal.2")) == b"precious"


def dialogue(p, old):
    t = Terminal("reseal", p.seal, "--device", p.key.path, cwd=p.folder)
    t.see("RESEAL breakglass@db  set ")
    t.see("The old set opens until the new seal is installed.")
    t.see("need 2 of: ops +1 555 0101, dba +1 555 0102, audit +1 555 0103")
    t.see("Share 1 of 2")
    t.send_when_hidden(old["audit"])
    t.see("audit counted.")
    t.see("Share 2 of 2")
    t.sendline(old["ops"])
    t.see("PIN of your security key, then touch it when it blinks:")
    t.sendline(PIN)
    return t


def test_at_a_terminal():
    with Place() as p:
        old = p.ceremony()
        t = dialogue(p, old)
        new = {}
        for name in ("ops", "dba", "audit"):
            new[name] = read_screen(show(t, name))
            t.send_when_hidden("")
            t.see("Read it back")
            t.send_when_hidden(old[name])
            t.see("not the one just shown")
            t.see("Read it back")
            t.sendline(new[name])
            t.see(f"{name}: confirmed.")
        assert t.end() == 0
        t.check_width()
        for words in new.values():
            run("share", "verify", p.path("breakglass.seal.2"), "--stdin", stdin=words, check=0)


def reseal_S14_stopped_before_the_last_confirmation_the_old_set_opens():
    for how in ("intr", "eof", "hangup"):
        with Place() as p:
            old = p.ceremony()
            before, files = digest(p.seal), sorted(os.listdir(p.folder))
            t = dialogue(p, old)
            for name in ("ops", "dba", "audit"):
                words = read_screen(show(t, name))
                t.send_when_hidden("")
                t.see("Read it back")
                if name != "audit":
                    t.send_when_hidden(words)
                    t.see("confirmed.")
            if how == "intr":
                t.sendintr()
            elif how == "eof":
                t.sendeof()
            else:
                t.close()
            assert how == "hangup" or t.end() != 0
            assert digest(p.seal) == before and sorted(os.listdir(p.folder)) == files
            run("combine", p.seal, "--stdin", stdin=lines(old, "ops", "dba"), check=0)


def test_no_key_here_is_asked_for():
    with Place() as p:
        old = p.ceremony()
        p.key.ctl("unplug")
        t = Terminal("reseal", p.seal, "--device", p.key.path, cwd=p.folder)
        t.see("Share 1 of 2")
        t.send_when_hidden(old["audit"])
        t.see("Share 2 of 2")
        t.sendline(old["ops"])
        t.see("No security key here. Plug one in and press Enter:")
        p.key.ctl("plug")
        t.send_when_hidden("")
        t.see("PIN of your security key")
        t.sendline(PIN)
        t.see("Share 1 of 3 is for ops")
        t.sendintr()
        assert t.end() == -2


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
