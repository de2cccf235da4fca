"""``simplicert sample`` of images that stop: told before, while and after."""

import re

import pytest

from simplicert.votes import RunDirectory, read_run

HORIZON = 3000


@pytest.fixture
def sampled(simplicert, checkpoint, tmp_path):
    """Samples 20 images into a run: (exit code, stdout, stderr)."""

    def run(*options, out="run", draws=HORIZON):
        return simplicert(
            *("sample", checkpoint, "digits", "--images", "0:20", "--sigma", 0.5),
            *("--draws", draws, "--seed", 1, "-o", tmp_path / out, *options),
        )

    return run


def test_images_stop_when_their_radii_are_decided(sampled, simplicert, tmp_path):
    code, out, err = sampled("--until", "0.1,0.25")
    assert code == 0
    assert "20 images × 30 to 3,000 draws = 600 to 60,000 passes" in err
    assert "stops when each radius of 0.1, 0.25 is certified or futile, at alph" in err
    assert "asked after 30, 40, 70, 100, 150, 230, 350," in err
    assert "at most 60,000 passes to go" in err
    votes = read_run(tmp_path / "run")
    assert len({*votes.draws}) > 2
    assert f"{votes.draws.sum():,} in all" in out
    again = sampled("--until", "0.1,0.25")
    assert again[1] == out
    assert "at most 0 passes to go" in again[2]
    code, out, _ = simplicert("certify", tmp_path / "run")
    assert code == 0
    assert "20 of 20 images decided" in out


@pytest.mark.slow
def test_another_plan_does_not_go_on(sampled, tmp_path):
    assert sampled("--until", "0.1,0.25")[0] == 0
    before = read_run(tmp_path / "run").digest
    assert "draws is 3000 there" in sampled("--until", "0.1,0.25", draws=5000)[2]
    for options, said in {
        ("--until", "0.1"): "of 0.1, 0.25 is .* there, and an image .* radius of 0.1",
        (): "there, and every image has all draws here",
        ("--until", "0.1,0.25", "--alpha", 0.01): "at alpha 0.01, here",
    }.items():
        code, _, err = sampled(*options)
        assert code == 2
        assert re.search(said, err)
        assert read_run(tmp_path / "run").digest == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--until", "0.1,3"), "3,000 draws can certify a radius of 1."),
        (("--until", "0.2,0.1"), "radii that rise"),
        (("--until", "-1"), "0 or more"),
        (("--until", ""), "list"),
        (("--within", "200%"), "a share in (0, 1)"),
        (("--within-radius", 1), "--within-radius is of --within"),
        (("--until", 0.1, "--within", "5%"), "two rules: give one"),
        (("--budget", 100), "less than the first look at every image"),
        (("--budget", "1e6", "--processes", 2), "spent by one process"),
        (("--budget", "1e6", "--share", "1/2"), "spent by one process"),
        (("--budget", 1.5), "not a number of draws"),
        (("--rule", "named", "--block", 100), "a block of 100"),
        (("--rule", "nowhere.py:rule"), "nowhere.py"),
        (("--procedure", "clopper_pearson"), "of --until, --within and --budget"),
        (("--until", 0.1, "--alpha", 2), "alpha"),
        (("--until", 0.1, "--mechanism", "nobody"), "nobody"),
        (("--until", 0.1, "--procedure", "two_stage"), "needs other draws"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    sampled, tmp_path, options, said
):
    code, _, err = sampled(*options)
    assert code == 2
    assert said in err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_other_rules(sampled, simplicert, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from simplicert.stopping import Rule\n"
        "rule = Rule(name='mine', decided=lambda votes, _: votes.counts.max(1) > 40)\n"
    )
    for out, options in {
        "within": ("--within", "20%", "--within-radius", 0.5),
        "budget": ("--budget", "5e3"),
        "of": ("--budget", 5000, "--until", 0.25),
        "named": ("--rule", "named"),
        "mine": ("--rule", f"{tmp_path / 'mine.py'}:rule"),
    }.items():
        assert sampled(*options, out=out)[0] == 0, out
        run = RunDirectory(tmp_path / out)
        assert run.done().all()
        draws = run.read().draws
        assert draws.sum() < 20 * HORIZON
        if out in ("budget", "of"):
            assert draws.sum() <= 5000
        assert simplicert("certify", tmp_path / out)[0] == 0
        assert simplicert("status", tmp_path / out)[0] == 0


def test_a_trial_draws_nothing(sampled, tmp_path):
    code, out, err = sampled("--until", 0.25, "--dry-run")
    assert (code, out) == (0, "")
    assert "none stops" in err
    assert not (tmp_path / "run").exists()
