# shellcheck shell=bash
#
# For every bats file: `load common'.  Tests start in an empty directory of
# their own, with the tools first in PATH; $ORG is the organisation of 1999.
#
# Three traps of bats: `! cmd' never fails a test, so write `not cmd'; `run a |
# b' is `(run a) | b', so write `run bash -c'; and $output has lost its last
# newlines, so compare files with cmp.
#
#	KMS2CA_BIN	directory of the tools, if not build/bin
#	KMS2CA_SHARED	directory of the corpora, if not ../shared
#	KMS2CA_CUTS=all	filter_contract cuts at every byte of long input too
#	KMS2CA_FLIPS=1	stream.bats changes every bit of a sealed stream

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
shared=${KMS2CA_SHARED:-$root/../shared}
PATH=${KMS2CA_BIN:-$root/build/bin}:$PATH
export LC_ALL=C
# Credentials in the clear are for their owner, or there is a warning.
umask 077
unset OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES MAKEFLAGS MFLAGS MAKELEVEL
# A finding of a sanitizer must not look like exit 1.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}exitcode=134
export UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}halt_on_error=1
UBSAN_OPTIONS+=:exitcode=134

setup()
{
	common_setup
}

# common_setup: for files with a setup of their own.
common_setup()
{
	OUT=$BATS_TEST_TMPDIR/out
	ERR=$BATS_TEST_TMPDIR/err
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir -p "$TMPDIR" "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work" || return 1
}

# need_shared PATH: skip the test when the corpora are not there.
need_shared()
{
	[[ -e $shared/$1 ]] || skip "no $shared/$1"
}

# not COMMAND...: fail if it succeeds.
not()
{
	if "$@"; then
		echo "succeeded: $*" >&2
		return 1
	fi
}

# field LABEL: the value of that field, of each record on stdin that has it.
field()
{
	awk -F '\t' -v "label=$1:" '{
		for (i = 1; i <= NF; i++)
			if (index($i, label) == 1) {
				print substr($i, length(label) + 1)
				next
			}
	}'
}

# only TYPE: the records of that type.
only()
{
	awk -F '\t' -v "rec=rec:$1" '$1 == rec'
}

# waits PID FD [write]: comes back when the process sleeps in read(2) of that
# descriptor, so that there is nothing to read; or in write(2), so that it is full.
# waits PID poll: when it sleeps in poll(2).
waits()
{
	local -a call stat
	local fd end=$((SECONDS + 60)) x86=0 arm=63

	[[ ${3-} != write ]] || x86=1 arm=64
	if [[ $2 == poll ]]; then
		x86=7 arm=73 fd='*'
	else
		fd=$(printf '0x%x' "$2")
	fi
	while [[ -e /proc/$1 ]] && ((SECONDS < end)); do
		read -r -a call <"/proc/$1/syscall" || break
		[[ ${call[0]} == "$x86" || ${call[0]} == "$arm" ]] || continue
		# shellcheck disable=SC2053 # a pattern
		[[ ${call[1]} == $fd ]] || continue
		read -r -a stat <"/proc/$1/stat" || break
		[[ ${stat[2]} != S ]] || return 0
	done
	echo "process $1 does not wait for descriptor $2" >&2
	cat -v "$ERR" >&2
	return 1
}

