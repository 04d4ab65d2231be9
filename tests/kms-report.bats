# kms-report(1): what it counts, compares and shows, and that nobody's name, and
# no key, gets onto the page.  page.py reads the page, and judges its form.
#
# shellcheck disable=SC2154 # common.bash and ca.bash set them
# shellcheck disable=SC2030,SC2031 # the status goes through a file

load common
load ca

usage='usage: kms-report [-PqVv]'

# verdicts, rows, kras and small: of the organisation's archive; plain: in the
# clear.
setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	org_archive .
	kms-verify -r -k "$ORG/machine.p12" -p "file:$ORG/machine.pw" \
	    <export.kms >verdicts
	ca-export -n -d ca.db >rows 2>log
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" |
	    ca-init -c "$ORG/ca.pem" -d other.db >kras 2>log
	p12-extract -p "list:$ORG/user.pws" \
	    <"$ORG/tree/zip/North America/jane/1999.p12" >plain 2>log
	head -n 1 verdicts | closed >small
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR"/{export.kms,import.log,verdicts,rows,kras,plain,small} .
}

# page FILE...: what kms-report shows of the files, as page.py prints it, is in
# the file shown.
page()
{
	local want=$1

	shift
	cat "$@" >input
	run_tool "$want" kms-report <input
	cp "$OUT" page.html
	/usr/bin/python3 "$root/tests/page.py" page.html >shown
}

# shows CELL...: a row of the page begins so.
shows()
{
	local row

	row=$(printf '%s\t' "$@")
	awk -v "row=$row" 'index($0 "\t", row) == 1 { found = 1 }
	    END { exit !found }' shown || {
		printf 'not on the page: %s\n' "$*" >&2
		cat shown >&2
		return 1
	}
}

# without USER FILE: its records but those of the user, numbered and closed again.
without()
{
	grep -v -e "	user:$1	" -e '^rec:end' "$2" |
	    awk -F '\t' 'BEGIN { OFS = FS } { $2 = "n:" NR; print }' | closed
}

@test 'a row under two of its names is one row, and one key' {
	local keys

	keys=$(grep -c $'\tkra:[^\t]' rows)
	# as ca-export writes a key that was seen in another folder too
	awk -F '\t' -v OFS='\t' '/^rec:end/ { next }
	{ $2 = "n:" ++n; print }
	/\tkra:[^\t]/ && !twice++ {
		sub(/\tname:0/, "\tname:1")
		sub(/\tuser:[^\t]*/, "\tuser:second")
		$2 = "n:" ++n
		print
	}' rows | closed >two
	[[ $(only archived <two | grep -c $'\tname:1\t') == 1 ]]
	page 0 two
	shows 'keys in rows of the archive' "$keys"
	page 0 export.kms import.log two
	shows 'of them in the archive' "$keys"
	shows Reconciliation missing 0
}

@test 'filter contract' {
	CUT_EMPTY=1 filter_contract kms-report <small
}

@test 'usage: on what it does not know' {
	refuses 2 "kms-report: operand: no operand is expected (a file is given as <FILE)
$usage" kms-report operand <small
	run_tool 2 kms-report -k x <small
	says "kms-report: invalid option -- 'k'" "$usage"
	nothing_out
}

@test 'what was exported, archived and faulted, as org.bash made it' {
	# shellcheck disable=SC1091
	source "$ORG/expected"
	page 0 kras export.kms verdicts import.log rows
	says
	{
		shows users "$all_users"
		shows 'keys exported' "$all_keys"
		shows 'of them in the archive' "$all_keys"
		shows 'of them not there' 0
		shows 'faults in the backup' "$all_faults"
		shows 'signing keys, held back' "$all_signing"
		shows 'certificates without their key' \
		    $((all_certs - all_signing))
		shows Reconciliation 'In the export' "$all_keys"
		shows Reconciliation 'in the archive' "$all_keys"
		shows 'What could not be read, and why' "$lost_path" password
		shows 'What could not be read, and why' "$damaged_path" damaged
	}
	# two messages, in two boxes
	[[ $(<shown) == *"say	ok	All $all_keys exported keys are in the archive "* ]]
	[[ $(<shown) == *"say	warn	$all_faults members that may hold keys could not be read, $((all_certs - all_signing)) certificate is without its key "* ]]
	# groups, algorithms and years, from the ledger
	awk -F '\t' '$2 == "key" {
		keys[$4]++
		if (!seen[$4 $5]++)
			users[$4]++
		size[$8]++
		a = substr($11, 1, 4) + 0
		b = substr($12, 1, 4) + 0
		from[a]++
		to[b]++
		for (y = a; y <= b; y++)
			valid[y]++
	}
	END {
		for (g in keys)
			print "Users and keys of each group\t" g "\t" users[g] \
			    "\t" keys[g] "\t" keys[g] "\t0"
		for (s in size)
			print "Keys by algorithm and size\tRSA-" s "\t" size[s]
		for (y in valid)
			print "Certificates by year\t" y "\t" valid[y] "\t" \
			    from[y] + 0 "\t" to[y] + 0
	}' "$ORG/ledger" >want
	[[ $(wc -l <want) -ge 14 ]]
	grep -oFf want shown | sort | diff <(sort want) -
	# the agents open them all
	for kra in 1 2; do
		shows 'Agents, and the keys they can open' \
		    "CN=Recovery Agent $kra,O=Example" 2049-12-31 "$(openssl \
		    x509 -in "$ORG/kra$kra.pem" -outform DER | sha1sum |
		    cut -c -40)" valid "$all_keys"
	done
}

