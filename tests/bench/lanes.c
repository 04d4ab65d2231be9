/*
 * lanes: how many chains of each hash a derivation takes on side by side on this
 * processor (lock/kdf.h); 3 are OpenSSL's own, in turn.  For `make bench'.
 */

#include <stdio.h>

#include "base/tool.h"
#include "lock/kdf.h"

int
main(void)
{
	tool_start();
	(void)printf("side by side: %zu SHA-1, %zu SHA-256\n",
	    kdf_width(EVP_sha1()), kdf_width(EVP_sha256()));
	return tool_end(0);
}
