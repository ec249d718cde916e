/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks at the disk: is there room for what is recorded, and can nobody else write it? */
#include "check.h"

#include <breakglass/paths.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB	    (1024ULL * 1024)
#define INODES_MIN  64
#define OPEN_MAX_FD 16
#define NAMED_MAX   5 /* wrong files that are named, the others are counted */

bool bg_check_room(struct bg_check *check, const char *path, unsigned int mib, enum bg_level level,
	const char *effect)
{
	struct statvfs fs;
	unsigned long long free_bytes;

	if (statvfs(bg_tree_path(&check->tree, path), &fs) != 0) {
		if (errno == ENOENT && !check->tree.is_host)
			return true;
		bg_judge_say(&check->judge, level, "systemd-tmpfiles --create breakglass.conf",
			"%s is not there: %s", path, effect);
		return false;
	}
	if (check->tree.is_host && (fs.f_flag & ST_RDONLY) != 0) {
		bg_judge_say(&check->judge, level,
			"mount -o remount,rw; journalctl -k says why it is",
			"%s is on a file system that is read-only: %s", path, effect);
		return false;
	}
	free_bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
	/* a file system that makes inodes as it goes says 0 of 0 */
	if (free_bytes >= mib * MIB && (fs.f_files == 0 || fs.f_favail >= INODES_MIN))
		return true;
	bg_judge_say(&check->judge, level, "make room: df -h and df -i say where",
		"%s has %llu KiB and %llu inodes left: %s", path, free_bytes / 1024,
		(unsigned long long)fs.f_favail, effect);
	return false;
}

void bg_check_disk(struct bg_check *check)
{
	bool is_good = bg_check_room(
		check, BG_PATH_RUN, 1, BG_LEVEL_CRITICAL, "what cannot be recorded is not granted");

	is_good &= bg_check_room(check, BG_PATH_VAR, 16, BG_LEVEL_WARNING,
		"the log stays in /run until the next boot, and alerts wait");
	if (is_good)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "there is room for records");
}

static const struct {
	const char *path;
	mode_t wrong; /* bits that nothing below it may have */
	bool is_root_only;
} places[] = {
	{ BG_PATH_ETC, 0022, true },
	{ BG_PATH_ACCOUNTS, 0022, true },
	{ BG_PATH_VAR, 0022, true },
	{ BG_PATH_VAR_LOG, 0077, true },
	{ BG_PATH_SPOOL, 0007, false }, /* its alerts are delivered by a user of their own */
	{ BG_PATH_SPOOL "/told", 0002,
		false }, /* read by breakglass-carry, which has no privileges */
	{ BG_PATH_RUN, 0077, true },
	{ BG_PATH_LIBEXEC, 0022, true },
};

/* Judged with what it means by another row. */
static const char *const judged[] = { BG_PATH_CONF, BG_PATH_FIDO2 };

static struct {
	struct bg_check *check;
	unsigned int wrong;
} walk; /* nftw takes no argument */

static bool is_judged(const char *path)
{
	static const char *const names[] = { "host", "contacts", "authorized_keys" };
	const char *name = strrchr(path, '/') + 1;

	for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++)
		if (strcmp(path, judged[i]) == 0)
			return true;
	if (strncmp(path, BG_PATH_ACCOUNTS "/", strlen(BG_PATH_ACCOUNTS "/")) != 0)
		return strcmp(path, BG_PATH_ACCOUNTS) == 0;
	if (!strchr(path + strlen(BG_PATH_ACCOUNTS "/"), '/') || strncmp(name, "seal.", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* path: the host's. */
static void judge_file(const char *path, const struct stat *st)
{
	size_t at = 0, best = 0;
	bool is_wrong;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t len = strlen(places[i].path);

		if (len > best && strncmp(path, places[i].path, len) == 0 &&
			(path[len] == '/' || path[len] == '\0')) {
			at = i;
			best = len;
		}
	}
	is_wrong = (places[at].is_root_only && st->st_uid != geteuid()) ||
		   (!S_ISLNK(st->st_mode) && (st->st_mode & places[at].wrong));
	if (!is_wrong || is_judged(path) || walk.wrong++ >= NAMED_MAX)
		return;
	bg_judge_say(&walk.check->judge, BG_LEVEL_CRITICAL,
		"who changed it? chown root:root, and chmod it as the package has it",
		"%s has owner %u and mode %04o: others may read or change it", path,
		(unsigned int)st->st_uid, (unsigned int)(st->st_mode & 07777));
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	char full[512];

	(void)at;
	(void)snprintf(full, sizeof(full), "%s%s", walk.check->tree.is_host ? "" : "/", path);
	if (type != FTW_NS)
		judge_file(full, st);
	return 0;
}

void bg_check_permissions(struct bg_check *check)
{
	static const char *const tops[] = { BG_PATH_ETC, BG_PATH_VAR, BG_PATH_RUN,
		BG_PATH_LIBEXEC };
	char module[BG_TREE_PATH_LEN];
	struct stat st;

	walk.check = check;
	walk.wrong = 0;
	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		(void)nftw(bg_tree_path(&check->tree, tops[i]), visit, OPEN_MAX_FD, FTW_PHYS);
	if (bg_module_find(&check->tree, module, sizeof(module)) && stat(module, &st) == 0 &&
		(st.st_uid != geteuid() || (st.st_mode & 0022))) {
		walk.wrong++;
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"apt-get install --reinstall libpam-breakglass; who changed it?",
			"%s has owner %u and mode %04o: others may change it", module,
			(unsigned int)st.st_uid, (unsigned int)(st.st_mode & 07777));
	}
	if (walk.wrong > NAMED_MAX)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL, "as above",
			"%u files more are not root's alone", walk.wrong - NAMED_MAX);
	else if (walk.wrong == 0)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"configuration, log, programs and module are root's alone");
}
