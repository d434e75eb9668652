/*
 * What the loader calls. It holds its lock meanwhile, so this does one thing: OpenSSL's memory of a
 * thread that ends is given back. Nothing at process detach, when other threads are gone already.
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
