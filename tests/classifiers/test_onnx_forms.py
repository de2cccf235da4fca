"""ONNX files as they are: each answers as the same network in torch."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import simplicert as sc
from simplicert.classifiers import TorchClassifier, as_classifier
from simplicert.classifiers.onnx import from_onnx
from simplicert.classifiers.onnx_output import as_array, output_of
from simplicert.classifiers.reading import reading_of
from simplicert.errors import InputError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

FLOAT, UINT8, INT32, INT64, STRING, HALF, DOUBLE = 1, 2, 6, 7, 8, 10, 11
SHAPE = (3, 2, 4)  # channels, height, width
IMAGES = np.random.default_rng(0).random((2, *SHAPE), dtype=np.float32)
WEIGHTS = np.random.default_rng(1).normal(size=(24, 3)).astype(np.float32)
NOISY = torch.randn(7, *SHAPE, generator=torch.Generator().manual_seed(0)) + 0.5
CPU = torch.device("cpu")

node, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info


class Net(nn.Module):
    """Three logits of an image, of which only some are shown."""

    def __init__(self, shown=slice(None)):
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(WEIGHTS))
        self.shown = shown

    def forward(self, x):
        return (x.flatten(1) @ self.weights)[:, self.shown]


def write(path, takes=("n", *SHAPE), returns=("n", 3), *, of=FLOAT, gives=FLOAT, **how):
    """Net as a file.

    Args:
        path: Where.
        takes: The shape that it says it takes.
        returns: The shape that it says it returns.
        of: The type of its input.
        gives: And of its output.
        how: ``before`` and ``behind`` the product, nodes from x to y; the ``name`` of
            the output; the ``weights``; ``others`` that it returns.
    """
    before = how.get("before", [node("Identity", ["x"], ["y"])])
    behind = how.get("behind", [node("Identity", ["x"], ["y"])])
    name = how.get("name", "out")
    nodes = [node("Cast", ["in"], ["cast"], to=FLOAT)]
    nodes += chain(before, "cast", "ready", "a")
    nodes += [node("Flatten", ["ready"], ["rows"], axis=1)]
    nodes += [node("MatMul", ["rows", "w"], ["logits_"])]
    nodes += chain(behind, "logits_", name if "info" in how else "plain", "b")
    nodes += [] if "info" in how else [node("Cast", ["plain"], [name], to=gives)]
    outputs = [how.get("info") or value(name, gives, returns)]
    for each in how.get("others", ()):
        nodes += [node("Cast", ["logits_"], [each], to=FLOAT)]
        outputs += [value(each, FLOAT, ["n", 3])]
    weights = how.get("weights", WEIGHTS)
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [value("in", of, takes)],
        outputs,
        [onnx.numpy_helper.from_array(weights, "w"), *how.get("constants", ())],
    )
    opsets = [onnx.helper.make_opsetid(*o) for o in (("", 17), ("ai.onnx.ml", 3))]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def chain(nodes, first, last, tag):
    """The nodes, whose x and y are called otherwise."""
    names = {"x": first, "y": last}
    copies = []
    for each in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(each)
        for field in (copy.input, copy.output):
            renamed = [
                names.get(n, n if n in {"", "axes", "shape"} else tag + n)
                for n in field
            ]
            del field[:]
            field.extend(renamed)
        copies.append(copy)
    return copies


def numbers(name, *which):
    return onnx.numpy_helper.from_array(np.array(which, np.int64), name)


def answers(classifier, images=NOISY):
    ready = classifier.ready(
        images.shape[1:], precision="fp32", device=CPU, runtime="eager"
    )
    with torch.inference_mode():
        return classifier.read(ready)(images)


def last(weights):
    """Weights for an image whose channels are last."""
    moved = np.moveaxis(weights.reshape(*SHAPE, 3), 0, 2)
    return np.ascontiguousarray(moved.reshape(24, 3))


UNSQUEEZED = {
    "behind": [node("Unsqueeze", ["x", "axes"], ["y"])],
    "constants": [numbers("axes", 2, 3)],
}
SOFTMAX = [node("Softmax", ["x"], ["y"], axis=1)]
ONE_COLUMN = {"weights": WEIGHTS[:, :1].copy()}
FORMS = {
    "dynamic": ({}, ""),
    "fixed batch of 1": ({"takes": (1, *SHAPE), "returns": (1, 3)}, ""),
    "fixed batch of 3": ({"takes": (3, *SHAPE), "returns": (3, 3)}, ""),
    "fixed batch of 16": ({"takes": (16, *SHAPE), "returns": (16, 3)}, ""),
    "channels last": ({"takes": ("n", 2, 4, 3), "weights": last(WEIGHTS)}, ""),
    "channels last, dynamic middle": (
        {"takes": ("n", "h", "w", 3), "weights": last(WEIGHTS)},
        "",
    ),
    "channels last, said": (
        {"takes": ("n", "h", "w", "c"), "weights": last(WEIGHTS)},
        ":channels_last",
    ),
    "channels first, said": ({"takes": ("n", "c", "h", "w")}, ":channels_first:logits"),
    "dynamic middle": ({"takes": ("n", 3, "h", "w")}, ""),
    "rows": ({"takes": ("n", 24)}, ""),
    "rows of any length": ({"takes": (None, None)}, ""),
    "double in": ({"of": DOUBLE}, ""),
    "double out": ({"gives": DOUBLE}, ""),
    "(n, C, 1, 1)": ({"returns": ("n", 3, 1, 1), **UNSQUEEZED}, ""),
    "(n, C, ?, ?)": ({"returns": ("n", 3, "h", "w"), **UNSQUEEZED}, ""),
    "(n, 1, 1, C)": (
        {
            "returns": ("n", 1, 1, 3),
            "behind": UNSQUEEZED["behind"],
            "constants": [numbers("axes", 1, 2)],
        },
        "",
    ),
    "any shape out": ({"returns": None}, ""),
    "a name with a colon": ({"name": "out:0", "others": ["out:1"]}, ":out:0"),
    "its number": ({"others": ["other"]}, ":item=0"),
    "fixed, last, double": (
        {
            "takes": (4, 2, 4, 3),
            "returns": (4, 3),
            "weights": last(WEIGHTS),
            "of": DOUBLE,
            "gives": DOUBLE,
        },
        "",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_answers_as_the_network(form, tmp_path):
    how, words = FORMS[form]
    path = write(tmp_path / "net.onnx", **how)
    found = answers(as_classifier(f"{path}{words}"))
    torch.testing.assert_close(
        found, answers(TorchClassifier(Net())), check_dtype=False, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("form", ["fixed batch of 1", "fixed batch of 16"])
@pytest.mark.parametrize("batch", [1, 50])
def test_a_fixed_batch_is_sampled_at_any(form, batch, tmp_path):
    path = write(tmp_path / "net.onnx", **FORMS[form][0])
    settings = {"sigma": 0.25, "draws": 60, "seed": 1, "batch": batch}
    votes = sc.sample(str(path), IMAGES, **settings)
    np.testing.assert_array_equal(
        votes.counts, sc.sample(Net(), IMAGES, **settings).counts
    )


def test_half_precision_is_what_it_is(tmp_path):
    path = write(tmp_path / "net.onnx", of=HALF, gives=HALF)
    model = as_classifier(str(path))
    found = answers(model)
    assert found.dtype == torch.float16
    rounded = answers(TorchClassifier(Net()), NOISY.half().float()).half()
    torch.testing.assert_close(found, rounded, rtol=2e-3, atol=2e-3)
    assert "float16" in model.warnings(precision="fp32")[0]


def test_what_takes_bytes_is_given_no_levels(tmp_path):
    """All of which would be 255 to it."""
    model = str(write(tmp_path / "net.onnx", of=UINT8))
    levels = np.full((1, *NOISY.shape[1:]), 200.0, np.float32)
    how = {"sigma": 12.0, "draws": 100, "unit": "levels"}
    with pytest.raises(InputError, match=r"which of levels .* would all be 255"):
        sc.sample(model, levels, **how)
    assert sc.sample(model, levels / 255, **how).counts.sum() == 100


def test_bytes_are_noisy_inputs_rounded_and_cut(tmp_path):
    path = write(tmp_path / "net.onnx", of=UINT8)
    model = as_classifier(str(path))
    levels = (NOISY * 255).round().clamp(0, 255)
    assert 0 < (levels != (NOISY * 255).round()).sum() < levels.numel()
    torch.testing.assert_close(
        answers(model), answers(TorchClassifier(Net()), levels), rtol=1e-5, atol=1e-3
    )
    [said] = model.warnings(precision="fp32")
    assert "rounded to a whole number and cut to 0 … 255" in said


def test_what_is_computed_before_is_in_the_digest(tmp_path):
    how = {"takes": ("n", "a", "b", "c")}
    path = write(tmp_path / "net.onnx", **how)
    digests = {
        as_classifier(f"{path}{words}").digest
        for words in (":channels_first", ":channels_last", ":label=0", ":label=1")
    }
    assert len(digests) == 4


# --- outputs -------------------------------------------------------------------------


def maps(keys, type_):
    key = onnx.TensorProto.INT64 if type_ == "int64s" else onnx.TensorProto.STRING
    row = onnx.helper.make_map_type_proto(
        key, onnx.helper.make_tensor_type_proto(FLOAT, [])
    )
    zipped = node("ZipMap", ["s"], ["y"], domain="ai.onnx.ml")
    attribute = onnx.helper.make_attribute(f"classlabels_{type_}", keys)
    zipped.attribute.append(attribute)
    return {
        "behind": [node("Softmax", ["x"], ["s"], axis=1), zipped],
        "info": onnx.helper.make_value_info(
            "out", onnx.helper.make_sequence_type_proto(row)
        ),
    }


PROBABLE = TorchClassifier(
    nn.Sequential(Net(), nn.Softmax(dim=1)), output="probabilities"
)
BINARY = TorchClassifier(Net(), output="logit:label=1")
SQUEEZE = node("Squeeze", ["x", "axes"], ["y"])
OUTPUTS = {
    "softmax": ({"behind": SOFTMAX}, ":probabilities", PROBABLE),
    "half softmax": ({"behind": SOFTMAX, "gives": HALF}, ":probabilities", PROBABLE),
    "maps of numbers": (maps([0, 1, 2], "int64s"), ":probabilities", PROBABLE),
    "maps of text": (maps(["a", "b", "c"], "strings"), ":probabilities", PROBABLE),
    "one logit": (
        {"returns": ("n", 1), "weights": WEIGHTS[:, 1:2].copy()},
        ":logit",
        BINARY,
    ),
    "one logit, one axis": (
        {
            "returns": ("n",),
            "weights": WEIGHTS[:, 1:2].copy(),
            "behind": [SQUEEZE],
            "constants": [numbers("axes", 1)],
        },
        ":logit",
        BINARY,
    ),
    "one sigmoid": (
        {
            "returns": ("n", 1),
            "weights": WEIGHTS[:, 1:2].copy(),
            "behind": [node("Sigmoid", ["x"], ["y"])],
        },
        ":probability",
        TorchClassifier(
            nn.Sequential(Net(), nn.Sigmoid()), output="probability:label=1"
        ),
    ),
    "one sigmoid of (n, 1, 1, 1)": (
        {
            "returns": ("n", 1, 1, 1),
            "weights": WEIGHTS[:, 1:2].copy(),
            "behind": [
                node("Sigmoid", ["x"], ["s"]),
                node("Unsqueeze", ["s", "axes"], ["y"]),
            ],
            "constants": [numbers("axes", 2, 3)],
        },
        ":probability",
        TorchClassifier(
            nn.Sequential(Net(), nn.Sigmoid()), output="probability:label=1"
        ),
    ),
    "a label of three": ({}, ":label=1", BINARY),
}


@pytest.mark.parametrize("form", OUTPUTS)
def test_every_output_is_read_as_the_network_s(form, tmp_path):
    how, words, network = OUTPUTS[form]
    path = write(tmp_path / "net.onnx", **how)
    tolerance = 1e-3 if how.get("gives") == HALF else 1e-5
    torch.testing.assert_close(
        answers(as_classifier(f"{path}{words}")),
        answers(network),
        check_dtype=False,
        rtol=tolerance,
        atol=tolerance,
    )
    both = as_classifier(str(path), output=words[1:])  # as --output
    assert both.digest == as_classifier(f"{path}{words}").digest


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("type_", [INT32, INT64, UINT8])
def test_labels_are_integers_of_any_kind(type_, keepdims, tmp_path):
    path = write(
        tmp_path / "net.onnx",
        behind=[node("ArgMax", ["x"], ["y"], axis=1, keepdims=keepdims)],
        returns=("n", 1)[: 1 + keepdims],
        gives=type_,
    )
    settings = {"sigma": 0.25, "draws": 60, "seed": 1}
    votes = sc.sample(f"{path}:labels:3", IMAGES, **settings)
    own = sc.sample(Net(), IMAGES, **settings)
    np.testing.assert_array_equal(votes.counts, own.counts)
    assert votes.score_sums is None


def test_classes_of_maps_are_their_keys_in_order(tmp_path):
    zipped = write(tmp_path / "net.onnx", **maps([30, 10, 20], "int64s"))
    found = answers(as_classifier(f"{zipped}:probabilities"))
    torch.testing.assert_close(found, answers(PROBABLE)[:, [1, 2, 0]])


def test_maps_of_other_classes_are_no_rows():
    rows = [{"a": 0.25, "b": 0.75}, {"b": 0.5, "a": 0.5}]
    assert as_array(rows).tolist() == [[0.25, 0.75], [0.5, 0.5]]
    assert as_array([*rows, {"a": 1.0}]) == [*rows, {"a": 1.0}]


@pytest.mark.parametrize(
    ("kind", "shapes"),
    [
        ("logits", [("n", 3), ("n", 9, 1, 1), ("n", 9, "h", "w"), None]),
        ("logit", [("n",), ("n", 1, 1, 1), ("n", "c"), None]),
        ("logit", [("n", 1), ("n", 1, "h", "w"), None]),
    ],
)
def test_the_output_that_fits_best_is_taken(kind, shapes):
    outputs = [
        SimpleNamespace(name=f"out{i}", type="tensor(float)", shape=shape)
        for i, shape in enumerate(shapes)
    ]
    for first in range(len(outputs)):
        left = outputs[first:][::-1]
        found = output_of(Path("x"), left, reading_of(kind), said=False)
        assert found == f"out{first}"


@pytest.mark.slow
@pytest.mark.parametrize("zipmap", [False, True])
def test_skl2onnx(zipmap, tmp_path):
    skl2onnx = pytest.importorskip("skl2onnx")
    from sklearn.linear_model import LogisticRegression

    points = np.random.default_rng(0).random((60, 24), dtype=np.float32)
    model = LogisticRegression().fit(points, np.arange(60) % 3)
    proto = skl2onnx.to_onnx(model, points[:1], options={"zipmap": zipmap})
    path = tmp_path / "net.onnx"
    path.write_bytes(proto.SerializeToString())
    images = points[:2].reshape(2, *SHAPE)
    settings = {"sigma": 0.25, "draws": 60, "seed": 1}
    own = sc.sample(model, images, **settings)
    for words in ("probabilities", "labels:3"):
        votes = sc.sample(f"{path}:{words}", images, **settings)
        np.testing.assert_array_equal(votes.counts, own.counts)


# --- bad ones ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [4, "n"])
def test_rows_that_look_at_their_company_are_refused(size, tmp_path):
    mean = [
        node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1),
        node("Sub", ["x", "m"], ["d"]),
        node("Add", ["d", "x"], ["y"]),
    ]
    path = write(tmp_path / "net.onnx", (size, *SHAPE), (size, 3), before=mean)
    settings = {"sigma": 0.25, "draws": 60, "seed": 1}
    with pytest.raises(InputError, match="statistics or a scale of the whole batch"):
        sc.sample(str(path), IMAGES, batch=50, **settings)
    # A pass of its own, in which there are but copies of it, is a function of it.
    votes = sc.sample(str(path), IMAGES, batch=1, **settings)
    np.testing.assert_array_equal(
        votes.counts, sc.sample(Net(), IMAGES, **settings).counts
    )


BAD = {
    "integers": ({"of": INT32}, "", r"must take one of tensor\(float\), .*in: tensor"),
    "no axis": (
        {"takes": ("n",), "weights": WEIGHTS[:1]},
        "",
        r"inputs along a first axis",
    ),
    "batch of none": ({"takes": (0, *SHAPE)}, "", r"inputs along a first axis"),
    "both layouts": (
        {"takes": ("n", "h", "w", "c")},
        "",
        r"first and last: say .*net.onnx:channels_first or .*channels_last",
    ),
    "the other layout": ({}, ":channels_last", r"not that with channels_last"),
    "two layouts": ({}, ":channels_last:channels_first", r"channels are twice"),
    "another size": (
        {"takes": ("n", 3, 4, 4), "weights": np.tile(WEIGHTS, (2, 1))},
        "",
        r"load them at that size",
    ),
    "another width": (
        {"takes": ("n", 23), "weights": WEIGHTS[:23]},
        "",
        r"it takes inputs of 1 axes",
    ),
    "two that fit": ({"others": ["b"]}, "", r"could be logits, out, b: say which"),
    "no such": ({"others": ["b"]}, ":c", r"unknown kind of output 'c'.*returns out, b"),
    "no such number": ({}, ":item=3", r"no item=3: it returns out"),
    "no words": ({}, ":", r"'' says nothing"),
    "no words between": ({}, "::logits", r"'' says nothing"),
    "a place each": (
        {
            "returns": ("n", 3, 2, 2),
            "behind": [node("Expand", ["u", "shape"], ["y"])],
        },
        "",
        r"returns no logits, floats of two axes: it returns out",
    ),
    "one column as logits": (
        {"returns": ("n", 1), **ONE_COLUMN},
        "",
        r"one logit, that of class 1: logit",
    ),
    "one axis as logits": (
        {
            "returns": ("n",),
            "behind": [SQUEEZE],
            "constants": [numbers("axes", 1)],
            **ONE_COLUMN,
        },
        "",
        r"say that it is one logit, .*net.onnx:logit, .*net.onnx:probability",
    ),
    "labels": (
        {
            "returns": ("n",),
            "behind": [node("ArgMax", ["x"], ["y"], axis=1, keepdims=0)],
            "gives": INT64,
        },
        "",
        r"If these are labels, say .*net.onnx:labels:NUMBER",
    ),
    "labels without number": ({}, ":labels", r"say .*net.onnx:labels:NUMBER"),
    "wide logit": (
        {},
        ":logit",
        r"no logit, floats of one axis.*net.onnx:logit:label=0",
    ),
    "sigmoid as logit": (
        {
            "returns": ("n", 1),
            "behind": [node("Sigmoid", ["x"], ["y"])],
            **ONE_COLUMN,
        },
        ":logit",
        r"as a sigmoid does, a logit is expected",
    ),
    "not a row each": (
        {
            "takes": (4, *SHAPE),
            "returns": (1, 3),
            "behind": [node("ReduceMean", ["x"], ["y"], axes=[0], keepdims=1)],
        },
        "",
        r"takes 4 inputs at once, but returned \(1, 3\)",
    ),
}


@pytest.mark.parametrize("form", BAD)
def test_what_cannot_be_read_is_named(form, tmp_path):
    how, words, message = BAD[form]
    if form == "a place each":
        how = {
            **how,
            "behind": [
                node("Unsqueeze", ["x", "axes"], ["u"]),
                node("Expand", ["u", "shape"], ["y"]),
            ],
            "constants": [numbers("axes", 2, 3), numbers("shape", 1, 1, 2, 2)],
        }
    path = write(tmp_path / "net.onnx", **how)
    with pytest.raises(InputError, match=message) as error:
        sc.sample(f"{path}{words}", IMAGES, sigma=0.25, draws=60, seed=1)
    assert "\n" not in str(error.value)


# --- a GPU ---------------------------------------------------------------------------


def test_a_gpu_needs_its_provider(tmp_path, monkeypatch):
    path = write(tmp_path / "net.onnx")
    gpu = {"precision": "fp32", "device": torch.device("cuda:1"), "runtime": "eager"}
    with pytest.raises(InputError, match=r"cannot run .* on cuda:1: it has .*CPUExec"):
        from_onnx(path).ready(SHAPE, **gpu)
    asked = []
    made = onnxruntime.InferenceSession

    def session(source, options, *, providers):
        asked.append(providers)
        return made(source, options, providers=["CPUExecutionProvider"])

    found = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: found)
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    with pytest.raises(InputError, match="its libraries do not load"):
        from_onnx(path).ready(SHAPE, **gpu)
    cuda = ("CUDAExecutionProvider", {"device_id": 1, "use_tf32": 0})
    assert asked == [["CPUExecutionProvider"], [cuda, "CPUExecutionProvider"]]


@pytest.mark.parametrize("change", [{"precision": "bf16"}, {"runtime": "compiled"}])
def test_a_file_runs_as_it_is(change, tmp_path):
    path = write(tmp_path / "net.onnx")
    how = {"precision": "fp32", "device": CPU, "runtime": "eager"} | change
    with pytest.raises(InputError, match="is not a torch module: it runs in fp32"):
        from_onnx(path).ready(SHAPE, **how)
