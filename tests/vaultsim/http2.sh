#!/bin/sh
# http2.sh STATE PORT: serves HTTP/2, which real vaults speak, on 127.0.0.1:PORT in front of the vaultsim with the folder STATE.
# Runs until it is ended. It has vaultsim's own certificate, so clients trust STATE/ca.pem as usual. Needs nghttpx (nghttp2-proxy).
set -eu
state=$(cd "$1" && pwd)
behind=$(sed -n 's/^connect_to = ::127.0.0.1://p' "$state/akv-ekm.conf")
exec nghttpx --conf=/dev/null --no-ocsp --no-via --no-add-x-forwarded-proto --workers=1 --log-level=WARN --accesslog-file=/dev/null \
    --frontend="127.0.0.1,$2" --backend="127.0.0.1,$behind;;tls;sni=localhost" --cacert="$state/ca.pem" \
    "$state/server.key" "$state/server.pem"
