/* SPDX-License-Identifier: BSD-2-Clause */
#include "watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TERMINALS_MAX 64
#define PTS_MAJOR     136 /* to 143, 256 of them each */

static const struct {
	uint64_t before_ms;
	const char *left;
} warnings[] = { { 600 * 1000, "10 minutes" }, { 60 * 1000, "1 minute" } };
#define LATE_MS	      5000
#define WARNING_COUNT (sizeof(warnings) / sizeof(warnings[0]))

struct telling {
	const char *text;
	uint32_t told[TERMINALS_MAX]; /* each once */
	size_t count;
};

/* proc(5): the major number is in bits 8 to 19, the minor one in 0 to 7 and 20 to 31. */
static dev_t device_of(uint32_t tty)
{
	return makedev(tty >> 8 & 0xfff, (tty & 0xff) | (tty >> 12 & 0xfff00));
}

/* Below /dev; the name of one that is no pseudo-terminal is sysfs'. */
static bool path_of(dev_t dev, char *ret, size_t size)
{
	char uevent[64], text[256] = "";
	const char *name;
	ssize_t n;
	int fd;

	if (major(dev) >= PTS_MAJOR && major(dev) < PTS_MAJOR + 8) {
		(void)snprintf(
			ret, size, "/dev/pts/%u", minor(dev) + (major(dev) - PTS_MAJOR) * 256);
		return true;
	}
	(void)snprintf(
		uevent, sizeof(uevent), "/sys/dev/char/%u:%u/uevent", major(dev), minor(dev));
	fd = open(uevent, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	name = n > 0 ? strstr(text, "DEVNAME=") : NULL;
	if (name == NULL)
		return false;
	name += strlen("DEVNAME=");
	(void)snprintf(ret, size, "/dev/%.*s", (int)strcspn(name, "\n"), name);
	return true;
}

static void tell(void *arg, uint32_t tty)
{
	struct telling *telling = arg;
	dev_t dev = device_of(tty);
	char path[300];
	struct stat st;
	int fd;

	for (size_t i = 0; i < telling->count; i++) {
		if (telling->told[i] == tty)
			return;
	}
	if (telling->count == TERMINALS_MAX || !path_of(dev, path, sizeof(path)))
		return;
	telling->told[telling->count++] = tty;
	/* A stopped or dead terminal is left out: nothing here waits for one. */
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == dev)
		(void)!write(fd, telling->text, strlen(telling->text));
	(void)close(fd);
}

static void warn(const struct watch *watch, const char *left, uint64_t secs)
{
	struct telling telling = { 0 };
	char until[16], text[256];

	bg_clock_local_hm((uint32_t)secs, until, sizeof(until));
	(void)snprintf(text, sizeof(text),
		"\a\r\n%s: this emergency session ends in %s (%s), and all that it\r\n"
		"started ends with it: setsid, nohup and tmux do not outlive it.\r\n",
		watch->session.account, left, until);
	telling.text = text;
	bg_herd_terminals(&watch->herd, tell, &telling);
}

/* On time in the words of the table; else, after a suspend, what is true. */
static const char *words_of(size_t i, uint64_t left_ms, char ret[static 24])
{
	if (left_ms + LATE_MS > warnings[i].before_ms)
		return warnings[i].left;
	bg_duration_text(left_ms / 1000, ret);
	return ret;
}

uint64_t watch_warn(struct watch *watch, uint64_t now_ms)
{
	uint64_t left = watch->deadline_ms > now_ms ? watch->deadline_ms - now_ms : 0;
	uint64_t length = watch->deadline_ms - watch->session.opened_ms;
	size_t due = WARNING_COUNT;
	char late[24];

	for (size_t i = 0; i < WARNING_COUNT; i++) {
		if (left > warnings[i].before_ms)
			return watch->deadline_ms - warnings[i].before_ms;
		/* One that would come at the very beginning is none: it was said there. */
		if ((watch->warned & 1u << i) == 0 && length > warnings[i].before_ms)
			due = i;
		watch->warned |= 1u << i;
		/* Of two that are due at once, after a suspend, the later one is true. */
		if (due == i && (i + 1 == WARNING_COUNT || left > warnings[i + 1].before_ms) &&
			left > 0)
			warn(watch, words_of(i, left, late), left / 1000);
	}
	return watch->deadline_ms;
}
