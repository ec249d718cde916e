/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks beside requests: what was opened under another lock stands no more, in each function alone
   (in a login several of them ask, and each would hide that another does not). */
#include "unit.h"

#include "private_ns.h"
#include "state_fixture.h"
#include "state_stage.h"

#include <breakglass/os_file.h>
#include <breakglass/paths.h>

#define ACCOUNT	 "breakglass"
#define FOLDER	 BG_PATH_ACCOUNTS "/" ACCOUNT
#define LOCKED	 FOLDER "/locked"
#define SEAL_KEY "a"

static int setup_account(void **state)
{
	if (setup(state) != 0)
		return -1;
	(void)mkdir("/etc/breakglass", 0755);
	(void)mkdir(BG_PATH_ACCOUNTS, 0755);
	return mkdir(FOLDER, 0755);
}

static int teardown_account(void **state)
{
	(void)unlink(LOCKED);
	return rmdir(FOLDER) | teardown(state);
}

static void id_now(uint8_t ret[static BG_LOCK_ID_LEN])
{
	struct bg_lock_state lock;

	bg_locks_look(crypto, ACCOUNT, &lock);
	memcpy(ret, lock.lock.id, BG_LOCK_ID_LEN);
}

/* A request of that phase, opened under the lock that stands now. */
static struct bg_request_record opened(uint8_t tag, enum bg_phase phase)
{
	struct bg_request_record r = fixture_request(tag);

	fixture_text(r.boot_id, boot_id);
	r.phase = phase;
	r.opened_ms = bg_clock_boot_ms();
	r.expires_ms = r.deadline_ms = r.opened_ms + 600000;
	id_now(r.lock_id);
	assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	return r;
}

static enum bg_err stand(const struct bg_request_record *r)
{
	return bg_requests_stand(crypto, r->request.nonce);
}

static void lock(void)
{
	assert_int_equal(bg_locks_put(ACCOUNT, "root (test)", NULL), BG_OK);
}

static void lift(void)
{
	uint8_t id[BG_LOCK_ID_LEN];

	id_now(id);
	assert_int_equal(bg_locks_lift(crypto, ACCOUNT, id), BG_OK);
}

static void requests_stand_in_two_phases_of_this_boot(void **state)
{
	static const struct {
		enum bg_phase phase;
		enum bg_err err;
	} rows[] = {
		{ BG_PHASE_OPEN, BG_ERR_REVOKED },
		{ BG_PHASE_FIXED, BG_ERR_REVOKED },
		{ BG_PHASE_SATISFIED, BG_OK },
		{ BG_PHASE_LIVE, BG_OK },
		{ BG_PHASE_ENDED, BG_ERR_REVOKED },
		{ BG_PHASE_ABANDONED, BG_ERR_REVOKED },
	};
	struct bg_request_record r;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		r = opened((uint8_t)(i + 1), rows[i].phase);
		assert_int_equal(stand(&r), rows[i].err);
	}
	r = fixture_request(20);
	assert_int_equal(stand(&r), BG_ERR_REVOKED); /* never there */
	r.phase = BG_PHASE_SATISFIED;
	assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	assert_int_equal(stand(&r), BG_ERR_REVOKED); /* of another boot */
	r = opened(21, BG_PHASE_LIVE);
	assert_int_equal(truncate(BG_PATH_REQUESTS "/15151515151515151515151515151515", 50), 0);
	assert_int_equal(stand(&r), BG_ERR_SYNTAX);
}

