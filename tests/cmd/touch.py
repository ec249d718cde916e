#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""touch: at a laptop, a security key's answer to a host's touch challenge; touch --test."""

import hashlib
import os
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

import cmdlib
from cmdlib import PIN, Place, Terminal, fails, run, ssh_line

sys.path.insert(0, os.path.join(cmdlib.SOURCE, "tests/pam"))
import codelib  # pylint: disable=wrong-import-position

cmdlib.enter()

KINDS = {codelib.REQUEST_CHALLENGE: "a request challenge", codelib.APPROVAL: "an approval",
         codelib.RESPONSE: "a response", codelib.TOUCH_ANSWER: "a touch answer"}


def read(path):
    with open(path, "rb") as f:
        return f.read()


def seal_key(path, name="a"):
    """(credential, verify(signature, message)) of a key in a seal."""
    section = re.search(rf"\[key {name}\](.*?)\n\[", read(path).decode(), re.S)[1]
    values = dict(re.findall(r"^(\S+) = (.*)$", section, re.M))
    pub = bytes.fromhex(values["public-key"])
    if values["algorithm"] == "eddsa":
        key = ed25519.Ed25519PublicKey.from_public_bytes(pub)
        return bytes.fromhex(values["credential"]), key.verify
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + pub)
    return bytes.fromhex(values["credential"]), \
        lambda signature, message: key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


def challenge(seal=None, **changes):
    return {"nonce": os.urandom(32),
            "seal_digest": hashlib.sha256(read(seal)).digest() if seal else os.urandom(32),
            "zone": "db", "host_label": "db1", "account": "breakglass", "service": "login",
            "origin": "ttyS0", **changes}


def as_text(value):
    return "".join(codelib.encode(codelib.TOUCH_CHALLENGE, codelib.write_touch_challenge(value)))


class Touch(Terminal):
    def __init__(self, p, *args, device=None):
        super().__init__("touch", "--device", device or p.key.path, *args)

    def give(self, text):
        self.see("Touch challenge:")
        self.send_when_hidden(text)

    def agree(self, value):
        self.give(as_text(value))
        self.see("Did you start this login yourself, now? Type yes:")
        self.sendline("yes")

    def pin(self, pin=PIN):
        self.see("PIN of your security key, then touch it when it blinks:")
        self.send_when_hidden(pin)


def check_answer(t, value, credential, verify):
    """The answer is there twice, and a host would take it."""
    assert t.end() == 0, t.shown
    kind, body = codelib.decode(codelib.find_lines(t.shown))
    one = re.search(r"to be pasted:\s+([cbdefghijklnrtuv]+)\r\n", t.shown)[1]
    assert len(one) <= 511 and codelib.decode([one[i:i + 32] for i in range(0, len(one), 32)]) == (
        kind, body)
    assert kind == codelib.TOUCH_ANSWER
    answer, digest = codelib.read_touch_answer(body), codelib.touch_digest(value)
    assert answer["tag"] == digest[:4] and answer["flags"] & 5 == 5
    assert answer["credential_hash"] == codelib.sha256(credential)[:4]
    authdata = codelib.sha256(b"breakglass:" + value["zone"].encode()) + bytes(
        [answer["flags"]]) + answer["counter"].to_bytes(4, "big")
    verify(answer["signature"], authdata + digest)
    for name, other in (("host_label", "db2"), ("account", "other"), ("origin", "x"),
                        ("service", "su"), ("nonce", bytes(32)), ("seal_digest", bytes(32))):
        try:
            verify(answer["signature"], authdata + codelib.touch_digest({**value, name: other}))
        except InvalidSignature:
            continue
        raise AssertionError(f"another {name} is as good")
    t.shown = t.shown.replace(one, "")  # the only line that may be longer
    t.check_width()


def touch_S15_what_was_shown_is_what_is_signed():
    with Place() as p:
        p.ceremony()
        value = challenge(p.seal)
        t = Touch(p)
        t.agree(value)
        t.pin()
        for words in ("account  breakglass", "host     db1", "service  login", "origin   ttyS0",
                      "zone     db"):
            assert words in t.shown, t.shown
        before = sorted(os.listdir(p.folder))
        check_answer(t, value, *seal_key(p.seal))
        assert t.shown.index("Type yes:") < t.shown.index("PIN of your")
        assert PIN not in t.shown and as_text(value) not in t.shown.replace("\r\n", "")
        assert sorted(os.listdir(p.folder)) == before
        assert t.shown.count("\n") <= 24, t.shown


