/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the command keeps what must not leave memory: not dumpable, no core, one locked arena. */
#include "bg-unlock.h"
#include "load.h"

#include <breakglass/secret.h>

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define ARENA_LEN (256 * 1024)

static uint8_t *arena;
static size_t used;

static void wipe_arena(void)
{
	bg_wipe(arena, used);
}

int bg_secrets_begin(void)
{
	const struct rlimit none = { 0, 0 };
	void *p;

	if (arena)
		return BG_EXIT_DONE;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) {
		bg_error("this process cannot be kept from dumping its memory");
		bg_hint("run it outside of the sandbox or container that forbids prctl and "
			"setrlimit");
		return BG_EXIT_MACHINE;
	}
	/* cppcheck-suppress invalidFunctionArg ; no file */
	p = mmap(NULL, ARENA_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		bg_error("out of memory");
		return BG_EXIT_MACHINE;
	}
	if (mlock(p, ARENA_LEN) != 0) {
		(void)munmap(p, ARENA_LEN);
		bg_error("no memory can be locked, so a share might be swapped to disk");
		bg_hint("raise the limit: ulimit -l 1024");
		return BG_EXIT_MACHINE;
	}
	(void)madvise(p, ARENA_LEN, MADV_DONTDUMP);
	(void)madvise(p, ARENA_LEN, MADV_WIPEONFORK);
	arena = p;
	(void)atexit(wipe_arena);
	return BG_EXIT_DONE;
}

void *bg_secrets_take(size_t size)
{
	const size_t align = alignof(max_align_t);
	void *p;

	if (!arena && bg_secrets_begin() != BG_EXIT_DONE)
		exit(BG_EXIT_MACHINE);
	size = (size + align - 1) / align * align;
	if (size > ARENA_LEN - used) {
		bg_error("internal error: the locked memory is too small");
		exit(BG_EXIT_MACHINE);
	}
	p = arena + used;
	used += size;
	return p;
}

int bg_secrets_run(size_t state_size,
	int (*run)(struct bg_crypto *crypto, void *state, const void *options), const void *options)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	int status = bg_secrets_begin();
	void *state;

	if (status)
		return status;
	state = bg_secrets_take(state_size);
	crypto = bg_load_crypto();
	status = crypto ? run(crypto, state, options) : BG_EXIT_MACHINE;
	bg_wipe(state, state_size);
	return status;
}
