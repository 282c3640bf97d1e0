"""Let PyTorch compute every case and write down what the tests compare with.

    python -m tests.torch_reference.make           writes the JSON files beside it
    python -m tests.torch_reference.make --check   computes it again and compares with them

Needs torch; the tests that read the files do not.
"""

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.torch_reference import activations, curves
from tests.torch_reference.cases import MODELS, OPTIMIZERS, STEPS, cases
from tests.toys import toy_data, toy_weights

FILE = Path(__file__).with_name("trajectories.json")
VERSION = torch.__version__.split("+")[0]


def build(hidden: list[int], features: int, classes: int, dtype: torch.dtype) -> torch.nn.Module:
    """Linear layers with tanh between them, filled with the toy weights block after block."""
    widths, layers = [features, *hidden, classes], []
    for fan_in, fan_out in pairwise(widths):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1]).to(dtype)
    linears = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    values = toy_weights(sum(p.numel() for p in model.parameters()))
    start = 0
    with torch.no_grad():
        for layer in linears:
            for parameter in (layer.weight.T, layer.bias):
                block = values[start : start + parameter.numel()].reshape(parameter.shape)
                parameter.copy_(torch.from_numpy(block))
                start += parameter.numel()
    return model


def trajectory(optimizer: str, hidden: list[int], dtype: torch.dtype) -> dict[str, Any]:
    """Losses of all steps, and the last weights in optrun's order, of full-batch training."""
    x, y = toy_data()
    inputs, labels = torch.from_numpy(x).to(dtype), torch.from_numpy(y)
    model = build(hidden, x.shape[1], int(y.max()) + 1, dtype)
    _, kind, arguments = OPTIMIZERS[optimizer]
    rule = getattr(torch.optim, kind)(model.parameters(), **arguments)
    losses = []
    for _ in range(STEPS):
        rule.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        rule.step()
        losses.append(loss.item())
    linears = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    blocks = [p.detach().numpy().ravel() for m in linears for p in (m.weight.T, m.bias)]
    return {"weights": np.concatenate(blocks).tolist(), "losses": losses}


def trajectories(check: bool) -> None:
    """Write or check the training runs of `cases`."""
    made: dict[str, Any] = {"torch": VERSION, "steps": STEPS}
    for optimizer, model in cases():
        made[f"{optimizer}/{model}"] = trajectory(optimizer, MODELS[model], torch.float64)
    if check:
        stored = json.loads(FILE.read_text())
        for optimizer, model in cases():
            key = f"{optimizer}/{model}"
            for part in ("weights", "losses"):
                np.testing.assert_allclose(made[key][part], stored[key][part], 1e-10, err_msg=key)
        print(f"{len(list(cases()))} trajectories agree with torch {VERSION}")
    else:
        FILE.write_text(json.dumps(made) + "\n")


def tables(module: Any, check: bool) -> None:
    """Write or check what the module's `made` returns: lists of numbers by name."""
    made = module.made()
    if check:
        stored = json.loads(module.FILE.read_text())
        assert made.keys() == stored.keys() - {"torch"}
        for name, values in made.items():
            np.testing.assert_allclose(values, stored[name], 1e-10, err_msg=name)
        print(f"{len(made)} {module.FILE.stem} agree with torch {VERSION}")
    else:
        module.FILE.write_text(json.dumps({"torch": VERSION} | made) + "\n")


def main() -> None:
    check = "--check" in sys.argv
    trajectories(check)
    tables(curves, check)
    tables(activations, check)


if __name__ == "__main__":
    main()
