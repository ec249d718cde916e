/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"
#include "out.h"
#include "rng.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <string.h>

#define APPLICATION "ssh:"

static void must_have(int is_good)
{
	must(is_good ? BG_OK : BG_ERR_CRYPTO);
}

static BIGNUM *number(uint8_t byte)
{
	uint8_t bytes[32];

	memset(bytes, byte, sizeof(bytes));
	return BN_bin2bn(bytes, sizeof(bytes), NULL);
}

/* scalar times P-256's generator, uncompressed. */
static void multiply(const BIGNUM *scalar, uint8_t ret[static 65])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = EC_POINT_new(group);

	must_have(EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1);
	must_have(EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, ret, 65, NULL) ==
		  65);
	EC_POINT_free(point);
	EC_GROUP_free(group);
}

#define ES256_SECRET 0x11
#define ES256_NONCE  0x22

/* ECDSA with a fixed nonce, as nobody must ever do: s = (hash + r * secret) / nonce. */
static size_t es256_sign(const uint8_t *msg, size_t len, uint8_t *ret)
{
	uint8_t point[65], hash[BG_SHA256_LEN];
	BN_CTX *ctx = BN_CTX_new();
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	const BIGNUM *order = EC_GROUP_get0_order(group);
	BIGNUM *secret = number(ES256_SECRET), *nonce = number(ES256_NONCE), *r, *s = BN_new();
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *end = ret;
	int n;

	multiply(nonce, point);
	SHA256(msg, len, hash);
	r = BN_bin2bn(point + 1, 32, NULL);
	must_have(BN_nnmod(r, r, order, ctx) && BN_mod_mul(s, r, secret, order, ctx));
	BN_bin2bn(hash, sizeof(hash), secret);
	must_have(BN_mod_add(s, s, secret, order, ctx) &&
		  BN_mod_inverse(nonce, nonce, order, ctx) != NULL &&
		  BN_mod_mul(s, s, nonce, order, ctx));
	must_have(ECDSA_SIG_set0(sig, r, s));
	n = i2d_ECDSA_SIG(sig, &end);
	must_have(n > 0);
	ECDSA_SIG_free(sig);
	BN_free(secret);
	BN_free(nonce);
	EC_GROUP_free(group);
	BN_CTX_free(ctx);
	return (size_t)n;
}

void world_assert(const struct world *w, size_t key, const char *rp_id,
	const uint8_t challenge[static BG_SHA256_LEN], uint8_t flags, struct bg_assertion *ret)
{
	uint8_t msg[37 + BG_SHA256_LEN];

	must_have(
		seal_fixture_assert(&w->epochs[0].f, KEY_EDDSA, rp_id, challenge, flags, ret) == 0);
	if (key == KEY_EDDSA)
		return;
	memcpy(ret->credential, w->epochs[0].f.seal.keys[key].credential, ret->credential_len);
	ret->authdata[35] = 7; /* the counter of another key is another */
	memcpy(msg, ret->authdata, 37);
	memcpy(msg + 37, challenge, BG_SHA256_LEN);
	ret->sig_len = es256_sign(msg, sizeof(msg), ret->sig);
}

static void put_string(struct bg_writer *w, const void *p, size_t len)
{
	bg_put_u32(w, (uint32_t)len);
	bg_put(w, p, len);
}

size_t world_ssh_blob(const struct bg_key *key, uint8_t ret[static 200])
{
	struct bg_writer w = { .p = ret, .cap = 200 };
	uint8_t point[65] = { 0x04 };
	const char *type = key->alg == BG_ALG_EDDSA ? "sk-ssh-ed25519@openssh.com"
						    : "sk-ecdsa-sha2-nistp256@openssh.com";

	put_string(&w, type, strlen(type));
	if (key->alg == BG_ALG_EDDSA) {
		put_string(&w, key->pub, BG_ED25519_PUB_LEN);
	} else {
		memcpy(point + 1, key->pub, 64);
		put_string(&w, "nistp256", 8);
		put_string(&w, point, sizeof(point));
	}
	put_string(&w, APPLICATION, strlen(APPLICATION));
	must(w.is_full ? BG_ERR_TOO_BIG : BG_OK);
	return w.len;
}

static void set_ssh(struct bg_key *key)
{
	uint8_t blob[200];
	char base64[300];
	size_t len = world_ssh_blob(key, blob);

	must_have(EVP_EncodeBlock((uint8_t *)base64, blob, (int)len) > 0);
	(void)snprintf(key->ssh, sizeof(key->ssh), "%s %s",
		key->alg == BG_ALG_EDDSA ? "sk-ssh-ed25519@openssh.com"
					 : "sk-ecdsa-sha2-nistp256@openssh.com",
		base64);
}

