/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credentials, and the state file: a line per value, `cred` lines last, binary
 * in hex. All credentials are kept, discoverable or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "softkey.h"

enum { DER_MAX = 256, LINE_MAX_LEN = 4096 };

struct sk_cred *sk_cred_find(struct sk_key *k, struct sk_bytes id, const char *rp)
{
	for (size_t i = 0; i < k->cred_count; i++) {
		struct sk_cred *c = &k->creds[i];

		if (id.len == SK_CRED_ID_LEN && memcmp(c->id, id.ptr, id.len) == 0 &&
			strcmp(c->rp, rp) == 0)
			return c;
	}
	return NULL;
}

struct sk_cred *sk_cred_listed(struct sk_key *k, const cbor_item_t *entry, const char *rp)
{
	struct sk_bytes id;

	return sk_cbor_get_bytes(sk_cbor_at_text(entry, "id"), &id) ? sk_cred_find(k, id, rp)
								    : NULL;
}

static void sk_cred_drop(struct sk_key *k, size_t at)
{
	EVP_PKEY_free(k->creds[at].key);
	k->cred_count--;
	memmove(&k->creds[at], &k->creds[at + 1], (k->cred_count - at) * sizeof(k->creds[0]));
	k->next.count = 0;
}

bool sk_cred_add(struct sk_key *k, const struct sk_cred *cred)
{
	for (size_t i = 0; cred->is_resident && i < k->cred_count; i++) {
		const struct sk_cred *c = &k->creds[i];

		if (c->is_resident && strcmp(c->rp, cred->rp) == 0 &&
			c->user_len == cred->user_len &&
			memcmp(c->user, cred->user, c->user_len) == 0) {
			sk_cred_drop(k, i);
			break;
		}
	}
	if (k->cred_count == SK_CREDS)
		return false;
	k->creds[k->cred_count++] = *cred;
	sk_state_save(k);
	return true;
}

void sk_cred_clear(struct sk_key *k)
{
	while (k->cred_count > 0)
		sk_cred_drop(k, k->cred_count - 1);
}

static void sk_state_hex(FILE *f, const char *name, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	fprintf(f, " %s=", name);
	for (size_t i = 0; i < len; i++)
		fprintf(f, "%02x", bytes[i]);
}

static void sk_state_key(FILE *f, const char *name, EVP_PKEY *key)
{
	uint8_t der[DER_MAX], *end = der;
	int len = i2d_PrivateKey(key, NULL);

	if (len <= 0 || len > DER_MAX || i2d_PrivateKey(key, &end) != len)
		sk_die("private key to DER");
	sk_state_hex(f, name, der, (size_t)len);
}

static void sk_state_print(FILE *f, const struct sk_key *k)
{
	fprintf(f, "softkey 1\nkey");
	sk_state_hex(f, "aaguid", k->aaguid, 16);
	sk_state_hex(f, "pin", k->pin_hash, k->has_pin ? 16 : 0);
	fprintf(f, " retries=%u signs=%u", k->pin_retries, (unsigned)k->sign_count);
	sk_state_key(f, "attest", k->attest_key);
	(void)fputc('\n', f);
	for (size_t i = 0; i < k->cred_count; i++) {
		const struct sk_cred *c = &k->creds[i];

		fprintf(f, "cred alg=%d resident=%d protect=%u", c->alg, c->is_resident,
			c->protect);
		sk_state_hex(f, "id", c->id, sizeof(c->id));
		sk_state_hex(f, "rp", c->rp, strlen(c->rp));
		sk_state_hex(f, "user", c->user, c->user_len);
		sk_state_hex(f, "name", c->name, strlen(c->name));
		sk_state_hex(f, "display", c->display, strlen(c->display));
		sk_state_hex(f, "hmac", c->hmac, sizeof(c->hmac));
		sk_state_key(f, "key", c->key);
		(void)fputc('\n', f);
	}
}

