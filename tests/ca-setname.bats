#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash

load common
load ca

setup()
{
	common_setup
	[[ -e $BATS_FILE_TMPDIR/ca.db ]] || make_archive
	cp "$BATS_FILE_TMPDIR/ca.db" .
}

# make_archive: a row under one name, one under two, one of two persons.
make_archive()
{
	(
		cd "$BATS_FILE_TMPDIR" && new_archive &&
		{
			user 1 jane-1999 | as Europe jÃ¶rg jÃ¶rg@example.com
			user 2 bob-1999 | as Europe bob ''
			user 3 bob-1999 | as Staff bob ''
			user 4 erin-1998 | as Europe erin ''
		} | closed | ca-import -fq -d ca.db >log 2>&1
	)
}

# as GROUP USER MAIL: the record on stdin, under that name.
as()
{
	sed "s/\tgroup:Staff\tuser:[^\t]*\tmail:/\tgroup:$1\tuser:$2\tmail:$3/"
}

# found STATUS ARG...: id, group, user and mail of what ca-export gives.
found()
{
	run_tool "$1" ca-export -n -d ca.db "${@:2}" || return
	only archived <"$OUT" | cut -f 3,7-9 |
	    sed 's/[a-z]*://g; s/\t/ /g; s/ *$//'
}

@test "ca-setname: filter contract" {
	ca-export -n -d ca.db 2>/dev/null | sed 's/user:erin/user:Erin/' |
	    only archived | closed >in.rec
	filter_contract ca-setname -d ca.db <in.rec
}

@test "ca-setname: output contract without stdin" {
	output_contract ca-setname -n -d ca.db 3 user:x
}

@test "ca-setname: usage" {
	local usage='usage: ca-setname [-nPqVv] -d db [id label:value ...]'

	refuses 2 "ca-setname: -d db is missing: the archive
$usage" ca-setname </dev/null
	refuses 2 "ca-setname: what is the name of row 3 to have?
$usage" ca-setname -d ca.db 3 </dev/null
	refuses 2 "ca-setname: erin: no label, as in user:erin
$usage" ca-setname -d ca.db 3 erin </dev/null
	refuses 2 'ca-setname: sn: not a part of a name: group, user, mail or guid' \
	    ca-setname -d ca.db 3 sn:x </dev/null
	for id in 0 x '' 9223372036854775807 99999999999999999999; do
		refuses 2 'ca-setname: id: not a number of the archive: ca-export -n shows them' \
		    ca-setname -d ca.db "$id" user:x </dev/null
	done
}

@test "ca-setname: a name is put right, and what it was is kept" {
	run_tool 0 ca-setname -d ca.db 1 user:jörg mail:jörg@example.com
	grep ^rec:name "$OUT" >name
	cut -f 1-9 name >first
	printf 'rec:name\tn:1\tid:1\tname:2\tgroup:Europe\tuser:jörg\tmail:jörg@example.com\tguid:\tsource:jane-1999.pem\n' |
	    diff - first
	cut -f 10- name | diff - <(printf 'stream:\treplaces:0\taudit:4\n')
	tells 'ca-setname: names 1, as they were 0, refused 0'
	tells "ca-setname: audit head: $(last_head ca.db)"
	[[ $(rows ca.db 'SELECT Action, Detail FROM audit WHERE AuditID = 4') == 'name|names=1' ]]
	for option in '-u jörg' '-s JÖRG' '-s mail:jörg@example.com' '-s id:1' \
	    '-s former:jÃ¶rg' '-s former:jÃ¶rg@example.com'; do
		# shellcheck disable=SC2086 # an option and its value
		[[ $(found 0 $option) == '1 Europe jörg jörg@example.com' ]]
	done
	for option in '-u jÃ¶rg' '-s jÃ¶rg' '-s user:jÃ¶rg' '-u jÃ* -g Europe' \
	    '-s former:jörg' '-s former:jÃ¶rg -g Europe'; do
		# shellcheck disable=SC2086
		[[ -z $(found 1 $option) ]]
	done
	# but who has the name from an old list is told
	found 1 -u jÃ¶rg
	tells 'ca-export: -u jÃ¶rg: like it: former jÃ¶rg (row 1)'
	found 1 -s jÃ¶rg
	tells 'ca-export: -s jÃ¶rg: like it: former jÃ¶rg (row 1)'
	# the same import again brings nothing back
	user 1 jane-1999 | as Europe jÃ¶rg jÃ¶rg@example.com | closed |
	    ca-import -f -d ca.db >log 2>&1
	[[ $(rows ca.db 'SELECT count(*) FROM name') == 2 ]]
	# and it can be put right again
	run_tool 0 ca-setname -d ca.db 1 user:joerg
	[[ $(found 0 -s former:jörg) == '1 Europe joerg jörg@example.com' ]]
	run_tool 0 ca-setname -d ca.db 1 user:joerg
	says 'ca-setname: names 0, as they were 1, refused 0'
	whole ca.db
}

