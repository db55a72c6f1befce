# What tools/demo and tools/check share: finding the programs and libraries that a build needs, and installing them where allowed.
# Source it with `root` set to the top of the tree. It sets `meson` to a meson of 1.0 or later.

say() { printf '\n==> %s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

meson_is_new() { version=$("$1" --version 2>/dev/null) && [ "${version%%.*}" -ge 1 ] 2>/dev/null; }
module_exists() { have pkg-config && pkg-config --exists "$1"; }

# Prints PACKAGE where TEST fails: lacks PACKAGE TEST...
lacks() {
    package=$1
    shift
    "$@" || printf ' %s' "$package"
}

has_compiler() { if [ -n "${CC:-}" ]; then have "${CC%% *}"; else have cc || have gcc || have clang; fi; }
has_cxx_compiler() { have "${CXX:-c++}" || have g++ || have clang++; }
compiler_package() { case ${CC:-} in *clang*) echo clang ;; *) echo gcc ;; esac; }
has_download() { have curl || have wget; }
has_meson() { meson_is_new meson || meson_is_new "$root/.venv/bin/meson"; }
has_ninja() { have ninja || have "$root/.venv/bin/ninja"; }
has_h5py() { python3 -c 'import h5py' >/dev/null 2>&1 || /usr/bin/python3 -c 'import h5py' >/dev/null 2>&1; }
has_venv() { python3 -c 'import venv, ensurepip' >/dev/null 2>&1; }
has_fuzzer() {
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n); int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return n && *d; }' |
        "${CC%% *}" -fsanitize=fuzzer,address -x c -o /dev/null - >/dev/null 2>&1
}
has_locales() { ! have apt-get || [ -e /usr/share/i18n/locales/de_DE ]; }
has_libc() { ! have apt-get || [ -e /usr/include/stdio.h ]; }

# as_root COMMAND...: runs it as root; fails without a word where that needs a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}
may_be_root() { [ "$(id -u)" -eq 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }

update_package_lists() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq update ||
        echo 'apt-get update failed: going on with the package lists that are here' >&2
}

# What must come before an installation where apt has no package lists, as in a container's image.
first_lists() { apt-cache show libc6-dev >/dev/null 2>&1 || printf 'sudo apt-get update && '; }

# install_with_apt PACKAGE...
install_with_apt() {
    line="apt-get install -y --no-install-recommends $*"
    may_be_root || fail "needs packages; install them and start again: $(first_lists)sudo $line"
    say "$line"
    output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 -q \
        install -y --no-install-recommends "$@" 2>&1) || {
        printf '%s\n' "$output" >&2
        fail "could not install packages: sudo $line"
    }
}

apt_meson_is_new() {
    version=$(apt-cache policy meson 2>/dev/null | sed -n 's/^ *Candidate: *//p')
    [ "${version%%.*}" -ge 1 ] 2>/dev/null
}

# The package that brings meson, or the means to make a virtual environment for it.
meson_package() {
    if may_be_root || ! has_venv; then
        if apt_meson_is_new; then printf ' meson'; else lacks python3-venv has_venv; fi
    fi
}

make_venv() {
    say "no meson of 1.0 or later: making one in .venv with pip"
    { python3 -m venv "$root/.venv" && "$root/.venv/bin/pip" install -q meson ninja; } ||
        fail "needs meson 1.0 or later and ninja; install them and start again: pip install meson ninja"
}

# debian_packages PURPOSE: the packages that are missing
debian_packages() {
    lacks "$(compiler_package)" has_compiler
    lacks libc6-dev has_libc
    lacks ninja-build has_ninja
    lacks pkg-config have pkg-config
    lacks zlib1g-dev module_exists zlib
    case $1 in
    demo) has_download || printf ' curl ca-certificates' ;;
    fuzz)
        lacks libpng-dev module_exists libpng
        lacks libclang-rt-dev has_fuzzer
        ;;
    check)
        lacks g++ has_cxx_compiler
        lacks check module_exists check
        lacks libpng-dev module_exists libpng
        lacks graphviz have dot
        lacks binutils have objdump
        lacks locales has_locales
        lacks python3-h5py has_h5py
        ;;
    esac
}

brew_packages() {
    lacks meson has_meson
    lacks ninja has_ninja
    lacks pkg-config have pkg-config
    if [ "$1" = check ]; then
        lacks check module_exists check
        lacks libpng module_exists libpng
        lacks graphviz have dot
    fi
}

require_debian() {
    packages=$(debian_packages "$1")
    [ -z "$packages" ] && has_meson && return
    ! may_be_root || update_package_lists
    has_meson || packages="$packages$(meson_package)"
    # shellcheck disable=SC2086
    [ -z "$packages" ] || install_with_apt $packages
    has_meson || make_venv
}

require_brew() {
    has_compiler || fail 'needs a C compiler; install it and start again: xcode-select --install'
    packages=$(brew_packages "$1")
    [ -n "$packages" ] || return 0
    say "brew install$packages"
    # shellcheck disable=SC2086
    brew install -q $packages || fail "could not install packages: brew install$packages"
}

# require PURPOSE: demo, check or fuzz
require() {
    if have apt-get; then
        require_debian "$1"
    elif have brew; then
        require_brew "$1"
    elif has_compiler && have pkg-config; then
        has_meson && has_ninja || make_venv
    else
        fail 'needs a C compiler, meson 1.0 or later, ninja, pkg-config and zlib; for the tests also Check, libpng and Graphviz'
    fi
    [ ! -d "$root/.venv/bin" ] || PATH=$root/.venv/bin:$PATH
    meson_is_new meson || fail 'meson 1.0 or later was not found after all'
    meson=meson
}

# configure FOLDER OPTION...: sets a build folder up, or brings it up to date with these options.
configure() {
    build=$1
    shift
    if [ -f "$build/build.ninja" ]; then
        "$meson" setup --reconfigure "$@" "$build" "$root" >"$build/configure.log" 2>&1 || rm -rf "$build"
    fi
    if [ ! -f "$build/build.ninja" ]; then
        mkdir -p "$build"
        "$meson" setup "$@" "$build" "$root" >"$build/configure.log" 2>&1 || {
            cat "$build/configure.log" >&2
            fail "meson could not configure $build"
        }
    fi
}

# compile FOLDER [TARGET...]: builds everything, or these targets; says only what went wrong, and warnings.
compile() {
    build=$1
    shift
    if ! "$meson" compile -C "$build" "$@" >"$build/compile.log" 2>&1; then
        cat "$build/compile.log" >&2
        fail "$build does not build"
    fi
    grep 'warning:' "$build/compile.log" >&2
    true
}
