#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""share verify, convert and sheet, and the host's sheet."""

import sys

import cmdlib
from cmdlib import Place, Terminal, fails, prefixes, run, shows_share

cmdlib.enter()


def test_verify():
    with Place() as p, Place() as other:
        s, o = p.ceremony(), other.ceremony()
        for name, words in s.items():
            for text in (words, prefixes(words), words.upper()):
                r = run("share", "verify", p.seal, "--stdin", stdin=text, check=0)
                assert r.stdout.startswith(name + ": current, set "), r.stdout
                assert words.split()[3] not in r.stdout + r.stderr
        r = run("share", "verify", p.seal, "--stdin", stdin=o["ops"], check=1)
        assert "another set" in r.stdout
        compact = run("share", "convert", "--stdin", stdin=o["ops"], check=0).stdout
        r = run("share", "verify", p.seal, "--stdin", stdin=compact, check=1)
        assert "of no custodian" in r.stdout
        fails(run("share", "verify", p.seal, "--stdin", stdin=s["ops"] + " extra"), 2)
        fails(run("share", "verify", p.seal, "--stdin", stdin=s["ops"][:-8]), 2)
        fails(run("share", "verify", p.seal, "--stdin", stdin=""), 2)
        fails(run("share", "verify"), 2)
        fails(run("share", "verify", p.seal, s["ops"]), 2)


def test_verify_at_a_terminal_shows_nothing():
    with Place() as p:
        s = p.ceremony()
        t = Terminal("share", "verify", p.seal)
        t.see("Your share (words")
        t.send_when_hidden(s["dba"])
        t.see("dba: current")
        assert t.end() == 0
        assert not shows_share(t.shown, s["dba"].split())


def test_convert_there_and_back():
    with Place() as p, Place() as other:
        s, o = p.ceremony(), other.ceremony()
        for words in s.values():
            compact = run("share", "convert", "--stdin", stdin=words, check=0).stdout
            assert len(compact) == 39 and not set(compact.strip()) - set("bcdefghijklnrtuv")
            assert run("share", "convert", p.seal, "--stdin", stdin=compact.upper(), check=0
                       ).stdout == words + "\n"
            for i in range(38):
                wrong = compact[:i] + ("b" if compact[i] != "b" else "c") + compact[i + 1:]
                r = run("share", "convert", p.seal, "--stdin", stdin=wrong)
                assert r.returncode in (1, 2) and not r.stdout
        compact = run("share", "convert", "--stdin", stdin=o["ops"], check=0).stdout
        fails(run("share", "convert", "--stdin", stdin=compact), 2, "name the seal")
        fails(run("share", "convert", p.seal, "--stdin", stdin=compact), 1, "of no custodian")


def check_page(text):
    assert all(len(line) <= 80 for line in text.split("\n")), [
        line for line in text.split("\n") if len(line) > 80]
    assert text.isascii()


def test_custodians_sheet():
    with Place() as p:
        s = p.ceremony()
        r = run("share", "sheet", p.seal, "dba", check=0)
        check_page(r.stdout)
        for text in ("EMERGENCY SHARE OF dba", "20 ____", "+1 555 0101", "share verify", "NEVER",
                     "I call you back", "Juliett"):
            assert text in r.stdout, text
        assert r.stdout.count("\n") < 100
        r = run("share", "sheet", p.seal, "dba", "--stdin", stdin=s["dba"], check=0)
        check_page(r.stdout)
        for i, word in enumerate(s["dba"].split(), 1):
            assert f"{i} {word}" in r.stdout
        r = run("share", "sheet", p.seal, "dba", "--stdin", stdin=s["ops"])
        fails(r, 1, "not the share of dba")
        assert not r.stdout
        fails(run("share", "sheet", p.seal, "nobody"), 2)
        fails(run("share", "sheet", p.seal), 2)


def test_hosts_sheet():
    with Place() as p:
        p.ceremony()
        r = run("sheet", p.seal, "--label", "db1", check=0)
        check_page(r.stdout)
        for text in ("EMERGENCY LOGIN: db1", "ssh breakglass@db1", "+1 555 0103", "oncall", "sudo -i",
                     "epoch 1"):
            assert text in r.stdout, text
        assert r.stdout.count("\n") < 66  # a page
        with open(p.path("numbers"), "w", encoding="utf-8") as f:
            f.write("[contacts]\nupdated = 2026-11-21\n[custodian ops]\nphone = +49 999\n")
        r = run("sheet", p.seal, "--contacts", p.path("numbers"), check=0)
        assert "+49 999" in r.stdout and "+1 555 0101" not in r.stdout
        with open(p.path("numbers"), "a", encoding="utf-8") as f:
            f.write("fone = 3\n")
        fails(run("sheet", p.seal, "--contacts", p.path("numbers")), 2, "numbers:5:")


def share_S18_a_changed_seal_is_refused():
    with Place() as p:
        s = p.ceremony()
        with open(p.seal, encoding="utf-8") as f:
            text = f.read()
        changes = [("threshold = 2", "threshold = 1"), ("holder = oncall", "holder = mallory"),
                   ("[policy]", "[polic]"), ("epoch = 1", "epoch = 1\nepoch = 1"),
                   ("[custodian ops]", "[custodian opz]"), ("[signature]", "#"), (text, ""),
                   (text, text[:-40])]
        for old, new in changes:
            assert old in text
            with open(p.path("bad"), "w", encoding="utf-8") as f:
                f.write(text.replace(old, new, 1))
            for verb in (["share", "verify", p.path("bad"), "--stdin"], ["sheet", p.path("bad")],
                         ["combine", p.path("bad"), "--stdin"], ["reseal", p.path("bad"), "--stdin",
                          "--pin-stdin", "--shares-to", "/mnt"]):
                r = run(*verb, stdin=s["ops"])
                assert r.returncode in (1, 2), r
                assert "bg-unlock: error: " + p.path("bad") in r.stderr and not r.stdout, r.stderr
        fails(run("sheet", p.path("none")), 3, "not found")


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
