# SPDX-License-Identifier: BSD-2-Clause
"""A throw-away, really booted Debian 12 for the system tests and the demo.

	with Box("name") as box:
	    box.boot()
	    box.add_user("alice", password="...")
	    child = box.ssh("alice", key=box.key("alice"))      # a pexpect child, 80x24

The base is made once by mmdebstrap from the host's own apt sources (ensure_base). A Box is an
overlay over it, its changes on a tmpfs, in a mount namespace of its own: whatever ends the process
ends the namespace, and nothing is left. systemd-nspawn boots it with a network of loopback only.

What a person does goes through real doors: ssh() is the client inside the container talking to its
sshd, login_tty() is Debian's container-getty@.service on a terminal of the container, so agetty and
login(1) are session leaders with a controlling terminal there. run() is the tests' own back door
(nsenter): it belongs to no session; never use it for what a test wants to prove about logins.

Audit session ids: nspawn leaves CAP_AUDIT_CONTROL to the container, so pam_loginuid works; the host
side of each process starts without a login uid (see _no_audit_session).
"""
import contextlib
import ctypes
import fcntl
import hashlib
import io
import json
import os
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import time
import unittest
from collections import namedtuple
from pathlib import Path

import pexpect
import pexpect.spawnbase

SOURCE = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("BG_CONTAINER_DIR") or SOURCE / "build" / "container")
BUILD = Path(os.environ.get("BG_BUILD_DIR") or SOURCE / "build" / "release")
SOFTKEY = "/usr/local/lib/breakglass-test/softkey"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What a plain server has, what our packages depend on (they are installed without a network), and
# a few tools of the tests.
PACKAGES = """
	systemd systemd-sysv dbus libpam-systemd rsyslog openssh-server openssh-client sudo login passwd
	util-linux cron procps apt-utils libpam-runtime libssl3 libfido2-1 libcbor0.8 libyubikey0
	libseccomp2 libqrencode4 iproute2 python3-minimal tmux strace fido2-tools at curl msmtp-mta
""".split()

Result = namedtuple("Result", "rc out err")


class BoxError(Exception):
	"""The container could not be built, booted or reached."""


def wait_until(what, check, timeout=20.0, pause=0.05):
	"""Calls check() until it is true and returns that; BoxError naming `what` after `timeout` s."""
	end = time.monotonic() + timeout
	while True:
		value = check()
		if value:
			return value
		if time.monotonic() > end:
			raise BoxError(f"waited {timeout:g} s in vain for {what}")
		time.sleep(pause)


def _output(*argv):
	return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


# The base

def _sources():
	"""The host's own Debian bookworm sources, whatever files and formats they stand in."""
	lines = _output(
		"apt-get", "indextargets", "--format",
		"$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)|$(RELEASE)", "Created-By: Packages")
	found = []
	for line in lines.splitlines():
		origin, codename, component, uri, release = line.split("|")
		if origin == "Debian" and codename.startswith("bookworm") and component == "main" \
				and not uri.startswith("cdrom:"):
			found.append(f"deb {uri} {release} main")
	if not found:
		raise BoxError("the host's apt knows no Debian bookworm (has apt-get update been run?)")
	return "\n".join(dict.fromkeys(found)) + "\n"


def _acquire_options():
	"""How the host's apt fetches (proxy, time checks): the same for the container's packages."""
	dump = _output("apt-config", "dump").splitlines()
	wanted = ("Acquire::Check", "Acquire::http", "Acquire::Retries")
	return "\n".join(line for line in dump if line.startswith(wanted)) + "\n"


# In the finished folder there is nothing to fetch from, so apt works offline or not at all; the
# host's audit trail and kernel log stay the host's.
FINISH = r"""
set -e
cd "$1"
rm -f etc/apt/sources.list etc/apt/sources.list.d/* etc/apt/apt.conf.d/99mmdebstrap
rm -rf var/lib/apt/lists/* var/cache/apt/*.bin var/cache/apt/archives/*.deb
: > etc/machine-id
rm -f etc/hostname
echo LANG=C.UTF-8 > etc/default/locale
: > etc/resolv.conf
sed -i '/imklog/s/^/#/' etc/rsyslog.conf
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
	fstrim.timer logrotate.timer man-db.timer systemd-timesyncd.service console-getty.service; do
	ln -sf /dev/null "etc/systemd/system/$unit"
done
echo 'set enable-bracketed-paste off' > etc/inputrc
mkdir -p root/.ssh
chmod 700 root/.ssh
for key in etc/ssh/ssh_host_*_key.pub; do
	echo "127.0.0.1,localhost,::1 $(cut -d' ' -f1,2 "$key")"
done > root/.ssh/known_hosts
"""


