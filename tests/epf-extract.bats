#!/usr/bin/env bats
#
# epf-extract(1).  No genuine profile is public: those here are made by epf.py,
# and one by openssl alone, from the description in the page.

load common
load p12
load epf

setup()
{
	common_setup
	(umask 077 && echo secret >pw)
	salt=c2FsdCBhbmQgcGVwcGVy
	unknown='wrong password, damaged file, or a variant that is not known; export PFX where it was made'
}

# counts KEYS CERTS FAULTS: this many records, as end says, and nothing else.
counts()
{
	diff <(echo "$* rec:end n:$(($1 + $2 + $3)) keys:$1 certs:$2 faults:$3") \
	    <(awk -F '\t' '{ n[$1]++ }
	END {
		print n["rec:key"] + 0, n["rec:cert"] + 0, n["rec:fault"] + 0, \
		    $1, $2, $3, $4, $5
	}' "$OUT") >&2
}

# holds NAME...: the key records in $OUT are these keys with their certificates.
holds()
{
	local -a keys
	local i

	mapfile -t keys < <(only key <"$OUT")
	((${#keys[@]} == $#)) || return
	for ((i = 0; i < $#; i++)); do
		is_pair "${keys[i]}" "${@:i + 1:1}" || return
	done
}

# faulted REASON DETAIL: the only fault in $OUT, and all of $ERR.
faulted()
{
	diff <(printf 'reason:%s\tdetail:%s\n' "$@") \
	    <(only fault <"$OUT" | cut -f 4-5) >&2 &&
	    says "epf-extract: stdin: $2"
}

@test "contract" {
	owner a keyEncipherment
	profile 20 "$salt" a | CUT_SKIP=1 filter_contract epf-extract -p file:pw
}

@test "usage: operands, an option without its argument" {
	contract 2 epf-extract -p file:pw operand </dev/null
	grep -q '^usage: epf-extract \[-qVv\] \[-p secret\]\.\.\.$' "$ERR"
	contract 2 epf-extract -p </dev/null
	grep -q '^usage: epf-extract ' "$ERR"
}

@test "the judge knows CAST5 as RFC 2144 does" {
	diff <(printf '%s\n' 238b4fe5847e44b2 eb6a711a2c02271b \
	    7ac816d16e9b302e) <(epf_py cast) >&2
}

# rounds TEXT: digests of digests, 20 in all, in hex; by openssl alone.
rounds()
{
	local digest

	digest=$(printf %b "$1" | openssl dgst -sha1 -binary | hex)
	for _ in {2..20}; do
		digest=$(unhex <<<"$digest" | openssl dgst -sha1 -binary | hex)
	done
	echo "$digest"
}

@test "as described in 2020, made by openssl alone" {
	local one two

	owner a keyEncipherment rsa:1024
	one=$(rounds "secret$salt")
	two=$(rounds "secret$salt\\x01")
	head_of 20 "$salt" a >a.epf
	printf 'a=%s\n' "$(openssl enc -cast5-cbc -provider legacy \
	    -provider default -K "${one:0:32}" -iv "${one:32:8}${two:0:8}" \
	    -in a.p8 | base64 -w 0)" >>a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	says
	counts 1 0 0
	holds a
}

@test "every variant of the table" {
	local variant value n=0

	owner a keyEncipherment
	while read -r variant value; do
		{ head_of 12 "$salt" a; echo "a=$value"; } >a.epf
		run_tool 0 epf-extract -p file:pw <a.epf || {
			echo "$variant" >&2
			return 1
		}
		says
		holds a
		((n += 1))
	done < <(epf_py all 12 "$salt" <a.p8)
	((n == 14))
}

@test "fields: those of p12-extract" {
	owner a keyEncipherment rsa:1024
	profile 20 "$salt" a >a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	cp "$OUT" epf
	p12 a.p12 a
	run_tool 0 p12-extract -p file:pw <a.p12
	cmp epf "$OUT"
}

@test "key forms: PKCS#8, PKCS#1, SEC 1; padding of any kind, or a check value" {
	local pad n=0

	owner a keyEncipherment rsa:1024
	owner b keyAgreement
	openssl rsa -in a.key -traditional -outform DER -out a.one 2>log
	openssl ec -in b.key -outform DER -out b.one 2>log
	{
		head_of 20 "$salt" a b
		echo "a=$(lock a.one 20 "$salt")"
		echo "b=$(lock b.one 20 "$salt")"
	} >a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	says
	holds a b
	# all of these make a whole number of blocks
	for pad in 00 ff 2a 0102030405060708 \
	    da39a3ee5e6b4b0d3255bfef95601890afd80709; do
		while (((n + $(stat -c %s a.p8) + ${#pad} / 2) % 8)); do
			pad+=00
		done
		{
			head_of 20 "$salt" a
			echo "a=$(lock a.p8 20 "$salt" sha1 cast-128 "$pad")"
		} >a.epf
		run_tool 0 epf-extract -p file:pw <a.epf
		holds a
	done
}

@test "text: CRLF, blanks, continued values, no name of use, the same name twice" {
	local long

	owner a keyEncipherment
	owner b keyEncipherment
	profile 20 "$salt" a b >a.epf
	sed 's/$/\r/' a.epf >b.epf
	run_tool 0 epf-extract -p file:pw <b.epf
	holds a b
	sed 's/^/ \t/; s/$/ \t/' a.epf >b.epf
	run_tool 0 epf-extract -p file:pw <b.epf
	holds a b
	sed 's/^[^=[]*=/=/' a.epf >b.epf
	run_tool 0 epf-extract -p file:pw <b.epf
	holds a b
	sed 's/^[^=[]*=/same=/' a.epf >b.epf
	run_tool 0 epf-extract -p file:pw <b.epf
	holds a b
	sed -E 's/.{60}/&\n_continue_=/g' a.epf >b.epf
	(($(grep -c '^_continue_=' b.epf) > 9))
	run_tool 0 epf-extract -p file:pw <b.epf
	says
	holds a b
	# sections come and go, in any order
	{ tac a.epf; echo '[x]'; } >b.epf
	run_tool 0 epf-extract -p file:pw <b.epf
	holds b a
	printf -v long '%01000d' 0
	{ cat a.epf; printf '[ = ]\n][\n%s\n=\n' "$long"; } >b.epf
	run_tool 0 epf-extract -p file:pw <b.epf
	holds a b
}

@test "a profile without a salt, and one without a count" {
	owner a keyEncipherment
	profile 20 '' a >a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	holds a
	profile 1000 "$salt" a | sed 's/^Rounds=.*/Rounds=many/' >a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	holds a
	profile 1 "$salt" a >a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	holds a
}

@test "numbers that are no counts, and texts that are no salts" {
	owner a keyEncipherment
	{
		printf '[x]\nport=389\nsize=9999999\nzero=0\nid=20031122\n'
		printf 'word=Exchange\nday=MjAwMzEx\nbig=99999999999999999999\n'
		profile 20 "$salt" a
	} >a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	says
	holds a
}

@test "passwords: wrong, none, the third of several, empty, 1024 bytes" {
	local long

	owner a keyEncipherment
	profile 20 "$salt" a >a.epf
	PW=wrong run_tool 1 epf-extract -p env:PW <a.epf
	counts 0 1 1
	faulted password "1 encrypted values, and none can be decrypted: $unknown"
	run_tool 1 epf-extract <a.epf
	faulted password "1 encrypted values, and none can be decrypted: $unknown"
	PW=wrong run_tool 1 epf-extract -q -p env:PW <a.epf
	counts 0 1 1
	says
	(umask 077 && printf '%s\n' one two secret four >list)
	PW=wrong run_tool 0 epf-extract -p env:PW -p list:list <a.epf
	holds a
	printf -v long '%01024d' 7
	(umask 077 && echo "$long" >pw)
	profile 20 "$salt" a >a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	holds a
	(umask 077 && echo >pw)
	profile 20 "$salt" a >a.epf
	PW=wrong run_tool 0 epf-extract -p env:PW <a.epf
	holds a
}

@test "a key of no certificate in the profile is a fault, and kms-export pairs it" {
	local lone='a private key without a certificate: give its certificate in a PEM file to kms-export'

	owner a keyEncipherment
	owner b keyEncipherment
	{
		head_of 20 "$salt" a
		echo "b=$(lock b.p8 20 "$salt")"
	} >a.epf
	run_tool 1 epf-extract -p file:pw <a.epf
	counts 0 1 2
	says "epf-extract: stdin: $lone" \
	    'epf-extract: stdin: 1 certificates have no key, and no encrypted value is left: the file was cut, or its keys are elsewhere'
	not grep -qF "$(b64 b.p8)" "$OUT"
	diff <(printf 'reason:%s\n' empty no-certificate) \
	    <(only fault <"$OUT" | cut -f 4 | sort) >&2
	# the one that has its certificate goes all the same
	{
		head_of 20 "$salt" a
		echo "b=$(lock b.p8 20 "$salt")"
		echo "a=$(lock a.p8 20 "$salt")"
	} >a.epf
	run_tool 1 epf-extract -p file:pw <a.epf
	counts 1 0 1
	holds a
	# under another salt too, with its certificate in the next member
	{
		profile 20 "$salt" a
		echo "s2=$(echo 'another one' | base64)"
		echo "b=$(lock b.p8 20 "$(echo 'another one' | base64)")"
	} >a.epf
	tar cf a.tar a.epf b.pem
	run_tool 0 kms-export -c "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" -p file:pw <a.tar
	diff <(sha1sum <a.der; sha1sum <b.der) \
	    <(only key <"$OUT" | field sha1 | sed 's/$/  -/') >&2
}

@test "what is random, or a broken key, is no key" {
	owner a keyEncipherment rsa:1024
	# the last byte of a prime
	{ head -c -200 a.p8; tail -c 200 a.p8 | tr '\0-\377' '\1-\377\0'; } >b.p8
	cmp <(head -c 4 a.p8) <(head -c 4 b.p8)
	{
		head_of 20 "$salt" a
		echo "b=$(lock b.p8 20 "$salt")"
		echo "c=$(head -c 640 /dev/urandom | base64 -w 0)"
	} >a.epf
	run_tool 1 epf-extract -p file:pw <a.epf
	counts 0 1 1
	faulted password "2 encrypted values, and none can be decrypted: $unknown"
}

@test "signing keys are withheld; certificates of a CA want none" {
	owner a keyEncipherment
	owner s digitalSignature,nonRepudiation
	pair ca /CN=CA
	{
		profile 20 "$salt" s a
		echo "ca=$(b64 ca.der)"
		echo "again=$(b64 a.der)"
	} >a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	counts 1 2 0
	holds a
	says 'epf-extract: stdin: 1 signing keys are not written'
	diff <(printf '%s\n' OU=First,CN=s CN=CA) \
	    <(only cert <"$OUT" | field subject |
	    sed 's/^\(CN=s\),\(.*\)/\2,\1/') >&2
	[[ $(only cert <"$OUT" | head -n 1 | field use) == sign ]]
	not grep -qF "$(b64 s.p8)" "$OUT"
	run_tool 0 epf-extract -q -p file:pw <a.epf
	says
	# nothing but a signing pair
	profile 20 "$salt" s >a.epf
	run_tool 0 epf-extract -q -p file:pw <a.epf
	counts 0 1 0
	PW=wrong run_tool 1 epf-extract -p env:PW <a.epf
	counts 0 1 1
}

@test "a history of keys, each with a salt and a variant of its own" {
	owner k1 keyEncipherment
	owner k2 keyEncipherment
	owner k3 keyEncipherment
	{
		head_of 20 "$salt" k1 k2 k3
		echo "s2=$(echo 'another one' | base64)"
		echo 'count=31'
		echo "k1=$(lock k1.p8 20 "$salt")"
		echo "k2=$(lock k2.p8 20 "$(echo 'another one' | base64)")"
		echo "k3=$(lock k3.p8 31 "$salt" md5 aes-256)"
	} >a.epf
	run_tool 0 epf-extract -p file:pw <a.epf
	says
	holds k1 k2 k3
}

@test "some stay closed: a fault, whether a certificate lacks its key or not" {
	owner a keyEncipherment
	owner b keyEncipherment
	{
		head_of 20 "$salt" a b
		echo "a=$(lock a.p8 20 "$salt")"
		echo "b=$(lock b.p8 20 unknown)"
	} >a.epf
	run_tool 1 epf-extract -p file:pw <a.epf
	counts 1 1 1
	holds a
	faulted password "1 encrypted values could not be decrypted, and 1 certificates have no key: $unknown"
	{
		profile 20 "$salt" a
		echo "token=$(head -c 40 /dev/urandom | base64 -w 0)"
	} >a.epf
	run_tool 1 epf-extract -p file:pw <a.epf
	counts 1 0 1
	holds a
	faulted password "1 encrypted values could not be decrypted, and 0 certificates have no key: $unknown"
}

@test "no encrypted value at all" {
	owner a keyEncipherment
	head_of 20 "$salt" a >a.epf
	run_tool 1 epf-extract -p file:pw <a.epf
	counts 0 1 1
	faulted empty '1 certificates have no key, and no encrypted value is left: the file was cut, or its keys are elsewhere'
}

@test "what is no profile" {
	local detail='not an Entrust or Outlook profile: no [Section] line, or no value that is a certificate'

	owner a keyEncipherment
	printf '[.ShellClassInfo]\r\nIconIndex=0\r\nConfirmFileOp=0\r\n' >ini
	profile 20 "$salt" a | grep -v '^\[' >bare
	{ profile 20 "$salt" a; printf '\0'; } >nul
	cp a.pem pem
	profile 20 "$salt" a | sed 's/=MI/=mI/' >broken
	refuses 2 'epf-extract: stdin: empty input: expected an Entrust or Outlook profile (.epf)' \
	    epf-extract </dev/null
	for file in ini bare nul pem broken a.der /bin/true; do
		run_tool 1 epf-extract -p file:pw <"$file"
		counts 0 0 1
		faulted format "$detail"
	done
}

# bounded STATUS FILE [SECRET]: it ends with this status, and in a minute of work
# where something endless would take days; how busy the machine is does not count.
bounded()
{
	(
		ulimit -t 60
		run_tool "$1" epf-extract -p "${3:-file:pw}" <"$2"
	)
}

@test "hostile: counts that ask for days" {
	local i

	owner a keyEncipherment
	{
		head_of 10000000 "$salt" a
		echo "a=$(head -c 640 /dev/urandom | base64 -w 0)"
	} >a.epf
	bounded 1 a.epf
	grep -qF '1 encrypted values, and none can be decrypted: asks for more than 50000000 rounds of key derivation in all' "$ERR"
	[[ $(only fault <"$OUT" | field reason) == ceiling ]]
	# many passwords, salts, counts and values, each cheap
	(umask 077 && seq 5000 >list)
	{
		head_of 1 "$salt" a
		for i in {10..20}; do
			echo "$i"
			echo "c=$i"
			echo "s=$(printf 'salt%d' "$i" | base64)"
			echo "v=$(head -c 64 /dev/urandom | base64 -w 0)"
		done
	} >a.epf
	bounded 1 a.epf list:list
	grep -qF 'asks for more than 50000000 rounds' "$ERR"
}

@test "hostile: what is no count comes last, and the work that is left is used" {
	owner a keyEncipherment
	(umask 077 && { seq 100; echo secret; } >list)
	{ echo '[x]'; echo n=9999999; profile 20 "$salt" a; } >a.epf
	run_tool 0 epf-extract -p list:list <a.epf
	says
	holds a
}

@test "hostile: long lines, many lines, names and sections" {
	owner a keyEncipherment
	profile 20 "$salt" a >a.epf
	{
		cat a.epf
		printf 'long='
		head -c 1000000 /dev/zero | tr '\0' A
		echo
	} >b.epf
	bounded 1 b.epf
	holds a
	faulted ceiling 'line 9: a value of more than 262144 bytes, the ceiling'
	# in pieces, and with no value at all
	{
		cat a.epf
		echo long=
		yes _continue_=AAAAAAAAAAAAAAAA | head -n 100000
	} >b.epf
	bounded 1 b.epf
	holds a
	faulted ceiling 'line 100009: a value of more than 262144 bytes, the ceiling'
	{ cat a.epf; head -c 15000000 /dev/zero | tr '\0' '['; } >b.epf
	bounded 0 b.epf
	holds a
	{ yes '[a]' | head -n 100000; yes x | head -n 100000; cat a.epf
	    yes 'a=b' | head -n 100000; yes '=' | head -n 100000; } >b.epf
	bounded 0 b.epf
	holds a
	says
	# no section, 16 MB
	{ grep -v '^\[' a.epf; yes "a=MIIBAAAA$salt" | head -c 16000000; } >b.epf
	bounded 1 b.epf
	[[ $(only fault <"$OUT" | field reason) == format ]]
	{ cat a.epf; yes "a=$(b64 a.der)" | head -c 15000000; } >b.epf
	bounded 0 b.epf
	counts 1 0 0
	{ cat a.epf; head -c 16777216 /dev/zero; } >b.epf
	refuses 2 'epf-extract: stdin: larger than 16777216 bytes, the ceiling' \
	    epf-extract -p file:pw <b.epf
}

@test "ceilings: salts, counts, encrypted values" {
	local closed i

	owner a keyEncipherment
	profile 20 "$salt" a >a.epf
	# they are named only when something stays closed
	{ cat a.epf; seq -f 's=salt%04.0f' 64; seq -f 'c=%.0f' 64; } >b.epf
	run_tool 0 epf-extract -p file:pw <b.epf
	holds a
	PW=wrong run_tool 1 epf-extract -p env:PW <b.epf
	faulted ceiling '1 encrypted values, and none can be decrypted: more than 64 values that may be a salt, the ceiling'
	{ cat a.epf; seq -f 'c=%.0f' 21 52; } >b.epf
	PW=wrong run_tool 1 epf-extract -p env:PW <b.epf
	faulted ceiling '1 encrypted values, and none can be decrypted: more than 32 values that may be an iteration count, the ceiling'
	{ cat a.epf; seq -f 'c=%.0f' 21 51; } >b.epf
	PW=wrong run_tool 1 epf-extract -p env:PW <b.epf
	faulted password "1 encrypted values, and none can be decrypted: $unknown"
	# 64 bytes are a salt too: 72
	closed='999 encrypted values could not be decrypted, and 0 certificates have no key'
	{
		cat a.epf
		for i in {1001..2000}; do
			echo "v=$(printf '%072d' "$i" | base64 -w 0)"
		done
	} >b.epf
	run_tool 1 epf-extract -p file:pw <b.epf
	holds a
	says 'epf-extract: stdin: more than 1000 encrypted values, the ceiling: the others were not tried' \
	    "epf-extract: stdin: $closed: $unknown"
	head -n -1 b.epf >c.epf
	run_tool 1 epf-extract -p file:pw <c.epf
	holds a
	faulted password "$closed: $unknown"
	{ cat a.epf; echo "v=$(head -c 131080 /dev/zero | base64 -w 0)"; } >b.epf
	run_tool 1 epf-extract -p file:pw <b.epf
	holds a
	faulted ceiling 'an encrypted value of more than 131072 bytes, the ceiling'
}

@test "kms-export takes a profile by its content" {
	owner jane keyEncipherment rsa:1024
	owner s digitalSignature
	mkdir -p North/jane
	profile 20 "$salt" s jane >North/jane/settings.dat
	printf '[.ShellClassInfo]\r\nIconIndex=0\r\n' >North/jane/desktop.ini
	tar cf a.tar North
	run_tool 1 kms-export -c "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" -p file:pw <a.tar
	diff <(echo key North jane jane@example.com North/jane/settings.dat) \
	    <(only key <"$OUT" | tr '\t' '\n' |
	    sed -nE 's/^(rec|group|user|mail|source)://p' | xargs) >&2
	[[ $(only cert <"$OUT" | field use) == sign ]]
	[[ $(only fault <"$OUT" | field source) == North/jane/desktop.ini ]]
	grep -q '^kms-export: users 1, keys 1 (v1 0), certificates 1, signing keys held back 1, faults 1$' "$ERR"
	kms-verify -q -k "$ORG/machine.p12" -p "file:$ORG/machine.pw" \
	    <"$OUT" >verified
	[[ $(only key <verified | field sha1) == \
	    "$(sha1sum <jane.der | cut -c -40)" ]]
	PW=wrong run_tool 1 kms-export -c "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" -p env:PW <North/jane/settings.dat
	only fault <"$OUT" | field detail |
	    grep -qx "2 encrypted values, and none can be decrypted: $unknown"
	# and a map gives the password of one
	printf 'path:North/jane/*\tpass:secret\n' >map
	chmod 600 map
	run_tool 1 kms-export -c "$ORG/machine.p12" -m map \
	    -p "file:$ORG/machine.pw" <a.tar
	[[ $(only key <"$OUT" | wc -l) == 1 ]]
}

@test "keys are refused on a terminal, before anything is read" {
	local status=0

	owner a keyEncipherment
	profile 20 "$salt" a >a.epf
	# shellcheck disable=SC2016 # for the inner shell
	A=$(command -v epf-extract) timeout 60 script -qec \
	    '{ "$A" -p file:pw; s=$?; cat >rest; exit $s; } <a.epf' /dev/null \
	    >"$OUT" 2>&1 </dev/null || status=$?
	((status == 2))
	diff <(echo 'epf-extract: standard output is a terminal and would show clear keys: send it to a file or a pipe') \
	    <(tr -d '\r' <"$OUT") >&2
	cmp a.epf rest
}
