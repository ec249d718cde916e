#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""check on a folder that holds a system: one thing broken, one finding that names it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

import cmdlib
from cmdlib import PIN, SOURCE, run
from treelib import ACCOUNT, PROFILE, RULES, SUDOERS, Host

cmdlib.enter()

OK, WARNING, CRITICAL, UNKNOWN = range(4)
CONF = "etc/breakglass/breakglass.conf"


class Good(Host):
    """A host that is in order, but for a second key: one warning."""

    def __enter__(self):
        super().__enter__()
        os.makedirs(self.tree.path("etc/audit/rules.d"))
        os.makedirs(self.tree.path("etc/profile.d"))
        self.tree.write("etc/profile", "for i in /etc/profile.d/*.sh; do . $i; done\n")
        self.tree.write("usr/bin/tlog-rec", "", 0o755)
        self.tree.write("usr/libexec/breakglass/breakglass-tlog", "", 0o755)
        self.tree.write("usr/lib/systemd/systemd-journald", "", 0o755)
        self.install("--record", "sudo,audit,tlog")
        # a handler that has taken an alert
        self.tree.write("etc/breakglass/alert.d/mail", "#!/bin/sh\n", 0o755)
        self.tree.write("var/lib/breakglass/spool/handlers/mail", "7 0 0 -\n", 0o600)
        # what it told has not been recorded yet
        self.tree.write("var/lib/breakglass/spool/told/7-mail", "", 0o644)
        for folder, bits in (("spool", 0o2750), ("spool/handlers", 0o2770), ("spool/told", 0o2770)):
            os.chmod(self.tree.path("var/lib/breakglass/" + folder), bits)
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


def all_rows(h):
    """All that check says: {name: [(level, text)]}; seals differ from ceremony to ceremony."""
    found = {}
    for finding in json.loads(h.check("--json").stdout)["findings"]:
        text = re.sub(r"\bset [0-9A-Z]{4}\b", "set", finding["text"])
        found.setdefault(finding["name"], []).append((finding["level"], text))
    return found


def turns_only(h, before, name, words):
    """That row says something else than before, and no other one does; one that cannot be judged
    without it may be silent. No words: what was done is harmless, and none turns."""
    now = all_rows(h)
    turned = {row for row in now if now[row] != before.get(row)}
    assert turned == ({name} if words else set()), (
        name, words, {row: (before.get(row), now[row]) for row in turned})


def records(*events):
    """Records of the log as far as check reads them: an event, and seconds from now."""
    def write(tree):
        lines = ""
        for seq, (event, secs) in enumerate(events, 1):
            when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + secs))
            lines += json.dumps({"schema": 1, "seq": seq, "prev": "0" * 64, "time": when,
                                 "event": event, "account": "breakglass", "key": "a",
                                 "service": "cron"}, separators=(",", ":")) + "\n"
        tree.write("var/lib/breakglass/log/segment-000001.jsonl", lines, 0o600)
        os.chmod(tree.path("var/lib/breakglass/log"), 0o700)
    return write


def test_good_host():
    with Good() as h:
        before = h.tree.snapshot()
        finds(h, WARNING, "breakglass/keys", "one key only, a (FIDO2): ")
        r = h.check()
        assert r.stdout.count("\nWARNING") == 2 and "\nCRITICAL" not in r.stdout, r.stdout
        assert "\nWARNING accounts: one emergency account only" in r.stdout, r.stdout
        first = r.stdout.splitlines()[0]
        counts = re.fullmatch(r"BREAKGLASS WARNING - 0 critical, 2 warning, (\d+) ok", first)
        assert int(counts[1]) == r.stdout.count("\nOK "), r.stdout
        for name in ("conf", "pam", "login", "runuser", "names", "helper", "breakglass/seal",
                     "breakglass/expiry", "breakglass/quorum", "breakglass/contacts",
                     "breakglass/account", "nologin", "vetoes", "journal", "disk", "permissions", "clock",
                     "bypass", "breakglass/succession", "breakglass/key-use", "breakglass/root",
                     "breakglass/faillock", "breakglass/access"):
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


