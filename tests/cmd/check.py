#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""check on a folder that holds a system: one thing broken, one finding that names it."""

import json
import os
import re
import sys

import cmdlib
from cmdlib import PIN, run
from treelib import ACCOUNT, Host

cmdlib.enter()

OK, WARNING, CRITICAL, UNKNOWN = range(4)
CONF = "etc/breakglass/breakglass.conf"


class Good(Host):
    """A host that is in order, but for a second key: one warning."""

    def __enter__(self):
        super().__enter__()
        self.install()
        # a handler that has taken an alert
        self.tree.write("etc/breakglass/alert.d/mail", "#!/bin/sh\n", 0o755)
        self.tree.write("var/lib/breakglass/spool/handlers/mail", "7 0 0 -\n", 0o600)
        return self

    def check(self, *more):
        return self.call("check", *more)


def finds(h, level, name, *words):
    """The status is that level's, and exactly one finding of that level and name has the words."""
    r = h.check()
    word = ("OK", "WARNING", "CRITICAL")[level]
    lines = r.stdout.splitlines()
    assert r.returncode == level and lines[0].startswith(f"BREAKGLASS {word} - "), r.stdout
    found = [li for li in lines[1:] if li.startswith(f"{word} {name}: ")]
    assert len(found) == 1 and all(w in found[0] for w in words), (name, words, r.stdout)
    assert level == OK or "; do: " in found[0], found


def test_good_host():
    with Good() as h:
        before = h.tree.snapshot()
        finds(h, WARNING, "breakglass/keys", "one key only, a (FIDO2): ")
        r = h.check()
        assert r.stdout.count("\nWARNING") == 1 and "\nCRITICAL" not in r.stdout, r.stdout
        first = r.stdout.splitlines()[0]
        counts = re.fullmatch(r"BREAKGLASS WARNING - 0 critical, 1 warning, (\d+) ok", first)
        assert int(counts[1]) == r.stdout.count("\nOK "), r.stdout
        for name in ("conf", "pam", "login", "runuser", "names", "helper", "breakglass/seal",
                     "breakglass/expiry", "breakglass/quorum", "breakglass/contacts",
                     "breakglass/account"):
            assert f"\nOK {name}: " in r.stdout, (name, r.stdout)
        assert h.tree.snapshot() == before


def test_alert_handlers():
    with Good() as h:
        for text, level, words in (
            ("7 0 0 -\n", OK, ("handler mail takes alerts, the last one was 7",)),
            ("7 3 99 -\n", CRITICAL, ("handler mail failed 3 times in a row",)),
            ("nonsense\n", WARNING, ("handler mail has not taken an alert yet",)),
        ):
            h.tree.write("var/lib/breakglass/spool/handlers/mail", text, 0o600)
            r = h.check()
            assert f"\n{('OK', 'WARNING', 'CRITICAL')[level]} alerts: " in r.stdout, r.stdout
            assert all(w in r.stdout for w in words), r.stdout
        h.tree.write("etc/breakglass/alert.d/mail", "#!/bin/sh\n", 0o777)
        assert "\nWARNING alerts: no alert handler" in h.check().stdout


def test_all_ok_is_zero():
    with Good() as h:
        second = h.add_key("b")
        run("init", "two", *h.options("--shares-to", h.private("s2"), "--pin-stdin",
            f"--key=b=head@{second.path}", "-o", h.path("two.seal"))[1:], stdin=2 * (PIN + "\n"),
            check=0)
        h.call("uninstall", "breakglass", "--purge", check=0)
        h.install(seal=h.path("two.seal"))
        finds(h, OK, "two/keys", "2 keys: a (FIDO2), b (FIDO2)")


def test_json_is_one_object_of_the_same():
    with Good() as h:
        h.tree.edit(CONF, "# device", "devise")
        text, found = h.check(), json.loads(h.check("--json").stdout)
        assert found["schema"] == 1 and found["status"] == "CRITICAL" == text.stdout.split()[1]
        assert found["critical"] == 1 and found["warning"] == 1
        assert sum(f["level"] == "OK" for f in found["findings"]) == found["ok"]
        bad, = [f for f in found["findings"] if f["level"] == "CRITICAL"]
        assert bad["name"] == "conf" and bad["do"] and "devise" in bad["text"], bad


