#!/usr/bin/env bats
#
# How far a tool is: SIGUSR1, and the line on a terminal.

load common

setup()
{
	common_setup
	mkfifo in
	org_line >records
}

teardown()
{
	exec 9>&-
	wait
}

# org_line: the records that are read, a fault each, and no end.
org_line()
{
	local n

	for n in {1..40}; do
		printf 'rec:fault\tn:%d\tsource:x\treason:cut\tdetail:\n' "$n"
	done
}

@test "SIGUSR1: a line, and work goes on" {
	local pid

	kms-verify -q -r <in >"$OUT" 2>"$ERR" 3>&- &
	pid=$!
	exec 9>in
	cat records >&9
	# what it has read is out when it waits for more
	until (($(wc -l <"$OUT") == 40)); do
		kill -0 "$pid"
	done
	kill -USR1 "$pid"
	until [[ -s $ERR ]]; do
		kill -0 "$pid"
	done
	grep -qxE 'kms-verify: 40 records, 40 faults, [0-9]+ s(, [0-9]+ a second)?' \
	    "$ERR"
	printf 'rec:fault\tn:41\tsource:x\treason:cut\tdetail:\n' >&9
	printf 'rec:end\tn:41\tkeys:0\tcerts:0\tfaults:41\tsha256:%s\tsig:\n' \
	    "$({ cat records; printf 'rec:fault\tn:41\tsource:x\treason:cut\tdetail:\n'; } |
	    sha256sum | cut -d ' ' -f 1)" >&9
	exec 9>&-
	wait "$pid" || (($? == 1))
	[[ $(wc -l <"$OUT") == 42 ]]
}

# on_terminal OUT ENOUGH COMMAND...: with stderr on a terminal of its own, whose
# output goes to log, and stdout to a file or a pipe; it is given records until
# log has ENOUGH, or 1.2 seconds are over.
on_terminal()
{
	/usr/bin/python3 -W ignore - "$@" <<-'END'
	import os, pty, subprocess, sys, time

	out, enough, command = sys.argv[1], sys.argv[2].encode(), sys.argv[3:]
	ours, theirs = pty.openpty()
	sink = subprocess.PIPE if out == 'pipe' else open('out', 'wb')
	p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=sink,
	    stderr=theirs)
	os.close(theirs)
	os.set_blocking(ours, False)
	log, n = b'', 0
	end = time.monotonic() + (20 if enough else 1.2)
	while time.monotonic() < end and not (enough and enough in log):
	    n += 1
	    p.stdin.write(b'rec:fault\tn:%d\tsource:x\treason:cut\tdetail:\n' % n)
	    p.stdin.flush()
	    time.sleep(0.01)
	    if sink == subprocess.PIPE:
	        os.read(p.stdout.fileno(), 65536)
	    try:
	        log += os.read(ours, 65536)
	    except OSError:
	        pass
	p.stdin.close()
	if sink == subprocess.PIPE:
	    p.stdout.read()
	p.wait()
	os.set_blocking(ours, True)
	try:
	    while True:
	        log += os.read(ours, 65536)
	except OSError:
	    pass
	open('log', 'wb').write(log)
	END
}

@test "a terminal: the line comes by itself, is rewritten, and taken away" {
	local line=$'\r''kms-verify: [0-9]+ records, [0-9]+ faults, [0-9]+ s, [0-9]+ a second'$'\e''\[K'

	on_terminal file ' a second' kms-verify -r
	grep -a -qE "$line" log
	# and nothing of it stays beside the message that ends the run
	grep -a -qE $'\r\e''\[Kkms-verify: stdin:' log
}

@test "a terminal: of a pipeline the last tool, and each with -v" {
	on_terminal pipe '' kms-verify -r
	not grep -a -q ' records, ' log
	on_terminal pipe ' a second' kms-verify -r -v
	grep -a -q ' records, ' log
	on_terminal file '' kms-verify -r -q
	not grep -a -q ' records, ' log
}
