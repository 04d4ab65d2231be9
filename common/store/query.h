#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/reason.h"
#include "base/text.h"

/*
 * What rows are asked for: ca-export(1), -b, -e, -g, -s and -u.  A row is wanted
 * if it is valid at some time between the two dates, and if each kind that was
 * given (group, user, token) has one that it matches.
 */

struct query;

/* Out of memory exits 2. */
struct query *query_new(void);
void query_free(struct query *);

/*
 * Each adds something to ask for, which is borrowed: a shell pattern, a token of
 * -s, the first or last date, of which the beginning is enough.  Returns 1, or
 * 0 with *w: nobody can mean that.
 */
int query_group(struct query *, const char *pattern, struct reason *w);
int query_user(struct query *, const char *pattern, struct reason *w);
int query_token(struct query *, const char *token, struct reason *w);
int query_from(struct query *, const char *date, struct reason *w);
int query_until(struct query *, const char *date, struct reason *w);

/* Returns 1 if every row is wanted. */
int query_all(const struct query *);

/* A row under one of its names, as it is looked at. */
struct query_row {
	int64_t id;
	int is_fault; /* of what could not be read, without a certificate */
	struct text source;
	struct text group, user, mail; /* of the KMS */
	struct text cn, upn, cert_mail, requester;
	const char *serial, *sha1, *sha256, *ski; /* lower-case hex */
	const char *not_before, *not_after;
	int former; /* another name has replaced this one */
};

/*
 * Returns 1 if the row is wanted, 2 if a token is the user of this name.  What is like it is remembered.  A former name
 * is only looked for where that is asked.
 */
int query_wants(struct query *, const struct query_row *);

/* Writes what was asked for as the audit row has it, a blank before each. */
void query_detail(const struct query *, FILE *);

/*
 * Says on standard error which of what was asked for no row has, and what is
 * like it; rows is how many were wanted.
 */
void query_explain(const struct query *, unsigned long long rows);

#endif
