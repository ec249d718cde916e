/* SPDX-License-Identifier: BSD-2-Clause */
/* A successor with other people and keys: what the seal in force endorsed, and nothing else. */
#include "seal_fixture.h"
#include "unit.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
	struct bg_crypto *crypto;
	struct seal_fixture first; /* ops, dba, audit; keys a, b */
	struct seal_fixture other; /* lends the new key */
	struct seal_fixture second, third;
};

/* key becomes the key at position at of f, under a name of its own. */
static void take_key(struct seal_fixture *f, size_t at, const struct seal_fixture *from, size_t key,
	const char *name, const char *holder)
{
	EVP_PKEY_free(f->keys[at]);
	f->keys[at] = from->keys[key];
	EVP_PKEY_up_ref(f->keys[at]);
	f->seal.keys[at] = from->seal.keys[key];
	snprintf(f->seal.keys[at].name, sizeof(f->seal.keys[at].name), "%s", name);
	snprintf(f->seal.keys[at].holder, sizeof(f->seal.keys[at].holder), "%s", holder);
}

/* The second: night in dba's place, spare besides, 3 of 4; key a leaves, a new one called c. */
static void plan_second(struct world *w, const char *new_key)
{
	struct seal_fixture *f = &w->second;

	seal_fixture_free(f);
	assert_int_equal(seal_fixture_plan_next(f, &w->first, 2), 0);
	strcpy(f->seal.custodians[1].name, "night");
	strcpy(f->seal.custodians[3].name, "spare");
	f->seal.custodians[3].index = 3;
	f->values[3] = f->values[2];
	f->values[3].bytes[15] = 3;
	f->seal.custodian_count = 4;
	f->seal.threshold = 3;
	take_key(f, 0, &w->first, 1, "b", "holder of b");
	take_key(f, 1, &w->other, 0, new_key, "somebody");
	assert_int_equal(seal_fixture_seal(w->crypto, f, &w->first, NULL), BG_OK);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	w->crypto = bg_crypto_open();
	if (w->crypto == NULL || seal_fixture_plan(&w->first, 1) != 0 ||
		seal_fixture_plan(&w->other, 9) != 0 ||
		seal_fixture_seal(w->crypto, &w->first, NULL, NULL) != BG_OK)
		return -1;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	seal_fixture_free(&w->first);
	seal_fixture_free(&w->other);
	seal_fixture_free(&w->second);
	seal_fixture_free(&w->third);
	bg_crypto_close(w->crypto);
	free(w);
	return 0;
}

/* next says that by's key endorsed it, and it did; the quorum's endorsement stays as it is. */
static void endorse(struct world *w, struct seal_fixture *next, const struct seal_fixture *by,
	size_t key, const char *as)
{
	struct bg_seal *s = &next->seal;
	struct bg_assertion a = { 0 };
	uint8_t challenge[BG_SHA256_LEN];

	assert_int_equal(
		bg_seal_key_challenge(w->crypto, next->text, s->body_len, challenge), BG_OK);
	assert_int_equal(
		seal_fixture_assert(by, key, s->rp_id, challenge, SEAL_UP | SEAL_UV, &a), 0);
	snprintf(s->predecessor_key, sizeof(s->predecessor_key), "%s", as);
	memcpy(s->predecessor_key_authdata, a.authdata, a.authdata_len);
	s->predecessor_key_authdata_len = a.authdata_len;
	memcpy(s->predecessor_key_sig, a.sig, a.sig_len);
	s->predecessor_key_sig_len = a.sig_len;
}

static enum bg_err check(struct world *w, const struct seal_fixture *prev,
	const struct seal_fixture *next, bool is_keys_lost)
{
	return bg_seal_check_successor(
		w->crypto, &prev->seal, &next->seal, next->text, is_keys_lost, NULL);
}

static void succession_of_other_people_and_keys_is_accepted(void **state)
{
	struct world *w = *state;

	plan_second(w, "c"); /* a endorsed it, and leaves by it */
	assert_int_equal(check(w, &w->first, &w->second, false), BG_OK);
	endorse(w, &w->second, &w->first, 1, "b");
	assert_int_equal(check(w, &w->first, &w->second, false), BG_OK);
}

static void succession_endorsed_by_a_new_key_only_is_refused(void **state)
{
	struct world *w = *state;

	plan_second(w, "c");
	endorse(w, &w->second, &w->second, 1, "c");
	assert_int_equal(check(w, &w->first, &w->second, false), BG_ERR_ASSERTION);
	/* under the name of one that is in force */
	endorse(w, &w->second, &w->second, 1, "a");
	assert_int_equal(check(w, &w->first, &w->second, false), BG_ERR_SIGNATURE);
	endorse(w, &w->second, &w->second, 1, "b"); /* of another algorithm */
	assert_int_not_equal(check(w, &w->first, &w->second, false), BG_OK);
	/* and where the new one was given the old one's name */
	plan_second(w, "a");
	assert_int_equal(check(w, &w->first, &w->second, false), BG_OK);
	endorse(w, &w->second, &w->second, 1, "a");
	assert_int_equal(check(w, &w->first, &w->second, false), BG_ERR_SIGNATURE);
	assert_int_equal(check(w, &w->first, &w->second, true), BG_OK); /* root's own word */
}

