// load.mjs CALLS TASKS: as many unwraps, by so many loops at once, with @azure/identity and @azure/keyvault-keys.
import { ClientSecretCredential } from "@azure/identity";
import { CryptographyClient } from "@azure/keyvault-keys";

let [calls, tasks] = process.argv.slice(2).map(Number);
const credential = new ClientSecretCredential("72f988bf-0000-4000-8000-2d7cd011db47", "11111111-2222-4333-8444-555555555555",
    "Sim~Secret-0.with_hyphens-1");
const crypto = new CryptographyClient(`https://contoso-vault.vault.azure.net/keys/BenchKey/${process.env.LOAD_VERSION}`, credential);
const wrapped = Buffer.from(process.env.LOAD_WRAPPED, "base64url");

async function work() {
    while (calls-- > 0) {
        const plain = await crypto.unwrapKey("RSA-OAEP-256", wrapped);
        if (plain.result.length !== 32) throw new Error("wrong plain text");
    }
}
await Promise.all(Array.from({ length: tasks }, work));
