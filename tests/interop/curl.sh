#!/usr/bin/env bash
# A CCM token and the client's package by hand: curl and cabextract, nothing else.
here=$(dirname "$0")
# shellcheck source=lib.sh
source "$here/lib.sh"

# The line that `cmglab up` prints for people to copy.
line=$(sed -n 's/^ *\(curl .*\)/\1/p' "$CMGLAB_UP")
check "the curl line that up prints is answered" grep -q "\"TenantId\":\"$tenant\"" <(bash -c "$line -sS")

aad=$(sign_in aad.head Lab-Password-1 | member access_token)
check "Azure AD: $(status aad.head)" grep -Eq "$jwt" <<<"$aad"
check "Azure AD refuses another password" grep -q AADSTS50126 <(sign_in wrong.head wrong)

ccm=$(sts ccm.head "$aad")
check "CCM_STS: $(status ccm.head)" grep -q '^HTTP/1.1 200 OK' ccm.head
check "CCM_STS answers with a JWT" grep -Eq "$jwt" <<<"$ccm"
sts refused.head "$ccm" >/dev/null
check "CCM_STS, given its own token: $(status refused.head)" \
  grep -q '^HTTP/1.1 401 CMGService_Invalid_Token' refused.head

curl -sS -o ccmsetup.cab -H "Authorization: Bearer $ccm" \
  "https://cmg.lab.test/CCM_Proxy_ServerAuth/$(topology role_id)/CCM_Client/ccmsetup.cab"
check "cabextract takes ccmsetup.cab" cabextract -t ccmsetup.cab
head -c -20 ccmsetup.cab >short.cab
refuses "cabextract refuses it cut short" "" cabextract -t short.cab

refuses "curl refuses a gateway whose authority it does not know" "certificate" \
  env -u CURL_CA_BUNDLE -u SSL_CERT_FILE curl -sS "https://cmg.lab.test/CCM_STS"
