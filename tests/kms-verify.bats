# kms-verify(1): options, credentials, what it passes on, drops, reports and
# holds back.  The grammar is in record.bats, sealing and trust in stream.bats.

load common
load ca

usage='usage: kms-verify [-PqrVvw] [-C cert]... [-j jobs] [-k cred] [-p secret]...'
unproven='kms-verify: consistent, but not proven: nobody was named to trust'
unproven+=' (give -k or -C)'
seal='the seal does not open: the record was altered, or is of another place'
seal+=' or stream'

# zip.kms and tar.kms are the exports of the two backups, machine.cred what
# opens them, as PEM; small.kms has a key and a fault; plain.kms is in the
# clear.
setup_file()
{
	local -a export=(kms-export -q -c "$ORG/machine.pem"
	    -S "$ORG/machine.p12" -p "file:$ORG/machine.pw"
	    -p "list:$ORG/user.pws")

	cd "$BATS_FILE_TMPDIR" || return 1
	"${export[@]}" <"$ORG/kms-backup.zip" >zip.kms 2>log || (($? == 1))
	"${export[@]}" <"$ORG/kms-backup.tar.gz" >tar.kms
	tar -C "$ORG/tree/zip/North America" -cf small.tar jane/1996.p12 \
	    dave/1997.p12
	"${export[@]}" <small.tar >small.kms 2>log || (($? == 1))
	cat "$ORG/machine.pem" "$ORG/machine.key" >machine.cred
	p12-extract -aq -p "list:$ORG/user.pws" \
	    <"$ORG/tree/zip/North America/jane/1996.p12" >plain.kms
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR"/*.{kms,cred} .
	k=(-k machine.cred)
}

# fails MESSAGE ARG...: kms-verify says so and exits 2, before it reads.
fails()
{
	refuses 2 "kms-verify: $1" kms-verify "${@:2}" <zip.kms
}

# altered N FILE: with the user of record N changed.
altered()
{
	sed "/^rec:[a-z]*\tn:$1\t/ s/\tuser:/&not /" "$2"
}

@test "filter contract: a sealed stream" {
	filter_contract kms-verify "${k[@]}" <small.kms
}

@test "filter contract: a sealed stream, held back" {
	CUT_EMPTY=1 filter_contract kms-verify -w "${k[@]}" <small.kms
}

@test "filter contract: a plain stream" {
	filter_contract kms-verify <plain.kms
}

@test "filter contract: verdicts" {
	filter_contract kms-verify -r "${k[@]}" <small.kms
}

@test "usage: on what it does not know, and for -w with -r" {
	refuses 2 "kms-verify: operand: no operand is expected (a file is given as <FILE)
$usage" kms-verify operand <zip.kms
	refuses 2 "kms-verify: zip.kms: no operand is expected (a file is given as <FILE)
$usage" kms-verify "${k[@]}" zip.kms
	refuses 2 "kms-verify: -w holds records back, and -r writes none: only one of them
$usage" kms-verify -wr <zip.kms
	refuses 2 "kms-verify: -q: no operand is expected (a file is given as <FILE)
$usage" kms-verify -- -q <zip.kms
	# options end at the first operand
	refuses 2 "kms-verify: operand: no operand is expected (a file is given as <FILE)
$usage" kms-verify operand -V <zip.kms
	for bad in -x --helpless '-?'; do
		run_tool 2 kms-verify "$bad" <zip.kms
		grep -qxF "$usage" "$ERR"
		nothing_out "$bad"
	done
	for bad in -k -C -p; do
		run_tool 2 kms-verify "$bad" <zip.kms
		grep -qxF "$usage" "$ERR"
		nothing_out "$bad"
	done
}

