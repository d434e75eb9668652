#!/bin/sh
# load.sh BUILD [PRIVATE-BUILD]: `sh cmake/dev.sh bench --peers`. The library, the bare curl loop and the Azure clients of other
# people in one run against one vaultsim: from the start of a process to its first unwrapped key, then unwraps one after the
# other and eight at once. Not part of CI: as root, for the same namespaces as run.sh.
#
# Packages are pinned in each CLIENT.sh and installed by their ordinary installers into BUILD/peers. What cannot be installed is
# left out. In the environment: LOAD_ROUNDS (5), LOAD_CALLS (3000), LOAD_CLIENTS.
#
# Processor time is user and system of the client process. That of one call is the difference of two processes, one of which
# makes LOAD_CALLS calls more, so that starting counts in neither. Each figure is the median of the rounds, in which the clients
# take turns.
set -eu
LC_ALL=C
export LC_ALL
build=$(cd "$1" && pwd)
private=
[ $# -lt 2 ] || private=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
rounds=${LOAD_ROUNDS:-5} calls=${LOAD_CALLS:-3000}

if [ -z "${LOAD_INSIDE-}" ]; then
    PEERS=$build/peers HERE=$here
    export PEERS HERE
    mkdir -p "$PEERS"
    cc -O2 -o "$PEERS/measure" "$here/load/measure.c"
    ready=
    for client in ${LOAD_CLIENTS:-rust go java javascript python}; do
        stamp=$PEERS/$client.load
        if [ -e "$stamp" ] && [ ! "$here/$client.sh" -nt "$stamp" ] && [ -z "$(find "$here/load" -newer "$stamp")" ]; then
            ready="$ready $client"
        elif sh "$here/$client.sh" install >"$PEERS/$client.log" 2>&1 && sh "$here/$client.sh" install-load >>"$PEERS/$client.log" 2>&1
        then
            touch "$stamp" "$PEERS/$client.ready"
            ready="$ready $client"
        else
            echo "$client: cannot be installed, see $PEERS/$client.log" >&2
        fi
    done
    LOAD_INSIDE=$ready
    export LOAD_INSIDE
    [ "$(id -u)" = 0 ] || { echo 'load.sh: root is needed for namespaces of its own' >&2; exit 1; }
    exec unshare -mn sh "$0" "$@"
fi

SIM=$(mktemp -d)
export SIM
sim=
trap 'kill $sim 2>/dev/null; rm -rf "$SIM"' EXIT
trap 'exit 1' HUP INT TERM
ip link set lo up
cat >"$SIM.hosts" <<END
127.0.0.1 localhost contoso-vault.vault.azure.net
127.0.0.1 login.microsoftonline.com login.windows.net login.microsoft.com sts.windows.net
END
mount --bind "$SIM.hosts" /etc/hosts
rm -f "$SIM.hosts"
"$build/vaultsim" --state "$SIM" --port 443 --imds-port 8080 --memoise >"$SIM/out" 2>"$SIM/err" &
sim=$!
until grep -qs ready "$SIM/out"; do
    kill -0 $sim || { cat "$SIM/err" >&2; exit 1; }
    sleep 0.1
done
ctl() { "$build/vaultsim" ctl --state "$SIM" "$@"; }

application=11111111-2222-4333-8444-555555555555
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=peer -days 60 -keyout "$SIM/app.key" -out "$SIM/app.crt" 2>/dev/null
mkdir -m 700 "$SIM/certificates"
cat "$SIM/app.key" "$SIM/app.crt" >"$SIM/app.pem"
install -m 600 "$SIM/app.pem" "$SIM/certificates/app.pem"
openssl pkcs12 -export -passout pass: -in "$SIM/app.pem" -out "$SIM/app.pfx"
ctl POST /clients "{\"client_id\":\"$application\",\"certificates\":[\"$SIM/app.crt\"],\"federated\":[{}]}" >/dev/null
ctl POST /oidc/token '{}' >/dev/null
ctl POST /keys '{"vault":"contoso-vault.vault.azure.net","name":"BenchKey","kty":"RSA"}' >/dev/null
AKVEKM_CONFIG=$SIM/akv-ekm.conf
export AKVEKM_CONFIG
echo "certificate_folder = $SIM/certificates" >>"$AKVEKM_CONFIG"
"$build/benchclient" sample "$SIM"
LOAD_WRAPPED=$(tail -c +21 "$SIM/bench-sample" | head -c 256 | openssl base64 -A | tr '+/' '-_' | tr -d '=')
LOAD_VERSION=$(sed -n 's|.*/keys/BenchKey/\([0-9a-f]*\).*|\1|p' "$SIM/keymap" | head -n 1)
# The system's authorities as well, as each client has them on a real machine.
cat /etc/ssl/certs/ca-certificates.crt "$SIM/ca.pem" >"$SIM/bundle.pem"
export LOAD_WRAPPED LOAD_VERSION SSL_CERT_FILE="$SIM/bundle.pem" REQUESTS_CA_BUNDLE="$SIM/bundle.pem" NODE_EXTRA_CA_CERTS="$SIM/ca.pem"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
! command -v keytool >/dev/null ||
    keytool -importcert -noprompt -alias sim -file "$SIM/ca.pem" -keystore "$SIM/trust.p12" -storepass changeit >/dev/null 2>&1

# of_client CLIENT CALLS TASKS: its command line, measured. The form of signing in is LOAD_FORM.
of_client() {
    LOAD_RUNTIME=${1#rust-}
    export LOAD_RUNTIME
    case $1 in
    library) set -- "$build/benchclient" restart "$SIM" "$2" "$3" ;;
    private) set -- "$private/benchclient" restart "$SIM" "$2" "$3" ;;
    bare) set -- "$build/bench" --bare restart "$SIM" "$2" "$3" ;;
    rust | rust-threads) set -- "$build/peers/rust/target/release/load" "$2" "$3" ;;
    go) set -- "$build/peers/go/load/load" "$2" "$3" ;;
    python) set -- "$build/peers/python/bin/python" "$here/load/load.py" "$2" "$3" ;;
    javascript) set -- node "$build/peers/javascript/load.mjs" "$2" "$3" ;;
    java)
        set -- java "-Djavax.net.ssl.trustStore=$SIM/trust.p12" -Djavax.net.ssl.trustStorePassword=changeit \
            -cp "$build/peers/java/target/classes:$build/peers/java/lib/*" Load "$2" "$3"
        ;;
    esac
    # The program's own words come before the measure's last line.
    "$build/peers/measure" "$@" 2>"$SIM/client.err" >"$SIM/client.out" || {
        cat "$SIM/client.err" >&2
        return 1
    }
    tail -n 1 "$SIM/client.out"
}

