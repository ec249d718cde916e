# SPDX-License-Identifier: BSD-2-Clause
"""A folder that holds as much of a Debian 12 system as install, uninstall and check look at."""

import hashlib
import os
import shutil
import stat
import tempfile

from cmdlib import PIN, Place, run

ACCOUNT = "etc/breakglass/accounts/breakglass/"
DROP_IN = "etc/ssh/sshd_config.d/60-breakglass-breakglass.conf"
GLOBAL = "etc/ssh/sshd_config.d/60-breakglass.conf"
PROFILE = "etc/profile.d/breakglass-breakglass.sh"
RULES = "etc/audit/rules.d/60-breakglass-breakglass.rules"
SUDOERS = "etc/sudoers.d/60-breakglass-breakglass"

LOGIN_DEFS = """# login.defs
MAIL_DIR\t/var/mail
UID_MIN\t\t1000
UID_MAX\t\t60000
GID_MIN\t\t1000
GID_MAX\t\t60000
#LOGIN_TIMEOUT 5
LOGIN_TIMEOUT\t\t60
USERGROUPS_ENAB yes
"""

CONTROL = "[success={} ignore=ignore module_unknown=ignore default=die]\tpam_breakglass.so\n"

# as pam-auth-update makes them from the profile
PAM_AUTH = f"auth\t{CONTROL.format(2)}" + """auth\t[success=1 default=ignore]\tpam_unix.so nullok
auth\trequisite\tpam_deny.so
auth\trequired\tpam_permit.so
"""
PAM_ACCOUNT = f"account\t{CONTROL.format(2)}" + """account\t[success=1 default=ignore]\tpam_unix.so
account\trequisite\tpam_deny.so
account\trequired\tpam_permit.so
"""
PAM_SESSION = f"""session\t[default=1]\tpam_permit.so
session\trequisite\tpam_deny.so
session\trequired\tpam_permit.so
session\t{CONTROL.format("ok")}session\trequired\tpam_unix.so
session\toptional\tpam_systemd.so
"""
SSHD = """@include common-auth
account    required     pam_nologin.so
@include common-account
session [success=ok ignore=ignore module_unknown=ignore default=bad] pam_selinux.so close
session    required     pam_loginuid.so
@include common-session
@include common-password
"""
LOGIN = """auth       optional   pam_faildelay.so  delay=3000000
auth       requisite  pam_nologin.so
session    required     pam_loginuid.so
@include common-auth
@include common-account
@include common-session
"""
RUNUSER = """#%PAM-1.0
auth\t\tsufficient\tpam_rootok.so
session\t\trequired\tpam_unix.so
"""

FILES = {
    "etc/login.defs": (LOGIN_DEFS, 0o644),
    "etc/passwd": ("root:x:0:0:root:/root:/bin/bash\n"
                   "alice:x:1000:1000:,,,:/home/alice:/bin/bash\n"
                   "_breakglass:x:998:998::/:/usr/sbin/nologin\n", 0o644),
    "etc/group": ("root:x:0:\nalice:x:1000:\n", 0o644),
    "etc/shadow": ("root:*:19000:0:99999:7:::\nalice:!:19000:0:99999:7:::\n", 0o640),
    "etc/gshadow": ("root:*::\nalice:!::\n", 0o640),
    "etc/ssh/sshd_config": ("Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n", 0o644),
    "etc/sudoers": ("root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440),
    "etc/pam.d/common-auth": (PAM_AUTH, 0o644),
    "etc/pam.d/common-account": (PAM_ACCOUNT, 0o644),
    "etc/pam.d/common-session": (PAM_SESSION, 0o644),
    "etc/pam.d/common-session-noninteractive": (
        PAM_SESSION.replace("session\toptional\tpam_systemd.so\n", ""), 0o644),
    "etc/pam.d/sshd": (SSHD, 0o644),
    "etc/pam.d/login": (LOGIN, 0o644),
    "etc/pam.d/runuser": (RUNUSER, 0o644),
    "etc/nsswitch.conf": ("passwd:         files systemd\ngroup:          files systemd\n", 0o644),
    "usr/libexec/breakglass/bg-fido2": ("#!/bin/true\n", 0o755),
    "usr/libexec/breakglass/breakglass-watchdog": ("#!/bin/true\n", 0o755),
    "usr/lib/x86_64-linux-gnu/security/pam_breakglass.so": ("", 0o644),
}


class Tree:
    """root is its path. snapshot() is what uninstall has to give back."""

    def __init__(self, where):
        self.root = tempfile.mkdtemp(dir=where)
        os.chmod(self.root, 0o755)
        for folder in ("etc/ssh/sshd_config.d", "etc/sudoers.d", "etc/breakglass/accounts"):
            os.makedirs(self.path(folder))
        for name, (text, mode) in FILES.items():
            self.write(name, text, mode)

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def edit(self, name, old, new):
        text = self.read(name)
        assert old in text, (name, old)
        self.write(name, text.replace(old, new, 1), stat.S_IMODE(os.stat(self.path(name)).st_mode))

    def mode(self, name):
        return stat.S_IMODE(os.stat(self.path(name)).st_mode)

    def snapshot(self):
        """Every path with its mode and content; shadow's own backups aside."""
        seen = {}
        for folder, _, names in os.walk(self.root):
            seen[os.path.relpath(folder, self.root)] = stat.S_IMODE(os.stat(folder).st_mode)
            for name in names:
                path = os.path.join(folder, name)
                if name in ("passwd-", "group-", "shadow-", "gshadow-"):
                    continue
                with open(path, "rb") as f:
                    seen[os.path.relpath(path, self.root)] = (
                        stat.S_IMODE(os.stat(path).st_mode), f.read())
        return seen

    def remove(self):
        shutil.rmtree(self.root)


def fingerprint(seal):
    with open(seal, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


class Host(Place):
    """A ceremony and a tree; install() puts the ceremony's seal in force there."""

    def __enter__(self):
        super().__enter__()
        self.shares = self.ceremony()
        self.tree = Tree(self.folder)
        return self

    def call(self, verb, *args, check=None, **kwargs):
        return run(verb, *args, "--root", self.tree.root, check=check, **kwargs)

    def install(self, *more, seal=None, check=0):
        seal = seal or self.seal
        return self.call("install", seal, "--label", "db1", "--fingerprint", fingerprint(seal),
                         *more, check=check)

    def reseal(self, seal, shares, name):
        """The successor of seal; returns its path and its shares."""
        words = "".join(shares[n] + "\n" for n in ("ops", "dba"))
        before = set(os.listdir(self.folder))
        run("reseal", seal, "--stdin", "--pin-stdin", "--device", self.key.path, "--shares-to",
            self.private(name), stdin=words + PIN + "\n", check=0, cwd=self.folder)
        new, = [n for n in set(os.listdir(self.folder)) - before if ".seal" in n]
        return self.path(new), self.read_shares(name)
