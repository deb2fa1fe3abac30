#!/usr/bin/env bash
# Unmodified roadtx joins a device, gets its token, and leaves again.
here=$(dirname "$0")
# shellcheck source=lib.sh
source "$here/lib.sh"
# shellcheck source=roadtx_lib.sh
source "$here/roadtx_lib.sh"

joins ROADPC
refuses "a redirect URI that the app has not: AADSTS50011" AADSTS50011 \
  device_token none.json -ru https://localhost/elsewhere
check "roadtx gets a device token" device_token device.json "${broker_uri[@]}"
says device_token.py device.json "$device"
takes_token "the device token" device.json
awaits "CCM_STS.log names the device and no user" "$sts_log" \
  "TokenType: Device TenantId: $tenant UserId: 00000000-0000-0000-0000-000000000000 DeviceId: $device"

check "roadtx removes the device" roadtx device -a delete "${key[@]}"
refuses "a removed device gets no token: AADSTS700003" AADSTS700003 device_token none.json "${broker_uri[@]}"

# A computer of the local domain that the lab's directory knows as synchronised; the lab made its certificate.
hybrid_sid=S-1-5-21-1004336348-1177238915-682003330-2101
cp "$(sed -n 's/.*"\(.*device-.*\.pem\)".*/\1/p' "$CMGLAB_READY" | head -n 1)" hybrid.pem
hybrid() {
  into hybridpc1_aad.pem \
    roadtx hybriddevice -c hybrid.pem -k hybrid.pem -n HYBRIDPC1 -d lab.test -t "$tenant" --sid "$1"
}
refuses "a hybrid join with another computer's SID" SidMismatch hybrid "${hybrid_sid%1}2"
check "roadtx joins a hybrid device" hybrid $hybrid_sid
key=(--cert-pem hybridpc1_aad.pem --key-pem hybridpc1_aad.key)
check "the hybrid device gets a token" device_token hybrid.json "${broker_uri[@]}"
check "roadtx removes the hybrid device" roadtx device -a delete "${key[@]}"
