#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""approve: the right way, each wrong thing, and that an approval is of what was shown."""

import json
import random
import sys

import cmdlib
from cmdlib import PIN, Place, Terminal, fails, prefixes, run, shows_share
from requestlib import (ASK, SHARE, Host, approve, asked, check_width, codelib, compact,
                        keeps_nothing, lines, one_line, short_id)

if __name__ == "__main__":
    cmdlib.enter()


def reseal(p, shares):
    """The next epoch's seal; its shares."""
    new = p.private("new")
    run("reseal", p.seal, "-o", p.path("next.seal"), "--device", p.key.path, "--shares-to", new,
        "--stdin", "--pin-stdin", stdin=f"{shares['ops']}\n{shares['dba']}\n{PIN}\n", check=0)
    return p.read_shares("new")


def test_each_custodian_in_each_form():
    with Place() as p:
        s = p.ceremony()
        host = Host(p.seal)
        for name, form in (("ops", str), ("dba", prefixes), ("audit", compact)):
            request = host.request()
            t = approve(request, form(s[name]))
            code = one_line(t.shown)
            assert host.verifies(request, name, code)
            grouped = codelib.find_lines(t.shown, codelib.APPROVAL)
            assert "".join(grouped) == code, t.shown
            assert not shows_share(t.shown, s[name].split())


def test_it_says_what_is_opened():
    with Place() as p:
        s = p.ceremony()
        host = Host(p.seal)
        request = host.request(session_seconds=5400)
        t = asked(request)
        t.see(SHARE)
        for text in ("EMERGENCY", "account breakglass (uid 1001)", "host db1, by its door sshd",
                     "192.0.2.7", "oncall, with the security key a", "INC-1234 directory is down",
                     "1 h 30 min", "2 of 3 custodians", "epoch 1", "Telephone oncall",
                     "If you do not know of this, refuse"):
            assert text in t.shown, text
        assert t.shown.count(short_id(request)) == 2 and "DRILL" not in t.shown
        t.sendcontrol("c")
        t.end()
        longest = host.request(purpose="drill", host_label="h" * 24, account="a" * 16,
                               holder="x" * 24, reason="r" * 64, service="s" * 16,
                               origin="o" * 64, uid=2**32 - 1, session_seconds=2**32 - 1)
        t = asked(longest)
        t.see(SHARE)
        shown = t.shown.replace("\r", "").split("\n")
        start = next(i for i, line in enumerate(shown) if "DRILL, DRILL" in line)
        assert len(shown) - start + 2 <= 23, shown  # and share and yes below it
        check_width(t)
        t.send_when_hidden(s["ops"])
        t.see("type yes")
        t.sendline("yes")
        assert t.end() == 0
        check_width(t)
        assert host.verifies(longest, "ops", one_line(t.shown))


def test_json():
    with Place() as p:
        s = p.ceremony()
        host = Host(p.seal)
        request = host.request(reason='"quoted" \\ ü')
        out = json.loads(one_line(approve(request, s["dba"], p.seal, "--json").shown))
        assert out["schema"] == 1 and out["custodian"] == "dba" and out["number"] == 2
        r = out["request"]
        assert r["id"] == short_id(request) and r["reason"] == request["reason"]
        assert r["digest"] == codelib.request_digest(request).hex()
        assert (r["purpose"], r["host"], r["epoch"]) == ("emergency", "db1", 1)
        assert host.verifies(request, "dba", out["approval"])
        r = run("approve", "--json", stdin="\n".join(lines(request)), start_new_session=True)
        fails(r, 3, "/dev/tty", "never unattended")
        assert r.stdout == ""
        fails(run("approve", "--stdin"), 2)
        fails(run("approve", p.seal, lines(request)[0]), 2)


def test_the_challenge_in_any_way():
    with Place() as p:
        p.ceremony()
        request = Host(p.seal).request()
        rows = lines(request)
        two = [" ".join(rows[i:i + 2]) for i in range(0, len(rows), 2)]
        mixed = rows[:]
        random.Random(1).shuffle(mixed)
        whole = "".join(rows).replace(" ", "")
        for text in (whole, whole.upper(), "\n".join(two), "\n".join(mixed), " ".join(rows)):
            t = asked(request, text=text)
            t.see(SHARE)
            t.sendcontrol("c")
            t.end()
        t = asked(request, text=rows[0])
        for number, row in enumerate(rows[1:], 2):  # line by line, as somebody reads it out
            t.see(f"Good so far. Line {number} of {len(rows)}")
            t.send_when_hidden(row)
        t.see(SHARE)
        t.sendeof()
        assert t.end() == 1


