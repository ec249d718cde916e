/* SPDX-License-Identifier: BSD-2-Clause */
/* SLIP-0039, "Combining the shares", with every check before any arithmetic. */
#include "slip39_internal.h"

#define GROUPS_MAX 16

/* The members given of one group; numbers are those of the shares as given, from 1. */
struct group {
	uint8_t index;
	uint8_t threshold;
	size_t count;
	struct bg_slip39_point points[BG_SLIP39_MAX_SHARES];
	unsigned int numbers[BG_SLIP39_MAX_SHARES];
	struct bg_secret value;
};

struct groups {
	size_t count;
	struct group group[GROUPS_MAX];
};

static void groups_wipe(struct groups *groups)
{
	explicit_bzero(groups, sizeof(*groups));
}

static enum bg_err refuse(
	struct bg_diag *diag, enum bg_err err, size_t number, const char *where, const char *what)
{
	if (diag)
		diag->index = (unsigned int)number;
	return bg_diag_set(diag, err, where, "%s", what);
}

/* Indices and lengths are in range, so none is the digest's or the secret's point (RULES S06);
   the exponent is bounded (RULES S12). */
static enum bg_err check_each(
	const struct bg_slip39_share *shares, size_t count, struct bg_diag *diag)
{
	for (size_t i = 0; i < count; i++) {
		const struct bg_slip39_share *s = &shares[i];

		if (s->value.len != 16 && s->value.len != 32)
			return refuse(diag, BG_ERR_RANGE, i + 1, NULL, "length of the value");
		if (s->identifier >= 0x8000 || s->member_index >= BG_SLIP39_MAX_SHARES ||
			s->group_index >= s->group_count || s->member_threshold < 1 ||
			s->member_threshold > BG_SLIP39_MAX_SHARES || s->group_threshold < 1 ||
			s->group_threshold > s->group_count || s->group_count > GROUPS_MAX)
			return refuse(diag, BG_ERR_RANGE, i + 1, NULL, "numbers of the share");
		if (s->exponent > BG_SLIP39_MAX_EXPONENT)
			return refuse(diag, BG_ERR_EXPONENT, i + 1, NULL, "iteration exponent");
	}
	return BG_OK;
}

/* What the two shares differ in though they must not, or NULL. */
static const char *difference(const struct bg_slip39_share *a, const struct bg_slip39_share *b)
{
	if (a->value.len != b->value.len)
		return "another length";
	if (a->identifier != b->identifier)
		return "another identifier";
	if (a->is_extendable != b->is_extendable)
		return "another extendable flag";
	if (a->exponent != b->exponent)
		return "another iteration exponent";
	if (a->group_threshold != b->group_threshold)
		return "another group threshold";
	if (a->group_count != b->group_count)
		return "another number of groups";
	if (a->group_index == b->group_index && a->member_threshold != b->member_threshold)
		return "another member threshold";
	return NULL;
}

/* Names the first share that differs from what most of the shares agree on. */
static enum bg_err check_alike(
	const struct bg_slip39_share *shares, size_t count, struct bg_diag *diag)
{
	size_t most = 0, model = 0;

	for (size_t i = 0; i < count; i++) {
		size_t agreeing = 0;

		for (size_t j = 0; j < count; j++)
			agreeing += !difference(&shares[i], &shares[j]);
		if (agreeing > most) {
			most = agreeing;
			model = i;
		}
	}
	for (size_t i = 0; i < count && most < count; i++) {
		const char *what = difference(&shares[i], &shares[model]);

		if (what)
			return refuse(diag, BG_ERR_MISMATCH, i + 1, NULL, what);
	}
	/* all agree with the model, yet two of another group may disagree with each other */
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (difference(&shares[i], &shares[j]))
				return refuse(diag, BG_ERR_MISMATCH, i + 1, NULL,
					difference(&shares[i], &shares[j]));
	return BG_OK;
}

static struct group *group_of(struct groups *groups, const struct bg_slip39_share *share)
{
	struct group *group = groups->group;

	for (size_t i = 0; i < groups->count; i++, group++)
		if (group->index == share->group_index)
			return group;
	groups->count++;
	group->index = share->group_index;
	group->threshold = share->member_threshold;
	return group;
}

static enum bg_err gather(const struct bg_slip39_share *shares, size_t count, struct groups *groups,
	struct bg_diag *diag)
{
	for (size_t i = 0; i < count; i++) {
		struct group *group = group_of(groups, &shares[i]);

		for (size_t j = 0; j < group->count; j++)
			if (group->points[j].x == shares[i].member_index)
				return refuse(diag, BG_ERR_DUPLICATE, i + 1, NULL, "member index");
		group->points[group->count].x = shares[i].member_index;
		group->points[group->count].value = &shares[i].value;
		group->numbers[group->count++] = (unsigned int)(i + 1);
	}
	return BG_OK;
}

static enum bg_err check_enough(
	const struct groups *groups, unsigned int group_threshold, struct bg_diag *diag)
{
	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->group[i];

		if (group->count < group->threshold)
			return bg_diag_set(diag, BG_ERR_TOO_FEW, NULL, "group %u: %zu of %u shares",
				group->index + 1U, group->count, group->threshold + 0U);
	}
	if (groups->count < group_threshold)
		return bg_diag_set(diag, BG_ERR_TOO_FEW, NULL, "%zu of %u groups", groups->count,
			group_threshold);
	return BG_OK;
}

/* True if every point but the one at `without` lies on the polynomials through the n of `basis`;
   else *ret is the first that does not. */
static bool fit(const struct bg_slip39_point *points, size_t count, size_t without,
	const struct bg_slip39_point *basis, size_t n, size_t *ret)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret want = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (i == without)
			continue;
		if (bg_slip39_interpolate(basis, n, points[i].x, &want) ||
			!bg_equal(want.bytes, points[i].value->bytes, want.len)) {
			*ret = i;
			return false;
		}
	}
	return true;
}

