#!/usr/bin/env bash
#
# carve.bash: how fast kms-export -x searches when there is nothing to find, in
# bytes of three kinds; `make bench' calls it.  The best of three runs counts.

set -euo pipefail
export LC_ALL=C TIMEFORMAT=%R

root=$(cd "$(dirname "$0")/../.." && pwd)
PATH=${KMS2CA_BIN:-$root/build/bin}:$PATH
mib=512
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

openssl req -x509 -newkey rsa:2048 -noenc -days 9 -subj /CN=machine \
    -keyout key -out cred.pem 2>/dev/null
cat key >>cred.pem

# zeros COUNT: so many MiB of them.
zeros()
{
	head -c "$(($1 * 1024 * 1024))" /dev/zero
}

# rate NAME: of the search through the file image, in MB a second.
rate()
{
	local best=

	for _ in 1 2 3; do
		s=$({ time kms-export -q -x -c cred.pem <image >out 2>err ||
		    (($? == 1)); } 2>&1)
		grep -q 'searched (-x): whole certificates 0, keys 0' out
		best=$(printf '%s\n' "$s" ${best:+"$best"} | sort -n | head -n 1)
	done
	awk -v "name=$1" -v "s=$best" -v "mb=$((mib * 1024 * 1024))" 'BEGIN {
		printf "carve, %-8s %6.0f MB/s\n", name, mb / s / 1e6 }'
}

zeros $mib | tr '\0' ' ' >image
rate blanks
zeros $mib | tr '\0' 0 >image
rate digits
zeros $mib | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null >image
rate random