@test 'the input: SHA-256, lines, and who signed' {
	page 0 export.kms
	grep -q "<code>$(sha256sum <input | cut -c -64)</code>" page.html
	grep -q "$(wc -l <input) lines" page.html
	shows 'Sealed streams' CN=ca.example.com,O=Example \
	    "$(openssl x509 -in "$ORG/machine.pem" -outform DER | sha256sum |
	    cut -c -64)" "$(head -n 1 input | field time)" \
	    "$(head -n 1 input | field id)"
	shows 'Records by type' stream 2
	[[ $(<shown) == *$'say\tnone\t23 keys exported; nothing here says whether they are archived'* ]]
	# what was not checked
	[[ $(grep -c $'^Checks\t.*\tNo \(verdicts\|results\|rows\)$' shown) == 3 ]]
	[[ $(grep -c $'^Checks\t.*\tNot in records$' shown) == 2 ]]
}

@test 'missing: what no row and no result has' {
	local sha1

	without erin import.log >log
	sha1=$(only key <export.kms | grep $'\tuser:erin\t' | field sha1)
	[[ $(wc -l <<<"$sha1") == 2 ]]
	page 1 export.kms log
	says 'kms-report: no record shows that 2 of 23 exported keys are in the archive'
	shows Reconciliation missing 2
	shows 'of them not there' 2
	for sha1 in $sha1; do
		grep -q "^Exported keys that are not in the archive	erin	North America	.*	$sha1	no record has it in the archive" shown
	done
	[[ $(grep -c '^Exported keys that are' shown) == 3 ]]
	grep -q $'^Users and keys of each group\tNorth America\t6\t13\t11\t2' shown
	[[ $(<shown) == *$'say\tbad\tNo record shows that 2 of 23 exported keys are in'* ]]
	# in rows, though no log says it
	page 0 export.kms log rows
	shows Reconciliation missing 0
	# imported, and no row any more: the rows are what is there
	without erin rows >fewer
	page 1 export.kms import.log fewer
	[[ $(grep -c 'imported, but not in the rows of the archive' shown) == 2 ]]
}

@test 'present, and not written, are not archived' {
	# the second run of an import proves nothing of the first
	sed $'s/\tstatus:imported\t/\tstatus:present\t/
	    s/\tkra:[^\t]*/\tkra:/; $ d' import.log | closed >log
	page 1 export.kms log
	shows Reconciliation 'archived before, says a log' 23
	shows Reconciliation missing 0
	[[ $(<shown) == *$'say\twarn\tNo record shows that 23 of 23 exported keys are in'* ]]
	page 0 export.kms log import.log
	shows Reconciliation 'archived before, says a log' 0
	# ca-import -n
	sed $'s/\tkra:.*/\tkra:\treason:not written (-n)/; $ d' import.log |
	    closed >log
	page 1 export.kms log
	shows Reconciliation missing 23
	shows 'Results of ca-import' 'imported: not written (-n)' 24
}

@test 'refused: until another run archives it' {
	sed $'/\tuser:erin\t/ {
		s/\tstatus:[a-z]*/\tstatus:refused/
		s/\tid:[0-9]*/\tid:/
		s/\tkra:.*/\tkra:\treason:foreign/
	}; $ d' import.log | closed >log
	page 1 export.kms log
	says 'kms-report: no record shows that 2 of 23 exported keys are in the archive' \
	    'kms-report: 2 refused and never archived, 0 bad'
	shows Reconciliation refused 2
	shows 'refused and never archived' 2
	shows 'Results of ca-import' 'refused: foreign' 2
	[[ $(grep -c $'^Refused or bad records\terin\t.*\tforeign\tca-import: refused$' \
	    shown) == 2 ]]
	page 0 export.kms log import.log
	shows 'refused and never archived' 0
	[[ $(grep -c 'ca-import: refused; archived in another run$' shown) == 2 ]]
	# one that has no thumbprint stays
	only result <log | grep status:refused | head -n 1 |
	    sed $'s/\tsha1:[^\t]*/\tsha1:/' | closed >nameless
	page 1 export.kms import.log nameless
	says 'kms-report: 1 refused and never archived, 0 bad'
}

