#ifndef RECORD_STREAM_READ_H
#define RECORD_STREAM_READ_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "record/read.h"
#include "record/trust.h"

/* Reads plain and sealed streams of kms-record(5), and proves them. */

enum stream_event {
	STREAM_BROKEN = -1, /* stop: nothing after it can be trusted */
	STREAM_EOF, /* the whole input was in order */
	STREAM_HEAD, /* a `stream' record with a good signature */
	STREAM_REC, /* a record, with a good seal if that was opened */
	STREAM_BAD, /* a record whose seal does not open: drop it */
	STREAM_END /* a correct `end' record */
};

struct stream_in {
	struct rec rec; /* the record of the event */
	struct reason why; /* of BROKEN and BAD */
	int sealed;
	int closed; /* sealed, and seals are not opened: no -k */
	int apart; /* set by the caller: stream_open() opens seals elsewhere */
	unsigned long long n; /* number of the record; 0: none */
	char id[33]; /* of the sealed stream, in hex, or "" */
	X509 *signer; /* of the sealed stream; borrowed */
	/* PKCS#8 in secure memory, until the next call; or NULL */
	uint8_t *key;
	size_t keylen;
	struct stream_state *state;
};

#define STREAM_PART_MAX (2 * 1024 * 1024) /* 64s of record numbers in a part */

/*
 * Starts reading.  With k, seals are opened.  The signer must be one of trusted
 * or, if that is NULL, of k; with trusted or k, plain records break the stream.
 * part allows a selection of a stream.  The arguments must outlive the reader.
 * Returns NULL if memory is full.
 */
struct stream_in *stream_in_new(struct rec_in *, const struct trust *k,
    const struct trust *trusted, int part);
enum stream_event stream_next(struct stream_in *);

/*
 * Takes the head of a stream, which was checked by stream_next(), in a fork of
 * the process that reads with apart set.  Exits 2 if it cannot.
 */
void stream_lead(struct stream_in *, const struct rec *head);
/*
 * Opens the seal of rec, which has number n.  Returns STREAM_REC or STREAM_BAD.
 */
enum stream_event stream_open(struct stream_in *);
/* Wipes the key of the last record. */
void stream_forget(struct stream_in *);
void stream_in_free(struct stream_in *);

#endif