def test_alerts_that_stand_still_are_critical():
    """Nothing failed: nobody hands them over."""
    with Good() as h:
        before = all_rows(h)
        for folder in ("new", "deferred"):
            os.mkdir(h.tree.path("var/lib/breakglass/spool/" + folder), 0o750)
            for number, text in ((7, None), (9, "handler mail has not been given alert 9 for ")):
                name = f"var/lib/breakglass/spool/{folder}/{number:020}.json"
                h.tree.write(name, "{}", 0o640)
                turns_only(h, before, "alerts", None)
                old = time.time() - 400
                os.utime(h.tree.path(name), (old, old))
                if text:
                    finds(h, CRITICAL, "alerts", text)
                turns_only(h, before, "alerts", text)
                os.unlink(h.tree.path(name))


def test_what_to_do_can_be_typed_as_it_stands():
    seal = "/" + ACCOUNT + "seal.1"
    for break_it, todo in (
        (lambda t: t.edit("etc/shadow", "breakglass:!", "breakglass:"), "; do: usermod --lock breakglass\n"),
        (lambda t: os.unlink(t.path(RULES)), f"; do: bg-unlock install {seal} puts it back\n"),
        (lambda t: os.unlink(t.path(SUDOERS)), f"; do: bg-unlock install {seal} puts it back\n"),
        (lambda t: os.unlink(t.path(ACCOUNT + "contacts")), f"; do: bg-unlock install {seal} --contacts "),
        (lambda t: os.unlink(t.path(CONF)), "bg-unlock install SEAL, with the seal in force, puts one"),
        (lambda t: os.chmod(t.path(CONF), 0o666), "; do: chown root:root and chmod 0644 it\n"),
    ):
        with Good() as h:
            break_it(h.tree)
            said = h.check().stdout
            assert todo in said and "@" not in said.replace("@includedir", ""), (todo, said)
    # and what it says helps: the seal that is in force, where it lies, once more
    with Good() as h:
        os.unlink(h.tree.path(RULES))
        before = h.tree.read(ACCOUNT + "host")
        h.call("install", h.tree.path(seal[1:]), check=0)
        assert h.tree.read(ACCOUNT + "host") == before and os.path.exists(h.tree.path(RULES))
        finds(h, WARNING, "breakglass/keys")


def test_accounts_that_cannot_be_listed_are_not_none():
    with Good() as h:
        shutil.rmtree(h.tree.path("etc/breakglass/accounts"))
        assert "no emergency account is installed here" in h.check().stdout
        h.tree.write("etc/breakglass/accounts", "")
        r = h.check()
        assert r.returncode == UNKNOWN, r
        assert r.stdout == "BREAKGLASS UNKNOWN - /etc/breakglass/accounts cannot be listed\n", r.stdout


def test_many_accounts_are_all_told():
    with Good() as h:
        for count, more in ((60, False), (800, True)):
            for i in range(count):
                os.makedirs(h.tree.path(f"etc/breakglass/accounts/a{i:03}"), exist_ok=True)
            r = h.check()
            told = r.stdout.count(": no seal is in force")
            if more:
                finds(h, CRITICAL, "findings", "findings more than can be told")
                n = int(re.search(r"CRITICAL findings: (\d+) ", r.stdout)[1])
                assert n > 100 and r.stdout.count("\n") == 1 + 1024, (n, r.stdout.count("\n"))
            else:
                assert told == count and r.returncode == WARNING, r.stdout
        h.check("--prometheus", h.path("x"))
        read_metrics(read(h.path("x")))


def test_all_ok_is_zero():
    with Good() as h:
        second = h.add_key("b")
        h.call("uninstall", "breakglass", "--purge", check=0)
        for name in ("two", "three"):
            run("init", name, *h.options("--shares-to", h.private(name), "--pin-stdin",
                f"--key=b=head@{second.path}", "-o", h.path(name + ".seal"))[1:],
                stdin=2 * (PIN + "\n"), check=0)
            h.install(seal=h.path(name + ".seal"))
        finds(h, OK, "accounts", "2 emergency accounts")
        finds(h, OK, "two/keys", "2 keys: a (FIDO2), b (FIDO2)")