def test_with_a_seal_the_key_of_several_that_it_names():
    with Place() as p:
        b = p.add_key("b", "--alg", "eddsa", "--no-rk")
        p.add_key("c")
        run("init", *p.options("--shares-to", p.private("s"), "--pin-stdin",
                               f"--key=b=boss@{b.path}"), stdin=f"{PIN}\n{PIN}\n", check=0)
        seal = p.path("breakglass.seal")
        value = challenge(seal, origin="", service="sshd")
        t = Touch(p, "--seal", seal, device=f"{b.path} {p.keys[2].path}")
        t.agree(value)
        t.pin()
        assert "origin   (not known)" in t.shown
        check_answer(t, value, *seal_key(seal, "b"))
        assert "pin-attempts=0" in p.keys[2].ctl("count").replace(",", " ")


def touch_P17_only_a_touch_challenge_is_answered():
    with Place() as p:
        p.ceremony()
        t = Touch(p)
        for kind, name in KINDS.items():
            t.give("".join(codelib.encode(kind, os.urandom(80))))
            t.see(f"This is {name}; a touch challenge is wanted.")
        words = list(p.read_shares("shares").values())[0]
        t.give(words)
        t.see("This is a share; a touch challenge is wanted.")
        value = challenge(p.seal)
        for line in codelib.encode(codelib.TOUCH_CHALLENGE, codelib.write_touch_challenge(value)):
            t.sendline(line.upper())
        t.see("Type yes:")
        t.sendline("yes")
        t.pin()
        check_answer(t, value, *seal_key(p.seal))
        assert not cmdlib.shows_share(t.shown, words.split())


def test_a_challenge_that_is_no_good_asks_no_key():
    with Place() as p:
        p.ceremony()
        good = codelib.write_touch_challenge(challenge(p.seal))
        for body in (good[:-1], good + b"\0", b"\2" + good[1:], good.replace(b"\2db", b"\2d\x1b"),
                     good.replace(b"\5ttyS0", b"\5tty\0000"), good[:40]):
            assert body != good
            t = Touch(p)
            t.give("".join(codelib.encode(codelib.TOUCH_CHALLENGE, body)))
            assert t.end() == 2 and "no touch challenge of this version" in \
                " ".join(t.shown.split()), t.shown
        count = p.key.ctl("count")
        assert "assertions=0" in count.replace(",", " "), count


def test_without_a_yes_no_key_is_asked():
    with Place() as p:
        p.ceremony()
        for answer in ("", "no", "y", "Yes", "yes please"):
            t = Touch(p)
            t.give(as_text(challenge(p.seal)))
            t.see("Type yes:")
            t.sendline(answer)
            assert t.end() == 1 and "no key was asked" in t.shown, answer
            assert "raise the alarm" in " ".join(t.shown.split())
        t = Touch(p)
        t.see("Touch challenge:")
        cmdlib.wait_for("echo off", lambda: not t.getecho())
        t.sendeof()
        assert t.end() == 1
        assert "assertions=0" in p.key.ctl("count").replace(",", " ")


def touch_P17_a_challenge_of_another_seal_is_named():
    with Place() as p:
        p.ceremony()
        for value, says in ((challenge(), "of another seal"),
                            (challenge(p.seal, zone="web"), "zone web"),
                            (challenge(p.seal, account="other"), "for other")):
            t = Touch(p, "--seal", p.seal)
            t.give(as_text(value))
            assert t.end() == 1 and says in " ".join(t.shown.split()), t.shown
        assert "assertions=0" in p.key.ctl("count").replace(",", " ")
        t = Touch(p)
        t.agree(challenge(zone="web"))
        t.pin()
        t.see("That key is not enrolled for zone web")
        t.sendintr()
        t.end()


def test_wrong_pins_and_a_blocked_key():
    with Place() as p:
        p.ceremony()
        for seal in (["--seal", p.seal], []):
            p.key.ctl("pin-retries", "8")
            t = Touch(p, *seal)
            t.agree(challenge(p.seal))
            t.pin("no")
            t.see("A PIN has 4 to 63 characters.")
            for left in (7, 6):
                t.pin("wrong-pin")
                t.see(f"Wrong PIN, {left} tries left.")
            t.pin("wrong-pin")
            assert t.end() == 3 and "pull the key out and in again" in " ".join(t.shown.split())
            p.key.ctl("unplug")
            p.key.ctl("plug")
            p.key.ctl("pin-retries", "1")
            t = Touch(p, *seal)
            t.agree(challenge(p.seal))
            t.see("This key has 1 PIN try left")
            t.pin("wrong-pin")
            assert t.end() == 3


