# shellcheck shell=bash disable=SC2034
# What the shell checks of the gateway share; sourced after ../lib.sh.
gateway=https://cmg.lab.test
mutual=$gateway/CCM_Proxy_MutualAuth/$(topology role_id)
server=$gateway/CCM_Proxy_ServerAuth/$(topology role_id)
certificate=$(topology client_certificate)
good=(--cert "$certificate")

# ccm_token: a CCM token, by way of a user's password.
ccm_token() { sts ccm.head "$(sign_in aad.head Lab-Password-1 | member access_token)"; }

# asks [CURL ARGUMENT…]: one request; the head of its answer goes to answer.head, its body to answer.body.
asks() {
  rm -f answer.head answer.body
  curl -sS -D answer.head -o answer.body "$@"
}

# told: the status line that counts, without the version: what comes after any 100 Continue.
told() { sed -n 's/^HTTP\/1\.1 //p' answer.head | tail -n 1 | tr -d '\r'; }

# header NAME: the value of a header of the last answer.
header() { sed -n "s/^$1: *//Ip" answer.head | tr -d '\r'; }

# answers TEXT STATUS [CURL ARGUMENT…]: curl is content with the answer, which has this status and reason.
answers() {
  local text=$1 expected=$2 said status=0
  shift 2
  said=$(asks "$@" 2>&1) || status=$?
  if [ "$status" = 0 ] && [ "$(told)" = "$expected" ]; then
    ok "$text: $expected"
  else
    failed "$text: $expected expected, got '$(told)'; curl ended with $status $said"
  fi
}

# lacks PATTERN FILE: the file is there and has no such line.
lacks() { [ -e "$2" ] && ! grep -q -- "$1" "$2"; }
