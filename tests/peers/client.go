// azidentity and azkeys, unmodified, against vaultsim. Prints "RESULT name: outcome" lines.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

const (
	vault  = "https://contoso-vault.vault.azure.net"
	hsm    = "https://contoso-hsm.managedhsm.azure.net"
	tenant = "72f988bf-0000-4000-8000-2d7cd011db47"
	client = "11111111-2222-4333-8444-555555555555"
	user   = azidentity.ClientID("33333333-4444-4555-8666-777777777777")
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func env(file string) {
	for _, line := range os.Environ() {
		name, _, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, "AZURE_") || strings.HasPrefix(name, "IDENTITY_") || strings.HasPrefix(name, "IMDS_") {
			os.Unsetenv(name)
		}
	}
	data, err := os.ReadFile(os.Getenv("SIM") + "/" + file)
	check(err)
	for _, line := range strings.Fields(string(data)) {
		name, value, _ := strings.Cut(line, "=")
		os.Setenv(name, value)
	}
}

func open(credential azcore.TokenCredential, url string) {
	keys, err := azkeys.NewClient(url, credential, nil)
	check(err)
	_, err = keys.GetKey(context.Background(), "peer", "", nil)
	check(err)
	parameters := azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: []byte("hello")}
	wrapped, err := keys.WrapKey(context.Background(), "peer", "", parameters, nil)
	check(err)
	parameters.Value = wrapped.Result
	plain, err := keys.UnwrapKey(context.Background(), "peer", wrapped.KID.Version(), parameters, nil)
	check(err)
	if !bytes.Equal(plain.Result, []byte("hello")) {
		panic("wrong plain text")
	}
}

func secret() azcore.TokenCredential {
	credential, err := azidentity.NewClientSecretCredential(tenant, client, "Sim~Secret-0.with_hyphens-1", nil)
	check(err)
	return credential
}

func everything() {
	ctx := context.Background()
	keys, err := azkeys.NewClient(vault, secret(), nil)
	check(err)
	made, err := keys.CreateKey(ctx, "go-made", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeRSA), Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	check(err)
	if *made.Tags["a"] != "b" {
		panic("tags are lost")
	}
	_, err = keys.RotateKey(ctx, "go-made", nil)
	check(err)
	count := 0
	for pager := keys.NewListKeyPropertiesVersionsPager("go-made", nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		check(err)
		count += len(page.Value)
	}
	if count != 2 {
		panic(fmt.Sprint("versions: ", count))
	}
	_, err = keys.GetKeyRotationPolicy(ctx, "go-made", nil)
	check(err)
	blob, err := keys.BackupKey(ctx, "go-made", nil)
	check(err)
	_, err = keys.DeleteKey(ctx, "go-made", nil)
	check(err)
	_, err = keys.PurgeDeletedKey(ctx, "go-made", nil)
	check(err)
	_, err = keys.RestoreKey(ctx, azkeys.RestoreKeyParameters{KeyBackup: blob.Value}, nil)
	check(err)
}

func missing() {
	keys, err := azkeys.NewClient(vault, secret(), nil)
	check(err)
	_, err = keys.GetKey(context.Background(), "no-such-key", "", nil)
	var response *azcore.ResponseError
	if !errors.As(err, &response) || response.ErrorCode != "KeyNotFound" {
		panic(err)
	}
}

func certificate() {
	data, err := os.ReadFile(os.Getenv("SIM") + "/app.pem")
	check(err)
	certificates, key, err := azidentity.ParseCertificates(data, nil)
	check(err)
	credential, err := azidentity.NewClientCertificateCredential(tenant, client, certificates, key, nil)
	check(err)
	open(credential, vault)
}

func workload() {
	env("workload.env")
	credential, err := azidentity.NewWorkloadIdentityCredential(nil)
	check(err)
	open(credential, vault)
}

func machine(file string, id azidentity.ManagedIDKind) {
	env(file)
	options := azidentity.ManagedIdentityCredentialOptions{}
	if id != nil {
		options.ID = id
	}
	credential, err := azidentity.NewManagedIdentityCredential(&options)
	check(err)
	open(credential, vault)
}

func secretless() {
	env("identity.env")
	identity, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: user})
	check(err)
	credential, err := azidentity.NewClientAssertionCredential(tenant, client, func(ctx context.Context) (string, error) {
		token, err := identity.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"api://AzureADTokenExchange/.default"}})
		return token.Token, err
	}, nil)
	check(err)
	open(credential, vault)
}

func main() {
	cases := []struct {
		name string
		run  func()
	}{
		{"secret", func() { open(secret(), vault) }},
		{"secret, Managed HSM", func() { open(secret(), hsm) }},
		{"keys, all operations", everything},
		{"keys, 404", missing},
		{"certificate", certificate},
		{"workload identity", workload},
		{"IMDS, system-assigned", func() { machine("identity.env", nil) }},
		{"IMDS, user-assigned", func() { machine("identity.env", user) }},
		{"Arc", func() { machine("identity-arc.env", nil) }},
		{"Arc, user-assigned", func() { machine("identity-arc.env", user) }},
		{"App Service", func() { machine("identity-app-service.env", nil) }},
		{"App Service, user-assigned", func() { machine("identity-app-service.env", user) }},
		{"managed identity as assertion", secretless},
	}
	for _, one := range cases {
		func() {
			defer func() {
				if problem := recover(); problem != nil {
					text := fmt.Sprint(problem)
					fmt.Fprintln(os.Stderr, one.name, text)
					fmt.Printf("RESULT %s: %.160s\n", one.name, strings.ReplaceAll(strings.TrimSpace(text), "\n", " "))
					return
				}
				fmt.Printf("RESULT %s: ok\n", one.name)
			}()
			one.run()
		}()
	}
}
