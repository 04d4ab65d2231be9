#ifndef DB_FILE_H
#define DB_FILE_H

#include "db.h"
#include "why.h"

/*
 * The file that an SQLite archive is: where it lies, who can reach it, and how
 * a new one gets its name.
 */
struct db_file {
	char *name; /* as the user knows it, resolved */
	char *path, *dir; /* where it is now */
	int fresh; /* made by this process, and not published yet */
};

/* Finds the directory.  Returns 1, or 0 with *w. */
int db_file_locate(struct db_file *, const char *path, struct why *w);

/*
 * The archive is as private as can be; with DB_CREATE one that is not there
 * is begun, under another name.  Returns 1, or 0 with *w.
 */
int db_file_check(struct db_file *, enum db_mode, struct why *w);

/*
 * How a reader opens it, so that it leaves no trace: *uri is what to open, to
 * be freed, or NULL: the path.  Returns 1 if it must be able to write.
 */
int db_file_reader(const struct db_file *, char **uri);

/*
 * Gives a new file its name, for good, but never that of another file.  Returns
 * 1, or 0 with *w.
 */
int db_file_publish(struct db_file *, struct why *w);

/* Removes a new file that was not published, and frees what was allocated. */
void db_file_free(struct db_file *);

#endif
