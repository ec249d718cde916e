#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""init: the ceremony by options, by a plan, and by people at a terminal."""

import os
import re
import stat
import sys

import cmdlib
from cmdlib import PIN, Place, Terminal, fails, prefixes, run, ssh_line

if __name__ == "__main__":
    cmdlib.enter()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_by_options():
    with Place() as p:
        s = p.ceremony()
        assert sorted(s) == ["audit", "dba", "ops"]
        assert all(len(w.split()) == 20 for w in s.values())
        assert mode(p.seal) == 0o600 and mode(p.path("breakglass.contacts")) == 0o600
        for name, words in s.items():
            r = run("share", "verify", p.seal, "--stdin", stdin=words, check=0)
            assert r.stdout.startswith(f"{name}: current, set "), r.stdout
        with open(p.path("breakglass.contacts"), encoding="utf-8") as f:
            assert "phone = +1 555 0102" in f.read()


def test_sheet_of_the_ceremony():
    with Place() as p:
        r = run("init", *p.options("--shares-to", p.private("s"), "--pin-stdin"), stdin=PIN + "\n",
                check=0)
        with open(p.path("breakglass.seal"), "rb") as f:
            digest = cmdlib.subprocess.run(["sha256sum"], stdin=f, capture_output=True, text=True,
                                           check=True).stdout.split()[0]
        assert digest in re.sub(r"\s", "", r.stdout), r.stdout
        assert "bg-unlock install" in r.stdout and re.search(r"[0-9A-Z]{4} epoch 1, 2 of 3", r.stdout)
        assert all(len(line) <= 80 for line in r.stdout.split("\n"))
        assert "one key only" in r.stderr


def test_by_a_plan_with_256_bits_and_two_keys():
    with Place() as p:
        b = p.add_key("b", "--alg", "eddsa", "--no-rk")
        with open(p.path("plan"), "w", encoding="utf-8") as f:
            f.write("[plan]\naccount = breakglass\nzone = web\nthreshold = 3\nstrength = 256\n"
                    "[custodian ops]\nphone = +1 555 0101\n[custodian dba]\nphone = 2\n"
                    "[custodian audit]\nphone = 3\n[custodian law]\nphone = 4\n"
                    f"[key a]\nholder = oncall\ndevice = {p.key.path}\n"
                    f"[key b]\nholder = DBA\ndevice = {b.path}\n")
        r = run("init", "breakglass", "--plan", p.path("plan"), "-o", p.path("seal"), "--shares-to",
                p.private("s"), "--pin-stdin", stdin=f"{PIN}\n{PIN}\n", check=0)
        assert "is a custodian too" in r.stderr and "one key only" not in r.stderr
        s = p.read_shares("s")
        assert all(len(w.split()) == 33 for w in s.values())
        r = run("combine", p.path("seal"), "--stdin", stdin="\n".join(list(s.values())[:3]), check=0)
        assert "stands (3 of 3)" in r.stdout
        compact = run("share", "convert", "--stdin", stdin=s["ops"], check=0).stdout
        assert len(compact) == 71
        words = run("share", "convert", p.path("seal"), "--stdin", stdin=compact, check=0).stdout
        assert words.strip() == s["ops"]
        fails(run("init", "other", "--plan", p.path("plan"), "--shares-to", p.private("x"),
                  "--pin-stdin", stdin=""), 2, "for account breakglass")
        assert not os.listdir(p.path("x"))


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def seal_line(path, key):
    with open(path, encoding="utf-8") as f:
        return re.search(rf"\[key {key}\].*?^ssh = (.*?)$", f.read(), re.S | re.M)[1]


def test_an_ssh_key_of_the_same_security_key():
    with Place() as p:
        ecdsa = ssh_line(kind="sk-ecdsa-sha2-nistp256@openssh.com")
        r = run("init", *p.options("--shares-to", p.private("s"), "--pin-stdin", "--ssh-key",
                                   "a=" + write(p.path("a.pub"), ecdsa + " oncall@laptop\n")),
                stdin=PIN + "\n", check=0)
        assert "key a (holder oncall) is enrolled, with its ssh key" in r.stderr, r.stderr
        assert "lacks ssh" not in r.stderr and "(and its ssh key)" in r.stdout
        assert seal_line(p.path("breakglass.seal"), "a") == ecdsa
        plan = (f"[plan]\naccount = breakglass\nzone = db\nthreshold = 1\n[policy]\nremote = touch\n"
                f"[custodian ops]\n[key a]\nholder = oncall\ndevice = {p.key.path}\n"
                f"ssh = {ssh_line()} of the laptop\n")
        r = run("init", "breakglass", "--plan", write(p.path("plan"), plan), "-o", p.path("seal2"),
                "--shares-to", p.private("s2"), "--pin-stdin", stdin=PIN + "\n", check=0)
        assert "the policy's \"remote\" lacks ssh" in r.stderr.replace("\n", " "), r.stderr
        assert seal_line(p.path("seal2"), "a") == ssh_line()
        os.unlink(p.path("breakglass.seal"))
        r = run("init", *p.options("--shares-to", p.private("s3"), "--pin-stdin",
                                   f"--key=b=boss@{p.key.path}", f"--ssh-key=a={p.path('a.pub')}",
                                   f"--ssh-key=b={p.path('a.pub')}"))
        fails(r, 2, "have the same ssh key")
        fails(run("init", "breakglass", "--plan", write(p.path("plan"), plan + plan[plan.index(
            "[key a]"):].replace("[key a]", "[key b]")), "--shares-to", p.path("s3"), "--pin-stdin"),
              2, "have the same ssh key")


