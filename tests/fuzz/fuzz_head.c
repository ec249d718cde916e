/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of syslogs and copies: what is taken for a head stands at the line's end as it is written.
 */
#include <breakglass/bytes.h>
#include <breakglass/head.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data;
	char hex[2 * BG_SHA256_LEN + 1], text[96];
	struct bg_head head;

	if (!bg_head_find(line, size, &head))
		return 0;
	bg_hex_encode(head.hash, sizeof(head.hash), hex);
	(void)snprintf(text, sizeof(text), "%" PRIu64 ":%s", head.seq, hex);
	while (size > 0 && strchr(" \t\r\n", line[size - 1]))
		size--;
	if (head.seq == 0 || size < strlen(text) ||
		memcmp(line + size - strlen(text), text, strlen(text)) != 0)
		abort();
	return 0;
}
