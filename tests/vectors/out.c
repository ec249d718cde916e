/* SPDX-License-Identifier: BSD-2-Clause */
#include "out.h"

#include <breakglass/secret.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

static char closing[DEPTH_MAX];
static unsigned int depth;
static bool is_next; /* something stands before, at this depth */

void must(enum bg_err err)
{
	if (err == BG_OK)
		return;
	fprintf(stderr, "protocol_vectors: %s\n", bg_err_text(err));
	exit(1);
}

static void escaped(const char *text, size_t len)
{
	putchar('"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c == '\n')
			printf("\\n");
		else
			printf(c < 0x20 ? "\\u%04x" : "%c", c); /* UTF-8 as it is */
	}
	putchar('"');
}

static void begin(const char *name)
{
	if (depth > 0)
		printf("%s\n", is_next ? "," : "");
	printf("%*s", (int)(2 * depth), "");
	if (name != NULL) {
		escaped(name, strlen(name));
		printf(": ");
	}
	is_next = true;
}

static void deeper(const char *name, char opening, char close)
{
	begin(name);
	putchar(opening);
	if (depth == DEPTH_MAX)
		must(BG_ERR_TOO_BIG);
	closing[depth++] = close;
	is_next = false;
}

void out_object(const char *name)
{
	deeper(name, '{', '}');
}

void out_list(const char *name)
{
	deeper(name, '[', ']');
}

void out_end(void)
{
	depth--;
	printf("\n%*s%c%s", (int)(2 * depth), "", closing[depth], depth == 0 ? "\n" : "");
	is_next = true;
}

void out_hex(const char *name, const void *p, size_t len)
{
	begin(name);
	putchar('"');
	for (size_t i = 0; i < len; i++)
		printf("%02x", ((const uint8_t *)p)[i]);
	putchar('"');
}

void out_secret(const char *name, const struct bg_secret *secret)
{
	out_hex(name, secret->bytes, secret->len);
}

void out_text(const char *name, const char *text)
{
	begin(name);
	escaped(text, strlen(text));
}

void out_number(const char *name, unsigned long number)
{
	begin(name);
	printf("%lu", number);
}

void out_lines(const char *name, const char *text)
{
	out_list(name);
	for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		begin(NULL);
		escaped(text, (size_t)(end - text));
	}
	out_end();
}
