#ifndef STORE_SQLITE_FILE_H
#define STORE_SQLITE_FILE_H

#include <sys/types.h>

#include "base/reason.h"
#include "store/driver.h"

/*
 * The file of an SQLite archive: its place, who can reach it, and how a new one
 * gets its name.
 */
struct sqlite_file {
	char *name; /* as the user knows it, resolved */
	char *path, *dir; /* its present place */
	int fresh; /* 1: made by this process, and not published yet */
	ino_t log; /* the -wal file that is written to; 0: none yet */
};

/* Finds the directory.  Returns 1, or 0 with *w. */
int sqlite_file_locate(struct sqlite_file *, const char *path,
    struct reason *w);

/*
 * Checks that the archive is private; with STORE_CREATE, begins a missing one
 * under another name.  Returns 1, or 0 with *w.
 */
int sqlite_file_check(struct sqlite_file *, enum store_mode, struct reason *w);

/*
 * Tells how a reader opens it without a trace: *uri, which the caller frees, or
 * the path if that is NULL.  Returns 1 if it must be able to write.
 */
int sqlite_file_reader(const struct sqlite_file *, char **uri);

/*
 * Returns 1 if the -wal file is the one that the first call found, 0 if it was
 * replaced or is gone.  For an open transaction.
 */
int sqlite_file_same_log(struct sqlite_file *);

/*
 * Gives a new file its final name, unless another file has that.  Returns 1, or
 * 0 with *w.
 */
int sqlite_file_publish(struct sqlite_file *, struct reason *w);

/* Removes a new file that was not published, and frees memory. */
void sqlite_file_free(struct sqlite_file *);

#endif
