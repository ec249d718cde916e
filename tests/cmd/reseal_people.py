#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""reseal with other people and keys: who leaves, who comes, and what is refused."""

import os
import sys

import cmdlib
from cmdlib import PIN, Place, Terminal, fails, run, ssh_line
from init import read_screen, show
from treelib import ACCOUNT, Tree, fingerprint

cmdlib.enter()

TODAY = "updated = 2"


class World(Place):
    """Two keys, a (oncall) and b (lead); c is plugged in and not enrolled."""

    def __enter__(self):
        super().__enter__()
        self.b, self.c = self.add_key("b"), self.add_key("c")
        folder = self.private("shares")
        run("init", *self.options(f"--key=b=lead@{self.b.path}", "--shares-to", folder,
                                  "--pin-stdin"), stdin=f"{PIN}\n{PIN}\n", check=0)
        self.seal, self.shares = self.path("breakglass.seal"), self.read_shares("shares")
        return self

    def lines(self, *names):
        return "".join(self.shares[n] + "\n" for n in names)

    def reseal(self, *more, stdin=None, seal=None, key=None, folder="n", check=None):
        if not os.path.isdir(self.path(folder)):
            self.private(folder)
        if stdin is None:
            stdin = self.lines("ops", "audit") + PIN + "\n"
        return run("reseal", seal or self.seal, "--stdin", "--pin-stdin", "--device",
                   (key or self.key).path, "--shares-to", self.path(folder), *more, stdin=stdin,
                   check=check, cwd=self.folder)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def names(self, kind, name="breakglass.seal.2"):
        """The custodians' or keys' names in a seal, without the retired ones."""
        text = self.read(name).split("\n[retired ")[0]
        return [line[len(kind) + 2:-1] for line in text.splitlines()
                if line.startswith(f"[{kind} ")]


def test_all_at_once():
    with World() as w:
        before = w.read("breakglass.seal")
        r = w.reseal("--replace", "dba=night=+1 555 0199", "--add", "spare", "--remove", "ops",
                     "--add", "fourth=+1 555 0104", "--threshold", "3", "--remove-key", "b",
                     "--add-key", f"c=deputy@{w.c.path}",
                     stdin=f"{PIN}\n{w.lines('dba', 'audit')}{PIN}\n", check=0)
        assert w.read("breakglass.seal") == before
        assert w.names("custodian") == ["night", "audit", "spare", "fourth"]
        assert w.names("key") == ["a", "c"] and "\nholder = deputy\n" in w.read("breakglass.seal.2")
        assert "\nthreshold = 3\n" in w.read("breakglass.seal.2") and "epoch 2, 3 of 4" in r.stdout
        for line in ("custodians leave: ops, dba", "custodians come: night, spare, fourth",
                     "custodians stay: audit", "keys leave: b (lead)", "keys come: c (deputy)",
                     "keys stay: a (oncall)", "quorum: 3 of 4 (so far 2 of 3)"):
            assert f"bg-unlock: {line}\n" in r.stderr, r.stderr
        new, seal = w.read_shares("n"), w.path("breakglass.seal.2")
        assert sorted(new) == ["audit", "fourth", "night", "spare"]
        assert new["audit"] != w.shares["audit"], "who stays gets another share, too"
        for name, words in new.items():
            r = run("share", "verify", seal, "--stdin", stdin=words, check=0)
            assert r.stdout.startswith(f"{name}: current")
        for name, words in w.shares.items():
            r = run("share", "verify", seal, "--stdin", stdin=words, check=1)
            assert r.stdout.startswith(f"{name}: retired, of epoch 1; in force is set"), r.stdout
        run("combine", seal, "--stdin", check=0,
            stdin="".join(new[n] + "\n" for n in ("night", "spare", "fourth")))
        fails(run("combine", seal, "--stdin", stdin="".join(new[n] + "\n" for n in (
            "night", "spare"))), 1, "2 of 3")


