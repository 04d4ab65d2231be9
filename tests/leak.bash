# shellcheck shell=bash
#
# Looking into a tool that runs, for the bats files, after common.bash: `load
# leak'.  tests/leak.py says what is looked for.

# need_ptrace: skip the test where no core of a tool can be taken.
need_ptrace()
{
	local caps

	caps=$(awk '/^CapEff/ { print $2 }' /proc/self/status)
	((16#$caps >> 19 & 1)) || skip 'a core of a tool is for root alone'
	not sanitized || skip 'a sanitizer keeps copies of its own'
}

# sanitized: the tools are built with AddressSanitizer.
sanitized()
{
	grep -q -a __asan_init "$(command -v ca-init)"
}

# secrets_in FILE WHAT...: names those that stand there, one a line.
secrets_in()
{
	# shellcheck disable=SC2154 # from common.bash
	/usr/bin/python3 -W ignore "$root/tests/leak.py" "$@"
}

# none_in FILE WHAT...: fails if one of them does.
none_in()
{
	local found

	found=$(secrets_in "$@") || return
	if [[ -n $found ]]; then
		printf 'secrets, %s:\n%s\n' "$*" "$found" >&2
		return 1
	fi
}

# gone NAME WHAT...: none of them is in what cores() made.
gone()
{
	none_in "$1.all" "${@:2}"
}

# heap_only NAME WHAT KEY...: the password WHAT is needed still, and stands in
# memory that no core has, as it is; the keys are gone.
heap_only()
{
	local found

	found=$(secrets_in -x "$1.core" "$1.all" "${@:2}") || return
	if [[ $(cut -d ' ' -f 2- <<<"$found" | sort -u) != \
	    'password UTF-8, excluded' ]]; then
		printf 'secrets, %s:\n%s\n' "$*" "$found" >&2
		return 1
	fi
}

# hold INPUT COMMAND...: runs it, as $pid, until it waits for more input than
# that; output in $OUT, messages in $ERR.  let_go ends its input.
hold()
{
	local input=$1

	shift
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 7<>"$BATS_TEST_TMPDIR/in"
	"$@" <"$BATS_TEST_TMPDIR/in" >"$OUT" 2>"$ERR" 3>&- 7>&- &
	pid=$!
	cat "$input" >&7
	waits "$pid" 0
}

# hold_workers INPUT COMMAND...: the same of a command that two processes of -j,
# ${crew[@]}, work for.
hold_workers()
{
	local p

	hold "$@" || return
	read -r -a crew <"/proc/$pid/task/$pid/children" || :
	((${#crew[@]} == 2)) || return
	for p in "${crew[@]}"; do
		waits "$p" 0 || return
	done
}

# hold_export INPUT OPTION...: the same for kms-export, whose archive child,
# $child, reads, and gives it all that it found; ${crew[@]} are those of -j.
hold_export()
{
	local input=$1 p last=

	shift
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 7<>"$BATS_TEST_TMPDIR/in"
	kms-export -j 2 "$@" <"$BATS_TEST_TMPDIR/in" >"$OUT" 2>"$ERR" 3>&- \
	    7>&- &
	pid=$!
	crew=()
	while ((${#crew[@]} != 2)) && [[ -e /proc/$pid ]]; do
		# the last is there to start others
		read -r child "crew[0]" "crew[1]" last \
		    <"/proc/$pid/task/$pid/children" || :
		[[ -n $last ]] || crew=()
	done
	cat "$input" >&7
	waits "$child" 3 || return
	for p in "${crew[@]}"; do
		waits "$p" 0 || return
	done
	waits "$pid" poll
}

# let_go STATUS: it ends with that status.
let_go()
{
	local status=0

	exec 7>&-
	wait "$pid" || status=$?
	rm "$BATS_TEST_TMPDIR/in"
	if ((status != $1)); then
		printf 'exit %d, not %d\n' "$status" "$1" >&2
		cat -v "$ERR" >&2
		return 1
	fi
}

# fd_of PID r|w PATTERN: the number of its first descriptor above 2 that is
# open so and to such a file.
fd_of()
{
	local fd to mode

	for ((fd = 3; fd < 64; fd++)); do
		to=$(readlink "/proc/$1/fd/$fd") || continue
		mode=$(stat -c %A "/proc/$1/fd/$fd")
		# shellcheck disable=SC2053 # a pattern
		if [[ $to == $3 && $mode == *$2* ]]; then
			echo "$fd"
			return
		fi
	done
	echo "process $1 has no such descriptor: $3" >&2
	return 1
}

# cores PID NAME: NAME.core as gcore makes it, without what is marked so, and
# NAME.all with all there is.
cores()
{
	gdb -nx -batch -p "$1" -ex 'set auto-solib-add off' \
	    -ex "gcore $2.core" -ex 'set dump-excluded-mappings on' \
	    -ex "gcore $2.all" >"$2.gdb" 2>&1
	if [[ ! -s $2.core || ! -s $2.all ]]; then
		cat -v "$2.gdb" >&2
		return 1
	fi
}

# cores_at_end NAME INPUT COMMAND...: the same of a command that has written
# all and is about to exit.
cores_at_end()
{
	local name=$1 input=$2 tool=$3 args

	shift 3
	args=$(printf '%q ' "$@")
	gdb -nx -batch -ex 'set auto-solib-add off' \
	    -ex 'catch syscall exit_group' -ex "run $args <$input >$OUT 2>$ERR" \
	    -ex "gcore $name.core" -ex 'set dump-excluded-mappings on' \
	    -ex "gcore $name.all" -ex continue \
	    "$(command -v "$tool")" >"$name.gdb" 2>&1 3>&-
	if [[ ! -s $name.core || ! -s $name.all ]]; then
		cat -v "$name.gdb" "$ERR" >&2
		return 1
	fi
}