# measure WHAT CLIENT CALLS TASKS: adds a line to the results
measure() {
    took=$(of_client "$2" "$3" "$4") || { echo "$2: $1 failed" >&2; return 0; }
    echo "$1 $2 $took" >>"$SIM/results"
}

# Those that interpret or compile as they run take a hundred times as long: they make fewer calls.
calls_of() {
    case $1 in
    java | javascript | python) echo $((calls / 3)) ;;
    *) echo "$calls" ;;
    esac
}

in_form() {
    LOAD_FORM=$1
    case $1 in
    secret) BENCH_SIGN_IN= ;;
    certificate) BENCH_SIGN_IN=certificate:$application:app ;;
    *) BENCH_SIGN_IN=$1 ;;
    esac
    export LOAD_FORM BENCH_SIGN_IN
}

clients="library${private:+ private} bare"
for client in $LOAD_INSIDE; do
    clients="$clients $client"
    [ "$client" != rust ] || clients="$clients rust-threads"
done
warm=200
: >"$SIM/results"
in_form secret
for client in $clients; do
    of_client "$client" 1 1 >/dev/null || : # what the system reads once
done
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    for client in $clients; do
        more=$((warm + $(calls_of "$client")))
        for again in 1 2 3; do
            measure cold "$client" 1 1
        done
        measure one_less "$client" $warm 1
        measure one_more "$client" $more 1
        measure eight_less "$client" $warm 8
        measure eight_more "$client" $more 8
    done
    printf 'round %s of %s\n' "$round" "$rounds" >&2
done
for client in $clients; do
    case $client in library | private | rust | go) ;; *) continue ;; esac
    round=0
    while [ "$round" -lt $((rounds * 3)) ]; do
        round=$((round + 1))
        in_form certificate
        measure cold_certificate "$client" 1 1
        surroundings=$(cat "$SIM/workload.env")
        in_form workload-identity
        # shellcheck disable=SC2086 # NAME=VALUE words
        export $surroundings
        measure cold_workload "$client" 1 1
        unset AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST
    done
done

for client in $clients; do
    echo "calls $client $(calls_of "$client")"
done >>"$SIM/results"
awk -v clients="$clients" -f "$here/load/table.awk" "$SIM/results"
