"""The two MNIST programs stopped, killed and gone on with: the final weights are the same bytes as of a run that was left alone.
Usage: test_resume.py FCNN_MNIST CNN_MNIST; writes TAP."""
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

PROGRAMS = sys.argv[1:3]
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MNIST_DIR", "XDG_DATA_HOME")}
ENVIRONMENT.update(HOME="/nonexistent", LC_ALL="C.UTF-8")
CHANCE = random.Random(11)
EPOCHS, STEPS = 4, 20


def write_idx(path, shape, values):
    path.write_bytes(struct.pack(">I", 0x800 + len(shape)) + struct.pack(f">{len(shape)}I", *shape) + bytes(values))


def write_data(folder):
    for stem, count in (("train", 240), ("t10k", 20)):
        write_idx(folder / f"{stem}-labels-idx1-ubyte", (count,), [CHANCE.randrange(10) for _ in range(count)])
        write_idx(folder / f"{stem}-images-idx3-ubyte", (count, 28, 28), CHANCE.randbytes(count * 784))


class Folder:
    """A folder with data, and runs in it."""

    def __init__(self, program, name):
        self.path, self.program = pathlib.Path(name), program
        write_data(self.path)

    def command(self, *flags):
        size = ["--hidden", "20"] if "fcnn" in os.path.basename(self.program) else ["--filters", "3"]
        return [self.program, "--data", ".", "--epochs", str(EPOCHS), "--batch-size", "10", "--dropout", "0.2", *size, *flags]

    def start(self, *flags):
        return subprocess.Popen(self.command(*flags), cwd=self.path, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run(self, *flags, code=0, **options):
        done = subprocess.run(self.command(*flags), cwd=self.path, env=ENVIRONMENT, text=True, capture_output=True, timeout=300,
                              **options)
        assert done.returncode == code, f"{flags} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
        return done

    def bytes(self, name):
        return (self.path / name).read_bytes()

    def whole(self, *more):
        """What the run gives that is left alone, and how long it takes."""
        begun = time.monotonic()
        self.run("--checkpoint", "whole", "--every", "1", "--save", "whole.safetensors", *more)
        return self.bytes("whole.safetensors"), time.monotonic() - begun


def stopped(program, name, how, *more, most=6):
    """Signals at random moments until a run comes through; each goes on from what the one before left."""
    folder = Folder(program, name)
    whole, seconds = folder.whole(*more)
    signalled = 0
    for attempt in range(100):
        begins = not (folder.path / "run/last.safetensors").exists()
        flags = ["--checkpoint" if begins else "--resume", "run", "--every", "1", "--threads", str(1 + attempt % 2),
                 "--save", "out.safetensors", *more]
        with folder.start(*flags) as child:
            if signalled < most:
                time.sleep(CHANCE.uniform(0, 0.9 * seconds))
                child.send_signal(how)
            output, complaint = child.communicate(timeout=300)
        if child.returncode == 0 and signalled > 0:
            break
        if child.returncode == 0:  # all signals came too late: once more from the beginning
            shutil.rmtree(folder.path / "run")
            (folder.path / "out.safetensors").unlink()
            continue
        signalled += 1
        if how == signal.SIGKILL or child.returncode == -how:  # before the program took the signal over
            assert child.returncode == -how, (child.returncode, complaint)
        else:
            assert child.returncode == 128 + how, (child.returncode, complaint)
        if (folder.path / "out.safetensors").exists():  # stopped after all was done: from the beginning again
            assert folder.bytes("out.safetensors") == whole
            shutil.rmtree(folder.path / "run")
            (folder.path / "out.safetensors").unlink()
    assert child.returncode == 0 and signalled > 0, (child.returncode, signalled)
    assert folder.bytes("out.safetensors") == whole
    assert folder.bytes("run/best.safetensors") == folder.bytes("whole/best.safetensors")


def interrupted_at_random_steps(program, name):
    stopped(program, name, signal.SIGINT)


def terminated_at_random_steps(program, name):
    stopped(program, name, signal.SIGTERM, most=2)


def killed_at_random_steps(program, name):
    stopped(program, name, signal.SIGKILL)


def schedules_go_on(program, name):
    stopped(program, name, signal.SIGINT, "--learning-rate-schedule", "one-cycle", most=3)


def early_stopping_and_plateaus_go_on(program, name):
    """The noise cannot be learnt, so that the validation loss soon rises."""
    stopped(program, name, signal.SIGKILL, "--early-stopping", "2", "--reduce-on-plateau", "1", "--learning-rate", "0.03", most=4)


def the_printed_command_goes_on(program, name):
    folder = Folder(program, name)
    whole, _ = folder.whole()
    command = folder.command("--checkpoint", "run", "--save", "out.safetensors")
    command[command.index("--epochs") + 1] = "100000"
    with subprocess.Popen(command, cwd=folder.path, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as child:
        for line in child.stdout:
            if line.startswith("Epoch 2/"):
                break
        child.send_signal(signal.SIGINT)
        _, complaint = child.communicate(timeout=60)
    assert child.returncode == 130, child.returncode
    again = complaint.split("to go on: ")[1].strip()
    assert "--resume run" in again and "--checkpoint" not in again, again
    said = complaint.split("interrupted in epoch ")[1].split()
    epoch, step = int(said[0]), int(said[5])
    if epoch > EPOCHS:
        return  # the machine was too busy to stop it in time
    next_epochs = {epoch, epoch + 1} if step == STEPS else {epoch}  # with an epoch's last step done, the epoch may be over or not
    again = again.replace("--epochs 100000", f"--epochs {EPOCHS}")
    done = subprocess.run(again, shell=True, cwd=folder.path, env=ENVIRONMENT, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split("Going on from run: epoch ")[1].split(",")[0]) in next_epochs, (complaint, done.stdout)
    assert folder.bytes("out.safetensors") == whole


def signalled(folder, program, signals, ignored=()):
    """What a run of many epochs with a checkpoint complains when these come in its second epoch, and its exit status."""
    def ignore():
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
    command = [*folder.command("--checkpoint", "run"), "--epochs", "100000"]
    with subprocess.Popen(command, cwd=folder.path, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          preexec_fn=ignore) as child:
        for line in child.stdout:
            if line.startswith("Epoch 2/"):
                break
        for number in signals:
            child.send_signal(number)
            if number in ignored:
                for line in child.stdout:  # it goes on
                    if line.startswith("Epoch "):
                        break
        _, complaint = child.communicate(timeout=60)
        return complaint, child.returncode


def a_hangup_keeps_the_checkpoint(program, name):
    """Also where it comes many times, as a terminal that is closed and its shell each send it."""
    folder = Folder(program, name)
    complaint, code = signalled(folder, program, [signal.SIGHUP] * 20)
    assert code == 129 and ": interrupted in epoch " in complaint and "to go on: " in complaint, (code, complaint)
    folder.run("--resume", "run", "--epochs", complaint.split("interrupted in epoch ")[1].split()[0])


def what_is_ignored_stays_so(program, name):
    """As nohup has it, and a shell's background jobs."""
    folder = Folder(program, name)
    complaint, code = signalled(folder, program, [signal.SIGHUP, signal.SIGINT, signal.SIGHUP, signal.SIGTERM], (signal.SIGHUP, signal.SIGINT))
    assert code == 143 and "to go on: " in complaint, (code, complaint)


def weights_are_loaded(program, name):
    folder = Folder(program, name)
    first = folder.run("--json", "--save", "a.safetensors").stdout.splitlines()[-1]
    second = folder.run("--json", "--epochs", "0", "--load", "a.safetensors", "--save", "b.safetensors").stdout.splitlines()[-1]
    assert folder.bytes("a.safetensors") == folder.bytes("b.safetensors")
    assert first.split('"test_')[1:] == second.split('"test_')[1:], (first, second)


def another_network_of_the_same_weights_is_told(program, name):
    folder = Folder(program, name)
    assert folder.run("--epochs", "1", "--activation", "relu", "--save", "a.safetensors").stderr == ""
    start = f"{os.path.basename(program)}: warning: a.safetensors is of a network with"
    for flags, complaint in ((("--activation", "relu"), ""), ((), f"{start} --activation relu, and starts one with sigmoid\n"),
                             (("--activation", "relu", "--shuffle-pixels", "7"), f"{start}out --shuffle-pixels, and starts one with 7\n")):
        assert folder.run("--epochs", "0", "--load", "a.safetensors", "--json", *flags).stderr == complaint
    folder.run("--epochs", "1", "--shuffle-pixels", "7", "--save", "a.safetensors")
    assert folder.run("--epochs", "0", "--load", "a.safetensors").stderr == f"{start} --shuffle-pixels 7, and starts one without\n"
    assert folder.run("--epochs", "0", "--load", "a.safetensors", "--shuffle-pixels", "7").stderr == ""


def what_does_not_fit_is_refused(program, name):
    folder = Folder(program, name)
    folder.run("--epochs", "1", "--checkpoint", "run", "--save", "a.safetensors")
    size = ["--hidden", "21"] if "fcnn" in os.path.basename(program) else ["--filters", "4"]
    said = folder.run(*size, "--load", "a.safetensors", code=3).stderr
    assert "a.safetensors: tensor " in said and ": expected F32 [" in said, said
    folder.run("--epochs", "1", "--checkpoint", "decayed", "--weight-decay", "0.01", "--early-stopping", "3", "--profile")
    for kept, flags, name, then, now in (("run", ("--dropout", "0.3"), "--dropout", "0.2", "0.3"), ("run", ("--seed", "2"), "--seed", "1", "2"),
                                         ("run", ("--batch-size", "20"), "--batch-size", "10", "20"),
                                         ("run", ("--learning-rate", "0.01"), "--learning-rate", "not given", "0.01"),
                                         ("run", ("--early-stopping", "1"), "--early-stopping", "not given", "1"),
                                         ("decayed", ("--weight-decay", "0.01"), "--early-stopping", "3", "not given"),
                                         ("decayed", ("--early-stopping", "3"), "--weight-decay", "0.01", "not given")):
        said = folder.run("--resume", kept, *flags, code=3).stderr
        assert f"{kept}/last.safetensors: {name} was {then} in the run that is to go on, and is {now} now: it must stay" in said, said
    folder.run("--resume", "decayed", "--weight-decay", "0.01", "--early-stopping", "3")  # a profile may come and go
    other = PROGRAMS[program == PROGRAMS[0]]
    said = subprocess.run([other, "--data", ".", "--batch-size", "10", "--resume", "run"], cwd=folder.path, env=ENVIRONMENT, text=True,
                          capture_output=True).stderr
    assert ": the network was " in said and " in the run that is to go on, and is " in said, said
    for flag, missing in (("--resume", "none/last.safetensors"), ("--load", "none")):
        done = folder.run(flag, "none", "--report", "made", code=3)
        assert (done.stdout, done.stderr) == ("", f"{os.path.basename(program)}: {missing}: No such file or directory\n"), done
        assert not (folder.path / "none").exists() and not (folder.path / "made").exists()
    said = folder.run("--load", "a.safetensors", "--resume", "run", code=2).stderr
    assert "--load and --resume exclude each other" in said, said
    said = folder.run("--checkpoint", "other", "--resume", "run", code=2).stderr
    assert "leave --checkpoint out" in said, said
    assert "--every needs --checkpoint DIR or --resume DIR" in folder.run("--every", "3", code=2).stderr
    whole = folder.bytes("run/last.safetensors")
    (folder.path / "run/last.safetensors").write_bytes(whole[:-1])
    said = folder.run("--resume", "run", code=3).stderr
    assert "run/last.safetensors: tensor " in said and "expected its values within the file's" in said, said


def another_build_is_told(program, name):
    folder = Folder(program, name)
    folder.run("--epochs", "1", "--checkpoint", "run")
    path = folder.path / "run/last.safetensors"
    path.write_bytes(path.read_bytes().replace(b'"build":"0', b'"build":"9', 1))
    done = folder.run("--resume", "run")
    assert "warning: run/last.safetensors was written by another build (9" in done.stderr, done.stderr


def a_full_disk_keeps_the_former_checkpoint(program, name):
    """A limit on the size of files stands in for the disk."""
    folder = Folder(program, name)
    folder.run("--epochs", "1", "--checkpoint", "run", "--save", "out.safetensors")
    before = folder.bytes("run/last.safetensors"), folder.bytes("out.safetensors")
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    said = folder.run("--resume", "run", code=1, preexec_fn=limit).stderr
    assert ".safetensors: writing failed: File too large; the former checkpoint is kept" in said, said
    said = folder.run("--epochs", "1", "--save", "out.safetensors", code=1, preexec_fn=limit).stderr
    assert "out.safetensors: writing failed: File too large; no weights were saved" in said, said
    assert before == (folder.bytes("run/last.safetensors"), folder.bytes("out.safetensors"))
    assert not list(folder.path.glob("**/*.tmp"))


def a_first_checkpoint_that_fails_has_none_before(program, name):
    folder = Folder(program, name)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    said = folder.run("--checkpoint", "run", code=1, preexec_fn=limit).stderr
    assert ".safetensors: writing failed: File too large; there is no checkpoint before it" in said, said


def a_folder_belongs_to_one_run(program, name):
    """The second run is refused while the first lives, and leaves its files alone; the kill of the first frees the folder."""
    folder = Folder(program, name)
    flags = ["--checkpoint", "run", "--trace", "trace", "--every", "1", "--early-stopping", "100000"]
    command = folder.command(*flags)
    command[command.index("--epochs") + 1] = "100000"
    with subprocess.Popen(command, cwd=folder.path, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        for line in child.stdout:
            if line.startswith("Epoch 2/"):
                break
        for more in ("--checkpoint", "--resume"):
            said = folder.run(more, "run", "--early-stopping", "100000", code=1).stderr
            assert "run: another run keeps its checkpoints here; wait for its end, or choose another folder" in said, said
        before = folder.bytes("trace")[:2000]
        said = folder.run("--trace", "trace", code=1).stderr
        assert "trace: another run writes this trace" in said, said
        assert folder.bytes("trace")[:2000] == before
        child.kill()
        child.stdout.close()
    folder.run("--resume", "run", "--early-stopping", "100000", "--epochs", "3")


def what_a_killed_run_left_is_removed(program, name):
    folder = Folder(program, name)
    (folder.path / "run").mkdir()
    for stale in ("run/last.safetensors.0123456789abcdef.tmp", "run/best.safetensors.0123456789abcdef.tmp", "out.safetensors.fedcba9876543210.tmp"):
        (folder.path / stale).write_text("half")
    folder.run("--checkpoint", "run", "--epochs", "1", "--save", "out.safetensors")
    assert not list(folder.path.glob("**/*.tmp"))


tests = [(f"{program_name}: {test.__name__}", test, program)
         for program_name, program in zip(("fcnn", "cnn"), PROGRAMS)
         for test in (interrupted_at_random_steps, terminated_at_random_steps, killed_at_random_steps,
                      schedules_go_on, early_stopping_and_plateaus_go_on, the_printed_command_goes_on, a_hangup_keeps_the_checkpoint, what_is_ignored_stays_so,
                      weights_are_loaded, another_network_of_the_same_weights_is_told, what_does_not_fit_is_refused, another_build_is_told,
                      a_full_disk_keeps_the_former_checkpoint, a_first_checkpoint_that_fails_has_none_before,
                      a_folder_belongs_to_one_run, what_a_killed_run_left_is_removed)]
failed = 0
print(f"1..{len(tests)}", flush=True)
for number, (title, test, program) in enumerate(tests, 1):
    try:
        with tempfile.TemporaryDirectory() as name:
            test(program, name)
        print(f"ok {number} - {title}", flush=True)
    except Exception:
        failed += 1
        print("# " + "\n# ".join(traceback.format_exc().splitlines()))
        print(f"not ok {number} - {title}", flush=True)
sys.exit(failed > 0)