def wrong(row):
    return row[:-1] + ("c" if row[-1] != "c" else "b")


def test_a_misread_or_cut_line_is_named_and_only_it_again():
    with Place() as p:
        p.ceremony()
        rows = lines(Host(p.seal).request())
        n = len(rows)
        for bad in (0, 4, n - 1):
            for pasted in (True, False):
                rotten = rows[:bad] + [wrong(rows[bad])] + rows[bad + 1:]
                t = Terminal("approve")
                t.see(ASK)
                t.send_when_hidden("\n".join(rotten) if pasted
                                   else "".join(rotten).replace(" ", ""))
                t.see(f" Line {bad + 1}")
                t.see(f"Line {bad + 1} again:")
                t.send_when_hidden(rows[bad])
                t.see(SHARE)
                check_width(t)
                t.sendcontrol("c")
                t.end()
        t = Terminal("approve")
        t.see(ASK)
        t.send_when_hidden("\n".join(rows[:6] + [rows[6][:20]]))  # cut in line 7
        t.see("Line 7 again:")
        t.send_when_hidden("\n".join(rows[6:]))
        t.see(SHARE)
        t.sendcontrol("c")
        t.end()
        t = Terminal("approve")
        t.see(ASK)
        t.send_when_hidden("\n".join(rows[:3] + rows[4:8] + rows[9:]))  # two are missing
        t.see("Line 4 again:")
        t.send_when_hidden(rows[3])
        t.see("Line 9 again:")
        t.send_when_hidden(rows[8])
        t.see(SHARE)
        t.sendcontrol("c")
        t.end()


def test_another_kind_is_named():
    with Place() as p:
        s = p.ceremony()
        host = Host(p.seal)
        request = host.request()
        kinds = [codelib.encode(kind, bytes([1] * 40)) for kind in range(6) if kind != 2]
        names = ["a touch challenge", "a touch answer", "an approval", "a response", "a refusal"]
        t = Terminal("approve")
        t.see(ASK)
        for text, name in zip(kinds, names):
            t.send_when_hidden("\n".join(text))
            t.see(f" This is {name}; a request challenge is wanted.")
            t.see(ASK)
        for text in (s["ops"], prefixes(s["ops"]), compact(s["ops"])):
            t.send_when_hidden(text)
            t.see(" This is a share; a request challenge is wanted. Nothing of it was kept.")
            t.see(ASK)
        t.send_when_hidden("hello")
        t.see("no whole line of a code; a request challenge is wanted.")
        t.see(ASK)
        other = lines(host.request(reason="INC-1234 directory is up!!"))
        assert len(other) == len(lines(request))
        t.send_when_hidden("\n".join(lines(request)[:-1] + other))
        t.see("of two codes; give one of them whole.")
        t.see(ASK)
        t.send_when_hidden("?")
        t.see("What is typed is not shown.")
        t.see(ASK)
        t.send_when_hidden("\n".join(lines(request)))
        t.see(SHARE)
        assert not shows_share(t.shown, s["ops"].split())
        check_width(t)
        t.sendcontrol("c")
        t.end()


def test_a_code_where_a_share_is_wanted_is_named():
    with Place() as p:
        s = p.ceremony()
        host = Host(p.seal)
        request = host.request()
        t = asked(request)
        approval = codelib.encode(codelib.APPROVAL, bytes([1] * 74))
        for text, name in (("\n".join(lines(request)), "a request challenge"),
                           ("".join(approval), "an approval"), (approval[2], "an approval")):
            t.see(SHARE)
            t.send_when_hidden(text)
            t.see(f" This is {name}; a share is wanted.")
        t.see(SHARE)
        t.send_when_hidden(compact(s["ops"]))
        t.see("type yes")
        t.sendline("yes")
        assert t.end() == 0 and host.verifies(request, "ops", one_line(t.shown))
        fails(run("combine", "--stdin", stdin="".join(approval) + "\n"), 2,
              "this is an approval; a share is wanted")


def approve_S13_a_wrong_share_is_named_and_dropped():
    with Place() as p, Place() as q:
        s, o = p.ceremony(), q.ceremony()
        new = reseal(p, s)
        host = Host(p.path("next.seal"))
        request = host.request()
        for seal in (None, p.path("next.seal")):
            t = asked(request, *([seal] if seal else []))
            t.see(SHARE)
            for share, bare, named in (
                    (s["ops"], "(or a retired one)", "ops: retired, of epoch 1"),
                    (o["ops"], "(or a retired one)", "a share of another set"),
                    (compact(s["ops"]), "of no custodian of set", "ops: retired, of epoch 1"),
                    (compact(o["ops"]), "of no custodian of set", "of no custodian of set")):
                t.send_when_hidden(share)
                t.see(named if seal else bare)
                assert "epoch 2" in t.see(SHARE)
            words = new["ops"].split()
            words[7] = "acid" if words[7] != "acid" else "acne"
            t.send_when_hidden(" ".join(words))
            t.see("word 8 looks misread.")
            t.see("Word 8")
            t.send_when_hidden(new["ops"].split()[7])
            t.see("ops: type yes" if seal else "custodian number 1: type yes")
            t.sendline("yes")
            assert t.end() == 0
            check_width(t)
            assert host.verifies(request, "ops", one_line(t.shown))


