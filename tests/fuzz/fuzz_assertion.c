/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An assertion as a hostile helper would hand it over: algorithm, three lengths,
 * then the key's public key, credential, authenticatorData and signature.
 * What is accepted must have UP and UV.
 */
#include <breakglass/assertion.h>
#include <breakglass/bytes.h>

#include <stdlib.h>
#include <string.h>

static void fill(struct bg_view *v, uint8_t *p, size_t cap, size_t len)
{
	const uint8_t *from = bg_view_take(v, len < cap ? len : cap);

	if (from != NULL)
		memcpy(p, from, len < cap ? len : cap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bg_crypto *crypto;
	struct bg_view v = { .p = data, .len = size };
	struct bg_key key = { .credential_len = 4, .credential = { 1, 2, 3, 4 } };
	struct bg_assertion a = { 0 };
	uint8_t challenge[BG_SHA256_LEN] = { 0 };
	struct bg_diag diag;
	enum bg_err err;

	if (crypto == NULL)
		crypto = bg_crypto_open();
	key.alg = (enum bg_alg) - (int)bg_view_u8(&v);
	a.credential_len = bg_view_u16(&v);
	a.authdata_len = bg_view_u16(&v);
	a.sig_len = bg_view_u16(&v);
	fill(&v, key.pub, sizeof(key.pub), sizeof(key.pub));
	fill(&v, a.credential, sizeof(a.credential), a.credential_len);
	fill(&v, a.authdata, sizeof(a.authdata), a.authdata_len);
	fill(&v, a.sig, sizeof(a.sig), a.sig_len);
	err = bg_assertion_verify(crypto, &key, "breakglass:db", challenge, &a, &diag);
	if (err == BG_OK && ((a.authdata[32] & 5) != 5 || (key.alg != -7 && key.alg != -8)))
		abort();
	return 0;
}
