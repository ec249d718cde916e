#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""softkey against Debian's unmodified libfido2 programs, and its wire protocol byte by byte.

usage: test_softkey.py SOFTKEY [NAME...]
"""
import base64
import ctypes
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

import pexpect

SOFTKEY = os.path.abspath(sys.argv[1])
RP = "breakglass:test"
BOUND = 20  # seconds that no step may take


class Key:
    """One softkey process in a folder of its own."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.path = os.path.join(folder, "key")
        self.ctl = os.path.join(folder, "ctl")
        self.state = os.path.join(folder, "state")
        self.process = subprocess.Popen(
            [SOFTKEY, "--socket", self.ctl, "--link", self.path, "--state", self.state,
             "--die-with-parent", *options], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def ctl_status(self, *words):
        r = subprocess.run([SOFTKEY, "ctl", self.ctl, *words], capture_output=True, text=True,
                           timeout=BOUND)
        return r.returncode, r.stdout.strip()

    def do(self, command):
        status, text = self.ctl_status(*command.split())
        assert status == 0, (command, text)
        return text

    def count(self, name):
        return int(dict(p.split("=") for p in self.do("count").split()[1:])[name])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(BOUND)
        self.process.stdout.close()
        assert status == 0, f"softkey ended with {status}"


def run(args, text="", pins=()):
    """Runs a libfido2 program; PINs go to its terminal. Gives status and output."""
    if not pins:
        r = subprocess.run(args, input=text, capture_output=True, text=True, timeout=BOUND)
        return r.returncode, r.stdout + r.stderr
    child = pexpect.spawn(args[0], args[1:], timeout=BOUND, encoding="utf-8")
    for pin in pins:
        child.expect("PIN.*: ")
        child.sendline(pin)
    child.expect(pexpect.EOF)
    output = child.before
    child.close()
    return child.exitstatus, output


def b64(data):
    return base64.b64encode(data).decode()


def write(path, *lines):
    with open(path, "w", encoding="ascii") as f:
        f.write("".join(line + "\n" for line in lines))


def make(key, options="", kind="es256", user=b"user-1", pins=()):
    """fido2-cred -M, -V; gives (status or None, credential id, path of the public key)."""
    given, made, pub = (os.path.join(key.folder, n) for n in ("make", "made", "pub." + kind))
    if os.path.exists(made):
        os.unlink(made)
    write(given, b64(os.urandom(32)), RP, "a name", b64(user))
    args = ["fido2-cred", "-M", "-i", given, "-o", made, *options.split(), key.path, kind]
    status, text = run(args, pins=pins)
    if status != 0:
        return text, None, None
    words = options.split()
    options = [o for o in words if o in ("-h", "-v")]
    if "-c" in words:
        options += ["-c", words[words.index("-c") + 1]]
    status, text = run(["fido2-cred", "-V", *options, "-i", made, "-o", pub + ".cred", kind])
    assert status == 0, text
    with open(pub + ".cred", encoding="ascii") as f:
        cred_id, pem = f.read().split("\n", 1)
    with open(pub, "w", encoding="ascii") as f:
        f.write(pem)
    return None, cred_id, pub


def get(key, cred_id, options="", pins=(), salt=None):
    """fido2-assert -G; gives (error text or None, path of the assertion)."""
    given, got = os.path.join(key.folder, "get"), os.path.join(key.folder, "got")
    if os.path.exists(got):
        os.unlink(got)
    write(given, b64(os.urandom(32)), RP, *([cred_id] if cred_id else []),
          *([b64(salt)] if salt else []))
    status, text = run(["fido2-assert", "-G", "-i", given, "-o", got, *options.split(), key.path],
                       pins=pins)
    return (None, got) if status == 0 else (text, None)


def library_assert(key, cred_id, pin):
    """fido_dev_get_assert() with UV asked for; its status, -1 if the answer says no UV, -2 if it
    names another credential."""
    lib = ctypes.CDLL("libfido2.so.1")
    lib.fido_dev_new.restype = lib.fido_assert_new.restype = ctypes.c_void_p
    lib.fido_init(0)
    dev, assertion = ctypes.c_void_p(lib.fido_dev_new()), ctypes.c_void_p(lib.fido_assert_new())
    assert lib.fido_dev_open(dev, key.path.encode()) == 0
    raw = base64.b64decode(cred_id)
    lib.fido_assert_set_rp(assertion, RP.encode())
    lib.fido_assert_set_clientdata(assertion, b"challenge", ctypes.c_size_t(9))
    lib.fido_assert_allow_cred(assertion, raw, ctypes.c_size_t(len(raw)))
    lib.fido_assert_set_uv(assertion, 2)
    status = lib.fido_dev_get_assert(dev, assertion, pin and pin.encode())
    lib.fido_assert_id_ptr.restype = ctypes.c_void_p
    if status == 0:
        answered = lib.fido_assert_id_ptr(assertion, ctypes.c_size_t(0))
        if ctypes.string_at(answered, len(raw)) != raw:
            status = -2
    has_uv = lib.fido_assert_flags(assertion, ctypes.c_size_t(0)) & 4 if status == 0 else 4
    lib.fido_dev_close(dev)
    lib.fido_assert_free(ctypes.byref(assertion))
    lib.fido_dev_free(ctypes.byref(dev))
    return status if has_uv else -1


def is_verified(got, pub, kind="es256", options="-p"):
    status, _ = run(["fido2-assert", "-V", *options.split(), "-i", got, pub, kind])
    return status == 0


def lines_of(path):
    with open(path, encoding="ascii") as f:
        return f.read().split("\n")


# ---- libfido2's programs ----

def info_is_read(key):
    status, text = run(["fido2-token", "-I", key.path])
    assert status == 0, text
    for want in ("FIDO_2_1", "es256 (public-key), eddsa (public-key)", "credProtect, hmac-secret",
                 "maxmsgsiz: 1200", "pin protocols: 2, 1", "pin retries: 8", "noclientPin"):
        assert want in text, (want, text)


def credentials_verify_for_both_algorithms(key):
    key.do("auto on")
    for kind in ("es256", "eddsa"):
        error, cred_id, pub = make(key, kind=kind)
        assert error is None, error
        error, got = get(key, cred_id, "-p")
        assert error is None, error
        assert is_verified(got, pub, kind)
        assert not is_verified(got, pub, kind, "-p -v"), "UV without a PIN"
    assert key.count("assertions") == 2 and key.count("touches") == 4


def pin_is_set_used_and_changed(key):
    key.do("auto on")
    assert run(["fido2-token", "-S", key.path], pins=("123", "123"))[0] != 0
    status, text = run(["fido2-token", "-S", key.path], pins=("1234", "1234"))
    assert status == 0, text
    error, cred_id, pub = make(key, "-r -v", pins=("1234",))
    assert error is None, error
    error, got = get(key, cred_id, "-v", pins=("1234",))
    assert error is None, error
    assert is_verified(got, pub, options="-p -v")
    status, text = run(["fido2-token", "-C", key.path], pins=("1234", "abcdef", "abcdef"))
    assert status == 0, text
    assert "PIN_INVALID" in get(key, cred_id, "-v", pins=("1234",))[0]
    assert get(key, cred_id, "-v", pins=("abcdef",))[0] is None


def old_key_is_used_through_protocol_1(key):
    key.do("auto on")
    status, text = run(["fido2-token", "-S", key.path], pins=("1234", "1234"))
    assert status == 0, text
    status, text = run(["fido2-token", "-I", key.path])
    assert "pin protocols: 1\n" in text and "FIDO_2_1" not in text, text
    error, cred_id, _ = make(key, "-r -h", pins=("1234",))
    assert error is None, error
    # fido2-assert asks such a key for no PIN: the library does
    assert library_assert(key, cred_id, "9999") == 0x31
    assert library_assert(key, cred_id, "1234") == 0
    assert library_assert(key, cred_id, None) == 0x2B, "no UV but by PIN"
    status, text = run(["fido2-token", "-C", key.path], pins=("1234", "abcdef", "abcdef"))
    assert status == 0, text
    assert library_assert(key, cred_id, "abcdef") == 0
    assert get(key, cred_id, "-h", salt=bytes(32))[0] is None


def wrong_pins_block_until_replugged_then_for_good(key):
    key.do("auto on")
    _, cred_id, _ = make(key, "-v", pins=("1234",))
    want = ["PIN_INVALID", "PIN_INVALID", "PIN_AUTH_BLOCKED", "PIN_AUTH_BLOCKED"]
    for text in want:
        assert text in get(key, cred_id, "-v", pins=("9999",))[0], text
    assert key.count("pin-retries") == 5 and key.count("pin-attempts") == 4
    assert "PIN_AUTH_BLOCKED" in get(key, cred_id, "-v", pins=("1234",))[0]
    key.do("unplug")
    key.do("plug")
    assert get(key, cred_id, "-v", pins=("1234",))[0] is None
    assert key.count("pin-retries") == 8
    key.do("pin-retries 1")
    assert "PIN_BLOCKED" in get(key, cred_id, "-v", pins=("9999",))[0]
    assert "PIN_BLOCKED" in get(key, cred_id, "-v", pins=("1234",))[0]
    assert key.count("pin-retries") == 0


def self_attestation_verifies(key):
    key.do("auto on")
    for kind in ("es256", "eddsa"):
        assert make(key, kind=kind)[0] is None


def no_attestation_is_said(key):
    # fido2-cred cannot print such a credential, hence the bytes
    key.do("auto on")
    with Wire(key) as w:
        cid = w.open()
        w.send(cid, CBOR, b"\x01\xa4\x01\x58\x20" + bytes(32) + b"\x02\xa1\x62id\x61x"
               b"\x03\xa1\x62id\x41u\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key")
        got = w.receive()[2]
        assert got.startswith(b"\0\xa3\x01\x64none\x02\x58") and got.endswith(b"\x03\xa0"), got


def one_algorithm_refuses_the_other(key):
    key.do("auto on")
    assert "UNSUPPORTED_ALGORITHM" in make(key, kind="es256")[0]
    assert make(key, kind="eddsa")[0] is None
    assert make(key, "-r", kind="eddsa")[0] is not None, "--no-rk"


def touch_is_awaited_given_denied_timed_out(key):
    key.do("touch")
    _, cred_id, _ = make(key)
    with open(os.path.join(key.folder, "get"), "w", encoding="ascii") as f:
        f.write("\n".join([b64(os.urandom(32)), RP, cred_id, ""]))
    args = ["fido2-assert", "-G", "-i", f.name, key.path]
    for command, status, want in (("touch", 0, ""), ("deny", 1, "FIDO_ERR_OPERATION_DENIED"),
                                  (None, 1, "FIDO_ERR_USER_ACTION_TIMEOUT")):
        with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) as child:
            key.do("wait-touch 5000")
            assert key.count("awaiting") == 1
            if command:
                key.do(command)
            text = child.communicate(timeout=BOUND)[0]
            assert child.returncode == status and want in text, (command, text)
    assert key.ctl_status("wait-touch", "10")[0] == 1
    assert key.count("touches") == 2 and key.count("denials") == 1
    key.do("deny")
    assert "OPERATION_DENIED" in get(key, cred_id)[0], "denied beforehand"


