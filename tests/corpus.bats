#!/usr/bin/env bats
#
# A quick slice of `make corpus': the archives of the corpora that are not benign,
# and every fifth of those that are, with 1 s of CPU for the reader, so that
# those that loop cost no more.

load common

# From common.bash.
: "${shared=}" "${root=}"

sanitized()
{
	grep -q __asan_init "$(command -v kms-export)"
}

@test "corpora/archives: nothing crashes, hangs, grows, is written or lost" {
	need_shared corpora/archives
	type -P time >/dev/null || skip 'no time(1)'
	sanitized && skip 'takes more memory than there may be'
	CORPUS_LOG=$PWD/log KMS2CA_BIN=$(dirname "$(command -v kms-export)") \
	    KMS2CA_SHARED=$shared "$root/tests/corpus.bash" -e 5 -L cpu=1 archives \
	    >table
	cat table
	# of those that are not benign not one is left out
	diff <(awk -F '\t' 'NR > 1 && !($8 == "benign" && $9 == "ok") {
		print $1 }' "$shared/corpora/archives/manifest.tsv" | sort) \
	    <(cut -f 2 log | sort) | grep '^<' && return 1
	(($(wc -l <log) > 130))
	[[ $(cut -f 4 log | sort -u) == - ]]
	grep -qx 'timeout  *0' table
	grep -qx 'crash  *0' table
}

# named LIMIT FILE [ARG]...: kms-export ends there, and says so.
named()
{
	local status=0

	timeout -k 1 60 kms-export -c cred.pem "${@:3}" \
	    <"$shared/corpora/archives/libarchive/$2" >"$OUT" 2>"$ERR" ||
	    status=$?
	((status == 1))
	grep -qE "the archive passes the ceiling $1=[0-9]+: raise it with -L $1=" \
	    "$ERR" || {
		cat "$ERR" >&2
		return 1
	}
}

@test "corpora/archives: loops and bombs name their ceiling" {
	local loop=test_read_format_iso_rockridge_ce_loop.iso.Z

	need_shared corpora/archives
	sanitized && skip 'takes more memory than there may be'
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	named memory "$loop"
	named cpu "$loop" -L cpu=1 -L memory=64G
	named memory test_read_format_7zip_entries_oom.7z
	named total test_read_format_gtar_sparse_1_13.tar -L member=1G \
	    -L total=50M
}
