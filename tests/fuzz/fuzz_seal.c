/* SPDX-License-Identifier: BSD-2-Clause */
/* A seal: what is read is written back as it was, whatever its signature. */
#include <breakglass/seal.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bg_crypto *crypto;
	static char text[65536];
	struct bg_seal seal;
	size_t len = 0;

	if (crypto == NULL)
		crypto = bg_crypto_open();
	if (bg_seal_parse(crypto, (const char *)data, size, "fuzz", &seal, NULL) != BG_OK)
		return 0;
	if (bg_seal_write_signature(&seal, text, sizeof(text), &len) != BG_OK ||
		seal.body_len + len != size || memcmp(data + seal.body_len, text, len) != 0)
		abort();
	if (bg_seal_write_body(&seal, text, sizeof(text), &len) != BG_OK)
		abort();
	return 0;
}
