#!/bin/sh
# Makes OCSP responses about ecdsa.pem for ocsp_cases.cc: ocsp_cases.sh FOLDER, a folder of test_ca.sh.
set -eu
cd "$1"
exec >ocsp_cases.log 2>&1

serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
# index FILE STATUS REVOKED: what the responders know
index() { printf '%s\t491231235959Z\t%s\t%s\tunknown\t/CN=any\n' "$2" "$3" "$(serial ecdsa.pem)" >"$1"; }
# request NAME [-sha256] CERTIFICATES: as -cert FILE
request() {
  name=$1
  shift
  openssl ocsp -issuer ca.pem "$@" -no_nonce -reqout "$name"
}
# responder NAME ISSUER DAYS [USAGE]: the certificate of a key
responder() {
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n' >"$1.ext"
  [ -z "${4:-}" ] || echo "extendedKeyUsage=$4" >>"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -sha256 -days "$3" \
    -extfile "$1.ext" -out "$1.pem"
}
# answer NAME SIGNER OPTIONS: of good.txt and request.der, unless the options say otherwise
answer() {
  name=$1
  signer=$2
  shift 2
  openssl ocsp -index good.txt -reqin request.der -CA ca.pem -rsigner "$signer.pem" -rkey "$signer.key" "$@" \
    -respout "$name.ocsp"
}

index good.txt V ''
index revoked.txt R 250101000000Z
printf 'V\t491231235959Z\t\t01\tunknown\t/CN=any\n' >unknown.txt
request request.der -cert ecdsa.pem
request request_sha256.der -sha256 -cert ecdsa.pem
openssl ocsp -issuer other_ca.pem -cert ecdsa.pem -no_nonce -reqout request_other.der
request request_several.der -cert ecdsa.pem -cert rsa.pem

for name in responder plain_responder web_responder strange_responder; do
  openssl ecparam -name prime256v1 -genkey -noout -out $name.key
done
cp rsa.key rsa_responder.key
responder responder ca 3 OCSPSigning
responder rsa_responder ca 3 OCSPSigning
responder plain_responder ca 3
responder web_responder ca 3 serverAuth
responder strange_responder other_ca 3 OCSPSigning
# An authority that calls itself by the issuer's name.
openssl ecparam -name prime256v1 -genkey -noout -out impostor.key
openssl req -x509 -new -key impostor.key -sha256 -days 3 -subj "/O=Convoy tests/CN=ca" -out impostor.pem

answer by_issuer ca -ndays 7
answer by_key ca -ndays 7 -resp_key_id
answer sha256_id ca -ndays 7 -reqin request_sha256.der
answer by_responder responder -ndays 7
answer by_responder_key responder -ndays 7 -resp_key_id
for digest in sha256 sha384 sha512; do answer by_rsa_$digest rsa_responder -ndays 7 -rmd $digest; done
answer bare ca -ndays 7 -resp_no_certs
answer bare_responder responder -ndays 7 -resp_no_certs
answer by_plain plain_responder -ndays 7
answer by_web web_responder -ndays 7
answer by_strange strange_responder -ndays 7
answer by_impostor impostor -ndays 7
answer by_impostor_key impostor -ndays 7 -resp_key_id
answer sha1 ca -ndays 7 -rmd sha1
answer pss rsa_responder -ndays 7 -rsigopt rsa_padding_mode:pss
answer endless ca
answer several ca -ndays 7 -reqin request_several.der
answer other_issuer other_ca -ndays 7 -reqin request_other.der -CA other_ca.pem
answer revoked ca -ndays 7 -index revoked.txt
answer unknown ca -ndays 7 -index unknown.txt
