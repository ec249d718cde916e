/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console door: our unit on a terminal in place of the distribution's getty,
 * which is masked (a generated one, as a serial console's, cannot be disabled).
 */
#include "bg-unlock.h"
#include "doors.h"

#include <stdio.h>
#include <string.h>

/* As kernel names of terminals are; "-" would mean "/" in a unit's name. */
static bool is_terminal(const char *tty)
{
	size_t len = strspn(tty, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	if (strncmp(tty, "pts/", 4) == 0)
		return tty[4] != '\0' && strlen(tty) <= BG_DOOR_TTY_LEN &&
		       tty[4 + strspn(tty + 4, "0123456789")] == '\0';
	return len > 0 && tty[len] == '\0' && len <= BG_DOOR_TTY_LEN;
}

static bool has_console(const struct bg_doors *doors, const char *tty)
{
	for (size_t i = 0; i < doors->console_count; i++)
		if (strcmp(doors->consoles[i], tty) == 0)
			return true;
	return false;
}

bool bg_door_parse(struct bg_doors *doors, const char *value)
{
	const char *tty = value + strlen("console=");

	if (strcmp(value, "sshd") == 0) {
		doors->has_sshd = true;
		return true;
	}
	if (strncmp(value, "console=", strlen("console=")) != 0 || !is_terminal(tty))
		return false;
	doors->has_sshd = true;
	if (has_console(doors, tty))
		return true;
	if (doors->console_count == BG_CONSOLES_MAX)
		return false;
	(void)snprintf(doors->consoles[doors->console_count++], BG_DOOR_TTY_LEN + 1, "%.*s",
		BG_DOOR_TTY_LEN, tty);
	return true;
}

int bg_door_add(struct bg_doors *doors, const char *value)
{
	if (strncmp(value, "console=/dev/", strlen("console=/dev/")) == 0)
		return bg_usage("--door %s: without /dev/ (console=ttyS0)", value);
	if (!bg_door_parse(doors, value))
		return bg_usage("--door is sshd or console=TTY (tty9, ttyS0), at most %d terminals",
			BG_CONSOLES_MAX);
	return BG_EXIT_DONE;
}

void bg_console_unit(const char *tty, char ret[static BG_UNIT_NAME_LEN])
{
	char name[BG_DOOR_TTY_LEN + 1], *slash;

	(void)snprintf(name, sizeof(name), "%s", tty);
	slash = strchr(name, '/');
	if (slash)
		*slash = '-'; /* systemd-escape(1) */
	(void)snprintf(ret, BG_UNIT_NAME_LEN, "breakglass-console@%s.service", name);
}

void bg_getty_unit(const char *tty, char ret[static BG_UNIT_NAME_LEN])
{
	size_t len = strlen(tty);

	if (strcmp(tty, "console") == 0)
		(void)snprintf(ret, BG_UNIT_NAME_LEN, "console-getty.service");
	else if (strncmp(tty, "pts/", 4) == 0)
		(void)snprintf(ret, BG_UNIT_NAME_LEN, "container-getty@%s.service", tty + 4);
	else if (strncmp(tty, "tty", 3) == 0 && len > 3 && 3 + strspn(tty + 3, "0123456789") == len)
		(void)snprintf(ret, BG_UNIT_NAME_LEN, "getty@%s.service", tty);
	else
		(void)snprintf(ret, BG_UNIT_NAME_LEN, "serial-getty@%s.service", tty);
}

static bool is_masked(const struct bg_tree *tree, const char *unit)
{
	char text[256];
	int status = 0;

	return bg_systemctl(tree, "is-enabled", unit, &status, text, sizeof(text), NULL) == BG_OK &&
	       strncmp(text, "masked", 6) == 0;
}

/* Whose terminal was it, and is it to have it back? */
static enum bg_err take_from_getty(
	struct bg_tree *tree, struct bg_doors *doors, const char *tty, struct bg_diag *diag)
{
	char unit[BG_UNIT_NAME_LEN];
	bool is_active;
	enum bg_err err;

	bg_getty_unit(tty, unit);
	if (is_masked(tree, unit))
		return BG_OK;
	is_active = bg_systemd_runs(tree) && bg_systemctl_is(tree, "is-active", unit);
	err = bg_unit_do(tree, "mask", unit, diag);
	if (!err && is_active)
		err = bg_unit_do(tree, "stop", unit, diag);
	if (err)
		return err;
	bg_note("%s is this door's now: no ordinary login there", tty);
	if (doors->getty_count < BG_CONSOLES_MAX)
		(void)snprintf(doors->gettys[doors->getty_count++], BG_DOOR_TTY_LEN + 1, "%s%s",
			is_active ? "+" : "", tty);
	return BG_OK;
}

static enum bg_err give_back(
	struct bg_tree *tree, struct bg_doors *doors, const char *tty, struct bg_diag *diag)
{
	char unit[BG_UNIT_NAME_LEN];
	enum bg_err err = BG_OK;

	bg_getty_unit(tty, unit);
	for (size_t i = 0; i < doors->getty_count; i++) {
		const char *word = doors->gettys[i];
		bool was_active = word[0] == '+';

		if (strcmp(word + was_active, tty) != 0)
			continue;
		err = bg_unit_do(tree, "unmask", unit, diag);
		if (!err && was_active && bg_systemd_runs(tree))
			err = bg_unit_do(tree, "start", unit, diag);
		memmove(doors->gettys[i], doors->gettys[--doors->getty_count],
			sizeof(doors->gettys[i]));
		break;
	}
	return err;
}

enum bg_err bg_console_install(
	struct bg_tree *tree, struct bg_record *record, const char *tty, struct bg_diag *diag)
{
	char unit[BG_UNIT_NAME_LEN];
	size_t before = record->doors.getty_count;
	enum bg_err err = take_from_getty(tree, &record->doors, tty, diag);

	if (!err && record->doors.getty_count != before)
		err = bg_record_save(tree, NULL, record, diag);
	bg_console_unit(tty, unit);
	return err ? err : bg_unit_enable(tree, unit, diag);
}

enum bg_err bg_console_uninstall(
	struct bg_tree *tree, struct bg_record *record, const char *tty, struct bg_diag *diag)
{
	char unit[BG_UNIT_NAME_LEN];
	enum bg_err err;

	bg_console_unit(tty, unit);
	err = bg_unit_disable(tree, unit, diag);
	return err ? err : give_back(tree, &record->doors, tty, diag);
}
