#!/bin/sh
# The project's commands; `sh cmake/dev.sh help` lists them. Works on a fresh Debian 12 or 13 as root or with sudo.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
packages='gcc libc6-dev cmake ninja-build openssl libcurl4-openssl-dev libssl-dev libcjson-dev libcmocka-dev libmicrohttpd-dev libgnutls28-dev locales valgrind groff-base nghttp2-proxy iproute2'
private_packages='dpkg-dev perl make'
windows_packages='gcc-mingw-w64-x86-64-win32 dpkg-dev perl make wine wine64 osslsigncode'
package_packages='rpm gpg gpg-agent wixl msitools faketime zip'
fuzz_packages='clang libclang-rt-dev llvm dpkg-dev'
matrix_packages='debootstrap debian-archive-keyring'
analyze_packages='clang-tidy cppcheck'
coverage_packages='gcovr'
jobs=$(nproc 2>/dev/null || echo 2)
test_jobs=$((jobs + (jobs + 1) / 2)) # many tests mostly wait

usage() {
    cat <<'USAGE'
usage: sh cmake/dev.sh COMMAND

  demo       build, start the embedded vault, run the setup article's T-SQL through ekmhost
  test       build and run every test: the Linux side, those tests again that may differ with private
             libraries, the Windows side; shows the failures and ctest's last lines of each
  build      build only: build/libakvekm.so, build/vaultsim, build/ekmhost
  private    build the library with OpenSSL, curl and cJSON inside, as in the packages, and run the tests
             that may differ
  windows    build akvekm.dll and ekmhost.exe and run the Windows tests under Wine (docs/windows.md)
  sanitize   build and run every test under AddressSanitizer and UBSan, then under ThreadSanitizer
  fuzz       run every fuzzer in turn: fuzz [SECONDS each, or EXECUTIONSx each]; default 60 s
  analyze    run gcc's analyzer, cppcheck and clang-tidy over src/ and the fuzzers
  coverage   run every test and show which lines of src/ ran, by file and in total
  package    make dist/: deb, rpm, tar.gz, MSI, zip, and test them; OPTIONS of cmake/package/package.sh (docs/release.md)
  bench      measure the library and a bare curl loop; --quick for half a minute; --peers: beside the Azure
             clients for Rust, Go, Java, JavaScript and Python, as root (docs/performance.md)
  matrix     in clean chroots of Debian 12, 13 and sid: build, Release, demo, tests: matrix [SUITE...]; as root
  torture    kill the map's writers thousands of times, and make every allocation fail once; some minutes
  soak       a million Decrypts from 32 threads with random faults, in which nothing may grow; storms of 1,000 databases
  setup      install the packages that are missing, nothing else
  clean      remove the build folders

All commands except clean first install the Debian packages that they need.
USAGE
}

say() {
    printf 'dev: %s\n' "$*"
}

# quietly WHAT COMMAND...: shows what the command printed only if it fails.
quietly() {
    what=$1
    shift
    say "$what"
    log=$(mktemp)
    if "$@" >"$log" 2>&1 </dev/null; then
        rm -f "$log"
    else
        status=$?
        cat "$log"
        rm -f "$log"
        say "failed: $what"
        exit "$status"
    fi
}

missing_packages() {
    for package in $packages; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || :)
        [ "$state" = installed ] || printf '%s ' "$package"
    done
}

setup() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        say "not a Debian system: these packages are expected to be there: $packages"
        return
    fi
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root=sudo
        if ! command -v sudo >/dev/null 2>&1; then
            say "missing: $missing"
            say "run as root or with sudo installed, or install them yourself"
            exit 1
        fi
    fi
    quietly 'reading the package lists' $as_root apt-get -q -o Acquire::Retries=3 update
    # shellcheck disable=SC2086 # a list of package names
    quietly "installing: $missing" $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o Acquire::Retries=3 --no-install-recommends install $missing
}

