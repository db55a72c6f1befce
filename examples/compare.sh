#!/bin/sh
# Runs an example and compares what it prints with a file: compare.sh PROGRAM EXPECTED.txt
output=$("$1") || exit 1
printf '%s\n' "$output" | diff -u "$2" -
