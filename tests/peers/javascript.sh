# javascript.sh install|install-load|run: @azure/identity and @azure/keyvault-keys for Node.
set -e
case $1 in
install)
    mkdir -p "$PEERS/javascript"
    cd "$PEERS/javascript"
    [ -e package.json ] || npm init -y >/dev/null
    npm install --no-audit --no-fund --save-exact @azure/identity@4.14.1 @azure/keyvault-keys@4.10.2
    cp "$HERE/client.mjs" .
    ;;
install-load) cp "$HERE/load/load.mjs" "$PEERS/javascript/" ;;
run) exec node "$PEERS/javascript/client.mjs" ;;
esac
