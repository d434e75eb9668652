#!/bin/sh
# libraries.sh SYSTEM FOLDER [JOBS]: OpenSSL, curl and cJSON as static libraries in FOLDER/root, built small, for SYSTEM:
#   windows   Windows x64 by mingw-w64, with cmocka for the tests
#   linux     the machine's own processor, position independent, every symbol hidden (AKVEKM_LIBRARIES=private)
# They come from Debian's source packages, which carry the security fixes, never from a bare upstream tarball. What is there
# and still right is kept; FOLDER/root/versions.txt lists the versions. The script prints one line a step; a failed step prints
# its whole output.
#
# In the environment:
#   AKVEKM_SOURCES='cjson'  fetches that source package into FOLDER/src and builds nothing
#   AKVEKM_FRESH=yes        asks the archive for newer source packages even if it was asked within a day, and fails if it
#                           does not answer
set -eu
LC_ALL=C
export LC_ALL

usage() {
    echo 'usage: sh cmake/libraries.sh windows|linux FOLDER [JOBS]' >&2
    exit 2
}

[ $# -ge 2 ] || usage
script=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/$(basename -- "$0")
system=$1
mkdir -p "$2"
folder=$(CDPATH='' cd -- "$2" && pwd)
jobs=${3:-$(nproc)}

sources='openssl curl cjson'
case $system in
windows)
    target=x86_64-w64-mingw32
    cc=$target-gcc-win32
    ar=$target-ar
    compiler_package=gcc-mingw-w64-x86-64-win32
    sources="$sources cmocka"
    harden='-O2 -fstack-protector-strong'
    ;;
linux)
    cc=gcc
    ar=ar
    compiler_package=gcc
    # Sections: the linker drops what nothing reaches.
    harden='-O2 -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIC -fvisibility=hidden'
    harden="$harden -ffunction-sections -fdata-sections"
    ;;
*) usage ;;
esac
sources=${AKVEKM_SOURCES:-$sources}
SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH

# The oldest version that may go into a package: an archive that offers less is refused, not used.
floor_of() {
    case $1 in
    openssl) echo 3.0.20-1~deb12u1 ;;
    curl) echo 7.88.1-10+deb12u12 ;;
    cjson) echo 1.7.15-1+deb12u4 ;;
    cmocka) echo 1.1.5-2.1 ;;
    esac
}

say() {
    printf 'libraries: %s\n' "$*"
}

die() {
    say "failed: $*" >&2
    exit 1
}

# step WHAT FUNCTION: quiet, in a shell of its own so that a failure inside is never swallowed by set -e's exceptions.
step() {
    say "$1"
    log=$folder/log.txt
    status=0
    libraries_step=$2 sh "$script" "$system" "$folder" "$jobs" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
        die "$1"
    fi
}

# --- sources -------------------------------------------------------------------------------------------------------------

# A private apt configuration: the machine's own lists of sources stay as they are.
write_apt_configuration() {
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/apt/parts"
    rm -f "$folder"/apt/parts/*
    eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    found=
    # shellcheck disable=SC2154 # set by the eval
    if [ -f "$parts/debian.sources" ]; then
        sed 's/^Types:.*/Types: deb-src/' "$parts/debian.sources" >"$folder/apt/parts/debian.sources"
        found=yes
    fi
    # shellcheck disable=SC2154 # set by the eval
    if [ -f "$list" ] && grep -q '^deb .*debian' "$list"; then
        sed -n 's/^deb \(.*debian.*\)/deb-src \1/p' "$list" >"$folder/apt/parts/debian.list"
        found=yes
    fi
    [ -n "$found" ] || die "no Debian package source in $list or $parts/debian.sources"
    cat >"$folder/apt/apt.conf" <<CONFIGURATION
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$folder/apt/parts";
Dir::State::Lists "$folder/apt/lists";
Dir::Cache "$folder/apt/cache";
APT::Sandbox::User "root";
APT::Get::List-Cleanup "true";
CONFIGURATION
}

