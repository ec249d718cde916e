/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Are the PAM stacks as they must be? First in auth and account, so that nothing
 * before can veto or open; with exactly the control words that leave everybody
 * else alone when the module is missing (RULES P18).
 */
#include "judge.h"
#include "pam_stack.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OURS BG_PAM_OURS

#define CONTROL_HEAD "[success="
#define CONTROL_TAIL " ignore=ignore module_unknown=ignore default=die]"

#define CONTROL_DONE "[success=done ignore=ignore module_unknown=ignore default=die] "
#define CONTROL_OK   "[success=ok ignore=ignore module_unknown=ignore default=die] "
#define UPDATE	     "pam-auth-update --package --enable breakglass; if it was edited by hand, put this "

static const struct phase {
	const char *type, *file, *todo;
	bool is_of_doors; /* every door includes it */
} phases[] = {
	{ "auth", "common-auth", UPDATE "first into it: auth " CONTROL_DONE OURS, true },
	{ "account", "common-account", UPDATE "first into it: account " CONTROL_DONE OURS, true },
	{ "session", "common-session", UPDATE "before pam_unix: session " CONTROL_OK OURS, true },
	/* sudo, cron, at */
	{ "session", "common-session-noninteractive",
		UPDATE "before pam_unix: session " CONTROL_OK OURS, false },
};
#define PHASE_COUNT (sizeof(phases) / sizeof(phases[0]))

void bg_judge_say(
	const struct bg_judge *judge, enum bg_level level, const char *todo, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	judge->found(judge->arg, level, text, todo);
}

void bg_judge_first(void *arg, enum bg_level level, const char *text, const char *todo)
{
	struct bg_first_critical *first = arg;

	if (level != BG_LEVEL_CRITICAL || first->err)
		return;
	first->err = BG_ERR_STATE;
	(void)snprintf(first->text, sizeof(first->text), "%s", text);
	(void)snprintf(first->todo, sizeof(first->todo), "%s", todo ? todo : "");
}

/* Are the control words exactly ours? *ret_jump: lines jumped over, 0 for "done" and "ok". */
static bool is_control(const char *control, const char *success, unsigned long *ret_jump)
{
	size_t head = strlen(CONTROL_HEAD), len = strlen(success);
	char *end = NULL;

	if (strncmp(control, CONTROL_HEAD, head) != 0)
		return false;
	control += head;
	*ret_jump = 0;
	if (strncmp(control, success, len) == 0)
		return strcmp(control + len, CONTROL_TAIL) == 0;
	*ret_jump = strtoul(control, &end, 10);
	return strcmp(success, "done") == 0 && *ret_jump > 0 && *ret_jump < BG_PAM_LINES_MAX &&
	       strcmp(end, CONTROL_TAIL) == 0;
}

/* A jump must pass each pam_deny and land on a line (pam_permit, in Debian's). */
static bool is_jump_safe(
	const struct bg_pam_stack *stack, const char *type, size_t from, unsigned long n)
{
	bool passed = false;

	for (size_t i = from + 1; i < stack->count; i++) {
		if (strcmp(stack->lines[i].type, type) != 0)
			continue;
		if (n == 0)
			return passed && strcmp(stack->lines[i].module, "pam_deny.so") != 0;
		if (strcmp(stack->lines[i].module, "pam_deny.so") == 0)
			passed = true;
		n--;
	}
	return false;
}

/* Our line in a stack: its position, the lines of its type before it in *ret_before. */
static bool find_ours(
	const struct bg_pam_stack *stack, const char *type, size_t *ret, size_t *ret_before)
{
	size_t before = 0;

	for (size_t i = 0; i < stack->count; i++) {
		const struct bg_pam_line *line = &stack->lines[i];

		if (strcmp(line->type, type) != 0 && strcmp(line->type, "@") != 0)
			continue;
		if (strcmp(line->type, type) == 0 && strcmp(line->module, OURS) == 0) {
			*ret = i;
			*ret_before = before;
			return true;
		}
		before++;
	}
	return false;
}

