/*
 * Reads mutants of an ESE database, N of them from number FIRST on, as
 * fuzz/ese.c does: ese_mutants DATABASE FIRST N.  Says how many, and the most
 * memory in KiB; of one that loops for ten seconds, or dies, the number is the
 * last one in the file `mutant'.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

#define SECONDS 10

static uint64_t state;

/* xorshift64 */
static uint32_t
lot(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % n;
}

/* Changes one thing; returns the size, which may be less. */
static size_t
edit(uint8_t *p, size_t n, size_t page)
{
	static const uint8_t odd[] = { 0, 1, 2, 4, 0x7f, 0x80, 0xfe, 0xff };
	size_t at = lot((uint32_t)n), to, k;

	switch (lot(8)) {
	case 0: /* one bit */
		p[at] ^= (uint8_t)(1 << lot(8));
		break;
	case 1: /* a number */
		for (k = (size_t)1 << lot(3); k > 0 && at < n; k--)
			p[at++] = odd[lot(sizeof(odd))];
		break;
	case 2: /* in the head of a page */
		p[at / page * page + lot(40)] = (uint8_t)lot(256);
		break;
	case 3: /* in its tags */
		p[at / page * page + page - 1 - lot(64)] = (uint8_t)lot(256);
		break;
	case 4: /* some bytes elsewhere */
		to = lot((uint32_t)n);
		k = lot(64);
		if (at + k < n && to + k < n)
			memmove(p + to, p + at, k);
		break;
	case 5: /* a page elsewhere */
		to = lot((uint32_t)(n / page)) * page;
		memmove(p + to, p + at / page * page, page);
		break;
	case 6: /* not in the header */
		at = 2 * page + lot((uint32_t)(n - 2 * page));
		p[at] = (uint8_t)lot(256);
		break;
	default:
		return lot(16) == 0 ? at : n;
	}
	return n;
}

int
main(int argc, char *argv[])
{
	unsigned long i, first, last;
	size_t n, size, page = 0;
	struct rusage use;
	uint8_t *all, *p;
	char number[24];
	FILE *fp;
	int fd, k;

	if (argc != 4 || (fp = fopen(argv[1], "r")) == NULL)
		return 2;
	(void)LLVMFuzzerInitialize(&argc, &argv);
	all = calloc(3, 4 << 20);
	n = all == NULL ? 0 : fread(all, 1, 4 << 20, fp);
	(void)fclose(fp);
	fd = open("mutant", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (n < 240 || fd == -1)
		return 2;
	p = all + (8 << 20);
	memcpy(&page, all + 236, 4);
	page = (page & 0xffffffff) == 0 ? 4096 : page & 0xffffffff;
	first = strtoul(argv[2], NULL, 10);
	last = first + strtoul(argv[3], NULL, 10);
	for (i = first; i < last; i++) {
		(void)snprintf(number, sizeof(number), "%20lu\n", i);
		if (pwrite(fd, number, 21, 0) != 21)
			return 2;
		state = (i + 1) * 0x9e3779b97f4a7c15;
		memcpy(p, all, size = n);
		for (k = 1 + (int)lot(6); k > 0 && size > 2 * page; k--)
			size = edit(p, size, page);
		(void)alarm(SECONDS);
		(void)LLVMFuzzerTestOneInput(p, size);
	}
	(void)getrusage(RUSAGE_SELF, &use);
	(void)printf("%lu %ld\n", last - first, use.ru_maxrss);
	free(all);
	return 0;
}
