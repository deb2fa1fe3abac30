#!/usr/bin/env bash
# Which ports of the gateway's name stand open: the arguments, those behind `--` closed.
here=$(dirname "$0")
# shellcheck source=../lib.sh
source "$here/../lib.sh"

shakes_hands() { openssl s_client -connect "cmg.lab.test:$1" -servername cmg.lab.test </dev/null 2>&1; }

open=true
for port in "$@"; do
  if [ "$port" = -- ]; then
    open=false
  elif $open; then
    check "TLS on port $port" grep -q "BEGIN CERTIFICATE" <(shakes_hands "$port")
  else
    refuses "port $port is closed" "refused" shakes_hands "$port"
  fi
done
