/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal_fixture.h"
#include "../../lib/core/msan.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static void add_custodian(struct seal_fixture *f, const char *name, uint8_t index, uint8_t tag)
{
	size_t i = f->seal.custodian_count++;

	snprintf(f->seal.custodians[i].name, sizeof(f->seal.custodians[i].name), "%s", name);
	f->seal.custodians[i].index = index;
	f->values[i].len = 16;
	memset(f->values[i].bytes, tag, 16);
	f->values[i].bytes[15] = index;
}

static int read_public(EVP_PKEY *pkey, struct bg_key *key)
{
	uint8_t point[65];
	size_t len = sizeof(point);

	if (key->alg == BG_ALG_EDDSA) {
		len = 32;
		if (EVP_PKEY_get_raw_public_key(pkey, key->pub, &len) != 1)
			return -1;
		bg_foreign_output(key->pub, 32);
		return 0;
	}
	if (EVP_PKEY_get_octet_string_param(
		    pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) != 1 ||
		len != 65)
		return -1;
	bg_foreign_output(point, sizeof(point));
	memcpy(key->pub, point + 1, 64);
	return 0;
}

static int add_key(struct seal_fixture *f, const char *name, enum bg_alg alg, uint8_t tag)
{
	size_t i = f->seal.key_count++;
	struct bg_key *key = &f->seal.keys[i];
	uint8_t seed[32];

	snprintf(key->name, sizeof(key->name), "%s", name);
	snprintf(key->holder, sizeof(key->holder), "holder of %s", name);
	snprintf(key->model, sizeof(key->model), "Softkey 1");
	memset(key->aaguid, 0x5f, sizeof(key->aaguid));
	key->credential_len = 48;
	memset(key->credential, tag ^ (uint8_t)i, key->credential_len);
	key->alg = alg;
	memset(seed, tag ^ 0x55, sizeof(seed));
	f->keys[i] = alg == BG_ALG_ES256 ? EVP_EC_gen("P-256")
					 : EVP_PKEY_new_raw_private_key(
						   EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	return f->keys[i] == NULL ? -1 : read_public(f->keys[i], key);
}

static void plan_seal(struct bg_seal *seal, uint8_t tag)
{
	seal->version = 1;
	snprintf(seal->account, sizeof(seal->account), "breakglass");
	snprintf(seal->zone, sizeof(seal->zone), "db");
	snprintf(seal->created, sizeof(seal->created), "2026-01-02T03:04:05Z");
	snprintf(seal->rp_id, sizeof(seal->rp_id), "breakglass:db");
	memset(seal->set_id, tag ^ 0xa0, sizeof(seal->set_id));
	seal->epoch = 1;
	seal->threshold = 2;
	seal->strength = 128;
	seal->slip39_id = 0x1200 + tag;
	bg_policy_defaults(&seal->policy);
	snprintf(seal->policy.expires, sizeof(seal->policy.expires), "2026-04-02T03:04:05Z");
}

int seal_fixture_plan(struct seal_fixture *f, uint8_t tag)
{
	memset(f, 0, sizeof(*f));
	plan_seal(&f->seal, tag);
	f->secret.len = 16;
	memset(f->secret.bytes, tag ^ 0x33, 16);
	add_custodian(f, "ops", 0, tag);
	add_custodian(f, "dba", 1, tag);
	add_custodian(f, "audit", 2, tag);
	if (add_key(f, "a", BG_ALG_ES256, tag) != 0 || add_key(f, "b", BG_ALG_EDDSA, tag) != 0)
		return -1;
	snprintf(f->seal.keys[1].ssh, sizeof(f->seal.keys[1].ssh),
		"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t");
	return 0;
}

static void retire(struct bg_seal *next, const struct bg_seal *prev)
{
	struct bg_retired *r = &next->retired[0];

	next->retired_count =
		prev->retired_count < BG_RETIRED_MAX ? prev->retired_count + 1 : BG_RETIRED_MAX;
	memcpy(next->retired + 1, prev->retired,
		(next->retired_count - 1) * sizeof(next->retired[0]));
	r->epoch = prev->epoch;
	memcpy(r->set_id, prev->set_id, sizeof(r->set_id));
	r->slip39_id = prev->slip39_id;
	r->custodian_count = prev->custodian_count;
	memcpy(r->custodians, prev->custodians, sizeof(r->custodians));
}

int seal_fixture_plan_next(struct seal_fixture *f, const struct seal_fixture *prev, uint8_t tag)
{
	if (seal_fixture_plan(f, tag) != 0)
		return -1;
	for (size_t i = 0; i < BG_KEYS_MAX; i++) {
		EVP_PKEY_free(f->keys[i]);
		f->keys[i] = prev->keys[i];
		if (f->keys[i] != NULL)
			EVP_PKEY_up_ref(f->keys[i]);
	}
	memcpy(f->seal.keys, prev->seal.keys, sizeof(f->seal.keys));
	f->seal.key_count = prev->seal.key_count;
	f->seal.epoch = prev->seal.epoch + 1;
	f->seal.has_predecessor = true;
	memcpy(f->seal.predecessor, prev->seal.digest, sizeof(f->seal.predecessor));
	retire(&f->seal, &prev->seal);
	return 0;
}

static enum bg_err derive(struct bg_crypto *crypto, struct seal_fixture *f)
{
	struct bg_seal *s = &f->seal;
	enum bg_err err = bg_quorum_derive(crypto, &f->secret, s->set_id, s->epoch, &f->quorum);

	for (size_t i = 0; i < s->custodian_count && err == BG_OK; i++) {
		err = bg_custodian_seed(crypto, &f->values[i], s->set_id, s->epoch,
			s->custodians[i].index, &f->seeds[i]);
		if (err == BG_OK)
			err = bg_ed25519_public(crypto, &f->seeds[i], s->custodians[i].pub);
	}
	if (err != BG_OK)
		return err;
	memcpy(s->quorum_pub, f->quorum.sign_pub, sizeof(s->quorum_pub));
	bg_age_recipient(f->quorum.envelope_pub, s->recipient);
	return BG_OK;
}

static enum bg_err endorse(struct bg_crypto *crypto, struct seal_fixture *f,
	const struct seal_fixture *prev, size_t body_len)
{
	struct bg_seal *s = &f->seal;
	struct bg_assertion a = { 0 };
	uint8_t challenge[BG_SHA256_LEN];
	enum bg_err err = bg_seal_sign(crypto, BG_CTX_SUCCESSION_QUORUM, &prev->quorum.sign_seed,
		f->text, body_len, s->predecessor_quorum_sig);

	if (err == BG_OK)
		err = bg_seal_key_challenge(crypto, f->text, body_len, challenge);
	if (err != BG_OK)
		return err;
	if (seal_fixture_assert(prev, 0, prev->seal.rp_id, challenge, SEAL_UP | SEAL_UV, &a) != 0)
		return BG_ERR_CRYPTO;
	s->has_endorsement = true;
	memcpy(s->predecessor_key, prev->seal.keys[0].name, sizeof(s->predecessor_key));
	memcpy(s->predecessor_key_authdata, a.authdata, a.authdata_len);
	s->predecessor_key_authdata_len = a.authdata_len;
	memcpy(s->predecessor_key_sig, a.sig, a.sig_len);
	s->predecessor_key_sig_len = a.sig_len;
	return BG_OK;
}

enum bg_err seal_fixture_seal(struct bg_crypto *crypto, struct seal_fixture *f,
	const struct seal_fixture *prev, struct bg_diag *diag)
{
	enum bg_err err = derive(crypto, f);
	size_t len = 0;

	if (err == BG_OK)
		err = bg_seal_write_body(&f->seal, f->text, sizeof(f->text), &len);
	if (err == BG_OK)
		err = bg_seal_sign(crypto, BG_CTX_SEAL, &f->quorum.sign_seed, f->text, len,
			f->seal.quorum_sig);
	if (err == BG_OK && prev != NULL)
		err = endorse(crypto, f, prev, len);
	if (err == BG_OK)
		err = bg_seal_write_signature(&f->seal, f->text, sizeof(f->text), &len);
	f->len = len;
	if (err == BG_OK)
		err = bg_seal_parse(crypto, f->text, f->len, "fixture", &f->seal, diag);
	return err;
}

enum bg_err seal_fixture_resign(struct bg_crypto *crypto, struct seal_fixture *f)
{
	char *header = strstr(f->text, "[signature]\n");
	size_t len;
	enum bg_err err;

	if (header == NULL)
		return BG_ERR_MISSING;
	len = (size_t)(header - f->text);
	err = bg_seal_sign(
		crypto, BG_CTX_SEAL, &f->quorum.sign_seed, f->text, len, f->seal.quorum_sig);
	if (err == BG_OK)
		err = bg_seal_write_signature(&f->seal, f->text, sizeof(f->text), &len);
	f->len = len;
	return err;
}

void seal_fixture_free(struct seal_fixture *f)
{
	for (size_t i = 0; i < BG_KEYS_MAX; i++) {
		EVP_PKEY_free(f->keys[i]);
		f->keys[i] = NULL;
	}
}

int seal_fixture_assert(const struct seal_fixture *f, size_t key, const char *rp_id,
	const uint8_t challenge[static BG_SHA256_LEN], uint8_t flags, struct bg_assertion *ret)
{
	const EVP_MD *md = f->seal.keys[key].alg == BG_ALG_ES256 ? EVP_sha256() : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t msg[37 + BG_SHA256_LEN];
	int ok;

	memset(ret, 0, sizeof(*ret));
	ret->authdata_len = 37;
	SHA256((const uint8_t *)rp_id, strlen(rp_id), ret->authdata);
	bg_foreign_output(ret->authdata, 32);
	ret->authdata[32] = flags;
	ret->authdata[36] = 1;
	memcpy(msg, ret->authdata, 37);
	memcpy(msg + 37, challenge, BG_SHA256_LEN);
	ret->credential_len = f->seal.keys[key].credential_len;
	memcpy(ret->credential, f->seal.keys[key].credential, ret->credential_len);
	ret->sig_len = sizeof(ret->sig);
	ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, f->keys[key]) == 1 &&
	     EVP_DigestSign(ctx, ret->sig, &ret->sig_len, msg, sizeof(msg)) == 1;
	EVP_MD_CTX_free(ctx);
	bg_foreign_output(&ret->sig_len, sizeof(ret->sig_len));
	bg_foreign_output(ret->sig, sizeof(ret->sig));
	return ok ? 0 : -1;
}
