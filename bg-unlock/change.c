/* SPDX-License-Identifier: BSD-2-Clause */
#include "change.h"
#include "bg-unlock.h"
#include "load.h"
#include "deal.h"
#include "plan.h"

#include <stdio.h>
#include <string.h>

static int add_value(
	const char **list, size_t *count, size_t max, const char *what, const char *value)
{
	if (*count == max)
		return bg_usage("more than %zu times --%s", max, what);
	list[(*count)++] = value;
	return BG_EXIT_DONE;
}

int bg_change_option(struct bg_change_options *o, int letter, const char *value)
{
	switch (letter) {
	case 'R':
		return add_value(
			o->replace, &o->replace_count, BG_CUSTODIANS_MAX, "replace", value);
	case 'A':
		return add_value(o->add, &o->add_count, BG_CUSTODIANS_MAX, "add", value);
	case 'D':
		return add_value(o->remove, &o->remove_count, BG_CUSTODIANS_MAX, "remove", value);
	case 'K':
		return add_value(o->add_key, &o->add_key_count, BG_KEYS_MAX, "add-key", value);
	case 'L':
		return add_value(
			o->remove_key, &o->remove_key_count, BG_KEYS_MAX, "remove-key", value);
	default:
		o->threshold = value;
		return BG_EXIT_DONE;
	}
}

bool bg_change_is_any(const struct bg_change_options *o)
{
	return o->threshold || o->replace_count || o->add_count || o->remove_count ||
	       o->add_key_count || o->remove_key_count;
}

/* What stands before '=' (or all of it), cut where no name is that long. */
static void name_of(const char *value, char ret[static BG_NAME_LEN + 2])
{
	size_t len = strcspn(value, "=");

	(void)snprintf(ret, BG_NAME_LEN + 2, "%.*s", (int)(len > 64 ? 64 : len), value);
}

/* One that is too long is cut here, and refused by the plan's reader. */
static void set_name(char ret[static BG_NAME_LEN + 1], const char *name)
{
	(void)snprintf(ret, BG_NAME_LEN + 1, "%.*s", BG_NAME_LEN, name);
}

static int nobody(const struct bg_seal *seal, const char *option, const char *name)
{
	char names[BG_CUSTODIANS_MAX * (BG_NAME_LEN + 2)];

	bg_seal_custodian_names(seal, NULL, names, sizeof(names));
	bg_error("--%s %.40s: no custodian has that name", option, name);
	bg_hint("the custodians are %s; nothing was changed", names);
	return BG_EXIT_USAGE;
}

static int there_already(const char *option, const char *what, const char *name)
{
	bg_error("--%s %s: a %s has that name already", option, name, what);
	bg_hint("choose another name; nothing was changed");
	return BG_EXIT_USAGE;
}

/* The new seal's people as a plan says them; the values are borrowed or stand in kept. */
struct people {
	struct bg_seal *seal;
	struct bg_contacts *contacts;
	struct bg_plan_options plan;
	char kept[BG_CUSTODIANS_MAX][BG_NAME_LEN + BG_PHONE_LEN + 2];
	char threshold[4]; /* as before */
	char kept_keys[BG_KEYS_MAX][BG_NAME_LEN + BG_HOLDER_LEN + 2];
};

static void begin(struct people *p)
{
	for (size_t i = 0; i < p->seal->custodian_count; i++) {
		const char *name = p->seal->custodians[i].name;
		const char *phone = bg_contacts_phone(p->contacts, name);

		(void)snprintf(
			p->kept[i], sizeof(p->kept[i]), "%s%s%s", name, *phone ? "=" : "", phone);
		p->plan.custodians[i] = p->kept[i];
	}
	for (size_t i = 0; i < p->seal->key_count; i++) {
		(void)snprintf(p->kept_keys[i], sizeof(p->kept_keys[i]), "%s=%s",
			p->seal->keys[i].name, p->seal->keys[i].holder);
		p->plan.keys[i] = p->kept_keys[i];
	}
}

