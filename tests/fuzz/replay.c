/* Runs a harness over the files that are named, in place of libFuzzer. */

#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

int
main(int argc, char *argv[])
{
	uint8_t *buf;
	size_t n, max = 1 << 20;
	FILE *fp;
	int i;

	(void)LLVMFuzzerInitialize(&argc, &argv);
	if ((buf = malloc(max)) == NULL)
		return 2;
	for (i = 1; i < argc; i++) {
		if ((fp = fopen(argv[i], "r")) == NULL) {
			perror(argv[i]);
			return 2;
		}
		n = fread(buf, 1, max, fp);
		(void)fclose(fp);
		(void)LLVMFuzzerTestOneInput(buf, n);
	}
	free(buf);
	(void)printf("%d\n", argc - 1);
	return 0;
}