def test_what_is_no_ssh_key_of_a_security_key_is_refused():
    good = ssh_line()
    kind, blob = good.split()
    rows = (("", "begin with sk-ssh"), ("\n" + good, "begin with sk-ssh"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "private key"),
            ("ssh-ed25519 " + blob, "ordinary"), ("ssh-rsa AAAA", "ordinary"),
            ("ecdsa-sha2-nistp256 " + blob, "ordinary"),
            ("sk-ssh-ed25519-cert-v01@openssh.com " + blob, "certificate"),
            ("verify-required " + good, "options are not allowed"),
            ('from="10.0.0.1" ' + good, "options are not allowed"),
            (f"{good}\n{good}\n", "more than one line"), (kind, "no key"), (kind + " ", "damaged"),
            (good[:-1], "damaged"), (good[:-4], "damaged"), (good + "AAAA", "damaged"),
            (kind + "  " + blob, "damaged"), (good.replace("AAAA", "AAA=", 1), "damaged"),
            (kind + " " + blob[:-2] + chr(ord(blob[-2]) + 1) + "=", "damaged"),
            (ssh_line(inner=b"sk-ecdsa-sha2-nistp256@openssh.com"), "damaged"),
            (ssh_line(inner=b"ssh-ed25519"), "damaged"), (ssh_line(key=bytes(31)), "damaged"),
            (ssh_line(key=bytes(33)), "damaged"), (ssh_line(more=b"\0"), "damaged"),
            (ssh_line(kind="sk-ecdsa-sha2-nistp256@openssh.com", key=b"\x02" + bytes(64)), "damaged"),
            (kind + " " + "A" * 600, "no key"), (kind + " " + "A" * 5000, "too big"))
    with Place() as p:
        shares = p.private("s")
        base = p.options("--shares-to", shares, "--pin-stdin")
        for text, says in rows:
            r = run("init", *base, f"--ssh-key=a={write(p.path('k'), text)}", stdin=PIN + "\n")
            fails(r, 2, says, "hint: ")
        fails(run("init", *base, f"--ssh-key=c={p.path('k')}"), 2, "no key has that name", "--ssh-key a=")
        fails(run("init", *base, "--ssh-key=a"), 2, "NAME=FILE.pub")
        fails(run("init", *base, f"--ssh-key=a={p.path('none')}"), 3, "not found")
        write(p.path("k"), good + "\r\n")
        fails(run("init", *base, *[f"--ssh-key=a={p.path('k')}"] * 2), 2, "two ssh keys")
        assert not os.listdir(shares) and not os.path.exists(p.path("breakglass.seal"))


def test_the_same_key_is_not_enrolled_twice():
    with Place() as p:
        r = run("init", *p.options(f"--key=b=boss@{p.key.path}", "--shares-to", p.private("s"),
                                   "--pin-stdin"), stdin=f"{PIN}\n{PIN}\n")
        fails(r, 1, "enrolled already")
        assert not os.listdir(p.path("s")) and not os.path.exists(p.path("breakglass.seal"))


def test_wrong_pin_leaves_nothing():
    with Place() as p:
        for pin, status in (("wrong-pin", 1), ("", 2), ("abc", 2), ("x" * 64, 2)):
            r = run("init", *p.options("--shares-to", p.path("s"), "--pin-stdin"), stdin=pin + "\n") \
                if os.path.isdir(p.path("s")) or p.private("s") else None
            fails(r, status)
            assert not os.listdir(p.path("s")) and not os.path.exists(p.path("breakglass.seal"))
        assert "pin-attempts=1" in p.key.ctl("count").replace(",", " "), p.key.ctl("count")


