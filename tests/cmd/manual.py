#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The manual names what there is and nothing else: bg-unlock(1) verbs, options, rows of check and
statuses, breakglass.conf(5) and breakglass.seal(5) settings; the shipped breakglass.conf has all of
them with the defaults that the manual tells."""

import os
import re
import subprocess
import sys

UNLOCK, SOURCE = os.environ["BG_UNLOCK"], os.environ["BG_SOURCE"]


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
        return f.read()


def help_of(verb):
    out = subprocess.run([UNLOCK, verb, "--help"], capture_output=True, text=True, check=True).stdout
    assert max(map(len, out.split("\n"))) <= 79, out
    return out


manual = read("doc/bg-unlock.1")
usage = subprocess.run([UNLOCK, "--help"], capture_output=True, text=True, check=True).stdout
table = set(re.findall(r"\{ \"([a-z]+)\", bg_verb_", read("bg-unlock/main.c")))
verbs = re.search(r"^\.Sh VERBS$(.*?)^\.Sh ", manual, re.M | re.S)[1]
described = set(re.findall(r"^\.Ss ([a-z]+)", verbs, re.M))
assert set(re.findall(r"^  ([a-z]+) ", usage, re.M)) == table
failed = 0
if table - described or not table:
    print("not in the manual:", sorted(table - described))
    failed += 1
for verb in sorted(described - table):
    print("only in the manual:", verb)
    failed += 1

# every long option in a verb's getopt table stands in the manual
for name in sorted(os.listdir(os.path.join(SOURCE, "bg-unlock"))):
    if not name.endswith(".c"):
        continue
    for option in re.findall(r'\{\s*"([a-z-]+)",\s*(?:no|required|optional)_argument',
                             read("bg-unlock/" + name)):
        text = "Fl -" + option
        if option != "help" and text not in manual.replace("\\-", "-"):
            print(f"{name}: --{option} is not in the manual")
            failed += 1
        if option != "help" and name[:-2] in table and f"--{option}" not in help_of(name[:-2]):
            print(f"{name}: --{option} is not in its --help")
            failed += 1

# every row of check's tables stands in the manual's, and no other
rows = set(re.findall(r'\{ "([a-z-]+)", bg_check_', read("bg-unlock/check.c")))
told = re.search(r"^\.Sh CHECKS$(.*?)^\.Sh ", manual, re.M | re.S)
told = set(re.findall(r"^\.It Li ([a-z-]+)", told[1] if told else "", re.M))
for name in sorted(rows ^ told) if rows else ["no row was found"]:
    print(f"check's row {name} stands in only one of check.c and bg-unlock(1), CHECKS")
    failed += 1

def settings(page):
    """{key: what is told of it}, of the entries before FILES."""
    text = read(page).partition("\n.Sh FILES")[0]
    told = {}
    for heads, body in re.findall(r"^\.It (Ic .*)\n((?:(?!\.It ).*\n)*)", text + "\n", re.M):
        for head in heads.split(" , "):
            told.setdefault(head.removeprefix("Ic "), body)
    return told


def rules(*sources):
    rule = r'\{ "[a-z]+", (?:true|false), "([a-z0-9-]+)"|"policy", false, "([a-z0-9-]+)"'
    return {one or other for source in sources for one, other in re.findall(rule, read(source))}


shipped = dict(re.findall(r"^# ([a-z0-9-]+) = ?(.*)$", read("data/breakglass.conf"), re.M))
conf, seal = settings("doc/breakglass.conf.5"), settings("doc/breakglass.seal.5")
assert len(conf) > 5 and len(seal) > 30
for what, there, other in (
        ("breakglass.conf(5)", set(conf), rules("lib/core/conf.c")),
        ("data/breakglass.conf", set(shipped), rules("lib/core/conf.c")),
        ("breakglass.seal(5)", set(seal), rules("lib/core/seal_read.c", "lib/core/seal_parts.h"))):
    for name in sorted(there ^ other):
        print(f"{name} stands in only one of {what} and the code")
        failed += 1
for name, default in shipped.items():
    if name in conf and default not in conf[name]:
        print(f"breakglass.conf(5) does not tell {name}'s default, {default}")
        failed += 1

units = {re.sub(r"@?\.[a-z]+$", "", name) for name in os.listdir(os.path.join(SOURCE, "data"))
         if re.search(r"\.(service|path|timer)$", name)}
services = re.search(r"^\.Sh SERVICES$(.*?)^\.Sh ", read("doc/pam_breakglass.8"), re.M | re.S)[1]
for name in sorted(units ^ set(re.findall(r"\b(breakglass-[a-z-]+[a-z])", services))):
    print(f"{name} stands in only one of data/ and pam_breakglass(8), SERVICES")
    failed += 1

for status in ("0", "1", "2", "3"):
    if not re.search(rf"^\.It {status}$", manual, re.M):
        print("exit status missing:", status)
        failed += 1
for verb, status in (("nonsense", 2), ("", 2), ("--version", 0), ("--help", 0)):
    got = subprocess.run([UNLOCK, verb] if verb else [UNLOCK], capture_output=True,
                         check=False).returncode
    if got != status:
        print(f"{verb}: status {got}, wanted {status}")
        failed += 1
sys.exit(1 if failed else 0)
