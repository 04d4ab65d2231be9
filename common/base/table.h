#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Tables of entries found by a name of fixed length.  They are hashed with a
 * salt, so that nobody can choose names that collide.  An entry is a struct of
 * the caller that begins with the name; the index takes 4 to 11 bytes more for
 * each.
 */

#define TABLE_NAME 512 /* bytes of a name */

struct table {
	size_t entry; /* bytes of an entry */
	size_t name; /* bytes of the name at its start */
	size_t max; /* the most entries, below 2^32 */
	void *v; /* the entries, in the order in which they were made */
	size_t n; /* their number */
	size_t room; /* entries that v has room for */
	uint32_t *index; /* places in v, from 1; 0 is free */
	unsigned bits; /* the index has 2^bits places */
};

/* An empty table of entries of this type, with names of so many bytes. */
#define TABLE_OF(type, name_bytes, most) \
	((struct table){ .entry = sizeof(type), \
	    .name = (name_bytes), \
	    .max = (most) })

/*
 * Returns the entry with this name.  A new one has 0 in all but its name.  The
 * pointer is valid until the next entry is made.  Returns NULL if there are max
 * entries already.  Exits 2 when memory is full.
 */
void *table_get0(struct table *, const void *name);

/* Returns the entry with this name, or NULL if there is none. */
void *table_find0(const struct table *, const void *name);

/* Frees all entries.  The table is empty then and may be used again. */
void table_clear(struct table *);

/* An entry of a set of numbers: one for 64 neighbours, to need few. */
struct table_numbers {
	uint64_t at; /* the first of the numbers, divided by 64 */
	uint64_t bits; /* which of the 64 are in the set */
};

/*
 * Adds a number to a TABLE_OF(struct table_numbers, 8, ...).  Returns 1, 0 if
 * it was there already, or -1 if the table is full.
 */
int table_add_number(struct table *, uint64_t);

#endif
