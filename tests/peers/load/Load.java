// Load CALLS TASKS: as many unwraps, by so many threads at once, with azure-identity and azure-security-keyvault-keys.

import com.azure.core.credential.TokenCredential;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.security.keyvault.keys.cryptography.CryptographyClient;
import com.azure.security.keyvault.keys.cryptography.CryptographyClientBuilder;
import com.azure.security.keyvault.keys.cryptography.models.KeyWrapAlgorithm;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicLong;

public class Load {
    public static void main(String[] arguments) throws Exception {
        AtomicLong left = new AtomicLong(Long.parseLong(arguments[0]));
        TokenCredential credential = new ClientSecretCredentialBuilder().tenantId("72f988bf-0000-4000-8000-2d7cd011db47")
            .clientId("11111111-2222-4333-8444-555555555555").clientSecret("Sim~Secret-0.with_hyphens-1").build();
        CryptographyClient crypto = new CryptographyClientBuilder().credential(credential)
            .keyIdentifier("https://contoso-vault.vault.azure.net/keys/BenchKey/" + System.getenv("LOAD_VERSION")).buildClient();
        byte[] wrapped = Base64.getUrlDecoder().decode(System.getenv("LOAD_WRAPPED"));
        Thread[] threads = new Thread[Integer.parseInt(arguments[1])];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                while (left.getAndDecrement() > 0) {
                    if (crypto.unwrapKey(KeyWrapAlgorithm.RSA_OAEP_256, wrapped).getKey().length != 32) {
                        System.exit(1);
                    }
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.exit(0);
    }
}
