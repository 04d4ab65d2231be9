#!/usr/bin/python3
"""p12forms.py: PKCS#12 that openssl would not write, from RFC 7292 and 8018;
the derivation of appendix B is written out here, PBKDF2 is hashlib's.

    p12forms.py NAME=VALUE...       one key and its certificate, on stdout
    p12forms.py p8 NAME=VALUE...    EncryptedPrivateKeyInfo of the key, DER
    p12forms.py dek NAME=VALUE...   the key, of SEC 1, in PEM under DEK-Info
    p12forms.py each                the first for each line of stdin: a file, then
                                    NAME=VALUE, all apart by a TAB
    p12forms.py many N              N keys and certificates in the clear, no MAC
    p12forms.py flips FILE FROM [TO]    a copy of it for each byte from there on
                                    (or before TO), with one bit of it changed

    key=FILE cert=FILE              PKCS#8 and X.509, DER
    pass=TEXT form=FORM             what encrypts the key
    pbe=pbes2|3des|none iter=N      and how
    unlucky=TEXT                    a wrong password that gives good padding, to
                                    what pass and certpass encrypt
    beside=HEX                      one more key, of 3des, whose number of rounds
                                    is this INTEGER, and which does not open
    certpass=TEXT                   encrypts the certificate, like the key
    mac=HASH|pbmac1|junk|none macpass=TEXT macform=FORM maciter=N
    macoid=HEX                      another algorithm's OBJECT IDENTIFIER
    keylen=N|none                   of PBMAC1
    hide=kind|part|safe             the key in a bag of an unknown kind, or behind
                                    the end of a SafeContents or AuthenticatedSafe

FORM is how the password becomes bytes:
    bmp      UTF-16BE and a terminator, as RFC 7292 appendix B.1 says
    bmpn     UTF-16BE without a terminator
    null     nothing at all
    utf8     UTF-8, as RFC 8018 section 3 says
    latin1   ISO 8859-1
    twice    each byte of UTF-8 as a character of UTF-16BE, and a terminator
"""

import base64
import datetime
import hashlib
import hmac
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SHA = {  # block size, AlgorithmIdentifier of the hash, OID of its HMAC
    'sha1': (64, '300906052b0e03021a0500', '06082a864886f70d0207'),
    'sha256': (64, '300d06096086480165030402010500', '06082a864886f70d0209'),
    'sha512': (128, '300d06096086480165030402030500', '06082a864886f70d020b'),
}
ENCRYPT, IV, MAC = 1, 2, 3


def encode(text, form):
    wide = text.encode('utf-16-be')
    return {
        'bmp': lambda: wide + b'\0\0',
        'bmpn': lambda: wide,
        'null': lambda: b'',
        'utf8': text.encode,
        'latin1': lambda: text.encode('latin-1'),
        'twice': lambda: text.encode().decode('latin-1').encode(
            'utf-16-be') + b'\0\0',
    }[form]()


def tlv(tag, *values):
    value = b''.join(values)
    n = len(value)
    size = bytes([n]) if n < 128 else None
    if size is None:
        raw = n.to_bytes((n.bit_length() + 7) // 8, 'big')
        size = bytes([0x80 | len(raw)]) + raw
    return bytes([tag]) + size + value


def number(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, 'big'))


