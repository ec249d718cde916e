# SPDX-License-Identifier: BSD-2-Clause
"""approve and combine at a terminal, beside a host that made the request."""

import os
import re
import sys

from cmdlib import SOURCE, UNLOCK, Terminal, mount, run

sys.path.insert(0, SOURCE + "/tests/pam")
import codelib  # noqa: E402
import hostside  # noqa: E402
from hostside import lines, short_id  # noqa: E402

ASK = "Request challenge"
SHARE = "Your share (words, or their first 4 letters; ? helps):"


def Host(seal):  # pylint: disable=invalid-name
    """A host that has the seal at this path in force."""
    with open(seal, "rb") as f:
        return hostside.Host(f.read())


def one_line(shown):
    """The code that stands on the last line of what was shown."""
    return shown.replace("\r", "").strip().split("\n")[-1]


def check_width(t):
    """79 columns, all but what is there to be pasted or read by programs."""
    shown = t.shown
    t.shown = re.sub(r"(?m)^(?:(?:[cbdefghijklnrtuv]{32})+|\{.*\})\r?$", "", shown)
    t.check_width()
    t.shown = shown


def compact(words):
    return run("share", "convert", "--stdin", stdin=words + "\n", check=0).stdout.strip()


def asked(request, *args, text=None):
    """approve at a terminal, the challenge given, its share asked for."""
    t = Terminal("approve", *args)
    t.see(ASK)
    t.send_when_hidden("\n".join(lines(request)) if text is None else text)
    return t


def approve(request, share, *args):
    """All of it; the approval."""
    t = asked(request, *args)
    t.see(SHARE)
    t.send_when_hidden(share)
    t.see("type yes to approve request " + short_id(request) + ":")
    t.sendline("yes")
    assert t.end() == 0, t.shown
    check_width(t)
    return t


def changed(*roots):
    """Each file below them, and when it was changed."""
    return {path: os.lstat(path).st_mtime_ns for root in roots for folder, _, files in os.walk(root)
            for path in (os.path.join(folder, name) for name in files)}


def keeps_nothing(p, verb, talk):
    """verb with a request challenge, which talk(terminal) goes on with: it opens nothing to write,
    connects to nobody, starts nothing, and no file is another one afterwards. The terminal."""
    os.environ["HOME"] = p.path("home")
    os.mkdir(p.path("home"))
    mount("tmpfs", "/var/tmp")  # nobody else's
    roots = (p.folder, "/var/tmp", "/run/breakglass")
    before = changed(*roots)
    log = p.path("trace")
    t = Terminal("-f", "-o", log, "-e", "trace=%file,%network,%process", UNLOCK, verb,
                 path="/usr/bin/strace", cwd=p.folder)
    t.see("Request challenge")
    t.send_when_hidden("\n".join(lines(Host(p.seal).request())))
    talk(t)
    assert t.end() == 0
    with open(log, encoding="utf-8") as f:
        trace = f.read()
    os.unlink(log)
    opened = re.findall(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]*)", (O_[A-Z_|]*)', trace)
    assert opened
    for path, flags in opened:
        assert path == "/dev/tty" or not re.search("O_WRONLY|O_RDWR|O_CREAT", flags), path
        assert not path.startswith(("/etc/breakglass", "/root", "/home")), path
    assert not re.search(r"\b(socket|connect|rename|mkdir|unlink|creat|fork|clone)\w*\(", trace), trace
    assert trace.count("execve(") == 1
    after = changed(*roots)
    assert before == after, set(after.items()) ^ set(before.items())
    return t