# build PRESET [cmake options]: one of CMakePresets.json, which names the folder.
build() {
    preset=$1
    shift
    quietly "configuring $preset" env -C "$root" cmake --preset "$preset" "$@"
    quietly "building $preset" env -C "$root" cmake --build --preset "$preset" -j "$jobs"
}

# run_tests FOLDER [OPTION of ctest]...: only the failures' output and ctest's own closing lines. The pipe would hide ctest's exit code.
run_tests() {
    folder=$1
    shift
    say "testing $folder"
    result=$(mktemp)
    {
        status=0
        ctest --test-dir "$root/$folder" --output-on-failure -j "$test_jobs" "$@" </dev/null 2>&1 || status=$?
        echo "$status" >"$result"
    } | grep -vE '^ *Start +[0-9]+: |^ *[0-9]+/[0-9]+ Test +#[0-9]+: .* Passed |^(Internal ctest|Test project) |^ *$' || :
    status=$(cat "$result")
    rm -f "$result"
    return "${status:-1}"
}

demo() {
    setup
    build dev
    sh "$root/tests/demo/demo.sh" "$root/build"
}

# The formatting is compared with one version of clang-format alone, which Debian 12 has.
format_package() {
    ! grep -qs '^12' /etc/debian_version || echo clang-format-14
}

# The failures of one side must not hide those of the others. These are commands of their own: called as a function
# beside `||` they would go on after an error.
test_all() {
    packages="$packages $private_packages $windows_packages $(format_package)"
    setup
    build dev
    status=0
    run_tests build || status=$?
    sh "$root/cmake/dev.sh" private || status=$?
    sh "$root/cmake/dev.sh" windows || status=$?
    return "$status"
}

# What the other libraries can make a difference to; the long storms and the matrix of faults have run with the system's.
private() {
    packages="$packages $private_packages"
    setup
    sh "$root/cmake/libraries.sh" linux "$root/build-private-libs" "$jobs"
    build private
    run_tests build-private -E 'faults|storm_' \
        -R '^(integration|scenario|bench)[.]|^lint[.]exports$|^unit[.]test_(curl_library|http.*|provider|trust_store|wiping.*)$'
}

# The libraries come as source packages, the server of the tests is the native vaultsim.
windows() {
    packages="$packages $windows_packages"
    setup
    build dev
    sh "$root/cmake/libraries.sh" windows "$root/build-windows-libs" "$jobs"
    build mingw
    trap 'sh "$root/cmake/windows/wine.sh" "$root/build-windows" --end' EXIT
    trap 'exit 1' HUP INT TERM
    quietly 'starting Wine' sh "$root/cmake/windows/wine.sh" "$root/build-windows" --begin
    run_tests build-windows
}

# package [OPTIONS of cmake/package/package.sh]. Newer source packages are asked for first, and must be had.
package() {
    packages="$packages $private_packages $windows_packages $package_packages ${AKVEKM_CFG:+clang lld}"
    setup
    AKVEKM_FRESH=yes sh "$root/cmake/libraries.sh" linux "$root/build-private-libs" "$jobs"
    AKVEKM_FRESH=yes sh "$root/cmake/libraries.sh" windows "$root/build-windows-libs" "$jobs"
    build dev
    build package
    toolchain=$root/cmake/windows/toolchain${AKVEKM_CFG:+-cfg}.cmake
    # A folder keeps its compiler.
    grep -qs "CMAKE_TOOLCHAIN_FILE:.*=$toolchain\$" "$root/build-package-windows/CMakeCache.txt" ||
        rm -rf "$root/build-package-windows"
    build package-mingw "-DCMAKE_TOOLCHAIN_FILE=$toolchain"
    sh "$root/cmake/package/package.sh" "$@"
    case " $*" in *' --sign'*) export AKVEKM_SIGNED=yes ;; esac
    sh "$root/tests/package/run.sh" "$root" "$root/build"
}

