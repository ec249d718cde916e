/* SPDX-License-Identifier: BSD-2-Clause */
#include "conversation.h"

#include <breakglass/secret.h>
#include <security/_pam_types.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void bg_answer_wipe(struct bg_answer *answer)
{
	explicit_bzero(answer, sizeof(*answer));
}

bool bg_answer_is(const struct bg_answer *answer, const char *word)
{
	return answer->len == strlen(word) && strncasecmp(answer->text, word, answer->len) == 0;
}

static void response_free(struct pam_response *response)
{
	if (response == NULL)
		return;
	if (response->resp != NULL) {
		explicit_bzero(response->resp, strlen(response->resp));
		free(response->resp);
	}
	free(response);
}

static bool converse(pam_handle_t *pamh, int style, const char *text, struct pam_response **ret)
{
	const void *item = NULL;
	const struct pam_conv *conv;
	const struct pam_message message = { .msg_style = style, .msg = text };
	const struct pam_message *messages[1] = { &message };

	*ret = NULL;
	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || item == NULL)
		return false;
	conv = item;
	return conv->conv != NULL && conv->conv(1, messages, ret, conv->appdata_ptr) == PAM_SUCCESS;
}

static enum bg_asked answer_take(const char *text, struct bg_answer *ret)
{
	size_t len = strnlen(text, BG_ANSWER_LEN + 2);

	while (len > 0 && len <= BG_ANSWER_LEN && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len > BG_ANSWER_LEN)
		return BG_ANSWERED_TOO_LONG;
	if (len == 0)
		return BG_ANSWERED_EMPTY;
	memcpy(ret->text, text, len);
	ret->len = len;
	return BG_ANSWERED;
}

enum bg_asked bg_ask(pam_handle_t *pamh, bool is_hidden, const char *prompt, struct bg_answer *ret)
{
	struct pam_response *response = NULL;
	enum bg_asked asked = BG_GONE;

	bg_answer_wipe(ret);
	if (converse(pamh, is_hidden ? PAM_PROMPT_ECHO_OFF : PAM_PROMPT_ECHO_ON, prompt,
		    &response) &&
		response != NULL && response->resp != NULL)
		asked = answer_take(response->resp, ret);
	response_free(response);
	return asked;
}

void bg_say(pam_handle_t *pamh, const char *text)
{
	struct pam_response *response = NULL;

	(void)converse(pamh, PAM_TEXT_INFO, text, &response);
	response_free(response);
}
