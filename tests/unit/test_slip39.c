/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors, words and the extremes; randomness is in test_slip39_uniform.c, what needs a broken
   library in test_slip39_seams.c. */
#include "unit.h"

#include "rng.h"
#include "vectors.h"

#include <time.h>

static int setup(void **state)
{
	*state = bg_crypto_open();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	bg_crypto_close(*state);
	return 0;
}

static enum bg_err combine_vector(struct bg_crypto *crypto, const struct vector *v,
	const char *passphrase, struct bg_secret *ret)
{
	struct bg_slip39_share shares[VECTOR_SHARES];
	struct bg_diag diag = { 0 };

	for (size_t i = 0; i < v->count; i++) {
		enum bg_err err = vectors_share(v->mnemonic[i], &shares[i]);

		if (err)
			return err;
	}
	return bg_slip39_combine(crypto, shares, v->count, passphrase, ret, &diag);
}

static void assert_secret(const struct vector *v, const struct bg_secret *got)
{
	uint8_t want[32];

	assert_int_equal(got->len, strlen(v->secret) / 2);
	hex(v->secret, want, got->len);
	assert_memory_equal(got->bytes, want, got->len);
}

/* Why each of the official invalid ones is refused, by a word of its name. */
static enum bg_err official_reason(const char *name)
{
	static const struct {
		const char *part;
		enum bg_err err;
	} reasons[] = {
		{ "invalid checksum", BG_ERR_CHECKSUM },
		{ "invalid padding", BG_ERR_PADDING },
		{ "Basic sharing 2-of-3", BG_ERR_TOO_FEW },
		{ "nsufficient number of", BG_ERR_TOO_FEW },
		{ "duplicate", BG_ERR_DUPLICATE },
		{ "invalid digest", BG_ERR_DIGEST },
		{ "greater group threshold", BG_ERR_RANGE },
		{ "length", BG_ERR_RANGE },
		{ "different", BG_ERR_MISMATCH },
		{ "mismatching", BG_ERR_MISMATCH },
	};

	for (size_t i = 0; i < LEN(reasons); i++)
		if (strstr(name, reasons[i].part))
			return reasons[i].err;
	return BG_OK;
}

static void slip39_official_vectors_all_45(void **state)
{
	char *text = vectors_read("slip39.json");
	const char *p = text;
	struct vector v;
	int valid = 0, invalid = 0;

	while (vectors_next(&p, &v)) {
		struct bg_secret got = { .len = 77 };
		enum bg_err err = combine_vector(*state, &v, "TREZOR", &got);

		if (v.secret[0]) {
			assert_int_equal(err, BG_OK);
			assert_secret(&v, &got);
			valid++;
			continue;
		}
		invalid++;
		assert_int_equal(got.len, 77);
		if (err != official_reason(v.name))
			fail_msg("%s: %s", v.name, bg_err_text(err));
		assert_int_not_equal(err, BG_OK);
	}
	free(text);
	assert_int_equal(valid + invalid, 45);
	assert_true(valid >= 10 && invalid >= 20);
}

static enum bg_err error_named(const char *name)
{
	static const struct {
		const char *name;
		enum bg_err err;
	} errors[] = {
		{ "", BG_OK },
		{ "TOO_FEW", BG_ERR_TOO_FEW },
		{ "MISMATCH", BG_ERR_MISMATCH },
		{ "RANGE", BG_ERR_RANGE },
		{ "DUPLICATE", BG_ERR_DUPLICATE },
		{ "DIGEST", BG_ERR_DIGEST },
		{ "POLYNOMIAL", BG_ERR_POLYNOMIAL },
		{ "PADDING", BG_ERR_PADDING },
		{ "EXPONENT", BG_ERR_EXPONENT },
		{ "CHECKSUM", BG_ERR_CHECKSUM },
	};

	for (size_t i = 0; i < LEN(errors); i++)
		if (!strcmp(name, errors[i].name))
			return errors[i].err;
	fail_msg("unknown error %s", name);
	return BG_ERR_COUNT;
}

static void slip39_own_vectors_give_secret_or_reason(void **state)
{
	char *text = vectors_read("slip39-own.json");
	const char *p = text;
	struct vector v;
	int count = 0;

	for (; vectors_next(&p, &v); count++) {
		struct bg_secret got = { .len = 77 };
		enum bg_err err = combine_vector(*state, &v, "TREZOR", &got);

		if (err != error_named(v.error))
			fail_msg("%s: %s", v.name, bg_err_text(err));
		if (err)
			assert_int_equal(got.len, 77);
		else
			assert_secret(&v, &got);
	}
	free(text);
	assert_true(count >= 100);
}

