#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash
#
# A whole archive as records; ca-load.bats takes them.

load common
load ca

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return
	org_archive "$BATS_FILE_TMPDIR"
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR/ca.db" .
}

@test 'keeps the contract of a tool without input' {
	output_contract ca-dump -d ca.db
	refuses 2 'ca-dump: -d db is missing: the archive
usage: ca-dump [-qVv] -d db' ca-dump
	refuses 2 'ca-dump: x: no operand is expected (a file is given as <FILE)
usage: ca-dump [-qVv] -d db' ca-dump -d ca.db x
}

@test 'all of an archive, and nothing is written to it' {
	local what

	cp ca.db before.db
	run_tool 0 ca-dump -d ca.db
	says 'ca-dump: rows 24'
	cmp ca.db before.db
	for what in 'audit 3' 'setting 4' 'agent 2' 'archived 24' 'end 1'; do
		[[ $(only "${what% *}" <"$OUT" | wc -l) == "${what#* }" ]]
	done
	[[ $(only archived <"$OUT" | field blob | grep -c .) == 23 ]]
	cp "$OUT" one
	run_tool 0 ca-dump -d ca.db
	cmp "$OUT" one
}

@test 'a dump of a copy is the same, byte for byte' {
	ca-dump -d ca.db >one 2>/dev/null
	ca-init -f -d new.db </dev/null >/dev/null
	run_tool 0 ca-load -d new.db <one
	run_tool 0 ca-dump -d new.db
	cmp "$OUT" one
}
