/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces parted by a zero byte, the first byte of each choosing what is expected. */
#include <breakglass/entry.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct bg_entry *e)
{
	struct bg_slip39_share head;

	if (e->words.count > BG_SLIP39_MAX_WORDS || e->modhex_len > BG_ENTRY_MODHEX_LEN)
		abort();
	if (!memchr(e->bad_text, '\0', sizeof(e->bad_text)))
		abort();
	for (const char *c = e->bad_text; *c; c++)
		if (*c <= ' ' || *c > '~')
			abort();
	if (e->state == BG_ENTRY_MNEMONIC && e->share.value.len != 16 && e->share.value.len != 32)
		abort();
	if (e->state == BG_ENTRY_COMPACT && e->compact.value.len != 16 &&
		e->compact.value.len != 32)
		abort();
	if (e->state == BG_ENTRY_BAD_WORD && (!e->bad_number || e->bad_number > 33))
		abort();
	if (e->state == BG_ENTRY_REFUSED && e->err == BG_OK)
		abort();
	if (bg_entry_head(e, &head) && head.member_index > 15)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t expected[4] = { 0, 20, 33, 7 };
	struct bg_entry e = { 0 };

	while (size) {
		const uint8_t *end = memchr(data, 0, size);
		size_t len = end ? (size_t)(end - data) : size;

		if (len)
			bg_entry_add(&e, (const char *)data + 1, len - 1, expected[data[0] % 4]);
		check(&e);
		len += end != NULL;
		data += len;
		size -= len;
	}
	bg_entry_wipe(&e);
	return 0;
}
