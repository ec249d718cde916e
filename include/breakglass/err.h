/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one list of errors, and the diagnostic that goes with one.
 *
 * Functions return enum bg_err and write their results only on BG_OK. What a
 * person needs to know beyond the code (which file, which line, which word)
 * goes into a caller-supplied struct bg_diag; it never holds a secret.
 */
#ifndef BREAKGLASS_ERR_H
#define BREAKGLASS_ERR_H

#include <stddef.h>

#define BG_CHECKED	     __attribute__((warn_unused_result))
#define BG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum bg_err {
	BG_OK = 0,
	BG_ERR_ARGUMENT, /* the caller broke a contract */
	BG_ERR_MEMORY,
	BG_ERR_RANDOM, /* getrandom(2) failed or was short */
	BG_ERR_CRYPTO, /* libcrypto failed */
	BG_ERR_IO,     /* a system call failed; diag has errno */
	BG_ERR_NOENT,  /* what was looked for is not there */
	BG_ERR_UNSAFE, /* owner, mode, type or link of a file is not safe */
	BG_ERR_TOO_BIG,
	BG_ERR_SYNTAX,	    /* malformed text; diag has file, line, expectation */
	BG_ERR_UNKNOWN_KEY, /* unknown section or key */
	BG_ERR_DUPLICATE,
	BG_ERR_MISSING,	    /* a required key or section is absent */
	BG_ERR_RANGE,	    /* a value is out of its range */
	BG_ERR_WORD,	    /* a word is not in SLIP-39's list; diag.index = its number from 1 */
	BG_ERR_CHECKSUM,    /* RS1024 or CRC does not match */
	BG_ERR_PADDING,	    /* SLIP-39 padding bits are not zero, or wrong length */
	BG_ERR_EXPONENT,    /* iteration exponent above 4 */
	BG_ERR_MISMATCH,    /* shares that do not belong together */
	BG_ERR_DIGEST,	    /* SLIP-39's digest of the combined secret is wrong */
	BG_ERR_TOO_FEW,	    /* fewer shares than the threshold */
	BG_ERR_POLYNOMIAL,  /* a further share does not lie on the polynomial */
	BG_ERR_SIGNATURE,   /* a signature does not verify */
	BG_ERR_WRONG_KIND,  /* another kind of code */
	BG_ERR_OTHER_SET,   /* a share of another set */
	BG_ERR_RETIRED,	    /* a share of a retired epoch of this seal */
	BG_ERR_NOT_A_SHARE, /* well-formed, but of no custodian of this seal */
	BG_ERR_FORK,	    /* another seal of the same epoch */
	BG_ERR_EPOCH,	    /* an epoch that goes back, or skips its predecessor */
	BG_ERR_ASSERTION,   /* UP, UV, RP id hash, credential or algorithm is wrong */
	BG_ERR_TIMEOUT,
	BG_ERR_BUSY,	     /* a bounded wait for a lock or a device ended */
	BG_ERR_NO_DEVICE,    /* no security key is plugged in */
	BG_ERR_NOT_ENROLLED, /* security keys are there, none of them enrolled */
	BG_ERR_PIN,	     /* wrong PIN */
	BG_ERR_PIN_BLOCKED,  /* no PIN tries left, or (soft) until re-plugged */
	BG_ERR_PIN_NOT_SET,
	BG_ERR_PIN_RESERVED, /* too few tries left for this door; the PIN was not sent */
	BG_ERR_DENIED,	     /* the person refused, or the key was pulled */
	BG_ERR_CANCELLED,
	BG_ERR_HELPER, /* bg-fido2 is missing, died or answered nonsense */
	BG_ERR_EXPIRED,
	BG_ERR_TAKEN_OVER, /* a newer connection holds the request */
	BG_ERR_USED,	   /* a grant or challenge that was used already */
	BG_ERR_STATE,	   /* no edge of a state machine allows this */
	BG_ERR_REVOKED,	   /* the request was ended by root or a custodian */
	BG_ERR_LOCKED,	   /* the account was locked after this began */
	BG_ERR_COUNT	   /* number of errors; not one itself */
};

#define BG_DIAG_WHERE_LEN 128
#define BG_DIAG_WHAT_LEN  160

/* Where and what, for people. Zeroed means: nothing known. Holds no secret. */
struct bg_diag {
	char where[BG_DIAG_WHERE_LEN]; /* file, section, device or function */
	char what[BG_DIAG_WHAT_LEN];   /* what was expected or found */
	unsigned int line;	       /* line in the file `where`, from 1; 0: none */
	unsigned int index;	       /* word, share or key number, from 1; 0: none */
	int sys_errno;		       /* errno of the failed call; 0: none */
};

/* A short English text for err, e.g. "checksum does not match"; never NULL. Static storage. */
const char *bg_err_text(enum bg_err err);

/* Sets where and what (either may be NULL: unchanged; both are cut to fit) and returns err.
   diag may be NULL. */
enum bg_err bg_diag_set(struct bg_diag *diag, enum bg_err err, const char *where,
	const char *what_fmt, ...) BG_PRINTF(4, 5);

/* Writes one line "WHERE:LINE: WHAT: ERRTEXT (strerror)" without newline into buf of len bytes,
   always terminated, leaving out what is not known. */
void bg_diag_format(const struct bg_diag *diag, enum bg_err err, char *buf, size_t len);

#endif
