// Programs' libraries over azkeys, unmodified, against vaultsim. Prints "RESULT name: outcome" lines.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/getsops/sops/v3/azkv"
	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
	"github.com/hashicorp/go-kms-wrapping/wrappers/azurekeyvault/v2"
	"github.com/microsoft/go-mssqldb/aecmk/akv"
	"gocloud.dev/secrets"
	_ "gocloud.dev/secrets/azurekeyvault"
)

const vault = "https://contoso-vault.vault.azure.net"

var plain = []byte("0123456789abcdef0123456789abcdef")

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func same(opened []byte) {
	if !bytes.Equal(opened, plain) {
		panic("wrong plain text")
	}
}

// Always Encrypted: a column encryption key under a column master key in the vault, signed with it.
func mssqldb() {
	ctx := context.Background()
	sealed, err := akv.KeyProvider.EncryptColumnEncryptionKey(ctx, vault+"/keys/peer", "RSA_OAEP", plain)
	check(err)
	opened, err := akv.KeyProvider.DecryptColumnEncryptionKey(ctx, vault+"/keys/peer", "RSA_OAEP", sealed)
	check(err)
	same(opened)
}

func sops() {
	key, err := azkv.NewMasterKeyWithOptionalVersion(vault, "peer", "")
	check(err)
	check(key.Encrypt(plain))
	opened, err := key.Decrypt()
	check(err)
	same(opened)
}

func gocloud() {
	ctx := context.Background()
	keeper, err := secrets.OpenKeeper(ctx, "azurekeyvault://contoso-vault.vault.azure.net/keys/peer")
	check(err)
	defer keeper.Close()
	sealed, err := keeper.Encrypt(ctx, plain)
	check(err)
	opened, err := keeper.Decrypt(ctx, sealed)
	check(err)
	same(opened)
}

func kmsWrapping() {
	ctx := context.Background()
	wrapper := azurekeyvault.NewWrapper()
	_, err := wrapper.SetConfig(ctx, wrapping.WithConfigMap(map[string]string{"vault_name": "contoso-vault", "key_name": "peer"}))
	check(err)
	blob, err := wrapper.Encrypt(ctx, plain)
	check(err)
	opened, err := wrapper.Decrypt(ctx, blob)
	check(err)
	same(opened)
}

func main() {
	os.Setenv("AZURE_TENANT_ID", "72f988bf-0000-4000-8000-2d7cd011db47")
	os.Setenv("AZURE_CLIENT_ID", "11111111-2222-4333-8444-555555555555")
	os.Setenv("AZURE_CLIENT_SECRET", "Sim~Secret-0.with_hyphens-1")
	cases := []struct {
		name string
		run  func()
	}{{"go-mssqldb", mssqldb}, {"sops", sops}, {"gocloud", gocloud}, {"go-kms-wrapping", kmsWrapping}}
	for _, one := range cases {
		func() {
			defer func() {
				if problem := recover(); problem != nil {
					fmt.Fprintln(os.Stderr, one.name, problem)
					text := strings.ReplaceAll(strings.TrimSpace(fmt.Sprint(problem)), "\n", " ")
					fmt.Printf("RESULT %s: %.160s\n", one.name, text)
					return
				}
				fmt.Printf("RESULT %s: ok\n", one.name)
			}()
			one.run()
		}()
	}
}