def test_at_a_terminal_it_fits():
    """80x24: what is wrong and what to do first, of the rest the names; a pipe gets all of it."""
    with Good() as h:
        h.tree.edit(CONF, "# device", "devise")
        t = cmdlib.Terminal("check", "--root", h.tree.root)
        assert t.end() == CRITICAL
        t.check_width()
        lines = t.shown.replace("\r", "").splitlines()
        assert len(lines) <= 24, t.shown
        assert lines[0].startswith("BREAKGLASS CRITICAL - 1 critical, 2 warning, "), lines
        assert lines[1] == "CRITICAL conf" and lines[2].startswith("    /etc/breakglass/breakglass.conf"), lines
        assert [line for line in lines if line.startswith("    do: correct it")], lines
        good = t.shown[t.shown.index("\nOK "):].replace("\r", "").split("\n(each")[0].split()[1:]
        told = {row for row, found in all_rows(h).items() if {lv for lv, _ in found} == {"OK"}}
        assert sorted(good) == sorted(told), (good, told)
        assert "\n(each of them in words, with a note at journal: bg-unlock check | less)" in (
            t.shown.replace("\r", "")), t.shown
        h.tree.write("usr/sbin/rsyslogd", "", 0o755)
        t = cmdlib.Terminal("check", "--root", h.tree.root)
        assert t.end() == CRITICAL and "\n(each of them in words: bg-unlock" in t.shown, t.shown


def test_json_is_one_object_of_the_same():
    with Good() as h:
        h.tree.edit(CONF, "# device", "devise")
        text, found = h.check(), json.loads(h.check("--json").stdout)
        assert found["schema"] == 1 and found["status"] == "CRITICAL" == text.stdout.split()[1]
        assert found["critical"] == 1 and found["warning"] == 2
        assert sum(f["level"] == "OK" for f in found["findings"]) == found["ok"]
        bad, = [f for f in found["findings"] if f["level"] == "CRITICAL"]
        assert bad["name"] == "conf" and bad["do"] and "devise" in bad["text"], bad


def test_what_handlers_asked_for_is_done():
    with Good() as h:
        h.tree.write("run/breakglass/due/7", "x", 0o600)
        assert "waits for" not in h.check().stdout
        os.utime(h.tree.path("run/breakglass/due/7"), (0, 0))
        finds(h, 2, "alerts", "waits for more than a minute")


