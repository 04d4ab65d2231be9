#ifndef STORE_SQLITE_FILE_H
#define STORE_SQLITE_FILE_H

#include <sys/types.h>

#include "base/reason.h"
#include "store/driver.h"

/*
 * The file that an SQLite archive is: where it lies, who can reach it, and how
 * a new one gets its name.
 */
struct sqlite_file {
	char *name; /* as the user knows it, resolved */
	char *path, *dir; /* where it is now */
	int fresh; /* made by this process, and not published yet */
	ino_t log; /* the -wal file that rows are written to; 0: none yet */
};

/* Finds the directory.  Returns 1, or 0 with *w. */
int sqlite_file_locate(struct sqlite_file *, const char *path,
    struct reason *w);

/*
 * The archive is as private as can be; with STORE_CREATE one that is not there
 * is begun, under another name.  Returns 1, or 0 with *w.
 */
int sqlite_file_check(struct sqlite_file *, enum store_mode, struct reason *w);

/*
 * How a reader opens it, so that it leaves no trace: *uri is what to open, to
 * be freed, or NULL: the path.  Returns 1 if it must be able to write.
 */
int sqlite_file_reader(const struct sqlite_file *, char **uri);

/*
 * Is the -wal file beside it the one that it was, or that it was first?  For a
 * transaction that is open.  Returns 1, or 0: it was replaced, or is gone.
 */
int sqlite_file_same_log(struct sqlite_file *);

/*
 * Gives a new file its name, for good, but never that of another file.  Returns
 * 1, or 0 with *w.
 */
int sqlite_file_publish(struct sqlite_file *, struct reason *w);

/* Removes a new file that was not published, and frees what was allocated. */
void sqlite_file_free(struct sqlite_file *);

#endif
