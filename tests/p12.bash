# shellcheck shell=bash
#
# Keys, certificates and PKCS#12 for the bats files, after common.bash: `load
# p12'.  What openssl would not write is put together byte by byte with der.

# pair NAME SUBJECT [ALGORITHM...]: NAME.key and NAME.pem, self-signed.
pair()
{
	local name=$1 subject=$2

	shift 2
	(($#)) || set -- ec -pkeyopt ec_paramgen_curve:P-256
	openssl req -x509 -newkey "$@" -noenc -days 9 -subj "$subject" \
	    -keyout "$name.key" -out "$name.pem" 2>log || {
		cat log >&2
		return 1
	}
}

# p12 FILE NAME ARG...: pack NAME.key and NAME.pem under the password of pw.
p12()
{
	openssl pkcs12 -export -out "$1" -inkey "$2.key" -in "$2.pem" \
	    -passout file:pw "${@:3}"
}

# key_der FILE: PKCS#8 DER of a PEM key, as openssl writes it.
key_der()
{
	openssl pkcs8 -topk8 -nocrypt -in "$1" -outform DER
}

cert_der()
{
	openssl x509 -in "$1" -outform DER
}

# unhex: bytes of the hex on stdin.
unhex()
{
	printf %b "$(tr -d ' \n' | sed 's/../\\x&/g')"
}

hex()
{
	unhex <<<"$*"
}

# pem_blocks NAME: base64 of each such block on stdin, a line for each.
pem_blocks()
{
	awk -v name="$1-----" '
	$0 == "-----END " name	{ print s; on = 0 }
	on			{ s = s $0 }
	$0 == "-----BEGIN " name { on = 1; s = "" }'
}

# der TAG: stdin, with that tag and its length in front.
der()
{
	local value n

	value=$(mktemp -p "$BATS_TEST_TMPDIR")
	cat >"$value"
	n=$(stat -c %s "$value")
	if ((n < 128)); then
		hex "$1" "$(printf %02x "$n")"
	else
		hex "$1" 83 "$(printf %06x "$n")"
	fi
	cat "$value"
	rm "$value"
}

# RFC 7292 section 4, inside out: bag, part, pfx.
data='06092a864886f70d010701'

# bag N [ATTRIBUTES]: SafeBag of type N of section 4.2, its value on stdin;
# attributes in hex.
bag()
{
	{
		hex "060b2a864886f70d010c0a01$1"
		der a0
		[[ -z ${2-} ]] || hex "$2" | der 31
	} | der 30
}

# cert_bag FILE [ATTRIBUTES]: of a DER certificate.
cert_bag()
{
	{
		hex 060a2a864886f70d01091601
		der 04 <"$1" | der a0
	} | der 30 | bag 03 "${2-}"
}

# name HEX: friendlyName attribute, UTF-16BE in hex, as hex.
name()
{
	{
		hex 06092a864886f70d010914
		hex "$1" | der 1e | der 31
	} | der 30 | od -An -v -tx1 | tr -d ' \n'
}

# contents TAG: ContentInfo of type data, its content on stdin.
part()
{
	{
		hex "$data"
		der 30 | der 04 | der a0
	} | der 30
}

# pfx [MAC]: PFX of the parts on stdin; MacData in hex.
pfx()
{
	{
		hex 020103
		part
		hex "${1-}"
	} | der 30
}

# plain_pair NAME [ATTRIBUTES]: bags in the clear of a key and its certificate.
plain_pair()
{
	key_der "$1.key" | bag 01 "${2-}"
	cert_der "$1.pem" >"$1.der"
	cert_bag "$1.der" "${2-}"
}

# mac_of PASSWORD: hex of the MacData over the parts on stdin, SHA-1, one
# round; the key comes from openssl's PKCS12KDF.
mac_of()
{
	local key

	key=$(openssl kdf -keylen 20 -kdfopt digest:SHA1 -kdfopt id:3 \
	    -kdfopt iter:1 -kdfopt hexsalt:0102030405060708 \
	    -kdfopt "hexpass:$(printf '%s\0' "$1" | iconv -t UTF-16BE |
	    od -An -v -tx1 | tr -d ' \n')" PKCS12KDF | tr -d ':\n')
	der 30 | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" -binary |
	    mac_data 020101
}

# mac_data ROUNDS: hex of MacData with this INTEGER (hex) and the digest on
# stdin.
mac_data()
{
	{
		{
			hex 300906052b0e03021a0500
			der 04
		} | der 30
		hex 04080102030405060708
		hex "$1"
	} | der 30 | od -An -v -tx1 | tr -d ' \n'
}

# pbes2 KDF: EncryptedPrivateKeyInfo under this key derivation (hex), with a
# ciphertext that nobody will get to.
pbes2()
{
	{
		{
			hex 06092a864886f70d01050d
			{
				hex "$1"
				hex 301d060960864801650304012a0410
				hex 00000000000000000000000000000000
			} | der 30
		} | der 30
		hex 041000000000000000000000000000000000
	} | der 30
}

# pbkdf2 ROUNDS [KEYLENGTH]: hex of the AlgorithmIdentifier; INTEGERs in hex.
pbkdf2()
{
	{
		hex 06092a864886f70d01050c
		hex "04080102030405060708$1${2-}" | der 30
	} | der 30 | od -An -v -tx1 | tr -d ' \n'
}

# scrypt N R P: the same.
scrypt()
{
	{
		hex 06092b06010401da47040b
		hex "04080102030405060708$1$2$3" | der 30
	} | der 30 | od -An -v -tx1 | tr -d ' \n'
}
