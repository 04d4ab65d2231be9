#include "store/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Returns the directory of path, as it is written there. */
static char *
dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int
sqlite_file_locate(struct sqlite_file *f, const char *path, struct reason *w)
{
	const char *slash = strrchr(path, '/'), *base;
	char *dir = dir_of(path);
	int n;

	base = slash == NULL ? path : slash + 1;
	f->dir = dir == NULL ? NULL : realpath(dir, NULL);
	if (f->dir == NULL)
		reason_set(w, "database", "%s: %s", dir == NULL ? path : dir,
		    strerror(errno));
	free(dir);
	if (f->dir == NULL)
		return 0;
	if (*base == '\0')
		return reason_set(w, "database", "%s: not a file name", path);
	n = asprintf(&f->path, "%s/%s", strcmp(f->dir, "/") == 0 ? "" : f->dir,
	    base);
	if (n == -1)
		f->path = NULL;
	else
		f->name = strdup(f->path);
	return f->name != NULL || reason_set(w, "database", "out of memory");
}

/*
 * Begins a new archive under another name, so that half of one is never at its
 * own.  Returns 1, or 0 with *w.
 */
static int
new_file(struct sqlite_file *f, struct reason *w)
{
	char *tmp;
	int fd;

	if (asprintf(&tmp, "%s.XXXXXX", f->name) == -1)
		return reason_set(w, "database", "out of memory");
	if ((fd = mkostemp(tmp, O_CLOEXEC)) == -1) {
		reason_set(w, "database", "%s: cannot create: %s", f->name,
		    strerror(errno));
		free(tmp);
		return 0;
	}
	(void)close(fd);
	free(f->path);
	f->path = tmp;
	f->fresh = 1;
	return 1;
}

/* Checks for a regular file of ours, with one name, closed to others. */
static int
private_file(const char *name, const char *end, const struct stat *st,
    struct reason *w)
{
	const char *wrong = NULL;

	if (!S_ISREG(st->st_mode))
		wrong = "not a regular file";
	else if (st->st_uid != geteuid())
		wrong = "belongs to another user: run chown on it, or run as "
			"that user";
	else if ((st->st_mode & 077) != 0)
		wrong = "others can read or write it: run chmod 600 on it";
	else if (st->st_nlink != 1) /* each name would have its own log */
		wrong = "has a second name (a hard link): remove that name";
	return wrong == NULL ||
	    reason_set(w, "database", "%s%s: %s", name, end, wrong);
}

/* Finds the archive's file with this suffix; *full: it is not empty. */
static int
beside(const struct sqlite_file *f, const char *end, int *full,
    struct reason *w)
{
	struct stat st;
	char *file;
	int there;

	if (asprintf(&file, "%s%s", f->path, end) == -1)
		return reason_set(w, "database", "out of memory");
	there = lstat(file, &st) == 0;
	free(file);
	*full = there && st.st_size > 0;
	return !there || private_file(f->name, end, &st, w);
}

/*
 * Checks that the files which SQLite trusts beside the archive are as private.
 * *wal: there is a log that is not empty.
 */
static int
check_beside(const struct sqlite_file *f, int *wal, struct reason *w)
{
	int shm, journal;

	*wal = 0;
	if (!beside(f, "-wal", wal, w) || !beside(f, "-shm", &shm, w) ||
	    !beside(f, "-journal", &journal, w))
		return 0;
	return !journal ||
	    reason_set(w, "database",
		"%s-journal: an archive has none: find out who put it there, "
		"and remove it",
		f->name);
}

/*
 * Checks who can write or owns a directory, and could put another archive in
 * its place: one above it that others can write must have the sticky bit.
 * Returns 1, or 0 with *w.
 */
static int
check_dir(const char *dir, int above, struct reason *w)
{
	const char *wrong = NULL;
	struct stat st;

	if (stat(dir, &st) == -1)
		return reason_set(w, "database", "%s: %s", dir,
		    strerror(errno));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		wrong = "this directory belongs to another user, who can "
			"replace the archive: run chown on it, or give the "
			"archive one of its own";
	else if ((st.st_mode & 022) != 0 &&
	    !(above && (st.st_mode & S_ISVTX) != 0))
		wrong = "others can write this directory, and replace the "
			"archive: run chmod go-w on it, or give the archive "
			"one of its own";
	return wrong == NULL || reason_set(w, "database", "%s: %s", dir, wrong);
}