with_apt() {
    APT_CONFIG=$folder/apt/apt.conf "$@"
}

# The versions of a source package that the archive lists, newest first, but none below the floor.
listed_versions() {
    with_apt apt-cache madison "$1" | awk -v name="$1" -F ' *[|] *' '{ sub(/^ */, "", $1) } $1 == name { print $2 }' |
        sort -u >"$folder/listed"
    while [ -s "$folder/listed" ]; do
        newest=0
        while read -r version; do
            ! dpkg --compare-versions "$version" gt "$newest" || newest=$version
        done <"$folder/listed"
        dpkg --compare-versions "$newest" lt "$(floor_of "$1")" || echo "$newest"
        grep -vxF -- "$newest" "$folder/listed" >"$folder/listed.rest" || :
        mv "$folder/listed.rest" "$folder/listed"
    done
}

# A new version is listed before every mirror has its files; then the next older one that is not below the floor stands in,
# and that is said: versions.txt names it, and the next day's run asks again. Of cmocka, which no product contains, the
# upstream archive by itself will do: its checksum is in the signed list, too.
fetch_source() {
    cd "$folder/src.new"
    listed_versions "$1" >"$folder/versions"
    [ -s "$folder/versions" ] || die "the archive lists no $1 of $(floor_of "$1") or newer"
    newest=$(head -n 1 "$folder/versions")
    while read -r version; do
        if with_apt apt-get -q -o Acquire::Retries=3 source "$1=$version" </dev/null; then
            [ "$version" = "$newest" ] ||
                echo "$1: $newest, the newest that is listed, could not be fetched; took $version" >>"$folder/fallback.new"
            return 0
        fi
        rm -rf "$1"_*.dsc "$1"-* # of what is not whole
    done <"$folder/versions"
    [ "$1" = cmocka ] || return 1
    with_apt apt-get -q -o Acquire::Retries=3 --tar-only source "$1=$newest"
    tar -xf "$1"_*.orig.tar.*[!c]
    echo "$newest" >"$1.version"
    echo "$1: Debian's patches of $newest could not be fetched; took the upstream archive alone" >>"$folder/fallback.new"
}

# version_of SOURCE: of the newest one that is complete (its .dsc is the last file apt fetches).
version_of() {
    newest=$(cat "$folder/src/$1.version" 2>/dev/null) || newest=
    for dsc in "$folder/src/$1"_*.dsc; do
        [ -f "$dsc" ] || continue
        version=$(sed -n 's/^Version: //p' "$dsc" | head -n 1)
        [ -d "$(tree_of "$1" "$version")" ] || continue
        if [ -z "$newest" ] || dpkg --compare-versions "$version" gt "$newest"; then
            newest=$version
        fi
    done
    echo "$newest"
}

# tree_of SOURCE VERSION: the unpacked tree is named by the upstream version alone.
tree_of() {
    upstream=${2%-*}
    echo "$folder/src/$1-${upstream#*:}"
}

# What is there stays until all of the new is: an archive may answer and then lack a file.
step_fetch() {
    write_apt_configuration
    with_apt apt-get -q -o Acquire::Retries=3 -o APT::Update::Error-Mode=any update
    rm -rf "$folder/src.new" "$folder/fallback.new"
    mkdir -p "$folder/src.new"
    for source in $sources; do
        fetch_source "$source"
    done
    rm -rf "$folder/src" "$folder/fallback.txt"
    mv "$folder/src.new" "$folder/src"
    [ ! -f "$folder/fallback.new" ] || mv "$folder/fallback.new" "$folder/fallback.txt"
    touch "$folder/fetched"
}

# Once a day, so that a kept folder follows Debian's security updates; without a network, what is there stays in use.
fetch() {
    if [ -z "${AKVEKM_FRESH:-}" ] && [ -n "$(find "$folder/fetched" -mtime -1 2>/dev/null)" ]; then
        return 0
    fi
    if [ -n "${AKVEKM_FRESH:-}" ] || [ ! -f "$folder/root/versions.txt" ]; then
        step "fetching source packages: $sources" step_fetch
    elif ! libraries_step=step_fetch sh "$script" "$system" "$folder" "$jobs" >"$folder/log.txt" 2>&1 </dev/null; then
        say "warning: the package archive does not answer, or lacks a file; the libraries of $(date -r "$folder/fetched") stay in use"
    fi
}

