#!/usr/bin/env bats
#
# common/lock/pbe.c and common/lock/p12mac.c: a password in each form that writers have
# used, integrity checks, and the work that a list of passwords may cost.  The
# files are by p12forms.py, since openssl writes but one form.

load common
load p12
load backup

# From common.bash and take.
: "${shared=}" "${members=}"

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR"/a.{p8,der} .
}

setup_file()
{
	(
		cd "$BATS_FILE_TMPDIR" || exit 1
		pair a /CN=a
	)
}

# forms NAME=VALUE...: a PKCS#12 of a.p8 and a.der, or what p12forms.py has else.
forms()
{
	/usr/bin/python3 "$BATS_TEST_DIRNAME/p12forms.py" "$@"
}

# tabbed WORD...: a line of them, for forms each.
tabbed()
{
	local IFS=$'\t'

	echo "$*"
}

# passwords FILE PASSWORD...: a list.
passwords()
{
	(umask 077 && printf '%s\n' "${@:2}" >"$1")
}

# holds: a.p8 and a.der are the only records in $OUT.
holds()
{
	local -a lines

	mapfile -t lines <"$OUT"
	[[ ${#lines[@]} == 2 && ${lines[0]} == rec:key$'\t'* &&
	    ${lines[1]} == rec:end$'\t'* ]] && is_pair "${lines[0]}" a
}

# faulted REASON DETAIL: this fault is in $OUT, and $ERR says it.
faulted()
{
	diff <(printf 'reason:%s\tdetail:%s\n' "$@") \
	    <(only fault <"$OUT" | cut -f 4,5) >&2 &&
	    grep -qxF "p12-extract: stdin: $2" "$ERR"
}

@test "p12forms.py writes what openssl reads, where openssl can" {
	local arg n=0

	while IFS= read -r arg; do
		# shellcheck disable=SC2086 # words
		forms $arg >a.p12
		openssl pkcs12 -in a.p12 -noenc -passin pass:secret -out judge
		diff <(base64 -w 0 a.p8) \
		    <(pem_blocks 'PRIVATE KEY' <judge | tr -d '\n') >&2
		((n += 1))
	done <<'ARGS'
mac=sha1 maciter=3
mac=sha256
mac=sha512 maciter=77 certpass=secret
pbe=3des form=bmp iter=1000
pbe=3des form=bmp certpass=secret
mac=none certpass=secret
ARGS
	((n == 6))
	forms pass= form=utf8 macform=bmp >a.p12
	openssl pkcs12 -in a.p12 -noenc -passin pass: -out judge
}

# Password, form for the MAC, form for the key and the certificate, cipher.  HMAC
# fills short keys with zeros, so that a terminator matters from 32 characters.
@test "a password in every form, with a MAC and without" {
	local pass mac key how maker n=0

	cat >list
	while IFS='|' read -r pass mac key how; do
		for maker in sha1 none; do
			tabbed "$pass.$mac.$key.$how.$maker" pass="$pass" \
			    form="$key" pbe="$how" certpass="$pass" \
			    mac=$maker macform="$mac"
		done
	done <list | forms each
	while IFS='|' read -r pass mac key how; do
		for maker in sha1 none; do
			PW=$pass run_tool 0 p12-extract -p env:PW \
			    <"$pass.$mac.$key.$how.$maker" || {
				echo "$pass $mac $key $how $maker" >&2
				return 1
			}
			holds
			says
			((n += 1))
		done
	done <list
	((n == 62))
} <<'FORMS'
é|bmp|utf8|pbes2
é|bmp|bmp|3des
é|twice|utf8|pbes2
é|twice|twice|3des
é|twice|bmp|3des
é|bmp|twice|3des
é|bmp|latin1|pbes2
é|twice|latin1|pbes2
é|bmp|bmp|pbes2
é|bmp|bmpn|pbes2
é|bmpn|bmpn|3des
é|bmpn|utf8|pbes2
Grüße 1999|bmp|latin1|pbes2
Grüße 1999|twice|twice|3des
ένα δύο|twice|twice|3des
ένα δύο|bmp|bmp|pbes2
🔑|twice|utf8|pbes2
secret|bmp|bmp|pbes2
secret|bmp|bmpn|pbes2
secret as long as a sentence, or longer|bmp|bmp|pbes2
secret as long as a sentence, or longer|bmp|bmpn|pbes2
secret as long as a sentence, or longer|bmp|utf8|pbes2
secret|bmpn|bmpn|3des
secret|bmpn|utf8|pbes2
|bmp|bmp|3des
|bmp|null|3des
|null|null|3des
|null|bmp|3des
|bmp|utf8|pbes2
|null|utf8|pbes2
|bmp|bmp|pbes2
FORMS

# What is not the password must not open it in another form: not its letters in
# another case, not a part of it, not its bytes read as something else.
@test "no form of a wrong password opens anything" {
	local form how mac macform pass n=0

	cat >list
	while IFS='|' read -r form how mac; do
		macform=bmp
		[[ $form != twice ]] || macform=twice
		tabbed "$form.$how.$mac" pass=é form="$form" pbe="$how" \
		    certpass=é mac="$mac" macform="$macform"
	done <list | forms each
	while IFS='|' read -r form how mac; do
		for pass in '' e è É éé 'é ' 00e9 $'e\xcc\x81' '?'; do
			PW=$pass run_tool 1 p12-extract -p env:PW \
			    <"$form.$how.$mac" || {
				echo "$form $how $mac <$pass>" >&2
				return 1
			}
			[[ $(only fault <"$OUT" | field reason) == password ]]
			[[ $(wc -l <"$OUT") == 2 ]]
			((n += 1))
		done
	done <list
	echo "$n" >&2
	((n >= 80))
} <<'FORMS'
utf8|pbes2|sha1
latin1|pbes2|sha1
bmp|pbes2|sha1
bmpn|pbes2|sha256
bmp|3des|sha1
twice|3des|sha1
utf8|pbes2|none
latin1|pbes2|none
bmp|pbes2|none
bmp|3des|none
twice|3des|none
FORMS

@test "a password that is no UTF-8 is Latin-1" {
	local arg n=0

	while IFS= read -r arg; do
		# shellcheck disable=SC2086 # words
		forms pass=é $arg >a.p12
		PW=$'\xe9' run_tool 0 p12-extract -p env:PW <a.p12
		holds
		PW=$'\xe8' run_tool 1 p12-extract -p env:PW <a.p12
		((n += 1))
	done <<'ARGS'
form=bmp pbe=3des
form=latin1
form=bmp
form=bmp pbe=3des mac=none certpass=é
ARGS
	((n == 4))
}

# NSS put UTF-16 into PBKDF2, and 256-bit AES under the name of AES-128.
@test "files of an old NSS" {
	local file n=0

	need_shared corpora/pkcs12/nss
	passwords pw nss
	for file in "$shared"/corpora/pkcs12/nss/tools/TestOld*.p12; do
		run_tool 0 p12-extract -a -p file:pw <"$file"
		says
		[[ $(only key <"$OUT" | wc -l) == 1 ]]
		only key <"$OUT" | field key | base64 -d >old.p8
		only key <"$OUT" | field cert | base64 -d >old.der
		cmp <(openssl pkey -inform DER -in old.p8 -pubout) \
		    <(openssl x509 -inform DER -in old.der -noout -pubkey)
		((n += 1))
	done
	((n == 2))
}

@test "a key under another password than the MAC, in both orders of -p" {
	local pbe

	passwords outside outer
	passwords inside inner
	passwords both other inner outer
	for pbe in pbes2 3des; do
		forms pbe=$pbe pass=inner form="$([[ $pbe == 3des ]] &&
		    echo bmp || echo utf8)" certpass=third macpass=outer >a.p12
		run_tool 1 p12-extract -p file:outside <a.p12
		[[ $(only key <"$OUT" | wc -l) == 0 ]]
		[[ $(only fault <"$OUT" | field reason | sort -u) == password ]]
		run_tool 1 p12-extract -p file:inside <a.p12
		faulted password 'integrity check failed (wrong password or damaged file)'
		PW=third run_tool 0 p12-extract -p file:outside -p file:inside \
		    -p env:PW <a.p12
		holds
		says
		PW=third run_tool 0 p12-extract -p env:PW -p file:inside \
		    -p file:outside <a.p12
		holds
		PW=third run_tool 0 p12-extract -p list:both -p env:PW <a.p12
		holds
	done
}