def conf_words():
    """Every word that breakglass.conf knows, with a line that has it right."""
    return (("[breakglass]", "[breakglass]", "drill-days = 5"),
            ("services", "services = login", None), ("device", "device = /dev/hidraw0", None),
            ("severity", "severity = alert", None), ("alert", "severity = alert", None),
            ("syslog-sd-id", "syslog-sd-id = bg@32473", None),
            ("review-days", "review-days = 5", None), ("drill-days", "drill-days = 5", None),
            ("revoke-on-75", "revoke-on-75 = yes", None))


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

    def change(name, pattern, new):
        return lambda t: t.write(name, re.sub(pattern, new, t.read(name)), t.mode(name))

    def gone(name):
        return lambda t: os.unlink(t.path(name))

    def put(name, text, bits=0o644):
        return lambda t: t.write(name, text, bits)

    def both(first, second):
        return lambda t: (first(t), second(t))

    auth, session = "etc/pam.d/common-auth", "etc/pam.d/common-session"
    account = "etc/pam.d/common-account"
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
        (change(ACCOUNT + "contacts", r"updated = \d{4}", "updated = 2020"), WARNING,
         "breakglass/contacts", "more than a year old"),
        (change(ACCOUNT + "contacts", r"\[custodian dba\]\nphone = .*\n", ""), WARNING, "breakglass/contacts",
         "no telephone number of dba"),
        (edit(ACCOUNT + "seal.1", "holder = oncall", "holder = someone"), CRITICAL, "breakglass/seal",
         "signature"),
        (edit(ACCOUNT + "host", "account = breakglass", "account = other"), CRITICAL,
         "breakglass/seal", "another account's"),
        (put(ACCOUNT + "authorized_keys", "sk-ssh-ed25519@openssh.com AAAA\n"), WARNING,
         "breakglass/ssh-keys", "the seal has no keys for ssh"),
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
        (edit("etc/nsswitch.conf", "files systemd\ngroup", "files systemd\nshadow: himmelblau files\n"
              "group"), WARNING, "names", 'in himmelblau before files'),
        (edit("etc/nsswitch.conf", "files systemd\ngroup", "ldap files\ngroup"), WARNING, "names",
         "in ldap before files"),
        (edit("etc/nsswitch.conf", "group: ", "initgroups: files aad\ngroup: "), WARNING, "names",
         '"aad"'),
        (edit("etc/nsswitch.conf", "group:          files", "group: files sss"), WARNING, "names",
         '"sss"'),
        (edit(ACCOUNT + "host", "role = full", "role = identity"), CRITICAL, "breakglass/role",
         "not the file of that role"),
        (edit(ACCOUNT + "host", "role = full", "role = ful"), CRITICAL, "breakglass/seal", "role"),
        (both(edit(ACCOUNT + "host", "role = full", "role = identity"), gone(SUDOERS)), CRITICAL,
         "breakglass/role", "cannot be read"),
        (gone("usr/libexec/breakglass/bg-fido2"), CRITICAL, "helper", "bg-fido2"),
        (mode("usr/libexec/breakglass/bg-fido2", 0o644), CRITICAL, "helper", "bg-fido2"),
        (edit(passwd, "_breakglass:", "_other:"), CRITICAL, "helper", "no user _breakglass"),
        (gone("usr/libexec/breakglass/breakglass-watchdog"), CRITICAL, "limits", "watchdog"),
        (mode("usr/libexec/breakglass/breakglass-watchdog", 0o644), CRITICAL, "limits", "watchdog"),
        # the account
        (edit(passwd, "alice:x:1000:", "alice:x:1001:"), CRITICAL, "breakglass/account", "uid"),
        (edit(passwd, "\nbreakglass:x:", "\nother:x:"), CRITICAL, "breakglass/account", "passwd"),
        (edit(passwd, "emergency account:/:/bin/bash", "emergency account:/:/usr/sbin/nologin"),
         WARNING, "breakglass/account", "shell"),
        # what keeps commands
        (put("var/log/sudo-io", ""), WARNING, "breakglass/recording", "no folder of root's alone"),
        (both(put("var/log/sudo-io/x", ""), mode("var/log/sudo-io", 0o777)), WARNING,
         "breakglass/recording", "no folder of root's alone"),
        (gone("etc/sudoers"), WARNING, "breakglass/recording", "there is no sudo here"),
        (gone(RULES), WARNING, "breakglass/recording", "does not know this account"),
        (edit(RULES, "auid=1001", "auid=1000"), WARNING, "breakglass/recording", RULES),
        (put("etc/audit/auditd.conf", "disk_full_action = HALT\n"), WARNING,
         "breakglass/recording", 'has "disk_full_action = HALT"'),
        (put("etc/audit/auditd.conf", "#\n admin_space_left_action=single\n"), WARNING,
         "breakglass/recording", "this host goes down"),
        (gone(PROFILE), WARNING, "breakglass/recording", "tlog is not started"),
        (edit(PROFILE, '"1001"', '"1000"'), WARNING, "breakglass/recording", PROFILE),
        (put("etc/profile", "true\n"), WARNING, "breakglass/recording", "/etc/profile does not"),
        (gone("usr/bin/tlog-rec"), WARNING, "breakglass/recording", "not installed"),
        (gone("usr/libexec/breakglass/breakglass-tlog"), WARNING, "breakglass/recording",
         "breakglass-tlog is missing"),
        (edit(passwd, "emergency account:/:/bin/bash", "emergency account:/:/bin/sh"), WARNING,
         "breakglass/recording", "started by bash only"),
        (put("etc/audit/auditd.conf", "disk_full_action = SUSPEND\nname = HALT\n"), WARNING,
         "breakglass/keys"),
        # what else may refuse
        (edit(auth, ours, ours.replace("module_unknown=ignore ", "")), CRITICAL, "pam",
         "the module missing, nobody at all gets in"),
        (put("run/nologin", ""), CRITICAL, "nologin", "there is no own door"),
        (edit("etc/pam.d/sshd", "@include common-auth",
              "auth required pam_faillock.so preauth\n@include common-auth"), WARNING,
         "breakglass/faillock", "sshd: pam_faillock.so may lock"),
        (both(edit(account, "account\trequired\tpam_permit.so",
                   "account required pam_permit.so\naccount required pam_faillock.so"),
              put("run/faillock/breakglass", "xxxx")), CRITICAL, "breakglass/faillock",
         "common-account: pam_faillock.so counts failures"),
        (both(edit("etc/pam.d/login", "@include common-account",
                   "account required pam_access.so\n@include common-account"),
              put("etc/security/access.conf", "# all\n- : ALL EXCEPT root alice : ALL\n")), CRITICAL,
         "breakglass/access", "login: pam_access refuses breakglass", "EXCEPT root alice"),
        (both(edit("etc/pam.d/login", "@include common-account",
                   "account required pam_access.so accessfile=/etc/site.conf\n@include common-account"),
              put("etc/site.conf", "+ : root : ALL\n- : (breakglass) : ALL\n")), CRITICAL,
         "breakglass/access", "(breakglass)", "/etc/site.conf"),
        # an option before it; a file of access.d; what is not for everywhere; another door's own file
        (both(edit("etc/pam.d/login", "@include common-account",
                   "account required pam_access.so nodefgroup accessfile=/etc/site.conf\n"
                   "@include common-account"),
              put("etc/site.conf", "- : ALL EXCEPT root : ALL\n")), CRITICAL, "breakglass/access",
         "/etc/site.conf"),
        (both(edit("etc/pam.d/login", "@include common-account",
                   "account required pam_access.so\n@include common-account"),
              put("etc/security/access.d/site.conf", "- : ALL EXCEPT root : ALL\n")), CRITICAL,
         "breakglass/access", "in /etc/security/access.d/site.conf"),
        (both(edit("etc/pam.d/login", "@include common-account",
                   "account required pam_access.so\n@include common-account"),
              put("etc/security/access.conf",
                  "+ : breakglass : 192.0.2.0/24\n- : ALL EXCEPT root : ALL\n")), CRITICAL,
         "breakglass/access", "ALL EXCEPT root"),
        (both(both(edit("etc/pam.d/sshd", "@include common-account",
                        "account required pam_access.so accessfile=/etc/open.conf\n"
                        "@include common-account"),
                   edit("etc/pam.d/login", "@include common-account",
                        "account required pam_access.so\n@include common-account")),
              both(put("etc/open.conf", "+ : ALL : ALL\n"),
                   put("etc/security/access.conf", "- : breakglass : tty1\n"))), CRITICAL,
         "breakglass/access", "login: pam_access refuses breakglass"),
        # a door that includes by type, and one with a line of its own
        (edit("etc/pam.d/login", "@include common-auth", "auth substack common-auth"), WARNING,
         "breakglass/keys"),
        (both(edit(auth, "success=2", "success=done"),
              edit("etc/pam.d/login", "@include common-auth",
                   "auth substack common-auth\nauth required pam_time.so")), WARNING, "vetoes",
         "login: pam_time.so may refuse"),
        (both(edit(auth, "success=2", "success=done"),
              edit("etc/pam.d/login", "@include common-auth",
                   "auth include common-auth\nauth required pam_time.so")), WARNING, "breakglass/keys"),
        (edit("etc/pam.d/login", "@include common-auth", "auth required pam_breakglass.so"), CRITICAL,
         "pam", "login: the control words of pam_breakglass.so are required", "nobody at all"),
        (edit("etc/pam.d/login", "@include common-auth", ours.replace("=2", "=done")), WARNING,
         "breakglass/keys"),
        (gone("etc/pam.d/breakglass-sudo"), CRITICAL, "breakglass/sudo", "breakglass-sudo"),
        (edit("etc/pam.d/sshd", "account    required     pam_nologin.so",
              "account required pam_time.so"), WARNING, "vetoes", "sshd: pam_time.so may refuse"),
        # ways to root
        (edit("etc/sudoers", "@includedir", "# includedir"), WARNING, "breakglass/root",
         "does not include /etc/sudoers.d"),
        (gone(SUDOERS), WARNING, "breakglass/root", "missing or not as install placed it"),
        (edit("etc/nsswitch.conf", "group: ", "sudoers: sss files\ngroup: "), WARNING,
         "breakglass/root", '"sss"'),
        (put("etc/sudo.conf", "Plugin approval other.so\n"), WARNING, "breakglass/root",
         "another plugin"),
        (put("etc/pam.d/su", "auth required pam_wheel.so\n@include common-auth\n"), WARNING,
         "breakglass/root", "sudo is the only way"),
        (put("usr/bin/sudo", "x"), WARNING, "breakglass/root", "/usr/bin/sudo does not run as root"),
        (put("usr/bin/su", "x"), WARNING, "breakglass/root", "sudo is the only way to root"),
        (both(gone(SUDOERS), put("usr/bin/su", "x")), CRITICAL, "breakglass/root",
         "sudo may not either"),
        (both(gone(SUDOERS), put("etc/pam.d/su", "auth required pam_wheel.so\n")), CRITICAL,
         "breakglass/root", "sudo may not either"),
        # files
        (mode("var/lib/breakglass/spool", 0o777), CRITICAL, "permissions", "breakglass/spool has"),
        (both(records(), mode("var/lib/breakglass/log/segment-000001.jsonl", 0o604)), CRITICAL,
         "permissions", "segment-000001.jsonl has owner 0 and mode 0604"),
        (mode("usr/lib/x86_64-linux-gnu/security/pam_breakglass.so", 0o664), CRITICAL,
         "permissions", "pam_breakglass.so"),
        (lambda t: os.chown(t.path("usr/libexec/breakglass"), 7, 7), CRITICAL, "permissions",
         "libexec/breakglass has owner 7"),
        (put(ACCOUNT + "seal.2", "", 0o600), WARNING, "breakglass/succession", "seal.2 is newer"),
        # alerts
        (put("var/lib/breakglass/spool/handlers/mail", "7 3 99 -\n", 0o600), CRITICAL, "alerts",
         "failed 3 times in a row"),
        (gone("var/lib/breakglass/spool/handlers/mail"), WARNING, "alerts", "has not taken an alert"),
        (gone("etc/breakglass/alert.d/mail"), WARNING, "alerts", "no alert handler"),
        (put("etc/breakglass/alert.d/sms", "x"), WARNING, "alerts", "sms is not run as a handler",
         "not executable"),
        (put("etc/breakglass/alert.d/sms~", "x", 0o755), WARNING, "alerts", "its name is not of"),
        # the log
        (records(("ATTEMPT", 3600)), WARNING, "clock", "behind the newest record"),
        (records(("ATTEMPT", -60), ("ATTEMPT", -7200)), WARNING, "clock", "go back by 7140 s"),
        (records(("BYPASS_BLOCKED", -9 * 86400), ("BYPASS_BLOCKED", -60)), WARNING, "bypass",
         "1 time in seven days", "breakglass by cron"),
    )
    with Good() as h:
        before = all_rows(h)
    for break_it, level, name, *words in rows:
        with Good() as h:
            break_it(h.tree)
            finds(h, level, name, *words)
            turns_only(h, before, name, words)


