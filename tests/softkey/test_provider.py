#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""provider.so: unmodified ssh-keygen makes keys in the softkey and signs with them.

usage: test_provider.py SOFTKEY PROVIDER
"""
import os
import subprocess
import sys
import tempfile

import pexpect

SOFTKEY, PROVIDER = map(os.path.abspath, sys.argv[1:3])
PIN = "1234"
BOUND = 20  # seconds that no step may take
KINDS = {"ed25519-sk": "sk-ssh-ed25519@openssh.com",
         "ecdsa-sk": "sk-ecdsa-sha2-nistp256@openssh.com"}


def ctl(folder, *words):
    subprocess.run([SOFTKEY, "ctl", f"{folder}/ctl", *words], check=True, timeout=BOUND,
                   stdout=subprocess.DEVNULL)


def keygen(folder, *args, pins=(), touch=False):
    """ssh-keygen at a terminal; (status, text)."""
    child = pexpect.spawn("ssh-keygen", list(args), timeout=BOUND, encoding="utf-8", cwd=folder,
                          env={**os.environ, "BG_SOFTKEY_DEVICE": f"{folder}/key"})
    for pin in pins:
        child.expect("PIN for [^\r\n]*: ")
        child.sendline(pin)
    if touch:
        ctl(folder, "wait-touch", "10000")
        ctl(folder, "touch")
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before


def enrol(folder, kind, *options, **how):
    args = ["-q", "-t", kind, "-w", PROVIDER, "-f", f"{folder}/{kind}", "-N", "", "-C", "a"]
    for option in options:
        args += ["-O", option]
    return keygen(folder, *args, **how)


def sign(folder, kind, **how):
    with open(f"{folder}/text", "w", encoding="ascii") as f:
        f.write("what is signed\n")
    if os.path.exists(f"{folder}/text.sig"):
        os.unlink(f"{folder}/text.sig")
    return keygen(folder, "-Y", "sign", "-w", PROVIDER, "-n", "test", "-f", f"{folder}/{kind}",
                  f"{folder}/text", **how)


def verifies(folder, kind, options="", text="what is signed\n"):
    with open(f"{folder}/{kind}.pub", encoding="ascii") as f:
        public = f.read()
    with open(f"{folder}/allowed", "w", encoding="ascii") as f:
        f.write(f"a {options} {public}")
    r = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", f"{folder}/allowed", "-I", "a",
                        "-n", "test", "-s", f"{folder}/text.sig"], input=text, text=True,
                       capture_output=True, timeout=BOUND)
    return r.returncode == 0


def kind_works(folder, kind):
    status, text = enrol(folder, kind, "resident", "verify-required", "application=ssh:breakglass",
                         pins=(PIN,), touch=True)
    assert status == 0, text
    with open(f"{folder}/{kind}.pub", encoding="ascii") as f:
        assert f.read().split()[0] == KINDS[kind]
    status, text = sign(folder, kind, pins=(PIN,), touch=True)
    assert status == 0, text
    assert verifies(folder, kind)
    assert not verifies(folder, kind, text="what is not\n")
    status, text = sign(folder, kind, pins=("9999",))
    assert status != 0, "a wrong PIN signs nothing"


def without_verification_no_pin_is_asked(folder):
    status, text = enrol(folder, "ed25519-sk", touch=True)
    assert status == 0 and "PIN" not in text, text
    status, text = sign(folder, "ed25519-sk", touch=True)
    assert status == 0 and "PIN" not in text, text
    assert verifies(folder, "ed25519-sk")


def without_device_nothing_is_found(folder):
    r = subprocess.run(["ssh-keygen", "-q", "-t", "ed25519-sk", "-w", PROVIDER, "-f",
                        f"{folder}/none", "-N", ""], stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=BOUND, check=False)
    assert r.returncode != 0 and "device not found" in r.stdout + r.stderr, r


TESTS = [(lambda f, k=kind: kind_works(f, k), f"{kind} works") for kind in KINDS] + [
    (without_verification_no_pin_is_asked, "without verification no PIN is asked"),
    (without_device_nothing_is_found, "without device nothing is found"),
]


def main():
    for test, name in TESTS:
        with tempfile.TemporaryDirectory(prefix="provider.") as folder:
            key = subprocess.Popen(
                [SOFTKEY, "--socket", f"{folder}/ctl", "--link", f"{folder}/key", "--pin", PIN,
                 "--die-with-parent"], stdout=subprocess.PIPE, text=True)
            try:
                assert key.stdout.readline() == "ready\n"
                test(folder)
                print(f"ok     {name}", flush=True)
            finally:
                key.terminate()
                key.wait(BOUND)


if __name__ == "__main__":
    main()
