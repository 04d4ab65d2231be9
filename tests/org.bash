#!/usr/bin/env bash
#
# org.bash DIR: make the small organisation of 1999 under DIR, with the openssl
# command only.  The demo and the tests run on it; the numbers in DIR/expected
# and the thumbprints in DIR/ledger come from here, never from kms2ca.
#
#	ca.pem ca.key			the new CA (2003)
#	kms.pem kms.key			the old KMS CA (1996), foreign to it
#	machine.pem .key .p12 .pw	the CA's machine certificate
#	kra1.pem .key .p12 .pw		the recovery agents, and kra2
#	user.pws			candidate passwords, one a line
#	jane.pw				password for what is recovered
#	old-mail.eml old-mail.txt	the mail, encrypted and in the clear
#	kms-backup.zip			legacy PKCS#12
#	kms-backup.tar.gz		certificates and keys, PEM and DER
#	tree/zip tree/tar		what was packed into the two
#	keys/USER-YEAR.pem .key		every certificate, and its PKCS#8 key
#	expected			ARCHIVE_WHAT=NUMBER, for the shell
#	ledger				a line per certificate; first line: columns
#
# Sourced, it only defines the org_* functions: org_issue makes one more
# certificate of any sort once org_setup has named the directory.

# The backup.  group N is North America, E is Europe; from and to are days.
# form: rc2, 3des	PKCS#12, .p12 or .pfx
#	pair		PEM certificate and PKCS#1 key, two files
#	pair8		the same with a PKCS#8 key
#	pem, pem8	key and certificate in one PEM file, PKCS#1 or PKCS#8
#	der		DER certificate and DER PKCS#8 key, two files
#	cert		a PEM certificate whose key is gone
#	lost, damaged	PKCS#12: password in no list; cut to two thirds
# pw is a line of user.pws.
org_plan()
{
	cat <<'PLAN'
zip N jane  1996 rc2      512 1 kms 19960901 19980301 both    2
zip N jane  1998 rc2      512 3 kms 19980301 19990901 encrypt 3
zip N jane  1999 rc2     1024 3 kms 19990215 20000815 encrypt 3
zip N bob   1997 rc2      512 1 kms 19970401 19981001 both    1
zip N bob   1999 rc2     1024 3 kms 19990101 20000701 encrypt 5
zip N carol 1999 3des    1024 3 kms 19990601 20001201 encrypt 4
zip N carol 1999s 3des   1024 3 kms 19990601 20001201 sign    4
zip N carol 2003 3des    2048 3 ca  20030601 20041201 encrypt 4
zip N dave  1998 3des    1024 3 kms 19980901 20000301 encrypt 1
zip N dave  1997 lost     512 1 kms 19970301 19980901 both    0
zip E grace 1999 rc2     1024 3 kms 19990301 20000901 encrypt 6
zip E grace 2003 3des    2048 3 ca  20030601 20041201 encrypt 6
zip E heidi 1997 rc2      768 1 kms 19970601 19981201 both    1
zip E heidi 1999 3des    1024 3 kms 19981101 20000501 both    1
zip E ivan  1998 damaged 1024 3 kms 19980501 19991101 encrypt 1
zip E ivan  2000 rc2     1024 3 kms 20000101 20010701 encrypt 1
tar N jane  2000 pair    1024 3 kms 20000801 20020201 encrypt 0
tar N erin  1998 pair     512 3 kms 19980401 19991001 encrypt 0
tar N erin  1999 pem8    1024 3 kms 19990901 20010301 encrypt 0
tar N frank 1997 pair8    512 1 kms 19970101 19980701 both    0
tar N frank 1999 pem     1024 3 kms 19990401 20001001 encrypt 0
tar E janet 1997 cert     512 1 kms 19970701 19990101 both    0
tar E janet 1999 pem8    1024 3 kms 19990101 20000701 encrypt 0
tar E janet 1999s pair8  1024 3 kms 19990101 20000701 sign    0
tar E judy  1998 der     1024 3 kms 19980601 19991201 encrypt 0
tar E judy  2003 pem8    2048 3 ca  20030701 20050101 encrypt 0
tar E karl  1997 pem      768 1 kms 19970901 19990301 both    0
tar E karl  1999 der     1024 3 kms 19990201 20000801 both    0
PLAN
}

