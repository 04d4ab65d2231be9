#!/usr/bin/python3
"""sealer.py: the second judge of sealed streams, written from kms-record(5)
alone.  CMS is the openssl command, HKDF, GCM and X.509 python3-cryptography.

    sealer.py record TYPE N GROUP USER [CERT [KEY]]     one line, open
    sealer.py seal TO SIGNER KEY [-head ARG...] [-end ARG...]   open -> sealed
    sealer.py open TO KEY SIGNER                        sealed -> open
    sealer.py plain                                     open -> plain
    sealer.py dent KEY NUMBER|KEY...                    RSA key, damaged
    sealer.py flip FILE ALL COMMAND...                  what passes altered

An open stream is a sealed one with `open:', the sealed bytes in base64, in
place of `seal:', and empty values that `seal' fills in; values that are not
empty stay, also when they lie.  -head and -end take arguments for the two
`openssl cms -sign'.  `open' checks everything, the names and hashes of each
certificate too, and prints nothing of a stream that is wrong.
"""

import base64
import hashlib
import os
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519, x448
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

OAEP = ['-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha256',
        '-keyopt', 'rsa_mgf1_md:sha256']


def b64(data):
    return base64.b64encode(data).decode()


def openssl(*args, data=b''):
    p = subprocess.run(['openssl', *args], input=data, capture_output=True)
    if p.returncode != 0:
        sys.exit('openssl %s: %s' % (' '.join(args), p.stderr.decode()))
    return p.stdout


def load(path):
    with open(path, 'rb') as f:
        return x509.load_pem_x509_certificate(f.read())


def der(cert):
    return cert.public_bytes(serialization.Encoding.DER)


def use(cert):
    if isinstance(cert.public_key(),
                  (x25519.X25519PublicKey, x448.X448PublicKey)):
        return 'encrypt'
    try:
        ku = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return 'both'
    sign = (ku.digital_signature or ku.content_commitment or
            ku.key_cert_sign or ku.crl_sign)
    encrypt = ku.key_encipherment or ku.data_encipherment or ku.key_agreement
    return ('both' if sign == encrypt else 'sign' if sign else 'encrypt')


def describe(cert):
    """The fields that a certificate itself decides, serial to sha256."""
    pub = cert.public_key()
    serial = '%x' % cert.serial_number
    spki = pub.public_bytes(serialization.Encoding.DER,
                            serialization.PublicFormat.SubjectPublicKeyInfo)
    return {
        'serial': '0' * (len(serial) % 2) + serial,
        'issuer': cert.issuer.rfc4514_string().replace('\\', '\\\\'),
        'subject': cert.subject.rfc4514_string().replace('\\', '\\\\'),
        'not_before': cert.not_valid_before.isoformat() + 'Z',
        'not_after': cert.not_valid_after.isoformat() + 'Z',
        'version': str(cert.version.value + 1),
        'alg': ('RSA-%d' % pub.key_size if isinstance(pub, rsa.RSAPublicKey)
                else pub.curve.name.replace('secp', 'P-').replace('r1', '')
                if isinstance(pub, ec.EllipticCurvePublicKey)
                else type(pub).__name__.strip('_').replace('PublicKey', '')),
        'use': use(cert),
        'spki': hashlib.sha256(spki).hexdigest(),
        'sha1': hashlib.sha1(der(cert)).hexdigest(),
        'sha256': hashlib.sha256(der(cert)).hexdigest(),
    }


