# shellcheck shell=bash
#
# A PostgreSQL server for tests, after common.bash: `load pg'.  One for the whole
# suite, started by the first test that asks for it, in a directory of its own,
# with a Unix socket only; it ends with the suite, also when that is killed.
# Each test has databases of its own in it.

pg_bin=$(pg_config --bindir 2>/dev/null)
[[ -x $pg_bin/initdb ]] || pg_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null |
    sort -V | tail -n 1)

need_pg()
{
	[[ -x $pg_bin/initdb ]] || skip 'no PostgreSQL server'
	ldconfig -p | grep -q 'libpq\.so\.5' || skip 'no libpq'
}

# pg_as COMMAND...: as somebody whom the server accepts: root is not.
pg_as()
{
	if (($(id -u) == 0)); then
		setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
	else
		"$@"
	fi
}

# pg_start DIR [OPTION]...: start the server of DIR, which is made if it is not
# there, and wait until it answers.
pg_start()
{
	local dir=$1

	shift
	if [[ ! -e $dir/data ]]; then
		mkdir -p "$dir" && chmod 700 "$dir" &&
		{ (($(id -u) != 0)) || chown postgres:postgres "$dir"; } &&
		(cd / && pg_as "$pg_bin/initdb" -N -A trust -U root -E UTF8 \
		    --locale=C.UTF-8 -D "$dir/data") >/dev/null || return
	fi
	(cd / && pg_as "$pg_bin/pg_ctl" start -w -s -D "$dir/data" \
	    -l "$dir/log" -o "-k $dir -h '' -c shared_buffers=32MB $*" 3>&-)
}

# pg_stop DIR [MODE]
pg_stop()
{
	(cd / && pg_as "$pg_bin/pg_ctl" stop -w -s -m "${2-immediate}" \
	    -D "$1/data")
}
