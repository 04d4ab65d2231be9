#!/usr/bin/env bash
#
# bench.bash: how fast the tools are, as ratios to what else does the job and to
# what OpenSSL and SQLite need at least; `make bench' calls it.  Times are the
# least of three runs.  The data is that of ../shared/peers/gen.sh: RSA-2048, two
# recovery agents.
#
#	KMS2CA_BIN	directory of the tools, if not build/bin
#	BENCH_KEYS	keys, if not 3000
#	BENCH_LONG	keys of the stream that -j is measured with, if not 40000
#	BENCH_MANY	records of the one that memory is measured with, if not 200000
#	BENCH_DATA	where the data is, or is made, if not below build/bench: to
#			make RSA keys takes longer than all the rest
#
# shellcheck disable=SC2016 # awk

set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/../.." && pwd)
bin=${KMS2CA_BIN:-$root/build/bin}
peers=${KMS2CA_SHARED:-$root/../shared}/peers
keys=${BENCH_KEYS:-3000}
long=${BENCH_LONG:-40000}
many=${BENCH_MANY:-200000}
PATH=$bin:$PATH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

if [[ ! -e $peers/gen.sh ]]; then
	echo "bench: no $peers: nothing to compare with, left out"
	exit 0
fi

# least WHAT COMMAND...: the least of three runs, in seconds: WHAT is %R, what
# the clock says, or %U+%S, what the processors spent.
least()
{
	local TIMEFORMAT=${1/+/ + } best='' s

	shift
	for _ in 1 2 3; do
		s=$({ time "$@" >out 2>err; } 2>&1) || {
			tail -n 3 err >&2
			return 1
		}
		s=$(calc "$s")
		best=$(printf '%s\n' "$s" ${best:+"$best"} | sort -g | head -n 1)
	done
	echo "$best"
}

calc()
{
	awk "BEGIN { printf \"%.6g\\n\", $* }"
}

# row WHAT VALUE UNIT [RATIO TARGET]
row()
{
	printf '%-44s %10s %-8s %8s  %s\n' "$1" "$2" "$3" "${4-}" "${5-}"
}

# Data -----------------------------------------------------------------------

# its certificates last for a year
data=${BENCH_DATA:-${bin%/bin}/bench/data.$keys.$(date +%Y)}
if [[ ! -e $data ]]; then
	mkdir -p "$data.part"
	sh "$peers/gen.sh" "$data.part" "$keys"
	mv "$data.part" "$data"
fi
umask 077
echo 'Migrate!2003' >pw
{ seq -f 'wrong %.0f' 1000; cat pw; } >list
# a serial number that many.c knows
openssl req -x509 -newkey rsa:2048 -noenc -days 99 -subj /CN=machine \
    -set_serial 0x1011121314151617 -keyout m.key -out m.pem 2>/dev/null
cat m.pem m.key >m.both
for kind in legacy modern; do
	(cd "$data" && find "$kind" -name '*.p12' | sort | head -n "$keys") >names
	tar -cf "$kind.tar" -C "$data" -T names
done
# as in a migration: the certificates are those of another CA
cat "$data"/kra[12].crt | ca-init -fq -c m.pem -d empty.db >/dev/null 2>&1
ca-setflag -q -d empty.db KRAFlags +KRAF_ENABLEFOREIGN >/dev/null 2>&1
cat "$data"/kra[12].crt | ca-init -fq -d foreign.db >/dev/null 2>&1
ca-setflag -q -d foreign.db KRAFlags +KRAF_ENABLEFOREIGN >/dev/null 2>&1

# Jobs -----------------------------------------------------------------------

export_one()
{
	kms-export -q -j "$1" -c m.both -p file:pw <"$2.tar" >"$2.kms"
}

# try_one KIND LIST
try_one()
{
	kms-export -q -j 1 -c m.both -p "list:$2" <"$data/$1/000001.p12"
}

# import ARCHIVE [OPTION...]: of the stream on standard input, into a copy of it.
import()
{
	rm -f ca.db*
	cp "$1" ca.db
	ca-import -fq "${@:2}" -d ca.db -k m.both >import.log
}

import_one()
{
	import foreign.db -j "$1" <long.kms
}

verify_one()
{
	kms-verify -q -j "$1" -k m.both <long.kms >/dev/null
}

# verify_and_import JOBS STREAM ARCHIVE
verify_and_import()
{
	kms-verify -q -j "$1" -k m.both <"$2" | import "$3" -j "$1"
}
export -f import verify_and_import

# The same on one processor, as the floor is measured.
on_one()
{
	taskset -c 0 bash -c 'verify_and_import 1 "$@"' - "$@"
}

# floor WHAT ARGUMENT...: the least of three, in microseconds of CPU a key.
floor()
{
	for _ in 1 2 3; do
		[[ ! -e one.db ]] || cp one.db two.db
		"${bin%/bin}/bench/floor" "$@"
	done | sort -g | head -n 1
}

whole()
{
	kms-export -q -c m.both -p file:pw <"$1.tar" |
	    kms-verify -q -k m.both | import empty.db
}

java()
{
	command java -cp "$scratch:$jars" JArch "$1" "$data" "$keys"
}

start()
{
	local n

	for n in {1..50}; do
		"$1" -V
	done
}

# Table ----------------------------------------------------------------------

