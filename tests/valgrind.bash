#!/usr/bin/env bash
#
# valgrind.bash BUILD: run the demo and some tests under memcheck, on the tools
# in BUILD/bin.  What it finds is shown; exit 1 if there is anything.

set -euo pipefail
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
wrap=$build/wrap
log=$build/log
rm -rf "$wrap" "$log"
mkdir -p "$wrap" "$log"

# Leaks that are none.
cat >"$build/valgrind.supp" <<'END'
# libcrypto drops its store of providers at exit, ours are not unloaded
{
	providers
	Memcheck:Leak
	match-leak-kinds: definite
	...
	fun:OSSL_PROVIDER_try_load
	fun:start_crypto
	...
}
# what glibc loads for names from Japan stays, on purpose
{
	iconv
	Memcheck:Leak
	match-leak-kinds: definite
	...
	fun:iconv_open
	fun:child_run
	...
}
# a process of -j ends without what it was forked with
{
	pool
	Memcheck:Leak
	match-leak-kinds: definite
	fun:calloc
	fun:workers_new
}
# the archive child ends without what its parent had
{
	child
	Memcheck:Leak
	match-leak-kinds: definite
	fun:calloc
	fun:main
}
END

# What only a pointer into its middle leads to is not lost: SQLite keeps a size in
# front of what it allocates, and a process of -j may end in the midst of a ring.
# A finding is exit 99, which no test expects.  The log is apart from the
# messages, which tests compare.
for tool in "$build"/bin/*; do
	cat >"$wrap/${tool##*/}" <<END
#!/bin/sh
exec valgrind -q --vgdb=no --show-leak-kinds=definite --error-exitcode=99 --log-file='$log/${tool##*/}.%p' \\
    --suppressions='$build/valgrind.supp' \$KMS2CA_VALGRIND '$tool' "\$@"
END
	chmod +x "$wrap/${tool##*/}"
done

# some FILE PATTERN: the tests of that file whose names match.
some()
{
	KMS2CA_BIN=$wrap bats -j 2 --no-parallelize-within-files -f "$2" \
	    "tests/$1.bats" || status=1
}

status=0
KMS2CA_VALGRIND='--leak-check=full --errors-for-leak-kinds=definite' \
    KMS2CA_BIN=$wrap tests/demo.bash >"$build/demo.log" 2>&1 || {
	cat "$build/demo.log"
	status=1
}
some stream 'accepts what another|signature: something'
some kms-verify '[-]r: why'
some p12-extract 'passwords: wrong|PBMAC1'
some epf-extract 'wrong'
some unpack '7z'
some ca-import 'hostile names'
some ca-recover 'documented Windows'
some p12-pack '^-F tar and zip:'

# a call that valgrind does not know is, for the tool, one that the kernel lacks
found=$(find "$log" -type f -exec cat {} + | grep -a -h -v \
    -e 'unhandled amd64-linux syscall' -e 'You may be able to write your own' \
    -e 'Read the file README_MISSING' -e 'Nevertheless we consider this' \
    -e 'it at http://valgrind.org' | head -n 200) || :
if [[ -n $found ]]; then
	echo "$found"
	status=1
fi
echo "valgrind: $(find "$log" -type f | wc -l) runs, status $status"
exit "$status"