@test 'a bad verdict, and a thumbprint of two certificates' {
	sed $'2 { s/status:ok/status:bad/; s/reason:/&seal/; }; $ d' verdicts |
	    closed >bad
	page 1 bad
	says 'kms-report: 0 refused and never archived, 1 bad'
	grep -q $'^Refused or bad records\t[a-z]*\t[0-9a-f]*\tseal\tkms-verify: bad$' shown
	# the rows of an archive know another SHA-256
	sed '1 s/\tsha256:..../\tsha256:0000/; $ d' rows | closed >other
	page 1 export.kms other
	says 'kms-report: 1 thumbprints stand for several certificates'
	grep -q '1 thumbprint stands for several' page.html
}

@test 'a key without a thumbprint is not forgotten' {
	local sha1

	for sha1 in '' AB 00112233445566778899AABBCCDDEEFF00112233; do
		{
			only key <plain
			only key <plain | head -n 1 |
			    sed "s/\tsha1:[^\t]*/\tsha1:$sha1/"
		} | awk 'BEGIN { FS = OFS = "\t" } { $2 = "n:" NR; print }' |
		    closed >nameless
		page 1 nameless rows
		says 'kms-report: 1 exported records have no thumbprint'
		[[ $(<shown) == *$'say\tbad\tRecords were refused, bad or ambiguous '*'1 exported record has no thumbprint'* ]]
	done
}

@test 'records twice count once' {
	page 0 export.kms export.kms import.log import.log rows rows
	shows 'keys exported' 23
	shows users 12
	shows Reconciliation 'in the archive' 23
	grep -q '; 26 records of certificates that had come before' page.html
}

@test 'a key in the folders of two users is under one of them' {
	local sha1

	{
		user 1 jane-1999
		user 2 jane-1999 | sed $'s/\tuser:[^\t]*/\tuser:<b>alice/'
	} | closed >two
	new_archive
	for _ in 1 2; do
		ca-import -fq -d ca.db <two >>log 2>"$ERR"
	done
	sha1=$(head -n 1 two | field sha1)
	page 0 two log
	shows users 2
	shows 'keys exported' 1
	shows 'Users and keys of each group' Staff 2 1 1 0
	shows 'Archived under another user' '<b>alice' 1 "$sha1" \
	    'already in row 1, for user jane-1999: this name is kept as well'
	# once, though two logs say so
	[[ $(grep -c '^Archived under another user	' shown) == 2 ]]
	# and as kms2ca 0.2 said it
	sed -n '/^rec:result/p; /^rec:end/q' log |
	    sed 's/already in row 1, for user /row 1 has it, under the user /' |
	    closed >old
	cp shown this
	page 0 two old
	shows 'Archived under another user' '<b>alice' 1 "$sha1" \
	    'row 1 has it, under the user jane-1999: this name is kept as well'
	mv this shown
	shows 'Results of ca-import' present 3
	# and where only the log is there
	page 0 log
	[[ $(grep -c '^Archived under another user	' shown) == 2 ]]
	page 0 export.kms import.log
	not grep -q '^Archived under another user' shown
}

@test 'a certificate of a CA has lost no key' {
	{
		user 1 jane-1999
		# such as the KMS put beside the keys: use:both
		record 2 kms "$ORG/ca.pem"
		record 3 bob "$ORG/keys/bob-1999.pem"
	} | closed >three
	new_archive
	ca-import -fq -d ca.db <three >log 2>"$ERR"
	page 0 three log
	grep -q '; 1 certificate of a CA\.' page.html
	shows 'certificates without their key' 1
	shows 'signing keys, held back' 0
	shows 'Results of ca-import' \
	    'ignored: certificate of a CA: only those of users are archived' 1
	[[ $(grep -c '^Certificates for encryption whose key is not there	' \
	    shown) == 2 ]]
	shows 'Certificates for encryption whose key is not there' bob
	shows 'Users and keys of each group' Staff 1 1 1 0 1
	# with its key it is one that was exported
	{ user 1 jane-1999; record 2 ca "$ORG/ca.pem" "$ORG/ca.key"; } |
	    closed >two
	page 0 two
	shows 'keys exported' 2
	grep -q '; 0 certificates of CAs\.' page.html
}

@test 'an archive alone, and nothing at all' {
	page 0 rows
	shows 'keys in rows of the archive' 23
	[[ $(<shown) == *$'say\tnone\t23 keys in the archive, and no export'* ]]
	closed </dev/null >none
	page 1 none
	says 'kms-report: the input holds no records, only stream heads and ends'
	[[ $(<shown) == *$'say\tnone\tNo key in the input'* ]]
	printf 'rec:note\ttext:x\n' | closed >note
	page 0 note
	shows 'Records by type' note 1
}

@test '-P: parts, and a log that was cut, and the page says so' {
	sed '$ d' import.log >part
	refuses 2 "kms-report: stdin:$(wc -l <import.log): no end record: the stream was cut: fetch it whole, or take what is there with -P" \
	    kms-report <part
	# as a second run of the import finds it
	refuses 2 "kms-report: stdin:$(cat part import.log | wc -l): in end, n is not $(($(cat part import.log | wc -l) - 1)): records are missing or added: fetch it whole, or take what is there with -P" \
	    kms-report < <(cat part import.log)
	run_tool 0 kms-report -P < <(cat export.kms part)
	/usr/bin/python3 "$root/tests/page.py" "$OUT" >shown
	grep -q $'^Checks\tThe form.*\tNot made: parts (-P)$' shown
	shows Reconciliation 'in the archive' 23
}

