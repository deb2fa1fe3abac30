#!/usr/bin/env bash
# Unmodified roadtx gets a primary refresh token (PRT) of a user on a device, and does what Windows does with it.
here=$(dirname "$0")
# shellcheck source=lib.sh
source "$here/lib.sh"
# shellcheck source=roadtx_lib.sh
source "$here/roadtx_lib.sh"

# prt FILE HOW…: a PRT of alice on the device, into the file.
prt() {
  local file=$1
  shift
  into "$file" roadtx prt -u alice@lab.test "$@" "${key[@]}" -f "$file"
}

# user_token FILE [OPTION…]: redeems one, into the file.
user_token() {
  local file=$1
  shift
  into "$file" roadtx prtauth -c "$client" "${broker_uri[@]}" --tokenfile "$file" "$@"
}

# sso FILE SESSION_KEY: a browser with the PRT in its cookie, which needs no password.
sso() {
  into "$1" roadtx gettokens -c "$client" "${resource[@]}" -t "$tenant" --tokenfile "$1" \
    -ru https://login.microsoftonline.com/common/oauth2/nativeclient \
    --prt "$(member refresh_token <renewed.prt)" --prt-sessionkey "$2"
}

joins PRTROAD
refuses "no PRT for a wrong password: AADSTS50126" AADSTS50126 prt none.prt -p wrong
check "roadtx gets a PRT for the password" prt first.prt -p Lab-Password-1
session=$(member session_key <first.prt)
other=${session//[0-9]/a}
sed "s/$session/$other/" first.prt >other.prt

check "roadtx redeems it" user_token user.json "${resource[@]}" -f first.prt
says uda_token.py user.json "$device"
takes_token "the user's token" user.json
user=$("$CMGLAB_PYTHON" -c 'import checks; print(checks.USER["id"])')
awaits "CCM_STS.log names the user and the device" "$sts_log" \
  "TokenType: UDA TenantId: $tenant UserId: $user DeviceId: $device"
refuses "with another session key: AADSTS70000" AADSTS70000 user_token none.json "${resource[@]}" -f other.prt
refuses "for an unknown resource: AADSTS500011" AADSTS500011 user_token none.json -r https://Nowhere -f first.prt
check "roadtx redeems it by version 3 of the protocol" \
  user_token v3.json -v3 -s "https://ConfigMgrService/.default openid offline_access" -f first.prt
says uda_token.py v3.json "$device"

cp first.prt renewed.prt
check "roadtx renews the PRT" roadtx prt -a renew -f renewed.prt
check "the new one is another" test "$(member refresh_token <renewed.prt)" != "$(member refresh_token <first.prt)"
check "roadtx redeems the new one" user_token again.json "${resource[@]}" -f renewed.prt
check "a browser that has it signs in by itself" sso sso.json "$session"
says uda_token.py sso.json "$device"
refuses "a browser with another session key does not" "No authentication code" sso none.json "$other"

# A key of Windows Hello takes the place of the password. It is registered with a token of user and device.
check "roadtx gets a token to register keys with" user_token registration.json \
  -r devicereg -c $broker -ru "ms-appx-web://Microsoft.AAD.BrokerPlugin/$broker" -f first.prt
hello() { roadtx winhello -k hello.key --access-token "$(member accessToken <registration.json)"; }
check "roadtx registers a key of Windows Hello" grep -q "'kid'" <(hello)
check "roadtx gets a PRT for it" prt hello.prt -hk hello.key
check "roadtx redeems that" user_token hello.json "${resource[@]}" -f hello.prt
says uda_token.py hello.json "$device"
openssl genrsa -traditional -out stranger.key 2048 2>/dev/null
refuses "no PRT for a key that nobody registered: AADSTS135010" AADSTS135010 prt none.prt -hk stranger.key

check "roadtx removes the device" roadtx device -a delete "${key[@]}"
refuses "the PRT of a removed device is refused: AADSTS700003" AADSTS700003 \
  user_token none.json "${resource[@]}" -f first.prt
