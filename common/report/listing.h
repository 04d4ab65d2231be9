#ifndef REPORT_LISTING_H
#define REPORT_LISTING_H

#include <stdio.h>

#include "report/count.h"

/*
 * Writes lists of single records from the notes, in the order of group and
 * user.  Each row comes once, and all rows are in a CSV file to save.
 */

#define LISTING_MAX	 1000 /* rows of a list */
#define LISTING_FILE_MAX 5000 /* rows of its CSV file */

enum listing_id {
	LISTING_MISSING, /* exported keys that are not in the archive */
	LISTING_NO_KEY, /* users left with no key */
	LISTING_WANTED, /* users whose password is wanted */
	LISTING_HOLDING, /* faults that may hold keys */
	LISTING_FAULTS, /* other faults */
	LISTING_PASSED, /* faults that ca-import passed on */
	LISTING_LOST, /* certificates without their key */
	LISTING_OTHER, /* keys that the archive has under another user */
	LISTING_REFUSED, /* records that were refused, or bad */
	LISTING_AGENTS,
	LISTING_FEWER, /* keys that fewer agents open */
	LISTING_SHUT, /* keys that an agent could not open */
	LISTING_STREAMS /* sealed streams */
};

/* Writes the list, or nothing if it has no rows.  Returns their number. */
unsigned long long listing(FILE *, struct count *, enum listing_id);

#endif
