/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auditd's log, read: the records of one event share "SECONDS.MS:SERIAL" and follow each other, now
 * and then with another event's between them. What ausearch does, without its dates in the locale's
 * form. Lines are data of whoever ran the commands: text in them is only ever shown escaped.
 */
#ifndef BREAKGLASS_AUDIT_LOG_H
#define BREAKGLASS_AUDIT_LOG_H

#include <breakglass/err.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BG_AUDIT_ID_LEN	   48
#define BG_AUDIT_ARGS_LEN  4096
#define BG_AUDIT_PATHS_MAX 8
#define BG_AUDIT_PATH_LEN  1024

struct bg_audit_event {
	char id[BG_AUDIT_ID_LEN]; /* "": none */
	int64_t ms;
	bool has_call; /* the record with who and whether; else the event is not of a session */
	bool is_success, is_command, is_cut;
	uint32_t auid;
	char uid[16], session[16], program[BG_AUDIT_PATH_LEN], key[64];
	char args[BG_AUDIT_ARGS_LEN]; /* as a shell would take them; is_cut: "…" at their end */
	char folder[BG_AUDIT_PATH_LEN];
	size_t path_count, path_dropped;
	struct {
		char name[BG_AUDIT_PATH_LEN], type[16]; /* CREATE, DELETE, NORMAL ... */
	} paths[BG_AUDIT_PATHS_MAX];
};

#define BG_AUDIT_OPEN 16 /* events that may be under way at once: one a processor or so */
struct bg_audit_reader {
	void (*on_event)(void *arg, const struct bg_audit_event *event);
	void *arg;
	size_t next;
	struct bg_audit_event open[BG_AUDIT_OPEN];
};

/* The event's id within "msg=audit(ID)", and its time. False: no record. */
bool bg_audit_line_id(const char *line, char ret[static BG_AUDIT_ID_LEN], int64_t *ret_ms);
/* One line, without its end; on_event is called for each event once it cannot go on. */
void bg_audit_read(struct bg_audit_reader *reader, const char *line);
/* Those that are still open. */
void bg_audit_read_end(struct bg_audit_reader *reader);

#endif
