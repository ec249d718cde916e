/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests, grants, sessions and attempts below /run/breakglass, in a namespace of the test's own.
 */
#include "unit.h"

#include "fds.h"
#include "private_ns.h"
#include "state_fixture.h"
#include "state_stage.h"
#include "steps.h"

#include <breakglass/os_file.h>
#include <breakglass/paths.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

static unsigned int files_in(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_type == DT_REG;
	closedir(dir);
	return n;
}

static struct bg_request_record request_of(uint8_t tag, enum bg_phase phase)
{
	struct bg_request_record r = fixture_request(tag);

	fixture_text(r.boot_id, boot_id);
	r.phase = phase;
	r.opened_ms = bg_clock_boot_ms();
	r.expires_ms = r.opened_ms + 600000;
	r.deadline_ms = r.opened_ms + 600000;
	return r;
}

#define MASK(phase) (1u << (phase))
#define ANY	    (MASK(BG_PHASE_OPEN) | MASK(BG_PHASE_FIXED) | MASK(BG_PHASE_LIVE))

static enum bg_err find(unsigned int mask, struct bg_request_record *ret)
{
	struct bg_request_record r = fixture_request(0);

	return bg_requests_find(
		crypto, BG_PURPOSE_EMERGENCY, "breakglass", "a", r.request.seal_digest, mask, ret);
}

