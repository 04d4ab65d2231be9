# shellcheck shell=bash
#
# For the bats files of ESE databases, after common.bash and ca.bash: `load ese'.

: "${root=}" "${shared=}" "${ORG=}"

# mkese ARG...: write a database; see there.
mkese()
{
	/usr/bin/python3 "$shared/ese/mkese.py" "$@"
}

# damage IN OUT EDIT...: what ese_edit.py says.
damage()
{
	/usr/bin/python3 "$root/tests/ese_edit.py" "$@"
}

# variants: the options of mkese for each kind of file that there is.
variants()
{
	cat <<-'VARIANTS'
	-r 2
	-r 2 -z
	-r 2 -p 8192
	-r 9
	-r 9 -p 2048
	-r 9 -m old
	-r 9 -m mixed
	-r 9 -m mixed -D -p 8192
	-r 0x0b
	-r 0x0b -p 8192
	-r 0x0c -D
	-r 0x11
	-r 0x11 -p 16384
	-r 0x11 -p 32768
	-r 0x14
	-r 0x14 -s 2
	-r 0x14 -p 8192 -D
	-r 0x6e -p 16384 -6
	-r 0xc8 -p 32768 -6 -s 2
	-r 0x122 -D -6
	VARIANTS
}

# ca_edb ARG... OUT: a CA's database, by mkese, of the `archived' records on
# stdin, one request each.
ca_edb()
{
	awk -F '\t' '
	function spaced(hex,	out) {
		gsub(/../, "& ", hex)
		sub(/ $/, "", hex)
		return hex
	}
	$1 == "rec:archived" {
		split("", f)
		for (i = 2; i <= NF; i++) {
			at = index($i, ":")
			f[substr($i, 1, at - 1)] = substr($i, at + 1)
		}
		n = split(f["kra"], kra, " ")
		hashes = ""
		for (i = 1; i <= n; i++)
			hashes = hashes (i > 1 ? "\\n" : "") spaced(kra[i])
		line = "RequestID:" f["id"]
		line = line "\tRequest.RawArchivedKey:" f["blob"]
		line = line "\tRequest.KeyRecoveryHashes:" hashes
		line = line "\tRequest.Disposition:" f["disposition"]
		line = line "\tRequest.SubmittedWhen:" f["submitted"]
		line = line "\tRequest.RequesterName:" f["requester"]
		line = line "\tRequest.CallerName:" f["caller"]
		line = line "\tRequest.StatusCode:0"
		line = line "\tRawCertificate:" f["cert"]
		line = line "\tCertificateHash:" spaced(f["sha1"])
		line = line "\tSerialNumber:" f["serial"]
		line = line "\tNotBefore:" f["not_before"]
		print line
	}' | mkese -C "$@"
}

# other_db ARG...: other.edb, a database of no CA: a certificate within a long
# value, across its chunks; another one, its key, and a third compressed.
other_db()
{
	local name

	for name in jane-1999 bob-1999; do
		openssl x509 -in "$ORG/keys/$name.pem" -outform DER -out "$name.cer"
		p8 "$ORG/keys/$name.key" >"$name.p8"
	done
	{ head -c 3800 /dev/zero; cat jane-1999.cer; echo rest; } >long
	{ printf '%0900d' 0; cat bob-1999.cer; } >tight
	cat >spec <<-'SPEC'
	{"tables": [{"name": "Keys", "columns": [["Id", "long"],
	    ["Blob", "longbinary", {"compressed": true}]],
	    "rows": [{"Id": 1, "Blob": {"file": "long"}},
		{"Id": 2, "Blob": {"file": "jane-1999.p8"}},
		{"Id": 3, "Blob": {"file": "tight"}}]}]}
	SPEC
	mkese "$@" spec other.edb
}
