"""azure-identity and azure-keyvault-keys, unmodified, against vaultsim. Prints "RESULT name outcome" lines."""
import os
import sys
import traceback

from azure.core.exceptions import HttpResponseError
from azure.identity import (CertificateCredential, ClientAssertionCredential, ClientSecretCredential,
                            ManagedIdentityCredential, WorkloadIdentityCredential)
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm

VAULT, HSM = "https://contoso-vault.vault.azure.net", "https://contoso-hsm.managedhsm.azure.net"
TENANT, CLIENT = "72f988bf-0000-4000-8000-2d7cd011db47", "11111111-2222-4333-8444-555555555555"
USER = "33333333-4444-4555-8666-777777777777"
SECRET = ClientSecretCredential(TENANT, CLIENT, "Sim~Secret-0.with_hyphens-1")


def with_env(name):
    for line in open(os.path.join(os.environ["SIM"], name), encoding="ascii"):
        key, value = line.strip().split("=", 1)
        os.environ[key] = value


def forget_env():
    """ManagedIdentityCredential would take a federated token file for an identity, too."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "IMDS_")):
            del os.environ[name]


def open_vault(credential, url=VAULT):
    key = KeyClient(url, credential).get_key("peer")
    crypto = CryptographyClient(key, credential)
    wrapped = crypto.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, b"hello")
    assert crypto.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.encrypted_key).key == b"hello"


def keys():
    client = KeyClient(VAULT, SECRET)
    made = client.create_rsa_key("python-made", size=2048, tags={"a": "b"}, public_exponent=65537)
    assert made.properties.tags == {"a": "b"}, made.properties.tags
    client.create_rsa_key("python-made", size=2048)
    assert len(list(client.list_properties_of_key_versions("python-made"))) == 2
    assert "python-made" in [key.name for key in client.list_properties_of_keys()]
    changed = client.update_key_properties("python-made", enabled=False)
    assert changed.properties.enabled is False
    assert client.get_key("python-made").properties.enabled is False
    client.update_key_properties("python-made", enabled=True)
    crypto = CryptographyClient(made, SECRET)
    sealed = crypto.encrypt(EncryptionAlgorithm.rsa_oaep, b"x")
    assert crypto.decrypt(EncryptionAlgorithm.rsa_oaep, sealed.ciphertext).plaintext == b"x"
    blob = client.backup_key("python-made")
    client.begin_delete_key("python-made").wait()
    client.begin_recover_deleted_key("python-made").wait()
    client.begin_delete_key("python-made").wait()
    client.purge_deleted_key("python-made")
    assert client.restore_key_backup(blob).name == "python-made"
    policy = client.get_key_rotation_policy("python-made")
    assert policy is not None
    client.rotate_key("python-made")


def missing():
    try:
        KeyClient(VAULT, SECRET).get_key("no-such-key")
    except HttpResponseError as error:
        assert error.status_code == 404 and error.error.code == "KeyNotFound", error
        return
    raise AssertionError("found")


def secretless():
    forget_env()
    with_env("identity.env")
    identity = ManagedIdentityCredential(client_id=USER)
    open_vault(ClientAssertionCredential(
        TENANT, CLIENT, lambda: identity.get_token("api://AzureADTokenExchange/.default").token))


def machine(file, **selector):
    forget_env()
    with_env(file)
    open_vault(ManagedIdentityCredential(**selector))


def workload():
    forget_env()
    with_env("workload.env")
    open_vault(WorkloadIdentityCredential())


CASES = {
    "secret": lambda: open_vault(SECRET),
    "secret, Managed HSM": lambda: open_vault(SECRET, HSM),
    "keys, all operations": keys,
    "keys, 404": missing,
    "certificate": lambda: open_vault(CertificateCredential(TENANT, CLIENT, os.environ["SIM"] + "/app.pem")),
    "workload identity": workload,
    "IMDS, system-assigned": lambda: machine("identity.env"),
    "IMDS, user-assigned": lambda: machine("identity.env", client_id=USER),
    "Arc": lambda: machine("identity-arc.env"),
    "App Service": lambda: machine("identity-app-service.env"),
    "App Service, user-assigned": lambda: machine("identity-app-service.env", client_id=USER),
    "managed identity as assertion": secretless,
}

for name, case in CASES.items():
    try:
        case()
        print(f"RESULT {name}: ok", flush=True)
    except Exception as error:  # pylint: disable=broad-except
        print(f"RESULT {name}: {type(error).__name__}: {str(error).splitlines()[0][:120]}", flush=True)
        traceback.print_exc(file=sys.stderr)
