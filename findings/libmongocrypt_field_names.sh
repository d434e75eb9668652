#!/bin/sh
# libmongocrypt reads the field names of HTTP answers with regard to case.
#
# Package: pymongocrypt 1.21.2 from PyPI (it carries libmongocrypt), with pymongo 4.20.1 for BSON, Python 3.9 or newer.
# Behaviour: the answer of a KMS or of a token endpoint is understood only with "Content-Length" in exactly these letters.
#   With "content-length" the same answer ends in "Unexpected extra HTTP content".
# The wrong guess: field names are case-insensitive (RFC 9110 section 5.1), every HTTP client folds them, so a server or a proxy
#   may write them as it likes. Managed HSM answers in lower case, and so does whatever translates HTTP/2 into HTTP/1.1: a
#   stand-in for Azure that writes lower case is refused by this client and by no other.
# Effect here: vaultsim writes the fields of vaults and of Entra as the service does, and leaves Content-Length with capitals.
#
# No network but the installation: the answers are fed from memory. Exit 0: as described. Exit 1: it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install pymongocrypt==1.21.2 pymongo==4.20.1
"$folder/venv/bin/python" - <<'END'
import base64
import sys

from bson import encode
from pymongocrypt.mongocrypt import MongoCryptOptions
from pymongocrypt.synchronous.explicit_encrypter import ExplicitEncrypter
from pymongocrypt.synchronous.state_machine import MongoCryptCallback

VALUE = base64.urlsafe_b64encode(bytes(256)).rstrip(b"=")
TOKEN = b'{"token_type":"Bearer","expires_in":3599,"access_token":"opaque"}'
WRAPPED = b'{"kid":"https://v.vault.azure.net/keys/k/1","value":"' + VALUE + b'"}'


class Callback(MongoCryptCallback):
    """Answers Entra's and Key Vault's part from memory, the length under the given field name."""

    def __init__(self, name):
        self.name = name

    def kms_request(self, kms_context):
        body = TOKEN if b"/oauth2/" in kms_context.message else WRAPPED
        answer = b"HTTP/1.1 200 OK\r\n%s: %d\r\nContent-Type: application/json\r\n\r\n%s" % (self.name, len(body), body)
        while kms_context.bytes_needed > 0 and answer:
            wanted = kms_context.bytes_needed
            kms_context.feed(answer[:wanted])
            answer = answer[wanted:]

    def insert_data_key(self, data_key):
        return "data key made"

    def bson_encode(self, doc):
        return encode(doc)

    def fetch_keys(self, filter):
        return iter(())

    def collection_info(self, *_):
        raise NotImplementedError

    def mark_command(self, *_):
        raise NotImplementedError

    def close(self):
        pass


def outcome(name):
    providers = {"azure": {"tenantId": "t", "clientId": "c", "clientSecret": "s"}}
    encrypter = ExplicitEncrypter(Callback(name), MongoCryptOptions(providers, None))
    try:
        return encrypter.create_data_key("azure", master_key={"keyVaultEndpoint": "v.vault.azure.net", "keyName": "k"})
    except Exception as error:
        return f"{type(error).__name__}: {error}"


usual, lower = outcome(b"Content-Length"), outcome(b"content-length")
print("Content-Length:", usual)
print("content-length:", lower)
sys.exit(0 if usual == "data key made" and lower != usual else 1)
END