# One wrong password in 256 decrypts to good padding.
@test "a wrong password that gives good padding is a wrong password" {
	local form

	passwords outside outer
	passwords both outer inner
	for form in 'pbe=pbes2' 'pbe=3des form=bmp' 'pbe=pbes2 mac=none' \
	    'pbe=pbes2 certpass=inner' 'pbe=3des form=bmp mac=none certpass=inner'
	do
		# shellcheck disable=SC2086 # words
		forms $form pass=inner macpass=outer unlucky=outer >a.p12
		run_tool 1 p12-extract -p file:outside <a.p12
		[[ $(only key <"$OUT" | wc -l) == 0 ]]
		[[ $(only fault <"$OUT" | field reason | sort -u) == password ]]
		run_tool 0 p12-extract -p list:both <a.p12
		holds
	done
}

# The MAC is not what keeps a key from being one: it fits its certificate.
@test "an unknown integrity check: keys come out, and a fault names it" {
	local args detail n=0

	while IFS='|' read -r args detail; do
		# shellcheck disable=SC2086 # words
		forms $args >a.p12
		PW=secret run_tool 1 p12-extract -p env:PW <a.p12
		faulted unsupported "$detail"
		[[ $(wc -l <"$OUT") == 3 ]]
		is_pair "$(only key <"$OUT")" a
		PW=wrong run_tool 1 p12-extract -p env:PW <a.p12
		[[ $(only key <"$OUT" | wc -l) == 0 ]]
		((n += 1))
	done <<'ARGS'
macoid=06032a0304|integrity check by 1.2.3.4, which OpenSSL does not have
macoid=06032a0304 certpass=secret|integrity check by 1.2.3.4, which OpenSSL does not have
macoid=06032a0304 pbe=3des form=bmp|integrity check by 1.2.3.4, which OpenSSL does not have
mac=junk|integrity check of a kind that cannot be read (RFC 7292 section 4)
ARGS
	((n == 4))
}

