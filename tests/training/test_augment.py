import torch

from simplicert.training.augment import AUGMENTATIONS, crop, flip

IMAGES = torch.rand(600, 2, 6, 7)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_half_of_the_images_are_mirrored():
    flipped = flip(IMAGES, generator=generator())
    mirrored = (flipped == IMAGES.flip(3)).flatten(1).all(dim=1)
    untouched = (flipped == IMAGES).flatten(1).all(dim=1)
    assert torch.equal(mirrored, ~untouched)
    # 600 coins: 300, with a standard deviation of 12.
    assert 250 < mirrored.sum() < 350


def test_crops_are_moved_by_up_to_four_pixels_each_way():
    cropped = crop(IMAGES, generator=generator())
    seen = set()
    for before, after in zip(IMAGES, cropped, strict=True):
        canvas = torch.zeros(2, 6 + 8, 7 + 8)
        canvas[:, 4:-4, 4:-4] = before
        offsets = {
            (top, left)
            for top in range(9)
            for left in range(9)
            if torch.equal(after, canvas[:, top : top + 6, left : left + 7])
        }
        assert len(offsets) == 1
        seen |= offsets
    # 81 places for 600 images: each is missed with probability (80/81)^600 = 0.0006.
    assert len(seen) >= 79


def test_the_generator_decides():
    for augment in AUGMENTATIONS.values():
        first = augment(IMAGES, generator=generator(1))
        assert torch.equal(first, augment(IMAGES, generator=generator(1)))
        assert not torch.equal(first, augment(IMAGES, generator=generator(2)))
