// azure-identity and azure-security-keyvault-keys, unmodified, against vaultsim. Prints "RESULT name: outcome" lines. Java has no
// way to change its environment: run.sh's script calls it once for each environment, with the cases as arguments.

import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.core.exception.ResourceNotFoundException;
import com.azure.identity.ClientAssertionCredentialBuilder;
import com.azure.identity.ClientCertificateCredentialBuilder;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.identity.ManagedIdentityCredential;
import com.azure.identity.ManagedIdentityCredentialBuilder;
import com.azure.identity.WorkloadIdentityCredentialBuilder;
import com.azure.security.keyvault.keys.KeyClient;
import com.azure.security.keyvault.keys.KeyClientBuilder;
import com.azure.security.keyvault.keys.cryptography.CryptographyClient;
import com.azure.security.keyvault.keys.cryptography.CryptographyClientBuilder;
import com.azure.security.keyvault.keys.cryptography.models.KeyWrapAlgorithm;
import com.azure.security.keyvault.keys.models.CreateRsaKeyOptions;
import com.azure.security.keyvault.keys.models.KeyVaultKey;
import java.nio.charset.StandardCharsets;
import java.util.Map;

public class Client {
    static final String VAULT = "https://contoso-vault.vault.azure.net", HSM = "https://contoso-hsm.managedhsm.azure.net";
    static final String TENANT = "72f988bf-0000-4000-8000-2d7cd011db47", CLIENT = "11111111-2222-4333-8444-555555555555";
    static final String USER = "33333333-4444-4555-8666-777777777777";

    static KeyClient keys(TokenCredential credential, String url) {
        return new KeyClientBuilder().vaultUrl(url).credential(credential).buildClient();
    }

    static TokenCredential secret() {
        return new ClientSecretCredentialBuilder().tenantId(TENANT).clientId(CLIENT).clientSecret("Sim~Secret-0.with_hyphens-1").build();
    }

    static void open(TokenCredential credential, String url) {
        KeyVaultKey key = keys(credential, url).getKey("peer");
        CryptographyClient crypto = new CryptographyClientBuilder().keyIdentifier(key.getId()).credential(credential).buildClient();
        byte[] hello = "hello".getBytes(StandardCharsets.UTF_8);
        byte[] wrapped = crypto.wrapKey(KeyWrapAlgorithm.RSA_OAEP_256, hello).getEncryptedKey();
        byte[] plain = crypto.unwrapKey(KeyWrapAlgorithm.RSA_OAEP_256, wrapped).getKey();
        check(java.util.Arrays.equals(hello, plain), "wrong plain text");
    }

    static void check(boolean condition, String text) {
        if (!condition) {
            throw new IllegalStateException(text);
        }
    }

    static void everything() {
        KeyClient keys = keys(secret(), VAULT);
        KeyVaultKey made = keys.createRsaKey(new CreateRsaKeyOptions("java-made").setKeySize(2048).setTags(Map.of("a", "b")));
        check("b".equals(made.getProperties().getTags().get("a")), "tags are lost");
        keys.rotateKey("java-made");
        check(keys.listPropertiesOfKeyVersions("java-made").stream().count() == 2, "versions");
        keys.getKeyRotationPolicy("java-made");
        byte[] blob = keys.backupKey("java-made");
        keys.beginDeleteKey("java-made").waitForCompletion();
        keys.purgeDeletedKey("java-made");
        keys.restoreKeyBackup(blob);
    }

    static void missing() {
        try {
            keys(secret(), VAULT).getKey("no-such-key");
        } catch (ResourceNotFoundException error) {
            return;
        }
        throw new IllegalStateException("found");
    }

    static TokenCredential machine(String id) {
        ManagedIdentityCredentialBuilder builder = new ManagedIdentityCredentialBuilder();
        return id == null ? builder.build() : builder.clientId(id).build();
    }

    static void secretless() {
        ManagedIdentityCredential identity = new ManagedIdentityCredentialBuilder().clientId(USER).build();
        TokenRequestContext exchange = new TokenRequestContext().addScopes("api://AzureADTokenExchange/.default");
        open(new ClientAssertionCredentialBuilder().tenantId(TENANT).clientId(CLIENT)
            .clientAssertion(() -> identity.getToken(exchange).block().getToken()).build(), VAULT);
    }

    /** Always Encrypted: a column encryption key under a column master key in the vault, signed with it. */
    static void columnKey() throws Exception {
        var provider = new com.microsoft.sqlserver.jdbc.SQLServerColumnEncryptionAzureKeyVaultProvider(secret());
        byte[] plain = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.UTF_8);
        byte[] sealed = provider.encryptColumnEncryptionKey(VAULT + "/keys/peer", "RSA_OAEP", plain);
        byte[] opened = provider.decryptColumnEncryptionKey(VAULT + "/keys/peer", "RSA_OAEP", sealed);
        check(java.util.Arrays.equals(plain, opened), "wrong plain text");
    }

    static void run(String name) throws Exception {
        String pem = System.getenv("SIM") + "/app.pem";
        switch (name) {
        case "secret" -> open(secret(), VAULT);
        case "secret, Managed HSM" -> open(secret(), HSM);
        case "keys, all operations" -> everything();
        case "keys, 404" -> missing();
        case "certificate" ->
            open(new ClientCertificateCredentialBuilder().tenantId(TENANT).clientId(CLIENT).pemCertificate(pem).build(), VAULT);
        case "mssql-jdbc" -> columnKey();
        case "workload identity" -> open(new WorkloadIdentityCredentialBuilder().build(), VAULT);
        case "managed identity as assertion" -> secretless();
        default -> open(machine(name.endsWith("user-assigned") ? USER : null), VAULT);
        }
    }

    public static void main(String[] names) {
        for (String name : names) {
            try {
                run(name);
                System.out.println("RESULT " + name + ": ok");
            } catch (Exception error) {
                error.printStackTrace();
                String text = String.valueOf(error.getMessage()).replace('\n', ' ');
                System.out.println("RESULT " + name + ": " + text.substring(0, Math.min(160, text.length())));
            }
        }
        System.exit(0);
    }
}
