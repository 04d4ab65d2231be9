#include "lock/budget.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "base/fuzzing.h"
#include "base/heap.h"

#define MICRO 1000000

/* A derivation of less work takes no time to speak of. */
#define WORK_SMALL 200000
#define WORK_TRIED 2000 /* of one that is done to see how long it takes */

/* So often is spent without a look at the clock, which costs a system call. */
#define SPENT_UNSEEN 16

/* Rounds that all parts of the file at hand may still ask for. */
static int64_t rounds_left, rounds_max;

/* Microseconds of processor time. */
static uint64_t file_max = 60 * (uint64_t)MICRO, run_max;
static uint64_t file_took, then;
static int64_t work_unseen; /* rounds since then */
static int spent_unseen; /* and how many times */
static _Atomic uint64_t *run_took; /* shared with forks; NULL: no end */

static uint64_t
budget_clock(void)
{
	struct timespec t = { 0, 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * MICRO + (uint64_t)t.tv_nsec / 1000;
}

void
budget_seconds(uint64_t file, uint64_t run)
{
	file_max = file > UINT64_MAX / MICRO ? UINT64_MAX : file * MICRO;
	run_max = run > UINT64_MAX / MICRO ? UINT64_MAX : run * MICRO;
	run_took = mmap(NULL, sizeof(*run_took), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run_took == MAP_FAILED)
		heap_nomem();
}

void
budget_start(void)
{
	budget_start_with(KDF_WORK_MAX);
}

void
budget_start_with(int64_t max)
{
	budget_next(max);
	then = budget_clock();
}

void
budget_next(int64_t max)
{
	rounds_left = rounds_max = FUZZING ? 20000 : max;
	file_took = 0;
}

void
budget_shared(void)
{
	uint64_t now = budget_clock();

	if (run_took != NULL)
		(void)atomic_fetch_add(run_took, now - then);
	then = now;
}

/* Returns 1 if so many microseconds are left, or 0 with *w. */
static int
budget_lasts(uint64_t more, struct reason *w)
{
	uint64_t now, all = 0;

	if (more == 0 && work_unseen < WORK_SMALL &&
	    ++spent_unseen < SPENT_UNSEEN)
		return 1;
	now = budget_clock();
	work_unseen = spent_unseen = 0;
	file_took += now - then;
	budget_shared();
	if (FUZZING)
		return 1;
	if (file_took + more > file_max)
		return reason_set(w, "ceiling",
		    "takes more than %" PRIu64
		    " CPU seconds of key derivation, "
		    "the ceiling of a file: give fewer passwords, or its own "
		    "with pass in the map of kms-export, or raise it there "
		    "with -L kdf=",
		    file_max / MICRO);
	if (run_took != NULL)
		all = atomic_load(run_took);
	if (run_took != NULL && all + more > run_max)
		return reason_set(w, "ceiling",
		    "the files of this run take more than %" PRIu64
		    " CPU seconds of key derivation, the ceiling: give "
		    "passwords with pass in the map of kms-export, or raise "
		    "it there with -L kdfs=",
		    run_max / MICRO);
	return 1;
}

int
budget_spend(int64_t rounds, struct reason *w)
{
	if (rounds > rounds_left)
		return reason_set(w, "ceiling",
		    "asks for more than %lld rounds of key derivation in all, "
		    "the ceiling of a file (give fewer passwords, or its own "
		    "with pass in the map of kms-export)",
		    (long long)rounds_max);
	rounds_left -= rounds;
	work_unseen += rounds;
	return budget_lasts(0, w);
}

/* Measures the microseconds of some rounds, or of a block of scrypt. */
static double
budget_time(const EVP_MD *md)
{
	static struct {
		const EVP_MD *md; /* NULL: scrypt */
		double time;
	} known[16];
	static size_t n;
	uint8_t key[16] = { 0 };
	uint64_t start;
	size_t i;
	double time;

	for (i = 0; i < n; i++)
		if (known[i].md == md)
			return known[i].time;
	start = budget_clock();
	if (md != NULL)
		(void)PKCS5_PBKDF2_HMAC("", 0, key, sizeof(key), WORK_TRIED, md,
		    sizeof(key), key);
	else
		(void)EVP_PBE_scrypt("", 0, key, sizeof(key), 1024, 8, 1, 0,
		    key, sizeof(key));
	time = (double)(budget_clock() - start) /
	    (md != NULL ? WORK_TRIED : 1024 * 8);
	if (n < sizeof(known) / sizeof(known[0])) {
		known[n].md = md;
		known[n++].time = time;
	}
	return time;
}

/* Returns 1 if a derivation of so much work will not take too long. */
static int
budget_foresee(int64_t work, const EVP_MD *md, struct reason *w)
{
	return work < WORK_SMALL || FUZZING ||
	    budget_lasts((uint64_t)((double)work * budget_time(md)), w);
}

int
budget_derive(int64_t rounds, const EVP_MD *md, struct reason *w)
{
	return budget_spend(rounds, w) && budget_foresee(rounds, md, w);
}

int
budget_rounds(const ASN1_INTEGER *rounds, const EVP_MD *md, size_t n,
    struct reason *w)
{
	int64_t v, size = md == NULL ? 0 : EVP_MD_get_size(md);

	if (!ASN1_INTEGER_get_int64(&v, rounds) || v < 1 || v > KDF_ROUNDS_MAX)
		return reason_set(w, "ceiling",
		    "asks for more than %d rounds of key derivation, the "
		    "ceiling",
		    KDF_ROUNDS_MAX);
	return budget_spend(v, w) &&
	    (size < 1 ||
		budget_foresee(v * (((int64_t)n + size - 1) / size), md, w));
}
