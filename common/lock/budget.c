#include "lock/budget.h"

#include "base/fuzzing.h"

/* Rounds that the file at hand may still ask for, all its parts together. */
static int64_t rounds_left, rounds_max;

void
budget_start(void)
{
	budget_start_with(KDF_WORK_MAX);
}

void
budget_start_with(int64_t max)
{
	rounds_left = rounds_max = FUZZING ? 20000 : max;
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
	return 1;
}

int
budget_rounds(const ASN1_INTEGER *rounds, struct reason *w)
{
	int64_t v;

	if (!ASN1_INTEGER_get_int64(&v, rounds) || v < 1 || v > KDF_ROUNDS_MAX)
		return reason_set(w, "ceiling",
		    "asks for more than %d rounds of key derivation, the "
		    "ceiling",
		    KDF_ROUNDS_MAX);
	return budget_spend(v, w);
}
