#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash, variables of pg.bash
#
# From archive to archive: ca-dump, ca-load.  No key is opened.

load common
load ca
load pg
load ese

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return
	org_archive "$BATS_FILE_TMPDIR"
	# rows without a key, odd names, more agents and commits than one
	{
		record 1 odd "$ORG/kra2.pem"
		record 2 x "$ORG/machine.pem" "$ORG/machine.key" |
		    sed 's/\tuser:x/\tuser_b64:R3L83wBl/'
	} | closed | ca-import -f -d ca.db >/dev/null 2>&1
	ca-init -f -d ca.db <"$ORG/machine.pem" >/dev/null 2>&1
	ca-export -d ca.db -s erin >/dev/null 2>&1
	ca-dump -d ca.db >copy 2>/dev/null
}

setup()
{
	common_setup
	made=$BATS_FILE_TMPDIR
	head=$(last_head "$made/ca.db")
}

# empty DB: an archive for a copy.
empty()
{
	run_tool 0 ca-init -f -d "$1" </dev/null
}

# anew: the records on stdin, closed by a right `end', numbered.
anew()
{
	grep -v ^rec:end | awk -F '\t' -v OFS='\t' '{ $2 = "n:" NR; print }' |
	    closed
}

# refused_copy MESSAGE: a new archive does not take what is on stdin.
refused_copy()
{
	cat >stdin
	rm -f new.db
	empty new.db
	run_tool 2 ca-load -d new.db <stdin || return
	grep -q -x "ca-load: stdin:[0-9]*: $1" "$ERR" || {
		cat "$ERR" >&2
		return 1
	}
}

@test 'copy: the same archive, byte for byte' {
	empty new.db
	says
	[[ ! -s $OUT ]] || only end <"$OUT" | grep -q .
	run_tool 0 ca-load -d new.db <"$made/copy"
	says "ca-load: read $(only archived <"$made/copy" | wc -l), imported \
$(only archived <"$made/copy" | wc -l) (keys 24), updated 0, present 0, \
ignored 0, refused 0, faults 0" "ca-load: audit head: $head" \
	    "ca-load: loaded: audit rows $(only audit <"$made/copy" | wc -l), settings 4, agents 3, names 0"
	sqlite3 new.db .dump >got
	sqlite3 "$made/ca.db" .dump | cmp - got
	kept new.db "$OUT"
	[[ $(only result <"$OUT" | field kra | grep -c .) == 24 ]]
	whole new.db
	# and again
	run_tool 0 ca-load -d new.db <"$made/copy"
	[[ $(statuses "$OUT" | cut -d ' ' -f 1 | sort -u) == present ]]
	sqlite3 new.db .dump | cmp - got
	# what it was is still proven by the head of then
	run_tool 0 ca-audit -A "$head" -d new.db
}

@test 'copy: to PostgreSQL, and back' {
	pg_new
	empty "$URL"
	run_tool 0 ca-load -d "$URL" <"$made/copy"
	run_tool 0 ca-audit -A "$head" -d "$URL"
	run_tool 0 ca-dump -d "$URL"
	cp "$OUT" back
	cmp back "$made/copy"
	empty file.db
	run_tool 0 ca-load -d file.db <back
	whole file.db
	cp "$made/ca.db" .
	for db in ca.db file.db; do
		run_tool 0 ca-export -d "$db"
		cp "$OUT" "rows.$db"
	done
	cmp rows.ca.db rows.file.db
	run_tool 0 ca-recover -k "$ORG/kra2.p12" -p "file:$ORG/kra2.pw" \
	    <rows.file.db
	[[ $(only key <"$OUT" | wc -l) == 24 ]]
	# it is an archive as any other
	run_tool 0 ca-import -f -d "$URL" "${machine[@]}" <"$made/export.kms"
	ca-setflag -d file.db KRACertCount 2 >/dev/null 2>&1
	whole file.db
}

@test 'copy: cut anywhere, and completed' {
	local at lines

	lines=$(wc -l <"$made/copy")
	empty new.db
	# the last row, before two faults and the end, is missing at last
	for at in 3 $((lines / 2)) $((lines - 4)); do
		run_tool 2 ca-load -d new.db \
		    < <(head -n "$at" "$made/copy")
		grep -q 'no end record' "$ERR"
	done
	run_tool 1 ca-audit -A "$head" -d new.db
	head -n $((lines / 2)) "$made/copy" >part
	run_tool 0 ca-load -P -d new.db <part
	run_tool 0 ca-load -d new.db <"$made/copy"
	[[ $(only result <"$OUT" | grep -c status:imported) == 1 ]]
	sqlite3 new.db .dump | cmp - <(sqlite3 "$made/ca.db" .dump)
}