def test_full_disk():
    for where, level, what in (("run/breakglass", CRITICAL, "is not granted"),
                               ("var/lib/breakglass", WARNING, "alerts wait")):
        with Good() as h:
            path = h.tree.path(where)
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o700)
            before = all_rows(h)
            for options in ("size=512k", "size=64m,nr_inodes=20"):
                subprocess.run(["mount", "-t", "tmpfs", "-o", options + ",mode=0700", "tmpfs", path],
                               check=True)
                try:
                    finds(h, level, "disk", "/" + where, what)
                    turned = {row for row, said in all_rows(h).items() if said != before[row]}
                finally:
                    subprocess.run(["umount", path], check=True)
                # the spool is below that mount, so its handler's notes are hidden with it
                assert turned - {"alerts"} == {"disk"}, turned
                assert where.startswith("var") or turned == {"disk"}, turned


def test_when_each_key_was_proved():
    with Good() as h:
        finds(h, WARNING, "breakglass/keys")
        assert "\nOK breakglass/key-use: last proved here: a not lately\n" in h.check().stdout
        records(("REQUEST_OPENED", -5 * 86400), ("KEY_REFUSED", -60))(h.tree)
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 5 * 86400))
        assert f"\nOK breakglass/key-use: last proved here: a on {day}\n" in h.check().stdout


