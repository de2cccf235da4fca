import json

import numpy as np
import pytest
from PIL import Image
from synthetic import EVERY_BLOCK, manifest, rows

from simplicert.certificates.certify import certify
from simplicert.data import load_dataset
from simplicert.data.cuts import PublishedCut
from simplicert.errors import InputError
from simplicert.interop import import_file
from simplicert.paper import ENSEMBLES
from simplicert.report import load_runs, render_report
from simplicert.votes import DataSource, RunDirectory, read_run


@pytest.fixture
def run(tmp_path):
    store = RunDirectory.create(tmp_path / "mine", manifest())
    store.append(rows(*EVERY_BLOCK))
    return store.path


def test_a_run_is_certified_in_every_framework_of_its_votes(run):
    [loaded] = load_runs([run], alpha=0.1)
    votes = read_run(run)
    assert [c.framework for c in loaded.certificates] == ["multinomial", "softmax"]
    for certificates in loaded.certificates:
        expected = certify(votes, alpha=0.1, framework=certificates.framework)
        np.testing.assert_array_equal(certificates.radius, expected.radius)
    assert loaded.digest == votes.digest
    assert loaded.facts["model digest"] == "ab"


def test_one_framework_if_asked(run):
    [loaded] = load_runs([run], alpha=0.1, framework="softmax")
    assert [c.framework for c in loaded.certificates] == ["softmax"]


def test_a_mechanism_for_hard_votes_opens_those_only(run):
    [loaded] = load_runs([run], alpha=0.1, mechanism="li")
    assert [c.mechanism for c in loaded.certificates] == ["li", "neyman_pearson"]
    with pytest.raises(InputError, match="does not apply"):
        load_runs([run], alpha=0.1, mechanism="li", framework="softmax")


def test_runs_of_one_name_are_told_apart_by_path(run, tmp_path):
    other = tmp_path / "elsewhere" / "mine"
    RunDirectory.create(other, manifest()).append(rows(*EVERY_BLOCK))
    names = [loaded.name for loaded in load_runs([run, other], alpha=0.1)]
    assert names == [str(run), str(other)]


def test_a_run_is_named_once(run):
    with pytest.raises(InputError, match="mine is named twice: name each run once"):
        load_runs([run, run.parent / "elsewhere" / ".." / "mine"], alpha=0.1)


def test_an_unfinished_run_is_refused_or_cut(tmp_path):
    store = RunDirectory.create(tmp_path / "run", manifest())
    store.append(rows(*EVERY_BLOCK[:3]))
    with pytest.raises(InputError, match="not finished"):
        load_runs([store.path])
    [loaded] = load_runs([store.path], alpha=0.1, partial=True)
    assert loaded.certificates[0].indices.tolist() == [4]


def test_pictures_come_from_the_data_that_was_sampled(tmp_path):
    digits = load_dataset("digits")
    images = digits.indices[:2].tolist()
    source = DataSource(name="digits", digest=digits.digest, shape=[1, 8, 8])
    store = RunDirectory.create(tmp_path / "run", manifest(images=images, data=source))
    both = rows(*[(image, block) for image in images for block in range(3)])
    store.append(both)
    [loaded] = load_runs([store.path], alpha=0.1, dataset=digits)
    [pictures] = loaded.portraits
    np.testing.assert_array_equal(
        pictures.read(np.array(images)), digits.read(np.arange(2))
    )