static void state_prepare_makes_private_folders(void **state)
{
	static const char *const folders[] = { BG_PATH_REQUESTS, BG_PATH_GRANTS, BG_PATH_SESSIONS,
		BG_PATH_DRILLS, BG_PATH_RUN_LOG };
	struct stat st;

	(void)state;
	for (size_t i = 0; i < LEN(folders); i++) {
		assert_int_equal(lstat(folders[i], &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	assert_int_equal(bg_state_prepare(NULL), BG_OK);
	assert_int_equal(rmdir(BG_PATH_GRANTS), 0);
	assert_int_equal(symlink("/run", BG_PATH_GRANTS), 0);
	assert_int_equal(bg_state_prepare(NULL), BG_ERR_UNSAFE);
}

static void state_phases_go_along_the_table_only(void **state)
{
	static const struct {
		enum bg_phase from, to;
	} edges[] = {
		{ BG_PHASE_NONE, BG_PHASE_OPEN },
		{ BG_PHASE_OPEN, BG_PHASE_FIXED },
		{ BG_PHASE_FIXED, BG_PHASE_SATISFIED },
		{ BG_PHASE_SATISFIED, BG_PHASE_LIVE },
		{ BG_PHASE_LIVE, BG_PHASE_ENDED },
		{ BG_PHASE_SATISFIED, BG_PHASE_ENDED },
		{ BG_PHASE_OPEN, BG_PHASE_ABANDONED },
		{ BG_PHASE_FIXED, BG_PHASE_ABANDONED },
	};
	unsigned int n = 0;

	(void)state;
	for (size_t i = 0; i < LEN(edges); i++)
		assert_true(bg_phase_may(edges[i].from, edges[i].to));
	for (int from = 0; from <= BG_PHASE_ABANDONED + 1; from++)
		for (int to = 0; to <= BG_PHASE_ABANDONED + 1; to++)
			n += bg_phase_may((enum bg_phase)from, (enum bg_phase)to);
	assert_int_equal(n, LEN(edges));
}

static void requests_newest_match_is_found(void **state)
{
	struct bg_request_record a = request_of(1, BG_PHASE_OPEN),
				 b = request_of(2, BG_PHASE_FIXED);
	struct bg_request_record got;

	(void)state;
	a.opened_ms = b.opened_ms - 5;
	assert_int_equal(find(ANY, &got), BG_ERR_NOENT);
	assert_int_equal(bg_requests_add(crypto, &a), BG_OK);
	assert_int_equal(bg_requests_add(crypto, &b), BG_OK);
	assert_int_equal(find(ANY, &got), BG_OK);
	assert_int_equal(got.request.nonce[0], 2);
	assert_int_equal(find(MASK(BG_PHASE_OPEN), &got), BG_OK);
	assert_int_equal(got.request.nonce[0], 1);
	assert_int_equal(find(MASK(BG_PHASE_LIVE), &got), BG_ERR_NOENT);
	assert_int_equal(bg_requests_get(crypto, a.request.nonce, &got), BG_OK);
	assert_memory_equal(&got.tally, &a.tally, sizeof(a.tally));
}

static void requests_other_ones_are_not_found(void **state)
{
	struct bg_request_record r, got;

	(void)state;
	for (int i = 0; i < 6; i++) {
		r = request_of((uint8_t)(i + 1), BG_PHASE_FIXED);
		if (i == 0)
			fixture_text(r.request.account, "breakglass2");
		else if (i == 1)
			fixture_text(r.request.key, "b");
		else if (i == 2)
			r.request.seal_digest[31] ^= 1;
		else if (i == 3)
			fixture_text(r.boot_id, FIXTURE_BOOT);
		else if (i == 4)
			r.expires_ms = bg_clock_boot_ms();
		else
			r.phase = BG_PHASE_ABANDONED;
		assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	}
	assert_int_equal(find(ANY, &got), BG_ERR_NOENT);
	r = request_of(20, BG_PHASE_LIVE);
	r.deadline_ms = bg_clock_boot_ms();
	assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	assert_int_equal(find(ANY, &got), BG_ERR_NOENT);
}

static void requests_damaged_or_renamed_is_absent(void **state)
{
	struct bg_request_record r = request_of(1, BG_PHASE_FIXED), got;
	char path[128];
	int fd;

	(void)state;
	assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	(void)snprintf(path, sizeof(path), BG_PATH_REQUESTS "/%032d", 1);
	assert_int_equal(rename(BG_PATH_REQUESTS "/01010101010101010101010101010101", path), 0);
	assert_int_equal(find(ANY, &got), BG_ERR_NOENT);
	assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	fd = open(BG_PATH_REQUESTS "/01010101010101010101010101010101", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 100), 1);
	close(fd);
	assert_int_equal(find(ANY, &got), BG_ERR_NOENT);
	assert_int_equal(bg_requests_get(crypto, r.request.nonce, &got), BG_ERR_SYNTAX);
	bg_requests_sweep(crypto, NULL, NULL);
	assert_int_equal(files_in(BG_PATH_REQUESTS), 0);
}

static enum bg_err set_phase(void *arg, struct bg_request_record *record)
{
	record->phase = *(const enum bg_phase *)arg;
	return BG_OK;
}

static enum bg_err set_nonce(void *arg, struct bg_request_record *record)
{
	record->request.nonce[0] = *(const uint8_t *)arg;
	return BG_OK;
}

static enum bg_err refuse(void *arg, struct bg_request_record *record)
{
	(void)arg;
	record->epoch = 99;
	return BG_ERR_DENIED;
}

static void requests_update_checks_owner_phase_and_nonce(void **state)
{
	struct bg_request_record r = request_of(1, BG_PHASE_FIXED), got;
	enum bg_phase to = BG_PHASE_LIVE;
	uint8_t other = 9;

	(void)state;
	assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	assert_int_equal(
		bg_requests_update(crypto, r.request.nonce, r.owner + 1, set_phase, &to, NULL),
		BG_ERR_TAKEN_OVER);
	assert_int_equal(bg_requests_update(crypto, r.request.nonce, r.owner, set_phase, &to, NULL),
		BG_ERR_STATE);
	assert_int_equal(bg_requests_update(crypto, r.request.nonce, 0, set_nonce, &other, NULL),
		BG_ERR_ARGUMENT);
	assert_int_equal(
		bg_requests_update(crypto, r.request.nonce, 0, refuse, NULL, NULL), BG_ERR_DENIED);
	assert_int_equal(bg_requests_get(crypto, r.request.nonce, &got), BG_OK);
	assert_int_equal(got.phase, BG_PHASE_FIXED);
	assert_int_equal(got.epoch, r.epoch);
	assert_int_equal(files_in(BG_PATH_REQUESTS), 1);
	to = BG_PHASE_SATISFIED;
	assert_int_equal(
		bg_requests_update(crypto, r.request.nonce, r.owner, set_phase, &to, &got), BG_OK);
	assert_int_equal(got.phase, BG_PHASE_SATISFIED);
	r.request.nonce[3] ^= 1;
	assert_int_equal(
		bg_requests_update(crypto, r.request.nonce, 0, set_phase, &to, NULL), BG_ERR_NOENT);
}

static void count_told(void *arg, const struct bg_request_record *record)
{
	unsigned int *told = arg;

	*told |= 1u << record->request.nonce[0];
}

static void requests_sweep_tells_and_removes_what_is_over(void **state)
{
	static const struct {
		enum bg_phase phase;
		int64_t end_ms; /* from now */
		bool is_kept, is_told;
	} rows[] = {
		{ BG_PHASE_OPEN, 60000, true, false },
		{ BG_PHASE_OPEN, 0, false, true },
		{ BG_PHASE_FIXED, 60000, true, false },
		{ BG_PHASE_FIXED, 0, false, true },
		{ BG_PHASE_SATISFIED, 60000, true, false },
		{ BG_PHASE_SATISFIED, 0, true, false }, /* a grant may be out */
		{ BG_PHASE_SATISFIED, -600000, false, false },
		{ BG_PHASE_LIVE, 60000, true, false },
		{ BG_PHASE_LIVE, -86000000, true, false },
		{ BG_PHASE_LIVE, -86400000, false, false },
		{ BG_PHASE_ENDED, 60000, false, false },
		{ BG_PHASE_ABANDONED, 60000, false, false },
	};
	unsigned int told = 0;

	(void)state;
	if (bg_clock_boot_ms() < 86500000) /* times are not negative: rows far back need uptime */
		print_message("up for less than a day: the rows far back are left out\n");
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_request_record r = request_of((uint8_t)i, rows[i].phase);

		if (rows[i].end_ms < 0 && bg_clock_boot_ms() < (uint64_t)-rows[i].end_ms)
			continue;
		r.expires_ms = r.deadline_ms = bg_clock_boot_ms() + (uint64_t)rows[i].end_ms;
		assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	}
	bg_requests_sweep(crypto, count_told, &told);
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_request_record r = request_of((uint8_t)i, rows[i].phase), got;

		if (rows[i].end_ms < 0 && bg_clock_boot_ms() < (uint64_t)-rows[i].end_ms)
			continue;
		assert_int_equal(bg_requests_get(crypto, r.request.nonce, &got),
			rows[i].is_kept ? BG_OK : BG_ERR_NOENT);
		assert_int_equal(told >> i & 1, rows[i].is_told);
	}
}

