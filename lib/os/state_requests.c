/* SPDX-License-Identifier: BSD-2-Clause */
#include "state.h"

#include <breakglass/paths.h>
#include <string.h>

/* A live request is kept for a day past its deadline, for `log` and `review`. */
#define KEEP_MS (24 * 3600 * (uint64_t)1000)
/* A satisfied one is not swept from under a grant that was issued in its last minute. */
#define GRANT_GRACE_MS (600 * (uint64_t)1000)

static const struct {
	enum bg_phase from, to;
} edges[] = {
	{ BG_PHASE_NONE, BG_PHASE_OPEN },
	{ BG_PHASE_OPEN, BG_PHASE_FIXED },
	{ BG_PHASE_OPEN, BG_PHASE_ABANDONED },
	{ BG_PHASE_FIXED, BG_PHASE_SATISFIED },
	{ BG_PHASE_FIXED, BG_PHASE_ABANDONED },
	{ BG_PHASE_SATISFIED, BG_PHASE_LIVE },
	{ BG_PHASE_SATISFIED, BG_PHASE_ENDED },
	{ BG_PHASE_LIVE, BG_PHASE_ENDED },
};

bool bg_phase_may(enum bg_phase from, enum bg_phase to)
{
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		if (edges[i].from == from && edges[i].to == to)
			return true;
	}
	return false;
}

static void name_of(const uint8_t nonce[static BG_NONCE_LEN], char ret[static BG_STATE_NAME_LEN])
{
	bg_hex_encode(nonce, BG_NONCE_LEN, ret);
}

static enum bg_err read_record(
	struct bg_crypto *crypto, const char *name, struct bg_request_record *ret)
{
	uint8_t buf[BG_RECORD_MAX_LEN];
	char expected[BG_STATE_NAME_LEN];
	size_t len = 0;
	enum bg_err err = bg_state_read(BG_PATH_REQUESTS, name, buf, &len);

	if (err == BG_OK)
		err = bg_record_read_request(crypto, buf, len, ret);
	if (err != BG_OK)
		return err;
	name_of(ret->request.nonce, expected);
	return strcmp(expected, name) == 0 ? BG_OK : BG_ERR_SYNTAX;
}

static enum bg_err write_record(struct bg_crypto *crypto, const struct bg_request_record *record)
{
	uint8_t buf[BG_RECORD_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	char name[BG_STATE_NAME_LEN];
	enum bg_err err = bg_record_write_request(crypto, record, &w);

	if (err != BG_OK)
		return err;
	name_of(record->request.nonce, name);
	return bg_state_write(BG_PATH_REQUESTS, name, &w);
}

/* Until when a record in its phase is of use. */
static uint64_t end_of(const struct bg_request_record *record)
{
	return record->phase == BG_PHASE_LIVE ? record->deadline_ms : record->expires_ms;
}

static bool is_ended(enum bg_phase phase)
{
	return phase == BG_PHASE_ENDED || phase == BG_PHASE_ABANDONED;
}

/* key and seal_digest: NULL for any. */
struct search {
	struct bg_crypto *crypto;
	enum bg_purpose purpose;
	const char *account, *key;
	const uint8_t *seal_digest;
	unsigned int phase_mask;
	uint64_t now_ms;
	bool is_to_go_on; /* else it is only looked at */
	bool is_found;
	struct bg_request_record best;
};

static void consider(void *arg, const char *name)
{
	struct search *search = arg;
	struct bg_request_record record;

	if (read_record(search->crypto, name, &record) != BG_OK ||
		(search->phase_mask & (1u << record.phase)) == 0 ||
		record.request.purpose != search->purpose ||
		strcmp(record.request.account, search->account) != 0 ||
		(search->key != NULL && strcmp(record.request.key, search->key) != 0) ||
		(search->seal_digest != NULL && memcmp(record.request.seal_digest,
							search->seal_digest, BG_SHA256_LEN) != 0) ||
		search->now_ms >= end_of(&record) || !bg_state_is_this_boot(record.boot_id))
		return;
	if (search->is_found && record.opened_ms <= search->best.opened_ms)
		return;
	if (search->is_to_go_on &&
		bg_locks_is_after(search->crypto, search->account, record.lock_id))
		return;
	search->best = record;
	search->is_found = true;
}

static enum bg_err search_all(struct search *search, struct bg_request_record *ret)
{
	search->now_ms = bg_clock_boot_ms();
	bg_state_list(BG_PATH_REQUESTS, 2 * BG_REQUESTS_MAX, consider, search);
	if (!search->is_found)
		return BG_ERR_NOENT;
	*ret = search->best;
	return BG_OK;
}

enum bg_err bg_requests_find(struct bg_crypto *crypto, enum bg_purpose purpose, const char *account,
	const char *key, const uint8_t seal_digest[static BG_SHA256_LEN], unsigned int phase_mask,
	struct bg_request_record *ret)
{
	struct search search = { .crypto = crypto,
		.purpose = purpose,
		.account = account,
		.key = key,
		.seal_digest = seal_digest,
		.phase_mask = phase_mask,
		.is_to_go_on = true };

