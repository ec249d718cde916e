/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bg_random_fn from a seed (splitmix64), so that statistics come out the same
 * at each run; and its faults. Zeroed: seed 0, no fault.
 */
#ifndef BG_TESTS_RNG_H
#define BG_TESTS_RNG_H

#include <breakglass/crypto.h>

struct rng {
	uint64_t state;
	unsigned int calls;
	unsigned int fail_at; /* the call (from 1) that fails; 0: none */
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline int rng_fill(void *arg, void *ret, size_t len)
{
	struct rng *rng = (struct rng *)arg;
	uint8_t *p = (uint8_t *)ret;

	rng->calls++;
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(rng_next(rng) >> 32);
	return rng->calls == rng->fail_at ? -1 : 0;
}

#endif
