"""Whatever happens to the files of a run, no vote changes, and sampling goes on."""

import json
import os
import random
import shutil
import socket
from contextlib import chdir

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from synthetic import EVERY_BLOCK, manifest, rows

from simplicert.certificates import certify
from simplicert.cli.app import main
from simplicert.errors import InputError
from simplicert.votes import RunDirectory, read_run

PLAN = manifest()


def drawn(*keys):
    """Votes as a model gives them: the same whenever a block is drawn."""
    made = rows(*keys)
    for row, (image, block) in enumerate(keys):
        top = (image + block) % 3
        made.counts[row] = np.roll([9 - block, 1 + block, 0], top)
        made.columns["score_sums"][row] = made.counts[row] * 0.5
        made.columns["score_squares"][row] = made.counts[row] * 0.25
    return made


def go_on(path):
    """What ``sample`` does, but for the model: the run's digest."""
    run = RunDirectory.open_or_create(path, PLAN)
    run.set_damaged_aside()
    done = run.done(skip_damaged=True)
    missing = [
        (image, int(block))
        for image, there in zip(PLAN.images, done, strict=True)
        for block in np.flatnonzero(~there)
    ]
    if missing:
        run.append(drawn(*missing))
    run.compact()
    assert len(run.parts) == 1
    return run.read().digest


def votes_or_a_refusal(read):
    """The digest, or ``None`` where it is refused, in one line."""
    try:
        return read()
    except InputError as error:
        text = str(error)
    assert len(text.splitlines()) == 1
    assert len(text) < 2000
    return None


