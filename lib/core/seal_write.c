/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal_parts.h"

#include <string.h>

static const char *or_none(const char *text)
{
	return text[0] == '\0' ? "none" : text;
}

static void write_head(struct bg_text *t, const struct bg_seal *s)
{
	bg_text_put(t, "[seal]\nversion = %u\naccount = %s\nzone = %s\ncreated = %s\n", s->version,
		s->account, s->zone, s->created);
	bg_text_hex(t, "set", s->set_id, sizeof(s->set_id));
	bg_text_put(t, "epoch = %u\nthreshold = %u\nstrength = %u\nslip39-id = %u\n", s->epoch,
		s->threshold, s->strength, s->slip39_id);
	bg_text_hex(
		t, "predecessor", s->predecessor, s->has_predecessor ? sizeof(s->predecessor) : 0);
	bg_text_hex(t, "quorum-key", s->quorum_pub, sizeof(s->quorum_pub));
	bg_text_put(t, "recipient = %s\nrp-id = %s\n", s->recipient, s->rp_id);
}

static void write_custodian(struct bg_text *t, const struct bg_custodian *c)
{
	bg_text_put(t, "\n[custodian %s]\nindex = %u\n", c->name, c->index);
	bg_text_hex(t, "public-key", c->pub, sizeof(c->pub));
}

static void write_key(struct bg_text *t, const struct bg_key *k)
{
	const char *alg = "none";
	size_t pub_len = 0;

	if (k->alg == BG_ALG_ES256) {
		alg = "es256";
		pub_len = 64;
	} else if (k->alg == BG_ALG_EDDSA) {
		alg = "eddsa";
		pub_len = 32;
	}
	bg_text_put(
		t, "\n[key %s]\nholder = %s\nmodel = %s\n", k->name, k->holder, or_none(k->model));
	bg_text_hex(t, "aaguid", k->aaguid, sizeof(k->aaguid));
	bg_text_hex(t, "credential", k->credential, k->credential_len);
	bg_text_put(t, "algorithm = %s\n", alg);
	bg_text_hex(t, "public-key", k->pub, pub_len);
	bg_text_put(t, "ssh = %s\n", or_none(k->ssh));
}

static void write_retired(struct bg_text *t, const struct bg_retired *r)
{
	bg_text_put(t, "\n[retired %u]\n", r->epoch);
	bg_text_hex(t, "set", r->set_id, sizeof(r->set_id));
	bg_text_put(t, "slip39-id = %u\ncustodians =", r->slip39_id);
	for (size_t i = 0; i < r->custodian_count; i++) {
		const struct bg_custodian *c = &r->custodians[i];

		bg_text_put(t, " %s:%u:", c->name, c->index);
		for (size_t j = 0; j < sizeof(c->pub); j++)
			bg_text_put(t, "%02x", c->pub[j]);
	}
	bg_text_put(t, "\n");
}

enum bg_err bg_seal_write_body(
	const struct bg_seal *seal, char *ret, size_t ret_size, size_t *ret_len)
{
	struct bg_text t = { .p = ret, .size = ret_size };

	if (seal->custodian_count > BG_CUSTODIANS_MAX || seal->key_count > BG_KEYS_MAX ||
		seal->retired_count > BG_RETIRED_MAX)
		return BG_ERR_ARGUMENT;
	write_head(&t, seal);
	bg_policy_write(&t, &seal->policy);
	for (size_t i = 0; i < seal->custodian_count; i++)
		write_custodian(&t, &seal->custodians[i]);
	for (size_t i = 0; i < seal->key_count; i++)
		write_key(&t, &seal->keys[i]);
	for (size_t i = 0; i < seal->retired_count; i++)
		write_retired(&t, &seal->retired[i]);
	bg_text_put(&t, "\n");
	if (t.is_full)
		return BG_ERR_TOO_BIG;
	*ret_len = t.len;
	return BG_OK;
}

enum bg_err bg_seal_write_signature(
	const struct bg_seal *seal, char *buf, size_t buf_size, size_t *len)
{
	struct bg_text t = { .p = buf, .size = buf_size, .len = *len };
	bool has_key = seal->predecessor_key[0] != '\0';

	if (*len >= buf_size)
		return BG_ERR_TOO_BIG;
	bg_text_put(&t, "[signature]\n");
	bg_text_hex(&t, "quorum", seal->quorum_sig, sizeof(seal->quorum_sig));
	bg_text_hex(&t, "predecessor-quorum", seal->predecessor_quorum_sig,
		seal->has_endorsement ? sizeof(seal->predecessor_quorum_sig) : 0);
	bg_text_put(&t, "predecessor-key = %s\n", or_none(seal->predecessor_key));
	bg_text_hex(&t, "predecessor-authdata", seal->predecessor_key_authdata,
		has_key ? seal->predecessor_key_authdata_len : 0);
	bg_text_hex(&t, "predecessor-signature", seal->predecessor_key_sig,
		has_key ? seal->predecessor_key_sig_len : 0);
	if (t.is_full)
		return BG_ERR_TOO_BIG;
	*len = t.len;
	return BG_OK;
}
