"""Units: what sigma and radii are measured in, and that nothing else changes."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.special import ndtr, ndtri

import simplicert as sc
from simplicert.analysis.features import feature_reach
from simplicert.audit.attack import attack
from simplicert.audit.replay import replay, run_images
from simplicert.classifiers import NumpyClassifier
from simplicert.data.dataset import Dataset
from simplicert.data.given import as_dataset
from simplicert.data.units import deviations, find_unit, measured_in
from simplicert.errors import InputError
from simplicert.noises.grid import grid_step, largest_input
from simplicert.sampling import Sampler
from simplicert.units import PIXELS, PLAIN, Unit
from simplicert.votes import Manifest, RunDirectory

SCALES, OFFSETS = (0.01, 3.0, 250.0), (1.0, -20.0, 4000.0)
UNIT = Unit(name="standard deviations", scale=SCALES, offset=OFFSETS)
WEIGHTS, BIAS = np.array([40.0, 0.3, -0.001]), 0.2
"""A linear classifier of values; of numbers its slope is WEIGHTS * SCALES."""


def decide(values):
    return ((values - np.array(OFFSETS)) @ WEIGHTS > BIAS).astype(int)


LINEAR = NumpyClassifier(decide, output="labels", classes=2)


@pytest.fixture(scope="module")
def values():
    numbers = np.random.default_rng(3).normal(size=(40, 3))
    return numbers * np.array(SCALES) + np.array(OFFSETS)


def distances(values):
    """From the numbers of each row to the boundary, by hand."""
    slope = WEIGHTS * np.array(SCALES)
    numbers = (values - np.array(OFFSETS)) / np.array(SCALES)
    return np.abs(numbers @ slope - BIAS) / np.linalg.norm(slope)


class TestTheUnit:
    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"scale": 0.0}, "the scale must lie in .* got 0.0"),
            ({"scale": (1.0, 0.0)}, "the scale of entry 1 must lie"),
            ({"scale": (1.0, -2.0)}, "the scale of entry 1"),
            ({"scale": (1.0, np.nan)}, "got nan"),
            ({"scale": np.inf}, "got inf"),
            ({"scale": "1"}, "must be a number, or one for each"),
            ({"scale": [[1.0]]}, "must be a number, or one for each"),
            ({"scale": []}, "must be a number, or one for each"),
            ({"scale": (1.0, 2.0), "offset": (1.0, 2.0, 3.0)}, "give as many"),
            ({"offset": 1.0}, "an offset goes with a scale"),
            ({"scale": 1.0, "offset": np.inf}, "the offset must be finite"),
            ({"low": 1.0, "high": 1.0}, r"low \(1\) must be below high \(1\)"),
            ({"low": (0.0, 1.0)}, "low must be a number"),
            ({"high": np.nan}, "the high must be finite"),
            ({"name": ""}, "1 to 60 letters"),
            ({"name": "a\nb"}, "printable"),
        ],
    )
    def test_what_contradicts_itself_is_refused(self, fields, message):
        with pytest.raises(InputError, match=message):
            Unit(**({"name": "mm"} | fields))

    def test_numbers_and_values_are_each_other(self, values):
        numbers = UNIT.numbers(values)
        again = UNIT.offsets(1) + UNIT.scales(1) * numbers
        np.testing.assert_allclose(again, values, rtol=1e-14)

    def test_a_conversion_rounds_no_more_than_is_taken_off_radii(self):
        sigma = 0.3
        rng = np.random.default_rng(0)
        scale, offset = 0.1 + rng.random(500), rng.normal(size=500) * 1e6
        values = offset + scale * rng.normal(size=500) * 5e4
        unit = Unit(name="u", scale=scale, offset=offset)
        numbers = unit.numbers(values[None])[0]
        assert abs(numbers).max() <= largest_input(sigma)
        worst = max(
            abs(Fraction(n) - (Fraction(v) - Fraction(o)) / Fraction(s))
            for n, v, o, s in zip(numbers, values, offset, scale, strict=True)
        )
        assert 0 < 2 * worst <= unit.rounding(largest_input(sigma)) < 1e-9

    def test_radii_are_less_by_what_it_rounds(self, values):
        votes = sc.sample(LINEAR, values, unit=UNIT, sigma=0.5, draws=200, seed=0)
        plain = sc.sample(LINEAR, values, sigma=0.5, draws=200, seed=0)
        rounded = UNIT.rounding(largest_input(0.5))
        assert plain.manifest.displacement < 3 * grid_step(0.5)
        assert votes.manifest.displacement >= np.sqrt(3) * (grid_step(0.5) + rounded)


class TestCertificatesInAUnit:
    def test_an_image_is_certified_where_it_is_not_where_float32_would_move_it(self):
        """Beside an offset of a million float32 is 0.06 apart: here 1.3 in all."""
        unit = Unit(name="Pa", scale=1.0, offset=1e6)
        given = np.full((1, 1, 32, 32), 1e6 + 0.03)

        def total(values):
            return ((values - 1e6).sum((1, 2, 3)) > 16).astype(int)

        classifier = NumpyClassifier(total, output="labels", classes=2)
        how = {"sigma": 2.0, "draws": 1000, "unit": unit, "seed": 0}
        votes = sc.sample(classifier, given, **how)
        # The sum of the numbers is 31, of which noise of 64 leaves 16 in 59 of 100.
        share = ndtr((0.03 * 1024 - 16) / 64)
        assert abs(votes.counts[0, 1] / 1000 - share) < 0.06
        listed = sc.sample(classifier, [*given], **how)
        assert (listed.counts == votes.counts).all()

    def test_saved_votes_are_in_it(self, values, tmp_path):
        votes = sc.sample(LINEAR, values, unit=UNIT, sigma=0.5, draws=100, seed=1)
        kept = RunDirectory(votes.save(tmp_path / "run")).read()
        assert kept.manifest.data.unit == UNIT
        assert (sc.certify(kept).radius == sc.certify(votes).radius).all()

    @pytest.mark.parametrize("noise", ["gaussian", "uniform"])
    def test_a_linear_classifiers_radii_are_true_and_nearly_its_distances(
        self, values, noise
    ):
        votes = sc.sample(
            LINEAR, values, unit=UNIT, sigma=0.5, draws=4000, noise=noise, seed=1
        )
        certificates = sc.certify(votes, alpha=0.001)
        assert certificates.unit == UNIT
        slope = WEIGHTS * np.array(SCALES)
        dual = 2 if noise == "gaussian" else np.inf
        true = distances(values) * np.linalg.norm(slope) / np.linalg.norm(slope, dual)
        assert (certificates.radius <= true).all()
        if noise == "gaussian":  # and the expectations are those of the theory
            expected = ndtr(distances(values) / 0.5)
            error = 4 * np.sqrt(expected * (1 - expected) / 4000) + 1e-3
            assert (abs(certificates.e0 - expected) < error).all()
            near = true < 0.5 * ndtri(0.99)
            assert (certificates.radius[near] > 0.8 * true[near] - 0.05).all()

    def test_what_is_printed_says_so(self, values):
        votes = sc.sample(LINEAR, values, unit=UNIT, sigma=0.5, draws=200, seed=0)
        certificates = sc.certify(votes)
        assert "40 inputs" in repr(certificates)
        assert "l2 radius in standard deviations" in repr(certificates)
        assert set(certificates.table()["unit"]) == {"standard deviations"}
        own = feature_reach(certificates)
        median = np.median(certificates.radius)
        np.testing.assert_allclose(own["alone"], median * np.array(SCALES), rtol=1e-12)
        assert (own["alone"] <= median * np.array(SCALES)).all()

    def test_pixels_and_imported_votes_are_as_they_were(self, network, images):
        votes = sc.sample(network, images, sigma=0.5, draws=200, seed=0)
        certificates = sc.certify(votes)
        assert votes.manifest.data.unit is None
        assert certificates.unit == PIXELS
        assert "unit" not in certificates.table()
        with pytest.raises(InputError, match="no other scale"):
            feature_reach(certificates)

    def test_levels_of_pixels_are_a_255th(self, network, images):
        """Noise of 127.5 levels is noise of 0.5 pixels, on another grid."""
        votes = [
            sc.sample(network, given, unit=unit, sigma=sigma, draws=2000, seed=0)
            for given, unit, sigma in (
                (images, "levels", 127.5),
                (images, None, 0.5),
            )
        ]
        shares = [each.counts / 2000 for each in votes]
        assert abs(shares[0] - shares[1]).max() < 0.07  # six standard errors
        assert votes[0].manifest.data.unit.high == 255.0

    def test_bytes_of_images_are_pixels(self, network, images):
        levels = np.rint(255 * images).astype(np.uint8)
        ours = sc.sample(network, levels, sigma=0.5, draws=100, seed=0)
        theirs = sc.sample(network, levels / 255, sigma=0.5, draws=100, seed=0)
        np.testing.assert_array_equal(ours.counts, theirs.counts)

    def test_a_network_takes_numbers_of_any_unit(self):
        """A torch module, whatever its precision, gets the values."""
        seen = []

        class Sees(torch.nn.Module):
            def forward(self, x):
                seen.append(x.double())
                return torch.stack([x[:, 0], x[:, 1]], dim=1)

        unit = Unit(name="u", scale=(1.0, 2.0), offset=(5000.0, -3.0))
        sc.sample(
            Sees(), np.array([[5000.0, -3.0]]), unit=unit, sigma=0.5, draws=500, seed=0
        )
        drawn = torch.cat(seen)[-500:]
        np.testing.assert_allclose(drawn.mean(dim=0), [5000.0, -3.0], atol=0.2)
        np.testing.assert_allclose(drawn.std(dim=0), [0.5, 1.0], rtol=0.15)


class TestRunsInAUnit:
    def test_a_manifest_keeps_it(self, values, tmp_path):
        sc.sample(
            *(LINEAR, values),
            unit=UNIT,
            sigma=0.5,
            draws=200,
            seed=0,
            out=tmp_path / "r",
        )
        manifest = RunDirectory(tmp_path / "r").manifest
        assert manifest.data.unit == UNIT
        assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest
        assert sc.certify(sc.read_run(tmp_path / "r")).unit == UNIT

    @pytest.mark.parametrize(
        ("other", "message"),
        [
            (None, "the unit is standard deviations there and the inputs' own numbers"),
            (
                Unit(name="standard deviations", scale=(1.0, 1.0, 1.0)),
                "standard deviations there and standard deviations of other scales",
            ),
        ],
    )
    def test_another_unit_is_another_run(self, values, tmp_path, other, message):
        how = {"sigma": 0.5, "draws": 200, "seed": 0, "out": tmp_path / "r"}
        sc.sample(LINEAR, values, unit=UNIT, **how)
        with pytest.raises(InputError, match=message):
            sc.sample(LINEAR, values, unit=other, **how)

    def test_it_is_drawn_again_and_attacked_in_its_unit(self, values, tmp_path):
        path = tmp_path / "r"
        sc.sample(LINEAR, values, unit=UNIT, sigma=0.5, draws=300, seed=0, out=path)
        run = RunDirectory(path)
        sampler = Sampler(LINEAR, run_images(as_dataset(values, None), run))
        [again] = replay(sampler, run, share="100%", seed=1)
        assert again.outcome == "held", again.says
        certificates = sc.certify(run.read())
        ticks = iter(range(10**6))
        _, inside, outside = attack(
            *(sampler, certificates),
            plan=run.manifest,
            seconds=60,
            seed=0,
            clock=lambda: float(next(ticks)),
        )
        assert inside.outcome != "falsified", inside.says
        assert "of 0 images" not in outside.says

    def test_a_damaged_unit_is_refused(self, values, tmp_path):
        path = tmp_path / "r"
        sc.sample(LINEAR, values, unit=UNIT, sigma=0.5, draws=200, seed=0, out=path)
        manifest = path / "manifest.json"
        manifest.write_text(manifest.read_text().replace("250.0", "0.0"))
        with pytest.raises(InputError, match="scale of entry 2"):
            sc.read_run(path)


class TestInputs:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (np.nan, "input 2 of array has a number that is missing .* in feature 1"),
            (np.inf, "input 2 of array has a number that is missing"),
            (1e30, "beside which noise of sigma 0.5 would be lost in float32"),
        ],
    )
    def test_numbers_that_are_none_are_named(self, values, change, message):
        spoilt = values.copy()
        spoilt[2, 1] = change
        with pytest.raises(InputError, match=message):
            sc.sample(LINEAR, spoilt, unit=UNIT, sigma=0.5, draws=100)

    def test_a_range_is_kept(self):
        signals = np.random.default_rng(0).uniform(-1, 1, size=(3, 1, 50))
        scale = Unit(name="full scale", low=-1.0, high=1.0)
        model = NumpyClassifier(
            lambda x: (x.mean((1, 2)) > 0).astype(int), output="labels", classes=2
        )
        assert len(sc.sample(model, signals, unit=scale, sigma=0.1, draws=100)) == 3
        with pytest.raises(InputError, match=r"input 0 of .*full scale in \[-1, 1\]"):
            sc.sample(model, 2 * signals, unit=scale, sigma=0.1, draws=100)

    def test_two_units_contradict_each_other(self, values):
        once = measured_in(as_dataset(values, None), UNIT)
        with pytest.raises(InputError, match="is in standard deviations already"):
            measured_in(once, Unit(name="other", scale=2.0))

    def test_scales_of_other_inputs_are_refused(self, values):
        with pytest.raises(InputError, match=r"has 3 scales, but .* shape \(2,\)"):
            sc.sample(LINEAR, values[:, :2], unit=UNIT, sigma=0.5, draws=100)

    def test_names_are_one_a_feature(self, values):
        given = as_dataset(values, None)
        with pytest.raises(InputError, match="2 names of features"):
            Dataset(
                name="d",
                split="all",
                shape=(3,),
                class_names=(),
                labels=None,
                indices=given.indices,
                reader=given.reader,
                fingerprint=given.fingerprint,
                features=("a", "b"),
            )


class TestNamedUnits:
    def test_deviations_are_numpys(self, values):
        found = deviations(as_dataset(values, None))
        np.testing.assert_allclose(found.scale, values.std(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.offset, values.mean(axis=0), rtol=1e-12)

    def test_deviations_are_of_pieces_as_of_the_whole(self, values, monkeypatch):
        monkeypatch.setattr("simplicert.data.units._AT_ONCE", 21)
        found = deviations(as_dataset(values, None))
        np.testing.assert_allclose(found.scale, values.std(axis=0), rtol=1e-12)

    def test_deviations_of_channels(self):
        signals = np.random.default_rng(0).normal(size=(20, 2, 30))
        found = deviations(as_dataset(signals, None))
        np.testing.assert_allclose(found.scale, signals.std(axis=(0, 2)), rtol=1e-12)

    def test_a_feature_that_never_changes_is_named(self, values):
        values = values.copy()
        values[:, 1] = 4.0
        with pytest.raises(InputError, match="feature 1 is the same in all inputs"):
            deviations(as_dataset(values, None))

    def test_of_one_batch_they_are_refused(self):
        with pytest.raises(InputError, match="deviations are those of a data set"):
            sc.SmoothedClassifier(LINEAR, sigma=0.5, unit="deviations")

    def test_a_smoothed_classifier_takes_one(self, values):
        smoothed = sc.SmoothedClassifier(LINEAR, sigma=0.5, unit=UNIT, seed=0)
        found = smoothed.certify(values, draws=1000)
        assert found.unit == UNIT
        assert (found.radius <= distances(values)).all()

    def test_a_table_is_read_in_the_order_of_the_features(self, values, tmp_path):
        from dataclasses import replace

        path = tmp_path / "scales.csv"
        path.write_text("feature,scale,offset\nc,250,4000\na,0.01,1\nb,3,-20\n")
        named = replace(as_dataset(values, None), features=("a", "b", "c"))
        found = find_unit(str(path))(named)
        assert (found.scale, found.offset) == (SCALES, OFFSETS)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "is no table"),
            ("a,b\n1,2\n", "needs a column scale"),
            ("scale\n", "needs a column scale, and a row"),
            ("scale\n1\n0\n3\n", "row 2 has the scale 0, which must be positive"),
            ("scale\n1\nx\n3\n", "row 2 has the scale x"),
            ("scale,offset\n1,\n2,1\n3,1\n", "row 1 has the offset nan"),
            ("feature,scale\na,1\nb,2\nd,3\n", "have other features: .* c, d"),
        ],
    )
    def test_tables_that_are_none_are_refused(self, values, tmp_path, text, message):
        from dataclasses import replace

        path = tmp_path / "scales.csv"
        path.write_text(text)
        named = replace(as_dataset(values, None), features=("a", "b", "c"))
        with pytest.raises(InputError, match=message):
            find_unit(path)(named)

    def test_a_unit_of_ones_own(self, values, tmp_path):
        file = tmp_path / "mine.py"
        file.write_text(
            "from simplicert.units import Unit\n"
            "mm = Unit(name='mm', scale=10.0)\n"
            "def half(dataset):\n"
            "    return Unit(name='halves', scale=[0.5] * dataset.shape[0])\n"
            "wrong = 3\n"
        )
        dataset = as_dataset(values, None)
        assert find_unit(f"{file}:mm")(dataset).name == "mm"
        assert find_unit(f"{file}:half")(dataset).entries == 3
        with pytest.raises(InputError, match="must be a simplicert"):
            find_unit(f"{file}:wrong")

    def test_an_unknown_name_lists_the_known(self):
        with pytest.raises(
            InputError, match=r"unknown unit 'sd'.*or a table FILE\.csv"
        ):
            find_unit("sd")
        with pytest.raises(InputError, match="no table of a unit at"):
            find_unit("none.csv")

    @pytest.mark.parametrize("unit", ["deviations", "file"])
    def test_a_selection_has_the_unit_of_the_whole(self, values, tmp_path, unit):
        if unit == "file":
            file = tmp_path / "mine.py"
            file.write_text("from simplicert.data.units import deviations")
            unit = f"{file}:deviations"
        dataset = as_dataset(values, None)
        some = dataset.select(np.arange(10)).select(np.arange(5, 10))
        found = Sampler(LINEAR, some, unit=unit).dataset
        assert found.unit == deviations(dataset) != deviations(some)
        np.testing.assert_array_equal(
            found.read(np.arange(5)), found.unit.numbers(values[5:10])
        )

    @pytest.mark.parametrize("offset", [1e9, -1e9, (0.0, 1e9, 0.0)])
    def test_an_offset_beside_which_noise_is_lost_is_refused(self, offset):
        unit = Unit(name="s", scale=1e-3, offset=offset)
        given = unit.offsets(1) + 1e-3 * np.ones((1, 3))
        with pytest.raises(InputError, match=r"offset of .*9, is so large that noise"):
            sc.sample(LINEAR, given, unit=unit, sigma=0.5, draws=10)
        assert sc.sample(LINEAR, given, unit=unit, sigma=1e6, draws=10).draws[0] == 10

    def test_black_images_may_be_levels_or_pixels(self, network, images):
        for given in (0 * images[:1], (images > 0.5).astype(np.float32)):
            with pytest.raises(InputError, match="0 and 1 alone, which may be levels"):
                sc.sample(network, given, unit="levels", sigma=12, draws=100)

    def test_calls_are_all_in_one_unit(self, values, network, tmp_path):
        """Else a dark image is certified in pixels, and said to be in levels."""
        for unit in ("levels", "deviations"):
            with pytest.raises(InputError, match=f"{unit} are those of a data set"):
                sc.SmoothedClassifier(network, sigma=12, unit=unit)
        file = tmp_path / "mine.py"
        file.write_text("from simplicert.data.units import deviations")
        smoothed = sc.SmoothedClassifier(LINEAR, sigma=1, unit=f"{file}:deviations")
        smoothed.certify(values[:4], draws=100)
        with pytest.raises(InputError, match="of other scales: radii would be"):
            smoothed.certify(values[4:8], draws=100)

    def test_what_is_not_said_is_as_it_was(self, values, images):
        assert as_dataset(values, None).unit == PLAIN
        assert as_dataset(images, None).unit == PIXELS


def test_a_table_of_scales_may_be_given_with_the_name_of_its_unit(tmp_path, values):
    path = tmp_path / "training=1.csv"
    path.write_text("scale,offset\n0.01,1\n3,-20\n250,4000\n")
    dataset = as_dataset(values, None)
    assert find_unit(f"standard deviations={path}")(dataset) == UNIT
    assert find_unit(str(path))(dataset).name == "units of training=1"
    with pytest.raises(InputError, match="name of 1 to 60"):
        find_unit(f"={path}")(dataset)


def test_what_the_model_is_given_is_said():
    assert UNIT.conversion.endswith("entry's scale and its offset is added")
    assert Unit(name="mm", scale=2, offset=1).conversion.endswith("mm + 1")
    assert Unit(name="levels", low=0, high=255).conversion == ""