/* The one point without which all others agree, if there is one (RULES S13). */
static bool find_wrong(struct bg_crypto *crypto, const struct bg_slip39_point *points, size_t count,
	size_t threshold, size_t *ret)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret ignored = { 0 };
	struct bg_slip39_point basis[BG_SLIP39_MAX_SHARES];

	for (size_t without = 0; without < count; without++) {
		size_t n = 0, other;

		for (size_t i = 0; n < threshold && i < count; i++)
			if (i != without)
				basis[n++] = points[i];
		if (n == threshold &&
			bg_slip39_recover(crypto, basis, threshold, &ignored) == BG_OK &&
			fit(points, count, without, basis, threshold, &other)) {
			*ret = without;
			return true;
		}
	}
	return false;
}

/* The secret of count points, at least the threshold: the first ones give it, the others have to
   lie on the same polynomials. *wrong: the point that does not, or count if unknown. */
static enum bg_err recover(struct bg_crypto *crypto, const struct bg_slip39_point *points,
	size_t count, size_t threshold, size_t *wrong, struct bg_secret *ret)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret secret = { 0 };
	enum bg_err err;

	*wrong = count;
	err = bg_slip39_recover(crypto, points, threshold, &secret);
	if (err == BG_ERR_DIGEST && count > threshold &&
		find_wrong(crypto, points, count, threshold, wrong))
		return BG_ERR_POLYNOMIAL;
	if (err)
		return err;
	if (!fit(points, count, count, points, threshold, wrong))
		return BG_ERR_POLYNOMIAL;
	*ret = secret;
	return BG_OK;
}

static enum bg_err recover_groups(struct bg_crypto *crypto, struct groups *groups,
	size_t group_threshold, struct bg_secret *ret, struct bg_diag *diag)
{
	struct bg_slip39_point points[GROUPS_MAX] = { { 0 } };
	enum bg_err err;
	size_t wrong;

	for (size_t i = 0; i < groups->count; i++) {
		struct group *group = &groups->group[i];

		err = recover(crypto, group->points, group->count, group->threshold, &wrong,
			&group->value);
		if (err && diag && wrong < group->count)
			diag->index = group->numbers[wrong];
		if (err)
			return groups->count == 1 ? err
						  : bg_diag_set(diag, err, NULL, "group %u",
							    group->index + 1U);
		points[i] = (struct bg_slip39_point){ group->index, &group->value };
	}
	err = recover(crypto, points, groups->count, group_threshold, &wrong, ret);
	if (err && wrong < groups->count)
		return bg_diag_set(diag, err, NULL, "group %u", points[wrong].x + 1U);
	return err;
}

static bool is_passphrase(const char *passphrase)
{
	size_t len = strnlen(passphrase, BG_SLIP39_MAX_PASSPHRASE + 1);
	unsigned int is_bad = 0;

	for (size_t i = 0; i < len; i++)
		is_bad |= (unsigned char)passphrase[i] < ' ' || (unsigned char)passphrase[i] > '~';
	return len <= BG_SLIP39_MAX_PASSPHRASE && !is_bad;
}

enum bg_err bg_slip39_combine(struct bg_crypto *crypto, const struct bg_slip39_share *shares,
	size_t count, const char *passphrase, struct bg_secret *ret, struct bg_diag *diag)
{
	BG_WIPE(groups_wipe) struct groups groups = { 0 };
	BG_WIPE(bg_secret_wipe) struct bg_secret encrypted = { 0 };
	enum bg_err err;

	if (!count)
		return BG_ERR_TOO_FEW;
	if (count > BG_SLIP39_MAX_INPUT)
		return BG_ERR_ARGUMENT;
	if (!is_passphrase(passphrase))
		return refuse(diag, BG_ERR_RANGE, 0, "passphrase",
			"expected at most 256 printable ASCII characters");
	err = check_each(shares, count, diag);
	if (!err)
		err = check_alike(shares, count, diag);
	if (!err)
		err = gather(shares, count, &groups, diag);
	if (!err)
		err = check_enough(&groups, shares[0].group_threshold, diag);
	if (!err)
		err = recover_groups(crypto, &groups, shares[0].group_threshold, &encrypted, diag);
	if (err)
		return err;
	return bg_slip39_decrypt(crypto, &shares[0], passphrase, &encrypted, ret);
}

enum bg_err bg_slip39_combine_values(struct bg_crypto *crypto, const uint8_t *indices,
	const struct bg_secret *values, size_t count, struct bg_secret *ret)
{
	static const struct bg_slip39_share head = { .is_extendable = true };
	BG_WIPE(bg_secret_wipe) struct bg_secret encrypted = { 0 };
	struct bg_slip39_point points[BG_SLIP39_MAX_SHARES];
	enum bg_err err;

	if (count < 2)
		return BG_ERR_TOO_FEW;
	if (count > BG_SLIP39_MAX_SHARES)
		return BG_ERR_RANGE;
	for (size_t i = 0; i < count; i++) {
		if (indices[i] >= BG_SLIP39_MAX_SHARES)
			return BG_ERR_RANGE;
		if (values[i].len != 16 && values[i].len != 32)
			return BG_ERR_RANGE;
		if (values[i].len != values[0].len)
			return BG_ERR_MISMATCH;
		points[i] = (struct bg_slip39_point){ indices[i], &values[i] };
	}
	/* its weights refuse points given twice */
	err = bg_slip39_recover(crypto, points, count, &encrypted);
	if (err)
		return err;
	return bg_slip39_decrypt(crypto, &head, "", &encrypted, ret);
}