# org_setup DIR: name the directory and write the openssl configuration there.
org_setup()
{
	org_dir=$1
	org_serial=4096
	mkdir -p "$org_dir/keys" "$org_dir/job"
	cat >"$org_dir/job/openssl.cnf" <<'CNF'
ORG_JOB = .
ORG_MAIL = nobody@example.com
[req]
distinguished_name = empty
string_mask = nombstr
[empty]
[ca]
default_ca = issue
[issue]
database = $ENV::ORG_JOB/index
new_certs_dir = $ENV::ORG_JOB
serial = $ENV::ORG_JOB/serial
policy = any
preserve = yes
[any]
organizationName = optional
organizationalUnitName = optional
commonName = optional
[ca_root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca_machine]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth
[ca_kra]
keyUsage = critical, keyEncipherment
extendedKeyUsage = 1.3.6.1.4.1.311.21.6
[ca_encrypt]
keyUsage = keyEncipherment
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
subjectAltName = @windows
[windows]
email = $ENV::ORG_MAIL
otherName = 1.3.6.1.4.1.311.20.2.3;UTF8:$ENV::ORG_MAIL
[kms_encrypt]
keyUsage = keyEncipherment
subjectAltName = email:$ENV::ORG_MAIL
[kms_both]
subjectAltName = email:$ENV::ORG_MAIL
[kms_sign]
keyUsage = digitalSignature
subjectAltName = email:$ENV::ORG_MAIL
CNF
}

# org_openssl ARG...: run openssl with our configuration, quiet unless it fails.
org_openssl()
{
	local log

	log=$(OPENSSL_CONF=$org_dir/job/openssl.cnf openssl "$@" 2>&1) || {
		printf 'openssl %s\n%s\n' "$*" "$log" >&2
		return 1
	}
}

# org_issue NAME BITS VERSION ISSUER FROM TO EXT SUBJECT [MAIL]: make
# keys/NAME.key (PKCS#8) and keys/NAME.pem.  ISSUER is ca, kms or self; FROM and
# TO are YYYYMMDD; EXT names a section above and is ignored in version 1.
org_issue()
{
	local name=$1 bits=$2 version=$3 issuer=$4 from=$5 to=$6 ext=$7 subject=$8
	local job=$org_dir/job/$1 key=$org_dir/keys/$1.key
	local -a how=(-md sha1 -extensions "$ext")

	if [[ $version == 1 ]]; then
		how=(-md md5)
	elif [[ $issuer == ca || $ext == ca_root ]]; then
		how=(-md sha256 -extensions "$ext")
	fi
	if [[ $issuer == self ]]; then
		how+=(-selfsign -keyfile "$key")
	else
		how+=(-cert "$org_dir/$issuer.pem" -keyfile "$org_dir/$issuer.key")
	fi
	if [[ $version == 1 ]] && org_makes_v1; then
		how=(-CA "$org_dir/$issuer.pem" -CAkey "$org_dir/$issuer.key")
		[[ $issuer != self ]] || how=()
		org_openssl req -x509v1 -x509 -newkey "rsa:$bits" -noenc -md5 \
		    "${how[@]}" -set_serial "$org_serial" -subj "$subject" \
		    -not_before "${from}000000Z" -not_after "${to}000000Z" \
		    -keyout "$key" -out "$org_dir/keys/$name.pem"
		return
	fi
	mkdir "$job"
	: >"$job/index"
	printf '%x\n' "$org_serial" >"$job/serial"
	org_openssl req -new -newkey "rsa:$bits" -noenc -subj "$subject" \
	    -keyout "$key" -out "$job/csr"
	ORG_JOB=$job ORG_MAIL=${9:-nobody@example.com} org_openssl ca -batch \
	    -notext "${how[@]}" -in "$job/csr" -out "$org_dir/keys/$name.pem" \
	    -startdate "${from}000000Z" -enddate "${to}000000Z"
	rm -r "$job"
}