def certified(path):
    votes = read_run(path)
    certify(votes, alpha=0.001)
    return votes.digest


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Two parts, one of them named as older versions did; nothing waits for a disk."""
    monkeypatch.setattr("os.fsync", lambda _: None)
    run = RunDirectory.create(tmp_path / "run", PLAN)
    run.append(drawn(*EVERY_BLOCK[:3]))
    [part] = run.parts
    part.rename(part.with_stem("older"))
    run.append(drawn(*EVERY_BLOCK[3:]))
    (run.path / ".lock").write_bytes(b"1234")
    return run


def files(run):
    newer, older = sorted(run.parts)
    return {
        "newer": newer,
        "older": older,
        "manifest": run.path / "manifest.json",
        "lock": run.path / ".lock",
    }


def check_damage(run, target, content, tmp_path, whole):
    """A copy of the run with other bytes in one file, certified and continued."""
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    (copy / target.relative_to(run.path)).write_bytes(content)
    try:
        assert votes_or_a_refusal(lambda: certified(copy)) in {None, whole}
        after = votes_or_a_refusal(lambda: go_on(copy))
        if target.suffix == ".parquet" or after is not None:
            assert after == whole
            assert read_run(copy).digest == whole
    finally:
        shutil.rmtree(copy)


BITS = {"newer": 300, "older": 1100, "manifest": 660, "lock": 20}


@pytest.mark.parametrize(
    "share", [0.03, pytest.param(1.0, marks=pytest.mark.slow)], ids=["some", "all"]
)
@pytest.mark.parametrize("kind", BITS)
def test_a_turned_bit_changes_no_vote(run, tmp_path, kind, share):
    assert sum(BITS.values()) >= 2000
    whole, target = run.read().digest, files(run)[kind]
    content = target.read_bytes()
    chance = random.Random(kind)
    for _ in range(int(BITS[kind] * share)):
        damaged = bytearray(content)
        damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        check_damage(run, target, bytes(damaged), tmp_path, whole)


@pytest.mark.parametrize(
    "step", [900, pytest.param(50, marks=pytest.mark.slow)], ids=["some", "all"]
)
@pytest.mark.parametrize("kind", BITS)
def test_a_file_cut_short_changes_no_vote(run, tmp_path, kind, step):
    whole, target = run.read().digest, files(run)[kind]
    content = target.read_bytes()
    for length in range(0, len(content), step):
        check_damage(run, target, content[:length], tmp_path, whole)
        check_damage(run, target, content[length:], tmp_path, whole)


def column(table, name, values):
    at = table.schema.names.index(name)
    field = table.schema.field(at)
    if isinstance(values, pa.Array):
        field = pa.field(name, values.type)
    else:
        values = pa.array(values, field.type)
    return table.set_column(at, field, values)


def evidence(table, text):
    return table.replace_schema_metadata({b"simplicert.evidence": text})


EDITS = {
    "no rows": lambda t: t.slice(0, 0),
    "another column": lambda t: t.append_column("more", pa.array([1, 2, 3])),
    "no counts": lambda t: t.drop_columns("counts"),
    "columns in another order": lambda t: t.select(t.schema.names[::-1]),
    "narrow numbers": lambda t: column(t, "image", pa.array([4, 4, 4], pa.int32())),
    "text": lambda t: column(t, "image", pa.array(["4", "4", "4"])),
    "lists of any length": lambda t: column(t, "counts", pa.array([[9, 1, 0]] * 3)),
    "an empty cell": lambda t: column(t, "image", [4, None, 4]),
    "an empty row": lambda t: column(t, "counts", [[9, 1, 0], None, [9, 1, 0]]),
    "an empty vote": lambda t: column(t, "counts", [[9, 1, None]] * 3),
    "no such image": lambda t: column(t, "image", [4, 5, 4]),
    "a negative image": lambda t: column(t, "image", [4, -4, 4]),
    "the largest image": lambda t: column(t, "image", [4, 2**63 - 1, 4]),
    "no such block": lambda t: column(t, "block", [0, 1, 3]),
    "a negative block": lambda t: column(t, "block", [0, 1, -1]),
    "the lowest block": lambda t: column(t, "block", [0, 1, -(2**63)]),
    "negative votes": lambda t: column(t, "counts", [[12, -1, -1]] * 3),
    "too many votes": lambda t: column(t, "counts", [[9, 1, 1]] * 3),
    "votes that wrap around": lambda t: column(
        t, "counts", [[2**62, 2**62, 2**63 - 1]] * 3
    ),
    "scores of more draws": lambda t: column(
        t,
        "score_sums",
        [[9.5, 1.0, 0.0], *[[2.0, 0.0, 0.0]] * 2],  # hidden in the sum
    ),
    "squares of more draws": lambda t: column(
        t, "score_squares", [[9.5, 1.0, 0.0], *[[2.0, 0.0, 0.0]] * 2]
    ),
    "scores that are none": lambda t: column(
        t, "score_sums", [[1.0, float("nan"), 0.0]] * 3
    ),
    "endless scores": lambda t: column(t, "score_sums", [[1.0, float("inf"), 0.0]] * 3),
    "evidence that is no text": lambda t: evidence(t, b"\xff\xfe"),
    "evidence that is no JSON": lambda t: evidence(t, b"{not json"),
    "evidence cut short": lambda t: evidence(t, b'{"sigma": 0.5'),
    "evidence nested deeply": lambda t: evidence(t, b"[" * 200_000),
    "evidence with endless digits": lambda t: evidence(
        t, b'{"seed": ' + b"9" * 5000 + b"}"
    ),
    "evidence with a number that is none": lambda t: evidence(t, b'{"sigma": NaN}'),
}
"""What can be done to the table of a part, which then claims to be of this run."""


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_part_is_set_aside_and_drawn_again(run, edit):
    whole, older = run.read().digest, files(run)["older"]
    pq.write_table(edit(pq.read_table(older)), older, write_page_checksum=True)
    assert votes_or_a_refusal(lambda: certified(run.path)) is None
    assert go_on(run.path) == whole
    assert len(list(older.parent.glob("*.damaged"))) == (edit is not EDITS["no rows"])


def foreign(run, folder, **changes):
    other = RunDirectory.create(folder / "other", manifest(**changes))
    other.append(drawn(*EVERY_BLOCK[:2]))
    shutil.copy(other.parts[0], run.path / "parts")


REFUSED = {
    "a part of another sigma": lambda run, folder: foreign(run, folder, sigma=0.25),
    "a part of another seed": lambda run, folder: foreign(run, folder, seed=8),
    "a part of other draws": lambda run, folder: foreign(run, folder, draws=60),
    "a part of other labels": lambda run, folder: foreign(run, folder, labels=[0, 1]),
    "another's Parquet file": lambda run, folder: pq.write_table(
        pa.table({"x": [1]}), run.path / "parts" / "x.parquet"
    ),
    "parts in a file": lambda run, folder: (
        shutil.rmtree(run.path / "parts"),
        (run.path / "parts").touch(),
    ),
    "a lock that is a pipe": lambda run, folder: (
        (run.path / ".lock").unlink(),
        os.mkfifo(run.path / ".lock"),
    ),
    "a lock that is a directory": lambda run, folder: (
        (run.path / ".lock").unlink(),
        (run.path / ".lock").mkdir(),
    ),
    "a manifest that is a pipe": lambda run, folder: (
        (run.path / "manifest.json").unlink(),
        os.mkfifo(run.path / "manifest.json"),
    ),
    "a manifest that is a directory": lambda run, folder: (
        (run.path / "manifest.json").unlink(),
        (run.path / "manifest.json").mkdir(),
    ),
    "a manifest that is a device": lambda run, folder: (
        (run.path / "manifest.json").unlink(),
        (run.path / "manifest.json").symlink_to("/dev/zero"),
    ),
    "a manifest that is a link to itself": lambda run, folder: (
        (run.path / "manifest.json").unlink(),
        (run.path / "manifest.json").symlink_to("manifest.json"),
    ),
}


@pytest.mark.parametrize("harm", REFUSED.values(), ids=REFUSED)
def test_what_is_of_no_or_another_run_is_refused_and_left_alone(run, tmp_path, harm):
    harm(run, tmp_path)
    before = sorted(run.path.rglob("*"))
    if not (run.path / ".lock").exists() or (run.path / ".lock").is_file():
        assert votes_or_a_refusal(lambda: certified(run.path)) is None
    assert votes_or_a_refusal(lambda: go_on(run.path)) is None
    assert sorted(run.path.rglob("*")) == before


def unlike_a_file(kind):
    def put(run, _):
        path = run.path / "parts" / "x.parquet"
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "directory":
            path.mkdir()
        elif kind == "socket":
            # The path of a socket must be short.
            with chdir(path.parent), socket.socket(socket.AF_UNIX) as bound:
                bound.bind(path.name)
        else:
            path.symlink_to(kind)

    return put


def swapped(run, _):
    newer, older = sorted(run.parts)
    contents = newer.read_bytes(), older.read_bytes()
    older.write_bytes(contents[0])
    newer.write_bytes(contents[1])


HARMS = {
    "a pipe": (unlike_a_file("pipe"), 1),
    "a directory": (unlike_a_file("directory"), 1),
    "a socket": (unlike_a_file("socket"), 1),
    "a device": (unlike_a_file("/dev/zero"), 1),
    "memory": (unlike_a_file("/proc/self/mem"), 1),
    "a link to itself": (unlike_a_file("x.parquet"), 1),
    "a link to nothing": (unlike_a_file("nothing"), 1),
    "text": (lambda run, _: (run.path / "parts" / "x.parquet").write_text("PAR1"), 1),
    "parts that changed places": (swapped, 1),
    "a part twice": (
        lambda run, _: shutil.copy(run.parts[0], run.path / "parts" / "x.parquet"),
        0,
    ),
    "a part under the name of another": (
        lambda run, _: shutil.copy(run.parts[1], run.parts[0]),
        1,
    ),
    "a part that is a link": (
        lambda run, folder: (
            shutil.move(run.parts[0], folder / "elsewhere"),
            run.parts[0].with_stem("x").symlink_to(folder / "elsewhere"),
        ),
        0,
    ),
}
"""What can be put among the parts, and how many of these are then set aside."""


@pytest.mark.parametrize(("harm", "aside"), HARMS.values(), ids=HARMS)
def test_what_is_no_part_is_set_aside(run, tmp_path, harm, aside):
    whole = run.read().digest
    harm(run, tmp_path)
    expected = None if aside else whole
    assert votes_or_a_refusal(lambda: certified(run.path)) == expected
    assert go_on(run.path) == whole
    assert len(list((run.path / "parts").glob("*.damaged"))) == aside


@pytest.mark.parametrize("harm", [HARMS["a pipe"][0], REFUSED["parts in a file"]])
def test_the_command_says_so_in_one_line(run, tmp_path, harm, capsys):
    harm(run, tmp_path)
    for command in (["certify"], ["merge", str(run.path), "-o", str(tmp_path / "m")]):
        with pytest.raises(SystemExit) as stopped:
            main([*command, str(run.path)])
        assert stopped.value.code == 2
        [line] = capsys.readouterr().err.splitlines()
        assert str(run.path) in line


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", int("9" * 4000)),
        ("sigma", float("nan")),
        ("images", [4, 2**63]),
        ("looks", [{"draws": 30, "share": 1.0}] * 2),
        ("looks", [{"draws": 2**31, "share": 1.0}]),
        ("data", {"name": "\ud800", "digest": "cd", "shape": [1, 2, 2]}),
        ("device", ["cpu"]),
        ("classes", 2**24 + 1),
        ("schema_number", "x" * 10_000),
    ],
)
def test_an_edited_manifest_is_refused_in_one_line(run, field, value):
    path = run.path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {field: value}))
    assert votes_or_a_refusal(lambda: certified(run.path)) is None
    assert votes_or_a_refusal(lambda: go_on(run.path)) is None