def fill(data, v):
    """Copies of data, cut to a multiple of v bytes (appendix B.2, 2 and 3)."""
    n = v * ((len(data) + v - 1) // v)
    return (data * (n // len(data) + 1))[:n] if data else b''


def appendix_b(name, password, salt, purpose, rounds, n):
    v, md = SHA[name][0], getattr(hashlib, name)
    i = fill(salt, v) + fill(password, v)
    out = b''
    while len(out) < n:
        a = bytes([purpose]) * v + i
        for _ in range(rounds):
            a = md(a).digest()
        out += a
        b = int.from_bytes(fill(a, v), 'big') + 1
        i = b''.join(
            ((int.from_bytes(i[j:j + v], 'big') + b) % (1 << 8 * v)).to_bytes(
                v, 'big') for j in range(0, len(i), v))
    return out[:n]


def cbc(cipher, iv, data):
    pad = 16 - len(data) % 16 if len(iv) == 16 else 8 - len(data) % 8
    e = Cipher(cipher, modes.CBC(iv)).encryptor()
    return e.update(data + bytes([pad]) * pad) + e.finalize()


def pbkdf2_alg(salt, rounds, keylen, prf):
    return tlv(0x30, bytes.fromhex('06092a864886f70d01050c'), tlv(
        0x30, tlv(4, salt), number(rounds),
        number(int(keylen)) if keylen != 'none' else b'',
        tlv(0x30, bytes.fromhex(SHA[prf][2]), b'\5\0')))


def keyed(how, password, salt, iv, rounds):
    """Cipher and IV."""
    if how == '3des':
        return (algorithms.TripleDES(
            appendix_b('sha1', password, salt, ENCRYPT, rounds, 24)),
                appendix_b('sha1', password, salt, IV, rounds, 8))
    return algorithms.AES(
        hashlib.pbkdf2_hmac('sha256', password, salt, rounds, 32)), iv


def padded(cipher, iv, data):
    d = Cipher(cipher, modes.CBC(iv)).decryptor()
    clear = d.update(data) + d.finalize()
    return 0 < clear[-1] <= len(iv) and clear.endswith(clear[-1:] * clear[-1])


def encrypt(how, password, rounds, data, unlucky=None):
    """AlgorithmIdentifier and ciphertext."""
    while True:
        salt, iv = os.urandom(8), os.urandom(16)
        out = cbc(*keyed(how, password, salt, iv, rounds), data)
        if not unlucky or padded(*keyed(how, unlucky, salt, iv, rounds), out):
            break
    if how == '3des':
        return (tlv(0x30, bytes.fromhex('060a2a864886f70d010c0103'), tlv(
            0x30, tlv(4, salt), number(rounds))), out)
    return (tlv(0x30, bytes.fromhex('06092a864886f70d01050d'), tlv(
        0x30, pbkdf2_alg(salt, rounds, 'none', 'sha256'), tlv(
            0x30, bytes.fromhex('060960864801650304012a'), tlv(4, iv)))), out)


def bag(kind, value):
    return tlv(0x30, bytes.fromhex('060b2a864886f70d010c0a01') + kind,
               tlv(0xa0, value))


def cert_bag(der):
    return bag(b'\3', tlv(0x30, bytes.fromhex('060a2a864886f70d01091601'),
                          tlv(0xa0, tlv(4, der))))


DATA = bytes.fromhex('06092a864886f70d010701')


def part(*bags, behind=b''):
    return tlv(0x30, DATA, tlv(0xa0, tlv(4, tlv(0x30, *bags), behind)))


def encrypted_part(how, password, rounds, unlucky, *bags):
    alg, data = encrypt(how, password, rounds, tlv(0x30, *bags), unlucky)
    return tlv(0x30, bytes.fromhex('06092a864886f70d010706'), tlv(
        0xa0, tlv(0x30, number(0), tlv(0x30, DATA, alg, tlv(0x80, data)))))


def mac_data(o, content):
    kind, rounds, salt = o['mac'], int(o['maciter']), os.urandom(8)
    password = encode(o['macpass'], o['macform'])
    if kind == 'none':
        return b''
    if kind == 'junk':
        return tlv(0x30, number(1))
    if kind == 'pbmac1':
        n = 32 if o['keylen'] == 'none' else int(o['keylen'])
        key = hashlib.pbkdf2_hmac('sha512', password, salt, rounds, n)
        name = 'sha256'
        alg = tlv(0x30, bytes.fromhex('06092a864886f70d01050e'), tlv(
            0x30, pbkdf2_alg(salt, rounds, o['keylen'], 'sha512'),
            tlv(0x30, bytes.fromhex(SHA[name][2]), b'\5\0')))
    else:
        name = kind
        key = appendix_b(name, password, salt, MAC, rounds,
                         hashlib.new(name).digest_size)
        alg = bytes.fromhex(SHA[name][1])
    if o['macoid']:
        alg = tlv(0x30, bytes.fromhex(o['macoid']))
    digest = hmac.new(key, content, name).digest()
    return tlv(0x30, tlv(0x30, alg, tlv(4, digest)), tlv(4, salt),
               number(rounds))


def pfx(safe, mac=b''):
    return tlv(0x30, number(3), tlv(0x30, DATA, tlv(0xa0, tlv(4, safe))), mac)


def read(name):
    with open(name, 'rb') as f:
        return f.read()


def unlucky(o):
    return encode(o['unlucky'], o['form']) if o['unlucky'] else None


def p8(o):
    alg, data = encrypt(o['pbe'], encode(o['pass'], o['form']), int(o['iter']),
                        read(o['key']), unlucky(o))
    return tlv(0x30, alg, tlv(4, data))


def dek(o):
    """RFC 1421 section 4.6.1.3; OpenSSL's key is MD5 of password and IV."""
    def key(word):
        return algorithms.AES(hashlib.md5(word + iv[:8]).digest()), iv

    while True:
        iv = os.urandom(16)
        out = cbc(*key(encode(o['pass'], o['form'])), read(o['key']))
        if not o['unlucky'] or padded(*key(unlucky(o)), out):
            break
    text = base64.b64encode(out).decode()
    return '\n'.join((
        '-----BEGIN EC PRIVATE KEY-----', 'Proc-Type: 4,ENCRYPTED',
        'DEK-Info: AES-128-CBC,' + iv.hex().upper(), '',
        *(text[i:i + 64] for i in range(0, len(text), 64)),
        '-----END EC PRIVATE KEY-----', '')).encode()


def one(o):
    key, cert = read(o['key']), cert_bag(read(o['cert']))
    rounds = int(o['iter'])
    key = bag(b'\1', key) if o['pbe'] == 'none' else bag(b'\2', p8(o))
    if o['beside']:
        key += bag(b'\2', tlv(0x30, tlv(
            0x30, bytes.fromhex('060a2a864886f70d010c0103'), tlv(
                0x30, tlv(4, bytes(8)), tlv(2, bytes.fromhex(o['beside'])))),
            tlv(4, bytes(64))))
    if o['certpass']:
        cert = encrypted_part(o['pbe'], encode(o['certpass'], o['form']),
                              rounds, unlucky(o), cert)
    else:
        cert = part(cert)
    if o['hide'] == 'kind':
        key = key.replace(b'\x0c\x0a\x01\x02\xa0', b'\x0c\x0a\x01\x22\xa0')
    if o['hide'] == 'part':
        safe = tlv(0x30, part(behind=tlv(0x30, key)), cert)
    elif o['hide'] == 'safe':
        safe = tlv(0x30, cert) + tlv(0x30, part(key))
    else:
        safe = tlv(0x30, part(key), cert)
    return pfx(safe, mac_data(o, safe))


def many(n):
    bags = []
    for i in range(n):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(
            x509.NameOID.COMMON_NAME, 'user%d' % i)])
        cert = x509.CertificateBuilder(
            name, name, key.public_key(), i + 1,
            datetime.datetime(1999, 1, 1), datetime.datetime(2001, 1, 1)).sign(
                key, hashes.SHA256())
        bags += [bag(b'\1', key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())),
                 cert_bag(cert.public_bytes(serialization.Encoding.DER))]
    return pfx(tlv(0x30, part(*bags)))