def test_a_fork_is_critical():
    with Good() as h:
        new, _ = h.reseal(h.seal, h.shares, "next")
        h.install(seal=new)
        assert "\nOK breakglass/succession: epoch 2 is the newest" in h.check().stdout
        before = all_rows(h)
        h.tree.write(ACCOUNT + "seal.1", h.tree.read(ACCOUNT + "seal.1") + "# other\n", 0o600)
        finds(h, CRITICAL, "breakglass/succession", "does not succeed seal.1")
        turns_only(h, before, "breakglass/succession", "fork")


def test_the_journals_ration_is_told_and_turns_nothing():
    conf, below = "etc/systemd/journald.conf", "/systemd/journald.conf.d/"
    on, off = "[Journal]\nRateLimitBurst=500\n", "[Journal]\nRateLimitBurst=0\n"
    alone, free = "no syslog has them", "journald has no ration"
    rows = (
        ({}, alone),
        ({"usr/sbin/rsyslogd": ""}, "of a session that floods it, syslog has"),
        ({"usr/sbin/rsyslogd": "", conf: off}, free),
        ({conf: off}, free),
        ({conf: on}, alone),
        ({conf: "# [Journal]\nRateLimitBurst=0\n"}, alone),
        ({conf: "[Journal]\n#RateLimitBurst=0\n;RateLimitBurst=0\nRateLimitBurst\n"}, alone),
        ({conf: off + "[Other]\nRateLimitBurst=9\n"}, free),
        ({conf: off + "RateLimitBurst=10\n"}, alone),
        ({conf: "\t[Journal]\r\n RateLimitIntervalSec = 0s \r\n"}, free),
        ({conf: "[Journal]\nRateLimitInterval=0\n"}, free),
        ({conf: "[Journal]\nRateLimitIntervalSec=30s\n"}, alone),
        # drop-ins stand behind the file, in the order of their names; one of a name hides another
        ({conf: on, "etc" + below + "x.conf": off}, free),
        ({conf: off, "etc" + below + "x.conf": on}, alone),
        ({"usr/lib" + below + "90.conf": off, "etc" + below + "10.conf": on}, free),
        ({"usr/lib" + below + "10.conf": off, "etc" + below + "90.conf": on}, alone),
        ({"usr/lib" + below + "x.conf": off}, free),
        ({"usr/lib" + below + "x.conf": off, "etc" + below + "x.conf": "#\n"}, alone),
        ({"usr/local/lib" + below + "x.conf": off, "usr/lib" + below + "x.conf": on}, free),
        ({"run" + below + "x.conf": off, "usr/local/lib" + below + "x.conf": on}, free),
        ({"etc" + below + ".x.conf": off, "etc" + below + "y.conf~": off, "etc" + below + "z": off}, alone),
    )
    with Good() as h:
        before = all_rows(h)
        told, = [f for f in json.loads(h.check("--json").stdout)["findings"] if f["name"] == "journal"]
        assert told["level"] == "OK" and "RateLimitBurst=0" in told["do"], told
        assert f"{alone}: chain and alerts do; do: " in h.check().stdout
        for files, words in rows:
            for name, text in files.items():
                h.tree.write(name, text, 0o755)
            now = all_rows(h)
            (level, text), = now["journal"]
            assert level == "OK" and words in text, (files, text)
            assert {**now, "journal": []} == {**before, "journal": []}, (files, now)
            for name in files:
                os.unlink(h.tree.path(name))
        os.unlink(h.tree.path("usr/lib/systemd/systemd-journald"))
        assert "journal" not in all_rows(h)