def start_get(key, cred_id):
    write(os.path.join(key.folder, "get"), b64(os.urandom(32)), RP, cred_id)
    return subprocess.Popen(
        ["fido2-assert", "-G", "-i", os.path.join(key.folder, "get"), key.path],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def unplugged_in_the_touch_ends_the_client(key):
    key.do("touch")
    _, cred_id, pub = make(key)
    before = os.stat(key.path).st_ino
    with start_get(key, cred_id) as child:
        key.do("wait-touch 5000")
        key.do("unplug")
        assert "FIDO_ERR_RX" in child.communicate(timeout=5)[0]
    assert not os.path.lexists(key.path) and key.count("awaiting") == 0
    key.do("plug")
    if os.geteuid() == 0:
        assert os.stat(key.path).st_ino == before
    key.do("touch")
    error, got = get(key, cred_id, "-p")
    assert error is None and is_verified(got, pub), error


def killed_client_leaves_a_free_key(key):
    key.do("touch")
    _, cred_id, _ = make(key)
    for number in (signal.SIGKILL, signal.SIGINT):
        with start_get(key, cred_id) as child:
            key.do("wait-touch 5000")
            child.send_signal(number)
            child.wait(BOUND)
        key.do("touch")
        assert get(key, cred_id)[0] is None


def bind_mount_survives_replugging(key):
    if os.geteuid() != 0:
        print("skipped, not root:", end=" ")
        return
    write(os.path.join(key.folder, "bound"))
    # $1 the key, $2 the mount point, $3 and $4 softkey and its control socket
    script = ('mount --bind "$(readlink -f "$1")" "$2" && fido2-token -I "$2" >/dev/null && '
              '"$3" ctl "$4" unplug && ! timeout 10 fido2-token -I "$2" && '
              '"$3" ctl "$4" plug && timeout 10 fido2-token -I "$2"')
    r = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", key.path,
                        os.path.join(key.folder, "bound"), SOFTKEY, key.ctl],
                       capture_output=True, text=True, timeout=BOUND)
    assert r.returncode == 0, r


