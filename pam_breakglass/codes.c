/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of a code pasted at the one prompt: an approval or the quorum's
 * response, for this request and of this seal's set; anything else is named as
 * what it is and dropped. What was counted before stays (RULES S13, P17).
 */
#include "quorum.h"

#include <breakglass/challenge.h>
#include <breakglass/code_text.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WANTED (BG_WANTED(BG_CODE_APPROVAL) | BG_WANTED(BG_CODE_RESPONSE))

static void refuse(struct bg_attempt *attempt, const char *fmt, ...) BG_PRINTF(2, 3);

static void refuse(struct bg_attempt *attempt, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(attempt->note, sizeof(attempt->note), fmt, ap);
	va_end(ap);
	attempt->refusals++;
	bg_attempt_record(attempt, BG_EV_APPROVAL_REFUSED, attempt->note);
}

/* Is a code of this request and of the set in force? Names what it is if not. */
static bool is_of_this(struct bg_attempt *attempt, enum bg_code_kind kind,
	const uint8_t tag[static BG_TAG_LEN], uint32_t epoch)
{
	const struct bg_seal *seal = &attempt->guest->seal;
	const char *what = kind == BG_CODE_APPROVAL ? "approval" : "response";
	char id[BG_SHORT_ID_LEN + 1], other[BG_SHORT_ID_LEN + 1], set[BG_SHORT_ID_LEN + 1];

	bg_short_id(attempt->record.digest, id);
	bg_short_id(tag, other);
	bg_short_id(seal->set_id, set);
	if (!bg_equal(tag, attempt->record.digest, BG_TAG_LEN))
		refuse(attempt,
			"That %s is for request %s; this is %s: code shows what to approve.", what,
			other, id);
	else if (epoch < seal->epoch)
		refuse(attempt, "That %s is of epoch %u, retired; set %s epoch %u is wanted.", what,
			(unsigned int)epoch, set, (unsigned int)seal->epoch);
	else if (epoch > seal->epoch)
		refuse(attempt, "That %s is of epoch %u, newer than %u here: install its seal.",
			what, (unsigned int)epoch, (unsigned int)seal->epoch);
	else
		return true;
	return false;
}

static enum bg_err count_approval(
	struct bg_attempt *attempt, const struct bg_approval *approval, size_t custodian)
{
	const char *name = attempt->guest->seal.custodians[custodian].name;
	char result[80];
	enum bg_err err = bg_attempt_add_approval(attempt, custodian, approval->sig);

	if (err == BG_ERR_DUPLICATE) {
		refuse(attempt, "%s is counted already.", name);
		return BG_OK;
	}
	if (err == BG_ERR_SIGNATURE) {
		refuse(attempt, "That approval was not made with the share of %s in force.", name);
		return BG_OK;
	}
	if (err != BG_OK)
		return err;
	bg_quorum_note(attempt, "%s counted.", name);
	(void)snprintf(result, sizeof(result), "%s approved elsewhere", name);
	bg_attempt_record(attempt, BG_EV_APPROVAL_ACCEPTED, result);
	return BG_OK;
}

static enum bg_err judge_approval(struct bg_attempt *attempt, const uint8_t *body, size_t len)
{
	const struct bg_seal *seal = &attempt->guest->seal;
	struct bg_approval approval;

	if (bg_approval_read(body, len, &approval) != BG_OK) {
		refuse(attempt, "That approval cannot be read: was it made by a newer bg-unlock?");
		return BG_OK;
	}
	if (!seal->policy.remote_approve) {
		refuse(attempt, "This seal takes no approvals from elsewhere.");
		return BG_OK;
	}
	if (!is_of_this(attempt, BG_CODE_APPROVAL, approval.tag, approval.epoch))
		return BG_OK;
	for (size_t i = 0; i < seal->custodian_count; i++)
		if (seal->custodians[i].index == approval.index)
			return count_approval(attempt, &approval, i);
	refuse(attempt, "That approval is of no custodian of this set.");
	return BG_OK;
}

static enum bg_err judge_response(struct bg_attempt *attempt, const uint8_t *body, size_t len)
{
	struct bg_response response;
	char names[256], result[320];
	enum bg_err err;

	if (bg_response_read(body, len, &response) != BG_OK) {
		refuse(attempt, "That response cannot be read: was it made by a newer bg-unlock?");
		return BG_OK;
	}
	if (!attempt->guest->seal.policy.remote_combine) {
		refuse(attempt, "This seal takes no response from elsewhere.");
		return BG_OK;
	}
	if (!is_of_this(attempt, BG_CODE_RESPONSE, response.tag, response.epoch))
		return BG_OK;
	err = bg_attempt_add_response(attempt, response.exposed, response.sig);
	if (err == BG_ERR_SIGNATURE) {
		refuse(attempt, "That response was not made by this set's quorum.");
		return BG_OK;
	}
	if (err != BG_OK)
		return err;
	bg_tally_exposed(
		&attempt->guest->seal, &attempt->record.tally, false, names, sizeof(names));
	(void)snprintf(result, sizeof(result),
		"response of the quorum; the combining machine has seen %s", names);
	bg_attempt_record(attempt, BG_EV_APPROVAL_ACCEPTED, result);
	return BG_OK;
}

