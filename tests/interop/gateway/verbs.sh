#!/usr/bin/env bash
# The verbs that pass the gateway and those that do not, and bodies that are too large, as curl sends them.
here=$(dirname "$0")
# shellcheck source=../lib.sh
source "$here/../lib.sh"
# shellcheck source=lib.sh
source "$here/lib.sh"
token=(-H "Authorization: Bearer $(ccm_token)")
messages=$server/ccm_system_tokenauth/request
documented="GET, HEAD, POST, CCM_POST, BITS_POST, PROPFIND"

# passes VERB URL [CURL ARGUMENT…]: the management point's answer comes back, whatever it is.
passes() {
  local verb=$1
  shift
  asks -X "$verb" "$@" || true
  check "$verb passes the gateway: $(told)" grep -Eq '^(200 OK|[45][0-9]{2} CMGConnector_)' <(told)
}
passes CCM_POST "$messages" "${token[@]}" -d ''
passes POST "$messages" "${token[@]}" -d ''
passes GET "$messages" "${token[@]}"
passes BITS_POST "$mutual/CCM_Incoming/x" "${good[@]}" -d ''
passes PROPFIND "$server/CCM_Client/" "${token[@]}"
passes PROPFIND "$mutual/CCM_Client/" "${good[@]}"

for verb in PUT DELETE TRACE CONNECT OPTIONS PATCH COPY ccm_post; do
  answers "$verb with a token" "405 CMGService_MethodNotAllowed" -X $verb "${token[@]}" "$messages"
  check "Allow has the documented verbs" test "$(header Allow)" = "$documented"
done
answers "PUT with a certificate" "405 CMGService_MethodNotAllowed" -X PUT "${good[@]}" "$mutual/CCM_Client/x" -d x
answers "PUT of a stranger at an unknown path" "405 CMGService_MethodNotAllowed" -X PUT "$gateway/" -d x
answers "POST where there is only something to read" "405 CMGService_MethodNotAllowed" \
  -X POST "$gateway/CCM_Proxy_MutualAuth/ServiceMetadata"
check "Allow says what to use" test "$(header Allow)" = "GET, HEAD"

# Lengths.
head -c $((3 * 1024 * 1024)) /dev/zero >large.bin
head -c $((2 * 1024 * 1024)) /dev/zero >largest.bin
sends=(-X CCM_POST "${token[@]}" -H "Content-Type: application/octet-stream" "$messages")
too_large="413 CMGService_RequestEntityTooLarge"
answers "3 MiB, curl waits for leave to send" "$too_large" --data-binary @large.bin "${sends[@]}"
check "no leave was given" lacks "100 Continue" answer.head
uploaded=$(asks -w '%{size_upload}' --data-binary @large.bin "${sends[@]}")
check "and nothing was sent" test "$uploaded" = 0
answers "3 MiB, sent at once" "$too_large" -H "Expect:" --data-binary @large.bin "${sends[@]}"
chunked=(-H "Transfer-Encoding: chunked" --data-binary @large.bin)
answers "3 MiB in chunks, curl waits for leave to send" "$too_large" "${chunked[@]}" "${sends[@]}"
answers "3 MiB in chunks, sent at once" "$too_large" -H "Expect:" "${chunked[@]}" "${sends[@]}"
passes CCM_POST "${sends[@]:2}" --data-binary @largest.bin
both=$(curl -sS -o answer.body -w '%{http_code} ' --data-binary @large.bin "${sends[@]}" \
  --next -sS -o answer.body -w '%{http_code}' "${token[@]}" "$server/CCM_Client/ccmsetup.cab")
check "one curl goes on after a 413" test "$both" = "413 200"
