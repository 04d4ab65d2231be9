#!/bin/bash
#
# run.bash BUILD SECONDS [HARNESS]...: fuzz each harness for so long, from the
# seeds beside this file and from ../shared/corpora.  What it finds stays in
# BUILD/found; make a seed of it once it is mended.

set -eu -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/fuzz/seeds.bash
source "$here/seeds.bash"
build=$1 seconds=$2
shift 2
(($#)) || set -- "${harnesses[@]}"
export ASAN_OPTIONS=leak_check_at_exit=0:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

mkdir -p "$build/found"
# the agent that opens the archived keys of the corpus
export KMS2CA_FUZZ_KRA=$build/kra.pem
(umask 077 && cat "$corpora"/synthetic-ca/kra1.{crt,key} \
    >"$KMS2CA_FUZZ_KRA" 2>/dev/null) || :
for name; do
	work=$build/corpus/$name
	mkdir -p "$work"
	seeds "$name" | while IFS= read -r seed; do
		cp "$seed" "$work/$(sha1sum <"$seed" | cut -c -40)"
	done
	echo "$name: $(find "$work" -type f | wc -l) seeds, $seconds s"
	"$build/fuzz/$name" -max_total_time="$seconds" -timeout=20 \
	    -rss_limit_mb=2048 -max_len="$([[ $name == ese ]] && echo 65536 || echo 16384)" -print_final_stats=1 \
	    -close_fd_mask="$([[ $name != export ]]; echo $((2 * $?)))" \
	    -artifact_prefix="$build/found/$name-" "$work" >"$build/$name.log" 2>&1 || {
		tail -n 40 "$build/$name.log"
		echo "$name: found something: $build/found"
		exit 1
	}
	sed -n 's/^stat::number_of_executed_units: */executions /p' \
	    "$build/$name.log"
done
