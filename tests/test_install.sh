#!/bin/sh
# Installs the library into a temporary folder and builds programs in C and C++ against it through pkg-config, shared and static.
# Usage: test_install.sh MESON BUILD_FOLDER CC
set -u
meson=$1 build=$2 cc=$3
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

if ! command -v pkg-config >/dev/null; then
    echo '1..0 # SKIP no pkg-config'
    exit 0
fi
stage=$(mktemp -d "${TMPDIR:-/tmp}/tapegrad-install.XXXXXX") || exit 1
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM

cat >"$stage/program.c" <<'PROGRAM'
#include <math.h>
#include <stdio.h>
#include <tapegrad/tapegrad.h>

/* d/dx of x sin(x) at 2. */
int main(void)
{
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    tg_tensor x = tg_input(graph, "x", TG_F64, TG_SCALAR);
    tg_tensor dy = tg_gradient(tg_mul(x, tg_sin(x)), x);
    tg_plan *plan = tg_compile(graph, dy);
    double at = 2, value = 0, expected = sin(at) + at * cos(at);
    if (!plan)
        printf("%s\n", tg_graph_error(graph));
    else if (tg_feed(plan, x, &at, sizeof at) || tg_run(plan) || tg_read(plan, dy, &value, sizeof value))
        printf("%s\n", tg_plan_error(plan));
    int right = fabs(value - expected) < 1e-12;
    printf("tapegrad %s: %.17g, expected %.17g\n", tg_version(), value, expected);
    tg_plan_free(plan);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
    return !right;
}
PROGRAM
cp "$stage/program.c" "$stage/program.cc"

installs() {
    DESTDIR=$stage/root "$meson" install -C "$build" --no-rebuild
}

# pkg-config, told that the root is elsewhere: what a packager's cross build does
staged_pkg_config() {
    pc=$(find "$stage/root" -name tapegrad.pc) && [ -n "$pc" ] || { echo 'no tapegrad.pc' >&2; return 1; }
    PKG_CONFIG_PATH=$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR=$stage/root pkg-config "$@" tapegrad
}

# builds SOURCE LIBRARY_FLAGS COMPILER...: compiles, links and runs
builds() {
    source=$1 libraries=$2
    shift 2
    flags=$(staged_pkg_config --cflags) || return 1
    # the flags are words
    # shellcheck disable=SC2086
    "$@" -Wall -Wextra -Werror $flags -o "$stage/program" "$stage/$source" $libraries -lm || return 1
    folder=$(dirname "$(find "$stage/root" -name 'libtapegrad.a')")
    LD_LIBRARY_PATH=$folder DYLD_LIBRARY_PATH=$folder "$stage/program"
}

shared() { staged_pkg_config --libs; }
# The archive by name, so that the linker cannot take the shared library, and what it needs.
static() { echo "$(find "$stage/root" -name libtapegrad.a) $(staged_pkg_config --static --libs | sed 's/-ltapegrad//')"; }

check 'meson install' installs
check 'pkg-config finds it' staged_pkg_config --exists
# shellcheck disable=SC2086
check 'a C program against the shared library' builds program.c "$(shared)" $cc -std=c11
# shellcheck disable=SC2086
check 'a C program against the static library alone' builds program.c "$(static)" $cc -std=c11
cxx=${CXX:-$(command -v c++ || command -v g++ || command -v clang++)}
if [ -n "$cxx" ]; then
    check 'a C++ program against the shared library' builds program.cc "$(shared)" "$cxx" -std=c++17
    check 'a C++ program against the static library alone' builds program.cc "$(static)" "$cxx" -std=c++17
else
    skip 'a C++ program' 'no C++ compiler'
fi
done_testing
