#!/usr/bin/env bats
#
# common/key: cert.c, pkey.c, rsa.c: DER is read where it stands, BER by OpenSSL; both
# must take the same certificates and keys.  openssl is the second judge.

load common
load backup

# forms CERT KEY: certificates and keys that say the same in other bytes, as
# NAME.pem and NAME.key.
forms()
{
	/usr/bin/python3 - "$@" <<-'PYTHON'
	import base64, sys

	def tlv(tag, *parts):
	    data = b''.join(parts)
	    n = len(data)
	    size = n.to_bytes(2, 'big').lstrip(b'\0')
	    return bytes([tag, n] if n < 128 else
	                 [tag, 0x80 | len(size), *size]) + data

	def split(data):
	    parts = []
	    while data:
	        n, at = data[1], 2
	        if n > 127:
	            at += n & 127
	            n = int.from_bytes(data[2:at], 'big')
	        parts.append((data[0], data[at:at + n]))
	        data = data[at + n:]
	    return parts

	def joined(parts):
	    return b''.join(tlv(*part) for part in parts)

	def endless(tag, data):
	    return bytes([tag, 0x80]) + data + b'\0\0'

	def pieces(tag, data):
	    return tlv(tag | 0x20, tlv(tag, data[:3]), tlv(tag, data[3:]))

	def pem(path):
	    with open(path) as f:
	        text = f.read().split('-----')
	    return text[1][6:], base64.b64decode(text[2])

	def write(name, label, der):
	    text = base64.encodebytes(der).decode()
	    with open(name, 'w') as f:
	        f.write('-----BEGIN %s-----\n%s-----END %s-----\n' %
	                (label, text, label))

	label, der = pem(sys.argv[1])
	(_, tbs), alg, sig = split(split(der)[0][1])
	*front, (_, spki), (_, exts) = split(tbs)
	(_, kind), (_, bits) = split(spki)
	exts = [split(ext) for _, ext in split(split(exts)[0][1])]

	def cert(name, spki=spki, listed=None, each=joined):
	    seq = tlv(0x30, *(tlv(0x30, each(ext)) for ext in exts))
	    part = joined(front) + tlv(0x30, spki) + tlv(0xa3, listed or seq)
	    write(name + '.pem', label,
	          tlv(0x30, tlv(0x30, part), joined([alg, sig])))

	def oid(data):
	    return lambda ext: data(ext[0][1]) + joined(ext[1:])

	def long(data):
	    return bytes([6, 0x81, len(data)]) + data

	cert('same')
	cert('long', each=oid(long))
	cert('value', each=lambda ext: joined(ext[:-1]) + pieces(*ext[-1]))
	cert('list', listed=endless(0x30, b''.join(
	    endless(0x30, joined(ext)) for ext in exts)))
	cert('alg', spki=endless(0x30, kind) + tlv(3, bits))
	# nobody's
	cert('pad', each=oid(lambda data: tlv(6, b'\x80', data)))
	cert('cut', each=oid(lambda data: tlv(6, data, b'\x80')))
	cert('none', each=oid(lambda data: tlv(6)))
	cert('critical', each=lambda ext: joined([ext[0], (1, b'\xff\xff'),
	                                          ext[-1]]))
	# another key: the last bit of its exponent does not count
	cert('unused', spki=tlv(0x30, kind) + tlv(3, b'\1', bits[1:]))

	label, der = pem(sys.argv[2])
	version, alg, (_, key) = split(split(der)[0][1])
	(_, zero), *numbers = split(split(key)[0][1])

	def private(name, key):
	    write(name + '.key', label,
	          tlv(0x30, joined([version, alg]), tlv(4, key)))

	private('same', tlv(0x30, tlv(2, zero), joined(numbers)))
	private('endless', endless(0x30, tlv(2, zero) + joined(numbers)))
	private('bare', tlv(0x30, tlv(2, zero), joined(
	    (2, data.lstrip(b'\0')) for _, data in numbers)))
	# nobody's
	private('zeros', tlv(0x30, tlv(2, zero, b'\0'), joined(numbers)))
	private('plain', tlv(0x10, tlv(2, zero), joined(numbers)))
	PYTHON
}

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	openssl x509 -in "$ORG/keys/judy-2003.pem" -out judy.pem
	openssl pkcs8 -topk8 -nocrypt -in "$ORG/keys/judy-2003.key" -out judy.key
	forms judy.pem judy.key
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR"/*.{pem,key} .
}

@test "BER within a certificate says what DER says" {
	local form

	cmp judy.pem <(openssl x509 -in same.pem)
	take 0 < <(cat same.pem same.key)
	only key <"$OUT" | cut -f 3-14 >want
	grep -q 'user:judy.*mail:judy@example.com.*use:encrypt' want
	for form in long value list alg; do
		not cmp -s same.pem "$form.pem"
		diff <(openssl x509 -in "$form.pem" -noout -pubkey -ext \
		    keyUsage,subjectAltName) <(openssl x509 -in judy.pem \
		    -noout -pubkey -ext keyUsage,subjectAltName) >&2
		take 0 < <(cat "$form.pem" same.key)
		found 1 0 0
		only key <"$OUT" | cut -f 3-14 | diff want - >&2
	done
}

@test "extensions that nobody else would read" {
	local form

	for form in pad cut none critical; do
		not openssl x509 -in "$form.pem" -noout 2>log
		take 1 <"$form.pem"
		found 0 0 1
		faults 'stdin: certificate: not a DER certificate (RFC 5280 section 4.1): fetch the file again, or export it anew'
	done
}

@test "bits of a public key that do not count" {
	openssl x509 -in unused.pem -noout -text |
	    grep 'Exponent: 65536 ' >&2
	take 1 < <(cat unused.pem same.key)
	found 0 1 1
	faults 'stdin: no-certificate: a private key without a certificate: add its certificate to the backup'
}

@test "BER within a key, and keys that nobody else would read" {
	local form

	for form in endless bare; do
		openssl pkey -in "$form.key" -pubout |
		    diff <(openssl pkey -in judy.key -pubout) - >&2
		take 0 < <(cat same.pem "$form.key")
		found 1 0 0
	done
	for form in zeros plain; do
		not openssl pkey -in "$form.key" -noout 2>log
		take 1 < <(cat same.pem "$form.key")
		found 0 1 1
		faults 'stdin: key: not a two-prime RSA private key of at most 16384 bits (RFC 8017 appendix A.1.2): fetch the file again, or export it anew'
	done
}

@test "a mail address in UTF-8 is that; one in Latin-1, too" {
	local name

	# DER of each: an IA5String, whatever is in it
	for name in $'j\xc3\xb6rg@example.com' $'j\xf6rg@example.com' \
	    $'\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd@example.com'; do
		openssl req -x509 -key judy.key -days 1 -subj /O=x -config \
		    <(printf '[req]\ndistinguished_name = d\n[d]\n') -addext \
		    "subjectAltName=DER:$(printf '30%02x81%02x%s' \
		    $((${#name} + 2)) ${#name} "$(printf %s "$name" | xxd -p)")" \
		    -out mail.pem 2>log
		take 0 < <(cat mail.pem judy.key)
		only key <"$OUT" | cut -f 4,5
	done >got
	diff - got <<-'END'
	user:jörg@example.com	mail:jörg@example.com
	user:jörg@example.com	mail:jörg@example.com
	user:Иван@example.com	mail:Иван@example.com
	END
}