check_versions() {
    for source in $sources; do
        version=$(version_of "$source")
        [ -n "$version" ] || die "the source package $source is not there"
        dpkg --compare-versions "$version" ge "$(floor_of "$source")" ||
            die "$source $version is older than $(floor_of "$source"), which this project needs at least"
        echo "$source $version"
    done
}

# --- the libraries -------------------------------------------------------------------------------------------------------

# What of OpenSSL is left out: all but TLS 1.2 and newer, X.509, RSA, elliptic curves and their ciphers and hashes.
openssl_without='tests module legacy engine comp cms ct cmp ts srp srtp psk dtls ssl3 tls1 tls1_1 weak-ssl-ciphers
    nextprotoneg ui-console autoload-config capieng uplink aria bf blake2 camellia cast des dsa ec2m gost idea md4 mdc2 ocb
    rc2 rc4 rc5 rmd160 scrypt seed siphash siv sm2 sm3 sm4 whirlpool rfc3779 quic unstable-qlog brotli zstd ml-dsa slh-dsa
    lms argon2'
# Linux: the library stays mapped by itself (-z nodelete), and the host's exit() may come while calls are under way: so
# neither a pin nor a cleanup at exit. Nothing is loaded, so no dso.
openssl_without_linux='dso pinshared atexit async afalgeng ktls filenames'

# openssl_options TREE: one no-NAME a line, of those that this version knows: Configure refuses others.
openssl_options() {
    without=$openssl_without
    [ "$system" = windows ] || without="$without $openssl_without_linux"
    for name in $without; do
        case $name in
        ssl3 | tls1 | tls1_1) echo "no-$name" ;;
        *) ! grep -q "^ *\"$name\",\$" "$1/Configure" || echo "no-$name" ;;
        esac
    done
}

