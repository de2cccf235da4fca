"""Killed between any two steps on the disk, a run has every vote that it had."""

import errno
import os
import shutil
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest
from synthetic import EVERY_BLOCK, manifest, rows

from simplicert.errors import InputError
from simplicert.votes import Look, RunDirectory, VoteRows, joining, merge_runs, read_run
from simplicert.votes.parts import Parts
from simplicert.votes.sources import Probe

STEPS = ("fsync", "link", "mkdir", "rename", "replace", "unlink")
"""Whatever changes a directory, or waits for the disk."""


@pytest.fixture
def disk(tmp_path):
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


@pytest.fixture
def cuts(disk, tmp_path, monkeypatch):
    """Collects what a kill before each step would leave, one copy after the other.

    With each goes what ``note`` says should be there by then.
    """
    taken = []

    @contextmanager
    def watch(note=lambda: None):
        with monkeypatch.context() as patch:
            for name in STEPS:
                patch.setattr(os, name, cut_before(getattr(os, name), note))
            yield taken

    def cut_before(step, note):
        def cut(*args, **options):
            if not copying:
                copying.append(True)  # which takes steps, too
                copy = tmp_path / "cuts" / str(len(taken))
                shutil.copytree(disk, copy)
                taken.append((copy, note()))
                copying.clear()
            return step(*args, **options)

        return cut

    copying = []
    return watch


def a_run(path, parts=EVERY_BLOCK, **changes):
    run = RunDirectory.create(path, manifest(**changes))
    for key in parts:
        run.append(rows(key, top=key[1]))
    return run


def test_a_killed_compaction_loses_nothing(disk, cuts):
    run = a_run(disk / "run")
    whole = run.read().digest
    with cuts() as taken:
        run.compact()
    assert len(taken) > 2 + len(EVERY_BLOCK)  # write, rename, and remove each
    for left, _ in taken:
        again = RunDirectory(left / "run")
        assert again.read().digest == whole
        again.compact()
        assert again.read().digest == whole
        assert len(again.parts) == 1


def test_a_killed_compaction_changes_no_votes_that_are_there_twice(disk, cuts):
    random = Probe(repeatable=False, answers=[])
    run = a_run(disk / "run", (), probe=random)
    for top in (0, 1, 2):
        for key in EVERY_BLOCK:
            run.append(rows(key, top=top))
    whole = run.read().digest
    with cuts() as taken:
        run.compact()
    assert {RunDirectory(left / "run").read().digest for left, _ in taken} == {whole}
    assert run.read().digest == whole


def test_a_worker_killed_as_it_joins_its_parts_loses_nothing(disk, cuts, monkeypatch):
    monkeypatch.setattr(joining, "TOGETHER", 2)
    run = RunDirectory.create(disk / "run", manifest())
    written = []
    with cuts(note=lambda: list(written)) as taken:
        for key in EVERY_BLOCK:
            run.append(rows(key, top=key[1]))
            written.append(key)
    assert len(run.parts) == 2  # of four and of two
    for left, there in taken:
        done = RunDirectory(left / "run").done()
        assert all(done[[4, 9].index(image), block] for image, block in there)
        again = RunDirectory.open_or_create(left / "run", manifest())
        again.append(VoteRows.join([rows(key, top=key[1]) for key in EVERY_BLOCK]))
        assert again.read().digest == run.read().digest


def test_a_killed_merge_leaves_no_run_and_can_be_made_again(disk, cuts):
    a_run(disk / "a", EVERY_BLOCK[:4])
    a_run(disk / "b", EVERY_BLOCK[2:])
    with cuts() as taken:
        merged = merge_runs([disk / "a", disk / "b"], disk / "new" / "m")
    whole = merged.read().digest
    assert merged.path == disk / "new" / "m"
    assert [path.name for path in merged.path.parent.iterdir()] == ["m"]
    assert any(list(left.glob("new/.m.*/parts/*")) for left, _ in taken)
    for left, _ in taken:
        out = left / "new" / "m"
        if not out.exists():
            merge_runs([left / "a", left / "b"], out)
        assert read_run(out).digest == whole


