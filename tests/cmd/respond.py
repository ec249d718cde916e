#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""combine with a request challenge: custodians gathered at one machine, and what they leave on it."""

import re
import sys

import cmdlib
from approve import reseal
from cmdlib import Place, Terminal, prefixes, shows_share
from requestlib import Host, check_width, codelib, compact, keeps_nothing, lines, one_line, short_id

if __name__ == "__main__":
    cmdlib.enter()

ASK = "Request challenge (Enter: none, only check the shares; ? helps):"
AGREE = "All agreed? Type yes to go on:"
NEXT = "Hand over to the next custodian, who presses Enter:"
LEAVE = "\x1b[2J\x1b[H\x1b[?1049l"
ENTER = "\x1b[?1049h\x1b[2J\x1b[H"


def asked(request, *args):
    t = Terminal("combine", *args)
    t.see(ASK)
    t.send_when_hidden("\n".join(lines(request)))
    return t


def agreed(request, *args):
    t = asked(request, *args)
    t.see(AGREE)
    t.sendline("yes")
    t.see(ENTER)
    return t


def give(t, number, share, of=2):
    """One custodian, the barrier before it included."""
    if number > 1:
        t.see(NEXT)
        t.send_when_hidden("")
    t.see(f"Share {number} of {of}")
    t.send_when_hidden(share)
    t.see(LEAVE)
    t.see(f"counted, {number} of {of}.")


def test_any_quorum_in_any_form():
    with Place() as p:
        s = p.ceremony()
        host = Host(p.seal)
        for names, form, args in ((("ops", "dba"), str, ()), (("audit", "ops"), compact, ()),
                                  (("dba", "audit"), prefixes, (p.seal,))):
            request = host.request(purpose="drill" if args else "emergency")
            t = agreed(request, *args)
            for number, name in enumerate(names, 1):
                give(t, number, form(s[name]))
                assert not args or f"{name} counted" in t.shown
            assert t.end() == 0, t.shown
            assert ("DRILL" in t.shown) == bool(args)
            check_width(t)
            response = re.search(r"(?m)^(?:[a-z]{32})+\r?$", t.shown).group()
            assert host.answers(request, names, response)
            assert not host.answers(request, ("ops", "dba", "audit"), response)
            assert "".join(codelib.find_lines(t.shown, codelib.RESPONSE)) == response.strip()
            told = " ".join(t.shown.split())
            assert "has now seen the whole quorum: reseal" in told
            for name in names:
                assert not shows_share(t.shown, s[name].split())


def test_it_says_what_is_opened_before_any_share():
    with Place() as p:
        s = p.ceremony()
        host = Host(p.seal)
        request = host.request()
        for answer in ("", "y", "no", s["ops"]):
            t = asked(request)
            t.see(AGREE)
            for text in ("EMERGENCY", "account breakglass", "host db1", "oncall", "INC-1234",
                         "4 h", short_id(request), "never on a"):
                assert text in t.shown, text
            t.send_when_hidden(answer)
            assert t.end() == 1 and "Share 1" not in t.shown
            assert not shows_share(t.shown, s["ops"].split())
            check_width(t)
        for name in ("seal", "other"):  # nothing typed ahead agrees
            t = Terminal("combine")
            t.see(ASK)
            t.send_when_hidden("\n".join(lines(request)) + "\nyes\nyes")
            t.see(AGREE)
            t.sendline(name)
            assert t.end() == 1


def respond_S13_a_wrong_share_is_named_and_costs_nothing():
    with Place() as p, Place() as q:
        s, o = p.ceremony(), q.ceremony()
        new = reseal(p, s)
        host = Host(p.path("next.seal"))
        for seal in ((), (p.path("next.seal"),)):
            request = host.request()
            t = agreed(request, *seal)
            t.see("Share 1 of 2")
            for share, bare, named in (
                    (s["ops"], "(or a retired one)", "ops: retired, of epoch 1"),
                    (o["ops"], "(or a retired one)", "a share of another set"),
                    (compact(s["dba"]), "of no custodian of set", "dba: retired, of epoch 1"),
                    (compact(o["dba"]), "of no custodian of set", "of no custodian of set")):
                t.send_when_hidden(share)
                t.see(named if seal else bare)
                t.see("Not counted.")
                t.see("Share 1 of 2")
            t.send_when_hidden(new["ops"])
            t.see("counted, 1 of 2.")
            t.see(NEXT)
            t.send_when_hidden("")
            for share in (new["ops"], compact(new["ops"])):  # the same custodian, in two forms
                t.see("Share 2 of 2")
                t.send_when_hidden(share)
                t.see("is counted already; another one is wanted.")
            t.see("Share 2 of 2")
            words = new["dba"].split()
            t.send_when_hidden(" ".join(words[:6] + ["xyzzy"] + words[7:]))
            t.see('word 7 "xyzzy" is not in the list.')
            t.see("Word 7")
            t.send_when_hidden(words[6])
            t.see(LEAVE)
            assert t.end() == 0
            check_width(t)
            response = re.search(r"(?m)^(?:[a-z]{32})+\r?$", t.shown).group()
            assert host.answers(request, ("ops", "dba"), response)