static int remove_custodian(struct people *p, const char *name)
{
	struct bg_seal *seal = p->seal;
	int at = bg_seal_find_custodian(seal, name);

	if (at < 0)
		return nobody(seal, "remove", name);
	seal->custodian_count--;
	for (size_t i = (size_t)at; i < seal->custodian_count; i++) {
		seal->custodians[i] = seal->custodians[i + 1];
		p->plan.custodians[i] = p->plan.custodians[i + 1];
	}
	return BG_EXIT_DONE;
}

static int replace_custodian(struct people *p, const char *value)
{
	char old[BG_NAME_LEN + 2], new[BG_NAME_LEN + 2];
	const char *by = strchr(value, '=');
	bool is_same;
	int at;

	if (!by || !by[1])
		return bg_usage("--replace \"%.80s\": it must be OLD=NEW or OLD=NEW=PHONE", value);
	name_of(value, old);
	name_of(++by, new);
	at = bg_seal_find_custodian(p->seal, old);
	if (at < 0)
		return nobody(p->seal, "replace", old);
	is_same = strcmp(old, new) == 0;
	if (is_same && !strchr(by, '='))
		return bg_usage("--replace %s=%s changes nothing; another number: %s=%s=PHONE", old,
			new, old, new);
	if (!is_same && bg_seal_find_custodian(p->seal, new) >= 0)
		return there_already("replace", "custodian", new);
	set_name(p->seal->custodians[at].name, new);
	p->plan.custodians[at] = by;
	return BG_EXIT_DONE;
}

static int add_custodian(struct people *p, const char *value)
{
	size_t at = p->seal->custodian_count;
	char name[BG_NAME_LEN + 2];

	name_of(value, name);
	if (bg_seal_find_custodian(p->seal, name) >= 0)
		return there_already("add", "custodian", name);
	if (at == BG_CUSTODIANS_MAX)
		return bg_usage("--add %s: a set has at most %d custodians", name, (int)at);
	p->seal->custodians[at] = (struct bg_custodian){ 0 };
	set_name(p->seal->custodians[at].name, name);
	p->plan.custodians[at] = value;
	p->seal->custodian_count++;
	return BG_EXIT_DONE;
}

static int remove_key(struct people *p, const char *name)
{
	struct bg_seal *seal = p->seal;
	int at = bg_seal_find_key(seal, name);

	if (at < 0)
		return bg_load_no_key(seal, "remove-key", name, "nothing was changed");
	seal->key_count--;
	for (size_t i = (size_t)at; i < seal->key_count; i++) {
		seal->keys[i] = seal->keys[i + 1];
		p->plan.keys[i] = p->plan.keys[i + 1];
	}
	return BG_EXIT_DONE;
}

static int add_key(struct people *p, const char *value)
{
	size_t at = p->seal->key_count;
	char name[BG_NAME_LEN + 2];

	name_of(value, name);
	if (bg_seal_find_key(p->seal, name) >= 0)
		return there_already("add-key", "key", name);
	if (at == BG_KEYS_MAX)
		return bg_usage("--add-key %s: a seal has at most %d keys", name, (int)at);
	p->seal->keys[at] = (struct bg_key){ 0 };
	set_name(p->seal->keys[at].name, name);
	p->plan.keys[at] = value;
	p->seal->key_count++;
	return BG_EXIT_DONE;
}

static int each(struct people *p, const char *const values[], size_t count,
	int (*change)(struct people *p, const char *value))
{
	int status = BG_EXIT_DONE;

	for (size_t i = 0; !status && i < count; i++)
		status = change(p, values[i]);
	return status;
}

/* The bounds of which a person can be told more than the plan's reader knows. */
static int judge(const struct bg_change_options *o, const struct bg_seal *seal)
{
	size_t count = seal->custodian_count;

	if (seal->key_count == 0) {
		bg_error("no key would be left, and nobody gets in with a quorum alone");
		bg_hint("enrol another one with --add-key NAME=HOLDER");
		return BG_EXIT_USAGE;
	}
	if (count == 0) {
		bg_error("no custodian would be left");
		bg_hint("name at least one more with --add NAME=PHONE");
		return BG_EXIT_USAGE;
	}
	if (!o->threshold && (seal->threshold > count || (seal->threshold == 1 && count > 1))) {
		bg_error("the threshold is %u, and %zu custodian%s would be left", seal->threshold,
			count, count == 1 ? "" : "s");
		bg_hint("give another threshold with --threshold, or add custodians with --add");
		return BG_EXIT_USAGE;
	}
	return BG_EXIT_DONE;
}