	return search_all(&search, ret);
}

enum bg_err bg_requests_newest(struct bg_crypto *crypto, enum bg_purpose purpose,
	const char *account, struct bg_request_record *ret)
{
	struct search search = {
		.crypto = crypto, .purpose = purpose, .account = account, .phase_mask = ~0u
	};

	return search_all(&search, ret);
}

enum bg_err bg_requests_get(struct bg_crypto *crypto, const uint8_t nonce[static BG_NONCE_LEN],
	struct bg_request_record *ret)
{
	char name[BG_STATE_NAME_LEN];

	name_of(nonce, name);
	return read_record(crypto, name, ret);
}

enum bg_err bg_requests_update(struct bg_crypto *crypto, const uint8_t nonce[static BG_NONCE_LEN],
	uint64_t owner, bg_request_change_fn *change, void *arg, struct bg_request_record *ret)
{
	BG_WIPE(bg_state_unlock) int lock = -1;
	struct bg_request_record record;
	char name[BG_STATE_NAME_LEN];
	enum bg_phase before;
	enum bg_err err;

	err = bg_state_lock(&lock);
	if (err != BG_OK)
		return err;
	name_of(nonce, name);
	err = read_record(crypto, name, &record);
	if (err != BG_OK)
		return err;
	if (!bg_state_is_this_boot(record.boot_id))
		return BG_ERR_EXPIRED;
	if (owner != 0 && record.owner != owner)
		return BG_ERR_TAKEN_OVER;
	/* Whoever dropped a request himself asks no more for it. */
	if (is_ended(record.phase))
		return BG_ERR_REVOKED;
	before = record.phase;
	err = change(arg, &record);
	if (err == BG_OK && !is_ended(record.phase) &&
		bg_locks_is_after(crypto, record.request.account, record.lock_id))
		err = BG_ERR_LOCKED;
	if (err == BG_OK && record.phase != before && !bg_phase_may(before, record.phase))
		err = BG_ERR_STATE;
	/* The nonce names the file: a change that moved it would leave two. */
	if (err == BG_OK && memcmp(record.request.nonce, nonce, BG_NONCE_LEN) != 0)
		err = BG_ERR_ARGUMENT;
	if (err == BG_OK)
		err = write_record(crypto, &record);
	if (err == BG_OK && ret != NULL)
		*ret = record;
	return err;
}

enum bg_err bg_requests_stand(struct bg_crypto *crypto, const uint8_t nonce[static BG_NONCE_LEN])
{
	struct bg_request_record record;
	enum bg_err err = bg_requests_get(crypto, nonce, &record);