def test_who_is_missing():
    with Place() as p:
        s = p.ceremony()
        for args, missing in (((p.seal,), "ops or audit"), ((), "number 1 or 3")):
            t = agreed(Host(p.seal).request(), *args)
            give(t, 1, s["dba"])
            t.see(f"Missing: {missing}.")
            t.see(NEXT)
            t.sendeof()
            t.see("the quorum is short: 1 of 2")
            t.see(f"ask {missing}")
            assert t.end() == 1 and "no response was made" in t.shown
            check_width(t)


def test_nothing_of_the_last_custodian_is_left_on_the_screen():
    with Place() as p:
        s = p.ceremony()
        t = agreed(Host(p.seal).request(), p.seal)
        t.see("Share 1 of 2")
        words = s["ops"].split()
        t.send_when_hidden(" ".join(words[:6] + ["flme"] + words[7:]))
        t.see("Word 7 of the share of ops:")
        t.send_when_hidden(words[6])
        t.see(NEXT)
        main = re.sub(re.escape(ENTER) + ".*?" + re.escape(LEAVE), "", t.shown, flags=re.S)
        assert "flme" in t.shown and "flme" not in main and "ops counted, 1 of 2." in main
        t.sendintr()
        assert t.end() == -2
        t = agreed(Host(p.seal).request())
        t.see("Share 1 of 2")
        cmdlib.wait_for("echo off", lambda: not t.getecho())
        t.sendintr()
        assert t.end() == -2 and t.shown.endswith(LEAVE)


def test_given_up_anywhere():
    with Place() as p:
        s = p.ceremony()
        request = Host(p.seal).request()
        for step in range(4):
            t = Terminal("combine")
            t.see(ASK)
            if step > 0:
                t.send_when_hidden("\n".join(lines(request)))
                t.see(AGREE)
            if step > 1:
                t.sendline("yes")
                t.see("Share 1 of 2")
            if step > 2:
                t.send_when_hidden(s["ops"])
                t.see(NEXT)
            t.sendeof()
            assert t.end() == 1, (step, t.shown)
            assert not codelib.find_lines(t.shown, codelib.RESPONSE)


def respond_S15_another_request_is_not_answered():
    with Place() as p, Place() as q:
        s = p.ceremony()
        q.ceremony()
        host = Host(p.seal)
        request = host.request()
        for field, value in (("purpose", "drill"), ("host_label", "db2"), ("account", "other"),
                             ("reason", "INC-1234 directory is up"), ("holder", "stranger"),
                             ("nonce", bytes(16)), ("seal_digest", bytes(32))):
            forged = request | {field: value}
            t = agreed(forged)
            give(t, 1, s["ops"])
            give(t, 2, s["dba"])
            assert t.end() == 0
            response = re.search(r"(?m)^(?:[a-z]{32})+\r?$", t.shown).group()
            assert host.answers(forged, ("ops", "dba"), response)
            assert not host.answers(request, ("ops", "dba"), response), field
        t = asked(request, q.seal)
        t.see("of another seal")
        assert t.end() == 1
        t = asked(request | {"holder": "stranger"}, p.seal)
        t.see("contradicts its seal")
        assert t.end() == 1


def respond_S10_a_challenge_that_lies_about_the_threshold():
    with Place() as p:
        s = p.ceremony("--threshold", "3")
        request = Host(p.seal).request(threshold=2)
        t = agreed(request)
        give(t, 1, s["ops"])
        give(t, 2, s["dba"])
        assert t.end() == 1
        assert not codelib.find_lines(t.shown, codelib.RESPONSE)
        t = agreed(request)
        give(t, 1, compact(s["ops"]))
        give(t, 2, compact(s["dba"]))
        assert t.end() == 1 and "not all together" in " ".join(t.shown.split())


def respond_S17_nothing_is_kept():
    with Place() as p:
        s = p.ceremony()

        def talk(t):
            t.see(AGREE)
            t.sendline("yes")
            give(t, 1, s["ops"])
            give(t, 2, s["dba"])

        assert one_line(keeps_nothing(p, "combine", talk).shown)


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