def _base_id():
	text = " ".join(PACKAGES) + FINISH
	return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextlib.contextmanager
def _cache_locked():
	CACHE.mkdir(parents=True, exist_ok=True)
	with open(CACHE / "lock", "w", encoding="ascii") as lock:
		fcntl.flock(lock, fcntl.LOCK_EX)
		yield


def ensure_base():
	"""The folder of the base, made when it is not there yet (about a minute, needs the mirror)."""
	base = CACHE / f"base-{_base_id()}"
	with _cache_locked():
		if not base.exists():
			_make_base(base)
	return base


def _make_base(base):
	print(f"box: making a Debian 12 base in {base} (once)", flush=True)
	start = time.monotonic()
	with tempfile.TemporaryDirectory(dir=CACHE, prefix="making-") as folder:
		work = Path(folder)
		os.chmod(work, 0o755)  # apt's own user reads below it
		(work / "sources").write_text(_sources())
		(work / "acquire").write_text(_acquire_options() + 'Acquire::Languages "none";\n')
		(work / "finish").write_text(FINISH)
		with open(CACHE / "base.log", "wb") as log:
			rc = subprocess.run([
				"unshare", "-m", "--propagation", "private",
				"mmdebstrap", "--mode=root", "--variant=apt",
				"--include=" + ",".join(PACKAGES), f"--aptopt={work}/acquire",
				"--dpkgopt=path-exclude=/usr/share/doc/*",
				"--dpkgopt=path-exclude=/usr/share/man/*",
				"--dpkgopt=path-exclude=/usr/share/locale/*",
				f"--customize-hook=sh {work}/finish \"$1\"",
				"bookworm", str(work / "root"), str(work / "sources"),
			], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
				env={**os.environ, "TMPDIR": str(work)}).returncode
		if rc != 0:
			tail = (CACHE / "base.log").read_text(errors="replace")[-2000:]
			raise BoxError(f"mmdebstrap failed:\n{tail}")
		os.chmod(work / "root", 0o755)
		os.rename(work / "root", base)
	print(f"box: base ready after {time.monotonic() - start:.0f} s", flush=True)


# Starting processes

PR_SET_PDEATHSIG = 1
TIOCSPTLCK = 0x40045431
TIOCGPTN = 0x80045430
_LIBC = ctypes.CDLL(None, use_errno=True)


def _no_audit_session():
	"""In the child: forget the login uid of whoever runs the tests, or sessions inside could not
	be told from theirs. Needs CAP_AUDIT_CONTROL; where it was never set nothing is to be done."""
	with contextlib.suppress(OSError), open("/proc/self/loginuid", "w", encoding="ascii") as file:
		file.write("4294967295")


def _dies_with_us():
	_LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
	_no_audit_session()


def _children(pid):
	try:
		return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
	except OSError:
		return []


def _kill_tree(pid):
	"""Kills a process that we started and what it started, by their ids."""
	below = _children(pid)
	with contextlib.suppress(ProcessLookupError):
		os.kill(pid, signal.SIGKILL)
	for child in below:
		_kill_tree(child)


def _remove_tree(group):
	"""Removes an empty cgroup and those in it."""
	for folder, _, _ in os.walk(group, topdown=False):
		with contextlib.suppress(OSError):
			os.rmdir(folder)


