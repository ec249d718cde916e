/* SPDX-License-Identifier: BSD-2-Clause */
/* `check`: do sudo's lines for the account belong to the role that its host file names? */
#include "check.h"
#include "doors.h"

#include <stdio.h>
#include <string.h>

/* Role full's file is the row root's: su is another way there. */
void bg_check_role(struct bg_check *check)
{
	static char text[BG_SMALL_LEN], wanted[BG_SMALL_LEN];
	const char *role = check->host.role;
	char path[BG_TREE_PATH_LEN];
	size_t len = 0;
	bool is_there;

	if (!check->host.uid || strcmp(role, BG_ROLE_FULL) == 0)
		return;
	bg_sudoers_path(check->account, path);
	bg_sudoers_text(check->account, role, check->host.recording & BG_RECORDING_SUDO, wanted);
	is_there = bg_tree_read(&check->tree, path, text, sizeof(text), &len, NULL) == BG_OK;
	if (is_there && strcmp(text, wanted) == 0)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "role %s, and sudo's lines are its",
			role);
	else
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"bg-unlock install @SEAL@ puts it back; move one of your own out of the "
			"way",
			"role %s, but %s %s", role, path,
			is_there ? "is not the file of that role" : "cannot be read");
}

/* The last place of text in list; NULL: none. */
static const char *last_of(const char *list, const char *text)
{
	const char *last = NULL;

	for (const char *p = list; (p = strstr(p, text)) != NULL; p++)
		last = p;
	return last;
}

void bg_judge_sudo_list(struct bg_check *check, const char *list)
{
	bool is_full = strcmp(check->host.role, BG_ROLE_FULL) == 0;
	const char *freely = last_of(list, "NOPASSWD: ALL"), *asked = last_of(list, ") ALL\n");
	bool has_all = freely || asked;

	/* sudoers(5): the last line that matches holds */
	if (is_full && has_all && (!freely || asked > freely))
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"sudo -l -U @ACCOUNT@ shows it; put it before @includedir, or in a file of "
			"sudoers.d that sorts before 60",
			"sudo asks %s for a password, which it does not have: a line of sudoers "
			"behind ours says so; su - asks for none",
			check->account);
	else if (is_full && !has_all)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"bg-unlock install @SEAL@ puts it back; is @includedir /etc/sudoers.d in "
			"sudoers?",
			"sudo does not let %s do everything: su - does", check->account);
	else if (is_full)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "sudo lets %s do everything",
			check->account);
	else if (has_all)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"find the line of sudoers that says so: sudo -l -U @ACCOUNT@",
			"role %s, but sudo lets %s do everything", check->host.role,
			check->account);
	else if (!strstr(list, "NOPASSWD: /"))
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"bg-unlock install @SEAL@ puts it back; is @includedir /etc/sudoers.d in "
			"sudoers?",
			"role %s, but sudo lets %s do nothing", check->host.role, check->account);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "sudo lets %s do what role %s may",
			check->account, check->host.role);
}
