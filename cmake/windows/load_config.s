# What Windows reads of a file to guard its indirect calls: IMAGE_LOAD_CONFIG_DIRECTORY64, which mingw-w64's runtime lacks. The
# tables are lld's, the two pointers mingw-w64's. With AKVEKM_CFG alone (docs/windows.md).
    .section .rdata,"dr"
    .globl _load_config_used
    .balign 8
_load_config_used:
    .long 0x118 # the size of all of it
    .fill 108, 1, 0
    .quad __guard_check_icall_fptr
    .quad __guard_dispatch_icall_fptr
    .quad __guard_fids_table
    .quad __guard_fids_count
    .long __guard_flags
    .fill 12, 1, 0
    .quad __guard_iat_table
    .quad __guard_iat_count
    .quad __guard_longjmp_table
    .quad __guard_longjmp_count
    .fill 88, 1, 0