static void succession_a_key_that_left_endorses_nothing_after(void **state)
{
	struct world *w = *state;
	struct seal_fixture *third = &w->third;

	plan_second(w, "c");
	seal_fixture_free(third);
	assert_int_equal(seal_fixture_plan_next(third, &w->second, 3), 0);
	assert_int_equal(seal_fixture_seal(w->crypto, third, &w->second, NULL), BG_OK);
	assert_int_equal(check(w, &w->second, third, false), BG_OK);
	endorse(w, third, &w->first, 0, "a");
	assert_int_equal(check(w, &w->second, third, false), BG_ERR_ASSERTION);
	for (int i = 0; i < 2; i++) {
		endorse(w, third, &w->first, 0, i ? "b" : "c");
		assert_int_not_equal(check(w, &w->second, third, false), BG_OK);
	}
	endorse(w, third, &w->second, 1, "c");
	assert_int_equal(check(w, &w->second, third, false), BG_OK);
}

/* The first quorum says nothing about the third, nor the new quorum about itself. */
static void succession_needs_the_quorum_in_force(void **state)
{
	struct world *w = *state;
	struct seal_fixture *f = &w->second, *third = &w->third;

	plan_second(w, "c");
	assert_int_equal(bg_seal_sign(w->crypto, BG_CTX_SUCCESSION_QUORUM, &f->quorum.sign_seed,
				 f->text, f->seal.body_len, f->seal.predecessor_quorum_sig),
		BG_OK);
	assert_int_equal(check(w, &w->first, f, false), BG_ERR_SIGNATURE);
	assert_int_equal(check(w, &w->first, f, true), BG_ERR_SIGNATURE);
	plan_second(w, "c");
	seal_fixture_free(third);
	assert_int_equal(seal_fixture_plan_next(third, f, 3), 0);
	assert_int_equal(seal_fixture_seal(w->crypto, third, f, NULL), BG_OK);
	assert_int_equal(
		bg_seal_sign(w->crypto, BG_CTX_SUCCESSION_QUORUM, &w->first.quorum.sign_seed,
			third->text, third->seal.body_len, third->seal.predecessor_quorum_sig),
		BG_OK);
	assert_int_equal(check(w, f, third, true), BG_ERR_SIGNATURE);
}

static void succession_says_what_changes(void **state)
{
	struct world *w = *state;
	struct bg_seal_changes c;
	char text[BG_CHANGES_TEXT_LEN];

	plan_second(w, "c");
	bg_seal_compare(&w->first.seal, &w->second.seal, &c);
	assert_true(c.is_any);
	assert_string_equal(c.stay, "ops, audit");
	assert_string_equal(c.left, "dba");
	assert_string_equal(c.came, "night, spare");
	assert_string_equal(c.keys_stay, "b (holder of b)");
	assert_string_equal(c.keys_left, "a (holder of a)");
	assert_string_equal(c.keys_came, "c (somebody)");
	bg_seal_changes_text(&w->first.seal, &w->second.seal, text);
	assert_string_equal(text,
		"3 of 4 (was 2 of 3); key left a (holder of a); key came c (somebody); left dba; "
		"came night, spare");
	plan_second(w, "a"); /* the same name, another key */
	bg_seal_compare(&w->first.seal, &w->second.seal, &c);
	assert_string_equal(c.keys_left, "a (holder of a)");
	assert_string_equal(c.keys_came, "a (somebody)");
	bg_seal_compare(&w->first.seal, &w->first.seal, &c);
	assert_false(c.is_any);
	bg_seal_changes_text(&w->first.seal, &w->first.seal, text);
	assert_string_equal(text, "2 of 3; the same people and keys");
}

static void succession_the_longest_lists_fit(void **state)
{
	struct world *w = *state;
	struct bg_seal prev = w->first.seal, next = w->first.seal;
	struct bg_seal_changes c;
	char text[BG_CHANGES_TEXT_LEN];

	prev.custodian_count = next.custodian_count = BG_CUSTODIANS_MAX;
	prev.key_count = next.key_count = BG_KEYS_MAX;
	for (int i = 0; i < BG_CUSTODIANS_MAX; i++) {
		snprintf(prev.custodians[i].name, BG_NAME_LEN + 1, "oldoldold%03d", i);
		snprintf(next.custodians[i].name, BG_NAME_LEN + 1, "newnewnew%03d", i);
	}
	for (int i = 0; i < BG_KEYS_MAX; i++) {
		snprintf(prev.keys[i].name, BG_NAME_LEN + 1, "oldoldold%03d", i);
		snprintf(next.keys[i].name, BG_NAME_LEN + 1, "newnewnew%03d", i);
		memset(prev.keys[i].holder, 'h', BG_HOLDER_LEN);
		memset(next.keys[i].holder, 'g', BG_HOLDER_LEN);
	}
	bg_seal_compare(&prev, &next, &c);
	assert_non_null(strstr(c.came, "newnewnew015"));
	assert_non_null(strstr(c.keys_left, "oldoldold007 (hhhhhhhhhhhhhhhhhhhhhhhh)"));
	bg_seal_changes_text(&prev, &next, text);
	assert_non_null(strstr(text, "newnewnew015"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(succession_of_other_people_and_keys_is_accepted),
		cmocka_unit_test(succession_endorsed_by_a_new_key_only_is_refused),
		cmocka_unit_test(succession_a_key_that_left_endorses_nothing_after),
		cmocka_unit_test(succession_needs_the_quorum_in_force),
		cmocka_unit_test(succession_says_what_changes),
		cmocka_unit_test(succession_the_longest_lists_fit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