/* A code that is whole: judged and forgotten. */
static enum bg_err judge(struct bg_attempt *attempt)
{
	struct bg_code *code = &attempt->vault->code;
	const uint8_t *body = NULL;
	size_t len = 0;
	enum bg_err err = BG_OK;

	if (!bg_code_is_whole(code, &body, &len))
		return BG_ERR_STATE;
	if (code->kind == BG_CODE_APPROVAL)
		err = judge_approval(attempt, body, len);
	else
		err = judge_response(attempt, body, len);
	memset(code, 0, sizeof(*code));
	return err;
}

void bg_quorum_code_wanted(const struct bg_attempt *attempt, char ret[static 64])
{
	const struct bg_code *code = &attempt->vault->code;

	ret[0] = '\0';
	if (code->is_begun)
		(void)snprintf(ret, 64, "Line %u of the %s, or all of it",
			bg_code_missing(code) + 1,
			code->kind == BG_CODE_APPROVAL ? "approval" : "response");
}

/* What is said of an answer that was a code, but not a whole one. */
static void note_part(
	struct bg_attempt *attempt, enum bg_code_took took, const struct bg_code_problem *problem)
{
	switch (took) {
	case BG_TOOK_NOTHING:
	case BG_TOOK_WHOLE:
		break;
	case BG_TOOK_MORE:
		bg_quorum_note(attempt, "Good so far."); /* the prompt says what is missing */
		break;
	case BG_TOOK_BAD_LINE:
		bg_quorum_note(attempt, "Line %u is misread.", problem->line);
		attempt->refusals++;
		break;
	case BG_TOOK_OTHER_KIND:
		refuse(attempt, "That is %s; a share or an approval is wanted.",
			bg_code_kind_text(problem->kind));
		break;
	case BG_TOOK_MIXED:
		refuse(attempt, "Those lines are of two codes; give one of them whole.");
		memset(&attempt->vault->code, 0, sizeof(attempt->vault->code));
		break;
	}
}

static void compact_text_wipe(char (*text)[BG_COMPACT_TEXT_LEN])
{
	bg_wipe(text, sizeof(*text));
}

/* Of thousands of short forms one has a line of a code in it, by chance: a whole one is a share. */
static bool is_compact_share(const struct bg_answer *answer)
{
	BG_WIPE(compact_text_wipe) char text[BG_COMPACT_TEXT_LEN] = "";
	BG_WIPE(bg_compact_wipe) struct bg_compact share;
	size_t len = 0;

	for (size_t i = 0; i < answer->len; i++) {
		if (!bg_is_modhex(answer->text[i]))
			continue;
		if (len == BG_COMPACT_CHARS_256)
			return false;
		text[len++] = answer->text[i];
	}
	return bg_compact_decode(text, len, &share) == BG_OK;
}

/* What follows a code in one answer may be a share. */
static enum bg_err leave_rest(
	struct bg_answer *answer, const char *rest, size_t len, bool *ret_is_code)
{
	memmove(answer->text, rest, len + 1);
	answer->len = len;
	*ret_is_code = *ret_is_code && strspn(answer->text, " \t\r\n") == len;
	if (*ret_is_code)
		bg_answer_wipe(answer);
	return BG_OK;
}

enum bg_err bg_quorum_take_code(struct bg_attempt *attempt, bool *ret_is_code)
{
	struct bg_answer *answer = &attempt->vault->answer;
	const char *text = answer->text;
	size_t len = answer->len;
	enum bg_err err = BG_OK;

	*ret_is_code = false;
	if (is_compact_share(answer))
		return BG_OK;
	/* one answer may hold two approvals */
	while (err == BG_OK && len > 0) {
		struct bg_code_problem problem;
		enum bg_code_took took =
			bg_code_take(&attempt->vault->code, WANTED, text, len, &problem);

		/* a share that was begun is gone on with, unless lines of a code came */
		if (took == BG_TOOK_NOTHING ||
			(took == BG_TOOK_BAD_LINE && (attempt->vault->entry.modhex_len > 0 ||
							     bg_entry_is_words(text, len))))
			return leave_rest(answer, text, len, ret_is_code);
		*ret_is_code = true;
		if (took != BG_TOOK_WHOLE) {
			note_part(attempt, took, &problem);
			break;
		}
		err = judge(attempt);
		text += problem.used;
		len -= problem.used;
	}
	if (*ret_is_code)
		bg_answer_wipe(answer);
	return err;
}
