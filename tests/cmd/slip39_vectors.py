#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The 45 official SLIP-0039 vectors through `bg-unlock combine`."""

import json
import os
import subprocess
import sys
import tempfile

with open(os.environ["BG_SOURCE"] + "/tests/vectors/slip39.json", encoding="utf-8") as f:
    vectors = json.load(f)
assert len(vectors) == 45, len(vectors)

with tempfile.NamedTemporaryFile("w", suffix=".passphrase") as passphrase:
    passphrase.write("TREZOR\n")
    passphrase.flush()
    failed = 0
    for what, mnemonics, secret, *_ in vectors:
        r = subprocess.run(
            [os.environ["BG_UNLOCK"], "combine", "--stdin", "--reveal", "--passphrase-file",
             passphrase.name], input="\n".join(mnemonics) + "\n", capture_output=True, text=True,
            timeout=60, check=False)
        if secret:
            good = r.returncode == 0 and r.stdout == secret + "\n"
        else:  # refused, nothing printed, and the reason said
            good = r.returncode in (1, 2) and r.stdout == "" and "bg-unlock: error:" in r.stderr
        if not good:
            failed += 1
            print(f"FAIL {what}: {r.returncode} {r.stdout!r} {r.stderr!r}")
print(f"{len(vectors) - failed} of {len(vectors)}")
sys.exit(1 if failed else 0)