# org_makes_v1: from OpenSSL 3.2 on, openssl ca makes version 3 only, and req has
# an option.
org_makes_v1()
{
	openssl req -help 2>&1 | grep -q -e -x509v1
}

# org_p12 CIPHER NAME PASSWORD FILE [FRIENDLY]: pack keys/NAME into FILE.
# CIPHER is rc2 (RC2-40 and 3DES) or 3des, both with a SHA-1 MAC, or new.
org_p12()
{
	local -a how=()

	case $1 in
	rc2)	how=(-legacy) ;;
	3des)	how=(-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1) ;;
	esac
	[[ -z ${5-} ]] || how+=(-name "$5")
	ORG_PW=$3 org_openssl pkcs12 -export "${how[@]}" -passout env:ORG_PW \
	    -inkey "$org_dir/keys/$2.key" -in "$org_dir/keys/$2.pem" -out "$4"
}

# org_secret FILE LINE...: write a password file that others cannot read.
org_secret()
{
	local file=$1

	shift
	(umask 077 && printf '%s\n' "$@" >"$file")
}

# org_group LETTER: print the administrative group, which is the site too.
org_group()
{
	case $1 in
	N)	echo 'North America' ;;
	E)	echo 'Europe' ;;
	esac
}

# org_member FIELD...: make the key of one line of the plan, put it into the
# tree as its form says, and write its line of the ledger.
org_member()
{
	local archive=$1 user=$3 year=$4 form=$5 bits=$6 version=$7 issuer=$8
	local from=$9 to=${10} use=${11} pw=${12}
	local group name=$3-$4 mail='' dir file path kind=key sha1

	group=$(org_group "$2")
	[[ $version == 1 ]] || mail=$user@example.com
	dir="$org_dir/tree/$archive/$group/$user"
	file=$dir/$year
	mkdir -p "$dir"
	org_issue "$name" "$bits" "$version" "$issuer" "$from" "$to" \
	    "${issuer}_$use" "/O=Example/OU=$group/CN=Recipients/CN=$user" "$mail"
	case $form in
	rc2)	org_p12 rc2 "$name" "${org_pws[pw]}" "$file.p12" "$user é $year" ;;
	3des)	org_p12 3des "$name" "${org_pws[pw]}" "$file.pfx" ;;
	lost)	org_p12 rc2 "$name" 'in no list' "$file.p12" ;;
	damaged)
		org_p12 rc2 "$name" "${org_pws[pw]}" "$file.p12"
		truncate -s $(($(stat -c %s "$file.p12") * 2 / 3)) "$file.p12" ;;
	cert)	cp "$org_dir/keys/$name.pem" "$file.crt" ;;
	pair8)
		cp "$org_dir/keys/$name.pem" "$file.crt"
		cp "$org_dir/keys/$name.key" "$file.key" ;;
	pair)
		cp "$org_dir/keys/$name.pem" "$file.pem"
		org_openssl rsa -traditional -in "$org_dir/keys/$name.key" \
		    -out "$file.key" ;;
	pem8)	cat "$org_dir/keys/$name.pem" "$org_dir/keys/$name.key" \
		    >"$file.pem" ;;
	pem)
		org_openssl rsa -traditional -in "$org_dir/keys/$name.key" \
		    -out "$file.pem"
		cat "$org_dir/keys/$name.pem" >>"$file.pem" ;;
	der)
		org_openssl x509 -in "$org_dir/keys/$name.pem" -outform DER \
		    -out "$file.cer"
		org_openssl pkcs8 -topk8 -nocrypt -in "$org_dir/keys/$name.key" \
		    -outform DER -out "$file.pk8" ;;
	esac
	for path in "$file".{p12,pfx,crt,cer,pem}; do
		[[ ! -e $path ]] || break
	done
	case $form,$use in
	lost,* | damaged,*)	kind=fault ;;
	cert,*)			kind=cert ;;
	*,sign)			kind=sign ;;
	esac
	sha1=$(openssl x509 -in "$org_dir/keys/$name.pem" -outform DER | sha1sum)
	set -- "$archive" "$kind" "${sha1%% *}" "$group" "$user" "$mail" \
	    "$form" "$bits" "$version" "$issuer" "$from" "$to" \
	    "${path#"$org_dir/tree/$archive/"}"
	(IFS=$'\t' && echo "$*") >"$org_dir/job/line.$name"
}