def init_P07_names_are_never_a_command():
    with Place() as p:
        shares = p.private("s")
        base = ["-o", p.path("seal"), "--shares-to", shares, "--pin-stdin"]
        custodians, keys = p.people(), [f"--key=a=oncall@{p.key.path}"]
        for name in ("$(id)", ";id", "-x", "../x", "", "a\nb", "ops]", "`id`", "x" * 25):
            for args in (
                    ["breakglass", "--zone=db", *custodians, *keys, f"--custodian={name}"],
                    ["breakglass", "--zone=db", *custodians, f"--key={name}=holder@{p.key.path}"],
                    ["breakglass", f"--zone={name}", *custodians, *keys],
                    ["--zone=db", *custodians, *keys, "--", name]):
                r = run("init", *base, *args, stdin=PIN + "\n")
                fails(r, 2, "hint: ")
                assert "uid=" not in r.stdout + r.stderr
        run("init", "breakglass", "--zone", "db", *p.people(), f"--key=a=$(id);id@{p.key.path}", "-o",
            p.path("seal"), "--shares-to", shares, "--pin-stdin", stdin=PIN + "\n", check=0)
        with open(p.path("seal"), encoding="utf-8") as f:
            assert "holder = $(id);id\n" in f.read()  # a holder is text, and stays text


def init_S16_no_quorum_of_one():
    with Place() as p:
        for threshold in ("0", "1", "4", "17", "-1", "x", ""):
            r = run("init", *p.options("--threshold", threshold, "--shares-to", p.path("s"),
                                       "--pin-stdin"), stdin=PIN + "\n")
            fails(r, 2)
        many = [f"c{i}" for i in range(17)]
        fails(run("init", *p.options("--shares-to", "/mnt", "--pin-stdin", names=many)), 2)


def test_a_bad_plan_is_named_by_line():
    with Place() as p:
        good = "[plan]\naccount = breakglass\nzone = db\nthreshold = 2\n[custodian ops]\nphone = 1\n"
        for bad, line in (("zome = db", 7), ("phone = 2", 7), ("[custodian ops]", 7), ("[x]", 7),
                          ("novalue", 7)):
            with open(p.path("plan"), "w", encoding="utf-8") as f:
                f.write(good + bad + "\n")
            r = run("init", "breakglass", "--plan", p.path("plan"))
            if r.returncode == 3:  # no terminal: asked before
                r = run("init", "breakglass", "--plan", p.path("plan"), "--shares-to",
                        p.path("s") if os.path.isdir(p.path("s")) else p.private("s"), "--pin-stdin")
            fails(r, 2, f"{p.path('plan')}:{line}:", "hint: ")
        fails(run("init", "breakglass", "--plan", p.path("none"), "--shares-to", "/mnt",
                  "--pin-stdin"), 3, "not found")


def init_S17_existing_files_are_not_overwritten():
    with Place() as p:
        shares = p.private("s")
        for path in (p.path("breakglass.seal"), shares + "/dba.share"):
            with open(path, "w", encoding="utf-8") as f:
                f.write("precious")
            fails(run("init", *p.options("--shares-to", shares, "--pin-stdin"), stdin=PIN + "\n"), 2,
                  "never overwritten")
            with open(path, encoding="utf-8") as f:
                assert f.read() == "precious"
            os.unlink(path)
            assert not os.listdir(shares)
        os.symlink("/mnt/elsewhere", shares + "/ops.share")
        fails(run("init", *p.options("--shares-to", shares, "--pin-stdin"), stdin=PIN + "\n"), 2)
        assert not os.path.exists("/mnt/elsewhere")
        os.unlink(shares + "/ops.share")
        for bad in (0o755, 0o770, 0o701):
            os.chmod(shares, bad)
            fails(run("init", *p.options("--shares-to", shares, "--pin-stdin"), stdin=PIN + "\n"), 2,
                  "chmod 0700")
        fails(run("init", *p.options("--shares-to", p.path("nowhere"), "--pin-stdin")), 2, "install -d")
        os.chmod(shares, 0o700)
        os.umask(0)
        run("init", *p.options("--shares-to", shares, "--pin-stdin"), stdin=PIN + "\n", check=0)
        os.umask(0o022)
        assert all(mode(shares + "/" + f) == 0o600 for f in os.listdir(shares))
        assert mode(p.path("breakglass.seal")) == 0o600