@test 'a log that was cut, mended as ca-import(1) says, is read with -P' {
	local mend

	mend=$(sed -n "/^\\[ -z .*import\\.log$/ { s/\\\\(aq/'/g; p }" \
	    "$root/man/ca-import.1")
	[[ -n $mend ]]
	cp import.log whole.log
	bash -c "$mend"
	cmp import.log whole.log
	head -c $(($(stat -c %s whole.log) / 2)) whole.log >import.log
	[[ -n $(tail -c 1 import.log) ]]
	bash -c "$mend"
	[[ -s import.log && -z $(tail -c 1 import.log) ]]
	# and the run after it
	cat whole.log >>import.log
	run_tool 0 kms-report -P <import.log
}

@test 'no key is on the page, nor on its way' {
	local key

	need_strace
	key=$(only key <plain | field key)
	((${#key} > 500))
	run_tool 0 "${traced[@]}" -o calls -s 1000000 \
	    -e trace=write,writev,pwrite64,sendto kms-report <plain
	grep -q 'Records by type' "$OUT"
	# no 16 characters of it, wherever they begin
	# nor its bytes, raw or in hex
	/usr/bin/python3 - "$OUT" calls "$key" <<-'PYTHON'
		import base64, sys
		key = sys.argv[3]
		der = base64.b64decode(key)
		for name in sys.argv[1:3]:
		    data = open(name, 'rb').read()
		    assert len(data) > 5000
		    for i in range(len(key) - 15):
		        assert key[i:i + 16].encode() not in data, i
		    for i in range(30, len(der) - 11):
		        assert der[i:i + 12] not in data, i
		        assert der[i:i + 12].hex().encode() not in data, i
	PYTHON
}

# hostile: records whose every name is one of those, some as base64.
hostile()
{
	/usr/bin/python3 - <<-'PYTHON'
		import base64
		names = [
		    b'<script>alert(1)</script>', b'"><img src=x onerror=alert(1)>',
		    b"' onmouseover='alert(1)", b'&lt;b&gt;&amp;&#60;', b'<!--',
		    b'</style></title><h1>gone', b']]>', b'&', b'{{7*7}}',
		    'שלום عربى'.encode(), 'a\u202egpj.exe'.encode(), b'nul\0byte',
		    b'\xff\xfe', b'\x1b[31m', 'a\u2028b\u200bc'.encode(), b'',
		    b'x' * 9000, ('é' * 4000).encode(), b'%s%n%d', b'a\\tb']
		def put(type, *fields):
		    line = 'rec:' + type
		    for k, v in fields:
		        if isinstance(v, bytes):
		            k, v = k + '_b64', base64.b64encode(v).decode()
		        line += '\t%s:%s' % (k, v)
		    print(line)
		n = 0
		for i, x in enumerate(names):
		    sha1, sha256 = '%040x' % i, '%064x' % i
		    for type in 'key', 'cert', 'fault', 'archived':
		        n += 1
		        put(type, ('n', n), ('id', '1'), ('disposition', '12'),
		            ('submitted', ''), ('requester', x), ('group', x),
		            ('user', x), ('mail', x), ('guid', x), ('serial', '0'),
		            ('issuer', x), ('subject', x), ('not_before', x),
		            ('not_after', x), ('version', '3'), ('alg', x),
		            ('use', 'both'), ('spki', sha256), ('ski', ''),
		            ('sha1', '1' + sha1[1:] if type == 'cert' else sha1),
		            ('sha256', sha256), ('kra', x), ('source', x),
		            ('reason', x), ('detail', x), ('cert', ''),
		            *([('key', 'AAAA')] if type == 'key' else []))
		    for type, status in (('result', x), ('result', 'refused'),
		                         ('verdict', 'bad'), ('kra', '')):
		        n += 1
		        put(type, ('n', n), ('status', status), ('id', ''),
		            ('sha1', sha1), ('sha256', sha256), ('serial', '0'),
		            ('issuer', x), ('subject', x), ('not_before', x),
		            ('not_after', x), ('alg', x), ('user', x), ('kra', ''),
		            ('reason', x), ('cert', ''))
	PYTHON
}

@test 'hostile names are shown, and do nothing' {
	local name

	hostile | closed >bad
	page 1 bad
	# page.py knows each element and attribute; as text they are all there
	for name in '<script>alert(1)</script>' '"><img src=x onerror=alert(1)>' \
	    "' onmouseover='alert(1)" '&lt;b&gt;&amp;&#60;' '<!--' \
	    '</style></title><h1>gone' ']]>' '{{7*7}}' 'שלום عربى' '%s%n%d' \
	    'a\xe2\x80\xaegpj.exe' 'nul\x00byte' '\xff\xfe' '\x1b[31m' \
	    'a\xe2\x80\xa8b\xe2\x80\x8bc' 'a\tb'; do
		grep -qF "	$name	" shown
		grep -qxF "What could not be read, and why	$name	$name	$name" \
		    shown
	done
	# long ones are cut, between characters
	grep -q $'\tx\\{500\\}x*\\.\\.\\.\t' shown
	grep -qE $'\t(é){250}(é)*\\.\\.\\.\t' shown
	awk 'length($0) > 6000 { exit 1 }' shown
}

@test 'lists and tables stop at their ceiling, and say so' {
	awk 'BEGIN {
		for (i = 1; i <= 1203; i++)
			print "rec:fault\tn:" i "\tsource:member " i \
			    "\treason:r" i "\tdetail:x"
	}' | closed >many
	page 0 many
	shows 'faults in the backup' 1,203
	[[ $(grep -c '^What could not be read, and why	member' shown) == 1000 ]]
	grep -qF '203 more are not listed here:' page.html
	[[ $(grep -c '^Faults by reason	r' shown) == 1000 ]]
	shows 'Faults by reason' 'all others' 203 0
}

@test 'years: forty of them, those in which most began' {
	# one from 1601 to 9999, and one a year from 1995 to 2044
	awk 'BEGIN {
		for (i = 0; i <= 50; i++)
			printf "rec:archived\tn:%d\tid:1\tdisposition:20\tsubmitted:\trequester:\tgroup:\tuser:\tmail:\tguid:\tserial:\tissuer:\tsubject:\tnot_before:%s-01-01T00:00:00Z\tnot_after:%s-06-01T00:00:00Z\talg:P-256\tspki:\tski:\tsha1:%040d\tsha256:%064d\tkra:x\tcert:\n", i + 1, i == 0 ? "1601" : 1994 + i, i == 0 ? "9999" : 1995 + i, i, i
	}' >many
	closed <many >all
	page 0 all
	[[ $(grep -c '^Certificates by year	[0-9]' shown) == 40 ]]
	shows 'Certificates by year' 1995 2 1 0
	shows 'Certificates by year' 2034 3 1 1
	grep -q 'Years before and after these are not shown' page.html
	# what has no date is counted apart
	sed '1 s/9999-/199x-/; 2 s/1996-/1994-/' many | closed >all
	page 0 all
	grep -q 'Without usable dates: 2' page.html
}

@test 'the same input makes the same page, at the same time' {
	SOURCE_DATE_EPOCH=981173106 page 0 export.kms import.log
	cp page.html first
	grep -q '<time datetime="2001-02-03T04:05:06Z">2001-02-03, 04:05 UTC' first
	# of those, as of then
	expired=$(awk -F '\t' '$2 == "key" && $12 < 20010203 { n++ }
	    END { print n }' "$ORG/ledger")
	grep -q ">$expired of 23 certificates had expired" first
	SOURCE_DATE_EPOCH=981173106 page 0 export.kms import.log
	cmp first page.html
	page 0 export.kms import.log
	not cmp -s first page.html
}

@test 'a temporary file that is full, or cannot be' {
	need_writes
	refuses 2 "kms-report: cannot make a temporary file in $TMPDIR/none: No such file or directory (set TMPDIR)" \
	    env TMPDIR="$TMPDIR/none" kms-report <small
	awk 'BEGIN {
		for (i = 1; i <= 2000; i++)
			print "rec:fault\tn:" i "\tsource:" i "\treason:\tdetail:x"
	}' | closed >many
	{
		status=0
		(
			trap '' XFSZ
			ulimit -f 4
			exec kms-report <many 2>"$ERR"
		) || status=$?
		echo "$status" >status
	} | cat >"$OUT"
	[[ $(<status) == 2 ]]
	says 'kms-report: cannot write the temporary file: File too large (set TMPDIR)'
	nothing_out
}

@test 'memory: 100 bytes a certificate, and no more' {
	if grep -qa __asan_init "$(command -v kms-report)"; then
		skip 'a sanitizer needs memory of its own'
	fi
	awk 'BEGIN {
		for (i = 0; i < 100000; i++)
			printf "rec:result\tn:1\tstatus:refused\tid:\tsha1:%040x\tserial:\tuser:%0100d\tkra:\treason:%0200d\n", i * 7919, i, i % 7
	}' >many
	/usr/bin/python3 - <<-'PYTHON'
		import resource, subprocess
		p = subprocess.run(['kms-report', '-P'], stdin=open('many'),
		                   stdout=subprocess.DEVNULL,
		                   stderr=subprocess.DEVNULL)
		kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
		assert p.returncode == 1, p.returncode
		assert kib < 28 * 1024, '%d KiB' % kib
	PYTHON
}

