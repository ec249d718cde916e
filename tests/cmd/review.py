#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bg-unlock review: who may, of what, once; what it says of shares that were exposed."""

import json
import re
import sys

import chainlib
import cmdlib
from chainlib import Chain
from cmdlib import run

DIGEST = "5be3" + "ab" * 30
TEXTS = ["--class", "emergency", "--by", "Audit Reviewer", "--cause", 'LDAP "db=1" was down',
         "--finding", "nothing out of order"]
BASE = {"host": "db1", "account": "breakglass", "key": "a", "holder": "Example Holder",
        "service": "sshd", "origin": "192.0.2.7", "epoch": 1}


def use(*steps, request=DIGEST, chain=None):
    """A chain of events by name; a text is a result."""
    chain = chain or Chain()
    for event, result, *more in steps:
        chain.add(event, **{"request": request, **BASE, "result": result, **(more[0] if more else {})})
    return chain


GRANTED = ("GRANTED", "key and quorum")
OPENED = ("SESSION_OPENED", "open")
CLOSED = ("SESSION_CLOSED", "closed after 2 min; a review is due")
TYPED = [("SHARE_ACCEPTED", "ops typed here"), ("SHARE_ACCEPTED", "dba typed here"),
         ("GRANTED", "key and quorum; typed here: ops, dba")]


def start(chain):
    chainlib.reset()
    chain.write()
    return chain


def this_boot():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        return f.read().strip()


def uptime():
    with open("/proc/uptime", encoding="ascii") as f:
        return int(float(f.read().split()[0]))


