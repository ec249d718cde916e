/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/framing.h>

static void framing_contexts_are_distinct_words(void **state)
{
	(void)state;
	for (int i = 0; i < BG_CTX_COUNT; i++) {
		const char *name = bg_context_name((enum bg_context)i);

		assert_true(strlen(name) >= 4);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(name, bg_context_name((enum bg_context)j));
	}
	assert_string_equal(bg_context_name(BG_CTX_COUNT), "");
}

static void framing_bytes_are_pinned(void **state)
{
	uint8_t b[128];
	struct bg_writer w = { b, sizeof(b), 0, false };
	static const char want[] = "pam_breakglass/1 touch\0"
				   "\0\0\0\2ab"
				   "\0\0\0\0"
				   "\0\0\0\4\1\2\3\4"
				   "\0\0\0\x8\0\0\0\0\0\0\0\5";

	(void)state;
	bg_frame_begin(&w, BG_CTX_TOUCH);
	bg_frame_text(&w, "ab");
	bg_frame_field(&w, NULL, 0);
	bg_frame_u32(&w, 0x01020304);
	bg_frame_u64(&w, 5);
	assert_false(w.is_full);
	assert_int_equal(w.len, sizeof(want) - 1);
	assert_memory_equal(b, want, sizeof(want) - 1);
}

static void framing_fields_cannot_be_shifted(void **state)
{
	uint8_t a[64], b[64];
	struct bg_writer wa = { a, sizeof(a), 0, false }, wb = { b, sizeof(b), 0, false };

	(void)state;
	bg_frame_begin(&wa, BG_CTX_SEAL);
	bg_frame_text(&wa, "ab");
	bg_frame_text(&wa, "c");
	bg_frame_begin(&wb, BG_CTX_SEAL);
	bg_frame_text(&wb, "a");
	bg_frame_text(&wb, "bc");
	assert_int_equal(wa.len, wb.len);
	assert_memory_not_equal(a, b, wa.len);
}

static void framing_unknown_context_or_overrun_is_full(void **state)
{
	uint8_t b[20];
	struct bg_writer w = { b, sizeof(b), 0, false };

	(void)state;
	bg_frame_begin(&w, BG_CTX_COUNT);
	assert_true(w.is_full);
	w = (struct bg_writer){ b, sizeof(b), 0, false };
	bg_frame_begin(&w, BG_CTX_SEAL);
	assert_true(w.is_full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing_contexts_are_distinct_words),
		cmocka_unit_test(framing_bytes_are_pinned),
		cmocka_unit_test(framing_fields_cannot_be_shifted),
		cmocka_unit_test(framing_unknown_context_or_overrun_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
