#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A seal with security keys for ssh: what install writes for sshd, on a folder that holds a system,
and what check says about it. The seals are those of the protocol's vectors."""

import json
import os
import sys

import cmdlib
from cmdlib import SOURCE, Place, run
from treelib import ACCOUNT, DROP_IN, Tree, fingerprint

cmdlib.enter()

KEYS = ACCOUNT + "authorized_keys"
METHODS = "publickey,keyboard-interactive:pam keyboard-interactive:pam"


with open(f"{SOURCE}/tests/vectors/seals.json", encoding="utf-8") as vectors_file:
    VECTORS = json.load(vectors_file)
# of the keys b and a, in the seal's order
BLOBS = [ssh["line"] for ssh in VECTORS["ssh"]]


def seals():
    """The texts of a seal and of its successor."""
    return ["".join(line + "\n" for line in VECTORS[name]["text"]) for name in ("seal", "successor")]


class Host(Place):
    """A tree and the two seals as files; install() puts the first in force."""

    def __enter__(self):
        super().__enter__()
        self.tree = Tree(self.folder)
        self.seals = []
        for number, text in enumerate(seals(), 1):
            self.seals.append(self.path(f"{number}.seal"))
            with open(self.seals[-1], "w", encoding="utf-8") as f:
                f.write(text)
        return self

    def call(self, verb, *args, check=None):
        return run(verb, *args, "--root", self.tree.root, check=check)

    def install(self, *more, check=0):
        return self.call("install", self.seals[0], "--label", "db1", "--fingerprint",
                         fingerprint(self.seals[0]), *more, check=check)

    def finding(self):
        """The level and text of check's look at the keys file; None if there is none."""
        report = json.loads(self.call("check", "--json").stdout)
        found = [f for f in report["findings"] if f["name"] == "breakglass/ssh-keys"]
        assert len(found) <= 1, found
        return (found[0]["level"], found[0]["text"]) if found else None


def lines(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_keys_file_and_drop_in_come_from_the_seal():
    with Host() as h:
        before = h.tree.snapshot()
        dry = h.install("--dry-run").stdout
        assert h.tree.snapshot() == before and KEYS in dry, dry
        h.install()
        assert h.tree.mode(KEYS) == 0o644
        assert lines(h.tree.read(KEYS)) == [
            f"restrict,pty,verify-required {blob} breakglass-key-{name}"
            for blob, name in zip(BLOBS, "ba")]
        told = dict(line.strip().split(" ", 1) for line in lines(h.tree.read(DROP_IN)))
        assert told["AuthenticationMethods"] == METHODS
        assert told["PubkeyAuthentication"] == "yes"
        assert told["PubkeyAuthOptions"] == "touch-required verify-required"
        assert told["PubkeyAcceptedAlgorithms"] == \
            "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com"
        assert told["AuthorizedKeysFile"] == "/etc/breakglass/accounts/%u/authorized_keys"
        for word in ("AuthorizedKeysCommand", "TrustedUserCAKeys", "AuthorizedPrincipalsFile"):
            assert told[word] == "none", word
        assert told["PasswordAuthentication"] == "no"
        assert h.install().stdout.startswith("nothing to do")


def test_keys_file_is_taken_away_with_the_ways():
    for options in (("--keep-seals",), (), ("--purge",)):
        with Host() as h:
            before = h.tree.snapshot()
            h.install()
            h.call("uninstall", "breakglass", *options, check=0)
            assert not os.path.exists(h.tree.path(KEYS)), options
            assert options != ("--purge",) or h.tree.snapshot() == before


def test_successor_brings_its_own_keys_file():
    with Host() as h:
        h.install()
        first = h.tree.read(KEYS)
        r = h.call("install", h.seals[1], check=0)
        assert KEYS in r.stdout and lines(h.tree.read(KEYS)) == lines(first)
        assert "epoch 2" in h.tree.read(KEYS) and "epoch 1" in first


def test_step_after_it_that_fails_puts_all_back():
    with Host() as h:
        h.install()
        before = h.tree.snapshot()
        host = h.tree.path(ACCOUNT + "host")
        os.link(host, host + ".2")  # is then refused: a file of ours has one name
        r = h.call("install", h.seals[1])
        os.unlink(host + ".2")
        assert r.returncode != 0, r.stdout
        now = h.tree.snapshot()
        now.pop(ACCOUNT + "seal.2", None)
        assert now == before, {k for k in {*now, *before} if now.get(k) != before.get(k)}


def test_foreign_keys_file_is_refused_and_kept():
    with Host() as h:
        h.tree.write(KEYS, f"{BLOBS[0]} mine\n")
        os.chmod(h.tree.path(ACCOUNT), 0o755)
        r = h.install(check=None)
        assert r.returncode == 2 and "is in the way" in r.stderr, r.stderr
        assert h.tree.read(KEYS) == f"{BLOBS[0]} mine\n"
        assert not os.path.exists(h.tree.path(DROP_IN))


def test_check_names_what_is_wrong_with_the_keys_file():
    with Host() as h:
        h.install()
        good = h.tree.read(KEYS)
        assert h.finding()[0] == "OK", h.finding()
        rows = (
            ("another key", good + f"{BLOBS[0]}AAAA mallory\n", 0o644, "does not say"),
            ("an option less", good.replace(",verify-required", ""), 0o644, "does not say"),
            ("no key", good.split("restrict")[0], 0o644, "does not say"),
            ("private", good, 0o600, "has not mode 0644"),
            ("writable by all", good, 0o666, "is not root's"),
        )
        for name, text, mode, word in rows:
            h.tree.write(KEYS, text, mode)
            level, said = h.finding()
            assert level == "CRITICAL" and word in said, (name, said)
            if mode == 0o666:  # install does not touch what somebody else may be writing
                os.chmod(h.tree.path(KEYS), 0o644)
            h.call("install", h.seals[0], check=0)
            assert h.finding()[0] == "OK", name
        os.unlink(h.tree.path(KEYS))
        assert "is missing" in h.finding()[1]
        os.symlink("/dev/null", h.tree.path(KEYS))
        assert h.finding()[0] == "CRITICAL"


def test_hosts_sheet_says_the_way():
    with Host() as h:
        text = run("sheet", h.seals[0], "--label", "db1", check=0).stdout
        assert "ssh -i FILE breakglass@db1\n" in text, text
        assert max(map(len, text.split("\n"))) <= 80 and text.count("\n") < 66


def main():
    cmdlib.main(sys.modules[__name__])


if __name__ == "__main__":
    main()
