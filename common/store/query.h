#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/reason.h"
#include "base/text.h"

/*
 * Selects rows for ca-export(1): -b, -e, -g, -s and -u.  A row is wanted if it
 * is valid at some time between the two dates, and matches one of each kind
 * that was given (group, user, token).
 */

struct query;

/* Exits 2 when memory is full. */
struct query *query_new(void);
void query_free(struct query *);

/*
 * Each adds a condition, and borrows it: a shell pattern, a token of -s, the
 * first or last date, which may be shortened.  Returns 1, or 0 with *w if
 * nobody can mean that.
 */
int query_group(struct query *, const char *pattern, struct reason *w);
int query_user(struct query *, const char *pattern, struct reason *w);
int query_token(struct query *, const char *token, struct reason *w);
int query_from(struct query *, const char *date, struct reason *w);
int query_until(struct query *, const char *date, struct reason *w);

/* Returns 1 if every row is wanted. */
int query_all(const struct query *);

/* A row under one of its names. */
struct query_row {
	int64_t id;
	int is_fault; /* 1: a fault, without a certificate */
	struct text source;
	struct text group, user, mail; /* of the KMS */
	struct text cn, upn, cert_mail, requester;
	const char *serial, *sha1, *sha256, *ski; /* lower-case hex */
	const char *not_before, *not_after;
	int former; /* 1: another name has replaced this one */
};

/*
 * Returns 1 if the row is wanted, 2 if its user is a token, else 0; notes names
 * that are like a token.  Looks for a former name only if asked for that.
 */
int query_wants(struct query *, const struct query_row *);

/* Writes the conditions as the audit row has them, a blank before each. */
void query_detail(const struct query *, FILE *);

/*
 * Prints on stderr the conditions that no row meets, and what is like them.
 * rows is how many were wanted.
 */
void query_explain(const struct query *, unsigned long long rows);

#endif
