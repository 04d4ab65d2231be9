#!/usr/bin/env bash
#
# corpus.bash [-e N] [-L limit=value]... [CORPUS]...: kms-export over every file
# of the corpora, or with -e every Nth of those that are benign, each within 60 s and 512 MiB, and a table of what became of them.
# `make corpus' calls it.  Exit 1 if a file takes longer or more, crashes the
# reader, leaves something on disk, gives a stream that does not verify, or
# members that do not add up.
#
#	read	a key or a certificate was found, or exit 0
#	faulted	exit 1, and there are only faults
#	refused	exit 2, nothing written
#
# The lines of all files are in $CORPUS_LOG, if set: corpus, file, outcome, what
# is wrong (-), seconds, KiB, reasons.
#
# KMS2CA_BIN names the directory of the tools, if not build/bin; KMS2CA_SHARED
# that of the corpora, if not ../shared.

set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
shared=$(cd "${KMS2CA_SHARED:-$root/../shared}" && pwd)
bin=$(cd "${KMS2CA_BIN:-$root/build/bin}" && pwd)
seconds=60 kib=$((512 * 1024))

# list CORPUS: its files, with the password in hex, as the manifest has them.
list()
{
	awk -F '\t' -v "corpus=$1" -v "every=$every" '
	NR > 1 && every > 1 && /\tbenign\tok\t/ && NR % every {
		next
	}
	NR == 1 {
		for (i = 1; i <= NF; i++)
			if ($i == "password_utf8_hex")
				hex = i
		next
	}
	{ print corpus "/" $1 " " (hex ? $hex : "") }' \
	    "$shared/corpora/$1/manifest.tsv"
}

# outcome STATUS: in one word, from out.
outcome()
{
	case $1 in
	0)
		echo read ;;
	1)
		if grep -qE '^rec:(key|cert)	' out; then
			echo read
		else
			echo faulted
		fi ;;
	2)
		echo refused ;;
	124 | 137)
		echo timeout ;;
	*)
		echo crash ;;
	esac
}

# wrong STATUS: what should not be, from out and err; nothing if all is well.
wrong()
{
	if (($1 > 2)) || grep -q '	reason:reader	' out; then
		echo reader
	fi
	(($(tail -n 1 usage | cut -d ' ' -f 2) <= kib)) || echo memory
	[[ -z $(find disk -mindepth 1) ]] || echo disk
	if (($1 == 2)); then
		[[ ! -s out ]] || echo output
	elif (($1 < 2)); then
		"$bin/kms-verify" -q -k "$cred" <out >proof 2>/dev/null &&
		    cmp -s out proof || echo stream
		adds_up || echo members
	fi
}

# adds_up: every member gave keys, certificates only, is a fault or skipped.
adds_up()
{
	awk -F '\t' '
	NR == FNR {
		n[$1]++
		next
	}
	sub(/^kms-export: members /, "") {
		gsub(/[^0-9 ]/, "")
		split($0, m, / +/)
		ok = m[1] == m[2] + m[3] + m[4] + m[5] &&
		    m[4] <= n["rec:fault"] &&
		    (m[2] == 0 || n["rec:key"] > 0)
	}
	END { exit !ok }' out err
}

# one 'CORPUS/FILE HEX': its line.
one()
{
	local file=${1% *} hex=${1##* } status=0 dir
	local -a pass=()

	dir=$(mktemp -d "$scratch/XXXXXX")
	cd "$dir"
	mkdir disk
	if [[ -n $hex ]]; then
		# shellcheck disable=SC2001,SC2059 # it is made of bytes
		PW=$(printf "$(sed 's/../\\x&/g' <<<"$hex")")
		export PW
		pass=(-p env:PW)
	fi
	# shellcheck disable=SC2086 # options
	(cd disk && TMPDIR=$PWD command time -o ../usage -f '%e %M' \
	    timeout -k 1 "$seconds" "$bin/kms-export" $options -c "$cred" \
	    "${pass[@]}" <"$shared/corpora/$file" >../out 2>../err) || status=$?
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "${file%%/*}" "${file#*/}" \
	    "$(outcome "$status")" "$(wrong "$status" | paste -sd , |
		sed 's/^$/-/')" "$(tail -n 1 usage | tr ' ' '\t')" \
	    "$(grep '^rec:fault	' out | grep -o '	reason:[a-z-]*' |
		cut -d : -f 2 | sort -u | paste -sd ,)"
	rm -r "$dir"
}

# table: of the lines on stdin; fails if something is wrong.
table()
{
	awk -F '\t' '
	!($1 in files) { name[++names] = $1 }
	{
		files[$1]++
		n[$1, $3]++
		for (i = split($7, r, ","); i > 0; i--) {
			n[$1, r[i]]++
			reasons[r[i]]
		}
		if ($5 > slow[$1])
			slow[$1] = $5
		if ($6 > peak[$1])
			peak[$1] = $6
		if ($4 != "-" || $3 == "timeout") {
			print "wrong: " $1 "/" $2 ": " $3 " " $4
			failed = 1
		}
	}
	function row(what, of, i) {
		printf "%-16s", what
		for (i = 1; i <= names; i++)
			printf " %10s", of == "files" ? files[name[i]] : \
			    of == "slow" ? slow[name[i]] : \
			    of == "peak" ? int(peak[name[i]] / 1024) : \
			    n[name[i], what] + 0
		printf "\n"
	}
	END {
		printf "%-16s", ""
		for (i = 1; i <= names; i++)
			printf " %10s", name[i]
		printf "\n"
		row("files", "files")
		row("read"); row("faulted"); row("refused")
		row("timeout"); row("crash")
		row("longest, s", "slow")
		row("most, MiB", "peak")
		print "\nfiles with faults of each reason:"
		for (reason in reasons)
			row(reason)
		exit failed
	}'
}

options='' every=1
while getopts e:L: option; do
	case $option in
	e)	every=$OPTARG ;;
	L)	options+=" -L $OPTARG" ;;
	*)	exit 2 ;;
	esac
done
shift $((OPTIND - 1))
(($# > 0)) || set -- archives pkcs12 cms ese

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cred=$scratch/cred.pem
openssl req -x509 -newkey rsa:2048 -noenc -days 9 -subj /CN=machine \
    -keyout "$scratch/key" -out "$cred" 2>/dev/null
cat "$scratch/key" >>"$cred"
export shared bin seconds kib options scratch cred
export -f one outcome wrong adds_up
# shellcheck disable=SC2016 # for that shell
for corpus; do
	list "$corpus"
done | xargs -d '\n' -P 2 -n 1 bash -c 'set -euo pipefail; one "$1"' - |
    sort >"$scratch/log"
[[ -z ${CORPUS_LOG-} ]] || cp "$scratch/log" "$CORPUS_LOG"
table <"$scratch/log"