/* A deal from a seed. */
static void deal(struct bg_crypto *crypto, uint8_t k, uint8_t n, const struct bg_secret *master,
	struct bg_slip39_share *ret)
{
	struct rng rng = { .state = 1000U * k + n };
	struct bg_slip39_deal how = { k, n, 0x1234 };

	assert_int_equal(bg_slip39_split(crypto, &how, master, rng_fill, &rng, ret), BG_OK);
}

static void assert_combines(struct bg_crypto *crypto, const struct bg_slip39_share *shares,
	size_t count, const struct bg_secret *master)
{
	struct bg_secret got = { .len = 0 };

	assert_int_equal(bg_slip39_combine(crypto, shares, count, "", &got, NULL), BG_OK);
	assert_int_equal(got.len, master->len);
	assert_memory_equal(got.bytes, master->bytes, got.len);
}

static void slip39_S07_extremes_work(void **state)
{
	static const struct {
		uint8_t k, n;
	} deals[] = { { 1, 1 }, { 2, 2 }, { 2, 3 }, { 2, 16 }, { 8, 16 }, { 15, 15 }, { 15, 16 },
		{ 16, 16 } };
	struct bg_secret masters[4] = { { .len = 0 } };

	for (size_t len = 16; len <= 32; len += 16) {
		for (size_t m = 0; m < LEN(masters); m++)
			masters[m].len = len;
		memset(masters[1].bytes, 0xff, len);
		memset(masters[2].bytes + len / 2, 0xa5, len / 2);
		memset(masters[3].bytes, 0x5a, len - 1);
		for (size_t d = 0; d < LEN(deals); d++) {
			for (size_t m = 0; m < LEN(masters); m++) {
				struct bg_slip39_share shares[16];

				deal(*state, deals[d].k, deals[d].n, &masters[m], shares);
				assert_combines(*state, shares, deals[d].k, &masters[m]);
				assert_combines(*state, shares, deals[d].n, &masters[m]);
				assert_combines(*state, shares + deals[d].n - deals[d].k,
					deals[d].k, &masters[m]);
			}
		}
	}
}

static void slip39_S06_dealer_assigns_indices_in_range_and_refuses_bad_deals(void **state)
{
	static const struct bg_slip39_deal bad[] = { { 0, 0, 0 }, { 0, 3, 0 }, { 3, 2, 0 },
		{ 1, 2, 0 }, { 2, 17, 0 }, { 17, 17, 0 }, { 2, 255, 0 }, { 2, 3, 0x8000 } };
	struct bg_secret master = { .len = 16 };
	struct bg_slip39_share shares[16], untouched[16];
	struct rng rng = { .state = 0 };

	deal(*state, 3, 16, &master, shares);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(shares[i].member_index, i);
	memset(shares, 0x77, sizeof(shares));
	memcpy(untouched, shares, sizeof(shares));
	for (size_t i = 0; i < LEN(bad); i++)
		assert_int_equal(bg_slip39_split(*state, &bad[i], &master, rng_fill, &rng, shares),
			BG_ERR_ARGUMENT);
	for (master.len = 0; master.len <= 32; master.len++)
		if (master.len != 16 && master.len != 32)
			assert_int_equal(
				bg_slip39_split(*state, &(struct bg_slip39_deal){ 2, 3, 1 },
					&master, rng_fill, &rng, shares),
				BG_ERR_ARGUMENT);
	assert_memory_equal(shares, untouched, sizeof(shares));
	assert_int_equal(rng.calls, 0);
}

static void slip39_S06_combine_refuses_bad_indices_before_arithmetic(void **state)
{
	static const uint8_t bad[] = { 16, 17, 254, 255 };
	struct bg_secret master = { .len = 16, .bytes = { 1 } }, got = { .len = 77 };
	struct bg_slip39_share shares[3], tried[3];
	struct bg_diag diag = { 0 };

	deal(*state, 2, 3, &master, shares);
	for (size_t i = 0; i < LEN(bad); i++) {
		uint8_t indices[2] = { 0, bad[i] };
		struct bg_secret values[2] = { shares[0].value, shares[1].value };

		memcpy(tried, shares, sizeof(shares));
		tried[1].member_index = bad[i];
		assert_int_equal(
			bg_slip39_combine(*state, tried, 2, "", &got, &diag), BG_ERR_RANGE);
		assert_int_equal(diag.index, 2);
		memcpy(tried, shares, sizeof(shares));
		tried[1].group_index = bad[i];
		assert_int_equal(
			bg_slip39_combine(*state, tried, 2, "", &got, &diag), BG_ERR_RANGE);
		assert_int_equal(
			bg_slip39_combine_values(*state, indices, values, 2, &got), BG_ERR_RANGE);
	}
	/* 0 stands for another share's point, then for the right one twice */
	memcpy(tried, shares, sizeof(shares));
	tried[1].member_index = 0;
	assert_int_equal(bg_slip39_combine(*state, tried, 2, "", &got, &diag), BG_ERR_DUPLICATE);
	assert_int_equal(diag.index, 2);
	assert_int_equal(bg_slip39_combine(*state, tried + 1, 2, "", &got, &diag), BG_ERR_DIGEST);
	assert_int_equal(got.len, 77);
}

