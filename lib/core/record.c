/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/record.h>

#include <string.h>

enum kind { KIND_REQUEST = 1, KIND_GRANT = 2, KIND_SESSION = 3, KIND_DRILL = 4, KIND_LIFT = 5 };

static const uint8_t MAGIC[4] = { 'b', 'g', 'R', '1' };
#define HEAD_LEN (sizeof(MAGIC) + 1 + 4)

/*
 * One function a record kind lists its fields in order, for both directions: a
 * field written and one read cannot differ.
 */
struct stream {
	struct bg_writer *w; /* writing, or NULL */
	struct bg_view *v;   /* reading, or NULL */
	bool is_bad;	     /* a text that is too long for its field, or not terminated */
};

static void field_u64(struct stream *s, uint64_t *value)
{
	if (s->w != NULL)
		bg_put_u64(s->w, *value);
	else
		*value = bg_view_u64(s->v);
}

static void field_u32(struct stream *s, uint32_t *value)
{
	if (s->w != NULL)
		bg_put_u32(s->w, *value);
	else
		*value = bg_view_u32(s->v);
}

static void field_u16(struct stream *s, uint16_t *value)
{
	if (s->w != NULL)
		bg_put_u16(s->w, *value);
	else
		*value = bg_view_u16(s->v);
}

static void field_u8(struct stream *s, uint8_t *value)
{
	if (s->w != NULL)
		bg_put_u8(s->w, *value);
	else
		*value = bg_view_u8(s->v);
}

static void field_bool(struct stream *s, bool *value)
{
	uint8_t byte = *value ? 1 : 0;

	field_u8(s, &byte);
	s->is_bad |= byte > 1;
	*value = byte == 1;
}

static void field_bytes(struct stream *s, void *value, size_t len)
{
	if (s->w != NULL)
		bg_put(s->w, value, len);
	else
		bg_view_copy(s->v, value, len);
}

/* size: of the array, with room for the NUL. */
static void field_text(struct stream *s, char *value, size_t size)
{
	size_t len;
	const uint8_t *p;

	if (s->w != NULL) {
		len = strnlen(value, size);
		s->is_bad |= len >= size;
		bg_put_u16(s->w, (uint16_t)len);
		bg_put(s->w, value, len);
		return;
	}
	len = bg_view_u16(s->v);
	if (len >= size) {
		s->is_bad = true;
		return;
	}
	p = bg_view_take(s->v, len);
	if (p == NULL)
		return;
	s->is_bad |= memchr(p, 0, len) != NULL;
	memcpy(value, p, len);
	value[len] = '\0';
}

#define TEXT(s, field) field_text(s, field, sizeof(field))

static void tally_fields(struct stream *s, struct bg_tally *tally)
{
	for (size_t i = 0; i < BG_CUSTODIANS_MAX; i++) {
		uint8_t how = (uint8_t)tally->approvals[i].how;

		field_u8(s, &how);
		s->is_bad |= how > BG_HOW_REMOTE;
		tally->approvals[i].how =
			how <= BG_HOW_REMOTE ? (enum bg_approval_how)how : BG_HOW_NONE;
		if (how != BG_HOW_NONE)
			field_bytes(s, tally->approvals[i].sig, BG_ED25519_SIG_LEN);
	}
	field_bool(s, &tally->has_response);
	field_u16(s, &tally->exposed);
	field_bytes(s, tally->response, sizeof(tally->response));
}

