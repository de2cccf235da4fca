"""The scripts of docs/scaling.md: what can be tested of them without a cluster."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from torch.distributed.run import get_args_parser

from simplicert.cli.app import _app

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
SCRIPTS = [text for language, text in BLOCKS if language == "bash"]
[SERVICE, JOB] = [
    each
    for language, text in BLOCKS
    if language == "yaml"
    for each in yaml.safe_load_all(text)
]
POD = JOB["spec"]["template"]["spec"]
[CONTAINER] = POD["containers"]


def check_simplicert(words):
    """That the command line takes them."""
    _app(listing=False).parse_args(
        words, exit_on_error=False, print_error=False, help_on_error=False
    )


def check_torchrun(words):
    """That it takes them, and so does the command that it starts."""
    known, unknown = get_args_parser().parse_known_args(words)
    assert (known.module, known.training_script, unknown) == (True, "simplicert", [])
    check_simplicert(known.training_script_args)


def srun(script):
    """What it runs, its variables as a shell would fill them in."""
    values = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_NNODES": "4", "SLURM_JOB_ID": "1"}
    script = re.sub(r"\$\(scontrol [^)]*\)", "node1", script.replace("\\\n", " "))
    [command] = re.findall(r"^srun (.*)$", script, re.M)
    return [
        re.sub(r"\$(\w+)", lambda name: values[name[1]], word)
        for word in shlex.split(command)
    ]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_what_a_shell_and_the_command_line_take(script):
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    program, *words = srun(script)
    {"simplicert": check_simplicert, "torchrun": check_torchrun}[program](words)
    # What a script needs for the time limit, and for its CPUs since Slurm 22.05.
    for need in ("--time=", "--mem=", "--signal=TERM@", "--requeue", "activate"):
        assert need in script
    assert "export SRUN_CPUS_PER_TASK=" in script


def test_an_array_has_as_many_tasks_as_shares():
    [array] = [script for script in SCRIPTS if "--array" in script]
    last, shares = re.search(r"--array=1-(\d+) ", array), re.search(r"ID/(\d+)", array)
    assert last[1] == shares[1]
    assert "--share" in srun(array)


def test_the_pods_of_a_job_find_each_other():
    name = JOB["metadata"]["name"]
    assert SERVICE["spec"]["clusterIP"] == "None"  # headless
    assert SERVICE["spec"]["selector"] == {"job-name": name}
    assert POD["subdomain"] == SERVICE["metadata"]["name"]
    program, *words = CONTAINER["command"]
    assert (program, JOB["spec"]["completionMode"]) == ("torchrun", "Indexed")
    check_torchrun(words)
    known, _ = get_args_parser().parse_known_args(words)
    assert known.rdzv_endpoint.split(":")[0] == f"{name}-0.{POD['subdomain']}"
    assert int(known.nnodes) == JOB["spec"]["parallelism"] == JOB["spec"]["completions"]
    gpus = CONTAINER["resources"]["limits"]["nvidia.com/gpu"]
    assert int(known.nproc_per_node) == gpus
    # Longer than torchrun gives its workers, before it kills them.
    assert POD["terminationGracePeriodSeconds"] > 30
