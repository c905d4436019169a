#!/bin/sh
# Makes certificates for tests: test_ca.sh FOLDER. Every run makes new keys, none is ever committed.
# The names of the files say what is in them; *.key is the key of *.pem.
set -eu
mkdir -p "$1"
cd "$1"
exec >openssl.log 2>&1

ec_key() { openssl ecparam -name "$2" -genkey -noout -out "$1.key"; }
rsa_key() { openssl genrsa -out "$1.key" "$2"; }
# ca NAME: a certificate authority that trusts itself
ca() {
  ec_key "$1" prime256v1
  openssl req -x509 -new -key "$1.key" -sha256 -days 3650 -subj "/O=Convoy tests/CN=$1" -out "$1.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
}
# issue NAME ISSUER DAYS SUBJECT SAN: for the key NAME.key
issue() {
  openssl req -new -key "$1.key" -subj "$4" -out "$1.csr"
  {
    echo "basicConstraints=critical,CA:FALSE"
    echo "keyUsage=critical,digitalSignature"
    [ -z "$5" ] || echo "subjectAltName=$5"
  } >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -sha256 -days "$3" \
    -extfile "$1.ext" -out "$1.pem"
}
# ocsp NAME DAYS STATUS: what the authority says of a certificate, as NAME.ocsp
ocsp() {
  serial=$(openssl x509 -in "$1.pem" -noout -serial | cut -d= -f2)
  revoked=
  [ "$3" = V ] || revoked=250101000000Z
  printf '%s\t491231235959Z\t%s\t%s\tunknown\t/CN=any\n' "$3" "$revoked" "$serial" >index.txt
  openssl ocsp -issuer ca.pem -cert "$1.pem" -no_nonce -reqout request.der
  openssl ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem -reqin request.der \
    -ndays "$2" -respout "$1.ocsp"
}

ca ca
ca other_ca

ec_key intermediate prime256v1
openssl req -new -key intermediate.key -subj "/O=Convoy tests/CN=intermediate" -out intermediate.csr
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' >intermediate.ext
openssl x509 -req -in intermediate.csr -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 3650 \
  -extfile intermediate.ext -out intermediate.pem

names=DNS:example.com,DNS:www.example.com,IP:127.0.0.1
ec_key ecdsa prime256v1
issue ecdsa ca 90 /CN=ecdsa $names
rsa_key rsa 2048
issue rsa ca 60 /CN=rsa $names
ec_key p384 secp384r1
issue p384 ca 90 /CN=p384 DNS:p384.example.com
ec_key wildcard prime256v1
issue wildcard ca 90 /CN=wildcard 'DNS:*.example.org'
ec_key other prime256v1
issue other ca 90 /CN=other DNS:other.example.net
ec_key untrusted prime256v1
issue untrusted other_ca 90 /CN=untrusted $names
ec_key plain prime256v1
issue plain ca 90 /CN=plain.example.com ''
ec_key client prime256v1
issue client ca 30 /O=Convoy/CN=client \
  URI:spiffe://example.org/ns/shop/sa/web,DNS:client.example.com,email:a@example.com
ec_key chained prime256v1
issue chained intermediate 90 /CN=chained DNS:chained.example.com
cat chained.pem intermediate.pem >chained_chain.pem
cat chained.pem other_ca.pem >chained_wrong.pem
ec_key renewed prime256v1
issue renewed ca 90 /CN=renewed $names
rsa_key weak 1024
issue weak ca 90 /CN=weak $names
openssl genpkey -algorithm ed25519 -out ed25519.key
issue ed25519 ca 90 /CN=ed25519 $names
openssl ec -in ecdsa.key -aes256 -passout pass:secret -out encrypted.key

cat ecdsa.pem ca.pem >ecdsa_with_ca.pem
ocsp ecdsa 7 V
ocsp other 7 R
ocsp renewed 1 V

touch crl_index.txt
echo 01 >crl_number
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=crl_index.txt\ncrlnumber=crl_number\ndefault_md=sha256\ndefault_crl_days=30\n' >ca.cnf
openssl ca -config ca.cnf -revoke client.pem -keyfile ca.key -cert ca.pem
openssl ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.pem -out ca.crl

# The pin of a public key, as Envoy's verify_certificate_spki.
openssl x509 -in ecdsa.pem -noout -pubkey | openssl pkey -pubin -outform DER |
  openssl dgst -sha256 -binary | openssl base64 >ecdsa.pin
for n in 1 2; do openssl rand -out ticket$n.key 80; done
echo done >complete
