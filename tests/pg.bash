# shellcheck shell=bash
#
# A PostgreSQL server for tests, after common.bash: `load pg'.  There is one for
# the whole suite, which the first test that asks for it starts, in a directory
# of its own and with a Unix socket only.  It ends with the suite, also when that
# is killed.  Each test has a database of its own in it.

# The servers here run without fsync, which the tools refuse.
export PGOPTIONS='-c kms2ca.unsafe=on'

pg_bin=$(find /usr/lib/postgresql/*/bin -name initdb 2>/dev/null | sort -V |
    tail -n 1)
pg_bin=${pg_bin%/initdb}

need_pg()
{
	[[ -n $pg_bin ]] || skip 'no PostgreSQL server'
	pkg-config --exists libpq || skip 'no libpq'
}

# pg_as COMMAND...: as somebody whom the server accepts: root is not.
pg_as()
{
	if (($(id -u) == 0)); then
		set -- setpriv --reuid=postgres --regid=postgres --clear-groups \
		    -- "$@"
	fi
	# bats waits for whoever holds its descriptor 3
	(cd / && exec "$@" 3>&-)
}

# pg_start DIR [OPTION]...: start the server of DIR, which is made if it is not
# there, and wait until it answers.
pg_start()
{
	local dir=$1

	shift
	if [[ ! -e $dir/data ]]; then
		chmod 700 "$dir"
		if (($(id -u) == 0)); then
			chown postgres:postgres "$dir"
		fi
		pg_as "$pg_bin/initdb" -N -A trust -U owner -E UTF8 \
		    --locale=C.UTF-8 -D "$dir/data" >/dev/null || return
	fi
	pg_as "$pg_bin/pg_ctl" start -w -s -D "$dir/data" -l "$dir/log" \
	    -o "-k $dir -h '' -c shared_buffers=16MB $*"
}

# pg_stop DIR MODE
pg_stop()
{
	pg_as "$pg_bin/pg_ctl" stop -w -s -m "$2" -D "$1/data"
}

# pg_keep DIR: when the suite has ended, so does the server there.
pg_keep()
{
	# shellcheck disable=SC2016 # for that shell
	setsid bash -c 'source "$1"; tail --pid="$2" -f /dev/null
	    pg_stop "$3" immediate; rm -rf "$3"' keeper \
	    "$BATS_TEST_DIRNAME/pg.bash" "$SUITE_PID" "$1" \
	    </dev/null >/dev/null 2>&1 3>&- &
}

# pg_server: the directory of the server of the suite, in $PG; starts it once.
pg_server()
{
	need_pg
	exec {lock}>"$BATS_RUN_TMPDIR/pg.lock"
	flock "$lock"
	if [[ ! -s $BATS_RUN_TMPDIR/pg ]]; then
		PG=$(mktemp -d /tmp/kms2ca-pg.XXXXXX)
		pg_keep "$PG" {lock}>&-
		pg_start "$PG" -c fsync=off {lock}>&- || return
		echo "$PG" >"$BATS_RUN_TMPDIR/pg"
	fi
	exec {lock}>&-
	PG=$(<"$BATS_RUN_TMPDIR/pg")
}

# pg_new [NAME]: a new database; $URL is how the tools name it.
pg_new()
{
	pg_server || return
	DB=t$BATS_SUITE_TEST_NUMBER${1-}
	psql -X -q -h "$PG" -U owner -c "create database $DB" postgres || return
	URL=$(pg_url owner)
}

# pg_url ROLE: how that role names it.
pg_url()
{
	echo "postgresql://$1@/$DB?host=$PG"
}

# sql [SQL]: what the judge says, columns apart by a bar; of stdin if there is
# no SQL.
sql()
{
	psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$URL" \
	    -c 'set search_path = kms2ca' -f <(if (($#)); then echo "$1"; else cat; fi)
}
