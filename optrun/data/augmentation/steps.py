"""Every step of augmentation that a config can name, and what is wrong with a list of them."""

from collections.abc import Iterator, Sequence

from optrun.component import table
from optrun.data.augmentation.colours import Brightness, Contrast, GaussianNoise, Hue, Saturation
from optrun.data.augmentation.erasing import Cutout, Erasing
from optrun.data.augmentation.geometry import (
    HorizontalFlip,
    RandomCrop,
    ResizedCrop,
    Rotation,
    Shear,
    Shift,
    Stretch,
    VerticalFlip,
    Zoom,
)
from optrun.data.augmentation.mixing import Cutmix, Mixing, Mixup
from optrun.data.augmentation.step import Augmentation, Shape

AUGMENTATION: dict[str, type[Augmentation]] = table(
    [
        *(HorizontalFlip, VerticalFlip, RandomCrop, ResizedCrop),
        *(Shift, Rotation, Shear, Zoom, Stretch),
        *(Brightness, Contrast, Saturation, Hue, GaussianNoise),
        *(Erasing, Cutout),
        *(Mixup, Cutmix),
    ]
)


def misplaced(
    steps: Sequence[Augmentation], shape: Shape | None, is_bytes: bool
) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """What is wrong with a list of steps on such data: the place in the list, and a message.

    Args:
        shape: (channels, height, width) of what the steps get, None if it is no images.
        is_bytes: whether it is bytes; preprocessing such as whitening leaves other numbers.
    """
    names: list[str] = []
    for position, step in enumerate(steps):
        if step.name in names:
            yield (position,), f"`{step.name}` stands there twice; remove one of the two"
        elif isinstance(step, Mixing) and (other := mixing_among(steps[:position])):
            yield (position,), f"`{step.name}` and `{other.name}` both mix examples; keep one"
        names.append(step.name)
        for field, message in unsuited(step, shape, is_bytes).items():
            yield (position, field) if field else (position,), message


def unsuited(step: Augmentation, shape: Shape | None, is_bytes: bool) -> dict[str, str]:
    """What is wrong with one step on such data, by field; the step itself is ``""``."""
    if not step.needs_images:
        return {}
    if shape is None:
        return {"": f"`{step.name}` changes images, and these examples are none; remove it"}
    if step.needs_bytes and not is_bytes:
        return {
            "": f"`{step.name}` changes values between black and white, but preprocessing turns "
            "these images into other numbers first; remove one of the two"
        }
    return step.problems(shape)


def mixing_among(steps: Sequence[Augmentation]) -> Mixing | None:
    """The step that mixes examples, if there is one."""
    return next((step for step in steps if isinstance(step, Mixing)), None)