def wrong_assertions_do_not_verify(key):
    key.do("auto on")
    for kind in ("es256", "eddsa"):
        error, cred_id, pub = make(key, "-v", kind=kind, user=kind.encode(), pins=("1234",))
        assert error is None, error

        def try_it(flags):
            key.do("flags " + flags)
            error, got = get(key, cred_id, "-p -v", pins=("1234",))
            assert error is None, (flags, error)
            return got

        good = lines_of(try_it("none"))
        assert is_verified(os.path.join(key.folder, "got"), pub, kind, "-p -v")
        for flags in ("bad-rpid", "bad-sig", "wrong-alg"):
            assert not is_verified(try_it(flags), pub, kind, ""), (kind, flags)
        got = try_it("no-uv")
        assert is_verified(got, pub, kind, "-p") and not is_verified(got, pub, kind, "-p -v")
        got = try_it("no-up")
        assert is_verified(got, pub, kind, "-v") and not is_verified(got, pub, kind, "-p -v")
        key.do("flags none")
        good = lines_of(try_it("none"))
        got = try_it("replay")
        assert lines_of(got)[2:4] == good[2:4], "the same authenticator data and signature"
        assert not is_verified(got, pub, kind, "-p -v")
        key.do("flags wrong-cred")
        assert library_assert(key, cred_id, "1234") == -2
        key.do("flags none")
        assert library_assert(key, cred_id, "1234") == 0
    assert key.ctl_status("flags", "nonsense")[0] == 1


