#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell
#
# kms-migrate(1): a migration with one command, what it leaves, and again.

load common
load ca

setup()
{
	common_setup
	export LC_ALL=C
	umask 077
	cp -p "$ORG"/*.{pem,p12,pw,pws,zip,gz} "$ORG"/ca.key .
	cat kra1.pem kra2.pem | ca-init -q -d ca.db -c ca.pem >init
	ca-setflag -q -d ca.db KRAFlags +KRAF_ENABLEFOREIGN >>init
	migrate=(kms-migrate -f -d ca.db -k machine.p12 -p file:machine.pw
	    -p list:user.pws -t "$(sha1_of kra1)" -t "$(sha1_of kra2)")
	# shellcheck source=/dev/null
	source "$ORG/expected"
}

# sha1_of NAME: its thumbprint, by openssl.
sha1_of()
{
	openssl x509 -in "$1.pem" -outform DER | sha1sum | cut -c -40
}

# left STATUS BACKUP: migrates it; the names of what it leaves in $folder.
left()
{
	rm -rf kms-migrate.*
	run_tool "$1" "${migrate[@]}" "$2"
	folder=$(echo kms-migrate.*)
	[[ -d $folder && $(stat -c %a "$folder") == 700 ]]
	diff <(ls "$folder") <(printf '%s\n' audit.head audited backup.sha256 \
	    export.kms import.log ledger messages report.html rows)
	[[ ! -s $OUT ]]
	# what the tools said is there too
	grep -vF 'kms-migrate: ' "$ERR" | cmp - "$folder/messages"
}

@test 'a backup: export, import, chain, ledger, report, in one folder' {
	left 1 kms-backup.zip
	sha256sum -c --quiet "$folder/backup.sha256"
	tail -n 1 "$folder/import.log" | grep -q ^rec:end
	# the ledger has each exported key, and its row
	grep -c ^rec:key "$folder/export.kms" | diff - <(wc -l <"$folder/ledger")
	not grep -q 'missing$' "$folder/ledger"
	cut -f 6 "$folder/ledger" | sort -n | diff - <(rows ca.db \
	    'select RequestID from request where RawArchivedKey is not null
	    order by RequestID')
	grep -q '<h1' "$folder/report.html"
	grep -q "^kms-migrate: keys $(wc -l <"$folder/ledger"), of them not in the archive 0, faults ${zip_faults?}\$" \
	    "$ERR"
	# and why the status is 1
	[[ $(tail -n 1 "$ERR") == "kms-migrate: status 1: not all could be done: see above, or $folder/messages" ]]
	run_tool 0 kms-verify -C machine.pem <"$folder/export.kms"
	cmp "$OUT" "$folder/export.kms"
	run_tool 0 ca-audit -A "$(<"$folder/audit.head")" -d ca.db
}

@test 'again, and a folder in place of a file: nothing is imported twice' {
	local before

	left 1 kms-backup.zip
	before=$(rows ca.db 'select count(*) from request')
	mkdir folder
	bsdtar -xf kms-backup.zip -C folder
	left 1 folder
	sha256sum -c --quiet "$folder/backup.sha256"
	[[ $(rows ca.db 'select count(*) from request') == "$before" ]]
	not grep -q $'\tstatus:imported\t' "$folder/import.log"
	not grep -q 'missing$' "$folder/ledger"
}

@test 'a key that is not in the archive is missing, and status 1' {
	ca-setflag -q -d ca.db KRAFlags -KRAF_ENABLEFOREIGN >init
	left 1 kms-backup.tar.gz
	grep -q 'missing$' "$folder/ledger"
	grep -qF "of them not in the archive $(grep -c 'missing$' "$folder/ledger"), " \
	    "$ERR"
}

@test 'names that are not UTF-8: -i, or base64 in the ledger' {
	local name=$'J\xf6rg'

	mkdir -p "old/Europe/$name"
	cp "$ORG/tree/zip/North America/jane/1999.p12" "old/Europe/$name/"
	left 0 old
	[[ $(cut -f 2-3 "$folder/ledger") == \
	    $'Europe\tbase64:'$(printf %s "$name" | base64) ]]
	migrate+=(-i CP1252)
	left 0 old
	[[ $(cut -f 2-3 "$folder/ledger") == $'Europe\tJörg' ]]
}

@test '-n shows the commands, which do the same, and runs nothing' {
	mkdir 'a folder'
	bsdtar -xf kms-backup.zip -C 'a folder'
	run_tool 0 "${migrate[@]}" -n 'a folder'
	says
	not ls -d kms-migrate.* 2>"$ERR"
	rows ca.db 'select count(*) from request' | grep -qx 0
	cp "$OUT" commands
	bash commands 2>"$ERR"
	(cd kms-migrate.* && printf '%s\n' *) | diff - <(printf '%s\n' audited backup.sha256 \
	    export.kms import.log report.html rows)
	left 1 'a folder'
	not grep -q $'\tstatus:imported\t' "$folder/import.log"
}

@test 'what stops it is said, and nothing follows' {
	refuses 2 'kms-migrate: name the agents: -t and a thumbprint for each
usage: kms-migrate [-fnqVv] [-g group]... [-i charset] [-m map] [-p secret]...
    [-u user]... -d db -k cred -t thumb... backup' kms-migrate -d ca.db -k machine.p12 x
	refuses 2 'kms-migrate: -d db or -k cred is missing
usage: kms-migrate [-fnqVv] [-g group]... [-i charset] [-m map] [-p secret]...
    [-u user]... -d db -k cred -t thumb... backup' kms-migrate -k machine.p12 -t x x
	refuses 2 "kms-migrate: 'none': no folder and no file that can be read" \
	    "${migrate[@]}" none
	# an agent that is not of the archive
	run_tool 2 "${migrate[@]}" -t "$(sha1_of ca)" kms-backup.zip
	tail -n 1 "$ERR" | grep -q '^kms-migrate: import: it ended with status 2, see above'
	[[ ! -e $(echo kms-migrate.*)/rows ]]
	rows ca.db 'select count(*) from request' | grep -qx 0
}
