# shellcheck shell=bash
#
# Profiles (.epf) for the bats files, after common.bash and p12.bash: `load
# epf'.  The names in them are made up: no name is trusted.  The password is the
# first line of the file pw.

# owner NAME USE [ALGORITHM...]: NAME.key, .pem, .p8 and .der of a user who is
# no CA; USE is a keyUsage.
owner()
{
	local name=$1 use=$2

	shift 2
	(($#)) || set -- ec -pkeyopt ec_paramgen_curve:P-256
	printf '%s\n' '[req]' 'distinguished_name=dn' '[dn]' >req.cnf
	pair "$name" "/OU=First/CN=$name" "$@" -config req.cnf \
	    -addext "keyUsage=$use" -addext "subjectAltName=email:$name@example.com"
}

# b64 FILE: on one line.
b64()
{
	base64 -w 0 "$1"
}

# epf_py ARG...: the judge; python3-cryptography warns of old ciphers.
epf_py()
{
	# shellcheck disable=SC2154 # from common.bash
	/usr/bin/python3 -W ignore "$root/tests/epf.py" "$@"
}

# lock FILE COUNT SALT [HASH CIPHER PAD]: the encrypted value, see epf.py.
lock()
{
	epf_py lock "${4:-sha1}" "$2" "${5:-cast-128}" "$3" "${6:-pkcs7}" <"$1"
}

# head_of COUNT SALT NAME...: a profile up to its keys: certificates of NAME.der.
head_of()
{
	local name

	printf '[Settings]\nVersion=beta\nRounds=%s\nSpice=%s\n[Papers]\n' \
	    "$1" "$2"
	for name in "${@:3}"; do
		printf '%s=%s\n' "$name" "$(b64 "$name.der")"
	done
	printf '[Locked]\n'
}

# profile COUNT SALT NAME...: all of it, in the variant that is described.
profile()
{
	local name

	head_of "$@"
	for name in "${@:3}"; do
		printf '%s=%s\n' "$name" "$(lock "$name.p8" "$1" "$2")"
	done
}
