/* SPDX-License-Identifier: BSD-2-Clause */
/* The child of a drill: a door's PAM stack, its conversation at our terminal, and the steps. */
#include "drill.h"
#include "tty.h"

#include <breakglass/os_ways.h>

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define GROUPS_SECS 8

/* In pages of its own. */
struct stage {
	struct bg_tty tty;
	char line[BG_TTY_LINE_LEN];
	struct bg_crypto *crypto;
	const struct bg_seal *seal;
	struct bg_drill_run *run;
	bool has_key, has_reason, has_response;
	bool has[BG_CUSTODIANS_MAX];
};

static void note(
	struct bg_drill_run *run, const char *short_name, const char *name, const char *what)
{
	struct bg_drill_step *step = &run->steps[run->step_count];

	if (run->step_count == BG_DRILL_STEPS_MAX)
		return;
	(void)snprintf(step->name, sizeof(step->name), "%s%s", name, what);
	(void)snprintf(step->short_name, sizeof(step->short_name), "%s", short_name);
	step->at_ms = bg_clock_boot_ms();
	run->step_count++;
}

static void turn(struct bg_drill_run *run, bool is_asking)
{
	run->is_asking = is_asking;
	run->turned_ms = bg_clock_boot_ms();
}

/* How far has the module come? It writes each step down before it asks for the next one. */
static void look(struct stage *stage)
{
	struct bg_drill_run *run = stage->run;
	struct bg_request_record record;

	if (bg_requests_newest(stage->crypto, BG_PURPOSE_DRILL, run->drill.account, &record) !=
			BG_OK ||
		record.opened_ms < run->drill.started_ms)
		return;
	if (!stage->has_key)
		note(run, "key", "key proved", "");
	stage->has_key = true;
	if (record.phase < BG_PHASE_FIXED || record.phase == BG_PHASE_ABANDONED)
		return;
	if (!stage->has_reason)
		note(run, "reason", "reason given", "");
	stage->has_reason = true;
	for (size_t i = 0; i < stage->seal->custodian_count; i++) {
		const char *name = stage->seal->custodians[i].name;

		if (record.tally.approvals[i].how == BG_HOW_NONE || stage->has[i])
			continue;
		note(run, name, name, " counted");
		stage->has[i] = true;
	}
	if (record.tally.has_response && !stage->has_response)
		note(run, "response", "quorum's response", "");
	stage->has_response |= record.tally.has_response;
}

static bool answer(struct stage *stage, const struct pam_message *message, char **ret)
{
	bool is_shown = message->msg_style == PAM_PROMPT_ECHO_ON;
	size_t len = 0;
	enum bg_err err;

	bg_tty_write(&stage->tty, message->msg, strlen(message->msg));
	turn(stage->run, true);
	err = bg_tty_ask(&stage->tty, is_shown, NULL, stage->line, &len);
	turn(stage->run, false);
	if (!is_shown)
		bg_tty_say(&stage->tty, "\n");
	*ret = err == BG_OK || err == BG_ERR_TOO_BIG ? strdup(err ? "" : stage->line) : NULL;
	bg_wipe(stage->line, sizeof(stage->line));
	return *ret != NULL;
}

static void drop(struct pam_response *responses, int count)
{
	for (int i = 0; i < count; i++) {
		if (responses[i].resp)
			bg_wipe(responses[i].resp, strlen(responses[i].resp));
		free(responses[i].resp);
	}
	free(responses);
}

