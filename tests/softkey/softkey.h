/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softkey: a CTAP2 authenticator for tests, behind a pseudo-terminal. It speaks
 * the real wire protocol, so that unmodified programs on libfido2 use it by
 * opening the path of the terminal's slave.
 *
 * One process is one key, one `struct sk_key` is its whole state, and there is
 * one thread. Whatever has to wait (for a touch) calls sk_pump() and so keeps
 * the wire and the control socket alive while it waits. It guards nothing worth
 * guarding: memory is not wiped, its state file holds private keys in clear.
 * Where memory runs out or libcrypto fails it says so and exits.
 */
#ifndef SOFTKEY_H
#define SOFTKEY_H

#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cbor.h>
#include <openssl/evp.h>

enum {
	SK_REPORT_LEN = 64, /* bytes of a report; libfido2 writes one more, the report id */
	SK_MSG_MAX = 7609,  /* bytes, CTAP 2.1 §11.2.4 */
	SK_CBOR_MAX = 1200, /* bytes of a request, as getInfo says */
	SK_CHANNELS = 16,   /* the oldest is forgotten first */
	SK_CREDS = 64,
	SK_CRED_ID_LEN = 32,
	SK_RP_MAX = 255,
	SK_USER_MAX = 64,
	SK_NAME_MAX = 64,
	SK_PIN_RETRIES = 8,
	SK_CTL_CONNS = 8,
	SK_TOUCH_MS = 30000, /* as real keys wait */
	SK_KEEPALIVE_MS = 100,
	SK_FRAME_MS = 500,  /* between the packets of one message */
	SK_NEXT_MS = 30000, /* between getAssertion and getNextAssertion */
};

enum { COSE_ES256 = -7, COSE_EDDSA = -8, COSE_ECDH = -25 };

/* CTAP 2.1 §8.2, those in use */
enum {
	CTAP_OK = 0x00,
	CTAP_INVALID_COMMAND = 0x01,
	CTAP_INVALID_PARAMETER = 0x02,
	CTAP_CBOR_TYPE = 0x11,
	CTAP_INVALID_CBOR = 0x12,
	CTAP_MISSING_PARAMETER = 0x14,
	CTAP_CREDENTIAL_EXCLUDED = 0x19,
	CTAP_UNSUPPORTED_ALGORITHM = 0x26,
	CTAP_OPERATION_DENIED = 0x27,
	CTAP_KEY_STORE_FULL = 0x28,
	CTAP_UNSUPPORTED_OPTION = 0x2b,
	CTAP_INVALID_OPTION = 0x2c,
	CTAP_KEEPALIVE_CANCEL = 0x2d,
	CTAP_NO_CREDENTIALS = 0x2e,
	CTAP_USER_ACTION_TIMEOUT = 0x2f,
	CTAP_NOT_ALLOWED = 0x30,
	CTAP_PIN_INVALID = 0x31,
	CTAP_PIN_BLOCKED = 0x32,
	CTAP_PIN_AUTH_INVALID = 0x33,
	CTAP_PIN_AUTH_BLOCKED = 0x34,
	CTAP_PIN_NOT_SET = 0x35,
	CTAP_PUAT_REQUIRED = 0x36,
	CTAP_PIN_POLICY = 0x37,
	CTAP_REQUEST_TOO_LARGE = 0x39,
};

enum { PERM_MC = 0x01, PERM_GA = 0x02 };

/* Wrong assertions on demand; a set of these bits. */
enum {
	WRONG_NO_UV = 1 << 0,
	WRONG_NO_UP = 1 << 1,
	WRONG_RPID = 1 << 2,
	WRONG_SIG = 1 << 3,
	WRONG_ALG = 1 << 4,
	WRONG_CRED = 1 << 5,
	WRONG_REPLAY = 1 << 6,
};

enum sk_attestation { ATTEST_PACKED, ATTEST_SELF, ATTEST_NONE };
enum sk_touch { TOUCH_IDLE, TOUCH_AWAITED, TOUCH_GIVEN, TOUCH_DENIED, TOUCH_CANCELLED, TOUCH_GONE };

struct sk_bytes {
	const uint8_t *ptr;
	size_t len;
};

