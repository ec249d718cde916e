/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints tests/vectors/protocol.json: doc/protocol.md with fixed inputs. */
#include "seal_fixture.h"

#include <breakglass/code.h>
#include <breakglass/request.h>
#include <breakglass/tally.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bg_crypto *crypto;

static void must(enum bg_err err)
{
	if (err == BG_OK)
		return;
	fprintf(stderr, "protocol_vectors: %s\n", bg_err_text(err));
	exit(1);
}

static void put_hex(const char *name, const uint8_t *p, size_t len, const char *end)
{
	printf("    \"%s\": \"", name);
	for (size_t i = 0; i < len; i++)
		printf("%02x", p[i]);
	printf("\"%s\n", end);
}

static void put_text(const char *name, const char *text, const char *end)
{
	printf("    \"%s\": \"", name);
	for (; *text != '\0'; text++)
		printf(*text == '\n' ? "\\n" : "%c", *text);
	printf("\"%s\n", end);
}

static void put_secret(const char *name, const struct bg_secret *s, const char *end)
{
	put_hex(name, s->bytes, s->len, end);
}

static void put_custodian(const struct seal_fixture *f, size_t i)
{
	printf("  \"custodian_%s\": {\n    \"epoch\": %u,\n    \"index\": %u,\n",
		f->seal.custodians[i].name, f->seal.epoch, f->seal.custodians[i].index);
	put_secret("value", &f->values[i], ",");
	put_hex("set", f->seal.set_id, BG_SET_ID_LEN, ",");
	put_secret("seed", &f->seeds[i], ",");
	put_hex("public", f->seal.custodians[i].pub, BG_ED25519_PUB_LEN, "");
	printf("  },\n");
}

static void put_quorum(const struct seal_fixture *f)
{
	printf("  \"quorum\": {\n    \"epoch\": %u,\n", f->seal.epoch);
	put_secret("secret", &f->secret, ",");
	put_hex("set", f->seal.set_id, BG_SET_ID_LEN, ",");
	put_secret("sign_seed", &f->quorum.sign_seed, ",");
	put_hex("sign_public", f->quorum.sign_pub, BG_ED25519_PUB_LEN, ",");
	put_secret("envelope", &f->quorum.envelope, ",");
	put_hex("envelope_public", f->quorum.envelope_pub, BG_X25519_PUB_LEN, ",");
	put_text("recipient", f->seal.recipient, "");
	printf("  },\n");
}

static void put_seal(const char *name, const struct seal_fixture *f)
{
	printf("  \"%s\": {\n    \"body_len\": %zu,\n", name, f->seal.body_len);
	put_hex("digest", f->seal.digest, BG_SHA256_LEN, ",");
	put_text("text", f->text, "");
	printf("  },\n");
}

static void put_touch(const struct seal_fixture *f)
{
	struct bg_touch t = { .host_label = "db1",
		.account = "breakglass",
		.service = "sshd",
		.origin = "198.51.100.7" };
	struct bg_assertion a;
	uint8_t digest[BG_SHA256_LEN];

	memset(t.nonce, 0x21, sizeof(t.nonce));
	memcpy(t.seal_digest, f->seal.digest, sizeof(t.seal_digest));
	must(bg_touch_digest(crypto, &t, digest));
	if (seal_fixture_assert(f, 0, f->seal.rp_id, digest, SEAL_UP | SEAL_UV, &a) != 0)
		must(BG_ERR_CRYPTO);
	must(bg_assertion_verify(crypto, &f->seal.keys[0], f->seal.rp_id, digest, &a, NULL));
	printf("  \"touch\": {\n");
	put_hex("nonce", t.nonce, sizeof(t.nonce), ",");
	put_hex("seal_digest", t.seal_digest, sizeof(t.seal_digest), ",");
	put_text("host_label", t.host_label, ",");
	put_text("account", t.account, ",");
	put_text("service", t.service, ",");
	put_text("origin", t.origin, ",");
	put_hex("digest", digest, sizeof(digest), ",");
	put_text("rp_id", f->seal.rp_id, ",");
	put_hex("key_public", f->seal.keys[0].pub, 32, ",");
	put_hex("authdata", a.authdata, a.authdata_len, ",");
	put_hex("signature", a.sig, a.sig_len, "");
	printf("  },\n");
}

