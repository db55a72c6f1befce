#!/usr/bin/env python3
"""tools/fetch_mnist against a server on this machine: every downloader and every checksum program that is installed; broken,
damaged, missing and unwilling mirrors. Usage: test_fetch.py PATH_TO_FETCH_MNIST. Writes TAP."""
import hashlib
import http.server
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

FETCH = os.path.abspath(sys.argv[1])
UTILITIES = ["sh", "cat", "cut", "sed", "wc", "tr", "mv", "rm", "mkdir"]
DOWNLOADERS = ["curl", "wget", "python3"]
SUMMERS = ["sha256sum", "shasum", "openssl", "python3"]
FILES = {name: random.Random(name).randbytes(size) for name, size in [("images.gz", 300_000), ("labels.gz", 20_000)]}


class Mirrors(http.server.BaseHTTPRequestHandler):
    """Each folder is a mirror with habits of its own; `log` keeps (path, first byte sent)."""

    log = []
    files = FILES

    def do_GET(self):
        habit, name = self.path.strip("/").split("/")
        data = self.files.get(name)
        if data is None or habit == "empty":
            return self.send_error(404)
        if habit == "damaged":
            data = data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]
        first, asked = 0, self.headers.get("Range")
        if asked and habit != "whole":
            first = int(asked.removeprefix("bytes=").rstrip("-"))
        if first and first >= len(data):
            return self.send_error(416)
        self.log.append((self.path, first))
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(data) - 1, len(data)))
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        self.wfile.write(data[first : len(data) // 2] if habit == "breaking" else data[first:])
        self.close_connection = True

    def log_message(self, *_):
        pass


class Bench:
    """A server, a folder to download to, and a PATH with the given programs alone."""

    def __init__(self, programs, files=FILES):
        self.folder = tempfile.mkdtemp(prefix="fetch-")
        self.target, self.path = os.path.join(self.folder, "new", "data"), os.path.join(self.folder, "bin")
        os.mkdir(self.path)
        for program in UTILITIES + programs:
            found = sys.executable if program == "python3" else shutil.which(program)
            os.symlink(os.path.realpath(found), os.path.join(self.path, program))
        self.sums = os.path.join(self.folder, "sums")
        with open(self.sums, "w", encoding="ascii") as out:
            out.writelines("%s  %s\n" % (hashlib.sha256(data).hexdigest(), name) for name, data in FILES.items())
        self.log = []
        handler = type("Handler", (Mirrors,), {"log": self.log, "files": files})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder)

    def mirror(self, habit):
        return "http://127.0.0.1:%d/%s/" % (self.server.server_address[1], habit)

    def run(self, *flags, env=None):
        environment = {"PATH": self.path, "HOME": self.folder, "no_proxy": "*", **(env or {})}
        shell = os.path.join(self.path, "sh")
        return subprocess.run([shell, FETCH, *flags], env=environment, capture_output=True, text=True, timeout=120, check=False)

    def fetch(self, *habits):
        mirrors = [flag for habit in habits for flag in ("--mirror", self.mirror(habit))]
        return self.run("--dir", self.target, "--sums", self.sums, *mirrors)

    def begin(self, name, data):
        os.makedirs(self.target, exist_ok=True)
        with open(os.path.join(self.target, name), "wb") as out:
            out.write(data)

    def there(self):
        """What the folder holds, as a dict."""
        if not os.path.isdir(self.target):
            return {}
        return {name: open(os.path.join(self.target, name), "rb").read() for name in os.listdir(self.target)}

    def check_whole(self, result):
        assert result.returncode == 0, result.stderr
        assert self.there() == FILES, "in the folder: %s" % sorted(self.there())


def installed(programs):
    return [program for program in programs if program == "python3" or shutil.which(program)]


def downloads_and_skips(tool):
    with Bench([tool, "sha256sum"]) as bench:
        bench.check_whole(bench.fetch("good"))
        asked = len(bench.log)
        again = bench.fetch("good")
        bench.check_whole(again)
        assert len(bench.log) == asked, "right files were downloaded again"
        assert again.stdout.count("there already") == len(FILES)


def continues(tool):
    with Bench([tool, "sha256sum"]) as bench:
        bench.begin("images.gz.part", FILES["images.gz"][:100_000])
        bench.check_whole(bench.fetch("good"))
        assert ("/good/images.gz", 100_000) in bench.log, bench.log
        assert ("/good/images.gz", 0) not in bench.log, bench.log


def continues_after_break(tool):
    with Bench([tool, "sha256sum"]) as bench:
        result = bench.fetch("breaking")
        assert result.returncode == 1 and "images.gz" in result.stderr and "kept" in result.stderr, result.stderr
        assert bench.there() == {"images.gz.part": FILES["images.gz"][:150_000]}
        bench.check_whole(bench.fetch("good"))
        assert ("/good/images.gz", 150_000) in bench.log, bench.log


def mirror_that_cannot_continue(tool):
    with Bench([tool, "sha256sum"]) as bench:
        bench.begin("images.gz.part", FILES["images.gz"][:100_000])
        bench.check_whole(bench.fetch("whole"))


def wrong_beginning(tool):
    with Bench([tool, "sha256sum"]) as bench:
        bench.begin("images.gz.part", b"x" * 5_000)
        bench.begin("labels.gz.part", b"x" * 30_000)
        bench.check_whole(bench.fetch("good"))


def whole_part(tool):
    with Bench([tool, "sha256sum"]) as bench:
        for name, data in FILES.items():
            bench.begin(name + ".part", data)
        bench.check_whole(bench.fetch("good"))
        assert not bench.log, bench.log


def damaged_mirror_then_good(tool):
    with Bench([tool, "sha256sum"]) as bench:
        result = bench.fetch("damaged", "empty", "good")
        bench.check_whole(result)
        assert bench.mirror("damaged") + "images.gz: its SHA-256 is not" in result.stderr, result.stderr


def damaged_mirror_alone(tool):
    with Bench([tool, "sha256sum"]) as bench:
        result = bench.fetch("damaged")
        assert result.returncode == 1 and "no mirror gave it whole and right" in result.stderr, result.stderr
        assert not bench.there(), "left: %s" % sorted(bench.there())


def unreachable_mirror(tool):
    with Bench([tool, "sha256sum"]) as bench, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        bench.begin("images.gz.part", FILES["images.gz"][:100_000])
        mirror = "http://127.0.0.1:%d" % closed.getsockname()[1]
        result = bench.run("--dir", bench.target, "--sums", bench.sums, "--mirror", mirror)
        assert result.returncode == 1 and "images.gz" in result.stderr, result.stderr
        assert bench.there() == {"images.gz.part": FILES["images.gz"][:100_000]}


def replaces_damaged_file(tool):
    with Bench([tool, "sha256sum"]) as bench:
        bench.begin("labels.gz", FILES["labels.gz"][:-1])
        bench.check_whole(bench.fetch("good"))


def checks_sums_with(tool):
    with Bench(["python3", tool] if tool != "python3" else ["python3"]) as bench:
        result = bench.fetch("damaged", "good")
        bench.check_whole(result)
        assert result.stderr.count("its SHA-256 is not") == len(FILES), result.stderr


def needs_programs():
    with Bench(["sha256sum"]) as bench:
        result = bench.fetch("good")
        assert result.returncode == 1 and "curl, wget or python3" in result.stderr, result.stderr
    for tool in installed(["curl", "wget"])[:1]:
        with Bench([tool]) as bench:
            result = bench.fetch("good")
            assert result.returncode == 1 and "sha256sum, shasum, openssl or python3" in result.stderr, result.stderr
            assert not bench.there()


def usage_errors():
    with Bench(["python3"]) as bench:
        for flags in (["--nonsense"], ["--dir"], ["--dir="], ["images.gz"]):
            result = bench.run(*flags)
            assert result.returncode == 2 and "--help" in result.stderr, (flags, result)
        result = bench.run("--help")
        assert result.returncode == 0 and result.stdout.startswith("usage: tools/fetch_mnist"), result
        result = bench.run("--sums", os.path.join(bench.folder, "missing"))
        assert result.returncode == 1 and "missing" in result.stderr, result
        with open(bench.sums, "w", encoding="ascii") as out:
            out.write("%064d  ../escape\n" % 0)
        result = bench.fetch("good")
        assert result.returncode == 1 and "../escape" in result.stderr and not bench.log, result


def default_folder():
    for variable, below in (("XDG_DATA_HOME", "tapegrad/mnist"), ("HOME", ".local/share/tapegrad/mnist")):
        with Bench(["python3"]) as bench:
            base = os.path.join(bench.folder, "base")
            bench.target = os.path.join(base, below)
            env = {"HOME": bench.folder, variable: base}
            result = bench.run("--sums=" + bench.sums, "--mirror=" + bench.mirror("good"), env=env)
            bench.check_whole(result)
            assert "by themselves" in result.stdout, result.stdout


def real_files():
    folder = os.environ["MNIST_DIR"]
    names = ["%s-%s-ubyte.gz" % (part, kind) for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
    files = {name: open(os.path.join(folder, name), "rb").read() for name in names}
    with Bench(["python3"], files) as bench:
        result = bench.run("--dir", bench.target, "--mirror", bench.mirror("good"))
        assert result.returncode == 0, result.stderr
        assert bench.there() == files


def cases():
    for tool in installed(DOWNLOADERS):
        for case in (downloads_and_skips, continues, continues_after_break, mirror_that_cannot_continue, wrong_beginning, whole_part,
                     damaged_mirror_then_good, damaged_mirror_alone, unreachable_mirror, replaces_damaged_file):
            yield "%s: %s" % (tool, case.__name__), lambda case=case, tool=tool: case(tool)
    for tool in installed(SUMMERS):
        yield "checks sums with %s" % tool, lambda tool=tool: checks_sums_with(tool)
    for case in (needs_programs, usage_errors, default_folder):
        yield case.__name__, case
    have = os.path.exists(os.path.join(os.environ.get("MNIST_DIR", "/nonexistent"), "train-images-idx3-ubyte.gz"))
    yield "real_files" + ("" if have else " # SKIP no MNIST_DIR with .gz files"), real_files if have else lambda: None


def main():
    planned = list(cases())
    failed = 0
    print("1..%d" % len(planned))
    for number, (name, case) in enumerate(planned, 1):
        try:
            case()
            print("ok %d %s" % (number, name), flush=True)
        except Exception:
            failed += 1
            print("not ok %d %s" % (number, name))
            print("".join("# %s\n" % line for line in traceback.format_exc().splitlines()), end="", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