# OpenSSL embeds the compiler's flags and the paths it was configured by: none of them may name this folder. The three
# directories are given at make: Configure on Unix takes C:/ as relative. no-autoload-config: no configuration file is read
# from a place that an unprivileged user could create. Never no-dso for Windows: the module would not stay mapped for its
# atexit call.
step_openssl() {
    tree=$(tree_of openssl "$(version_of openssl)")
    rm -rf "$folder/objects/openssl"
    mkdir -p "$folder/objects/openssl"
    cd "$folder/objects/openssl"
    configure=$(realpath --relative-to=. "$tree")/Configure
    if [ "$system" = windows ]; then
        ssl_dir='C:/Program Files/Common Files/SSL'
        set -- mingw64 "--cross-compile-prefix=$target-"
    else
        ssl_dir=/opt/akv-ekm/none
        case $(uname -m) in
        x86_64) set -- linux-x86_64 ;;
        aarch64) set -- linux-aarch64 ;;
        *) die "no build of OpenSSL is known for $(uname -m)" ;;
        esac
    fi
    # shellcheck disable=SC2046 # a list of options
    CFLAGS=$harden perl "$configure" "$@" --prefix=/openssl --libdir=lib no-shared $(openssl_options "$tree")
    make -s build_generated
    make -s "-j$jobs" "OPENSSLDIR=$ssl_dir" "ENGINESDIR=$ssl_dir/none" "MODULESDIR=$ssl_dir/none" libcrypto.a libssl.a
    mkdir -p "$folder/new/include" "$folder/new/lib"
    cp libcrypto.a libssl.a "$folder/new/lib"
    cp -r "$tree/include/openssl" "$folder/new/include"
    cp include/openssl/*.h "$folder/new/include/openssl"
    rm -rf "$folder/objects/openssl"
}

# Nobody asks for headers by name: curl would keep a copy of each. 7.88 knows no option of CMake for it.
curl_without='-DCURL_DISABLE_HEADERS_API'

# curl's own list of sources, without 50 s of cross try-compiles: for Windows its header config-win32.h knows all. The first
# header is precompiled with exactly make's flags.
build_curl_windows() {
    cp -r "$1/lib" "$1/include" "$folder/objects/curl"
    cd "$folder/objects/curl/lib"
    defines='-DCURL_STATICLIB -DHTTP_ONLY -DCURL_DISABLE_NTLM -DCURL_DISABLE_COOKIES -DCURL_DISABLE_ALTSVC'
    defines="$defines -DCURL_DISABLE_HSTS -DCURL_DISABLE_NETRC -DCURL_DISABLE_DOH -DCURL_DISABLE_WEBSOCKETS"
    defines="$defines $curl_without -DNDEBUG -DUSE_OPENSSL -DCURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG -DBUILDING_LIBCURL"
    grep -q 'define USE_IPV6' config-win32.h || defines="$defines -DENABLE_IPV6 -DUSE_IPV6"
    cat >ours.mk <<MAKEFILE
include Makefile.inc
CC = $cc
CFLAGS = -W -Wall $harden $defines -I. -I../include -I../../../new/include
libcurl.a: \$(CSOURCES:.c=.o)
	$target-ar rcs \$@ \$^
\$(CSOURCES:.c=.o): curl_setup.h.gch
curl_setup.h.gch: curl_setup.h
	\$(CC) \$(CFLAGS) -x c-header -o \$@ curl_setup.h
MAKEFILE
    make -s "-j$jobs" -f ours.mk libcurl.a
    cp libcurl.a "$folder/new/lib"
}

# By CMake: its checks take a third of configure's time. arc4random is a function of glibc 2.36. The trust store is src/net's.
build_curl_linux() {
    cd "$folder/objects/curl"
    cmake -S "$1" -B . -G Ninja -DCMAKE_BUILD_TYPE=None "-DCMAKE_C_FLAGS=$harden $curl_without -DNDEBUG" \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
        -DBUILD_CURL_EXE=OFF -DBUILD_SHARED_LIBS=OFF -DBUILD_STATIC_LIBS=ON -DBUILD_TESTING=OFF -DBUILD_LIBCURL_DOCS=OFF \
        -DBUILD_MISC_DOCS=OFF -DENABLE_CURL_MANUAL=OFF -DENABLE_MANUAL=OFF -DPICKY_COMPILER=OFF \
        -DHTTP_ONLY=ON -DENABLE_THREADED_RESOLVER=ON -DENABLE_IPV6=ON -DENABLE_UNIX_SOCKETS=OFF -DENABLE_WEBSOCKETS=OFF \
        -DCURL_DISABLE_WEBSOCKETS=ON -DCURL_DISABLE_NTLM=ON -DCURL_DISABLE_COOKIES=ON -DCURL_DISABLE_ALTSVC=ON \
        -DCURL_DISABLE_HSTS=ON -DCURL_DISABLE_NETRC=ON -DCURL_DISABLE_DOH=ON -DCURL_DISABLE_IPFS=ON -DCURL_DISABLE_MIME=ON \
        -DCURL_DISABLE_GETOPTIONS=ON -DCURL_DISABLE_AWS=ON -DCURL_DISABLE_SRP=ON -DCURL_USE_OPENSSL=ON \
        -DCURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG=ON -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_ZLIB=OFF -DCURL_BROTLI=OFF \
        -DCURL_ZSTD=OFF -DUSE_NGHTTP2=OFF -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF \
        -DCURL_USE_LIBSSH=OFF -DCURL_USE_GSSAPI=OFF -DHAVE_ARC4RANDOM=0 \
        "-DOPENSSL_ROOT_DIR=$folder/new" -DOPENSSL_USE_STATIC_LIBS=ON \
        "-DOPENSSL_INCLUDE_DIR=$folder/new/include" "-DOPENSSL_SSL_LIBRARY=$folder/new/lib/libssl.a" \
        "-DOPENSSL_CRYPTO_LIBRARY=$folder/new/lib/libcrypto.a"
    cmake --build . -j "$jobs"
    cp lib/libcurl.a "$folder/new/lib"
}

step_curl() {
    tree=$(tree_of curl "$(version_of curl)")
    rm -rf "$folder/objects/curl"
    mkdir -p "$folder/objects/curl"
    "build_curl_$system" "$tree"
    cp -r "$tree/include/curl" "$folder/new/include"
    rm -rf "$folder/objects/curl"
}

# CJSON_HIDE_SYMBOLS: else its objects ask Windows' linker to export the whole of cJSON from our DLL.
step_cjson() {
    cd "$(tree_of cjson "$(version_of cjson)")"
    # shellcheck disable=SC2086 # a list of flags
    $cc $harden -DCJSON_HIDE_SYMBOLS -c cJSON.c -o "$folder/objects/cjson.o"
    $ar rcs "$folder/new/lib/libcjson.a" "$folder/objects/cjson.o"
    mkdir -p "$folder/new/include/cjson"
    cp cJSON.h "$folder/new/include/cjson"
}

step_cmocka() {
    cd "$(tree_of cmocka "$(version_of cmocka)")"
    $cc -O1 -DHAVE_MALLOC_H -DHAVE_INTTYPES_H -DHAVE_SIGNAL_H -DHAVE_STRINGS_H -DHAVE_STRUCT_TIMESPEC -Iinclude \
        -c src/cmocka.c -o "$folder/objects/cmocka.o"
    $ar rcs "$folder/new/lib/libcmocka.a" "$folder/objects/cmocka.o"
    cp include/cmocka*.h "$folder/new/include"
}

# The texts that a package must carry: the licence itself, as not every system has a copy, and what Debian lists by file.
copy_licences() {
    mkdir -p "$folder/new/licences"
    for source in openssl curl cjson; do
        tree=$(tree_of "$source" "$(version_of "$source")")
        for text in LICENSE.txt COPYING LICENSE debian/copyright; do
            [ ! -f "$tree/$text" ] || printf -- '----- %s: %s -----\n\n%s\n\n' "$source" "$text" "$(cat "$tree/$text")"
        done >"$folder/new/licences/$source.txt"
    done
}

build() {
    rm -rf "$folder/new"
    mkdir -p "$folder/new/include" "$folder/new/lib" "$folder/objects"
    step "building $(grep '^openssl' "$folder/wanted.txt") (about a minute)" step_openssl
    step "building $(grep '^curl' "$folder/wanted.txt")" step_curl
    step "building $(grep '^cjson' "$folder/wanted.txt")" step_cjson
    [ "$system" != windows ] || step "building $(grep '^cmocka' "$folder/wanted.txt")" step_cmocka
    copy_licences
    cp "$folder/wanted.txt" "$folder/new/versions.txt"
    rm -rf "$folder/root" "$folder/objects"
    mv "$folder/new" "$folder/root"
}

# --- main ----------------------------------------------------------------------------------------------------------------

if [ -n "${libraries_step:-}" ]; then
    step=$libraries_step
    unset libraries_step
    set -x
    "$step"
    exit 0
fi

fetch
if [ -n "${AKVEKM_SOURCES:-}" ]; then
    check_versions
    exit 0
fi
# The stamp: versions, compiler, and this script, which holds the flags.
{
    check_versions
    echo "compiler $($cc -dumpfullversion) $(dpkg-query -W -f='${Version}' "$compiler_package")"
    echo "script $(sha256sum <"$script" | cut -d ' ' -f 1)"
} >"$folder/wanted.txt"
[ ! -f "$folder/fallback.txt" ] || sed 's/^/libraries: warning: /' "$folder/fallback.txt"
if cmp -s "$folder/wanted.txt" "$folder/root/versions.txt"; then
    say "kept: $(sed -n 's/^\(openssl\|curl\|cjson\|cmocka\) /\1-/p' "$folder/root/versions.txt" | tr '\n' ' ')"
else
    build
fi
