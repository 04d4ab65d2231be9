# shellcheck shell=bash
#
# For the bats files of the archive, after common.bash: `load ca'.

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

# import [DB [ARG...]]: ca-import with what opens the export.
import()
{
	ca-import -f -d "${1:-ca.db}" "${machine[@]}" "${@:2}"
}

# rows DB SQL: what the judge says, columns apart by a bar.
rows()
{
	sqlite3 -readonly "$1" "$2"
}

# contents DB: everything in it but the audit table.
contents()
{
	sqlite3 -readonly "$1" .dump | grep -v '^INSERT INTO audit '
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

# whole DB: SQLite finds no fault in it, and the audit chain fits its rows.
whole()
{
	[[ $(rows "$1" 'PRAGMA integrity_check') == ok ]] || return
	[[ -z $(rows "$1" 'PRAGMA foreign_key_check') ]] || return
	[[ $(rows "$1" "SELECT count(*) FROM request FULL JOIN certificate c
	    USING (RequestID) WHERE RawCertificate IS NULL
	    OR Disposition IS NULL") == 0 ]] || return
	ca-export -n -A "$(last_head "$1")" -d "$1" >/dev/null 2>"$ERR" ||
	    grep -q ': audit: the chain is whole' "$ERR"
}

# kept DB RESULTS: every result that promises a row has one, with its key if
# KRAs are named.
kept()
{
	local id sha1 kra

	while IFS=$'\t' read -r id sha1 kra; do
		[[ $(rows "$1" "SELECT count(*) FROM request JOIN certificate
		    USING (RequestID) WHERE RequestID = $id
		    AND CertificateHash = '$sha1' AND ('$kra' = ''
		    OR RawArchivedKey IS NOT NULL)") == 1 ]] || {
			echo "no row for result: $id $sha1" >&2
			return 1
		}
	done < <(only result <"$2" | awk -F '\t' '
	    $3 ~ /^status:(imported|updated|present)$/ {
		sub(/^id:/, "", $4); sub(/^sha1:/, "", $5)
		sub(/^kra:/, "", $8); print $4 "\t" $5 "\t" $8
	    }')
}

# statuses FILE: the results in short, status and id, one a line.
statuses()
{
	only result <"$1" | awk -F '\t' '{ sub(/^status:/, "", $3)
	    sub(/^id:/, "", $4); print $3 ($4 == "" ? "" : " " $4) }'
}

# Plain streams, made without our tools -------------------------------------

# record N USER CERT [KEY]: a `key' record of two PEM files, or a `cert' record.
record()
{
	local cert=$BATS_TEST_TMPDIR/record.cer type=cert serial spki

	openssl x509 -in "$3" -outform DER -out "$cert"
	serial=$(openssl x509 -in "$3" -noout -serial)
	serial=${serial#serial=}
	spki=$(openssl x509 -in "$3" -noout -pubkey |
	    openssl pkey -pubin -outform DER | sha256sum)
	[[ $# -lt 4 ]] || type=key
	printf 'rec:%s\tn:%s\tgroup:Staff\tuser:%s\tmail:\tguid:\t' \
	    "$type" "$1" "$2"
	printf 'serial:%s\tissuer:\tsubject:\tnot_before:\t' "${serial,,}"
	printf 'not_after:\tversion:3\talg:RSA-512\tuse:both\tspki:%s\t' \
	    "${spki%% *}"
	printf 'sha1:%s\tsha256:%s\t' "$(sha1sum <"$cert" | cut -c -40)" \
	    "$(sha256sum <"$cert" | cut -c -64)"
	printf 'source:%s\tcert:%s' "$2.pem" "$(base64 -w 0 <"$cert")"
	[[ $# -lt 4 ]] || printf '\tkey:%s' "$(p8 "$4" | base64 -w 0)"
	printf '\n'
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
	local body=$BATS_TEST_TMPDIR/body

	cat >"$body"
	cat "$body"
	printf 'rec:end\tn:%d\tkeys:%d\tcerts:%d\tfaults:%d\tsha256:%s\tsig:\n' \
	    "$(wc -l <"$body")" "$(only key <"$body" | wc -l)" \
	    "$(only cert <"$body" | wc -l)" "$(only fault <"$body" | wc -l)" \
	    "$(sha256sum <"$body" | cut -c -64)"
}

# Without rights, and under strace -------------------------------------------

# unprivileged COMMAND...: run it so that file modes count, for root too.
unprivileged()
{
	if (($(id -u) == 0)); then
		setpriv --bounding-set -all --inh-caps -all -- "$@"
	else
		"$@"
	fi
}

need_unprivileged()
{
	unprivileged true 2>/dev/null || skip 'setpriv cannot drop capabilities'
}

need_strace()
{
	strace -o /dev/null true 2>/dev/null || skip 'strace is not allowed here'
}

# traced ARG... -- COMMAND...: strace it.  LeakSanitizer cannot run under it.
traced()
{
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f "$@"
}
