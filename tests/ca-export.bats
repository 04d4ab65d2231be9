# ca-export(1): selecting, listing, the audit row, the signed recovery blob.
# shellcheck disable=SC2030,SC2031 # each test is a subshell

load common
load ca

# What the archive of all tests holds beside the two backups: a certificate
# whose names are all different, imported by another requester.
odd_one()
{
	local names=email:san@example.net

	names+=',otherName:1.3.6.1.4.1.311.20.2.3;UTF8:upn@ad'
	openssl req -x509 -newkey rsa:1024 -noenc -days 1 \
	    -config <(printf '[req]\ndistinguished_name = dn\n[dn]\n') \
	    -subj '/O=Odd/CN=Odd Name' -set_serial 0xABCDEF0123 \
	    -addext keyUsage=keyEncipherment -addext "subjectAltName = $names" \
	    -keyout odd.key -out odd.pem 2>/dev/null
	cat odd.key odd.pem >odd-key.pem
	printf 'path:*\tgroup:odd group\tuser:odd user\tmail:kms@example.net\n' \
	    >map
	tar cf - odd-key.pem | kms-export -q -m map -c "$ORG/machine.pem" \
	    -S "$ORG/machine.p12" -p "file:$ORG/machine.pw" |
	    ca-import -fq -R 'DOMAIN\odd requester' -d ca.db \
	    -k "$ORG/machine.p12" -p "file:$ORG/machine.pw" >odd.log
}

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	org_archive .
	odd_one 2>>log
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR/ca.db" .
	cat "$ORG/ca.pem" "$ORG/ca.key" >ca-key.pem
}

# odd WHAT: of its certificate, as openssl tells.
odd()
{
	openssl x509 -in "$BATS_FILE_TMPDIR/odd.pem" "$@"
}

# selects COUNT OPTION...: ca-export finds as many rows, and each is there once.
selects()
{
	local count=$1

	shift
	run_tool "$((count == 0))" ca-export -n -d ca.db "$@"
	if [[ $(only archived <"$OUT" | field id | sort -u | wc -l) != "$count" ||
	    $(field rec <"$OUT" | grep -c archived) != "$count" ]]; then
		echo "not $count rows: $*" >&2
		cut -f 1-12 "$OUT" >&2
		return 1
	fi
}

# finds COUNT TOKEN: so does ca-export -s TOKEN.
finds()
{
	selects "$1" -s "$2"
}

# only_odd TOKEN: it finds the odd one, and no other.
only_odd()
{
	finds 1 "$1" && [[ $(only archived <"$OUT" | field subject) == \
	    'CN=Odd Name,O=Odd' ]]
}

# ledger KIND: SHA-1 of what org.bash made.
ledger()
{
	awk -F '\t' -v "kind=$1" '$2 == kind { print $3 }' "$ORG/ledger"
}

# audits: the number of audit rows.
audits()
{
	sqlite3 ca.db 'select count(*) from audit'
}

# blob_of N: the archived key in the record number N of $OUT, DER.
blob_of()
{
	only archived <"$OUT" | sed -n "$1p" | field "${2-blob}" | base64 -d
}

@test 'keeps the contract of a tool without input' {
	output_contract ca-export -d ca.db
	output_contract ca-export -n -d ca.db -s jane
}

@test 'usage: no archive, an operand' {
	local usage='usage: ca-export [-anqVv] [-b from] -d db [-e until]'

	usage+=' [-g group]... [-k cacred] [-p secret]... [-s token]...'
	usage+=' [-u user]...'
	refuses 2 "ca-export: -d db is missing: the archive
$usage" ca-export
	refuses 2 "ca-export: jane: no operand is expected (a file is given as <FILE)
$usage" ca-export -d ca.db jane
	refuses 2 "ca-export: option requires an argument -- 's'
$usage" ca-export -d ca.db -s
}

@test 'every row, its fields in the order of kms-record(5)' {
	local want='rec n id disposition submitted requester group user mail'

	want+=' guid serial issuer subject not_before not_after alg spki ski'
	want+=' sha1 sha256 kra caller source stream format audit key_audit'
	want+=' name cert blob'
	run_tool 0 ca-export -d ca.db
	only archived <"$OUT" >rows
	[[ $(wc -l <rows) == $(($(ledger key | wc -l) + 2)) ]]
	awk -F '\t' -v OFS=' ' '{ gsub(/:[^\t]*/, ""); $1 = $1 } 1' rows |
	    sort -u >labels
	diff <(echo "$want") labels
	field n <rows | diff <(seq "$(wc -l <rows)") -
	field id <rows | sort -nc
	# keys, and the one certificate whose key is gone
	diff <({ ledger key; ledger cert; odd -outform DER | sha1sum |
	    cut -d ' ' -f 1; } | sort) <(field sha1 <rows | sort)
	[[ $(grep -c $'\tblob:$' rows) == 1 ]]
	grep $'\tblob:$' rows | field sha1 | diff <(ledger cert) -
}

@test 'closed by a plain end whose digest is right' {
	run_tool 0 ca-export -d ca.db -s jane
	[[ $(only end <"$OUT" | wc -l) == 1 ]]
	sed '$d' "$OUT" | sha256sum | cut -d ' ' -f 1 >digest
	printf 'rec:end\tn:4\tkeys:0\tcerts:0\tfaults:0\tsha256:%s\tsig:\n' \
	    "$(<digest)" | diff - <(tail -n 1 "$OUT")
}