# archived N SHA1 GROUP USER KRA: a row of an archive.
archived()
{
	printf 'rec:archived\tn:%d\tid:%d\tdisposition:20\tsubmitted:\trequester:\tgroup:%s\tuser:%s\tmail:\tguid:\tserial:%d\tissuer:\tsubject:\tnot_before:1999-01-01T00:00:00Z\tnot_after:2000-01-01T00:00:00Z\talg:RSA-512\tspki:\tski:\tsha1:%040x\tsha256:%064x\tkra:%s\tcert:\n' \
	    "$1" "$1" "$3" "$4" "$1" "$2" "$2" "$5"
}

# missing N [OF]: N key records of user5.., of two groups, and no row of them; a
# result for one key, which is OF all that there are.
missing()
{
	awk -v "n=$1" 'BEGIN {
		for (i = 1; i <= n; i++) {
			u = (i * 7919) % n
			printf "rec:key\tn:%d\tgroup:%s\tuser:u%05d\tmail:\tguid:\tserial:%x\tissuer:\tsubject:\tnot_before:\tnot_after:\tversion:3\talg:RSA-512\tuse:both\tspki:\tsha1:%040x\tsha256:%064x\tsource:f%d\tcert:\tkey:AAAA\n", i, u % 2 ? "B" : "A", u, i, i, i, i
		}
	}'
}

