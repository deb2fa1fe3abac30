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

handshake() {
  openssl s_client -connect cmg.lab.test:443 -verify_return_error -CAfile "$CMGLAB_TRUST" "$@" </dev/null
}
# asks_for_none HOST [OPTION…]: a handshake that stands, without a word of client certificates.
asks_for_none() {
  local host=$1 said
  shift
  said=$(openssl s_client -connect "$host:443" "$@" </dev/null 2>&1)
  grep -q "BEGIN CERTIFICATE" <<<"$said" && ! grep -q "^Requested Signature Algorithms: " <<<"$said"
}
certificate=$(topology client_certificate)
known=(-cert "$certificate" -key "$certificate")
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=LABPC1 -keyout self.key -out self.crt 2>/dev/null
for version in 3 2; do
  check "TLS 1.$version" handshake -tls1_$version
  check "TLS 1.$version with the PKI's client certificate" handshake -tls1_$version "${known[@]}"
  # It is judged behind the handshake, request by request.
  check "TLS 1.$version with a client certificate of nobody" handshake -tls1_$version -cert self.crt -key self.key
  check "TLS 1.$version: the gateway asks for a client certificate" \
    grep -q "^Requested Signature Algorithms: " <(handshake -tls1_$version 2>&1)
  check "TLS 1.$version: it names no authorities of its own" \
    grep -q "^No client certificate CA names sent" <(handshake -tls1_$version 2>&1)
  check "TLS 1.$version: Azure AD does not" asks_for_none login.microsoftonline.com -tls1_$version
done
# Refused by the gateway's own alert (protocol version, or handshake failure), not by this OpenSSL.
for version in 1 1_1; do
  refuses "no -tls$version, which this OpenSSL would speak" "SSL alert number [47]0$" \
    handshake -tls$version -cipher DEFAULT@SECLEVEL=0
done

checks_name() { openssl x509 -in cmg.pem -noout -checkhost "$1"; }
check "the certificate is the service's" grep -q "does match" <(checks_name cmg.lab.test)
check "it is not the management point's" grep -q "does NOT match" <(checks_name mp.lab.test)
check "its common name is the service's" grep -qi "CN *= *cmg.lab.test$" <(openssl x509 -in cmg.pem -noout -subject)
refuses "OpenSSL refuses the gateway under another name" "hostname mismatch" \
  handshake -verify_hostname mp.lab.test
check "OpenSSL accepts it under its own" handshake -verify_hostname cmg.lab.test
