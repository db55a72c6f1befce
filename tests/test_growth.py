"""Recording, differentiating and compiling take work and memory in proportion to the graph, and do not recurse. Work is counted by
valgrind in instructions, never timed. Usage: test_growth.py GROWTH count|skip; writes TAP."""
import json
import os
import re
import shutil
import subprocess
import sys

GROWTH, COUNTS = sys.argv[1:3]
ENVIRONMENT = {**os.environ, "TG_ISA": "baseline", "MALLOC_PERTURB_": "0"}  # which meson sets: its filling of memory counts as work


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=600)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


def memory(kind, nodes):
    return json.loads(run(GROWTH, kind, str(nodes)).stdout)


def instructions(kind, nodes):
    done = run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", GROWTH, kind, str(nodes))
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def large_graphs_fit_a_small_stack(kind):
    assert memory(kind, 100_000)["nodes"] > 300_000


def memory_is_linear(kind):
    one, two, four = (memory(kind, n)["bytes"] for n in (20_000, 40_000, 80_000))
    assert four - two < 2.3 * (two - one), (one, two, four)


def work_is_linear(kind):
    one, two, four = (instructions(kind, n) for n in (500, 1_000, 2_000))
    assert four - two < 2.2 * (two - one), (one, two, four)


tests = [(test, kind) for kind in ("chain", "wide") for test in (large_graphs_fit_a_small_stack, memory_is_linear, work_is_linear)]
print(f"1..{len(tests)}")
failed = 0
for number, (test, kind) in enumerate(tests, 1):
    name = f"{number} - {kind}: {test.__name__}"
    if test is work_is_linear and (COUNTS == "skip" or not shutil.which("valgrind")):
        print(f"ok {name} # SKIP {'a sanitizer is in the way of valgrind' if COUNTS == 'skip' else 'valgrind is not installed'}", flush=True)
        continue
    try:
        test(kind)
        print(f"ok {name}", flush=True)
    except Exception as problem:
        failed += 1
        print("# " + "\n# ".join(f"{type(problem).__name__}: {problem}".splitlines()))
        print(f"not ok {name}", flush=True)
sys.exit(failed > 0)