@test 'copy: what came to the archive later comes to the copy later' {
	cp "$made/ca.db" .
	empty new.db
	run_tool 0 ca-load -d new.db <"$made/copy"
	record 1 judy "$ORG/kra1.pem" >cert
	closed <cert | ca-import -f -d ca.db >/dev/null 2>&1
	record 1 judy "$ORG/kra1.pem" "$ORG/kra1.key" | closed |
	    ca-import -f -d ca.db >/dev/null 2>&1
	ca-setflag -d ca.db KRACertCount 2 >/dev/null 2>&1
	ca-dump -d ca.db >later 2>/dev/null
	run_tool 0 ca-load -d new.db <later
	grep -q 'imported 1 (keys 1), updated 0' "$ERR"
	sqlite3 new.db .dump | cmp - <(sqlite3 ca.db .dump)
	# but not once the copy has gone on by itself
	ca-setflag -d new.db KRACertCount 1 >/dev/null 2>&1
	ca-setflag -d ca.db KRACertCount 0 >/dev/null 2>&1
	ca-dump -d ca.db >later 2>/dev/null
	cp new.db before.db
	run_tool 2 ca-load -d new.db <later
	nothing_out ca-load
	grep -q -x "ca-load: stdin:[0-9]*: $PWD/new.db: audit row $(($(cut -d : -f 1 \
	    <<<"$(last_head new.db)"))) differs: this archive is not a copy of that one, or both have changed since: make a new copy (ca-init -f)" \
	    "$ERR"
	sqlite3 new.db .dump | cmp - <(sqlite3 before.db .dump)
}

@test 'copy: a stream that was altered' {
	local wrong='does not follow from the one before it: the archive or the stream was altered'

	sed 's/detail:KRAFlags=1/detail:KRAFlags=3/' "$made/copy" | anew |
	    refused_copy "audit row 2 $wrong"
	grep -v $'\tid:2\twhen:' "$made/copy" | anew |
	    refused_copy "$PWD/new.db: audit row 2 differs: this archive is not a copy of that one, or both have changed since: make a new copy (ca-init -f)"
	only archived <"$made/copy" | anew |
	    refused_copy 'a row of another archive, without the audit rows before it: load what ca-dump wrote'
	{ cat "$made/copy"; user 1 jane-1999; } | anew |
	    refused_copy 'not a record of an archive: expected what ca-dump or edb-extract writes'
	sed 's/name:KRAFlags\tvalue:1/name:KRAFlags\tvalue:/' "$made/copy" |
	    anew | refused_copy 'setting KRAFlags: not its value'
	sed 's/^rec:agent\(.*\)audit:1/rec:agent\1audit:99/' "$made/copy" |
	    anew | refused_copy 'audit is not the number of a row of this archive: ca-dump writes them'
	sed '/^rec:agent/s/cert:MII/cert:AAA/' "$made/copy" | anew |
	    refused_copy 'not a DER certificate (RFC 5280 section 4.1)'
	# what only the digests show, once all of it is there
	for edit in 's/\tuser:jane\t/\tuser:june\t/' \
	    '/^rec:archived/s/\tsubmitted:2/\tsubmitted:3/' \
	    '/^rec:archived/s/disposition:12/disposition:20/' \
	    '/\tid:7\tdispo/d' '/\tid:1\tadded/d' \
	    's/\tname:KRAFlags\tvalue:1/\tname:KRAFlags\tvalue:3/'; do
		sed "$edit" "$made/copy" | anew >stdin
		rm -f new.db
		empty new.db
		run_tool 1 ca-load -d new.db <stdin
		grep -q '^ca-load: audit: \|refused: the key is not encrypted to the agents' \
		    "$ERR"
	done
}

