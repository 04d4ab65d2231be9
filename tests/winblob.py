"""What a Windows CA may write, made without our tools: private key BLOBs, and
recovery blobs around archived keys, in each form that windows-ca.md leaves open.

winblob.py keys RSA EC256 EC384 EC521	key files; writes NAME.key for each BLOB
winblob.py bad RSA EC256		writes NAME.bad: BLOBs that are none
winblob.py wrap ENV CA CAKEY USER CERT...	writes NAME.rec around the
	EnvelopedData ENV, with these certificates, the first the user's
"""
import hashlib
import struct
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

DER = serialization.Encoding.DER


def write(name, data):
    with open(name, 'wb') as f:
        f.write(data)


def load_key(name):
    with open(name, 'rb') as f:
        return serialization.load_pem_private_key(f.read(), None)


def load_cert(name):
    with open(name, 'rb') as f:
        return x509.load_pem_x509_certificate(f.read())


# BLOBs: MS-WCCE 2.2.2.9, wincrypt.h, bcrypt.h

def big(v, n=0):
    return v.to_bytes(n or (v.bit_length() + 7) // 8, 'big')


def parts(key):
    k = key.private_numbers()
    pub = k.public_numbers
    return (pub.e, pub.n, k.p, k.q, k.dmp1, k.dmq1, k.iqmp, k.d)


def capi(key, alg=0xa400):
    e, n, p, q, dp, dq, qi, d = parts(key)
    whole, half = (n.bit_length() + 7) // 8, (n.bit_length() + 15) // 16
    return b'\x07\x02\0\0' + struct.pack('<I', alg) + b'RSA2' + \
        struct.pack('<II', n.bit_length(), e) + n.to_bytes(whole, 'little') + \
        b''.join(v.to_bytes(half, 'little') for v in (p, q, dp, dq, qi)) + \
        d.to_bytes(whole, 'little')


def cng_rsa(key, full, order='<', magic=None, sizes=None):
    e, n, p, q, dp, dq, qi, d = parts(key)
    size = [len(big(v)) for v in (e, n, p, q)]
    out = (magic or (b'RSA3' if full else b'RSA2')) + \
        struct.pack(order + '5I', n.bit_length(), *(sizes or size))
    out += b''.join(big(v) for v in (e, n, p, q))
    if full:
        out += big(dp, size[2]) + big(dq, size[3]) + big(qi, size[2]) + \
            big(d, size[1])
    return out


def cng_ec(key, kind=b'ECK', order='<', way='big', turn=False):
    k = key.private_numbers()
    pub = k.public_numbers
    size = (key.curve.key_size + 7) // 8
    magic = kind + {32: b'2', 48: b'4', 66: b'6'}[size]
    return (magic[::-1] if turn else magic) + struct.pack(order + 'I', size) + \
        b''.join(v.to_bytes(size, way) for v in (pub.x, pub.y, k.private_value))


def make_keys(rsa, *ec):
    rsa = load_key(rsa)
    write('capi-keyx.key', capi(rsa))
    write('capi-sign.key', capi(rsa, 0x2400))
    write('pkcs8.key', rsa.private_bytes(DER, serialization.PrivateFormat.PKCS8,
          serialization.NoEncryption()))
    for full in (False, True):
        name = 'rsa-full' if full else 'rsa-private'
        write(name + '.key', cng_rsa(rsa, full))
        write(name + '-be.key', cng_rsa(rsa, full, '>'))
        write(name + '-turned.key', cng_rsa(rsa, full, '>',
              b'3ASR' if full else b'2ASR'))
    for i, name in enumerate(ec):
        key = load_key(name)
        n = (256, 384, 521)[i]
        write('ec%d.key' % n, cng_ec(key))
        write('ec%d-dsa.key' % n, cng_ec(key, b'ECS'))
        write('ec%d-le.key' % n, cng_ec(key, way='little'))
        write('ec%d-turned.key' % n, cng_ec(key, order='>', turn=True))


def make_bad(rsa, ec):
    rsa, ec = load_key(rsa), load_key(ec)
    good, full, point = cng_rsa(rsa, False), cng_rsa(rsa, True), cng_ec(ec)
    size = struct.unpack('<4I', good[8:24])

    def flip(b, at):
        return b[:at] + bytes([b[at] ^ 4]) + b[at + 1:]

    def sized(*s):
        return cng_rsa(rsa, False, sizes=s)

    e, n, p, q = size
    bad = {
        'short': good[:-1], 'longer': good + b'\0', 'head': good[:24],
        'magic': good[:4], 'none': b'RSA9' + good[4:],
        'overflow': sized(2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1),
        'wrapped': sized(e, 2**32 - p - q, p, q),
        'no-prime': good[:24] + big(65537) + good[27:27 + n] + bytes(p + q),
        'one-prime': good[:24 + e + n] + big(1, p) + big(1, q),
        'no-exponent': good[:24] + bytes(e) + good[24 + e:],
        'even-exponent': good[:24] + big(65536, e) + good[24 + e:],
        'prime': flip(good, 24 + e + n + 5), 'modulus': flip(good, 24 + e + 5),
        'moved': sized(e, n - 1, p + 1, q), 'negative': b'RSA2' + b'\xff' * 40,
        'huge': b'RSA2' + struct.pack('<5I', 80000, 3, 10000, 5000, 5000) +
                b'\x7f' * 20003,
        'full-d': flip(full, len(full) - 9), 'full-dp': flip(full, len(good) + 9),
        'full-short': full[:-1], 'full-as-private': b'RSA2' + full[4:],
        'private-as-full': b'RSA3' + good[4:],
        'ec-point': flip(point, 20), 'ec-d': flip(point, 8 + 64 + 5),
        'ec-short': point[:-1], 'ec-longer': point + b'\0',
        'ec-size': point[:4] + struct.pack('<I', 48) + point[8:],
        'ec-zero': point[:8] + bytes(96), 'ec-public': b'ECK1' + point[4:],
        'ec-curve': b'ECK4' + point[4:], 'ec-ones': point[:8] + b'\xff' * 96,
        'capi-short': capi(rsa)[:-1], 'capi-head': capi(rsa)[:20],
        'empty-der': b'\x30\0', 'text': b'-----BEGIN PRIVATE KEY-----\n',
    }
    for name, data in bad.items():
        write(name + '.bad', data)


# SignedData: RFC 5652 and RFC 2315

def tlv(tag, *contents):
    data = b''.join(contents)
    n = len(data)
    if n < 128:
        return bytes([tag, n]) + data
    size = big(n)
    return bytes([tag, 0x80 | len(size)]) + size + data


def oid(text):
    out = []
    first, second, *rest = map(int, text.split('.'))
    for v in [40 * first + second] + rest:
        part = [v & 0x7f]
        while v > 0x7f:
            v >>= 7
            part.append(0x80 | v & 0x7f)
        out += reversed(part)
    return tlv(6, bytes(out))


def integer(v):
    return tlv(2, v.to_bytes(v.bit_length() // 8 + 1, 'big'))


PKCS7, PKCS9 = '1.2.840.113549.1.7.', '1.2.840.113549.1.9.'
NAME = '1.3.6.1.4.1.311.21.16'
SHA256 = tlv(0x30, oid('2.16.840.1.101.3.4.2.1'), tlv(5))


def attribute(name, *values):
    return tlv(0x30, oid(name), tlv(0x31, *values))


def signed(ca, key, certs, ctype, signed_bytes, content, names, version=1):
    """names: values of the attribute that names the certificate; None: no
    signed attributes at all."""
    md = hashlib.sha256(signed_bytes).digest()
    attrs, over = b'', signed_bytes
    if names is not None:
        attrs = b''.join(sorted(
            [attribute(PKCS9 + '3', oid(ctype)),
             attribute(PKCS9 + '4', tlv(4, md))] +
            ([attribute(NAME, *names)] if names else [])))
        over = tlv(0x31, attrs)
        attrs = tlv(0xa0, attrs)
    signature = key.sign(over, padding.PKCS1v15(), hashes.SHA256())
    signer = tlv(0x30, integer(1), tlv(0x30, ca.issuer.public_bytes(),
                 integer(ca.serial_number)), SHA256, attrs,
                 tlv(0x30, oid('1.2.840.113549.1.1.1'), tlv(5)),
                 tlv(4, signature))
    return tlv(0x30, oid(PKCS7 + '2'), tlv(0xa0, tlv(
        0x30, integer(version), tlv(0x31, SHA256),
        tlv(0x30, oid(ctype), tlv(0xa0, content)),
        tlv(0xa0, *certs), tlv(0x31, signer))))


def contents(der):
    """What is behind tag and length."""
    n = der[1]
    return der[2 + (n & 0x7f if n & 0x80 else 0):]


def make_recs(env, ca, cakey, *names):
    with open(env, 'rb') as f:
        info = f.read()
    # EnvelopedData itself, out of its ContentInfo
    bare = contents(contents(info)[11:])
    ca, key = load_cert(ca), load_key(cakey)
    certs = [load_cert(name).public_bytes(DER) for name in names]
    user = certs[0]
    sha1 = [tlv(4, hashlib.sha1(user).digest())]
    data, enveloped = PKCS7 + '1', PKCS7 + '3'

    def cms(ctype, content, name=sha1, version=3, bag=certs):
        return signed(ca, key, bag, ctype, content, tlv(4, content), name,
                      version)

    def old(content, name=sha1, ctype=enveloped, bag=certs):
        return signed(ca, key, bag, ctype, contents(content), content, name)

    good = {
        'cms': cms(enveloped, info), 'cms-data': cms(data, info, version=1),
        'cms-bare': cms(enveloped, bare), 'cms-unnamed': cms(enveloped, info, []),
        'cms-plain': cms(data, info, None, 1),
        'cms-sha256': cms(enveloped, info,
                          [tlv(4, hashlib.sha256(user).digest())]),
        'cms-cert': cms(enveloped, info, [user]),
        'cms-octets': cms(enveloped, info, [tlv(4, user)]),
        'cms-unknown': cms(enveloped, info, [tlv(12, b'jane')]),
        'old-bare': old(bare), 'old-info': old(info),
        'old-data': old(bare, ctype=data), 'old-unnamed': old(bare, []),
        'old-plain': old(bare, None), 'old-plain-info': old(info, None),
        'old-last': old(bare, bag=certs[1:] + certs[:1]),
    }
    other = [tlv(4, hashlib.sha1(certs[1]).digest())]
    altered = bare[:-9] + bytes([bare[-9] ^ 1]) + bare[-8:]
    bad = {
        'old-other': old(bare, other), 'cms-other': cms(enveloped, info, other),
        'old-nobody': old(bare, [tlv(4, bytes(20))]),
        'old-no-cert': old(bare, bag=certs[1:]),
        'old-altered': old(bare).replace(bare, altered),
        'old-retagged': old(bare).replace(bare, b'\x31' + bare[1:]),
        'old-empty': old(tlv(0x30)), 'old-nested': old(old(bare)),
        # the signature over tag and length, too
        'old-whole': signed(ca, key, certs, enveloped, bare, bare, sha1),
    }
    write('cms-alone.p7', cms(enveloped, info, bag=certs[:1]))
    for name, blob in good.items():
        write(name + '.rec', blob)
    for name, blob in bad.items():
        write(name + '.rec.bad', blob)


{'keys': make_keys, 'bad': make_bad, 'wrap': make_recs}[sys.argv[1]](
    *sys.argv[2:])
