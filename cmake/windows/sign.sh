#!/bin/sh
# sign.sh [OPTION]... IN OUT: signs a Windows file (Authenticode, SHA-256).
#   --made-in FOLDER   by a certificate made on the spot and kept in FOLDER (certificate.pem, key.pem): for tests, no one
#                      trusts it
#   --pem CERTS KEY    by your own: PEM files, the certificate first, then those that lead to the root
#   --pfx FILE         by your own: a PKCS#12 file
#   --timestamp URL    asks this server (RFC 3161) for the time, so that the signature outlives the certificate
# A password of the key is taken from the variable AKVEKM_SIGN_PASSWORD, never from the command line.
set -eu

name='akv-ekm'
url='https://learn.microsoft.com/sql/relational-databases/security/encryption/extensible-key-management-ekm'
mode=
timestamp=

usage() {
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

make_certificate() {
    [ ! -f "$folder/certificate.pem" ] || return 0
    mkdir -p "$folder"
    (
        umask 077
        openssl req -x509 -newkey rsa:3072 -nodes -sha256 -days 3650 -subj '/CN=akv-ekm test signing' \
            -addext 'basicConstraints=critical,CA:FALSE' -addext 'keyUsage=critical,digitalSignature' \
            -addext 'extendedKeyUsage=codeSigning' \
            -keyout "$folder/key.pem" -out "$folder/certificate.new" 2>"$folder/openssl.log"
    ) || {
        cat "$folder/openssl.log" >&2
        exit 1
    }
    mv "$folder/certificate.new" "$folder/certificate.pem"
}

while [ $# -gt 2 ]; do
    case $1 in
    --made-in)
        mode=made folder=$2
        shift 2
        ;;
    --pem)
        [ $# -gt 3 ] || usage
        mode=pem certificates=$2 key=$3
        shift 3
        ;;
    --pfx)
        mode=pfx pfx=$2
        shift 2
        ;;
    --timestamp)
        timestamp=$2
        shift 2
        ;;
    *) usage ;;
    esac
done
if [ $# -ne 2 ] || [ -z "$mode" ]; then
    usage
fi
in=$1
out=$2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$mode" = made ]; then
    make_certificate
    certificates=$folder/certificate.pem key=$folder/key.pem
fi
if [ "$mode" = pfx ]; then
    set -- -pkcs12 "$pfx"
else
    set -- -certs "$certificates" -key "$key"
fi
if [ -n "${AKVEKM_SIGN_PASSWORD:-}" ]; then
    (umask 077 && printf '%s' "$AKVEKM_SIGN_PASSWORD" >"$work/password")
    set -- "$@" -readpass "$work/password"
fi
[ -z "$timestamp" ] || set -- "$@" -ts "$timestamp"

# osslsigncode never overwrites: the new file takes the old one's place only when it is whole.
osslsigncode sign "$@" -h sha256 -n "$name" -i "$url" -in "$in" -out "$work/signed" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    echo "sign.sh: $in is not signed" >&2
    exit 1
}
rm -f "$out"
cp "$work/signed" "$out"
