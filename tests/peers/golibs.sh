# golibs.sh install|run: go-mssqldb, sops, gocloud.dev, go-kms-wrapping.
set -e
case $1 in
install)
    mkdir -p "$PEERS/golibs"
    cd "$PEERS/golibs"
    cp "$HERE/golibs.go" main.go
    [ -e go.mod ] || go mod init peers
    go get github.com/microsoft/go-mssqldb@v1.11.2 github.com/getsops/sops/v3@v3.13.3 gocloud.dev@v0.49.0 \
        github.com/hashicorp/go-kms-wrapping/wrappers/azurekeyvault/v2@v2.0.14
    go mod tidy
    go build -o client .
    ;;
run) exec "$PEERS/golibs/client" ;;
esac