static void requests_full_folder_is_swept_before_it_is_busy(void **state)
{
	struct bg_request_record r;

	(void)state;
	for (unsigned int i = 0; i < BG_REQUESTS_MAX; i++) {
		r = request_of((uint8_t)i, i == 7 ? BG_PHASE_ABANDONED : BG_PHASE_OPEN);
		assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	}
	r = request_of(200, BG_PHASE_OPEN);
	assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	r = request_of(201, BG_PHASE_OPEN);
	assert_int_equal(bg_requests_add(crypto, &r), BG_ERR_BUSY);
	assert_int_equal(files_in(BG_PATH_REQUESTS), BG_REQUESTS_MAX);
}

static void state_lock_wait_is_bounded(void **state)
{
	struct bg_request_record r = request_of(1, BG_PHASE_OPEN);
	int fd = open(BG_PATH_RUN "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	uint64_t begin = bg_clock_boot_ms();

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(bg_requests_add(crypto, &r), BG_ERR_BUSY);
	assert_int_equal(bg_attempts_count(990), 0);
	assert_true(bg_clock_boot_ms() - begin < 4000);
	close(fd);
	assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
}

static enum bg_err stop_here(void *arg, struct bg_request_record *record)
{
	(void)arg;
	(void)record;
	(void)raise(SIGSTOP);
	return BG_OK;
}

/* A process with that real uid, as su(1) has its caller's, that is stopped while it holds the lock.
 */
static pid_t stopped_holder(uid_t uid, const struct bg_request_record *r)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (setresuid(uid, 0, 0) == 0)
			(void)!bg_requests_update(
				crypto, r->request.nonce, 0, stop_here, NULL, NULL);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static void state_lock_stopped_by_a_user_shuts_nothing(void **state)
{
	struct bg_request_record r = request_of(1, BG_PHASE_OPEN), other;
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
	for (uint8_t i = 2; i < 6; i++) {
		pid = stopped_holder(1000, &r);
		other = request_of(i, BG_PHASE_OPEN);
		assert_int_equal(bg_requests_add(crypto, &other), BG_OK);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	/* root's own process is nobody else's to stop: it is waited for, and left alone */
	pid = stopped_holder(0, &r);
	other = request_of(9, BG_PHASE_OPEN);
	assert_int_equal(bg_requests_add(crypto, &other), BG_ERR_BUSY);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(bg_requests_add(crypto, &other), BG_OK);
}

static struct bg_request_record stepped;

static void satisfy(void *arg)
{
	enum bg_phase to = BG_PHASE_SATISFIED;

	(void)arg;
	if (bg_requests_update(crypto, stepped.request.nonce, 0, set_phase, &to, NULL) != BG_OK)
		_exit(1);
}

static void requests_P12_killed_anywhere_leaves_old_or_new(void **state)
{
	bool is_done = false, has_old = false, has_new = false;

	(void)state;
	stepped = request_of(1, BG_PHASE_FIXED);
	for (unsigned int at = 1; !is_done && at < 2000; at++) {
		struct bg_request_record got;

		(void)unlink(BG_PATH_REQUESTS "/01010101010101010101010101010101");
		assert_int_equal(bg_requests_add(crypto, &stepped), BG_OK);
		is_done = steps_run(satisfy, NULL, at).is_done;
		/* nobody holds the lock, what is there is whole */
		assert_int_equal(bg_requests_get(crypto, stepped.request.nonce, &got), BG_OK);
		has_old |= got.phase == BG_PHASE_FIXED;
		has_new |= got.phase == BG_PHASE_SATISFIED;
		assert_true(got.phase == BG_PHASE_FIXED || got.phase == BG_PHASE_SATISFIED);
	}
	assert_true(is_done && has_old && has_new);
	bg_requests_sweep(crypto, NULL, NULL);
	assert_int_equal(files_in(BG_PATH_REQUESTS), 1); /* nothing half-written stays */
}

static struct bg_grant grant_now(void)
{
	struct bg_grant g = fixture_grant();

	fixture_text(g.boot_id, boot_id);
	g.is_admitted = false;
	g.issued_ms = bg_clock_boot_ms();
	g.expires_ms = g.issued_ms + 60000;
	return g;
}

static enum bg_err take(const struct bg_grant *g, struct bg_grant *ret)
{
	return bg_grants_take(crypto, &g->process, g->account, g->uid, g->service, ret);
}

static enum bg_err admit(const struct bg_grant *g, const struct bg_process *to)
{
	uint8_t nonce[BG_NONCE_LEN];

	return bg_grants_admit(crypto, &g->process, to, g->account, g->uid, g->service,
		BG_PURPOSE_EMERGENCY, nonce);
}

static void grants_admitted_is_taken_once(void **state)
{
	struct bg_grant g = grant_now(), moved = g, got = { 0 };

	(void)state;
	moved.process = (struct bg_process){ .pid = 4710, .start_ticks = 77 };
	assert_int_equal(take(&g, &got), BG_ERR_NOENT);
	assert_int_equal(bg_grants_issue(crypto, &g), BG_OK);
	assert_int_equal(admit(&g, &moved.process), BG_OK);
	assert_int_equal(admit(&g, &moved.process), BG_ERR_NOENT);
	assert_int_equal(admit(&moved, &moved.process), BG_ERR_USED);
	assert_int_equal(take(&g, &got), BG_ERR_NOENT);
	assert_int_equal(take(&moved, &got), BG_OK);
	assert_int_equal(got.process.pid, 4710);
	assert_memory_equal(got.nonce, g.nonce, BG_NONCE_LEN);
	assert_int_equal(take(&moved, &got), BG_ERR_NOENT);
	assert_int_equal(files_in(BG_PATH_GRANTS), 0);
}

static void grants_not_admitted_is_not_taken(void **state)
{
	struct bg_grant g = grant_now(), got;

	(void)state;
	assert_int_equal(bg_grants_issue(crypto, &g), BG_OK);
	assert_int_not_equal(take(&g, &got), BG_OK);
	assert_int_equal(files_in(BG_PATH_GRANTS), 0);
}

static void grants_of_another_open_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct bg_grant g = grant_now(), asked, got;

		if (i == 6)
			fixture_text(g.boot_id, FIXTURE_BOOT);
		if (i == 7)
			g.expires_ms = bg_clock_boot_ms();
		asked = g;
		if (i == 0)
			asked.process.pid++;
		else if (i == 1)
			asked.process.start_ticks++;
		else if (i == 2)
			fixture_text(asked.account, "Breakglass");
		else if (i == 3)
			asked.uid++;
		else if (i == 4)
			fixture_text(asked.service, "login");
		else if (i == 5)
			g.issued_ms += 30000; /* not yet */
		assert_int_equal(bg_grants_issue(crypto, &g), BG_OK);
		assert_int_not_equal(admit(&asked, &asked.process), BG_OK);
		g.is_admitted = true;
		assert_int_equal(bg_grants_issue(crypto, &g), BG_OK);
		assert_int_not_equal(take(&asked, &got), BG_OK);
		bg_grants_drop(&g.process);
		assert_int_equal(files_in(BG_PATH_GRANTS), 0);
	}
}

