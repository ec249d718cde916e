/* SPDX-License-Identifier: BSD-2-Clause */
/* `locked`: what `revoke --lock` leaves. */
#include "text.h"

#include <breakglass/account_lock.h>
#include <breakglass/ini.h>

#include <string.h>

static enum bg_err set_id(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	static const uint8_t none[BG_LOCK_ID_LEN];
	struct bg_account_lock *lock = object;
	enum bg_err err = bg_ini_hex(v, sizeof(lock->id), lock->id, diag);

	if (err == BG_OK && memcmp(lock->id, none, sizeof(none)) == 0)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "\"%s\" must not be zeros", v->key);
	return err;
}

static enum bg_err set_at(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_account_lock *lock = object;

	/* Of a clock that may be wrong: any text, shown and not understood. */
	return bg_ini_text(v, BG_LOCK_TIME_LEN, lock->at, diag);
}

static enum bg_err set_by(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_account_lock *lock = object;

	return bg_ini_text(v, BG_LOCK_BY_LEN, lock->by, diag);
}

static const struct bg_ini_rule rules[] = {
	{ "lock", false, "id", true, false, set_id },
	{ "lock", false, "at", true, false, set_at },
	{ "lock", false, "by", true, false, set_by },
};

static const struct bg_ini_schema schema = { .rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]) };

enum bg_err bg_account_lock_parse(const char *text, size_t len, const char *where,
	struct bg_account_lock *ret, struct bg_diag *diag)
{
	struct bg_account_lock lock = { 0 };
	enum bg_err err = bg_ini_parse(text, len, where, &schema, &lock, diag);

	if (err == BG_OK)
		*ret = lock;
	return err;
}

enum bg_err bg_account_lock_write(
	const struct bg_account_lock *lock, char *ret, size_t ret_size, size_t *ret_len)
{
	struct bg_text t = { .p = ret, .size = ret_size };

	bg_text_put(&t, "# Any key and a fresh quorum lift this: bg-unlock(1), revoke.\n[lock]\n");
	bg_text_hex(&t, "id", lock->id, sizeof(lock->id));
	bg_text_put(&t, "at = %s\nby = %s\n", lock->at, lock->by);
	if (t.is_full)
		return BG_ERR_TOO_BIG;
	*ret_len = t.len;
	return BG_OK;
}
