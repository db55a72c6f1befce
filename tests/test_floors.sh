#!/bin/sh
# The promises that the tree as a whole makes: floors include only floors to their left, public headers compile alone in C and C++,
# and the library exports only tg_ names, neither prints nor exits, and holds no writable globals.
# Usage: test_floors.sh SOURCE_ROOT STATIC_LIBRARY SHARED_LIBRARY CC PUBLIC_HEADER...; empty libraries leave out what needs them.
set -u
cd "$1" || exit 1
static_library=$2 shared_library=$3 cc=$4
shift 4
public_headers=$*
. tests/tap.sh

# includes FLOOR "ALLOWED...": the includes in FLOOR of any folder that is not allowed
includes() {
    allowed=$(echo "$2" | tr ' ' '|')
    none "$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' "$1" | grep -vE "\"($allowed)/[^\"]*\"")"
}

kernels_include_libc_only() {
    libc='assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|tgmath'
    intrinsics='[a-z]+mmintrin|immintrin|arm_neon'
    none "$(grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' ops/kernels |
        grep -vE "\"(ops/kernels/)?[a-z0-9_]+\.h\"|<($libc|$intrinsics)\.h>")"
}

# A header is public if it declares something exported: then it is installed, and tapegrad.h brings it.
exported_headers_are_public() {
    wrong=$(for header in $(grep -lE TG_API graph/*.h exec/*.h ops/*.h autodiff/*.h train/*.h); do
        case " $public_headers " in *" $header "*) ;; *) echo "$header declares TG_API, and is not installed" ;; esac
        echo '#include "tapegrad/tapegrad.h"' | $cc -std=c11 -I. -E -x c - | grep -qF "/$header\"" ||
            echo "$header declares TG_API, and tapegrad/tapegrad.h does not include it"
    done)
    none "$wrong"
}

compiles_alone() {
    header=$1
    shift
    echo "#include \"$header\"" | "$@" -I. -Wall -Wextra -pedantic -Werror -fsyntax-only -
}

static_names() {
    none "$(nm -g --defined-only "$static_library" 2>/dev/null | awk 'NF == 3 && $3 !~ /^_?tg_/ { print $3 }')"
}

shared_names() {
    none "$(nm -D --defined-only "$shared_library" | awk 'NF == 3 && $2 != "A" && $3 !~ /^_?tg_/ { print $3 }')"
}

# What prints, ends the process or takes hold of it. (fprintf is not here: to a file it is no print, and stdout and stderr are.)
silent() {
    unwanted='_*(v?printf|puts|putchar|perror|psignal)(_chk)?|stdin|stdout|stderr|_*(exit|Exit|quick_exit|abort|assert_fail|atexit|signal|sigaction|system)'
    none "$(nm -u "$static_library" 2>/dev/null | awk 'NF == 2 { sub(/@.*/, "", $2); print $2 }' | sort -u | grep -xE "$unwanted")"
}

no_writable_globals() {
    none "$(objdump -h "$static_library" | awk '/file format/ { file = $1 } $2 ~ /^\.(data|bss|tdata|tbss)(\..*)?$/ && $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/ { print file, $2, "0x" $3 " bytes" }')"
}

# A test that the build does not list is a test that nobody runs.
tests_are_listed() {
    listed=$(grep -v '^long_tests\|^threaded_tests' tests/meson.build)
    none "$(for file in tests/test_*; do
        name=${file#tests/test_}
        echo "$listed" | grep -qE "(\[|, |^ +)'${name%.*}'[],]|'test_$name'" || echo "$file is not in tests/meson.build"
    done)"
}

check 'graph includes only itself' includes graph 'graph'
check 'exec includes graph' includes exec 'graph exec'
check 'ops includes graph' includes ops 'graph ops'
check 'autodiff includes graph, exec, ops' includes autodiff 'graph exec ops autodiff'
check 'train includes all but models' includes train 'graph exec ops autodiff train'
check 'models include the floors' includes models 'graph exec ops autodiff train models tapegrad'
check 'every test is listed' tests_are_listed
check 'kernels include libc and their own headers' kernels_include_libc_only
check 'exported headers are installed and in tapegrad.h' exported_headers_are_public
cxx=${CXX:-$(command -v c++ || command -v g++ || command -v clang++)}
for header in $public_headers; do
    check "$header compiles alone in C11" compiles_alone "$header" $cc -std=c11 -x c
    if [ -n "$cxx" ]; then
        check "$header compiles alone in C++17" compiles_alone "$header" $cxx -std=c++17 -x c++
    else
        skip "$header compiles alone in C++17" 'no C++ compiler'
    fi
done
if [ -n "$static_library" ]; then
    check 'the static library defines only tg_ names' static_names
    check 'the shared library exports only tg_ names' shared_names
    check 'the library does not print, exit, abort or take signals' silent
    check 'the library holds no writable globals' no_writable_globals
else
    skip 'names, silence and globals of the library' 'not an ELF build without sanitizers'
fi
done_testing
