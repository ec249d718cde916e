/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RULES S05. The kernel's failures are made by a getrandom of the test's own: the
 * program's definition comes before libc's for the static library under test.
 */
#include "unit.h"

#include <breakglass/os_random.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	int fail_errno;	   /* every call fails with it */
	int interruptions; /* so many calls fail with EINTR first */
	size_t cut;	   /* bytes left out of the answer */
	unsigned int calls;
	unsigned int wrong_flags;
} kernel;

ssize_t getrandom(void *buf, size_t len, unsigned int flags)
{
	kernel.calls++;
	kernel.wrong_flags |= flags;
	if (kernel.interruptions-- > 0) {
		errno = EINTR;
		return -1;
	}
	if (kernel.fail_errno) {
		errno = kernel.fail_errno;
		return -1;
	}
	memset(buf, 0x5a, len);
	return syscall(SYS_getrandom, buf, len, flags) == (long)len ? (ssize_t)(len - kernel.cut)
								    : -1;
}

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	return 0;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return !any;
}

static void random_S05_fills_all_bytes(void **state)
{
	uint8_t b[1000] = { 0 };

	(void)state;
	assert_int_equal(bg_os_random(NULL, b, sizeof(b)), 0);
	assert_true(kernel.calls >= 4);
	assert_int_equal(kernel.wrong_flags, 0);
	for (size_t i = 0; i + 20 <= sizeof(b); i += 20)
		assert_false(is_zero(b + i, 20));
	assert_int_equal(bg_os_random(NULL, b, 0), 0);
}

static void random_S05_interrupted_is_retried(void **state)
{
	uint8_t b[32] = { 0 };

	(void)state;
	kernel.interruptions = 5;
	assert_int_equal(bg_os_random(NULL, b, sizeof(b)), 0);
	assert_int_equal(kernel.calls, 6);
	assert_false(is_zero(b, sizeof(b)));
}

static void random_S05_failed_aborts_without_fallback(void **state)
{
	static const int errors[] = { ENOSYS, EFAULT, EAGAIN, EPERM };
	uint8_t b[32];

	(void)state;
	for (size_t i = 0; i < LEN(errors); i++) {
		memset(b, 1, sizeof(b));
		reset(NULL);
		kernel.fail_errno = errors[i];
		assert_int_not_equal(bg_os_random(NULL, b, sizeof(b)), 0);
		assert_int_equal(kernel.calls, 1);
		assert_true(is_zero(b, sizeof(b)));
	}
}

static void random_S05_short_aborts(void **state)
{
	uint8_t b[32];

	(void)state;
	for (kernel.cut = 1; kernel.cut <= sizeof(b); kernel.cut++) {
		kernel.calls = 0;
		assert_int_not_equal(bg_os_random(NULL, b, sizeof(b)), 0);
		assert_int_equal(kernel.calls, 1);
		assert_true(is_zero(b, sizeof(b)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(random_S05_fills_all_bytes, reset),
		cmocka_unit_test_setup(random_S05_interrupted_is_retried, reset),
		cmocka_unit_test_setup(random_S05_failed_aborts_without_fallback, reset),
		cmocka_unit_test_setup(random_S05_short_aborts, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
