/* SPDX-License-Identifier: BSD-2-Clause */
#include "limits.h"
#include "state.h"

#include <breakglass/paths.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSIONS_MAX 4096
#define TELL_BURST   40
#define TELL_EACH_MS 60000
#define RESULT_BURST 4096 /* a hundred alerts, a dozen handlers, and a few of such hours */
#define RESULT_MS    1000

static void name_of(uint32_t audit_session, char ret[static BG_STATE_NAME_LEN])
{
	(void)snprintf(ret, BG_STATE_NAME_LEN, "%u", (unsigned int)audit_session);
}

enum bg_err bg_sessions_put(struct bg_crypto *crypto, const struct bg_session *session)
{
	uint8_t buf[BG_RECORD_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	char name[BG_STATE_NAME_LEN];
	enum bg_err err;

	err = bg_record_write_session(crypto, session, &w);
	if (err != BG_OK)
		return err;
	name_of(session->audit_session, name);
	return bg_state_write(BG_PATH_SESSIONS, name, &w);
}

enum bg_err bg_sessions_get(
	struct bg_crypto *crypto, uint32_t audit_session, struct bg_session *ret)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *own = NULL;
	uint8_t buf[BG_RECORD_MAX_LEN];
	char name[BG_STATE_NAME_LEN];
	size_t len = 0;
	enum bg_err err;

	name_of(audit_session, name);
	/* Every caller of su comes by here: one stat is all that it may cost. */
	if (!bg_state_is_there(BG_PATH_SESSIONS, name))
		return BG_ERR_NOENT;
	err = bg_state_read(BG_PATH_SESSIONS, name, buf, &len);
	if (err != BG_OK)
		return err;
	if (crypto == NULL) {
		own = bg_crypto_open();
		crypto = own;
	}
	return crypto == NULL ? BG_ERR_CRYPTO : bg_record_read_session(crypto, buf, len, ret);
}

enum bg_err bg_sessions_update(struct bg_crypto *crypto, uint32_t audit_session,
	bg_session_change_fn *change, void *arg, struct bg_session *ret)
{
	BG_WIPE(bg_state_unlock) int lock = -1;
	struct bg_session session = { 0 };
	enum bg_err err = bg_state_lock(&lock);

	if (err == BG_OK)
		err = bg_sessions_get(crypto, audit_session, &session);
	if (err == BG_OK)
		err = change(arg, &session);
	if (err == BG_OK && session.audit_session != audit_session)
		err = BG_ERR_ARGUMENT;
	if (err == BG_OK)
		err = bg_sessions_put(crypto, &session);
	if (err == BG_OK && ret != NULL)
		*ret = session;
	return err;
}

struct walk {
	struct bg_crypto *crypto;
	void (*each)(void *arg, const struct bg_session *session);
	void *arg;
};

static void walk_one(void *arg, const char *name)
{
	const struct walk *walk = arg;
	struct bg_session session;
	char expected[BG_STATE_NAME_LEN];
	unsigned long number = strtoul(name, NULL, 10);

	if (number > UINT32_MAX)
		return;
	name_of((uint32_t)number, expected);
	if (strcmp(name, expected) == 0 &&
		bg_sessions_get(walk->crypto, (uint32_t)number, &session) == BG_OK &&
		session.audit_session == number && bg_state_is_this_boot(session.boot_id))
		walk->each(walk->arg, &session);
}

void bg_sessions_each(struct bg_crypto *crypto,
	void (*each)(void *arg, const struct bg_session *session), void *arg)
{
	struct walk walk = { crypto, each, arg };

	bg_state_list(BG_PATH_SESSIONS, SESSIONS_MAX, walk_one, &walk);
}

/* What is looked for beside a closed session. */
struct sibling {
	const struct bg_session *closed;
	uint64_t now_ms;
	bool is_found;
};

static void see_sibling(void *arg, const struct bg_session *session)
{
	struct sibling *sibling = arg;

	sibling->is_found |= !session->is_closed && session->uid == sibling->closed->uid &&
			     sibling->now_ms < session->deadline_ms &&
			     memcmp(session->nonce, sibling->closed->nonce, BG_NONCE_LEN) == 0;
}

