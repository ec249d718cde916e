#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What it costs, each against a peer in the same run; a benchmark, not a test: nothing fails here.

	sudo tests/bench/bench.py [BUILD]      BUILD: build/release by default

Ratios are medians of several rounds that take turns, so that a busy machine slows both sides. "cpu"
is what the programs that were started used of a processor, with what they waited for left out.
"""
import base64
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pexpect

TOP = Path(__file__).resolve().parents[2]
os.environ.setdefault("BG_BUILD_DIR", str(Path(sys.argv[1] if len(sys.argv) > 1
	else TOP / "build" / "release").resolve()))
sys.path.insert(0, str(TOP / "tests" / "pam"))
import pamlib  # noqa: E402

TURNS = 7
# not a dependency: apt-get install libpam-u2f, or where its package was unpacked to
PAM_U2F = os.environ.get("BENCH_PAM_U2F", "/usr/lib/x86_64-linux-gnu/security/pam_u2f.so")


def timed(work):
	start = time.perf_counter()
	work()
	return time.perf_counter() - start


def used(work):
	"""Seconds of processor time of the children that ended meanwhile."""
	before = resource.getrusage(resource.RUSAGE_CHILDREN)
	work()
	after = resource.getrusage(resource.RUSAGE_CHILDREN)
	return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(title, ours, peer, unit=1.0, measure=timed, turns=TURNS):
	"""Takes turns; prints the median of both and their ratio. unit: how many times each does it."""
	a, b = [], []
	for _ in range(turns):
		a.append(measure(ours) / unit)
		b.append(measure(peer) / unit)
	mine, theirs = statistics.median(a), statistics.median(b)
	print(f"{title:58} {mine * 1e6:10.1f} us {theirs * 1e6:10.1f} us  {mine / theirs:5.2f}", flush=True)


def plain_login(stage, rounds):
	with stage.login(user="plain", rounds=rounds) as login:
		results = login.finish()
	assert results["open"] == 0, results


def somebody_else(stage):
	"""A login of anyone else: all five phases, our line before pam_permit, and pam_permit alone."""
	rounds = 300
	permit = {kind: "required pam_permit.so" for kind in ("auth", "account", "session")}
	confdir = stage.confdir
	stage.stacks(after=permit)
	alone = confdir.with_name("alone.d")
	alone.mkdir(exist_ok=True)
	(alone / "login").write_text("".join(f"{kind} {line}\n" for kind, line in permit.items()))

	def without():
		stage.confdir = alone
		plain_login(stage, rounds)
		stage.confdir = confdir

	compare("anyone else's login, with us | pam_permit alone",
		lambda: plain_login(stage, rounds), without, rounds)
	stage.stacks()


def emergency(stage):
	"""Machine time of an emergency login with PIN, touch and two shares, against what libfido2's own
	program takes for one assertion with PIN and touch by the same key."""
	key = stage.keys["a"]
	key.ctl("auto", "on")

	def ours():
		stage.reset()
		with stage.login() as login:
			login.expect("PIN of your")
			login.answer(pamlib.PIN)
			login.expect("Reason")
			login.answer("INC-1 a benchmark")
			for name in ("audit", "dba"):
				login.expect("Share")
				login.answer(stage.shares[name])
			assert login.finish()["open"] == 0

	credential = next(line.split(" = ")[1] for line in stage.seal.read_text().splitlines()
		if line.startswith("credential = "))
	encoded = subprocess.run(["base64", "-w0"], input=bytes.fromhex(credential),
		capture_output=True, check=True).stdout.decode()
	question = f"{'A' * 43}=\nbreakglass:db\n{encoded}\n"

	def peer():
		child = pexpect.spawn("fido2-assert", ["-G", "-p", "-v", "-i", f"{stage.folder}/question",
			key.path], timeout=20)
		child.delaybeforesend = None
		child.delayafterclose = child.ptyproc.delayafterclose = 0  # a wait of pexpect's own
		child.expect("PIN")
		child.sendline(pamlib.PIN)
		child.expect(pexpect.EOF)
		child.close()
		assert child.exitstatus == 0, child.before

	(stage.folder / "question").write_text(question)
	compare("emergency login, two shares typed | fido2-assert alone", ours, peer)
	compare("  the same, cpu", ours, peer, measure=used, turns=3 * TURNS)
	if Path(PAM_U2F).exists():
		other = pam_u2f(stage, encoded)
		compare("emergency login, two shares typed | login by pam_u2f", ours, other)
		compare("  the same, cpu", ours, other, measure=used, turns=3 * TURNS)
	key.ctl("auto", "off")


def pam_u2f(stage, credential):
	"""A login by pam_u2f with PIN and touch of the same key, in the same host program."""
	key, folder = stage.keys["a"], stage.folder
	found = dict(line.split(" = ") for line in stage.seal.read_text().split("[key ")[1].splitlines()
		if " = " in line)
	public = base64.b64encode(bytes.fromhex(found["public-key"])[-64:]).decode()
	(folder / "u2f").write_text(f"plain:{credential},{public},{found['algorithm']},+presence+pin\n")
	(folder / "u2f.d").mkdir(exist_ok=True)
	(folder / "u2f.d" / "login").write_text(
		f"auth required {PAM_U2F} authfile={folder}/u2f origin=breakglass:db appid=breakglass:db\n"
		"account required pam_permit.so\nsession required pam_permit.so\n")
	shim = folder / "one_device.so"
	subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", shim, TOP / "tests/bench/one_device.c",
		"-lfido2"], check=True)
	env = {"LD_PRELOAD": str(shim), "BENCH_DEVICE": os.path.realpath(key.path)}

	def login():
		ours, stage.confdir = stage.confdir, folder / "u2f.d"
		with stage.login(user="plain", env=env) as login:
			login.expect("PIN")
			login.answer(pamlib.PIN)
			assert login.finish()["open"] == 0, login.results
		stage.confdir = ours

	return login


def combine(stage):
	"""bg-unlock combine of two shares against the same process start without shares."""
	command = [pamlib.COMMAND, "combine", "--stdin", "--reveal"]
	lines = "\n".join(stage.shares[name] for name in ("audit", "dba")) + "\n"
	compare("bg-unlock combine, 2 of 3 | bg-unlock --version",
		lambda: subprocess.run(command, input=lines, text=True, capture_output=True, check=True),
		lambda: subprocess.run([pamlib.COMMAND, "--version"], capture_output=True, check=True))


def main():
	stage = pamlib.Stage()
	print(f"{'':58} {'ours':>13} {'peer':>13}  ratio")
	somebody_else(stage)
	emergency(stage)
	combine(stage)
	stage.close()


if __name__ == "__main__":
	pamlib.enter()
	main()
