# python.sh install|install-load|run: azure-identity and azure-keyvault-keys for Python.
set -e
case $1 in
install)
    python3 -m venv "$PEERS/python"
    "$PEERS/python/bin/pip" -q install azure-identity==1.27.0 azure-keyvault-keys==4.11.3
    ;;
install-load) ;;
run) exec "$PEERS/python/bin/python" "$HERE/client.py" ;;
esac
