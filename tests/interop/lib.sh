# shellcheck shell=bash disable=SC2034
# Helpers of the shell checks; sourced.
set -euo pipefail
bad=0
# A script that stops early has failed, whatever it found until then.
trap 'status=$?; exit $((status | bad))' EXIT

ok() { printf 'ok      %s\n' "$*"; }

failed() {
  printf 'FAILED  %s\n' "$*"
  bad=1
}

# check TEXT COMMAND…: the command must succeed; what it says is shown if it does not.
check() {
  local text=$1 said
  shift
  if said=$("$@" 2>&1); then ok "$text"; else failed "$text"; printf '%s\n' "$said" | sed 's/^/        /'; fi
}

# refuses TEXT PATTERN COMMAND…: the command must fail and say why.
refuses() {
  local text=$1 pattern=$2 said
  shift 2
  if said=$("$@" 2>&1); then
    failed "$text: it succeeded"
  elif grep -q -- "$pattern" <<<"$said"; then
    ok "$text"
  else
    failed "$text: no '$pattern' in:"
    printf '%s\n' "$said" | sed 's/^/        /'
  fi
}

# topology NAME: the first value of that name in the lab's ready file.
topology() {
  sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" "$CMGLAB_READY" | head -n 1
}

# member NAME: a text member of the JSON object on standard input, whose texts need no unescaping.
member() {
  sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"
}

# awaits TEXT FILE PATTERN: a line of a log, which is written after the answer.
awaits() {
  if grep -qm1 -- "$3" < <(timeout 10 tail -n +1 -F -- "$2" 2>/dev/null); then
    ok "$1"
  else
    failed "$1: no '$3' in $2"
  fi
}

# sign_in FILE PASSWORD: Azure AD's answer to a user's password; its head goes to the file.
sign_in() {
  curl -sS -D "$1" "https://login.microsoftonline.com/$tenant/oauth2/token" \
    --data-urlencode grant_type=password --data-urlencode username=alice@lab.test \
    --data-urlencode "password=$2" --data-urlencode "client_id=$(topology client_app)" \
    --data-urlencode resource=https://ConfigMgrService
}

# sts FILE TOKEN: the answer of CCM_STS by way of the gateway; its head goes to the file.
sts() {
  curl -sS -D "$1" -H "Authorization: Bearer $2" \
    "https://cmg.lab.test/CCM_Proxy_ServerAuth/$(topology role_id)/CCM_STS"
}

# status FILE: the status line of a response head.
status() { head -n 1 "$1" | tr -d '\r'; }

jwt='^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}$'
tenant=$(sed -n '/"tenants"/,/}/s/^ *"id": "\(.*\)",/\1/p' "$CMGLAB_READY" | head -n 1)
