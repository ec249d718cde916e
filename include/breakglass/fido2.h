/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program asks of bg-fido2 and what it answers: one request on its
 * standard input, one reply on its standard output, each framed as u32 length
 * and body (bytes.h); standard input stays open: its end means cancel. Encoding
 * is pure (lib/core/fido2.c, fuzzed both ways); running the helper is in
 * lib/os/helper.c. The helper's word is never proof: assertions are verified
 * by assertion.h, in the caller.
 */
#ifndef BREAKGLASS_FIDO2_H
#define BREAKGLASS_FIDO2_H

#include <breakglass/assertion.h>
#include <breakglass/seal.h>

enum bg_fido2_op {
	BG_FIDO2_NONE,
	BG_FIDO2_LIST,	 /* which authenticators are there */
	BG_FIDO2_FIND,	 /* is an enrolled one there, which, how many PIN tries left; asks nobody */
	BG_FIDO2_ASSERT, /* PIN and touch on the enrolled one */
	BG_FIDO2_MAKE,	 /* make a credential */
	BG_FIDO2_DISCOVER /* PIN and touch on the one key that is there, whatever discoverable
			     credential of the relying party it has: for a laptop without a seal */
};

struct bg_pin {
	char text[BG_PIN_LEN + 1]; /* UTF-8, terminated; 4 to 63 bytes */
};
void bg_pin_wipe(struct bg_pin *pin);

struct bg_fido2_request {
	enum bg_fido2_op op;
	char device[256]; /* "" : enumerate; else only these character devices: absolute paths, at
			     most 4, a space between */
	char rp_id[BG_RP_ID_LEN + 1];
	uint8_t client_data_hash[BG_SHA256_LEN];
	uint32_t timeout_secs;	 /* for the touch: 1 to 120 */
	uint8_t min_retries;	 /* send the PIN only while more tries than this are left */
	struct bg_pin pin;	 /* ASSERT, MAKE, DISCOVER */
	size_t credential_count; /* FIND, ASSERT: the enrolled ones; MAKE: to exclude; DISCOVER: 0
				  */
	struct {
		uint8_t id[BG_CREDENTIAL_LEN];
		size_t len;
	} credentials[BG_KEYS_MAX];
	uint8_t user_id[32]; /* MAKE */
	char user_name[64];  /* MAKE; DISCOVER: of several credentials those of that name */
};

struct bg_fido2_device {
	char path[64];		      /* cut to fit */
	char model[BG_MODEL_LEN + 1]; /* manufacturer and product, printable */
	uint8_t aaguid[16];
	uint8_t retries; /* PIN tries left; 0xff: unknown */
	bool has_pin, is_fido2;
};

/*
 * err is BG_OK, _NO_DEVICE, _NOT_ENROLLED, _PIN, _PIN_BLOCKED (with
 * retries above 0: until it was plugged in again), _PIN_NOT_SET, _PIN_RESERVED,
 * _TIMEOUT, _DENIED (also pulled out while it was asked), _CANCELLED, _BUSY, _DUPLICATE (excluded
 * credential), _SIGNATURE (MAKE: attestation does not verify), _HELPER (it could not secure
 * itself), _IO, or _ARGUMENT: a malformed request or, with device_count above 1, several security
 * keys (FIND, ASSERT: several enrolled ones) and no way to know which is meant: no PIN was sent,
 * devices says which they are. The caller who knows narrows credentials or device.
 */
struct bg_fido2_reply {
	enum bg_err err;
	char detail[64];   /* what went wrong, for people; or "" */
	uint8_t retries;   /* PIN tries left; 0xff: unknown */
	size_t credential; /* FIND, ASSERT: position in the request's credentials */
	uint8_t present;   /* FIND, ASSERT: bit a credential that was found on a key; DISCOVER: so
			      many credentials may be meant, the newest answered */
	struct bg_assertion assertion; /* ASSERT, DISCOVER */
	/* MAKE: everything of a seal's key but name and holder; is_attested: packed with a
	   certificate, verified; is_discoverable */
	struct bg_key key;
	bool is_attested, is_discoverable;
	/* LIST; MAKE, FIND, ASSERT, DISCOVER: see _ARGUMENT */
	size_t device_count;
	struct bg_fido2_device devices[8];
};

void bg_fido2_request_wipe(struct bg_fido2_request *request);

#define BG_FIDO2_MESSAGE_MAX_LEN 16384
#define BG_FIDO2_DEVICE_PATHS	 4
#define BG_FIDO2_TIMEOUT_MAX	 120 /* seconds */
#define BG_FIDO2_RETRIES_UNKNOWN 0xff

/* The body of a message, without the frame's u32 length. Encode: BG_ERR_ARGUMENT (a field that
   decode would refuse), BG_ERR_TOO_BIG (ret; what it holds then is of no use). Decode:
   BG_ERR_SYNTAX (another version, truncated, trailing bytes, a field out of its range). A decoded
   request or encoded one may hold the PIN: wipe it. */
BG_CHECKED enum bg_err bg_fido2_request_encode(
	const struct bg_fido2_request *request, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_fido2_request_decode(
	const uint8_t *p, size_t len, struct bg_fido2_request *ret);
BG_CHECKED enum bg_err bg_fido2_reply_encode(
	const struct bg_fido2_reply *reply, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_fido2_reply_decode(
	const uint8_t *p, size_t len, struct bg_fido2_reply *ret);

#endif
