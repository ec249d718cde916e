#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where secrets must never be, and how the terminal is left."""

import contextlib
import os
import re
import resource
import shutil
import sys
import termios

import cmdlib
from cmdlib import PIN, Place, Terminal, run
from init import enrol, read_screen, show
from requestlib import SHARE, Host, asked
from respond import NEXT, agreed

if __name__ == "__main__":
    cmdlib.enter()


def read(path):
    with open(path, "rb") as f:
        return f.read()


def memory(pid):
    """Everything writable that the process has."""
    parts = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if not m or "[vvar]" in line:
                continue
            start, end = (int(x, 16) for x in m.groups())
            try:
                mem.seek(start)
                parts.append(mem.read(end - start))
            except OSError:
                continue
    return b"\0\0".join(parts)


def words_in(image, words):
    """Three words in a row, as a line of text or as a row of the screen's columns."""
    w = [x.encode() for x in words.split()]
    found = []
    for stride in (1, len(w) // 4):
        for i in range(len(w) - 2 * stride):
            three = [w[i], w[i + stride], w[i + 2 * stride]]
            if re.search(rb"[ 0-9]{1,14}".join(three), image):
                found.append(b" ".join(three))
    return found


def hidden_S17_not_in_arguments_environment_or_files():
    with Place() as p:
        t = Terminal("init", *p.options(), cwd=p.folder)
        enrol(t)
        for name in ("ops", "dba", "audit"):
            words = read_screen(show(t, name))
            for place in ("cmdline", "environ", "comm", "wchan"):
                seen = read(f"/proc/{t.pid}/{place}")
                assert PIN.encode() not in seen and not words_in(seen, words)
            for fd in os.listdir(f"/proc/{t.pid}/fd"):
                target = os.readlink(f"/proc/{t.pid}/fd/{fd}")
                assert target.startswith(("/dev/", "socket:", "pipe:")), target
            t.send_when_hidden("")
            t.see("Read it back")
            t.send_when_hidden(words)
            t.see("confirmed.")
        t.see("Fingerprint")
        t.expect(cmdlib.pexpect.EOF)
        for root, _, files in os.walk("/mnt"):
            for name in files:
                path = os.path.join(root, name)
                if os.path.islink(path) or not os.path.isfile(path):
                    continue
                assert not words_in(read(path), words) and PIN.encode() not in read(path), path


def hidden_P08_nothing_typed_or_shown_stays_in_memory():
    with Place() as p:
        t = Terminal("init", *p.options(), cwd=p.folder)
        enrol(t)
        words = read_screen(show(t, "ops"))
        t.send_when_hidden("")
        t.see("Read it back")
        t.send_when_hidden(words)
        t.see("Press Enter to show it:")
        image = memory(t.pid)
        assert b"breakglass" in image and len(image) > 100000
        assert not words_in(image, words), words_in(image, words)
        assert PIN.encode() not in image
        t.sendintr()
        t.end()


def hidden_P08_combine_keeps_no_words():
    with Place() as p:
        s = p.ceremony()
        t = Terminal("combine", p.seal)
        t.see("Request challenge")
        t.send_when_hidden("")
        t.see("Share 1 of 2")
        t.send_when_hidden(s["ops"])
        t.see("ops counted.")
        assert not words_in(memory(t.pid), s["ops"])
        t.sendintr()
        t.end()


def hidden_P08_approve_and_a_response_keep_no_words():
    with Place() as p:
        s = p.ceremony()
        request = Host(p.seal).request()
        t = asked(request)
        t.see(SHARE)
        t.send_when_hidden(s["ops"])
        t.see("type yes")
        assert not words_in(memory(t.pid), s["ops"])
        t.sendintr()
        t.end()
        t = agreed(request)
        t.see("Share 1 of 2")
        t.send_when_hidden(s["ops"])
        t.see(NEXT)
        image = memory(t.pid)
        assert len(image) > 100000 and not words_in(image, s["ops"])
        t.sendintr()
        t.end()


def hidden_S17_not_dumpable_no_core_locked():
    with Place() as p:
        s = p.ceremony()
        shutil.copy(cmdlib.UNLOCK, "/mnt/unlock")
        shutil.copy(p.seal, "/mnt/seal")
        os.chmod("/mnt/unlock", 0o755)
        os.chmod("/mnt/seal", 0o644)

        def nobody():
            # sudo starts commands with 0, and a container may be forbidden to raise it
            with contextlib.suppress(ValueError):
                resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
            os.setgid(65534)
            os.setuid(65534)

        t = Terminal("combine", "/mnt/seal", cwd="/", preexec_fn=nobody, path="/mnt/unlock")
        t.see("Request challenge")
        t.send_when_hidden("")
        t.see("Share 1 of 2")
        t.send_when_hidden(s["ops"])
        t.see("ops counted.")
        assert os.stat(f"/proc/{t.pid}/mem").st_uid == 0, "dumpable: the user's other processes can look"
        assert re.search(rb"Max core file size +0 +0 ", read(f"/proc/{t.pid}/limits"))
        locked = re.search(rb"VmLck:\s+([0-9]+) kB", read(f"/proc/{t.pid}/status"))
        assert int(locked.group(1)) >= 200
        t.sendline(s["dba"])
        assert t.end() == 0


def echo_states(fd):
    flags = termios.tcgetattr(fd)[3]
    return bool(flags & termios.ECHO), bool(flags & termios.ICANON), bool(flags & termios.ISIG)


def test_terminal_is_restored():
    with Place() as p:
        s = p.ceremony()
        for how in ("intr", "quit", "eof", "term", "hup", "done"):
            t = Terminal("combine", p.seal)
            slave = os.open(f"/proc/{t.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)
            t.see("Request challenge")
            cmdlib.wait_for("echo off", lambda: not echo_states(slave)[0])
            t.sendline("")
            t.see("Share 1 of 2")
            if how == "intr":
                t.sendintr()
            elif how == "quit":
                t.sendcontrol("\\")
            elif how == "eof":
                t.sendeof()
            elif how == "term":
                t.kill(15)
            elif how == "hup":
                t.kill(1)
            else:
                t.sendline(s["ops"])
                t.see("Share 2 of 2")
                t.sendline(s["dba"])
            t.wait()
            assert echo_states(slave) == (True, True, True), how
            signal = {"intr": 2, "quit": 3, "term": 15, "hup": 1}.get(how)
            assert t.signalstatus == signal, (how, t.signalstatus, t.exitstatus)
            os.close(slave)
            t.close()


def test_alternate_screen_is_left_and_cleared_at_ctrl_c():
    with Place() as p:
        t = Terminal("init", *p.options(), cwd=p.folder)
        enrol(t)
        show(t, "ops")
        t.sendintr()
        t.end()
        assert t.shown.endswith("\x1b[2J\x1b[H\x1b[?1049l"), t.shown[-40:]
        assert t.signalstatus == 2


def test_stop_does_not_leave_a_share_on_the_screen():
    with Place() as p:
        t = Terminal("init", *p.options(), cwd=p.folder)
        enrol(t)
        show(t, "ops")
        t.sendcontrol("z")
        t.send_when_hidden("")
        t.see("\x1b[?1049l")
        t.see("Read it back")
        t.sendintr()
        t.end()


def test_without_a_terminal_it_says_what_to_do():
    with Place() as p:
        s = p.ceremony()
        for verb, hint in ((["combine", p.seal], "--stdin"), (["share", "verify", p.seal], "--stdin"),
                           (["reseal", p.seal, "-o", p.path("x")], "--shares-to"),
                           (["init", "other"], "--plan")):
            r = run(*verb, stdin=s["ops"], start_new_session=True)
            cmdlib.fails(r, 3, "/dev/tty", hint)


if __name__ == "__main__":
    cmdlib.main(sys.modules[__name__])
