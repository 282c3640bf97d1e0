"""Jobs become runs and runs become values, whatever happens on the way."""

import math
import signal
from contextlib import ExitStack

import pytest

from optrun.errors import ConfigError, DiskFull, RunError
from optrun.store.reading import load_run
from optrun.sweeps.engines.executor import Death, Outcome
from optrun.sweeps.space.candidates import Job
from tests.sweeps.parts import TOY, Leading, configs_of, rates


def in_full(points):
    """Every point to its end."""

    def jobs(values):
        for point in points:
            yield Job(point.candidate(0, {}))

    return jobs


def test_a_job_is_worth_the_mean_of_its_seeds(tmp_path):
    led = Leading(tmp_path, in_full(rates(2)), configs_of(0, 1, 2)).lead()
    assert len(led.executor.done) == 6
    for job, value in led.values.items():
        runs = [load_run(run.directory.path) for run in led.runs_of(job.candidate)]
        assert [run.config["seed"] for run in runs] == [0, 1, 2]
        assert value == pytest.approx(sum(run.summary["val_loss"] for run in runs) / 3)


def test_runs_that_are_there_are_not_done_again(tmp_path):
    Leading(tmp_path, in_full(rates(2))).lead()
    wider = Leading(tmp_path, in_full(rates(3))).lead()
    assert len(wider.executor.done) == 1
    assert len(wider.log.of("reused")) == 2
    assert len(wider.values) == 3


def test_a_diverged_run_is_an_answer_the_worst(tmp_path):
    exploding = {"optimizer.lr": 1e30}
    points = rates(1)
    points[0] = type(points[0])(0, exploding)
    assert list(Leading(tmp_path, in_full(points)).lead().values.values()) == [math.inf]
    again = Leading(tmp_path, in_full(points)).lead()
    assert again.executor.done == []
    assert again.log.of("diverged")


def test_a_failed_run_goes_again_next_time(tmp_path):
    failing = Leading(
        tmp_path, in_full(rates(2)), trouble=lambda task: Outcome("failed", "no luck")
    ).lead()
    assert failing.log.of("failed") == ["no luck", "no luck"]
    assert list(failing.values.values()) == [math.inf, math.inf]
    assert all(
        math.isfinite(v) for v in Leading(tmp_path, in_full(rates(2))).lead().values.values()
    )


def test_a_paused_run_goes_on_from_its_checkpoint(tmp_path):
    (point,) = rates(1)
    candidate = point.candidate(0, {})

    def in_steps(values):
        for epochs in (1, 3, None):
            job = Job(candidate, epochs)
            yield job
            while job not in values:
                yield None

    led = Leading(tmp_path / "paused", in_steps).lead()
    (run,) = led.runs_of(candidate)
    assert led.executor.done == [(run.id, 1), (run.id, 3), (run.id, None)]
    assert len(led.log.of("stopped")) == 2
    straight = Leading(tmp_path / "straight", in_full([point])).lead()
    (whole,) = straight.runs_of.in_order()
    ours, theirs = load_run(run.directory.path), load_run(whole.directory.path)
    assert ours.metrics.drop(columns="seconds").equals(theirs.metrics.drop(columns="seconds"))
    for name, weights in ours.weights.items():
        assert weights.tobytes() == theirs.weights[name].tobytes()
    places = [ours.metrics[: epochs + 1] for epochs in (1, 3, 4)]
    best = [rows[rows["val_accuracy"] == rows["val_accuracy"].max()] for rows in places]
    expected = [rows["val_loss"].min() for rows in best]  # ties go to the lower loss
    assert list(led.values.values()) == expected
    assert list(Leading(tmp_path / "paused", in_steps).lead().values.values()) == expected


def test_a_run_that_has_gone_on_is_worth_what_it_was_at_the_pause(tmp_path):
    (point,) = rates(1)

    def paused(values):
        yield Job(point.candidate(0, {}), 1)

    fresh = Leading(tmp_path / "fresh", paused).lead()
    Leading(tmp_path / "finished", in_full([point])).lead()
    finished = Leading(tmp_path / "finished", paused).lead()
    assert finished.executor.done == []
    assert list(finished.values.values()) == list(fresh.values.values())


def test_a_worker_that_dies_costs_its_run_one_of_two_tries(tmp_path):
    deaths = []

    def dies_once(task):
        if task.id in deaths:
            return None
        deaths.append(task.id)
        return Death("its process was ended by SIGKILL")

    led = Leading(tmp_path, in_full(rates(3)), trouble=dies_once).lead()
    assert led.log.of("again") == ["its process was ended by SIGKILL"] * 3
    assert all(math.isfinite(value) for value in led.values.values())


