# shellcheck shell=bash
#
# Keys, certificates and PKCS#12 for the bats files, after common.bash: `load
# p12'.  What openssl would not write is put together here from hex: the
# functions below the line print hex, and unhex makes bytes of it.

# pair NAME SUBJECT [ALGORITHM...]: NAME.key and NAME.pem, self-signed, and
# NAME.p8 and NAME.der, the same in DER.
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
	key_der "$name.key" >"$name.p8"
	cert_der "$name.pem" >"$name.der"
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

# is_pair RECORD NAME: the `key' record has this key and its certificate.
is_pair()
{
	[[ $1 == *$'\tcert:'"$(base64 -w 0 "$2.der")"$'\tkey:'"$(
	    base64 -w 0 "$2.p8")" ]] || {
		echo "not the key and certificate of $2: ${1:0:200}..." >&2
		return 1
	}
}

# pem_blocks NAME: base64 of each such block on stdin, a line for each.
pem_blocks()
{
	awk -v name="$1-----" '
	$0 == "-----END " name	{ print s; on = 0 }
	on			{ s = s $0 }
	$0 == "-----BEGIN " name { on = 1; s = "" }'
}

# unhex: bytes of the hex on stdin.
unhex()
{
	xxd -r -p
}

# hex: stdin in hex.
hex()
{
	xxd -p -c 0 | tr -d '\n'
}

# ----------------------------------------------------------------------------

# tlv TAG VALUE...: DER of the values, one behind the other.
tlv()
{
	local IFS=''
	local tag=$1 value="${*:2}" n

	n=$((${#value} / 2))
	if ((n < 128)); then
		printf '%s%02x%s' "$tag" "$n" "$value"
	elif ((n < 256)); then
		printf '%s81%02x%s' "$tag" "$n" "$value"
	elif ((n < 65536)); then
		printf '%s82%04x%s' "$tag" "$n" "$value"
	else
		printf '%s83%06x%s' "$tag" "$n" "$value"
	fi
}

# RFC 7292 section 4, inside out: bag, part, pfx.
oid_data=06092a864886f70d010701

# bag TYPE VALUE [ATTRIBUTES]: SafeBag of section 4.2.
bag()
{
	tlv 30 "060b2a864886f70d010c0a01$1" "$(tlv a0 "$2")" \
	    "${3:+$(tlv 31 "$3")}"
}

# cert_bag CERTIFICATE [ATTRIBUTES]
cert_bag()
{
	bag 03 "$(tlv 30 060a2a864886f70d01091601 \
	    "$(tlv a0 "$(tlv 04 "$1")")")" "${2-}"
}

# name UTF16: friendlyName attribute.
name()
{
	tlv 30 06092a864886f70d010914 "$(tlv 31 "$(tlv 1e "$1")")"
}

# part BAGS: ContentInfo of type data.
part()
{
	tlv 30 "$oid_data" "$(tlv a0 "$(tlv 04 "$(tlv 30 "$1")")")"
}

# pfx PARTS [MAC]
pfx()
{
	tlv 30 020103 "$(part "$1")" "${2-}"
}

# plain NAME [ATTRIBUTES]: bags in the clear of a key and its certificate.
plain()
{
	bag 01 "$(hex <"$1.p8")" "${2-}"
	cert_bag "$(hex <"$1.der")" "${2-}"
}

# mac ROUNDS DIGEST: MacData of SHA-1; ROUNDS is an INTEGER.
mac()
{
	tlv 30 "$(tlv 30 300906052b0e03021a0500 "$(tlv 04 "$2")")" \
	    04080102030405060708 "$1"
}

# mac_of PASSWORD PARTS: the MacData that is right, one round; its key is by
# openssl's PKCS12KDF.
mac_of()
{
	local key

	key=$(openssl kdf -keylen 20 -kdfopt digest:SHA1 -kdfopt id:3 \
	    -kdfopt iter:1 -kdfopt hexsalt:0102030405060708 -kdfopt \
	    "hexpass:$(printf '%s\0' "$1" | iconv -t UTF-16BE | hex)" \
	    PKCS12KDF | tr -d ':\n')
	mac 020101 "$(tlv 30 "$2" | unhex | openssl dgst -sha1 -mac HMAC \
	    -macopt "hexkey:$key" -binary | hex)"
}

# pbkdf2 ROUNDS [LENGTH], scrypt N R P: AlgorithmIdentifier, from INTEGERs.
pbkdf2()
{
	tlv 30 06092a864886f70d01050c \
	    "$(tlv 30 04080102030405060708 "$1" "${2-}")"
}

scrypt()
{
	tlv 30 06092b06010401da47040b \
	    "$(tlv 30 04080102030405060708 "$1" "$2" "$3")"
}

# pbes2 KDF [CIPHER]: EncryptedPrivateKeyInfo, AES-128 if nothing is said, with
# a ciphertext that nobody should get to.
pbes2()
{
	local zero=00000000000000000000000000000000

	tlv 30 "$(tlv 30 06092a864886f70d01050d "$(tlv 30 "$1" \
	    "${2:-301d06096086480165030401020410$zero}")")" "0410$zero"
}