def test_anything_but_yes_is_no():
    with Place() as p:
        s = p.ceremony()
        request = Host(p.seal).request()
        for answer in ("", "y", "YES", "yes ", "no", None, "^C"):
            t = asked(request)
            t.see(SHARE)
            t.send_when_hidden(s["ops"])
            t.see("type yes")
            if answer is None:
                t.sendeof()
            elif answer == "^C":
                t.sendintr()
            else:
                t.sendline(answer)
            assert t.end() == (-2 if answer == "^C" else 1), (answer, t.shown)
            assert not codelib.find_lines(t.shown, codelib.APPROVAL)
        for keys in ("d", "c"):  # at each prompt
            for prompts in (1, 2):
                t = Terminal("approve")
                t.see(ASK)
                if prompts == 2:
                    t.send_when_hidden("\n".join(lines(request)))
                    t.see(SHARE)
                cmdlib.wait_for("echo off", lambda: not t.getecho())
                t.sendcontrol(keys)
                assert t.end() == (1 if keys == "d" else -2)
        t = asked(request, text="\n".join(lines(request)) + "\n" + s["ops"] + "\nyes\nyes")
        t.see(SHARE)  # what was typed ahead is dropped
        t.send_when_hidden("?")
        t.see("A share is 20")
        t.see(SHARE)
        t.send_when_hidden(s["ops"] + "\nyes")  # and so it is before the yes
        t.see("type yes")
        t.send_when_hidden("no")
        assert t.end() == 1
        assert not codelib.find_lines(t.shown, codelib.APPROVAL)


def approve_S15_what_is_shown_is_what_is_signed():
    with Place() as p:
        s = p.ceremony()
        host = Host(p.seal)
        request = host.request()
        for field, value in (("purpose", "drill"), ("host_label", "db2"), ("account", "other"),
                             ("uid", 1002), ("key", "b"), ("holder", "stranger"),
                             ("reason", "INC-1234 directory is up"), ("session_seconds", 14401),
                             ("service", "login"), ("origin", "192.0.2.8"),
                             ("nonce", bytes(16)), ("seal_digest", bytes(32))):
            forged = request | {field: value}
            t = approve(forged, s["ops"])
            if isinstance(value, str):
                shown = t.shown.partition("type yes")[0]
                assert ("DRILL" if value == "drill" else value) in shown, (field, shown)
            code = one_line(t.shown)
            assert host.verifies(forged, "ops", code)
            assert not host.verifies(request, "ops", code), field
        # a lie about the set makes a share that is refused, or an approval that is
        for field, value in (("set", bytes(16)), ("epoch", 9)):
            t = asked(request | {field: value})
            t.see(SHARE)
            t.send_when_hidden(compact(s["ops"]))
            t.see("of no custodian")
            t.sendcontrol("c")
            t.end()


def approve_S15_a_seal_catches_what_was_made_up():
    with Place() as p, Place() as q:
        s = p.ceremony()
        q.ceremony()
        host = Host(p.seal)
        request = host.request()
        t = approve(request, s["audit"], p.seal)
        assert "approved by audit." in t.shown
        for fields, text in (({"seal_digest": bytes(32)}, "of another seal"),
                             ({"holder": "stranger"}, "contradicts its seal"),
                             ({"key": "c"}, "contradicts its seal"),
                             ({"account": "root"}, "contradicts its seal"),
                             ({"epoch": 2}, "contradicts its seal"),
                             ({"set": bytes(16)}, "contradicts its seal"),
                             ({"custodians": request["custodians"][:2]}, "contradicts its seal")):
            t = asked(request | fields, p.seal)
            t.see(text)
            assert t.end() == 1, t.shown
        t = asked(request, q.seal)
        t.see("of another seal")
        assert t.end() == 1


