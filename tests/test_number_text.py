#!/usr/bin/env python3
"""Numbers have a point in every locale, since one module formats and reads them: nothing else of the library and of the programs hands a
float to printf's and scanf's families, calls strtod's, or asks the locale for the kind or case of
a letter or for the system's words.
Usage: test_number_text.py SOURCE_ROOT"""

import pathlib
import re
import sys

FLOORS = ("graph", "ops", "exec", "autodiff", "train", "models", "tools")
MODULE = "graph/number_text.c"
PRINTS = re.compile(r"\b(?:printf|fprintf|dprintf|snprintf|sprintf|asprintf|f?scanf|sscanf)\s*\(")
LISTS = re.compile(r"\bv(?:printf|fprintf|dprintf|snprintf|sprintf|asprintf|f?scanf|sscanf)\s*\(")
READS = re.compile(r"\b(?:strto(?:d|f|ld)|atof)\s*\(")
LETTERS = re.compile(r"\b(?:is(?:al(?:num|pha)|blank|cntrl|graph|lower|print|punct|space|upper)|to(?:lower|upper)|strn?casecmp|strcoll|"
                     r"strxfrm|strftime|localeconv|strerror)\s*\(")
FLOAT = re.compile(r"%[-+ #0']*(?:\*|\d+)?(?:\.(?:\*|\d+)?)?[lL]?[aefgAEFG]")
TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"')
SKIP = re.compile(r"/\*.*?\*/|//[^\n]*|'(?:[^'\\\n]|\\.)+'", re.S)


def without_comments(source):
    """Comments and characters become blanks; texts and line numbers stay."""
    both = re.compile(f"{TEXT.pattern}|{SKIP.pattern}", re.S)
    return both.sub(lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", " ", m[0]), source)


def arguments(code, at):
    """The text between the parenthesis before `at` and the one that closes it."""
    depth, start = 1, at
    while depth and at < len(code):
        text = TEXT.match(code, at)
        if text:
            at = text.end()
            continue
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        at += 1
    return code[start:at]


def faults(source):
    """Lines, from 1, of what must go through the module, each with the call."""
    code = without_comments(source)
    bare = TEXT.sub(lambda m: " " * len(m[0]), code)
    found = [m for pattern in (LISTS, READS, LETTERS) for m in pattern.finditer(bare)]
    for m in PRINTS.finditer(bare):
        texts = TEXT.findall(arguments(code, m.end()))
        if any(FLOAT.search(t.replace("%%", "")) for t in texts):
            found.append(m)
    return [(code.count("\n", 0, m.start()) + 1, m[0]) for m in found]


TRIALS = [  # what the check itself must find, or pass over
    ('snprintf(t, n, "a %d, %.*f", 1, 2, x);', 1), ('printf(\n"%s"\n" %-8.3e", s, x);', 1), ("vsnprintf(t, n, f, a);", 1),
    ("x = strtod(t, &end);", 1), ('fscanf(f, "%d %lf", &x);', 1), ("c = tolower(c);", 1), ('fprintf(out, odd(")") ? "%g" : "%f", x);', 1),
    ('printf("100%% good, 5 %%f\\n");', 0), ("/* printf(\"%f\") */", 0), ('tg_format(t, n, "%f", x);', 0), ('say("strtod(x)");', 0),
]


def main():
    root = pathlib.Path(sys.argv[1])
    print("1..2")
    wrong = [code for code, count in TRIALS if len(faults(code)) != count]
    print(f"{'not ok' if wrong else 'ok'} 1 - the check finds what it must" + "".join(f"\n# {w!r}" for w in wrong))
    lines, files = [], 0
    for floor in FLOORS:
        for path in sorted((root / floor).rglob("*.[ch]")):
            name = path.relative_to(root).as_posix()
            files += 1
            if name != MODULE:
                lines += [f"{name}:{line}: {call})" for line, call in faults(path.read_text(encoding="utf-8"))]
    bad = lines or files < 100
    print(f"{'not ok' if bad else 'ok'} 2 - numbers and letters go through {MODULE}" + "".join(f"\n# {line}" for line in lines))
    return 1 if wrong or bad else 0


if __name__ == "__main__":
    sys.exit(main())
