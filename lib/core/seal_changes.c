/* SPDX-License-Identifier: BSD-2-Clause */
/* Who stays, leaves and comes between two seals, in words for people and records. */
#include "text.h"

#include <breakglass/seal.h>

#include <string.h>

static void add(char ret[static BG_CHANGES_LEN], const char *name, const char *holder)
{
	size_t len = strlen(ret);
	struct bg_text t = { .p = ret, .size = BG_CHANGES_LEN, .len = len };

	bg_text_put(&t, "%s%s", len ? ", " : "", name);
	if (holder)
		bg_text_put(&t, " (%s)", holder);
}

/* The same name is another key where the credential is another one: a record names who had it. */
static bool is_same_key(const struct bg_key *a, const struct bg_key *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->holder, b->holder) == 0 &&
	       a->credential_len == b->credential_len &&
	       memcmp(a->credential, b->credential, a->credential_len) == 0;
}

static bool has_key(const struct bg_seal *seal, const struct bg_key *key)
{
	int at = bg_seal_find_key(seal, key->name);

	return at >= 0 && is_same_key(&seal->keys[at], key);
}

void bg_seal_compare(
	const struct bg_seal *prev, const struct bg_seal *next, struct bg_seal_changes *ret)
{
	struct bg_seal_changes c = { .is_any = prev->threshold != next->threshold };

	for (size_t i = 0; i < prev->custodian_count; i++) {
		const char *name = prev->custodians[i].name;

		add(bg_seal_find_custodian(next, name) >= 0 ? c.stay : c.left, name, NULL);
	}
	for (size_t i = 0; i < next->custodian_count; i++)
		if (bg_seal_find_custodian(prev, next->custodians[i].name) < 0)
			add(c.came, next->custodians[i].name, NULL);
	for (size_t i = 0; i < prev->key_count; i++)
		add(has_key(next, &prev->keys[i]) ? c.keys_stay : c.keys_left, prev->keys[i].name,
			prev->keys[i].holder);
	for (size_t i = 0; i < next->key_count; i++)
		if (!has_key(prev, &next->keys[i]))
			add(c.keys_came, next->keys[i].name, next->keys[i].holder);
	if (c.left[0] || c.came[0] || c.keys_left[0] || c.keys_came[0])
		c.is_any = true;
	*ret = c;
}

static void put_list(struct bg_text *t, const char *what, const char *names)
{
	if (names[0])
		bg_text_put(t, "; %s %s", what, names);
}

void bg_seal_changes_text(const struct bg_seal *prev, const struct bg_seal *next,
	char ret[static BG_CHANGES_TEXT_LEN])
{
	struct bg_text t = { .p = ret, .size = BG_CHANGES_TEXT_LEN };
	struct bg_seal_changes c;

	bg_seal_compare(prev, next, &c);
	bg_text_put(&t, "%u of %zu", next->threshold, next->custodian_count);
	if (prev->threshold != next->threshold || prev->custodian_count != next->custodian_count)
		bg_text_put(&t, " (was %u of %zu)", prev->threshold, prev->custodian_count);
	if (!c.is_any)
		bg_text_put(&t, "; the same people and keys");
	put_list(&t, "key left", c.keys_left);
	put_list(&t, "key came", c.keys_came);
	put_list(&t, "left", c.left);
	put_list(&t, "came", c.came);
}