@test 'a log alone: what it says, and nothing of what it does not' {
	page 0 import.log
	says
	[[ $(<shown) == *$'say\tnone\t23 keys imported, and no export to compare'* ]]
	shows 'keys imported' 23
	shows 'faults that ca-import passed on' 2
	[[ $(grep -c '^Faults that ca-import passed on	[EN].*12: ' shown) == 2 ]]
	not grep -qE $'^(users|keys exported|faults in the backup|certificates without their key)\t' shown
	not grep -q 'No key in the input' page.html
	not grep -q '^Users and keys of each group' shown
	not grep -q 'of version 1' page.html
}

@test 'an archive alone: its certificates without a key, and no version' {
	page 0 rows
	shows 'certificates without their key' 1
	shows 'Certificates for encryption whose key is not there' janet Europe
	shows 'Users and keys of each group' Europe 6 1 10
	not grep -q 'of version 1' page.html
	not grep -qE $'^(keys exported|faults in the backup|signing keys, held back)\t' shown
}

@test 'a check that looked at nothing is grey' {
	for input in import.log rows; do
		page 0 "$input"
		not grep -q 'of 0 keys' page.html
		grep -q '<span class="mark none">Nothing to compare</span>' page.html
	done
}

@test 'one key of 10,000 that is missing is seen in the bar' {
	{
		missing 10000
		for i in $(seq 2 10000); do
			printf 'rec:result\tn:%d\tstatus:imported\tid:1\tsha1:%040x\tserial:\tuser:\tkra:x\treason:\n' \
			    $((9999 + i)) "$i"
		done
	} | closed >many
	page 1 many
	shows Reconciliation missing 1
	# at least four pixels of 340, and no part of nothing
	sed -n 's/^<rect class="f-\(ok\|bad\|warn\)" x="[0-9.]*%" width="\([0-9.]*\)%" height="100%".*/\1 \2/p' \
	    page.html | diff - <(printf '%s\n' 'ok 98.800' 'bad 1.200')
}

@test 'records, members and certificates, in one sentence' {
	{ user 1 jane-1999; user 2 jane-1999; user 3 bob-1999; } | closed >three
	page 0 three
	grep -qE '<p>The export has 3 key records, from [1-3] members? of the backup, of 2 certificates: what was found again counts once\.</p>' page.html
}

@test 'what kms-export accounts for is on the page, of all its streams' {
	local members keys

	# shellcheck source=/dev/null
	. "$ORG/expected"
	members=$((zip_members + tar_members))
	keys=$(field members_keys <export.kms | awk '{ n += $1 } END { print n }')
	((keys >= zip_keys && keys < members))
	page 0 export.kms
	grep -qF "<p><code>kms-export</code> accounts for $members members of the backup: with keys $keys, with certificates alone " page.html
	grep -qF ", faulted $((zip_faults + tar_faults)), skipped 0.</p>" page.html
}

@test 'lists are in order of group and user, and a file to save' {
	{
		missing 40
		printf 'rec:result\tn:41\tstatus:refused\tid:\tsha1:%040x\tserial:\tuser:\tkra:\treason:=cmd|x "y"\n' 40
	} | closed >many
	page 1 many
	grep '^Exported keys that are not' shown | tail -n +2 >list
	[[ $(wc -l <list) == 40 ]]
	cut -f 2,3 list | diff - <(cut -f 2,3 list | LC_ALL=C sort -k 2,2 -k 1,1)
	# the reason beside what was refused
	grep -q $'\trefused: =cmd|x "y"$' list
	# a spreadsheet reads the same, and no formula
	/usr/bin/python3 - <<-'PYTHON'
		import csv
		rows = list(csv.reader(open('missing.csv', newline='')))
		shown = [l.rstrip('\n').split('\t')[1:] for l in open('list')]
		assert rows[0][:2] == ['User', 'Group'] and rows[0][-1] == 'Why'
		assert len(rows) == 41
		for a, b in zip(rows[1:], shown):
		    assert [c or '\u2013' for c in a] == b, (a, b)
		bad = [r for r in csv.reader(open('refused.csv', newline=''))]
		assert bad[1][2] == "'=cmd|x \"y\"", bad
	PYTHON
	# each list has one, and the page links to each section
	[[ $(grep -c 'download=' page.html) == \
	    $(grep -c '<div class="[a-z]*" id=' page.html) ]]
	[[ $(grep -c '^<li><a href="#' page.html) == \
	    $(grep -c '^<section ' page.html) ]]
}