def conf_words():
    """Every word that breakglass.conf knows, with a line that has it right."""
    return (("[breakglass]", "[breakglass]", "role = full"),
            ("services", "services = login", None), ("device", "device = /dev/hidraw0", None),
            ("severity", "severity = alert", None), ("alert", "severity = alert", None),
            ("syslog-sd-id", "syslog-sd-id = bg@32473", None),
            ("review-days", "review-days = 5", None), ("drill-days", "drill-days = 5", None),
            ("role", "role = full", None), ("full", "role = full", None))


def one_letter(word):
    """The word with each letter changed, missing, doubled, or capital."""
    for i, char in enumerate(word):
        if not char.isalpha():
            continue
        other = "x" if char != "x" else "y"
        yield word[:i] + other + word[i + 1:]
        yield word[:i] + word[i + 1:]
        yield word[:i] + char + word[i:]
        yield word[:i] + char.upper() + word[i + 1:]


def check_P19_a_typo_in_breakglass_conf_is_critical_and_named():
    with Good() as h:
        for word, line, below in conf_words():
            head = "" if line.startswith("[") else "[breakglass]\n"
            h.tree.write(CONF, head + line + "\n" + (below + "\n" if below else ""))
            finds(h, WARNING, "breakglass/keys")  # the line itself is right
            for typo in one_letter(word):
                text = head + line.replace(word, typo) + "\n" + (below + "\n" if below else "")
                h.tree.write(CONF, text)
                finds(h, CRITICAL, "conf", "breakglass.conf:" + ("2" if head else "1"))


def check_P19_a_typo_in_the_seal_shuts_and_is_named():
    with Good() as h:
        path = ACCOUNT + "seal.1"
        text = h.tree.read(path)
        for word in ("threshold", "[policy]", "session-seconds", "[signature]"):
            for typo in list(one_letter(word))[:4]:
                h.tree.write(path, text.replace(word, typo, 1), 0o600)
                finds(h, CRITICAL, "breakglass/seal", "seal.1")