@test 'says of a certificate what openssl says' {
	run_tool 0 ca-export -d ca.db -s carol
	only archived <"$OUT" | tail -n 1 >row
	field cert <row | base64 -d >cert.der
	openssl x509 -inform DER -in cert.der -pubkey -noout |
	    openssl pkey -pubin -outform DER >spki
	cat >want <<-WANT
	disposition:20
	group:North America
	user:carol
	mail:carol@example.com
	guid:
	serial:$(openssl x509 -inform DER -in cert.der -noout -serial |
	    cut -d = -f 2 | tr A-F a-f)
	issuer:CN=Example CA,O=Example
	subject:CN=carol,CN=Recipients,OU=North America,O=Example
	not_before:2003-06-01T00:00:00Z
	not_after:2004-12-01T00:00:00Z
	alg:RSA-2048
	spki:$(sha256sum <spki | cut -d ' ' -f 1)
	ski:$(openssl asn1parse -inform DER -in spki -strparse 19 -noout \
	    -out - | sha1sum | cut -d ' ' -f 1)
	sha1:$(sha1sum <cert.der | cut -d ' ' -f 1)
	sha256:$(sha256sum <cert.der | cut -d ' ' -f 1)
	WANT
	tr '\t' '\n' <row | grep -E \
	    "^($(sed 's/:.*//' want | paste -s -d '|')):" | diff want -
	# both agents, in the order they were stored
	[[ $(field kra <row) == "$(openssl x509 -in "$ORG/kra1.pem" \
	    -outform DER | sha1sum | cut -d ' ' -f 1) $(openssl x509 \
	    -in "$ORG/kra2.pem" -outform DER | sha1sum | cut -d ' ' -f 1)" ]]
	field requester <row | diff <(id -un) -
	field submitted <row |
	    grep -Ex '20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9](:[0-5][0-9]){2}Z'
}

@test 'a disposition for each: 20 of this CA, 12 foreign' {
	run_tool 0 ca-export -n -d ca.db
	only archived <"$OUT" >rows
	awk -F '\t' '$2 == "key" || $2 == "cert" {
		print ($10 == "ca" ? 20 : 12), $3
	}' "$ORG/ledger" | sort >want
	paste -d ' ' <(field disposition <rows) <(field sha1 <rows) |
	    grep -v " $(odd -outform DER | sha1sum | cut -d ' ' -f 1)" |
	    sort | diff want -
}

@test 'finds by common name' {
	only_odd 'Odd Name'
	only_odd 'odd name'
	finds 4 jane
	# the certificate without a key, too
	finds 2 janet
}

@test 'finds by KMS user' {
	only_odd 'odd user'
}

@test 'finds by mail address, of the certificate and of the KMS' {
	only_odd san@example.net
	only_odd SAN@Example.NET
	only_odd kms@example.net
	finds 3 jane@example.com
}

@test 'finds by UPN' {
	only_odd upn@ad
}

@test 'finds by requester, if that is asked for' {
	only_odd 'requester:DOMAIN\odd requester'
	only_odd 'requester:domain\ODD requester'
	finds 24 "requester:$(id -un)"
	# the KMS may have a user of the name of who imported
	sqlite3 ca.db "update request set KmsUser = '$(id -un)'
	    where RequestID = 3"
	finds 1 "$(id -un)"
	[[ $(only archived <"$OUT" | field id) == 3 ]]
	finds 0 'DOMAIN\odd requester'
}

@test 'finds by serial number, in any spelling, if that is asked for' {
	local number

	for number in abcdef0123 ABCDEF0123 'AB CD EF 01 23' ab:cd:ef:01:23 \
	    0xABCDEF0123 AB-CD-EF-01-23 00abcdef0123 $'\xe2\x80\x8eabcdef0123'; do
		only_odd "serial:$number"
	done
	finds 0 serial:0
	# the personnel number of one is the serial number of another
	sqlite3 ca.db "update certificate set SerialNumber = '1008'
	    where RequestID = 5;
	    update request set KmsUser = '1008' where RequestID = 7;
	    update certificate set SerialNumber = '05' where RequestID = 8;
	    update certificate set SerialNumber = '-05' where RequestID = 9"
	finds 1 1008
	[[ $(only archived <"$OUT" | field user) == 1008 ]]
	finds 2 serial:1008
	[[ $(only archived <"$OUT" | field id | head -n 1) == 5 ]]
	finds 0 0x1008
	finds 1 serial:5
	[[ $(only archived <"$OUT" | field id) == 8 ]]
	finds 1 serial:-0x5
	[[ $(only archived <"$OUT" | field id) == 9 ]]
	finds 0 abcdef0123
}

@test 'finds by row, if that is asked for' {
	finds 0 4
	finds 1 id:4
	[[ $(only archived <"$OUT" | field id) == 4 ]]
}

@test 'each label finds in its own field only' {
	only_odd mail:san@example.net
	only_odd mail:kms@example.net
	only_odd UPN@AD
	only_odd upn:upn@ad
	only_odd 'cn:odd name'
	only_odd 'user:Odd User'
	finds 0 'cn:odd user'
	finds 0 'user:odd name'
	finds 0 mail:upn@ad
	finds 0 upn:san@example.net
	finds 0 "user:$(id -un)"
}

