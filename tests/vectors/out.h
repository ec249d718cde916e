/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes JSON to standard output: objects and lists within each other, a value a line. */
#ifndef BG_TESTS_OUT_H
#define BG_TESTS_OUT_H

#include <breakglass/err.h>
#include <stddef.h>
#include <stdint.h>

struct bg_secret;

/* name NULL: within a list. */
void out_object(const char *name);
void out_list(const char *name);
void out_end(void);
void out_hex(const char *name, const void *p, size_t len);
void out_secret(const char *name, const struct bg_secret *secret);
void out_text(const char *name, const char *text);
void out_number(const char *name, unsigned long number);
/* Each line of text (LF after each) as an element of a list. */
void out_lines(const char *name, const char *text);

/* Ends the program unless err is BG_OK. */
void must(enum bg_err err);

#endif