@test "PBMAC1: right, wrong password, key of 19 bytes, of no length" {
	local keylen bad='PBMAC1 without a salt, or with a key of less than 20 bytes (RFC 9579 section 5)'

	for keylen in 20 32 64 1024; do
		forms pass=é mac=pbmac1 macform=utf8 keylen=$keylen >a.p12
		PW=é run_tool 0 p12-extract -p env:PW <a.p12
		holds
		PW=e run_tool 1 p12-extract -p env:PW <a.p12
		faulted password 'integrity check failed (wrong password or damaged file)'
	done
	for keylen in 1 19 none; do
		forms mac=pbmac1 macform=utf8 keylen=$keylen >a.p12
		PW=secret run_tool 1 p12-extract -p env:PW <a.p12
		faulted damaged "$bad"
		[[ $(wc -l <"$OUT") == 2 ]]
	done
	forms mac=pbmac1 macform=utf8 keylen=1025 >a.p12
	PW=secret run_tool 1 p12-extract -p env:PW <a.p12
	faulted ceiling 'asks for a key of more than 1024 bytes, the ceiling'
	# its password in other forms
	for form in latin1 bmp bmpn; do
		forms pass=é mac=pbmac1 macform=$form >a.p12
		PW=é run_tool 0 p12-extract -p env:PW <a.p12
		holds
	done
}

# Each wrong password would cost 1,000,000 rounds for the key, and the ceiling
# of a file is 100,000,000.
@test "a wrong password costs the integrity check only" {
	passwords list wrong{1..1000} secret
	forms maciter=1 iter=1000000 >a.p12
	run_tool 0 p12-extract -p list:list <a.p12
	holds
	says
	# a check of more than one round, and a part beside the key
	forms maciter=3 iter=100000 pbe=3des form=bmp certpass=secret >a.p12
	run_tool 0 p12-extract -p list:list <a.p12
	holds
	take 0 -p list:list <a.p12
	found 1 0 0
}

# The 200th of a list opens the first file; at 1,000,000 rounds a try, the
# second would be past the ceiling of 100,000,000 at the 100th.
@test "the password that worked last is tried first" {
	passwords list wrong{1..200} secret wrong{201..220} other
	forms maciter=1 >1.p12
	forms maciter=1000000 >2.p12
	forms maciter=1 pass=other >3.p12
	tar -cf a.tar 1.p12 2.p12 3.p12
	take 0 -j 1 -p list:list <a.tar
	found 3 0 0
	came_to 3 3 0 0 0
	forms maciter=1000000 pass=other >4.p12
	tar -cf a.tar 1.p12 2.p12 3.p12 4.p12
	take 0 -j 1 -p list:list <a.tar
	came_to 4 4 0 0 0
}

