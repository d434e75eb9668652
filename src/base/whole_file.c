#include "base/whole_file.h"

enum plat_io whole_file_read(const char *path, enum plat_file_trust trust, size_t max,
                             struct buf *out)
{
    struct plat_file_state state;
    int handle = -1;
    size_t len = 0;
    enum plat_io io = plat_file_open(path, trust, &handle, &state);
    if (io != PLAT_IO_OK) {
        goto out;
    }
    io = plat_file_read(handle, out->data + out->len, max, &len);
    if (io != PLAT_IO_OK) {
        goto out;
    }
    out->len += len;
out:
    plat_file_close(&handle);
    out->data[out->len] = 0;
    return io;
}