static void request_fields(struct stream *s, struct bg_request_record *record)
{
	struct bg_request *request = &record->request;
	uint8_t purpose = (uint8_t)request->purpose, phase = (uint8_t)record->phase;

	field_u8(s, &purpose);
	field_u8(s, &phase);
	s->is_bad |= purpose > BG_PURPOSE_DRILL || phase > BG_PHASE_ABANDONED;
	if (!s->is_bad) {
		request->purpose = (enum bg_purpose)purpose;
		record->phase = (enum bg_phase)phase;
	}
	field_bytes(s, request->seal_digest, BG_SHA256_LEN);
	TEXT(s, request->host_label);
	TEXT(s, request->account);
	field_u32(s, &request->uid);
	TEXT(s, request->key);
	TEXT(s, request->holder);
	TEXT(s, request->reason);
	field_u32(s, &request->session_secs);
	field_bytes(s, request->nonce, BG_NONCE_LEN);
	TEXT(s, request->service);
	TEXT(s, request->origin);
	field_bytes(s, record->digest, BG_SHA256_LEN);
	TEXT(s, record->boot_id);
	field_u64(s, &record->opened_ms);
	field_u64(s, &record->expires_ms);
	field_u64(s, &record->deadline_ms);
	field_u64(s, &record->owner);
	field_u32(s, &record->epoch);
	field_u8(s, &record->reason_refusals);
	field_bytes(s, record->lock_id, BG_LOCK_ID_LEN);
	tally_fields(s, &record->tally);
}

static void process_fields(struct stream *s, struct bg_process *process)
{
	uint32_t pid = (uint32_t)process->pid, parent = (uint32_t)process->parent;

	field_u32(s, &pid);
	field_u32(s, &parent);
	s->is_bad |= pid > INT32_MAX || parent > INT32_MAX;
	if (!s->is_bad) {
		process->pid = (pid_t)pid;
		process->parent = (pid_t)parent;
	}
	field_u64(s, &process->start_ticks);
}

static void grant_fields(struct stream *s, struct bg_grant *grant)
{
	uint8_t purpose = (uint8_t)grant->purpose;

	TEXT(s, grant->boot_id);
	process_fields(s, &grant->process);
	field_bool(s, &grant->is_admitted);
	field_u64(s, &grant->issued_ms);
	field_u64(s, &grant->expires_ms);
	TEXT(s, grant->account);
	field_u32(s, &grant->uid);
	TEXT(s, grant->service);
	field_bytes(s, grant->nonce, BG_NONCE_LEN);
	field_u8(s, &purpose);
	s->is_bad |= purpose > BG_PURPOSE_DRILL;
	if (!s->is_bad)
		grant->purpose = (enum bg_purpose)purpose;
}

static void drill_fields(struct stream *s, struct bg_drill *drill)
{
	TEXT(s, drill->boot_id);
	process_fields(s, &drill->process);
	field_u64(s, &drill->started_ms);
	TEXT(s, drill->account);
	TEXT(s, drill->service);
	TEXT(s, drill->id);
}

static void lift_fields(struct stream *s, struct bg_lift *lift)
{
	TEXT(s, lift->account);
	field_bytes(s, lift->id, BG_LOCK_ID_LEN);
}

static void session_fields(struct stream *s, struct bg_session *session)
{
	field_u32(s, &session->audit_session);
	TEXT(s, session->boot_id);
	TEXT(s, session->account);
	field_u32(s, &session->uid);
	field_u64(s, &session->opened_ms);
	field_u64(s, &session->deadline_ms);
	field_bool(s, &session->is_closed);
	field_bool(s, &session->is_revoked);
	field_bool(s, &session->is_end_told);
	field_bytes(s, session->nonce, BG_NONCE_LEN);
	field_bytes(s, session->digest, BG_SHA256_LEN);
	field_u32(s, &session->epoch);
	TEXT(s, session->host_label);
	TEXT(s, session->key);
	TEXT(s, session->holder);
	TEXT(s, session->reason);
	TEXT(s, session->custodians);
	TEXT(s, session->service);
	TEXT(s, session->origin);
	TEXT(s, session->role);
	field_bytes(s, session->set_id, BG_SET_ID_LEN);
	field_bytes(s, session->lock_id, BG_LOCK_ID_LEN);
}

/* begin: the head, its length still open; end: fills it in and appends the hash. */
static void frame_begin(struct bg_writer *w, enum kind kind)
{
	bg_put(w, MAGIC, sizeof(MAGIC));
	bg_put_u8(w, (uint8_t)kind);
	bg_put_u32(w, 0);
}

