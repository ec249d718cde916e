/* SPDX-License-Identifier: BSD-2-Clause */
/* What install asks of systemd: each change is named, then made; below --root only the files. */
#include "doors.h"

#include <breakglass/os_helper.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SYSTEMCTL    "/usr/bin/systemctl"
#define TIMEOUT_SECS 40

bool bg_systemd_runs(const struct bg_tree *tree)
{
	return tree->is_host && access("/run/systemd/system", F_OK) == 0;
}

enum bg_err bg_systemctl(const struct bg_tree *tree, const char *verb, const char *unit,
	int *ret_status, char *text, size_t size, struct bg_diag *diag)
{
	const char *const here[] = { SYSTEMCTL, verb, unit, NULL };
	const char *const there[] = { SYSTEMCTL, "--root", tree->root, verb, unit, NULL };

	text[0] = '\0';
	if (access(SYSTEMCTL, X_OK) != 0)
		return bg_diag_set(diag, BG_ERR_NOENT, SYSTEMCTL, "the own doors need systemd");
	return bg_program_run(
		tree->is_host ? here : there, NULL, TIMEOUT_SECS, text, size, ret_status, diag);
}

bool bg_systemctl_is(const struct bg_tree *tree, const char *verb, const char *unit)
{
	char text[512];
	int status = 1;

	return bg_systemctl(tree, verb, unit, &status, text, sizeof(text), NULL) == BG_OK &&
	       status == 0;
}

enum bg_err bg_unit_do(
	struct bg_tree *tree, const char *verb, const char *unit, struct bg_diag *diag)
{
	char text[512], hint[128];
	int status = 0;
	enum bg_err err;

	bg_tree_say(tree, "systemctl %s%s%s", verb, unit ? " " : "", unit ? unit : "");
	if (tree->is_dry)
		return BG_OK;
	err = bg_systemctl(tree, verb, unit, &status, text, sizeof(text), diag);
	if (err || status == 0)
		return err;
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(hint, sizeof(hint), "journalctl -e -u %s says why", unit ? unit : "init");
	return bg_tree_refuse(tree, hint, "systemctl %s %s: %s", verb, unit ? unit : "", text);
}

enum bg_err bg_unit_enable(struct bg_tree *tree, const char *unit, struct bg_diag *diag)
{
	enum bg_err err = BG_OK;

	if (!bg_systemctl_is(tree, "is-enabled", unit))
		err = bg_unit_do(tree, "enable", unit, diag);
	if (!err && bg_systemd_runs(tree) && !bg_systemctl_is(tree, "is-active", unit))
		err = bg_unit_do(tree, "start", unit, diag);
	return err;
}

enum bg_err bg_unit_disable(struct bg_tree *tree, const char *unit, struct bg_diag *diag)
{
	enum bg_err err = BG_OK;

	if (bg_systemctl_is(tree, "is-enabled", unit))
		err = bg_unit_do(tree, "disable", unit, diag);
	if (!err && bg_systemd_runs(tree) && bg_systemctl_is(tree, "is-active", unit))
		err = bg_unit_do(tree, "stop", unit, diag);
	return err;
}