def cred_protect_hides(key):
    key.do("auto on")
    ids = {}
    for level in (1, 2, 3):
        error, ids[level], _ = make(key, f"-r -v -c {level}", user=b"user-%d" % level,
                                    pins=("1234",))
        assert error is None, error
    assert get(key, ids[1])[0] is None
    assert get(key, ids[2])[0] is None, "level 2 shows with its id"
    assert "NO_CREDENTIALS" in get(key, ids[3])[0], "level 3 never without the PIN"
    assert get(key, ids[3], "-v", pins=("1234",))[0] is None
    # without an id, from the newest: level 1 only, with the PIN all three
    error, got = get(key, None, "-r")
    assert error is None and lines_of(got)[4] == b64(b"user-1"), error
    assert len(lines_of(got)) == 6
    error, got = get(key, None, "-r -v", pins=("1234",))
    assert error is None, error
    users = [line for line in lines_of(got) if line in [b64(b"user-%d" % i) for i in (1, 2, 3)]]
    assert users == [b64(b"user-%d" % i) for i in (3, 2, 1)], users


def same_user_overwrites_and_state_survives(key):
    key.do("auto on")
    _, first, _ = make(key, "-r")
    _, third, _ = make(key)
    _, second, pub = make(key, "-r")
    assert key.count("credentials") == 2, "second in place of first, the third beside"
    key.stop()
    again = Key(key.folder)
    key.process, again.process = again.process, None
    key.do("auto on")
    assert "NO_CREDENTIALS" in get(key, first)[0]
    assert get(key, third)[0] is None
    error, got = get(key, second, "-p")
    assert error is None and is_verified(got, pub), error


def hmac_secret_differs_with_the_pin(key):
    key.do("auto on")
    error, cred_id, _ = make(key, "-h -v", pins=("1234",))
    assert error is None, error
    salt = os.urandom(32)
    values = []
    for options, pins in (("-h", ()), ("-h", ()), ("-h -v", ("1234",)), ("-h -v", ("1234",))):
        error, got = get(key, cred_id, options, pins=pins, salt=salt)
        assert error is None, error
        values.append(lines_of(got)[4])
    assert values[0] == values[1] and values[2] == values[3] and values[0] != values[2], values


def reset_forgets(key):
    key.do("auto on")
    _, cred_id, _ = make(key, "-v", pins=("1234",))
    assert run(["fido2-token", "-R", key.path])[0] == 0
    assert "NO_CREDENTIALS" in get(key, cred_id)[0]
    assert "noclientPin" in run(["fido2-token", "-I", key.path])[1]


