#!/bin/sh
# The machine's identity by the Azure Arc agent: its challenge is answered from its own folder and from nowhere else. That
# folder is made in a mount namespace, so nothing of this machine is touched; without the right to one the test is skipped.
if [ -z "${AKVEKM_ARC_NAMESPACE-}" ]; then
    if ! unshare -m true 2>/dev/null; then
        echo 'skipped: no mount namespace may be made here'
        exit 77
    fi
    AKVEKM_ARC_NAMESPACE=1 exec unshare -m sh "$0" "$@"
fi
case $(CDPATH='' cd -- "$1" && pwd):$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) in
/opt/* | /var/opt/* | *:/opt/* | *:/var/opt/*)
    echo 'skipped: this checkout lies where the agent would be'
    exit 77
    ;;
esac
for over in /var/opt /opt; do
    mount -t tmpfs none "$over" || exit 77
done
mkdir -p /var/opt/azcmagent/tokens
. "$(dirname -- "$0")/scenario.sh"

identity=33333333-4444-4555-8666-777777777777
tokens=/var/opt/azcmagent/tokens
vault_options="--arc-tokens $tokens"

# challenge TEXT: the agent's next ones say so
challenge() {
    ctl DELETE /faults >/dev/null
    ctl POST /faults "{\"host\":\"arc\",\"times\":0,\"action\":\"status\",\"status\":401,\"www_authenticate\":\"$1\"}" >/dev/null
}

# An attack is logged as one, and no file's content is sent.
attacked() {
    refused managed-identity 5022
    grep -q 'another process answers instead of the Azure Arc agent' "$log" || fail 'the attack is not logged as one'
    if grep -q -e root: -e stolen "$log"; then
        fail 'the content of the file is in the log'
    fi
}

set_up
while IFS= read -r line; do
    export "${line?}"
done <"$folder/vault/identity-arc.env"

opens managed-identity 'sign_in="managed-identity source=arc"'
expect_counter arc 2
opens "managed-identity:$identity" "source=arc client_id=$identity"
# An old agent gives the machine's own identity instead.
ctl POST /settings '{"arc_is_old":true}' >/dev/null
refused "managed-identity:$identity" 5021
opens managed-identity 'source=arc'
ctl POST /settings '{"arc_is_old":false}' >/dev/null

echo stolen >"$folder/stolen.key"
ln -s "$folder/stolen.key" "$tokens/link.key"
head -c 4097 /dev/zero | tr '\0' x >"$tokens/large.key"
printf 'stolen\r\nX: y' >"$tokens/lines.key"
echo stolen >"$tokens/other.txt"
mkdir "$tokens/folder.key" "$tokens/below"
echo stolen >"$tokens/below/a.key"
for realm in /etc/passwd "$folder/stolen.key" "$tokens/../../../$folder/stolen.key" "$tokens/link.key" "$tokens/large.key" "$tokens/lines.key" \
    "$tokens/other.txt" "$tokens/folder.key" "$tokens/below/a.key" "$tokens//a.key" "$tokens/.key" "${tokens}x/a.key" a.key '' "$tokens/a=b.key"; do
    challenge "Basic realm=$realm"
    attacked
done
challenge "Bearer realm=$tokens/a.key"
attacked
challenge ''
attacked
# A key that is gone, or that nobody may read, is no attack.
challenge "Basic realm=$tokens/gone.key"
refused managed-identity 5023
ctl DELETE /faults >/dev/null
ctl POST /faults '{"host":"arc","times":2,"action":"status","status":503}' >/dev/null
opens managed-identity 'source=arc'
# Without its variables the agent is recognized by its program.
unset IDENTITY_ENDPOINT IMDS_ENDPOINT
mkdir -p /opt/azcmagent/bin
: >/opt/azcmagent/bin/himds
configure 'call_timeout_ms = 1000'
refused managed-identity 5018
grep -q 'source=arc' "$log" || fail 'not the agent was asked'
