#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash

load common
load ca
load org

# KRA certificates, each good but for what its name says; KRA is where.
setup_file()
{
	export KRA=$BATS_FILE_TMPDIR/kra
	# shellcheck disable=SC2034 # of org_spawn
	local org_running=0 org_cores=2

	org_setup "$KRA"
	cp "$ORG"/{ca,kms}.{pem,key} "$KRA"
	cat >>"$KRA/job/openssl.cnf" <<'CNF'
[ca_noeku]
keyUsage = critical, keyEncipherment
[ca_otheruse]
keyUsage = critical, digitalSignature
extendedKeyUsage = 1.3.6.1.4.1.311.21.6
[ca_nouse]
extendedKeyUsage = clientAuth, 1.3.6.1.4.1.311.21.6
[ca_forged]
keyUsage = critical, keyEncipherment
extendedKeyUsage = 1.3.6.1.4.1.311.21.6
authorityKeyIdentifier = none
CNF
	org_serial=8192
	org_spawn kra good 2048 ca 20030101 20491231 ca_kra
	org_spawn kra issuer 2048 kms 20030101 20491231 ca_kra
	org_spawn kra noeku 2048 ca 20030101 20491231 ca_noeku
	org_spawn kra otheruse 2048 ca 20030101 20491231 ca_otheruse
	org_spawn kra nouse 2048 ca 20030101 20491231 ca_nouse
	org_spawn kra small 1024 ca 20030101 20491231 ca_kra
	org_spawn kra expired 2048 ca 20010101 20020101 ca_kra
	org_spawn kra future 2048 ca 20400101 20491231 ca_kra
	org_spawn forged
	org_spawn other_key ec -newkey ec -pkeyopt ec_paramgen_curve:P-256
	org_spawn other_key ed -newkey ed25519
	org_wait
}

kra()
{
	org_issue "$1" "$2" 3 "$3" "$4" "$5" "$6" "/O=Example/CN=KRA $1"
}

# other_key NAME ARG...: a certificate of the CA for another kind of key.
other_key()
{
	local name=$1

	shift
	org_openssl req -new -noenc -subj "/O=Example/CN=KRA $name" \
	    -keyout "$KRA/keys/$name.key" -out "$KRA/$name.csr" "$@"
	org_openssl x509 -req -in "$KRA/$name.csr" -CA "$KRA/ca.pem" \
	    -CAkey "$KRA/ca.key" -set_serial "$org_serial" -days 365 \
	    -extfile "$KRA/job/openssl.cnf" -extensions ca_kra \
	    -out "$KRA/keys/$name.pem"
}

# forged: a KRA issued by somebody who has the CA's name.
forged()
{
	org_openssl req -x509 -newkey rsa:2048 -noenc -days 365 \
	    -subj '/O=Example/CN=Example CA' -keyout "$KRA/false.key" \
	    -out "$KRA/false.pem"
	org_issue forged 2048 3 false 20030101 20491231 ca_forged \
	    '/O=Example/CN=KRA forged'
}

init=(ca-init -c "${ORG-}/ca.pem" -d ca.db)

sha1()
{
	openssl x509 -in "$1" -outform DER | sha1sum | cut -c -40
}

setting()
{
	rows ca.db "SELECT Value FROM config WHERE Name = '$1'"
}

# agents: the thumbprints in the archive, in its order.
agents()
{
	rows ca.db 'SELECT CertificateHash FROM kra ORDER BY KraID'
}

@test "ca-init: filter contract, PEM" {
	CUT_SKIP=1 CUT_EMPTY=1 filter_contract ca-init -c "$ORG/ca.pem" \
	    -d ca.db <"$ORG/kra1.pem"
	[[ $(agents) == "$(sha1 "$ORG/kra1.pem")" ]]
}

@test "ca-init: filter contract, DER" {
	openssl x509 -in "$ORG/kra1.pem" -outform DER >kra.cer
	CUT_EMPTY=1 filter_contract ca-init -c "$ORG/ca.pem" -d ca.db <kra.cer
	[[ $(agents) == "$(sha1 "$ORG/kra1.pem")" ]]
}

@test "ca-init: filter contract, records" {
	record 1 kra "$ORG/kra1.pem" | closed >kra.rec
	CUT_EMPTY=1 filter_contract ca-init -c "$ORG/ca.pem" -d ca.db <kra.rec
	[[ $(agents) == "$(sha1 "$ORG/kra1.pem")" ]]
}

@test "ca-init: input that is cut makes no file" {
	local at

	for at in 1 100 600 1150; do
		head -c "$at" "$ORG/kra1.pem" >half
		contract 2 ca-init -c "$ORG/ca.pem" -d ca.db <half
		[[ $(ls) == half ]]
	done
}

@test "ca-init: usage" {
	local usage='usage: ca-init [-DfqVv] [-c cacert] -d db [-N count]'

	usage+=' [-p secret]...'
	refuses 2 "ca-init: -d db is missing: the archive
$usage" ca-init </dev/null
	refuses 2 "ca-init: operand: no operand is expected (a file is given as <FILE)
$usage" "${init[@]}" operand </dev/null
}