# They report and turn nothing (doc/decisions.md).
REPORTS = {"key-use", "journal"}
FIXTURES = ("cmd/check.py", "cmd/past.py", "system/test_check.py", "system/test_own_doors.py",
            "system/test_broken.py", "system/test_role.py")


def fixtures_of(name, text):
    """How often the sources of the tests name that row beside a level that is not OK."""
    row, level = rf"(?:breakglass/|\{{ACCOUNT\}}/)?{name}", r"(?:WARNING|CRITICAL)"
    return len(re.findall(rf'\b{level}"?,\s+f?"{row}"|"{row}",\s+(?:"?{level}\b|level,)|\\n{level} {row}: ', text))


def test_each_row_of_the_table_has_a_fixture():
    table = re.findall(r'^\t\{ "([a-z-]+)", bg_check_\w+, (?:true|false) \},$',
                       read(SOURCE + "/bg-unlock/check.c"), re.M)
    assert len(table) > 40 and "pam" in table and "accounts" in table, table
    text = "".join(read(f"{SOURCE}/tests/{name}") for name in FIXTURES)
    missing = [name for name in set(table) - REPORTS if fixtures_of(name, text) < table.count(name)]
    assert not missing, f"rows of check that no fixture turns: {missing}"
    assert not [name for name in REPORTS if fixtures_of(name, text)]
    assert fixtures_of("none-such", text) == 0


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


METRIC = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="[^"\\\n]*",?)+)\})? (-?[0-9]+)')


def read_metrics(text):
    """The exposition format, strictly: HELP and TYPE before the samples of a name, none twice."""
    told, samples, name = [], {}, None
    for line in text.split("\n")[:-1]:
        if line.startswith("# "):
            kind, name, rest = re.fullmatch(r"# (HELP|TYPE) (\S+) (.+)", line).groups()
            assert (kind, name) not in told and (kind == "HELP" or rest == "gauge"), line
            assert kind == "HELP" or told[-1] == ("HELP", name), line
            told.append((kind, name))
            continue
        metric, labels, value = METRIC.fullmatch(line).groups()
        assert metric == name and told[-1] == ("TYPE", name) and (metric, labels) not in samples, line
        samples[metric, labels] = int(value)
    assert text.endswith("\n")
    return samples


