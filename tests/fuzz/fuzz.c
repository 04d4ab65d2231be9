#include "fuzz.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/tool.h"
#include "key/private.h"

static struct secrets all;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const passwords[] = { "secret", "foobar", "1234",
		"password", "changeit", "nss" };
	static char *v[sizeof(passwords) / sizeof(passwords[0])];
	size_t i;

	(void)argc;
	(void)argv;
	tool_start();
	msg_level = -1;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		v[i] = OPENSSL_strdup(passwords[i]);
	all.v = v;
	all.n = i;
	return 0;
}

struct secrets *
fuzz_secrets(void)
{
	all.last = 0;
	return &all;
}

void
fuzz_must(int holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

void
fuzz_items(struct findings *l)
{
	uint8_t *p8, id[32];
	struct reason w;
	size_t i, n;

	for (i = 0; i < l->n; i++) {
		if (l->v[i].kind != FINDING_KEY)
			continue;
		p8 = finding_key1(&l->v[i], &n);
		fuzz_must(private_id(p8, n, id, &w),
		    "a key that was taken is "
		    "whole");
		fuzz_must(memcmp(id, l->v[i].id, sizeof(id)) == 0,
		    "a key has one identity");
		OPENSSL_secure_clear_free(p8, n);
	}
	findings_free(l);
}