def test_telephone_numbers_follow():
    with World() as w:
        before = w.read("breakglass.contacts")
        r = w.reseal("--replace", "dba=night=+1 555 0199", "--remove", "audit", "--add", "spare",
                     stdin=w.lines("ops", "dba") + PIN + "\n", check=0)
        assert "breakglass.contacts (those so far: breakglass.contacts.1)" in r.stdout, r.stdout
        assert w.read("breakglass.contacts.1") == before
        text = w.read("breakglass.contacts")
        assert "[custodian ops]\nphone = +1 555 0101\n" in text and TODAY in text
        assert "[custodian night]\nphone = +1 555 0199\n" in text
        assert "dba" not in text and "audit" not in text and "spare" not in text
        # a role stays, its number changes
        w.shares = w.read_shares("n")
        w.reseal("--replace", "night=night=+1 555 0142", seal=w.path("breakglass.seal.2"),
                 stdin=w.lines("ops", "night") + PIN + "\n", folder="m", check=0)
        assert w.names("custodian", "breakglass.seal.3") == ["ops", "night", "spare"]
        assert "phone = +1 555 0142\n" in w.read("breakglass.contacts")
        # where nobody comes or goes they are left alone
        kept = w.read("breakglass.contacts")
        w.shares = w.read_shares("m")
        w.reseal("--threshold", "3", seal=w.path("breakglass.seal.3"), folder="o", check=0,
                 stdin=w.lines("ops", "night") + PIN + "\n")
        assert w.read("breakglass.contacts") == kept
        assert not os.path.exists(w.path("breakglass.contacts.3"))


def test_shares_of_a_written_seal_stay_whatever_becomes_of_the_numbers():
    with World() as w:
        with open(w.path("breakglass.contacts.1"), "w", encoding="ascii") as f:
            f.write("precious")
        before = w.read("breakglass.contacts")
        fails(w.reseal("--add", "spare=+1 555 0104"), 2, "breakglass.contacts.1",
              "only the telephone numbers were not written")
        assert w.read("breakglass.contacts.1") == "precious"
        assert w.read("breakglass.contacts") == before
        for name, words in w.read_shares("n").items():
            run("share", "verify", w.path("breakglass.seal.2"), "--stdin", stdin=words, check=0)
        assert len(w.read_shares("n")) == 4


def test_bounds_are_told_before_anything_is_asked():
    with World() as w:
        w.private("n")
        files = sorted(os.listdir(w.folder))
        key = f"@{w.c.path}"
        for options, *texts in (
                (["--remove", "nobody"], "no custodian has that name", "ops, dba, audit"),
                (["--replace", "nobody=x"], "no custodian has that name"),
                (["--replace", "dba=ops"], "a custodian has that name already"),
                (["--replace", "dba=dba"], "changes nothing"),
                (["--replace", "dba"], "OLD=NEW"),
                (["--replace", "dba="], "OLD=NEW"),
                (["--add", "ops"], "a custodian has that name already"),
                (["--add", "x", "--add", "x"], "a custodian has that name already"),
                (["--add", "Ops"], "a name is"), (["--add", "x" * 13], "a name is"),
                (["--add", ""], "a name is"), (["--replace", "dba=" + "x" * 80], "a name is"),
                (["--add", "x=" + "1" * 33], "phone"), (["--add", "x=1\n[key z]"], "a name is"),
                (["--remove", "dba", "--remove", "dba"], "no custodian has that name"),
                (["--remove", "dba", "--remove", "ops"], "the threshold is 2, and 1 custodian "
                 "would be left", "--threshold"),
                (["--remove", "dba", "--remove", "ops", "--remove", "audit", "--threshold", "1"],
                 "no custodian would be left"),
                (["--threshold", "4"], "threshold 4 of 3"), (["--threshold", "0"], "threshold"),
                (["--threshold", "1"], "threshold 1 of 3 custodians"),
                (["--threshold", "two"], "threshold"),
                (["--remove-key", "z"], "no key has that name", "a, b"),
                (["--remove-key", "a", "--remove-key", "b"], "no key would be left", "--add-key"),
                (["--add-key", "a=x" + key], "a key has that name already"),
                (["--add-key", "c"], "NAME=HOLDER"), (["--add-key", "none=x" + key], "key"),
                (["--add-key", "c=" + "h" * 25], "holder"),
                (["--keys-lost"], "key a (oncall), b (lead) would stay", "--remove-key"),
                (["--keys-lost", "--remove-key", "a", "--add-key", "c=x" + key], "b (lead)"),
                (["--ssh-key", "b=/nothing", "--remove-key", "b"], "no key has that name"),
                ([x for i in range(14) for x in ("--add", f"x{i}")], "at most 16"),
                ([x for i in range(7) for x in ("--add-key", f"x{i}=h")], "at most 8"),
                ([x for i in range(17) for x in ("--add", f"x{i}")], "more than 16 times")):
            fails(w.reseal(*options, stdin=""), 2, *texts)
            assert sorted(os.listdir(w.folder)) == files and not os.listdir(w.path("n")), options