def ssh_keygen_makes_a_key(key):
    key.do("auto on")
    for kind in ("ed25519-sk", "ecdsa-sk"):
        path = os.path.join(key.folder, kind)
        child = pexpect.spawn("ssh-keygen", ["-q", "-t", kind, "-f", path, "-N", "", "-O",
                              "device=" + key.path, "-O", "verify-required", "-O", "resident",
                              "-O", "application=ssh:" + kind], timeout=BOUND, encoding="utf-8")
        child.expect("PIN for authenticator:")
        child.sendline("1234")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0, child.before
        with open(path + ".pub", encoding="ascii") as f:
            assert f.read().startswith("sk-")


# ---- the wire ----

PING, INIT, CBOR, CANCEL, KEEPALIVE, ERROR = 0x81, 0x86, 0x90, 0x91, 0xBB, 0xBF
BROADCAST = 0xFFFFFFFF
SELECTION = b"\x0b"


class Wire:
    """Raw CTAPHID packets through the slave."""

    def __init__(self, key):
        self.fd = os.open(key.path, os.O_RDWR | os.O_NOCTTY)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def put(self, packet):
        assert os.write(self.fd, b"\0" + packet.ljust(64, b"\0")) == 65

    def send(self, cid, cmd, data=b""):
        self.put(struct.pack(">IBH", cid, cmd, len(data)) + data[:57])
        for seq, at in enumerate(range(57, len(data), 59)):
            self.put(struct.pack(">IB", cid, seq) + data[at:at + 59])

    def packet(self, seconds=5):
        assert select.select([self.fd], [], [], seconds)[0], "no packet"
        data = os.read(self.fd, 64)
        assert len(data) == 64, len(data)
        return data

    def receive(self, skip=(KEEPALIVE,)):
        while True:
            first = self.packet()
            cid, cmd, want = struct.unpack(">IBH", first[:7])
            if cmd not in skip:
                break
        data, seq = first[7:], 0
        while len(data) < want:
            more = self.packet()
            assert struct.unpack(">IB", more[:5]) == (cid, seq)
            data, seq = data + more[5:], seq + 1
        return cid, cmd, data[:want]

    def open(self):
        nonce = os.urandom(8)
        self.send(BROADCAST, INIT, nonce)
        cid, cmd, data = self.receive()
        assert (cid, cmd, len(data), data[:8]) == (BROADCAST, INIT, 17, nonce)
        assert data[12] == 2 and data[16] & 0x0C == 0x0C
        return struct.unpack(">I", data[8:12])[0]


def wire_init_gives_channels_and_ping_echoes(key):
    with Wire(key) as w:
        a, b = w.open(), w.open()
        assert a != b and a not in (0, BROADCAST)
        for size in (0, 1, 57, 58, 116, 1200, 7609):
            data = os.urandom(size)
            w.send(b, PING, data)
            assert w.receive() == (b, PING, data), size


def wire_errors_are_named(key):
    with Wire(key) as w:
        cid = w.open()
        w.send(cid + 1, PING, b"x")
        assert w.receive() == (cid + 1, ERROR, b"\x0b"), "unknown channel"
        w.send(0, PING, b"x")
        assert w.receive() == (0, ERROR, b"\x0b"), "channel 0"
        w.send(cid, 0x83, b"\0\1\0\0")
        assert w.receive() == (cid, ERROR, b"\x01"), "no U2F"
        w.send(cid, CBOR)
        assert w.receive() == (cid, ERROR, b"\x03"), "empty"
        w.put(struct.pack(">IBH", cid, PING, 7610))
        assert w.receive() == (cid, ERROR, b"\x03"), "too long"
        w.send(BROADCAST, INIT, b"1234567")
        assert w.receive() == (BROADCAST, ERROR, b"\x03"), "nonce of seven bytes"
        w.put(struct.pack(">IBH", cid, PING, 100))
        w.put(struct.pack(">IB", cid, 1))
        assert w.receive() == (cid, ERROR, b"\x04"), "wrong sequence"
        other = w.open()
        w.put(struct.pack(">IBH", cid, PING, 100))
        w.send(other, PING, b"x")
        assert w.receive() == (other, ERROR, b"\x06"), "busy with another channel"
        assert w.receive() == (cid, ERROR, b"\x05"), "the rest never came"
        w.put(struct.pack(">IBH", cid, PING, 100))
        w.send(cid, INIT, b"12345678")
        assert w.receive()[:2] == (cid, INIT), "resynchronised"
        for bad in (b"\x01\xff", b"\x01", b"\x02\x01", b"\x06\xa0", b"\xee", b"\x01" * 1201,
                    b"\x02\xa1\x01", b"\x02\xbf", b"\x06\xa1\x02\x18\x63"):
            w.send(cid, CBOR, bad)
            got = w.receive()
            assert got[1] == CBOR and len(got[2]) == 1 and got[2] != b"\0", (bad[:4], got)


