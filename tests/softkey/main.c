/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "softkey.h"

static volatile sig_atomic_t has_signal;

void sk_die(const char *what)
{
	if (errno != 0)
		fprintf(stderr, "softkey: error: %s: %s\n", what, strerror(errno));
	else
		fprintf(stderr, "softkey: error: %s\n", what);
	exit(3);
}

int64_t sk_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool sk_unhex(const char *hex, uint8_t *ret, size_t len)
{
	if (strlen(hex) != 2 * len || strspn(hex, "0123456789abcdefABCDEF") != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		ret[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static void sk_pump_wire(struct sk_key *k, short revents)
{
	uint8_t packet[SK_REPORT_LEN];

	if (revents & POLLIN) {
		if (sk_port_read(k)) {
			/* the first byte is the report id; a nested pump may read on */
			memcpy(packet, k->frame + 1, sizeof(packet));
			sk_hid_packet(k, packet);
		}
	} else if (revents & (POLLHUP | POLLERR)) {
		sk_port_left(k);
		sk_touch_end(k, TOUCH_GONE);
		k->in.want = 0;
	}
}

/*
 * The control socket comes first, and alone where something came: it may unplug,
 * and then what poll said of the wire no longer holds. At most one packet a call,
 * since running it may call this again.
 */
void sk_pump(struct sk_key *k, int ms)
{
	struct pollfd fds[SK_CTL_CONNS + 2];
	size_t n = sk_control_poll(k, fds, SK_CTL_CONNS + 1);
	struct timespec limit;
	sigset_t none;
	int64_t deadline = sk_control_deadline(k), now = sk_now();

	if (deadline != 0 && deadline - now < ms)
		ms = deadline > now ? (int)(deadline - now) : 0;
	limit.tv_sec = ms / 1000;
	limit.tv_nsec = ms % 1000 * 1000000L;
	sigemptyset(&none);
	fds[n] = (struct pollfd){ .fd = k->is_plugged ? k->master : -1, .events = POLLIN };
	if (ppoll(fds, n + 1, &limit, &none) < 0 && errno != EINTR)
		sk_die("poll");
	if (has_signal != 0)
		k->has_quit = true;
	if (!sk_control_serve(k, fds, n) && !k->has_quit)
		sk_pump_wire(k, fds[n].revents);
	sk_hid_tick(k);
}

static void sk_on_signal(int number)
{
	has_signal = number;
}

static void sk_signals(void)
{
	struct sigaction act = { .sa_handler = sk_on_signal };
	sigset_t ends;

	/* they arrive in ppoll() only: no wait begins with one unseen */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	sigemptyset(&act.sa_mask);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	act.sa_handler = SIG_IGN;
	sigaction(SIGHUP, &act, NULL);
	sigaction(SIGPIPE, &act, NULL);
}

static void sk_usage(FILE *to)
{
	(void)fputs(
		"usage: softkey --socket CTL (--link PATH | --print) [--state FILE] [--pin PIN]\n"
		"               [--attestation packed|self|none] [--alg es256|eddsa]\n"
		"               [--aaguid HEX] [--no-rk] [--mode OCTAL] [--old]\n"
		"               [--touch-ms MS] [--die-with-parent]\n"
		"       softkey ctl CTL COMMAND...\n",
		to);
}

static _Noreturn void sk_bad_usage(void)
{
	sk_usage(stderr);
	exit(2);
}

struct sk_start {
	const char *pin, *aaguid;
};

static void sk_option(struct sk_key *k, int letter, const char *arg, struct sk_start *start)
{
	static const char *const attestations[] = { "packed", "self", "none" };
	char *end;
	unsigned long mode;
	long ms;
	size_t i = 0;

	switch (letter) {
	case 's':
		k->opt.control = arg;
		break;
	case 'l':
		k->opt.link = arg;
		break;
	case 'P':
		k->opt.says_path = true;
		break;
	case 'S':
		k->opt.state = arg;
		break;
	case 'p':
		start->pin = arg;
		break;
	case 'g':
		start->aaguid = arg;
		break;
	case 'n':
		k->opt.no_resident = true;
		break;
	case 'o':
		k->opt.is_old = true;
		break;
	case 't':
		ms = strtol(arg, &end, 10);
		if (*end != '\0' || ms <= 0 || ms > 3600000)
			sk_bad_usage();
		k->opt.touch_ms = (int)ms;
		break;
	case 'd':
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		break;
	case 'a':
		while (i < 3 && strcmp(arg, attestations[i]) != 0)
			i++;
		if (i == 3)
			sk_bad_usage();
		k->opt.attestation = (enum sk_attestation)i;
		break;
	case 'A':
		if (strcmp(arg, "es256") != 0 && strcmp(arg, "eddsa") != 0)
			sk_bad_usage();
		k->opt.only_alg = arg[1] == 's' ? COSE_ES256 : COSE_EDDSA;
		break;
	case 'm':
		mode = strtoul(arg, &end, 8);
		if (*arg == '\0' || *end != '\0' || mode > 0777)
			sk_bad_usage();
		k->opt.mode = (mode_t)mode;
		break;
	default:
		sk_bad_usage();
	}
}

static void sk_options(struct sk_key *k, int argc, char **argv, struct sk_start *start)
{
	static const struct option table[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "link", required_argument, NULL, 'l' },
		{ "print", no_argument, NULL, 'P' },
		{ "state", required_argument, NULL, 'S' },
		{ "pin", required_argument, NULL, 'p' },
		{ "attestation", required_argument, NULL, 'a' },
		{ "alg", required_argument, NULL, 'A' },
		{ "aaguid", required_argument, NULL, 'g' },
		{ "no-rk", no_argument, NULL, 'n' },
		{ "mode", required_argument, NULL, 'm' },
		{ "old", no_argument, NULL, 'o' },
		{ "touch-ms", required_argument, NULL, 't' },
		{ "die-with-parent", no_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	k->opt.mode = 0600;
	k->opt.touch_ms = SK_TOUCH_MS;
	while ((letter = getopt_long(argc, argv, "", table, NULL)) != -1)
		sk_option(k, letter, optarg, start);
	if (optind != argc || k->opt.control == NULL || (k->opt.link == NULL && !k->opt.says_path))
		sk_bad_usage();
}

static void sk_start(struct sk_key *k, const struct sk_start *start)
{
	k->master = -1;
	k->slave = -1;
	memcpy(k->aaguid, "softkey-aaguid-1", sizeof(k->aaguid));
	sk_state_load(k);
	if (start->aaguid != NULL && !sk_unhex(start->aaguid, k->aaguid, sizeof(k->aaguid)))
		sk_bad_usage();
	if (start->pin != NULL && !k->has_pin &&
		!sk_pin_set(
			k, (struct sk_bytes){ (const uint8_t *)start->pin, strlen(start->pin) })) {
		errno = 0;
		sk_die("PIN too short or too long");
	}
	sk_state_save(k);
	sk_pin_power_up(k);
	sk_control_open(k);
	sk_port_plug(k);
	if (k->opt.says_path)
		printf("%s\n", k->slave_path);
	printf("ready\n");
	if (fflush(stdout) != 0)
		sk_die("stdout");
}

int main(int argc, char **argv)
{
	static struct sk_key key;
	struct sk_start start = { 0 };

	if (argc > 3 && strcmp(argv[1], "ctl") == 0)
		return sk_control_send(argv[2], argc - 3, argv + 3);
	sk_options(&key, argc, argv, &start);
	sk_signals();
	sk_start(&key, &start);
	while (!key.has_quit)
		sk_pump(&key, key.in.want > 0 ? 50 : 1000);
	sk_port_unplug(&key);
	if (key.master >= 0)
		close(key.master);
	sk_control_close(&key);
	sk_cred_clear(&key);
	EVP_PKEY_free(key.attest_key);
	EVP_PKEY_free(key.power.agree);
	return 0;
}
