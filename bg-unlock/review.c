/* SPDX-License-Identifier: BSD-2-Clause */
/* `review`: what a use was, said by somebody else than who used it, and what is to be done after
   it. The record is the review: the log says who still owes one. */
#include "bg-unlock.h"
#include "install.h"
#include "log.h"
#include "revoke.h"
#include "usage.h"

#include <breakglass/escape.h>
#include <breakglass/os_log.h>

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RESULT_MAX   360 /* bytes of a result that every sink keeps */
#define TEXT_MIN_LEN 3

struct review {
	const char *request, *class, *by, *cause, *finding;
};

/* Letters and digits only, and no case: "Example Holder" and "example  holder" are one person. */
static bool is_same_person(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a && !isalnum((unsigned char)*a) && (unsigned char)*a < 0x80)
			a++;
		while (*b && !isalnum((unsigned char)*b) && (unsigned char)*b < 0x80)
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (*a == '\0')
			return true;
	}
}

static void put(struct bg_writer *w, const char *name, const char *text)
{
	bg_put(w, name, strlen(name));
	bg_escape_kv(w, text, RESULT_MAX);
}

/* `by` is what was typed; `login` beside it is what the kernel knows of who typed it. */
static bool make_result(const struct review *review, char ret[static RESULT_MAX + 1])
{
	struct bg_writer w = { .p = (uint8_t *)ret, .cap = RESULT_MAX };
	char login[BG_REVOKE_WHO_LEN];

	bg_revoke_who(login);
	put(&w, "class=", review->class);
	put(&w, " by=", review->by);
	put(&w, " login=", login);
	put(&w, " cause=", review->cause);
	put(&w, " finding=", review->finding);
	ret[w.is_full ? 0 : w.len] = '\0';
	return !w.is_full;
}

/* Why this use cannot be reviewed now; BG_EXIT_DONE: it can. */
static int judge(const struct review *review, const struct bg_use *use, size_t count)
{
	char boot_id[BG_BOOT_ID_LEN + 1] = "";

	if (!use) {
		bg_error(count ? "%zu uses are called \"%s\": more of the hex digits are wanted"
			       : "%zu requests in the log are called \"%s\"",
			count, review->request);
		return BG_EXIT_NO;
	}
	if (bg_clock_boot_id(boot_id) != BG_OK)
		boot_id[0] = '\0';
	if (!use->is_granted)
		bg_error("request %s was not opened: there is no use to review", review->request);
	else if (use->is_reviewed)
		bg_error("request %s is reviewed already", review->request);
	else if (bg_use_is_live(use, boot_id, bg_clock_boot_ms() / 1000))
		bg_error("request %s is still in use: review it when its sessions have ended",
			review->request);
	else if (is_same_person(review->by, use->holder) || is_same_person(review->by, use->key))
		bg_error("%s used it with key %s: somebody else reviews", review->by, use->key);
	else
		return BG_EXIT_DONE;
	return BG_EXIT_NO;
}

/* What the class is chosen by. */
static void say_beside(const struct bg_use *use)
{
	if (use->beside[0])
		(void)printf("Begun beside: %s.\n", use->beside);
	else
		(void)printf("Begun beside: what, is not recorded.\n");
	if (use->was_healthy)
		(void)printf("Was this an emergency?\n");
}

static void say_exposure(const struct bg_usage *usage, const struct bg_use *use)
{
	uint32_t epoch = bg_usage_epoch(usage, use->account);

	if (use->typed[0])
		(void)printf("Shares typed into that host: %s.\n", use->typed);
	if (use->seen[0])
		(void)printf("Shares typed into the machine that combined: %s.\n", use->seen);
	if (!use->typed[0] && !use->seen[0])
		(void)printf("No share was exposed: no reseal is due.\n");
	else if (epoch > use->epoch)
		(void)printf(
			"Epoch %u was installed since: no reseal is due.\n", (unsigned int)epoch);
	else
		(void)printf("A reseal is due: bg-unlock reseal, then install.\n");
}

