#!/usr/bin/env bash
#
# importers.bash: rows a second into an SQLite file and into PostgreSQL, on this
# machine, by 1, 2 and 4 importers at once, each with a part of one stream; what
# a row takes on the disk; `make bench' calls it.
#
#	KMS2CA_BIN	directory of the tools, if not build/bin
#	BENCH_ROWS	rows, if not 20000

set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/../.." && pwd)
bin=${KMS2CA_BIN:-$root/build/bin}
rows=${BENCH_ROWS:-20000}
PATH=$bin:$PATH
# shellcheck source=tests/pg.bash
source "$root/tests/pg.bash"
scratch=$(mktemp -d)
PG=$scratch/pg
# the server's user must get to its files
chmod 711 "$scratch"
mkdir "$PG"
trap '[[ ! -e $PG/data ]] || pg_stop "$PG" immediate; rm -rf "$scratch"' EXIT
cd "$scratch"

# agent N: a recovery agent, to be forced into the archive.
agent()
{
	openssl req -x509 -newkey rsa:2048 -noenc -days 99 -subj "/CN=agent $1" \
	    -keyout /dev/null 2>/dev/null
}

# fresh DB
fresh()
{
	ca-init -fq -d "$1" <agents >/dev/null 2>&1
	ca-setflag -q -d "$1" KRAFlags +KRAF_ENABLEFOREIGN >/dev/null 2>&1
}

# import DB N: all parts, by N importers.  Prints rows a second.
import()
{
	local TIMEFORMAT=%R s n pids=()

	s=$({ time {
		for ((n = 0; n < $2; n++)); do
			ca-import -Pfq -j 1 -d "$1" -k m.both <"part.$2.$n" \
			    >"log.$n" 2>"err.$n" &
			pids+=($!)
		done
		for n in "${pids[@]}"; do
			wait "$n"
		done
	}; } 2>&1) || s=
	if [[ -z $s || $(cat log.[0-9]* | grep -c $'\tstatus:imported\t') != "$rows" ]]
	then
		tail -qn 2 err.* >&2
		return 1
	fi
	rm log.* err.*
	awk "BEGIN { printf \"%.0f\\n\", $rows / $s }"
}

row()
{
	printf '%-44s %10s %-8s %8s  %s\n' "$1" "$2" "$3" "${4-}" "${5-}"
}

umask 077
openssl req -x509 -newkey rsa:2048 -noenc -days 99 -subj /CN=machine \
    -set_serial 0x1011121314151617 -keyout m.key -out m.pem 2>/dev/null
cat m.pem m.key >m.both
{ agent 1; agent 2; } >agents
"${bin%/bin}/bench/many" "$rows" m.both m.pem >many.kms
for n in 1 2 4; do
	head -n 1 many.kms | tee "part.$n."{0..3} >/dev/null
	tail -n +2 many.kms | grep -v ^rec:end |
	    awk -v "n=$n" '{ print >>("part." n "." NR % n) }'
done

printf '\n%s rows, two agents, importers with -j 1; SQLite %s' "$rows" \
    "$(sqlite3 --version | cut -d ' ' -f 1)"
if [[ -n $pg_bin ]]; then
	pg_start "$PG" -c max_wal_size=4GB
	printf ', PostgreSQL %s' "$("$pg_bin/postgres" --version |
	    awk '{ print $3 }')"
fi
printf '\n\n'
row what measured '' ratio
for n in 1 2 4; do
	rm -f ca.db
	fresh ca.db
	s=$(import ca.db "$n")
	[[ $n != 1 ]] || one=$s
	row "SQLite: importers: $n" "$s" rows/s \
	    "$(awk "BEGIN { printf \"%.2f\", $s / $one }")"
done
row 'SQLite: on the disk' $(($(stat -c %s ca.db) / rows)) bytes/row
[[ -n $pg_bin ]] || exit 0
for n in 1 2 4; do
	URL="postgresql://owner@/b$n?host=$PG"
	ask=(psql -X -q -A -t -d "$URL" -c)
	psql -X -q -h "$PG" -U owner postgres -c "create database b$n"
	fresh "$URL"
	lsn=$("${ask[@]}" 'select pg_current_wal_lsn()')
	s=$(import "$URL" "$n")
	row "PostgreSQL: importers: $n" "$s" rows/s \
	    "$(awk "BEGIN { printf \"%.2f\", $s / $one }")"
done
row 'PostgreSQL: on the disk' "$("${ask[@]}" "select
    (pg_total_relation_size('kms2ca.request') +
    pg_total_relation_size('kms2ca.certificate')) / $rows")" bytes/row
row 'PostgreSQL: WAL' "$("${ask[@]}" "select
    (pg_current_wal_lsn() - '$lsn')::bigint / $rows")" bytes/row
