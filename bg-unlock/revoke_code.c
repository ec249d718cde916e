/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `revoke --code`: a custodian's no, believed. The code's tag only finds what it
 * may be of; it is the custodian in the seal in force whose signature over that
 * one's whole digest says so. Whatever is not right is named, and recorded.
 */
#include "ask_code.h"
#include "bg-unlock.h"
#include "install.h"
#include "revoke.h"

#include <breakglass/challenge.h>
#include <breakglass/os_log.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WANTED	   BG_WANTED(BG_CODE_REFUSAL)
#define FOUND_MAX  (2 * BG_REVOKE_MAX)
#define RESULT_LEN 200
#define OVER	   "bg-unlock log show tells what became of it"

/* A request or a session whose digest begins as the tag does. */
struct found {
	uint8_t digest[BG_SHA256_LEN];
	char account[BG_ACCOUNT_LEN + 1];
	bool is_over;
};

/* What has been pasted; it might be a share. */
struct pasted {
	struct bg_tty tty;
	struct bg_ask_code ask;
};

struct state {
	struct bg_crypto *crypto;
	struct bg_refusal refusal;
	char id[BG_SHORT_ID_LEN + 1];
	size_t count;
	struct found found[FOUND_MAX];
	struct bg_revoke_word *word;
	char result[RESULT_LEN]; /* why not, so far */
	char by_hand[96];	 /* how root ends it all the same */
	const char *hint;
};

/* ---- what is wrong is recorded ---- */

static enum bg_err take_account(void *arg, const char *account)
{
	struct bg_event *event = arg;
	static char name[BG_PAM_NAME_LEN + 1];

	(void)snprintf(name, sizeof(name), "%s", event->account ? "" : account);
	event->account = name;
	return BG_OK;
}

/* found: NULL where the code names nothing that is known here; then the host's one account, if it
   has but one. */
static void record(struct bg_crypto *crypto, const struct found *found, const char *result)
{
	struct bg_event event = { .id = BG_EV_APPROVAL_REFUSED, .result = result, .severity = -1 };
	const struct bg_tree tree = { .is_host = true };
	struct bg_host host;
	char id[2 * BG_SHA256_LEN + 1];

	if (found) {
		bg_hex_encode(found->digest, BG_SHA256_LEN, id);
		event.request = id;
		event.account = found->account;
	} else if (bg_account_each(&tree, take_account, &event) != BG_OK) {
		event.account = NULL;
	}
	if (event.account && *event.account &&
		bg_account_host(&tree, event.account, &host, NULL) == BG_OK) {
		event.host = host.label;
		event.role = host.role;
	}
	bg_log_event(crypto, "bg-unlock", &event, false, NULL);
}

static struct bg_crypto *recorder;

static void on_other(enum bg_code_kind kind)
{
	char result[RESULT_LEN];

	(void)snprintf(result, sizeof(result), "revoke --code: that is %s; a refusal is wanted",
		bg_code_kind_text(kind));
	record(recorder, NULL, result);
}

static void no(struct state *s, const struct found *found, const char *hint, const char *fmt, ...)
	BG_PRINTF(4, 5);

/* Says why this one is not ended. */
static void no(struct state *s, const struct found *found, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->result, sizeof(s->result), fmt, ap);
	va_end(ap);
	s->hint = hint;
	record(s->crypto, found, s->result);
}

/* ---- the code ---- */

static int malformed(const char *what)
{
	bg_error("%s", what);
	bg_hint("the refusal is what bg-unlock approve --refuse prints, on one line or several");
	return BG_EXIT_USAGE;
}

static int refuse_piece(enum bg_code_took took, const struct bg_code_problem *problem)
{
	char what[RESULT_LEN];

	if (took == BG_TOOK_OTHER_KIND) {
		on_other(problem->kind);
		(void)snprintf(what, sizeof(what), "this is %s; a refusal is wanted",
			bg_code_kind_text(problem->kind));
	} else if (took == BG_TOOK_BAD_LINE) {
		(void)snprintf(what, sizeof(what), "line %u is misread or missing", problem->line);
	} else if (took == BG_TOOK_MIXED) {
		(void)snprintf(what, sizeof(what), "these lines are of two codes");
	} else {
		(void)snprintf(what, sizeof(what), "this is no whole line of a code");
	}
	return malformed(what);
}

