"""Every signal that asks a process to stop is Ctrl-C; a second one ends it at once."""

import signal
import sys
from subprocess import PIPE

import pytest
from commands import running

SCRIPT = """
import sys, time
from simplicert.machine import stopping
stopping.SAME_STOP_SECONDS = float(sys.argv[1])
with stopping.stops_like_ctrl_c():
    try:
        print("ready", flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        print("writes", flush=True)
        sys.stdin.read()
        print("written", flush=True)
        sys.exit(stopping.INTERRUPTED)
"""


def started(same_stop, **options):
    command = (sys.executable, "-c", SCRIPT, same_stop)
    return running(*command, stdin=PIPE, stdout=PIPE, **options)


def unignore():
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("same_stop", "last"), [("inf", "written\n"), (0, "")])
def test_the_first_stop_lets_it_write_and_a_later_one_does_not(number, same_stop, last):
    # One stop, told twice by a cluster and by a launcher, is not two.
    with started(same_stop, preexec_fn=unignore) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "writes\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
    assert (process.returncode, out) == (130, last)


def test_what_it_was_started_to_ignore_it_ignores():
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with started(0, preexec_fn=ignore) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "writes\n"
        process.communicate()
    assert process.returncode == 130


def test_a_caller_s_own_handlers_are_put_back(simplicert):
    before = signal.getsignal(signal.SIGTERM)
    assert simplicert("--version")[0] == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_who_is_done_ends_as_what_it_did_even_if_stopped_now():
    script = """
import atexit, os, signal
from simplicert.machine.stopping import SIGNALS, stops_like_ctrl_c
atexit.register(lambda: [os.kill(os.getpid(), number) for number in SIGNALS])
with stops_like_ctrl_c(to_the_end=True):
    pass
"""
    with running(sys.executable, "-c", script, preexec_fn=unignore) as process:
        assert process.wait() == 0
