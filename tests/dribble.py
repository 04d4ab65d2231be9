#!/usr/bin/env python3
"""dribble.py COMMAND...: give it the lines of stdin, but the last a byte every
10 ms; print its first line, and of the last line what it had by then."""

import select
import subprocess
import sys

lines = sys.stdin.buffer.read().splitlines(True)
p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, bufsize=0,
                     stdout=subprocess.PIPE)
p.stdin.write(b''.join(lines[:-1]))
given = 0
while given < len(lines[-1]) - 1 and not select.select([p.stdout], [], [], .01)[0]:
    p.stdin.write(lines[-1][given:given + 1])
    given += 1
if select.select([p.stdout], [], [], 0)[0]:
    print(p.stdout.readline().decode().rstrip('\n'))
print(given, 'of', len(lines[-1]))
p.kill()
p.wait()