def test_a_run_that_kills_every_worker_is_reported_and_the_others_go_on(tmp_path):
    led = Leading(tmp_path, in_full(rates(3)))
    doomed = led.runs_of(rates(3)[1].candidate(0, {}))[0].id
    led.executor.trouble = lambda task: Death("gone") if task.id == doomed else None
    led.lead()
    assert led.log.of("failed") == ["gone, 2 times"]
    assert [math.isfinite(value) for value in led.values.values()].count(True) == 2


def test_what_keeps_everything_from_going_on_is_told_once(tmp_path):
    leading = Leading(tmp_path, in_full(rates(4)))
    leading.executor.obstacles.extend(["no workers", "no workers", None, "no workers"])
    leading.lead()
    assert leading.log.of("note") == ["no workers"] * 2


def test_a_stop_waits_for_nobody_where_nobody_is(tmp_path):
    leading = Leading(tmp_path, in_full(rates(1)))

    def events(timeout):
        signal.raise_signal(signal.SIGINT)
        return iter(())

    leading.executor.events = events
    leading.executor.obstacles.extend(["no workers"] * 9)
    leading.lead()
    assert (leading.executor.stops, leading.executor.done) == (1, [])


def test_runs_of_a_seed_are_begun_together(tmp_path):
    led = Leading(tmp_path, in_full(rates(3)), configs_of(1, 0)).lead()
    seeds = {run.id: run.config.seed for run in led.runs_of.in_order()}
    assert [seeds[id] for id, _ in led.executor.done] == [0, 0, 0, 1, 1, 1]


def test_fail_fast_stops_at_the_first_failure(tmp_path):
    led = Leading(
        tmp_path,
        in_full(rates(5)),
        trouble=lambda task: Outcome("failed", "no luck"),
        fail_fast=True,
    ).lead()
    assert len(led.log.of("begun")) == 1
    assert led.executor.stops == 1


def test_a_full_disk_stops_the_sweep_and_keeps_what_is_finished(tmp_path):
    led = Leading(tmp_path, in_full(rates(4)))
    led.executor.trouble = lambda task: (
        Outcome("failed", "no space left on the disk", disk_full=True)
        if len(led.executor.done) == 2
        else None
    )
    with pytest.raises(DiskFull, match="no space left"):
        led.lead()
    assert len(led.log.of("begun")) == 3
    assert len(Leading(tmp_path, in_full(rates(4))).lead().log.of("reused")) == 2


def test_a_run_that_another_process_has_is_waited_for(tmp_path):
    led = Leading(tmp_path, in_full(rates(2)))
    candidate = rates(2)[0].candidate(0, {})
    (run,) = led.runs_of(candidate)
    run.directory.create()
    lock = ExitStack()
    lock.enter_context(run.directory.lock())
    real = led.log.elsewhere
    led.log.elsewhere = lambda run: (real(run), lock.close())
    led.lead()
    assert led.log.of("elsewhere") == [run.id]
    assert all(math.isfinite(value) for value in led.values.values())


def test_settings_whose_ids_collide_are_not_taken_for_one_run(tmp_path, monkeypatch):
    monkeypatch.setattr("optrun.sweeps.runs.identify", lambda *_: "0123456789abcdef")
    with pytest.raises(RunError, match="two different settings of the sweep have the same id"):
        Leading(tmp_path, in_full(rates(2))).lead()


def test_a_run_there_that_has_another_config_fails(tmp_path):
    Leading(tmp_path, in_full(rates(1))).lead()
    led = Leading(tmp_path, in_full(rates(1)))
    (run,) = led.runs_of(rates(1)[0].candidate(0, {}))
    file = run.directory.path / "config.yaml"
    file.write_text(file.read_text().replace("seed: 0", "seed: 7"))
    led.lead()
    assert "it differs in seed" in led.log.of("failed")[0]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("{", "is damaged"),
        ('{"status": "finished", "format": 99, "optrun": "9.0"}', "was written by optrun 9.0"),
    ],
)
def test_a_run_that_cannot_be_read_fails_alone(tmp_path, damage, says):
    led = Leading(tmp_path, in_full(rates(3)))
    (run,) = led.runs_of(rates(3)[1].candidate(0, {}))
    run.directory.create()
    (run.directory.path / "summary.json").write_text(damage)
    led.lead()
    (reason,) = led.log.of("failed")
    assert says in reason
    assert len(led.executor.done) == 2
    assert (run.directory.path / "summary.json").read_text() == damage


