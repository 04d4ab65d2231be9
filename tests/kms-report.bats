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

@test 'filter contract' {
	CUT_EMPTY=1 filter_contract kms-report <small
}

@test 'usage: on what it does not know' {
	refuses 2 "$usage" kms-report operand <small
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
	[[ $(<shown) == *"say	warn	All $all_keys exported keys are in the archive "* ]]
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
	for kra in kra1 kra2; do
		shows 'Keys that each agent can open' "$(openssl x509 \
		    -in "$ORG/$kra.pem" -outform DER | sha1sum |
		    cut -c -40)" "$all_keys"
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
	[[ $(<shown) == *$'say\tnone\t23 keys exported, and no word of an archive'* ]]
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
	says 'kms-report: 2 of 23 exported keys are not shown to be in the archive'
	shows Reconciliation missing 2
	shows 'of them not there' 2
	for sha1 in $sha1; do
		grep -q "^Exported keys that are not in the archive	erin	North America	.*	$sha1	no record says that it is" shown
	done
	[[ $(grep -c '^Exported keys that are' shown) == 3 ]]
	grep -q $'^Users and keys of each group\tNorth America\t6\t13\t11\t2' shown
	[[ $(<shown) == *$'say\tbad\t2 of 23 exported keys are not'* ]]
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
	shows Reconciliation 'present, by a log that is not in the input' 23
	shows Reconciliation missing 0
	[[ $(<shown) == *$'say\twarn\t23 of 23 exported keys are not'* ]]
	page 0 export.kms log import.log
	shows Reconciliation 'present, by a log that is not in the input' 0
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
	says 'kms-report: 2 of 23 exported keys are not shown to be in the archive' \
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
	    'row 1 has it, under the user jane-1999'
	# once, though two logs say so
	[[ $(grep -c '^Archived under another user	' shown) == 2 ]]
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
	shows 'certificates of CAs' 1
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
	shows 'certificates of CAs' 0
}

@test 'an archive alone, and nothing at all' {
	page 0 rows
	shows 'keys in rows of the archive' 23
	[[ $(<shown) == *$'say\tnone\t23 keys in the archive, and no export'* ]]
	closed </dev/null >none
	page 1 none
	says 'kms-report: nothing but heads and ends in the input'
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
	refuses 2 "kms-report: stdin:$(cat part import.log | wc -l): end says another number of n than $(($(cat part import.log | wc -l) - 1)): records are missing or added: fetch it whole, or take what is there with -P" \
	    kms-report < <(cat part import.log)
	run_tool 0 kms-report -P < <(cat export.kms part)
	/usr/bin/python3 "$root/tests/page.py" "$OUT" >shown
	grep -q $'^Checks\tThe form.*\tNot made: parts (-P)$' shown
	shows Reconciliation 'in the archive' 23
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
	grep -qF '203 more are not listed:' page.html
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
			print "rec:fault\tn:" i "\tsource:\treason:\tdetail:x"
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
