// load CALLS TASKS: as many unwraps, by so many tasks at once, with azure_identity and azure_security_keyvault_keys.
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;

use azure_core::credentials::{Secret, SecretBytes, TokenCredential};
use azure_identity::{
    ClientCertificateCredential, ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential,
};
use azure_security_keyvault_keys::models::{EncryptionAlgorithm, KeyOperationParameters};
use azure_security_keyvault_keys::KeyClient;
use futures::future::try_join_all;

const TENANT: &str = "72f988bf-0000-4000-8000-2d7cd011db47";
const CLIENT: &str = "11111111-2222-4333-8444-555555555555";

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn credential() -> Result<Arc<dyn TokenCredential>, Box<dyn std::error::Error>> {
    Ok(match std::env::var("LOAD_FORM")?.as_str() {
        "certificate" => {
            let bytes = std::fs::read(format!("{}/app.pfx", std::env::var("SIM")?))?;
            ClientCertificateCredential::new(TENANT.into(), CLIENT.into(), SecretBytes::new(bytes), None)?
        }
        "managed-identity" => ManagedIdentityCredential::new(None)?,
        "workload-identity" => WorkloadIdentityCredential::new(None)?,
        _ => ClientSecretCredential::new(TENANT, CLIENT.into(), Secret::new("Sim~Secret-0.with_hyphens-1"), None)?,
    })
}

fn wrapped() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    Ok(azure_core::base64::decode_url_safe(std::env::var("LOAD_WRAPPED")?)?)
}

async fn work(keys: &KeyClient, version: &str, wrapped: &[u8], left: &AtomicI64) -> Outcome {
    while left.fetch_sub(1, Ordering::Relaxed) > 0 {
        let parameters = KeyOperationParameters {
            algorithm: Some(EncryptionAlgorithm::RsaOaep256),
            value: Some(wrapped.to_vec()),
            ..Default::default()
        };
        let plain = keys.unwrap_key("BenchKey", version, parameters.try_into()?, None).await?.into_model()?;
        assert_eq!(plain.result.map(|text| text.len()), Some(32));
    }
    Ok(())
}

async fn share(calls: i64, tasks: i64) -> Outcome {
    let keys = KeyClient::new("https://contoso-vault.vault.azure.net", credential()?, None)?;
    let (version, wrapped, left) = (std::env::var("LOAD_VERSION")?, wrapped()?, AtomicI64::new(calls));
    try_join_all((0..tasks).map(|_| work(&keys, &version, &wrapped, &left))).await?;
    Ok(())
}

// As a program of threads does: each has its runtime's share.
async fn spread(calls: i64, tasks: i64) -> Outcome {
    let keys = Arc::new(KeyClient::new("https://contoso-vault.vault.azure.net", credential()?, None)?);
    let (version, wrapped, left) = (std::env::var("LOAD_VERSION")?, wrapped()?, Arc::new(AtomicI64::new(calls)));
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (keys, version, wrapped, left) = (keys.clone(), version.clone(), wrapped.clone(), left.clone());
            tokio::spawn(async move { work(&keys, &version, &wrapped, &left).await.map_err(|error| error.to_string()) })
        })
        .collect();
    for one in running {
        one.await??;
    }
    Ok(())
}

// LOAD_RUNTIME=threads: tokio's default, with a worker for each processor; else one thread for all.
fn main() -> Outcome {
    let numbers: Vec<i64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    if std::env::var("LOAD_RUNTIME").as_deref() == Ok("threads") {
        tokio::runtime::Runtime::new()?.block_on(spread(numbers[0], numbers[1]))
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(share(numbers[0], numbers[1]))
    }
}