static void requests_stand_under_the_lock_that_they_were_opened_under(void **state)
{
	struct bg_request_record before = opened(1, BG_PHASE_SATISFIED), during, after;

	(void)state;
	lock();
	assert_int_equal(stand(&before), BG_ERR_LOCKED);
	during = opened(2, BG_PHASE_LIVE);
	assert_int_equal(stand(&during), BG_OK);
	lift();
	assert_int_equal(stand(&before), BG_ERR_LOCKED); /* a quorum lifted it for others */
	assert_int_equal(stand(&during), BG_OK);
	assert_int_equal(bg_locks_settle(crypto, ACCOUNT, NULL), BG_OK);
	assert_int_equal(stand(&before), BG_ERR_LOCKED); /* its file is gone, the mark is not */
	assert_int_equal(stand(&during), BG_OK);
	after = opened(3, BG_PHASE_SATISFIED);
	assert_int_equal(stand(&after), BG_OK);
	lock();
	assert_int_equal(stand(&before), BG_ERR_LOCKED);
	assert_int_equal(stand(&during), BG_ERR_LOCKED);
	assert_int_equal(stand(&after), BG_ERR_LOCKED);
}

static void requests_damaged_lock_locks_what_was_before(void **state)
{
	struct bg_request_record before = opened(1, BG_PHASE_LIVE), during;

	(void)state;
	assert_int_equal(bg_file_replace(LOCKED, 0, 0600, "x", 1, NULL), BG_OK);
	assert_int_equal(stand(&before), BG_ERR_LOCKED);
	during = opened(2, BG_PHASE_LIVE);
	assert_int_equal(stand(&during), BG_OK);
	lift();
	assert_int_equal(stand(&during), BG_OK);
	/* the mark that it was lifted is spoilt: not as if nothing had ever been locked */
	assert_int_equal(unlink(LOCKED), 0);
	assert_int_equal(bg_file_replace(BG_PATH_LOCKS "/" ACCOUNT, 0, 0600, "x", 1, NULL), BG_OK);
	assert_int_equal(stand(&before), BG_ERR_LOCKED);
	assert_int_equal(stand(&during), BG_ERR_LOCKED);
}

static enum bg_err satisfy(void *arg, struct bg_request_record *record)
{
	record->phase = *(const enum bg_phase *)arg;
	return BG_OK;
}

static void requests_of_before_a_lock_are_not_gone_on_with(void **state)
{
	struct bg_request_record before = opened(1, BG_PHASE_FIXED), got;
	enum bg_phase to = BG_PHASE_SATISFIED;

	(void)state;
	lock();
	assert_int_equal(bg_requests_find(crypto, BG_PURPOSE_EMERGENCY, ACCOUNT, SEAL_KEY,
				 before.request.seal_digest, 1u << BG_PHASE_FIXED, &got),
		BG_ERR_NOENT);
	assert_int_equal(
		bg_requests_update(crypto, before.request.nonce, before.owner, satisfy, &to, NULL),
		BG_ERR_LOCKED);
	assert_int_equal(bg_requests_get(crypto, before.request.nonce, &got), BG_OK);
	assert_int_equal(got.phase, BG_PHASE_FIXED);
	/* its end may still be written */
	to = BG_PHASE_ABANDONED;
	assert_int_equal(
		bg_requests_update(crypto, before.request.nonce, before.owner, satisfy, &to, NULL),
		BG_OK);
}

static void locks_quorum_lifts_its_own_lock_only(void **state)
{
	uint8_t first[BG_LOCK_ID_LEN];
	struct bg_lock_state now;

	(void)state;
	lock();
	id_now(first);
	lock();
	assert_int_equal(bg_locks_lift(crypto, ACCOUNT, first), BG_ERR_LOCKED);
	bg_locks_look(crypto, ACCOUNT, &now);
	assert_true(now.is_locked);
	assert_int_equal(bg_locks_settle(crypto, ACCOUNT, NULL), BG_ERR_NOENT);
	lift();
	bg_locks_look(crypto, ACCOUNT, &now);
	assert_true(now.is_there && !now.is_locked && !now.is_damaged);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_account, teardown_account)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_stand_in_two_phases_of_this_boot),
		TEST(requests_stand_under_the_lock_that_they_were_opened_under),
		TEST(requests_damaged_lock_locks_what_was_before),
		TEST(requests_of_before_a_lock_are_not_gone_on_with),
		TEST(locks_quorum_lifts_its_own_lock_only),
	};

	private_ns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
