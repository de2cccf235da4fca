"""ONNX files: what is read of them, and what is said of those that do not fit."""

import os

import numpy as np
import pytest

import simplicert as sc
from simplicert.classifiers import NumpyClassifier
from simplicert.classifiers.catalogue import as_classifier
from simplicert.errors import InputError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

IMAGES = np.full((2, 1, 2, 2), 0.5, np.float32)
WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) / 9


def write(path, *, shape=("n", 1, 2, 2), type_=1, outputs=("a",), weights=WEIGHTS):
    """A matrix product behind a Cast and a Flatten, once an output."""
    node, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    nodes = [node("Cast", ["x"], ["f"], to=1), node("Flatten", ["f"], ["rows"])]
    nodes += [
        node("ArgMax", [outputs[0]], [name], axis=1, keepdims=0)
        if name == "label"
        else node("MatMul", ["rows", "w"], [name])
        for name in outputs
    ]
    returned = [
        value(name, 7, ["n"]) if name == "label" else value(name, 1, ["n", 3])
        for name in outputs
    ]
    tensor = onnx.numpy_helper.from_array(weights, "w")
    graph = onnx.helper.make_graph(
        nodes, "g", [value("x", type_, shape)], returned, [tensor]
    )
    opset = onnx.helper.make_opsetid("", 17)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    onnx.save(model, path)
    return model


def sampled(text, images=IMAGES):
    return sc.sample(str(text), images, sigma=0.1, draws=20, seed=1)


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (("a",), ""),
        (("a",), ":logits"),
        (("features", "a"), ":a"),
        (("features", "a"), ":a:logits"),
        (("features", "logits"), ":logits"),
        (("a", "label"), ""),
        (("a", "label"), ":labels:3"),
        (("a", "label"), ":label:labels:3"),
    ],
)
def test_an_output_goes_by_its_name_or_by_what_it_is(tmp_path, outputs, words):
    write(tmp_path / "net.onnx", outputs=outputs)
    votes = sampled(f"{tmp_path}/net.onnx{words}")
    assert votes.counts.sum() == 40
    assert (votes.score_sums is None) == ("labels" in words)


def test_each_output_is_another_classifier(tmp_path):
    path = tmp_path / "net.onnx"
    write(path, outputs=("a", "b"))
    digests = {as_classifier(f"{path}:{name}").digest for name in "ab"}
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("file", "words", "message"),
    [
        ({"outputs": ("b", "a")}, "", r"several that could be logits, b, a: say which"),
        (
            {"outputs": ("b", "a")},
            ":c",
            r"unknown kind of output 'c'.* returns b, a",
        ),
        ({"outputs": ("a", "label")}, ":labels", r"say .*net.onnx:labels:NUMBER"),
        ({"outputs": ("a", "label")}, ":label", r"output 'label' of .* is no logits"),
        ({"shape": ("n", 1, 1, 4)}, "", r"takes \[1, 1, 4\] an image, .*at that size"),
    ],
)
def test_what_does_not_fit_is_named_as_what_it_is(tmp_path, file, words, message):
    write(tmp_path / "net.onnx", **file)
    with pytest.raises(InputError, match=message):
        sampled(f"{tmp_path}/net.onnx{words}")


def keeping(path, name):
    """A file that says that its weights are in another."""
    model = write(path)
    [tensor] = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    tensor.external_data.add(key="location", value=name)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/dev/zero", "not opened"),
        ("../other", "not opened"),
        ("a/../../other", "not opened"),
        ("a\0b", "not opened"),
        ("", "not opened"),
        (".", "not opened"),
        ("pipe", "is none: not read"),
        ("zero", "is none: not read"),
        ("absent", "No such file"),
        ("folder", "directory"),
    ],
)
def test_only_files_of_its_own_folder_are_read(tmp_path, name, message):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "zero").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=f"(?s)keeps weights in .*{message}"):
        as_classifier(keeping(tmp_path / "net.onnx", name))


def test_weights_in_a_file_of_a_long_name_count(tmp_path):
    path = keeping(tmp_path / "net.onnx", "w" * 200)
    (tmp_path / ("w" * 200)).write_bytes(WEIGHTS.tobytes())
    before = as_classifier(path).digest
    assert sampled(path).counts.sum() == 40
    (tmp_path / ("w" * 200)).write_bytes((WEIGHTS + 1).tobytes())
    assert as_classifier(path).digest != before


def test_weights_are_not_taken_for_names_of_files(tmp_path):
    text = b"\n\x08location\x12\x09/dev/zero".ljust(48, b"0")
    write(tmp_path / "net.onnx", weights=np.frombuffer(text, "<f4").reshape(4, 3))
    assert as_classifier(tmp_path / "net.onnx").name == "net.onnx"


def test_what_is_cut_short_is_refused(tmp_path):
    write(tmp_path / "net.onnx")
    content = (tmp_path / "net.onnx").read_bytes()
    for end in range(1, len(content), 7):
        (tmp_path / "cut.onnx").write_bytes(content[:end])
        with pytest.raises(InputError, match="onnxruntime cannot load"):
            as_classifier(tmp_path / "cut.onnx")


def test_a_session_in_a_function_is_its_model_not_the_name_of_its_file(tmp_path):
    path = tmp_path / "net.onnx"

    def digest(source):
        session = onnxruntime.InferenceSession(source)
        return NumpyClassifier(
            lambda images: session.run(None, {"x": images})[0], output="logits"
        ).digest

    digests = []
    for weights in (WEIGHTS, -WEIGHTS):
        write(path, weights=weights)
        digests += [digest(path), digest(path.read_bytes())]
        assert digest(path) == digests[-2]
    assert len(set(digests)) == 4
    session = onnxruntime.InferenceSession(path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        NumpyClassifier(lambda images: session.run(None, {})[0], output="logits")
