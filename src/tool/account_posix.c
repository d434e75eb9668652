#include "tool/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"

bool account_become(const char *name, char *why, size_t cap)
{
    bool asked = name != NULL;
    if (!asked && !account_is_administrator()) {
        return true;
    }
    const struct passwd *entry = getpwnam(asked ? name : ACCOUNT_SERVICE);
    if (entry == NULL) {
        (void)text_format(why, cap, "there is no account `%.60s`", asked ? name : ACCOUNT_SERVICE);
        return !asked;
    }
    if (entry->pw_uid == geteuid()) {
        return true;
    }
    bool done = initgroups(entry->pw_name, entry->pw_gid) == 0 && setgid(entry->pw_gid) == 0 &&
                setuid(entry->pw_uid) == 0;
    if (!done) {
        (void)text_format(why, cap, "cannot act as `%.60s`: %s; run it as root", entry->pw_name,
                          strerror(errno));
    }
    return done;
}

void account_describe(char *out, size_t cap)
{
    const struct passwd *entry = getpwuid(geteuid());
    (void)text_format(out, cap, "%.60s (uid %u)", entry != NULL ? entry->pw_name : "no name",
                      (unsigned)geteuid());
}

bool account_is_administrator(void)
{
    return geteuid() == 0;
}

bool account_has_terminal(void)
{
    return isatty(0) == 1;
}

void account_set_echo(bool on)
{
    struct termios settings;
    if (tcgetattr(0, &settings) == 0) {
        settings.c_lflag =
            on ? settings.c_lflag | (tcflag_t)ECHO : settings.c_lflag & ~(tcflag_t)ECHO;
        (void)tcsetattr(0, TCSAFLUSH, &settings);
    }
}