/* The EdDSA key first: it endorses. The ES256 key gets a fixed secret. */
static void set_keys(struct seal_fixture *f)
{
	struct bg_key eddsa = f->seal.keys[1];
	BIGNUM *secret = number(ES256_SECRET);
	uint8_t point[65];

	f->seal.keys[KEY_ES256] = f->seal.keys[0];
	f->seal.keys[KEY_EDDSA] = eddsa;
	EVP_PKEY_free(f->keys[0]);
	f->keys[KEY_EDDSA] = f->keys[1];
	f->keys[KEY_ES256] = NULL;
	multiply(secret, point);
	memcpy(f->seal.keys[KEY_ES256].pub, point + 1, 64);
	BN_free(secret);
	set_ssh(&f->seal.keys[KEY_EDDSA]);
	set_ssh(&f->seal.keys[KEY_ES256]);
}

static void deal(struct bg_crypto *crypto, struct epoch *e, uint64_t seed, size_t secret_len)
{
	struct bg_slip39_deal plan = { .threshold = e->f.seal.threshold,
		.count = (uint8_t)e->f.seal.custodian_count,
		.identifier = e->f.seal.slip39_id };
	struct rng rng = { .state = seed };

	e->f.seal.strength = (uint32_t)(8 * secret_len);
	e->f.secret.len = secret_len;
	(void)rng_fill(&rng, e->f.secret.bytes, secret_len);
	(void)rng_fill(&rng, e->f.seal.set_id, BG_SET_ID_LEN);
	must(bg_slip39_split(crypto, &plan, &e->f.secret, rng_fill, &rng, e->shares));
	for (size_t i = 0; i < e->f.seal.custodian_count; i++)
		e->f.values[i] = e->shares[i].value;
}

void world_open(struct world *w)
{
	struct seal_fixture *first = &w->epochs[0].f, *second = &w->epochs[1].f;

	w->crypto = bg_crypto_open();
	must_have(w->crypto != NULL && seal_fixture_plan(first, 1) == 0);
	set_keys(first);
	deal(w->crypto, &w->epochs[0], 1, 16);
	must(seal_fixture_seal(w->crypto, first, NULL, NULL));
	must_have(seal_fixture_plan_next(second, first, 2) == 0);
	deal(w->crypto, &w->epochs[1], 2, 32);
	must(seal_fixture_seal(w->crypto, second, first, NULL));
	must(bg_seal_check_successor(
		w->crypto, &first->seal, &second->seal, second->text, false, NULL));
	must_have(seal_fixture_plan(&w->other.f, 3) == 0);
	set_keys(&w->other.f);
	deal(w->crypto, &w->other, 3, 16);
	must(seal_fixture_seal(w->crypto, &w->other.f, NULL, NULL));
}

void world_close(struct world *w)
{
	seal_fixture_free(&w->epochs[0].f);
	seal_fixture_free(&w->epochs[1].f);
	seal_fixture_free(&w->other.f);
	bg_crypto_close(w->crypto);
}

void world_request(const struct world *w, size_t which, struct bg_request *ret)
{
	const struct bg_request drill = { .purpose = BG_PURPOSE_DRILL,
		.host_label = "DB-2.example",
		.account = "bg_2",
		.uid = 4294967294,
		.key = "a",
		.holder = "J\xc3\xb6rg (on call)",
		.reason = "drill 2026/1: \xe2\x82\xac 0, no one is hurt",
		.session_secs = 60,
		.service = "login",
		.origin = "/dev/ttyS0" };
	const struct bg_request emergency = { .purpose = BG_PURPOSE_EMERGENCY,
		.host_label = "db1",
		.account = "breakglass",
		.uid = 990,
		.key = "b",
		.holder = "oncall",
		.reason = "INC-1: LDAP is down",
		.session_secs = 14400,
		.service = "sshd",
		.origin = "198.51.100.7" };

	*ret = which == 0 ? emergency : drill;
	memset(ret->nonce, (int)(0x42 + which), sizeof(ret->nonce));
	memcpy(ret->seal_digest, w->epochs[which].f.seal.digest, BG_SHA256_LEN);
}

void world_touch(const struct world *w, size_t which, struct bg_touch_challenge *ret)
{
	struct bg_request request;

	world_request(w, which, &request);
	memset(ret, 0, sizeof(*ret));
	memset(ret->touch.nonce, (int)(0x21 + which), sizeof(ret->touch.nonce));
	memcpy(ret->touch.seal_digest, request.seal_digest, BG_SHA256_LEN);
	memcpy(ret->touch.host_label, request.host_label, sizeof(ret->touch.host_label));
	memcpy(ret->touch.account, request.account, sizeof(ret->touch.account));
	memcpy(ret->touch.service, request.service, sizeof(ret->touch.service));
	memcpy(ret->touch.origin, request.origin, sizeof(ret->touch.origin));
	memcpy(ret->zone, w->epochs[which].f.seal.zone, sizeof(ret->zone));
}
