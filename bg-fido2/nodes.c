/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper.h"

#include <breakglass/hid.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/hidraw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NODE_FLAGS (O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

/*
 * udev gives a key a lasting name by a link, so a `device` may be one: a single
 * one, and only of root's or our own making. The answer replaces path.
 */
static bool follow_link(char *path, size_t size)
{
	char target[256], folder[256];
	struct stat st;
	ssize_t n;
	int len;

	if (lstat(path, &st) != 0)
		return false;
	if (!S_ISLNK(st.st_mode))
		return true;
	n = readlink(path, target, sizeof(target) - 1);
	if ((st.st_uid != 0 && st.st_uid != getuid()) || n <= 0 || (size_t)n >= sizeof(target) - 1)
		return false;
	target[n] = '\0';
	if (target[0] == '/')
		len = snprintf(path, size, "%s", target);
	else {
		(void)snprintf(folder, sizeof(folder), "%s", path);
		len = snprintf(path, size, "%s/%s", dirname(folder), target);
	}
	return len > 0 && (size_t)len < size;
}

static void node_open(const char *path, bool is_given, struct nodes *nodes)
{
	struct node *node = &nodes->list[nodes->count];
	char real[256];
	struct stat st;
	int fd;

	(void)snprintf(real, sizeof(real), "%s", path);
	if (nodes->count == NODES_MAX || (is_given && !follow_link(real, sizeof(real))))
		return;
	/* looked at before it is opened: opening a FIFO or a tape has effects */
	if (lstat(real, &st) != 0 || !S_ISCHR(st.st_mode))
		return;
	fd = open(real, NODE_FLAGS);
	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0 || !S_ISCHR(st.st_mode)) {
		(void)close(fd);
		return;
	}
	node->fd = fd;
	node->is_given = is_given;
	(void)snprintf(node->path, sizeof(node->path), "%s", path);
	nodes->count++;
}

static int by_number(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

/* The N of hidrawN, and of nothing else. */
static bool hidraw_number(const char *name, unsigned int *ret)
{
	size_t len;

	if (strncmp(name, "hidraw", 6) != 0)
		return false;
	name += 6;
	len = strlen(name);
	if (len == 0 || len > 9 || strspn(name, "0123456789") != len)
		return false;
	*ret = (unsigned int)strtoul(name, NULL, 10);
	return true;
}

/* Each /dev/hidrawN, in the order of N. */
static void enumerate(struct nodes *nodes)
{
	unsigned int numbers[NODES_MAX];
	DIR *dev = opendir("/dev");
	struct dirent *entry;
	size_t count = 0;

	/* cppcheck-suppress readdirCalled ; one thread */
	while (dev && count < NODES_MAX && (entry = readdir(dev)) != NULL)
		if (hidraw_number(entry->d_name, &numbers[count]))
			count++;
	if (dev)
		(void)closedir(dev);
	qsort(numbers, count, sizeof(numbers[0]), by_number);
	for (size_t i = 0; i < count; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/dev/hidraw%u", numbers[i]);
		node_open(path, false, nodes);
	}
}

void nodes_open(const char *device, struct nodes *ret)
{
	char paths[256], *save = NULL;
	unsigned int count = 0;

	ret->count = 0;
	if (device[0] == '\0') {
		enumerate(ret);
		return;
	}
	(void)snprintf(paths, sizeof(paths), "%s", device);
	for (char *path = strtok_r(paths, " ", &save); path && count < BG_FIDO2_DEVICE_PATHS;
		path = strtok_r(NULL, " ", &save), count++)
		if (path[0] == '/')
			node_open(path, true, ret);
}

static bool is_fido_hidraw(int fd)
{
	static struct hidraw_report_descriptor d;
	int size = 0;

	if (ioctl(fd, HIDIOCGRDESCSIZE, &size) != 0 || size < 0 || size > HID_MAX_DESCRIPTOR_SIZE)
		return false;
	d.size = (uint32_t)size;
	return ioctl(fd, HIDIOCGRDESC, &d) == 0 && bg_hid_is_fido(d.value, (size_t)size);
}

/* The key's own words, made fit for a terminal and for a seal's line. */
static void node_model(struct node *node)
{
	char raw[BG_MODEL_LEN + 1] = "";
	size_t len = 0;

	if (ioctl(node->fd, HIDIOCGRAWNAME(BG_MODEL_LEN + 1), raw) < 0)
		raw[0] = '\0';
	raw[BG_MODEL_LEN] = '\0';
	for (size_t i = 0; raw[i] != '\0'; i++) {
		char c = raw[i];

		if (c < ' ' || c > '~')
			c = '?';
		if (c != ' ' || (len > 0 && node->model[len - 1] != ' '))
			node->model[len++] = c;
	}
	while (len > 0 && node->model[len - 1] == ' ')
		len--;
	node->model[len] = '\0';
	if (len == 0)
		(void)snprintf(node->model, sizeof(node->model), "FIDO2 security key");
}

void nodes_classify(struct nodes *nodes)
{
	size_t kept = 0;

	for (size_t i = 0; i < nodes->count; i++) {
		struct node node = nodes->list[i];
		int size;
		bool is_hidraw = ioctl(node.fd, HIDIOCGRDESCSIZE, &size) == 0;

		if (is_hidraw ? is_fido_hidraw(node.fd) : node.is_given) {
			node_model(&node);
			nodes->list[kept++] = node;
		} else {
			(void)close(node.fd);
		}
	}
	nodes->count = kept;
}
