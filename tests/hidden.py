#!/usr/bin/python3
"""hidden.py CERT: a whole RSA key of its own, as PKCS#8 in base64, with modulus
and exponent of the certificate where those who do not put the pieces of a
constructed OCTET STRING together take them for its own."""

import base64
import math
import random
import sys

from cryptography import x509

SMALL = math.prod(range(3, 2000, 2))


def tlv(tag, *parts):
    data = b''.join(parts)
    n = len(data)
    return bytes([tag, n] if n < 128 else [tag, 0x82, n >> 8, n & 255]) + data


def number(v):
    return v.to_bytes(v.bit_length() // 8 + 1, 'big')


def prime_from(n):
    n |= 1
    while (n - 1) % 65537 == 0 or math.gcd(n, SMALL) > 1 or any(
            pow(a, n - 1, n) != 1 for a in (2, 3, 5, 7)):
        n += 2
    return n


with open(sys.argv[1], 'rb') as f:
    pub = x509.load_pem_x509_certificate(f.read()).public_key()
n, e = (number(v) for v in (pub.public_numbers().n, pub.public_numbers().e))
# a modulus that begins with both of them
half = 4 * len(n + e) + 80
p = prime_from(1 << half | random.Random(1).getrandbits(half))
q = prime_from((int.from_bytes(n + e, 'big') << half + 80) // p + 1)
d = pow(65537, -1, (p - 1) * (q - 1))
key = tlv(0x30, *(tlv(2, number(v)) for v in (
    0, p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))))
head, tail = key.split(n + e)
pieces = tlv(0x24, tlv(0x30, tlv(2, head), tlv(2, n), tlv(2, e), tlv(4, tail)))
print(base64.b64encode(tlv(0x30, tlv(2, b'\0'), bytes.fromhex(
    '300d06092a864886f70d0101010500'), pieces)).decode())
