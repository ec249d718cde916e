/* SPDX-License-Identifier: BSD-2-Clause */
/* The host as it is when nothing answers: for one process, and whom it starts. */
#include "drill.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* Where daemons listen that answer for names and groups; what is not there needs no hiding. The
   configuration stays as it is: what it makes of silence is what is tried. */
static const char *const hidden[] = { "/run/nscd", "/run/nslcd", "/var/lib/sss/pipes", "/run/sssd",
	"/run/systemd/resolve", "/run/systemd/userdb", "/run/systemd/machine",
	"/run/samba/winbindd", "/run/samba", "/var/lib/samba/winbindd_privileged",
	"/run/himmelblaud", "/run/avahi-daemon", "/run/dbus", "/run/slapd", "/run/krb5" };

static enum bg_err fail(struct bg_diag *diag, const char *where, const char *what)
{
	if (diag)
		diag->sys_errno = errno;
	return bg_diag_set(diag, BG_ERR_IO, where, "%s", what);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum bg_err bg_drill_go_offline(struct bg_diag *diag)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
		return fail(diag, "--offline", "no namespaces of its own");
	/* Nothing of this may reach the host's own mounts. */
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return fail(diag, "/", "cannot be made private");
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (!is_folder(hidden[i]))
			continue;
		if (mount("none", hidden[i], "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			    "size=4k,mode=755") != 0)
			return fail(diag, hidden[i], "cannot be hidden");
	}
	return BG_OK;
}