def test_what_killed_merges_left_is_removed_after_an_hour(disk):
    a_run(disk / "a", EVERY_BLOCK[:4])
    a_run(disk / "b", EVERY_BLOCK[2:])
    left, young, others = (
        a_run(disk / name).path
        for name in (".m.1.merging", ".m.2.merging", ".n.merging")
    )
    for path in (left, left / "parts", others, others / "parts"):
        os.utime(path, (0, 0))
    merge_runs([disk / "a", disk / "b"], disk / "m")
    assert (left.exists(), young.exists(), others.exists()) == (False, True, True)


def test_what_the_disk_refuses_is_said_of_what_was_asked_for(disk, monkeypatch):
    a_run(disk / "a", EVERY_BLOCK[:4])
    a_run(disk / "b", EVERY_BLOCK[2:])
    name = "m" * 255

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for start in (
            lambda: RunDirectory.create(disk / name, manifest()),
            lambda: merge_runs([disk / "a", disk / "b"], disk / name),
        ):
            with pytest.raises(OSError, match="No space") as caught:
                start()
            assert caught.value.filename == str(disk / name)
            shutil.rmtree(disk / name, ignore_errors=True)
    merged = merge_runs([disk / "a", disk / "b"], disk / name)
    assert sorted(path.name for path in disk.iterdir()) == ["a", "b", name]
    assert merged.read().draws.tolist() == [30, 30]
    with pytest.raises(InputError, match="evidence of a run"):
        merge_runs([disk / "a", disk / "b"], disk / "a" / "parts" / "x.parquet")


def test_a_start_can_be_killed_too(disk, cuts):
    with cuts() as taken:
        a_run(disk / "run", ())
    for left, _ in taken:
        RunDirectory.open_or_create(left / "run", manifest()).append(rows(*EVERY_BLOCK))
        assert read_run(left / "run").draws.tolist() == [30, 30]


def test_who_reads_while_others_join_sees_every_block_once(disk):
    run = a_run(disk / "run")
    whole = run.read().digest
    for moment in range(len(EVERY_BLOCK)):
        other = a_run(disk / str(moment))
        seen = Counter()
        for number, some in enumerate(other.rows()):
            if number == moment:
                RunDirectory(other.path).compact()
            seen.update(zip(some.images.tolist(), some.blocks.tolist(), strict=True))
        assert seen == Counter(EVERY_BLOCK)
        assert other.read().digest == whole


def of_many_images(path, images, **changes):
    """A run with a part for each image, and what writes another."""
    plan = manifest(images=[*range(images)], labels=None, draws=10, **changes)
    run = RunDirectory.create(path, plan)
    for image in range(images):
        run.append(rows((image, 0), top=image % 3))
    return run


def test_many_flushes_leave_few_parts_and_only_ones_own_are_joined(disk, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _: None)
    run = of_many_images(disk / "run", 150)
    assert len(run.parts) <= 2 * joining.TOGETHER
    assert run.done().all()
    foreign = RunDirectory(run.path)
    before = set(run.parts)
    for image in range(joining.TOGETHER):
        foreign.append(rows((image, 0), top=image % 3))
    assert before < set(run.parts)
    assert len(run.parts) == len(before) + 1
    whole = run.read().digest
    run.compact()
    assert run.read().digest == whole


def test_what_cannot_be_joined_stays(disk, monkeypatch):
    monkeypatch.setattr(joining, "TOGETHER", 3)
    run = RunDirectory.create(disk / "run", manifest())
    run.append(rows(EVERY_BLOCK[0]))
    [first] = run.parts
    first.write_bytes(first.read_bytes()[:-9])
    for key in EVERY_BLOCK[1:]:
        run.append(rows(key))  # which the damaged part must not stop
    assert len(run.parts) == 4
    assert run.set_damaged_aside() == [first.with_suffix(".damaged")]
    assert run.done().sum() == len(EVERY_BLOCK) - 1


