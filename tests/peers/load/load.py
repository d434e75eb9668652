"""load.py CALLS TASKS: as many unwraps, by so many threads at once, with azure-identity and azure-keyvault-keys."""
import base64
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from azure.identity import ClientSecretCredential
from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm

CALLS, TASKS = int(sys.argv[1]), int(sys.argv[2])
CREDENTIAL = ClientSecretCredential("72f988bf-0000-4000-8000-2d7cd011db47", "11111111-2222-4333-8444-555555555555",
                                    "Sim~Secret-0.with_hyphens-1")
CRYPTO = CryptographyClient("https://contoso-vault.vault.azure.net/keys/BenchKey/" + os.environ["LOAD_VERSION"], CREDENTIAL)
WRAPPED = base64.urlsafe_b64decode(os.environ["LOAD_WRAPPED"] + "==")


def unwrap(_):
    assert len(CRYPTO.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, WRAPPED).key) == 32


if TASKS == 1:
    for number in range(CALLS):
        unwrap(number)
else:
    with ThreadPoolExecutor(TASKS) as pool:
        list(pool.map(unwrap, range(CALLS)))
