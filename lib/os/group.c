/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_group.h>

#include "io.h"

#include <breakglass/os_clock.h>
#include <breakglass/paths.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define STILL_MS 250 /* a process that waits for a disk stands still when that answers */
#define PAUSE_MS 2
#define PATH_LEN 128

enum group { OWN, SLICE, GROUP_COUNT };

static void pause_ms(void)
{
	const struct timespec t = { .tv_nsec = PAUSE_MS * 1000000L };

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_written;

	if (fd < 0)
		return false;
	is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd);
	return is_written;
}

/* Where version 2 is: everywhere, or beside version 1 (systemd's "hybrid"). */
static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

/* NULL: nowhere. */
static const char *root(void)
{
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		struct statfs fs;

		if (statfs(roots[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return roots[i];
	}
	return NULL;
}

bool bg_group_stand_apart(void)
{
	static const char *const all[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/systemd",
		"/sys/fs/cgroup/unified" };
	const char *v2 = root();
	bool is_apart = false;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char path[PATH_LEN];
		bool has_entered;

		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", all[i]);
		if (access(path, F_OK) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/breakglass-watchdog", all[i]);
		(void)mkdir(path, 0755);
		(void)snprintf(path, sizeof(path), "%s/breakglass-watchdog/cgroup.procs", all[i]);
		has_entered = put_text(path, "0");
		is_apart |= has_entered && v2 != NULL && strcmp(v2, all[i]) == 0;
	}
	return is_apart;
}

/* Is it a line of mountinfo (proc(5)) of such a hierarchy that may be written? */
static bool is_writable(const char *line)
{
	char where[PATH_LEN], options[16];

	if (strstr(line, " - cgroup2 ") == NULL ||
		sscanf(line, "%*s %*s %*s %*s %127s %15s", where, options) != 2)
		return false;
	return (strcmp(where, roots[0]) == 0 || strcmp(where, roots[1]) == 0) &&
	       strncmp(options, "rw", 2) == 0;
}

bool bg_group_is_usable(void)
{
	FILE *mounts = fopen("/proc/1/mountinfo", "re");
	bool is_usable = false;
	char *line = NULL;
	size_t size = 0;

	while (mounts != NULL && !is_usable && getline(&line, &size, mounts) >= 0)
		is_usable = is_writable(line);
	free(line);
	if (mounts != NULL)
		(void)fclose(mounts);
	return is_usable;
}

/* A file of a group (""; the group itself). False: no version 2. */
static bool path_of(enum group group, uint32_t audit_session, uint32_t uid, const char *file,
	char ret[static PATH_LEN])
{
	const char *v2 = root();

	if (v2 == NULL)
		return false;
	if (group == OWN)
		(void)snprintf(
			ret, PATH_LEN, "%s/breakglass-session-%u/%s", v2, audit_session, file);
	else
		(void)snprintf(ret, PATH_LEN, "%s/user.slice/user-%u.slice/%s", v2, uid, file);
	return true;
}

static void set_frozen(enum group group, uint32_t audit_session, uint32_t uid, const char *value)
{
	char path[PATH_LEN];

	if (path_of(group, audit_session, uid, "cgroup.freeze", path))
		(void)put_text(path, value);
}

void bg_group_enter(uint32_t audit_session, uint32_t uid, pid_t pid)
{
	char path[PATH_LEN], text[16];

	set_frozen(SLICE, audit_session, uid, "0");
	if (!path_of(OWN, audit_session, uid, "", path))
		return;
	(void)mkdir(path, 0755);
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	if (path_of(OWN, audit_session, uid, "cgroup.procs", path))
		(void)put_text(path, text);
}

void bg_group_remove(uint32_t audit_session)
{
	char path[PATH_LEN];

	if (path_of(OWN, audit_session, 0, "", path))
		(void)rmdir(path);
}

/* Also of one that is not there: nothing moves in it. */
static bool is_still(enum group group, uint32_t audit_session, uint32_t uid)
{
	char path[PATH_LEN], text[128];

	return !path_of(group, audit_session, uid, "cgroup.events", path) ||
	       bg_io_read_small(path, true, text, sizeof(text)) <= 0 ||
	       strstr(text, "frozen 1") != NULL;
}

/* Two that freeze at once would thaw each other's. Not waited for longer than what is frozen. */
static int lock(uint64_t until_ms)
{
	int fd = open(BG_PATH_RUN, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (bg_clock_boot_ms() >= until_ms) {
			(void)close(fd);
			return -1;
		}
		pause_ms();
	}
	return fd;
}

struct bg_frozen bg_group_freeze(uint32_t audit_session, uint32_t uid)
{
	struct bg_frozen ret = { .audit_session = audit_session, .uid = uid };
	uint64_t until_ms = bg_clock_boot_ms() + STILL_MS;

	ret.lock = lock(until_ms);
	for (int i = 0; i < GROUP_COUNT; i++)
		set_frozen((enum group)i, audit_session, uid, "1");
	until_ms = bg_clock_boot_ms() + STILL_MS;
	for (int i = 0; i < GROUP_COUNT; i++) {
		while (!is_still((enum group)i, audit_session, uid) &&
			bg_clock_boot_ms() < until_ms)
			pause_ms();
	}
	return ret;
}

void bg_group_thaw(struct bg_frozen *frozen)
{
	for (int i = 0; i < GROUP_COUNT; i++)
		set_frozen((enum group)i, frozen->audit_session, frozen->uid, "0");
	if (frozen->lock >= 0)
		(void)close(frozen->lock);
	frozen->lock = -1;
}