@test "-k: PEM, PKCS#12, records; which password is tried" {
	local -a pw=(-p "file:$ORG/machine.pw")

	p12-extract "${pw[@]}" <"$ORG/machine.p12" >machine.rec
	openssl pkcs8 -topk8 -in "$ORG/machine.key" -passout file:"$ORG/machine.pw" \
	    -out locked.key
	cat "$ORG/machine.pem" locked.key >locked.pem
	openssl pkcs12 -export -in machine.cred -passout pass: -out empty.p12
	for args in '-k machine.cred' '-k machine.rec' '-k empty.p12'; do
		# shellcheck disable=SC2086 # arguments
		run_tool 0 kms-verify $args <zip.kms
		cmp zip.kms "$OUT"
	done
	for cred in "$ORG/machine.p12" locked.pem; do
		run_tool 0 kms-verify -k "$cred" "${pw[@]}" <zip.kms
		cmp zip.kms "$OUT"
		run_tool 0 kms-verify "${pw[@]}" -k "$cred" <zip.kms
		run_tool 0 kms-verify -p "list:$ORG/user.pws" "${pw[@]}" \
		    -p "file:$ORG/jane.pw" -k "$cred" <zip.kms
		SECRET=$(<"$ORG/machine.pw") run_tool 0 kms-verify \
		    -p env:SECRET -k "$cred" <zip.kms
		run_tool 0 kms-verify -p fd:9 -k "$cred" <zip.kms \
		    9<"$ORG/machine.pw"
	done
	# the one that opens it is found among several
	cat "$ORG/kra1.pem" "$ORG/kra1.key" machine.cred >several
	run_tool 0 kms-verify -k several <zip.kms
}

@test "-k: a private key in the clear, and others can read it" {
	local file clear='holds a private key in the clear, and others can read it: run chmod 600 on it'

	cat "$ORG/machine.pem" "$ORG/machine.key" >clear.pem
	openssl pkcs12 -export -inkey "$ORG/machine.key" \
	    -in "$ORG/machine.pem" -passout pass: -out empty.p12
	for file in clear.pem empty.p12; do
		chmod 644 "$file"
		run_tool 0 kms-verify -k "$file" <"$BATS_FILE_TMPDIR/tar.kms"
		says "kms-verify: warning: $file: $clear"
		cmp "$OUT" "$BATS_FILE_TMPDIR/tar.kms"
		chmod 640 "$file"
		run_tool 0 kms-verify -k "$ORG/machine.p12" \
		    -p "file:$ORG/machine.pw" -C "$file" \
		    <"$BATS_FILE_TMPDIR/tar.kms"
		says "kms-verify: warning: $file: $clear"
		chmod 600 "$file"
		run_tool 0 kms-verify -k "$file" <"$BATS_FILE_TMPDIR/tar.kms"
		says
	done
	# one that is no credential gives it away too
	cat "$ORG/machine.key" >key
	cat "$ORG/kra1.pem" key >mixed
	chmod 644 key mixed
	fails "warning: key: $clear"$'\n''kms-verify: -k: key: no certificate in it' \
	    -k key
	fails "warning: mixed: $clear"$'\n''kms-verify: -k: mixed: no certificate with its private key in it' \
	    -k mixed
	# what a password locks, and certificates, may be anybody's
	cp "$ORG/machine.p12" "$ORG/machine.pem" .
	chmod 644 machine.p12 machine.pem
	run_tool 0 kms-verify -k machine.p12 -p "file:$ORG/machine.pw" \
	    -C machine.pem <"$BATS_FILE_TMPDIR/tar.kms"
	says
}

@test "-k: what is no credential" {
	fails '-k: nothing: No such file or directory' -k nothing
	fails '-k: .: cannot read: Is a directory' -k .
	fails "-k: $ORG/machine.pem: no certificate with its private key in it" \
	    -k "$ORG/machine.pem"
	fails "-k: $ORG/machine.key: no certificate in it" -k "$ORG/machine.key"
	cat "$ORG/machine.pem" "$ORG/kra1.key" >mixed
	fails '-k: mixed: no certificate with its private key in it' -k mixed
	fails '-k: /dev/null: empty file: fetch it again' -k /dev/null
	locked="-k: $ORG/machine.p12: integrity check failed (wrong password or damaged file)"
	fails "${locked/wrong password/no password given: -p,}" \
	    -k "$ORG/machine.p12"
	fails "$locked" -k "$ORG/machine.p12" -p "file:$ORG/kra1.pw"
	# another credential is one, but opens nothing here
	to=$(openssl x509 -in "$ORG/machine.pem" -outform DER | sha256sum)
	refuses 2 "kms-verify: stdin:1: sealed to another certificate than that of -k (SHA-256 ${to%% *})" \
	    kms-verify -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw" \
	    -C "$ORG/machine.pem" <zip.kms
}

