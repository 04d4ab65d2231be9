#ifndef PROOF_INPUT_H
#define PROOF_INPUT_H

#include "base/secret.h"
#include "file/cred.h"
#include "record/stream_read.h"

/* Standard input as a stream, with the options that say whom it may trust. */

struct input {
	struct secrets secrets; /* -p */
	const char *key, **signer; /* -k, -C */
	size_t nsigners;
	int part; /* -P */
	struct trust k, trusted; /* of -k, -C */
	struct rec_in *in;
	struct stream_in *stream;
};

/* Takes -C, -k, -P and -p.  Returns 1, or 0 if c is another option. */
int input_option(struct input *, int c);

/*
 * Loads what -C and -k name, once every -p is known, and forgets the passwords.
 * Exits 2, with a message, if it cannot.
 */
void input_cred(struct input *);

/* Starts reading; the arguments are those of stream_in_new(). */
void input_open(struct input *, const struct trust *k,
    const struct trust *trusted);

/*
 * Says something of the record at hand, by its line, number and user if it has
 * one; silent with -q.
 */
void input_say(const struct stream_in *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Says where and why the stream is broken, to who has -P; exits 2. */
void input_broken(const struct input *) __attribute__((noreturn));

void input_close(struct input *);

#endif
