#ifndef RECORD_STREAM_READ_H
#define RECORD_STREAM_READ_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "record/read.h"
#include "record/trust.h"

/* Plain and sealed streams of kms-record(5), read with proof. */

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
	int apart; /* set by the caller: seals are opened in other
					   processes, by stream_open() */
	unsigned long long n; /* number of the record, 0: it has none */
	char id[33]; /* of the sealed stream, hex; or "" */
	X509 *signer; /* of the sealed stream, borrowed */
	uint8_t *key; /* PKCS#8 of a `key' record, secure
					   memory; NULL if not opened.  Valid
					   until the next call */
	size_t keylen;
	struct stream_state *state;
};

#define STREAM_PART_MAX (2 * 1024 * 1024) /* 64s of numbers of a part */

/*
 * Starts reading.  With k, seals are opened.  The signer must be one of trusted
 * or, where that is NULL, of k; with trusted or k plain records break the
 * stream.  part: what comes may be a selection.  The arguments must outlive
 * the reader.  NULL: out of memory.
 */
struct stream_in *stream_in_new(struct rec_in *, const struct trust *k,
    const struct trust *trusted, int part);
enum stream_event stream_next(struct stream_in *);

/*
 * For a fork of the process that reads apart, which does not check again what
 * stream_next() has checked.  Takes the head of a stream; exits 2 if it cannot.
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