static enum bg_err frame_end(struct bg_crypto *crypto, bool is_bad, struct bg_writer *w)
{
	uint8_t hash[BG_SHA256_LEN];
	struct bg_writer length = { .p = w->p + HEAD_LEN - 4, .cap = 4 };
	enum bg_err err;

	if (is_bad)
		return BG_ERR_RANGE;
	if (w->is_full)
		return BG_ERR_TOO_BIG;
	bg_put_u32(&length, (uint32_t)(w->len - HEAD_LEN));
	err = bg_sha256(crypto, w->p, w->len, hash);
	if (err != BG_OK)
		return err;
	bg_put(w, hash, sizeof(hash));
	return w->is_full ? BG_ERR_TOO_BIG : BG_OK;
}

/* Checks magic, kind, length and hash; *ret is the view of the content. */
static enum bg_err frame_open(
	struct bg_crypto *crypto, enum kind kind, const uint8_t *p, size_t len, struct bg_view *ret)
{
	struct bg_view head = { .p = p, .len = len };
	uint8_t hash[BG_SHA256_LEN];
	const uint8_t *magic = bg_view_take(&head, sizeof(MAGIC));
	uint8_t got = bg_view_u8(&head);
	uint32_t content = bg_view_u32(&head);
	enum bg_err err;

	if (head.is_short || memcmp(magic, MAGIC, sizeof(MAGIC)) != 0 || got != (uint8_t)kind ||
		len < HEAD_LEN + BG_SHA256_LEN || content != len - HEAD_LEN - BG_SHA256_LEN)
		return BG_ERR_SYNTAX;
	err = bg_sha256(crypto, p, len - BG_SHA256_LEN, hash);
	if (err != BG_OK)
		return err;
	if (memcmp(hash, p + len - BG_SHA256_LEN, BG_SHA256_LEN) != 0)
		return BG_ERR_SYNTAX;
	*ret = (struct bg_view){ .p = p + HEAD_LEN, .len = content };
	return BG_OK;
}

static enum bg_err read_end(const struct stream *s)
{
	return s->is_bad || s->v->is_short || s->v->len != 0 ? BG_ERR_SYNTAX : BG_OK;
}

/* A type cannot stand in parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define RECORD_CODEC(name, type, kind)                                                             \
	enum bg_err bg_record_write_##name(                                                        \
		struct bg_crypto *crypto, const type *record, struct bg_writer *ret)               \
	{                                                                                          \
		type copy = *record;                                                               \
		struct stream s = { .w = ret };                                                    \
                                                                                                   \
		if (ret == NULL) /* what the stream takes for reading */                           \
			return BG_ERR_ARGUMENT;                                                    \
		frame_begin(ret, kind);                                                            \
		name##_fields(&s, &copy);                                                          \
		return frame_end(crypto, s.is_bad, ret);                                           \
	}                                                                                          \
                                                                                                   \
	enum bg_err bg_record_read_##name(                                                         \
		struct bg_crypto *crypto, const uint8_t *p, size_t len, type *ret)                 \
	{                                                                                          \
		type record;                                                                       \
		struct bg_view view = { 0 };                                                       \
		struct stream s = { .v = &view };                                                  \
		enum bg_err err = frame_open(crypto, kind, p, len, &view);                         \
                                                                                                   \
		if (err != BG_OK)                                                                  \
			return err;                                                                \
		memset(&record, 0, sizeof(record));                                                \
		name##_fields(&s, &record);                                                        \
		err = read_end(&s);                                                                \
		if (err == BG_OK)                                                                  \
			*ret = record;                                                             \
		return err;                                                                        \
	}

/* NOLINTEND(bugprone-macro-parentheses) */

RECORD_CODEC(request, struct bg_request_record, KIND_REQUEST)
RECORD_CODEC(grant, struct bg_grant, KIND_GRANT)
RECORD_CODEC(session, struct bg_session, KIND_SESSION)
RECORD_CODEC(drill, struct bg_drill, KIND_DRILL)
RECORD_CODEC(lift, struct bg_lift, KIND_LIFT)
