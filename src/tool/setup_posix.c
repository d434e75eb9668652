#include "tool/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "platform/file.h"
#include "tool/account.h"

void setup_default_library(char *out, size_t cap)
{
    (void)text_copy(out, cap, "/opt/akv-ekm/current/libakvekm.so");
}

bool setup_may(const struct setup *setup, char *why, size_t cap)
{
    (void)setup;
    (void)text_copy(why, cap, "setup needs root");
    return account_is_administrator();
}

struct setup_owner {
    uid_t user;
    gid_t group;
    char names[80];
};

static const char *setup_correct_folder(int folder, const struct setup_owner *owner, mode_t mode)
{
    /* Removes rights before it changes the owner, so that nobody gets access in between. */
    if (fchmod(folder, mode & 0700u) != 0 || fchown(folder, owner->user, owner->group) != 0 ||
        fchmod(folder, mode) != 0) {
        return strerror(errno);
    }
    return NULL;
}

/* Makes or corrects one folder; its parent exists. A link or a file is left alone. */
static void setup_folder(struct setup *setup, const char *path, const struct setup_owner *owner,
                         mode_t mode, const char *what)
{
    struct stat state;
    bool there = lstat(path, &state) == 0;
    if (there && !S_ISDIR(state.st_mode)) {
        setup_report(setup, SETUP_FAILED, "%s %s: it is no folder", what, path);
        return;
    }
    if (there && state.st_uid == owner->user && state.st_gid == owner->group &&
        (state.st_mode & 07777u) == mode) {
        setup_report(setup, SETUP_THERE, "%s %s of %s, %03o", what, path, owner->names,
                     (unsigned)mode);
        return;
    }
    const char *problem = NULL;
    int folder = -1;
    if (!setup->options->dry_run) {
        if (!there && mkdir(path, mode & 0700u) != 0) {
            problem = strerror(errno);
        } else if ((folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) >= 0) {
            problem = setup_correct_folder(folder, owner, mode);
            (void)close(folder);
        } else {
            problem = strerror(errno);
        }
    }
    setup_report(setup, problem != NULL ? SETUP_FAILED : SETUP_DONE, "%s %s of %s, %03o%s%s%s",
                 what, path, owner->names, (unsigned)mode, there ? " (its rights)" : "",
                 problem != NULL ? ": " : "", problem != NULL ? problem : "");
}

/* The folder that holds `path`. */
static bool setup_parent(const char *path, char *out, size_t cap)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash != path && text_copy_n(out, cap, path, (size_t)(slash - path));
}

static void setup_certificates(struct setup *setup, const struct setup_owner *service)
{
    char parent[1024];
    struct setup_owner root = {0, 0, "root"};
    struct setup_owner readers = {0, service->group, ""};
    const char *folder = setup->config->sign_in.certificate_folder;
    (void)text_format(readers.names, sizeof readers.names, "root, read by the service");
    if (setup_parent(folder, parent, sizeof parent) && !plat_folder_exists(parent)) {
        setup_folder(setup, parent, &root, 0755, "folder");
    }
    setup_folder(setup, folder, &readers, 0750, "folder of certificates");
}

void setup_machine(struct setup *setup)
{
    char folder[1024];
    struct setup_owner service;
    const char *name = setup->options->user != NULL ? setup->options->user : ACCOUNT_SERVICE;
    const struct passwd *entry = getpwnam(name);
    if (setup->options->instance != NULL) {
        setup_report(setup, SETUP_FAILED, "SQL Server on Linux has no named instances");
        return;
    }
    if (entry == NULL) {
        setup_report(setup, SETUP_FAILED,
                     "no account `%s`: install SQL Server first, or name its account by --user",
                     name);
        return;
    }
    service.user = entry->pw_uid;
    service.group = entry->pw_gid;
    (void)text_format(service.names, sizeof service.names, "%.60s", entry->pw_name);
    if (!setup_parent(setup->config->keymap_file, folder, sizeof folder)) {
        setup_report(setup, SETUP_FAILED, "%s has no folder of its own",
                     setup->config->keymap_file);
        return;
    }
    setup_folder(setup, folder, &service, 0700, "folder of the map");
    if (setup->options->sign_in != NULL && strcmp(setup->options->sign_in, "certificate") == 0) {
        setup_certificates(setup, &service);
    }
    if (access(setup->library, R_OK) != 0) {
        (void)printf("-- note: there is no %s yet\n", setup->library);
    }
}