printf '%s, %s processors, %s keys; OpenSSL %s\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
    "$(nproc)" "$keys" "$(openssl version | cut -d ' ' -f 2)"
printf 'flags: %s; %s\n\n' "$(sed -n 's/^flags[^:]*: //p' /proc/cpuinfo |
    head -n 1 | tr ' ' '\n' | grep -x 'sha_ni\|avx2\|avx512f' | xargs)" \
    "$("${bin%/bin}/bench/lanes")"
row what measured '' ratio 'target'

# in-process Java, where it and Bouncy Castle are there
jars=/usr/share/java/bcprov.jar:/usr/share/java/bcpkix.jar
jars+=:/usr/share/java/bcutil.jar
javac -d "$scratch" -cp "$jars" "$peers/JArch.java" >/dev/null 2>&1 || jars=

for kind in legacy modern; do
	s=$(least %R whole "$kind")
	[[ $(grep -c $'\tstatus:imported\t' import.log) == "$keys" ]]
	some=$((keys < 200 ? keys : 200))
	shell=$(least %R sh "$peers/a_shell_p2.sh" "$kind" "$data" "$some" \
	    "$scratch/shell")
	row "$kind: export | verify | import" "$(calc "$keys / $s")" keys/s
	row "$kind: shell loop, openssl and sqlite3" \
	    "$(calc "$some / $shell")" keys/s \
	    "$(calc "$shell / $some * $keys / $s")" '60 or more (legacy)'
	if [[ -n $jars ]]; then
		java=$(least %R java "$kind")
		row "$kind: one Java process, no archive" \
		    "$(calc "$keys / $java")" keys/s \
		    "$(calc "$java / $s")" '4 or more (legacy)'
	fi
	open=$(floor open "$data" "$kind" "$keys")
	one=$(least %U+%S export_one 1 "$kind")
	us=$(calc "$one / $keys * 1e6")
	row "$kind: kms-export -j 1, CPU" "$us" us/key \
	    "$(calc "$us / $open")" "0.8 of $open us in OpenSSL (legacy)"
	try=$(floor try "$data" "$kind" 1000)
	few=$(least %U+%S try_one "$kind" pw)
	one=$(least %U+%S try_one "$kind" list)
	us=$(calc "($one - $few) / 1000 * 1e6")
	row "$kind: 1,000 passwords for one file, CPU" "$us" us/try \
	    "$(calc "$us / $try")" "of $try us in OpenSSL"
	one=$(least %R export_one 1 "$kind")
	two=$(least %R export_one 2 "$kind")
	row "$kind: kms-export -j 2 to -j 1" "$(calc "$keys / $two")" keys/s \
	    "$(calc "$one / $two")" '1.7 or more on two cores'
done

# and a stream so long that the start of two tools does not count, into an archive
# without a CA: certificates of another CA are not verified
"${bin%/bin}/bench/many" "$long" m.both m.pem >long.kms
"${bin%/bin}/bench/many" 1 m.both m.pem | import foreign.db 2>/dev/null
cp ca.db one.db
for stream in "$keys legacy.kms empty.db" "$long long.kms foreign.db"; do
	read -r n stream archive <<<"$stream"
	store=$(floor store "$data" "$n")
	own=$(floor store "$data" "$n" two.db)
	s=$(least %U+%S on_one "$stream" "$archive")
	us=$(calc "$s / $n * 1e6")
	row "verify -k | import of $n keys, CPU" "$us" us/key \
	    "$(calc "$us / $store")" "1.5 of $store us for RSA, AES and SQLite"
	row '' '' '' "$(calc "$us / $own")" \
	    "of $own us where SQLite has the tables of an archive"
	row '  by the clock, on one processor' \
	    "$(calc "$n / $(least %R on_one "$stream" "$archive")")" keys/s
	row '  and on all' "$(calc "$n / $(least %R verify_and_import "$(nproc)" \
	    "$stream" "$archive")")" keys/s
done
for job in verify_one import_one; do
	one=$(least %R "$job" 1)
	two=$(least %R "$job" 2)
	row "$job, -j 2 to -j 1" "$(calc "$long / $two")" keys/s \
	    "$(calc "$one / $two")" '1.7 or more on two cores'
done

"${bin%/bin}/bench/many" "$many" m.both m.pem >many.kms
s=$(least %R sh -c 'cat <many.kms | cat >/dev/null')
v=$(least %R sh -c 'cat <many.kms | kms-verify -q -C m.pem >/dev/null')
row 'kms-verify -C' "$(calc "$many / $v")" rec/s "$(calc "$v / $s")" \
    '10 times cat, or less'
for n in 10000 "$many"; do
	"${bin%/bin}/bench/many" "$n" m.both m.pem >many.kms
	for tool in 'kms-verify -q -k m.both' 'kms-verify -q -C m.pem' \
	    'ca-import -fnq -d empty.db -k m.both'; do
		# shellcheck disable=SC2086 # words
		command time -f %M -o kib $tool <many.kms >/dev/null 2>&1
		row "$tool, $n records" "$(calc "$(<kib) / 1024")" MiB '' \
		    'below 64'
	done
done
for tool in kms-export kms-verify ca-import p12-extract; do
	row "start of $tool" "$(calc "$(least %R start "$tool") / 50 * 1e3")" \
	    ms '' 'below 6'
done