def approve_P20_foreign_text_stays_in_its_place():
    with Place() as p:
        p.ceremony()
        request = Host(p.seal).request()
        for field in ("reason", "holder", "origin", "service"):
            for text in ("a\x1b[2Jb", "a\nwhat root", "\x9b2J", "a\u202eb", "\u200b", "%n%s\x07"):
                t = asked(request | {field: text[:16]})
                t.see("cannot be read")
                assert t.end() == 2
                assert text not in t.shown
        t = asked(request | {"reason": "%n %s $(id) `id` \\ \""})
        t.see('%n %s $(id) `id` \\ "')
        t.sendcontrol("c")
        t.end()


def refused(t, request, share, whose):
    t.see(SHARE)
    t.send_when_hidden(share)
    t.see(f"{whose}: type yes to refuse request {short_id(request)}:")
    t.sendline("yes")
    assert t.end() == 0, t.shown
    check_width(t)
    return one_line(t.shown)


def approve_P17_a_refusal_is_no_approval():
    with Place() as p:
        s = p.ceremony()
        host = Host(p.seal)
        for form, args, whose in ((str, (), "custodian number 2"), (compact, (p.seal,), "dba")):
            request = host.request()
            t = asked(request, "--refuse", *args)
            code = refused(t, request, form(s["dba"]), whose)
            for text in ("somebody wants to open, or has opened", "account breakglass (uid 1001)",
                         "host db1, by its door sshd", "oncall, with the security key a",
                         "ends this request and every session that came of it",
                         "root on db1 gives it to:  bg-unlock revoke --code",
                         f"Request {short_id(request)}: refused by {whose}.",
                         "The refusal, to be read aloud line by line:"):
                assert text in t.shown, text
            assert host.refuses(request, "dba", code) and not host.verifies(request, "dba", code)
            assert not host.refuses(host.request(), "dba", code)
            assert "".join(codelib.find_lines(t.shown, codelib.REFUSAL)) == code
            approved = one_line(approve(request, form(s["dba"]), *args).shown)
            assert host.verifies(request, "dba", approved)
            assert not host.refuses(request, "dba", approved)
        out = json.loads(refused(asked(request, p.seal, "--refuse", "--json"), request, s["ops"], "ops"))
        assert out["custodian"] == "ops" and "approval" not in out
        assert host.refuses(request, "ops", out["refusal"])


def test_refuse_S13_wrong_shares_and_anything_but_yes():
    with Place() as p, Place() as q:
        s, o = p.ceremony(), q.ceremony()
        request = Host(p.seal).request(purpose="drill", host_label="h" * 24, reason="r" * 64)
        t = asked(request, "--refuse")
        t.see(SHARE)
        t.send_when_hidden(o["ops"])
        t.see("a share of another set")
        t.see(SHARE)
        t.send_when_hidden(s["ops"])
        t.see("type yes to refuse")
        t.sendline("no")
        assert t.end() == 1 and "not refused" in t.shown and "DRILL" in t.shown
        assert not codelib.find_lines(t.shown, codelib.REFUSAL)
        check_width(t)


def test_a_no_needs_nobodys_leave():
    """A seal that takes approvals only at its own prompt takes refusals all the same."""
    with Place() as p:
        plan = p.path("plan")
        with open(plan, "w", encoding="ascii") as f:
            f.write("[plan]\naccount = breakglass\nzone = db\nthreshold = 2\nstrength = 128\n"
                    "[policy]\nremote = touch\n"
                    + "".join(f"[custodian {c}]\nphone = 1\n" for c in ("ops", "dba", "audit"))
                    + f"[key a]\nholder = oncall\ndevice = {p.key.path}\n")
        p.seal = p.path("breakglass.seal")
        run("init", "breakglass", "--plan", plan, "-o", p.seal, "--shares-to", p.private("shares"),
            "--pin-stdin", stdin=PIN + "\n", check=0)
        host, s = Host(p.seal), p.read_shares("shares")
        request = host.request()
        t = asked(request, p.seal)
        t.see("takes no approvals from elsewhere")
        assert t.end() == 1
        code = refused(asked(request, p.seal, "--refuse"), request, s["audit"], "audit")
        assert host.refuses(request, "audit", code)


def approve_S17_nothing_is_kept():
    with Place() as p:
        s = p.ceremony()

        def talk(t):
            t.see(SHARE)
            t.send_when_hidden(s["ops"])
            t.see("type yes")
            with open(f"/proc/{t.pid}/task/{t.pid}/children", encoding="ascii") as f:
                traced = f.read().split()[0]
            for place in ("cmdline", "environ"):
                with open(f"/proc/{traced}/{place}", encoding="utf-8", errors="replace") as f:
                    assert not shows_share(f.read(), s["ops"].split())
            t.sendline("yes")

        assert one_line(keeps_nothing(p, "approve", talk).shown)


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
