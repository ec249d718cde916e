/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol_vectors SUBJECT prints tests/vectors/SUBJECT.json: doc/protocol.md with fixed inputs. */
#include "out.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*put)(const struct world *w);
	} subjects[] = { { "keys", put_keys }, { "seals", put_seals }, { "codes", put_codes },
		{ "chain", put_chain }, { "refused", put_refused } };
	static struct world world;

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		if (argc != 2 || strcmp(argv[1], subjects[i].name) != 0)
			continue;
		world_open(&world);
		out_object(NULL);
		subjects[i].put(&world);
		out_end();
		world_close(&world);
		return 0;
	}
	fprintf(stderr, "usage: protocol_vectors keys|seals|codes|chain|refused\n");
	return 2;
}