def records():
    with open(chainlib.RUN + "/pending", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def test_review_is_recorded_once():
    start(use(*TYPED, OPENED, CLOSED))
    said = run("review", DIGEST[:8], *TEXTS, check=0).stdout
    assert "Reviewed: request" in said and "A reseal is due" in said and "host: ops, dba." in said, said
    last = records()[-1]
    assert last["event"] == "REVIEWED" and last["request"] == DIGEST and last["key"] == "a", last
    assert last["holder"] == "Example Holder", last
    assert re.fullmatch(r'class=emergency by="Audit Reviewer" login="root \(.+\)" '
                        r'cause="LDAP \\"db=1\\" was down" finding="nothing out of order"',
                        last["result"]), last
    again = run("review", DIGEST[:8], *TEXTS, check=1)
    assert "is reviewed already" in again.stderr, again.stderr
    run("log", "verify", "--syslog", "/dev/null", check=0)
    shown = run("log", "show", check=0).stdout
    assert re.search(r"OPENED by [^;]*; reviewed", shown), shown


def test_a_use_after_the_review_owes_another():
    start(use(GRANTED, OPENED, CLOSED, ("REVIEWED", "class=drill"), OPENED, CLOSED))
    run("review", DIGEST, *TEXTS, check=0)


def test_review_is_refused():
    here = {"boot": this_boot(), "boottime": uptime()}
    reviewer = TEXTS[:2] + ["--by", "example  HOLDER."] + TEXTS[4:]
    table = (
        ("an unknown request", use(GRANTED), "ffffff", TEXTS, "0 requests"),
        ("not opened", use(*TYPED[:2]), DIGEST, TEXTS, "was not opened"),
        ("a drill", use(("GRANTED", "drill: key and quorum; typed here: ops")), DIGEST, TEXTS,
         "was not opened"),
        ("a session is open", use(GRANTED, ("SESSION_OPENED", "open", here)), DIGEST, TEXTS,
         "still in use"),
        ("one of two sessions is open", use(
            ("GRANTED", "", here), ("SESSION_OPENED", "", here), ("SESSION_OPENED", "", here),
            ("SESSION_CLOSED", "", here)), DIGEST, TEXTS, "still in use"),
        ("a grant is out", use(("GRANTED", "key and quorum", here)), DIGEST, TEXTS, "still in use"),
        ("reviewed", use(GRANTED, ("REVIEWED", "class=drill")), DIGEST, TEXTS, "reviewed already"),
        ("by the holder", use(GRANTED), DIGEST, reviewer, "somebody else reviews"),
        ("two of that name", use(GRANTED, request="5be3ab" + "0" * 58, chain=use(GRANTED)), "5be3ab",
         TEXTS, "2 uses are called"),
    )
    for name, chain, request, texts, expected in table:
        start(chain)
        before = len(chain.lines)
        done = run("review", request, *texts)
        assert done.returncode == 1 and expected in done.stderr, (name, done)
        assert len(records()) == before, name
        assert not done.stdout, (name, done)


def test_sessions_that_ended_without_a_record_are_over():
    """The host went down, the time was over, root revoked it."""
    here = {"boot": this_boot(), "boottime": uptime()}
    old = {"boot": this_boot(), "boottime": 0}
    for last in (("SESSION_EXPIRED", "", here), ("REVOKED", "", here)):
        start(use(("GRANTED", "", here), ("SESSION_OPENED", "", here), last))
        run("review", DIGEST, *TEXTS, check=0)
    start(use(GRANTED, OPENED))  # of another boot
    run("review", DIGEST, *TEXTS, check=0)
    if uptime() > 86400:
        start(use(("GRANTED", "", old), ("SESSION_OPENED", "", old)))
        run("review", DIGEST, *TEXTS, check=0)


def test_exposure_and_reseal():
    seen = ("APPROVAL_ACCEPTED", "response of the quorum; the combining machine has seen ops, audit")
    installed = ("SEAL_INSTALLED", "succeeds epoch 1", {"request": "", "epoch": 2})
    table = (
        ("approvals only", use(("APPROVAL_ACCEPTED", "ops approved elsewhere"), GRANTED),
         ["No share was exposed"]),
        ("a response", use(seen, GRANTED), ["that combined: ops, audit.", "A reseal is due"]),
        ("told by the grant alone", use(
            ("GRANTED", "key and quorum; typed here: dba; seen by the combining machine: ops, audit")),
         ["that host: dba.", "that combined: ops, audit.", "A reseal is due"]),
        ("resealed since", use(*TYPED, installed), ["ops, dba", "Epoch 2 was installed since"]),
    )
    for name, chain, expected in table:
        start(chain)
        said = run("review", DIGEST, *TEXTS, check=0).stdout
        for text in expected:
            assert text in said, (name, said)


def test_what_the_session_began_beside_is_said():
    def began(ordinary, normal):
        fields = {"normal": normal, **({"ordinary": ordinary} if ordinary is not None else {})}
        return ("SESSION_CONTEXT", f"an ordinary login {ordinary} s before; normal ways {normal}", fields)
    table = (
        ("none", (), "Begun beside: what, is not recorded.\n", False),
        ("healthy", (began(240, "healthy"),),
         "Begun beside: an ordinary login 240 s before; normal ways healthy.\n", True),
        ("broken", (began(240, "broken: x"),), "normal ways broken: x.\n", False),
        ("the second one", (began(1, "broken: x"), began(2, "healthy"), began(3, "unknown")),
         "login 2 s before; normal ways healthy.\n", True),
        ("the first one", (began(1, "unknown"), began(2, "broken: x")), "login 1 s before", False),
        ("a terminal's codes", (began(1, "broken: \x1b[2J"),), "broken: ?[2J", False),
    )
    for name, steps, expected, asks in table:
        start(use(GRANTED, OPENED, *steps, CLOSED))
        # before a class is chosen, too; and that records nothing
        for texts, status in (([], 2), (TEXTS[2:], 2), (TEXTS, 0)):
            said = run("review", DIGEST, *texts, check=status).stdout
            assert expected in said and ("Was this an emergency?" in said) == asks, (name, said)
            assert [r["event"] for r in records()].count("REVIEWED") == (status == 0), name
    # it owes no other review when it comes late
    start(use(GRANTED, OPENED, CLOSED, ("REVIEWED", "class=drill"), began(1, "healthy")))
    assert "reviewed already" in run("review", DIGEST, *TEXTS, check=1).stderr


def test_bad_usage():
    start(use(GRANTED))
    table = (
        ([], "which request"), ([DIGEST], "--class"), ([DIGEST, *TEXTS[2:]], "--class"),
        ([DIGEST, "--class", "fun", *TEXTS[2:]], "--class"), ([DIGEST, *TEXTS[:4]], "are all wanted"),
        ([DIGEST, *TEXTS[:7], ""], "are all wanted"), ([DIGEST, "x", *TEXTS], "which request"),
        ([DIGEST, *TEXTS[:7], "x" * 400], "too long together"),
    )
    for args, expected in table:
        done = run("review", *args)
        assert done.returncode == 2 and expected in done.stderr, (args, done)
    assert len(records()) == 1


if __name__ == "__main__":
    chainlib.enter()
    cmdlib.main(sys.modules[__name__])