/* --stdin: all of it at once, in lines. */
static int read_code(struct pasted *p, const uint8_t **ret, size_t *ret_len)
{
	enum bg_code_took took = BG_TOOK_NOTHING;
	struct bg_code_problem problem;
	char what[64];
	size_t len = 0;

	while (took != BG_TOOK_WHOLE &&
		bg_tty_ask(&p->tty, false, NULL, p->ask.text, &len) == BG_OK) {
		if (strspn(p->ask.text, " \t\r") == len)
			continue;
		took = bg_code_take(&p->ask.code, WANTED, p->ask.text, len, &problem);
		if (took != BG_TOOK_WHOLE && took != BG_TOOK_MORE)
			return refuse_piece(took, &problem);
	}
	if (took == BG_TOOK_NOTHING)
		return malformed("standard input holds no refusal");
	(void)snprintf(what, sizeof(what), "line %u is missing", bg_code_missing(&p->ask.code) + 1);
	return bg_code_is_whole(&p->ask.code, ret, ret_len) ? BG_EXIT_DONE : malformed(what);
}

static int ask_code(struct pasted *p, const uint8_t **ret, size_t *ret_len)
{
	p->ask.tty = &p->tty;
	p->ask.wanted = WANTED;
	p->ask.on_other = on_other;
	if (bg_ask_code(&p->ask, "The custodian's refusal (paste it; ? helps):", ret, ret_len) ==
		BG_ASKED_CODE)
		return BG_EXIT_DONE;
	bg_note("nothing was revoked");
	return BG_EXIT_NO;
}

static int take_code(struct state *s, struct pasted *p, bool is_stdin)
{
	const uint8_t *body = NULL;
	size_t len = 0;
	int status = bg_tty_begin(
		&p->tty, is_stdin, "without a terminal: bg-unlock revoke --code --stdin");

	if (status)
		return status;
	status = is_stdin ? read_code(p, &body, &len) : ask_code(p, &body, &len);
	bg_tty_close(&p->tty);
	if (status)
		return status;
	if (bg_refusal_read(body, len, &s->refusal) == BG_OK)
		return BG_EXIT_DONE;
	no(s, NULL, "get this one from the same package, or revoke without a code",
		"That refusal cannot be read: was it made by a newer bg-unlock?");
	bg_error("%s", s->result);
	bg_hint("%s", s->hint);
	return BG_EXIT_NO;
}

/* ---- what it may be of ---- */

static void add(struct state *s, const char *account, const uint8_t digest[static BG_SHA256_LEN],
	bool is_over)
{
	struct found *found = NULL;

	if (memcmp(digest, s->refusal.tag, BG_TAG_LEN) != 0)
		return;
	for (size_t i = 0; i < s->count; i++)
		if (memcmp(s->found[i].digest, digest, BG_SHA256_LEN) == 0)
			found = &s->found[i];
	if (found) { /* one of its sessions lives, or the request itself */
		found->is_over = found->is_over && is_over;
		return;
	}
	if (s->count == FOUND_MAX)
		return;
	found = &s->found[s->count++];
	memcpy(found->digest, digest, BG_SHA256_LEN);
	(void)snprintf(found->account, sizeof(found->account), "%s", account);
	found->is_over = is_over;
}

static void add_request(void *arg, const struct bg_request_record *record)
{
	if (record->phase != BG_PHASE_OPEN) /* it has a digest */
		add(arg, record->request.account, record->digest, false);
}

static void add_session(void *arg, const struct bg_session *session)
{
	add(arg, session->account, session->digest, !bg_revoke_is_alive(session));
}

/* ---- whose word it is ---- */

