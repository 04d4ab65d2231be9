#!/usr/bin/env bash
#
# ese_mutants.bash N [KINDS]: N mutants of each kind of ESE database that there is,
# or of the first so many, half of them read whatever their checksums; `make fuzz'
# calls it, ese.bats has a slice.  Exit 1 if one dies, loops, or takes 64 MiB.
#
#	KMS2CA_BIN	directory of the tools, if not build/bin
#	EXTRA		more options for the compiler

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # of ese.bash
shared=${KMS2CA_SHARED:-$root/../shared}
bin=${KMS2CA_BIN:-$root/build/bin}
# shellcheck disable=SC1091
source "$root/tests/ese.bash"
n=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

extra=() mutants=0 most=0 libs=(-larchive -lsqlite3 -lcrypto)
[[ -z ${EXTRA-} ]] || read -ra extra <<<"$EXTRA"
# a library of `make asan' wants the same
if ((${#extra[@]} == 0)) && grep -q -a __asan_init "$bin/kms-export"; then
	CC=clang extra=("-fsanitize=address,undefined")
fi
! pkg-config --exists libseccomp || libs+=(-lseccomp)
for how in '' -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION; do
	"${CC:-cc}" -O1 -g -std=c11 -D_GNU_SOURCE ${how:+"$how"} \
	    ${extra[@]+"${extra[@]}"} -I"$root/common" -I"$root/tests" -I"$root/tests/fuzz" \
	    -o "read${how:+.any}" "$root"/tests/{ese_mutants,fuzz/ese,fuzz/fuzz}.c \
	    "$root"/common/ese/*.c "${bin%/bin}/common.a" "${libs[@]}"
done
/usr/bin/python3 "$root/tests/ese_spec.py" small >spec
while read -r args; do
	# shellcheck disable=SC2086 # several
	mkese $args spec db
	for how in read read.any; do
		"./$how" db 0 $(((n + 1) / 2)) >said || {
			echo "$how: mkese $args: mutant $(<mutant)" >&2
			exit 1
		}
		read -r count kib <said
		((mutants += count))
		((most = kib > most ? kib : most))
	done
done < <(variants | head -n "${2:-99}")
echo "$mutants mutants, at most $((most / 1024)) MiB"
((${#extra[@]} > 0 || most < 65536))
