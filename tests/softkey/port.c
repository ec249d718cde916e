/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pseudo-terminal. While there is no client we hold the slave open ourselves,
 * or the master would hang up all the time; from a client's first packet on we let
 * go of it, and so the hang-up says that the last client has closed it, or died.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "softkey.h"

static void sk_port_lock(struct sk_key *k, int locked)
{
	if (ioctl(k->master, TIOCSPTLCK, &locked) < 0)
		sk_die("pseudo-terminal lock");
}

/* By way of the master: the path may lie in another mount namespace. */
static void sk_port_open_slave(struct sk_key *k)
{
	if (k->slave < 0)
		k->slave = ioctl(k->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (k->slave < 0)
		sk_die("pseudo-terminal slave");
}

static void sk_port_let_go(struct sk_key *k)
{
	if (k->slave >= 0)
		close(k->slave);
	k->slave = -1;
}

/* VMIN is a whole report: a client's poll and read never see a part of one. */
static void sk_port_raw(struct sk_key *k)
{
	struct termios t;

	if (tcgetattr(k->slave, &t) < 0)
		sk_die("pseudo-terminal mode");
	cfmakeraw(&t);
	t.c_cc[VMIN] = SK_REPORT_LEN;
	t.c_cc[VTIME] = 0;
	if (tcsetattr(k->slave, TCSANOW, &t) < 0 || fchmod(k->slave, k->opt.mode) < 0)
		sk_die("pseudo-terminal mode");
}

static void sk_port_make(struct sk_key *k)
{
	k->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (k->master < 0 || grantpt(k->master) < 0 ||
		ptsname_r(k->master, k->slave_path, sizeof(k->slave_path)) != 0)
		sk_die("pseudo-terminal");
}

/* Replaced by rename, so that the path is never half there. */
static void sk_port_link(struct sk_key *k)
{
	char temp[PATH_MAX];

	if (k->opt.link == NULL)
		return;
	if ((size_t)snprintf(temp, sizeof(temp), "%s.new", k->opt.link) >= sizeof(temp))
		sk_die("link path too long");
	if (unlink(temp) < 0 && errno != ENOENT)
		sk_die(temp);
	if (symlink(k->slave_path, temp) < 0 || rename(temp, k->opt.link) < 0)
		sk_die(k->opt.link);
}

void sk_port_plug(struct sk_key *k)
{
	if (k->is_plugged)
		return;
	if (k->master < 0)
		sk_port_make(k);
	sk_port_lock(k, 0);
	sk_port_open_slave(k);
	sk_port_raw(k);
	tcflush(k->slave, TCIOFLUSH);
	k->is_plugged = true;
	sk_port_link(k);
}

void sk_port_unplug(struct sk_key *k)
{
	bool is_kept;

	if (!k->is_plugged)
		return;
	if (k->opt.link != NULL)
		unlink(k->opt.link);
	sk_port_open_slave(k);
	sk_port_lock(k, 1);
	is_kept = ioctl(k->slave, TIOCVHANGUP) == 0;
	close(k->slave);
	k->slave = -1;
	if (!is_kept) {
		close(k->master);
		k->master = -1;
	}
	k->is_plugged = false;
	k->frame_have = 0;
}

void sk_port_send(struct sk_key *k, const uint8_t report[static SK_REPORT_LEN])
{
	ssize_t done;

	if (!k->is_plugged)
		return;
	done = write(k->master, report, SK_REPORT_LEN);
	/* a part of a report would shift all that follows; a full queue means nobody reads */
	if (done >= 0 && done < SK_REPORT_LEN)
		sk_port_flush(k);
}

void sk_port_flush(struct sk_key *k)
{
	bool was_open = k->slave >= 0;

	if (!k->is_plugged)
		return;
	sk_port_open_slave(k);
	tcflush(k->slave, TCIFLUSH);
	if (!was_open)
		sk_port_let_go(k);
}

void sk_port_left(struct sk_key *k)
{
	k->count.departures++;
	k->frame_have = 0;
	sk_port_open_slave(k);
	tcflush(k->slave, TCIFLUSH);
}

bool sk_port_read(struct sk_key *k)
{
	ssize_t got;

	if (k->frame_have > 0 && sk_now() > k->frame_until)
		k->frame_have = 0;
	got = read(k->master, k->frame + k->frame_have, sizeof(k->frame) - k->frame_have);
	if (got <= 0)
		return false;
	sk_port_let_go(k);
	k->frame_have += (size_t)got;
	k->frame_until = sk_now() + SK_FRAME_MS;
	if (k->frame_have < sizeof(k->frame))
		return false;
	k->frame_have = 0;
	return true;
}
