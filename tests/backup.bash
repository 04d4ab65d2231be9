# shellcheck shell=bash
#
# For the bats files that feed backups to kms-export, after common.bash: `load
# backup'.

# take STATUS ARG...: run kms-export on stdin, sealed to and signed by cred.pem,
# which is made if it is not there; the output must be a whole stream, and what
# is said of it true.
take()
{
	local status=$1

	shift
	[[ -e cred.pem ]] || cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	run_tool "$status" kms-export -c cred.pem "$@" && whole "$status"
}

# whole STATUS: $OUT is a stream that kms-verify proves, and the summary in $ERR
# counts what is in it.  Leaves the numbers of the members in $members: all, with
# keys, with certificates, faulted, skipped.
whole()
{
	local log=$BATS_TEST_TMPDIR/log proof=$BATS_TEST_TMPDIR/proof

	if ! kms-verify -q -k cred.pem <"$OUT" >"$proof" 2>"$log" ||
	    ! cmp "$OUT" "$proof"; then
		cat "$log" >&2
		echo 'the stream does not verify' >&2
		return 1
	fi
	members=$(awk -F '\t' -v "status=$1" '
	function wrong(what) {
		print what >"/dev/stderr"
		failed = 1
	}
	NR == FNR {
		n[$1]++
		if ($1 == "rec:key" && !(($3, $4) in seen)) {
			seen[$3, $4]
			users++
		}
		v1 += $1 == "rec:key" && $12 == "version:1"
		signing += $1 == "rec:cert" && $14 == "use:sign"
		next
	}
	/^kms-export: users [0-9]/ {
		held = $0
		sub(/.*held back /, "", held)
		held += 0
		if (held > signing)
			wrong(held " signing keys, " signing " certificates")
		want = sprintf("kms-export: users %d, keys %d (v1 %d), " \
		    "certificates %d, signing keys held back %d, faults %d",
		    users, n["rec:key"], v1, n["rec:cert"], held,
		    n["rec:fault"])
		if ($0 != want)
			wrong($0 "\nbut counted:\n" want)
		said++
	}
	/^kms-export: members [0-9]/ {
		gsub(/[^0-9 ]/, "")
		gsub(/ +/, " ")
		sub(/^ /, "")
		split($0, m, " ")
		if (m[1] != m[2] + m[3] + m[4] + m[5])
			wrong("members do not add up: " $0)
		if (m[4] > n["rec:fault"])
			wrong(m[4] " members faulted, but not so many faults")
		print
		said++
	}
	END {
		if (said != 2)
			wrong("no summary, or more than one")
		if ((status == 0) == (n["rec:fault"] > 0 ||
		    n["rec:key"] + n["rec:cert"] == 0))
			wrong("exit " status " with " n["rec:fault"] " faults")
		exit failed
	}' "$OUT" "$ERR")
}

# faults [LINE]...: the faults in $OUT are these, in order, as `SOURCE: REASON:
# DETAIL', and each was said.
faults()
{
	local line text

	diff <((($# == 0)) || printf '%s\n' "$@") <(only fault <"$OUT" |
	    awk -F '\t' '{
		sub(/^source(_b64)?:/, "", $3)
		sub(/^reason:/, "", $4)
		sub(/^detail:/, "", $5)
		print $3 ": " $4 ": " $5
	    }') >&2 || return
	for line; do
		text=${line#*: }
		grep -qF "kms-export: ${line%%: *}: ${text#*: }" "$ERR" || {
			echo "not said: $line" >&2
			return 1
		}
	done
}

# found KEYS CERTS FAULTS: the numbers of records in $OUT.
found()
{
	diff <(echo "keys:$1 certs:$2 faults:$3") \
	    <(only end <"$OUT" | cut -f 3-5 | tr '\t' ' ') >&2
}

# came_to ALL KEYS CERTS FAULTED SKIPPED: what became of the members.
came_to()
{
	diff <(echo "$*") <(echo "$members") >&2
}

# said [LINE]...: these messages and the summary, and no others.
said()
{
	diff <((($# == 0)) || printf 'kms-export: %s\n' "$@") \
	    <(grep -av '^kms-export: \(users\|members\) [0-9]' "$ERR") >&2
}

# records: the records on stdin without number, seal and what follows from the
# certificate.
records()
{
	awk -F '\t' -v OFS='\t' '$1 ~ /^rec:(key|cert|fault)$/ {
		out = $1
		for (i = 3; i <= NF; i++)
			if ($i !~ /^(seal|cert):/)
				out = out OFS $i
		print out
	}'
}
