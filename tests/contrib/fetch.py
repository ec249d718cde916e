#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""fetch.py FOLDER: the vendors' packages of packages.txt, unpacked below FOLDER as NAME-VERSION.

`npm pack` fetches the archive and nothing else: no dependency comes along and no script of a package
is run. What came must have the SHA-512 that stands here. What is already there is not fetched again.
"""
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def packages():
	"""[(name, version, integrity)]"""
	lines = (HERE / "packages.txt").read_text(encoding="ascii").splitlines()
	return [tuple(line.split()) for line in lines if line and not line.startswith("#")]


def folder_of(root, name):
	"""Where package `name` is unpacked."""
	version = next(row[1] for row in packages() if row[0] == name)
	return Path(root) / f"{name.replace('@', '').replace('/', '-')}-{version}"


def integrity_of(file):
	"""In npm's own spelling."""
	return "sha512-" + base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()


def download(name, version, work):
	"""The archive, as npm brings it."""
	done = subprocess.run(
		["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{version}"],
		cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240,
		check=False)
	found = list(work.glob("*.tgz"))
	if done.returncode != 0 or len(found) != 1:
		sys.exit(f"fetch: error: npm cannot bring {name}@{version}\n{done.stderr}"
			"fetch: hint: ./test needs the npm registry as it needs Debian's mirror; the tests "
			"contrib.models and contrib.kql depend on it")
	return found[0]


def unpack(archive, integrity, target):
	"""Its files in `target`, whole or not at all."""
	if integrity_of(archive) != integrity:
		sys.exit(f"fetch: error: {archive.name} is not what packages.txt says")
	work = archive.parent / "unpacked"
	with tarfile.open(archive) as tar:
		members = [m for m in tar.getmembers() if m.isfile()
			and m.name.startswith("package/") and ".." not in m.name.split("/")]
		for member in members:
			member.mode = 0o644
		tar.extractall(work, members)
	os.rename(work / "package", target)


def main():
	root = Path(sys.argv[1])
	root.mkdir(parents=True, exist_ok=True)
	if not shutil.which("npm"):
		sys.exit("fetch: error: there is no npm (tools/depends install test)")
	for name, version, integrity in packages():
		target = folder_of(root, name)
		if target.exists():
			continue
		with tempfile.TemporaryDirectory(dir=root, prefix="making-") as work:
			unpack(download(name, version, Path(work)), integrity, target)
	return 0


if __name__ == "__main__":
	sys.exit(main())
