# shellcheck shell=bash
# shellcheck disable=SC2034 # arrays for the files that load it
#
# For the bats files of the archive, after common.bash: `load ca'.

: "${root=}"

# machine: the options that open an export of the organisation.
machine=(-k "${ORG-}/machine.p12" -p "file:${ORG-}/machine.pw")

# new_archive [FILE]: an archive with both agents that takes foreign
# certificates.
new_archive()
{
	local db=${1:-ca.db}

	cat "$ORG/kra1.pem" "$ORG/kra2.pem" |
	    ca-init -c "$ORG/ca.pem" -d "$db" >/dev/null 2>&1 &&
	    ca-setflag -d "$db" KRAFlags +KRAF_ENABLEFOREIGN >/dev/null 2>&1
}

# import: ca-import with what opens the export.
import=(ca-import -f -d ca.db "${machine[@]}")

# org_archive DIR: what the README's migration makes, in DIR: export.kms, of
# both backups; ca.db, with all of it, encrypted to both agents; import.log.
org_archive()
{
	local -a machine=(-p "file:$ORG/machine.pw")
	local -a export=(kms-export -q -c "$ORG/machine.pem"
	    -S "$ORG/machine.p12" "${machine[@]}" -p "list:$ORG/user.pws")

	(
		cd "$1" &&
		cat "$ORG/kra1.pem" "$ORG/kra2.pem" |
		    ca-init -c "$ORG/ca.pem" -d ca.db >/dev/null &&
		ca-setflag -d ca.db KRAFlags +KRAF_ENABLEFOREIGN >/dev/null &&
		{ "${export[@]}" <"$ORG/kms-backup.zip" >export.kms ||
		    (($? == 1)); } &&
		"${export[@]}" <"$ORG/kms-backup.tar.gz" >>export.kms &&
		kms-verify -k "$ORG/machine.p12" "${machine[@]}" <export.kms |
		    ca-import -fq -d ca.db -k "$ORG/machine.p12" \
		    "${machine[@]}" >import.log
	) 2>"$1/log" || {
		cat "$1/log" >&2
		return 1
	}
}

