#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""combine: by lines and at a terminal, with and without a seal."""

import sys

import cmdlib
from cmdlib import Place, Terminal, fails, prefixes, run, shows_share

cmdlib.enter()

NO_REQUEST = "Request challenge (Enter: none, only check the shares; ? helps):"
WARN = "Type yes to show it:"


def secret_of(shares):
    return run("combine", "--stdin", "--reveal", stdin="\n".join(shares) + "\n", check=0).stdout


def test_plain_any_two_give_the_same():
    with Place() as p:
        s = p.ceremony()
        a = secret_of([s["ops"], s["dba"]])
        assert a == secret_of([s["audit"], prefixes(s["ops"]).upper()])
        assert len(a) == 33 and a.strip() == a.strip().lower()
        assert a == secret_of(s.values())  # one more than needed, on the polynomial
        fails(run("combine", "--stdin", "--reveal", stdin=s["ops"] + "\n"), 1, "1 of 2")
        fails(run("combine", "--stdin", stdin=""), 2, "no share")


def test_compact_shares():
    with Place() as p:
        s = p.ceremony()
        compact = [run("share", "convert", "--stdin", stdin=s[n] + "\n", check=0).stdout.strip()
                   for n in ("ops", "audit")]
        assert all(len(c) == 38 for c in compact)
        secret = secret_of([s["ops"], s["dba"]])
        assert secret_of(compact) == secret  # by SLIP-39's digest alone
        assert secret_of([compact[0], s["dba"]]) == secret
        r = run("combine", p.seal, "--stdin", "--reveal", stdin="\n".join(compact) + "\n", check=0)
        assert r.stdout == secret


def combine_S13_a_bad_share_does_not_cost_the_round():
    with Place() as p, Place() as other:
        s, o = p.ceremony(), other.ceremony()
        wrong = s["ops"].split()
        at = next(i for i in range(6, 19) if wrong[i] != wrong[i + 1])
        wrong[at], wrong[at + 1] = wrong[at + 1], wrong[at]
        lines = [s["ops"], " ".join(wrong), o["dba"], s["audit"]]
        for i in range(4):
            r = run("combine", p.seal, "--stdin", stdin="\n".join(lines[i:] + lines[:i]) + "\n",
                    check=0)
            assert "quorum: stands (2 of 2)" in r.stdout, r.stdout
            assert "another set" in r.stdout and "ops: current" in r.stdout
            assert "wrong" in r.stderr, r.stderr
        r = run("combine", p.seal, "--stdin", stdin=s["ops"] + "\n" + s["ops"] + "\n")
        fails(r, 1, "1 of 2", "dba")
        assert "given twice" in r.stdout
        fails(run("combine", p.seal, "--stdin", stdin="\n".join([wrong[0], "x y z"])), 2)


def combine_S11_another_set_is_named():
    with Place() as p, Place() as other:
        p.ceremony()
        r = run("combine", p.seal, "--stdin", stdin="\n".join(other.ceremony().values()))
        fails(r, 1, "0 of 2")
        assert r.stdout.count("another set") == 3


def combine_S10_each_changed_word_is_refused():
    with Place() as p:
        s = p.ceremony()
        words = s["ops"].split()
        for i, word in enumerate(words):
            changed = words[:i] + ["academic" if word != "academic" else "acid"] + words[i + 1:]
            r = run("combine", "--stdin", "--reveal", stdin=" ".join(changed) + "\n" + s["dba"])
            assert r.returncode in (1, 2) and r.stdout == "", (i, r.stdout)


def test_dialogue_at_a_terminal():
    with Place() as p:
        s = p.ceremony()
        secret = secret_of([s["ops"], s["dba"]]).strip()
        t = Terminal("combine", p.seal, "--reveal")
        t.see("epoch 1  need 2 of:")
        t.see("audit        +1 555 0103")
        t.see("Share 1 of 2 (words, or their first 4 letters; ? helps):")
        t.send_when_hidden("?")
        t.see("Ctrl-C ends it all")
        words = s["audit"].split()
        t.sendline(" ".join(words[:6]) + " flme")
        t.see(' word 7 "flme" is not in the list.  Word 7 of the share of audit:')
        t.sendline(words[6].upper())
        t.see("audit: 7 of 20 words, go on:")
        t.sendline(" ".join(f"{i}. {w}" for i, w in enumerate(words[7:9], 8)))
        t.see("audit: 9 of 20 words, go on:")
        t.sendline("\n".join(w[:4] for w in words[9:]))  # a paste of many lines
        t.see("audit counted. Share 2 of 2 (ops or dba):")
        t.sendline(s["audit"])
        t.see("audit is counted already. Share 2 of 2 (ops or dba):")
        t.sendline(" ".join(words[:2] + ["flme"] + words[3:]))
        t.see(' word 3 "flme" is not in the list.  Word 3:')
        t.sendline(words[2])  # what followed it was kept
        t.see("audit is counted already. Share 2 of 2 (ops or dba):")
        t.sendline(" ".join(words[:8] + ["acne" if words[8] == "acid" else "acid"] + words[9:]))
        t.see(" The share does not add up: word 9 looks misread.")
        t.see(" Word 9 of the share of audit:")
        t.sendline(words[8])
        t.see("audit is counted already. Share 2 of 2 (ops or dba):")
        compact = run("share", "convert", "--stdin", stdin=s["dba"] + "\n").stdout.strip()
        t.sendline(compact.upper())
        t.see("dba counted.")
        t.see(WARN)
        t.sendline("yes")
        t.see(secret)
        assert t.end() == 0
        t.check_width()
        typed = t.shown.replace("flme", "")
        assert not shows_share(typed, words[9:]), "the share was echoed"
        assert compact.upper() not in typed


def test_the_secret_only_after_yes():
    with Place() as p:
        s = p.ceremony()
        for answer, status in (("no", 1), ("", 1), ("yes", 0)):
            t = Terminal("combine", "--reveal")
            t.see("Share 1 (words")
            t.send_when_hidden(s["ops"])
            t.see("Share 2 of 2")
            t.sendline(s["dba"])
            t.see(WARN)
            t.sendline(answer)
            assert t.end() == status
            assert (secret_of([s["ops"], s["dba"]]).strip() in t.shown) == (status == 0)
        t = Terminal("combine", p.seal)
        t.see(NO_REQUEST)
        t.send_when_hidden("")
        t.see("Share 1 of 2")
        t.sendeof()
        assert t.end() == 1


def test_long_and_odd_lines_are_refused_whole():
    with Place() as p:
        s = p.ceremony()
        lines = [b"x" * 5000, b"\x00\x01\x02", b"\xff" * 80, b"(" * 4095, s["ops"].encode(),
                 ("\u00a0".join(s["dba"].upper().split()) + "\r").encode()]
        r = cmdlib.subprocess.run([cmdlib.UNLOCK, "combine", p.seal, "--stdin"],
                                  input=b"\n".join(lines), capture_output=True, check=False)
        assert r.returncode == 0, r.stderr
        assert b"too long" in r.stderr
        t = Terminal("combine", p.seal)
        t.see(NO_REQUEST)
        t.send_when_hidden("")
        t.see("Share 1 of 2")
        cmdlib.wait_for("echo off", lambda: not t.getecho())
        t.sendline("a" * 4095)
        t.see("too long")
        t.sendline(s["ops"])
        t.see("ops counted.")
        t.sendline("\u00a0".join(s["dba"].upper().split()))
        assert t.end() == 0


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