static void slip39_S05_random_failure_aborts_at_every_call(void **state)
{
	struct bg_secret master = { .len = 32, .bytes = { 1 } };
	struct bg_slip39_deal how = { 5, 16, 7 };
	struct bg_slip39_share shares[16], untouched[16];
	struct rng rng = { .state = 1 };
	unsigned int calls;

	assert_int_equal(bg_slip39_split(*state, &how, &master, rng_fill, &rng, shares), BG_OK);
	calls = rng.calls;
	assert_true(calls > 1000); /* 4,368 subsets: a random thousand of them, each drawn */
	memset(shares, 0x77, sizeof(shares));
	memcpy(untouched, shares, sizeof(shares));
	for (unsigned int at = 1; at <= calls; at += at < 10 ? 1 : 97) {
		rng = (struct rng){ .state = 1, .fail_at = at };
		assert_int_equal(bg_slip39_split(*state, &how, &master, rng_fill, &rng, shares),
			BG_ERR_RANDOM);
		assert_int_equal(rng.calls, at);
		assert_memory_equal(shares, untouched, sizeof(shares));
	}
}

/* Each bit of each word of a mnemonic. */
static void slip39_S10_every_bit_flip_and_truncation_is_refused(void **state)
{
	for (size_t len = 16; len <= 32; len += 16) {
		struct bg_secret master = { .len = len, .bytes = { 9 } };
		struct bg_slip39_share shares[3], share = { .exponent = 99 };
		struct bg_slip39_words words = { .count = 0 };
		size_t count;

		deal(*state, 2, 3, &master, shares);
		assert_int_equal(bg_slip39_encode(&shares[1], &words), BG_OK);
		count = words.count;
		for (size_t bit = 0; bit < count * 16; bit++) {
			enum bg_err want = bit % 16 < 10 ? BG_ERR_CHECKSUM : BG_ERR_RANGE;

			words.index[bit / 16] ^= (uint16_t)(1U << bit % 16);
			assert_int_equal(bg_slip39_decode(&words, &share), want);
			words.index[bit / 16] ^= (uint16_t)(1U << bit % 16);
		}
		for (words.count = 0; words.count <= 40; words.count++) {
			enum bg_err want = words.count == count ? BG_OK
					   : words.count == 20 || words.count == 33
						   ? BG_ERR_CHECKSUM
						   : BG_ERR_RANGE;
			struct bg_slip39_share ignored;

			assert_int_equal(bg_slip39_decode(&words, &ignored), want);
		}
		assert_int_equal(share.exponent, 99);
	}
}