static int judge_plan(const struct bg_change_options *o, struct people *p, struct bg_plan *ret)
{
	struct bg_seal *seal = p->seal;
	int status;

	(void)snprintf(p->threshold, sizeof(p->threshold), "%u", (unsigned int)seal->threshold);
	p->plan.account = seal->account;
	p->plan.zone = seal->zone;
	p->plan.threshold = o->threshold ? o->threshold : p->threshold;
	p->plan.custodian_count = seal->custodian_count;
	p->plan.key_count = seal->key_count;
	status = bg_plan_make(&p->plan, NULL, ret);
	if (!status)
		seal->threshold = ret->threshold;
	return status;
}

static void set_contacts(struct bg_contacts *contacts, const struct bg_plan *plan)
{
	struct bg_contacts next = { 0 };
	char now[21];

	for (size_t i = 0; i < plan->custodian_count; i++) {
		if (!plan->custodians[i].phone[0])
			continue;
		(void)snprintf(next.entries[next.count].name, sizeof(next.entries[0].name), "%s",
			plan->custodians[i].name);
		(void)snprintf(next.entries[next.count].phone, sizeof(next.entries[0].phone), "%s",
			plan->custodians[i].phone);
		next.count++;
	}
	bg_deal_time(0, now);
	(void)snprintf(next.updated, sizeof(next.updated), "%.10s", now);
	*contacts = next;
}

int bg_change_apply(const struct bg_change_options *o, struct bg_seal *seal,
	struct bg_contacts *contacts, struct bg_plan *ret_plan, size_t *ret_kept_keys)
{
	static struct people people; /* no secret, and big for the stack */
	struct people *p = &people;
	int status;

	people = (struct people){ .seal = seal, .contacts = contacts };
	begin(p);
	status = each(p, o->remove, o->remove_count, remove_custodian);
	if (!status)
		status = each(p, o->replace, o->replace_count, replace_custodian);
	if (!status)
		status = each(p, o->add, o->add_count, add_custodian);
	if (!status)
		status = each(p, o->remove_key, o->remove_key_count, remove_key);
	*ret_kept_keys = seal->key_count;
	if (!status)
		status = each(p, o->add_key, o->add_key_count, add_key);
	if (!status)
		status = judge(o, seal);
	if (!status)
		status = judge_plan(o, p, ret_plan);
	if (status)
		return status;
	for (size_t i = *ret_kept_keys; i < seal->key_count; i++)
		memcpy(seal->keys[i].holder, ret_plan->keys[i].holder,
			sizeof(seal->keys[i].holder));
	if (o->replace_count || o->add_count || o->remove_count)
		set_contacts(contacts, ret_plan);
	return BG_EXIT_DONE;
}

/* "  custodians stay   ops, dba,\n                    audit": names are never split. */
static void show_list(struct bg_tty *tty, const char *what, const char *names)
{
	const char *label = what;

	if (!names[0])
		return;
	if (!tty) {
		bg_note("%s %s", what, names);
		return;
	}
	while (*names) {
		size_t len = strlen(names), room = 60;

		if (len > room) {
			for (len = room; len > 1 && names[len - 1] != ' '; len--)
				;
			if (len == 1)
				len = room;
		}
		bg_tty_say(tty, " %-17s %.*s\n", label, (int)len, names);
		names += len;
		label = "";
	}
}

void bg_change_show(struct bg_tty *tty, const struct bg_seal *prev, const struct bg_seal *next)
{
	struct bg_seal_changes c;
	char quorum[64];

	bg_seal_compare(prev, next, &c);
	(void)snprintf(quorum, sizeof(quorum), "%u of %zu (so far %u of %zu)", next->threshold,
		next->custodian_count, prev->threshold, prev->custodian_count);
	show_list(tty, "custodians leave:", c.left);
	show_list(tty, "custodians come:", c.came);
	show_list(tty, "custodians stay:", c.stay);
	show_list(tty, "keys leave:", c.keys_left);
	show_list(tty, "keys come:", c.keys_came);
	show_list(tty, "keys stay:", c.keys_stay);
	show_list(tty, "quorum:", quorum);
}
