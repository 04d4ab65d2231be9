#ifndef EXPORT_SEARCH_H
#define EXPORT_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "export/choose.h"
#include "export/pair.h"

/*
 * What is found in a member that is no key file: in the values of a database,
 * and with -x in all that cannot be read, if it lies there whole.
 */

struct search;

/*
 * Begins to search a member, which why says cannot be read.  What is found goes
 * to the pair as if it came from a file member@offset.
 */
struct search *search_new(struct pair *, struct choose *, struct secrets *,
    const struct reason *why, struct text path, uint64_t member);

/*
 * Begins with a database.  What its values hold goes to the pair under their
 * path, and is of the member, as what is lost in it; then comes what it is.  It
 * may be searched as well, for what no value holds.
 */
struct search *search_database(struct pair *, struct choose *, struct secrets *,
    struct text path, uint64_t member);
void search_value(struct search *, struct text source, const uint8_t *,
    size_t n);
void search_fault(struct search *, struct text source, const struct reason *);
void search_database_end(struct search *, const struct reason *why);

/* Searches n bytes more. */
void search_feed(struct search *, const uint8_t *p, size_t n);

/*
 * Searches to the end, and frees.  The member stays a fault, which says what
 * was found in it.
 */
void search_end(struct search *);

#endif
