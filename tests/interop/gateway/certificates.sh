#!/usr/bin/env bash
# Client certificates at the gateway, as curl presents them: MutualAuth wants one, ServerAuth looks at none.
here=$(dirname "$0")
# shellcheck source=../lib.sh
source "$here/../lib.sh"
# shellcheck source=lib.sh
source "$here/lib.sh"
token=(-H "Authorization: Bearer $(ccm_token)")
cab=CCM_Client/ccmsetup.cab

# Three that the site's PKI has not issued: of nobody, of another authority, and of one that bears the name of
# the real issuer.
usage=$'basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth'
new_key=(-newkey rsa:2048 -nodes -days 30)
openssl req -x509 "${new_key[@]}" -subj /CN=LABPC1 -addext extendedKeyUsage=clientAuth \
  -keyout self.key -out self.crt 2>/dev/null
# forged FILE ISSUER: a certificate of an authority of that name.
forged() {
  openssl req -x509 "${new_key[@]}" -subj "$2" -keyout ca.key -out ca.crt 2>/dev/null
  openssl req "${new_key[@]}" -subj /CN=LABPC1 -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -days 30 -extfile <(echo "$usage") \
    -out "$1.leaf" 2>/dev/null
  cat "$1.leaf" ca.crt >"$1.crt"
}
issuer=$(openssl x509 -in "$certificate" -noout -issuer -nameopt RFC2253 | sed 's/^issuer=//')
forged stranger /CN=Stranger
forged namesake "/$issuer"
check "the forged issuer bears the real one's name" test "$issuer" = \
  "$(openssl x509 -in namesake.leaf -noout -issuer -nameopt RFC2253 | sed 's/^issuer=//')"
bad() { printf '%s\n' --cert "$1.crt" --key "$1.key"; }

answers "MutualAuth, the PKI's certificate" "200 OK" "${good[@]}" "$mutual/$cab"
cp answer.body whole.cab
check "cabextract takes what came" cabextract -t whole.cab
openssl x509 -in "$certificate" -out leaf.crt
answers "MutualAuth, the certificate without its intermediate, which the gateway has" "200 OK" \
  --cert leaf.crt --key "$certificate" "$mutual/$cab"
answers "MutualAuth, no certificate" "403 CMGService_Forbidden" "$mutual/$cab"
for whose in self stranger namesake; do
  mapfile -t shown < <(bad $whose)
  answers "MutualAuth, a certificate of $whose" "401 CMGService_Unauthorized" "${shown[@]}" "$mutual/$cab"
done
answers "MutualAuth, a token in place of a certificate" "403 CMGService_Forbidden" "${token[@]}" "$mutual/$cab"
answers "MutualAuth, a certificate where only tokens are taken" "404 CMGService_NotFound" \
  "${good[@]}" "$mutual/CCM_STS"
for path in CCM_Elsewhere/x CCM_ClientX/ccmsetup.cab ccm_system_tokenauth/request; do
  answers "MutualAuth, $path is not published" "404 CMGService_NotFound" "${good[@]}" "$mutual/$path"
done
answers "any case of the path" "200 OK" "${good[@]}" \
  "$gateway/ccm_proxy_MUTUALAUTH/$(topology role_id)/ccm_client/CCMSetup.cab"

# Parts of a file.
size=$(stat -c %s whole.cab)
answers "a range" "206 Partial Content" -r 100-199 "${good[@]}" "$mutual/$cab"
check "it is those bytes" cmp answer.body <(tail -c +101 whole.cab | head -c 100)
check "Content-Range says so" test "$(header Content-Range)" = "bytes 100-199/$size"
etag=$(asks -I "${good[@]}" "$mutual/$cab" && header ETag)
answers "a range if the file is still the same" "206 Partial Content" -r 0-9 -H "If-Range: $etag" \
  "${good[@]}" "$mutual/$cab"
answers "a range if the file is still another" "200 OK" -r 0-9 -H 'If-Range: "another"' "${good[@]}" "$mutual/$cab"
check "then all of it comes" cmp answer.body whole.cab
asks -r "$size-" "${good[@]}" "$mutual/$cab"
check "no range behind the end: $(told)" grep -q '^416 CMGConnector_' <(told)
for prefix in mutual server; do
  if [ $prefix = mutual ]; then proof=("${good[@]}"); else proof=("${token[@]}"); fi
  head -c 1000 whole.cab >part.cab
  rest=$(curl -sS -C - -o part.cab -w '%{http_code} %{size_download}' "${proof[@]}" "${!prefix}/$cab") || true
  check "curl -C - gets the rest alone, $prefix" test "$rest" = "206 $((size - 1000))"
  check "and the bytes are those of the whole, $prefix" cmp part.cab whole.cab
done
answers "HEAD" "200 OK" -I "${good[@]}" "$mutual/$cab"
check "HEAD tells the length" test "$(header Content-Length)" = "$size"
downloaded=$(asks -I -w '%{size_download}' "${good[@]}" "$mutual/$cab")
check "HEAD has no body" test "$downloaded" = 0

# Under ServerAuth the token alone counts.
answers "ServerAuth, a token" "200 OK" "${token[@]}" "$server/$cab"
check "the same bytes as by certificate" cmp answer.body whole.cab
answers "ServerAuth, the PKI's certificate and no token" "401 CMGService_Invalid_Token" "${good[@]}" "$server/$cab"
answers "ServerAuth, a token and the PKI's certificate" "200 OK" "${good[@]}" "${token[@]}" "$server/$cab"
for whose in self namesake; do
  mapfile -t shown < <(bad $whose)
  answers "ServerAuth, a token and a certificate of $whose" "200 OK" "${shown[@]}" "${token[@]}" "$server/$cab"
done

# What the gateway says of itself.
answers "ServiceMetadata under MutualAuth is public" "200 OK" "$gateway/CCM_Proxy_MutualAuth/ServiceMetadata"
check "it names the service" grep -qi '"ServiceName":"cmg.lab.test"' answer.body
check "it lists what certificates open" grep -q /SMS_MP answer.body
check "and nothing else" lacks /CCM_STS answer.body
answers "ServiceMetadata under ServerAuth, no token" "401 CMGService_Invalid_Token" \
  "$gateway/CCM_Proxy_ServerAuth/ServiceMetadata"
answers "ServiceMetadata under ServerAuth, a certificate and no token" "401 CMGService_Invalid_Token" \
  "${good[@]}" "$gateway/CCM_Proxy_ServerAuth/ServiceMetadata"
answers "ServiceMetadata under ServerAuth, a token" "200 OK" \
  "${token[@]}" "$gateway/CCM_Proxy_ServerAuth/ServiceMetadata"
check "it lists what tokens open" grep -q /CCM_STS answer.body

# The management point's own refusals bear the connection point's prefix.
sitesigncert="SMS_MP/.sms_aut?SITESIGNCERT"
asks "${good[@]}" "$mutual/$sitesigncert"
check "SITESIGNCERT, the management point's answer: $(told)" grep -Eq '^(200 OK|[45][0-9]{2} CMGConnector_)' <(told)
answers "SITESIGNCERT, no certificate" "403 CMGService_Forbidden" "$mutual/$sitesigncert"
answers "SITESIGNCERT, by token" "404 CMGService_NotFound" "${token[@]}" "$server/$sitesigncert"
answers "a file that the management point does not have" "404 CMGConnector_NotFound" \
  "${good[@]}" "$mutual/CCM_Client/elsewhere.cab"
