# shellcheck shell=bash disable=SC2034,SC2154
# What the checks of roadtx share; sourced after lib.sh.
client=$(topology client_app)
broker=29d9ed98-a469-4536-ade2-f981bc1d605e
resource=(-r https://ConfigMgrService)
broker_uri=(-ru "ms-appx-web://Microsoft.AAD.BrokerPlugin/$client")
sts_log=$CMGLAB_OUT/logs/MP.LAB.TEST/CCM_STS.log

roadtx() { "$(dirname "$CMGLAB_PYTHON")/roadtx" "$@"; }

# into FILE COMMAND…: some commands of roadtx end with 0 though they have nothing; what counts is the file.
into() {
  local file=$1
  shift
  rm -f "$file"
  "$@" && test -s "$file"
}

# joins NAME: a device of that name; its certificate and key become the array `key`, its id `device`.
joins() {
  local name=$1
  key=(--cert-pem "$name.pem" --key-pem "$name.key")
  check "roadtx signs in for device registration" \
    roadtx gettokens -u alice@lab.test -p Lab-Password-1 -r devicereg -c $broker
  check "roadtx joins a device" roadtx device -a join -n "$name" -d lab.test "${key[@]}"
  device=$(openssl x509 -in "$name.pem" -noout -subject -nameopt multiline | sed -n 's/.*commonName *= //p')
}

# device_token FILE [OPTION…]: as Windows asks for it, into the file.
device_token() {
  local file=$1
  shift
  into "$file" roadtx deviceauth "${key[@]}" --client "$client" "${resource[@]}" -t "$tenant" --tokenfile "$file" "$@"
}

# takes_token WHAT FILE: CCM_STS, given the token of a file.
takes_token() {
  local ccm
  ccm=$(sts "$2.head" "$(member accessToken <"$2")")
  check "CCM_STS, given $1: $(status "$2.head")" grep -q '^HTTP/1.1 200 OK' "$2.head"
  check "CCM_STS answers with a JWT" grep -Eq "$jwt" <<<"$ccm"
}

# says SCRIPT FILE…: what a Python check finds in the token of a file.
says() {
  "$CMGLAB_PYTHON" "$here/$@" || failed "$*"
}
