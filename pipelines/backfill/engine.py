"""The engine of a backfill: datatrove's executors for one machine, Ray or Slurm. The only module that knows datatrove.

A task of datatrove's is one input. What is done is known by the parts themselves, and the numbers of what is left are given with
the step: datatrove's own marks, which count the tasks of any split alike, decide nothing.

On one machine datatrove's pool is not used: it waits for ever for a process that was killed, and goes on when its parent was.
"""

import logging
import multiprocessing
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pipelines.backfill.files import OutputError
from pipelines.backfill.parts import leave_pandas_out
from pipelines.backfill.summaries import Summary, is_over, read_summary, write_summary
from pipelines.backfill.tasks import Job, ParentGone, end_workers, run_task

# Before datatrove, and huggingface_hub with it, is loaded: nothing is asked of the network, and nobody is told anything.
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "RAY_USAGE_STATS_ENABLED": "0"}

from datatrove.executor.base import PipelineExecutor
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.executor.ray import RayPipelineExecutor
from datatrove.executor.slurm import SlurmPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.utils.logging import logger as loguru

FOLLOW_SECONDS = 0.5
"""Between two looks at what the tasks have come to."""

END_SECONDS = 5.0
"""That a process has to put away what it was at, before it is killed."""

RAY_GIGABYTES = 0.7
"""Of one task: its own 0.1, and of the process that extracts 0.4 at most, as it is limited."""


class TaskBug(Exception):
    """A task ended with an exception that nobody expected; its traceback is on stderr."""


class NoSlurm(Exception):
    """There is no Slurm here, or it did not take the job; the message says which."""


