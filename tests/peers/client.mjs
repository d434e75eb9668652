// @azure/identity and @azure/keyvault-keys, unmodified, against vaultsim. Prints "RESULT name: outcome" lines.
import { readFileSync } from "node:fs";
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential, ManagedIdentityCredential,
    WorkloadIdentityCredential } from "@azure/identity";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";

const vault = "https://contoso-vault.vault.azure.net", hsm = "https://contoso-hsm.managedhsm.azure.net";
const tenant = "72f988bf-0000-4000-8000-2d7cd011db47", client = "11111111-2222-4333-8444-555555555555";
const user = "33333333-4444-4555-8666-777777777777";
const secret = new ClientSecretCredential(tenant, client, "Sim~Secret-0.with_hyphens-1");

function env(file) {
    for (const name of Object.keys(process.env)) {
        if (/^(AZURE_|IDENTITY_|IMDS_)/.test(name)) delete process.env[name];
    }
    for (const line of readFileSync(`${process.env.SIM}/${file}`, "ascii").trim().split("\n")) {
        const at = line.indexOf("=");
        process.env[line.slice(0, at)] = line.slice(at + 1);
    }
}

function assert(condition, text) {
    if (!condition) throw new Error(text);
}

async function open(credential, url = vault) {
    const key = await new KeyClient(url, credential).getKey("peer");
    const crypto = new CryptographyClient(key.id, credential);
    const wrapped = await crypto.wrapKey("RSA-OAEP-256", Buffer.from("hello"));
    const plain = await crypto.unwrapKey("RSA-OAEP-256", wrapped.result);
    assert(Buffer.from(plain.result).toString() === "hello", "wrong plain text");
}

async function everything() {
    const keys = new KeyClient(vault, secret);
    const made = await keys.createRsaKey("js-made", { keySize: 2048, publicExponent: 65537, tags: { a: "b" } });
    assert(made.properties.tags?.a === "b", "tags are lost");
    await keys.rotateKey("js-made");
    let count = 0;
    for await (const _ of keys.listPropertiesOfKeyVersions("js-made")) count++;
    assert(count === 2, `versions: ${count}`);
    await keys.getKeyRotationPolicy("js-made");
    await keys.updateKeyProperties("js-made", made.properties.version, { enabled: false });
    const blob = await keys.backupKey("js-made");
    await (await keys.beginDeleteKey("js-made", { intervalInMs: 10 })).pollUntilDone();
    await keys.purgeDeletedKey("js-made");
    await keys.restoreKeyBackup(blob);
}

async function missing() {
    try {
        await new KeyClient(vault, secret).getKey("no-such-key");
    } catch (error) {
        assert(error.statusCode === 404 && error.code === "KeyNotFound", String(error));
        return;
    }
    throw new Error("found");
}

async function machine(file, id) {
    env(file);
    await open(id === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId: id }));
}

async function secretless() {
    env("identity.env");
    const identity = new ManagedIdentityCredential({ clientId: user });
    await open(new ClientAssertionCredential(tenant, client,
        async () => (await identity.getToken("api://AzureADTokenExchange/.default")).token));
}

const cases = {
    "secret": () => open(secret),
    "secret, Managed HSM": () => open(secret, hsm),
    "keys, all operations": everything,
    "keys, 404": missing,
    "certificate": () => open(new ClientCertificateCredential(tenant, client, `${process.env.SIM}/app.pem`)),
    "workload identity": () => { env("workload.env"); return open(new WorkloadIdentityCredential()); },
    "IMDS, system-assigned": () => machine("identity.env"),
    "IMDS, user-assigned": () => machine("identity.env", user),
    "Arc": () => machine("identity-arc.env"),
    "App Service": () => machine("identity-app-service.env"),
    "App Service, user-assigned": () => machine("identity-app-service.env", user),
    "managed identity as assertion": secretless,
};
for (const [name, run] of Object.entries(cases)) {
    try {
        await run();
        console.log(`RESULT ${name}: ok`);
    } catch (error) {
        console.error(name, error);
        console.log(`RESULT ${name}: ${String(error).split("\n")[0].slice(0, 160)}`);
    }
}
