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
