#!/bin/sh
# overview.sh SOURCE_DIR [tests]: draws docs/overview.svg, or docs/tests.svg, to standard output. What can change is read from
# the sources: the number of exports, the hosts, the operations, the paths of the map. lint.overview compares the pictures in
# docs/ with this script.
set -eu
cd "$1"
picture=${2:-overview}
# first FILE EXPRESSION: the text of the first line that the sed expression finds; a missing one is an error.
first() {
    text=$(sed -nE "s/.*$2.*/\\1/p" "$1" | head -n 1)
    [ -n "$text" ] || { echo "overview.sh: $1 has no $2" >&2; exit 1; }
    printf '%s' "$text"
}
exports=$(grep -c . cmake/exports.txt)
vault=$(first src/vault/address.c '\{"(\.vault\.azure\.net)"')
hsm=$(first src/vault/address.c '"(\.managedhsm\.azure\.net)"')
entra=$(first src/vault/address.c '"(login\.microsoftonline\.com)"')
wrap=$(first src/vault/vault.c 'WIRE_WRAP \? "(wrap[a-z]*)"')
unwrap=$(first src/vault/vault.c ': "(unwrap[a-z]*)"')
map=$(first src/platform/default_paths_posix.c '"([^"]*keymap)"')
registry=$(first src/keymap/keymap_registry.h 'REGISTRY_PROVIDERS "[^"]*\\\\([^"\\]*)"')

box() { # X Y WIDTH HEIGHT CLASS TITLE LINE...
    x=$1 y=$2 w=$3 h=$4 class=$5 title=$6
    shift 6
    echo "<rect x=\"$x\" y=\"$y\" width=\"$w\" height=\"$h\" rx=\"8\" class=\"$class\"/>"
    echo "<text x=\"$((x + w / 2))\" y=\"$((y + 26))\" class=\"title\">$title</text>"
    line=$((y + 48))
    for text; do
        echo "<text x=\"$((x + w / 2))\" y=\"$line\" class=\"line\">$text</text>"
        line=$((line + 18))
    done
}
arrow() { # X1 Y1 X2 Y2 TEXT-X TEXT-Y LINE...
    echo "<line x1=\"$1\" y1=\"$2\" x2=\"$3\" y2=\"$4\" class=\"arrow\"/>"
    x=$5 y=$6
    shift 6
    for text; do
        echo "<text x=\"$x\" y=\"$y\" class=\"label\">$text</text>"
        y=$((y + 16))
    done
}

begin_picture() { # WIDTH HEIGHT LABEL
    cat <<TOP
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $1 $2" role="img" aria-label="$3">
<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="#444"/></marker></defs>
<style>
.process { fill: #f4f4f4; stroke: #999; stroke-dasharray: 5 4 } .ours { fill: #d9ead3; stroke: #38761d } .azure { fill: #d0e2f5; stroke: #1f5fa8 }
.store { fill: #fff2cc; stroke: #b58900 } .plain { fill: #ffffff; stroke: #666 }
text { font-family: Verdana, DejaVu Sans, sans-serif; text-anchor: middle; fill: #222 }
.title { font-size: 15px; font-weight: bold } .line { font-size: 12px } .label { font-size: 12px; text-anchor: start; fill: #333 }
.arrow { stroke: #444; stroke-width: 1.5; marker-end: url(#end); marker-start: url(#end) }
</style>
<rect width="$1" height="$2" fill="#ffffff"/>
TOP
}
process() { # X Y WIDTH HEIGHT TITLE
    echo "<rect x=\"$1\" y=\"$2\" width=\"$3\" height=\"$4\" rx=\"10\" class=\"process\"/>"
    echo "<text x=\"$(($1 + $3 / 2))\" y=\"$(($2 + 22))\" class=\"line\">$5</text>"
}

draw_overview() {
    begin_picture 960 460 'SQL Server, akv-ekm, Entra, the vault and the map'
    process 20 30 440 240 'the process of SQL Server'
    box 40 70 170 180 plain 'SQL Server' 'databases, backups,' 'symmetric keys,' 'each under a key' 'of its own (AES),' 'stored only wrapped' 'by the vault’s RSA key'
    box 300 70 140 180 ours 'akv-ekm' 'signs in,' 'finds the key by' 'its thumbprint,' 'retries, throttles,' 'logs each call'
    box 650 55 290 105 azure 'Microsoft Entra' "$entra" 'identity: secret, certificate,' 'managed or federated identity'
    box 650 205 290 125 azure 'Key Vault, Managed HSM' "*$vault" "*$hsm" 'the RSA key, which never leaves,' 'and its older versions'
    box 170 350 400 100 store 'The map' 'thumbprint → key version' "Linux: $map" "Windows: …\\$registry"
    arrow 212 160 298 160 222 122 "$exports calls" 'of the API'
    arrow 442 110 648 110 480 82 'token request' ''
    echo '<text x="480" y="130" class="label">access token (cached)</text>'
    arrow 442 230 648 230 480 190 "get key, $wrap," "$unwrap"
    echo '<text x="480" y="252" class="label">HTTPS only, HTTP/1.1</text>'
    arrow 370 252 370 348 382 310 'durable before success'
}

# The tests' side: which part is played by whom.
draw_tests() {
    begin_picture 960 470 'The tests: ekmhost, akv-ekm, the network and vaultsim'
    process 20 30 440 250 'one process'
    box 40 70 180 190 plain 'ekmhost' 'acts as SQL Server:' 'T-SQL scripts,' 'databases, restarts,' 'storms; recordings' 'tests/host'
    box 300 70 140 190 ours 'akv-ekm' 'the built library,' 'as it is shipped'
    box 650 30 290 115 azure 'vaultsim: Entra, identities' "$entra" 'IMDS, Arc, App Service, OIDC' 'faults on request' 'tests/vaultsim'
    box 650 175 290 105 azure 'vaultsim: Key Vault, HSM' "*$vault" "*$hsm" 'real TLS, real RSA keys; counters'
    box 480 330 220 110 plain 'failing networks' 'relays, name servers,' 'proxies, servers with bad TLS' 'tests/network'
    box 40 330 400 110 store 'tests and scenarios' 'tests/integration: counts, codes, tasks of a DBA' 'tests/torture, tests/fuzz, tests/memory' 'tests/bench: costs beside a bare curl loop'
    arrow 222 165 298 165 226 125 "$exports calls" 'of the API'
    arrow 442 90 648 90 470 78 'HTTPS, loopback'
    arrow 442 225 648 225 470 213 'HTTPS, loopback'
    arrow 590 328 590 232 600 310 'in between,' 'where a test says so'
    arrow 240 328 240 282 252 312 'scripts, and the library called without ekmhost'
}

case $picture in
overview) draw_overview ;;
tests) draw_tests ;;
*) echo "overview.sh: no picture $picture" >&2; exit 2 ;;
esac
echo '</svg>'
