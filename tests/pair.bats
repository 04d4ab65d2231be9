#!/usr/bin/env bats
#
# common/export/pair.c: which certificates a key goes out with.  Anybody can make
# a certificate of somebody else's public key, and drop it into a backup.

load common
load p12
load backup

other='a certificate of somebody else for the key in KEY: neither subject, mail address nor issuer agree: it is not exported; if it is right, name it in the map'
disagree='a private key whose certificates disagree on whose it is: name the right one in the map'

# ca NAME: a CA.
ca()
{
	pair "$1" "/CN=$1" ec -pkeyopt ec_paramgen_curve:P-256 \
	    -addext basicConstraints=critical,CA:TRUE
}

# issue CA FILE SUBJECT MAIL KEY: FILE.pem, a certificate over the key of
# KEY.pub, whoever has it.
issue()
{
	printf 'subjectAltName=email:%s\n' "$4" >ext
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -keyout scratch.key -subj "$3" -out csr 2>log
	openssl x509 -req -in csr -CA "$1.pem" -CAkey "$1.key" -days 9 \
	    -force_pubkey "$5.pub" -extfile ext -out "$2.pem" 2>log
}

# people: jane with a key and a certificate, and what others made over her key.
people()
{
	ca corp
	ca evil
	openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 \
	    -out jane.key 2>log
	openssl pkey -in jane.key -pubout -out jane.pub
	issue corp jane /CN=jane jane@example.com jane
	issue evil mallory /CN=mallory mallory@example.com jane
}

# packs FILE...: a.tar of these members, DESTINATION=FILE, in this order.
packs()
{
	local part

	rm -rf in a.tar
	for part; do
		mkdir -p "in/$(dirname "${part%=*}")"
		cp "${part#*=}" "in/${part%=*}"
	done
	tar cf a.tar -C in "${@%=*}"
}

# copies N FILE...: prints a tar with N members of each file.
copies()
{
	/usr/bin/python3 -c 'import io, sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
    for name in sys.argv[2:]:
        data = open(name, "rb").read()
        for i in range(int(sys.argv[1])):
            member = tarfile.TarInfo("%d/%s" % (i, name))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))' "$@"
}

# orders PART...: prints every order of them, a line each.
orders()
{
	/usr/bin/python3 -c 'import itertools, sys
for p in itertools.permutations(sys.argv[1:]):
    print(" ".join(p))' "$@"
}

# mails: of the key records in $OUT.
mails()
{
	only key <"$OUT" | field mail | sort | xargs
}

@test "a certificate of somebody else over a key is a fault, in every order" {
	local n=0
	local -a parts

	people
	while read -ra parts; do
		packs "${parts[@]}"
		take 1 <a.tar
		[[ $(mails) == jane@example.com ]]
		faults "Drop/m/me.pem: certificate: ${other/KEY/First\/jane\/k.pem}"
		came_to 3 1 1 1 0
		((n += 1))
	done < <(orders First/jane/k.pem=jane.key First/jane/c.pem=jane.pem \
	    Drop/m/me.pem=mallory.pem)
	((n == 6))
}

@test "in the key's own file, whatever comes from elsewhere, with -u too" {
	local -a parts

	people
	cat jane.key jane.pem >both
	while read -ra parts; do
		packs "${parts[@]}"
		take 1 <a.tar
		[[ $(mails) == jane@example.com ]]
		found 1 0 1
		# the fault is of a folder that -u does not want, and is counted
		take 0 -u jane <a.tar
		[[ $(mails) == jane@example.com ]]
		said '-g and -u do not want 1 faults: run without them to see what could not be read'
		take 1 -u m <a.tar
		found 0 0 1
	done < <(orders First/jane/k.pem=both Drop/m/me.pem=mallory.pem)
	# in the folder of the key as well
	while read -ra parts; do
		packs "${parts[@]}"
		take 1 <a.tar
		[[ $(mails) == jane@example.com ]]
		found 1 0 1
	done < <(orders First/jane/k.pem=both First/jane/me.pem=mallory.pem)
}

@test "flat, nobody knows: neither goes out, and the map says which is right" {
	local -a parts

	people
	printf 'path:c.pem\tuser:jane\n' >map
	while read -ra parts; do
		packs "${parts[@]}"
		take 1 <a.tar
		found 0 0 3
		diff - <(only fault <"$OUT" | cut -f 3-5 | sort) <<-FAULTS
		source:c.pem	reason:certificate	detail:${other/KEY/k.pem}
		source:k.pem	reason:certificate	detail:$disagree
		source:me.pem	reason:certificate	detail:${other/KEY/k.pem}
		FAULTS
		take 1 -m map <a.tar
		[[ $(mails) == jane@example.com ]]
		found 1 0 1
		# by its name, not by a pattern
		printf 'path:*\tgroup:all\n' >any
		take 1 -m any <a.tar
		found 0 0 3
	done < <(orders k.pem=jane.key c.pem=jane.pem me.pem=mallory.pem)
	# a map of all members vouches for none of them
	printf 'path:%s.pem\tuser:%s\n' c jane k jane me mallory >map
	take 1 -m map <a.tar
	[[ $(mails) == jane@example.com ]]
	found 1 0 1
	# and both, if the map names both; that is said
	printf 'path:%s\n' c.pem me.pem >map
	take 0 -m map <a.tar
	[[ $(mails) == 'jane@example.com mallory@example.com' ]]
	grep -q 'one key goes out under two mail addresses, .* and ' "$ERR"
}

