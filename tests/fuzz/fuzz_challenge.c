/* SPDX-License-Identifier: BSD-2-Clause */
/* The first byte chooses a body; what is read must be written as the same bytes again. */
#include <breakglass/challenge.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static union {
	struct bg_touch_challenge touch;
	struct bg_touch_answer answer;
	struct bg_request_challenge request;
	struct bg_approval approval;
	struct bg_response response;
	struct bg_refusal refusal;
} u;

static enum bg_err again(uint8_t kind, const uint8_t *p, size_t len, struct bg_writer *w)
{
	enum bg_err err = BG_ERR_ARGUMENT;

	switch (kind % 6) {
	case 0:
		err = bg_touch_challenge_read(p, len, &u.touch);
		return err ? err : bg_touch_challenge_write(&u.touch, w);
	case 1:
		err = bg_touch_answer_read(p, len, &u.answer);
		return err ? err : bg_touch_answer_write(&u.answer, w);
	case 2:
		err = bg_request_challenge_read(p, len, &u.request);
		return err ? err : bg_request_challenge_write(&u.request, w);
	case 3:
		err = bg_approval_read(p, len, &u.approval);
		return err ? err : bg_approval_write(&u.approval, w);
	case 4:
		err = bg_response_read(p, len, &u.response);
		return err ? err : bg_response_write(&u.response, w);
	default:
		err = bg_refusal_read(p, len, &u.refusal);
		return err ? err : bg_refusal_write(&u.refusal, w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[4096];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };

	memset(&u, 0, sizeof(u));
	if (size < 1 || again(data[0], data + 1, size - 1, &w) != BG_OK)
		return 0;
	if (w.len != size - 1 || memcmp(buf, data + 1, w.len) != 0)
		abort();
	return 0;
}