class Terminal(pexpect.spawnbase.SpawnBase):
	"""The master of a pseudo-terminal of the container; what the other side prints is expected,
	what is sent is typed. Like a pexpect child, without a process of its own."""

	def __init__(self, fd, name, timeout):
		super().__init__(timeout=timeout, encoding="utf-8", codec_errors="replace")
		self.child_fd = fd
		self.device = name
		self.closed = False

	def send(self, text):
		data = text if isinstance(text, bytes) else text.encode()
		self._log(text if isinstance(text, str) else text.decode(errors="replace"), "send")
		while data:
			data = data[os.write(self.child_fd, data):]

	def sendline(self, text=""):
		self.send(text + "\r")

	def sendcontrol(self, char):
		self.send(bytes([ord(char.upper()) & 0x1F]))

	def read_nonblocking(self, size=1, timeout=None):
		wait = self.timeout if timeout == -1 else timeout
		end = None if wait is None else time.monotonic() + wait
		while not self.closed:
			left = None if end is None else max(0.0, end - time.monotonic())
			if not select.select([self.child_fd], [], [], left)[0]:
				raise pexpect.TIMEOUT("nothing more on the terminal")
			with contextlib.suppress(OSError):
				text = self._decoder.decode(os.read(self.child_fd, size), final=False)
				self._log(text, "read")
				return text
			# EIO: between two logins nobody has the other side open.
			if end is not None and time.monotonic() > end:
				raise pexpect.TIMEOUT("nobody on the terminal")
			time.sleep(0.02)
		raise pexpect.EOF("the terminal was closed")

	def isalive(self):
		return not self.closed

	def close(self):
		"""Hangs up: the session at the other side gets SIGHUP."""
		if not self.closed:
			self.closed = True
			os.close(self.child_fd)
			self.child_fd = -1


