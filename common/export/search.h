#ifndef EXPORT_SEARCH_H
#define EXPORT_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "export/choose.h"
#include "export/pair.h"

/* -x: a member that cannot be read is searched for what lies in it whole. */

struct search;

/*
 * Begins to search a member, which why says cannot be read.  What is found goes
 * to the pair as if it came from a file member@offset.
 */
struct search *search_new(struct pair *, struct choose *, struct secrets *,
    const struct reason *why, struct text path, uint64_t member);

/* Searches n bytes more. */
void search_feed(struct search *, const uint8_t *p, size_t n);

/*
 * Searches to the end, and frees.  The member stays a fault, which says what
 * was found in it.
 */
void search_end(struct search *);

#endif
