#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash

load common
load ca

setup()
{
	common_setup
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" |
	    ca-init -c "$ORG/ca.pem" -d ca.db >/dev/null 2>&1
}

unknown='unknown setting (known: KRAFlags, KRACertCount, RoleSeparationEnabled)'
nosymbol='not a number nor a symbol of KRAFlags (KRAF_ENABLEFOREIGN, KRAF_SAVEBADREQUESTKEY, KRAF_ENABLEARCHIVEALL, KRAF_DISABLEUSEDEFAULTPROVIDER)'

# flag NAME OLD NEW [SET]: the record, closed.
flag()
{
	printf 'rec:flag\tname:%s\told:%s\tnew:%s\tset:%s\n' "$1" "$2" "$3" \
	    "${4-}"
}

settings()
{
	rows "${1:-ca.db}" "SELECT group_concat(Value, ' ') FROM (SELECT Value
	    FROM config WHERE Name <> 'CACertificate' ORDER BY Name)"
}

# sets OLD NEW SYMBOLS VALUE: this value of KRAFlags does this, and one audited
# commit says so, unless nothing changes.
sets()
{
	local before after

	before=$(last_head ca.db)
	run_tool 0 ca-setflag -d ca.db KRAFlags "$4" || return
	flag KRAFlags "$1" "$2" "$3" | closed | cmp - "$OUT" || return
	[[ $(settings) == "0 $2 0" ]] || return
	after=$(last_head ca.db)
	if (($1 == $2)); then
		says || return
		[[ $after == "$before" ]]
	else
		# a bit that nobody reads says so
		sed -i '/: kept, as on Windows, but without effect here$/d' "$ERR"
		says "ca-setflag: audit head: $after" || return
		[[ ${after%%:*} == $((${before%%:*} + 1)) ]] || return
		[[ $(rows ca.db "SELECT Action, Detail FROM audit
		    ORDER BY AuditID DESC LIMIT 1") == "flag|KRAFlags=$2" ]]
	fi
}

# wrong MESSAGE ARG...: an error, and nothing changes.
wrong()
{
	refuses 2 "ca-setflag: $1" ca-setflag -d ca.db "${@:2}" </dev/null
}

@test "ca-setflag: filter contract" {
	ca-setflag -d ca.db >flags.rec
	CUT_EMPTY=1 filter_contract ca-setflag -d ca.db - <flags.rec
}

@test "ca-setflag: output contract without stdin" {
	output_contract ca-setflag -d ca.db
	output_contract ca-setflag -d ca.db KRAFlags
	output_contract ca-setflag -n -d ca.db KRAFlags 1
}

@test "ca-setflag: usage" {
	local usage='usage: ca-setflag [-nqVv] -d db [- | name [value]]'

	refuses 2 "ca-setflag: -d db is missing: the archive
$usage" ca-setflag </dev/null
	refuses 2 "ca-setflag: -d db is missing: the archive
$usage" ca-setflag KRAFlags 1 </dev/null
	refuses 2 "ca-setflag: one setting at a time, or - to read them
$usage" ca-setflag -d ca.db KRAFlags 1 2 </dev/null
	# options end at the first operand
	wrong "-n: $nosymbol" KRAFlags -n
}

@test "ca-setflag: no operand prints all" {
	run_tool 0 ca-setflag -d ca.db
	says
	{
		flag KRAFlags 0 0
		flag KRACertCount 0 0
		flag RoleSeparationEnabled 0 0
	} | closed | cmp - "$OUT"
}

@test "ca-setflag: a name prints it" {
	run_tool 0 ca-setflag -d ca.db KRAFlags 5
	run_tool 0 ca-setflag -d ca.db KRAFlags
	says
	flag KRAFlags 5 5 'KRAF_ENABLEFOREIGN KRAF_ENABLEARCHIVEALL' | closed |
	    cmp - "$OUT"
	run_tool 0 ca-setflag -d ca.db KRACertCount
	flag KRACertCount 0 0 | closed | cmp - "$OUT"
}

@test "ca-setflag: a number sets" {
	sets 0 1 KRAF_ENABLEFOREIGN 1
	sets 1 2 KRAF_SAVEBADREQUESTKEY 2
	sets 2 4 KRAF_ENABLEARCHIVEALL 4
	sets 4 8 KRAF_DISABLEUSEDEFAULTPROVIDER 8
	sets 8 15 'KRAF_ENABLEFOREIGN KRAF_SAVEBADREQUESTKEY KRAF_ENABLEARCHIVEALL KRAF_DISABLEUSEDEFAULTPROVIDER' 15
	sets 15 0 '' 0
	sets 0 0 '' 0
	sets 0 10 'KRAF_SAVEBADREQUESTKEY KRAF_DISABLEUSEDEFAULTPROVIDER' 010
	whole ca.db
}

@test "ca-setflag: a hexadecimal number sets" {
	sets 0 10 'KRAF_SAVEBADREQUESTKEY KRAF_DISABLEUSEDEFAULTPROVIDER' 0xa
	sets 10 15 'KRAF_ENABLEFOREIGN KRAF_SAVEBADREQUESTKEY KRAF_ENABLEARCHIVEALL KRAF_DISABLEUSEDEFAULTPROVIDER' 0XF
	sets 15 1 KRAF_ENABLEFOREIGN 0x00000001
}

@test "ca-setflag: a symbol sets, in any case" {
	sets 0 1 KRAF_ENABLEFOREIGN KRAF_ENABLEFOREIGN
	sets 1 2 KRAF_SAVEBADREQUESTKEY kraf_savebadrequestkey
	sets 2 4 KRAF_ENABLEARCHIVEALL Kraf_EnableArchiveAll
	sets 4 8 KRAF_DISABLEUSEDEFAULTPROVIDER KRAF_DISABLEUSEDEFAULTPROVIDER
}

@test "ca-setflag: + and - set and clear bits" {
	sets 0 1 KRAF_ENABLEFOREIGN +KRAF_ENABLEFOREIGN
	sets 1 1 KRAF_ENABLEFOREIGN +1
	sets 1 5 'KRAF_ENABLEFOREIGN KRAF_ENABLEARCHIVEALL' +0x4
	sets 5 7 'KRAF_ENABLEFOREIGN KRAF_SAVEBADREQUESTKEY KRAF_ENABLEARCHIVEALL' +3
	sets 7 6 'KRAF_SAVEBADREQUESTKEY KRAF_ENABLEARCHIVEALL' -kraf_enableforeign
	sets 6 6 'KRAF_SAVEBADREQUESTKEY KRAF_ENABLEARCHIVEALL' -1
	sets 6 0 '' -15
}

@test "ca-setflag: names in any case, and with ca\\ before them" {
	local name

	for name in kraflags KRAFLAGS 'ca\KRAFlags' 'CA\kraflags'; do
		run_tool 0 ca-setflag -d ca.db "$name" +1
		[[ $(only flag <"$OUT" | field name) == KRAFlags ]]
		[[ $(settings) == '0 1 0' ]]
		run_tool 0 ca-setflag -d ca.db "$name" -1
		[[ $(settings) == '0 0 0' ]]
	done
}

@test "ca-setflag: an unknown name is an error" {
	wrong "KRAFlag: $unknown" KRAFlag
	wrong "KRAFlag: $unknown" KRAFlag 1
	wrong "ca\\ca\\KRAFlags: $unknown" 'ca\ca\KRAFlags' 1
	wrong "policy\\KRAFlags: $unknown" 'policy\KRAFlags' 1
	wrong ": $unknown" '' 1
	wrong "\\x1b[2J: $unknown" $'\e[2J'
	[[ $(settings) == '0 0 0' ]]
}

@test "ca-setflag: an unknown symbol, number or bit is an error" {
	local value

	run_tool 0 ca-setflag -d ca.db KRAFlags 1
	for value in KRAF_ENABLEFOREIG +KRAF_ENABLEFOREIGNX '' + - '++1' '+-1' \
	    ' 1' '1 ' 1x 0x 0xg 1,2 4294967296 0x100000001 \
	    99999999999999999999 KRACertCount; do
		wrong "$value: $nosymbol" KRAFlags "$value"
	done
	for value in 16 0x10 +16 +0x80000000 4294967295; do
		wrong "$value: more than KRAFlags allows (15)" KRAFlags "$value"
	done
	[[ $(settings) == '0 1 0' ]]
}

@test "ca-setflag: KRACertCount is at most the number of KRAs" {
	run_tool 0 ca-setflag -d ca.db KRACertCount 2
	flag KRACertCount 0 2 | closed | cmp - "$OUT"
	wrong 'KRACertCount 3: the archive has 2 KRAs (0 means all)' \
	    KRACertCount 3
	wrong 'KRACertCount 1000: the archive has 2 KRAs (0 means all)' \
	    KRACertCount 0x3e8
	wrong '1001: more than KRACertCount allows (1000)' KRACertCount 1001
	wrong 'KRACertCount is a number: + and - are for bits' KRACertCount +1
	wrong 'KRACertCount is a number: + and - are for bits' KRACertCount -1
	wrong 'KRAF_ENABLEFOREIGN: not a number' KRACertCount \
	    KRAF_ENABLEFOREIGN
	[[ $(settings) == '2 0 0' ]]
	run_tool 0 ca-setflag -d ca.db KRACertCount 0
	[[ $(settings) == '0 0 0' ]]
	whole ca.db
}

@test "ca-setflag: RoleSeparationEnabled is a switch" {
	run_tool 0 ca-setflag -d ca.db RoleSeparationEnabled 1
	flag RoleSeparationEnabled 0 1 | closed | cmp - "$OUT"
	says 'ca-setflag: RoleSeparationEnabled: kept, as on Windows, but without effect here' \
	    "ca-setflag: audit head: $(last_head ca.db)"
	# what was there before is not told again
	run_tool 0 ca-setflag -d ca.db RoleSeparationEnabled 1
	says
	wrong '2: more than RoleSeparationEnabled allows (1)' \
	    RoleSeparationEnabled 2
	[[ $(settings) == '0 0 1' ]]
	run_tool 0 ca-setflag -d ca.db RoleSeparationEnabled 0
	[[ $(settings) == '0 0 0' ]]
}

@test "ca-setflag: -v shows old and new value as certutil does" {
	run_tool 0 ca-setflag -q -d ca.db KRAFlags 2
	run_tool 0 ca-setflag -v -d ca.db KRAFlags 0xb
	says 'ca-setflag: KRAF_DISABLEUSEDEFAULTPROVIDER: kept, as on Windows, but without effect here' \
	    "ca-setflag: audit head: $(last_head ca.db)" "$(cat <<-'END'
	ca\KRAFlags:

	Old Value:
	  KRAFlags REG_DWORD = 2
	    KRAF_SAVEBADREQUESTKEY -- 2

	New Value:
	  KRAFlags REG_DWORD = b (11)
	    KRAF_ENABLEFOREIGN -- 1
	    KRAF_SAVEBADREQUESTKEY -- 2
	    KRAF_DISABLEUSEDEFAULTPROVIDER -- 8
	END
	)"
	flag KRAFlags 2 11 'KRAF_ENABLEFOREIGN KRAF_SAVEBADREQUESTKEY KRAF_DISABLEUSEDEFAULTPROVIDER' |
	    closed | cmp - "$OUT"
	# as -getreg; with a second -v also what is not set
	run_tool 0 ca-setflag -vv -d ca.db KRAFlags
	says "$(cat <<-'END'
	ca\KRAFlags:

	  KRAFlags REG_DWORD = b (11)
	    KRAF_ENABLEFOREIGN -- 1
	    KRAF_SAVEBADREQUESTKEY -- 2
	    (KRAF_ENABLEARCHIVEALL -- 4)
	    KRAF_DISABLEUSEDEFAULTPROVIDER -- 8
	END
	)"
	run_tool 0 ca-setflag -vn -d ca.db KRACertCount 1
	says "$(cat <<-'END'
	ca\KRACertCount:

	Old Value:
	  KRACertCount REG_DWORD = 0

	New Value:
	  KRACertCount REG_DWORD = 1
	END
	)"
}