static void grants_sweep_removes_what_is_over(void **state)
{
	struct bg_grant good = grant_now(), old = grant_now(), other = grant_now(), got;

	(void)state;
	good.is_admitted = true;
	old.process.pid = 1;
	old.expires_ms = bg_clock_boot_ms();
	other.process.pid = 2;
	fixture_text(other.boot_id, FIXTURE_BOOT);
	assert_int_equal(bg_grants_issue(crypto, &good), BG_OK);
	assert_int_equal(bg_grants_issue(crypto, &old), BG_OK);
	assert_int_equal(bg_grants_issue(crypto, &other), BG_OK);
	close(open(BG_PATH_GRANTS "/.new-0011", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	bg_grants_sweep(crypto);
	assert_int_equal(files_in(BG_PATH_GRANTS), 1);
	assert_int_equal(take(&good, &got), BG_OK);
}

static struct bg_grant stepped_grant;
static struct bg_process stepped_to;

static void admit_it(void *arg)
{
	(void)arg;
	if (admit(&stepped_grant, &stepped_to) != BG_OK)
		_exit(1);
}

static void take_it(void *arg)
{
	struct bg_grant got;

	(void)arg;
	if (take(&stepped_grant, &got) != BG_OK)
		_exit(1);
}

/* Whatever is killed where: never more than one grant, and never one that is not whole. */
static void grants_P12_killed_anywhere_are_never_doubled(void **state)
{
	bool is_done = false;

	(void)state;
	stepped_grant = grant_now();
	stepped_to = (struct bg_process){ .pid = 4710, .start_ticks = 77 };
	for (unsigned int at = 1; !is_done && at < 2000; at++) {
		struct bg_grant got, moved = stepped_grant;
		unsigned int usable;

		moved.process = stepped_to;
		assert_int_equal(bg_grants_issue(crypto, &stepped_grant), BG_OK);
		is_done = steps_run(admit_it, NULL, at).is_done;
		usable = admit(&stepped_grant, &stepped_grant.process) == BG_OK;
		usable += take(&moved, &got) == BG_OK;
		assert_true(usable <= 1);
		bg_grants_drop(&stepped_grant.process);
		bg_grants_drop(&stepped_to);
	}
	assert_true(is_done);
}

static void grants_P12_killed_while_taken_is_taken_or_there(void **state)
{
	bool is_done = false, was_there = false, was_taken = false;

	(void)state;
	stepped_grant = grant_now();
	stepped_grant.is_admitted = true;
	for (unsigned int at = 1; !is_done && at < 2000; at++) {
		struct bg_grant got;

		bg_grants_drop(&stepped_grant.process);
		assert_int_equal(bg_grants_issue(crypto, &stepped_grant), BG_OK);
		is_done = steps_run(take_it, NULL, at).is_done;
		if (take(&stepped_grant, &got) == BG_OK)
			was_there = true;
		else
			was_taken = true;
		assert_int_equal(take(&stepped_grant, &got), BG_ERR_NOENT);
	}
	assert_true(is_done && was_there && was_taken);
}

static void sessions_put_is_got(void **state)
{
	struct bg_session s = fixture_session(), got;

	(void)state;
	assert_int_equal(bg_sessions_get(crypto, s.audit_session, &got), BG_ERR_NOENT);
	assert_int_equal(bg_sessions_put(crypto, &s), BG_OK);
	assert_int_equal(bg_sessions_get(crypto, s.audit_session, &got), BG_OK);
	assert_string_equal(got.reason, s.reason);
	assert_int_equal(got.deadline_ms, s.deadline_ms);
}

static void get_session(void *arg)
{
	struct bg_session got;

	(void)arg;
	if (bg_sessions_get(crypto, 12, &got) != BG_ERR_NOENT)
		_exit(1);
}

static void sessions_missing_costs_one_stat(void **state)
{
	(void)state;
	assert_int_equal(steps_calls(get_session, NULL), 1);
	assert_int_equal(steps_run(get_session, NULL, 0).of[SYS_newfstatat], 1);
}

/* What the kernel says of this process, in the test's own namespace. */
static void write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static void say_session(const char *text)
{
	write_file("/run/sessionid", text, strlen(text));
}

static void sessions_live_is_judged(void **state)
{
	static const char *const none[] = { "", "4294967295", "-1", "4294967308", "x", "12x" };
	struct bg_session s, got;

	(void)state;
	say_session("12");
	assert_int_equal(mount("/run/sessionid", "/proc/self/sessionid", NULL, MS_BIND, NULL), 0);
	assert_int_equal(bg_sessions_live(crypto, 990, &got), BG_ERR_NOENT);
	for (int i = 0; i < 6; i++) {
		s = fixture_session();
		s.is_closed = i == 1;
		fixture_text(s.boot_id, i == 2 ? FIXTURE_BOOT : boot_id);
		s.deadline_ms = bg_clock_boot_ms() + (i == 3 ? 0 : 60000);
		s.uid = i == 4 ? 991 : 990;
		assert_int_equal(bg_sessions_put(crypto, &s), BG_OK);
		if (i == 0 || i == 5)
			assert_int_equal(bg_sessions_live(crypto, 990, &got), BG_OK);
		else
			assert_int_not_equal(bg_sessions_live(crypto, 990, &got), BG_OK);
	}
	/* another session's record under this one's name */
	s.audit_session = 13;
	assert_int_equal(bg_sessions_put(crypto, &s), BG_OK);
	assert_int_equal(rename(BG_PATH_SESSIONS "/13", BG_PATH_SESSIONS "/12"), 0);
	assert_int_equal(bg_sessions_live(crypto, 990, &got), BG_ERR_MISMATCH);
	s.audit_session = 12;
	assert_int_equal(bg_sessions_put(crypto, &s), BG_OK);
	for (size_t i = 0; i < LEN(none); i++) {
		say_session(none[i]);
		if (bg_sessions_live(crypto, 990, &got) == BG_OK)
			fail_msg("live as \"%s\"", none[i]);
	}
	assert_int_equal(umount2("/proc/self/sessionid", MNT_DETACH), 0);
}

/* A sibling: what is changed of an open session of the same request. */
static void sessions_closed_counts_beside_an_open_one(void **state)
{
	static const struct {
		const char *name;
		bool is_closed, is_other_request, is_over, is_other_uid, is_other_boot;
		bool is_self_revoked, is_self_over;
		bool counts;
	} rows[] = {
		{ .name = "open", .counts = true },
		{ .name = "closed, too", .is_closed = true },
		{ .name = "of another request", .is_other_request = true },
		{ .name = "past its deadline", .is_over = true },
		{ .name = "of another uid", .is_other_uid = true },
		{ .name = "of another boot", .is_other_boot = true },
		{ .name = "open, the own one revoked", .is_self_revoked = true },
		{ .name = "open, the own one past its deadline", .is_self_over = true },
	};

	(void)state;
	say_session("12");
	assert_int_equal(mount("/run/sessionid", "/proc/self/sessionid", NULL, MS_BIND, NULL), 0);
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_session s = fixture_session(), got;

		fixture_text(s.boot_id, boot_id);
		s.deadline_ms = rows[i].is_self_over ? 1 : UINT64_MAX;
		s.is_revoked = rows[i].is_self_revoked;
		assert_int_equal(bg_sessions_put(crypto, &s), BG_OK);
		s.audit_session = 14;
		s.is_revoked = false;
		s.is_closed = rows[i].is_closed;
		s.nonce[0] ^= rows[i].is_other_request;
		s.deadline_ms = rows[i].is_over ? bg_clock_boot_ms() : UINT64_MAX;
		s.uid += rows[i].is_other_uid;
		if (rows[i].is_other_boot)
			fixture_text(s.boot_id, FIXTURE_BOOT);
		assert_int_equal(bg_sessions_put(crypto, &s), BG_OK);
		if ((bg_sessions_live(crypto, 990, &got) == BG_OK) != rows[i].counts)
			fail_msg("%s", rows[i].name);
		if (rows[i].counts) {
			assert_int_equal(got.audit_session, 12);
			assert_true(got.is_closed);
		}
	}
	assert_int_equal(umount2("/proc/self/sessionid", MNT_DETACH), 0);
}

static void attempts_are_counted_and_reset(void **state)
{
	struct stat st;

	(void)state;
	for (uint64_t i = 1; i <= 100; i++)
		assert_int_equal(bg_attempts_count(990), i);
	assert_int_equal(bg_attempts_count(991), 1);
	assert_int_equal(stat(BG_PATH_RUN "/attempts.990", &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(st.st_mode & 07777, 0600);
	bg_attempts_reset(990);
	assert_int_equal(bg_attempts_count(990), 1);
}

static void attempts_may_be_told_of_forty_times_at_once(void **state)
{
	uint64_t begin = bg_clock_boot_ms();
	unsigned int told = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		told += bg_attempts_may_tell(990);
	/* one more a minute */
	assert_in_range(told, 40, 40 + (bg_clock_boot_ms() - begin) / 60000 + 1);
	assert_true(bg_attempts_may_tell(991));
	bg_attempts_reset(990);
	assert_true(bg_attempts_may_tell(990));
	/* a damaged file silences nobody */
	write_file(BG_PATH_RUN "/told.990", "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	assert_true(bg_attempts_may_tell(990));
	write_file(BG_PATH_RUN "/told.990", "x", 1);
	assert_true(bg_attempts_may_tell(990));
}

static void callers_limits(bool is_hard)
{
	struct rlimit size, files, now;

	if (getrlimit(RLIMIT_FSIZE, &size) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
		_exit(1);
	size.rlim_cur = 0;
	files.rlim_cur = 4;
	if (is_hard)
		size.rlim_max = 0;
	if (setrlimit(RLIMIT_FSIZE, &size) != 0 || setrlimit(RLIMIT_NOFILE, &files) != 0 ||
		setresuid(1000, 0, 0) != 0)
		_exit(2);
	/* a hard limit is passed only where root has that privilege; no signal is drawn */
	if ((bg_attempts_count(990) != 1 || bg_attempts_count(990) != 2) && !is_hard)
		_exit(3);
	if (getrlimit(RLIMIT_FSIZE, &now) != 0 || memcmp(&now, &size, sizeof(now)) != 0 ||
		getrlimit(RLIMIT_NOFILE, &now) != 0 || memcmp(&now, &files, sizeof(now)) != 0)
		_exit(4);
	_exit(0);
}

/* su(1) runs with the limits and the umask of whoever called it. */
static void attempts_P16_callers_limits_neither_end_nor_hide(void **state)
{
	int status;

	(void)state;
	for (int is_hard = 0; is_hard < 2; is_hard++) {
		pid_t pid = fork();

		if (pid == 0)
			callers_limits(is_hard);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void state_prepare_works_whatever_the_umask(void **state)
{
	static const char *const folders[] = { BG_PATH_RUN_LOG, BG_PATH_SESSIONS, BG_PATH_GRANTS,
		BG_PATH_DRILLS, BG_PATH_REQUESTS };
	mode_t mask = umask(0777);
	struct stat st;

	(void)state;
	for (size_t i = 0; i < LEN(folders); i++)
		assert_int_equal(rmdir(folders[i]), 0);
	assert_int_equal(bg_state_prepare(NULL), BG_OK);
	(void)umask(mask);
	for (size_t i = 0; i < LEN(folders); i++) {
		assert_int_equal(stat(folders[i], &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
}

static void attempts_in_parallel_are_all_counted(void **state)
{
	pid_t pids[4];

	(void)state;
	for (size_t i = 0; i < LEN(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			for (int n = 0; n < 50; n++)
				if (bg_attempts_count(990) == 0)
					_exit(1);
			_exit(0);
		}
	}
	for (size_t i = 0; i < LEN(pids); i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(bg_attempts_count(990), 201);
}

static void count_one(void *arg)
{
	(void)arg;
	if (bg_attempts_count(990) == 0)
		_exit(1);
}

static void attempts_P21_count_survives_a_kill(void **state)
{
	bool is_done = false;
	uint64_t before = bg_attempts_count(990);

	(void)state;
	for (unsigned int at = 1; !is_done && at < 500; at++) {
		uint64_t after;

		is_done = steps_run(count_one, NULL, at).is_done;
		after = bg_attempts_count(990);
		/* counted or not, never lost: this one's own count is always one more */
		assert_true(after == before + 1 || after == before + 2);
		before = after;
	}
	assert_true(is_done);
}

static void attempts_P04_odd_file_is_answered_at_once(void **state)
{
	uint64_t begin = bg_clock_boot_ms();

	(void)state;
	assert_int_equal(mkfifo(BG_PATH_RUN "/attempts.990", 0600), 0);
	(void)bg_attempts_count(990);
	assert_int_equal(symlink("/etc/passwd", BG_PATH_RUN "/attempts.991"), 0);
	assert_int_equal(bg_attempts_count(991), 0);
	assert_int_equal(mkdir(BG_PATH_RUN "/attempts.992", 0700), 0);
	assert_int_equal(bg_attempts_count(992), 0);
	assert_true(bg_clock_boot_ms() - begin < 1000);
}

static void state_P11_P12_files_are_named_by_numbers(void **state)
{
	struct bg_request_record r = request_of(1, BG_PHASE_OPEN);
	struct bg_session s = fixture_session();
	struct bg_grant g = grant_now();
	static const char *const evil[] = { "../../x", "-x", "a/b", "a\nb", "." };

	(void)state;
	for (size_t i = 0; i < LEN(evil); i++) {
		fixture_text(r.request.account, evil[i]);
		fixture_text(r.request.origin, evil[i]);
		fixture_text(r.request.key, evil[i]);
		fixture_text(s.account, evil[i]);
		fixture_text(s.origin, evil[i]);
		fixture_text(g.account, evil[i]);
		fixture_text(g.service, evil[i]);
		assert_int_equal(bg_requests_add(crypto, &r), BG_OK);
		assert_int_equal(bg_sessions_put(crypto, &s), BG_OK);
		assert_int_equal(bg_grants_issue(crypto, &g), BG_OK);
	}
	assert_int_equal(files_in(BG_PATH_REQUESTS), 1);
	assert_int_equal(files_in(BG_PATH_SESSIONS), 1);
	assert_int_equal(files_in(BG_PATH_GRANTS), 1);
	assert_int_equal(files_in(BG_PATH_RUN), 1); /* the lock */
}

static void state_P05_descriptors_stay_as_they_were(void **state)
{
	unsigned int before = fds_open();
	struct bg_request_record r = request_of(1, BG_PHASE_FIXED), got;
	struct bg_session session;
	struct bg_grant g = grant_now(), taken;
	enum bg_phase to = BG_PHASE_LIVE;

	(void)state;
	for (int i = 0; i < 100; i++) {
		(void)!bg_requests_add(crypto, &r);
		(void)!find(ANY, &got);
		(void)!bg_requests_update(crypto, r.request.nonce, 1, set_phase, &to, NULL);
		(void)!bg_requests_update(crypto, r.request.nonce, 0, set_phase, &to, NULL);
		bg_requests_sweep(crypto, NULL, NULL);
		(void)!bg_grants_issue(crypto, &g);
		(void)!admit(&g, &g.process);
		(void)!take(&g, &taken);
		(void)!take(&g, &taken);
		bg_grants_sweep(crypto);
		(void)!bg_sessions_get(crypto, 1, &session);
		(void)!bg_sessions_live(crypto, 990, &session);
		(void)bg_attempts_count(990);
		bg_attempts_reset(990);
		if (i == 50) /* and everything once more where nothing works */
			assert_int_equal(mount("ro", BG_PATH_RUN, "tmpfs", MS_RDONLY, NULL), 0);
	}
	assert_int_equal(fds_open(), before);
	assert_int_equal(umount2(BG_PATH_RUN, MNT_DETACH), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(state_prepare_makes_private_folders),
		TEST(state_phases_go_along_the_table_only),
		TEST(requests_newest_match_is_found),
		TEST(requests_other_ones_are_not_found),
		TEST(requests_damaged_or_renamed_is_absent),
		TEST(requests_update_checks_owner_phase_and_nonce),
		TEST(requests_sweep_tells_and_removes_what_is_over),
		TEST(requests_full_folder_is_swept_before_it_is_busy),
		TEST(state_lock_wait_is_bounded),
		TEST(state_lock_stopped_by_a_user_shuts_nothing),
		TEST(requests_P12_killed_anywhere_leaves_old_or_new),
		TEST(grants_admitted_is_taken_once),
		TEST(grants_not_admitted_is_not_taken),
		TEST(grants_of_another_open_nothing),
		TEST(grants_sweep_removes_what_is_over),
		TEST(grants_P12_killed_anywhere_are_never_doubled),
		TEST(grants_P12_killed_while_taken_is_taken_or_there),
		TEST(sessions_put_is_got),
		TEST(sessions_missing_costs_one_stat),
		TEST(sessions_live_is_judged),
		TEST(sessions_closed_counts_beside_an_open_one),
		TEST(attempts_are_counted_and_reset),
		TEST(attempts_may_be_told_of_forty_times_at_once),
		TEST(attempts_P16_callers_limits_neither_end_nor_hide),
		TEST(state_prepare_works_whatever_the_umask),
		TEST(attempts_in_parallel_are_all_counted),
		TEST(attempts_P21_count_survives_a_kill),
		TEST(attempts_P04_odd_file_is_answered_at_once),
		TEST(state_P11_P12_files_are_named_by_numbers),
		TEST(state_P05_descriptors_stay_as_they_were),
	};

	private_ns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
