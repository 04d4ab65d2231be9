#include "base/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/progress.h"
#include "base/spawn.h"
#include "base/text.h"

#define OUT_BUFFER (64 * 1024)
#define PIPE	   (256 * 1024) /* bytes between two tools: fewer turns */

static int changes; /* an archive */
static char *out_buf; /* secure: plain streams carry keys */

static void
start_crypto(void)
{
	/* NO_LOAD_CONFIG still honours these three */
	(void)unsetenv("OPENSSL_CONF");
	(void)unsetenv("OPENSSL_MODULES");
	(void)unsetenv("OPENSSL_ENGINES");
	heap_start();
	if (!OPENSSL_init_crypto(
		OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
		msg_die("cannot start libcrypto");
	errno = 0;
	/* naming one provider drops the implicit default */
	if (OSSL_PROVIDER_load(NULL, "default") == NULL ||
	    OSSL_PROVIDER_load(NULL, "legacy") == NULL) {
		if (errno == ENOMEM) /* of dlopen(3) */
			heap_nomem();
		msg_die("cannot load OpenSSL's legacy provider, which old "
			"PKCS#12 files need: install ossl-modules/legacy.so");
	}
}

void
tool_start(void)
{
	static char name[256];
	struct rlimit none = { 0, 0 };
	int fd;

	/* it stands in every message, and whoever starts us chose it */
	program_invocation_short_name = text_vis(name, sizeof(name),
	    program_invocation_short_name,
	    strlen(program_invocation_short_name));

	for (fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) == -1) {
			if (fd < 2)
				msg_die("standard %s is closed",
				    fd == 0 ? "input" : "output");
			exit(2);
		}
	errno = 0;
	if (setlocale(LC_ALL, "C.UTF-8") == NULL) {
		if (errno == ENOMEM)
			heap_nomem();
		msg_die("cannot load the locale C.UTF-8: it is missing "
			"(install it), or memory is");
	}
	/* all times are UTC, and nothing reads /etc/localtime later */
	(void)setenv("TZ", "UTC0", 1);
	tzset();
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN); /* a lost pipe is EPIPE: exit 2 */
	(void)signal(SIGUSR1, SIG_IGN); /* until progress_start() */
	(void)signal(SIGXFSZ, SIG_IGN); /* and past ulimit -f is EFBIG */
	(void)setrlimit(RLIMIT_CORE, &none);
#ifndef SANITIZE /* the leak checker looks into its own process */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	/* does nothing for what is no pipe, or if a user has too many */
	(void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE);
	(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE);
	start_crypto();
	if ((out_buf = OPENSSL_secure_malloc(OUT_BUFFER)) == NULL)
		heap_nomem();
	(void)setvbuf(stdout, out_buf, _IOFBF, OUT_BUFFER);
}

void
tool_no_terminal(const char *what)
{
	if (isatty(STDOUT_FILENO))
		msg_die("standard output is a terminal and would show %s: "
			"send it to a file or a pipe",
		    what);
}

void
tool_clear_keys(void)
{
	static int done;
	struct stat st;

	if (done)
		return;
	done = 1;
	tool_no_terminal("clear keys");
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 044) != 0)
		msg_warn("warning: standard output holds clear keys, and "
			 "others can read it: run chmod 600 on it (umask 077)");
}

int
tool_tmpfile(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (dir == NULL || *dir == '\0')
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd == -1) { /* NFS and others know no O_TMPFILE */
		(void)snprintf(path, sizeof(path), "%s/kms2ca.XXXXXX", dir);
		if ((fd = mkostemp(path, O_CLOEXEC)) != -1)
			(void)unlink(path);
	}
	if (fd == -1)
		msg_die("cannot make a temporary file in %s: %s (set TMPDIR)",
		    dir, strerror(errno));
	return fd;
}

/* Writes the login name, or exits with errno, in a process of its own. */
static void
write_caller(void *ctx)
{
	struct passwd *pw;

	(void)ctx;
	errno = 0;
	if ((pw = getpwuid(geteuid())) != NULL)
		(void)io_write_all(SPAWN_OUT, pw->pw_name, strlen(pw->pw_name));
	else if (errno == ENOMEM || errno == EINTR || errno == EIO ||
	    errno == EMFILE || errno == ENFILE)
		/* a number instead of the name would stand in the archive */
		_exit(errno);
}

