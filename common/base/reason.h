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

/* Sets both; what the arguments bring in is escaped.  Returns 0. */
int reason_set(struct reason *, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Same, with the reason that libcrypto queued last appended, if any. */
int reason_ssl(struct reason *, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Empties the error queue of libcrypto.  Where memory was the reason of some
 * failure nothing that followed may be believed: exits 2.  reason_set() and
 * reason_ssl() do the same.
 */
void reason_clear(void);

#endif
