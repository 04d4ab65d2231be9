#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash
#
# The check of an archive as a tool; ca-db.bats has what it finds.

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
	local usage='usage: ca-audit [-qVv] [-A head] -d db'

	output_contract ca-audit -d ca.db
	refuses 2 "ca-audit: -d db is missing: the archive
$usage" ca-audit
	refuses 2 "ca-audit: x: no operand is expected (a file is given as <FILE)
$usage" ca-audit -d ca.db x
	run_tool 2 ca-audit -d nothing.db
	nothing_out ca-audit
}

@test 'an archive that is whole: its head, and what is in it' {
	local head

	head=$(last_head ca.db)
	cp ca.db before.db
	run_tool 0 ca-audit -A "$head" -d ca.db
	only audited <"$OUT" | cmp - <(printf '%s\t' rec:audited n:1 status:whole \
	    "head:$head" "noted:$head" rows:24 agents:2 settings:4 findings:0
	    echo reason:)
	cmp ca.db before.db
	says "ca-audit: audit: the chain is whole, and contains the head given; it is now $head"
	run_tool 0 ca-audit -d ca.db
	[[ $(only audited <"$OUT" | field noted) == '' ]]
}

# It holds no writer up, and none holds it up.
@test 'an archive that is being written is checked at once' {
	local writer

	coproc writer { exec sqlite3 ca.db 2>&1 3>&-; }
	echo 'begin immediate; select 1;' >&"${writer[1]}"
	read -r -u "${writer[0]}" _
	run_tool 0 timeout 20 ca-audit -A "$(last_head ca.db)" -d ca.db
	grep -q 'the chain is whole' "$ERR"
	eval "exec ${writer[1]}>&-"
	wait "$writer_PID" || :
}

@test 'an archive without rows is whole' {
	new_archive new.db
	run_tool 0 ca-audit -A "$(last_head new.db)" -d new.db
	[[ $(only audited <"$OUT" | field rows) == 0 ]]
}

@test 'all findings in one run, and which rows' {
	rows ca.db "UPDATE request SET KmsUser = 'eve' WHERE RequestID = 3;
	    UPDATE kra SET AddedWhen = 'x' WHERE KraID = 1;
	    UPDATE request SET CertAudit = 99 WHERE RequestID IN (5, 9)"
	run_tool 1 ca-audit -d ca.db
	[[ $(only audited <"$OUT" | field status) == altered ]]
	[[ $(only audited <"$OUT" | field findings) == 4 ]]
	grep -q 'audit row 1 recorded.*wrote to kra and config)' "$ERR"
	grep -q 'audit row 3 recorded.*, rows 1 to 24)' "$ERR"
	grep -q 'audit: row 5 is not as the audited commits left it' "$ERR"
	grep -q 'audit: row 9 is not as the audited commits left it' "$ERR"
	only audited <"$OUT" | field reason | grep -q '^what audit row 1 '
}