static int converse(
	int count, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	struct stage *stage = arg;
	struct pam_response *responses;

	if (count <= 0 || count > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	responses = calloc((size_t)count, sizeof(*responses));
	if (!responses)
		return PAM_BUF_ERR;
	look(stage);
	for (int i = 0; i < count; i++) {
		const struct pam_message *message = messages[i];

		if (message->msg_style == PAM_TEXT_INFO || message->msg_style == PAM_ERROR_MSG) {
			bg_tty_write(&stage->tty, message->msg, strlen(message->msg));
			bg_tty_say(&stage->tty, "\n");
		} else if ((message->msg_style != PAM_PROMPT_ECHO_ON &&
				   message->msg_style != PAM_PROMPT_ECHO_OFF) ||
			   !answer(stage, message, &responses[i].resp)) {
			drop(responses, count);
			return PAM_CONV_ERR;
		}
	}
	*ret = responses;
	return PAM_SUCCESS;
}

static void fail(struct bg_drill_run *run, const char *at, const char *why)
{
	(void)snprintf(run->failed_at, sizeof(run->failed_at), "%s", at);
	(void)snprintf(run->why, sizeof(run->why), "%s", why);
}

/* As the door's own program sets them; the origin is this host. */
static int set_items(pam_handle_t *pamh, const char *door)
{
	char name[64] = "tty";
	const char *tty = name;
	bool is_login = strcmp(door, "login") == 0;
	int pam;

	if (ttyname_r(STDIN_FILENO, name, sizeof(name)) == 0 && strncmp(name, "/dev/", 5) == 0)
		tty += 5;
	pam = pam_set_item(pamh, PAM_TTY, is_login ? tty : "ssh");
	if (pam == PAM_SUCCESS && !is_login)
		pam = pam_set_item(pamh, PAM_RHOST, "127.0.0.1");
	return pam;
}

/* glibc asks every source of groups at each login, after PAM: what hangs there shuts the door. */
static bool ask_groups(const struct bg_drill_options *options, struct bg_drill_run *run)
{
	char out[1024];
	enum bg_err err =
		bg_names_ask("initgroups", options->account, "", GROUPS_SECS, out, sizeof(out));

	if (err != BG_OK && err != BG_ERR_NOENT) {
		fail(run, "groups", "a source of groups does not answer: no login goes on past it");
		return false;
	}
	note(run, "groups", "groups looked up", "");
	return true;
}

static void go(const struct bg_drill_options *options, struct stage *stage)
{
	const struct pam_conv conv = { converse, stage };
	struct bg_drill_run *run = stage->run;
	const char *at = "stack";
	pam_handle_t *pamh = NULL;
	int pam = pam_start(options->door, options->account, &conv, &pamh);

	if (pam == PAM_SUCCESS)
		pam = set_items(pamh, options->door);
	if (pam == PAM_SUCCESS) {
		at = "authentication";
		pam = pam_authenticate(pamh, 0);
		look(stage);
	}
	if (pam == PAM_SUCCESS && !stage->has_key) {
		/* A stack that opens by itself is the worst of all findings. */
		fail(run, at, "the stack let us in without pam_breakglass");
		(void)pam_end(pamh, pam);
		return;
	}
	if (pam == PAM_SUCCESS) {
		note(run, "grant", "granted", "");
		at = "account";
		pam = pam_acct_mgmt(pamh, 0);
	}
	if (pam == PAM_SUCCESS) {
		note(run, "account", "admitted", "");
		run->is_good = ask_groups(options, run);
	} else {
		fail(run, at, pamh ? pam_strerror(pamh, pam) : "no such stack");
	}
	if (pamh)
		(void)pam_end(pamh, pam);
}

static enum bg_err mark(
	struct bg_crypto *crypto, const struct bg_drill_options *options, struct bg_drill_run *run)
{
	struct bg_drill *drill = &run->drill;
	enum bg_err err = bg_process_self(&drill->process);

	if (err == BG_OK)
		err = bg_clock_boot_id(drill->boot_id);
	if (err != BG_OK)
		return err;
	(void)snprintf(drill->account, sizeof(drill->account), "%s", options->account);
	(void)snprintf(drill->service, sizeof(drill->service), "%s", options->door);
	(void)snprintf(drill->id, sizeof(drill->id), "%s", options->id);
	err = bg_drills_begin(crypto, drill);
	run->is_marked = err == BG_OK;
	return err;
}

/* As the module does in a door's process: memory that cannot be locked is no reason to stop. */
static struct stage *stage_open(void)
{
	const struct rlimit none = { 0, 0 };
	void *p = mmap(NULL, sizeof(struct stage), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)mlock(p, sizeof(struct stage));
	(void)madvise(p, sizeof(struct stage), MADV_DONTDUMP);
	(void)madvise(p, sizeof(struct stage), MADV_DONTFORK);
	return p;
}

void bg_drill_go(struct bg_crypto *crypto, const struct bg_drill_options *options,
	const struct bg_seal *seal, struct bg_drill_run *run)
{
	struct bg_diag diag = { 0 };
	struct stage *stage;
	char why[256];
	enum bg_err err;

	stage = stage_open();
	if (!stage) {
		fail(run, "start", "no memory");
		return;
	}
	stage->crypto = crypto;
	stage->seal = seal;
	stage->run = run;
	err = bg_tty_open(&stage->tty, false, &diag);
	if (err == BG_OK && options->is_offline)
		err = bg_drill_go_offline(&diag);
	if (err == BG_OK) {
		diag = (struct bg_diag){ 0 };
		err = mark(crypto, options, run);
	}
	if (err == BG_OK) {
		go(options, stage);
	} else {
		bg_diag_format(&diag, err, why, sizeof(why));
		fail(run, "start", err == BG_ERR_BUSY ? "another drill of this account runs" : why);
	}
	bg_tty_close(&stage->tty);
	bg_wipe(stage, sizeof(*stage));
	(void)munmap(stage, sizeof(*stage));
}
