"""The run directory: what is written is what is read, once, or it is refused."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from synthetic import EVERY_BLOCK, manifest, rows

from simplicert.errors import InputError
from simplicert.votes import (
    ModelSource,
    RunDirectory,
    VoteRows,
    merge_runs,
    read_run,
)
from simplicert.votes.sources import Probe


@pytest.fixture
def run(tmp_path):
    return RunDirectory.create(tmp_path / "run", manifest())


def test_votes_add_up_over_parts_in_any_order(run):
    for key in reversed(EVERY_BLOCK):
        run.append(rows(key, top=key[1]))
    votes = run.read()
    np.testing.assert_array_equal(votes.counts, [[10, 10, 10], [10, 10, 10]])
    np.testing.assert_array_equal(votes.score_sums, np.full((2, 3), 5.0))
    np.testing.assert_array_equal(votes.draws, [30, 30])
    np.testing.assert_array_equal(votes.indices, [4, 9])
    np.testing.assert_array_equal(votes.labels, [0, 2])


def test_a_block_written_twice_counts_once(run):
    run.append(rows(*EVERY_BLOCK))
    run.append(rows(*EVERY_BLOCK[:4]))
    run.append(rows((4, 0), (4, 0)))
    np.testing.assert_array_equal(run.read().counts.sum(axis=1), [30, 30])


def test_the_first_blocks_are_the_votes_at_fewer_draws(run):
    run.append(rows(*[(i, 0) for i in (4, 9)], top=0))
    run.append(rows(*[(i, b) for i in (4, 9) for b in (1, 2)], top=1))
    first = run.read(blocks=slice(0, 1))
    np.testing.assert_array_equal(first.counts, [[9, 1, 0]] * 2)
    np.testing.assert_array_equal(first.draws, [10, 10])


def test_compaction_changes_nothing_and_leaves_one_part(run):
    for key in EVERY_BLOCK:
        run.append(rows(key, top=key[1]))
    before = run.read()
    left = run.path / "parts" / ".left.parquet.tmp"
    left.write_bytes(b"half")
    run.compact()
    assert left.exists()  # it may be another worker's
    os.utime(left, (0, 0))
    run.compact()
    assert run.read().digest == before.digest
    assert [p.suffix for p in (run.path / "parts").iterdir()] == [".parquet"]


def test_the_digest_sees_every_vote_and_no_order(run, tmp_path):
    run.append(rows(*EVERY_BLOCK))
    other = RunDirectory.create(
        tmp_path / "other", manifest(images=[9, 4], labels=[2, 0])
    )
    other.append(rows(*reversed(EVERY_BLOCK)))
    assert run.read().digest == other.read().digest
    changed = RunDirectory.create(tmp_path / "changed", manifest())
    changed.append(rows(*EVERY_BLOCK[1:]))
    changed.append(rows(EVERY_BLOCK[0], top=1))
    assert run.read().digest != changed.read().digest


def test_an_unfinished_run_says_what_is_missing(run):
    run.append(rows((4, 0), (4, 1), (4, 2), (9, 0)))
    with pytest.raises(InputError, match=r"1 of 2 images lack draws, image 9"):
        run.read()
    partial = run.read(partial=True)
    np.testing.assert_array_equal(partial.indices, [4])
    np.testing.assert_array_equal(run.done(), [[True] * 3, [True, False, False]])


def test_a_part_cut_short_is_named_and_can_be_set_aside(run):
    run.append(rows(*EVERY_BLOCK))
    [part] = run.parts
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"bytes are not those .* damaged.*sample"):
        run.read()
    assert run.set_damaged_aside() == [part.with_suffix(".damaged")]
    assert not run.done().any()


def test_a_flipped_bit_is_found(run):
    run.append(rows(*EVERY_BLOCK))
    [part] = run.parts
    content = bytearray(part.read_bytes())
    content[60] ^= 1  # inside the first data page
    part.write_bytes(content)
    with pytest.raises(InputError):
        run.read()


def test_votes_that_no_classifier_gives_are_refused(run):
    bad = rows(*EVERY_BLOCK)
    bad.counts[2, 0] = 11
    run.append(bad)
    with pytest.raises(InputError, match=r"block 2 of image 4 .* of 10 draws.* edited"):
        run.read()


def test_an_edited_manifest_is_noticed(run):
    run.append(rows(*EVERY_BLOCK))
    path = run.path / "manifest.json"
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | {"sigma": 1.0}))
    with pytest.raises(InputError, match=r"sigma = 0\.5 but .* says 1\.0"):
        read_run(run.path)
    for change in (
        {"images": [4, 8]},
        {"images": [9, 4]},
        {"labels": [0, 1]},
        {"labels": None},
    ):
        path.write_text(json.dumps(fields | change))
        with pytest.raises(InputError, match=r"with images and labels = .* was edited"):
            read_run(run.path)


def rewritten(part, table):
    """Another table in its place, under a name as older versions gave."""
    part.unlink()
    older = part.with_stem(part.stem.partition("-")[0])
    pq.write_table(table, older, write_page_checksum=True)


def without_images(part):
    """The part as older versions wrote it."""
    table = pq.read_table(part)
    [(key, text)] = table.schema.metadata.items()
    evidence = json.loads(text)
    del evidence["images and labels"]
    changed = table.replace_schema_metadata({key: json.dumps(evidence)})
    rewritten(part, changed)


def test_parts_that_know_no_images_are_read_and_learn_them(run):
    for keys in (EVERY_BLOCK[:2], EVERY_BLOCK[2:]):
        run.append(rows(*keys))
    before = run.read()
    for part in run.parts:
        without_images(part)
    assert run.read().digest == before.digest
    path = run.path / "manifest.json"
    fields = path.read_text()
    path.write_text(json.dumps(json.loads(fields) | {"images": [4, 8]}))
    with pytest.raises(InputError, match="image 9 is not in this run"):
        read_run(run.path)
    path.write_text(fields)
    run.compact()
    path.write_text(json.dumps(json.loads(fields) | {"labels": [0, 1]}))
    with pytest.raises(InputError, match="images and labels"):
        read_run(run.path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON"),
        ('{"schema_number": 1, "sigma"', "is not JSON"),
        ("[" * 200_000, "nested too deeply"),
        ('{"schema_number": ' + "9" * 5_000 + "}", "more than 1000 bits"),
        ('{"schema_number": 2, "sigma": NaN}', "'NaN' is no number"),
        ('{"schema_number": true}', "schema number True"),
        (b"\xff\xfe{", "is not JSON"),
        ('{"schema_number": 4}', "schema number 4, this Simplicert reads 1 to 3"),
        ("[]", "schema number None"),
        ('{"schema_number": 1}', "Field required"),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path, content, message):
    stored = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "manifest.json").write_bytes(stored)
    with pytest.raises(InputError, match=message):
        RunDirectory(tmp_path)


def test_directories_that_are_not_runs_are_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        RunDirectory(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is empty"):
        RunDirectory(tmp_path)
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="is not a run"):
        RunDirectory(tmp_path)
    with pytest.raises(InputError, match="choose another -o"):
        RunDirectory.create(tmp_path, manifest())


@pytest.mark.parametrize(
    ("field", "value"),
    [("sigma", 0.25), ("seed", 8), ("block", 5), ("precision", "bf16"), ("draws", 60)],
)
def test_a_run_with_other_settings_is_not_continued(run, field, value):
    with pytest.raises(InputError, match=rf"another run: {field} is"):
        RunDirectory.open_or_create(run.path, manifest(**{field: value}))


def test_a_run_of_other_images_or_another_model_is_not_continued(run):
    with pytest.raises(InputError, match="another run: images differ"):
        RunDirectory.open_or_create(run.path, manifest(images=[4, 8]))
    other = ModelSource(name="m", digest="ef")
    with pytest.raises(InputError, match=r"model\.digest is 'ab' there and 'ef' here"):
        RunDirectory.open_or_create(run.path, manifest(model=other))


def test_of_two_processes_that_start_a_run_one_wins(run):
    again = RunDirectory.create(run.path, manifest(created="later"))
    assert again.manifest.created == manifest().created


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"draws": 25}, "multiple of block"),
        ({"sigma": 0.0}, "greater than 0"),
        ({"sigma": float("nan")}, "greater than 0|finite"),
        ({"images": []}, "at least 1"),
        ({"images": [1, 1]}, "one image twice"),
        ({"labels": [0]}, "1 labels for 2 images"),
        ({"labels": [0, 3]}, "labels must lie in"),
        ({"classes": 1}, "greater than or equal to 2"),
    ],
)
def test_impossible_manifests_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        manifest(**changes)


def test_a_start_that_was_killed_is_no_obstacle(tmp_path):
    (tmp_path / ".0123.tmp").write_text("{")  # killed before the manifest had its name
    run = RunDirectory.create(tmp_path, manifest())
    run.append(rows(*EVERY_BLOCK))
    assert run.read().draws.tolist() == [30, 30]


def test_many_processes_can_start_one_run(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        for trial in range(20):
            starts = [
                pool.submit(RunDirectory.create, tmp_path / str(trial), manifest())
                for _ in range(8)
            ]
            assert all(start.result().manifest == manifest() for start in starts)


def test_system_trouble_is_not_a_damaged_part(run, monkeypatch):
    run.append(rows(*EVERY_BLOCK))

    def too_many(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("simplicert.votes.parts.pq.ParquetFile", too_many)
    with pytest.raises(OSError, match="Too many open files"):
        run.set_damaged_aside()
    assert len(run.parts) == 1


@pytest.mark.parametrize(
    ("number", "damaged"), [(errno.EIO, True), (errno.ENFILE, False)]
)
def test_a_disk_that_cannot_read_a_part_has_damaged_it(
    run, monkeypatch, number, damaged
):
    run.append(rows(*EVERY_BLOCK))

    def unreadable(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("simplicert.votes.parts.hashlib.file_digest", unreadable)
        if damaged:
            assert len(run.set_damaged_aside()) == 1
        else:
            with pytest.raises(OSError, match="parts/") as trouble:
                run.set_damaged_aside()
            assert trouble.value.filename == str(run.parts[0])


def test_a_part_with_other_columns_is_refused(run):
    run.append(rows(*EVERY_BLOCK))
    [part] = run.parts
    table = pq.read_table(part)
    rewritten(part, table.drop_columns("score_squares"))
    with pytest.raises(InputError, match="other columns"):
        run.read()


def test_the_time_of_the_draws_is_kept_and_is_no_evidence(run, tmp_path):
    run.append(rows(*EVERY_BLOCK[:3]))
    run.append(rows(*EVERY_BLOCK[2:]))  # one block twice
    whole = run.read()
    np.testing.assert_array_equal(whole.draw_seconds, [1.5, 1.5])
    np.testing.assert_array_equal(run.read(blocks=slice(2)).draw_seconds, [1.0, 1.0])
    run.compact()
    np.testing.assert_array_equal(run.read().draw_seconds, whole.draw_seconds)
    slower = RunDirectory.create(tmp_path / "slower", manifest())
    late = rows(*EVERY_BLOCK)
    late.draw_seconds[:] = 9.0
    slower.append(late)
    assert slower.read().digest == whole.digest
    merged = merge_runs([run.path, slower.path], tmp_path / "merged").read()
    np.testing.assert_array_equal(merged.draw_seconds, whole.draw_seconds)


def test_parts_that_know_no_time_are_read_continued_and_compacted(run):
    run.append(rows(*EVERY_BLOCK[:2]))
    [part] = run.parts
    rewritten(part, pq.read_table(part).drop_columns("draw_seconds"))
    run.append(rows(*EVERY_BLOCK[2:]))
    run.compact()
    assert len(run.parts) == 1
    np.testing.assert_array_equal(run.read().draw_seconds, [np.nan, 1.5])


def test_merging_copies_that_disagree_is_refused(run, tmp_path):
    run.append(rows(*EVERY_BLOCK))
    twin = RunDirectory.create(tmp_path / "twin", manifest())
    twin.append(rows(*EVERY_BLOCK))
    assert merge_runs([run.path, twin.path], tmp_path / "one").done().all()
    other = RunDirectory.create(tmp_path / "other", manifest())
    other.append(rows(*EVERY_BLOCK, top=1))
    with pytest.raises(InputError, match=r"block 0 of image 4 has other votes"):
        merge_runs([run.path, other.path], tmp_path / "two")
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("scores", [True, False])
def test_copies_in_one_run_that_disagree_are_refused(run, scores):
    run.append(rows(*EVERY_BLOCK))
    run.append(rows((9, 2), top=1))
    content = {part: part.read_bytes() for part in run.parts}
    for use in (
        run.compact,
        lambda: run.read(scores=scores),
        lambda: run.done(skip_damaged=True),
    ):
        with pytest.raises(InputError, match=r"block 2 of image 9 .*9 of 10 draws"):
            use()
    assert {part: part.read_bytes() for part in run.parts} == content


AT_RANDOM = Probe(repeatable=False, answers=[0, 1])


def test_copies_of_a_classifier_that_answers_at_random_differ(run, tmp_path):
    """Each is evidence of its own: the first counts, whatever it says."""
    random = RunDirectory.create(tmp_path / "r", manifest(probe=AT_RANDOM))
    random.append(rows(*EVERY_BLOCK))
    random.append(rows(*EVERY_BLOCK, top=1))
    before = random.read()
    assert before.draws.tolist() == [30, 30]
    assert set(before.counts.ravel()) == {27, 3, 0}  # of one copy, not of both
    np.testing.assert_array_equal(random.read(scores=False).counts, before.counts)
    random.compact()
    assert random.read().digest == before.digest
    others = []
    for top in (0, 1):
        other = RunDirectory.create(tmp_path / f"{top}", manifest(probe=AT_RANDOM))
        other.append(rows(*EVERY_BLOCK, top=top))
        others.append(other)
    for first, second in (others, others[::-1]):
        merged = merge_runs([first.path, second.path], tmp_path / f"m{first.path.name}")
        assert merged.read().digest == first.read().digest
        assert merged.manifest.answers_at_random
    known = RunDirectory.create(
        tmp_path / "known",
        manifest(probe=Probe(repeatable=True, answers=[0])),
    )
    known.append(rows(*EVERY_BLOCK, top=1))
    run.append(rows(*EVERY_BLOCK, top=1))
    for other in (known, run):  # known not to, or never asked
        with pytest.raises(InputError, match="other votes"):
            merge_runs([others[0].path, other.path], tmp_path / "m")


@pytest.mark.parametrize(
    ("images", "batch", "answers"),
    [
        (([*range(20)], [*range(20, 40)]), (10, 10), [1]),
        (([*range(20, 40)], [*range(20)]), (10, 10), [2]),
        (([*range(20, 40)], [*range(20)]), (10, 20), []),
        (([4, 6], [5, 7]), (10, 10), []),
    ],
)
def test_the_probe_of_a_merged_run_is_of_its_own_first_images(
    tmp_path, images, batch, answers
):
    runs = []
    for number, some in enumerate(images):
        plan = manifest(
            images=some,
            labels=None,
            batch=batch[number],
            probe=Probe(repeatable=True, answers=[number + 1]),
        )
        runs.append(RunDirectory.create(tmp_path / f"{number}", plan).path)
    merged = merge_runs(runs, tmp_path / "m").manifest
    assert merged.probe == Probe(repeatable=True, answers=answers)


def test_copies_in_one_part_and_copies_of_scores_are_compared(run):
    twice = rows(*EVERY_BLOCK, (4, 0))
    twice.counts[-1] = [0, 9, 1]
    run.append(twice)
    with pytest.raises(InputError, match="block 0 of image 4 has other votes"):
        run.read(scores=False)
    run.parts[0].unlink()
    twice = rows(*EVERY_BLOCK, (4, 0))
    twice.columns["score_sums"][-1] = [0.0, 0.0, 5.0]
    run.append(twice)
    assert run.read(scores=False).draws.tolist() == [30, 30]
    with pytest.raises(InputError, match="block 0 of image 4 has other votes"):
        run.read()


def in_order(run):
    """The parts, under older names that sort as they were written."""
    for number, part in enumerate(
        sorted(run.parts, key=lambda p: p.stat().st_mtime_ns)
    ):
        part.rename(part.with_stem(f"{number:03}"))


def one_block_each(counts):
    """A row an image, of one block."""
    counts = np.array(counts)
    return VoteRows(
        images=np.arange(len(counts)),
        blocks=np.zeros(len(counts), dtype=np.int64),
        columns={"counts": counts},
        draw_seconds=np.full(len(counts), 0.5),
    )


@pytest.mark.parametrize("turned", [1, 2])
@pytest.mark.parametrize("draws", [5, 990, 1000, 2000])
@pytest.mark.parametrize("block", [1, 5, 1000])
def test_of_a_thousand_copied_draws_one_may_be_a_near_tie(
    tmp_path, block, draws, turned
):
    # However they are divided: not one of every block, be it small.
    images = max(2, draws // block)
    plan = manifest(
        images=[*range(images)], labels=None, block=block, draws=block, scores=False
    )
    run = RunDirectory.create(tmp_path / "run", plan)
    run.append(one_block_each([[block, 0, 0]] * images))
    in_order(run)
    few = [[block - 1, 1, 0]] * turned
    run.append(one_block_each(few + [[block, 0, 0]] * (images - turned)))
    if turned <= images * block / 1000:
        # Of each block the votes that are met first.
        assert (run.read().counts[:, 0] == block).all()
    else:
        with pytest.raises(InputError, match=rf"other votes in .*{turned} of all"):
            run.read()


def test_labels_are_part_of_the_evidence(run, tmp_path):
    run.append(rows(*EVERY_BLOCK))
    other = RunDirectory.create(tmp_path / "other", manifest(labels=[1, 1]))
    other.append(rows(*EVERY_BLOCK))
    assert run.read().digest != other.read().digest
    with pytest.raises(InputError, match="labels of the same images differ"):
        merge_runs([run.path, other.path], tmp_path / "merged")


def test_a_failed_write_leaves_no_part(run, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("simplicert.votes.run.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        run.append(rows(*EVERY_BLOCK))
    assert run.parts == []
    monkeypatch.undo()
    run.append(rows(*EVERY_BLOCK))
    assert run.done().all()


def test_paths_may_be_text(run):
    run.append(rows(*EVERY_BLOCK))
    assert len(read_run(str(run.path))) == len(read_run(Path(run.path))) == 2


def test_the_same_images_cut_to_another_shape_are_another_run(run):
    plan = run.manifest
    source = plan.data.model_copy(update={"shape": [1, 4, 4]})
    cut = plan.model_copy(update={"data": source})
    with pytest.raises(InputError, match=r"another run: data\.shape differ"):
        RunDirectory.open_or_create(run.path, cut)


def test_progress_says_what_is_on_disk_and_changes_nothing(run):
    before = run.progress()
    assert (before.draws, before.finished, before.flushed) == (0, 0, None)
    run.append(rows(*EVERY_BLOCK[:4]))
    run.append(rows(*EVERY_BLOCK[2:5]))  # two copies, which count once
    content = {part: part.read_bytes() for part in run.parts}
    now = run.progress()
    assert (now.draws, now.total, now.finished, now.images) == (50, 60, 1, 2)
    assert (now.parts, now.damaged, now.seconds) == (2, 0, 2.5)
    assert now.flushed == max(part.stat().st_mtime for part in run.parts)
    assert {part: part.read_bytes() for part in run.parts} == content
    run.parts[0].write_bytes(b"half")
    assert run.progress().damaged == 1
    run.set_damaged_aside()
    after = run.progress()
    assert (after.parts, after.damaged) == (1, 1)
    assert after.draws < now.draws


@pytest.mark.parametrize("target", ["nowhere", "parts"])
def test_parts_that_lie_nowhere_are_not_said_to_be_undrawn(run, target):
    (run.path / "parts").rmdir()
    (run.path / "parts").symlink_to(target)
    with pytest.raises(InputError, match="parts is no directory"):
        RunDirectory(run.path)


@pytest.mark.parametrize(("compiled", "runtime"), [(0, "eager"), (1, "compiled")])
def test_a_manifest_from_before_runtimes_means_the_same(compiled, runtime, tmp_path):
    now = RunDirectory.create(tmp_path / "run", manifest(runtime=runtime)).manifest
    path = tmp_path / "run" / "manifest.json"
    fields = json.loads(path.read_text())
    del fields["runtime"]
    path.write_text(json.dumps(fields | {"compiled": bool(compiled)}))
    before = RunDirectory(tmp_path / "run").manifest
    assert before == now
    # What parts of before have, in their order: nothing more, nothing less.
    assert before.evidence()["compiled"] is bool(compiled)
    assert "runtime" not in before.evidence()
    path.write_text(json.dumps(fields | {"compiled": "yes"}))
    with pytest.raises(InputError, match="compiled: Extra inputs"):
        RunDirectory(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "there"),
    [({"runtime": "openvino"}, "openvino"), ({"temperature": 2.0}, "2.0")],
)
def test_parts_of_what_a_manifest_does_not_name_are_anothers(change, there, tmp_path):
    theirs = RunDirectory.create(tmp_path / "theirs", manifest(**change))
    theirs.append(rows((4, 0)))
    ours = RunDirectory.create(tmp_path / "ours", manifest())
    (theirs.path / "parts").rename(tmp_path / "parts")
    for part in (tmp_path / "parts").iterdir():
        part.rename(ours.path / "parts" / part.name)
    [field] = change
    with pytest.raises(InputError, match=f"drawn with {field} = '?{there}"):
        ours.read(partial=True)
