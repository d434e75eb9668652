#!/bin/sh
# signature.sh SIGN-SCRIPT UNSIGNED SIGNED CERTIFICATE: the signature is valid for the unchanged file only, and sign.sh signs with
# the builder's own certificate, as PEM and as PFX with a password.
set -eu

sign=$1
unsigned=$2
signed=$3
certificate=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "signature: $*"
    exit 1
}

verify() { # FILE CERTIFICATE
    osslsigncode verify -CAfile "$2" -in "$1" >"$work/log" 2>&1
}

verify "$signed" "$certificate" || {
    cat "$work/log"
    fail 'the built DLL does not verify'
}
! verify "$unsigned" "$certificate" || fail 'the unsigned DLL verifies'

# Changes one bit in the middle of the code, and not the size.
cp "$signed" "$work/altered"
at=$(($(wc -c <"$signed") / 3))
byte=$(od -An -tu1 -j "$at" -N 1 "$signed" | tr -d ' ')
# shellcheck disable=SC2059 # the byte is the format
printf "\\$(printf '%03o' $((byte ^ 1)))" | dd of="$work/altered" bs=1 seek="$at" conv=notrunc 2>/dev/null
! cmp -s "$signed" "$work/altered" || fail 'no byte was altered'
! verify "$work/altered" "$certificate" || fail 'an altered DLL verifies'

sh "$sign" --made-in "$work/own" "$unsigned" "$work/other.dll"
verify "$work/other.dll" "$work/own/certificate.pem" || fail 'signed anew, it does not verify'
! verify "$work/other.dll" "$certificate" || fail 'any certificate will do'

sh "$sign" --pem "$work/own/certificate.pem" "$work/own/key.pem" "$unsigned" "$work/pem.dll"
verify "$work/pem.dll" "$work/own/certificate.pem" || fail 'signed by PEM files, it does not verify'

AKVEKM_SIGN_PASSWORD=correct-horse
export AKVEKM_SIGN_PASSWORD
openssl pkcs12 -export -in "$work/own/certificate.pem" -inkey "$work/own/key.pem" -out "$work/own.pfx" \
    -passout env:AKVEKM_SIGN_PASSWORD
sh "$sign" --pfx "$work/own.pfx" "$unsigned" "$work/pfx.dll"
verify "$work/pfx.dll" "$work/own/certificate.pem" || fail 'signed by a PFX file, it does not verify'
AKVEKM_SIGN_PASSWORD=wrong
! sh "$sign" --pfx "$work/own.pfx" "$unsigned" "$work/wrong.dll" 2>/dev/null || fail 'a wrong password signs'
[ ! -e "$work/wrong.dll" ] || fail 'a failure leaves a file'

osslsigncode remove-signature -in "$signed" -out "$work/bare.dll" >/dev/null 2>&1
cmp "$work/bare.dll" "$unsigned" || fail 'signing changed more than it says'
