/*
 * What becomes of the frames of an archive reader that is in the hands of the
 * archive: up to the stream that kms-export writes.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export/export.h"
#include "fuzz.h"

#define NOBODY 0x3ffffff0 /* a process that cannot be */

static const struct trust_pair *
signer(void)
{
	static struct trust_pair pair;

	if (pair.cert != NULL)
		return &pair;
	fuzz_must(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
	pair.key = EVP_EC_gen("P-256");
	pair.cert = X509_new();
	X509_set_pubkey(pair.cert, pair.key);
	X509_gmtime_adj(X509_getm_notBefore(pair.cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(pair.cert), 1000);
	X509_sign(pair.cert, pair.key, EVP_sha256());
	return &pair;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	/* an input that is empty would end the program */
	struct frame first = { .event = UNPACK_NOTE, .len = 1 };
	const struct trust_pair *pair = signer();
	struct unpack walk;
	struct export x;
	int status;

	memset(&walk, 0, sizeof(walk));
	walk.limits = unpack_defaults;
	walk.limits.member = 64 * 1024;
	walk.child.pid = NOBODY;
	walk.started = 1;
	walk.child.to = open("/dev/null", O_WRONLY | O_CLOEXEC);
	walk.child.from = memfd_create("frames", MFD_CLOEXEC);
	fuzz_must(write(walk.child.from, &first, sizeof(first)) ==
		    (ssize_t)sizeof(first) &&
		write(walk.child.from, "-", 1) == 1 &&
		write(walk.child.from, p, n) == (ssize_t)n &&
		lseek(walk.child.from, 0, SEEK_SET) == 0,
	    "a memory file");
	export_init(&x, 1);
	x.secrets = fuzz_secrets();
	export_open(&x);
	status = export_run(&x, &walk, pair, pair);
	fuzz_must(status == 0 || status == 1, "an exit status");
	unpack_stop(&walk);
	export_free(&x);
	return 0;
}
