#!/usr/bin/env bash
# The gateway's certificate as OpenSSL judges it, with the CRL that its distribution point publishes.
here=$(dirname "$0")
# shellcheck source=lib.sh
source "$here/lib.sh"

# chain HOST FILE: the certificates that a host shows, in PEM; leaf first.
chain() {
  openssl s_client -connect "$1:443" -servername "$1" -showcerts </dev/null 2>/dev/null |
    sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' >"$2"
}

# crl_of CERTIFICATE FILE: the CRL that a certificate points to, in PEM.
crl_of() {
  local url
  url=$(openssl x509 -in "$1" -noout -ext crlDistributionPoints | sed -n 's/^ *URI:\(http:.*\)/\1/p')
  echo "$url"
  curl -fsS "$url" | openssl crl -inform DER -out "$2"
}

judge() {
  openssl verify -x509_strict -purpose sslserver -verify_hostname cmg.lab.test \
    -CAfile "$CMGLAB_TRUST" -untrusted cmg.pem "$@" cmg.pem
}

chain cmg.lab.test cmg.pem
chain login.microsoftonline.com aad.pem
check "the CRL is at the gateway's distribution point" crl_of cmg.pem cmg.crl.pem
crl_of aad.pem other.crl.pem >/dev/null
# A CRL of the right issuer whose signature does not hold: its last byte is another.
openssl crl -in cmg.crl.pem -outform DER -out good.der
{ head -c -1 good.der; tail -c 1 good.der | tr '\000-\377' '\001-\377\000'; } >broken.der
openssl crl -inform DER -in broken.der -out broken.crl.pem

check "OpenSSL accepts the gateway with its published CRL" judge -crl_check -CRLfile cmg.crl.pem
refuses "OpenSSL refuses it without a CRL" "unable to get certificate CRL" judge -crl_check
refuses "OpenSSL refuses it with the CRL of another authority" "unable to get certificate CRL" \
  judge -crl_check -CRLfile other.crl.pem
refuses "OpenSSL refuses it with a CRL whose signature is broken" "CRL signature failure" \
  judge -crl_check -CRLfile broken.crl.pem
refuses "OpenSSL refuses it when only another authority is trusted" "unable to get local issuer" \
  openssl verify -no-CApath -no-CAstore -CAfile aad.pem -untrusted cmg.pem cmg.pem

handshake() { openssl s_client -connect cmg.lab.test:443 -verify_return_error -CAfile "$CMGLAB_TRUST" "$@" </dev/null; }
check "TLS 1.3" handshake -tls1_3
check "TLS 1.2" handshake -tls1_2
refuses "no TLS 1.1" "alert\|no protocols\|unsupported" handshake -tls1_1 -cipher DEFAULT@SECLEVEL=0