@test 'copy: a key that is not of the row, or to nobody of the archive' {
	local blob other

	# to an agent who is not in the archive
	cat "$ORG/kra1.pem" "$ORG/machine.pem" |
	    ca-init -f -d other.db >/dev/null 2>&1
	ca-setflag -d other.db KRAFlags 1 >/dev/null 2>&1
	ca-import -f -d other.db "${machine[@]}" <"$made/export.kms" \
	    >/dev/null 2>&1
	other=$(ca-export -d other.db 2>/dev/null | only archived | field blob |
	    head -n 1)
	blob=$(only archived <"$made/copy" | field blob | head -n 1)
	for new in "$other" "${blob:0:100}" "$blob$blob" MAA= ''; do
		awk -v old="$blob" -v new="$new" '{
			if (i = index($0, "\tblob:" old))
				$0 = substr($0, 1, i + 5) new
			print
		}' "$made/copy" | anew >stdin
		rm -f new.db
		empty new.db
		run_tool 1 ca-load -d new.db <stdin
		[[ $(only result <"$OUT" | field status | sort | uniq -c |
		    xargs) == '25 imported 1 refused' ]]
		grep -q 'is not the number\|refused: the key is not encrypted to the agents in kra, or they are not those of the archive\|its key is not in the record\|blob is not' "$ERR"
		grep -q '^ca-load: audit: what audit row 3 recorded was changed' \
		    "$ERR"
		# it is completed by the right one
		run_tool 0 ca-load -d new.db <"$made/copy"
		whole new.db
	done
	# of two rows each has the key of the other: the agents are the same
	only archived <"$made/copy" | sed -n 1,2p | sed 's/.*\tblob://' >two
	[[ $(wc -l <two) == 2 ]]
	awk 'NR == FNR { b[NR] = $0; next }
	/^rec:archived/ && ++n <= 2 { sub(/\tblob:.*/, "\tblob:" b[3 - n]) }
	1' two "$made/copy" | anew >stdin
	rm -f new.db
	empty new.db
	run_tool 1 ca-load -d new.db <stdin
	grep -q '^ca-load: audit: what audit row 3 recorded was changed' "$ERR"
}

@test 'copy: what it is not for' {
	new_archive full.db
	user 1 jane-1999 | closed | ca-import -f -d full.db >/dev/null 2>&1
	run_tool 2 ca-load -d full.db <"$made/copy"
	grep -q 'audit row 1 differs' "$ERR"
	whole full.db
	empty new.db
	refuses 2 "ca-import: the archive has no KRA: store one with ca-init (CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED 0x8009400A)
ca-import: read 1, imported 0 (keys 0), updated 0, present 0, ignored 0, refused 0, faults 0" \
	    ca-import -f -d new.db < <(user 1 jane-1999 | closed) ||
	    grep -q 'has no KRA: store one' "$ERR"
	run_tool 2 ca-init -f -d full.db </dev/null
	says 'ca-init: stdin: empty input, and the archive is there: expected the certificates of the KRAs'
	run_tool 2 ca-init -d other.db </dev/null
	[[ ! -e other.db ]]
	# a listing has no keys
	ca-dump -d "$made/ca.db" 2>/dev/null |
	    sed '/^rec:archived/s/\tblob:.*/\tblob:/' | anew >list
	run_tool 1 ca-load -d new.db <list
	grep -q 'its key is not in the record: load what ca-dump wrote' "$ERR"
}

@test 'copy: no agent or setting comes in with keys' {
	local option want

	want="ca-import: stdin:[0-9]*: a record of an archive: ca-load makes a copy of that, agents and settings too"
	new_archive full.db
	rows full.db .dump >before
	# whoever has seen one hash of the chain
	{
		printf 'rec:audit\tn:1\tid:1\twhen:\tcaller:\taction:\tdetail:\tdigest:\thash:%s\n' \
		    "$(rows full.db 'select Hash from audit where AuditID = 1')"
		printf 'rec:agent\tn:2\tid:9\tadded:\taudit:1\tcert:%s\n' \
		    "$(openssl x509 -in "$ORG/machine.pem" -outform DER | base64 -w 0)"
		printf 'rec:setting\tn:3\tname:KRAFlags\tvalue:1\taudit:1\tcert:\n'
	} >agent
	for option in -P -fP; do
		run_tool 2 ca-import "$option" -d full.db <agent
		nothing_out ca-import
		tail -n 1 "$ERR" | grep -q -x "$want"
	done
	closed <agent >stdin
	run_tool 2 ca-import -d full.db <stdin
	rows full.db .dump | cmp before -
	# what was good before stays, and is told
	{ user 1 jane-1999; cat agent; } | anew >stdin
	run_tool 2 ca-import -f -d full.db <stdin
	tail -n 1 "$ERR" | grep -q -x "${want/\[0-9]\*/2}"
	[[ $(statuses "$OUT") == imported* ]]
	grep -q '^ca-import: read 1, imported 1 ' "$ERR"
	grep -q -x "ca-import: audit head: $(last_head full.db)" "$ERR"
}

