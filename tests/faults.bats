#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031,SC2094 # arrays of ca.bash; files read twice
#
# What could not be read is known to the archive, and what of it came later.

load common
load ca

# $MADE: ca.db, the archive of the migration, with its export.kms and import.log.
setup_file()
{
	export MADE=$BATS_FILE_TMPDIR
	org_archive "$MADE"
}

setup()
{
	common_setup
	cp "$MADE/ca.db" .
	export=(kms-export -q -c "$ORG/machine.pem" -S "$ORG/machine.p12"
	    -p "file:$ORG/machine.pw")
}

# faults DB [ARG...]: those of an archive, without what stands around them.
faults()
{
	ca-export -anq -d "$1" "${@:2}" 2>/dev/null | only fault |
	    cut -f 3- | sed 's/\t\(id\|stream\|audit\|cured_audit\):[^\t]*//g'
}

# p12 USER PASSWORD: kms/Staff/USER/1999.p12, of Bob's key.
p12()
{
	mkdir -p "kms/Staff/$1"
	openssl pkcs12 -export -in "$ORG/keys/bob-1999.pem" \
	    -inkey "$ORG/keys/bob-1999.key" -passout "pass:$2" \
	    -out "kms/Staff/$1/1999.p12"
}

# staff [PASSWORD]...: an export of the folder, with these passwords.
staff()
{
	printf '%s\n' "$@" >pws
	tar -C kms -cf - --sort=name Staff | "${export[@]}" -p list:pws \
	    2>/dev/null || (($? == 1))
}

# plain N SOURCE [DETAIL]: a fault, as no exporter has signed it.
plain()
{
	printf 'rec:fault\tn:%d\tsource:%s\treason:cut\tdetail:%s\n' \
	    "$1" "$2" "${3-it ended}"
}

@test 'who holds the archive alone knows what was lost' {
	# the export and its log are gone
	faults ca.db >got
	only fault <"$MADE/export.kms" | cut -f 3-7 | sed 's/$/\tcured:/' |
	    sort | cmp - <(sort got)
	[[ $(wc -l <got) == 2 ]]
	grep -q $'^source:North America/dave/1997.p12\treason:password\t.*\tgroup:North America\tuser:dave\tcured:$' got
	run_tool 0 ca-export -an -d ca.db
	says 'ca-export: rows 24, faults 2'
	only fault <"$OUT" | head -n 1 | tr '\t' '\n' | sed 's/:.*//' | xargs |
	    grep -x 'rec n source reason detail group user id stream audit cured cured_audit'
	[[ $(tail -n 1 "$OUT") == $'rec:end\tn:26\tkeys:0\tcerts:0\tfaults:2\t'* ]]
	[[ $(only fault <"$OUT" | field stream | sort -u) == \
	    $(only stream <"$MADE/export.kms" | field id | head -n 1) ]]
	# not unless they are asked for
	run_tool 0 ca-export -n -d ca.db
	[[ $(only fault <"$OUT" | wc -l) == 0 ]]
	says 'ca-export: rows 24'
	# with keys, they stand behind the rows
	run_tool 0 ca-export -a -d ca.db
	cut -f 1 "$OUT" | uniq -c | xargs | grep -x '24 rec:archived 2 rec:fault 1 rec:end'
}

@test 'they are chosen by group, user and source' {
	local dave='source:North America/dave/1997.p12'

	[[ $(faults ca.db -u dave | cut -f 1) == "$dave" ]]
	[[ $(faults ca.db -g 'north*' | cut -f 1) == "$dave" ]]
	[[ $(faults ca.db -u 'd*' -g Europe | wc -l) == 0 ]]
	[[ $(faults ca.db -s "$dave" | cut -f 1) == "$dave" ]]
	[[ $(faults ca.db -s user:DAVE | cut -f 1) == "$dave" ]]
	# a fault has no dates, and is no row
	[[ $(faults ca.db -b 2090 | wc -l) == 2 ]]
	[[ $(faults ca.db -s id:1 | wc -l) == 0 ]]
	# nobody's key was archived, and this is what there is
	rows ca.db "SELECT Source FROM request WHERE RequestID = 7" >source
	run_tool 0 ca-export -anq -d ca.db -s "source:$(<source)"
	[[ $(only archived <"$OUT" | field id) == 7 ]]
	run_tool 0 ca-export -an -d ca.db -s "$dave"
	says 'ca-export: rows 0, faults 1'
	run_tool 1 ca-export -an -d ca.db -s 'source:North America/dave/1997'
	grep -qxF 'ca-export: -s source:North America/dave/1997: like it: source North America/dave/1997.p12 (fault 2)' "$ERR"
	run_tool 1 ca-export -n -d ca.db -s "$dave"
}