@test 'what no label can mean is refused' {
	refuses 2 'ca-export: -s: an empty token' ca-export -d ca.db -s cn:
	refuses 2 'ca-export: -s srl:12: no such label: mail, upn, cn, user, former, serial, '\
'sha1, sha256, ski, requester, id or source (cn:srl:12, if that is a name; a hash only '\
'in full)' ca-export -d ca.db -s srl:12
	refuses 2 'ca-export: -s serial:12z: not all hex digits' \
	    ca-export -d ca.db -s serial:12z
	refuses 2 'ca-export: -s sha1:12: 2 hex digits, and a sha1 has 40' \
	    ca-export -d ca.db -s sha1:12
	refuses 2 'ca-export: -s id:0x4: not a row number' \
	    ca-export -d ca.db -s id:0x4
	refuses 2 'ca-export: -g: an empty group' ca-export -d ca.db -g ''
	refuses 2 'ca-export: -u: an empty user' ca-export -d ca.db -u ''
	finds 0 cn:srl:12
}

@test 'one name, two groups: -g and -u tell them apart' {
	sqlite3 ca.db "update request set KmsGroup = 'Europe', KmsUser = 'jane'
	    where KmsUser = 'carol'"
	selects 6 -u jane
	selects 2 -u jane -g Europe
	[[ $(only archived <"$OUT" | field mail | sort -u) == carol@example.com ]]
	selects 2 -u 'JAN?' -g 'eur*'
	selects 4 -u jane -g 'North*'
	# each kind must be met, and of one kind one
	selects 0 -u jane -g Europe -s jane@example.com
	says 'ca-export: rows 0' 'ca-export: there are rows for each of the '\
'options, and none for all of -b, -e, -g, -s and -u together'
	selects 6 -u jane -g Europe -g 'North America'
	selects 3 -u jane -s jane@example.com
	selects 4 -u odd* -u jane -s 'odd name' -s jane@example.com
	run_tool 0 ca-export -d ca.db -u jane -g Europe -e 2010
	[[ $(sqlite3 ca.db 'select Detail from audit
	    order by AuditID desc limit 1') == \
	    'rows=2 last='*' user=jane group=Europe until=2010' ]]
}

@test '-b and -e: valid at some time between two dates' {
	local n

	only archived <<<"$(ca-export -n -d ca.db 2>"$ERR")" >rows
	n=$(awk -F '\t' '$14 <= "not_before:1999" && $15 >= "not_after:1998"' \
	    rows | wc -l)
	((n > 2 && n < 20))
	# a year is all of it
	n=$(awk -F '\t' '$14 < "not_before:2000" && $15 >= "not_after:1998"' \
	    rows | wc -l)
	selects "$n" -b 1998 -e 1999
	n=$(awk -F '\t' '$15 >= "not_after:2004-05-01"' rows | wc -l)
	selects "$n" -b 2004-05-01
	n=$(awk -F '\t' '$14 <= "not_before:1998-06-02"' rows | wc -l)
	selects "$n" -e 1998-06-01T23:59:59Z
	selects 0 -e 1900
	for n in 98 1998-6 1998-06-01T00 yesterday 1998-06-01T00:00:00+01; do
		refuses 2 "ca-export: -b $n: not a date: 2001, 2001-05, "\
'2001-05-31 or 2001-05-31T12:00:00Z' ca-export -d ca.db -b "$n"
	done
}

@test 'names in every script, without regard to case' {
	sqlite3 ca.db "update request set KmsUser = 'Иван Грозный',
	    KmsMail = 'JÖRG@example.com' where RequestID = 3;
	    update request set KmsUser = 'ΟΔΥΣΣΕΥΣ' where RequestID = 4;
	    update request set KmsUser = 'Kelvin' where RequestID = 5"
	finds 1 'ИВАН ГРОЗНЫЙ'
	finds 1 jörg@EXAMPLE.com
	finds 1 'Οδυσσευς'
	selects 1 -u 'иВАН*'
	# the sign of Kelvin is no K, and Turkish i without a dot no i
	finds 0 $'\xe2\x84\xaaelvin'
	finds 0 $'Kelv\xc4\xb1n'
}

@test 'nothing found: what a token is compared with, and what is like it' {
	sqlite3 ca.db "update request set KmsUser = 'Jörg' where RequestID = 3;
	    update request set KmsUser = cast(x'47fc6e746572' as text)
		where RequestID = 4;
	    update request set KmsUser = 'Фёдор' where RequestID = 5;
	    update certificate set SerialNumber = '1008' where RequestID = 6"
	all='no mail address, UPN, user or common name, in full and without '
	all+='wildcards, and no hash in full: -n without -s lists all'
	finds 0 jorg
	says 'ca-export: rows 0' "ca-export: -s jorg: $all" \
	    'ca-export: -s jorg: like it: user Jörg (row 3)'
	finds 0 günter
	says 'ca-export: rows 0' "ca-export: -s günter: $all" \
	    'ca-export: -s günter: like it: user G\xfcnter (row 4)'
	finds 0 ФЕДОР
	grep -qx 'ca-export: -s ФЕДОР: like it: user Фёдор (row 5)' "$ERR"
	finds 0 'carol*'
	grep -qx 'ca-export: -s carol\*: like it: user carol (row [0-9]*)' "$ERR"
	grep -qx 'ca-export: -s carol\*: like it: mail carol@example.com (row [0-9]*)' \
	    "$ERR"
	finds 0 1008
	grep -qx 'ca-export: -s 1008: like it: serial 1008 (row 6)' "$ERR"
	finds 0 'DOMAIN\odd requester'
	grep -q 'like it: requester DOMAIN' "$ERR"
	finds 0 'odd group'
	grep -q 'like it: group odd group (row' "$ERR"
	# what is not like it is not named
	selects 0 -u 'j'
	says 'ca-export: rows 0' \
	    'ca-export: -u j: no row has that: -n without -u lists all'
	finds 0 'user:xyz'
	says 'ca-export: rows 0' \
	    'ca-export: -s user:xyz: no row has that: -n without -s lists all'
	# one of two that has no row is said as well
	selects 2 -u carol -u carrol
	says 'ca-export: rows 2' \
	    'ca-export: -u carrol: no row has that: -n without -u lists all'
}

@test 'finds by thumbprint, however it is typed' {
	local sha1 sha256 sum

	sha1=$(odd -noout -fingerprint -sha1 | cut -d = -f 2)
	sha256=$(odd -noout -fingerprint -sha256 | cut -d = -f 2)
	for sum in "$sha1" "$sha256"; do
		only_odd "$sum"
		only_odd "${sum,,}"
		only_odd "${sum//:/ }"
		only_odd "${sum//:/}"
		sum=${sum//:/}
		only_odd "${sum,,}"
	done
}

@test 'finds by subject key identifier' {
	local ski

	# it has no such extension, so it is the SHA-1 of the public key
	ski=$(odd -pubkey -noout | openssl pkey -pubin -outform DER |
	    openssl asn1parse -inform DER -strparse 18 -noout -out - |
	    sha1sum | cut -d ' ' -f 1)
	only_odd "$ski"
	# this one has
	ski=$(openssl x509 -in "$ORG/keys/carol-2003.pem" -noout \
	    -ext subjectKeyIdentifier | tail -n 1)
	finds 1 "${ski//[ $'\n']/}"
	finds 1 "ski:${ski//[ $'\n']/}"
}

@test 'a token must match in full, and is no pattern' {
	local token

	for token in jan 'jane@' '@example.com' 'Odd' abcdef01 '%' '*' '_____' \
	    "' or 1 = 1 --" 'CN=jane' ' ' ': :' 'jan*' \
	    "$(odd -outform DER | sha1sum | cut -c 1-20)"; do
		finds 0 "$token"
	done
}

@test 'several tokens give the rows of each, once, in order' {
	run_tool 0 ca-export -n -d ca.db -s heidi -s bob -s bob@example.com \
	    -s nobody -s serial:ABCDEF0123
	only archived <"$OUT" >rows
	field user <rows | sort | uniq -c | sed 's/^ *//' |
	    diff - <(printf '2 bob\n2 heidi\n1 odd user\n')
	field n <rows | diff <(seq 5) -
	field id <rows | sort -nc
}

@test 'nothing found: exit 1, no audit row' {
	local before

	before=$(audits)
	run_tool 1 ca-export -d ca.db -s nobody@example.com
	head -n 1 "$ERR" | diff - <(echo 'ca-export: rows 0')
	diff <(printf 'rec:end\tn:0\tkeys:0\tcerts:0\tfaults:0\tsha256:%s\tsig:\n' \
	    "$(sha256sum </dev/null | cut -d ' ' -f 1)") "$OUT"
	[[ $(audits) == "$before" ]]
}

@test 'an empty token, as of a variable that is not set, is refused' {
	refuses 2 'ca-export: -s: an empty token' ca-export -d ca.db -s ''
}

@test '-n lists the same rows, without keys' {
	run_tool 0 ca-export -n -d ca.db
	says 'ca-export: rows 25'
	cp "$OUT" list
	run_tool 0 ca-export -d ca.db
	diff <(sed '$d; s/\tblob:.*/\tblob:/' "$OUT") <(sed '$d' list)
	not cmp -s list "$OUT"
}

@test '-n writes nothing: not to the file, not beside it' {
	local before

	before=$(files)
	run_tool 0 ca-export -n -d ca.db -s jane
	same_files "$before" ca-export
	cmp ca.db "$BATS_FILE_TMPDIR/ca.db"
	run_tool 1 ca-export -n -d ca.db -s nobody
	same_files "$before" ca-export
}

@test '-n reads what a writer has not yet checkpointed' {
	# a reader that stays keeps the log from being written back
	local reader

	coproc sqlite3 -readonly ca.db
	reader=$COPROC_PID
	echo 'begin; select count(*) from audit;' >&"${COPROC[1]}"
	read -r _ <&"${COPROC[0]}"
	run_tool 0 ca-export -d ca.db -s jane
	[[ -s ca.db-wal ]]
	run_tool 0 ca-audit -A "$(last_head ca.db)" -d ca.db
	run_tool 0 ca-export -n -d ca.db -s jane
	[[ $(only archived <"$OUT" | wc -l) == 4 ]]
	echo .quit >&"${COPROC[1]}"
	wait "$reader"
}

@test '-n lists from a read-only medium, whatever its name' {
	local dir='med 50%41?x#y'

	unshare -m true 2>/dev/null || skip 'no unshare -m here'
	mkdir "$dir"
	cp ca.db "$dir"
	run_tool 0 ca-export -n -d ca.db
	cp "$OUT" want
	cat >on-medium <<'SH'
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99
dir=$1
shift
"$@" -d "$dir/ca.db"
SH
	run_tool 0 unshare -m bash on-medium "$dir" ca-export -n
	cmp want "$OUT"
	refuses 2 "ca-export: $PWD/$dir/ca.db: cannot open: unable to open \
database file (make the file and its directory writable)" \
	    unshare -m bash on-medium "$dir" ca-export
	[[ $(ls "$dir") == ca.db ]]
}

@test '-n lists from a medium whose owner and modes are another' {
	unshare -m true 2>/dev/null || skip 'no unshare -m here'
	(($(id -u) == 0)) || skip 'not root'
	mkdir med
	cp ca.db med
	ln med/ca.db med/other.db
	chmod 444 med/ca.db
	chown -R 65534 med
	chmod 777 med
	run_tool 0 ca-export -n -d ca.db
	cp "$OUT" want
	cat >on-medium <<'SH'
mount --bind med med && mount -o remount,bind,ro med || exit 99
"$@"
SH
	run_tool 0 unshare -m bash on-medium ca-export -n -d med/ca.db
	cmp want "$OUT"
	run_tool 0 unshare -m bash on-medium ca-audit -d med/ca.db
	# but who writes must own it
	refuses 2 "ca-export: $PWD/med: this directory belongs to another \
user, who can replace the archive: run chown on it, or give the archive one of \
its own" unshare -m bash on-medium ca-export -d med/ca.db
	# and where it can be written, so must who reads
	chown 0 med
	refuses 2 "ca-export: $PWD/med: others can write this directory, and \
replace the archive: run chmod go-w on it, or give the archive one of its own" \
	    ca-export -n -d med/ca.db
}

@test 'each export is an audit row: who, what, how many' {
	local before

	before=$(audits)
	run_tool 0 ca-export -q -d ca.db -s carol -s 'o"dd;'\''--'
	[[ $(audits) == $((before + 1)) ]]
	sqlite3 ca.db 'select Caller, Action, Detail from audit
	    order by AuditID desc limit 1' >row
	diff - row <<-ROW
	$(id -un)|export|rows=2 last=$(only archived <"$OUT" | tail -n 1 |
	    field id) token=carol token=o"dd;'--
	ROW
	head -n 2 "$ERR" | diff - <(echo "ca-export: audit head: $(last_head ca.db)"
	    echo 'ca-export: rows 2')
}

@test 'the audit row has every token in full' {
	local long before

	long=$(printf 'a%.0s' {1..65000})
	run_tool 0 ca-export -d ca.db -s erin -s "$long" -s 'and the last'
	[[ $(sqlite3 ca.db 'select Detail from audit
	    order by AuditID desc limit 1') == \
	    *" token=erin token=$long token=and the last" ]]
	run_tool 0 ca-audit -A "$(last_head ca.db)" -d ca.db
	run_tool 0 ca-dump -d ca.db
	# more would be a row that no dump can hold
	before=$(audits)
	run_tool 2 ca-export -d ca.db -s erin -s "$long" -s "$long"
	nothing_out ca-export
	says "ca-export: -s: 130039 bytes of tokens, and an audit row keeps 65536: search in several runs"
	[[ $(audits) == "$before" ]]
}

@test 'the audit row is committed before the first key leaves' {
	local before head

	before=$(audits)
	# more than a pipe and its buffers hold: it cannot get to its end
	run_tool 0 ca-export -d ca.db -k ca-key.pem
	(($(stat -c %s "$OUT") > 160 * 1024))
	[[ $(audits) == $((before + 1)) ]]
	{ ca-export -d ca.db -k ca-key.pem 2>"$ERR" || echo $? >status; } |
	    head -c 1 >byte
	[[ $(<byte) == r && $(<status) == 2 ]]
	[[ $(audits) == $((before + 2)) ]]
	head=$(last_head ca.db)
	says "ca-export: audit head: $head" 'ca-export: rows 25'
	run_tool 0 ca-audit -A "$head" -d ca.db
}

@test 'an archive that cannot be written gives no key' {
	need_writes
	cp ca.db before.db
	run_tool 2 bash -c 'ulimit -f 1; ca-export -d ca.db'
	nothing_out ca-export
	[[ $(<"$ERR") == *'(look at the disk and at ulimit -f, and run again)' ]]
	cmp ca.db before.db
}

@test 'what is given is of the moment that was checked' {
	local pid how fd status

	cp ca.db before.db
	mkfifo full
	for how in -n ''; do
		cp before.db ca.db
		# messages block, so that it stands where it was whole or counted
		exec {fd}<>full
		head -c 65536 /dev/zero >&"$fd"
		# shellcheck disable=SC2086 # words
		ca-export $how -d ca.db >got 2>full 3>&- &
		pid=$!
		waits "$pid" 2 write
		sqlite3 -cmd '.timeout 9000' ca.db "update request
		    set KmsUser = 'eve'"
		head -c 65536 <&"$fd" >/dev/null
		status=0
		wait "$pid" || status=$?
		exec {fd}>&-
		((status == 0))
		[[ $(only archived <got | wc -l) == 25 ]]
		not grep -q user:eve got
	done
}

@test '-k wraps the key: signed by the CA, with the certificates' {
	run_tool 0 ca-export -d ca.db -s carol@example.com
	blob_of 2 >env.der
	sqlite3 ca.db "select hex(RawArchivedKey) from request where RequestID =
	    $(only archived <"$OUT" | tail -n 1 | field id)" |
	    basenc -d --base16 | cmp - env.der
	run_tool 0 ca-export -d ca.db -k ca-key.pem -s carol@example.com
	only archived <"$OUT" >rows
	not grep -q $'\tblob' rows
	grep -c $'\tcert:[^\t]*\trecovery:[^\t]*$' rows | grep -x 2
	blob_of 2 recovery >rec.der
	# the CA has signed, none other, with SHA-256, and what is signed is
	# the archived key to the byte
	openssl cms -verify -binary -inform DER -in rec.der -nointern -noverify \
	    -certfile "$ORG/ca.pem" -out content 2>/dev/null
	cmp content env.der
	not openssl cms -verify -binary -inform DER -in rec.der -nointern \
	    -noverify -certfile "$ORG/kms.pem" -out /dev/null 2>/dev/null
	openssl cms -inform DER -in rec.der -cmsout -print -noout >print
	[[ $(grep -c 'd.issuerAndSerialNumber' print) == 1 ]]
	grep -A 20 signerInfos print | grep -q 'algorithm: sha256 '
	grep -A 2 encapContentInfo print |
	    grep -q 'eContentType: pkcs7-envelopedData'
	# the user's certificate, the CA's and the agents'
	openssl cms -verify -binary -inform DER -in rec.der -noverify \
	    -certsout certs.pem -out /dev/null 2>/dev/null
	openssl crl2pkcs7 -nocrl -certfile certs.pem | subjects >names
	diff - names <<-'SUBJECTS'
	O=Example, CN=Example CA
	O=Example, CN=Recovery Agent 1
	O=Example, CN=Recovery Agent 2
	O=Example, OU=North America, CN=Recipients, CN=carol
	SUBJECTS
}

@test '-k names the certificate in attribute 1.3.6.1.4.1.311.21.16' {
	run_tool 0 ca-export -d ca.db -k ca-key.pem -s serial:abcdef0123
	blob_of 1 recovery >rec.der
	openssl asn1parse -inform DER -in rec.der |
	    grep -A 2 ':1\.3\.6\.1\.4\.1\.311\.21\.16$' >attr
	[[ $(wc -l <attr) == 3 ]]
	sed -n 3p attr | grep -q "prim: OCTET STRING      \[HEX DUMP\]:$(odd \
	    -outform DER | sha1sum | cut -d ' ' -f 1 | tr a-f A-F)\$"
}

@test 'openssl opens the recovery blob with the key of any agent' {
	local n

	run_tool 0 ca-export -d ca.db -k ca-key.pem -s serial:abcdef0123
	blob_of 1 recovery >rec.der
	openssl cms -verify -binary -inform DER -in rec.der -noverify \
	    -out env.der 2>/dev/null
	for n in 1 2; do
		openssl cms -decrypt -binary -inform DER -in env.der \
		    -recip "$ORG/kra$n.pem" -inkey "$ORG/kra$n.key" -out key
		openssl rsa -inform MSBLOB -in key -out key.pem 2>/dev/null
		openssl pkey -in key.pem -outform DER |
		    cmp - <(openssl pkey -in "$BATS_FILE_TMPDIR/odd.key" \
		    -outform DER)
	done
}

@test '-k: the chains that are in the file, and the agents of the row' {
	local name

	for name in root sub; do
		openssl req -new -newkey rsa:1024 -noenc -keyout "$name.key" \
		    -subj "/CN=$name" -out "$name.csr" 2>log
	done
	openssl x509 -req -in root.csr -signkey root.key -days 30 \
	    -out root.pem 2>log
	openssl x509 -req -in sub.csr -CA root.pem -CAkey root.key -days 30 \
	    -set_serial 2 -out sub.pem 2>log
	openssl pkey -in "$ORG/keys/bob-1999.key" -pubout -out bob.pub
	openssl x509 -new -CA sub.pem -CAkey sub.key -force_pubkey bob.pub \
	    -subj /CN=deep -days 30 -out deep.pem
	record 1 deep deep.pem "$ORG/keys/bob-1999.key" | closed >one.rec
	ca-setflag -d ca.db KRACertCount 1 >log 2>&1
	ca-import -f -d ca.db <one.rec >log 2>&1
	cat root.pem "$ORG/machine.pem" ca-key.pem sub.pem >chain.pem
	run_tool 0 ca-export -d ca.db -k chain.pem -s deep
	blob_of 1 recovery >rec.der
	openssl cms -verify -binary -inform DER -in rec.der -noverify \
	    -nointern -certfile "$ORG/ca.pem" -certsout certs.pem \
	    -out env.der 2>/dev/null
	openssl crl2pkcs7 -nocrl -certfile certs.pem | subjects >names
	agent=$(openssl cms -cmsout -print -noout -inform DER -in env.der |
	    sed -n 's/ *serialNumber: //p')
	name='Recovery Agent 1'
	[[ $(openssl x509 -in "$ORG/kra1.pem" -noout -serial) == \
	    "serial=$(printf %04X "$agent")" ]] || name='Recovery Agent 2'
	diff - names <<-SUBJECTS
	CN=deep
	CN=root
	CN=sub
	O=Example, CN=Example CA
	O=Example, CN=$name
	SUBJECTS
}

@test '-k: certtool, openssl and ca-recover take what is wrapped' {
	run_tool 0 ca-export -d ca.db -k ca-key.pem -s serial:abcdef0123
	blob_of 1 recovery >rec.der
	certtool --p7-info --inder --infile rec.der >info 2>"$ERR"
	grep -qx 'Number of certificates: 4' info
	certtool --p7-verify --inder --infile rec.der \
	    --load-certificate "$ORG/ca.pem" >info 2>&1
	grep -q 'Signature status: ok' info
	openssl cms -cmsout -inform DER -in rec.der -print -noout >print
	# one signer; the CA, by issuer and serial number
	[[ $(grep -c 'd.issuerAndSerialNumber' print) == 1 ]]
	grep -A 12 signerInfos print | grep -q 'issuer: *O=Example, CN=Example CA$'
	run_tool 0 ca-recover -C "$ORG/ca.pem" -k "$ORG/kra2.p12" \
	    -p "file:$ORG/kra2.pw" <rec.der
	only key <"$OUT" | field key | base64 -d | cmp - <(openssl pkcs8 \
	    -topk8 -nocrypt -in "$BATS_FILE_TMPDIR/odd.key" -outform DER)
}

@test '-v lists the rows as certutil -view does' {
	local row sha1

	run_tool 0 ca-export -nv -d ca.db -s serial:abcdef0123 -s "$(ledger cert)"
	says_view()
	{
		awk -v "from=$1" -v "to=$2" 'index($0, from) == 1 { on = 1 }
		    on { print } on && index($0, to) == 1 { exit }' "$ERR"
	}
	[[ $(says_view Schema: '  Request.RequestID') == "$(cat <<-'END'
	Schema:
	  Column Name                   Localized Name                Type    MaxLength
	  ----------------------------  ----------------------------  ------  ---------
	  Request.RequestID             Request ID                    Long    4 -- Indexed
	END
	)" ]]
	row=$(only archived <"$OUT" | grep $'\tserial:abcdef0123\t')
	n=$(echo "$row" | field n)
	id=$(echo "$row" | field id)
	sha1=$(echo "$row" | field sha1 | sed 's/../& /g; s/ $//')
	date=$(date -u -d "$(echo "$row" | field not_after)" '+%-m/%-d/%Y %-I:%M %p')
	says_view "Row $n:" '  Issued Email' >view
	for line in "  Request ID: $(printf '0x%x (%d)' "$id" "$id")" \
	    '  Request Disposition: 0xc (12) -- Foreign' \
	    '  Requester Name: "DOMAIN\odd requester"' \
	    '  Archived Key: Yes' '  Key Recovery Agent Hashes:' \
	    "    \"$(openssl x509 -in "$ORG/kra1.pem" -outform DER | sha1sum |
	    sed 's/ .*//; s/../& /g; s/ $//')\"" \
	    "  Certificate Hash: \"$sha1\"" '  Serial Number: "abcdef0123"' \
	    "  Certificate Expiration Date: $date" \
	    '  User Principal Name: "upn@ad"' \
	    '  Issued Common Name: "Odd Name"' \
	    '  Issued Email address: "san@example.net"'; do
		grep -qxF -e "$line" view || {
			echo "no line: $line" | cat - view >&2
			return 1
		}
	done
	# the other has no key
	grep -c '^  Archived Key: EMPTY$' "$ERR" | grep -qx 1
	grep -c '^  Key Recovery Agent Hashes: EMPTY$' "$ERR" | grep -qx 1
	tail -n 4 "$ERR" | diff - <(printf '\nMaximum Row Index: %s\n\n2 Rows\n' \
	    "$(only archived <"$OUT" | tail -n 1 | field id)")
	# the records are the same without
	cp "$OUT" with
	run_tool 0 ca-export -n -d ca.db -s serial:abcdef0123 -s "$(ledger cert)"
	cmp with "$OUT"
	says 'ca-export: rows 2'
}

@test '-v shows nothing raw' {
	sqlite3 ca.db "update request set RequesterName = 'a' || char(27) ||
	    '[2J' || char(10) || 'b' where RequestID = 1"
	run_tool 0 ca-export -nv -d ca.db
	grep -qx '  Requester Name: "a\\x1b\[2J\\x0ab"' "$ERR" ||
	    grep -qxF '  Requester Name: "a\x1b[2J\nb"' "$ERR"
}

@test '-k with a row that has no key, and with -n' {
	run_tool 0 ca-export -d ca.db -k ca-key.pem -s "$(ledger cert)"
	only archived <"$OUT" | grep -q $'\tblob:$'
	run_tool 0 ca-export -n -d ca.db -k ca-key.pem -s jane
	[[ $(only archived <"$OUT" | grep -c $'\tblob:$') == 4 ]]
}

@test '-k of a CA that is an agent itself' {
	local -a import=(ca-import -fq -d own.db -k "$ORG/machine.p12"
	    -p "file:$ORG/machine.pw")

	cp "$ORG/ca.pem" agent.pem
	ca-init -fq -c "$ORG/ca.pem" -d own.db <agent.pem >log 2>"$ERR"
	ca-setflag -d own.db KRAFlags 1 >log 2>"$ERR"
	"${import[@]}" <"$BATS_FILE_TMPDIR/export.kms" >log 2>"$ERR"
	# one of the two that she has
	run_tool 0 ca-export -d own.db -k ca-key.pem \
	    -s "sha1:$(openssl x509 -in "$ORG/keys/judy-2003.pem" -outform DER |
	    sha1sum | cut -c -40)"
	blob_of 1 recovery | openssl cms -verify -binary -inform DER \
	    -noverify -nointern -certfile "$ORG/ca.pem" -out env.der \
	    2>/dev/null
	openssl cms -decrypt -binary -inform DER -in env.der \
	    -recip "$ORG/ca.pem" -inkey "$ORG/ca.key" |
	    openssl rsa -inform MSBLOB -outform DER 2>/dev/null |
	    cmp - <(openssl rsa -in "$ORG/keys/judy-2003.key" -outform DER \
	    2>/dev/null)
}

@test '-k must be the key of this CA' {
	refuses 2 "ca-export: -k: $ORG/machine.p12: no certificate of this CA \
with its private key" ca-export -d ca.db -k "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw"
	refuses 2 "ca-export: -k: $ORG/ca.pem: no certificate with its private \
key in it" ca-export -d ca.db -k "$ORG/ca.pem"
	refuses 2 "ca-export: -k: $ORG/machine.p12: integrity check failed \
(no password given: -p, or damaged file)" ca-export -d ca.db -k "$ORG/machine.p12"
	refuses 2 'ca-export: -k: nothing.pem: No such file or directory' \
	    ca-export -d ca.db -k nothing.pem
	# wherever it stands in the file
	cat "$ORG/machine.pem" "$ORG/machine.key" ca-key.pem >both.pem
	run_tool 0 ca-export -d ca.db -k both.pem -s bob
	blob_of 1 recovery | openssl cms -verify -binary -inform DER -noverify \
	    -nointern -certfile "$ORG/ca.pem" -out /dev/null 2>/dev/null
}

@test 'a row that is broken is said, the others go on' {
	sqlite3 ca.db "update certificate set RawCertificate = x'30030101ff'
	    where RequestID = 2"
	run_tool 1 ca-export -d ca.db
	[[ $(only archived <"$OUT" | wc -l) == 24 ]]
	only archived <"$OUT" | field n | diff <(seq 24) -
	grep -q '^ca-export: row 2: ' "$ERR"
	run_tool 1 ca-export -q -d ca.db
	says "ca-export: audit head: $(last_head ca.db)" 'ca-export: rows 25'
}

@test 'names that a terminal would obey' {
	sqlite3 ca.db "update request set KmsUser = 'a' || char(27) || '[2J',
	    KmsMail = char(0x202e) || 'moc' where RequestID = 1;
	    update request set KmsGroup = 'tab' || char(9) || 'lf' || char(10) ||
	    'back' || char(92) where RequestID = 1"
	run_tool 0 ca-export -n -d ca.db
	only archived <"$OUT" | head -n 1 >row
	field user_b64 <row | base64 -d | diff <(printf 'a\e[2J') -
	field mail_b64 <row | base64 -d | diff <(printf '\xe2\x80\xaemoc') -
	[[ $(field group <row) == "tab\\tlf\\nback\\\\" ]]
	[[ $(awk -F '\t' '{ print NF }' row) == 30 ]]
	# and as a token, which the messages repeat nowhere raw
	run_tool 0 ca-export -n -d ca.db -s $'a\e[2J'
}

@test 'the hashes of very many agents' {
	local -a hashes
	local i

	for i in {1..300}; do
		hashes+=("$(printf '%040x' "$i")")
	done
	sqlite3 ca.db "update request set KeyRecoveryHashes =
	    '$(printf '%s\n' "${hashes[@]}" | sed 's/../& /g; s/ $//')'
	    where RequestID = 1"
	run_tool 0 ca-export -n -d ca.db
	[[ $(only archived <"$OUT" | head -n 1 | field kra) == "${hashes[*]}" ]]
}

@test 'no archive, or not ours' {
	refuses 2 "ca-export: $PWD/no.db: No such file or directory (ca-init \
makes an archive)" ca-export -d no.db
	refuses 2 "ca-export: $PWD/no.db: No such file or directory (ca-init \
makes an archive)" ca-export -n -d no.db
	mkdir dir
	refuses 2 "ca-export: $PWD/dir: not a regular file" ca-export -d dir
	refuses 2 "ca-export: $PWD/dir/: not a file name" ca-export -d dir/ ||
		refuses 2 'ca-export: dir/: not a file name' ca-export -d dir/
	refuses 2 'ca-export: no/such: No such file or directory' \
	    ca-export -d no/such/ca.db
	(umask 077 && sqlite3 other.db 'create table t(x)' && echo no >text &&
	    : >empty)
	refuses 2 "ca-export: $PWD/other.db: a database, but not an archive of \
kms2ca" ca-export -n -d other.db
	refuses 2 "ca-export: $PWD/empty: a database, but not an archive of \
kms2ca" ca-export -n -d empty
	run_tool 2 ca-export -d text
	[[ ! -s $OUT ]]
	chmod 640 ca.db
	refuses 2 "ca-export: $PWD/ca.db: others can read or write it: run \
chmod 600 on it" ca-export -d ca.db
}

@test 'an archive of another version' {
	sqlite3 ca.db 'pragma user_version = 5'
	refuses 2 "ca-export: $PWD/ca.db: an archive of version 5, this \
kms2ca has 4: use the one that made it" ca-export -n -d ca.db
}