@test "-C: certificates in any form, before or after their password" {
	local cert

	openssl x509 -in "$ORG/machine.pem" -outform DER -out machine.der
	p12-extract -p "file:$ORG/machine.pw" <"$ORG/machine.p12" >machine.rec
	cat "$ORG/kra1.pem" "$ORG/machine.pem" >several
	for cert in "$ORG/machine.pem" machine.der machine.rec several; do
		run_tool 0 kms-verify -C "$cert" <zip.kms
		cmp zip.kms "$OUT"
	done
	run_tool 0 kms-verify -p "file:$ORG/machine.pw" -C "$ORG/machine.p12" \
	    <zip.kms
	run_tool 0 kms-verify -C "$ORG/machine.p12" -p "file:$ORG/machine.pw" \
	    <zip.kms
	run_tool 0 kms-verify -C "$ORG/kra1.pem" -C "$ORG/machine.pem" <zip.kms
	fails '-C: nothing: No such file or directory' -C nothing
	fails "-C: $ORG/machine.key: no certificate in it" -C "$ORG/machine.key"
	fails '-C: /dev/null: empty file: fetch it again' -C /dev/null
}

@test "-p: where a password may be, and never the password itself" {
	local bad='-p: expected env:VAR, file:PATH, list:PATH, fd:N or tty'

	fails "$bad" -p 'machine of 2003'
	fails "$bad" -p ''
	fails "$bad" -p pass:x
	fails '-p: nothing: No such file or directory: make it, for you alone (umask 077), with the password as a line' -p file:nothing
	fails '-p: nothing: No such file or directory: make it, for you alone (umask 077), with the password as a line' -p list:nothing
	fails '-p: NOT_SET is not in the environment' -p env:NOT_SET
	fails '-p: fd:x: not a descriptor' -p fd:x
	fails '-p: fd:99: not open' -p fd:99
	cp "$ORG/machine.pw" open.pw
	chmod 640 open.pw
	fails '-p: open.pw: others can read it: run chmod 600 on it' \
	    -p file:open.pw
	fails '-p: open.pw: others can read it: run chmod 600 on it' \
	    -p list:open.pw
}

@test "passes whole streams on, one after another" {
	cat zip.kms tar.kms zip.kms >all
	run_tool 0 kms-verify "${k[@]}" <all
	says
	cmp all "$OUT"
	# with a newline between them, or cut, they are no streams
	{ cat zip.kms; echo; cat tar.kms; } >bad
	run_tool 2 kms-verify "${k[@]}" <bad
	says "kms-verify: stdin:$(($(wc -l <zip.kms) + 1)): empty line"
	cmp zip.kms "$OUT"
}