# key_of SHA1: the private key that org.bash made for that certificate, PKCS#8
# DER as openssl writes it.
key_of()
{
	local pem

	for pem in "$ORG"/keys/*.pem; do
		[[ $(openssl x509 -in "$pem" -outform DER | sha1sum) == "$1 "* ]] ||
			continue
		openssl pkcs8 -topk8 -nocrypt -in "${pem%.pem}.key" -outform DER
		return
	done
	echo "key_of: no certificate $1" >&2
	return 1
}

# rows DB SQL: what the judge says, columns apart by a bar.  Not -readonly: that
# leaves the files beside it behind.
rows()
{
	sqlite3 -batch -cmd ".timeout 60000" "$1" "$2"
}

# contents DB: everything in it but the audit table.
contents()
{
	rows "$1" .dump | grep -v '^INSERT INTO audit '
}

# old_archive FILE [VERSION]: an archive that kms2ca 0.1, or that, made.
old_archive()
{
	sqlite3 "$1" <"$root/tests/data/archive-${2:-0.1}.sql" && chmod 600 "$1"
}

# head_of: the head of the audit chain, from messages on stdin.
head_of()
{
	sed -n 's/^[a-z0-9-]*: audit head: //p'
}

# last_head DB: the same, from the table.
last_head()
{
	rows "$1" "SELECT AuditID || ':' || Hash FROM audit
	    ORDER BY AuditID DESC LIMIT 1"
}

# copied DB: copy.db becomes a copy of that archive, by way of the file dump; a dump
# of it is the same, byte for byte.
copied()
{
	ca-dump -qd "$1" >dump 2>/dev/null || return
	ca-init -f -d copy.db </dev/null >/dev/null 2>&1 || return
	run_tool 0 ca-load -qd copy.db <dump || return
	run_tool 0 ca-dump -qd copy.db || return
	cmp "$OUT" dump
}

# whole DB: SQLite finds no fault in it, and the audit chain fits its rows.
whole()
{
	[[ $(rows "$1" 'PRAGMA integrity_check') == ok ]] || return
	[[ -z $(rows "$1" 'PRAGMA foreign_key_check') ]] || return
	[[ $(rows "$1" "SELECT count(*) FROM request FULL JOIN certificate c
	    USING (RequestID) WHERE RawCertificate IS NULL
	    OR Disposition IS NULL") == 0 ]] || return
	ca-audit -A "$(last_head "$1")" -d "$1" >/dev/null 2>"$ERR.whole" ||
	    grep -q ": audit: the chain is whole" "$ERR.whole"
}

# kept DB RESULTS: every result that promises a row has one, with its key if
# KRAs are named.
kept()
{
	local missing

	missing=$(rows "$1" "WITH want(id, sha1, kra) AS (VALUES (NULL, '', '')
	    $(only result <"$2" | awk -F '\t' '
	    $3 ~ /^status:(imported|updated|present)$/ {
		sub(/^id:/, "", $4)
		sub(/^sha1:/, "", $5)
		sub(/^kra:/, "", $8)
		printf ", (%s, \047%s\047, \047%s\047)", $4, $5, $8
	    }')) SELECT id, sha1 FROM want WHERE id IS NOT NULL AND NOT EXISTS
	    (SELECT 1 FROM request JOIN certificate c USING (RequestID)
	    WHERE RequestID = id AND c.CertificateHash = sha1
	    AND (kra = '' OR RawArchivedKey IS NOT NULL))") || return
	if [[ -n $missing ]]; then
		echo "no row for results: $missing" >&2
		return 1
	fi
}

# statuses FILE: the results in short, status and id, one a line.
statuses()
{
	only result <"$1" | awk -F '\t' '{ sub(/^status:/, "", $3)
	    sub(/^id:/, "", $4); print $3 ($4 == "" ? "" : " " $4) }'
}

# subjects [ARG...]: of the certificates in a PKCS#7, in order.  What stands
# around an equals sign depends on openssl's version.
subjects()
{
	openssl pkcs7 -print_certs -noout "$@" |
	    sed -n 's/ = /=/g; s/^subject=//p' | sort
}

# Plain streams, made without our tools -------------------------------------

# record N USER CERT [KEY]: a `key' record of two PEM files, or a `cert' record.
record()
{
	local type=cert part

	[[ $# -lt 4 ]] || type=key
	part=$BATS_FILE_TMPDIR/${3//\//_}
	# those of the organisation stay as they are
	if [[ $3 != "$ORG"/* || ! -s $part ]]; then
		about "$3" >"$part"
	fi
	printf 'rec:%s\tn:%s\tgroup:Staff\tuser:%s\tmail:\tguid:\t' \
	    "$type" "$1" "$2"
	cat "$part"
	[[ $# -lt 4 ]] || printf '\tkey:%s' "$(p8 "$4" | base64 -w 0)"
	printf '\n'
}

# about CERT: what a record says of a certificate, without LF.
about()
{
	local cert=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/about.cer serial spki

	openssl x509 -in "$1" -outform DER -out "$cert" &&
	serial=$(openssl x509 -in "$1" -noout -serial) &&
	spki=$(openssl x509 -in "$1" -noout -pubkey |
	    openssl pkey -pubin -outform DER | sha256sum) || return
	serial=${serial#serial=}
	printf 'serial:%s\tissuer:\tsubject:\tnot_before:\t' "${serial,,}"
	printf 'not_after:\tversion:3\talg:RSA-512\tuse:both\tspki:%s\t' \
	    "${spki%% *}"
	printf 'sha1:%s\tsha256:%s\t' "$(sha1sum <"$cert" | cut -c -40)" \
	    "$(sha256sum <"$cert" | cut -c -64)"
	printf 'source:%s\tcert:%s' "${1##*/}" "$(base64 -w 0 <"$cert")"
}

# p8 KEY: PKCS#8, DER, of a PEM key; a DER file as it is.
p8()
{
	if grep -q -a '^-----BEGIN' "$1"; then
		openssl pkcs8 -topk8 -nocrypt -in "$1" -outform DER
	else
		cat "$1"
	fi
}

# user NAME: the record of that key of the organisation, such as 1 jane-1999.
user()
{
	record "$1" "$2" "$ORG/keys/$2.pem" "$ORG/keys/$2.key"
}

# closed: the records on stdin, closed by a right `end'.
closed()
{
	local body=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/body

	cat >"$body"
	cat "$body"
	printf 'rec:end\tn:%d\tkeys:%d\tcerts:%d\tfaults:%d\tsha256:%s\tsig:\n' \
	    "$(wc -l <"$body")" "$(only key <"$body" | wc -l)" \
	    "$(only cert <"$body" | wc -l)" "$(only fault <"$body" | wc -l)" \
	    "$(sha256sum <"$body" | cut -c -64)"
}

# Without rights, and under strace -------------------------------------------

# unprivileged: the words before a command so that file modes count, for root
# too.
unprivileged=()
if (($(id -u) == 0)); then
	unprivileged=(setpriv --bounding-set -all --inh-caps -all --)
fi

need_unprivileged()
{
	"${unprivileged[@]}" true 2>/dev/null || skip 'setpriv cannot drop capabilities'
}

need_strace()
{
	strace -o /dev/null true 2>/dev/null || skip 'strace is not allowed here'
}

# traced: the words before the arguments of strace and a command.  LeakSanitizer
# cannot run under it.
traced=(env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" strace -f)

# tells PATTERN: one of the messages, for one change may show in several places.
tells()
{
	local line

	while IFS= read -r line; do
		# shellcheck disable=SC2053 # a pattern
		[[ $line != $1 ]] || return 0
	done <"$ERR"
	return 1
}