# org_spawn COMMAND...: run it beside the others, as many as there are cores.
# A serial number goes to each.
org_spawn()
{
	((org_serial += 1))
	if ((org_running >= org_cores)); then
		org_reap
	fi
	"$@" &
	((org_running += 1))
}

org_reap()
{
	wait -n || exit 1
	((org_running -= 1)) || :
}

org_wait()
{
	while ((org_running)); do
		org_reap
	done
}

# org_authorities: the two CAs, then the CA's machine and its recovery agents.
org_authorities()
{
	local n name

	org_spawn org_issue ca 2048 3 self 20030101 20491231 ca_root \
	    '/O=Example/CN=Example CA'
	org_spawn org_issue kms 1024 1 self 19960101 20160101 '' \
	    '/O=Example/OU=North America/CN=KMS CA'
	org_wait
	for name in ca kms; do
		mv "$org_dir/keys/$name.pem" "$org_dir/keys/$name.key" "$org_dir"
	done
	org_spawn org_issue machine 2048 3 ca 20030101 20491231 ca_machine \
	    '/O=Example/CN=ca.example.com'
	for n in 1 2; do
		org_spawn org_issue "kra$n" 2048 3 ca 20030101 20491231 ca_kra \
		    "/O=Example/CN=Recovery Agent $n"
	done
}

# org_credential NAME PASSWORD: NAME.pem, .key, .p12 and .pw in the directory.
org_credential()
{
	org_secret "$org_dir/$1.pw" "$2"
	org_p12 new "$1" "$2" "$org_dir/$1.p12"
	mv "$org_dir/keys/$1.pem" "$org_dir/keys/$1.key" "$org_dir"
}

# org_mail: a mail of June 1999 to the key of jane that expired in 2000.
org_mail()
{
	printf '%s\n' 'Jane,' '' 'the budget for 2000 is 4.2 million, not 3.9.' \
	    'Please keep it to yourself until the board has met.' '' 'Bob' \
	    >"$org_dir/old-mail.txt"
	org_openssl cms -encrypt -des3 -in "$org_dir/old-mail.txt" \
	    -from bob@example.com -to jane@example.com -subject 'Budget 2000' \
	    -out "$org_dir/job/mail" "$org_dir/keys/jane-1999.pem"
	{
		echo 'Date: Mon, 14 Jun 1999 09:12:00 +0000'
		cat "$org_dir/job/mail"
	} >"$org_dir/old-mail.eml"
}

# org_pack: the two archives; files only, no directory entries.
org_pack()
{
	find "$org_dir/tree" -type f -exec touch -d 2004-01-19T10:00:00Z {} +
	(
		cd "$org_dir/tree/zip"
		find . -type f -printf '%P\n' | LC_ALL=C sort |
		    zip -q -X -@ ../../kms-backup.zip
	)
	(
		cd "$org_dir/tree/tar"
		find . -type f -printf '%P\n' | LC_ALL=C sort |
		    tar --owner=kms:0 --group=kms:0 -T - -czf ../../kms-backup.tar.gz
	)
}