def test_no_key_several_keys_and_no_touch():
    with Place() as p:
        b = p.add_key("b")
        p.ceremony()
        value = challenge(p.seal)
        p.key.ctl("unplug")
        b.ctl("unplug")
        t = Touch(p, device=f"{p.key.path} {b.path}")
        t.agree(value)
        t.see("No security key here. Plug it in and press Enter:")
        p.key.ctl("plug")
        b.ctl("plug")
        t.send_when_hidden("")
        t.see("Several security keys are plugged in.")
        b.ctl("unplug")
        t.send_when_hidden("")
        p.key.ctl("auto", "off")
        t.pin()
        p.key.ctl("deny")
        t.see("once more")
        p.key.ctl("auto", "on")
        t.pin()
        check_answer(t, value, *seal_key(p.seal))
        assert "pin-attempts=0" in b.ctl("count").replace(",", " ")
        p.key.ctl("unplug")
        t = Touch(p, "--seal", p.seal)
        t.agree(value)
        t.see("No security key here. Plug one in and press Enter:")
        b.ctl("plug")
        t.sendintr()
        t.end()
        t = Touch(p, "--seal", p.seal, device=b.path)
        t.agree(value)
        t.see("That security key is not in the seal.")
        t.sendintr()
        t.end()


def test_the_newest_of_several_credentials_and_the_seal_chooses():
    with Place() as p:
        p.ceremony()
        old = p.path("old.seal")
        os.rename(p.seal, old)
        run("init", *p.options("--shares-to", p.private("s2"), "--pin-stdin"), stdin=PIN + "\n", check=0)
        value = challenge(old)
        t = Touch(p)
        t.agree(value)
        t.pin()
        check_answer(t, value, *seal_key(p.seal))
        assert "2 credentials for breakglass in zone db" in " ".join(t.shown.split()), t.shown
        t = Touch(p, "--seal", old)
        t.agree(value)
        t.pin()
        check_answer(t, value, *seal_key(old))
        assert "credentials" not in t.shown


def test_a_wrong_assertion_is_not_handed_out():
    with Place() as p:
        p.ceremony()
        for flag, blind in (("no-uv", False), ("no-up", False), ("bad-rpid", True), ("bad-sig", True),
                            ("wrong-alg", True)):
            p.key.ctl("flags", flag)
            for seal in (["--seal", p.seal], *([] if blind else [[]])):
                t = Touch(p, *seal)
                t.agree(challenge(p.seal))
                t.pin()
                assert t.end() != 0 and not codelib.find_lines(t.shown), (flag, seal, t.shown)
        p.key.ctl("flags", "none")


def test_a_key_is_tried():
    with Place() as p:
        with open(p.path("a.pub"), "w", encoding="ascii") as f:
            f.write(ssh_line())
        p.ceremony("--ssh-key", f"a={p.path('a.pub')}")
        t = Touch(p, "--test", "--seal", p.seal)
        t.pin()
        assert t.end() == 0 and "It is key a (holder oncall) of the seal for breakglass, zone db" in \
            t.shown and "signature is good" in t.shown and "ssh key" not in t.shown, t.shown
        t.check_width()
        t = Touch(p, "--test", "--zone", "db")
        t.pin()
        assert t.end() == 0 and "1 discoverable credential for zone db" in t.shown
        assert not codelib.find_lines(t.shown)
        t = Touch(p, "--test", "--zone", "web")
        t.pin()
        t.see("not enrolled for zone web")
        t.sendintr()
        t.end()
        p.key.ctl("flags", "bad-sig")
        t = Touch(p, "--test", "--seal", p.seal)
        t.pin()
        assert t.end() == 1 and "signature is good" not in t.shown


def test_usage():
    with Place() as p:
        p.ceremony()
        for args in (["x"], ["--test"], ["--zone", "db"], ["--test", "--zone", "d b"],
                     ["--test", "--zone", "db", "--seal", p.seal], ["--stdin"]):
            fails(run("touch", *args), 2, "hint: ")
        fails(run("touch", "--seal", p.path("none")), 3)
        r = run("touch", stdin=as_text(challenge()) + "\nyes\n", start_new_session=True)
        fails(r, 3, "touch is for a person at a terminal")


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
