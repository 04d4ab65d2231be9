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
 * Searches a member that is no key file: the values of a database, and with -x
 * any member that cannot be read, for what is whole in it.
 */

struct search;

/*
 * Starts the search of a member that cannot be read, for the reason why.  The
 * pair receives each find as if from a file member@offset.
 */
struct search *search_new(struct pair *, struct choose *, struct secrets *,
    const struct reason *why, struct text path, uint64_t member);

/*
 * Starts on a database.  search_value() and search_fault() give the pair what
 * its values hold and what is lost, each under its path; search_database_end()
 * says what it is.  Its bytes may then be searched too.
 */
struct search *search_database(struct pair *, struct choose *, struct secrets *,
    struct text path, uint64_t member);
void search_value(struct search *, struct text source, const uint8_t *,
    size_t n);
void search_fault(struct search *, struct text source, const struct reason *);
void search_database_end(struct search *, const struct reason *why);

/* Searches the next n bytes. */
void search_feed(struct search *, const uint8_t *p, size_t n);

/*
 * Searches to the end, and frees.  The member stays a fault, which says what
 * was found in it.
 */
void search_end(struct search *);

#endif