def pkcs8(path):
    with open(path, 'rb') as f:
        key = serialization.load_pem_private_key(f.read(), None)
    return key.private_bytes(serialization.Encoding.DER,
                             serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def record(kind, n, group, user, cert=None, key=None):
    if kind == 'fault':
        fields = {'n': n, 'source': group + '/' + user + '/lost.p12',
                  'reason': 'password', 'detail': 'wrong password'}
    else:
        x = load(cert)
        fields = {'n': n, 'group': group, 'user': user,
                  'mail': user + '@example.com', 'guid': '', **describe(x),
                  'source': group + '/' + user, 'cert': b64(der(x))}
    fields['open'] = b64(pkcs8(key)) if key else ''
    print('\t'.join(['rec:' + kind] +
                    [a + ':' + v for a, v in fields.items()]))


class Stream:
    """What both directions share: the record key, the digest, the counts."""

    def __init__(self, to, signer):
        self.to, self.signer = to, signer
        self.sealed = False
        self.count = dict.fromkeys(['n', 'key', 'cert', 'fault'], 0)
        self.digest = hashlib.sha256()

    def enter(self, head, key):
        """head: LINE[sig] of the stream line."""
        self.id = bytes.fromhex(self.value(head, 'id'))
        info = b'kms2ca seal v1' + hashlib.sha256(head).digest()
        self.gcm = AESGCM(HKDF(hashes.SHA256(), 32, self.id, info).derive(key))
        self.sealed = True

    def leave(self):
        self.__init__(self.to, self.signer)

    @staticmethod
    def value(line, label):
        for f in line.decode('utf-8', 'replace').split('\t'):
            if f.startswith(label + ':'):
                return f[len(label) + 1:]
        return None

    def nonce(self, line):
        return int(self.value(line, 'n')).to_bytes(12, 'big')

    def take(self, line):
        """A line as it stands in the sealed stream."""
        kind = self.value(line, 'rec')
        if kind != 'stream':
            self.count['n'] += 1
            if kind in self.count:
                self.count[kind] += 1
        self.digest.update(line + b'\n')

    def totals(self):
        c = self.count
        return {'n': c['n'], 'keys': c['key'], 'certs': c['cert'],
                'faults': c['fault'], 'sha256': self.digest.hexdigest()}


def filled(line, **values):
    """The line with these values where it has empty ones."""
    parts = line.split(b'\t')
    for i, f in enumerate(parts):
        label, _, v = f.decode('utf-8', 'replace').partition(':')
        if label in values and v == '':
            parts[i] = ('%s:%s' % (label, values[label])).encode()
    return b'\t'.join(parts)


def emptied(line, label):
    return b'\t'.join(label.encode() + b':' if f.startswith(label.encode() + b':')
                      else f for f in line.split(b'\t'))


class Sealer(Stream):
    def __init__(self, to, signer, signkey, head, end):
        super().__init__(to, signer)
        self.signkey, self.head, self.end = signkey, head, end

    def leave(self):
        self.__init__(self.to, self.signer, self.signkey, self.head, self.end)

    def sign(self, line, args):
        """Adds the signature to a line that ends in `sig:'."""
        assert line.endswith(b'\tsig:')
        how = ['-md', 'sha256'] if '-md' not in args else []
        return line + b64(openssl(
            'cms', '-sign', '-binary', '-outform', 'DER', '-nosmimecap',
            '-signer', self.signer, '-inkey', self.signkey, *how, *args,
            data=line[:-4])).encode()

    def stream(self, line):
        key, to = os.urandom(32), load(self.to)
        how = OAEP if isinstance(to.public_key(), rsa.RSAPublicKey) else []
        line = filled(
            line, id=os.urandom(16).hex(),
            to=hashlib.sha256(der(to)).hexdigest(),
            lockbox=b64(openssl('cms', '-encrypt', '-binary', '-outform',
                                'DER', '-aes-256-cbc', '-recip', self.to,
                                *how, data=key)),
            signer=hashlib.sha256(der(load(self.signer))).hexdigest())
        self.enter(line[:-4], key)
        return self.sign(line, self.head)

    def line(self, line):
        kind = self.value(line, 'rec')
        front, tab, last = line.rpartition(b'\t')
        if kind == 'stream':
            self.leave()
            line = self.stream(line)
        elif kind == 'end' and self.sealed:
            line = self.sign(filled(line, **self.totals()), self.end)
        elif last.startswith(b'open:'):
            aad = front + tab
            line = aad + b'seal:' + b64(self.gcm.encrypt(
                self.nonce(line), base64.b64decode(last[5:]),
                self.id + aad)).encode()
        self.take(line)
        if kind == 'end':
            self.leave()
        return line


class Opener(Stream):
    def __init__(self, to, key, signer):
        super().__init__(to, signer)
        self.key = key

    def leave(self):
        self.__init__(self.to, self.key, self.signer)

    def check(self, line):
        """The signature that ends the line; returns LINE[sig]."""
        front, tab, last = line.rpartition(b'\t')
        assert last.startswith(b'sig:'), 'sig is not last'
        with tempfile.NamedTemporaryFile() as f:
            f.write(front + tab)
            f.flush()
            openssl('cms', '-verify', '-binary', '-inform', 'DER', '-content',
                    f.name, '-noverify', '-nointern', '-certfile',
                    self.signer, '-out', '/dev/null',
                    data=base64.b64decode(last[4:], validate=True))
        return front + tab

    def stream(self, line):
        head = self.check(line)
        for label, path in ('to', self.to), ('signer', self.signer):
            want = hashlib.sha256(der(load(path))).hexdigest()
            assert self.value(line, label) == want, label
        self.enter(head, openssl(
            'cms', '-decrypt', '-inform', 'DER', '-recip', self.to, '-inkey',
            self.key, data=base64.b64decode(self.value(line, 'lockbox'),
                                            validate=True)))
        return emptied(head, 'lockbox') + b'sig:'

    def line(self, line):
        kind = self.value(line, 'rec')
        front, tab, last = line.rpartition(b'\t')
        if kind == 'stream':
            out = self.stream(line)
        elif kind == 'end':
            for label, want in self.totals().items():
                assert self.value(line, label) == str(want), label
            out = emptied(self.check(line), 'sha256') + b'sig:'
        else:
            assert last.startswith(b'seal:'), 'seal is not last'
            aad = front + tab
            out = aad + b'open:' + b64(self.gcm.decrypt(
                self.nonce(line), base64.b64decode(last[5:], validate=True),
                self.id + aad)).encode()
            assert self.nonce(line) == (self.count['n'] + 1).to_bytes(12, 'big')
            if kind in ('key', 'cert'):
                cert = base64.b64decode(self.value(line, 'cert'), validate=True)
                x = x509.load_der_x509_certificate(cert)
                for label, want in describe(x).items():
                    assert self.value(line, label) == want, label
        self.take(line)
        if kind == 'end':
            self.leave()
        return out


def lines():
    data = sys.stdin.buffer.read()
    assert data.endswith(b'\n'), 'no newline at the end'
    return data[:-1].split(b'\n')


def write(out):
    sys.stdout.buffer.write(b''.join(line + b'\n' for line in out))


def seal(to, signer, key, *args):
    how = {'-head': [], '-end': []}
    for a in args:
        if a in how:
            now = how[a]
        else:
            now.append(a)
    s = Sealer(to, signer, key, how['-head'], ['-nocerts', *how['-end']])
    write([s.line(line) for line in lines()])


def unseal(to, key, signer):
    s = Opener(to, key, signer)
    out = [s.line(line) for line in lines()]
    assert not s.sealed, 'no end'
    write(out)


def plain():
    """The same records in the clear."""
    s, out = Stream(None, None), []
    for line in lines():
        kind = s.value(line, 'rec')
        front, tab, last = line.rpartition(b'\t')
        if kind == 'stream':
            continue
        if kind == 'key':
            line = front + tab + last.replace(b'open:', b'key:', 1)
        elif last.startswith(b'open:'):
            line = front
        if kind == 'end':
            line = filled(line, **s.totals())
        s.take(line)
        out.append(line)
        if kind == 'end':
            s.leave()
    write(out)


def integer(v):
    body = v.to_bytes(v.bit_length() // 8 + 1, 'big')
    return tlv(2, body)


def tlv(tag, body):
    n = len(body)
    if n < 128:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, 'big')
    return bytes([tag, 128 + len(size)]) + size + body


def dent(path, *numbers):
    """PKCS#8 of an RSA key with one number two larger (RFC 8017 A.1.2), in
    base64, a line for each of n, e, d, p, q, dp, dq, qi, or none; or with n
    and e of another key."""
    def load_key(path):
        with open(path, 'rb') as f:
            return serialization.load_pem_private_key(f.read(), None)

    p = load_key(path).private_numbers()
    true = {'n': p.public_numbers.n, 'e': p.public_numbers.e, 'd': p.d, 'p': p.p,
            'q': p.q, 'dp': p.dmp1, 'dq': p.dmq1, 'qi': p.iqmp}
    rsaenc = bytes.fromhex('300d06092a864886f70d0101010500')
    for number in numbers:
        v = {a: b + 2 * (a == number) for a, b in true.items()}
        if '/' in number:
            other = load_key(number).public_key().public_numbers()
            v.update(n=other.n, e=other.e)
        pkcs1 = tlv(0x30, integer(0) + b''.join(map(integer, v.values())))
        print(b64(tlv(0x30, integer(0) + rsaenc + tlv(4, pkcs1))))


def places(data, every):
    """Byte and bit of each change to try: all, or of each long value the
    first, middle and last bytes and every 96th, a bit each."""
    if every:
        return [(i, b) for i in range(len(data)) for b in range(8)]
    out, at = [], 0
    for f in data[:-1].replace(b'\n', b'\t').split(b'\t'):
        n = len(f) + 1
        middle = n // 2
        out += [(at + i, (at + i) % 8) for i in range(n)
                if n <= 16 or i < 2 or i >= n - 2 or i == middle
                or i % 96 == 0]
        at += n
    return out


def flip(path, every, *command):
    """Runs the command on the file with one bit changed, again and again.  It
    must fail, say why, and write nothing but lines of the file, in order.
    What does not is printed: offset, bit, status, and label of the field."""
    with open(path, 'rb') as f:
        data = f.read()
    true = data.split(b'\n')[:-1]
    tried = 0
    for at, bit in places(data, every == '1'):
        bad = bytearray(data)
        bad[at] ^= 1 << bit
        p = subprocess.run(command, input=bytes(bad), capture_output=True)
        rest = iter(true)
        whole = p.stdout.endswith(b'\n') or not p.stdout
        same = all(line in rest for line in p.stdout.split(b'\n')[:-1])
        tried += 1
        if p.returncode in (1, 2) and p.stderr and whole and same:
            continue
        start = max(data.rfind(b'\t', 0, at), data.rfind(b'\n', 0, at)) + 1
        label = data[start:at + 1].partition(b':')[0].decode()
        print(at, bit, p.returncode, label, sep='\t')
    print('tried', tried, sep='\t')


if __name__ == '__main__':
    {'record': record, 'seal': seal, 'open': unseal, 'plain': plain,
     'dent': dent, 'flip': flip}[sys.argv[1]](*sys.argv[2:])