@test "ca-setflag: -n writes nothing" {
	run_tool 0 ca-setflag -d ca.db KRAFlags 1
	cp ca.db before.db
	run_tool 0 ca-setflag -n -d ca.db KRAFlags +2
	says
	flag KRAFlags 1 3 'KRAF_ENABLEFOREIGN KRAF_SAVEBADREQUESTKEY' |
	    closed | cmp - "$OUT"
	flag KRACertCount 9 1 | closed >one.rec
	run_tool 0 ca-setflag -n -d ca.db - <one.rec
	flag KRACertCount 0 1 | closed | cmp - "$OUT"
	cmp before.db ca.db
	# what would be refused is
	run_tool 2 ca-setflag -n -d ca.db KRACertCount 3
	says 'ca-setflag: KRACertCount 3: the archive has 2 KRAs (0 means all)'
}

@test "ca-setflag: -n and printing work on a read-only medium" {
	need_unprivileged
	mkdir ro
	cp ca.db ro
	chmod 400 ro/ca.db
	chmod 555 ro
	run_tool 0 "${unprivileged[@]}" ca-setflag -d ro/ca.db
	[[ $(only flag <"$OUT" | wc -l) == 3 ]]
	run_tool 0 "${unprivileged[@]}" ca-setflag -n -d ro/ca.db KRAFlags +1
	[[ $(only flag <"$OUT" | field new) == 1 ]]
	cmp ca.db ro/ca.db
	run_tool 2 "${unprivileged[@]}" ca-setflag -d ro/ca.db KRAFlags +1
	says "ca-setflag: $(pwd -P)/ro/ca.db: cannot open: attempt to write a readonly database (make the file and its directory writable)"
	nothing_out ca-setflag
	[[ $(ls -A ro) == ca.db ]]
	cmp ca.db ro/ca.db
	chmod 755 ro
}