static void put_request_fields(const struct bg_request *r, const uint8_t *digest)
{
	put_text("purpose", bg_purpose_text(r->purpose), ",");
	put_hex("seal_digest", r->seal_digest, sizeof(r->seal_digest), ",");
	put_text("host_label", r->host_label, ",");
	put_text("account", r->account, ",");
	printf("    \"uid\": %u,\n", r->uid);
	put_text("key", r->key, ",");
	put_text("holder", r->holder, ",");
	put_text("reason", r->reason, ",");
	printf("    \"session_seconds\": %u,\n", r->session_secs);
	put_hex("nonce", r->nonce, sizeof(r->nonce), ",");
	put_text("service", r->service, ",");
	put_text("origin", r->origin, ",");
	put_hex("digest", digest, BG_SHA256_LEN, ",");
}

static void put_request(const struct seal_fixture *f)
{
	struct bg_request r = { .purpose = BG_PURPOSE_EMERGENCY,
		.host_label = "db1",
		.account = "breakglass",
		.uid = 990,
		.key = "b",
		.holder = "oncall",
		.reason = "INC-1: LDAP is down",
		.session_secs = 14400,
		.service = "sshd",
		.origin = "198.51.100.7" };
	uint8_t digest[BG_SHA256_LEN], approval[BG_ED25519_SIG_LEN], response[BG_ED25519_SIG_LEN];

	memset(r.nonce, 0x42, sizeof(r.nonce));
	memcpy(r.seal_digest, f->seal.digest, sizeof(r.seal_digest));
	must(bg_request_digest(crypto, &r, digest));
	must(bg_approval_sign(crypto, &f->seeds[0], digest, approval));
	must(bg_response_sign(crypto, &f->quorum.sign_seed, digest, 0x3, response));
	printf("  \"request\": {\n");
	put_request_fields(&r, digest);
	put_hex("approval", approval, sizeof(approval), ",");
	put_hex("response", response, sizeof(response), "");
	printf("  },\n");
}

static void put_codes(const struct seal_fixture *f)
{
	struct bg_compact c = { .member_index = 2, .value = f->values[2] };
	char text[BG_COMPACT_TEXT_LEN], lines[BG_CODE_MAX_LINES * (BG_CODE_LINE_CHARS + 1) + 1];
	uint8_t body[64];

	must(bg_compact_encode(&c, text));
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)i;
	must(bg_code_encode_plain(BG_CODE_APPROVAL, body, sizeof(body), lines, sizeof(lines)));
	printf("  \"compact\": {\n    \"index\": %u,\n", c.member_index);
	put_secret("value", &c.value, ",");
	put_text("modhex", text, "");
	printf("  },\n  \"code\": {\n    \"kind\": %d,\n", BG_CODE_APPROVAL);
	put_hex("body", body, sizeof(body), ",");
	put_text("lines", lines, "");
	printf("  }\n");
}

int main(void)
{
	static struct seal_fixture first, second;

	crypto = bg_crypto_open();
	if (crypto == NULL || seal_fixture_plan(&first, 1) != 0)
		must(BG_ERR_CRYPTO);
	/* EdDSA only: ECDSA's signatures differ each time */
	EVP_PKEY_free(first.keys[0]);
	first.seal.keys[0] = first.seal.keys[1];
	first.keys[0] = first.keys[1];
	first.keys[1] = NULL;
	first.seal.key_count = 1;
	must(seal_fixture_seal(crypto, &first, NULL, NULL));
	if (seal_fixture_plan_next(&second, &first, 2) != 0)
		must(BG_ERR_CRYPTO);
	must(seal_fixture_seal(crypto, &second, &first, NULL));
	must(bg_seal_check_successor(crypto, &first.seal, &second.seal, second.text, false, NULL));
	printf("{\n");
	put_custodian(&first, 0);
	put_custodian(&second, 2);
	put_quorum(&first);
	put_seal("seal", &first);
	put_seal("successor", &second);
	put_touch(&first);
	put_request(&first);
	put_codes(&first);
	printf("}\n");
	seal_fixture_free(&first);
	seal_fixture_free(&second);
	bg_crypto_close(crypto);
	return 0;
}
