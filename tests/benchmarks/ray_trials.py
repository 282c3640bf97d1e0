"""Trials of nothing under Ray Tune: what it costs to be led by it.

PYTHON -m tests.benchmarks.ray_trials TRIALS PROCESSES, with a Python that has `ray[tune]`.
"""

import sys
import tempfile


def main(trials: int, processes: int) -> None:
    """Run a grid of so many trials, one processor each."""
    import ray
    from ray import tune

    ray.init(
        num_cpus=processes, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    with tempfile.TemporaryDirectory() as folder:
        results = tune.Tuner(
            nothing,
            param_space={"lr": tune.grid_search([n / trials for n in range(trials)])},
            run_config=tune.RunConfig(storage_path=folder, name="nothing", verbose=0),
        ).fit()
    ray.shutdown()
    if len(results) != trials or results.num_errors:
        raise RuntimeError(f"{results.num_errors} of {len(results)} trials failed")


def nothing(config: dict[str, float]) -> dict[str, float]:
    """A number chosen, and given back."""
    return {"score": config["lr"]}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
