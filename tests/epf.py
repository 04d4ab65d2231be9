#!/usr/bin/python3
"""epf.py: the second judge of profiles, written from epf-extract(1) alone.

    epf.py lock HASH COUNT CIPHER SALT PAD <DER     base64, one line
    epf.py all COUNT SALT <DER     a line for each variant: its name, base64
    epf.py cast     CAST5 under the vectors of RFC 2144 appendix B.1, in hex

HASH is sha1 or md5; PAD is pkcs7 or the hex of what follows the DER.  The password is the first
line of the file pw.
"""

import base64
import hashlib
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import (CAST5,
                                                                 TripleDES)
except ImportError:
    from cryptography.hazmat.primitives.ciphers.algorithms import (CAST5,
                                                                   TripleDES)

CIPHERS = {'cast-128': (CAST5, 16, 8), 'cast-80': (CAST5, 10, 8),
           'cast-64': (CAST5, 8, 8), 'cast-40': (CAST5, 5, 8),
           '3des': (TripleDES, 24, 8), 'aes-128': (AES, 16, 16),
           'aes-256': (AES, 32, 16)}


def stream(name, count, text):
    out = b''
    for k in range(3):
        start = text if k == 0 else text + bytes([k])
        digest = hashlib.new(name, start).digest()
        for _ in range(count - 1):
            digest = hashlib.new(name, digest).digest()
        out += digest
    return out


def lock(name, count, cipher, salt, pad, clear):
    with open('pw', 'rb') as f:
        word = f.readline().rstrip(b'\n')
    kind, size, block = CIPHERS[cipher]
    s = stream(name, count, word + salt.encode())
    fill = block - len(clear) % block
    clear += bytes([fill]) * fill if pad == 'pkcs7' else bytes.fromhex(pad)
    e = Cipher(kind(s[:size]), modes.CBC(s[size:size + block])).encryptor()
    return base64.b64encode(e.update(clear) + e.finalize()).decode()


def cast():
    key = bytes.fromhex('0123456712345678234567893456789a')
    for size in 16, 10, 5:
        e = Cipher(CAST5(key[:size]), modes.CBC(bytes(8))).encryptor()
        print((e.update(bytes.fromhex('0123456789abcdef'))).hex())


def main(what, *arg):
    if what == 'cast':
        return cast()
    clear = sys.stdin.buffer.read()
    if what == 'lock':
        name, count, cipher, salt, pad = arg
        return print(lock(name, int(count), cipher, salt, pad, clear))
    count, salt = int(arg[0]), arg[1]
    for name in 'sha1', 'md5':
        for cipher in CIPHERS:
            print('%s,%s' % (name, cipher),
                  lock(name, count, cipher, salt, 'pkcs7', clear))


main(*sys.argv[1:])
