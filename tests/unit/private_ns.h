/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A test that touches /run/breakglass, /etc/breakglass, /var/lib/breakglass or
 * /dev/log does so in a mount namespace of its own, entered before anything
 * else in main(): empty /run and /var/lib, a small /dev, /etc through an
 * overlay. Nothing of the host is touched. Without root the test fails.
 */
#ifndef BG_TESTS_PRIVATE_NS_H
#define BG_TESTS_PRIVATE_NS_H

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static inline void private_ns_need(int ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "private namespace: %s: %s (this test must run as root)\n", what,
		strerror(errno));
	exit(1);
}

static inline void private_ns_dev(void)
{
	static const struct {
		const char *path;
		unsigned int minor;
	} nodes[] = {
		{ "/dev/null", 3 },
		{ "/dev/zero", 5 },
		{ "/dev/full", 7 },
		{ "/dev/random", 8 },
		{ "/dev/urandom", 9 },
	};
	mode_t mask = umask(0);

	private_ns_need(mount("dev", "/dev", "tmpfs", 0, "mode=0755") == 0, "/dev");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		private_ns_need(
			mknod(nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor)) == 0,
			nodes[i].path);
	(void)umask(mask);
}

/* Ends the program, saying so, where it cannot be done. */
static inline void private_ns_enter(void)
{
	private_ns_need(geteuid() == 0, "not root");
	private_ns_need(unshare(CLONE_NEWNS) == 0, "unshare");
	private_ns_need(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private /");
	private_ns_need(mount("run", "/run", "tmpfs", 0, "mode=0755") == 0, "/run");
	private_ns_need(mkdir("/run/.etc", 0755) == 0 && mkdir("/run/.etc/upper", 0755) == 0 &&
				mkdir("/run/.etc/work", 0755) == 0,
		"/run/.etc");
	private_ns_need(
		mount("etc", "/etc", "overlay", 0,
			"lowerdir=/etc,upperdir=/run/.etc/upper,workdir=/run/.etc/work") == 0,
		"/etc");
	private_ns_need(mount("lib", "/var/lib", "tmpfs", 0, "mode=0755") == 0, "/var/lib");
	private_ns_dev();
}

#endif