static bool has_before(
	const struct bg_pam_stack *stack, size_t end, const char *type, const char *module)
{
	for (size_t i = 0; i < end; i++)
		if (strcmp(stack->lines[i].type, type) == 0 &&
			strcmp(stack->lines[i].module, module) == 0)
			return true;
	return false;
}

/* What a missing module would do, by the control words of its line. */
static const char *without_module(const char *control)
{
	if (strcmp(control, "required") == 0 || strcmp(control, "requisite") == 0)
		return "the module missing, nobody at all gets in";
	if (control[0] == '[' && !strstr(control, "module_unknown=") &&
		(strstr(control, "default=die") || strstr(control, "default=bad")))
		return "the module missing, nobody at all gets in";
	return "they may open or shut what is not theirs";
}

static void judge_phase(
	const struct bg_judge *judge, const struct bg_pam_stack *stack, const struct phase *phase)
{
	bool is_session = strcmp(phase->type, "session") == 0;
	unsigned long jump = 0;
	size_t at = 0, before = 0;
	const struct bg_pam_line *line;

	if (!find_ours(stack, phase->type, &at, &before)) {
		bg_judge_say(judge, BG_LEVEL_CRITICAL, phase->todo,
			"/etc/pam.d/%s has no %s line of " OURS, stack->name, phase->type);
		return;
	}
	line = &stack->lines[at];
	if (!is_control(line->control, is_session ? "ok" : "done", &jump) ||
		(jump && !is_jump_safe(stack, phase->type, at, jump)))
		bg_judge_say(judge, BG_LEVEL_CRITICAL, phase->todo,
			"/etc/pam.d/%s: the control words of " OURS " are %s: %s", stack->name,
			line->control, without_module(line->control));
	else if (line->rest[0] != '\0')
		bg_judge_say(judge, BG_LEVEL_CRITICAL, "take it away from the line",
			"/etc/pam.d/%s: " OURS " takes no option, \"%s\" is ignored", stack->name,
			line->rest);
	else if (!is_session && before)
		bg_judge_say(judge, BG_LEVEL_CRITICAL, phase->todo,
			"/etc/pam.d/%s: " OURS " is not its first %s line", stack->name,
			phase->type);
	else if (is_session && (has_before(stack, at, "session", "pam_systemd.so") ||
				       has_before(stack, at, "session", "pam_unix.so")))
		bg_judge_say(judge, BG_LEVEL_CRITICAL, phase->todo,
			"/etc/pam.d/%s: " OURS " stands behind pam_unix or pam_systemd",
			stack->name);
	else
		bg_judge_say(judge, BG_LEVEL_OK, NULL,
			"/etc/pam.d/%s: %s in its place; the module missing, all others go on as "
			"before",
			stack->name, phase->type);
}

/* A line of ours in a service's own file, in place of the common one: the same control words. */
static void judge_own_line(const struct bg_judge *judge, const struct bg_pam_stack *stack,
	const struct phase *phase, size_t at)
{
	const struct bg_pam_line *line = &stack->lines[at];
	bool is_session = strcmp(phase->type, "session") == 0;
	unsigned long jump = 0;

	if (is_control(line->control, is_session ? "ok" : "done", &jump) &&
		(!jump || is_jump_safe(stack, phase->type, at, jump)))
		return;
	bg_judge_say(judge, BG_LEVEL_CRITICAL,
		"include the common file there, or give it the control words that that one has",
		"/etc/pam.d/%s: the control words of " OURS " are %s: %s", stack->name,
		line->control, without_module(line->control));
}

