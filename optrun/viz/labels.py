"""The words on pictures: axis labels, what a run is, and labels cut to fit a legend."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from optrun.metrics import axis_of
from optrun.settings import (
    ALWAYS_SHOWN,
    component_name,
    differing_keys,
    enclosing_names,
    flatten,
    short,
    value_text,
)

LETTERS, LINES = 40, 3  # of a label in a legend

LOSSES = {
    "softmax": "cross-entropy (nats)",
    "hinge": "hinge loss",
    "squared_hinge": "squared hinge loss",
    "mse": "mean squared error",
}
OF_LOSSES = {
    "softmax": "cross-entropy, nats",
    "hinge": "hinge",
    "squared_hinge": "squared hinge",
    "mse": "squared error",
}


def axis_label(column: str, configs: Sequence[Mapping[str, Any]] = ()) -> str:
    """A column in words, with its unit; a loss has one where all `configs` minimise the same."""
    words = axis_of(column)
    losses = {component_name(config.get("loss")) for config in configs}
    unit = OF_LOSSES.get(losses.pop()) if len(losses) == 1 and column.endswith("loss") else None
    return f"{words} ({unit})" if unit else words


def loss_label(config: Mapping[str, Any]) -> str:
    """The loss that the config minimises, with its unit."""
    return LOSSES.get(component_name(config.get("loss")), "loss")


def describe(config: Mapping[str, Any]) -> str:
    """What a run trains, on what and how: `mnist · MLP 256-128 (relu) · adam, lr 0.001 · …`."""
    model, optimizer = config.get("model"), config.get("optimizer")
    parts = [data_words(config.get("dataset")), model_words(model), word(optimizer)]
    if isinstance(optimizer, Mapping) and "lr" in optimizer:
        parts[-1] += f", lr {value_text(optimizer['lr'])}"
    schedule = word(config.get("scheduler"))
    if schedule not in ("", "constant"):
        parts.append(f"{schedule} schedule")
    training = config.get("training")
    if isinstance(training, Mapping) and "batch_size" in training:
        parts.append(f"batch {value_text(training['batch_size'])}")
    return " · ".join(part for part in parts if part)


def word(section: Any) -> str:
    """A component's name as one writes it in a sentence; short ones are abbreviations."""
    name = component_name(section)
    return name.upper() if len(name) <= 3 else name.replace("_", " ")


def data_words(section: Any) -> str:
    """The dataset's name, or the kind of a synthetic one."""
    kind = section.get("kind") if isinstance(section, Mapping) else None
    return str(kind or component_name(section))


def model_words(model: Any) -> str:
    """The model with its hidden sizes and activation."""
    name = word(model)
    if not isinstance(model, Mapping) or "hidden" not in model:
        return f"{name} model" if name else ""
    sizes = "-".join(str(size) for size in model["hidden"])
    activation = component_name(model.get("activation"))
    return f"{name} {sizes}" + (f" ({activation})" if activation else "")


def compared_keys(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys that all configs have and disagree on, without what follows from another of them.

    Where only components differ that have no key in common, all keys they disagree on.
    """
    differing, flats = differing_keys(configs), [flatten(config) for config in configs]
    keys = [
        key
        for key in differing
        if all(key in flat for flat in flats)
        and (short(key) in ALWAYS_SHOWN or not any(n in differing for n in enclosing_names(key)))
    ]
    return keys or differing


def short_names(keys: Sequence[str]) -> list[str]:
    """Keys by their last word, unless two have the same one."""
    shorts = Counter(map(short, keys))
    return [short(k) if shorts[short(k)] == 1 else k.removesuffix(".name") for k in keys]


def listed(words: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def wrapped(labels: Sequence[str], names: Sequence[str]) -> list[str]:
    """Labels in lines that fit a legend; where cutting made two alike, the names instead."""
    cut = [wrap(label) for label in labels]
    uses = Counter(cut)
    return [
        wrap(name) if uses[label] > 1 else label for label, name in zip(cut, names, strict=True)
    ]


def wrap(text: str, letters: int = LETTERS, lines: int = LINES) -> str:
    """`text` in at most so many lines of so many letters, cut off by an ellipsis."""
    return "\n".join(textwrap.wrap(text, letters, max_lines=lines, placeholder=" …"))
