#ifndef PROOF_INPUT_H
#define PROOF_INPUT_H

#include "base/secret.h"
#include "file/cred.h"
#include "record/stream_read.h"

/* Reads standard input as a stream, with the options that say whom to trust. */

struct input {
	const char **pass; /* each -p */
	size_t npass; /* how many */
	size_t passroom; /* for how many there is room */
	struct secrets secrets; /* passwords of -p, after input_secrets() */
	const char *key; /* -k */
	const char **signer; /* each -C */
	size_t nsigners; /* how many */
	size_t room; /* for how many there is room */
	int part; /* -P */
	struct trust k; /* what -k names */
	struct trust trusted; /* what -C names */
	struct rec_in *in; /* standard input */
	struct stream_in *stream; /* the records on it */
};

/* Takes option c if it is -C, -k, -P or -p. */
void input_option(struct input *, int c);

/* Reads the passwords of -p.  Exits 2, with a message, on failure. */
void input_secrets(struct input *);

/*
 * Reads what -p, -C and -k name, and forgets the passwords.  Exits 2, with a
 * message, on failure.
 */
void input_cred(struct input *);

/* Starts reading; k and trusted are as for stream_in_new(). */
void input_open(struct input *, const struct trust *k,
    const struct trust *trusted);

/*
 * Prints a message about the record at hand, with its line, its number and its
 * user if it has one, unless -q is given.
 */
void input_say(const struct stream_in *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Exits 2 with a message: where and why the stream broke, and if -P helps. */
void input_broken(const struct input *) __attribute__((noreturn));

void input_close(struct input *);

#endif
