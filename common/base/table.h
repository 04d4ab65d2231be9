#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * What is known of each of many things, found by a name of fixed length.  The
 * table is hashed with a salt, so that nobody can choose names that share a
 * place.  An entry is a struct of the caller that begins with the name; 4 to
 * 11 bytes more go to the index.
 */

#define TABLE_NAME 512 /* bytes of a name */

struct table {
	size_t
	    entry; /* bytes of an entry; set by the caller, as all until max */
	size_t name; /* bytes of the name in front of it */
	size_t max; /* entries at most, below 2^32 */
	void *v; /* the entries, in the order in which they came */
	size_t n; /* their number */
	size_t room; /* entries that v has room for */
	uint32_t *index; /* places in v, from 1; 0 is free */
	unsigned bits; /* the index has 2^bits places */
};

/* A table whose entries are of this type and begin with a name so long. */
#define TABLE_OF(type, name_bytes, most) \
	((struct table){ .entry = sizeof(type), \
	    .name = (name_bytes), \
	    .max = (most) })

/*
 * Returns the entry with this name, made if there is none: then all in it but
 * the name is 0.  It stays in its place until the next is made.  Returns NULL
 * if it would be one more than max.  Exits 2 when memory is full.
 */
void *table_get0(struct table *, const void *name);

/* Returns the entry with this name, or NULL if there is none. */
void *table_find0(const struct table *, const void *name);

/* Frees all entries.  The table is empty then and may be used again. */
void table_clear(struct table *);

/* A set of numbers: an entry is for 64 neighbours, so that few are needed. */
struct table_numbers {
	uint64_t at; /* the numbers from 64 times this */
	uint64_t bits; /* which of them are in the set */
};

/*
 * Adds a number to a TABLE_OF(struct table_numbers, 8, ...).  Returns 1, 0 if
 * it was in already, or -1 if there is no room for it below max.
 */
int table_add_number(struct table *, uint64_t);

#endif