one_agent='ca-init: warning: one agent: if its key is lost, so are all archived keys: '
one_agent+='add another before the import, it opens only what is archived afterwards'

@test "ca-init: the archive that it makes" {
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" >kras
	run_tool 0 "${init[@]}" <kras
	says "ca-init: audit head: $(last_head ca.db)"
	[[ $(stat -c %a ca.db) == 600 ]]
	[[ $(ls) == $'ca.db\nkras' ]]
	[[ $(rows ca.db 'PRAGMA application_id') == $((0x6b326361)) ]]
	[[ $(rows ca.db 'PRAGMA user_version') == 4 ]]
	[[ $(rows ca.db 'PRAGMA journal_mode') == wal ]]
	[[ $(rows ca.db 'PRAGMA page_size') == 16384 ]]
	[[ $(rows ca.db "SELECT group_concat(name, ' ') FROM (SELECT name FROM
	    sqlite_master WHERE type = 'table' ORDER BY name)") == \
	    'audit certificate config cure fault keyversion kra name request' ]]
	[[ $(rows ca.db "SELECT Name, Value FROM config
	    WHERE Name <> 'CACertificate' ORDER BY Name") == \
	    $'KRACertCount|0\nKRAFlags|0\nRoleSeparationEnabled|0' ]]
	[[ $(rows ca.db "SELECT lower(hex(Value)) FROM config
	    WHERE Name = 'CACertificate'") == \
	    "$(openssl x509 -in "$ORG/ca.pem" -outform DER | xxd -p -c 0)" ]]
	[[ $(rows ca.db 'SELECT AuditID, Action FROM audit') == '1|init' ]]
	whole ca.db
}

@test "ca-init: a kra record for each" {
	local n=0 file pem der text

	cat "$ORG/kra1.pem" "$ORG/kra2.pem" >kras
	run_tool 0 "${init[@]}" <kras
	[[ $(head -n 1 "$OUT" | tr '\t' '\n' | sed 's/:.*//' | xargs) == \
	    'rec n status sha1 sha256 serial issuer subject not_before not_after alg reason cert' ]]
	for file in kra1 kra2; do
		((n += 1))
		pem=$ORG/$file.pem
		openssl x509 -in "$pem" -outform DER >cer
		der=$(xxd -p -c 0 cer)
		text=$(printf '%s\t' rec:kra "n:$n" status:added \
		    "sha1:$(sha1sum <cer | cut -c -40)" \
		    "sha256:$(sha256sum <cer | cut -c -64)" \
		    "serial:100$((n + 3))" 'issuer:CN=Example CA,O=Example' \
		    "subject:CN=Recovery Agent $n,O=Example" \
		    not_before:2003-01-01T00:00:00Z \
		    not_after:2049-12-31T00:00:00Z alg:RSA-2048 reason: \
		    "cert:$(base64 -w 0 cer)")
		[[ $(sed -n "${n}p" "$OUT") == "${text%$'\t'}" ]]
		[[ $(rows ca.db "SELECT CertificateHash, Sha256,
		    lower(hex(RawCertificate)) FROM kra WHERE KraID = $n") == \
		    "$(sha1sum <cer | cut -c -40)|$(sha256sum <cer |
		    cut -c -64)|$der" ]]
	done
	head -n 2 "$OUT" | closed | cmp - "$OUT"
}

@test "ca-init: PEM, DER, records and PKCS#7 give one archive" {
	local form

	cat "$ORG/kra1.pem" "$ORG/kra2.pem" >kra.pem
	openssl x509 -in "$ORG/kra1.pem" -outform DER >kra.cer
	openssl crl2pkcs7 -nocrl -certfile kra.pem -outform DER >kra.p7b
	{
		record 1 one "$ORG/kra1.pem"
		record 2 two "$ORG/kra2.pem"
	} | closed >kra.rec
	for form in pem p7b rec; do
		run_tool 0 "${init[@]}" <"kra.$form"
		[[ $(agents) == "$(sha1 "$ORG/kra1.pem")"$'\n'"$(
		    sha1 "$ORG/kra2.pem")" ]]
		rm ca.db
	done
	run_tool 0 "${init[@]}" <kra.cer
	[[ $(agents) == "$(sha1 "$ORG/kra1.pem")" ]]
}

@test "ca-init: its own output is its input" {
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" >kras
	run_tool 0 "${init[@]}" <kras
	cp "$OUT" kra.rec
	cp ca.db first.db
	rm ca.db
	run_tool 0 "${init[@]}" <kra.rec
	cmp "$OUT" kra.rec
	[[ $(agents) == "$(rows first.db \
	    'SELECT CertificateHash FROM kra ORDER BY KraID')" ]]
}

@test "ca-init: a KRA as PKCS#12: its certificate, not its key" {
	local prime

	run_tool 0 "${init[@]}" -p "file:$ORG/kra1.pw" <"$ORG/kra1.p12"
	[[ $(agents) == "$(sha1 "$ORG/kra1.pem")" ]]
	prime=$(openssl rsa -in "$ORG/kra1.key" -text -noout 2>/dev/null |
	    awk '/^prime1/ { on = 1; next } /^[a-z]/ { on = 0 } on' |
	    tr -d ' :\n')
	prime=${prime#00}
	[[ ${#prime} == 256 ]]
	not grep -q "$prime" <(xxd -p -c 0 ca.db)
	not grep -q "$(base64 -w 0 <<<"$prime")" "$OUT"
}

@test "ca-init: records that are damaged are not skipped" {
	{
		record 1 one "$ORG/kra1.pem" | sed 's/cert:MII/cert:%%%/'
		record 2 two "$ORG/kra2.pem"
	} | closed >kra.rec
	refuses 2 'ca-init: stdin: line 1: cert is not base64: make the records anew: expected the certificates of the KRAs' \
	    "${init[@]}" <kra.rec
	{
		record 1 one "$ORG/kra1.pem" | sed 's/cert:MII/cert:AAA/'
		record 2 two "$ORG/kra2.pem"
	} | closed >kra.rec
	refuses 2 'ca-init: stdin: not a DER certificate (RFC 5280 section 4.1): fetch the file again, or export it anew' \
	    "${init[@]}" <kra.rec
}

@test "ca-init: input without certificates" {
	refuses 2 'ca-init: stdin: empty input: expected the certificates of the KRAs' \
	    "${init[@]}" </dev/null
	refuses 2 'ca-init: stdin: not a format that is read here: if it holds keys, get them out as PKCS#12: expected the certificates of the KRAs' \
	    "${init[@]}" <"$ORG/jane.pw"
	refuses 2 'ca-init: stdin: no certificate in it: expected those of the KRAs' \
	    "${init[@]}" <"$ORG/kra1.key"
	refuses 2 'ca-init: stdin: cannot read: Is a directory: expected the certificates of the KRAs' \
	    "${init[@]}" <.
	closed </dev/null >empty.rec
	refuses 2 'ca-init: stdin: no key and no certificate in it: look at what it is: expected the certificates of the KRAs' \
	    "${init[@]}" <empty.rec
}

# refused NAME REASON: that KRA is refused, with and without a good one before
# it, and with -f accepted with a warning.
refused()
{
	local pem=$KRA/keys/$1.pem

	rm -f ca.db bad
	cat "$KRA/keys/good.pem" "$pem" >bad
	refuses 1 "ca-init: KRA CN=KRA $1,O=Example: $2 (-f accepts it all the same); nothing was written (CERTSRV_E_NO_VALID_KRA 0x8009400B)" \
	    "${init[@]}" <bad || return
	refuses 1 "ca-init: KRA CN=KRA $1,O=Example: $2 (-f accepts it all the same); nothing was written (CERTSRV_E_NO_VALID_KRA 0x8009400B)" \
	    "${init[@]}" <"$pem" || return
	[[ $(ls) == bad ]] || return
	run_tool 0 "${init[@]}" -f <bad || return
	says "ca-init: warning: KRA CN=KRA $1,O=Example: $2" \
	    "ca-init: audit head: $(last_head ca.db)" || return
	[[ $(only kra <"$OUT" | field status | xargs) == 'added forced' ]] ||
		return
	[[ $(only kra <"$OUT" | field reason | tail -n 1) == "$2" ]] || return
	[[ $(agents | tail -n 1) == "$(sha1 "$pem")" ]]
}

@test "ca-init: a KRA of another CA is refused" {
	refused issuer 'not issued by the CA of the archive'
}

@test "ca-init: a KRA that only names the CA is refused" {
	refused forged 'not issued by the CA of the archive'
}

@test "ca-init: a KRA without the extended key usage is refused" {
	refused noeku \
	    'no extended key usage 1.3.6.1.4.1.311.21.6 (key recovery agent)'
}

@test "ca-init: a KRA whose key usage is another is refused" {
	refused otheruse 'no key usage keyEncipherment'
}

@test "ca-init: a KRA without key usage is refused" {
	refused nouse 'no key usage keyEncipherment'
}

@test "ca-init: a KRA of 1024 bits is refused" {
	refused small 'not an RSA key of 2048 bits or more'
}

@test "ca-init: a KRA with an EC key is refused" {
	refused ec 'not an RSA key of 2048 bits or more'
}

@test "ca-init: an expired KRA is refused" {
	refused expired expired
}

@test "ca-init: a KRA that is not valid yet is refused" {
	refused future 'not valid yet'
}

@test "ca-init: -f takes no KRA that nothing can be encrypted to" {
	refuses 1 'ca-init: KRA CN=KRA ed,O=Example: not an RSA key of 2048 bits or more (-f accepts it all the same); nothing was written (CERTSRV_E_NO_VALID_KRA 0x8009400B)' \
	    "${init[@]}" <"$KRA/keys/ed.pem"
	refuses 1 'ca-init: KRA CN=KRA ed,O=Example: its key cannot encrypt (a signature-only key?); nothing was written (CERTSRV_E_NO_VALID_KRA 0x8009400B)' \
	    "${init[@]}" -f <"$KRA/keys/ed.pem"
}

@test "ca-init: an EC agent taken with -f can recover" {
	run_tool 0 "${init[@]}" -f <"$KRA/keys/ec.pem"
	user 1 judy-2003 | closed >key.rec
	run_tool 0 ca-import -d ca.db <key.rec
	run_tool 0 ca-export -d ca.db
	cp "$OUT" out.rec
	cat "$KRA/keys/ec.pem" "$KRA/keys/ec.key" >agent.pem
	run_tool 0 ca-recover -k agent.pem <out.rec
	field key <"$OUT" | base64 -d | cmp - <(p8 "$ORG/keys/judy-2003.key")
}

@test "ca-init: a refused KRA leaves an archive that is there as it was" {
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	cp ca.db before.db
	cat "$ORG/kra2.pem" "$KRA/keys/expired.pem" >bad
	run_tool 1 "${init[@]}" -N 1 <bad
	says 'ca-init: KRA CN=KRA expired,O=Example: expired (-f accepts it all the same); nothing was written (CERTSRV_E_NO_VALID_KRA 0x8009400B)'
	nothing_out ca-init
	diff <(rows before.db .dump) <(rows ca.db .dump)
}

@test "ca-init: without -c the issuer is not checked, and it says so" {
	run_tool 0 ca-init -d ca.db <"$KRA/keys/issuer.pem"
	says 'ca-init: no -c: every certificate will be foreign, and who issued the KRA certificates is not checked' \
	    "$one_agent" "ca-init: audit head: $(last_head ca.db)"
	[[ $(only kra <"$OUT" | field status) == added ]]
	[[ -z $(setting CACertificate) ]]
	# but everything else is
	run_tool 1 ca-init -d other.db <"$KRA/keys/expired.pem"
	[[ ! -e other.db ]]
}

@test "ca-init: -c reads PKCS#12 too, and must hold a certificate" {
	openssl pkcs12 -export -passout pass:secret -inkey "$ORG/ca.key" \
	    -in "$ORG/ca.pem" -out ca.p12
	org_secret ca.pw secret
	run_tool 0 ca-init -c ca.p12 -p file:ca.pw -d ca.db <"$ORG/kra1.pem"
	[[ $(rows ca.db "SELECT lower(hex(Value)) FROM config
	    WHERE Name = 'CACertificate'") == \
	    "$(openssl x509 -in "$ORG/ca.pem" -outform DER | xxd -p -c 0)" ]]
	rm ca.db
	refuses 2 'ca-init: -c: ca.p12: integrity check failed (no password given: -p, or damaged file)' \
	    ca-init -c ca.p12 -d ca.db <"$ORG/kra1.pem"
	refuses 2 "ca-init: -c: $ORG/ca.key: no certificate in it" \
	    ca-init -c "$ORG/ca.key" -d ca.db <"$ORG/kra1.pem"
	refuses 2 'ca-init: -c: none.pem: No such file or directory' \
	    ca-init -c none.pem -d ca.db <"$ORG/kra1.pem"
}

@test "ca-init: what opens for one agent only is warned of" {
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	says "$one_agent" "ca-init: audit head: $(last_head ca.db)"
	# the second one is there
	run_tool 0 "${init[@]}" <"$ORG/kra2.pem"
	says "ca-init: audit head: $(last_head ca.db)"
	run_tool 0 "${init[@]}" -N 1 <"$ORG/kra2.pem"
	says 'ca-init: warning: KRACertCount is 1: each key opens for one agent, and is lost with the key of that: take 2, or 0 for all' \
	    "ca-init: audit head: $(last_head ca.db)"
}

@test "ca-init: again: present, and nothing changes" {
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" >kras
	run_tool 0 "${init[@]}" <kras
	rows ca.db .dump >before
	run_tool 0 "${init[@]}" <kras
	says
	[[ $(only kra <"$OUT" | field status | xargs) == 'present present' ]]
	rows ca.db .dump | cmp before -
}

@test "ca-init: again: one more is added, in one audited commit" {
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" >kras
	run_tool 0 "${init[@]}" <kras
	says "ca-init: audit head: $(last_head ca.db)"
	[[ $(only kra <"$OUT" | field status | xargs) == 'present added' ]]
	[[ $(agents) == "$(sha1 "$ORG/kra1.pem")"$'\n'"$(
	    sha1 "$ORG/kra2.pem")" ]]
	[[ $(rows ca.db "SELECT group_concat(Action, ' ') FROM audit") == \
	    'init kra' ]]
	whole ca.db
}

@test "ca-init: again: without -c the CA of the archive checks" {
	local tool

	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	run_tool 1 ca-init -d ca.db <"$KRA/keys/issuer.pem"
	says 'ca-init: KRA CN=KRA issuer,O=Example: not issued by the CA of the archive (-f accepts it all the same); nothing was written (CERTSRV_E_NO_VALID_KRA 0x8009400B)'
	run_tool 0 ca-init -d ca.db <"$KRA/keys/good.pem"
	says "ca-init: audit head: $(last_head ca.db)"
	# and if that is not one, nobody does
	rows ca.db "UPDATE config SET Value = x'30' WHERE Name = 'CACertificate'"
	for tool in ca-init "ca-init -c $ORG/ca.pem"; do
		# shellcheck disable=SC2086 # words
		refuses 2 "ca-init: $(pwd -P)/ca.db: the certificate of the CA in it does not parse (the archive was changed by another program: check it with ca-audit)" \
		    $tool -d ca.db <"$ORG/kra2.pem"
	done
}

@test "ca-init: again: another CA is refused" {
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	refuses 2 'ca-init: -c is not the CA of this archive' \
	    ca-init -c "$ORG/kms.pem" -d ca.db <"$ORG/kra2.pem"
	# not even one of the same length
	openssl x509 -in "$ORG/ca.pem" -outform DER >like.cer
	printf '%08x: 00' $(($(stat -c %s like.cer) - 9)) | xxd -r - like.cer
	refuses 2 'ca-init: -c is not the CA of this archive' \
	    ca-init -c like.cer -d ca.db <"$ORG/kra2.pem"
	[[ $(agents) == "$(sha1 "$ORG/kra1.pem")" ]]
}

@test "ca-init: two KRAs with one issuer and serial number are refused" {
	local n

	# the name of an agent in an archived key: kra1 could open none
	for n in 1 2; do
		openssl req -x509 -newkey rsa:2048 -noenc -days 9 -subj /CN=agent \
		    -set_serial 7 -keyout /dev/null -out "same$n.pem" 2>/dev/null
	done
	cat same1.pem same2.pem >both.pem
	run_tool 1 ca-init -f -d same.db <both.pem
	[[ $(tail -n 1 "$ERR") == "ca-init: KRA CN=agent: another one has its \
issuer and serial number, by which an archived key names its agents (RFC 5652 \
section 6.2.1): issue it anew, under another number; nothing was written"* ]]
	[[ ! -s $OUT && ! -e same.db ]]
	run_tool 0 ca-init -f -d same.db <same1.pem
	run_tool 1 ca-init -f -d same.db <same2.pem
	[[ $(rows same.db 'SELECT count(*) FROM kra') == 1 ]]
}

@test "ca-init: one KRA twice is one" {
	cat "$ORG/kra1.pem" "$ORG/kra1.pem" >kras
	run_tool 0 "${init[@]}" <kras
	[[ $(only kra <"$OUT" | field status | xargs) == 'added present' ]]
	[[ $(agents) == "$(sha1 "$ORG/kra1.pem")" ]]
	rm ca.db
	refuses 2 'ca-init: -N 2: the archive has 1 KRAs' "${init[@]}" -N 2 <kras
}

@test "ca-init: -N" {
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" >kras
	run_tool 0 "${init[@]}" -N 1 <kras
	[[ $(setting KRACertCount) == 1 ]]
	# again, as many as the archive has, whatever is on stdin
	run_tool 0 "${init[@]}" -N 2 <"$ORG/kra1.pem"
	[[ $(setting KRACertCount) == 2 ]]
	run_tool 0 "${init[@]}" -N 0 <"$ORG/kra1.pem"
	[[ $(setting KRACertCount) == 0 ]]
	refuses 2 'ca-init: -N 3: the archive has 2 KRAs' "${init[@]}" -N 3 \
	    <"$ORG/kra1.pem"
	[[ $(setting KRACertCount) == 0 ]]
	whole ca.db
}

@test "ca-init: -N that is no such number" {
	refuses 2 'ca-init: -N 3: the archive has 2 KRAs' "${init[@]}" -N 3 < \
	    <(cat "$ORG/kra1.pem" "$ORG/kra2.pem")
	refuses 2 'ca-init: -N: x: not a number' "${init[@]}" -N x <"$ORG/kra1.pem"
	refuses 2 'ca-init: -N: KRACertCount is a number: + and - are for bits' "${init[@]}" -N -1 <"$ORG/kra1.pem"
	refuses 2 'ca-init: -N: 1k: not a number' "${init[@]}" -N 1k <"$ORG/kra1.pem"
	refuses 2 'ca-init: -N: : not a number' "${init[@]}" -N '' <"$ORG/kra1.pem"
	refuses 2 'ca-init: -N: 4294967297: not a number' "${init[@]}" -N 4294967297 \
	    <"$ORG/kra1.pem"
	refuses 2 'ca-init: -N: 1001: more than KRACertCount allows (1000)' \
	    "${init[@]}" -N 1001 <"$ORG/kra1.pem"
}

@test "ca-init: the archive is private whatever the umask" {
	local mask

	for mask in 000 022 077 777; do
		rm -f ca.db
		# shellcheck disable=SC2016
		run_tool 0 bash -c 'umask "$1" && exec "${@:2}"' - "$mask" \
		    ca-init -c "$ORG/ca.pem" -d ca.db <"$ORG/kra1.pem"
		[[ $(stat -c %a ca.db) == 600 ]]
	done
}

@test "ca-init: names that mean something elsewhere" {
	local dir='a%41b?c#d' name='x?mode=ro&y#z%20 é.db'

	mkdir "$dir"
	run_tool 0 ca-init -c "$ORG/ca.pem" -d "$dir/$name" <"$ORG/kra1.pem"
	[[ $(ls "$dir") == "$name" && $(ls) == "$dir" ]]
	run_tool 0 ca-setflag -d "$dir/$name" KRAFlags 1
	run_tool 0 ca-setflag -d "$dir/$name" KRAFlags
	[[ $(only flag <"$OUT" | field new) == 1 ]]
	cd "$dir"
	run_tool 0 ca-setflag -d "$PWD/$name" KRAFlags
	mv "$name" file:ca.db
	run_tool 0 ca-setflag -d file:ca.db KRAFlags 0
	[[ $(ls) == file:ca.db ]]
}

@test "ca-init: a directory that is not there, or no name in it" {
	refuses 2 'ca-init: none: No such file or directory' \
	    ca-init -c "$ORG/ca.pem" -d none/ca.db <"$ORG/kra1.pem"
	refuses 2 'ca-init: ./: not a file name' \
	    ca-init -c "$ORG/ca.pem" -d ./ <"$ORG/kra1.pem"
	refuses 2 'ca-init: : not a file name' \
	    ca-init -c "$ORG/ca.pem" -d '' <"$ORG/kra1.pem"
}

@test "ca-init: a read-only directory" {
	need_unprivileged
	mkdir ro
	chmod 555 ro
	refuses 2 "ca-init: $(pwd -P)/ro/ca.db: cannot create: Permission denied" \
	    "${unprivileged[@]}" ca-init -c "$ORG/ca.pem" -d ro/ca.db <"$ORG/kra1.pem"
	[[ -z $(ls -A ro) ]]
	chmod 755 ro
}

# each_tool MESSAGE DB: no tool of the archive takes that file, nor changes it.
each_tool()
{
	local message=$1 db=$2

	closed </dev/null >"$BATS_TEST_TMPDIR/empty"
	untouched ca-init -c "$ORG/ca.pem" -d "$db" <"$ORG/kra1.pem" || return
	untouched ca-setflag -d "$db" </dev/null || return
	untouched ca-setflag -d "$db" KRAFlags 1 </dev/null || return
	untouched ca-import -d "$db" <"$BATS_TEST_TMPDIR/empty" || return
	untouched ca-export -d "$db" </dev/null || return
	untouched ca-export -n -d "$db" </dev/null
}

# untouched TOOL ARG...: it fails with message, and no file is another; a reader
# of SQLite may leave its two beside an archive.
untouched()
{
	local before

	before=$(files)
	run_tool 2 "$@" || return
	says "$1: $message" || return
	nothing_out "$*" || return
	rm -f "$db-shm" "$db-wal"
	same_files "$before" "$*"
}

@test "ca-init: not through a symbolic link" {
	run_tool 0 ca-init -c "$ORG/ca.pem" -d real.db <"$ORG/kra1.pem"
	ln -s real.db ca.db
	each_tool "$(pwd -P)/ca.db: not a regular file" ca.db
	rm real.db
	each_tool "$(pwd -P)/ca.db: not a regular file" ca.db
	[[ $(ls) == ca.db ]]
}

@test "ca-init: a directory or a pipe is no archive" {
	mkdir -m 700 dir
	mkfifo -m 600 pipe
	each_tool "$(pwd -P)/dir: not a regular file" dir
	each_tool "$(pwd -P)/pipe: not a regular file" pipe
}

@test "ca-init: an archive that others can read is refused, with the remedy" {
	local mode

	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	for mode in 640 604 620 601; do
		chmod "$mode" ca.db
		each_tool "$(pwd -P)/ca.db: others can read or write it: run chmod 600 on it" \
		    ca.db
	done
	chmod 600 ca.db
	run_tool 0 "${init[@]}" <"$ORG/kra2.pem"
}

@test "ca-init: so is what SQLite would believe beside it" {
	local beside message

	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	closed </dev/null >"$BATS_TEST_TMPDIR/empty"
	for beside in ca.db-wal ca.db-shm ca.db-journal; do
		message="$(pwd -P)/$beside: others can read or write it: run chmod 600 on it"
		(umask 077 && echo planted >"$beside")
		chmod 620 "$beside"
		refuses 2 "ca-export: $message" ca-export -d ca.db
		refuses 2 "ca-import: $message" ca-import -d ca.db \
		    <"$BATS_TEST_TMPDIR/empty"
		rm "$beside"
		message="$(pwd -P)/$beside: not a regular file"
		ln -s /dev/null "$beside"
		refuses 2 "ca-setflag: $message" ca-setflag -d ca.db KRAFlags 1
		rm "$beside"
	done
}

@test "ca-init: a rollback journal beside an archive is refused" {
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	: >ca.db-journal
	run_tool 0 ca-setflag -d ca.db
	echo planted >ca.db-journal
	each_tool "$(pwd -P)/ca.db-journal: an archive has none: find out who put it there, and remove it" \
	    ca.db
}

@test "ca-init: the log of an archive that is gone is not believed" {
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	sqlite3 ca.db '.dbconfig no_ckpt_on_close on' \
	    "UPDATE config SET Value = 7 WHERE Name = 'KRAFlags'" >/dev/null
	rm ca.db ca.db-shm
	[[ -s ca.db-wal ]]
	refuses 2 "ca-init: $(pwd -P)/ca.db-wal: left over from another archive: put that beside it, or remove it" \
	    "${init[@]}" <"$ORG/kra1.pem"
	rm ca.db-wal
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
}

@test "ca-init: what belongs to another user is refused" {
	local beside tool

	(($(id -u) == 0)) || skip 'not root'
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	for beside in ca.db-wal ca.db-shm ca.db-journal ca.db; do
		echo planted >>"$beside"
		chown 65534 "$beside"
		for tool in ca-setflag 'ca-export -n' 'ca-init -f'; do
			# shellcheck disable=SC2086 # words
			refuses 2 "${tool%% *}: $(pwd -P)/$beside: belongs to another user: run chown on it, or run as that user" \
			    $tool -d ca.db <"$ORG/kra1.pem"
		done
		rm "$beside"
	done
}

@test "ca-init: a directory that others can write is refused" {
	local mode message

	message="$(pwd -P)/dir: others can write this directory, and replace the archive: run chmod go-w on it, or give the archive one of its own"
	mkdir dir
	run_tool 0 ca-init -q -c "$ORG/ca.pem" -d dir/ca.db <"$ORG/kra1.pem"
	for mode in 770 707 777 1777; do
		chmod "$mode" dir
		each_tool "$message" dir/ca.db
		# nor is one made there
		refuses 2 "ca-init: $message" \
		    ca-init -d dir/new.db <"$ORG/kra1.pem"
	done
	for mode in 700 755; do
		chmod "$mode" dir
		run_tool 0 ca-setflag -d dir/ca.db
		says
	done
}

@test "ca-init: a database of somebody else" {
	sqlite3 other.db 'CREATE TABLE request(a); INSERT INTO request VALUES (1)'
	chmod 600 other.db
	each_tool "$(pwd -P)/other.db: a database, but not an archive of kms2ca" \
	    other.db
	[[ $(rows other.db .dump) == *'INSERT INTO request VALUES(1)'* ]]
}

@test "ca-init: no database at all" {
	yes 'not a database' | head -n 1000 >text
	chmod 600 text
	each_tool "$(pwd -P)/text: cannot open: file is not a database (restore it from a backup)" \
	    text
}

@test "ca-init: an archive of an older or a newer kms2ca" {
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	sqlite3 ca.db 'PRAGMA user_version = 1'
	each_tool "$(pwd -P)/ca.db: an archive of version 1, this kms2ca has 4: bring it over to a new one: ca-dump -d OLD | ca-load -d NEW" \
	    ca.db
	sqlite3 ca.db 'PRAGMA user_version = 5'
	each_tool "$(pwd -P)/ca.db: an archive of version 5, this kms2ca has 4: use the one that made it" \
	    ca.db
}

@test "ca-init: PostgreSQL: no password in a name, and a server must be there" {
	local name

	pkg-config --exists libpq || skip 'no libpq'
	for name in postgresql://me:secret@localhost/ca \
	    'postgres://localhost/?password=secret' \
	    'postgresql://localhost/?sslpassword=secret'; do
		each_tool '-d: others can see a password on the command line: put it into ~/.pgpass or a service file, and change it' \
		    "$name"
	done
	each_tool '-d: invalid URI query parameter (ca-db(5) shows some)' \
	    'postgresql:///?no=1'
	name="postgresql:///ca?host=$PWD"
	each_tool "$name: connection to server on socket \"$PWD/.s.PGSQL.5432\" failed: No such file or directory Is the server running locally and accepting connections on that socket? (ca-db(5) shows how to name a server)" \
	    "$name"
}

@test "ca-init: output that is lost: the archive is whole, again completes" {
	local status=0

	"${init[@]}" <"$ORG/kra1.pem" >/dev/full 2>"$ERR" || status=$?
	((status == 2))
	says "$one_agent" "ca-init: audit head: $(last_head ca.db)" \
	    'ca-init: cannot write standard output: No space left on device'
	whole ca.db
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	[[ $(only kra <"$OUT" | field status) == present ]]
}

@test "ca-init: no room for the archive: no archive" {
	need_writes
	local blocks status said done=

	for blocks in 0 1 2 4 8 16 32 64 128 192 256 320 384 512 1024; do
		rm -f ca.db
		status=0
		said=$(ulimit -f "$blocks" && "${init[@]}" <"$ORG/kra1.pem" \
		    2>&1 >/dev/null) || status=$?
		if ((status == 0)); then
			done=1
			break
		fi
		((status == 2))
		[[ $said == *': disk I/O error (look at the disk and at ulimit -f, and run again)' ]]
		[[ -z $(ls -A) ]]
	done
	[[ -n $done ]]
	whole ca.db
}

# faulty KIND STEP [+]: let the Nth write to the new archive go wrong, and with +
# those after it, for N = 1, 1 + STEP, ... until it comes through: there is a
# whole archive or none, and again makes it.
faulty()
{
	local n status injected=1

	for ((n = 1; injected; n += $2)); do
		rm -f ca.db*
		status=0
		"${traced[@]}" -qq -o trace \
		    -e trace=pwrite64,fdatasync,fsync,?link,?linkat,?renameat2,ftruncate \
		    -e "inject=$1:when=$n${3-}" "${init[@]}" -N 1 \
		    <"$ORG/kra1.pem" >"$OUT" 2>"$ERR" || status=$?
		grep -q -E 'INJECTED|KILL' trace || injected=
		case $1,$status in
		*,0)
			[[ -e ca.db ]] || return ;;
		*signal*,137 | *signal*,265)
			;;
		*error*,2)
			nothing_out ca-init || return
			# the archive is made, but may not be there tomorrow
			grep -q 'its directory cannot be synced: .* (look at the disk, and run again)$' \
			    "$ERR" ||
			    [[ -s $ERR && $(ls) == trace ]] || {
				ls >&2
				cat "$ERR" >&2
				return 1
			} ;;
		*)
			echo "exit $status: $1, $n" >&2
			cat "$ERR" >&2
			return 1 ;;
		esac
		# alone: what lies beside it is not needed
		find . -name 'ca.db?*' -delete
		if [[ -e ca.db ]]; then
			whole ca.db || return
			[[ $(agents) == "$(sha1 "$ORG/kra1.pem")" ]] || return
			[[ $(setting KRACertCount) == 1 ]] || return
		fi
		"${init[@]}" <"$ORG/kra1.pem" >"$OUT" 2>"$ERR" || return
		[[ $(agents) == "$(sha1 "$ORG/kra1.pem")" ]] || return
	done
	((n > 1 + 3 * $2))
}

@test "ca-init: kill -9 at any write: the whole archive or none" {
	need_writes
	need_strace
	faulty pwrite64:signal=SIGKILL 6
	faulty '?link,?linkat,?renameat2,fsync,fdatasync:signal=SIGKILL' 1
}

@test "ca-init: a disk that is full from any write on" {
	need_writes
	need_strace
	faulty pwrite64:error=ENOSPC 7 +
}

@test "ca-init: a disk that does not sync" {
	need_strace
	faulty fdatasync,fsync:error=EIO 1
}

@test "ca-init: another process makes it first" {
	need_strace
	run_tool 2 "${traced[@]}" -qq -o trace \
	    -e 'inject=?link,?linkat,?renameat2:error=EEXIST' "${init[@]}" \
	    <"$ORG/kra1.pem"
	says "$one_agent" "ca-init: $(pwd -P)/ca.db: cannot create: File exists (another process made it: run again)"
	nothing_out ca-init
	[[ $(ls) == trace ]]
}

@test "ca-init: a file system without RENAME_NOREPLACE" {
	local error

	need_strace
	for error in EINVAL ENOSYS; do
		run_tool 0 "${traced[@]}" -qq -o trace \
		    -e "inject=renameat2:error=$error" "${init[@]}" \
		    <"$ORG/kra1.pem"
		grep -q INJECTED trace
		[[ $(ls) == ca.db$'\n'trace ]]
		whole ca.db
		rm ca.db
	done
}

@test "ca-init: a directory that cannot be opened or synced" {
	local n

	need_strace
	"${traced[@]}" -qq -o trace -e trace=fsync "${init[@]}" \
	    <"$ORG/kra1.pem" >/dev/null 2>&1
	n=$(grep -c 'fsync(' trace)
	rm ca.db
	run_tool 2 "${traced[@]}" -qq -o trace \
	    -e "inject=fsync:error=EIO:when=$n" "${init[@]}" <"$ORG/kra1.pem"
	says "$one_agent" "ca-init: $(pwd -P)/ca.db: made, but its directory cannot be synced: Input/output error (look at the disk, and run again)"
	nothing_out ca-init
	whole ca.db
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	[[ $(only kra <"$OUT" | field status) == present ]]
	rm ca.db
	# NFS and the like have no fsync() of directories
	run_tool 0 "${traced[@]}" -qq -o trace \
	    -e "inject=fsync:error=EINVAL:when=$n" "${init[@]}" \
	    <"$ORG/kra1.pem"
}

@test "ca-init: two names of one archive would be two logs" {
	run_tool 0 "${init[@]}" <"$ORG/kra1.pem"
	ln ca.db other.db
	each_tool "$(pwd -P)/other.db: has a second name (a hard link): remove that name" \
	    other.db
	rm other.db
	run_tool 0 ca-setflag -d ca.db
}

@test "ca-init: eight at once" {
	local n status done=0
	local -a pid

	for n in 1 2 3 4 5 6 7 8; do
		"${init[@]}" <"$ORG/kra$((n % 2 + 1)).pem" >"got.$n" \
		    2>"err.$n" 3>&- &
		pid[n]=$!
	done
	for n in 1 2 3 4 5 6 7 8; do
		status=0
		wait "${pid[n]}" || status=$?
		case $status in
		0)
			((done += 1))
			# what was said to be there is
			grep -q -x "$(only kra <"got.$n" | field sha1)" \
			    <(agents) ;;
		2)
			grep -q 'cannot create: File exists (another process made it: run again)$' \
			    "err.$n"
			[[ ! -s got.$n ]] ;;
		*)
			cat "err.$n" >&2
			return 1 ;;
		esac
	done
	((done >= 1))
	[[ $(find . -name 'ca.db*') == ./ca.db ]]
	whole ca.db
}