@test 'keeps the contract of a filter' {
	local usage='usage: ca-load [-PqVv] -d db'

	refuses 2 "ca-load: -d db is missing: the archive
$usage" ca-load
	refuses 2 "ca-load: x: no operand is expected (a file is given as <FILE)
$usage" ca-load -d new.db x
	empty new.db
	run_tool 2 ca-load -d new.db </dev/null
	nothing_out ca-load
}

# of_a_ca: a CA's database of the rows of $made/ca.db, and in the file rows what
# edb-extract makes of it.
of_a_ca()
{
	need_shared ese
	ca-export -q -d "$made/ca.db" 2>/dev/null | only archived |
	    tee archived | ca_edb "$@" CA.edb
	edb-extract -q <CA.edb >rows 2>/dev/null || (($? == 1))
}

# lone DB: an archive with kra1 as its only agent.
lone()
{
	ca-init -c "$ORG/ca.pem" -d "$1" <"$ORG/kra1.pem" >/dev/null 2>&1 &&
	    ca-setflag -d "$1" KRAFlags +KRAF_ENABLEFOREIGN >/dev/null 2>&1
}

# adopted DB: the archive takes the rows, as one commit, and knows whose they are.
adopted()
{
	local n keys

	n=$(grep -c ^rec:archived rows)
	keys=$(grep -c $'\tblob:.' rows)
	run_tool 0 ca-load -d "$1" <rows
	grep -x "ca-load: read $(grep -cE '^rec:(archived|fault)' rows), imported $n (keys $keys), updated 0, present 0, ignored 0, refused 0, faults $(grep -c ^rec:fault rows)" "$ERR"
	[[ $(statuses "$OUT" | grep -c '^imported') == "$n" ]]
	ca-audit -d "$1" >/dev/null 2>&1
	ca-dump -d "$1" >dump 2>/dev/null
	grep -c $'^rec:audit\t.*\taction:load\t' dump | grep -x 1
	grep -P "^rec:audit\t.*\taction:load\tdetail:results=[0-9]* read=.* imported=$n keys=$keys .* stream=$(only \
	    end <rows | field sha256) issuer=CN=KMS CA,OU=North America,O=Example\t" dump
	# keys as they were, and their old agents can be asked for
	diff <(only archived <rows | field blob | sort) \
	    <(only archived <dump | field blob | sort)
	diff <(only archived <rows | field kra) <(only archived <dump | field kra)
	only archived <dump | grep $'\tblob:.' | field recipients |
	    sort | uniq -c | sed 's/^ *//' >strangers
	# again: nothing changes
	run_tool 0 ca-load -d "$1" <rows
	[[ $(statuses "$OUT" | grep -vc '^fault' ) == "$n" ]]
	[[ $(statuses "$OUT" | grep -c '^present') == "$n" ]]
	ca-dump -d "$1" 2>/dev/null | cmp - dump
}