def test_two_candidates_that_come_to_one_run_share_it(tmp_path):
    points = rates(1) + [type(p)(1, p.settings) for p in rates(1)]
    led = Leading(tmp_path, in_full(points)).lead()
    assert len(led.executor.done) == 1
    assert len(led.values) == 2
    assert len(led.runs_of.in_order()) == 1


def test_metrics_that_were_lost_fail_the_run(tmp_path):
    Leading(tmp_path, in_full(rates(1))).lead()
    led = Leading(tmp_path, in_full(rates(1)))
    (run,) = led.runs_of(rates(1)[0].candidate(0, {}))
    (run.directory.path / "metrics.csv").unlink()
    led.lead()
    assert list(led.values.values()) == [math.inf]
    assert "metrics.csv does not exist" in str(led.runs_of.in_order()[0].failure)
    assert "metrics.csv does not exist" in led.log.of("failed")[0]


def test_a_run_wanted_by_two_jobs_goes_as_far_as_either_wants(tmp_path):
    points = rates(1) + [type(p)(1, p.settings) for p in rates(1)]
    for lengths, wanted in (((1, 3), 3), ((3, 1), 3), ((2, None), None), ((None, 2), None)):

        def jobs(values, lengths=lengths):
            for point, epochs in zip(points, lengths, strict=True):
                yield Job(point.candidate(0, {}), epochs)

        led = Leading(tmp_path / f"{lengths}", jobs).lead()
        assert [pause for _, pause in led.executor.done] == [wanted]
        assert len(led.values) == 2


def test_runs_are_in_the_order_of_candidates_then_seeds(tmp_path):
    led = Leading(tmp_path, in_full(rates(12)), configs_of(1, 0))
    for point in reversed(rates(12)):
        led.runs_of(point.candidate(0, {}))
    found = [(run.candidate.number[0], run.config.seed) for run in led.runs_of.in_order()]
    assert found == [(number, seed) for number in range(12) for seed in (0, 1)]


def test_results_are_saved_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr("optrun.sweeps.conduct.SAVE_SECONDS", 0.0)
    led = Leading(tmp_path, in_full(rates(3)))
    led.conductor.save_again_at = 0.0
    led.lead()
    assert led.saves >= 3


def test_a_disk_that_is_full_when_results_are_saved_stops_the_sweep(tmp_path):
    led = Leading(tmp_path, in_full(rates(3)))

    def save():
        raise DiskFull("no space left on the disk")

    led.conductor.save, led.conductor.save_again_at = save, 0.0
    with pytest.raises(DiskFull):
        led.lead()
    assert len(led.executor.done) == 1


def test_a_candidate_that_cannot_be_composed_is_the_worst(tmp_path):
    def configs(candidate):
        if candidate.number == (1, 0):
            raise ConfigError("does not go together")
        return configs_of(0)(candidate)

    led = Leading(tmp_path, in_full(rates(3)), configs).lead()
    worst = [job.candidate.number for job, value in led.values.items() if math.isinf(value)]
    assert (len(led.values), worst) == (3, [(1, 0)])
    assert led.log.of("notice") == ["left out: does not go together"]


def test_fail_fast_begins_nothing_after_a_failure_found_beforehand(tmp_path):
    led = Leading(tmp_path, in_full(rates(3)), fail_fast=True)
    (run,) = led.runs_of(rates(3)[0].candidate(0, {}))
    run.directory.create()
    (run.directory.path / "summary.json").write_text("{")
    led.lead()
    assert led.executor.done == []


def test_a_run_that_was_paused_here_and_ended_early_was_not_there_before(tmp_path):
    base = TOY | {"training": {"epochs": 6, "early_stopping": {"patience": 1, "min_delta": 1.0}}}
    (point,) = rates(1)
    candidate = point.candidate(0, {})

    def in_steps(values):
        for epochs in (4, None):
            job = Job(candidate, epochs)
            yield job
            while job not in values:
                yield None

    led = Leading(tmp_path, in_steps, configs_of(0, base=base)).lead()
    assert len(led.executor.done) == 1
    assert led.log.of("reused") == []


def test_a_strategy_that_waits_for_nothing_is_a_fault(tmp_path):
    def stuck(values):
        while True:
            yield None

    with pytest.raises(RuntimeError, match="nobody works out"):
        Leading(tmp_path, stuck).lead()