/* Does the stack of a service come to our line of this phase, and what stands before? */
static void judge_door_phase(
	const struct bg_judge *judge, const struct bg_pam_stack *stack, const struct phase *phase)
{
	for (size_t i = 0; i < stack->count; i++) {
		const struct bg_pam_line *line = &stack->lines[i];
		bool is_include = bg_pam_is_include(line, phase->type);

		if ((is_include && strcmp(line->module, phase->file) == 0) ||
			(strcmp(line->type, phase->type) == 0 && strcmp(line->module, OURS) == 0)) {
			if (strcmp(phase->type, "session") == 0 &&
				!has_before(stack, i, "session", "pam_loginuid.so"))
				bg_judge_say(judge, BG_LEVEL_CRITICAL,
					"put before it: session required pam_loginuid.so",
					"/etc/pam.d/%s has no pam_loginuid before %s", stack->name,
					line->module);
			if (!is_include)
				judge_own_line(judge, stack, phase, i);
			return;
		}
		if (strcmp(line->type, phase->type) == 0 &&
			strcmp(line->control, "sufficient") == 0)
			bg_judge_say(judge, BG_LEVEL_WARNING,
				"is it meant? it may end the stack before " OURS,
				"/etc/pam.d/%s: \"sufficient\" %s stands before " OURS, stack->name,
				line->module);
	}
	bg_judge_say(judge, BG_LEVEL_CRITICAL,
		"put it back, or take the service out of breakglass.conf",
		"/etc/pam.d/%s does not include %s", stack->name, phase->file);
}

static void judge_door(const struct bg_judge *judge, const char *service, unsigned int *count)
{
	static struct bg_pam_stack stack;
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_pam_stack_read(judge->tree, service, &stack, &diag);
	char text[320];

	if (err == BG_ERR_NOENT)
		return;
	if (err) {
		bg_diag_format(&diag, err, text, sizeof(text));
		bg_judge_say(judge, BG_LEVEL_CRITICAL, "make it root's, mode 0644", "%s", text);
		return;
	}
	(*count)++;
	for (size_t i = 0; i < PHASE_COUNT; i++)
		if (phases[i].is_of_doors)
			judge_door_phase(judge, &stack, &phases[i]);
}

bool bg_module_find(const struct bg_tree *tree, char *ret, size_t size)
{
	static const char *const folders[] = { "/usr/lib/*-linux-gnu*/security/" OURS,
		"/lib/*-linux-gnu*/security/" OURS, "/usr/lib/security/" OURS };
	glob_t found = { 0 };
	bool is_found;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		(void)glob(bg_tree_path(tree, folders[i]), i ? GLOB_APPEND : 0, NULL, &found);
	is_found = found.gl_pathc > 0;
	(void)snprintf(ret, size, "%s", is_found ? found.gl_pathv[0] : "");
	globfree(&found);
	return is_found;
}

static void judge_module(const struct bg_judge *judge)
{
	char path[BG_TREE_PATH_LEN];

	if (!bg_module_find(judge->tree, path, sizeof(path)))
		bg_judge_say(judge, BG_LEVEL_CRITICAL,
			"apt-get install --reinstall libpam-breakglass",
			"the module " OURS " is missing: the account is shut");
}

void bg_judge_pam(const struct bg_judge *judge, const struct bg_conf *conf)
{
	static struct bg_pam_stack stack;
	unsigned int doors = 0;

	judge_module(judge);
	for (size_t i = 0; i < PHASE_COUNT; i++) {
		struct bg_diag diag = { 0 };
		enum bg_err err = bg_pam_stack_read(judge->tree, phases[i].file, &stack, &diag);
		char text[320];

		if (!err) {
			judge_phase(judge, &stack, &phases[i]);
			continue;
		}
		bg_diag_format(&diag, err, text, sizeof(text));
		bg_judge_say(judge, BG_LEVEL_CRITICAL, phases[i].todo, "%s", text);
	}
	for (size_t i = 0; i < conf->service_count; i++)
		judge_door(judge, conf->services[i], &doors);
	if (doors == 0)
		bg_judge_say(judge, BG_LEVEL_CRITICAL,
			"name sshd or login in breakglass.conf's services",
			"no service that is a door has a file in /etc/pam.d");
}