@test "ca-setname: one of several names" {
	run_tool 1 ca-setname -d ca.db 2 user:Bob
	says 'ca-setname: row 2 has 2 names: say which, by name:NUMBER (ca-export -n shows it)' \
	    'ca-setname: names 0, as they were 0, refused 1'
	run_tool 0 ca-setname -d ca.db 2 name:1 user:robert
	[[ $(found 0 -s id:2) == $'2 Europe bob\n2 Staff robert' ]]
	run_tool 1 ca-setname -d ca.db 2 name:1 user:x
	tells 'ca-setname: name 1 of row 2 is former: another has taken its place'
	run_tool 1 ca-setname -d ca.db 3 name:1 user:x
	tells 'ca-setname: row 3 has no name 1'
	run_tool 1 ca-setname -d ca.db 9 user:x
	tells 'ca-setname: no row 9'
	# what is the name of the same person again is written once
	run_tool 0 ca-setname -d ca.db 2 name:2 group:Europe user:bob
	[[ $(found 0 -s id:2) == '2 Europe bob' ]]
	whole ca.db
}

@test "ca-setname: those of a text file, as the page has it" {
	printf '%s\t%s\n' jÃ¶rg jörg erin érin >names.tsv
	awk '/^\.Sh/ { on = $2 == "EXAMPLES" } /^\.Ed/ { block = 0 }
	    on && block { print } on && /^\.Bd/ { block = 1 }' \
	    "$root/man/ca-setname.1" | sed "s/\\\\(aq/'/g; s/\\\\e/\\\\/g" |
	    sed -n '/awk/,$p' >page.sh
	cp ca.db before.db
	bash -e -o pipefail page.sh >out 2>err
	[[ $(only name <out | cut -f 6 | xargs) == 'user:jörg user:érin' ]]
	grep -qxF 'ca-setname: names 2, as they were 0, refused 0 (-n: nothing was written)' err
	rows ca.db .dump | cmp - <(rows before.db .dump)
	sed 's/ -n -P/ -P/' page.sh | bash -e -o pipefail >out 2>err
	[[ $(found 0) == '1 Europe jörg jÃ¶rg@example.com
2 Europe bob
2 Staff bob
3 Europe érin' ]]
	[[ $(rows ca.db 'SELECT max(AuditID) FROM audit') == 4 ]]
	whole ca.db
}

@test "ca-setname: what cannot be, beside what can" {
	printf 'rec:name\tid:3\tuser:Erin\nrec:name\tid:9\tuser:x\nrec:name\tid:1\tuser:%s\n' \
	    "$(head -c 8193 /dev/zero | tr '\0' x)" >in
	run_tool 1 ca-setname -P -d ca.db <in
	says 'ca-setname: stdin:2: no row 9' \
	    'ca-setname: stdin:3: user of 8193 bytes, and a row keeps 8192' \
	    'ca-setname: names 1, as they were 0, refused 2' \
	    "ca-setname: audit head: $(last_head ca.db)"
	[[ $(found 0 -u Erin) == '3 Europe Erin' ]]
	printf 'rec:flag\tname:x\told:0\tnew:1\tset:\n' >in
	refuses 2 'ca-setname: stdin:1: neither an archived nor a name record' \
	    ca-setname -P -d ca.db <in
	printf 'rec:name\tuser:x\n' >in
	refuses 2 'ca-setname: stdin:1: no id: which row is it?' \
	    ca-setname -P -d ca.db <in
	whole ca.db
}

@test "ca-setname: a key goes to whom it is now, and a copy has all of it" {
	ca-setname -d ca.db 1 user:jörg 2>/dev/null >log
	echo pass >pw
	chmod 600 pw
	found_keys()
	{
		ca-export -q -d ca.db "$@" 2>/dev/null |
		    ca-recover -q -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw" \
			2>/dev/null
	}
	found_keys >all
	p12-pack -q -F tar -p file:pw <all >all.tar
	[[ $(tar --quoting-style=literal -tf all.tar | grep p12 | LC_ALL=C sort | xargs) == \
	    'Europe/bob.p12 Europe/erin.p12 Europe/jörg.p12 Staff/bob.p12' ]]
	found_keys -g Staff -u bob | p12-pack -q -p file:pw >bob.p12
	p12-extract -q -p file:pw <bob.p12 | only key | field sha1 >got
	ca-export -n -q -d ca.db -s id:2 | only archived | field sha1 |
	    head -n 1 | diff - got
	run_tool 1 p12-pack -p file:pw <all
	ca-dump -q -d ca.db >dump 2>/dev/null
	[[ $(only name <dump | wc -l) == 2 ]]
	ca-init -f -d copy.db </dev/null >log 2>&1
	run_tool 0 ca-load -d copy.db <dump
	tells "ca-load: loaded: audit rows $(rows ca.db \
	    'SELECT count(*) FROM audit'), settings 4, agents 2, names 2"
	ca-dump -q -d copy.db 2>/dev/null | cmp - dump
	# again, and a part of it before its row
	run_tool 0 ca-load -d copy.db <dump
	ca-init -f -d part.db </dev/null >log 2>&1
	grep -v $'^rec:archived\t[^\t]*\tid:1\t' dump >part
	run_tool 1 ca-load -P -d part.db <part
	tells 'ca-load: stdin:*: refused: name 2 is of row 1, which is not there'
	run_tool 0 ca-load -P -d part.db <dump
	ca-dump -q -d part.db 2>/dev/null | cmp - dump
	# one that was altered
	sed $'/^rec:name/s/\tuser:bob/\tuser:eve/' dump | grep -v ^rec:end >altered
	run_tool 2 ca-load -P -d copy.db <altered
	grep -q 'name 1 differs: this archive is not a copy of that one' "$ERR"
	# the page counts a certificate once
	ca-export -n -q -d ca.db 2>/dev/null | kms-report -q >page.html 2>err || (($? == 1))
	grep -q . page.html
}

@test "ca-setname: an edit of any column of a name is found" {
	local column n=0

	ca-setname -d ca.db 2 name:0 user:Bob >log 2>&1
	head=$(last_head ca.db)
	cp ca.db full.db
	rows ca.db "SELECT name FROM pragma_table_info('name')" >columns
	while read -r column; do
		cp full.db ca.db
		trigger=$(rows ca.db "SELECT sql FROM sqlite_schema
		    WHERE name = 'name_update'")
		rows ca.db "DROP TRIGGER name_update; UPDATE name
		    SET $column = $column || '7' WHERE NameID = 2; $trigger"
		run_tool 1 ca-audit -A "$head" -d ca.db
		((n += 1))
	done <columns
	((n == 10))
	cp full.db ca.db
	run sqlite3 ca.db 'UPDATE name SET KmsUser = 1'
	((status != 0))
	run sqlite3 ca.db 'DELETE FROM name'
	((status != 0))
	run_tool 0 ca-audit -A "$head" -d ca.db
}

@test "ca-setname: who puts a certificate of another in a folder is given no key" {
	local -a names=("Staff jane mallory@example.com" "Mine jane jane@example.com"
	    "Staff mallory jane@example.com")
	local name

	for name in "${names[@]}"; do
		rm ca.db
		new_archive
		# shellcheck disable=SC2086 # three words
		record 1 jane-1999 "$ORG/keys/jane-1999.pem" | as $name | closed |
		    ca-import -fq -d ca.db >/dev/null 2>&1
		# the key comes, and its record says less
		user 1 jane-1999 | as '' '' '' | closed |
		    ca-import -fq -d ca.db >log 2>&1
		[[ $(only result <log | field status) == updated ]]
		[[ -z $(found 1 -s mallory@example.com)$(found 1 -u mallory) ]]
		[[ -z $(found 1 -g Mine) ]]
		[[ $(found 0) == 1* ]]
		whole ca.db
	done
}
