#ifndef RECORD_STREAM_WRITE_H
#define RECORD_STREAM_WRITE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/reason.h"
#include "base/text.h"
#include "key/cert.h"
#include "lock/box.h"
#include "record/trust.h"
#include "record/write.h"

/* Writes plain and sealed streams of kms-record(5). */

/* The content of a record. */
struct stream_rec {
	const struct cert *cert;
	struct text group, user, mail, guid, source;
	const uint8_t *key; /* PKCS#8; NULL: a `cert' record */
	size_t keylen;
};

/* What the members of a backup came to: a member counts once. */
struct stream_sum {
	unsigned long long members, keys, certs, faulted, skipped;
};

struct stream_out {
	struct rec_out *rec;
	struct box *seal; /* NULL: a plain stream */
	const struct trust_pair *signer;
	const struct stream_sum *sum; /* for the end of a sealed one, or NULL */
};

/* Starts a plain stream on fp.  Returns 1, or 0 if memory is full. */
int stream_out_plain(struct stream_out *, FILE *fp);

/*
 * Starts a sealed stream to the certificate of `to', signed by signer (which
 * must outlive it), and writes its head.  Returns 1, or 0 with *w.
 */
int stream_out_sealed(struct stream_out *, FILE *fp,
    const struct trust_pair *to, const struct trust_pair *signer,
    struct reason *w);

/*
 * Writes one record.  Returns 1, or 0 if the record was too long and it wrote a
 * fault instead.  Exits 2 if output is lost.
 */
int stream_put(struct stream_out *, const struct stream_rec *);
/*
 * Writes a fault, with the group and user of `whose', or of nobody if it is
 * NULL.  Exits 2 if output is lost.
 */
void stream_fault(struct stream_out *, struct text source,
    const struct stream_rec *whose, const struct reason *);

/* Writes `end' and frees the stream's memory.  Returns 1, or 0 with *w. */
int stream_close(struct stream_out *, struct reason *w);

/* Puts the serial number, names and times of a certificate. */
void stream_put_names(struct rec_out *, const struct cert *);

#endif