def init_S05_without_randomness_nothing_is_dealt():
    with Place() as p:
        shares = p.private("s")
        for when in ("1+", "2+", "3+", "5+", "8+"):
            r = cmdlib.subprocess.run(
                ["strace", "-qq", "-o", "/dev/null", "-e", f"inject=getrandom:error=EIO:when={when}",
                 cmdlib.UNLOCK, "init", *p.options("--shares-to", shares, "--pin-stdin")],
                input=PIN + "\n", capture_output=True, text=True, timeout=60, check=False)
            assert r.returncode == 3 and "error: " in r.stderr, (when, r)
            assert not os.listdir(shares) and not os.path.exists(p.path("breakglass.seal"))


def init_S08_every_pair_of_a_ceremony_recombines():
    with Place() as p:
        s = list(p.ceremony().values())
        secrets = {run("combine", "--stdin", "--reveal", stdin=f"{s[i]}\n{s[j]}\n", check=0).stdout
                   for i in range(3) for j in range(3) if i != j}
        assert len(secrets) == 1


def read_screen(screen):
    """The numbered words on the alternate screen."""
    screen = screen.split("needed\r\n", 1)[-1]
    words = re.findall(r"(?<![0-9])([0-9]{1,2}) ([a-z]{4,8})(?= |\r|\n)", screen)
    return " ".join(word for _, word in sorted(words, key=lambda pair: int(pair[0])))


def enrol(t):
    t.see("Plug in key a (holder oncall), only that one,")
    t.see("and press Enter:")
    t.send_when_hidden("")
    t.see("PIN of key a, then touch it when it blinks:")
    t.sendline(PIN)


def show(t, name):
    t.see("Press Enter to show it:")
    t.send_when_hidden("")
    t.see("\x1b[?1049h")
    t.see(f"SHARE OF {name} ")
    screen = t.see("Then press Enter: it is cleared")
    return screen


def test_at_a_terminal():
    with Place() as p:
        t = Terminal("init", "breakglass", "-o", p.path("breakglass.seal"), cwd=p.folder)
        t.see("Zone, the hosts")
        t.sendline("no good zone!")
        t.see("A zone is letters")
        t.sendline("db")
        for i, who in enumerate(("ops +1 555 0101", "dba +1 555 0102", "Audit", "audit", "")):
            t.see(f"Custodian {min(i + 1, 3 if i < 4 else 4)}")
            t.sendline(who)
        t.see("Security key 1")
        t.sendline(f"a oncall@{p.key.path}")
        t.see("Security key 2")
        t.sendline("")
        t.see("How many of the 3 must agree? [2]")
        t.sendline("")
        enrol(t)
        shares = {}
        for name in ("ops", "dba", "audit"):
            words = read_screen(show(t, name))
            assert len(words.split()) == 20, words
            t.send_when_hidden("")
            t.see("\x1b[2J\x1b[H\x1b[?1049l")  # wiped before it is left
            t.see(f"Read it back, {name} (r shows it again, ? helps):")
            if name == "dba":
                t.send_when_hidden(shares["ops"])
                t.see("not the one just shown")
                t.see("Read it back")
                t.sendline("r")
                assert read_screen(t.see("Then press Enter")) == words
                t.send_when_hidden("")
                t.see("Read it back")
            assert not os.path.exists(p.path("breakglass.seal"))
            t.send_when_hidden(prefixes(words))
            t.see(f"{name}: confirmed.")
            shares[name] = words
        t.see("Fingerprint")
        assert t.end() == 0
        t.check_width()
        for name, words in shares.items():
            run("share", "verify", p.path("breakglass.seal"), "--stdin", stdin=words, check=0)
        with open(p.path("breakglass.contacts"), encoding="utf-8") as f:
            assert "phone = +1 555 0101" in f.read()


def test_wrong_pin_is_asked_again():
    with Place() as p:
        t = Terminal("init", *p.options())
        t.see("press Enter:")
        t.send_when_hidden("")
        t.see("PIN of key a")
        t.sendline("wrong-pin")
        t.see("Wrong PIN, 7 tries left. Caps Lock? Keyboard layout?")
        enrol(t)
        t.see("Share 1 of 3 is for ops")
        t.sendintr()
        assert t.end() == -2
        t.check_width()


def init_S14_nothing_is_written_before_the_last_confirmation():
    with Place() as p:
        t = Terminal("init", *p.options())
        enrol(t)
        for i, name in enumerate(("ops", "dba", "audit")):
            words = read_screen(show(t, name))
            t.send_when_hidden("")
            t.see("Read it back")
            t.send_when_hidden(" ".join(words.split()[:-1]) if i == 2 else words)
            t.see(f"{name}: 19 of 20 words, go on:" if i == 2 else "confirmed.")
        t.sendeof()
        assert t.end() == 1
        assert "nothing was written" in t.shown
        assert sorted(os.listdir(p.folder)) == ["a.ctl", "a.dev"]


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
