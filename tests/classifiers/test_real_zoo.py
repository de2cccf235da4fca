"""The real libraries, where they are installed: our logits are their pipelines'.

They are no part of the project's environment. In one that has them,
``pytest tests/classifiers/test_real_zoo.py``; weights are random, and nothing is
downloaded. Where torchvision cannot be imported: ``tests/support/torchvision_schemas``.
"""

import numpy as np
import pytest
import torch
from PIL import Image

from simplicert.data.cuts import PublishedCut
from simplicert.sampling import as_classifier

TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
TINY |= {"intermediate_size": 16, "image_size": 64, "patch_size": 16}


def installed(name):
    """The library; skipped where it is absent, or does not bear this build of torch."""
    try:
        module = __import__(name, fromlist=["models"])
    except Exception as error:  # noqa: BLE001 (a broken build raises anything)
        pytest.skip(f"{name} cannot be imported: {error}")
    return module


def vit(tf):
    config = tf.ViTConfig(**TINY)
    return tf.ViTForImageClassification(config), tf.ViTImageProcessor(size=SQUARE)


def beit(tf):
    config = tf.BeitConfig(**TINY)
    return tf.BeitForImageClassification(config), tf.BeitImageProcessor(
        size=SQUARE, resample=3
    )


def resnet(tf):
    config = tf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
    processor = tf.ConvNextImageProcessor(size={"shortest_edge": 64}, crop_pct=0.875)
    return tf.ResNetForImageClassification(config), processor


def convnext(tf):
    config = tf.ConvNextConfig(hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1])
    processor = tf.ConvNextImageProcessor(size={"shortest_edge": 384})
    return tf.ConvNextForImageClassification(config), processor


def dinov2(tf):
    config = tf.Dinov2Config(**TINY)
    processor = tf.BitImageProcessor(size={"shortest_edge": 80}, crop_size=SQUARE)
    return tf.Dinov2ForImageClassification(config), processor


def siglip(tf):
    config = tf.SiglipConfig(vision_config=TINY, text_config=TINY)
    return tf.SiglipForImageClassification(config), tf.SiglipImageProcessor(size=SQUARE)


def levit(tf):
    config = tf.LevitConfig(image_size=64)
    processor = tf.LevitImageProcessor(size={"shortest_edge": 64}, crop_size=SQUARE)
    return tf.LevitForImageClassification(config), processor


def clip(tf):
    config = tf.CLIPConfig(vision_config=TINY, text_config=TINY)
    processor = tf.CLIPImageProcessor(size={"shortest_edge": 64}, crop_size=SQUARE)
    return tf.CLIPForImageClassification(config), processor


def efficientnet(tf, **options):
    config = tf.EfficientNetConfig(image_size=64, width_coefficient=0.2, hidden_dim=256)
    processor = tf.EfficientNetImageProcessor(size=SQUARE, crop_size=SQUARE, **options)
    return tf.EfficientNetForImageClassification(config), processor


def efficientnet_without_top(tf):
    return efficientnet(tf, include_top=False)


def efficientnet_nearest(tf):
    return efficientnet(tf, resample=0)


def efficientnet_from_minus_1(tf):
    return efficientnet(tf, rescale_factor=1 / 127.5, rescale_offset=True)


def vit_grey(tf):
    config = tf.ViTConfig(**TINY, num_channels=1)
    processor = tf.ViTImageProcessor(size=SQUARE, image_mean=[0.3], image_std=[0.2])
    return tf.ViTForImageClassification(config), processor


def vit_of_bytes(tf):
    config = tf.ViTConfig(**TINY)
    processor = tf.ViTImageProcessor(size=SQUARE, do_rescale=False)
    return tf.ViTForImageClassification(config), processor


SQUARE = {"height": 64, "width": 64}
FAMILIES = [vit, beit, resnet, convnext, dinov2, siglip, levit, clip, efficientnet]
FAMILIES += [efficientnet_without_top, efficientnet_nearest]
FAMILIES += [efficientnet_from_minus_1, vit_grey, vit_of_bytes]


def photograph(channels=3):
    pixels = np.random.default_rng(1).random((12, 17, channels)) * 255
    image = Image.fromarray(pixels.astype(np.uint8).squeeze())
    return image.resize((451, 320), Image.Resampling.BICUBIC)


def logits(classifier, images):
    forward = classifier.ready(
        images.shape[1:], precision="fp32", device=torch.device("cpu"), runtime="eager"
    )
    with torch.inference_mode():
        returned = forward(images)
    return getattr(returned, "logits", returned)


def assert_equal(ours, expected):
    """To 1e-6 of their size: random networks have logits of 50, in float32."""
    size = max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-6 * size)


def in_unit_pixels(image):
    pixels = np.asarray(image)[..., None] if image.mode == "L" else np.asarray(image)
    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_hugging_face_s_logits_are_its_pipeline_s(tmp_path, family):
    tf = installed("transformers")
    torch.manual_seed(0)
    network, processor = family(tf)
    network.eval().save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    classifier = as_classifier(f"hf:{tmp_path}")
    channels, side, _ = classifier.shape
    cut = classifier.cuts[0] if classifier.cuts else PublishedCut(side, side)
    # Nothing is scaled, so that no rounding of an interpolation is compared.
    scaled = photograph(channels).resize((cut.resize, cut.resize))
    pixels = processor(images=scaled, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        expected = network(pixels).logits
    ours = logits(classifier, in_unit_pixels(cut(scaled, 0)))
    assert_equal(ours, expected)
    if classifier.cuts:  # of a photograph, to two levels of 255
        theirs = processor(images=photograph(), return_tensors="pt")["pixel_values"]
        normalise = classifier._module[0]
        found = normalise(in_unit_pixels(cut(photograph(), 0)))
        levels = 2.01 / 255 / float(normalise.std.abs().min())
        assert float((found - theirs).abs().max()) <= levels


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["resnet50", "vit_b_16", "efficientnet_b1"])
def test_torchvision_s_logits_are_its_pipeline_s(monkeypatch, name):
    models = installed("torchvision").models
    torch.manual_seed(0)
    network = models.get_model(name, weights=None).eval()
    monkeypatch.setattr(models, "get_model", lambda name, **options: network)
    classifier = as_classifier(f"torchvision:{name}")
    assert classifier.class_names[0] == "tench"
    transforms = models.get_model_weights(name).DEFAULT.transforms()
    with torch.inference_mode():
        expected = network(transforms(photograph())[None])
    [cut] = classifier.cuts
    ours = logits(classifier, in_unit_pixels(cut(photograph(), 0)))
    assert_equal(ours, expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["resnet50.a1_in1k", "test_vit.r160_in1k"])
def test_timm_s_logits_are_its_pipeline_s_at_every_size(tmp_path, name):
    timm = installed("timm")
    torch.manual_seed(0)
    network = timm.create_model(name, pretrained=False).eval()
    timm.models.save_for_hf(network, tmp_path, safe_serialization=True)
    classifier = as_classifier(f"timm:local-dir:{tmp_path}")
    tests = (True, False) if network.pretrained_cfg.get("test_input_size") else (False,)
    assert len(classifier.cuts) == len(tests)
    for test, cut in zip(tests, classifier.cuts, strict=True):
        config = timm.data.resolve_data_config({}, model=network, use_test_size=test)
        transform = timm.data.create_transform(**config)
        assert classifier.takes(config["input_size"])
        with torch.inference_mode():
            expected = network(transform(photograph())[None])
        ours = logits(classifier, in_unit_pixels(cut(photograph(), 0)))
        assert_equal(ours, expected)
