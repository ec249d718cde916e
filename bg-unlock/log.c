/* SPDX-License-Identifier: BSD-2-Clause */
/* `log`: what happened, and the proof that nothing is missing. */
#include "log.h"
#include "bg-unlock.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_JSON = 256, OPTION_FORMAT, OPTION_JOURNAL, OPTION_SYSLOG, OPTION_HEADS };

static bool read_format(const char *text, enum bg_log_format *ret)
{
	static const char *const names[] = {
		[BG_LOG_TEXT] = "text",
		[BG_LOG_JSON] = "json",
		[BG_LOG_RFC5424] = "rfc5424",
		[BG_LOG_CEF] = "cef",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*ret = (enum bg_log_format)i;
		return true;
	}
	return false;
}

static bool add_file(struct bg_log_options *options, const char *path, bool is_copy)
{
	if (options->file_count == BG_LOG_FILES_MAX)
		return false;
	options->files[options->file_count].path = path;
	options->files[options->file_count++].is_copy = is_copy;
	return true;
}

/* BG_EXIT_DONE, or what bg_usage returned. */
static int read_option(struct bg_log_options *options, int c)
{
	switch (c) {
	case OPTION_JSON:
		options->format = BG_LOG_JSON;
		return BG_EXIT_DONE;
	case OPTION_FORMAT:
		if (read_format(optarg, &options->format))
			return BG_EXIT_DONE;
		return bg_usage("log: --format is text, json, rfc5424 or cef");
	case OPTION_JOURNAL:
		options->has_journal = true;
		return BG_EXIT_DONE;
	case 'o':
		options->output = optarg;
		return BG_EXIT_DONE;
	case OPTION_SYSLOG:
	case OPTION_HEADS:
		if (add_file(options, optarg, c == OPTION_HEADS))
			return BG_EXIT_DONE;
		return bg_usage("log: at most %d files", BG_LOG_FILES_MAX);
	default:
		return bg_usage("log: no such option, or its value is missing");
	}
}

static int read_options(int argc, char **argv, struct bg_log_options *ret)
{
	static const struct option longs[] = { { "json", no_argument, NULL, OPTION_JSON },
		{ "format", required_argument, NULL, OPTION_FORMAT },
		{ "journal", no_argument, NULL, OPTION_JOURNAL },
		{ "syslog", required_argument, NULL, OPTION_SYSLOG },
		{ "heads", required_argument, NULL, OPTION_HEADS },
		{ "output", required_argument, NULL, 'o' }, { 0 } };
	int c, status = BG_EXIT_DONE;

	opterr = 0;
	while (status == BG_EXIT_DONE && (c = getopt_long(argc, argv, "o:", longs, NULL)) != -1)
		status = read_option(ret, c);
	if (status == BG_EXIT_DONE && optind < argc)
		ret->request = argv[optind++];
	if (status == BG_EXIT_DONE && optind < argc)
		return bg_usage("log: one request at the most");
	return status;
}

static int run_show(struct bg_crypto *crypto, const struct bg_log_options *options)
{
	if (options->has_journal || options->file_count || options->output)
		return bg_usage("log show: --journal, --syslog and --heads are for verify, "
				"--output for report");
	return bg_log_show(crypto, options);
}

static int run_verify(struct bg_crypto *crypto, const struct bg_log_options *options)
{
	if (options->request || options->output)
		return bg_usage("log verify takes no request: the chain is one");
	if (options->format != BG_LOG_TEXT && options->format != BG_LOG_JSON)
		return bg_usage("log verify: --format is text or json");
	return bg_log_verify(crypto, options);
}

static int run_report(struct bg_crypto *crypto, const struct bg_log_options *options)
{
	if (!options->request)
		return bg_usage("log report: which request? log show names them");
	if (options->has_journal || options->file_count || options->format != BG_LOG_TEXT)
		return bg_usage("log report takes --output only");
	return bg_log_report(crypto, options);
}

static const struct {
	const char *name;
	int (*run)(struct bg_crypto *crypto, const struct bg_log_options *options);
} parts[] = {
	{ "show", run_show },
	{ "verify", run_verify },
	{ "report", run_report },
};

int bg_verb_log(int argc, char **argv)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	struct bg_log_options options = { 0 };
	size_t part = 0;
	int status;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return bg_verb_help("log");
	while (argc > 1 && part < sizeof(parts) / sizeof(parts[0]) &&
		strcmp(argv[1], parts[part].name) != 0)
		part++;
	if (argc < 2 || part == sizeof(parts) / sizeof(parts[0]))
		return bg_usage("log: show, verify or report?");
	status = read_options(argc - 1, argv + 1, &options);
	if (status != BG_EXIT_DONE)
		return status;
	crypto = bg_crypto_open();
	if (!crypto)
		return bg_fail(BG_ERR_CRYPTO, NULL, NULL);
	return parts[part].run(crypto, &options);
}