# org_expected: the numbers, from the ledger and from what lies in the tree.
org_expected()
{
	local archive members sum=0

	for archive in zip tar; do
		members=$(find "$org_dir/tree/$archive" -type f | wc -l)
		((sum += members))
		echo "${archive}_members=$members"
		awk -F '\t' -v "a=$archive" '$1 == a' "$org_dir/ledger" |
		    org_numbers "$archive"
	done
	echo "all_members=$sum"
	tail -n +2 "$org_dir/ledger" | org_numbers all
	awk -F '\t' '$2 == "fault" { print $7 "_path=\047" $13 "\047" }' \
	    "$org_dir/ledger"
}

# org_numbers PREFIX: count the ledger lines read.  certs counts `cert' records:
# keys held back for signing, and certificates alone.  own and foreign count
# keys; users are those with a key; jane is what has jane@example.com in it,
# jane_all what has her name.
org_numbers()
{
	awk -F '\t' -v "p=$1" '
	$2 == "key"	{ keys++; u[$5]; own += $10 == "ca" }
	$2 == "key" && $9 == 1	{ v1++ }
	$2 == "sign"	{ signing++ }
	$2 == "cert"	{ alone++ }
	$2 == "fault"	{ faults++ }
	$2 == "key" && $6 == "jane@example.com"	{ jane++ }
	$2 == "key" && $5 == "jane"	{ jane_all++ }
	END {
		for (i in u)
			users++
		print p "_keys=" keys + 0
		print p "_v1=" v1 + 0
		print p "_certs=" signing + alone
		print p "_signing=" signing + 0
		print p "_faults=" faults + 0
		print p "_users=" users + 0
		print p "_own=" own + 0
		print p "_foreign=" keys - own
		print p "_jane=" jane + 0
		print p "_jane_all=" jane_all + 0
	}'
}

# org_check: the ledger says the version that the plan says; here openssl does.
org_check()
{
	local name version

	while read -r _ _ user year _ _ version _; do
		name=$user-$year
		openssl x509 -in "$org_dir/keys/$name.pem" -noout -text |
		    grep -q "Version: $version " || {
			echo "org.bash: $name is not version $version" >&2
			return 1
		}
	done < <(org_plan)
}

org_main()
{
	local -a line
	# Line 0 of user.pws is nobody's.
	local -a org_pws=('letmein' 'password' 'HZGYYHACWLQACTI' 'Spring 98'
	    'Grüße-1999' 'a:b"c\d' 'Sommer01')
	local org_running=0 org_cores

	org_cores=$(nproc)
	org_setup "$1"
	org_authorities
	# in bash 5.3, wait -n would return for a < <(org_plan) as well
	while read -ra line; do
		org_spawn org_member "${line[@]}"
	done <<<"$(org_plan)"
	org_wait
	org_credential machine 'machine of 2003'
	org_credential kra1 'first agent'
	org_credential kra2 'second agent'
	org_secret "$org_dir/user.pws" "${org_pws[@]}"
	org_secret "$org_dir/jane.pw" 'for jane'
	{
		printf 'archive\tkind\tsha1\tgroup\tuser\tmail\tform\tbits\t'
		printf 'version\tissuer\tfrom\tto\tpath\n'
		LC_ALL=C sort "$org_dir"/job/line.*
	} >"$org_dir/ledger"
	org_check
	org_mail
	org_pack
	org_expected >"$org_dir/expected"
	rm -r "$org_dir/job"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
	set -euo pipefail
	if (($# != 1)); then
		echo 'usage: org.bash DIR' >&2
		exit 2
	fi
	mkdir -p "$1"
	if [[ -n $(ls -A "$1") ]]; then
		echo "org.bash: $1: not empty" >&2
		exit 2
	fi
	org_main "$(cd "$1" && pwd)"
fi
