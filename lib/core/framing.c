/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/framing.h>

#include <string.h>

#define PREFIX "pam_breakglass/1 "

static const char *const names[BG_CTX_COUNT] = {
	[BG_CTX_CUSTODIAN_KEY] = "custodian-key",
	[BG_CTX_QUORUM_KEY] = "quorum-key",
	[BG_CTX_ENVELOPE_KEY] = "envelope-key",
	[BG_CTX_SEAL] = "seal",
	[BG_CTX_SUCCESSION_QUORUM] = "succession-quorum",
	[BG_CTX_SUCCESSION_KEY] = "succession-key",
	[BG_CTX_ENROL] = "enrol",
	[BG_CTX_TOUCH] = "touch",
	[BG_CTX_REQUEST] = "request",
	[BG_CTX_APPROVAL] = "approval",
	[BG_CTX_RESPONSE] = "response",
	[BG_CTX_REFUSAL] = "refusal",
	[BG_CTX_KEY_TEST] = "key-test",
};

const char *bg_context_name(enum bg_context context)
{
	return (unsigned int)context < BG_CTX_COUNT ? names[context] : "";
}

void bg_frame_begin(struct bg_writer *w, enum bg_context context)
{
	/* A frame without context would be everybody's: write none. */
	if ((unsigned int)context >= BG_CTX_COUNT) {
		w->is_full = true;
		return;
	}
	bg_put(w, PREFIX, strlen(PREFIX));
	bg_put(w, names[context], strlen(names[context]) + 1);
}

void bg_frame_field(struct bg_writer *w, const void *p, size_t len)
{
	if (len > UINT32_MAX) {
		w->is_full = true;
		return;
	}
	bg_put_u32(w, (uint32_t)len);
	bg_put(w, p, len);
}

void bg_frame_text(struct bg_writer *w, const char *text)
{
	bg_frame_field(w, text, strlen(text));
}

void bg_frame_u32(struct bg_writer *w, uint32_t v)
{
	bg_put_u32(w, sizeof(v));
	bg_put_u32(w, v);
}

void bg_frame_u64(struct bg_writer *w, uint64_t v)
{
	bg_put_u32(w, sizeof(v));
	bg_put_u64(w, v);
}
