/* Recordings are read as they are, and each judge says what speaks for and against. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assumption.h"
#include "memory.h"
#include "platform.h"

#define T "2026-11-29T03:04:05.678Z 7/9 "

static char folder[512];
static char *path;

static int make_folder(void **state)
{
    (void)state;
    if (!platform_folder_make_temporary(folder, sizeof folder))
        return -1;
    path = memory_format("%s/recording", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    platform_path_remove(path);
    free(path);
    return platform_folder_remove(folder) ? 0 : -1;
}

static void read_text(struct recording *recording, const char *text)
{
    assert_true(memory_write_file(path, text, strlen(text)));
    assert_true(recording_read(recording, path));
}

static void lines_are_read_and_others_counted(void **state)
{
    (void)state;
    struct recording recording;
    read_text(&recording,
              "# akv-ekm recording 1, version 9\n" T
              "Decrypt session=5 thumb=2p:0AFF final=1 in=256p out=0n gives=32 rc=2 us=12\r\n"
              "this is no call\n\n# another start\n"
              "2026-11-29T03:04:05.678Z 79 Decrypt rc=0\n" T "FreeProvider\n" T
              "GetKeyInfoByName session=6 name=2p:\"K\" out=64p rc=0 us=3");
    assert_int_equal(recording.count, 3);
    assert_int_equal(recording.strange, 2);
    assert_string_equal(recording.title, "akv-ekm recording 1, version 9");
    const struct recording_call *call = &recording.calls[0];
    assert_string_equal(call->process, "7");
    assert_string_equal(call->thread, "9");
    assert_string_equal(call->session, "5");
    assert_int_equal(call->result, 2);
    assert_int_equal(call->took_us, 12);
    assert_string_equal(recording_field(call, "thumb"), "2p:0AFF");
    assert_null(recording_field(call, "thum"));
    assert_false(recording_offers(call, "out"));
    assert_true(recording_offers(call, "in"));
    assert_int_equal(recording.calls[1].result, -1);
    assert_true(recording_is(&recording.calls[1], "FreeProvider"));
    assert_true(recording_offers(&recording.calls[2], "out"));
    recording_free(&recording);
    read_text(&recording, "");
    assert_int_equal(recording.count, 0);
    recording_free(&recording);
}

struct example {
    const char *number, *text;
    enum assumption_verdict verdict;
};

#define INITIALIZE     T "InitializeProvider rc=0 us=1\n"
#define OPEN(n)        T "OpenSession auth=1 session=" #n " rc=0 us=1\n"
#define CLOSE(n)       T "CloseSession session=" #n " abort=0 rc=0 us=1\n"
#define CRYPT(f, n, t) T f " session=" #n " thumb=1p:" #t " final=1 params=0n rc=0 us=1\n"
#define FREE           T "FreeProvider\n"

static const struct example examples[] = {
    {"A4", INITIALIZE T "GetNextAlgorithmId alg=0 gives=1 rc=0 us=1\n" OPEN(1),
     ASSUMPTION_CONFIRMED},
    {"A4", INITIALIZE OPEN(1), ASSUMPTION_CONTRADICTED},
    {"A4", INITIALIZE T "GetProviderInfo rc=0 us=1\n" FREE, ASSUMPTION_CONTRADICTED},
    {"A4", OPEN(1), ASSUMPTION_SILENT},
    {"A8", INITIALIZE OPEN(1) OPEN(2), ASSUMPTION_CONFIRMED},
    {"A8", INITIALIZE OPEN(1) FREE INITIALIZE, ASSUMPTION_CONTRADICTED},
    {"A8", INITIALIZE FREE INITIALIZE OPEN(1), ASSUMPTION_SILENT},
    {"A10", OPEN(1) CRYPT("Decrypt", 1, A) CLOSE(1), ASSUMPTION_CONFIRMED},
    {"A10", OPEN(1) CRYPT("Decrypt", 1, A) CRYPT("Decrypt", 1, B) CLOSE(1),
     ASSUMPTION_CONTRADICTED},
    {"A10", OPEN(1) T "DropKey session=1 rc=0 us=1\n" CRYPT("Decrypt", 1, A) CLOSE(1),
     ASSUMPTION_SILENT},
    {"A14", T "CreateKey session=1 rc=0 us=1\n" T "GetKeyInfoByName session=1 rc=2 us=1\n",
     ASSUMPTION_CONFIRMED},
    {"A14", T "CreateKey session=1 rc=0 us=1\n" T "ExportKey session=1 rc=2 us=1\n",
     ASSUMPTION_CONTRADICTED},
    {"A14", T "CreateKey session=1 rc=1 us=1\n" T "ExportKey session=1 rc=2 us=1\n",
     ASSUMPTION_SILENT},
    {"A19", CRYPT("Decrypt", 1, A) CRYPT("Encrypt", 2, B), ASSUMPTION_CONFIRMED},
    {"A19", CRYPT("Decrypt", 1, A) CRYPT("Encrypt", 2, B) CRYPT("Decrypt", 3, B),
     ASSUMPTION_CONTRADICTED},
    {"A19", CRYPT("Decrypt", 1, A) CRYPT("Encrypt", 2, A), ASSUMPTION_SILENT},
    {"A27", T "ExportKey out=0n rc=2 us=1\n" T "ExportKey out=9p rc=0 us=1\n",
     ASSUMPTION_CONFIRMED},
    {"A27", T "ExportKey out=9p rc=0 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A27", T "CreateKey out=20p rc=0 us=1\n", ASSUMPTION_SILENT},
    {"A28", CRYPT("Decrypt", 1, A), ASSUMPTION_CONFIRMED},
    {"A28", T "Decrypt final=0 params=0n rc=0 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A28", T "Decrypt final=1 params=1p rc=0 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A29", T "ExportKey encryptor=0 type=1 rc=2 us=1\n", ASSUMPTION_CONFIRMED},
    {"A29", T "ExportKey encryptor=1 type=1 rc=2 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A29", T "ImportKey encryptor=1 type=1 rc=3 us=1\n", ASSUMPTION_SILENT},
    {"A30", CLOSE(1), ASSUMPTION_CONFIRMED},
    {"A30", CLOSE(1) T "CloseSession session=2 abort=1 rc=0 us=1\n", ASSUMPTION_CONTRADICTED},
    {"A31", INITIALIZE OPEN(1) CLOSE(1) FREE, ASSUMPTION_CONFIRMED},
    {"A31", INITIALIZE OPEN(1) OPEN(2) CLOSE(1) FREE, ASSUMPTION_CONTRADICTED},
    {"A31", INITIALIZE OPEN(1), ASSUMPTION_SILENT},
};

static void each_judge_tells_for_from_against(void **state)
{
    (void)state;
    for (const struct assumption *at = assumptions; at->number; at++) {
        int tried[3] = {0, 0, 0};
        for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
            struct recording recording;
            struct assumption_count count;
            if (strcmp(examples[i].number, at->number) != 0)
                continue;
            read_text(&recording, examples[i].text);
            if (assumption_verdict(at, &recording, &count) != examples[i].verdict)
                fail_msg("%s: %ld for and %ld against in\n%s", at->number, count.for_it,
                         count.against, examples[i].text);
            assert_int_equal(assumption_contradicted(at->number, &recording),
                             examples[i].verdict == ASSUMPTION_CONTRADICTED);
            tried[examples[i].verdict]++;
            recording_free(&recording);
        }
        if (at->judge && (tried[ASSUMPTION_CONFIRMED] == 0 || tried[ASSUMPTION_CONTRADICTED] == 0))
            fail_msg("%s is not tried both ways", at->number);
    }
}

/* The processes of a failover are held apart. */
static void processes_are_held_apart(void **state)
{
    (void)state;
    struct recording recording;
    read_text(&recording,
              INITIALIZE OPEN(1) "2026-11-29T03:04:05.678Z 8/9 InitializeProvider rc=0 us=1\n");
    assert_false(assumption_contradicted("A8", &recording));
    recording_free(&recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_and_others_counted),
        cmocka_unit_test(each_judge_tells_for_from_against),
        cmocka_unit_test(processes_are_held_apart),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
