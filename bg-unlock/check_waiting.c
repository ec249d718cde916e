/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at what is on its way and stands still: records that breakglass-carry does
 * not take from /run, alerts that breakglass-alert does not hand over. Neither
 * program has to fail for that: it may be masked, or its folder be gone.
 */
#include "check.h"

#include <breakglass/event.h>
#include <breakglass/os_clock.h>
#include <breakglass/os_spool.h>
#include <breakglass/paths.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LATE_SECS 300
#define LOOK_MAX  100000 /* names of the spool: another user may write there */

/* Seconds since the first record of a file in /run was made, by the clock of this boot; 0: there is
   none. */
static uint64_t age_of(const char *path)
{
	static char line[BG_EVENT_MAX_LEN];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, line, sizeof(line), 0);
	const char *lf = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;
	uint64_t now = bg_clock_boot_ms() / 1000, made;
	char text[24];

	if (fd >= 0)
		(void)close(fd);
	if (!lf || !bg_event_line_field(line, (size_t)(lf - line), "boottime", text, sizeof(text)))
		return 0;
	made = strtoull(text, NULL, 10);
	return now > made ? now - made : 0;
}

void bg_check_carried(struct bg_check *check)
{
	uint64_t one, other, secs;

	if (!check->tree.is_host)
		return; /* no record there is of this boot */
	one = age_of(BG_PATH_RUN_LOG "/carrying");
	other = age_of(BG_PATH_RUN_LOG "/pending");
	secs = one > other ? one : other;
	if (secs > LATE_SECS)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"systemctl enable --now breakglass-carry.path breakglass-carry.timer; "
			"journalctl -u breakglass-carry says more; df " BG_PATH_VAR,
			"records wait in /run for %" PRIu64
			" minutes: nothing takes them to disk, and no alert goes out",
			secs / 60);
}

struct oldest {
	uint64_t above, id; /* id 0: none */
	int64_t secs;
};

static void look_into(const char *path, struct oldest *oldest)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	struct stat st;
	uint64_t id;

	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	for (int i = 0; d != NULL && i < LOOK_MAX && (entry = readdir(d)) != NULL; i++) {
		if (!bg_spool_id(entry->d_name, &id) || id <= oldest->above ||
			(oldest->id != 0 && id >= oldest->id) ||
			fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		oldest->id = id;
		oldest->secs = (int64_t)time(NULL) - st.st_mtime;
	}
	if (d != NULL)
		(void)closedir(d);
}

bool bg_check_handed(struct bg_check *check, const char *handler, uint64_t done)
{
	struct oldest oldest = { .above = done };

	look_into(bg_tree_path(&check->tree, BG_PATH_SPOOL "/new"), &oldest);
	look_into(bg_tree_path(&check->tree, BG_PATH_SPOOL "/deferred"), &oldest);
	if (oldest.id == 0 || oldest.secs <= LATE_SECS)
		return true;
	bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
		"systemctl enable --now breakglass-alert.path breakglass-alert.timer; "
		"journalctl -u breakglass-alert says more",
		"handler %s has not been given alert %" PRIu64 " for %" PRId64 " minutes", handler,
		oldest.id, oldest.secs / 60);
	return false;
}
