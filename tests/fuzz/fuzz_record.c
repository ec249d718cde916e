/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record's reader with a good hash put over whatever comes (input: kind and
 * content): what is read can be written, and is the same bytes again.
 */
#include <breakglass/record.h>

#include <stdlib.h>
#include <string.h>

static struct bg_crypto *crypto;

static size_t frame(const uint8_t *data, size_t size, uint8_t *ret)
{
	struct bg_writer w = { .p = ret, .cap = BG_RECORD_MAX_LEN };

	bg_put(&w, "bgR1", 4);
	bg_put_u8(&w, data[0]);
	bg_put_u32(&w, (uint32_t)(size - 1));
	bg_put(&w, data + 1, size - 1);
	if (w.is_full || w.len + BG_SHA256_LEN > w.cap ||
		bg_sha256(crypto, ret, w.len, ret + w.len) != BG_OK)
		return 0;
	return w.len + BG_SHA256_LEN;
}

static void same(const uint8_t *p, size_t len, enum bg_err err, const struct bg_writer *w)
{
	if (err != BG_OK || w->len != len || memcmp(p, w->p, len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[BG_RECORD_MAX_LEN], again[BG_RECORD_MAX_LEN];
	struct bg_writer w = { .p = again, .cap = sizeof(again) };
	struct bg_request_record request;
	struct bg_session session;
	struct bg_grant grant;
	struct bg_drill drill;
	struct bg_lift lift;
	size_t len;

	if (!crypto)
		crypto = bg_crypto_open();
	if (!crypto || size == 0)
		return 0;
	len = frame(data, size, buf);
	if (len == 0)
		return 0;
	if (bg_record_read_request(crypto, buf, len, &request) == BG_OK)
		same(buf, len, bg_record_write_request(crypto, &request, &w), &w);
	if (bg_record_read_grant(crypto, buf, len, &grant) == BG_OK)
		same(buf, len, bg_record_write_grant(crypto, &grant, &w), &w);
	if (bg_record_read_session(crypto, buf, len, &session) == BG_OK)
		same(buf, len, bg_record_write_session(crypto, &session, &w), &w);
	if (bg_record_read_drill(crypto, buf, len, &drill) == BG_OK)
		same(buf, len, bg_record_write_drill(crypto, &drill, &w), &w);
	if (bg_record_read_lift(crypto, buf, len, &lift) == BG_OK)
		same(buf, len, bg_record_write_lift(crypto, &lift, &w), &w);
	return 0;
}