static const struct bg_custodian *custodian_of(const struct bg_seal *seal, uint8_t index)
{
	for (size_t i = 0; i < seal->custodian_count; i++)
		if (seal->custodians[i].index == index)
			return &seal->custodians[i];
	return NULL;
}

/* Is it this one's refusal, by a custodian of the seal in force? */
static bool judge(struct state *s, const struct found *found, const struct bg_seal *seal)
{
	const struct bg_refusal *refusal = &s->refusal;
	const struct bg_custodian *custodian = custodian_of(seal, refusal->index);
	const bool is_old = refusal->epoch < seal->epoch;
	char set[BG_SHORT_ID_LEN + 1];

	bg_short_id(seal->set_id, set);
	(void)snprintf(s->by_hand, sizeof(s->by_hand),
		"if you mean it, root ends it without a code: bg-unlock revoke %s", s->id);
	if (refusal->epoch != seal->epoch)
		no(s, found, found->is_over ? OVER : s->by_hand,
			"That refusal is of epoch %u, %s; set %s epoch %u is in force. Request %s "
			"%s.",
			(unsigned int)refusal->epoch, is_old ? "retired" : "not installed here",
			set, (unsigned int)seal->epoch, s->id,
			found->is_over ? "is over already"
			: is_old       ? "goes on, with what was opened before the reseal"
				       : "goes on");
	else if (!custodian)
		no(s, found, s->by_hand, "That refusal is of no custodian of set %s.", set);
	else if (bg_refusal_verify(s->crypto, custodian, found->digest, refusal->sig) != BG_OK)
		no(s, found,
			"telephone the custodian, by the number that you know: is it theirs, "
			"and of this request?",
			"That refusal of request %s was not made with the share of %s in force.",
			s->id, custodian->name);
	else if (found->is_over)
		no(s, found, OVER, "%s refused request %s, which is over already.", custodian->name,
			s->id);
	else
		(void)snprintf(
			s->word->custodian, sizeof(s->word->custodian), "%s", custodian->name);
	return s->word->custodian[0] != '\0';
}

static int judge_one(struct state *s, const struct found *found)
{
	static struct bg_seal seal;
	const struct bg_tree tree = { .is_host = true };
	struct bg_diag diag = { 0 };
	struct bg_host host;
	enum bg_err err = bg_account_host(&tree, found->account, &host, &diag);

	if (!err)
		err = bg_account_seal(s->crypto, &tree, &host, &seal, &diag);
	if (err)
		return bg_fail(err, &diag,
			"without the seal in force no custodian is known: bg-unlock revoke ID ends "
			"it by root's own word");
	if (!judge(s, found, &seal))
		return BG_EXIT_NO;
	memcpy(s->word->digest, found->digest, BG_SHA256_LEN);
	return BG_EXIT_DONE;
}

static int find(struct state *s)
{
	int status = BG_EXIT_NO;

	bg_short_id(s->refusal.tag, s->id);
	bg_requests_each(s->crypto, add_request, s);
	bg_sessions_each(s->crypto, add_session, s);
	for (size_t i = 0; i < s->count && status == BG_EXIT_NO; i++)
		status = judge_one(s, &s->found[i]);
	if (status != BG_EXIT_NO)
		return status;
	if (s->count == 0)
		no(s, NULL,
			"bg-unlock log show tells what became of it; the custodian's screen "
			"says which host it is of",
			"No request %s is open here: it is over, or another host's.", s->id);
	bg_error("%s", s->result);
	bg_hint("%s", s->hint);
	return BG_EXIT_NO;
}

int bg_revoke_take_word(struct bg_crypto *crypto, bool is_stdin, struct bg_revoke_word *ret)
{
	static struct state s;
	struct pasted *pasted;
	int status = bg_secrets_begin();

	if (status)
		return status;
	recorder = crypto;
	s = (struct state){ .crypto = crypto, .word = ret };
	*ret = (struct bg_revoke_word){ 0 };
	pasted = bg_secrets_take(sizeof(*pasted));
	status = take_code(&s, pasted, is_stdin);
	bg_wipe(pasted, sizeof(*pasted));
	return status ? status : find(&s);
}
