# kms-record(5): the grammar, rule by rule, through kms-verify on plain streams;
# what the tools write; and the recipes of the page, word for word.

load common
load ca
# shellcheck disable=SC2154 # of ca.bash
machine=("${machine[@]}")

setup_file()
{
	org_archive "$BATS_FILE_TMPDIR"
}

unproven='kms-verify: consistent, but not proven: nobody was named to trust'
unproven+=' (give -k or -C)'
foreign='not a kms-record stream; a file of the Exchange export wizard has no'
foreign+=' public format: import it with certutil -importKMS on Windows, or'
foreign+=' export PFX per user and feed those in'

# The fields of each type, in the order that DESIGN.md section 3 and the page
# give; seal, key, blob and the like come behind.
cert_fields='n group user mail guid serial issuer subject not_before not_after'
cert_fields+=' version alg use spki sha1 sha256 source cert'
declare -gA fields=(
	[stream]='v id time to lockbox signer sig'
	[key]=$cert_fields [cert]=$cert_fields
	[fault]='n source reason detail'
	[end]='n keys certs faults sha256 sig'
	[verdict]='n user sha1 status reason'
	[result]='n status id sha1 serial user kra reason'
	[flag]='name old new set'
	[audit]='n id when caller action detail digest hash'
	[setting]='n name value audit cert' [agent]='n id added audit cert'
	[kra]='n status sha1 sha256 serial issuer subject not_before not_after'
	[archived]='n id disposition submitted requester group user mail guid'
)
fields[kra]+=' alg reason cert'
fields[archived]+=' serial issuer subject not_before not_after alg spki ski'
fields[archived]+=' sha1 sha256 kra cert'

# export: kms-export of a backup of the organisation.
export=(kms-export -q -c "${ORG-}/machine.pem" -S "${ORG-}/machine.p12"
    -p "file:${ORG-}/machine.pw" -p "list:${ORG-}/user.pws")

# fault N [DETAIL]: a record without its newline.
fault()
{
	printf 'rec:fault\tn:%s\tsource:s\treason:format\tdetail:%s' \
	    "$1" "${2-unknown}"
}

# faults FROM TO: whole lines.
faults()
{
	local n

	for ((n = $1; n <= $2; n++)); do
		fault "$n" d
		echo
	done
}

# closed: the lines on stdin, and the `end' that they need.
closed()
{
	local body=$BATS_TEST_TMPDIR/body sum

	cat >"$body"
	sum=$(sha256sum <"$body")
	cat "$body"
	printf 'rec:end\tn:%d\tkeys:%d\tcerts:%d\tfaults:%d\tsha256:%s\tsig:\n' \
	    "$(wc -l <"$body")" "$(grep -c -a $'^rec:key\t' "$body")" \
	    "$(grep -c -a $'^rec:cert\t' "$body")" \
	    "$(grep -c -a $'^rec:fault\t' "$body")" "${sum%% *}"
}

# passes: what is on stdin is a consistent stream, and leaves byte for byte.
passes()
{
	cat >good
	run_tool 1 kms-verify <good
	says "$unproven"
	cmp good "$OUT"
}