@pytest.fixture
def opened(monkeypatch):
    """How often a part was read from its start."""
    monkeypatch.setattr("os.fsync", lambda _: None)  # which takes its time
    count = Counter()
    read = Parts.read

    def counting(self, part, **options):
        count[part.name] += 1
        return read(self, part, **options)

    monkeypatch.setattr(Parts, "read", counting)
    return count


def test_merging_runs_that_overlap_reads_every_part_a_few_times(
    disk, opened, monkeypatch
):
    monkeypatch.setattr(joining, "TOGETHER", 1000)
    run = of_many_images(disk / "run", 60)
    assert len(run.parts) == 60
    opened.clear()
    merged = merge_runs([run.path, run.path], disk / "m")
    assert set(opened.values()) == {2}  # once for each time it is named
    assert merged.read().digest == run.read().digest


def test_copies_are_compared_without_reading_all_for_each(disk, opened, monkeypatch):
    monkeypatch.setattr(joining, "TOGETHER", 1000)
    run = of_many_images(disk / "run", 200)
    parts = run.parts
    run.fill(run.rows())  # as a compaction that was killed leaves it
    turned = rows((0, 0))
    turned.counts[0] = [8, 2, 0]
    run.append(turned)
    opened.clear()
    assert run.done().all()
    assert set(run.parts) > set(parts)
    # Two of 2,010 draws differ, if the turned one is met first.
    assert max(opened.values()) <= 2


def test_runs_of_unlike_draws_are_not_merged(disk):
    # Another number of blocks gives other pieces of noise to the same block.
    a_run(disk / "a")
    a_run(disk / "b", draws=60)
    with pytest.raises(InputError, match="draws is 30 there and 60 here"):
        merge_runs([disk / "a", disk / "b"], disk / "m")
    a_run(disk / "c", parts=[], block=5)
    with pytest.raises(InputError, match="block is 10 there and 5 here"):
        merge_runs([disk / "a", disk / "c"], disk / "m")
    assert not (disk / "m").exists()


def test_runs_with_other_looks_at_as_many_draws_are_not_merged(disk):
    a_run(disk / "a")
    a_run(disk / "b", parts=[], looks=[Look(10, 0.5), Look(30, 0.5)])
    with pytest.raises(InputError, match="looks differ"):
        merge_runs([disk / "a", disk / "b"], disk / "m")


def many_classes(run, images, classes):
    counts = np.zeros((images, classes), dtype=np.int64)
    counts[:, 0] = 10
    return VoteRows(
        images=np.arange(images),
        blocks=np.zeros(images, dtype=np.int64),
        columns={"counts": counts},
        draw_seconds=np.ones(images),
    )


@pytest.fixture
def wide(disk):
    """Votes of a megabyte an image, which are a few bytes on disk."""
    plan = manifest(
        images=[*range(80)], labels=None, draws=10, classes=2**17, scores=False
    )
    run = RunDirectory.create(disk / "run", plan)
    run.append(many_classes(run, 80, 2**17))
    assert run.parts[0].stat().st_size < 2**17
    return run


def test_a_small_file_takes_no_more_memory_at_a_time_than_a_large_one(wide):
    assert max(some.nbytes for some in wide.rows()) <= 2**26
    assert len(wide.read()) == 80


@pytest.mark.parametrize("module", ["parts", "adding"])
def test_what_needs_more_memory_than_there_is_says_so_first(wide, module, monkeypatch):
    monkeypatch.setattr(f"simplicert.votes.{module}.free_memory", lambda: 5e7)
    with pytest.raises(InputError, match=r"takes .* GB of memory.* GB are free"):
        wide.read()
    if module == "parts":
        with pytest.raises(InputError, match="of memory"):
            wide.set_damaged_aside()  # it is not damaged
    assert len(wide.parts) == 1
