# inside.sh BUILD PEERS CLIENT...: called by run.sh in network and mount namespaces of its own. Starts vaultsim under the
# real names and ports, runs the clients, prints the table.
set -u
build=$1 peers=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
SIM=$(mktemp -d) results=$(mktemp -d)
export SIM
sim='' imds=''
trap 'kill $sim $imds 2>/dev/null; rm -rf "$SIM" "$results"' EXIT

ip link set lo up
ip addr add 169.254.169.254/32 dev lo
mount -t tmpfs none /var/opt
mkdir -p /var/opt/azcmagent/tokens
cat >"$SIM.hosts" <<END
127.0.0.1 localhost contoso-vault.vault.azure.net contoso-hsm.managedhsm.azure.net
127.0.0.1 login.microsoftonline.com login.windows.net login.microsoft.com sts.windows.net oidc.vaultsim.test
END
mount --bind "$SIM.hosts" /etc/hosts
rm -f "$SIM.hosts"

"$build/vaultsim" --state "$SIM" --port 443 --imds-port 8080 --arc-port 40342 --arc-tokens /var/opt/azcmagent/tokens >"$SIM/out" &
sim=$!
until grep -qs ready "$SIM/out"; do sleep 0.1; done
# Some libraries know the address of IMDS only.
socat TCP-LISTEN:80,bind=169.254.169.254,fork,reuseaddr TCP:127.0.0.1:8080 &
imds=$!

ctl() { "$build/vaultsim" ctl --state "$SIM" "$@" >/dev/null || echo "failed: $*" >&2; }
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=peer -days 2 -keyout "$SIM/app.key" -out "$SIM/app.crt" 2>/dev/null
cat "$SIM/app.key" "$SIM/app.crt" >"$SIM/app.pem"
openssl pkcs12 -export -passout pass: -in "$SIM/app.pem" -out "$SIM/app.pfx"
id=11111111-2222-4333-8444-555555555555
ctl POST /clients "{\"client_id\":\"$id\",\"certificates\":[\"$SIM/app.crt\"],\"federated\":[{},
    {\"issuer\":\"https://login.microsoftonline.com/72f988bf-0000-4000-8000-2d7cd011db47/v2.0\",
     \"subject\":\"33333333-aaaa-4555-8666-777777777777\"}],\"permissions\":[\"all\"]}"
ctl POST /oidc/token '{}'
ctl POST /keys '{"vault":"contoso-vault.vault.azure.net","name":"peer","kty":"RSA"}'
ctl POST /keys '{"vault":"contoso-hsm.managedhsm.azure.net","name":"peer","kty":"RSA-HSM"}'

export SSL_CERT_FILE="$SIM/ca.pem" REQUESTS_CA_BUNDLE="$SIM/ca.pem" NODE_EXTRA_CA_CERTS="$SIM/ca.pem"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
for client; do
    ctl DELETE /counters
    (PEERS="$peers" HERE="$here" timeout 600 sh "$here/$client.sh" run) >"$results/$client" 2>"$results/$client.err" ||
        echo "RESULT (the program): exit $?" >>"$results/$client"
    leaked=$("$build/vaultsim" ctl --state "$SIM" GET /counters | sed -n 's/.*"leaked_secrets": *\([0-9]*\).*/\1/p')
    [ "${leaked:-0}" = 0 ] || echo "RESULT (leaked secrets): $leaked" >>"$results/$client"
done

failed=0
printf '%-14s %-34s %s\n' client case outcome
for client; do
    grep '^RESULT ' "$results/$client" | while IFS= read -r line; do
        line=${line#RESULT }
        printf '%-14s %-34s %s\n' "$client" "${line%%: *}" "${line#*: }"
    done
    if ! grep -q '^RESULT ' "$results/$client"; then
        printf '%-14s %-34s %s\n' "$client" "(the program)" "said nothing"
    fi
    if [ -n "${VERBOSE:-}" ]; then cat "$results/$client.err" >&2; fi
    ! grep '^RESULT ' "$results/$client" | grep -qvE ': (ok|expected: .*)$' || failed=1
done
exit "$failed"
