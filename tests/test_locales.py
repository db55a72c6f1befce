#!/usr/bin/env python3
"""Runs test programs as in a process that called setlocale() for a user with another decimal point: all in German (","), and those named
in EVERYWHERE in Pashto too, where the point takes two bytes, and in Turkish, where the small form of I is no letter of ASCII.
Usage: test_locales.py PROGRAM...; writes TAP. The locales are made in a folder of its own, by localedef."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

LOCALES = {"de_DE": ",", "tr_TR": ",", "ps_AF": "\u066b"}
EVERYWHERE = ("csv", "dot", "flags", "history", "json", "layers", "number_text", "print", "svg")


def make(folder, name):
    """None, or why there is no such locale."""
    if not shutil.which("localedef"):
        return "there is no localedef"
    done = subprocess.run(["localedef", "-i", name, "-f", "UTF-8", str(folder / f"{name}.UTF-8")], capture_output=True, text=True)
    made = (folder / f"{name}.UTF-8" / "LC_NUMERIC").exists()
    return None if made else f"localedef made none ({' '.join(done.stderr.split())[:120]}); Debian's package `locales` has its source"


def run(folder, locale, program):
    environment = dict(os.environ, LOCPATH=str(folder), LC_ALL=f"{locale}.UTF-8", TG_TEST_LOCALE=LOCALES[locale],
                       CK_TAP_LOG_FILE_NAME="-", CK_VERBOSITY="silent", CK_DEFAULT_TIMEOUT="900")
    done = subprocess.run([program], env=environment, capture_output=True, text=True, errors="replace")
    wrong = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("not ok")] or (done.stdout + done.stderr).splitlines()
    return [] if done.returncode == 0 else wrong[-5:] or [f"exit status {done.returncode}"]


def main():
    programs = [pathlib.Path(p) for p in sys.argv[1:]]
    cases = [(locale, p) for locale in LOCALES for p in programs
             if locale == "de_DE" or p.name.removeprefix("test_") in EVERYWHERE]
    failed = 0
    print(f"1..{len(cases)}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        missing = {locale: make(folder, locale) for locale in LOCALES}
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            wrong = list(pool.map(lambda case: [] if missing[case[0]] else run(folder, *case), cases))
    for number, ((locale, program), lines) in enumerate(zip(cases, wrong), 1):
        failed += bool(lines)
        print(f"{'not ok' if lines else 'ok'} {number} - {program.name} in {locale}" + (f" # SKIP {missing[locale]}" if missing[locale] else ""))
        print("".join(f"# {line}\n" for line in lines), end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