struct sk_cred {
	uint8_t id[SK_CRED_ID_LEN];
	char rp[SK_RP_MAX + 1];
	uint8_t user[SK_USER_MAX];
	size_t user_len;
	char name[SK_NAME_MAX + 1];
	char display[SK_NAME_MAX + 1];
	int alg;
	bool is_resident;
	unsigned protect; /* credProtect level, 1 to 3 */
	uint8_t hmac[64]; /* without UV, with UV; CTAP 2.1 §12.5 */
	EVP_PKEY *key;
};

struct sk_options {
	const char *link;
	const char *state;
	const char *control;
	mode_t mode;
	bool says_path;
	bool no_resident;
	bool is_old;  /* CTAP 2.0, PIN protocol 1 */
	int touch_ms; /* until an unanswered touch times out */
	int only_alg; /* 0: both */
	enum sk_attestation attestation;
};

/* What lives until the power goes: unplugging clears it. */
struct sk_power {
	unsigned wrong_pins; /* in a row */
	EVP_PKEY *agree;     /* key agreement */
	uint8_t token[32];
	bool has_token;
	unsigned permissions;
	char token_rp[SK_RP_MAX + 1];
};

struct sk_next {
	size_t list[SK_CREDS];
	size_t count, at;
	uint8_t hash[32];
	char rp[SK_RP_MAX + 1];
	uint8_t flags;
	uint32_t cid;
	int64_t until;
};

struct sk_message {
	uint32_t cid;
	uint8_t cmd;
	uint8_t seq;
	size_t want, have; /* want 0: none under way */
	int64_t until;
	uint8_t data[SK_MSG_MAX];
};

struct sk_conn {
	int fd;
	size_t have;
	int64_t wait_until; /* a wait-touch under way, else 0 */
	char line[256];
};

struct sk_counters {
	unsigned assertions, registrations, touches, denials, pin_attempts, inits, cancels;
	unsigned departures; /* times that the last client closed the slave */
};

struct sk_key {
	struct sk_options opt;

	/* port.c */
	int master, slave;
	bool is_plugged;
	char slave_path[64];
	uint8_t frame[SK_REPORT_LEN + 1];
	size_t frame_have;
	int64_t frame_until;

	/* hid.c */
	uint32_t channels[SK_CHANNELS];
	uint32_t channel_last;
	size_t channel_at;
	struct sk_message in;
	bool is_busy;
	bool is_aborted; /* the request under way gets no answer */
	uint32_t busy_cid;

	/* touch.c */
	enum sk_touch touch;
	unsigned credit_touch, credit_deny;
	bool is_auto;
	int auto_delay_ms;

	/* kept in the state file */
	uint8_t aaguid[16];
	bool has_pin;
	uint8_t pin_hash[16];
	unsigned pin_retries;
	uint32_t sign_count;
	EVP_PKEY *attest_key;
	struct sk_cred creds[SK_CREDS];
	size_t cred_count;

	struct sk_power power;
	struct sk_next next;
	unsigned wrong;
	uint8_t last_assertion[SK_MSG_MAX];
	size_t last_assertion_len;

	/* control.c */
	int listener;
	struct sk_conn conns[SK_CTL_CONNS];
	struct sk_counters count;
	bool has_quit;
};

/* main.c */

/* Prints `softkey: error: WHAT` (and errno's text unless 0) and exits with 3. */
__attribute__((noreturn)) void sk_die(const char *what);
/* Milliseconds of CLOCK_MONOTONIC. */
int64_t sk_now(void);
/* Serves wire and control socket once, waiting at most `ms` for something to come. */
void sk_pump(struct sk_key *k, int ms);
/* False unless `hex` is exactly 2 * len hex digits. */
bool sk_unhex(const char *hex, uint8_t *ret, size_t len);

/* port.c: the pseudo-terminal */

void sk_port_plug(struct sk_key *k);
/* Hangs up every client. As root the terminal is kept, locked: plugging gives back the same path
 * and inode, so that bind mounts of it stay good. Else a new one is made. */
