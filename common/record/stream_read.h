#ifndef RECORD_STREAM_READ_H
#define RECORD_STREAM_READ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/reason.h"
#include "key/cert.h"
#include "record/read.h"
#include "record/trust.h"

/* Plain and sealed streams of kms-record(5): reading with proof, writing. */

enum stream_event {
	STREAM_BROKEN = -1, /* stop: nothing that follows can be trusted */
	STREAM_EOF, /* all of the input was in order */
	STREAM_HEAD, /* a `stream' record whose signature is good */
	STREAM_REC, /* a record; its seal is good, if it was opened */
	STREAM_BAD, /* a record whose seal does not open: drop it */
	STREAM_END /* an `end' record that is right */
};

struct stream_in {
	struct rec rec; /* what the event is about */
	struct reason why; /* of BROKEN and BAD */
	int sealed;
	int closed; /* sealed, and seals stay closed: no -k */
	int apart; /* set by the caller: they are opened in other processes,
					   by stream_open() */
	unsigned long long n; /* number of the record, 0: it has none */
	char id[33]; /* of the sealed stream, hex; or "" */
	X509 *signer; /* of the sealed stream, borrowed */
	uint8_t *key; /* PKCS#8 of a `key' record, secure
					   memory; NULL if not opened.  Valid
					   until the next call */
	size_t keylen;
	struct stream_state *state;
};

/*
 * Starts reading.  With k, seals are opened, and the signer must be a
 * certificate of k or of trusted; with trusted alone the signer must be one
 * of them, and seals stay closed.  In both cases plain records break the
 * stream.  part: what comes may be a selection.  The arguments must outlive
 * the reader.  NULL: out of memory.
 */
struct stream_in *stream_in_new(struct rec_in *, const struct trust *k,
    const struct trust *trusted, int part);
enum stream_event stream_next(struct stream_in *);

/*
 * In a fork of the process that reads apart: first the head of the stream, then
 * the seal of rec, which has number n.  What stream_next() has checked is not
 * checked again.  open returns STREAM_REC or STREAM_BAD.
 */
void stream_lead(struct stream_in *, const struct rec *head);
enum stream_event stream_open(struct stream_in *);
/* Wipes the key of the last one. */
void stream_forget(struct stream_in *);
void stream_in_free(struct stream_in *);

/* Writing ------------------------------------------------------------- */

/* What a record says beside what its certificate says. */
struct stream_rec {
	const struct cert *cert;
	struct text group, user, mail, guid, source;
	const uint8_t *key; /* PKCS#8; NULL makes a `cert' record */
	size_t keylen;
};

struct stream_out {
	struct rec_out *rec;
	struct box *seal; /* NULL: a plain stream */
	const struct trust_pair *signer;
};

/* Starts a plain stream on fp.  Returns 1, or 0 when out of memory. */
int stream_out_plain(struct stream_out *, FILE *fp);

/*
 * Starts a sealed stream to the certificate of `to', signed by signer (which
 * must outlive it), and writes its head.  Returns 1, or 0 with *w.
 */
int stream_out_sealed(struct stream_out *, FILE *fp,
    const struct trust_pair *to, const struct trust_pair *signer,
    struct reason *w);

/* Each writes one record.  Output that is lost exits 2.  put returns 1, or 0
 * when it had to write a fault instead, because the record is too long. */
int stream_put(struct stream_out *, const struct stream_rec *);
void stream_fault(struct stream_out *, struct text source,
    const struct reason *);

/* Writes `end' and frees what was allocated.  Returns 1, or 0 with *w. */
int stream_close(struct stream_out *, struct reason *w);

/* Puts the serial number, the names and the times of a certificate. */
void stream_put_names(struct rec_out *, const struct cert *);

#endif