def test_prometheus():
    with Good() as h:
        path = h.path("breakglass.prom")
        r = h.check("--prometheus", path)
        seen = read_metrics(read(path))
        assert seen["breakglass_check_status", None] == r.returncode == WARNING
        assert seen["breakglass_check_findings", 'level="warning"'] == 2
        assert seen["breakglass_check_row", 'account="",row="pam"'] == OK
        assert seen["breakglass_check_row", 'account="breakglass",row="keys"'] == WARNING
        assert abs(seen["breakglass_check_time_seconds", None] - time.time()) < 60
        assert os.stat(path).st_mode & 0o777 == 0o644
        os.unlink(h.tree.path(ACCOUNT + "seal.1"))
        assert h.check("--prometheus", path).returncode == CRITICAL
        assert read_metrics(read(path))[
            "breakglass_check_row", 'account="breakglass",row="seal"'] == CRITICAL
        # nothing half written, and an error is one
        assert os.listdir(os.path.dirname(path)).count("breakglass.prom") == 1
        assert h.check("--prometheus", h.path("no/such")).returncode == UNKNOWN
        assert h.check("--prometheus", "relative").returncode == UNKNOWN
    with Host() as h:
        h.call("check", "--prometheus", h.path("x"))
        assert read_metrics(read(h.path("x")))["breakglass_check_status", None] == UNKNOWN


def test_every_hand_made_line_of_the_manual_is_right():
    with Good() as h:
        for phase in ("auth", "account"):
            h.tree.edit(f"etc/pam.d/common-{phase}", "success=2", "success=done")
        finds(h, WARNING, "breakglass/keys")


def test_an_own_door_turns_its_rows():
    """What may be broken of it without a running system; the rest: system.own_doors."""
    own = "etc/breakglass/sshd/sshd_config"
    rows = (
        (lambda t: t.write("run/nologin", ""), WARNING, "nologin", "the own door does not"),
        (lambda t: os.unlink(t.path("etc/pam.d/breakglass-sshd")), CRITICAL, "doors", "is missing"),
        (lambda t: t.edit("etc/pam.d/breakglass-sshd", "auth", "auth "), CRITICAL, "doors",
         "is not as install placed it"),
        (lambda t: os.unlink(t.path(own)), CRITICAL, "doors", own),
        (lambda t: t.edit("etc/breakglass/installed", "[", "[x"), CRITICAL, "doors",
         "installed: cannot be read"),
    )
    before = None
    for break_it, level, name, *words in rows:
        with Good() as h:
            for program in ("usr/sbin/sshd", "usr/bin/ssh", "usr/bin/ssh-keygen",
                            "usr/libexec/breakglass/breakglass-sshd"):
                h.tree.write(program, "", 0o755)
            os.makedirs(h.tree.path("etc/systemd/system"))
            h.tree.write("usr/lib/systemd/system/breakglass-sshd.service",
                         read(SOURCE + "/data/breakglass-sshd.service"))
            h.install("--door", "sshd")
            before = before or all_rows(h)
            assert before["doors"][0][0] == "OK", before["doors"]
            break_it(h.tree)
            finds(h, level, name, *words)
            turns_only(h, before, name, words)


def test_a_seal_that_expired_opens_and_is_a_warning():
    day = 86400
    for expires, text in ((time.time() - day, "expired on "), (time.time() + 13 * day, "expires on ")):
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires))
        with Host() as h:
            plan = (f"[plan]\naccount = breakglass\nzone = db\nthreshold = 2\n[policy]\n"
                    f"expires = {when}\n[custodian ops]\nphone = +1 555 0101\n[custodian dba]\n"
                    "phone = +1 555 0102\n[custodian audit]\nphone = +1 555 0103\n"
                    f"[key a]\nholder = oncall\ndevice = {h.key.path}\n")
            with open(h.path("plan"), "w", encoding="utf-8") as f:
                f.write(plan)
            done = run("init", "breakglass", "--plan", h.path("plan"), "-o", h.path("old.seal"),
                       "--shares-to", h.private("old"), "--pin-stdin", stdin=PIN + "\n")
            assert done.returncode == 0, done
            h.install(seal=h.path("old.seal"))
            assert f"\nWARNING breakglass/expiry: {text}{when[:10]}" in h.call("check").stdout


def test_no_margin():
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
