/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domain separation (DESIGN section 3): whatever is signed, derived or used as
 * a FIDO2 challenge is "pam_breakglass/1 CONTEXT", NUL, then fields, each as a
 * 32-bit big-endian length and that many bytes. The contexts are this one
 * table; no verifier accepts another's.
 */
#ifndef BREAKGLASS_FRAMING_H
#define BREAKGLASS_FRAMING_H

#include <breakglass/bytes.h>
#include <breakglass/crypto.h>

enum bg_context {
	BG_CTX_CUSTODIAN_KEY,	  /* HKDF info: a custodian's Ed25519 seed */
	BG_CTX_QUORUM_KEY,	  /* HKDF info: the quorum's Ed25519 seed */
	BG_CTX_ENVELOPE_KEY,	  /* HKDF info: the quorum's X25519 scalar */
	BG_CTX_SEAL,		  /* the new quorum signs its seal */
	BG_CTX_SUCCESSION_QUORUM, /* the old quorum endorses the successor */
	BG_CTX_SUCCESSION_KEY,	  /* an enrolled key endorses the successor (FIDO2) */
	BG_CTX_ENROL,		  /* challenge of a new credential (FIDO2) */
	BG_CTX_TOUCH,		  /* challenge of a login's touch (FIDO2) */
	BG_CTX_REQUEST,		  /* a request's digest */
	BG_CTX_APPROVAL,	  /* a custodian signs a request's digest */
	BG_CTX_RESPONSE,	  /* the quorum signs a request's digest */
	BG_CTX_REFUSAL,		  /* a custodian ends what has a request's digest */
	BG_CTX_KEY_TEST,	  /* challenge of `touch --test` (FIDO2): opens nothing */
	BG_CTX_COUNT
};

/* The context's word, e.g. "custodian-key". */
const char *bg_context_name(enum bg_context context);

/* Starts a frame in w: the prefix, the context's word, NUL. */
void bg_frame_begin(struct bg_writer *w, enum bg_context context);
/* One field of len bytes. bg_frame_u32, _u64: as 4 or 8 bytes big endian. */
void bg_frame_field(struct bg_writer *w, const void *p, size_t len);
void bg_frame_text(struct bg_writer *w, const char *text); /* without its NUL */
void bg_frame_u32(struct bg_writer *w, uint32_t v);
void bg_frame_u64(struct bg_writer *w, uint64_t v);

#endif