class Box:
	"""One container, whose host name is `name`. boot(), reboot(), poweroff() as often as wanted; changes stay until close()."""

	checks_itself = False  # leave breakglass-check.timer on
	# cgroups of version 2 alone, as Debian 12 boots; False: as the host has them
	is_unified = True

	def __init__(self, name="box", verbose=False):
		self.name = name
		self.verbose = verbose
		self.leader = None
		self.boot_seconds = None
		self._nspawn = None
		self._console = None
		self._holder = None
		self._cgroups = []
		self._terminals = []
		if os.geteuid() != 0:
			raise BoxError("system tests need root")
		self.base = ensure_base()

	def __enter__(self):
		return self

	def __exit__(self, *exc):
		if exc[0] is not None and issubclass(exc[0], Exception):
			self.show_trouble()
		self.close()

	# The folder and its namespace

	def _hold(self):
		"""A shell in a mount namespace of its own keeps overlay and tmpfs, and is told the first
		process of each boot. It ends when we do, however we do, and takes that process along:
		systemd-nspawn's death alone would not."""
		script = """
			set -e
			mount --make-rprivate /
			mount -t tmpfs -o mode=755 tmpfs /run
			mkdir /run/box /run/box/upper /run/box/work /run/box/root
			chmod 755 /run/box/upper
			mount -t overlay overlay \
				-o "lowerdir=$1,upperdir=/run/box/upper,workdir=/run/box/work" /run/box/root
			echo "$2" >/run/box/root/etc/hostname
			printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$2" \
				>/run/box/root/etc/hosts
			echo held
			leader=
			while read -r line; do leader=$line; done
			[ -z "$leader" ] || kill -KILL "$leader"
		"""
		self._holder = subprocess.Popen(
			["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
				str(self.base), self.name],
			stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
			preexec_fn=_no_audit_session, start_new_session=True)
		if self._holder.stdout.readline().strip() != b"held":
			error = self._holder.stderr.read().decode(errors="replace")
			self.close()
			raise BoxError(f"no mount namespace with an overlay: {error}")

	def _own_cgroup(self):
		"""A place for the container's cgroups: a scope from the host's systemd, or, where the host
		has none, a folder of our own (two containers would share their units' otherwise)."""
		if Path("/run/systemd/system").is_dir():
			return ["systemd-run", "--quiet", "--scope", "--collect", "-p", "Delegate=yes",
				f"--unit=bgbox-{self.name}-{os.getpid()}-{time.monotonic_ns()}"]
		for root in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
			if Path(root, "cgroup.procs").exists():
				self._remove_stale(Path(root))
				group = Path(root, f"bgbox-{self.name}-{os.getpid()}")
				group.mkdir(exist_ok=True)
				self._cgroups.append(group)
		return []

	@staticmethod
	def _remove_stale(root):
		"""Cgroups of test runs that were killed."""
		for group in root.glob("bgbox-*"):
			if not Path("/proc", group.name.rsplit("-", 1)[1]).exists():
				_remove_tree(group)

	def _enter_cgroups(self):
		_dies_with_us()
		for group in self._cgroups:
			(group / "cgroup.procs").write_text(str(os.getpid()))

	def _remove_cgroups(self):
		for group in self._cgroups:
			_remove_tree(group)
		self._cgroups = []

	def _environment(self):
		"""systemd-nspawn's; a host with version 2 beside version 1 has the hierarchy to give."""
		if self.is_unified and Path("/sys/fs/cgroup/unified/cgroup.procs").exists():
			return {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
		return None

	# Life

	def boot(self, timeout=60):
		"""Boots and waits until the system is up; returns the seconds that it took."""
		if self._holder is None:
			self._hold()
		start = time.monotonic()
		prefix = self._own_cgroup()
		self._console = tempfile.TemporaryFile()
		self._nspawn = subprocess.Popen(
			prefix + ["nsenter", "-t", str(self._holder.pid), "-m",
				"systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit",
				"--private-network", "--link-journal=no", "--resolv-conf=off",
				"--timezone=off", f"--machine={self.name}", f"--hostname={self.name}",
				"--console=pipe", "-D", "/run/box/root", "-b"],
			stdin=subprocess.DEVNULL, stdout=self._console, stderr=self._console,
			env=self._environment(), preexec_fn=self._enter_cgroups)
		self.leader = wait_until("the container's first process", self._find_leader, timeout)
		self._tell_holder(str(self.leader))
		wait_until("the system to be up", self._is_up, timeout)
		self.boot_seconds = time.monotonic() - start
		return self.boot_seconds

	def _tell_holder(self, leader):
		if self._holder is not None:
			self._holder.stdin.write(leader.encode() + b"\n")
			self._holder.stdin.flush()

	def _find_leader(self):
		if self._nspawn.poll() is not None:
			self._console.seek(0)
			text = self._console.read().decode(errors="replace")
			raise BoxError(f"systemd-nspawn ended with {self._nspawn.returncode}:\n{text}")
		for pid in _children(self._nspawn.pid):
			with contextlib.suppress(OSError):
				status = Path(f"/proc/{pid}/status").read_text()
				spaces = next(li for li in status.splitlines() if li.startswith("NSpid:"))
				if spaces.split()[-1] == "1" and "systemd" in os.readlink(f"/proc/{pid}/exe"):
					return pid
		return None

	def _is_up(self):
		if self._nspawn.poll() is not None:
			self._find_leader()
		state = self.run("systemctl is-system-running", check=False).out.strip()
		return state in ("running", "degraded")

	def poweroff(self, timeout=30):
		"""An orderly shutdown; the folder with its changes stays for another boot()."""
		self._stop("systemctl poweroff", timeout)

	def reboot(self, timeout=60):
		"""An orderly shutdown and a boot with the same folder; /run and the boot id are new."""
		self.poweroff(timeout)
		return self.boot(timeout)

	def power_cut(self):
		"""Everything inside dies at once, as when the plug is pulled."""
		self._hang_up()
		if self._nspawn is not None:
			if self.leader:
				with contextlib.suppress(ProcessLookupError):
					os.kill(self.leader, signal.SIGKILL)
			try:
				self._nspawn.wait(10)
			except subprocess.TimeoutExpired:
				self._nspawn.kill()
				self._nspawn.wait()
		self._gone()

	def _stop(self, command, timeout):
		self._hang_up()
		self.run(command, check=False, timeout=timeout)
		try:
			self._nspawn.wait(timeout)
		except subprocess.TimeoutExpired as error:
			self.power_cut()
			raise BoxError("the container did not power off") from error
		self._gone()

	def _gone(self):
		self._nspawn = None
		self._tell_holder("")
		if self._console is not None:
			self._console.close()
			self._console = None
		self.leader = None
		self._remove_cgroups()

	def _hang_up(self):
		for terminal in self._terminals:
			with contextlib.suppress(OSError, pexpect.ExceptionPexpect):
				terminal.close()
		self._terminals = []

	def close(self):
		"""Ends everything that this Box started; its folder is gone with it."""
		self.power_cut()
		if self._holder is not None:
			self._holder.stdin.close()
			try:
				self._holder.wait(10)
			except subprocess.TimeoutExpired:
				self._holder.kill()
				self._holder.wait()
			self._holder.stdout.close()
			self._holder.stderr.close()
			self._holder = None

	def show_trouble(self):
		"""Prints the end of the journal to stderr, if there still is a container."""
		if self.leader is None or self._nspawn is None or self._nspawn.poll() is not None:
			return
		with contextlib.suppress(Exception):
			print("--- the container's last journal lines", file=sys.stderr)
			print(self.run("journalctl -q --no-pager -n 40 -o short-monotonic", check=False).out,
				file=sys.stderr)

	# Inside, past the doors

	def _nsenter(self):
		if self.leader is None:
			raise BoxError("not booted")
		return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w",
			"--"]

	@staticmethod
	def _argv(command):
		return ["/bin/bash", "-c", command] if isinstance(command, str) else list(command)

	@staticmethod
	def _environ(extra):
		words = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "TERM": "linux"}
		words.update(extra or {})
		return ["/usr/bin/env", "-i"] + [f"{k}={v}" for k, v in words.items()]

	def run(self, command, input=None, timeout=60, check=True, env=None):
		"""Runs a shell line (str) or an argv (list) as root; Result(rc, out, err), out and err are
		str, or bytes if input is bytes. A failure raises unless check is False."""
		binary = isinstance(input, bytes)
		data = input if binary or input is None else input.encode()
		process = subprocess.Popen(
			self._nsenter() + self._environ(env) + self._argv(command),
			stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL,
			stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_dies_with_us)
		try:
			out, err = process.communicate(data, timeout)
		except subprocess.TimeoutExpired as error:
			_kill_tree(process.pid)
			process.communicate()
			raise BoxError(f"no end after {timeout} s: {command}") from error
		if not binary:
			out, err = out.decode(errors="replace"), err.decode(errors="replace")
		if self.verbose:
			print(f"+ {command}\n{out}{err}", file=sys.stderr)
		if check and process.returncode != 0:
			raise BoxError(f"status {process.returncode}: {command}\n{out}{err}")
		return Result(process.returncode, out, err)

	def spawn(self, command, timeout=20, env=None):
		"""A pexpect child (80x24) of a command run as root inside, on a terminal of the host."""
		argv = self._nsenter() + self._environ(env) + self._argv(command)
		child = pexpect.spawn(argv[0], argv[1:], timeout=timeout, dimensions=(24, 80),
			encoding="utf-8", codec_errors="replace", preexec_fn=_dies_with_us)
		child.delaybeforesend = None
		self._terminals.append(child)
		return child

	def write(self, path, text, mode=0o644, owner="root:root"):
		"""Writes a file inside."""
		data = text if isinstance(text, bytes) else text.encode()
		quoted = shlex.quote(path)
		self.run(f"install -D -m {mode:o} -o {owner.split(':')[0]} -g {owner.split(':')[1]} "
			f"/dev/stdin {quoted}", input=data)

	def read(self, path):
		"""A file's text."""
		return self.run(["cat", path]).out

	def push(self, source, target):
		"""Copies a file or folder of the host to the path `target` inside, owned by root."""
		def to_root(info):
			info.uid = info.gid = 0
			info.uname = info.gname = "root"
			return info

		archive = io.BytesIO()
		with tarfile.open(fileobj=archive, mode="w") as tar:
			tar.add(str(source), arcname=os.path.basename(target), filter=to_root)
		folder = shlex.quote(os.path.dirname(target) or "/")
		self.run(f"mkdir -p {folder} && tar -x -p -C {folder} -f -", input=archive.getvalue())

	def pull(self, source, target):
		"""Copies a file from inside to a path of the host."""
		data = self.run(["cat", source], input=b"").out
		Path(target).write_bytes(data)

	def install_packages(self, *debs, check=True):
		"""apt-get install of package files of the host, without a network; returns apt's Result."""
		names = []
		for deb in debs:
			name = "/var/tmp/" + Path(deb).name
			self.push(deb, name)
			names.append(name)
		done = self.run(["apt-get", "-y", "-q", "--no-install-recommends", "install"] + names,
			env={"DEBIAN_FRONTEND": "noninteractive"}, timeout=180, check=check)
		if not self.checks_itself:
			# what it finds some minutes after the boot is no record that another test awaits
			self.run("systemctl disable -q --now breakglass-check.timer", check=False)
		return done

	# People and their doors

	def add_user(self, name, password=None, groups=(), shell="/bin/bash"):
		"""An ordinary user with home, an ssh key of root's to come in with, perhaps a password."""
		extra = f"-G {','.join(groups)}" if groups else ""
		self.run(f"useradd -m -s {shell} {extra} {name}")
		if password is not None:
			self.run("chpasswd", input=f"{name}:{password}\n")
		self.run(f"ssh-keygen -q -t ed25519 -N '' -C {name} -f /root/.ssh/{name} && "
			f"install -d -m 700 -o {name} -g {name} ~{name}/.ssh && "
			f"install -m 600 -o {name} -g {name} /root/.ssh/{name}.pub "
			f"~{name}/.ssh/authorized_keys")

	@staticmethod
	def key(name):
		"""The path inside of the private ssh key of a user made by add_user()."""
		return f"/root/.ssh/{name}"

	def ssh(self, user, command=None, key=None, options=(), host="127.0.0.1", port=22, timeout=20,
			tty=True, env=None):
		"""The container's own ssh client to its own sshd; a pexpect child. `options` are "Name=value"
		strings. No key: keyboard-interactive and password only."""
		self._wait_reloaded()
		argv = ["ssh", "-F", "none", "-e", "none", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes",
			"-p", str(port)]
		argv += ["-i", key] if key else ["-o", "PubkeyAuthentication=no"]
		for option in options:
			argv += ["-o", option]
		argv += ["-tt"] if tty else ["-T"]
		argv += [f"{user}@{host}"] + ([command] if command else [])
		return self.spawn(argv, timeout=timeout, env=env)

	def _wait_reloaded(self):
		"""`systemctl reload ssh` returns at once, but sshd goes on with the old configuration for a
		moment and then refuses connections for another: waits until it listens anew."""
		def settled():
			log = self.run("timeout 5 journalctl --sync; "
				"journalctl -q --no-pager -b -u ssh.service -o cat -n 100", check=False).out
			_, found, later = log.rpartition("Reloading ssh.service")
			return not found or "Server listening on" in later

		with contextlib.suppress(BoxError):
			wait_until("sshd to listen again", settled, timeout=5)

	def terminal(self, timeout=20):
		"""A terminal of the container with nothing on it; its path inside is .device."""
		fd = os.open(f"/proc/{self.leader}/root/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
		fcntl.ioctl(fd, TIOCSPTLCK, struct.pack("i", 0))
		number = struct.unpack("i", fcntl.ioctl(fd, TIOCGPTN, struct.pack("i", 0)))[0]
		fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
		terminal = Terminal(fd, f"/dev/pts/{number}", timeout)
		self._terminals.append(terminal)
		return terminal

	def login_tty(self, timeout=20):
		"""A terminal of the container with agetty and login(1) on it, run by Debian's own
		container-getty@.service; the prompt is awaited with .expect("login: ")."""
		terminal = self.terminal(timeout)
		terminal.unit = f"container-getty@{terminal.device.rsplit('/', 1)[1]}.service"
		self.run(["systemctl", "start", terminal.unit])
		return terminal

	# What was recorded

	def journal(self, *args, **match):
		"""Journal entries as dicts, oldest first: journal(SYSLOG_IDENTIFIER="sudo", _UID=0); further
		words are journalctl's (journal("-b", "-1"))."""
		self.run("journalctl --sync", check=False)
		words = [f"{k}={v}" for k, v in match.items()]
		out = self.run(["journalctl", "-q", "--no-pager", "--all", "-o", "json"] + list(args) + words).out
		return [json.loads(line) for line in out.splitlines() if line]

	def syslog(self, *files):
		"""Lines that rsyslog wrote: of /var/log/auth.log and /var/log/syslog, or of the named ones."""
		paths = files or ("/var/log/auth.log", "/var/log/syslog")
		return self.run("cat -- " + " ".join(map(shlex.quote, paths)) + " 2>/dev/null",
			check=False).out.splitlines()

	def wait_syslog(self, text, timeout=10):
		"""Waits until a line with `text` is in syslog; returns all such lines."""
		return wait_until(f"{text!r} in syslog",
			lambda: [line for line in self.syslog() if text in line], timeout)

	def session_of(self, pid):
		"""(audit session id, cgroup) of a process inside, by its id inside."""
		return (int(self.read(f"/proc/{pid}/sessionid")), self.read(f"/proc/{pid}/cgroup").strip())

	# Authenticators

	def softkey_start(self, name="a", binary=None, **options):
		"""Starts a software FIDO2 key inside; returns its device path. Options become the program's
		(pin="1234" is --pin 1234, no_rk=True is --no-rk, state="/var/lib/a" outlives a reboot)."""
		program = Path(binary or os.environ.get("BG_SOFTKEY") or BUILD / "tests/softkey/softkey")
		if self.run(["test", "-x", SOFTKEY], check=False).rc != 0:
			self.push(program, SOFTKEY)
		self.run("mkdir -p /run/softkey")
		argv = [SOFTKEY, "--socket", f"/run/softkey/{name}.ctl", "--link", f"/run/softkey/{name}"]
		for option, value in options.items():
			argv.append("--" + option.replace("_", "-"))
			if value is not True:
				argv.append(str(value))
		self.run(["systemd-run", "--quiet", "--collect", f"--unit=softkey-{name}",
			"-p", "Type=exec"] + argv)
		wait_until(f"softkey {name}", lambda: self.run(
			f"test -S /run/softkey/{name}.ctl && test -c /run/softkey/{name}", check=False).rc == 0)
		return f"/run/softkey/{name}"

	def softkey_ctl(self, name, *command, check=True):
		"""Tells a key something ("touch", "deny", "auto", "on", "unplug", …: tests/softkey/README.md);
		returns what it answers."""
		return self.run([SOFTKEY, "ctl", f"/run/softkey/{name}.ctl"] + [str(w) for w in command],
			check=check).out

	def softkey_stop(self, name="a"):
		"""Unplugs a key for good."""
		self.run(["systemctl", "stop", f"softkey-{name}.service"])


class BoxCase(unittest.TestCase):
	"""A TestCase with one booted box for all its tests: self.box, a `box_type` named `box_name`;
	prepare() runs once after the boot. What failed shows the container's journal."""

	box_type = Box
	box_name = "box"
	box = None

	@classmethod
	def setUpClass(cls):
		cls.box = cls.box_type(cls.box_name)
		cls.addClassCleanup(cls.box.close)
		print(f"box: booted in {cls.box.boot():.2f} s", file=sys.stderr)
		cls.prepare()

	@classmethod
	def prepare(cls):
		"""For subclasses: users, packages, keys."""

	def run(self, result=None):
		before = len(result.failures) + len(result.errors) if result else 0
		outcome = super().run(result)
		if result and len(result.failures) + len(result.errors) > before and self.box:
			self.box.show_trouble()
		return outcome


def unpacked(*names):
	"""The folder with Debian's packages of those names, downloaded and unpacked once: for what no
	container is installed with, because it starts or replaces what others test."""
	folder = CACHE / f"unpacked-{'-'.join(names)}"
	with _cache_locked(), tempfile.TemporaryDirectory(dir=CACHE) as work:
		if not folder.exists():
			subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *names],
				cwd=work, check=True, capture_output=True)
			for deb in Path(work).glob("*.deb"):
				subprocess.run(["dpkg-deb", "-x", deb, Path(work, "all")], check=True)
			Path(work, "all").rename(folder)
	return folder


def clean_cache():
	"""Removes bases of other versions of this file."""
	for old in CACHE.glob("base-*"):
		if old.name != f"base-{_base_id()}":
			shutil.rmtree(old)