void sk_state_save(const struct sk_key *k)
{
	char temp[PATH_MAX];
	FILE *f;
	int fd;

	if (k->opt.state == NULL)
		return;
	if ((size_t)snprintf(temp, sizeof(temp), "%s.new", k->opt.state) >= sizeof(temp))
		sk_die("state path too long");
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f == NULL)
		sk_die(temp);
	sk_state_print(f, k);
	if (fclose(f) != 0 || rename(temp, k->opt.state) < 0)
		sk_die(k->opt.state);
}

/* The value of ` name=` in the line, up to the next space; NULL if it is not there. */
static const char *sk_state_value(const char *line, const char *name, size_t *len)
{
	char label[16];
	const char *at;

	snprintf(label, sizeof(label), " %s=", name);
	at = strstr(line, label);
	if (at == NULL)
		return NULL;
	at += strlen(label);
	*len = strcspn(at, " \n");
	return at;
}

static size_t sk_state_get(const char *line, const char *name, void *ret, size_t max)
{
	char hex[2 * DER_MAX + 2 * SK_RP_MAX + 1];
	size_t len = 0;
	const char *value = sk_state_value(line, name, &len);

	errno = 0;
	if (value == NULL || len % 2 != 0 || len / 2 > max || len >= sizeof(hex))
		sk_die("state file: bad line");
	memcpy(hex, value, len);
	hex[len] = '\0';
	if (!sk_unhex(hex, ret, len / 2))
		sk_die("state file: bad hex");
	return len / 2;
}

static long sk_state_number(const char *line, const char *name)
{
	size_t len = 0;
	const char *value = sk_state_value(line, name, &len);

	errno = 0;
	if (value == NULL)
		sk_die("state file: number missing");
	return strtol(value, NULL, 10);
}

static EVP_PKEY *sk_state_get_key(const char *line, const char *name)
{
	uint8_t der[DER_MAX];
	const uint8_t *at = der;
	size_t len = sk_state_get(line, name, der, sizeof(der));
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)len);

	if (key == NULL)
		sk_die("state file: bad private key");
	return key;
}

static void sk_state_cred(struct sk_key *k, const char *line)
{
	struct sk_cred c = { 0 };

	if (k->cred_count == SK_CREDS)
		sk_die("state file: too many credentials");
	c.alg = (int)sk_state_number(line, "alg");
	c.is_resident = sk_state_number(line, "resident") == 1;
	c.protect = (unsigned)sk_state_number(line, "protect");
	sk_state_get(line, "id", c.id, sizeof(c.id));
	sk_state_get(line, "rp", c.rp, SK_RP_MAX);
	c.user_len = sk_state_get(line, "user", c.user, sizeof(c.user));
	sk_state_get(line, "name", c.name, SK_NAME_MAX);
	sk_state_get(line, "display", c.display, SK_NAME_MAX);
	sk_state_get(line, "hmac", c.hmac, sizeof(c.hmac));
	c.key = sk_state_get_key(line, "key");
	k->creds[k->cred_count++] = c;
}

void sk_state_load(struct sk_key *k)
{
	char line[LINE_MAX_LEN];
	FILE *f = k->opt.state == NULL ? NULL : fopen(k->opt.state, "re");

	if (f == NULL) {
		if (k->opt.state != NULL && errno != ENOENT)
			sk_die(k->opt.state);
		k->pin_retries = SK_PIN_RETRIES;
		k->attest_key = sk_key_make(COSE_ES256);
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "key ", 4) == 0) {
			sk_state_get(line, "aaguid", k->aaguid, 16);
			k->has_pin = sk_state_get(line, "pin", k->pin_hash, 16) == 16;
			k->pin_retries = (unsigned)sk_state_number(line, "retries");
			k->sign_count = (uint32_t)sk_state_number(line, "signs");
			k->attest_key = sk_state_get_key(line, "attest");
		} else if (strncmp(line, "cred ", 5) == 0) {
			sk_state_cred(k, line);
		}
	}
	(void)fclose(f);
	errno = 0;
	if (k->attest_key == NULL)
		sk_die("state file: no key line");
}