/* Checks the directory and each above it.  Returns 1, or 0 with *w. */
static int
check_dirs(const struct sqlite_file *f, struct reason *w)
{
	char dir[PATH_MAX], *slash;
	int rc = check_dir(f->dir, 0, w);

	(void)snprintf(dir, sizeof(dir), "%s", f->dir);
	while (rc && (slash = strrchr(dir, '/')) != NULL && slash[1] != '\0') {
		slash[slash == dir] = '\0';
		rc = check_dir(dir, 1, w);
	}
	return rc;
}

/* Returns 1 for a read-only file system, where modes mean nothing. */
static int
on_medium(const struct sqlite_file *f)
{
	struct statvfs v;

	return statvfs(f->dir, &v) == 0 && (v.f_flag & ST_RDONLY) != 0;
}

int
sqlite_file_check(struct sqlite_file *f, enum store_mode mode, struct reason *w)
{
	int wal = 0, medium = mode < STORE_WRITE && on_medium(f);
	struct stat st;

	if (!medium && (!check_dirs(f, w) || !check_beside(f, &wal, w)))
		return 0;
	if (lstat(f->path, &st) == 0)
		return (medium && S_ISREG(st.st_mode)) ||
		    private_file(f->name, "", &st, w);
	if (errno != ENOENT || mode != STORE_CREATE)
		return reason_set(w, "database", "%s: %s%s", f->name,
		    strerror(errno),
		    errno == ENOENT ? " (ca-init makes an archive)" : "");
	if (wal)
		return reason_set(w, "database",
		    "%s-wal: left over from another archive: put that beside "
		    "it, or remove it",
		    f->name);
	return new_file(f, w);
}

/* Returns the URI of an unchanging file, on such a medium. */
static char *
immutable(const char *path)
{
	char *uri = malloc(3 * strlen(path) + sizeof("file:?immutable=1"));
	char *p = uri;

	if (uri == NULL)
		return NULL;
	for (p += sprintf(p, "file:"); *path != '\0'; path++)
		if (strchr("%?#", *path) != NULL)
			p += sprintf(p, "%%%02x", (unsigned char)*path);
		else
			*p++ = *path;
	(void)strcpy(p, "?immutable=1");
	return uri;
}

int
sqlite_file_reader(const struct sqlite_file *f, char **uri)
{
	int idle, writable = access(f->dir, W_OK) == 0;
	struct stat st;
	char *wal;

	if (asprintf(&wal, "%s-wal", f->path) == -1)
		return 0;
	idle = stat(wal, &st) == -1 || st.st_size == 0;
	free(wal);
	/* a read-only medium cannot hold the -shm file of a WAL reader */
	if (idle && !writable)
		*uri = immutable(f->path);
	/* only a writer's connection removes the -shm that it made */
	return idle && writable;
}

int
sqlite_file_same_log(struct sqlite_file *f)
{
	struct stat st;
	char *wal;
	int rc = asprintf(&wal, "%s-wal", f->path);

	if (rc == -1)
		return 0;
	rc = stat(wal, &st);
	free(wal);
	if (rc == -1)
		return 0;
	if (f->log == 0)
		f->log = st.st_ino;
	return f->log == st.st_ino;
}

/* Removes a new archive that was not published. */
static void
discard(const struct sqlite_file *f)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char file[PATH_MAX + 16]; /* there may be no memory */
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s%s", f->path, ends[i]);
		(void)unlink(file);
	}
}

/* Renames the new archive, but never over another.  Returns 0, or -1. */
static int
rename_new(const struct sqlite_file *f)
{
	if (syscall(SYS_renameat2, AT_FDCWD, f->path, AT_FDCWD, f->name,
		RENAME_NOREPLACE) == 0)
		return 0;
	/* not every file system can */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link(f->path, f->name) == -1 ? -1 : unlink(f->path);
}

/* Syncs the directory, and so its name.  Returns 1, or 0 with *w. */
static int
sync_dir(const struct sqlite_file *f, struct reason *w)
{
	int fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	rc = fd != -1 && (fsync(fd) == 0 || errno == EINVAL);
	if (!rc)
		reason_set(w, "database",
		    "%s: made, but its directory cannot be synced: %s (look at "
		    "the disk, and run again)",
		    f->name, strerror(errno));
	if (fd != -1)
		(void)close(fd);
	return rc;
}

int
sqlite_file_publish(struct sqlite_file *f, struct reason *w)
{
	if (rename_new(f) == -1)
		return reason_set(w, "database", "%s: cannot create: %s%s",
		    f->name, strerror(errno),
		    errno == EEXIST ? " (another process made it: run again)" :
				      "");
	return sync_dir(f, w);
}

void
sqlite_file_free(struct sqlite_file *f)
{
	if (f->fresh)
		discard(f);
	free(f->path);
	free(f->name);
	free(f->dir);
}