@test 'faults: those that may hold keys first, the same once' {
	awk 'BEGIN {
		n = split("format password empty password unsupported certificate", why, " ")
		for (i = 1; i <= n; i++)
			printf "rec:fault\tn:%d\tsource:%s\treason:%s\tdetail:x\n", i, why[i] == "password" ? "kms.zip/Staff/zoe/1.p12" : "f" i, why[i]
	}' | closed >bad
	page 0 bad
	shows 'faults in the backup' 5
	[[ $(<shown) == *$'say\twarn\t2 members that may hold keys could not be read See'* ]]
	grep -E '^(What could|Other files)' shown | cut -f 1,3 |
	    diff - <(printf '%s\t%s\n' 'What could not be read, and why' Reason \
	    'What could not be read, and why' unsupported \
	    'What could not be read, and why' password \
	    'Other files, not known to hold keys' Reason \
	    'Other files, not known to hold keys' format \
	    'Other files, not known to hold keys' empty \
	    'Other files, not known to hold keys' certificate)
	# whose they are
	shows 'Users left with no key' zoe Staff 1
	shows 'Users whose password is wanted' zoe Staff 1
	# not once there is a key
	{ cat bad; archived 1 7 Staff zoe k | closed; } >cured
	page 0 cured
	not grep -q '^Users left with no key' shown
	shows 'Users whose password is wanted' zoe Staff 1
}

@test 'agents: expired, and keys that fewer can open' {
	{
		archived 1 1 A ann 'k1 k2'
		archived 2 2 A bob k2
	} | closed >two
	for n in 1 2; do
		printf 'rec:kra\tn:%d\tstatus:added\tsha1:k%d\tsha256:\tserial:\tissuer:\tsubject:Agent %d\tnot_before:\tnot_after:%d-01-01T00:00:00Z\talg:\treason:\tcert:\n' \
		    $n $n $n $((n * 1500))
	done | closed >agents
	page 0 two
	[[ $(<shown) == *$'say\twarn\t1 key opens for fewer agents than the others'* ]]
	page 0 agents two
	[[ $(<shown) == *$'say\twarn\t1 recovery agent has expired, 1 key opens for fewer agents than the others'* ]]
	shows 'Agents, and the keys they can open' 'Agent 1' 1500-01-01 k1 expired 1
	shows 'Agents, and the keys they can open' 'Agent 2' 3000-01-01 k2 valid 2
	[[ $(grep '^Keys that fewer' shown | cut -f 2,8) == $'User\tAgents\nbob\t1' ]]
}

@test 'verdicts of ca-recover, and an audit of the archive' {
	tried()
	{
		printf 'rec:verdict\tn:%d\tuser:ann\tsha1:%040x\tstatus:%s\treason:%s\tid:%d\tkra:%s\n' \
		    "$1" "$2" "$3" "$4" "$2" "$5"
	}
	{
		archived 1 1 A ann 'k1 k2'
		tried 2 1 ok '' k1
		# the same again counts once
		tried 3 1 ok '' k1
		tried 4 5 none '' k1
	} | closed >one
	page 0 one
	grep -q $'^Checks\tArchived keys open.*\t1 of 2, each key with each agent$' shown
	grep -q '<span class="mark warn">1 of 2, each' page.html
	not grep -q $'\tkms-verify -r\t[0-9]' shown
	{ sed '$ d' one; tried 5 1 ok '' k2; } | closed >all
	page 0 all
	grep -q '<span class="mark ok">2 of 2, each' page.html
	{ sed '$ d' one; tried 5 1 bad 'unlocked, but not the key' k2; } |
	    closed >not-opened
	page 1 not-opened
	says 'kms-report: 1 archived keys did not open with an agent'
	shows 'Keys that did not open' ann 1 "$(printf %040x 1)" k2 \
	    'unlocked, but not the key'
	printf 'rec:audited\tn:1\tstatus:whole\thead:12:abcdef\tnoted:\trows:1\tagents:2\tsettings:3\tfindings:0\treason:\n' |
	    closed >whole
	page 0 one whole
	grep -q $'^Checks\tNobody has altered the archive.*\tWhole$' shown
	grep -q 'audit head <code><bdi>12:abcdef</bdi></code>' page.html
	sed 's/status:whole/status:altered/; s/findings:0\treason:/findings:2\treason:row 7 <b>was edited/
	    $ d' whole | closed >altered
	page 1 one altered
	says 'kms-report: the archive was altered, says ca-audit'
	[[ $(<shown) == *$'say\tbad\tThe archive was altered: row 7 <b>was edited'* ]]
	# a place to sign, with or without
	[[ $(grep -c '^Signatures	' shown) == 4 ]]
	page 0 rows
	grep -q 'audit head (not in the input' page.html
}