def test_pictures_are_cut_as_the_run_s_images_were(tmp_path):
    folder = tmp_path / "photos" / "test" / "thing"
    folder.mkdir(parents=True)
    for name, width in {"a": 40, "b": 30}.items():
        pixels = np.random.default_rng(0).integers(0, 256, (50, width, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    photos = load_dataset(str(tmp_path / "photos"), cut=PublishedCut(16, 20, "box"))
    source = DataSource(
        name="photos", digest=photos.digest, shape=[3, 16, 16], cut=photos.cut
    )
    fields = {"images": [0, 1], "labels": None, "data": source}
    store = RunDirectory.create(tmp_path / "run", manifest(**fields))
    store.append(rows(*[(image, block) for image in (0, 1) for block in range(3)]))
    for size in (None, 16, 20):
        again = load_dataset(str(tmp_path / "photos"), size=size)
        [loaded] = load_runs([store.path], alpha=0.1, dataset=again)
        [pictures] = loaded.portraits
        np.testing.assert_array_equal(
            pictures.read(np.arange(2)), photos.read(np.arange(2))
        )
        assert loaded.facts["images cut"] == photos.cut


def test_pictures_of_other_images_are_refused(run):
    with pytest.raises(InputError, match="the page would show other images"):
        load_runs([run], alpha=0.1, dataset=load_dataset("digits"))


def test_pictures_of_another_size_are_refused(tmp_path):
    digits = load_dataset("digits")
    source = DataSource(name="digits", digest=digits.digest, shape=[1, 16, 16])
    images = digits.indices[:2].tolist()
    store = RunDirectory.create(tmp_path / "run", manifest(images=images, data=source))
    message = "images of 16 × 16 pixels, and these are 8 × 8 pixels: give"
    with pytest.raises(InputError, match=message):
        load_runs([store.path], alpha=0.1, dataset=digits)


def test_no_run_is_refused():
    with pytest.raises(InputError, match="at least one run"):
        load_runs([])


def test_a_published_log_is_reported_as_far_as_it_goes(tmp_path):
    log = tmp_path / "log.tsv"
    log.write_text(
        "idx\tlabel\tpredict\tradius\tcorrect\ttime\n"
        "0\t3\t3\t0.25\t1\t0:00:01\n20\t8\t-1\t0.0\t0\t0:00:01\n"
    )
    imported = tmp_path / "imported"
    import_file(log, imported, sigma=0.25, draws=100_000, alpha=0.001)
    [loaded] = load_runs([imported])
    page = render_report([loaded])
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    [view] = data["runs"][0]["views"]
    assert view["e1"] == [None, None]
    assert view["runner_up"] == [-1, -1]
    overview = page.split("<details>")[0]
    assert "what is missing" in overview
    assert "digest of the log" in overview
    assert "digest of the votes" not in page
    assert loaded.commands == [f"simplicert certify {imported}"]  # of one alpha only
    with pytest.raises(InputError, match="no soft scores"):
        load_runs([imported], framework="softmax")
    with pytest.raises(InputError, match="li cannot be had of it"):
        load_runs([imported], mechanism="li")
    with pytest.raises(InputError, match="is a log, which does not say what its"):
        load_runs([imported], dataset=load_dataset("digits"))
    [asked] = load_runs([imported], mechanism="reported")
    assert asked.commands == [f"{loaded.commands[0]} --mechanism reported"]


def test_beside_a_log_a_mechanism_is_the_run_s(run, tmp_path):
    log = tmp_path / "log.tsv"
    log.write_text("idx\tlabel\tpredict\tradius\tcorrect\n0\t3\t3\t0.25\t1\n")
    import_file(log, tmp_path / "theirs", sigma=0.25, draws=100_000, alpha=0.01)
    ours, theirs = load_runs([run, tmp_path / "theirs"], mechanism="li", alpha=0.01)
    assert ours.certificates[0].mechanism == "li"
    assert theirs.certificates[0].mechanism == "reported"


def test_the_paper_s_ensemble_opens_every_view(run):
    [loaded] = load_runs([run], mechanism="ensemble", alpha=0.01)
    assert [c.mechanism for c in loaded.certificates] == ["ensemble", "ensemble"]
    assert [c.members for c in loaded.certificates] == list(ENSEMBLES.values())


def test_a_mechanism_that_is_about_no_view_is_refused(run):
    with pytest.raises(InputError, match="lee does not apply: its proof is for"):
        load_runs([run], mechanism="lee")
