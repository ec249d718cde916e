/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of text as codes and compact shares: what is taken must encode to the same again. */
#include <breakglass/code.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_compact(const char *text, size_t len)
{
	struct bg_compact share;
	char again[BG_COMPACT_TEXT_LEN];

	if (bg_compact_decode(text, len, &share))
		return;
	if (bg_compact_encode(&share, again) || strlen(again) != len)
		abort();
	for (size_t i = 0; i < len; i++)
		if (again[i] != (text[i] | 0x20))
			abort();
}

static void check_code(const struct bg_code *code)
{
	static char text[BG_CODE_TEXT_LEN];
	const uint8_t *body;
	size_t len;

	if (!bg_code_is_whole(code, &body, &len))
		return;
	if (!len || len > BG_CODE_MAX_LEN ||
		bg_code_encode(code->kind, body, len, text, sizeof(text)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bg_code code = { 0 };
	const char *p = (const char *)data;

	while (size) {
		const char *end = memchr(p, '\n', size);
		size_t len = end ? (size_t)(end - p) : size;
		struct bg_code_line line;

		check_compact(p, len);
		if (bg_code_line_decode(p, len, &line) == BG_OK) {
			(void)bg_code_add(&code, &line);
			(void)bg_code_missing(&code);
			check_code(&code);
		}
		len += end != NULL;
		p += len;
		size -= len;
	}
	/* lines that no CRC stands before */
	for (size_t i = 0; i + 15 <= (size_t)(p - (const char *)data); i += 15) {
		struct bg_code_line line = { (enum bg_code_kind)(data[i] % BG_CODE_KIND_COUNT),
			data[i + 1], { 0 } };

		memcpy(line.body, data + i + 2, BG_CODE_LINE_BODY_LEN);
		(void)bg_code_add(&code, &line);
		check_code(&code);
	}
	return 0;
}
