/* SPDX-License-Identifier: BSD-2-Clause */
/* The first byte says which message the rest is; what is accepted is encoded to the same bytes. */
#include <breakglass/fido2.h>

#include <stdlib.h>

static uint8_t again[BG_FIDO2_MESSAGE_MAX_LEN];

static void check(enum bg_err err, const struct bg_writer *w, const uint8_t *data, size_t size)
{
	if (err || w->len != size || memcmp(again, data, size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bg_fido2_request request;
	static struct bg_fido2_reply reply;
	struct bg_writer w = { again, sizeof(again), 0, false };

	if (size == 0)
		return 0;
	if (data[0] % 2 == 0 && bg_fido2_request_decode(data + 1, size - 1, &request) == BG_OK)
		check(bg_fido2_request_encode(&request, &w), &w, data + 1, size - 1);
	if (data[0] % 2 == 1 && bg_fido2_reply_decode(data + 1, size - 1, &reply) == BG_OK)
		check(bg_fido2_reply_encode(&reply, &w), &w, data + 1, size - 1);
	return 0;
}
