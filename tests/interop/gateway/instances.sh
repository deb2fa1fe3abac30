#!/usr/bin/env bash
# A gateway of four instances and two connection points: each of them gets its share, and logs for itself.
here=$(dirname "$0")
# shellcheck source=../lib.sh
source "$here/../lib.sh"
# shellcheck source=lib.sh
source "$here/lib.sh"
instances=(RD0003FF74AB12 RD0003FF74AB13 RD0003FF74AB14 RD0003FF74AB15)
mark=spread-$$

# Each curl is a connection of its own.
for _ in {1..20}; do
  asks -A $mark "${good[@]}" "$mutual/CCM_Client/ccmsetup.cab?$mark" || true
  told
done >spread.txt
check "20 requests over connections of their own are answered" test "$(grep -c '^200 OK$' spread.txt)" = 20
for instance in "${instances[@]}"; do
  awaits "$instance has requests in its IIS.log" "$CMGLAB_OUT/logs/$instance/IIS.log" " $mark "
  awaits "$instance has them in its CMGService.log" "$CMGLAB_OUT/logs/$instance/CMGService.log" "ccmsetup.cab?$mark"
done
for host in CP.LAB.TEST CP2.LAB.TEST; do
  awaits "$host has forwarded some" "$CMGLAB_OUT/logs/$host/SMS_CLOUD_PROXYCONNECTOR.log" "ccmsetup.cab?$mark"
done
# Lines are written in order, so whoever sees a later request sees all of the earlier ones.
asks -A "$mark-end" "${good[@]}" "$mutual/CCM_Client/ccmsetup.cab"
grep -qm1 -- "$mark-end" < <(timeout 10 tail -q -n +1 -F "$CMGLAB_OUT"/logs/RD*/IIS.log 2>/dev/null) || true
for instance in "${instances[@]}"; do
  check "$instance had five of them" test "$(grep -c " $mark " "$CMGLAB_OUT/logs/$instance/IIS.log")" = 5
done
asks "$gateway/CCM_Proxy_MutualAuth/ServiceMetadata"
check "ServiceMetadata tells which instance answered" grep -Eq '"RoleInstance":"RD0003FF74AB1[2-5]"' answer.body
