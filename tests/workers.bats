#!/usr/bin/env bats
# shellcheck disable=SC2154 # $root of common.bash
#
# common/base/workers.c: processes with several jobs in hand each.  What the tools make of it
# is in kms-export.bats, kms-verify.bats and ca-import.bats.

load common

setup_file()
{
	common_setup
	cc -O -std=c11 -D_GNU_SOURCE -I"$root/common" \
	    -o "$BATS_FILE_TMPDIR/probe" "$root/tests/workers_probe.c" \
	    "$root"/common/base/*.c -lcrypto
}

setup()
{
	common_setup
	probe=$BATS_FILE_TMPDIR/probe
}

@test "workers: answers come in the order of the jobs, whatever their size" {
	"$probe" >"$OUT"
	seq 0 63 | cmp - "$OUT"
}

@test "workers: a process that dies with several jobs in hand is exit 2" {
	local job status

	for job in 0 1 20 21 63; do
		status=0
		"$probe" "$job" >"$OUT" 2>"$ERR" || status=$?
		((status == 2))
		says 'probe: a process of -j died of signal 9 (Killed): run again'
		# nothing that comes after it
		seq 0 "$job" | head -n "$job" | head -n "$(wc -l <"$OUT")" |
		    cmp - "$OUT"
	done
}