void sk_port_unplug(struct sk_key *k);
/* One 64-byte report to whoever has the slave open; dropped if nobody reads. */
void sk_port_send(struct sk_key *k, const uint8_t report[static SK_REPORT_LEN]);
/* Forgets what earlier clients left unread. */
void sk_port_flush(struct sk_key *k);
/* To be called when the master hangs up: no client has the slave open any more. */
void sk_port_left(struct sk_key *k);
/* Reads once; true when a whole frame stands in k->frame. */
bool sk_port_read(struct sk_key *k);

/* hid.c: CTAPHID framing, CTAP 2.1 §11.2 */

/* Takes one 64-byte packet; runs the command that it completes, unless one is running. */
void sk_hid_packet(struct sk_key *k, const uint8_t packet[static SK_REPORT_LEN]);
/* Ends a message whose next packet did not come. */
void sk_hid_tick(struct sk_key *k);
void sk_hid_keepalive(struct sk_key *k, uint8_t status);
void sk_hid_reset(struct sk_key *k);

/* touch.c: user presence */

/* Waits for a touch; CTAP_OK or the status to answer with. */
uint8_t sk_touch_await(struct sk_key *k);
void sk_touch_give(struct sk_key *k);
void sk_touch_deny(struct sk_key *k);
void sk_touch_end(struct sk_key *k, enum sk_touch how);

/* cborio.c: libcbor, made short. What is added to a map or list is owned by it. */

cbor_item_t *sk_cbor_map(size_t entries);
cbor_item_t *sk_cbor_list(size_t entries);
cbor_item_t *sk_cbor_int(int64_t value);
cbor_item_t *sk_cbor_bytes(const uint8_t *data, size_t len);
cbor_item_t *sk_cbor_text(const char *text);
cbor_item_t *sk_cbor_bool(bool value);
void sk_cbor_put(cbor_item_t *map, int64_t key, cbor_item_t *value);
void sk_cbor_put_text(cbor_item_t *map, const char *key, cbor_item_t *value);
void sk_cbor_push(cbor_item_t *list, cbor_item_t *value);
/* Serialises and frees; dies if it does not fit. */
size_t sk_cbor_write(cbor_item_t *item, uint8_t *ret, size_t max);
/* Borrowed; NULL where the map or the key is missing. */
const cbor_item_t *sk_cbor_at(const cbor_item_t *map, int64_t key);
const cbor_item_t *sk_cbor_at_text(const cbor_item_t *map, const char *key);
/* False on a missing item or another type. */
bool sk_cbor_get_bytes(const cbor_item_t *item, struct sk_bytes *ret);
bool sk_cbor_get_int(const cbor_item_t *item, int64_t *ret);
/* Also false where the text has a NUL or needs more than size - 1 bytes. */
bool sk_cbor_get_text(const cbor_item_t *item, char *ret, size_t size);
/* Whether the item is the text. */
bool sk_cbor_is_text(const cbor_item_t *item, const char *text);
/* An optional boolean: true if it is missing (ret untouched) or a boolean. */
bool sk_cbor_get_option(const cbor_item_t *item, bool *ret);

/* crypt.c: libcrypto, made short */

void sk_random(uint8_t *ret, size_t len);
void sk_sha256(const uint8_t *data, size_t len, uint8_t ret[static 32]);
void sk_hmac(
	const uint8_t key[static 32], struct sk_bytes a, struct sk_bytes b, uint8_t ret[static 32]);
void sk_hkdf(const uint8_t ikm[static 32], const char *info, uint8_t ret[static 32]);
/* AES-256-CBC without padding; len is a multiple of 16. */
void sk_aes(bool encrypt, const uint8_t key[static 32], const uint8_t iv[static 16],
	const uint8_t *in, size_t len, uint8_t *ret);
EVP_PKEY *sk_key_make(int alg);
cbor_item_t *sk_key_cose(EVP_PKEY *key, int alg);
/* Signature over a || b; returns its length, at most 80 bytes. */
size_t sk_sign(EVP_PKEY *key, struct sk_bytes a, struct sk_bytes b, uint8_t ret[static 80]);
/* P-256 ECDH with a COSE public key; false if that is no point. */
bool sk_ecdh(EVP_PKEY *key, const cbor_item_t *peer, uint8_t ret[static 32]);
/* A DER certificate as FIDO wants it for packed attestation, signed by `key` itself. */
size_t sk_certificate(EVP_PKEY *key, const uint8_t aaguid[static 16], uint8_t *ret, size_t max);