def test_warnings_as_at_init():
    with World() as w:
        r = w.reseal("--remove-key", "b", "--add", "oncall", "--threshold", "4", check=0)
        for text in ("one key only", "oncall holds key a and is a custodian too",
                     "no share may be lost: 4 of 4"):
            assert f"bg-unlock: warning: {text}" in r.stderr, r.stderr


def test_a_key_leaves_and_can_endorse_only_that():
    with World() as w:
        # it endorses its own leaving: the physical key is taken back for another holder
        w.key.ctl("unplug")
        r = w.reseal("--remove-key", "b", "--add-key", f"deputy=x y@{w.b.path}", key=w.b,
                     stdin=f"{PIN}\n{w.lines('ops', 'dba')}{PIN}\n", check=0)
        assert "predecessor-key = b\n" in w.read("breakglass.seal.2"), r.stderr
        assert w.names("key") == ["a", "deputy"]
        w.key.ctl("plug")
        # b is no key of the second seal, deputy is, on the same device
        w.shares, two = w.read_shares("n"), w.path("breakglass.seal.2")
        w.reseal("--remove-key", "deputy", seal=two, key=w.b, folder="m", check=0)
        assert "predecessor-key = deputy\n" in w.read("breakglass.seal.3")
        w.shares, three = w.read_shares("m"), w.path("breakglass.seal.3")
        w.private("o")
        r = w.reseal(seal=three, key=w.b, folder="o")
        fails(r, 1, "not enrolled", "one of the keys that the seal names")
        assert not os.listdir(w.path("o")) and not os.path.exists(w.path("breakglass.seal.4"))


def test_one_physical_key_is_one_key():
    with World() as w:
        w.private("n")
        r = w.reseal("--add-key", f"c=deputy@{w.b.path}", stdin=PIN + "\n")
        fails(r, 1, "enrolled already")
        # no share was asked for, and a wrong PIN is no reason to ask for one
        r = w.reseal("--add-key", f"c=deputy@{w.c.path}", stdin="wrong-pin\n")
        fails(r, 1, "PIN")
        assert not os.listdir(w.path("n"))


def test_a_new_key_endorses_nothing():
    with World() as w:
        r = w.reseal("--add-key", f"c=deputy@{w.c.path}", key=w.c,
                     stdin=f"{PIN}\n{w.lines('ops', 'dba')}{PIN}\n")
        fails(r, 1, "not enrolled", "one of the keys that the seal names")
        assert not os.listdir(w.path("n")) and not os.path.exists(w.path("breakglass.seal.2"))


def test_the_ssh_key_of_a_key_that_left_is_taken_from_the_host():
    with World() as w:
        lines = {}
        for i, name in enumerate(("a", "b", "c")):
            lines[name] = ssh_line(i + 1)
            with open(w.path(name + ".pub"), "w", encoding="ascii") as f:
                f.write(lines[name] + "\n")
        tree = Tree(w.folder)
        w.reseal(*[f"--ssh-key={n}={w.path(n + '.pub')}" for n in ("a", "b")], check=0)
        two = w.path("breakglass.seal.2")
        run("install", two, "--label", "db1", "--fingerprint", fingerprint(two), "--root",
            tree.root, check=0)
        keys = tree.read(ACCOUNT + "authorized_keys")
        assert lines["a"] in keys and lines["b"] in keys
        w.shares = w.read_shares("n")
        w.reseal("--remove-key", "b", "--add-key", f"c=deputy@{w.c.path}",
                 f"--ssh-key=c={w.path('c.pub')}", seal=two, folder="m", check=0,
                 stdin=f"{PIN}\n{w.lines('ops', 'dba')}{PIN}\n")
        run("install", w.path("breakglass.seal.3"), "--root", tree.root, check=0)
        keys = tree.read(ACCOUNT + "authorized_keys")
        assert lines["a"] in keys and lines["c"] in keys and lines["b"] not in keys


def test_keys_lost():
    with World() as w:
        tree = Tree(w.folder)
        run("install", w.seal, "--label", "db1", "--fingerprint", fingerprint(w.seal), "--root",
            tree.root, check=0)
        r = w.reseal("--keys-lost", "--remove-key", "a", "--remove-key", "b", "--add-key",
                     f"c=deputy@{w.c.path}", stdin=f"{PIN}\n{w.lines('ops', 'dba')}", check=0)
        assert "bg-unlock install breakglass.seal.2 --keys-lost" in r.stdout
        two = w.path("breakglass.seal.2")
        assert "predecessor-key = none\n" in w.read("breakglass.seal.2")
        before = tree.snapshot()
        fails(run("install", two, "--root", tree.root), 1, "not endorsed by an enrolled key",
              "--keys-lost")
        assert tree.snapshot() == before
        t = Terminal("install", two, "--keys-lost", "--root", tree.root)
        t.see('Type "keys lost" to go on:')
        t.sendline("keys lost")
        assert t.end() == 0
        assert "epoch = 2\n" in tree.read(ACCOUNT + "host")