const char *
tool_caller(void)
{
	static char name[64];
	struct spawn s = { 0, -1, -1 };
	int status = -1;

	/* asked once, before the sandbox hides /etc/passwd */
	if (*name != '\0')
		return name;
	/* glibc and what it loads may crash where memory is short */
	if (!spawn_start(&s, -1, write_caller, NULL) ||
	    io_read_all(s.from, name, sizeof(name) - 1) == -1 ||
	    (status = spawn_end(&s)) != 0)
		msg_die("cannot look up user %u: %s", (unsigned)geteuid(),
		    status > 0	    ? strerror(status) :
			status < -1 ? strsignal(-status) :
				      strerror(errno));
	if (*name == '\0')
		(void)snprintf(name, sizeof(name), "%u", (unsigned)geteuid());
	return name;
}

/* The help behind the usage, which the Makefile links from the tool's page. */
const char tool_help[] __attribute__((weak)) = "";

static void
print_version(void)
{
	(void)printf("%s (kms2ca) %s\n", program_invocation_short_name,
	    TOOL_VERSION);
	exit(tool_end(0));
}

static void
print_help(const char *usage)
{
	(void)printf("usage: %s %s\n%s", program_invocation_short_name, usage,
	    tool_help);
	exit(tool_end(0));
}

/* Handles a word behind "--". */
static void
take_long(const char *word, const char *usage)
{
	if (strcmp(word, "--help") == 0)
		print_help(usage);
	if (strcmp(word, "--version") == 0)
		print_version();
	tool_misused(usage, "invalid option %s", word);
}

int
tool_option(int argc, char *argv[], const char *options, const char *usage)
{
	char all[64];
	int c;

	(void)snprintf(all, sizeof(all), "+:hqVv%s", options);
	for (;;) {
		if (optind < argc && strncmp(argv[optind], "--", 2) == 0 &&
		    argv[optind][2] != '\0')
			take_long(argv[optind], usage);
		switch (c = getopt(argc, argv, all)) {
		case 'h':
			print_help(usage);
			break;
		case 'q':
			msg_level = -1;
			break;
		case 'v':
			msg_level = msg_level < 0 ? 1 : msg_level + 1;
			if (heap_unlocked() && msg_level == 1)
				msg_verbose("notice: keys in memory may be "
					    "swapped out (raise ulimit -l)");
			break;
		case 'V':
			print_version();
			break;
		case ':':
			tool_misused(usage,
			    "option requires an argument -- '%c'", optopt);
		case '?':
			/* getopt() itself would not escape it */
			tool_misused(usage, "invalid option -- '%c'", optopt);
		default:
			return c;
		}
	}
}

void
tool_no_operand(int argc, char *argv[], const char *usage)
{
	if (optind < argc)
		tool_misused(usage,
		    "%s: no operand is expected (a file is given as <FILE)",
		    argv[optind]);
}

void
tool_misused(const char *usage, const char *fmt, ...)
{
	char what[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	msg_warn("%s", what);
	(void)fprintf(stderr, "usage: %s %s\n", program_invocation_short_name,
	    usage);
	exit(2);
}

void
tool_wait(void)
{
	if (fflush(stdout) == EOF)
		tool_lost();
	OPENSSL_cleanse(out_buf, OUT_BUFFER);
	heap_scrub();
}

void
tool_changes(void)
{
	changes = 1;
}

void
tool_lost(void)
{
	/* the next tool has ended, and said why: ours must not speak last */
	if (errno == EPIPE && !changes && msg_level < 1) {
		progress_clear();
		exit(2);
	}
	msg_die("cannot write standard output: %s", strerror(errno));
}

int
tool_end(int status)
{
	progress_clear();
	if (fflush(stdout) == EOF || fclose(stdout) == EOF)
		tool_lost();
	OPENSSL_cleanse(out_buf, OUT_BUFFER);
	heap_scrub();
	return status;
}
