/* SPDX-License-Identifier: BSD-2-Clause */
/* A /run/breakglass of the test's own, prepared, with what its calls want. Included once a program;
   needs private_ns.h. */
#ifndef BG_TESTS_STATE_STAGE_H
#define BG_TESTS_STATE_STAGE_H

#include <breakglass/crypto.h>
#include <breakglass/os_clock.h>
#include <breakglass/os_state.h>
#include <breakglass/paths.h>
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

static struct bg_crypto *crypto;
static char boot_id[BG_BOOT_ID_LEN + 1];

static int setup(void **state)
{
	(void)state;
	if (mkdir(BG_PATH_RUN, 0700) != 0 && errno != EEXIST)
		return -1;
	if (mount("state", BG_PATH_RUN, "tmpfs", 0, "mode=0700") != 0)
		return -1;
	crypto = bg_crypto_open();
	return !crypto || bg_clock_boot_id(boot_id) || bg_state_prepare(NULL) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	bg_crypto_cleanup(&crypto);
	return umount2(BG_PATH_RUN, MNT_DETACH);
}

#endif