# breaks LINE MESSAGE: what is on stdin is a broken stream, there and for that
# reason; the lines before it leave as they came, and nothing else does.
breaks()
{
	local -a before now

	cat >broken
	before=(* "$TMPDIR"/*)
	run_tool 2 kms-verify <broken
	says "kms-verify: stdin:$1: $2"
	if (($1 == 1)); then
		nothing_out "$2"
	else
		head -n $(($1 - 1)) broken | cmp - "$OUT"
	fi
	now=(* "$TMPDIR"/*)
	[[ ${now[*]} == "${before[*]}" ]]
}

# recipe WORDS: the commands of kms-record(5) that stand under these words.
recipe()
{
	awk -v "words=$1" '
	/^\.Sh /		{ on = $2 == "EXAMPLES" }
	on && index($0, words) == 1	{ found = 1 }
	found && /^\.Ed/	{ exit }
	show
	found && /^\.Bd/	{ show = 1 }' "$BATS_TEST_DIRNAME/../man/kms-record.5" |
	    sed 's/\\(aq/'\''/g; s/\\(ha/^/g; s/\\e/\\/g' >recipe
	[[ -s recipe ]]
}

# example: the files of the pages' examples, in this directory.
example()
{
	cp "$ORG"/machine.{pem,key,p12,pw} "$BATS_FILE_TMPDIR"/*.* .
	# shellcheck source=/dev/null
	source "$ORG/expected"
}

# ledger KIND COLUMN: of the certificates of this kind, by the name of a column.
ledger()
{
	awk -F '\t' -v "kind=$1" -v "name=$2" '
	NR == 1 {
		for (i = 1; i <= NF; i++)
			if ($i == name)
				at = i
	}
	$2 == kind { print $at }' "$ORG/ledger"
}

@test "plain: passes unchanged, and is consistent at best" {
	{
		fault 1
		printf '\n'
		fault 2 $'\\t \\n \\r \\\\ \xc3\xbc \xe2\x82\xac \xf0\x9f\x94\x91'
		printf '\nrec:fault\tn:3\tsource_b64:gA==\treason:\tdetail:\n'
	} | closed | passes
	[[ $(wc -l <"$OUT") == 4 ]]
}

@test "plain: an end alone is a stream of nothing" {
	closed </dev/null | passes
}

@test "plain: streams follow one another" {
	{
		faults 1 3 | closed
		closed </dev/null
		faults 1 2 | closed
	} | passes
}

@test "plain: parts may lack records and end" {
	faults 2 2 >part
	faults 5 5 >>part
	run_tool 1 kms-verify -P <part
	says "$unproven"
	cmp part "$OUT"
	breaks 1 'n is 2, not 1: records are missing, repeated or out of order (or this is a part: -P)' <part
}

@test "line: no newline at the end" {
	{ faults 1 2; fault 3; } |
	    breaks 3 'no newline at the end: the stream was cut'
	fault 1 | breaks 1 'no newline at the end: the stream was cut'
	faults 1 2 | closed | head -c -1 |
	    breaks 3 'no newline at the end: the stream was cut'
	printf 'rec:' | breaks 1 'no newline at the end: the stream was cut'
}

@test "line: empty" {
	{ faults 1 2; echo; faults 3 3; } | breaks 3 'empty line'
	{ faults 1 1 | closed; echo; } | breaks 3 'empty line'
}

@test "line: CR" {
	faults 1 3 | closed | sed '3 s/$/\r/' |
	    breaks 3 'carriage return: write \r'
	faults 1 3 | closed | sed 's/$/\r/' |
	    breaks 1 'carriage return: write \r'
	{ faults 1 1; fault 2 $'a\rb'; echo; } |
	    breaks 2 'carriage return: write \r'
}

@test "line: NUL" {
	{ faults 1 1; fault 2 a0b; echo; } | tr 0 '\0' |
	    breaks 2 'NUL byte'
	{ faults 1 1; printf '\0\n'; } | breaks 2 'NUL byte'
	{ fault 1 a0; echo; } | tr 0 '\0' | breaks 1 'NUL byte'
}

@test "line: 256 KiB and no more, but for the newline" {
	local room=$((256 * 1024 - $(fault 1 '' | wc -c)))

	head -c $room /dev/zero | tr '\0' x >long
	{ fault 1 ''; cat long; echo; } >most
	[[ $(wc -c <most) == $((256 * 1024 + 1)) ]]
	closed <most | passes
	{ faults 1 2; fault 3 x; cat long; echo; faults 4 4; } |
	    breaks 3 'longer than 262144 bytes'
	{ fault 1 x; cat long; echo; } | breaks 1 'longer than 262144 bytes'
}

@test "line: one without end is not waited for" {
	local reader

	# shellcheck disable=SC2034 # bats asks what a test calls; this is a check
	for reader in 'kms-verify' 'kms-verify -P'; do
		run_tool 2 bash -c "{ printf 'rec:x\ty:'; yes | tr -d '\n'; } |
		    $reader"
		says 'kms-verify: stdin:1: longer than 262144 bytes'
		nothing_out "$reader"
	done
}

@test "utf-8: malformed" {
	local bad

	# lone, overlong, surrogate, past U+10FFFF, five bytes, cut
	for bad in $'\xff' $'\x80' $'\xc0\x80' $'\xc1\xbf' $'\xe0\x80\x80' \
	    $'\xf0\x8f\xbf\xbf' $'\xed\xa0\x80' $'\xed\xbf\xbf' \
	    $'\xf4\x90\x80\x80' $'\xf5\x80\x80\x80' \
	    $'\xf8\x88\x80\x80\x80' $'\xe2\x82' $'\xe2\x82\tx:' \
	    $'\xf0\x9f\x94' $'\xc3'; do
		{ faults 1 1; fault 2 "ab$bad"; echo; } |
		    breaks 2 'detail: byte 3 is not UTF-8'
	done
	printf 'rec:\xff\n' | breaks 1 'rec: byte 1 is not UTF-8'
	# a label that is not ASCII is no label
	{ faults 1 1; printf 'rec:x\t\xc3\xbc:y\n'; } |
	    breaks 2 'field 2 is not label:value'
}

@test "text: no control, format or separator character stands raw" {
	# a second judge: Python's Unicode tables; TAB, LF, CR and NUL are apart
	/usr/bin/python3 - <<-'PYTHON'
		import subprocess, sys, unicodedata
		bad, good = [], []
		for c in map(chr, range(sys.maxunicode + 1)):
		    kind = unicodedata.category(c)
		    if kind in ('Cc', 'Cf', 'Zl', 'Zp'):
		        bad += [c] if c not in '\t\n\r\0' else []
		    elif kind not in ('Cs', 'Cn') and c != '\\':
		        good.append(c)
		with open('good.in', 'w', encoding='utf-8', newline='') as f:
		    for i in range(0, len(good), 50000):
		        f.write('rec:x\ty:%s\n' % ''.join(good[i:i + 50000]))
		# refused each, and never repeated raw in the message
		what = b'byte 2 is a control or format character\n'
		assert len(bad) > 200
		for c in bad:
		    p = subprocess.run(['kms-verify'], capture_output=True,
		                       input=('rec:x\ty:a%sb\n' % c).encode())
		    assert (p.returncode, p.stdout, p.stderr) == (
		        2, b'', b'kms-verify: stdin:1: y: ' + what), repr((c, p))
	PYTHON
	[[ $(wc -l <good.in) -gt 3 ]]
	closed <good.in | passes
}

@test "text: four escapes, and no other" {
	local bad

	# shellcheck disable=SC1003 # a backslash is one
	local unknown='detail: unknown escape after \' back='\'

	for bad in x a 0 u0041 T '"' "'" '' ' ' $'\t' x:; do
		{ faults 1 1; fault 2 "ab$back$bad"$'\tz:'; echo; } |
		    breaks 2 "$unknown"
	done
	{ faults 1 1; fault 2 "a$back$back$back"; echo; } |
	    breaks 2 "$unknown"
	{ fault 1 "$back$back$back$back${back}n${back}r${back}t"; echo; } |
	    closed | passes
}

@test "field: a label stands once, its twin counts as it" {
	local twice

	for twice in 'x:1\tx:2' 'x:1\tx:1' 'x:\ty:\tx:' 'x:1\tx_b64:' \
	    'x_b64:\tx:1' 'x_b64:\tx_b64:'; do
		{ faults 1 1; printf 'rec:note\t%b\n' "$twice"; } |
		    breaks 2 'x appears twice'
	done
	{ faults 1 1; printf 'rec:note\trec:note\n'; } |
	    breaks 2 'rec appears twice'
	{ faults 1 1; printf 'rec:note\trec_b64:\n'; } |
	    breaks 2 'rec appears twice'
	{ faults 1 1 | sed 's/$/\tdetail_b64:/'; } | breaks 1 'detail appears twice'
	# neither twins nor twice
	printf 'rec:note\tx:1\txb64:\tx_b64_b64:\tb64:\tx_b6:\tx_b642:\n' |
	    closed | passes
}

@test "field: a label matches [a-z][a-z0-9_]*" {
	local bad

	for bad in X:1 1x:1 _x:1 -x:1 x-y:1 x.y:1 'x y:1' ' x:1' :1 : x 'x\\:1' \
	    '' 'x*:' "x'" 'x='; do
		{ faults 1 1; printf 'rec:note\ty:2\t%b\tz:3\n' "$bad"; } |
		    breaks 2 'field 3 is not label:value'
		{ faults 1 1; printf 'rec:note\ty:2\t%b\n' "$bad"; } |
		    breaks 2 'field 3 is not label:value'
	done
	printf 'rec:note\ta:\tz9_:\tx1:y:z\tb:::\tc: \n' | closed | passes
}

@test "field: a record starts with rec:TYPE" {
	local bad

	for bad in 'x:1\trec:note' 'n:1' 'rec_b64:bm90ZQ==' 'rec:' 'rec:Note' \
	    'rec:a-b' 'rec:1' 'rec: note' 'rec:note ' 'rec:a:b' 'rec:a\\t'; do
		{ faults 1 1; printf '%b\n' "$bad"; } |
		    breaks 2 'does not start with rec:TYPE'
	done
	{ faults 1 1; printf 'rec\n'; } | breaks 2 'field 1 is not label:value'
	{ faults 1 1; printf '\trec:note\n'; } |
	    breaks 2 'field 1 is not label:value'
	printf 'rec:a9_\n' | closed | passes
}

@test "field: 64 in a record, and no more" {
	local -a many

	mapfile -t many < <(seq -f 'x%.0f:1' 1 64)
	(IFS=$'\t' && echo "rec:note	${many[*]:0:63}") >most
	closed <most | passes
	{ faults 1 1; (IFS=$'\t' && echo "rec:note	${many[*]}"); } |
	    breaks 2 'more than 64 fields'
}

@test "field: a type has all of its fields, or their twins" {
	local type label all
	local -a list

	[[ ${#fields[@]} == 13 ]]
	for type in "${!fields[@]}"; do
		read -ra list <<<"${fields[$type]}"
		for label in "${list[@]}"; do
			all=$(printf '\t%s:' "${list[@]}")
			{
				faults 1 1
				echo "rec:$type${all/$'\t'$label:}"
			} | breaks 2 "$type record without $label"
		done
	done
	# the twin of another field is none
	{ faults 1 1 | sed 's/detail:/details_b64:/'; } |
	    breaks 1 'fault record without detail'
	faults 1 2 | sed 's/detail:d/detail_b64:gA==/' | closed | passes
}

@test "field: in any order, but for the first" {
	printf 'rec:fault\tdetail:d\treason:format\tx:\tn:1\tsource:s\n' |
	    closed | passes
	{
		faults 1 1
		printf 'rec:end\tsig:\tsha256:%s\tfaults:1\tcerts:0\tkeys:0\tn:1\n' \
		    "$(faults 1 1 | sha256sum | cut -c -64)"
	} | passes
}

@test "unknown labels and types are passed on, byte for byte" {
	{
		faults 1 1 | sed 's/$/\tfuture:a:b\\\\c \t\tx_b64:gA==/; s/\t\t/\t/'
		printf 'rec:future\n'
		printf 'rec:keys\tn:007\tx:\\\\\xe2\x82\xac:\tkey:zzz\n'
		printf 'rec:stream2\tsig:\tv:2\n'
		printf 'rec:endless\n'
		faults 6 6
	} | closed | passes
	[[ $(cut -f 1 "$OUT" | paste -s -d ' ') == 'rec:fault rec:future'*end ]]
}

@test "n: a number, and the place of the record" {
	local bad misplaced

	for bad in '' 0 01 +1 -1 ' 1' '1 ' 0x1 1e0 1.0 x ١ \
	    10000000000000000000 18446744073709551617; do
		printf 'rec:fault\tn:%s\tsource:\treason:\tdetail:\n' "$bad" |
		    breaks 1 'no number n'
	done
	printf 'rec:fault\tn_b64:MQ==\tsource:\treason:\tdetail:\n' |
	    breaks 1 'no number n'
	misplaced='records are missing, repeated or out of order'
	misplaced+=' (or this is a part: -P)'
	faults 2 3 | breaks 1 "n is 2, not 1: $misplaced"
	{ faults 1 2; faults 2 3; } | breaks 3 "n is 2, not 3: $misplaced"
	{ faults 1 2; faults 4 5; } | breaks 3 "n is 4, not 3: $misplaced"
	{ faults 1 1; fault 9223372036854775807; echo; } |
	    breaks 2 "n is 9223372036854775807, not 2: $misplaced"
	# records of unknown type take up a place
	{ faults 1 1; printf 'rec:x\n'; faults 2 2; } |
	    breaks 3 "n is 2, not 3: $misplaced"
}

@test "end: counts, digest, and no signature" {
	local label value bad altered

	{
		faults 1 3
		printf 'rec:x\tn:4\n'
	} | closed >whole
	passes <whole
	for label in n keys certs faults; do
		value=$(tail -n 1 whole | field "$label")
		for bad in "" 9 "0$value" "-$value" "$value " "${value}x"; do
			sed "\$ s/\t$label:$value/\t$label:$bad/" whole |
			    breaks 5 "in end, $label is not $value: records are missing or added: fetch it whole, or take what is there with -P"
		done
	done
	altered='the digest of the stream differs: it was altered'
	sed '2 s/detail:d/detail:e/' whole | breaks 5 "$altered"
	sed '4 s/x/y/' whole | breaks 5 "$altered"
	sed '$ s/sha256:/sha256:0/' whole | breaks 5 "$altered"
	sed '$ s/sha256:[0-9a-f]*/sha256:/' whole | breaks 5 "$altered"
	# digits that are right but upper case, or one too many
	sed '$ s/sha256:.*\t/\U&/; $ s/SHA/sha/' whole | breaks 5 "$altered"
	sed '$ s/\tsig:/0&/' whole | breaks 5 "$altered"
	sed '$ s/sig:/sig:AAAA/' whole |
	    breaks 5 'end of a plain stream carries a signature'
	head -n 4 whole >bad
	run_tool 2 kms-verify <bad
	says 'kms-verify: stdin:5: no end record: the stream was cut: fetch it whole, or take what is there with -P'
	cmp bad "$OUT"
}

@test "not ours: says what to do with a file of the wizard" {
	local what

	for what in 'hello\n' '\x30\x82\x01\x00' 'MZ\0\0' '\n' ' rec:x\n' \
	    '\xef\xbb\xbfrec:x\n' 'REC:x\n' 'rec' 'rec\tx:\n' '\r\nrec:x\n'; do
		printf '%b' "$what" | breaks 1 "$foreign"
	done
	head -c 300000 /dev/zero | breaks 1 "$foreign"
	breaks 1 "$foreign" <"$ORG/machine.pem"
	breaks 1 "$foreign" <"$ORG/kms-backup.zip"
	# ours, but broken: the reason is what counts
	printf 'rec:fault\tn\n' | breaks 1 'field 2 is not label:value'
}

@test "base64: padded, unbroken, unused bits zero" {
	local bad good

	p12-extract -p "list:$ORG/user.pws" -q \
	    <"$ORG/tree/zip/Europe/grace/2003.pfx" | grep '^rec:key' >line
	good=$(field cert <line)
	bad=${good:0:40}
	for bad in "${good:0:41}" "${good:0:42}" "${good:0:43}" "$bad =" \
	    "=$bad" "$bad====" "${bad:0:39}=$bad" "${bad:0:39}-" "${bad:0:39}_" \
	    "${bad:0:36}AA B" "${bad:0:36}AB==" "${bad:0:36}AAB=" \
	    "${bad:0:36}A===" "${bad:0:20}\\n${bad:20:20}"; do
		sed "s|\tcert:[^\t]*|\tcert:${bad//\\/\\\\\\\\}|" line |
		    closed >bad
		run_tool 1 kms-verify <bad
		says 'kms-verify: stdin:1: record 1, user grace: cert is not base64' "$unproven"
		nothing_out "$bad"
		sed "s|\tkey:[^\t]*|\tkey:${bad//\\/\\\\\\\\}|" line |
		    breaks 1 'key record without a base64 key'
	done
	sed 's|\tkey:[^\t]*|\tkey:|' line |
	    breaks 1 'key record without a base64 key'
	sed 's|\tkey:[^\t]*||' line | breaks 1 'key record without a base64 key'
	sed 's|\tkey:|\tkey_b64:|' line |
	    breaks 1 'key record without a base64 key'
	closed <line | passes
}

# written TYPE LAST...: every record of that type in $OUT has exactly the fields
# of the type, then these, in this order; and there is one.
written()
{
	local type=$1
	local want="rec ${fields[$type]}"

	shift
	[[ $# == 0 ]] || want+=" $*"
	only "$type" <"$OUT" >records
	[[ -s records ]]
	sed 's/:[^\t]*//g; s/_b64//g; y/\t/ /' records | sort -u >order
	diff -u <(echo "$want") order
}

@test "written: all fields, in the order of the page, and read again" {
	local end=${fields[end]}

	run_tool 1 "${export[@]}" <"$ORG/kms-backup.zip"
	cp "$OUT" sealed
	written stream
	written key seal
	written cert seal
	written fault group user seal
	fields[end]=${end% sig}
	written end members members_{keys,certs,faulted,skipped} sig
	fields[end]=$end
	run_tool 0 kms-verify "${machine[@]}" <sealed
	cmp sealed "$OUT"

	run_tool 0 p12-extract -aq -p "list:$ORG/user.pws" \
	    <"$ORG/tree/zip/Europe/grace/2003.pfx"
	written key key
	written end
	passes <"$OUT"

	run_tool 0 kms-verify -r "${machine[@]}" <sealed
	written verdict
	written end
	passes <"$OUT"

	cat "$BATS_FILE_TMPDIR/import.log" >"$OUT"
	written result
	passes <"$OUT"

	run_tool 0 ca-setflag -d "$BATS_FILE_TMPDIR/ca.db"
	written flag
	passes <"$OUT"

	run_tool 0 ca-init -d new.db <"$ORG/kra1.pem"
	written kra
	passes <"$OUT"

	cp "$BATS_FILE_TMPDIR/ca.db" .
	run_tool 0 ca-export -q -d ca.db -s jane@example.com
	# the first versions lacked some, and are still read
	fields[archived]=${fields[archived]% cert}
	written archived caller source stream format audit key_audit name cert blob
	passes <"$OUT"

	cat "$OUT" >archived
	run_tool 0 ca-dump -d ca.db
	written audit
	written setting
	written agent
	passes <"$OUT"
	cp archived "$OUT"

	cat "$OUT" >archived
	run_tool 0 ca-recover -q -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw" \
	    <archived
	written key key
	passes <"$OUT"
}

@test "written: what cannot stand as text goes as base64 in its place" {
	local odd raw name
	local -a groups

	# TAB, backslash, bidi override, zero width; not UTF-8; all four escapes
	odd=$'a\tb\\c \xe2\x80\xae\xe2\x80\x8b'
	raw=$'\xff'
	groups=("$odd" "$raw" $'t\tn\nr\r\\')
	for name in "${groups[@]}"; do
		mkdir -p "group/$name"
		cp "$ORG/tree/zip/Europe/grace/2003.pfx" "group/$name"
	done
	tar -cf backup.tar group
	run_tool 0 "${export[@]}" <backup.tar
	cp "$OUT" sealed
	# one key, three paths: three records
	only key <sealed >keys
	[[ $(wc -l <keys) == 3 ]]
	# the twin stands in the place of the field
	cut -f 4 keys | sort >users
	# shellcheck disable=SC1003 # a backslash is one
	{
		printf 'user:%s\n' 't\tn\nr\r\\'
		printf 'user_b64:%s\n' "$(printf %s "$odd" | base64)" \
		    "$(printf %s "$raw" | base64)"
	} | sort | diff -u - users
	cut -f 18 keys | sed -n 's/^source_b64://p' | while read -r name; do
		base64 -d <<<"$name"
		echo
	done | sort >paths
	printf 'group/%s/2003.pfx\n' "$odd" "$raw" | sort | cmp - paths
	run_tool 0 kms-verify "${machine[@]}" <sealed
	cmp sealed "$OUT"
	# and as it stood there, in a verdict
	run_tool 0 kms-verify -r "${machine[@]}" <sealed
	only verdict <"$OUT" | cut -f 3 | sort | diff -u - users
}

@test "recipe: one user, as a part that still verifies" {
	example
	recipe 'One user'
	run_tool 0 bash -o pipefail recipe
	says
	field sha1 <jane.kms | sort >got
	# shellcheck disable=SC2154 # of expected
	[[ $(wc -l <got) == "$all_jane" ]]
	awk -F '\t' '$2 == "key" && $6 == "jane@example.com" { print $3 }' \
	    "$ORG/ledger" | sort | diff -u - got
	[[ $(only stream <jane.kms | wc -l) == 2 ]]
	[[ $(only end <jane.kms | wc -l) == 2 ]]
	run_tool 2 kms-verify -k machine.p12 -p file:machine.pw <jane.kms
}

@test "recipe: what could not be read, counted by reason" {
	example
	recipe 'What could not be read'
	run_tool 0 bash -o pipefail recipe
	says
	diff -uw - "$OUT" <<-'COUNTS'
		1 reason:damaged
		1 reason:password
	COUNTS
}

@test "recipe: keys a user" {
	example
	recipe 'Keys per user'
	run_tool 0 bash -o pipefail recipe
	says
	ledger key user | sort | uniq -c | awk '{ print $1, "user:" $2 }' |
	    sort -rn | diff -u - "$OUT"
}

@test "recipe: the newest keys first" {
	example
	recipe 'The newest keys first'
	run_tool 0 bash recipe
	[[ $(wc -l <"$OUT") == 10 ]]
	ledger key to | sort -r | head >want
	cut -f 2 "$OUT" | sed 's/not_after://; s/T.*//; s/-//g' | diff -u want -
	[[ $(sed 's/.*\tsha1://' "$OUT" | sort -u | wc -l) == 10 ]]
}

@test "recipe: keys that no import log shows as archived" {
	local -a lost

	example
	recipe 'Keys of an export'
	run_tool 0 bash -o pipefail recipe
	says
	nothing_out recipe
	mapfile -t lost < <(ledger key sha1 | sort | sed -n '3p; 7p')
	grep -v "${lost[0]}" import.log |
	    sed "/${lost[1]}/ s/status:imported\(.*\)kra:[^\t]*/status:refused\1kra:/" >log
	mv log import.log
	run_tool 0 bash -o pipefail recipe
	cut -f 3 "$OUT" | diff -u <(printf 'sha1:%s\n' "${lost[@]}") -
	grep -qx $'user:[a-z]*\tnot_after:[0-9TZ:-]*\tsha1:.*' "$OUT"
	# a certificate alone, and what an earlier run had archived
	lost+=("$(ledger key sha1 | sort | sed -n 9p)")
	sed -i "/${lost[2]}/ s/kra:[^\t]*/kra:/" import.log
	run_tool 0 bash -o pipefail recipe
	cut -f 3 "$OUT" | diff -u <(printf 'sha1:%s\n' "${lost[@]}" | sort) -
	# a log or an export that is not there is heard
	mv import.log no.log
	run_tool 2 bash recipe
	nothing_out recipe
	mv no.log import.log
	mv export.kms no.kms
	run_tool 2 bash recipe
	nothing_out recipe
}

@test "recipe: a file with one stream, cut into parts, on all cores" {
	example
	recipe 'One file for each stream'
	run_tool 0 bash recipe
	says
	cat stream.1 stream.2 | cmp - export.kms
	for stream in stream.1 stream.2; do
		run_tool 0 kms-verify -k machine.p12 -p file:machine.pw <"$stream"
	done

	recipe 'One stream cut into parts'
	sed -i 's/-l 1000/-l 4/' recipe
	run_tool 0 bash recipe
	says
	[[ $(echo part.*.kms | wc -w) == $((($(wc -l <stream.1) + 2) / 4)) ]]
	for part in part.*.kms; do
		run_tool 0 kms-verify -P -k machine.p12 -p file:machine.pw <"$part"
		cmp "$part" "$OUT"
	done
	cat part.*.kms | grep -v '^rec:stream' |
	    cmp - <(tail -n +2 stream.1)

	recipe 'One stream checked on all cores'
	kms-verify -r -k machine.p12 -p file:machine.pw <stream.1 |
	    grep -v $'\tstatus:ok\t' | grep -v '^rec:end' >want
	[[ $(wc -l <want) == 2 ]]
	run_tool 0 bash -o pipefail recipe
	grep -v '^rec:end' "$OUT" | cmp - want
	# the same with a block for every few records
	sed -i 's/--block 1M/--block 8K/' recipe
	run_tool 0 bash -o pipefail recipe
	(($(grep -c '^rec:end' "$OUT") > 2))
	grep -v '^rec:end' "$OUT" | cmp - want
}

@test "recipe: to JSON, and with field names" {
	example
	recipe 'To JSON'
	run_tool 0 bash recipe
	says
	/usr/bin/python3 - "$OUT" <<-'PYTHON'
		import json, sys
		got = [json.loads(line) for line in open(sys.argv[1])]
		want = [dict(f.split(':', 1) for f in line[:-1].split('\t'))
		        for line in open('export.kms', newline='\n')]
		assert got == want and len(got) > 30, 'another JSON'
	PYTHON
	recipe 'With field names'
	run_tool 0 bash recipe
	says
	[[ $(head -n 1 "$OUT") == user,serial,not_after ]]
	# shellcheck disable=SC2154 # of expected
	[[ $(tail -n +2 "$OUT" | wc -l) == "$all_v1" ]]
	tail -n +2 "$OUT" | cut -d , -f 1 | sort >got
	awk -F '\t' '$2 == "key" && $9 == 1 { print $5 }' "$ORG/ledger" |
	    sort | diff -u - got
}

@test "recipe: nothing but openssl reads a record" {
	example
	head -n "$(grep -n -m 1 '^rec:end' export.kms | cut -d : -f 1)" \
	    export.kms >stream.1
	recipe 'Check the signature'
	run_tool 0 bash -e -o pipefail recipe
	grep -qx 'CMS Verification successful' "$ERR"
	key_of "$(grep $'\tn:1\t' stream.1 | field sha1)" |
	    openssl pkey -inform DER -noout -text | cmp - "$OUT"
	# a signature that another made stops it
	sed -i '1 s/\ttime:2/\ttime:3/' stream.1
	run_tool 4 bash -e -o pipefail recipe
	nothing_out recipe
}
