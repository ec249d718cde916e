/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/hid.h>

/* A security key's: usage page, usage 1, application collection, 64 bytes in, 64 out. */
static const uint8_t key[] = { 0x06, 0xd0, 0xf1, 0x09, 0x01, 0xa1, 0x01, 0x09, 0x20, 0x15, 0x00,
	0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40, 0x81, 0x02, 0x09, 0x21, 0x15, 0x00, 0x26, 0xff,
	0x00, 0x75, 0x08, 0x95, 0x40, 0x91, 0x02, 0xc0 };
static const uint8_t keyboard[] = { 0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0,
	0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, 0xc0 };

static const struct {
	const char *name;
	bool is_fido;
	uint8_t bytes[12];
	size_t len;
} rows[] = {
	{ "nothing", false, { 0 }, 0 },
	{ "page as four bytes", true, { 0x07, 0xd0, 0xf1, 0, 0 }, 5 },
	{ "page with more in its upper half", false, { 0x07, 0xd0, 0xf1, 1, 0 }, 5 },
	{ "page of another maker", false, { 0x06, 0xd1, 0xf1 }, 3 },
	{ "bytes swapped", false, { 0x06, 0xf1, 0xd0 }, 3 },
	{ "cut", false, { 0x06, 0xd0 }, 2 },
	{ "a usage, not a page", false, { 0x0a, 0xd0, 0xf1 }, 3 },
	{ "within another item's data", false, { 0x17, 0x06, 0xd0, 0xf1, 0 }, 5 },
	{ "within a long item", false, { 0xfe, 3, 0, 0x06, 0xd0, 0xf1 }, 6 },
	{ "after a long item", true, { 0xfe, 1, 0, 9, 0x06, 0xd0, 0xf1 }, 7 },
	{ "long item longer than all", false, { 0xfe, 255, 0, 0x06, 0xd0, 0xf1 }, 6 },
	{ "long item cut", false, { 0xfe }, 1 },
	{ "second collection", true, { 0x05, 0x01, 0xa1, 0x01, 0xc0, 0x06, 0xd0, 0xf1 }, 8 },
};

static void hid_tells_a_key_from_the_rest(void **state)
{
	(void)state;
	assert_true(bg_hid_is_fido(key, sizeof(key)));
	assert_false(bg_hid_is_fido(keyboard, sizeof(keyboard)));
	for (size_t i = 0; i < LEN(rows); i++)
		if (bg_hid_is_fido(rows[i].bytes, rows[i].len) != rows[i].is_fido)
			fail_msg("%s", rows[i].name);
}

static void hid_every_truncation_and_bit_flip_ends(void **state)
{
	(void)state;
	for (size_t len = 0; len <= sizeof(key); len++) {
		uint8_t *copy = malloc(len + 1); /* of that size, for the sanitizer */

		assert_non_null(copy);
		memcpy(copy, key, len);
		assert_int_equal(bg_hid_is_fido(copy, len), len >= 3);
		for (size_t i = 0; i < 8 * len; i++) {
			copy[i / 8] ^= (uint8_t)(1U << i % 8);
			(void)bg_hid_is_fido(copy, len);
			copy[i / 8] ^= (uint8_t)(1U << i % 8);
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hid_tells_a_key_from_the_rest),
		cmocka_unit_test(hid_every_truncation_and_bit_flip_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
