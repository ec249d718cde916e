/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives a fuzz target a main() in every build: each argument is a file, or a
 * folder of files, handed to it once; also every start of each file, so that a corpus
 * of whole inputs tries the cut ones too. 0 if at least one input ran.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX_LEN 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int inputs;

static int replay_file(const char *path)
{
	static uint8_t data[INPUT_MAX_LEN];
	FILE *f = fopen(path, "re");
	size_t len, step;

	if (!f) {
		perror(path);
		return 1;
	}
	len = fread(data, 1, sizeof(data), f);
	(void)fclose(f);
	step = len / 512 + 1;
	for (size_t n = 0; n < len; n += step) {
		/* a copy of exactly that size: reading beyond it is seen by the sanitizer */
		uint8_t *copy = malloc(n ? n : 1);

		if (!copy)
			return 1;
		memcpy(copy, data, n);
		(void)LLVMFuzzerTestOneInput(copy, n);
		free(copy);
	}
	(void)LLVMFuzzerTestOneInput(data, len);
	inputs++;
	return 0;
}

static int replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int bad = 0;

	if (!dir) {
		perror(folder);
		return 1;
	}
	while ((entry = readdir(dir))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		bad |= replay_file(path);
	}
	(void)closedir(dir);
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (!stat(argv[i], &st) && S_ISDIR(st.st_mode))
			bad |= replay_folder(argv[i]);
		else
			bad |= replay_file(argv[i]);
	}
	printf("%u inputs\n", inputs);
	return bad || !inputs;
}