@test 'once each: the same stream again, and another of the same backup' {
	faults ca.db >before
	"${import[@]}" -q <"$MADE/export.kms" >log 2>&1
	faults ca.db | cmp - before
	{ "${export[@]}" -p "list:$ORG/user.pws" <"$ORG/kms-backup.zip" || :; } \
	    2>/dev/null | "${import[@]}" -q >log 2>&1
	[[ $(only result <log | grep -c $'\tstatus:fault\t') == 2 ]]
	faults ca.db | cmp - before
	whole ca.db
	# what differs in anything is another
	{ plain 1 x; plain 2 x 'it ended'; plain 3 x other; plain 4 y; } |
	    closed | ca-import -q -d ca.db >log 2>/dev/null
	[[ $(faults ca.db | wc -l) == 5 ]]
	whole ca.db
}

@test 'a key that came later from the same source cures it' {
	local row

	p12 bob secret
	p12 rob other
	staff wrong >none.kms
	staff secret >bob.kms
	staff other >rob.kms
	new_archive new.db
	import=(ca-import -fq -d new.db "${machine[@]}")
	"${import[@]}" <none.kms >log 2>&1
	faults new.db | cut -f 1,2,4- | diff - <(printf '%s\n' \
	    $'source:Staff/bob/1999.p12\treason:password\tgroup:Staff\tuser:bob\tcured:' \
	    $'source:Staff/rob/1999.p12\treason:password\tgroup:Staff\tuser:rob\tcured:')
	"${import[@]}" <bob.kms >log 2>&1
	row=$(rows new.db "SELECT RequestID FROM request WHERE KmsUser = 'bob'")
	[[ $(faults new.db -u bob | cut -f 6) == "cured:$row" ]]
	[[ $(faults new.db -u rob | cut -f 6) == cured: ]]
	[[ $(rows new.db "SELECT AuditID FROM cure") == \
	    $(rows new.db "SELECT KeyAudit FROM request WHERE RequestID = $row") ]]
	whole new.db
	# a key that is there, from a folder where it could not be read
	"${import[@]}" <rob.kms >log 2>&1
	[[ $(only result <log | field status | sort | xargs) == "fault present" ]]
	[[ $(faults new.db -u rob | cut -f 6) == "cured:$row" ]]
	whole new.db
	# the old stream again: it stays cured
	faults new.db >before
	"${import[@]}" <none.kms >log 2>&1
	faults new.db | cmp - before
	whole new.db
}

@test 'no cure: what came with it, a certificate alone, nothing new' {
	local bob=$ORG/keys/bob-1999 jane=$ORG/keys/jane-1999

	new_archive new.db
	# one stream: a key, and what could not be read beside it
	{
		record 1 bob "$bob.pem" "$bob.key"
		plain 2 bob-1999.pem
	} | closed >both
	[[ $(field source <both | sort -u) == bob-1999.pem ]]
	run_tool 0 ca-import -fq -d new.db <both
	[[ $(faults new.db | grep -c $'\tcured:$') == 1 ]]
	run_tool 0 ca-import -fq -d new.db <both
	[[ $(faults new.db | grep -c $'\tcured:$') == 1 ]]
	{ plain 1 jane-1999.pem; record 2 jane "$jane.pem"; } | closed >cert
	run_tool 0 ca-import -fq -d new.db <cert
	run_tool 0 ca-import -fq -d new.db <cert
	[[ $(faults new.db | grep -c $'\tcured:$') == 2 ]]
	# a later run of a plain stream, which has no id
	record 1 jane "$jane.pem" "$jane.key" | closed >key
	run_tool 0 ca-import -fq -d new.db <key
	[[ $(statuses "$OUT") == 'updated 2' ]]
	[[ $(faults new.db | grep -c $'\tcured:2$') == 1 ]]
	whole new.db
}