def test_what_is_broken_is_named():
    def mode(name, bits):
        return lambda t: os.chmod(t.path(name), bits)

    def edit(name, old, new):
        return lambda t: t.edit(name, old, new)

    def gone(name):
        return lambda t: os.unlink(t.path(name))

    auth, session = "etc/pam.d/common-auth", "etc/pam.d/common-session"
    passwd, shadow = "etc/passwd", "etc/shadow"
    ours = "auth\t[success=2 ignore=ignore module_unknown=ignore default=die]\tpam_breakglass.so\n"
    rows = (
        (gone(CONF), CRITICAL, "conf", "no such file"),
        (mode(CONF, 0o666), CRITICAL, "conf", "others cannot write"),
        (mode(ACCOUNT + "seal.1", 0o640), CRITICAL, "breakglass/seal", "mode 0600"),
        (mode(ACCOUNT + "host", 0o644), CRITICAL, "breakglass/seal", "host"),
        (mode(ACCOUNT, 0o775), CRITICAL, "breakglass/seal", "not writable by others"),
        (mode(ACCOUNT, 0o700), WARNING, "breakglass/seal", "mode 0700"),
        (gone(ACCOUNT + "host"), WARNING, "breakglass/seal", "no seal is in force"),
        (gone(ACCOUNT + "seal.1"), CRITICAL, "breakglass/seal", "seal.1"),
        (edit(ACCOUNT + "host", "epoch = 1", "epoch = 2"), CRITICAL, "breakglass/seal", "seal.2"),
        (gone(ACCOUNT + "contacts"), WARNING, "breakglass/contacts", "no such file"),
        (edit(ACCOUNT + "contacts", "updated = 20", "updated = 21"), WARNING, "breakglass/keys"),
        (edit(passwd, ":1001:1001:", ":1002:1001:"), CRITICAL, "breakglass/account", "uid 1002"),
        (edit(passwd, ":1001:1001:", ":0:0:"), CRITICAL, "breakglass/account", "uid of its own"),
        (edit(passwd, "emergency account:/:", "emergency account:/tmp:"), WARNING,
         "breakglass/account", "home /tmp"),
        (edit(shadow, "breakglass:!", "breakglass:"), CRITICAL, "breakglass/account", "password"),
        (edit(shadow, "::1:", ":::"), CRITICAL, "breakglass/account", "not past its expiry"),
        (edit(shadow, "::1:", "::99999:"), CRITICAL, "breakglass/account", "expiry"),
        (edit(auth, "module_unknown=ignore ", ""), CRITICAL, "pam", "control words"),
        (edit(auth, "default=die", "default=bad"), CRITICAL, "pam", "control words"),
        (edit(auth, "success=2", "success=1"), CRITICAL, "pam", "control words"),
        (edit(auth, "success=2", "success=9"), CRITICAL, "pam", "control words"),
        (edit(auth, "success=2", "success=ok"), CRITICAL, "pam", "control words"),
        (edit(auth, ours, ""), CRITICAL, "pam", "common-auth has no auth line"),
        (edit(auth, ours, "auth sufficient pam_sss.so\n" + ours), CRITICAL, "pam", "not its first"),
        (edit(auth, "pam_breakglass.so", "pam_breakglass.so debug"), CRITICAL, "pam", "no option"),
        (edit(session, "session\toptional\tpam_systemd.so\n", ""), WARNING, "breakglass/keys"),
        (edit(session, "session\trequisite", "session optional pam_systemd.so\nsession requisite"),
         CRITICAL, "pam", "behind pam_unix or pam_systemd"),
        (edit("etc/pam.d/sshd", "@include common-account", ""), CRITICAL, "pam",
         "sshd does not include common-account"),
        (edit("etc/pam.d/login", "session    required     pam_loginuid.so", ""), CRITICAL, "pam",
         "login has no pam_loginuid"),
        (edit("etc/pam.d/login", "@include common-auth",
              "auth sufficient pam_rootok.so\n@include common-auth"), WARNING, "pam",
         "pam_rootok.so stands before"),
        (gone("usr/lib/x86_64-linux-gnu/security/pam_breakglass.so"), CRITICAL, "pam", "missing"),
        (edit("etc/login.defs", "LOGIN_TIMEOUT 600", "LOGIN_TIMEOUT 60"), WARNING, "login", "60 s"),
        (edit("etc/pam.d/runuser", "pam_breakglass.so", "pam_permit.so"), WARNING, "runuser",
         "not recorded"),
        (edit("etc/nsswitch.conf", "files systemd\ngroup", "sss files\ngroup"), WARNING, "names",
         '"sss files"'),
        (edit("etc/nsswitch.conf", "group:          files", "group: files sss"), WARNING, "names",
         '"sss"'),
        (gone("usr/libexec/breakglass/bg-fido2"), CRITICAL, "helper", "bg-fido2"),
        (mode("usr/libexec/breakglass/bg-fido2", 0o644), CRITICAL, "helper", "bg-fido2"),
        (edit(passwd, "_breakglass:", "_other:"), CRITICAL, "helper", "no user _breakglass"),
    )
    for break_it, level, name, *words in rows:
        with Good() as h:
            break_it(h.tree)
            finds(h, level, name, *words)


def test_every_hand_made_line_of_the_manual_is_right():
    with Good() as h:
        for phase in ("auth", "account"):
            h.tree.edit(f"etc/pam.d/common-{phase}", "success=2", "success=done")
        finds(h, WARNING, "breakglass/keys")


def test_expired_and_margin():
    with Host() as h:
        run("init", *h.options("--shares-to", h.private("s2"), "--pin-stdin", "--threshold", "3",
            "-o", h.path("old.seal")), stdin=PIN + "\n", check=0)
        h.install(seal=h.path("old.seal"))
        r = h.call("check")
        assert "\nWARNING breakglass/quorum: 3 of 3: one lost share" in r.stdout, r.stdout


def test_nothing_installed_is_unknown():
    with Host() as h:
        r = h.call("check")
        assert r.returncode == UNKNOWN and r.stdout.startswith("BREAKGLASS UNKNOWN - "), r.stdout
        r = h.call("check", "--json")
        assert r.returncode == UNKNOWN and json.loads(r.stdout)["status"] == "UNKNOWN"
        assert run("check", "--nonsense").returncode == UNKNOWN
        assert run("check", "x").returncode == UNKNOWN


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
