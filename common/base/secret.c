#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "base/text.h"

/* Keeps a copy of the n bytes at s.  Returns 1, or 0 with *w. */
static int
keep(struct secrets *l, const char *s, size_t n, struct reason *w)
{
	char *copy;

	if (n > SECRET_MAX)
		return reason_set(w, "password", "longer than %d bytes",
		    SECRET_MAX);
	if (memchr(s, '\0', n) != NULL)
		return reason_set(w, "password", "holds a NUL byte");
	if (l->n == SECRETS_MAX)
		return reason_set(w, "password", "more than %d passwords",
		    SECRETS_MAX);
	if ((copy = OPENSSL_secure_zalloc(n + 1)) == NULL)
		return reason_set(w, "password", "out of memory");
	memcpy(copy, s, n);
	l->v = array_grow(l->v, &l->room, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = copy;
	return 1;
}

/*
 * Reads fd into secure memory until its end or, if one is set, the first
 * newline.  Returns the bytes, SECRET_LIST_MAX allocated; NULL with *w.
 */
static char *
slurp(int fd, int one, size_t *len, struct reason *w)
{
	char *buf;
	ssize_t n;

	*len = 0;
	if ((buf = OPENSSL_secure_malloc(SECRET_LIST_MAX)) == NULL) {
		reason_set(w, "password", "out of secure memory");
		return NULL;
	}
	/* byte by byte: a fd:N may be shared with another reader */
	while ((n = io_read(fd, buf + *len,
		    one ? 1 : SECRET_LIST_MAX - *len)) != 0) {
		if (n == -1)
			reason_set(w, "password", "%s", strerror(errno));
		else if ((*len += (size_t)n) == SECRET_LIST_MAX)
			reason_set(w, "password", "%d bytes or more",
			    SECRET_LIST_MAX);
		else if (one && buf[*len - 1] == '\n')
			break;
		else
			continue;
		OPENSSL_secure_clear_free(buf, SECRET_LIST_MAX);
		return NULL;
	}
	return buf;
}

/* Adds the first line of fd, or every one. */
static int
add_lines(struct secrets *l, int fd, int each, struct reason *w)
{
	size_t len, pos = 0, n, before = l->n;
	char *buf, *nl;
	int rc = 1;

	if ((buf = slurp(fd, !each, &len, w)) == NULL)
		return 0;
	/* Notepad writes U+FEFF in front of UTF-8 */
	if (len >= 3 && memcmp(buf, "\xef\xbb\xbf", 3) == 0)
		pos = 3;
	while (rc && pos < len) {
		nl = memchr(buf + pos, '\n', len - pos);
		n = nl == NULL ? len - pos : (size_t)(nl - (buf + pos));
		if (n > 0 && buf[pos + n - 1] == '\r')
			rc = keep(l, buf + pos, n - 1, w);
		else if (n > 0 || !each)
			rc = keep(l, buf + pos, n, w);
		pos += each ? n + 1 : len;
	}
	if (rc && l->n == before)
		rc = reason_set(w, "password", "empty: expected a password");
	OPENSSL_secure_clear_free(buf, SECRET_LIST_MAX);
	return rc;
}

static int
add_file(struct secrets *l, const char *path, int each, struct reason *w)
{
	struct reason why;
	struct stat st;
	int fd, rc;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return reason_set(w, "password", "%s: %s%s", path,
		    strerror(errno),
		    errno != ENOENT ? "" :
				      ": make it, for you alone (umask 077), "
				      "with the password as a line");
	if (fstat(fd, &st) == -1)
		rc = reason_set(&why, "password", "%s", strerror(errno));
	else if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		rc = reason_set(&why, "password",
		    "others can read it: run chmod 600 on it");
	else
		rc = add_lines(l, fd, each, &why);
	(void)close(fd);
	return rc ? 1 : reason_set(w, "password", "%s: %s", path, why.detail);
}

/* Returns the first variable with this name, or the NULL behind them. */
static char **
find_env(char **v, const char *name)
{
	size_t n = strlen(name);

	while (*v != NULL && (strncmp(*v, name, n) != 0 || (*v)[n] != '='))
		v++;
	return v;
}

static int
add_env(struct secrets *l, const char *name, struct reason *w)
{
	size_t n = strlen(name), len;
	char **v = find_env(environ, name), **twin, *copy;

	if (*v == NULL)
		return reason_set(w, "password", "%s is not in the environment",
		    name);
	/* a name may stand there twice: the first counts */
	while (*(twin = find_env(v + 1, name)) != NULL)
		OPENSSL_cleanse(*twin, strlen(*twin));
	/* it stays where it may be asked for again, and nowhere else */
	len = strlen(*v) + 1;
	if (!CRYPTO_secure_allocated(*v)) {
		if ((copy = OPENSSL_secure_malloc(len)) == NULL)
			return reason_set(w, "password",
			    "out of secure memory");
		memcpy(copy, *v, len);
		OPENSSL_cleanse(*v, len - 1);
		*v = copy;
	}
	return keep(l, *v + n + 1, len - n - 2, w);
}

static int
add_fd(struct secrets *l, const char *num, struct reason *w)
{
	struct reason why;
	char *end;
	long fd;

	fd = strtol(num, &end, 10);
	if (*num < '0' || *num > '9' || *end != '\0' || fd > 1024)
		return reason_set(w, "password", "fd:%s: not a descriptor",
		    num);
	if (fcntl((int)fd, F_GETFD) == -1)
		return reason_set(w, "password", "fd:%s: not open", num);
	return add_lines(l, (int)fd, 0, &why) ||
	    reason_set(w, "password", "fd:%s: %s", num, why.detail);
}

/* Asks for a line at the terminal.  Returns 1, or 0 with *w. */
static int
ask(struct secrets *l, int fd, const char *what, struct reason *w)
{
	char of[256];
	int rc;

	(void)dprintf(fd, "%s: %s%s%s: ", program_invocation_short_name, what,
	    l->of == NULL ? "" : " for ",
	    l->of == NULL ? "" :
			    text_vis(of, sizeof(of), l->of, strlen(l->of)));
	rc = add_lines(l, fd, 0, w);
	(void)dprintf(fd, "\n");
	return rc;
}

/* Asks again, and forgets an equal answer.  Returns 1, or 0 with *w. */
static int
ask_again(struct secrets *l, int fd, struct reason *w)
{
	char *one, *two;
	int same;

	if (!ask(l, fd, "the same password again", w))
		return 0;
	two = l->v[--l->n];
	one = l->v[l->n - 1];
	same = strlen(one) == strlen(two) &&
	    CRYPTO_memcmp(one, two, strlen(one)) == 0;
	OPENSSL_secure_clear_free(two, strlen(two) + 1);
	return same ||
	    reason_set(w, "password", "the two are not the same: run again");
}

/*
 * The terminal that asks, its normal state, and while `of' is set the lock that
 * keeps the turn there.
 */
static struct prompt {
	int fd, turn;
	struct termios was, quiet;
} prompt = { .turn = -1 };

static const int interrupts[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };
#define INTERRUPTS (sizeof(interrupts) / sizeof(interrupts[0]))

/* Restores the echo of the terminal when a signal ends or stops the tool. */
static void
interrupted(int sig)
{
	struct sigaction standard = { .sa_handler = SIG_DFL }, own;
	int saved = errno;
	sigset_t one;

	(void)tcsetattr(prompt.fd, TCSAFLUSH, &prompt.was);
	(void)sigaction(sig, &standard, &own);
	(void)sigemptyset(&one);
	(void)sigaddset(&one, sig);
	(void)raise(sig);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	/* it was SIGTSTP, and the tool goes on */
	(void)sigaction(sig, &own, NULL);
	(void)tcsetattr(prompt.fd, TCSAFLUSH, &prompt.quiet);
	errno = saved;
}

/*
 * Locks the terminal behind /dev/tty, so that the tools of a pipeline take
 * turns; any user could hold /dev/tty itself.  Returns a descriptor to close,
 * or -1 if the terminal cannot be found: then all ask at once.
 */
static int
take_turns(int tty)
{
	unsigned dev;
	struct stat st;
	char path[32];
	int fd;

	if (ioctl(tty, TIOCGDEV, &dev) == -1)
		return -1;
	(void)snprintf(path, sizeof(path),
	    major(dev) == 4 ? "/dev/tty%u" : "/dev/pts/%u", minor(dev));
	fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1 && (fstat(fd, &st) == -1 || st.st_rdev != dev)) {
		(void)close(fd);
		return -1;
	}
	while (fd != -1 && flock(fd, LOCK_EX) == -1 && errno == EINTR)
		continue;
	return fd;
}

