/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/framing.h>
#include <breakglass/request.h>
#include <breakglass/utf8.h>

#include <string.h>

#define FRAME_LEN 512

const char *bg_purpose_text(enum bg_purpose purpose)
{
	switch (purpose) {
	case BG_PURPOSE_EMERGENCY:
		return "emergency";
	case BG_PURPOSE_DRILL:
		return "drill";
	case BG_PURPOSE_NONE:
		break;
	}
	return "";
}

enum bg_err bg_request_digest(struct bg_crypto *crypto, const struct bg_request *request,
	uint8_t ret[static BG_SHA256_LEN])
{
	uint8_t frame[FRAME_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };
	const char *purpose = bg_purpose_text(request->purpose);

	if (purpose[0] == '\0')
		return BG_ERR_ARGUMENT;
	bg_frame_begin(&w, BG_CTX_REQUEST);
	bg_frame_text(&w, purpose);
	bg_frame_field(&w, request->seal_digest, sizeof(request->seal_digest));
	bg_frame_text(&w, request->host_label);
	bg_frame_text(&w, request->account);
	bg_frame_u32(&w, request->uid);
	bg_frame_text(&w, request->key);
	bg_frame_text(&w, request->holder);
	bg_frame_text(&w, request->reason);
	bg_frame_u32(&w, request->session_secs);
	bg_frame_field(&w, request->nonce, sizeof(request->nonce));
	bg_frame_text(&w, request->service);
	bg_frame_text(&w, request->origin);
	return w.is_full ? BG_ERR_TOO_BIG : bg_sha256(crypto, frame, w.len, ret);
}

enum bg_err bg_touch_digest(
	struct bg_crypto *crypto, const struct bg_touch *touch, uint8_t ret[static BG_SHA256_LEN])
{
	uint8_t frame[FRAME_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };

	bg_frame_begin(&w, BG_CTX_TOUCH);
	bg_frame_field(&w, touch->nonce, sizeof(touch->nonce));
	bg_frame_field(&w, touch->seal_digest, sizeof(touch->seal_digest));
	bg_frame_text(&w, touch->host_label);
	bg_frame_text(&w, touch->account);
	bg_frame_text(&w, touch->service);
	bg_frame_text(&w, touch->origin);
	return w.is_full ? BG_ERR_TOO_BIG : bg_sha256(crypto, frame, w.len, ret);
}

void bg_request_text(char *ret, size_t max_len, const char *text)
{
	/* No character has more than four bytes: what lies further on is never looked at. */
	size_t left = strnlen(text, max_len + 4), len = 0;

	while (left > 0) {
		uint32_t c = 0;
		size_t n = bg_utf8_next(text, left, &c);
		bool is_shown = n > 0 && bg_utf8_is_printable(c);
		size_t used = n > 0 ? n : 1, written = is_shown ? n : 1;

		if (len + written > max_len)
			break;
		if (is_shown)
			memcpy(ret + len, text, n);
		else
			ret[len] = '?';
		len += written;
		text += used;
		left -= used;
	}
	ret[len] = '\0';
}