@test "input in small pieces is the same input" {
	run_tool 0 bash -c "/usr/bin/python3 -c '
import os
data = open(\"small.kms\", \"rb\").read()
for i in range(0, len(data), 7):
    os.write(1, data[i:i + 7])' | kms-verify -k machine.cred"
	cmp small.kms "$OUT"
}

@test "a bad record is dropped, and the end of its stream withheld" {
	local end

	{ altered 3 zip.kms; cat tar.kms; altered 1 tar.kms; } >bad
	end=$(wc -l <zip.kms)
	run_tool 2 kms-verify "${k[@]}" <bad
	# an altered record alters the digest too: the stream is broken there
	says "kms-verify: stdin:4: record 3, user not heidi: $seal" \
	    "kms-verify: stdin:$end: the digest of the stream differs: it was altered"
	sed 4d zip.kms | sed '$ d' | cmp - "$OUT"

	# as parts all of it is looked at
	run_tool 1 kms-verify -P "${k[@]}" <bad
	says "kms-verify: stdin:4: record 3, user not heidi: $seal" \
	    "kms-verify: stdin:$((end + $(wc -l <tar.kms) + 2)): record 1, user not janet: $seal"
	{
		sed 4d zip.kms | sed '$ d'
		cat tar.kms
		sed 2d tar.kms | sed '$ d'
	} | cmp - "$OUT"
	# what was passed on is a part, and says so
	cp "$OUT" left
	run_tool 2 kms-verify "${k[@]}" <left
	says "kms-verify: stdin:4: n is 4, not 3: records are missing, repeated or out of order (or this is a part: -P)"
	run_tool 0 kms-verify -P "${k[@]}" <left
	cmp left "$OUT"
}

@test "a plain key is proven too, though nothing pins it" {
	local jane hidden

	run_tool 1 kms-verify <plain.kms
	says "$unproven"
	cmp plain.kms "$OUT"
	p12-extract -q -p "list:$ORG/user.pws" \
	    <"$ORG/tree/zip/Europe/grace/2003.pfx" >grace
	jane=$(only key <plain.kms | field key)
	sed "1 s|\tkey:.*|\tkey:$jane|" grace | sed '$ d' >bad
	run_tool 1 kms-verify -P <bad
	says 'kms-verify: stdin:1: record 1, user grace: private key does not belong to the certificate' "$unproven"
	nothing_out bad
	# nor one that wears the numbers of the certificate on its outside
	hidden=$(/usr/bin/python3 "$BATS_TEST_DIRNAME/hidden.py" \
	    "$ORG/keys/jane-1996.pem")
	base64 -d <<<"$hidden" | openssl rsa -inform DER -check -noout
	sed "1 s|\tkey:.*|\tkey:$hidden|" plain.kms | sed '$ d' >bad
	run_tool 1 kms-verify -P <bad
	says 'kms-verify: stdin:1: record 1, user jane: private key does not belong to the certificate' "$unproven"
	nothing_out bad
}

# shown INPUT COMMAND: what a terminal as its standard output gets goes to shown.
shown()
{
	script -qec "$2 2>messages <$1" /dev/null </dev/null | tr -d '\r' >shown
}

@test "records on a terminal are short, elsewhere whole" {
	local cert

	shown small.kms 'kms-verify -k machine.cred'
	(($(wc -l <shown) == $(wc -l <small.kms)))
	cert=$(only key <small.kms | field cert)
	((${#cert} > 400))
	grep -qF $'\tcert:'"${cert:0:76}"$'...\t' shown
	# what somebody looks for is whole
	[[ $(field sha1 <shown) == "$(field sha1 <small.kms)" ]]
	[[ $(field sha256 <shown) == "$(field sha256 <small.kms)" ]]
	awk -F '\t' '{
		for (i = 1; i <= NF; i++)
			if (length($i) > 100)
				exit 1
	}' shown
	kms-verify -q "${k[@]}" <small.kms >whole.kms
	cmp small.kms whole.kms
	shown "$ORG/kra1.pem" 'ca-init -d ca.db'
	grep -q $'^rec:kra\t.*\tsha1:[0-9a-f]\{40\}\t.*\tcert:MII.\{73\}\.\.\.$' shown
	shown /dev/null 'ca-export -n -d ca.db'
	grep -q ^rec:end shown
}

@test "clear keys are not shown on a terminal" {
	local status terminal='kms-verify: standard output is a terminal and would show'

	terminal+=' clear keys: send it to a file or a pipe'
	script -qec 'kms-verify 2>messages <plain.kms' /dev/null \
	    </dev/null >screen || status=$?
	[[ $status == 2 && $(<messages) == "$terminal" ]]
	not grep -q key: screen
	# verdicts and sealed records hold none
	script -qec 'kms-verify -r 2>messages <plain.kms' /dev/null \
	    </dev/null >screen || status=$?
	[[ $status == 1 && $(head -n 1 messages) == "$unproven" ]]
	grep -q $'^rec:verdict\t' screen
	shown small.kms 'kms-verify -k machine.cred'
	grep -q $'^rec:key\t' shown
}

@test "clear keys in a file that others can read" {
	local open='kms-verify: warning: standard output holds clear keys, and others can read it: run chmod 600 on it (umask 077)'

	# modes are those of the file, not of the umask; said once
	cat plain.kms plain.kms plain.kms >plain3
	for mode in 644 640 604; do
		: >here
		chmod "$mode" here
		kms-verify <plain3 >here 2>"$ERR" || [[ $? == 1 ]]
		says "$open" "$unproven"
		cmp here plain3
	done
	for mode in 600 622; do
		chmod "$mode" here
		kms-verify <plain3 >here 2>"$ERR" || [[ $? == 1 ]]
		says "$unproven"
	done
	# verdicts and sealed records hold none, and a pipe is nobody's
	chmod 644 here
	kms-verify -r <plain3 >here 2>"$ERR" || [[ $? == 1 ]]
	says "$unproven"
	kms-verify "${k[@]}" <zip.kms >here 2>"$ERR"
	says
	kms-verify <plain3 2>"$ERR" | cat >here || :
	says "$unproven"
}

@test "-q drops messages of records, and nothing else" {
	altered 3 zip.kms | sed '$ d' >bad
	run_tool 1 kms-verify -P "${k[@]}" <bad
	cp "$OUT" out
	says "kms-verify: stdin:4: record 3, user not heidi: $seal"
	run_tool 1 kms-verify -qP "${k[@]}" <bad
	says
	cmp out "$OUT"
	run_tool 2 kms-verify -q "${k[@]}" <bad
	says "kms-verify: stdin:$(wc -l <zip.kms): no end record: the stream was cut: fetch it whole, or take what is there with -P"
	run_tool 1 kms-verify -q <plain.kms
	says "$unproven"
	# the last of -q and -v counts
	run_tool 1 kms-verify -qvP "${k[@]}" <bad
	grep -qxF "kms-verify: stdin:4: record 3, user not heidi: $seal" "$ERR"
	run_tool 1 kms-verify -vqP "${k[@]}" <bad
	says
}

@test 'it sums up: what was proven, and who signed' {
	local signer

	signer=$(openssl x509 -in "$ORG/machine.pem" -noout -subject \
	    -nameopt RFC2253)
	signer=${signer#subject=}
	only end <zip.kms | tr '\t' '\n' | sed -n 's/^\(keys\|certs\|faults\)://p' |
	    paste -s -d ' ' >counts
	read -r keys certs faults <counts
	((keys > 2 && certs > 0))
	run_tool 0 kms-verify "${k[@]}" <zip.kms
	diff "$ERR" - <<-SUM
	kms-verify: keys $keys, certificates $certs, faults $faults, others 0, dropped 0, signed by $signer
	SUM
	altered 3 zip.kms | sed '$ d' >bad
	[[ $(sed -n 3p zip.kms) == rec:key* ]]
	run_tool 1 kms-verify -qP "${k[@]}" <bad
	diff "$ERR" - <<-SUM
	kms-verify: keys $((keys - 1)), certificates $certs, faults $faults, others 0, dropped 1, signed by $signer
	SUM
	printf 'rec:x\n' | closed >plain
	run_tool 1 kms-verify <plain
	grep -qx 'kms-verify: keys 0, certificates 0, faults 0, others 1, dropped 0, not signed' "$ERR"
}

@test "-r: a verdict on each record, closed by an end" {
	run_tool 0 kms-verify -r "${k[@]}" <zip.kms
	says
	# sed and awk say the same of the stream
	awk -F '\t' 'BEGIN { OFS = FS }
	/^rec:(key|cert)\t/ {
		print "rec:verdict", $2, $4, $16, "status:ok", "reason:"
	}
	/^rec:fault\t/ {
		print "rec:verdict", $2, $7, "sha1:", "status:fault", $4
	}' zip.kms >want
	[[ $(wc -l <want) == 16 ]]
	sed '$ d' "$OUT" | diff -u want -
	tail -n 1 "$OUT" | cmp - <(printf 'rec:end\tn:16\tkeys:0\tcerts:0\tfaults:0\tsha256:%s\tsig:\n' "$(sha256sum <want | cut -c -64)")
}

@test "-r: why a record is bad, in one word" {
	altered 3 zip.kms | sed '$ d' >bad
	run_tool 1 kms-verify -rP "${k[@]}" <bad
	says "kms-verify: stdin:4: record 3, user not heidi: $seal"
	[[ $(grep -c $'\tstatus:ok\t' "$OUT") == 13 ]]
	grep $'\tn:3\t' "$OUT" | cut -f 3,5,6 >got
	printf 'user:not heidi\tstatus:bad\treason:seal\n' | cmp - got
	# plain: the certificate, and the key
	p12-extract -q -p "list:$ORG/user.pws" \
	    <"$ORG/tree/zip/Europe/grace/2003.pfx" >grace
	{
		sed '1 s/\tsha1:/&0/; $ d' grace
		sed "1 s|\tkey:.*|\tkey:$(only key <plain.kms | field key)|
		    1 s/\tn:1/\tn:2/; \$ d" grace
	} >bad
	run_tool 1 kms-verify -rP <bad
	says 'kms-verify: stdin:1: record 1, user grace: sha1 is not that of the certificate in the record' \
	    'kms-verify: stdin:2: record 2, user grace: private key does not belong to the certificate' \
	    "$unproven"
	[[ $(field status <"$OUT" | xargs) == 'bad bad' ]]
	[[ $(field reason <"$OUT" | xargs) == 'certificate key' ]]
	# unknown types, with a reason of their own, are ok and give none
	printf 'rec:note\tuser_b64:gA==\treason:none\n' >note
	run_tool 1 kms-verify -rP <note
	only verdict <"$OUT" | cmp - <(printf 'rec:verdict\tn:0\tuser_b64:gA==\tsha1:\tstatus:ok\treason:\n')
}

@test "-r: verdicts on several streams have one end, a broken one has none" {
	cat zip.kms tar.kms >all
	run_tool 0 kms-verify -r "${k[@]}" <all
	[[ $(only end <"$OUT" | field n) == $(($(wc -l <all) - 4)) ]]
	head -n 5 zip.kms >part
	run_tool 2 kms-verify -r "${k[@]}" <part
	says 'kms-verify: stdin:6: no end record: the stream was cut: fetch it whole, or take what is there with -P'
	[[ $(wc -l <"$OUT") == 4 && $(only verdict <"$OUT" | wc -l) == 4 ]]
}

@test "-w: all, once it is proven" {
	cat zip.kms tar.kms >all
	run_tool 0 kms-verify -w "${k[@]}" <all
	says
	cmp all "$OUT"
	run_tool 0 kms-verify -w -C "$ORG/machine.pem" <all
	cmp all "$OUT"
	{ head -n 1 zip.kms; sed -n '9p; 3p' zip.kms; } >part
	run_tool 0 kms-verify -wP "${k[@]}" <part
	cmp part "$OUT"
}

@test "-w: nothing, if anything is wrong" {
	local end cut

	end=$(wc -l <zip.kms)
	altered 3 zip.kms | sed '$ d' >bad
	refuses 1 "kms-verify: stdin:4: record 3, user not heidi: $seal" \
	    kms-verify -wP "${k[@]}" <bad
	# also what is proven, and follows or came before in the same input
	cat tar.kms bad zip.kms >all
	refuses 1 "kms-verify: stdin:$(($(wc -l <tar.kms) + 4)): record 3, user not heidi: $seal" \
	    kms-verify -wP "${k[@]}" <all
	head -n 5 zip.kms >part
	cut='no end record: the stream was cut: fetch it whole, or take what is there with -P'
	refuses 2 "kms-verify: stdin:6: $cut" kms-verify -w "${k[@]}" <part
	cat zip.kms part >all
	refuses 2 "kms-verify: stdin:$((end + 6)): $cut" \
	    kms-verify -w "${k[@]}" <all
	{ cat zip.kms; printf 'rec:x'; } >all
	refuses 2 "kms-verify: stdin:$((end + 1)): no newline at the end: the stream was cut" \
	    kms-verify -w "${k[@]}" <all
	# consistent is not proven
	run_tool 1 kms-verify -w <zip.kms
	grep -qxF "$unproven" "$ERR"
	nothing_out -w
}

@test "-w: a plain stream is refused: it would lie clear on the disk" {
	local plain='-w keeps sealed streams only: a plain one would leave clear'

	plain="kms-verify: stdin:1: $plain keys on the disk"
	refuses 2 "$plain" kms-verify -w <plain.kms
	refuses 2 "$plain" kms-verify -wP <plain.kms
	echo rec:note >note
	refuses 2 "$plain" kms-verify -w <note
	# its end alone holds nothing, and proves nothing
	printf 'rec:end\tn:0\tkeys:0\tcerts:0\tfaults:0\tsha256:%s\tsig:\n' \
	    "$(sha256sum </dev/null | cut -c -64)" >end
	refuses 1 "$unproven" kms-verify -w <end
}

@test "-w: what waits is in TMPDIR, without a name" {
	local none=$TMPDIR/none

	refuses 2 "kms-verify: cannot make a temporary file in $none: No such file or directory (set TMPDIR)" \
	    env TMPDIR="$none" kms-verify -w "${k[@]}" <zip.kms
	mkfifo fifo
	kms-verify -w "${k[@]}" <fifo >out 3>&- &
	exec 9>fifo
	# past what a pipe holds: so it has begun to read, and to write
	for _ in {1..20}; do
		cat zip.kms
	done >&9
	[[ -z $(ls -A "$TMPDIR") && ! -s out ]]
	exec 9>&-
	wait $!
	[[ -z $(ls -A "$TMPDIR") ]]
	for _ in {1..20}; do
		cat zip.kms
	done | cmp - out
}

@test "-w: a temporary file that is full is an error" {
	need_writes
	local i code blocks

	for i in 1 2 3; do
		cat zip.kms tar.kms
	done >all
	blocks=$(($(wc -c <all) / 4096))
	# the last: what stdio writes only when it is asked to
	for i in 1 4 64 100 $((blocks * 4)); do
		(($(wc -c <all) > i * 1024))
		# SIGXFSZ ignored: the write fails as on a full disk
		{
			code=0
			(
				trap '' XFSZ
				ulimit -f "$i"
				exec kms-verify -w "${k[@]}" <all 2>"$ERR"
			) || code=$?
			echo "$code" >status
		} | cat >"$OUT"
		[[ $(<status) == 2 ]]
		says 'kms-verify: cannot write the temporary file: File too large (set TMPDIR)'
		nothing_out -w
	done
}

@test "output that is lost is said, however long it is" {
	local i status args

	for i in {1..40}; do
		cat zip.kms
	done >long
	for args in '' -w -r; do
		for i in zip.kms long; do
			status=0
			# shellcheck disable=SC2086 # none, or one
			kms-verify $args "${k[@]}" <"$i" >/dev/full 2>"$ERR" ||
				status=$?
			((status == 2))
			says 'kms-verify: cannot write standard output: No space left on device'
		done
	done
}

@test "memory does not grow with the stream" {
	if grep -qa __asan_init "$(command -v kms-verify)"; then
		skip 'a sanitizer needs memory of its own'
	fi
	# 40 MB of plain records; 100,000 of a part, in no order
	awk 'BEGIN {
		text = sprintf("%200s", "")
		for (i = 0; i < 200000; i++)
			print "rec:note\ttext:" text
	}' >plain
	{
		head -n 1 zip.kms
		awk 'BEGIN {
			for (i = 0; i < 100000; i++)
				print "rec:note\tn:" i * 7919 % 100003 + 1 \
				    "\tseal:"
		}'
	} >part
	for args in 'kms-verify -P <plain' 'kms-verify -Pr <plain' \
	    "kms-verify -P -C $ORG/machine.pem <part"; do
		/usr/bin/python3 - "$args" <<-'PYTHON'
			import resource, subprocess, sys
			p = subprocess.run(['bash', '-c', 'exec ' + sys.argv[1]],
			                   stdout=subprocess.DEVNULL,
			                   stderr=subprocess.DEVNULL)
			kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
			assert p.returncode == 1, p.returncode
			assert kib < 64 * 1024, '%d KiB' % kib
		PYTHON
	done
}

@test "the page lists the messages that have a remedy" {
	local args line

	# each of the DIAGNOSTICS is in a message that the tool gives; the words
	# in capitals stand for numbers; for the ceiling a part of 200 MB is needed
	sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/ s/^\.It "\(.*\)"/\1/p' \
	    "$BATS_TEST_DIRNAME/../man/kms-verify.1" |
	    grep -v 'scattered numbers n, the ceiling' |
	    sed 's/[].*^$[]/\\&/g; s/\<\(HEX\|N\|M\)\>/[0-9a-f]\\{1,64\\}/g' \
	    >listed
	[[ $(wc -l <listed) -ge 4 ]]
	head -n 2 zip.kms >2.kms
	sed 2d zip.kms >3.kms
	altered 3 zip.kms >4.kms
	echo hello >5.kms
	{ head -n 2 zip.kms | head -c -20 && cat zip.kms; } >6.kms
	script -qec 'kms-verify 2>given <plain.kms' /dev/null </dev/null ||
		(($? == 2))
	while read -r args; do
		run_tool 2 bash -c "kms-verify $args"
		cat "$ERR" >>given
	done <<-TRIES
		<5.kms
		-C $ORG/kra1.pem <zip.kms
		-k machine.cred <2.kms
		-k machine.cred <3.kms
		-k machine.cred <4.kms
		-k machine.cred <6.kms
		-k machine.cred <plain.kms
		-w <plain.kms
		-k $ORG/kra1.p12 -p file:$ORG/kra1.pw -C $ORG/machine.pem <zip.kms
	TRIES
	while IFS= read -r line; do
		grep -q -e "$line" given || echo "$line"
	done <listed >missing
	diff -u /dev/null missing
}

# same OPTION...: -j does not change what comes of standard input.
same()
{
	local jobs one

	cat >same.in
	for jobs in 1 2 5; do
		kms-verify -j "$jobs" "${k[@]}" "$@" <same.in >"out.$jobs" \
		    2>"err.$jobs" && echo 0 >>"err.$jobs" || echo $? >>"err.$jobs"
		one=${one:-$jobs}
		cmp "out.$one" "out.$jobs"
		cmp "err.$one" "err.$jobs"
	done
}

@test "-j: the same output, messages and status" {
	# no process gets all of it at once
	(($(stat -c %s zip.kms) > 32 * 1024))
	same <zip.kms
	same -v < <(cat zip.kms small.kms small.kms tar.kms)
	same -r <zip.kms
	same -w <zip.kms
	# some that fail, streams that break, parts
	altered 3 zip.kms | altered 14 - >bad.kms
	(($(diff zip.kms bad.kms | grep -c '^>') == 2))
	same <bad.kms
	same -P <bad.kms
	same -Pr < <(cat bad.kms tar.kms)
	same -w <bad.kms
	same < <(sed 12d zip.kms)
	same < <(sed '12s/cert:/cert:*/' zip.kms)
	same < <(head -c 30000 zip.kms)
	same -P < <(sed -n '1p;12,$p' zip.kms; sed -n '2,11p' zip.kms | tac)
	same < <(sed '1s/lockbox:..../lockbox:AAAA/' zip.kms)
}

# many COPIES: a part of zip.kms, its records so often, each with a number of
# its own; the seals of the first fit.
many()
{
	awk -F '\t' -v OFS='\t' -v copies="$1" 'NR == 1; NR > 1 && !/^rec:end/ {
		line[++n] = $0
	} END {
		for (c = 0; c < copies; c++)
			for (i = 1; i <= n; i++) {
				$0 = line[i]
				$2 = "n:" (c * n + i)
				print
			}
	}' zip.kms
}

@test "-j: the same, of more than what processes get at once" {
	many 60 >many.kms
	same -P <many.kms
	same -Pqr <many.kms
	only verdict <out.5 | cut -f 2 | cmp - <(seq -f n:%.0f 960)
}

@test "-j: a process that is killed is exit 2" {
	local pid status=0
	local -a crew

	[[ -r /proc/self/task/$$/children ]] || skip 'no list of children here'
	mkfifo in
	kms-verify -j 2 "${k[@]}" <in >"$OUT" 2>"$ERR" 3>&- &
	pid=$!
	exec 9>in
	until ((${#crew[@]} == 2)); do
		kill -0 "$pid"
		read -r -a crew <"/proc/$pid/task/$pid/children" || :
	done
	kill -KILL "${crew[@]}"
	cat zip.kms >&9 2>/dev/null || :
	exec 9>&-
	wait "$pid" || status=$?
	((status == 2))
	says 'kms-verify: a process of -j: the process that read it was killed by signal 9 (Killed): the file is hostile, or a library has a fault'
	[[ -z $(only key <"$OUT") ]]
}

# What parses hostile certificates cannot write what the others will believe.
@test "-j: a process reads batches that it cannot write" {
	local pid child first
	local -a crew

	[[ -r /proc/self/task/$$/children ]] || skip 'no list of children here'
	mkfifo in out
	kms-verify -j 2 "${k[@]}" <in >out 2>"$ERR" 3>&- &
	pid=$!
	exec 9>in 8<out
	sed '$ d' zip.kms >&9
	# once a record came out, a batch was worked on
	read -r first <&8
	[[ $first == rec:stream* ]]
	read -r first <&8
	read -r -a crew <"/proc/$pid/task/$pid/children" || :
	((${#crew[@]} == 2))
	for child in "${crew[@]}"; do
		grep ' r--s .*memfd:batches' "/proc/$child/maps" >shared
		grep ' rw-s ' "/proc/$child/maps" || echo "$child"
	done >apart
	grep -qxE '[0-9]+' apart
	exec 9>&-
	cat <&8 >rest
	wait "$pid" || :
	[[ -s rest ]]
}

@test "-j: what is no number" {
	fails '-j 0: not a number from 1 to 256' -j 0
}
