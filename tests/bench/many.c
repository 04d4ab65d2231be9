/*
 * many N CRED CERT: a sealed stream of N keys, to the certificate of CRED and
 * signed by it, without N key generations: the key of CRED, and CERT, which is
 * of that key, over and over with another serial number.  For `make bench'.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool.h"
#include "file/cred.h"
#include "key/cert.h"
#include "key/private.h"
#include "record/stream_write.h"

static void
die(const char *what)
{
	(void)fprintf(stderr, "many: %s\n", what);
	exit(2);
}

int
main(int argc, char *argv[])
{
	struct trust cred = { 0 }, of = { 0 };
	struct secrets none = { 0 };
	struct stream_out out;
	struct stream_rec e;
	struct cert *c;
	struct reason w;
	char user[32], source[32];
	uint8_t *der = NULL, *serial, *p8;
	unsigned long i, n;
	int len, b;
	size_t keylen;

	tool_start();
	if (argc != 4)
		die("usage: many N CRED CERT");
	n = strtoul(argv[1], NULL, 10);
	if (!cred_load(&cred, argv[2], 1, &none, &w) ||
	    !cred_load(&of, argv[3], 0, &none, &w))
		die(w.detail);
	if ((len = i2d_X509(of.v[0].cert, &der)) <= 0 ||
	    (p8 = private_p8(cred.v[0].key, &keylen)) == NULL)
		die("no certificate, or no key");
	/* 0x10 0x11 ... 0x17: see bench.bash */
	serial = memmem(der, (size_t)len, "\x10\x11\x12\x13\x14\x15\x16\x17",
	    8);
	if (serial == NULL)
		die("the serial number is not 1011121314151617");
	if (!stream_out_sealed(&out, stdout, &cred.v[0], &cred.v[0], &w))
		die(w.detail);
	for (i = 0; i < n; i++) {
		for (b = 0; b < 7; b++)
			serial[7 - b] = (uint8_t)(i >> 8 * b);
		if (!cert_new(&c, der, (size_t)len, &w))
			die(w.detail);
		memset(&e, 0, sizeof(e));
		e.cert = c;
		e.key = p8;
		e.keylen = keylen;
		e.group.s = e.mail.s = e.guid.s = "";
		e.user.s = user;
		e.user.n = (size_t)snprintf(user, sizeof(user), "User %lu", i);
		e.source.s = source;
		e.source.n = (size_t)snprintf(source, sizeof(source),
		    "many/%lu.p12", i);
		if (!stream_put(&out, &e))
			die("a record is too long");
		cert_free(c);
	}
	if (!stream_close(&out, &w))
		die(w.detail);
	return tool_end(0);
}