@test 'what no record of the archive could hold is refused' {
	local long

	long=$(printf 'x%.0s' {1..8192})
	{ plain 1 s "$long"; plain 2 s "x$long"; plain 3 "x$long"; plain 4 a; } |
	    closed >long
	run_tool 1 ca-import -q -d ca.db <long
	[[ $(statuses "$OUT" | xargs) == 'fault refused refused fault' ]]
	only result <"$OUT" | field reason | sed -n 2,3p | diff - <(printf '%s\n' \
	    'detail of 8193 bytes, and a row keeps 8192' \
	    'source of 8193 bytes, and a row keeps 8192')
	[[ $(faults ca.db | wc -l) == 4 ]]
	# all that fits can be given again, whatever is in it
	long=$(head -c 8192 /dev/zero | tr '\0' '\377' | base64 -w 0)
	printf 'rec:fault\tn:1\tsource_b64:%s\treason:cut\tdetail_b64:%s\tgroup_b64:%s\tuser_b64:%s\n' \
	    "$long" "$long" "$long" "$long" | closed |
	    ca-import -q -d ca.db >log 2>/dev/null
	run_tool 0 ca-export -an -d ca.db
	[[ $(only fault <"$OUT" | field user_b64) == "$long" ]]
	whole ca.db
}

@test '-n keeps nothing, and a result is written after its commit only' {
	local n

	plain 1 x | closed >one
	contents ca.db >before
	run_tool 0 ca-import -nq -d ca.db <one
	contents ca.db | cmp - before
	for n in {1..40}; do plain "$n" "source $n"; done >some
	{
		cat some
		until [[ $(grep -c '^rec:result' log) -ge 3 ]]; do :; done
		kill -9 "$(<pid)"
	} | {
		echo "$BASHPID" >pid
		exec ca-import -q -d ca.db
	} >log 2>/dev/null || :
	only result <log | field reason | sed 's/: .*//' | sort >promised
	[[ -s promised ]]
	rows ca.db 'SELECT Source FROM fault' | sort | comm -23 promised - |
	    cmp - /dev/null
	whole ca.db
	closed <some | ca-import -q -d ca.db >log 2>/dev/null
	[[ $(faults ca.db | wc -l) == 42 ]]
	whole ca.db
}

# cured: new.db, with one fault that is cured, and one that is not.
cured()
{
	p12 bob secret
	p12 rob other
	new_archive new.db
	staff wrong | ca-import -fq -d new.db "${machine[@]}" >log 2>&1
	staff secret | ca-import -fq -d new.db "${machine[@]}" >log 2>&1
	[[ $(rows new.db 'SELECT count(*) FROM cure') == 1 ]]
}

@test 'a copy has them, byte for byte' {
	cured
	ca-dump -qd new.db >dump 2>/dev/null
	[[ $(only fault <dump | wc -l) == 2 ]]
	ca-init -f -d copy.db </dev/null >/dev/null 2>&1
	# one load that broke off, and another
	grep -v $'\tcured:[0-9]' dump | sed '$ d' | tail -n +1 >part
	run_tool 0 ca-load -P -d copy.db <part
	run_tool 0 ca-load -d copy.db <dump
	ca-dump -qd copy.db 2>/dev/null | cmp - dump
	contents new.db | sort | cmp - <(contents copy.db | sort)
	whole copy.db
	run_tool 0 ca-load -d copy.db <dump
	ca-dump -qd copy.db 2>/dev/null | cmp - dump
	# another one under its number
	sed 's/\(^rec:fault.*\tuser:\)bob/\1eve/' dump >bad
	run_tool 2 ca-load -P -d copy.db <bad
	grep -q 'fault 1 differs: this archive is not a copy of that one' "$ERR"
	# a fault that ca-export gives is one of an archive
	ca-export -anq -d new.db 2>/dev/null | only fault | closed >alone
	run_tool 2 ca-load -d copy.db <alone
}