/* Each bit of each value, behind the checksum's back: the digest sees it. */
static void slip39_S10_every_value_bit_flip_changes_no_secret_silently(void **state)
{
	struct bg_secret master = { .len = 16, .bytes = { 9 } }, got = { .len = 77 };
	struct bg_slip39_share shares[3];
	uint8_t indices[2] = { 0, 1 };

	deal(*state, 2, 3, &master, shares);
	for (size_t bit = 0; bit < 128; bit++) {
		struct bg_secret values[2] = { shares[0].value, shares[1].value };

		shares[1].value.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		values[1] = shares[1].value;
		assert_int_equal(
			bg_slip39_combine(*state, shares, 2, "", &got, NULL), BG_ERR_DIGEST);
		assert_int_equal(
			bg_slip39_combine_values(*state, indices, values, 2, &got), BG_ERR_DIGEST);
		shares[1].value.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_int_equal(got.len, 77);
	assert_int_equal(bg_slip39_combine(*state, shares, 1, "", &got, NULL), BG_ERR_TOO_FEW);
	assert_int_equal(bg_slip39_combine(*state, shares, 0, "", &got, NULL), BG_ERR_TOO_FEW);
	assert_combines(*state, shares, 2, &master);
}

/* One share of another deal with the same numbers, at each place among enough right ones. */
static void slip39_S13_combine_names_the_wrong_one_in_any_order(void **state)
{
	struct bg_secret master = { .len = 16, .bytes = { 3 } }, got = { .len = 77 };
	struct bg_slip39_share shares[5], other[5];
	struct rng rng = { .state = 99 };
	struct bg_slip39_deal how = { 3, 5, 0x1234 };

	deal(*state, 3, 5, &master, shares);
	assert_int_equal(bg_slip39_split(*state, &how, &master, rng_fill, &rng, other), BG_OK);
	for (size_t count = 4; count <= 5; count++) {
		for (size_t at = 0; at < count; at++) {
			struct bg_slip39_share tried[5];
			struct bg_diag diag = { 0 };

			memcpy(tried, shares, sizeof(shares));
			tried[at] = other[at];
			assert_int_equal(bg_slip39_combine(*state, tried, count, "", &got, &diag),
				BG_ERR_POLYNOMIAL);
			assert_int_equal(diag.index, at + 1);
			tried[at] = shares[at];
			tried[at].identifier ^= 1;
			assert_int_equal(bg_slip39_combine(*state, tried, count, "", &got, &diag),
				BG_ERR_MISMATCH);
			assert_int_equal(diag.index, at + 1);
		}
	}
	assert_int_equal(got.len, 77);
	assert_combines(*state, shares, 5, &master);
}

static void slip39_passphrase_is_bounded_and_printable(void **state)
{
	static const char *const bad[] = { "a\n", "\x7f", "caf\xc3\xa9", "\x1f" };
	struct bg_secret master = { .len = 16, .bytes = { 3 } }, got = { .len = 77 };
	struct bg_slip39_share shares[2];
	char longest[BG_SLIP39_MAX_PASSPHRASE + 2];

	deal(*state, 2, 2, &master, shares);
	for (size_t i = 0; i < LEN(bad); i++)
		assert_int_equal(
			bg_slip39_combine(*state, shares, 2, bad[i], &got, NULL), BG_ERR_RANGE);
	memset(longest, 'x', sizeof(longest));
	longest[BG_SLIP39_MAX_PASSPHRASE + 1] = '\0';
	assert_int_equal(bg_slip39_combine(*state, shares, 2, longest, &got, NULL), BG_ERR_RANGE);
	assert_int_equal(got.len, 77);
	longest[BG_SLIP39_MAX_PASSPHRASE] = '\0';
	assert_int_equal(bg_slip39_combine(*state, shares, 2, longest, &got, NULL), BG_OK);
	assert_memory_not_equal(got.bytes, master.bytes, 16);
}

static void slip39_compact_values_combine_without_words(void **state)
{
	struct bg_secret master = { .len = 32, .bytes = { 3 } }, got = { .len = 77 };
	struct bg_secret values[5];
	struct bg_slip39_share shares[5];
	uint8_t indices[5];

	deal(*state, 3, 5, &master, shares);
	for (size_t i = 0; i < 5; i++) {
		indices[i] = (uint8_t)(4 - i);
		values[i] = shares[4 - i].value;
	}
	assert_int_equal(
		bg_slip39_combine_values(*state, indices, values, 1, &got), BG_ERR_TOO_FEW);
	assert_int_equal(bg_slip39_combine_values(*state, indices, values, 2, &got), BG_ERR_DIGEST);
	assert_int_equal(bg_slip39_combine_values(*state, indices, values, 17, &got), BG_ERR_RANGE);
	assert_int_equal(got.len, 77);
	for (size_t count = 3; count <= 5; count++) {
		memset(&got, 0, sizeof(got));
		assert_int_equal(
			bg_slip39_combine_values(*state, indices, values, count, &got), BG_OK);
		assert_memory_equal(got.bytes, master.bytes, 32);
	}
	indices[1] = indices[0];
	assert_int_equal(
		bg_slip39_combine_values(*state, indices, values, 3, &got), BG_ERR_DUPLICATE);
	indices[1] = 3;
	values[1].len = 16;
	assert_int_equal(
		bg_slip39_combine_values(*state, indices, values, 3, &got), BG_ERR_MISMATCH);
}

static void slip39_text_and_head_follow_the_words(void **state)
{
	char *text = vectors_read("slip39-own.json"), line[BG_SLIP39_TEXT_LEN];
	const char *p = text;
	struct vector v;

	(void)state;
	while (vectors_next(&p, &v)) {
		struct bg_slip39_share share, head;
		struct bg_slip39_words words;

		if (vectors_share(v.mnemonic[0], &share) != BG_OK)
			continue;
		assert_int_equal(bg_slip39_encode(&share, &words), BG_OK);
		bg_slip39_words_text(&words, line);
		assert_string_equal(line, v.mnemonic[0]);
		bg_slip39_decode_head(words.index, &head);
		assert_int_equal(head.value.len, 0);
		head.value = share.value;
		assert_int_equal(head.identifier, share.identifier);
		assert_int_equal(head.exponent, share.exponent);
		assert_int_equal(head.is_extendable, share.is_extendable);
		assert_int_equal(head.group_index, share.group_index);
		assert_int_equal(head.group_threshold, share.group_threshold);
		assert_int_equal(head.group_count, share.group_count);
		assert_int_equal(head.member_index, share.member_index);
		assert_int_equal(head.member_threshold, share.member_threshold);
	}
	free(text);
}

static void slip39_encode_refuses_numbers_that_do_not_fit(void **state)
{
	const struct bg_slip39_share good = { .group_count = 1,
		.group_threshold = 1,
		.member_threshold = 2,
		.value = { .len = 16 } };
	struct bg_slip39_words words = { .count = 77 };
	struct bg_slip39_share s;

	(void)state;
#define REFUSED(field, number)                                                                     \
	s = good;                                                                                  \
	s.field = number;                                                                          \
	assert_int_equal(bg_slip39_encode(&s, &words), BG_ERR_RANGE)
	REFUSED(identifier, 0x8000);
	REFUSED(exponent, 16);
	REFUSED(group_index, 16);
	REFUSED(group_threshold, 0);
	REFUSED(group_threshold, 2);
	REFUSED(group_count, 0);
	REFUSED(group_count, 17);
	REFUSED(member_index, 16);
	REFUSED(member_threshold, 0);
	REFUSED(member_threshold, 17);
	REFUSED(value.len, 0);
	REFUSED(value.len, 15);
	REFUSED(value.len, 24);
#undef REFUSED
	assert_int_equal(words.count, 77);
	assert_int_equal(bg_slip39_encode(&good, &words), BG_OK);
}

static void slip39_suspect_points_at_the_one_wrong_word(void **state)
{
	struct bg_secret master = { .len = 32, .bytes = { 9 } };
	struct bg_slip39_share shares[2];
	struct bg_slip39_words words;

	deal(*state, 2, 2, &master, shares);
	assert_int_equal(bg_slip39_encode(&shares[1], &words), BG_OK);
	assert_int_equal(bg_slip39_suspect(&words), 0);
	for (size_t i = 0; i < words.count; i++) {
		words.index[i] ^= 0x20f;
		assert_int_equal(bg_slip39_suspect(&words), i + 1);
		words.index[i] ^= 0x20f;
	}
	words.index[5] ^= 1;
	words.index[25] ^= 3;
	assert_int_equal(bg_slip39_suspect(&words), 0);
}

static void slip39_split_8_of_16_is_well_under_a_second(void **state)
{
	struct bg_secret master = { .len = 32, .bytes = { 9 } };
	struct bg_slip39_share shares[16];
	clock_t start = clock();

	deal(*state, 8, 16, &master, shares);
	/* of processor time; generous for sanitizers, a release build takes some 20 ms */
	assert_true(clock() - start < CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slip39_official_vectors_all_45),
		cmocka_unit_test(slip39_own_vectors_give_secret_or_reason),
		cmocka_unit_test(slip39_S07_extremes_work),
		cmocka_unit_test(slip39_S06_dealer_assigns_indices_in_range_and_refuses_bad_deals),
		cmocka_unit_test(slip39_S06_combine_refuses_bad_indices_before_arithmetic),
		cmocka_unit_test(slip39_S05_random_failure_aborts_at_every_call),
		cmocka_unit_test(slip39_S10_every_bit_flip_and_truncation_is_refused),
		cmocka_unit_test(slip39_S10_every_value_bit_flip_changes_no_secret_silently),
		cmocka_unit_test(slip39_S13_combine_names_the_wrong_one_in_any_order),
		cmocka_unit_test(slip39_passphrase_is_bounded_and_printable),
		cmocka_unit_test(slip39_compact_values_combine_without_words),
		cmocka_unit_test(slip39_text_and_head_follow_the_words),
		cmocka_unit_test(slip39_encode_refuses_numbers_that_do_not_fit),
		cmocka_unit_test(slip39_suspect_points_at_the_one_wrong_word),
		cmocka_unit_test(slip39_split_8_of_16_is_well_under_a_second),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
