"""The words on pictures: axis labels, what a run is, and what tells runs apart."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

AXES = {
    "step": "step",
    "epoch": "epoch",
    "seconds": "training time (s)",
    "loss": "batch loss",
    "lr": "learning rate",
    "train_loss": "training loss",
    "train_accuracy": "training accuracy (%)",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy (%)",
    "penalty": "penalty",
    "grad_norm": "gradient norm",
    "weight_norm": "weight norm",
    "update_norm": "update norm",
}
LOSSES = {"softmax": "cross-entropy (nats)", "hinge": "hinge loss"}
SELF_EXPLAINING = {"dataset.name", "model.name", "optimizer.name"}
ALWAYS_SHOWN = {"lr"}  # what readers of a comparison of optimizers look for first

Flat = dict[str, Any]


def axis_label(column: str) -> str:
    """A column in words, with its unit."""
    return AXES.get(column, column.replace("_", " "))


def loss_label(config: Mapping[str, Any]) -> str:
    """The loss that the config minimises, with its unit."""
    return LOSSES.get(component_name(config.get("loss")), "loss")


def component_name(section: Any) -> str:
    """The `name` of a section, which may be written as a bare string."""
    return str(section.get("name", "")) if isinstance(section, Mapping) else str(section or "")


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


def distinguish(configs: Sequence[Mapping[str, Any]], fallbacks: Sequence[str]) -> list[str]:
    """A label for each config: the settings in which it differs from the others.

    `optimizer.name` appears as its value, other settings as `key=value`, the key without its
    section unless two sections have such a key. What follows from a component's name alone, as
    Adam's β₁ does where only one Adam is compared, is left out. Labels that would be empty or
    equal are replaced by their fallback.
    """
    flats = [flatten(config) for config in configs]
    keys = [key for key in dict.fromkeys(key for flat in flats for key in flat) if key != "name"]
    differing = [key for key in keys if varies(key, flats)]
    shown = [[key for key in differing if tells(key, flat, flats, differing)] for flat in flats]
    shorts = Counter(short(key) for key in {key for chosen in shown for key in chosen})
    labels = [
        ", ".join(piece(key, flat[key], shorts) for key in chosen)
        for chosen, flat in zip(shown, flats, strict=True)
    ]
    uses = Counter(labels)
    return [
        label if label and uses[label] == 1 else fallback
        for label, fallback in zip(labels, fallbacks, strict=True)
    ]


def flatten(config: Mapping[str, Any], prefix: str = "") -> Flat:
    """The leaves of nested mappings under dotted keys."""
    leaves: Flat = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            leaves |= flatten(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves


def varies(key: str, flats: Sequence[Flat]) -> bool:
    """Whether the configs disagree on `key`, having it or not included."""
    return len({json.dumps(flat[key], default=str) if key in flat else "" for flat in flats}) > 1


def tells(key: str, flat: Flat, flats: Sequence[Flat], differing: Sequence[str]) -> bool:
    """Whether `key` belongs in the label of `flat`."""
    if key not in flat:
        return False
    section, _, last = key.rpartition(".")
    if flat[key] is None and section and any(section in other for other in flats):
        return False  # an unset field of a section that others leave out as a whole
    choosers = [name for name in enclosing_names(key) if name in differing]
    family = [other for other in flats if all(other.get(n) == flat.get(n) for n in choosers)]
    return last in ALWAYS_SHOWN or not choosers or varies(key, family)


def enclosing_names(key: str) -> list[str]:
    """The `name` fields of the components that `key` is a setting of."""
    parts = key.split(".")
    return [
        ".".join([*parts[:end], "name"])
        for end in range(1, len(parts))
        if ".".join([*parts[:end], "name"]) != key
    ]


def short(key: str) -> str:
    """The last word of a key; of a component's name, the component."""
    return key.removesuffix(".name").rpartition(".")[2]


def piece(key: str, value: Any, shorts: Mapping[str, int]) -> str:
    """One setting in a label."""
    if key in SELF_EXPLAINING:
        return value_text(value)
    name = short(key) if shorts[short(key)] == 1 else key.removesuffix(".name")
    return f"{name}={value_text(value)}"


def value_text(value: Any) -> str:
    """A setting as one would write it in the config."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, Mapping):
        return component_name(value) or json.dumps(value)
    if isinstance(value, list):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    return str(value)