/* cred.c: credentials, and the state file */

struct sk_cred *sk_cred_find(struct sk_key *k, struct sk_bytes id, const char *rp);
/* The one that an entry of an allow or exclude list names; NULL: it is not here. */
struct sk_cred *sk_cred_listed(struct sk_key *k, const cbor_item_t *entry, const char *rp);
/* Adds, in place of a discoverable one of the same rp and user; false when full. Takes the key. */
bool sk_cred_add(struct sk_key *k, const struct sk_cred *cred);
void sk_cred_clear(struct sk_key *k);
void sk_state_load(struct sk_key *k);
void sk_state_save(const struct sk_key *k);

/* pin.c: clientPIN, CTAP 2.1 §6.5 */

struct sk_secret {
	int protocol; /* 1 or 2 */
	uint8_t hmac[32], aes[32];
};

uint8_t sk_pin_command(struct sk_key *k, const cbor_item_t *req, cbor_item_t **ret);
/* A new key agreement key and no token: what power-up does. */
void sk_pin_power_up(struct sk_key *k);
bool sk_pin_set(struct sk_key *k, struct sk_bytes pin);
/* Checks pinUvAuthParam over the client data hash, its permission and its rp. */
uint8_t sk_pin_check(struct sk_key *k, struct sk_bytes hash, struct sk_bytes param,
	int64_t protocol, unsigned permission, const char *rp);
/* A token is good for one use with presence (CTAP 2.1 §6.5.5.7). */
void sk_pin_used(struct sk_key *k);
uint8_t sk_pin_secret(
	struct sk_key *k, const cbor_item_t *peer, int64_t protocol, struct sk_secret *ret);
bool sk_pin_verify(
	const struct sk_secret *s, struct sk_bytes a, struct sk_bytes b, struct sk_bytes mac);
/* False on a wrong length; ret has room for data.len bytes. */
bool sk_pin_decrypt(const struct sk_secret *s, struct sk_bytes data, uint8_t *ret, size_t *ret_len);
size_t sk_pin_encrypt(const struct sk_secret *s, const uint8_t *in, size_t len, uint8_t *ret);

/* ctap.c: requests; make.c and assert.c: the two long ones */

/* What makeCredential and getAssertion have in common. */
struct sk_auth {
	struct sk_bytes hash;
	char rp[SK_RP_MAX + 1];
	struct sk_bytes param;
	bool has_param;
	int64_t protocol;
	bool up, uv, rk;
	bool has_up;
};

/* ret[0] is the status; returns the length. */
size_t sk_ctap(
	struct sk_key *k, uint32_t cid, const uint8_t *req, size_t len, uint8_t *ret, size_t max);
/* Options and pinUvAuthParam: sets auth->uv where the PIN was proved. */
uint8_t sk_auth_options(const cbor_item_t *options, struct sk_auth *auth);
uint8_t sk_auth_verify(struct sk_key *k, struct sk_auth *auth, unsigned permission);
/* authenticatorData without attested data and extensions: 37 bytes. */
size_t sk_auth_data(struct sk_key *k, const char *rp, uint8_t flags, uint8_t *ret);
uint8_t sk_make_credential(struct sk_key *k, const cbor_item_t *req, cbor_item_t **ret);
uint8_t sk_get_assertion(struct sk_key *k, uint32_t cid, const cbor_item_t *req, cbor_item_t **ret);
uint8_t sk_get_next(struct sk_key *k, uint32_t cid, cbor_item_t **ret);

/* control.c */

void sk_control_open(struct sk_key *k);
void sk_control_close(struct sk_key *k);
/* Adds its descriptors; returns how many. */
size_t sk_control_poll(const struct sk_key *k, struct pollfd *fds, size_t max);
/* Serves what is ready, answers waits; true if any line was served. */
bool sk_control_serve(struct sk_key *k, const struct pollfd *fds, size_t count);
/* The earliest end of a wait-touch, or 0. */
int64_t sk_control_deadline(const struct sk_key *k);
int sk_control_send(const char *path, int argc, char **argv);

enum { FLAG_UP = 0x01, FLAG_UV = 0x04, FLAG_AT = 0x40, FLAG_ED = 0x80 };

#endif
