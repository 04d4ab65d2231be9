#!/usr/bin/env bash
#
# ese.bash: how fast edb-extract reads a CA's database, against the second judge,
# eseread.py, and esedbexport of libesedb, if that is installed, which writes the
# same values as text; `make bench' calls it.  What the processors spent counts, in
# the best of three runs.
#
#	KMS2CA_BIN	directory of the tools, if not build/bin
#	BENCH_ROWS	rows with an archived key of 2 KB, if not 20000: mkese.py has
#			all of them in memory

set -euo pipefail
export LC_ALL=C TIMEFORMAT="%U + %S"

root=$(cd "$(dirname "$0")/../.." && pwd)
PATH=${KMS2CA_BIN:-$root/build/bin}:$PATH
shared=${KMS2CA_SHARED:-$root/../shared}
rows=${BENCH_ROWS:-20000}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

if [[ ! -e $shared/ese/mkese.py ]]; then
	echo "bench: no $shared/ese: nothing to read, left out"
	exit 0
fi

# A key of 2 KB to one agent, and its certificate.
openssl req -x509 -newkey rsa:2048 -noenc -days 99 -subj /CN=jane \
    -keyout key -out cert.pem 2>/dev/null
head -c 1600 key >content
openssl cms -encrypt -binary -outform DER -in content -out blob cert.pem
openssl x509 -in cert.pem -outform DER -out cert
awk -v rows="$rows" -v blob="$(base64 -w 0 blob)" -v cert="$(base64 -w 0 cert)" \
    -v sha1="$(sha1sum <cert | cut -c -40)" 'BEGIN {
	for (i = 1; i <= rows; i++)
		print "RequestID:" i "\tRequest.RawArchivedKey:" blob \
		    "\tRequest.Disposition:20\tRawCertificate:" cert \
		    "\tCertificateHash:" sha1
}' | /usr/bin/python3 "$shared/ese/mkese.py" -C CA.edb
mb=$(($(stat -c %s CA.edb) / 1000000))

# rate NAME RUNS COMMAND...: rows and MB a second, and the seconds, in $best.
rate()
{
	local name=$1 runs=$2 s

	shift 2
	best=
	for ((; runs > 0; runs--)); do
		s=$(awk "BEGIN { print $({ time "$@" >out 2>err; } 2>&1) }")
		best=$(printf '%s\n' "$s" ${best:+"$best"} | sort -g | head -n 1)
	done
	awk -v "name=$name" -v "s=$best" -v "rows=$rows" -v "mb=$mb" 'BEGIN {
		printf "ese, %-14s %8.0f rows/s %6.0f MB/s\n", name, rows / s, mb / s }'
}

# ratio NAME SECONDS: how often as fast edb-extract is.
ratio()
{
	awk -v "name=$1" -v "a=$2" -v "b=$ours" 'BEGIN {
		printf "ese, edb-extract is %.0f times as fast as %s\n", a / b, name }'
}

# its values, all of them, written out as ese_values.py does
export KMS2CA_SHARED=$shared
extract()
{
	edb-extract -q <CA.edb
}

rate edb-extract 3 extract
ours=$best
[[ $(grep -c ^rec:archived out) == "$rows" ]]
rate eseread.py 1 /usr/bin/python3 "$root/tests/ese_values.py" CA.edb
ratio eseread.py "$best"
if command -v esedbexport >/dev/null; then
	export_all()
	{
		rm -rf all.export
		esedbexport -t all CA.edb
	}
	rate esedbexport 1 export_all
	ratio esedbexport "$best"
else
	echo 'ese, esedbexport: not installed (libesedb-utils)'
fi