@test "subject, mail, or an issuer that is there: they belong together" {
	people
	issue evil subject /CN=jane jane.new@example.com jane
	issue evil mail /CN=Jane JANE@example.com jane
	issue corp issuer '/CN=Jane Doe' doe@example.com jane
	cat jane.key jane.pem >both
	packs F/jane/k.pem=both elsewhere/x.pem=mail.pem
	take 0 <a.tar
	found 2 0 0
	said
	# an address that only names vouch for
	packs F/jane/k.pem=both elsewhere/x.pem=subject.pem
	take 1 <a.tar
	found 2 0 1
	faults 'elsewhere/x.pem: certificate: one key goes out under two mail addresses, jane@example.com and jane.new@example.com: if both are one person'"'"'s, name it in the map'
	printf 'path:elsewhere/x.pem\n' >map
	take 0 -m map <a.tar
	said 'elsewhere/x.pem: one key goes out under two mail addresses, jane@example.com and jane.new@example.com'
	# by the issuer, whose certificate may come first or last
	packs F/jane/k.pem=both elsewhere/x.pem=issuer.pem
	take 1 <a.tar
	found 1 0 1
	packs F/jane/k.pem=both elsewhere/x.pem=issuer.pem ca.pem=corp.pem
	take 1 <a.tar
	found 2 1 1
	packs ca.pem=corp.pem elsewhere/x.pem=issuer.pem F/jane/k.pem=both
	take 1 <a.tar
	found 2 1 1
	# a CA that only has the name of the other is not the issuer
	pair corp /CN=corp
	packs ca.pem=corp.pem elsewhere/x.pem=issuer.pem F/jane/k.pem=both
	take 1 <a.tar
	found 1 1 1
}

@test "-u and -g select records: a key elsewhere, a cut archive, an archive in one" {
	people
	packs First/bob/c.pem=jane.pem First/keys/bob.key=jane.key
	take 0 -u bob <a.tar
	found 1 0 0
	[[ $(only key <"$OUT" | field user) == bob ]]
	packs First/keys/bob.key=jane.key First/bob/c.pem=jane.pem
	take 0 -u bob <a.tar
	found 1 0 0
	take 0 -u keys <a.tar
	found 1 0 0
	# the inner archive, cut where a member ends
	cat jane.key jane.pem >both
	packs First/bob/k.pem=both
	head -c $((512 + ($(stat -c %s both) + 511) / 512 * 512)) a.tar >full.tar
	mkdir -p b/2001
	cp full.tar b/2001/full.tar
	tar cf outer.tar b
	take 1 <outer.tar
	cp "$OUT" want
	take 1 -u bob <outer.tar
	diff <(records <want) <(records <"$OUT") >&2
	# two levels down
	(cd b/2001 && cp full.tar deep.tar && zip -q x.zip deep.tar &&
	    rm full.tar deep.tar)
	tar cf outer.tar b
	take 1 -u bob <outer.tar
	only fault <"$OUT" | field source | grep -qx 'b/2001/x.zip/deep.tar'
}

@test "copies of one key, and of certificates over it, cost the same each" {
	local n=4000

	people
	copies $n jane.key >a.tar
	ulimit -t 20
	take 1 -q <a.tar
	found 0 0 $n
	came_to $n 0 0 $n 0
	copies $n jane.key jane.pem >a.tar
	take 0 <a.tar
	found 1 0 0
	came_to $((2 * n)) $n $n 0 0
}

# One key, a hundred certificates of CAs with one name that nobody here is, a
# hundred and one times: more signatures to check than the ceiling.
@test "the ceiling of issuers that are looked up is named where it decides" {
	local ceiling=' (so many issuers were looked up that the ceiling is reached, and the others were not)'

	/usr/bin/python3 - >all.pem <<'PY'
import datetime
import sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PEM = serialization.Encoding.PEM
keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def cert(subject, issuer, key, signer):
    now = datetime.datetime.utcnow()
    c = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(),
                                x509.random_serial_number(), now,
                                now + datetime.timedelta(9))
    sys.stdout.buffer.write(c.sign(signer, hashes.SHA256()).public_bytes(PEM))


for i in range(101):
    cert('ca', 'ca', keys[0], keys[0])
    cert('u%d' % i, 'ca', keys[1], keys[2])
sys.stdout.buffer.write(keys[1].private_bytes(
    PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
PY
	sed -n '/PRIVATE/,$p' all.pem >key.pem
	sed '/PRIVATE/,$d' all.pem >certs.pem
	packs a/key=key.pem b/certs=certs.pem
	take 1 <a.tar
	only fault <"$OUT" | cut -f 5 | sort -u >said
	grep -qxF "detail:a private key whose certificates disagree on whose it is$ceiling: name the right one in the map" said
	grep -qF "nor issuer agree$ceiling: it is not exported" said
}
