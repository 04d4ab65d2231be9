#ifndef WHY_H
#define WHY_H

/*
 * Why something was refused: a token that scripts match, and a sentence that
 * people read.  The tokens are listed in kms-record(5).
 */
struct why {
	const char *reason; /* static string, never NULL once set */
	char detail[512]; /* safe to print: see text_vis() */
};

/* Sets both; what the arguments bring in is escaped.  Returns 0. */
int why_set(struct why *, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Same, with the reason that libcrypto queued last appended, if any. */
int why_ssl(struct why *, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Empties the error queue of libcrypto.  Where memory was the reason of some
 * failure nothing that followed may be believed: exits 2.  why_set() and
 * why_ssl() do the same.
 */
void why_clear(void);

#endif
