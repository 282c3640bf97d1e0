"""The seeds of a sweep: how many, which, or a range."""

from optrun.config.document import UNCLOSED, Document, Unreadable
from optrun.config.problems import Place, Problem
from optrun.config.vocabulary import value_at
from optrun.sweeps.space.calls import is_call, is_unclosed, listed, read_call
from optrun.sweeps.space.combinations import BLOCK, normal

SEEDS = (*BLOCK, "seeds")
WANTED_SEEDS = "how many there are, a list such as [0, 1, 2], or range(5)"


def move_seeds(document: Document) -> None:
    """Take `seed` out of the grid of a sweep's document, where it means `seeds`."""
    block = document.values["sweep"]
    grid = block.get("grid")
    for key in list(grid) if isinstance(grid, dict) else ():
        path = (*BLOCK, "grid", key)
        if normal(key) != "seed" or not isinstance(grid[key], list | str):
            continue
        place, written = document.keys[path], document.branch(path)
        document.forget(path)
        seeds = grid.pop(key)
        if "seeds" in block:
            hint = f"{document.keys[SEEDS]} decides it too: keep one of the two"
            document.problems.append(Problem(("seed",), "is decided twice", hint, place))
            continue
        document.graft(SEEDS, written)
        document.keys[SEEDS] = place
        block["seeds"] = seeds


def read_seeds(document: Document) -> tuple[int, ...] | int:
    """The seeds, or how many from the config's own on.

    Raises:
        Unreadable: they are not what seeds can be; the types have been checked.
    """
    seeds, place = value_at(document.values, SEEDS), document.value_place(SEEDS)
    if seeds is None:
        return 1
    if isinstance(seeds, str):
        seeds = _ranged(seeds, place)
    if isinstance(seeds, int):
        return seeds
    if len(set(seeds)) < len(seeds):
        raise Unreadable("a seed is given twice", place)
    if not seeds:
        raise Unreadable("there is no seed", place, f"write {WANTED_SEEDS}")
    if fixed := _fixed(document):
        hint = f"{fixed} decides it too: keep one of the two"
        raise Unreadable("the seed is decided twice", place, hint)
    return tuple(seeds)


def _ranged(text: str, place: Place | None) -> list[int]:
    if is_unclosed(text):
        raise Unreadable(UNCLOSED, place)
    if place is None or not is_call(text):
        raise Unreadable(f"must be {WANTED_SEEDS}, not the text '{text}'", place)
    call = read_call(text, place)
    if call.name != "range":
        raise Unreadable(f"`{call.name}` gives no seeds", place, f"write {WANTED_SEEDS}")
    seeds = listed(call, place)
    if min(seeds) < 0:
        raise Unreadable("a seed is at least 0", place)
    return seeds


def _fixed(document: Document) -> Place | None:
    """Where the sweep sets the seed of all runs, if it does."""
    fixed = value_at(document.values, (*BLOCK, "set"))
    for key in fixed if isinstance(fixed, dict) else ():
        if normal(key) == "seed":
            return document.keys.get((*BLOCK, "set", key))
    return None