@test 'what was planted, changed or taken away is found' {
	local edit n=0

	cured
	while IFS= read -r edit; do
		cp new.db edited.db
		rows edited.db "$edit"
		run_tool 1 ca-audit -A "$(last_head new.db)" -d edited.db
		grep -q $'\tstatus:altered\t' "$OUT"
		((n += 1))
	done <<-'END'
	INSERT INTO fault SELECT 9, 'x', Source, Reason, Detail, KmsGroup, 'eve', StreamId, AuditID FROM fault WHERE FaultID = 1
	INSERT INTO fault SELECT 9, 'x', Source, Reason, Detail, KmsGroup, 'eve', StreamId, 1 FROM fault WHERE FaultID = 1
	INSERT INTO fault SELECT 9, 'x', Source, Reason, Detail, KmsGroup, 'eve', StreamId, 99 FROM fault WHERE FaultID = 1
	UPDATE fault SET FaultHash = 'x' WHERE FaultID = 2
	UPDATE fault SET Source = 'x' WHERE FaultID = 2
	UPDATE fault SET Reason = 'x' WHERE FaultID = 2
	UPDATE fault SET Detail = 'x' WHERE FaultID = 2
	UPDATE fault SET KmsGroup = 'x' WHERE FaultID = 2
	UPDATE fault SET KmsUser = 'x' WHERE FaultID = 2
	UPDATE fault SET StreamId = 'x' WHERE FaultID = 2
	UPDATE fault SET AuditID = 4 WHERE FaultID = 2
	UPDATE fault SET FaultID = 7 WHERE FaultID = 2
	DELETE FROM fault WHERE FaultID = 2
	INSERT INTO cure SELECT 2, RequestID, AuditID FROM cure
	INSERT INTO cure VALUES (2, 1, 3)
	INSERT INTO cure VALUES (2, 1, 99)
	UPDATE cure SET FaultID = 2
	UPDATE cure SET RequestID = 99
	UPDATE cure SET AuditID = 3
	DELETE FROM cure
	END
	((n == 20))
}

@test 'no commit adopts what was planted with its number' {
	local what sql

	cured
	while IFS='|' read -r what sql; do
		cp new.db edited.db
		rows edited.db "$sql"
		run_tool 2 ca-export -d edited.db
		grep -q "altered: $what says that audit row [0-9]* wrote it, which is not there yet" "$ERR"
		nothing_out ca-export
	done <<-'END'
	fault 9|INSERT INTO fault VALUES (9, 'x', '', '', '', '', '', '', 9)
	cure of fault 2|INSERT INTO cure VALUES (2, 1, 9)
	END
}

@test 'the report of an archive alone says what was not read' {
	ca-export -anq -d ca.db 2>/dev/null >rows
	run_tool 0 kms-report <rows
	/usr/bin/python3 "$root/tests/page.py" "$OUT" >shown
	grep -q $'^faults in the archive\t2' shown
	grep -q $'^Users whose password is wanted\tdave\tNorth America' shown
	not grep -q '^keys exported' shown
	# what is cured is not lost
	sed '/user:dave/ s/\tcured:/&3/' rows | sed '$ d' | closed >rows2
	run_tool 0 kms-report <rows2
	/usr/bin/python3 "$root/tests/page.py" "$OUT" >shown
	grep -q $'^faults in the archive\t1' shown
}

@test 'no cure: the fault comes again beside a key of somebody else' {
	local bob=$ORG/keys/bob-1999

	new_archive new.db
	plain 1 bob-1999.pem | closed | ca-import -fq -d new.db >/dev/null 2>&1
	{
		plain 1 bob-1999.pem
		record 2 bob "$bob.pem" "$bob.key"
	} | closed >both
	run_tool 0 ca-import -fq -d new.db <both
	[[ $(faults new.db | grep -c $'\tcured:$') == 1 ]]
	# that nobody says where it comes from makes no two things one
	plain 1 '' | closed | ca-import -fq -d new.db >/dev/null 2>&1
	record 1 jane "$ORG/keys/jane-1999.pem" "$ORG/keys/jane-1999.key" |
	    sed 's|\tsource:[^\t]*|\tsource:|' | closed >none
	run_tool 0 ca-import -fq -d new.db <none
	[[ $(faults new.db | grep -c $'\tcured:$') == 2 ]]
	whole new.db
}