def flips(path, start, end=None):
    with open(path, 'rb') as f:
        data = f.read()
    return b''.join(b'..' + data[:i] + bytes([data[i] ^ 1 << i % 8]) +
                    data[i + 1:] for i in range(start, end or len(data)))


def each():
    for line in sys.stdin:
        name, *args = line.rstrip('\n').split('\t')
        with open(name, 'wb') as f:
            f.write(one(options(args)))


def options(args):
    o = {'pass': 'secret', 'form': 'utf8', 'pbe': 'pbes2', 'iter': '1',
         'certpass': '', 'mac': 'sha256', 'macform': 'bmp', 'maciter': '1',
         'macoid': '', 'beside': '', 'hide': '', 'unlucky': '', 'keylen': '32',
         'key': 'a.p8', 'cert': 'a.der'}
    o.update(arg.split('=', 1) for arg in args)
    o.setdefault('macpass', o['pass'])
    return o


def main():
    if sys.argv[1] == 'each':
        return each()
    if sys.argv[1] == 'many':
        out = many(int(sys.argv[2]))
    elif sys.argv[1] == 'flips':
        out = flips(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        how = {'p8': p8, 'dek': dek}.get(sys.argv[1])
        out = how(options(sys.argv[2:])) if how else one(options(sys.argv[1:]))
    sys.stdout.buffer.write(out)


main()
