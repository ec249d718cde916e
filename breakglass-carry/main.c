/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs once: gives /run its head at boot, carries what /run/breakglass/log holds
 * to /var/lib/breakglass/log, spools its alerts, records what became of alerts,
 * and asks for what root's command is to do about them and about lifted locks.
 * Takes no argument. Its stderr is the journal.
 */
#include <breakglass/conf.h>
#include <breakglass/ini.h>
#include <breakglass/os_file.h>
#include <breakglass/os_log.h>
#include <breakglass/os_spool.h>
#include <breakglass/os_state.h>
#include <breakglass/paths.h>
#include <breakglass/secret.h>

#include <stdio.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

struct telling {
	struct bg_crypto *crypto;
	bool is_revoking; /* revoke-on-75 */
	size_t left_out;  /* results beyond what handlers may have recorded */
};

/* What "not authorised" leads to, in words. An answer is believed for alerts that were sent, and
   ends what those were about: whoever answers names nothing himself. */
static const char *answer_refusal(const struct telling *telling, const struct bg_alert_told *told)
{
	struct bg_due due = { .alert = told->id };
	struct bg_diag diag = { 0 };

	if (told->outcome != BG_ALERT_REFUSED)
		return "";
	if (!telling->is_revoking)
		return "; answer: not authorised";
	if (bg_spool_request(told->id, due.request) != BG_OK)
		return "; answer: not authorised, but it was about no request of this boot";
	(void)snprintf(due.handler, sizeof(due.handler), "%s", told->handler);
	if (bg_due_ask(&due, &diag) != BG_OK)
		return "; answer: not authorised, but its request cannot be revoked";
	return "; answer: not authorised, its request is being revoked";
}

static void record_told(void *arg, const struct bg_alert_told *told)
{
	struct telling *telling = arg;
	bool is_failed = told->outcome == BG_ALERT_FAILED;
	const char *answer;
	char host[256] = "", result[240];
	struct bg_event event = { .id = is_failed ? BG_EV_ALERT_FAILED : BG_EV_ALERT_DELIVERED,
		.host = host,
		.result = result,
		.severity = -1 };

	/* of a handler that fails for hours: the 1st, 2nd, 4th ... failure */
	if (is_failed && (told->failures & (told->failures - 1)) != 0)
		return;
	answer = answer_refusal(telling, told);
	if (!bg_results_may_tell()) {
		telling->left_out++;
		return;
	}
	(void)gethostname(host, sizeof(host) - 1);
	if (is_failed)
		(void)snprintf(result, sizeof(result),
			"alert %" PRIu64 " not taken by %s, failure %" PRIu32 "; tried again",
			told->id, told->handler, told->failures);
	else
		(void)snprintf(result, sizeof(result),
			"alert %" PRIu64 " taken by %s, started after %" PRIu64 " ms%s", told->id,
			told->handler, told->latency_ms, answer);
	bg_log_event(telling->crypto, "breakglass-carry", &event, false, NULL);
}

/* What cannot be read revokes nothing. */
static bool is_revoking(void)
{
	static char text[BG_INI_FILE_LEN + 1];
	struct bg_conf conf;
	size_t len = 0;

	bg_conf_defaults(&conf);
	if (bg_file_read(BG_PATH_CONF, 0, text, sizeof(text), &len, NULL) == BG_OK)
		bg_conf_parse(text, len, BG_PATH_CONF, &conf);
	return conf.is_revoke_on_75;
}

static void record_all_told(void)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = bg_crypto_open();
	struct telling telling = { .crypto = crypto, .is_revoking = is_revoking() };

	if (crypto)
		bg_spool_told(record_told, &telling);
	if (telling.left_out > 0)
		(void)fprintf(stderr,
			"breakglass-carry: warning: %zu results of alert handlers are not "
			"recorded, there are too many\n",
			telling.left_out);
}

struct lifted {
	struct bg_crypto *crypto;
	bool is_due;
};

/* A lock that a quorum lifted: its file is not ours to remove, who has to keep nothing in /etc. */
static void look_at_lifted(void *arg, const char *account)
{
	struct lifted *lifted = arg;
	struct bg_lock_state lock;

	bg_locks_look(lifted->crypto, account, &lock);
	lifted->is_due |= lock.is_there && !lock.is_locked;
}

static void ask_for_lifted(void)
{
	const struct bg_due due = { 0 };
	struct bg_diag diag = { 0 };
	char text[512];
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = bg_crypto_open();
	struct lifted lifted = { .crypto = crypto };
	enum bg_err err;

	if (crypto != NULL)
		bg_locks_each_lifted(look_at_lifted, &lifted);
	err = lifted.is_due ? bg_due_ask(&due, &diag) : BG_OK;
	if (err == BG_OK)
		return;
	bg_diag_format(&diag, err, text, sizeof(text));
	(void)fprintf(stderr, "breakglass-carry: warning: %s\n", text);
}

int main(int argc, char **argv)
{
	struct bg_diag diag = { 0 };
	size_t count = 0;
	enum bg_err err;
	char text[512];

	(void)argv;
	if (argc != 1) {
		(void)fprintf(stderr, "breakglass-carry: error: takes no argument\n");
		return 2;
	}
	(void)umask(077);
	/* First, for the head at boot: what is recorded without one begins a chain of its own. */
	err = bg_log_carry(&count, &diag);
	record_all_told();
	ask_for_lifted();
	if (err == BG_OK)
		err = bg_log_carry(&count, &diag);
	if (err == BG_OK)
		return 0;
	bg_diag_format(&diag, err, text, sizeof(text));
	(void)fprintf(stderr, "breakglass-carry: error: %s\n", text);
	(void)fprintf(stderr, "breakglass-carry: hint: the records stay in /run/breakglass/log and "
			      "the journal; it is tried again\n");
	return 3;
}