# bench [OPTIONS of build/bench], bench --peers, or bench --scale [CASES of tests/bench/scale.sh]
bench() {
    if [ "${1-}" = --peers ]; then
        bench_peers
        return
    fi
    setup
    build dev
    if [ "${1-}" = --scale ]; then
        shift
        sh "$root/tests/bench/scale.sh" "$root/build" "$root/build/scale.tsv" "$@"
        return
    fi
    "$root/build/bench" --json "$root/build/bench.json" "$@"
}

# Beside other people's clients, whose packages are pinned and go into build/peers; with what tools this machine has.
bench_peers() {
    packages="$packages $private_packages"
    setup
    sh "$root/cmake/libraries.sh" linux "$root/build-private-libs" "$jobs"
    build dev
    build private
    sh "$root/tests/peers/load.sh" "$root/build" "$root/build-private"
}

sanitize() {
    setup
    build asan
    run_tests build-asan
    build tsan
    TSAN_OPTIONS="suppressions=$root/tests/tsan.supp ${TSAN_OPTIONS-}" run_tests build-tsan
}

torture() {
    setup
    build dev
    say 'killing writers of the map'
    "$root/build/torture_map" 5000
    if [ -f "$root/build-windows/map_torture.exe" ]; then
        say "killing writers of the Windows map that is a file"
        sh "$root/cmake/windows/wine.sh" "$root/build-windows" --begin
        sh "$root/tests/windows/map_torture.sh" "$root/build" "$root/build-windows" 350
        sh "$root/cmake/windows/wine.sh" "$root/build-windows" --end
    fi
    say 'killing hosts within the exports'
    "$root/build/torture_calls" 2000
    say 'refusing every allocation'
    "$root/build/torture_allocations" all
}

# fuzz [EFFORT]: what was found before is begun with.
fuzz() {
    packages="$packages $fuzz_packages"
    setup
    quietly "fetching cJSON's source package" env AKVEKM_SOURCES=cjson sh "$root/cmake/libraries.sh" linux \
        "$root/build-fuzz/libraries"
    build fuzz "-DAKVEKM_CJSON_SOURCE=$(echo "$root"/build-fuzz/libraries/src/cjson-*/)"
    say 'fuzzing'
    sh "$root/tests/fuzz/run.sh" "$root/build-fuzz" "$root/tests/fuzz" "${1:-60}"
}

analyze() {
    packages="$packages $analyze_packages"
    setup
    build dev
    sh "$root/tests/lint/analyze.sh" "$root" "$root/build" "$jobs"
}

# The figures of a run with failed tests would not count.
coverage() {
    packages="$packages $coverage_packages"
    setup
    build coverage
    find "$root/build-coverage" -name '*.gcda' -delete
    run_tests build-coverage
    sh "$root/tests/lint/lines.sh" "$root" "$root/build-coverage"
}

soak() {
    setup
    build dev
    say 'a million Decrypts'
    "$root/build/integration_soak" 1000000
    say 'a thousand databases in long storms'
    sh "$root/tests/integration/soak_storm.sh" "$root/build"
}

case ${1:-help} in
    demo) demo ;;
    test) test_all ;;
    build)
        setup
        build dev
        ;;
    private) private ;;
    windows) windows ;;
    sanitize) sanitize ;;
    fuzz) fuzz "${2-}" ;;
    analyze) analyze ;;
    coverage) coverage ;;
    package)
        shift
        package "$@"
        ;;
    bench)
        shift
        bench "$@"
        ;;
    matrix)
        shift
        packages=$matrix_packages
        setup
        sh "$root/cmake/matrix.sh" "$@"
        ;;
    torture) torture ;;
    soak) soak ;;
    setup) setup ;;
    clean)
        for folder in build build-release build-asan build-tsan build-fuzz build-coverage build-private build-private-libs \
            build-windows build-windows-libs build-package build-package-windows dist; do
            rm -rf "${root:?}/$folder"
        done
        ;;
    help | -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
