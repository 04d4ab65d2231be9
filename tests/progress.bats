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

# on_terminal OUT ENOUGH COMMAND...: with stderr on a terminal of its own of
# WIDTH columns, whose output goes to log, and stdout to a file or a pipe; it is
# given records until log has ENOUGH, or 1.2 seconds are over.
on_terminal()
{
	WIDTH=${WIDTH-80} /usr/bin/python3 -W ignore - "$@" <<-'END'
	import os, pty, subprocess, sys, termios, time

	out, enough, command = sys.argv[1], sys.argv[2].encode(), sys.argv[3:]
	ours, theirs = pty.openpty()
	termios.tcsetwinsize(theirs, (24, int(os.environ['WIDTH'])))
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

# widest: how wide the widest line of progress in log is.
widest()
{
	tr '\r' '\n' <log | sed -n 's/\x1b\[K.*//; /records/p' |
	    wc -L
}

@test "a terminal: the line is not wider, and says less instead" {
	local width

	for width in 40 24; do
		WIDTH=$width on_terminal file '' kms-verify -r
		(($(widest) < width && $(widest) > 0)) || {
			cat -v log
			return 1
		}
	done
	WIDTH=40 on_terminal file '' kms-verify -r
	grep -a -qE $'\r''kms-verify: [0-9]+ records, [0-9]+ faults' log
	not grep -a -q ' a second' log
	WIDTH=10 on_terminal file '' kms-verify -r
	grep -a -q $'^\rkms-verif\e' log
	TERM=dumb on_terminal file '' kms-verify -r
	not grep -a -q $'\e' log
	grep -q ^kms-verify: log
}

# throttled ENOUGH: `first <input | last >out' on one terminal, with so little at
# a time from one to the other that it lasts; what both say is in log.
throttled()
{
	ln -sf "$(type -P kms-verify)" first
	ln -sf "$(type -P kms-verify)" last
	/usr/bin/python3 -W ignore - "$@" <<-'END'
	import os, pty, signal, subprocess, sys, time

	enough = sys.argv[1].encode()
	ours, theirs = pty.openpty()
	a = subprocess.Popen(['./first'], stdin=open('input', 'rb'),
	    stdout=subprocess.PIPE, stderr=theirs)
	b = subprocess.Popen(['./last', '-r', '-j4'], stdin=subprocess.PIPE,
	    stdout=open('out', 'wb'), stderr=theirs)
	os.close(theirs)
	os.set_blocking(ours, False)
	log, end = b'', time.monotonic() + 20
	while time.monotonic() < end and enough not in log:
	    b.stdin.write(os.read(a.stdout.fileno(), 1024))
	    b.stdin.flush()
	    time.sleep(0.01)
	    try:
	        log += os.read(ours, 65536)
	    except OSError:
	        pass
	if len(sys.argv) > 2:
	    for child in open('/proc/%d/task/%d/children' % (b.pid, b.pid)).read().split():
	        os.kill(int(child), signal.SIGUSR1)
	    os.kill(b.pid, signal.SIGUSR1)
	    while time.monotonic() < end and log.count(b'last: ') < 1:
	        try:
	            log += os.read(ours, 65536)
	        except OSError:
	            pass
	a.stdout.close()
	b.stdin.close()
	a.wait()
	b.wait()
	os.set_blocking(ours, True)
	try:
	    while True:
	        log += os.read(ours, 65536)
	except OSError:
	    pass
	open('log', 'wb').write(log)
	END
}

# many: an input that is longer than what fits between two tools.
many()
{
	seq -f $'rec:fault\tn:%.0f\tsource:x\treason:cut\tdetail:' 40000 >input
}

@test "a terminal: the tool with a file speaks for the pipeline, with the time left" {
	many
	throttled ' left'
	grep -a -qE $'\r''first: [0-9]+ records, .*, [0-9]+ (s|min|h) left' log
	not grep -a -q $'\rlast: ' log
	# and what the other says has a line of its own
	grep -a -qE $'\r\e''\[Klast: stdin:' log
}

@test "SIGUSR1 to a tool and its processes: one line, on its own" {
	many
	throttled ' left' usr1
	(($(tr '\r' '\n' <log | grep -c 'last: [0-9]* records, ') == 1))
	grep -a -q $'\r\e''\[Klast: [0-9]* records, ' log
}
