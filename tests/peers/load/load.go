// load CALLS TASKS: as many unwraps, by so many goroutines at once, with azidentity and azkeys.
package main

import (
	"context"
	"encoding/base64"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

const (
	tenant = "72f988bf-0000-4000-8000-2d7cd011db47"
	client = "11111111-2222-4333-8444-555555555555"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func credential() azcore.TokenCredential {
	switch os.Getenv("LOAD_FORM") {
	case "certificate":
		certificates, key, err := azidentity.ParseCertificates(must(os.ReadFile(os.Getenv("SIM")+"/app.pem")), nil)
		if err != nil {
			panic(err)
		}
		return must(azidentity.NewClientCertificateCredential(tenant, client, certificates, key, nil))
	case "managed-identity":
		return must(azidentity.NewManagedIdentityCredential(nil))
	case "workload-identity":
		return must(azidentity.NewWorkloadIdentityCredential(nil))
	}
	return must(azidentity.NewClientSecretCredential(tenant, client, "Sim~Secret-0.with_hyphens-1", nil))
}

func main() {
	calls, tasks := must(strconv.ParseInt(os.Args[1], 10, 64)), must(strconv.Atoi(os.Args[2]))
	keys := must(azkeys.NewClient("https://contoso-vault.vault.azure.net", credential(), nil))
	wrapped := must(base64.RawURLEncoding.DecodeString(os.Getenv("LOAD_WRAPPED")))
	parameters := azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: wrapped}
	var group sync.WaitGroup
	for range tasks {
		group.Add(1)
		go func() {
			defer group.Done()
			for atomic.AddInt64(&calls, -1) >= 0 {
				plain := must(keys.UnwrapKey(context.Background(), "BenchKey", os.Getenv("LOAD_VERSION"), parameters, nil))
				if len(plain.Result) != 32 {
					panic("wrong plain text")
				}
			}
		}()
	}
	group.Wait()
}