def wire_touch_keeps_alive_answers_init_and_cancel(key):
    with Wire(key) as w:
        cid = w.open()
        w.send(cid, CBOR, SELECTION)
        start = time.monotonic()
        for _ in range(4):
            assert w.packet()[:8] == struct.pack(">IBHB", cid, KEEPALIVE, 1, 2)
        assert 0.2 < time.monotonic() - start < 2
        other = w.open()
        w.send(other, CBOR, b"\x04")
        assert w.receive() == (other, ERROR, b"\x06")
        w.send(other, CANCEL)
        w.send(cid, PING, b"x")
        assert w.receive() == (cid, ERROR, b"\x06"), "another's cancel does nothing"
        w.send(cid, CANCEL)
        assert w.receive() == (cid, CBOR, b"\x2d")
        w.send(other, CBOR, b"\x04")
        assert w.receive()[2][0] == 0
        w.send(cid, CBOR, SELECTION)
        key.do("touch")
        assert w.receive() == (cid, CBOR, b"\0")
        w.send(cid, CBOR, SELECTION)
        key.do("wait-touch 5000")
        w.send(cid, INIT, b"abcdefgh")
        assert w.receive()[:2] == (cid, INIT), "aborted, and no answer but this"
        w.send(cid, CBOR, b"\x04")
        assert w.receive()[2][0] == 0
    assert key.count("cancels") == 1


def wire_leftovers_of_a_dead_client_are_dropped(key):
    with Wire(key) as w:
        cid = w.open()
        for _ in range(50):
            w.send(cid, PING, bytes(1200))
        os.write(w.fd, b"\0half a frame")
    end = time.monotonic() + BOUND
    while key.count("departures") == 0:
        assert time.monotonic() < end
    with Wire(key) as w:
        nonce = os.urandom(8)
        w.send(BROADCAST, INIT, nonce)
        assert w.packet()[7:15] == nonce, "the first thing read is one's own"
    assert run(["fido2-token", "-I", key.path])[0] == 0


PIN = ("--pin", "1234")
TESTS = [
    (info_is_read, ()),
    (credentials_verify_for_both_algorithms, ()),
    (pin_is_set_used_and_changed, ()),
    (old_key_is_used_through_protocol_1, ("--old",)),
    (wrong_pins_block_until_replugged_then_for_good, PIN),
    (self_attestation_verifies, ("--attestation", "self")),
    (no_attestation_is_said, ("--attestation", "none")),
    (one_algorithm_refuses_the_other, ("--alg", "eddsa", "--no-rk")),
    (touch_is_awaited_given_denied_timed_out, ("--touch-ms", "1500")),
    (unplugged_in_the_touch_ends_the_client, ()),
    (killed_client_leaves_a_free_key, ()),
    (bind_mount_survives_replugging, ()),
    (wrong_assertions_do_not_verify, PIN),
    (cred_protect_hides, PIN),
    (same_user_overwrites_and_state_survives, ()),
    (hmac_secret_differs_with_the_pin, PIN),
    (reset_forgets, PIN),
    (ssh_keygen_makes_a_key, PIN),
    (wire_init_gives_channels_and_ping_echoes, ()),
    (wire_errors_are_named, ()),
    (wire_touch_keeps_alive_answers_init_and_cancel, ()),
    (wire_leftovers_of_a_dead_client_are_dropped, ()),
]


def main():
    failed = 0
    names = sys.argv[2:]
    for test, options in TESTS:
        if names and test.__name__ not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="softkey.") as folder:
            key = Key(folder, *options)
            start = time.monotonic()
            try:
                test(key)
                key.stop()
                print(f"ok     {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
            except Exception:  # any failure is this test's
                failed += 1
                print(f"FAILED {test.__name__}\n{traceback.format_exc()}", flush=True)
                key.process.kill()
                key.process.wait()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
