# go.sh install|install-load|run: azidentity and azkeys for Go.
set -e
case $1 in
install)
    mkdir -p "$PEERS/go"
    cd "$PEERS/go"
    cp "$HERE/client.go" main.go
    [ -e go.mod ] || go mod init peers
    sdk=github.com/Azure/azure-sdk-for-go/sdk
    go get $sdk/azidentity@v1.15.0 $sdk/azcore@v1.23.3 $sdk/security/keyvault/azkeys@v1.5.0
    go mod tidy
    go build -o client .
    ;;
install-load)
    mkdir -p "$PEERS/go/load"
    cd "$PEERS/go/load"
    cp "$HERE/load/load.go" main.go
    go build -o load .
    ;;
run) exec "$PEERS/go/client" ;;
esac
