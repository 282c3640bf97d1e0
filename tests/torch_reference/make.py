"""Let PyTorch compute every case and write down what the tests compare with.

    python -m tests.torch_reference.make           writes the JSON files beside it
    python -m tests.torch_reference.make --check   computes it again and compares with them

Needs torch; the tests that read the files do not.
"""

import json
import sys
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from tests.torch_reference import (
    activations,
    averages,
    curves,
    lbfgs,
    losses,
    normalization,
    starts,
)
from tests.torch_reference.cases import BIASES, MODELS, OPTIMIZERS, STEPS, cases
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


def build_rules(optimizer: str, model: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """The case's optimizer of all parameters, or of the matrices and AdamW for the biases."""
    _, kind, arguments = OPTIMIZERS[optimizer]
    rule = getattr(torch.optim, kind)
    if optimizer not in BIASES:
        return [rule(model.parameters(), **arguments)]
    matrices = [p for p in model.parameters() if p.ndim == 2]
    biases = [p for p in model.parameters() if p.ndim == 1]
    return [rule(matrices, **arguments), torch.optim.AdamW(biases, **BIASES[optimizer])]


def trajectory(optimizer: str, hidden: list[int], dtype: torch.dtype) -> dict[str, Any]:
    """Losses of all steps, and the last weights in optrun's order, of full-batch training.

    ASGD's averages stand beside the weights as `averages`.
    """
    x, y = toy_data()
    inputs, labels = torch.from_numpy(x).to(dtype), torch.from_numpy(y)
    model = build(hidden, x.shape[1], int(y.max()) + 1, dtype)
    rules = build_rules(optimizer, model)
    losses = []
    for _ in range(STEPS):
        model.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        for rule in rules:
            rule.step()
        losses.append(loss.item())
    linears = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    made = {"weights": flat([p for m in linears for p in (m.weight.T, m.bias)]), "losses": losses}
    if isinstance(rules[0], torch.optim.ASGD):
        average = {p: state["ax"] for p, state in rules[0].state.items()}
        made["averages"] = flat(
            [a for m in linears for a in (average[m.weight].T, average[m.bias])]
        )
    return made


def flat(blocks: list[torch.Tensor]) -> list[float]:
    """All numbers of the blocks, one block after the other."""
    return np.concatenate([block.detach().numpy().ravel() for block in blocks]).tolist()


def make_all() -> dict[str, dict[str, Any]]:
    """Every trajectory, with nothing in PyTorch rounded to less than float64.

    By default it keeps scalars of NAdam's and ASGD's state in float32, and Muon's iteration runs
    in bfloat16.
    """
    with ExitStack() as stack:
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float64)
        stack.enter_context(patch.object(torch.Tensor, "bfloat16", torch.Tensor.clone))
        return {
            f"{optimizer}/{model}": trajectory(optimizer, MODELS[model], torch.float64)
            for optimizer, model in cases()
        }


def trajectories(check: bool) -> None:
    """Write or check the training runs of `cases`."""
    made: dict[str, Any] = {"torch": VERSION, "steps": STEPS} | make_all()
    if check:
        stored = json.loads(FILE.read_text())
        for optimizer, model in cases():
            key = f"{optimizer}/{model}"
            for part in stored[key]:
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
            np.testing.assert_allclose(values, stored[name], 1e-10, 1e-14, err_msg=name)
        print(f"{len(made)} {module.FILE.stem} agree with torch {VERSION}")
    else:
        module.FILE.write_text(json.dumps({"torch": VERSION} | made) + "\n")


def main() -> None:
    check = "--check" in sys.argv
    trajectories(check)
    for module in (curves, averages, activations, losses, normalization, lbfgs, starts):
        tables(module, check)


if __name__ == "__main__":
    main()