/* What a dropped line left (a tmux, say) is the same use as long as that goes on elsewhere. */
static bool goes_on(struct bg_crypto *crypto, const struct bg_session *closed)
{
	struct sibling sibling = { .closed = closed, .now_ms = bg_clock_boot_ms() };

	if (!closed->is_revoked)
		bg_sessions_each(crypto, see_sibling, &sibling);
	return sibling.is_found;
}

enum bg_err bg_sessions_live(struct bg_crypto *crypto, uint32_t uid, struct bg_session *ret)
{
	struct bg_session session;
	uint32_t audit_session = 0;
	enum bg_err err = bg_audit_session(&audit_session);

	if (err == BG_OK)
		err = bg_sessions_get(crypto, audit_session, &session);
	if (err != BG_OK)
		return err;
	if (session.audit_session != audit_session || session.uid != uid ||
		!bg_state_is_this_boot(session.boot_id))
		return BG_ERR_MISMATCH;
	if (bg_clock_boot_ms() >= session.deadline_ms)
		return BG_ERR_EXPIRED;
	if (bg_locks_is_after(crypto, session.account, session.lock_id))
		return BG_ERR_LOCKED;
	if (session.is_closed && !goes_on(crypto, &session))
		return BG_ERR_MISMATCH;
	*ret = session;
	return BG_OK;
}

static void number_path(const char *what, uint32_t uid, char *ret, size_t size)
{
	(void)snprintf(ret, size, BG_PATH_RUN "/%s.%u", what, (unsigned int)uid);
}

static uint64_t one_more(uint64_t count)
{
	return count < UINT64_MAX ? count + 1 : count;
}

/* The moment until which what was told is paid for; unchanged when that is too far ahead. */
static uint64_t pay(uint64_t paid_ms, uint64_t burst, uint64_t each_ms)
{
	uint64_t now = bg_clock_boot_ms(), most = now + burst * each_ms;

	if (paid_ms > most || paid_ms < now) /* damaged, or nothing was told for long */
		paid_ms = now;
	return paid_ms + each_ms > most ? paid_ms : paid_ms + each_ms;
}

static uint64_t tell_one(uint64_t paid_ms)
{
	return pay(paid_ms, TELL_BURST, TELL_EACH_MS);
}

static uint64_t tell_result(uint64_t paid_ms)
{
	return pay(paid_ms, RESULT_BURST, RESULT_MS);
}

/* Under the lock: changes the eight bytes of a file in place, which are written whole or not at
   all; what is no such file counts as nought. False: nothing was written. */
static bool change_number(
	const char *path, uint64_t (*next)(uint64_t), uint64_t *ret_before, uint64_t *ret_after)
{
	__attribute__((cleanup(bg_limits_restore))) struct bg_limits limits = { 0 };
	BG_WIPE(bg_state_unlock) int lock = -1;
	uint64_t before = 0, after;
	bool is_written;
	int fd;

	bg_limits_lift(&limits);
	if (bg_state_lock(&lock) != BG_OK)
		return false;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0)
		return false;
	if (pread(fd, &before, sizeof(before), 0) != (ssize_t)sizeof(before))
		before = 0;
	after = next(before);
	is_written = bg_limits_allow(sizeof(after)) &&
		     pwrite(fd, &after, sizeof(after), 0) == (ssize_t)sizeof(after);
	(void)close(fd);
	*ret_before = before;
	*ret_after = after;
	return is_written;
}

uint64_t bg_attempts_count(uint32_t uid)
{
	uint64_t before, after;
	char path[64];

	number_path("attempts", uid, path, sizeof(path));
	return change_number(path, one_more, &before, &after) ? after : 0;
}

bool bg_attempts_may_tell(uint32_t uid)
{
	uint64_t before, after;
	char path[64];

	number_path("told", uid, path, sizeof(path));
	return !change_number(path, tell_one, &before, &after) || before != after;
}

bool bg_results_may_tell(void)
{
	uint64_t before, after;

	return !change_number(BG_PATH_RUN "/results", tell_result, &before, &after) ||
	       before != after;
}

void bg_attempts_reset(uint32_t uid)
{
	char path[64];

	number_path("attempts", uid, path, sizeof(path));
	(void)unlink(path);
	number_path("told", uid, path, sizeof(path));
	(void)unlink(path);
}