	if (err == BG_ERR_NOENT)
		return BG_ERR_REVOKED; /* swept, or never there */
	if (err != BG_OK)
		return err;
	if ((record.phase != BG_PHASE_SATISFIED && record.phase != BG_PHASE_LIVE) ||
		!bg_state_is_this_boot(record.boot_id))
		return BG_ERR_REVOKED;
	return bg_locks_is_after(crypto, record.request.account, record.lock_id) ? BG_ERR_LOCKED
										 : BG_OK;
}

struct walk {
	struct bg_crypto *crypto;
	void (*each)(void *arg, const struct bg_request_record *record);
	void *arg;
};

static void walk_one(void *arg, const char *name)
{
	struct walk *walk = arg;
	struct bg_request_record record;

	if (read_record(walk->crypto, name, &record) == BG_OK &&
		bg_state_is_this_boot(record.boot_id) && !is_ended(record.phase) &&
		bg_clock_boot_ms() < end_of(&record))
		walk->each(walk->arg, &record);
}

void bg_requests_each(struct bg_crypto *crypto,
	void (*each)(void *arg, const struct bg_request_record *record), void *arg)
{
	struct walk walk = { .crypto = crypto, .each = each, .arg = arg };

	bg_state_list(BG_PATH_REQUESTS, 2 * BG_REQUESTS_MAX, walk_one, &walk);
}

struct sweep {
	struct bg_crypto *crypto;
	uint64_t now_ms;
	bool is_quiet; /* leaves what its caller would have to be told */
	void (*each)(void *arg, const struct bg_request_record *record);
	void *arg;
};

static bool is_past(uint64_t now_ms, uint64_t end_ms, uint64_t grace_ms)
{
	return now_ms >= end_ms && now_ms - end_ms >= grace_ms;
}

static bool is_over(const struct sweep *sweep, const struct bg_request_record *record)
{
	switch (record->phase) {
	case BG_PHASE_OPEN:
	case BG_PHASE_FIXED:
		return sweep->now_ms >= record->expires_ms;
	case BG_PHASE_SATISFIED:
		return is_past(sweep->now_ms, record->expires_ms, GRANT_GRACE_MS);
	case BG_PHASE_LIVE:
		return is_past(sweep->now_ms, record->deadline_ms, KEEP_MS);
	case BG_PHASE_NONE:
	case BG_PHASE_ENDED:
	case BG_PHASE_ABANDONED:
		break;
	}
	return true;
}

/* Its end was never recorded: whoever sweeps it tells it. */
static bool is_owed(const struct bg_request_record *record)
{
	return record->phase == BG_PHASE_OPEN || record->phase == BG_PHASE_FIXED;
}

static void sweep_one(void *arg, const char *name)
{
	struct sweep *sweep = arg;
	struct bg_request_record record;
	enum bg_err err = read_record(sweep->crypto, name, &record);

	if (err == BG_OK && bg_state_is_this_boot(record.boot_id) && !is_over(sweep, &record))
		return;
	/* An error of reading may be of this moment; only what is surely no record goes. */
	if (err != BG_OK && err != BG_ERR_SYNTAX)
		return;
	/* Told first, removed then: a process killed in between tells it twice, never not. */
	if (err == BG_OK && is_owed(&record)) {
		if (sweep->is_quiet)
			return;
		if (sweep->each != NULL)
			sweep->each(sweep->arg, &record);
	}
	bg_state_remove(BG_PATH_REQUESTS, name);
}

void bg_requests_sweep(struct bg_crypto *crypto,
	void (*each)(void *arg, const struct bg_request_record *record), void *arg)
{
	BG_WIPE(bg_state_unlock) int lock = -1;
	struct sweep sweep = {
		.crypto = crypto, .now_ms = bg_clock_boot_ms(), .each = each, .arg = arg
	};

	if (bg_state_lock(&lock) != BG_OK)
		return;
	bg_state_tidy(BG_PATH_REQUESTS);
	bg_state_list(BG_PATH_REQUESTS, 2 * BG_REQUESTS_MAX, sweep_one, &sweep);
}

static void count_one(void *arg, const char *name)
{
	size_t *count = arg;

	(void)name;
	(*count)++;
}

static size_t count_all(void)
{
	size_t count = 0;

	bg_state_list(BG_PATH_REQUESTS, BG_REQUESTS_MAX, count_one, &count);
	return count;
}

enum bg_err bg_requests_add(struct bg_crypto *crypto, const struct bg_request_record *record)
{
	BG_WIPE(bg_state_unlock) int lock = -1;
	struct sweep sweep = { .crypto = crypto, .now_ms = bg_clock_boot_ms(), .is_quiet = true };
	enum bg_err err;

	err = bg_state_lock(&lock);
	if (err != BG_OK)
		return err;
	if (count_all() >= BG_REQUESTS_MAX)
		bg_state_list(BG_PATH_REQUESTS, 2 * BG_REQUESTS_MAX, sweep_one, &sweep);
	if (count_all() >= BG_REQUESTS_MAX)
		return BG_ERR_BUSY;
	return write_record(crypto, record);
}
