#!/bin/sh
# Runs an example and compares what it prints with a file: compare.sh PROGRAM EXPECTED.txt [ARGUMENT...]
program=$1
expected=$2
shift 2
output=$("$program" "$@") || exit 1
printf '%s\n' "$output" | diff -u "$expected" -
