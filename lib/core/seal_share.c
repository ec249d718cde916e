/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose share, whose key. */
#include <breakglass/seal.h>

#include <string.h>

int bg_seal_find_key(const struct bg_seal *seal, const char *name)
{
	for (size_t i = 0; i < seal->key_count && i < BG_KEYS_MAX; i++)
		if (strcmp(seal->keys[i].name, name) == 0)
			return (int)i;
	return -1;
}

int bg_seal_find_custodian(const struct bg_seal *seal, const char *name)
{
	for (size_t i = 0; i < seal->custodian_count && i < BG_CUSTODIANS_MAX; i++)
		if (strcmp(seal->custodians[i].name, name) == 0)
			return (int)i;
	return -1;
}

void bg_seal_custodian_names(
	const struct bg_seal *seal, const bool *is_picked, char *ret, size_t len)
{
	size_t used = 0;

	if (len == 0)
		return;
	for (size_t i = 0; i < seal->custodian_count && i < BG_CUSTODIANS_MAX; i++) {
		const char *parts[] = { used > 0 ? ", " : "", seal->custodians[i].name };

		if (is_picked != NULL && !is_picked[i])
			continue;
		for (size_t j = 0; j < 2; j++) {
			size_t n = strnlen(parts[j], len - 1 - used);

			memcpy(ret + used, parts[j], n);
			used += n;
		}
	}
	ret[used] = '\0';
}

/* One set of shares: the one in force, or a retired one. */
struct set {
	const uint8_t *set_id;
	uint32_t epoch;
	const struct bg_custodian *custodians;
	size_t count;
};

/* The position of the custodian whose key value gives, or BG_ERR_NOENT. */
static enum bg_err find_holder(struct bg_crypto *crypto, const struct set *set,
	uint8_t member_index, const struct bg_secret *value, size_t *ret,
	struct bg_secret *ret_seed)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret seed = { 0 };
	uint8_t pub[BG_ED25519_PUB_LEN];
	enum bg_err err;

	err = bg_custodian_seed(crypto, value, set->set_id, set->epoch, member_index, &seed);
	if (err == BG_OK)
		err = bg_ed25519_public(crypto, &seed, pub);
	if (err != BG_OK)
		return err;
	for (size_t i = 0; i < set->count && i < BG_CUSTODIANS_MAX; i++) {
		if (set->custodians[i].index != member_index ||
			!bg_equal(set->custodians[i].pub, pub, sizeof(pub)))
			continue;
		*ret = i;
		*ret_seed = seed;
		return BG_OK;
	}
	return BG_ERR_NOENT;
}

static enum bg_err find_retired(struct bg_crypto *crypto, const struct bg_seal *seal, int slip39_id,
	uint8_t member_index, const struct bg_secret *value, bool *is_known, size_t *ret_custodian,
	uint32_t *ret_epoch)
{
	for (size_t i = 0; i < seal->retired_count && i < BG_RETIRED_MAX; i++) {
		const struct bg_retired *r = &seal->retired[i];
		struct set set = { r->set_id, r->epoch, r->custodians, r->custodian_count };
		BG_WIPE(bg_secret_wipe) struct bg_secret seed = { 0 };
		enum bg_err err;

		if (slip39_id >= 0 && slip39_id != r->slip39_id)
			continue;
		*is_known = true;
		err = find_holder(crypto, &set, member_index, value, ret_custodian, &seed);
		if (err == BG_OK)
			*ret_epoch = r->epoch;
		if (err != BG_ERR_NOENT)
			return err;
	}
	return BG_ERR_NOENT;
}

enum bg_err bg_seal_share_standing(struct bg_crypto *crypto, const struct bg_seal *seal,
	int slip39_id, uint8_t member_index, const struct bg_secret *value,
	enum bg_share_standing *ret, size_t *ret_custodian, uint32_t *ret_epoch,
	struct bg_secret *ret_seed)
{
	struct set current = { seal->set_id, seal->epoch, seal->custodians, seal->custodian_count };
	bool is_known = slip39_id < 0 || slip39_id == seal->slip39_id;
	enum bg_err err = BG_ERR_NOENT;

	if (is_known)
		err = find_holder(crypto, &current, member_index, value, ret_custodian, ret_seed);
	if (err == BG_OK) {
		*ret_epoch = seal->epoch;
		*ret = BG_SHARE_CURRENT;
	}
	if (err != BG_ERR_NOENT)
		return err;
	err = find_retired(
		crypto, seal, slip39_id, member_index, value, &is_known, ret_custodian, ret_epoch);
	if (err == BG_OK)
		*ret = BG_SHARE_RETIRED;
	else if (err == BG_ERR_NOENT)
		*ret = is_known ? BG_SHARE_UNKNOWN : BG_SHARE_OTHER_SET;
	else
		return err;
	return BG_OK;
}
