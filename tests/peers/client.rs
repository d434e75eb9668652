// azure_identity and azure_security_keyvault_keys, unmodified, against vaultsim. Prints "RESULT name: outcome" lines.
use std::future::Future;
use std::sync::Arc;

use azure_core::credentials::{Secret, SecretBytes, TokenCredential};
use azure_core::http::ClientMethodOptions;
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
};
use azure_security_keyvault_keys::models::{
    CreateKeyParameters, EncryptionAlgorithm, KeyOperationParameters, KeyType, RestoreKeyParameters,
};
use azure_security_keyvault_keys::{KeyClient, ResourceExt};
use futures::TryStreamExt;

const VAULT: &str = "https://contoso-vault.vault.azure.net";
const HSM: &str = "https://contoso-hsm.managedhsm.azure.net";
const TENANT: &str = "72f988bf-0000-4000-8000-2d7cd011db47";
const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
const USER: &str = "33333333-4444-4555-8666-777777777777";

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn env(file: &str) {
    for (name, _) in std::env::vars() {
        if name.starts_with("AZURE_") || name.starts_with("IDENTITY_") || name.starts_with("IMDS_") {
            std::env::remove_var(name);
        }
    }
    let path = format!("{}/{file}", std::env::var("SIM").unwrap());
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let (name, value) = line.split_once('=').unwrap();
        std::env::set_var(name, value);
    }
}

async fn open(credential: Arc<dyn TokenCredential>, url: &str) -> Outcome {
    let keys = KeyClient::new(url, credential, None)?;
    keys.get_key("peer", None).await?.into_model()?;
    let mut parameters = KeyOperationParameters {
        algorithm: Some(EncryptionAlgorithm::RsaOaep256),
        value: Some(b"hello".to_vec()),
        ..Default::default()
    };
    let wrapped = keys.wrap_key("peer", parameters.clone().try_into()?, None).await?.into_model()?;
    let version = wrapped.resource_id()?.version.unwrap_or_default();
    parameters.value = wrapped.result;
    let plain = keys.unwrap_key("peer", &version, parameters.try_into()?, None).await?.into_model()?;
    assert_eq!(plain.result.as_deref(), Some(&b"hello"[..]));
    Ok(())
}

fn secret() -> azure_core::Result<Arc<dyn TokenCredential>> {
    Ok(ClientSecretCredential::new(TENANT, CLIENT.into(), Secret::new("Sim~Secret-0.with_hyphens-1"), None)?)
}

async fn everything() -> Outcome {
    let keys = KeyClient::new(VAULT, secret()?, None)?;
    let body = CreateKeyParameters {
        kty: Some(KeyType::Rsa),
        tags: Some([("a".to_string(), "b".to_string())].into()),
        ..Default::default()
    };
    let made = keys.create_key("rust-made", body.try_into()?, None).await?.into_model()?;
    assert_eq!(made.tags.unwrap_or_default().get("a").map(String::as_str), Some("b"));
    keys.rotate_key("rust-made", None).await?;
    let versions: Vec<_> = keys.list_key_properties_versions("rust-made", None)?.try_collect().await?;
    assert_eq!(versions.len(), 2);
    keys.get_key_rotation_policy("rust-made", None).await?.into_model()?;
    let blob = keys.backup_key("rust-made", None).await?.into_model()?;
    keys.delete_key("rust-made", None).await?;
    keys.purge_deleted_key("rust-made", None).await?;
    let body = RestoreKeyParameters { key_backup: blob.value };
    keys.restore_key(body.try_into()?, None).await?;
    Ok(())
}

async fn missing() -> Outcome {
    let keys = KeyClient::new(VAULT, secret()?, None)?;
    let error = keys.get_key("no-such-key", None).await.err().expect("found");
    assert_eq!(error.http_status().map(u16::from), Some(404));
    Ok(())
}

async fn certificate() -> Outcome {
    let bytes = std::fs::read(format!("{}/app.pfx", std::env::var("SIM")?))?;
    open(ClientCertificateCredential::new(TENANT.into(), CLIENT.into(), SecretBytes::new(bytes), None)?, VAULT).await
}

async fn workload() -> Outcome {
    env("workload.env");
    open(WorkloadIdentityCredential::new(None)?, VAULT).await
}

fn machine_credential(id: Option<&str>) -> azure_core::Result<Arc<ManagedIdentityCredential>> {
    ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: id.map(|id| UserAssignedId::ClientId(id.into())),
        ..Default::default()
    }))
}

async fn machine(file: &str, id: Option<&str>) -> Outcome {
    env(file);
    open(machine_credential(id)?, VAULT).await
}

#[derive(Debug)]
struct Identity(Arc<ManagedIdentityCredential>);

#[async_trait::async_trait]
impl ClientAssertion for Identity {
    async fn secret(&self, _options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let token = self.0.get_token(&["api://AzureADTokenExchange/.default"], None).await?;
        Ok(token.token.secret().to_string())
    }
}

async fn secretless() -> Outcome {
    env("identity.env");
    let identity = Identity(machine_credential(Some(USER))?);
    open(ClientAssertionCredential::new(TENANT.into(), CLIENT.into(), identity, None)?, VAULT).await
}

async fn case(name: &str, run: impl Future<Output = Outcome>) {
    match run.await {
        Ok(()) => println!("RESULT {name}: ok"),
        Err(error) => {
            eprintln!("{name}: {error:?}");
            println!("RESULT {name}: {:.160}", error.to_string().replace('\n', " "));
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    case("secret", async { open(secret()?, VAULT).await }).await;
    case("secret, Managed HSM", async { open(secret()?, HSM).await }).await;
    case("keys, all operations", everything()).await;
    case("keys, 404", missing()).await;
    case("certificate", certificate()).await;
    case("workload identity", workload()).await;
    case("IMDS, system-assigned", machine("identity.env", None)).await;
    case("IMDS, user-assigned", machine("identity.env", Some(USER))).await;
    case("App Service", machine("identity-app-service.env", None)).await;
    case("App Service, user-assigned", machine("identity-app-service.env", Some(USER))).await;
    case("managed identity as assertion", secretless()).await;
}