@test 'an export has no say in what the archive holds' {
	{
		/usr/bin/python3 "$root/tests/sealer.py" record key 1 Staff jane \
		    "$ORG"/keys/jane-1999.{pem,key}
		printf 'rec:archived\tn:2\tid:1\tdisposition:12\tsubmitted:\trequester:\tgroup:\tuser:\tmail:\tguid:\tserial:\tissuer:\tsubject:\tnot_before:\tnot_after:\talg:\tspki:\tski:\tsha1:%s\tsha256:%s\tkra:x\tcert:\topen:\n' \
		    "$(openssl x509 -in "$ORG/keys/jane-1999.pem" -outform DER |
		    sha1sum | cut -c -40)" \
		    "$(openssl x509 -in "$ORG/keys/jane-1999.pem" -outform DER |
		    sha256sum | cut -c -64)"
	} >open
	{
		printf 'rec:stream\tv:1\tid:\ttime:\tto:\tsigner:\tlockbox:\tsig:\n'
		cat open
		printf 'rec:end\tn:2\tkeys:1\tcerts:0\tfaults:0\tsha256:\tsig:\n'
	} >liar.open
	/usr/bin/python3 "$root/tests/sealer.py" seal "$ORG/ca.pem" "$ORG/ca.pem" \
	    "$ORG/ca.key" <liar.open >liar.kms
	page 1 liar.kms
	says 'kms-report: 1 records of sealed streams are of types that no export has, and did not count'
	[[ $(<shown) != *'in the archive It'* ]]
	not grep -q $'^keys in rows of the archive\t' shown
}

@test 'in a browser: no name pushes the numbers off the page' {
	command -v chromium >/dev/null || skip 'no chromium'
	/usr/bin/python3 - <<-'PYTHON' | closed >long
		for i in range(1, 6):
		    name = 'W' * 190 + '%d' % i
		    print('rec:key\tn:%d\tgroup:G%s\tuser:U%s\tmail:%s@example.com'
		          '\tguid:\tserial:%040x\tissuer:\tsubject:\tnot_before:'
		          '\tnot_after:1999-01-01T00:00:00Z\tversion:3\talg:RSA-512'
		          '\tuse:both\tspki:\tsha1:%040x\tsha256:%064x\tsource:%s'
		          '\tcert:\tkey:AAAA' % (i, name, name, name, i, i, i, name))
		print('rec:result\tn:6\tstatus:refused\tid:\tsha1:%040x\tserial:'
		      '\tuser:\tkra:\treason:%s' % (1, 'R' * 200))
	PYTHON
	page 1 long
	# what a script measures, which the page itself forbids
	{
		grep -v http-equiv page.html
		cat <<-'SCRIPT'
		<script>
		var wide = document.documentElement.scrollWidth > innerWidth;
		for (const t of document.querySelectorAll('table'))
		    if (t.offsetWidth > t.parentNode.clientWidth + 1)
		        wide += ' ' + t.caption.textContent;
		document.title = 'wide: ' + wide;
		</script>
		SCRIPT
	} >measured.html
	HOME=$PWD timeout -k 1 60 chromium --headless --no-sandbox \
	    --disable-gpu --no-first-run --user-data-dir="$PWD/u" \
	    --host-resolver-rules='MAP * ~NOTFOUND' --window-size=1280,2000 \
	    --dump-dom "file://$PWD/measured.html" >dom 2>"$ERR" 3>&-
	grep -q '<title>wide: false</title>' dom
}

@test 'in a browser: nothing is fetched, nothing runs' {
	command -v chromium >/dev/null || skip 'no chromium'
	hostile | closed >bad
	page 1 bad
	# asked PAGE: what the page, and not chromium of itself, wants to load
	asked()
	{
		HOME=$PWD timeout -k 1 60 chromium --headless --no-sandbox \
		    --disable-gpu --no-first-run --user-data-dir="$PWD/u" \
		    --host-resolver-rules='MAP * ~NOTFOUND' \
		    --log-net-log="$PWD/net.json" --print-to-pdf=page.pdf \
		    "file://$PWD/$1" >"$OUT" 2>"$ERR" 3>&- || return
		[[ $(head -c 5 page.pdf) == %PDF- ]] || return
		/usr/bin/python3 - <<-'PYTHON'
			import json
			text = open('net.json').read().rstrip().rstrip(',')
			log = json.loads(text if text.endswith('}') else text + ']}')
			for e in log['events']:
			    p = e.get('params', {})
			    if p.get('initiator', 'not an origin') != 'not an origin':
			        print(p['url'])
		PYTHON
	}
	asked page.html >urls
	[[ ! -s urls ]]
	# it would have been seen
	{ cat page.html; echo '<iframe src="http://page.invalid/">'; } |
	    grep -v http-equiv >control.html
	[[ $(asked control.html) == http://page.invalid/ ]]
}
