#!/usr/bin/env bash
# Unmodified roadtx joins a device, gets its token, and leaves again.
here=$(dirname "$0")
# shellcheck source=lib.sh
source "$here/lib.sh"
client=$(topology client_app)
broker=29d9ed98-a469-4536-ade2-f981bc1d605e
roadtx() { "$(dirname "$CMGLAB_PYTHON")/roadtx" "$@"; }

# device_token [OPTION…]: as Windows asks for it, unless roadtx is to choose the redirect URI itself.
device_token() {
  roadtx deviceauth --cert-pem device.pem --key-pem device.key --client "$client" \
    -r https://ConfigMgrService -t "$tenant" --tokenfile device.json "$@"
}
broker_uri=(-ru "ms-appx-web://Microsoft.AAD.BrokerPlugin/$client")

check "roadtx signs in for device registration" \
  roadtx gettokens -u alice@lab.test -p Lab-Password-1 -r devicereg -c $broker
check "roadtx joins a device" \
  roadtx device -a join -n ROADPC -d lab.test --cert-pem device.pem --key-pem device.key
refuses "a redirect URI that the app has not: AADSTS50011" AADSTS50011 device_token
check "roadtx gets a device token" device_token "${broker_uri[@]}"
"$CMGLAB_PYTHON" "$here/device_token.py" device.json device.pem || failed "PyJWT does not take the device token"

ccm=$(sts device.head "$(member accessToken <device.json)")
check "CCM_STS, given the device token: $(status device.head)" grep -q '^HTTP/1.1 200 OK' device.head
check "CCM_STS answers with a JWT" grep -Eq "$jwt" <<<"$ccm"
device=$(openssl x509 -in device.pem -noout -subject -nameopt multiline | sed -n 's/.*commonName *= //p')
awaits "CCM_STS.log names the device and no user" "$CMGLAB_OUT/logs/MP.LAB.TEST/CCM_STS.log" \
  "TokenType: Device TenantId: $tenant UserId: 00000000-0000-0000-0000-000000000000 DeviceId: $device"

check "roadtx removes the device" roadtx device -a delete --cert-pem device.pem --key-pem device.key
refuses "a removed device gets no token: AADSTS700003" AADSTS700003 device_token "${broker_uri[@]}"
