/*
 * What the loader calls. The loader holds its lock meanwhile, so this does only one thing: when a
 * thread ends, it frees OpenSSL's memory of that thread. At process detach it does nothing, because
 * the other threads are already gone.
 */
#include <windows.h>

#include <openssl/crypto.h>

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved);

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module;
    (void)reserved;
    if (reason == DLL_THREAD_DETACH) {
        OPENSSL_thread_stop();
    }
    return TRUE;
}
