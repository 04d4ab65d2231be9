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
	local log=$BATS_TEST_TMPDIR/log proof=$BATS_TEST_TMPDIR/proof faults n

	if ! kms-verify -q -k cred.pem <"$OUT" >"$proof" 2>"$log" ||
	    ! cmp "$OUT" "$proof"; then
		cat "$log" >&2
		echo 'the stream does not verify' >&2
		return 1
	fi
	faults=$(only fault <"$OUT" | wc -l)
	n=$(only end <"$OUT" | field n)
	if ((($1 == 0) == (faults > 0 || n == 0))); then
		echo "exit $1 with $n records and $faults faults" >&2
		return 1
	fi
	diff <(numbers) <(grep -a '^kms-export: users ' "$ERR") >&2 || return
	members=$(grep -a '^kms-export: members ' "$ERR" | tail -n 1 |
	    tr -dc '0-9 ' | tr -s ' ')
	# shellcheck disable=SC2086 # numbers
	set -- $members
	members=${members# }
	if (($# != 5 || $1 != $2 + $3 + $4 + $5)); then
		echo "members do not add up: $members" >&2
		return 1
	fi
}

# numbers: the first line of the summary, counted from $OUT; which keys were
# held back only the tool knows.
numbers()
{
	local held

	held=$(sed -n 's/.* held back \([0-9]*\),.*/\1/p' "$ERR" | tail -n 1)
	if ((held > $(only cert <"$OUT" | field use | grep -c '^sign'))); then
		echo "$held signing keys held back, but no such certificates"
		return
	fi
	printf 'kms-export: users %d, keys %d (v1 %d), certificates %d, ' \
	    "$(only key <"$OUT" | cut -f 3,4 | sort -u | wc -l)" \
	    "$(only key <"$OUT" | wc -l)" \
	    "$(only key <"$OUT" | field version | grep -c '^1$')" \
	    "$(only cert <"$OUT" | wc -l)"
	printf 'signing keys held back %d, faults %d\n' "$held" \
	    "$(only fault <"$OUT" | wc -l)"
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
