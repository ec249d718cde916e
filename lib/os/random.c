/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_random.h>

#include <errno.h>
#include <sys/random.h>

/* getrandom(2) gives up to this many bytes whole, or none. */
#define ATOMIC_LEN 256

int bg_os_random(void *arg, void *ret, size_t len)
{
	uint8_t *p = ret;
	size_t done = 0;

	(void)arg;
	while (done < len) {
		size_t want = len - done < ATOMIC_LEN ? len - done : ATOMIC_LEN;
		ssize_t n = getrandom(p + done, want, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (size_t)n != want) {
			bg_wipe(ret, len);
			return -1;
		}
		done += want;
	}
	return 0;
}
