#!/bin/sh
# Runs one fuzz target from its seeds: run_fuzz.sh PROGRAM SEEDS. FUZZ_SECONDS, 4 by default, ends it. An input that fails is left in the
# folder from which it was started, under libFuzzer's name for it.
found=$(mktemp -d) || exit 1
trap 'rm -rf "$found"' EXIT
"$1" "$found" "$2" -max_total_time="${FUZZ_SECONDS:-4}" -rss_limit_mb=512 -malloc_limit_mb=256 -timeout=5 -print_final_stats=1