static int record(struct bg_crypto *crypto, const struct review *review,
	const struct bg_usage *usage, const struct bg_use *use)
{
	char result[RESULT_MAX + 1], short_id[BG_SHORT_ID_LEN + 1], role[BG_ROLE_LEN + 1];
	const struct bg_event event = { .id = BG_EV_REVIEWED,
		.host = use->host,
		.account = use->account,
		.request = use->request,
		.epoch = use->epoch,
		.key = use->key,
		.holder = use->holder,
		.role = bg_account_role(use->account, role),
		.result = result,
		.severity = -1 };
	struct bg_emitted emitted;
	uint8_t bytes[3] = { 0 };

	if (!make_result(review, result))
		return bg_usage("review: the texts are too long together: some 230 letters fit");
	bg_log_event(crypto, "bg-unlock", &event, false, &emitted);
	if (!emitted.in_chain) {
		bg_error("the review could not be recorded in the log");
		return BG_EXIT_MACHINE;
	}
	(void)bg_hex_decode(use->request, 6, bytes, sizeof(bytes));
	bg_short_id(bytes, short_id);
	(void)printf("Reviewed: request %s of %s by %s, key %s (%s).\n", short_id, use->account,
		use->holder, use->key, review->class);
	say_beside(use);
	say_exposure(usage, use);
	return BG_EXIT_DONE;
}

static int run(struct bg_crypto *crypto, const struct review *review)
{
	__attribute__((cleanup(bg_usage_free))) struct bg_usage *usage = bg_usage_new();
	const struct bg_log_visitor visitor = { usage, bg_usage_add, NULL };
	const struct bg_use *use;
	struct bg_log_totals totals;
	struct bg_diag diag = { 0 };
	size_t count = 0;
	enum bg_err err = usage ? bg_log_read(crypto, &visitor, &totals, &diag) : BG_ERR_MEMORY;
	int status;

	if (err == BG_OK && !bg_usage_is_whole(usage))
		err = BG_ERR_MEMORY;
	if (err != BG_OK)
		return bg_log_fail(err, &diag);
	if (totals.damages)
		bg_note("the log is damaged: bg-unlock log verify says where");
	use = bg_usage_find(usage, review->request, &count);
	if (review->class[0] == '\0') {
		if (use && use->is_granted)
			say_beside(use);
		return bg_usage("review: --class is emergency, drill or misuse");
	}
	status = judge(review, use, count);
	return status == BG_EXIT_DONE ? record(crypto, review, usage, use) : status;
}

static bool is_class(const char *text)
{
	static const char *const classes[] = { "emergency", "drill", "misuse" };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcmp(text, classes[i]) == 0)
			return true;
	return false;
}

static int check_texts(const struct review *review)
{
	const char *const texts[] = { review->by, review->cause, review->finding };

	if (!is_class(review->class))
		return bg_usage("review: --class is emergency, drill or misuse");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strlen(texts[i]) < TEXT_MIN_LEN)
			return bg_usage("review: --by, --cause and --finding are all wanted, "
					"%d letters and more each",
				TEXT_MIN_LEN);
	return BG_EXIT_DONE;
}

int bg_verb_review(int argc, char **argv)
{
	static const struct option longs[] = { { "class", required_argument, NULL, 'c' },
		{ "by", required_argument, NULL, 'b' }, { "cause", required_argument, NULL, 'a' },
		{ "finding", required_argument, NULL, 'f' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	struct review review = { "", "", "", "", "" };
	int c, status;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'c')
			review.class = optarg;
		else if (c == 'b')
			review.by = optarg;
		else if (c == 'a')
			review.cause = optarg;
		else if (c == 'f')
			review.finding = optarg;
		else if (c == 'h')
			return bg_verb_help("review");
		else
			return bg_usage("review does not know that option");
	}
	if (optind + 1 != argc)
		return bg_usage("review: which request? its four characters or its hex digits");
	review.request = argv[optind];
	/* without a class: what it is chosen by, and then the same word */
	status = review.class[0] || geteuid() != 0 ? check_texts(&review) : BG_EXIT_DONE;
	if (status != BG_EXIT_DONE)
		return status;
	if (geteuid() != 0) {
		bg_error("a review is root's to record");
		return BG_EXIT_MACHINE;
	}
	crypto = bg_crypto_open();
	return crypto ? run(crypto, &review) : bg_fail(BG_ERR_CRYPTO, NULL, NULL);
}