def test_hosts_take_other_people_and_keys():
    with World() as w:
        tree = Tree(w.folder)
        run("install", w.seal, "--label", "db1", "--fingerprint", fingerprint(w.seal), "--root",
            tree.root, check=0)
        w.reseal("--replace", "dba=night=+1 555 0199", "--remove-key", "b", "--add-key",
                 f"c=deputy@{w.c.path}", stdin=f"{PIN}\n{w.lines('ops', 'dba')}{PIN}\n", check=0)
        run("install", w.path("breakglass.seal.2"), "--root", tree.root, check=0)
        assert "[custodian night]\nphone = +1 555 0199\n" in tree.read(ACCOUNT + "contacts")
        assert tree.read(ACCOUNT + "seal.2") == w.read("breakglass.seal.2")


def dialogue(w, *more):
    return Terminal("reseal", w.seal, "--device", w.key.path, *more, cwd=w.folder)


def test_at_a_terminal():
    with World() as w:
        t = dialogue(w, "--replace", "dba=night", "--remove-key", "b", "--add-key",
                     f"c=deputy@{w.c.path}")
        t.see("RESEAL breakglass@db  set ")
        assert "one key only" not in t.shown
        t.see(" custodians leave: dba\r\n")
        t.see(" custodians come:  night\r\n")
        t.see(" custodians stay:  ops, audit\r\n")
        t.see(" keys leave:       b (lead)\r\n")
        t.see(" keys come:        c (deputy)\r\n")
        t.see(" keys stay:        a (oncall)\r\n")
        t.see(" quorum:           2 of 3 (so far 2 of 3)\r\n")
        t.see("Everybody gets a new share. The old set opens until the new seal is installed.")
        t.see("Is that right? Type yes to go on:")
        t.sendline("yes")
        t.see("Plug in key c (holder deputy), only that one,")
        t.send_when_hidden("")
        t.see("PIN of key c, then touch it")
        t.send_when_hidden(PIN)
        t.see("key c (holder deputy) is enrolled")
        t.see("need 2 of: ops +1 555 0101, dba +1 555 0102, audit +1 555 0103")
        for name in ("dba", "ops"):
            t.see("Share ")
            t.send_when_hidden(w.shares[name])
            t.see(f"{name} counted.")
        t.see("A key of the seal in force endorses the new one: a, b. Plug it in.")
        t.see("PIN of your security key")
        t.send_when_hidden(PIN)
        new = {}
        for name in ("ops", "night", "audit"):
            new[name] = read_screen(show(t, name))
            t.send_when_hidden("")
            t.see("Read it back")
            t.send_when_hidden(new[name])
            t.see(f"{name}: confirmed.")
        assert t.end() == 0
        t.check_width()
        for words in new.values():
            run("share", "verify", w.path("breakglass.seal.2"), "--stdin", stdin=words, check=0)


def test_without_a_yes_nothing_is_asked():
    with World() as w:
        files = sorted(os.listdir(w.folder))
        for answer in ("no", "", "y"):
            t = dialogue(w, "--remove", "dba")
            t.see("no share may be lost: 2 of 2")
            t.see("Type yes to go on:")
            t.sendline(answer)
            t.see("not confirmed: nothing was changed")
            assert t.end() == 1
            assert "Share 1" not in t.shown and sorted(os.listdir(w.folder)) == files


def test_the_longest_lists_fit_the_screen():
    with Place() as p:
        names = [f"custodian{i:03}" for i in range(16)]
        p.ceremony(names=names)
        more = [x for i in range(15) for x in ("--replace", f"custodian{i:03}=successor{i:03}")]
        more += [x for i in range(7) for x in ("--add-key", f"longnamekey{i}=" + "h" * 23 + str(i))]
        t = Terminal("reseal", p.seal, *more, cwd=p.folder)
        t.see("Type yes to go on:")
        assert t.shown.count("\n") < 24 and "successor014" in t.shown, t.shown
        t.check_width()
        t.sendintr()
        t.end()


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