# ended PID: it is no more, or nobody has asked yet what became of it, as of an
# orphan in a container.
ended()
{
	local line

	read -r line 2>/dev/null <"/proc/$1/stat" || return 0
	[[ ${line##*) } == [ZX]* ]]
}

# run_tool STATUS COMMAND...: run it on our stdin, output in $OUT, messages in
# $ERR; the status must be this one, and no message may hold a byte that a
# terminal would obey.
run_tool()
{
	local want=$1 status=0

	shift
	timeout -k 1 300 "$@" >"$OUT" 2>"$ERR" || status=$?
	if ((status != want)); then
		printf 'exit %d, not %d: %s\n' "$status" "$want" "$*" >&2
		cat -v "$ERR" >&2
		return 1
	fi
	harmless "$*"
}

# harmless WHAT: no control characters in $ERR; read succeeds at a NUL.
harmless()
{
	local text

	if IFS= read -r -d '' text <"$ERR" ||
	    [[ $text == *[$'\x01'-$'\x08\x0b'-$'\x1f\x7f']* ]]; then
		printf 'raw control characters in the messages of: %s\n' "$1" >&2
		cat -v "$ERR" >&2
		return 1
	fi
}

# unsummed: what is in $ERR, but for the line with which kms-verify, ca-recover and
# p12-pack sum up: tests of their own look at that.
unsummed()
{
	sed -E '/^(kms-verify: keys|p12-pack: keys|ca-recover: opened) [0-9]+, /d' \
	    "$ERR"
}

# says [LINE]...: these lines, and nothing else, are in $ERR.
says()
{
	local want='' text

	(($# == 0)) || printf -v want '%s\n' "$@"
	if IFS= read -r -d '' text < <(unsummed) || [[ $text != "$want" ]]; then
		diff -u <(printf %s "$want") <(unsummed) >&2
		return 1
	fi
}

# refuses STATUS LINE COMMAND...: fails three ways: with this status, with
# exactly this message (which may have several lines), and with nothing written
# to stdout, to a file or to TMPDIR.
refuses()
{
	local status=$1 line=$2 before

	shift 2
	before=$(files)
	run_tool "$status" "$@" || return
	says "$line" || return
	nothing_out "$*" || return
	same_files "$before" "$*"
}

# files: all files, as they are now, here and in TMPDIR, in no order.
files()
{
	find . "$TMPDIR" ! -type d -printf '%p %i %s %T@\n'
}

# same_files BEFORE WHAT: they are as `files' said before.
same_files()
{
	local now

	now=$(files)
	[[ $now != "$1" ]] || return 0
	diff <(sort <<<"$1") <(sort <<<"$now") >&2 && return
	printf 'files created or changed: %s\n' "$2" >&2
	return 1
}

# filter_contract TOOL ARG...: what every filter keeps; valid arguments, and
# valid input on our stdin.  It runs the tool a hundred times or more: take a
# small input.
#	CUT_SKIP=N	the last N bytes are not needed (a PEM file's newline)
#	CUT_EMPTY=1	nothing at all is written when the input is cut
filter_contract()
{
	local input=$BATS_TEST_TMPDIR/input

	cat >"$input"
	if [[ ! -s $input ]]; then
		echo 'filter_contract: no input' >&2
		return 1
	fi
	INPUT=$input output_contract "$@" || return
	contract 2 "$@" </dev/null || return
	contract 2 "$@" <. || return
	cut_contract "$input" "$@"
}

# output_contract TOOL ARG...: the part of it for tools that read no stdin.
output_contract()
{
	local input=${INPUT-/dev/null} status=0

	contract 2 "$1" -: <"$input" || return
	if ! grep -q "^usage: $1 " "$ERR"; then
		echo "no usage: $1 -:" >&2
		return 1
	fi
	run_tool 0 "$1" -V </dev/null || return
	says || return
	if [[ $(wc -l <"$OUT") != 1 || $(<"$OUT") != *[0-9]* ]]; then
		echo "no version: $1 -V" >&2
		return 1
	fi
	timeout -k 1 300 "$@" <"$input" >/dev/full 2>"$ERR" || status=$?
	complained 2 "$status" "$* >/dev/full" || return
	status=0
	timeout -k 1 300 "$@" <"$input" >&- 2>"$ERR" || status=$?
	complained 2 "$status" "$* >&-"
}

# complained PATTERN STATUS WHAT: the status is such, and the reason was given.
complained()
{
	# shellcheck disable=SC2053 # a pattern
	if [[ $2 != $1 || ! -s $ERR ]]; then
		printf 'exit %d, not %s, or no message: %s\n' "$2" "$1" "$3" >&2
		cat -v "$ERR" >&2
		return 1
	fi
	harmless "$3"
}

# contract STATUS COMMAND...: fails with it, a message, and no output.
contract()
{
	run_tool "$@" || return
	complained "$1" "$1" "${*:2}" || return
	nothing_out "${*:2}"
}

# nothing_out WHAT: nothing in $OUT.
nothing_out()
{
	if [[ -s $OUT ]]; then
		echo "output in spite of failure: $1" >&2
		return 1
	fi
}

# cut_contract FILE TOOL ARG...: input that ends too early never passes, never
# crashes the tool, is spoken about, and lets out whole lines only.
cut_contract()
{
	# shellcheck disable=SC2046 # numbers
	/usr/bin/python3 "$root/tests/cut.py" "$1" "$OUT" "$ERR" $(cuts "$1") \
	    -- "${@:2}"
}

# cuts FILE: where to cut it: at every byte if it is short, else near both ends,
# in regular steps, and at and before the ends of its lines.
cuts()
{
	local size last

	size=$(stat -c %s "$1")
	last=$((size - 1 - ${CUT_SKIP-0}))
	if ((size <= 128)) || [[ ${KMS2CA_CUTS-} == all ]]; then
		seq 1 "$last"
		return
	fi
	{
		seq 1 16
		seq $((last - 15)) "$last"
		seq 1 $((size / 32 + 1)) "$last"
		awk -v "lines=$(wc -l <"$1")" '
		BEGIN { step = int(lines / 16) + 1 }
		{ n += length($0) + 1 }
		NR % step == 0 { print n - 1; print n }' "$1"
	} | awk -v "last=$last" '$1 <= last' | sort -nu
}

# need_writes: skip where make cover counts: a tool that cannot write, or is
# killed while it does, would leave half of the counters, and they would be lost.
need_writes()
{
	[[ -z ${KMS2CA_COVER-} ]] || skip 'the counters of make cover are files too'
}