class Backfill(PipelineStep):  # type: ignore[misc]
    """The step: one input, from its records to its part. No documents pass: what a page comes to has more fields than these."""

    name = "broadsheet"
    type = "backfill"

    def __init__(self, job: Job, numbers: Sequence[int]) -> None:
        super().__init__()
        self.job = job
        self.numbers = numbers

    def run(self, data: object, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        with _quiet():
            run_task(self.job, self.numbers[rank])
        yield from ()


@contextmanager
def _quiet() -> Iterator[None]:
    """datatrove's log repeats, in colour, what is told in a line; and of a page that was given up its part tells."""
    loguru.disable("datatrove")
    logging.getLogger("pipelines.extract").setLevel(logging.ERROR)
    yield


Look = Callable[[], None]
"""Looks at what the tasks have come to, for whoever waits."""


def _logs(job: Job) -> Path:
    """What datatrove writes of a start: its statistics, and on a cluster what the tasks are told by."""
    return job.out / "logs" / job.run


def _executor(kind: type[PipelineExecutor], job: Job, numbers: Sequence[int], **more: Any) -> PipelineExecutor:
    loguru.remove()
    loguru.disable("datatrove")
    told = {"tasks": len(numbers), "logging_dir": str(_logs(job)), "skip_completed": False, "workers": job.workers}
    return kind([Backfill(job, numbers)], **told | more)


# One machine


def run_local(job: Job, numbers: Sequence[int], look: Look) -> None:
    """Do the tasks of these numbers in `job.workers` processes.

    A process that is killed costs the task that it was at, and another takes its place. Raises OutputError, TaskBug.
    """
    executor = _executor(LocalPipelineExecutor, job, numbers)
    context = multiprocessing.get_context("spawn")  # of a fork, locks and descriptors of this process would be left
    messages, theirs = context.Pipe(duplex=False)
    running: list[BaseProcess] = []

    def start() -> None:
        process = context.Process(target=_serve, args=(executor, job, numbers, theirs), daemon=False)
        process.start()
        running.append(process)

    try:
        for _ in range(min(job.workers, len(numbers))):
            start()
        while running:
            wait([process.sentinel for process in running], FOLLOW_SECONDS)
            for process in [process for process in running if process.exitcode is not None]:
                running.remove(process)
                if _is_lost(process, job, numbers, messages):
                    start()
            look()
        note_left(job, numbers)
    finally:
        _end(running)
        shutil.rmtree(_logs(job), ignore_errors=True)


def _serve(executor: PipelineExecutor, job: Job, numbers: Sequence[int], messages: Connection) -> None:
    """A process's life: every task that nobody else is at, in their order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    leave_pandas_out()
    loguru.remove()
    logging.basicConfig(level=logging.ERROR)
    try:
        for rank, number in enumerate(numbers):
            if not is_over(job.out, number, job.run):
                executor._run_for_rank(rank, local_rank=1)
    except OutputError as error:
        messages.send(error)
    except ParentGone:
        pass
    finally:
        end_workers(job.limits)


def _is_lost(process: BaseProcess, job: Job, numbers: Sequence[int], messages: Connection) -> bool:
    """Whether a process was killed from outside at a task, so that another is needed. Raises what has ended it else.

    One that is killed before it has a task may always be: no other is started for it.
    """
    if messages.poll():
        raise messages.recv()
    if process.exitcode == 0:
        return False
    if process.exitcode is not None and process.exitcode > 0:
        raise TaskBug(f"a task ended with status {process.exitcode}; its traceback is above")
    summaries = ((number, read_summary(job.out, number)) for number in numbers)
    of_this = [(number, one) for number, one in summaries if one and one.process == process.pid and one.run == job.run]
    lost = [number for number, one in of_this if not one.over]
    for number in lost:
        note_lost(job, number, "its process was killed; the next start does it again")
    return bool(lost)


def note_left(job: Job, numbers: Sequence[int]) -> None:
    """Say of the tasks that nobody has come to that they are left. Raises OutputError."""
    for number in numbers:
        if not is_over(job.out, number, job.run):
            note_lost(job, number, "its process ended before it was done; the next start does it again")


def note_lost(job: Job, number: int, reason: str) -> None:
    """Say of a task that nothing came of it in this start. Raises OutputError."""
    summary = Summary(run=job.run, process=os.getpid(), failed=reason)
    write_summary(job.out, number, summary)


def _end(running: Sequence[BaseProcess]) -> None:
    for process in running:
        process.terminate()
    until = time.monotonic() + END_SECONDS
    for process in running:
        process.join(max(0.0, until - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()


# A cluster


def run_ray(job: Job, numbers: Sequence[int], look: Look) -> None:
    """Do the tasks on a Ray cluster: that of RAY_ADDRESS, else one on this machine. Raises ImportError without Ray."""
    import ray

    ray.init(
        address=os.environ.get("RAY_ADDRESS"), include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
    )
    try:
        with _looking(look):
            _executor(RayPipelineExecutor, job, numbers, mem_per_cpu_gb=RAY_GIGABYTES).run()
    finally:
        ray.shutdown()
    note_left(job, numbers)


@contextmanager
def _looking(look: Look) -> Iterator[None]:
    """Look now and then, beside a block that waits."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(FOLLOW_SECONDS):
            look()

    looking = threading.Thread(target=go_on)
    looking.start()
    try:
        yield
    finally:
        ended.set()
        looking.join()
        look()


class Submitted(SlurmPipelineExecutor):  # type: ignore[misc]
    """datatrove's for Slurm, without one job more at the end for figures that nobody reads."""

    def launch_merge_stats(self) -> None:
        pass


SLURM_KEYS = (
    "partition",
    "time",
    "qos",
    "job_name",
    "mem_per_cpu_gb",
    "cpus_per_task",
    "env_command",
    "max_array_size",
)
"""What datatrove itself takes; all others are lines of the script, `#SBATCH --key=value`."""


def submit_slurm(job: Job, numbers: Sequence[int], options: Mapping[str, str]) -> str:
    """Hand the tasks to Slurm, as an array of jobs of which `job.workers` run at a time; returns the job's id. Raises NoSlurm."""
    if shutil.which("sbatch") is None:
        raise NoSlurm("there is no sbatch here: --executor slurm is for a machine that hands out jobs for a cluster")
    numbered = ("mem_per_cpu_gb", "cpus_per_task", "max_array_size")
    own = {key: int(options[key]) if key in numbered else options[key] for key in SLURM_KEYS if key in options}
    told = {
        "qos": None, "job_name": "broadsheet", "mem_per_cpu_gb": 1,
        "env_command": f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH",
    } | own  # fmt: skip
    lines = {key: value for key, value in options.items() if key not in SLURM_KEYS}
    executor = _executor(Submitted, job, numbers, sbatch_args=lines, **told)
    try:
        executor.run()
    except subprocess.CalledProcessError as error:
        raise NoSlurm(f"sbatch ended with status {error.returncode}: its message is above") from None
    return str(executor.job_id)


def run_name() -> str:
    """What a start is called: when it was, and by whom."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
