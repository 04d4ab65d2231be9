#!/usr/bin/env bats
#
# common/file/p12.c: the whole corpus, of some twenty writers, against its manifest.

load common
load p12

# The corpora, from common.bash.
: "${shared=}"

# run_corpus: what p12-extract -a makes of each file of the manifest, in
# $BATS_FILE_TMPDIR/all, once for the tests of this file: a line `file' with
# FILE EXPECTED KEYS CERTS STATUS, then its output.
run_corpus()
{
	local all=$BATS_FILE_TMPDIR/all dir=$shared/corpora/pkcs12
	local file hex expected keys certs status

	[[ ! -e $all ]] || return 0
	while IFS=$'\x1f' read -r file hex expected keys certs; do
		printf -v PW %b "$hex"
		export PW
		status=0
		timeout 120 p12-extract -a -p env:PW <"$dir/$file" \
		    >"$OUT" 2>err || status=$?
		[[ $status == 0 || -s err ]] || {
			echo "$file: nothing said" >&2
			return 1
		}
		cat err >&3
		printf 'file\t%s\n' "$file	$expected	$keys	$certs	$status"
		cat "$OUT"
	done >"$all.new" 3>"$ERR" < <(awk -F '\t' -v OFS=$'\x1f' 'NR > 1 {
		gsub(/../, "\\x&", $5)
		print $1, $5, $3, $6, $7
	}' "$dir/manifest.tsv")
	harmless 'the corpus' && mv "$all.new" "$all"
}

# Keys without a certificate are faults that say so.  A part of a file may be
# readable and the whole of it not as its maker meant it: of what is not ok no
# key may come out with a certificate.
@test "corpus: every file gives what the manifest says" {
	need_shared corpora/pkcs12
	run_corpus
	awk -F '\t' '
	BEGIN {
		not_whole = "key private key is not whole (RFC 8017 section 3.2): fetch the file again, or export it anew"
		# the primes are not those of the modulus
		fuzz = "gnutls/fuzz/in/"
		why[fuzz "8a326ff7e78e01262942fc408ebbb5db8f30ad26"] = not_whole
		why[fuzz "c43018f968202630e03560b9a0d513affff12e18"] = not_whole
		# ML-KEM: OpenSSL 3.0 does not know it; later ones have its name
		n = split("768.2 1024.3", size, " ")
		m = split("both priv seed", form, " ")
		for (i = 1; i <= n; i++)
			for (j = 1; j <= m; j++) {
				split(size[i], s, ".")
				why["nss/tools/openssl-ml-kem-" s[1] "-" \
				    form[j] ".p12"] = "unsupported private " \
				    "key of algorithm 2.16.840.1.101.3.4.4." \
				    s[2] ", which is not known here or not " \
				    "for mail: keep the file itself"
			}
		# two certificates of one key
		more["wolfssl/ecc-rsa-server.p12"] = 1
		# copies of a certificate, and of its key, which come out once
		more["generated/java-bulk-500-keys.p12"] = -499
		same["generated/java-bulk-500-keys.p12"] = 499
		same["forge/pkcs12-L500.p12"] = 2
		same["wolfssl-examples/crypto/pkcs12/test-servercert.p12"] = 1
		same["wolfssl/test-servercert-rc2.p12"] = 1
		same["wolfssl/test-servercert.p12"] = 1
	}
	function wrong(what) {
		print file ": " expected ": " what >"/dev/stderr"
		failed = 1
	}
	function check() {
		if (file == "")
			return
		files++
		if (expected != "ok") {
			if (keys > 0)
				wrong("keys: " keys)
			if (status == 2 ? lines > 0 : status != 1 || !faults)
				wrong("exit " status ", faults " faults + 0)
			empty += status == 2
			return
		}
		ok++
		if (file in why) {
			sub(/ML-KEM-768/, "2.16.840.1.101.3.4.4.2", first)
			sub(/ML-KEM-1024/, "2.16.840.1.101.3.4.4.3", first)
			if (keys || first != why[file])
				wrong("not so: " first)
			delete why[file]
			return
		}
		if (file in more) {
			wantkeys += more[file]
			delete more[file]
		}
		if (keys + alone != wantkeys)
			wrong("keys " keys "+" alone ", not " wantkeys)
		if (keys + certs != wantcerts - same[file])
			wrong("certificates " keys + certs ", not " wantcerts)
		# what vouches for nothing, or is not there, is said
		if (status != (faults > 0))
			wrong("exit " status ", faults " faults + 0)
	}
	$1 == "file" {
		check()
		file = $2; expected = $3; wantkeys = $4; wantcerts = $5
		status = $6
		if (file == "generated/pem-wrapped.p12") { # PEM is read
			expected = "ok"
			wantkeys = wantcerts = 1
		}
		keys = certs = alone = faults = lines = 0
		first = ""
		next
	}
	{ lines++ }
	$1 == "rec:key"		{ keys++ }
	$1 == "rec:cert"	{ certs++ }
	# no OpenSSL describes it, nor the ML-DSA of its issuer
	file ~ /ml-kem/ && $1 == "rec:cert" && !/\talg:unknown\t/ {
		wrong("described: " $13)
	}
	$1 == "rec:fault" {
		faults++
		alone += $4 == "reason:no-certificate"
		sub(/^reason:/, "", $4)
		sub(/^detail:/, "", $5)
		if (faults == 1)
			first = $4 " " $5
		if ($4 == "" || $5 == "")
			wrong("a fault without reason")
	}
	END {
		check()
		for (file in why)
			wrong("was not there, or is read now")
		for (file in more)
			wrong("was not there")
		if (files != 374 || ok != 240 || empty != 1) {
			file = "all"
			wrong(files ", " ok " ok, " empty " empty")
		}
		exit failed
	}' "$BATS_FILE_TMPDIR/all"
}

# The bytes of the files of generated/ are compared in p12-extract.bats.
@test "corpus: every key that came out is one, and its certificate's" {
	local n=0 key cert

	need_shared corpora/pkcs12
	run_corpus
	while IFS=$'\t' read -r key cert; do
		base64 -d <<<"$key" >a.p8
		base64 -d <<<"$cert" >a.der
		cmp <(openssl pkey -inform DER -in a.p8 -pubout) \
		    <(openssl x509 -inform DER -in a.der -noout -pubkey)
		((n += 1))
	done < <(awk -F '\t' '
	$1 == "file" { generated = $2 ~ /^generated\// }
	$1 == "rec:key" && !generated && !seen[$NF]++ {
		sub(/^key:/, "", $NF)
		sub(/^cert:/, "", $(NF - 1))
		print $NF "\t" $(NF - 1)
	}' "$BATS_FILE_TMPDIR/all")
	echo "$n keys" >&2
	((n >= 60))
}
