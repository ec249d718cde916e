/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers at a prompt for codes, a NUL between two: what is whole encodes again, and more of the
   same text never takes a good line away. */
#include <breakglass/code_text.h>
#include <stdlib.h>

#define WANTED (BG_WANTED(BG_CODE_APPROVAL) | BG_WANTED(BG_CODE_RESPONSE))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_whole(const struct bg_code *code)
{
	static char text[BG_CODE_TEXT_LEN];
	struct bg_code again = { 0 };
	struct bg_code_problem problem;
	const uint8_t *body;
	size_t len;

	if (!bg_code_is_whole(code, &body, &len) ||
		bg_code_encode(code->kind, body, len, text, sizeof(text)) ||
		bg_code_take(&again, WANTED, text, strlen(text), &problem) != BG_TOOK_WHOLE ||
		memcmp(&again.body, &code->body, sizeof(again.body)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bg_code code = { 0 };
	const char *p = (const char *)data;

	while (size) {
		const char *end = memchr(p, '\0', size);
		size_t len = end ? (size_t)(end - p) : size;
		struct bg_code_problem problem;
		uint32_t had = code.have;
		enum bg_code_took took = bg_code_take(&code, WANTED, p, len, &problem);

		if ((took != BG_TOOK_WHOLE && (had & ~code.have) != 0) || problem.used > len)
			abort();
		if (took == BG_TOOK_BAD_LINE && code.have >> (problem.line - 1) & 1)
			abort();
		if (took == BG_TOOK_WHOLE) {
			check_whole(&code);
			memset(&code, 0, sizeof(code));
			len = problem.used;
			end = NULL;
		}
		len += end != NULL;
		p += len;
		size -= len;
	}
	return 0;
}
