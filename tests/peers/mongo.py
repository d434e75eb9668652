"""libmongocrypt (by pymongocrypt), unmodified, against vaultsim: a data key under an Azure key, made and opened again."""
import os
import socket
import ssl

from bson import decode, encode
from pymongocrypt.errors import MongoCryptError
from pymongocrypt.mongocrypt import MongoCryptOptions
from pymongocrypt.synchronous.explicit_encrypter import ExplicitEncrypter
from pymongocrypt.synchronous.state_machine import MongoCryptCallback


class Callback(MongoCryptCallback):
    """What a driver does for the library: it carries bytes to the KMS and keeps the key vault's one document."""

    def __init__(self):
        self.document = None

    def kms_request(self, kms_context):
        host, _, port = kms_context.endpoint.partition(":")
        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        with socket.create_connection((host, int(port or 443)), timeout=20) as plain:
            with context.wrap_socket(plain, server_hostname=host) as connection:
                connection.sendall(kms_context.message)
                while kms_context.bytes_needed > 0:
                    data = connection.recv(kms_context.bytes_needed)
                    if not data:
                        raise MongoCryptError("the KMS closed the connection")
                    kms_context.feed(data)

    def fetch_keys(self, filter):
        yield self.document

    def insert_data_key(self, data_key):
        self.document = data_key
        return decode(data_key)["_id"]

    def bson_encode(self, doc):
        return encode(doc)

    def collection_info(self, *_):
        raise NotImplementedError

    def mark_command(self, *_):
        raise NotImplementedError

    def close(self):
        pass


def run():
    callback = Callback()
    providers = {"azure": {"tenantId": "72f988bf-0000-4000-8000-2d7cd011db47",
                           "clientId": "11111111-2222-4333-8444-555555555555",
                           "clientSecret": "Sim~Secret-0.with_hyphens-1"}}
    encrypter = ExplicitEncrypter(callback, MongoCryptOptions(providers, None))
    master = {"keyVaultEndpoint": "contoso-vault.vault.azure.net", "keyName": "peer"}
    key_id = encrypter.create_data_key("azure", master_key=master)
    algorithm = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"
    sealed = encrypter.encrypt(encode({"v": "hello"}), algorithm, key_id=bytes(key_id))
    fresh = ExplicitEncrypter(callback, MongoCryptOptions(providers, None))  # knows no key yet: unwraps
    assert decode(fresh.decrypt(sealed)) == {"v": "hello"}


try:
    run()
    print("RESULT libmongocrypt: ok")
except Exception as error:  # pylint: disable=broad-except
    print(f"RESULT libmongocrypt: {type(error).__name__}: {str(error)[:160]}")
    raise
