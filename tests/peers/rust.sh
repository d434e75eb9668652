# rust.sh install|install-load|run: azure_identity and azure_security_keyvault_keys for Rust.
set -e
case $1 in
install)
    mkdir -p "$PEERS/rust/src"
    cd "$PEERS/rust"
    cp "$HERE/client.rs" src/main.rs
    cat >Cargo.toml <<END
[package]
name = "client"
version = "0.1.0"
edition = "2021"

[dependencies]
azure_core = "=1.1.0"
azure_identity = { version = "=1.0.0", features = ["client_certificate", "tokio"] }
azure_security_keyvault_keys = "=1.0.1"
async-trait = "0.1"
futures = "0.3"
tokio = { version = "1", features = ["macros", "rt", "rt-multi-thread"] }

[profile.dev]
debug = false
END
    cargo build
    ;;
install-load)
    cd "$PEERS/rust"
    mkdir -p src/bin
    cp "$HERE/load/load.rs" src/bin/
    cargo build --release --bin load
    ;;
run) exec "$PEERS/rust/target/debug/client" ;;
esac
