#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""install and uninstall on a folder that holds a system: what is changed, what is refused, and
that everything comes back."""

import os
import shutil
import sys

import cmdlib
from cmdlib import PIN, Terminal, fails, run
from treelib import (ACCOUNT, DROP_IN, GLOBAL, LOGIN_DEFS, PROFILE, RULES, RUNUSER, SUDOERS, Host,
                     fingerprint)

cmdlib.enter()


def test_everything_is_made():
    with Host() as h:
        r = h.install()
        t = h.tree
        host = t.read(ACCOUNT + "host")
        assert "label = db1\n" in host and f"seal = {fingerprint(h.seal)}\n" in host, host
        assert "uid = 1001\n" in host and "epoch = 1\n" in host, host
        with open(h.seal, encoding="utf-8") as f:
            assert t.read(ACCOUNT + "seal.1") == f.read()
        assert "phone = +1 555 0102" in t.read(ACCOUNT + "contacts")
        for name, mode in (("host", 0o600), ("seal.1", 0o600), ("contacts", 0o600), ("", 0o755)):
            assert t.mode(ACCOUNT + name) == mode, (name, oct(t.mode(ACCOUNT + name)))
        assert "\nbreakglass:x:1001:1001:emergency account:/:/bin/bash\n" in t.read("etc/passwd")
        shadow = [li for li in t.read("etc/shadow").splitlines() if li.startswith("breakglass:")]
        assert shadow[0].split(":")[1] == "!" and shadow[0].split(":")[7] == "1", shadow
        assert not os.path.exists(t.path("etc/subuid")) and "breakglass" in t.read("etc/group")
        assert "Match User breakglass\n" in t.read(DROP_IN) and "Match" not in t.read(GLOBAL)
        assert "LoginGraceTime 600\n" in t.read(GLOBAL)
        assert "\nbreakglass ALL=(ALL:ALL) NOPASSWD: ALL\n" in t.read(SUDOERS)
        assert t.mode(SUDOERS) == 0o440 and t.mode(DROP_IN) == 0o644
        assert t.read("etc/login.defs") == LOGIN_DEFS.replace(
            "\nLOGIN_TIMEOUT\t\t60\n", "\nLOGIN_TIMEOUT 600\n")
        lines = t.read("etc/pam.d/runuser").splitlines()
        assert lines[0] == "#%PAM-1.0" and lines[1].startswith("session [success=ok "), lines
        assert lines[1].endswith("] pam_breakglass.so") and lines[2:] == RUNUSER.splitlines()[1:]
        assert "[breakglass]\n" in t.read("etc/breakglass/breakglass.conf")
        assert r.stderr.count("concerns everybody") == 2, r.stderr
        assert r.stdout.splitlines()[-2].endswith(ACCOUNT + "host, mode 0600"), r.stdout


def test_dry_run_changes_nothing_and_lists_everything():
    with Host() as h:
        before = h.tree.snapshot()
        dry = h.install("--dry-run").stdout
        assert h.tree.snapshot() == before
        assert "would: " in dry and "did: " not in dry, dry
        real = h.install().stdout
        assert dry.replace("would: ", "did: ").splitlines()[:-1] == real.splitlines()[:-1]
        before = h.tree.snapshot()
        dry = h.call("uninstall", "breakglass", "--dry-run", check=0).stdout
        assert h.tree.snapshot() == before and "would: remove the account breakglass" in dry
        real = h.call("uninstall", "breakglass", check=0).stdout
        assert dry.replace("would: ", "did: ").splitlines()[:-1] == real.splitlines()


def test_twice_is_once():
    with Host() as h:
        h.install()
        before = h.tree.snapshot()
        r = h.install()
        assert r.stdout.startswith("nothing to do: epoch 1 of breakglass"), r.stdout
        assert h.tree.snapshot() == before
        # without label and fingerprint: both are known now
        r = h.call("install", h.seal, check=0)
        assert r.stdout.startswith("nothing to do"), r.stdout
        h.call("uninstall", "breakglass", check=0)
        assert h.call("uninstall", "breakglass", check=0).stdout == "nothing to do\n"


def test_uninstall_gives_back_every_byte():
    for before, after in (("LOGIN_TIMEOUT\t\t60\n", "LOGIN_TIMEOUT\t\t60\n"),
                          ("LOGIN_TIMEOUT\t\t60\n", ""),
                          ("LOGIN_TIMEOUT\t\t60\nUSERGROUPS_ENAB yes\n", "LOGIN_TIMEOUT 45"),
                          ("LOGIN_TIMEOUT\t\t60\n", "LOGIN_TIMEOUT 0\n")):
        with Host() as h:
            h.tree.edit("etc/login.defs", before, after)
            os.chmod(h.tree.path("etc/login.defs"), 0o640)
            seen = h.tree.snapshot()
            h.install()
            assert h.tree.snapshot() != seen
            h.call("uninstall", "breakglass", "--purge", check=0)
            now = h.tree.snapshot()
            assert now == seen, {k for k in {*now, *seen} if now.get(k) != seen.get(k)}


def test_seals_stay_unless_purged():
    with Host() as h:
        h.install()
        r = h.call("uninstall", "breakglass", check=0)
        left = sorted(os.listdir(h.tree.path(ACCOUNT)))
        assert left == ["contacts", "seal.1"] and "--purge" in r.stderr, (left, r.stderr)
        assert "\nbreakglass:" not in h.tree.read("etc/passwd")
        h.install()  # the first one again: by its fingerprint
        h.call("uninstall", "breakglass", "--purge", check=0)
        assert not os.path.exists(h.tree.path(ACCOUNT))


def test_a_lock_stays_and_goes_with_the_account():
    with Host() as h:
        h.install()
        h.tree.write(ACCOUNT + "locked", "[lock]\nid = " + 32 * "a" + "\nat = x\nby = root\n", 0o600)
        before = h.tree.read(ACCOUNT + "locked")
        r = h.install()
        assert "breakglass is locked (revoke --lock)" in r.stderr, r.stderr
        h.call("uninstall", "--all", "--keep-seals", check=0)
        r = h.call("install", h.seal, check=0)
        assert "is locked" in r.stderr and h.tree.read(ACCOUNT + "locked") == before
        h.call("uninstall", "breakglass", check=0)
        assert not os.path.exists(h.tree.path(ACCOUNT + "locked"))


def test_keep_seals_takes_back_the_ways_only():
    with Host() as h:
        h.install()
        full = h.tree.snapshot()
        h.call("uninstall", "--all", "--keep-seals", check=0)
        assert not os.path.exists(h.tree.path(DROP_IN)) and not os.path.exists(h.tree.path(SUDOERS))
        assert h.tree.read("etc/login.defs") == LOGIN_DEFS
        assert "\nbreakglass:" in h.tree.read("etc/passwd") and h.tree.mode(ACCOUNT + "host") == 0o600
        h.call("install", h.seal, check=0)
        assert h.tree.snapshot() == full


def test_role_is_remembered():
    with Host() as h:
        t, seal = h.tree, h.seal
        before = t.snapshot()
        h.install("--role", "identity")
        assert "role = identity\n" in t.read(ACCOUNT + "host")
        assert "pam-auth-update" in t.read(SUDOERS) and "NOPASSWD: ALL" not in t.read(SUDOERS)
        assert t.mode(SUDOERS) == 0o440 and "@ACCOUNT@" not in t.read(SUDOERS)
        assert h.install().stdout.startswith("nothing to do")
        r = h.call("install", seal, "--role", "read-only", check=0)
        assert "role = read-only\n" in t.read(ACCOUNT + "host") and "tail" in t.read(SUDOERS), r
        h.call("install", seal, "--role", "full", check=0)
        assert "role = full\n" in t.read(ACCOUNT + "host") and "NOPASSWD: ALL\n" in t.read(SUDOERS)
        for role in ("", "Full", "root", "full "):
            fails(h.call("install", seal, "--role", role), 2, "full, identity or read-only")
        h.call("uninstall", "breakglass", "--purge", check=0)
        assert t.snapshot() == before


def test_record_is_remembered():
    with Host() as h:
        t, seal = h.tree, h.seal
        h.install("--role", "read-only")
        before = t.snapshot()
        h.call("install", seal, "--record", "sudo", check=0)
        assert "record = sudo\n" in t.read(ACCOUNT + "host")
        assert "Defaults:breakglass log_output, !log_input" in t.read(SUDOERS)
        assert h.call("install", seal, check=0).stdout.startswith("nothing to do")
        assert "below /var/log/sudo-io/breakglass" in h.call("check").stdout
        h.call("install", seal, "--record", "none", check=0)
        assert t.snapshot() == before
        for words in ("", "tlo", "sudo,", "sudo audit", "Audit", "none,sudo", "sudo,none", 40 * "x"):
            fails(h.call("install", seal, "--record", words), 2, "of sudo, audit and tlog")


def test_audit_rules_are_placed_and_taken_back():
    with Host() as h:
        t, seal = h.tree, h.seal
        r = h.install("--record", "audit")
        assert "no auditd here" in r.stderr and "record = audit\n" in t.read(ACCOUNT + "host"), r
        assert not os.path.exists(t.path("etc/audit"))
        h.call("install", seal, "--record", "none", check=0)
        os.makedirs(t.path("etc/audit/rules.d"), mode=0o750)
        before = t.snapshot()
        dry = h.call("install", seal, "--record", "sudo,audit", "--dry-run", check=0).stdout
        assert t.snapshot() == before and f"would: write /{RULES}, mode 0640\n" in dry, dry
        real = h.call("install", seal, "--record", "audit,sudo", check=0).stdout
        assert dry.replace("would: ", "did: ").splitlines()[:-1] == real.splitlines()[:-1]
        assert "record = sudo audit\n" in t.read(ACCOUNT + "host") and t.mode(RULES) == 0o640
        rules = [li for li in t.read(RULES).splitlines() if not li.startswith("#") and li]
        for rule in rules:
            assert rule.startswith("-a always,exit -F auid=1001 -F arch=b"), rule
            assert rule.endswith(" -F key=breakglass-breakglass"), rule
        # nothing that fails where a path or a name is not there, nor what is the whole host's
        assert len(rules) > 5 and not any(w in r for r in rules for w in ("dir=", "path=", " -w "))
        assert "@" not in t.read(RULES)
        assert h.call("install", seal, check=0).stdout.startswith("nothing to do")
        h.call("install", seal, "--record", "sudo", check=0)
        assert not os.path.exists(t.path(RULES)) and "record = sudo\n" in t.read(ACCOUNT + "host")
        h.call("install", seal, "--record", "audit", check=0)
        assert "log_output" not in t.read(SUDOERS) and os.path.exists(t.path(RULES))
        h.call("install", seal, "--record", "none", check=0)
        assert t.snapshot() == before


def test_tlog_is_a_line_in_profile_d_and_no_shell():
    with Host() as h:
        t, seal = h.tree, h.seal
        r = h.install("--record", "tlog")
        assert "tlog does not record: /etc/profile.d" in r.stderr, r.stderr
        h.call("install", seal, "--record", "none", check=0)
        os.makedirs(t.path("etc/profile.d"))
        before = t.snapshot()
        r = h.call("install", seal, "--record", "tlog", check=0)
        assert "apt-get install tlog" in r.stderr and t.mode(PROFILE) == 0o644, r.stderr
        assert '"${UID-}" = "1001"' in t.read(PROFILE) and "@" not in t.read(PROFILE)
        assert ":/bin/bash\n" in t.read("etc/passwd").split("\nbreakglass:")[1]
        for shell in ("dash", "bash"):
            run_shell = cmdlib.subprocess.run([f"/bin/{shell}", "-uec", ". " + t.path(PROFILE) + "; echo on"],
                                              env={}, capture_output=True, text=True, check=True)
            assert (run_shell.stdout, run_shell.stderr) == ("on\n", ""), run_shell
        assert h.call("install", seal, check=0).stdout.startswith("nothing to do")
        h.call("install", seal, "--record", "sudo,audit,tlog", check=0)
        assert "record = sudo audit tlog\n" in t.read(ACCOUNT + "host")
        h.call("install", seal, "--record", "none", check=0)
        assert t.snapshot() == before
        h.call("install", seal, "--record", "tlog", check=0)
        h.call("uninstall", "breakglass", check=0)
        assert not os.path.exists(t.path(PROFILE))


def test_foreign_audit_rules_stop_nothing_and_stay():
    with Host() as h:
        h.tree.write(RULES, "-w /etc\n", 0o640)
        r = h.install("--record", "audit")
        assert "rules are not in place" in r.stderr and "is in the way" in r.stderr, r.stderr
        h.call("uninstall", "breakglass", "--purge", check=0)
        assert h.tree.read(RULES) == "-w /etc\n"


def test_audit_rules_of_two_accounts_are_apart():
    with Host() as h:
        os.makedirs(h.tree.path("etc/audit/rules.d"))
        before = h.tree.snapshot()
        h.install("--record", "audit")
        other = RULES.replace("breakglass.rules", "second.rules")
        run("init", *["second" if o == "breakglass" else o for o in h.options(
            "--shares-to", h.private("s2"), "--pin-stdin", "-o", h.path("second.seal"))],
            stdin=PIN + "\n", check=0)
        h.install("--record", "audit", seal=h.path("second.seal"))
        assert "auid=1002 " in h.tree.read(other) and "key=breakglass-second" in h.tree.read(other)
        h.call("uninstall", "second", check=0)
        assert os.path.exists(h.tree.path(RULES)) and not os.path.exists(h.tree.path(other))
        h.call("uninstall", "--all", "--purge", check=0)
        assert {k: v for k, v in h.tree.snapshot().items() if "second" not in k} == before


def test_sudo_is_as_it_was_where_a_later_step_gives_up():
    with Host() as h:
        h.install()
        before = h.tree.read(SUDOERS)
        h.tree.write(DROP_IN, "# the site's own\n")
        r = h.call("install", h.seal, "--role", "identity")
        fails(r, 2, "is in the way")
        assert h.tree.read(SUDOERS) == before, r.stderr
        assert "role = full\n" in h.tree.read(ACCOUNT + "host")


def test_what_people_changed_since_stays():
    with Host() as h:
        h.install()
        h.tree.edit("etc/login.defs", "LOGIN_TIMEOUT 600", "LOGIN_TIMEOUT 900")
        h.tree.write(SUDOERS, "breakglass ALL = /bin/true\n", 0o440)
        r = h.call("uninstall", "breakglass", check=0)
        assert "LOGIN_TIMEOUT 900" in h.tree.read("etc/login.defs") and "it stays" in r.stderr
        assert h.tree.read(SUDOERS) == "breakglass ALL = /bin/true\n"


def test_foreign_file_in_the_way_is_refused_and_kept():
    for name in (SUDOERS, DROP_IN, GLOBAL):
        with Host() as h:
            h.tree.write(name, "# the site's own\n")
            before = h.tree.snapshot()
            r = h.install(check=None)
            fails(r, 2, name.removeprefix("etc/"), "is in the way")
            assert h.tree.snapshot() == before, r.stderr


def test_two_accounts():
    with Host() as h:
        h.install()
        one = h.tree.snapshot()
        run("init", *["second" if o == "breakglass" else o for o in h.options(
            "--shares-to", h.private("s2"), "--pin-stdin", "-o", h.path("second.seal"))],
            stdin=PIN + "\n", check=0)
        h.install(seal=h.path("second.seal"))
        assert "Match User second\n" in h.tree.read(
            "etc/ssh/sshd_config.d/60-breakglass-second.conf")
        h.call("uninstall", "second", "--purge", check=0)
        assert h.tree.snapshot() == one
        h.call("uninstall", "breakglass", check=0)
        assert not os.path.exists(h.tree.path(GLOBAL))


def test_account_that_is_there_already():
    rows = (
        ("breakglass:x:1007:1007::/:/bin/bash", "!", 0, ""),
        ("breakglass:x:1007:1007::/:/bin/bash", "$y$password", 0, ""),
        ("breakglass:x:0:0::/:/bin/bash", "!", 2, "a uid of its own"),
        ("breakglass:x:1007:1007::/home/breakglass:/bin/bash", "!", 3, "usermod --home /"),
        ("breakglass:x:1007:1007::/:/usr/sbin/nologin", "!", 3, "usermod --shell /bin/bash"),
        ("breakglass:x:1000:1000::/:/bin/bash", "!", 2, "a uid of its own"),
    )
    for line, password, status, text in rows:
        with Host() as h:
            t = h.tree
            t.write("etc/passwd", t.read("etc/passwd") + line + "\n")
            t.write("etc/shadow", t.read("etc/shadow") + f"breakglass:{password}:19000:::::20999:\n",
                    0o640)
            before = t.snapshot()
            r = h.install(check=None)
            if status:
                assert r.returncode == status and text in r.stderr, (line, r.stderr)
                assert t.snapshot() == before, line
                continue
            assert r.returncode == 0 and "uid = 1007\n" in t.read(ACCOUNT + "host"), r.stderr
            shadow = t.read("etc/shadow").splitlines()[-1].split(":")
            assert shadow[1][0] == "!" and shadow[7] == "1", shadow
            r = h.call("uninstall", "breakglass", check=0)
            assert line in t.read("etc/passwd") and "was there before" in r.stderr
            assert t.read("etc/shadow").splitlines()[-1].split(":") == shadow


def test_fingerprint_decides_the_first_seal():
    with Host() as h:
        good = fingerprint(h.seal)
        grouped = " ".join(good[i:i + 4].upper() for i in range(0, 64, 4))
        before = h.tree.snapshot()
        for wrong in (good[:16], good[:63], good + "0", "0" * 64, "", good[:62] + "zz"):
            r = h.call("install", h.seal, "--label", "db1", "--fingerprint", wrong)
            fails(r, 1, "fingerprint", "not the one on the sheet")
            assert h.tree.snapshot() == before
        h.call("install", h.seal, "--label", "db1", "--fingerprint", grouped, check=0)


def test_fingerprint_is_asked_at_the_terminal():
    with Host() as h:
        args = ("install", h.seal, "--label", "db1", "--root", h.tree.root)
        with_terminal = Terminal(*args)
        with_terminal.see("as on the ceremony's sheet")
        with_terminal.sendline("1234")
        assert with_terminal.end() == 1
        with_terminal = Terminal(*args)
        with_terminal.see("as on the ceremony's sheet")
        shown = with_terminal.shown
        good = fingerprint(h.seal)
        assert good[:8] not in shown
        with_terminal.sendline(" ".join(good[i:i + 8] for i in range(0, 64, 8)))
        assert with_terminal.end() == 0, with_terminal.shown


def test_no_name_for_the_host():
    with Host() as h:
        r = h.call("install", h.seal, "--fingerprint", fingerprint(h.seal))
        fails(r, 2, "--label")
        fails(h.call("install", h.seal, "--label", "a b"), 2, "--label")


def test_tampered_seal():
    with Host() as h:
        with open(h.seal, encoding="utf-8") as f:
            text = f.read()
        before = h.tree.snapshot()
        bad = h.path("bad.seal")
        line = text.splitlines().index("threshold = 2") + 1
        for old, new, status, words in (
                ("holder = oncall", "holder = mallory", 1, "bad.seal"),
                ("threshold = 2", "threshold = 0", 2, f"bad.seal:{line}:"),
                ("threshold = 2", "treshold = 2", 2, f"bad.seal:{line}:")):
            with open(bad, "w", encoding="utf-8") as f:
                f.write(text.replace(old, new))
            r = h.install(seal=bad, check=None)
            fails(r, status, words)
            assert h.tree.snapshot() == before
        fails(h.install("--contacts", bad, check=None), 2, "bad.seal:1:")
        fails(run("install", h.path("none.seal")), 3, "none.seal")


def test_succession():
    with Host() as h:
        h.install()
        second, shares = h.reseal(h.seal, h.shares, "n2")
        third, _ = h.reseal(second, shares, "n3")
        os.rename(second, second + ".a")
        second += ".a"
        fork, _ = h.reseal(h.seal, h.shares, "n2b")
        fails(h.call("install", third), 1, "epoch")  # skips one
        r = h.call("install", second, check=0)  # no fingerprint, no label: endorsed
        assert "replace /" + ACCOUNT + "host" in r.stdout
        host = h.tree.read(ACCOUNT + "host")
        assert "epoch = 2\n" in host and "label = db1\n" in host
        before = h.tree.snapshot()
        fails(h.call("install", h.seal), 1, "epoch")  # back
        fails(h.call("install", fork), 1, "another seal of the same epoch")
        assert h.tree.snapshot() == before
        h.call("install", third, check=0)
        assert h.call("install", third, check=0).stdout.startswith("nothing to do")


def test_successor_without_endorsement():
    with Host() as h:
        h.install()
        before = h.tree.snapshot()
        second, _ = h.reseal(h.seal, h.shares, "n2")
        with open(second, encoding="utf-8") as f:
            text = f.read()
        # the endorsement stands after what the new quorum signed: strangers can change it
        for key in ("predecessor-quorum", "predecessor-authdata", "predecessor-signature"):
            line, = [li for li in text.splitlines() if li.startswith(key + " = ")]
            flipped = line[:-1] + ("0" if line[-1] != "0" else "1")
            bad = h.path("bad.seal")
            with open(bad, "w", encoding="utf-8") as f:
                f.write(text.replace(line, flipped))
            r = h.call("install", bad)
            fails(r, 1, "bg-unlock: hint: ")
            assert h.tree.snapshot() == before
        # another ceremony's seal for the same account
        shutil.move(h.seal, h.seal + ".old")
        shutil.rmtree(h.path("shares"))
        h.ceremony()
        r = h.install(check=None)
        fails(r, 1, "another seal of the same epoch")
        assert h.tree.snapshot() == before


def test_keys_lost_is_typed_at_a_terminal_of_the_host():
    with Host() as h:
        h.install()
        before = h.tree.snapshot()
        second, _ = h.reseal(h.seal, h.shares, "n2")
        with open(second, encoding="utf-8") as f:
            text = f.read()
        at = text.index("\npredecessor-signature = ") + len("\npredecessor-signature = ") + 20
        with open(second, "w", encoding="utf-8") as f:
            f.write(text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:])
        fails(h.call("install", second), 1, "--keys-lost")
        args = ("install", second, "--keys-lost", "--root", h.tree.root)
        for typed, status in (("no", 1), ("", 1), ("keys lost", 0)):
            assert h.tree.snapshot() == before
            terminal = Terminal(*args)
            terminal.see("may have chosen its custodians")
            terminal.see("Type \"keys lost\" to go on:")
            terminal.sendline(typed)
            assert terminal.end() == status, terminal.shown
            terminal.check_width()
        assert "epoch = 2\n" in h.tree.read(ACCOUNT + "host")


def test_damaged_host_file_stops_everything():
    with Host() as h:
        h.install()
        h.tree.edit(ACCOUNT + "host", "epoch", "epohc")
        before = h.tree.snapshot()
        fails(h.install(check=None), 2, "host:", "uninstall")
        assert h.tree.snapshot() == before
        h.call("uninstall", "breakglass", check=0)
        h.install()


def test_pam_lines_are_looked_at():
    with Host() as h:
        h.tree.edit("etc/pam.d/common-auth", "module_unknown=ignore ", "")
        r = h.install()
        assert "not yet: /etc/pam.d/common-auth: the control words" in r.stderr, r.stderr
        assert "auth [success=done ignore=ignore module_unknown=ignore default=die]" in r.stderr


def test_unsafe_files_are_not_followed():
    with Host() as h:
        t = h.tree
        os.rename(t.path("etc/login.defs"), t.path("etc/other"))
        os.symlink("other", t.path("etc/login.defs"))
        r = h.install(check=None)
        assert r.returncode != 0 and "login.defs" in r.stderr, r.stderr
        assert os.path.islink(t.path("etc/login.defs"))
        assert "\nbreakglass:" not in t.read("etc/passwd")


def test_usage():
    fails(run("install"), 2, "one seal")
    fails(run("install", "a", "b"), 2)
    fails(run("install", "a", "--nonsense"), 2)
    fails(run("uninstall"), 2, "one account, or --all")
    fails(run("uninstall", "../x"), 2)
    fails(run("uninstall", "--all", "x"), 2)
    fails(run("uninstall", "x", "--purge", "--keep-seals"), 2)
    fails(run("uninstall", "x", "--root", "/nonexistent"), 2)


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
