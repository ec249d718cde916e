/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records below /run/breakglass as bytes: magic "bgR1", kind, length of the
 * content (u32), content, SHA-256 of everything before it. Big endian; texts
 * are u16 length and bytes. Written by us, read back whole or not at all.
 *
 * Each _write fills ret, which is empty: BG_ERR_TOO_BIG (BG_RECORD_MAX_LEN always suffices),
 * BG_ERR_RANGE (a field that _read refuses). Each _read takes all of len bytes: BG_ERR_SYNTAX.
 */
#ifndef BREAKGLASS_RECORD_H
#define BREAKGLASS_RECORD_H

#include <breakglass/os_state.h>

#define BG_RECORD_MAX_LEN 4096

BG_CHECKED enum bg_err bg_record_write_request(
	struct bg_crypto *crypto, const struct bg_request_record *record, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_record_read_request(
	struct bg_crypto *crypto, const uint8_t *p, size_t len, struct bg_request_record *ret);
BG_CHECKED enum bg_err bg_record_write_grant(
	struct bg_crypto *crypto, const struct bg_grant *grant, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_record_read_grant(
	struct bg_crypto *crypto, const uint8_t *p, size_t len, struct bg_grant *ret);
BG_CHECKED enum bg_err bg_record_write_session(
	struct bg_crypto *crypto, const struct bg_session *session, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_record_read_session(
	struct bg_crypto *crypto, const uint8_t *p, size_t len, struct bg_session *ret);
BG_CHECKED enum bg_err bg_record_write_drill(
	struct bg_crypto *crypto, const struct bg_drill *record, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_record_read_drill(
	struct bg_crypto *crypto, const uint8_t *p, size_t len, struct bg_drill *ret);
BG_CHECKED enum bg_err bg_record_write_lift(
	struct bg_crypto *crypto, const struct bg_lift *record, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_record_read_lift(
	struct bg_crypto *crypto, const uint8_t *p, size_t len, struct bg_lift *ret);

#endif