@test "rows of a CA: one commit, which says where they came from" {
	local n

	of_a_ca -s 2
	n=$(grep -c $'\tblob:.' rows)
	lone new.db
	adopted new.db
	# kra2 is no agent of this archive
	diff strangers - <<<"$n $(openssl x509 -in "$ORG/kra2.pem" -noout \
	    -serial | sed 's/serial=//' | tr A-F a-f) CN=Example CA,O=Example"
	sqlite3 new.db "select count(*) from request where KeyRecoveryHashes \
	    like '%$(cut -d ' ' -f 2- strangers)%'" | grep -x "$n"
	[[ $(sqlite3 new.db 'select distinct KeyFormat from request
	    where RawArchivedKey is not null') == CA ]]
	for kra in kra1 kra2; do
		ca-export -d new.db 2>/dev/null |
		    ca-recover -q -k "$ORG/$kra.p12" -p "file:$ORG/$kra.pw" \
		    >"$kra.out" 2>/dev/null
		only key <"$kra.out" | wc -l | grep -x "$n"
	done
	# it moves on as any other archive
	ca-dump -d new.db >dump 2>/dev/null
	empty copy.db
	run_tool 0 ca-load -d copy.db <dump
	sqlite3 copy.db .dump | cmp - <(sqlite3 new.db .dump)
	ca-setflag -d new.db KRACertCount 1 >/dev/null 2>&1
	run_tool 0 ca-import -f -d new.db "${machine[@]}" <"$made/export.kms"
	[[ $(statuses "$OUT" | grep -cE '^(imported|updated|refused)') == 0 ]]
	ca-audit -d new.db >/dev/null 2>&1
}

@test "rows of a CA: to PostgreSQL" {
	pg_new
	of_a_ca
	lone "$URL"
	adopted "$URL"
	grep -E '^[0-9]+ [0-9a-f]+ CN=Example CA,O=Example$' strangers
	ca-export -d "$URL" 2>/dev/null |
	    ca-recover -q -k "$ORG/kra2.p12" -p "file:$ORG/kra2.pw" \
	    2>/dev/null | grep -c ^rec:key | grep -x "$(grep -c $'\tblob:.' rows)"
	# and from there to a file
	empty copy.db
	run_tool 0 ca-load -d copy.db <dump
	ca-dump -d copy.db 2>/dev/null | cmp - dump
}

@test "rows of a CA: all of them or none; what is lost in the database passes" {
	of_a_ca
	lone new.db
	sqlite3 new.db .dump >before
	head -n 20 rows >first
	run_tool 2 ca-load -d new.db <first
	grep -x 'ca-load: read 0, .*' "$ERR"
	nothing_out ca-load
	# rows of an archive behind them
	{
		only archived <rows | head -n 1
		only archived <"$made/copy" | head -n 1
	} | anew >mixed
	run_tool 2 ca-load -d new.db <mixed
	grep 'a record of an archive after rows of a CA.s database: load one after the other' "$ERR"
	sqlite3 new.db .dump | cmp - before
	# a part is taken with -P
	run_tool 0 ca-load -P -d new.db <first
	[[ $(statuses "$OUT" | grep -c '^imported') == 20 ]]
	# the rest follows; faults of the database are no fault of the load
	damage CA.edb x break Requests.lv.1
	edb-extract -q <x >rows 2>/dev/null || (($? == 1))
	run_tool 0 ca-load -d new.db <rows
	statuses "$OUT" | cut -d ' ' -f 1 | sort -u | grep -x fault
	ca-audit -d new.db >/dev/null 2>&1
}

@test "rows of a CA: without hashes of agents; a revoked one; a key that came later" {
	local row

	of_a_ca
	only archived <rows | grep $'\tblob:.' | head -n 1 >one
	row=$(<one)
	lone new.db
	sed -E 's/\tdisposition:[0-9]+/\tdisposition:21/; s/\tkra:[^\t]*/\tkra:/; s/\tblob:.*/\tblob:/' \
	    <<<"$row" | anew >stdin
	run_tool 0 ca-load -d new.db <stdin
	[[ $(statuses "$OUT") == imported* ]]
	sed -E 's/\tkra:[^\t]*/\tkra:/' <<<"$row" | anew >stdin
	run_tool 0 ca-load -d new.db <stdin
	[[ $(statuses "$OUT") == updated* ]]
	sqlite3 new.db 'select Disposition, KeyRecoveryHashes from request' >got
	diff got - <<-ROW
	21|$(openssl x509 -in "$ORG/kra1.pem" -outform DER | sha1sum | cut -c -40 |
	    sed 's/../& /g; s/ $//')
	$(openssl x509 -in "$ORG/kra2.pem" -noout -serial | sed 's/serial=//' |
	    tr A-F a-f) CN=Example CA,O=Example
	ROW
	ca-audit -d new.db >/dev/null 2>&1
	# what is no key is refused
	sed -E 's/\tblob:[^\t]{16}/\tblob:AAAAAAAAAAAAAAAA/' <<<"$row" | anew >stdin
	run_tool 1 ca-load -d new.db <stdin
	grep 'not CMS EnvelopedData, as an archived key is' "$ERR"
}

@test "rows of a CA: an agent that it knew is none here until ca-init says so" {
	need_shared ese
	ca-export -q -d "$made/ca.db" 2>/dev/null | only archived |
	    head -n 1 >one
	# the certificate of the agent as a row
	sed -E "s/\tid:[0-9]+/\tid:9000/; s/\tcert:[^\t]*/\tcert:$(openssl x509 \
	    -in "$ORG/kra2.pem" -outform DER | base64 -w 0 | sed 's,/,\\/,g')/; s/\tsha1:[0-9a-f]*/\tsha1:$(openssl \
	    x509 -in "$ORG/kra2.pem" -outform DER | sha1sum | cut -c -40)/; s/\tkra:[^\t]*/\tkra:/; s/\tblob:.*/\tblob:/" one |
	    ca_edb CA.edb
	edb-extract -q <CA.edb >rows 2>/dev/null
	[[ $(grep -c ^rec:agent rows) == 1 ]]
	lone new.db
	run_tool 0 ca-load -d new.db <rows
	grep -x 'ca-load: certificates of agents that the CA had: 1: none is an agent here until ca-init makes it one' "$ERR"
	[[ $(sqlite3 new.db 'select count(*) from kra') == 1 ]]
}
