#!/bin/sh
# http2.sh STATE PORT: HTTP/2 in front of the vaultsim that runs on the folder STATE, as real vaults speak it, on 127.0.0.1:PORT.
# Runs until it is ended. The certificate is vaultsim's own, so clients trust STATE/ca.pem as ever. Needs nghttpx (nghttp2-proxy).
set -eu
state=$(cd "$1" && pwd)
behind=$(sed -n 's/^connect_to = ::127.0.0.1://p' "$state/akv-ekm.conf")
exec nghttpx --conf=/dev/null --no-ocsp --no-via --no-add-x-forwarded-proto --workers=1 --log-level=WARN --accesslog-file=/dev/null \
    --frontend="127.0.0.1,$2" --backend="127.0.0.1,$behind;;tls;sni=localhost" --cacert="$state/ca.pem" \
    "$state/server.key" "$state/server.pem"
