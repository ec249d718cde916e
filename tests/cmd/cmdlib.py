# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the command share: a private mount namespace with the
helper in its fixed place, software keys, ceremonies, a terminal of 80x24."""

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import pexpect

UNLOCK = os.environ["BG_UNLOCK"]
SOFTKEY = os.environ["BG_SOFTKEY"]
SOURCE = os.environ["BG_SOURCE"]
PIN = "4711-pin"
LIBEXEC = "/usr/libexec"


def enter():
    """Goes on in a mount namespace of its own, the helper where the command looks for it."""
    if "BG_NAMESPACE" not in os.environ:
        os.environ["BG_NAMESPACE"] = "yes"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, "-B",
                              *sys.argv])
    del os.environ["BG_NAMESPACE"]
    os.umask(0o022)
    mount("tmpfs", LIBEXEC)
    os.makedirs(LIBEXEC + "/breakglass")
    shutil.copy(os.environ["BG_FIDO2"], LIBEXEC + "/breakglass/bg-fido2")
    if os.path.isdir("/etc/breakglass"):
        mount("tmpfs", "/etc/breakglass")
    mount("tmpfs", "/mnt")  # where the tests' own files are
    with open("/etc/passwd", encoding="utf-8") as f:
        passwd = f.read()
    if "\n_breakglass:" not in passwd:
        with open("/mnt/passwd", "w", encoding="utf-8") as f:
            f.write(passwd + "_breakglass:x:64998:65534::/nonexistent:/usr/sbin/nologin\n")
        subprocess.run(["mount", "--bind", "/mnt/passwd", "/etc/passwd"], check=True)


def mount(kind, where):
    subprocess.run(["mount", "-t", kind, "-o", "mode=0755", kind, where], check=True)


def main(module):
    """Runs every test_... and S.., P.. function of a module; the status says whether all passed."""
    failed = 0
    wanted = sys.argv[1:]
    for name, function in list(vars(module).items()):
        if not callable(function) or not re.match(r"[a-z]+_[SP][0-9]{2}_|test_", name):
            continue
        if wanted and name not in wanted:
            continue
        try:
            function()
            print(f"ok    {name}", flush=True)
        except Exception:  # a test's failure, whatever it is
            failed += 1
            print(f"FAIL  {name}", flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 0)


def run(*args, stdin="", check=None, **kwargs):
    r = subprocess.run([UNLOCK, *args], input=stdin, capture_output=True, text=True, timeout=120,
                       check=False, **kwargs)
    if check is not None and r.returncode != check:
        raise AssertionError(f"{args}: status {r.returncode}, wanted {check}\n{r.stdout}{r.stderr}")
    return r


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds} s")


def ssh_string(data):
    return len(data).to_bytes(4, "big") + data


def ssh_line(fill=1, kind="sk-ssh-ed25519@openssh.com", key=None, more=b"", inner=None):
    """A security key's public key as ssh-keygen would write it, without a comment."""
    head = ssh_string(inner or kind.encode())
    if "nistp256" in kind:
        head += ssh_string(b"nistp256") + ssh_string(key or b"\x04" + bytes([fill]) * 64)
    else:
        head += ssh_string(key or bytes([fill]) * 32)
    return f"{kind} {base64.b64encode(head + ssh_string(b'ssh:breakglass') + more).decode()}"


class Key:
    """A software security key that touches itself."""

    def __init__(self, folder, name="a", *options):
        self.path, self.control = f"{folder}/{name}.dev", f"{folder}/{name}.ctl"
        self.process = subprocess.Popen(
            [SOFTKEY, "--socket", self.control, "--link", self.path, "--pin", PIN,
             "--mode", "0666", "--die-with-parent", *options],
            stdout=subprocess.PIPE, text=True)
        assert "ready" in self.process.stdout.readline()
        self.ctl("auto", "on")

    def ctl(self, *args):
        return subprocess.run([SOFTKEY, "ctl", self.control, *args], capture_output=True, text=True,
                              timeout=20, check=True).stdout

    def close(self):
        self.process.kill()
        self.process.wait()


class Place:
    """A folder of its own, a software key, and ceremonies in it."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(dir="/mnt")
        self.keys = []
        self.key = self.add_key()
        return self

    def __exit__(self, *unused):
        for key in self.keys:
            key.close()
        shutil.rmtree(self.folder)

    def add_key(self, name="a", *options):
        self.keys.append(Key(self.folder, name, *options))
        return self.keys[-1]

    def path(self, name):
        return os.path.join(self.folder, name)

    def private(self, name):
        os.makedirs(self.path(name), mode=0o700)
        return self.path(name)

    def people(self, names=("ops", "dba", "audit")):
        numbers = {name: f"+1 555 010{i + 1}" for i, name in enumerate(names)}
        return [f"--custodian={n}={p}" for n, p in numbers.items()]

    def options(self, *more, names=("ops", "dba", "audit")):
        return ["breakglass", "--zone", "db", *self.people(names),
                f"--key=a=oncall@{self.key.path}", "-o", self.path("breakglass.seal"), *more]

    def ceremony(self, *more, names=("ops", "dba", "audit")):
        """init by a script; the shares' words by custodian."""
        shares = self.private("shares")
        run("init", *self.options("--shares-to", shares, "--pin-stdin", *more, names=names),
            stdin=PIN + "\n", check=0)
        self.seal = self.path("breakglass.seal")
        return self.read_shares("shares")

    def read_shares(self, folder):
        shares = {}
        for name in os.listdir(self.path(folder)):
            with open(self.path(folder + "/" + name), encoding="ascii") as f:
                shares[name.removesuffix(".share")] = f.read().strip()
        return shares


class Terminal(pexpect.spawn):
    """The command at a terminal of 80x24; what it showed is kept."""

    def __init__(self, *args, cwd=None, preexec_fn=None, path=None):
        super().__init__(path or UNLOCK, list(args), dimensions=(24, 80), timeout=30, cwd=cwd,
                         encoding="utf-8", preexec_fn=preexec_fn, echo=True)
        self.shown = ""
        self.delaybeforesend = 0

    def see(self, text):
        self.expect_exact(text)
        self.shown += self.before + self.after
        return self.before

    def send_when_hidden(self, text):
        """Answers as soon as the prompt stands and echo is off."""
        wait_for("echo off", lambda: not self.getecho())
        self.sendline(text)

    def end(self):
        self.expect(pexpect.EOF)
        self.shown += self.before
        self.close()
        return self.signalstatus and -self.signalstatus or self.exitstatus

    def check_width(self):
        plain = self.shown.replace("\x1b[?1049l", "\n")
        plain = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", plain)
        for line in plain.replace("\r", "").split("\n"):
            assert len(line) <= 80, f"{len(line)} columns: {line!r}"


def shows_share(text, words):
    """Are two words of a share in a row in the text, in full or as prefixes? One alone may be a
    word of the dialogue's own, such as "already" or "again"."""
    return any(re.search(rf"\b{a[:4]}\w*\s+{b[:4]}", text) for a, b in zip(words, words[1:]))


def prefixes(words):
    return " ".join(w[:4] for w in words.split())


def fails(r, status, *texts):
    """The command said no as it should: status, error and hint, nothing on stdout."""
    assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
    assert "bg-unlock: error: " in r.stderr, r.stderr
    for text in texts:
        assert text in r.stderr, (text, r.stderr)
