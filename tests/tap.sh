# For tests that are shell scripts: source it, call `check NAME COMMAND...` for each test, then `done_testing`.
# COMMAND's output, shown if it fails, says what is wrong.
count=0
failed=0

check() {
    name=$1
    shift
    count=$((count + 1))
    if output=$("$@" 2>&1); then
        echo "ok $count - $name"
    else
        failed=$((failed + 1))
        printf '%s\n' "$output" | sed 's/^/# /'
        echo "not ok $count - $name"
    fi
}

skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

# Succeeds if its argument, the list of what is wrong, is empty.
none() {
    [ -z "$1" ] || { printf '%s\n' "$1"; return 1; }
}

done_testing() {
    echo "1..$count"
    [ "$failed" -eq 0 ]
}
