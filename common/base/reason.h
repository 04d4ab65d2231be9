#ifndef BASE_REASON_H
#define BASE_REASON_H

/*
 * Why something was refused: a token that scripts match, and a sentence that
 * people read.  The tokens are listed in kms-record(5).
 */
struct reason {
	const char *reason; /* static string, never NULL once set */
	char detail[512]; /* safe to print: see text_vis() */
};

/*
 * Sets both and calls reason_clear().  What the arguments contribute to the
 * sentence is escaped.  Returns 0.
 */
int reason_set(struct reason *, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Does as reason_set(), for functions that fail with -1.  Returns -1. */
#define reason_fail(...) (reason_set(__VA_ARGS__), -1)

/*
 * Does as reason_set(), and appends the last error of libcrypto, if there is
 * one.  Returns 0.
 */
int reason_ssl(struct reason *, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Empties the error queue of libcrypto.  Exits 2 if memory was short somewhere,
 * since no result can be trusted after that.
 */
void reason_clear(void);

#endif