# What is derived ahead of the key, side by side with what a hostile bag asks
# for: nothing may come of that.
@test "a key beside one that asks for no rounds, or fewer, comes out" {
	local pbe rounds

	# none, -1, -32768, 2^63, and 1 as it ought to be
	local -a all=(00 ff 8000 008000000000000000 01)

	for rounds in "${all[@]}"; do
		for pbe in pbes2.utf8 3des.bmp; do
			tabbed "$pbe.$rounds" pbe=${pbe%.*} form=${pbe#*.} \
			    iter=3 maciter=5 beside="$rounds"
		done
	done | forms each
	for rounds in "${all[@]}"; do
		for pbe in pbes2.utf8 3des.bmp; do
			PW=secret run_tool 1 p12-extract -p env:PW \
			    <"$pbe.$rounds"
			is_pair "$(only key <"$OUT")" a
			if [[ $rounds == 01 ]]; then
				[[ $(only fault <"$OUT" | field reason) == password ]]
			else
				faulted ceiling 'asks for more than 10000000 rounds of key derivation, the ceiling'
			fi
		done
	done
}

@test "candidates side by side: the right one at each place, or none" {
	local at kind n
	local -a words

	pair a /CN=a
	openssl pkcs12 -export -legacy -inkey a.key -in a.pem -passout pass:right \
	    -out old
	openssl pkcs12 -export -inkey a.key -in a.pem -passout pass:right -out new
	openssl pkcs8 -topk8 -in a.key -passout pass:right -out p8
	cat a.pem >>p8
	cat a.key a.pem >cred
	for kind in old new p8; do
		# the first alone, then 16 or fewer at once; beyond the last: none
		for at in 1 2 3 16 17 18 33 34 40 41; do
			words=()
			for ((n = 1; n <= 40; n++)); do
				words+=("$( ((n == at)) && echo right || echo "no$n")")
			done
			passwords list "${words[@]}"
			run_tool "$((at > 40))" kms-export -j 1 -c cred \
			    -p list:list <"$kind"
			only key <"$OUT" | wc -l | grep -qx "$((at <= 40))"
			only fault <"$OUT" | grep -c $'\treason:password\t' |
			    grep -qx "$((at > 40))"
		done
	done
}

# pbmac1 ROUNDS KEYLEN: a PKCS#12 with nothing in it and a wrong MAC, by
# PBKDF2 with HMAC-SHA-512; both numbers are INTEGERs.
pbmac1()
{
	local sha512=300c06082a864886f70d020b0500

	pfx '' "$(tlv 30 "$(tlv 30 "$(tlv 30 06092a864886f70d01050e \
	    "$(tlv 30 "$(pbkdf2 "$1" "$2$sha512")" "$sha512")")" 0400)" \
	    04080102030405060708 020101)" | unhex
}

# Without the ceiling costly.p12 would take half a minute and more.
@test "-L kdf: a member of costly rounds is a fault, and the rest comes out" {
	local what='takes more than 1 CPU seconds of key derivation, the ceiling of a file: give fewer passwords, or its own with pass in the map of kms-export, or raise it there with -L kdf='

	forms key=a.p8 cert=a.der pass=secret mac=sha256 macpass=secret >a.p12
	# 0x989680 is ten million
	pbmac1 020400989680 020140 >costly.p12
	# 625,000, for a key of sixteen hashes
	pbmac1 0203098968 02020400 >long.p12
	tar -cf a costly.p12 long.p12 a.p12
	PW=secret take 1 -L kdf=1 -p env:PW <a
	faults "costly.p12: ceiling: $what" \
	    "long.p12: ceiling: $what"
	[[ $(only key <"$OUT" | field user) == a ]]
}

@test "-L kdfs: what a run has no time for is a fault, what is clear comes out" {
	local what='the files of this run take more than 1 CPU seconds of key derivation, the ceiling: give passwords with pass in the map of kms-export, or raise it there with -L kdfs='
	local i jobs

	pair b /CN=b
	{
		openssl x509 -in b.der
		openssl pkey -in b.p8
	} >b.pem
	# half a second and more for the forms of a password
	forms key=a.p8 cert=a.der pass=secret mac=sha512 macpass=secret \
	    maciter=400000 >0.p12
	for i in {1..9}; do
		cp 0.p12 "$i.p12"
	done
	tar -cf a {0..9}.p12 b.pem
	for jobs in 1 2; do
		PW=wrong take 1 -j "$jobs" -L kdfs=1 -p env:PW <a
		only fault <"$OUT" | cut -f 5 >faults
		[[ $(wc -l <faults) == 10 ]]
		grep -qxF "detail:$what" faults
		[[ $(only key <"$OUT" | field user) == b ]]
	done
}
