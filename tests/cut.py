#!/usr/bin/python3
"""cut.py FILE OUT ERR AT... -- COMMAND...: what cut_contract of common.bash says
of the command, given the first AT bytes of FILE, for each AT; 1 where it does
not hold.  OUT and ERR are its output and its messages there.  With CUT_EMPTY it
must write nothing at all.
"""

import os
import re
import subprocess
import sys


def wrong(status, out, err):
    if status not in (1, 2):
        return 'exit %d, not 1 or 2' % status
    if not err:
        return 'no message'
    if re.search(rb'[\x00-\x08\x0b-\x1f\x7f]', err):
        return 'raw control characters in the messages'
    if out and os.environ.get('CUT_EMPTY'):
        return 'output in spite of failure'
    if out and not out.endswith(b'\n'):
        return 'half a line of output'
    return None


def read(name):
    with open(name, 'rb') as f:
        return f.read()


def main(path, out, err, *rest):
    split = rest.index('--')
    command, data, cut = rest[split + 1:], read(path), out + '.cut'
    for at in map(int, rest[:split]):
        with open(cut, 'wb') as f:
            f.write(data[:at])
        with open(cut) as i, open(out, 'wb') as o, open(err, 'wb') as e:
            status = subprocess.run(command, stdin=i, stdout=o, stderr=e,
                                    close_fds=False, timeout=300).returncode
        what = wrong(status, read(out), read(err))
        if what:
            sys.exit('%s: %s, cut at %d\n%r' % (what, ' '.join(command), at,
                                                read(err)))


main(*sys.argv[1:])