/* Asks on the terminal, after saying what was wrong unless that is NULL. */
static int
add_tty(struct secrets *l, const char *wrong, struct reason *w)
{
	struct sigaction old[INTERRUPTS],
	    own = { .sa_handler = interrupted, .sa_flags = SA_RESTART };
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC), rc;
	size_t i;

	if (fd != -1 && prompt.turn == -1)
		prompt.turn = take_turns(fd);
	if (fd == -1 || tcgetattr(fd, &prompt.was) == -1) {
		rc = reason_set(w, "password",
		    "/dev/tty: %s: there is no terminal to ask at: give the "
		    "password as -p file:PATH",
		    strerror(errno));
		secret_done();
		(void)close(fd);
		return rc;
	}
	if (wrong != NULL)
		(void)dprintf(fd, "%s: %s\n", program_invocation_short_name,
		    wrong);
	prompt.fd = fd;
	prompt.quiet = prompt.was;
	prompt.quiet.c_lflag &= ~(tcflag_t)ECHO;
	for (i = 0; i < INTERRUPTS; i++) {
		(void)sigaction(interrupts[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			(void)sigaction(interrupts[i], &own, NULL);
	}
	(void)tcsetattr(fd, TCSAFLUSH, &prompt.quiet);
	rc = ask(l, fd, "password", w) && (!l->twice || ask_again(l, fd, w));
	(void)tcsetattr(fd, TCSAFLUSH, &prompt.was);
	for (i = 0; i < INTERRUPTS; i++)
		(void)sigaction(interrupts[i], &old[i], NULL);
	(void)close(fd);
	l->asked++;
	l->typed = l->n - 1;
	if (!rc || l->of == NULL)
		secret_done();
	return rc;
}

int
secret_again(struct secrets *l, const struct reason *w)
{
	struct reason why;
	size_t i;

	if (l->of == NULL || l->asked == 0 || l->asked >= SECRET_TRIES ||
	    strcmp(w->reason, "password") != 0)
		return 0;
	i = l->typed;
	if (!add_tty(l, w->detail, &why))
		return 0;
	OPENSSL_secure_clear_free(l->v[i], strlen(l->v[i]) + 1);
	l->v[i] = l->v[--l->n];
	l->typed = i;
	return 1;
}

void
secret_done(void)
{
	(void)close(prompt.turn);
	prompt.turn = -1;
}

int
secret_open(const char *spec, struct reason *w)
{
	long fd;

	if (strncmp(spec, "fd:", 3) != 0)
		return 1;
	fd = strtol(spec + 3, NULL, 10);
	return fd < 0 || fd > 1024 || fcntl((int)fd, F_GETFD) != -1 ||
	    reason_set(w, "password", "%s: not open", spec);
}

int
secret_add(struct secrets *l, const char *spec, struct reason *w)
{
	if (strncmp(spec, "env:", 4) == 0)
		return add_env(l, spec + 4, w);
	if (strncmp(spec, "file:", 5) == 0)
		return add_file(l, spec + 5, 0, w);
	if (strncmp(spec, "list:", 5) == 0)
		return add_file(l, spec + 5, 1, w);
	if (strncmp(spec, "fd:", 3) == 0)
		return add_fd(l, spec + 3, w);
	if (strcmp(spec, "tty") == 0)
		return add_tty(l, NULL, w);
	/* do not repeat it: it may be the password itself */
	return reason_set(w, "password",
	    "expected env:VAR, file:PATH, list:PATH, "
	    "fd:N or tty");
}

const char *
secret_try(const struct secrets *l, size_t i)
{
	if (l->first != NULL && i-- == 0)
		return l->first;
	if (i == l->n)
		return "";
	if (i > l->n)
		return NULL;
	if (i == 0)
		return l->v[l->last];
	return l->v[i <= l->last ? i - 1 : i];
}

void
secret_worked(struct secrets *l, size_t i)
{
	if (l->first != NULL && i-- == 0)
		return;
	if (i < l->n)
		l->worked = 1;
	if (i > 0 && i < l->n)
		l->last = i <= l->last ? i - 1 : i;
}

int
secret_wrong(const struct secrets *l, const char *what, struct reason *w)
{
	return reason_set(w, "password", "%s (%s or damaged file)", what,
	    l->n == 0 && l->first == NULL ? "no password given: -p," :
					    "wrong password");
}

void
secret_free(struct secrets *l)
{
	static char none[] = "";
	char **v;

	while (l->n > 0) {
		l->n--;
		OPENSSL_secure_clear_free(l->v[l->n], strlen(l->v[l->n]) + 1);
	}
	OPENSSL_free(l->v);
	l->v = NULL;
	l->room = 0;
	for (v = environ; *v != NULL; v++)
		if (CRYPTO_secure_allocated(*v)) {
			OPENSSL_secure_clear_free(*v, strlen(*v) + 1);
			*v = none;
		}
}
