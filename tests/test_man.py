"""The manual pages. Usage: test_man.py PROGRAM PAGE ...; writes TAP."""
import pathlib
import re
import shutil
import subprocess
import sys


def complete(program, page):
    text = page.read_text()
    assert text.startswith(f".TH {program.name.upper()} 1 "), text[:80]
    assert re.findall(r"^\.SH (.*)", text, re.M) == ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "NOTES"]
    shown = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    flags = re.findall(r"^  (--\S+)", shown, re.M)
    assert len(flags) > 5 and re.findall(r"^\\fB(\S+)\\fR", text, re.M) == [flag.replace("-", "\\-") for flag in flags]


def readable(program, page):
    """groff finds nothing to warn of, and shows what --help says, word by word."""
    if not shutil.which("groff"):
        return
    done = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-P-c", "-rHY=0", "-rLL=2000n", str(page)], capture_output=True, text=True, check=True)
    assert done.stderr == "", done.stderr
    read = " ".join(re.sub(r".\x08", "", done.stdout).split())
    shown = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    for entry in re.split(r"\n(?=  --)", shown[shown.index("\n  --"):shown.index("\n\nExamples:")])[1:]:
        assert " ".join(entry.split()) in read, entry


cases = [(test, pathlib.Path(program), pathlib.Path(page)) for program, page in zip(sys.argv[1::2], sys.argv[2::2]) for test in (complete, readable)]
print(f"1..{len(cases)}")
failed = 0
for number, (test, program, page) in enumerate(cases, 1):
    try:
        test(program, page)
        print(f"ok {number} - {page.name}: {test.__name__}")
    except Exception as problem:
        failed += 1
        print("# " + "\n# ".join(f"{type(problem).__name__}: {problem}".splitlines()))
        print(f"not ok {number} - {page.name}: {test.__name__}")
sys.exit(1 if failed else 0)
