#include "ours.h"

#include <stdlib.h>
#include <string.h>

#include "measure.h"

static void ours_expect(SqlCpError code, const char *what)
{
    if (code != SQLCP_SUCCESS) {
        give_up("%s: code %d", what, (int)code);
    }
}

void ours_open(struct ours *ours, unsigned sessions)
{
    const char *other = getenv("BENCH_LIBRARY");
    if (other != NULL) {
        ekm_load_from(&ours->ekm, other);
    } else {
        ekm_load(&ours->ekm);
    }
    ours_expect(ours->ekm.InitializeProvider(), "Initialize");
    for (unsigned i = 0; i < sessions; i++) {
        ours_expect(ekm_open(&ours->ekm, "contoso-vault", SIM_PASSWORD, &ours->sessions[i]),
                    "OpenSession");
    }
    ours->session_count = sessions;
}

void ours_make_sample(struct ours *ours, const char *folder)
{
    uint8_t plain[SAMPLE_PLAIN_BYTES];
    SqlCpData thumb = {0, ours->sample.thumb}, in = {sizeof plain, plain},
              out = {sizeof ours->sample.cipher, ours->sample.cipher};
    memcpy(plain, sample_plain, sizeof plain);
    ours_expect(ekm_find(&ours->ekm, &ours->sessions[0], SAMPLE_KEY, &thumb), "GetKeyInfoByName");
    ours_expect(ekm_encrypt(&ours->ekm, &ours->sessions[0], &thumb, &in, &out), "Encrypt");
    ours->sample.cipher_len = (uint32_t)out.cb;
    sample_write(&ours->sample, folder);
}

void ours_close(struct ours *ours)
{
    for (unsigned i = 0; i < ours->session_count; i++) {
        ours_expect(ours->ekm.CloseSession(&ours->sessions[i], 0), "CloseSession");
    }
    ours_expect(ours->ekm.FreeProvider(), "Free");
    ekm_unload(&ours->ekm);
}

void ours_decrypt(void *context, unsigned thread)
{
    struct ours *ours = context;
    uint8_t bytes[512];
    SqlCpData thumb = {sizeof ours->sample.thumb, ours->sample.thumb},
              cipher = {ours->sample.cipher_len, ours->sample.cipher},
              plain = {sizeof bytes, bytes};
    ours_expect(ours->ekm.Decrypt(&ours->sessions[thread], &thumb, 1, NULL, 0, &cipher, &plain),
                "Decrypt");
    if (plain.cb != SAMPLE_PLAIN_BYTES || memcmp(bytes, sample_plain, plain.cb) != 0) {
        give_up("Decrypt gave something else");
    }
}

void ours_encrypt(void *context, unsigned thread)
{
    struct ours *ours = context;
    uint8_t bytes[512], text[SAMPLE_PLAIN_BYTES];
    SqlCpData thumb = {sizeof ours->sample.thumb, ours->sample.thumb}, plain = {sizeof text, text},
              cipher = {sizeof bytes, bytes};
    memcpy(text, sample_plain, sizeof text);
    ours_expect(ours->ekm.Encrypt(&ours->sessions[thread], &thumb, 1, NULL, 0, &plain, &cipher),
                "Encrypt");
}

/* Buffers of the right size from the start: one call, one request. */
void ours_find_key(void *context, unsigned thread)
{
    struct ours *ours = context;
    uint16_t name[] = {'B', 'e', 'n', 'c', 'h', 'K', 'e', 'y'}, found[64];
    uint8_t thumb[32];
    SqlCpStr wanted = {sizeof name, name};
    SqlCpKeyInfo info = {{sizeof found, found}, {sizeof thumb, thumb}, 0, 0};
    ours_expect(ours->ekm.GetKeyInfoByName(&ours->sessions[thread], &wanted, &info),
                "GetKeyInfoByName");
}

void ours_export(void *context, unsigned thread)
{
    struct ours *ours = context;
    uint8_t bytes[600];
    SqlCpData thumb = {sizeof ours->sample.thumb, ours->sample.thumb};
    SqlCpKeyBlob blob = {sizeof bytes, bytes};
    ours_expect(
        ours->ekm.ExportKey(&ours->sessions[thread], &thumb, NULL, SQLCP_PUBLIC_KEY_BLOB, &blob),
        "ExportKey");
}

void ours_open_and_close(void *context, unsigned thread)
{
    struct ours *ours = context;
    SqlCpSession session;
    (void)thread;
    ours_expect(ekm_open(&ours->ekm, "contoso-vault", SIM_PASSWORD, &session), "OpenSession");
    ours_expect(ours->ekm.CloseSession(&session, 0), "CloseSession");
}

void ours_provider_info(void *context, unsigned thread)
{
    struct ours *ours = context;
    uint16_t name[128];
    SqlCpProviderInfo info;
    (void)thread;
    memset(&info, 0, sizeof info);
    info.name.ws = name;
    info.name.cb = sizeof name;
    ours_expect(ours->ekm.GetProviderInfo(&info), "GetProviderInfo");
}

void ours_algorithm_info(void *context, unsigned thread)
{
    struct ours *ours = context;
    uint16_t tag[32];
    SqlCpAlgorithmInfo info;
    (void)thread;
    memset(&info, 0, sizeof info);
    info.algTag.ws = tag;
    info.algTag.cb = sizeof tag;
    ours_expect(ours->ekm.GetAlgorithmInfo(1, &info), "GetAlgorithmInfo");
}