@test "ca-setflag: one archive's output sets another's" {
	run_tool 0 ca-setflag -d ca.db KRAFlags 9
	run_tool 0 ca-setflag -d ca.db KRACertCount 1
	run_tool 0 ca-setflag -d ca.db RoleSeparationEnabled 1
	run_tool 0 ca-setflag -d ca.db
	cp "$OUT" flags.rec
	new_archive other.db
	run_tool 0 ca-setflag -d other.db - <flags.rec
	says 'ca-setflag: KRAF_DISABLEUSEDEFAULTPROVIDER: kept, as on Windows, but without effect here' \
	    'ca-setflag: RoleSeparationEnabled: kept, as on Windows, but without effect here' \
	    "ca-setflag: audit head: $(last_head other.db)"
	{
		flag KRAFlags 1 9 \
		    'KRAF_ENABLEFOREIGN KRAF_DISABLEUSEDEFAULTPROVIDER'
		flag KRACertCount 0 1
		flag RoleSeparationEnabled 0 1
	} | closed | cmp - "$OUT"
	[[ $(settings other.db) == '1 9 1' ]]
	# in one commit
	[[ $(rows other.db "SELECT group_concat(Detail, '|') FROM audit
	    WHERE AuditID > 2") == \
	    'KRAFlags=9 KRACertCount=1 RoleSeparationEnabled=1' ]]
	whole other.db
	# and what a change printed takes it back
	run_tool 0 ca-setflag -d other.db - <flags.rec
	says
	[[ $(settings other.db) == '1 9 1' ]]
}

@test "ca-setflag: the page's example: before.flags puts back what was there" {
	ca-setflag -d ca.db >before.flags
	run_tool 0 ca-setflag -d ca.db KRAFlags +KRAF_ENABLEFOREIGN
	[[ $(settings) == '0 1 0' ]]
	run_tool 0 ca-setflag -d ca.db - <before.flags
	[[ $(settings) == '0 0 0' ]]
}

@test "ca-setflag: later records of a name build on earlier ones" {
	{
		flag KRAFlags 0 1
		flag kraflags 0 +4
		flag KRAFlags 0 -1
	} | closed >flags.rec
	run_tool 0 ca-setflag -d ca.db - <flags.rec
	flag KRAFlags 0 4 KRAF_ENABLEARCHIVEALL | closed | cmp - "$OUT"
	[[ $(settings) == '0 4 0' ]]
}

@test "ca-setflag: one bad record, and none is taken" {
	local bad

	while read -r bad message; do
		{
			flag KRAFlags 0 1
			# shellcheck disable=SC2086 # two words
			flag ${bad/=/ 0 }
		} | closed >flags.rec
		refuses 2 "ca-setflag: $message" ca-setflag -d ca.db - <flags.rec
		[[ $(settings) == '0 0 0' ]]
	done <<-END
	Password=1 Password: $unknown
	KRAFlags=16 16: more than KRAFlags allows (15)
	KRAFlags=x x: $nosymbol
	KRACertCount=3 KRACertCount 3: the archive has 2 KRAs (0 means all)
	END
	[[ $(rows ca.db 'SELECT count(*) FROM audit') == 1 ]]
}

@test "ca-setflag: records that are long in coming hold nobody up" {
	local status=0 pid to

	mkfifo in
	ca-setflag -d ca.db - <in >got 2>err 3>&- &
	pid=$!
	exec {to}>in
	flag KRAFlags 0 +4 >&"$to"
	waits "$pid" 0
	# another writer, meanwhile
	run_tool 0 timeout 10 ca-setflag -d ca.db KRAFlags 1
	{
		flag KRAFlags 0 +4
	} | closed | tail -n 1 >&"$to"
	exec {to}>&-
	wait "$pid" || status=$?
	((status == 0))
	flag KRAFlags 1 5 'KRAF_ENABLEFOREIGN KRAF_ENABLEARCHIVEALL' | closed |
	    cmp - got
	[[ $(settings) == '0 5 0' ]]
}

@test "ca-setflag: so many records, and no more" {
	flag KRAFlags 0 1 >one
	yes "$(<one)" | head -n 1000 >body
	closed <body >most.rec
	run_tool 0 ca-setflag -d ca.db - <most.rec
	cat body one | closed >more.rec
	refuses 2 'ca-setflag: more than 1000 flag records: give each setting once' \
	    ca-setflag -d ca.db - <more.rec
}

@test "ca-setflag: records that are no flags" {
	flag KRAFlags 0 1 | closed >flags.rec
	{
		flag KRAFlags 0 1
		record 2 kra "$ORG/kra1.pem"
	} | closed >other.rec
	refuses 2 'ca-setflag: stdin:2: not a flag record' \
	    ca-setflag -d ca.db - <other.rec
	head -n 1 flags.rec >half.rec
	refuses 2 'ca-setflag: stdin:2: no end record: the stream was cut: fetch it whole' \
	    ca-setflag -d ca.db - <half.rec
	sed '1s/new:1/new:2/' flags.rec >altered.rec
	refuses 2 'ca-setflag: stdin:2: the digest of the stream differs: it was altered' \
	    ca-setflag -d ca.db - <altered.rec
	printf 'rec:flag\tname:KRAFlags\tnew:1\n' | closed >short.rec
	run_tool 2 ca-setflag -d ca.db - <short.rec
	[[ $(settings) == '0 0 0' ]]
	[[ $(rows ca.db 'SELECT count(*) FROM audit') == 1 ]]
}

@test "ca-setflag: a file that is not there" {
	refuses 2 "ca-setflag: $(pwd -P)/none.db: No such file or directory (ca-init makes an archive)" \
	    ca-setflag -d none.db KRAFlags 1 </dev/null
}

@test "ca-setflag: output that is lost: what was committed stays" {
	local status=0

	ca-setflag -d ca.db KRAFlags 1 >/dev/full 2>"$ERR" || status=$?
	((status == 2))
	says "ca-setflag: audit head: $(last_head ca.db)" \
	    'ca-setflag: cannot write standard output: No space left on device'
	[[ $(settings) == '0 1 0' ]]
	whole ca.db
}

@test "ca-setflag: a name that is no base64 is not told as a lack of memory" {
	printf 'rec:flag\tname_b64:!!!\told:0\tnew:1\tset:\n' | closed >bad
	run_tool 2 ca-setflag -d ca.db - <bad
	nothing_out ca-setflag
	says 'ca-setflag: stdin:1: name or new is not there, or not base64'
}
