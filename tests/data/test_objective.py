"""Bare objectives: their kernels against central differences, their minima, and DeepOBS's."""

from fractions import Fraction

import numpy as np
import pytest

from optrun.data.functions import FUNCTIONS, Cubic, EggBox, Ravine, Rosenbrock, Saddle, Sphere
from optrun.data.prepare import prepare
from optrun.data.quadratic import Band, Quadratic, draw_rotation

SMALL = Quadratic(
    samples=6,
    test_samples=5,
    spectrum=[Band(count=2, low=0.0, high=1.0), Band(count=1, low=5.0, high=9.0)],
)
OBJECTIVES = {
    **{kind: function() for kind, function in FUNCTIONS.items()},
    "sphere in 4-D": Sphere(start=[0.0, 1.0, 2.0, 3.0]),
    "ravine of 100": Ravine(condition=100.0),
    "quadratic": SMALL,
}
ENDS = {1: 1.5, 2: 2.25, 3: 2.625}
"""Beale's c by k."""
every_objective = pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)


def value_and_gradient(objective, scores, targets):
    d = np.full_like(scores, np.nan)
    return objective.loss(scores, targets, d, objective.hyper()), d


def curved(objective, scores, targets, r):
    d = np.full_like(scores, np.nan)
    objective.curve(scores, targets, r, d, objective.hyper())
    return d


def points(objective, dtype="float64"):
    """Random scores and directions, one a row, with the targets of the training examples."""
    targets = prepare(objective, 0, dtype).train.y
    random = np.random.default_rng(5)
    scores, r = (random.uniform(-1.5, 1.5, targets.shape).astype(dtype) for _ in range(2))
    return scores, targets, r


def value_at(function, *theta):
    scores = np.array([theta], np.float64)
    return value_and_gradient(function, scores, np.zeros_like(scores))


@every_objective
def test_the_gradient_is_that_of_the_loss(objective):
    scores, targets, _ = points(objective)
    _, gradient = value_and_gradient(objective, scores, targets)
    for place in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[place] = 1e-5
        above, below = (
            value_and_gradient(objective, moved, targets)[0]
            for moved in (scores + step, scores - step)
        )
        np.testing.assert_allclose(gradient[place], (above - below) / 2e-5, rtol=1e-6, atol=1e-7)


@every_objective
def test_the_curvature_is_that_of_the_gradient(objective):
    scores, targets, r = points(objective)
    above, below = (
        value_and_gradient(objective, moved, targets)[1]
        for moved in (scores + 1e-5 * r, scores - 1e-5 * r)
    )
    product = curved(objective, scores, targets, r)
    np.testing.assert_allclose(product, (above - below) / 2e-5, rtol=1e-6, atol=1e-6)


@every_objective
def test_float32_is_float64_rounded(objective):
    single = points(objective, "float32")
    double = [array.astype(np.float64) for array in single]
    (value, gradient), (exact, slope) = (
        value_and_gradient(objective, *arrays[:2]) for arrays in (single, double)
    )
    product, bend = (curved(objective, *arrays) for arrays in (single, double))
    np.testing.assert_allclose(value, exact, rtol=1e-12)
    np.testing.assert_array_equal(gradient, slope.astype(np.float32))
    np.testing.assert_array_equal(product, bend.astype(np.float32))


@every_objective
def test_it_starts_at_a_point_of_its_dimensions_and_sees_no_features(objective):
    assert objective.own_objective
    assert objective.start_point().shape == (objective.outline.outputs,)
    assert objective.start_point().dtype == np.float64
    data = prepare(objective, 0, "float32")
    assert (data.features, data.labelled, data.validation) == (0, False, None)
    assert data.train.x.shape == (len(data.train), 0)
    assert data.train.y.shape == (len(data.train), objective.outline.outputs)
    assert data.train.y.dtype == np.float32
    assert data.train.y.flags.c_contiguous


MINIMA = [
    ("sphere", (0, 0), 0),
    ("ravine", (0, 0), 0),
    ("egg_box", (np.pi / 2, -np.pi / 2), -1),
    ("egg_box", (-np.pi / 2, np.pi / 2), -1),
    ("egg_box", (3 * np.pi / 2, np.pi / 2), -1),
    ("rosenbrock", (1, 1), 0),
    ("beale", (3, 0.5), 0),
    ("himmelblau", (3, 2), 0),
    ("himmelblau", (-2.805118, 3.131313), 0),
    ("himmelblau", (-3.779310, -3.283186), 0),
    ("himmelblau", (3.584428, -1.848127), 0),
    ("rastrigin", (0, 0), 0),
    ("cubic", (-1,), -2),
]


@pytest.mark.parametrize(("kind", "place", "least"), MINIMA)
def test_the_minima_are_where_the_docstring_says(kind, place, least):
    function, size = FUNCTIONS[kind](), len(place)
    value, gradient = value_at(function, *place)
    np.testing.assert_allclose(value, least, atol=1e-8)
    np.testing.assert_allclose(gradient, 0, atol=1e-4)
    scores = np.array([place], np.float64)
    hessian = [curved(function, scores, scores, row[None])[0] for row in np.eye(size)]
    assert (np.linalg.eigvalsh(hessian) > 0.1).all()


@pytest.mark.parametrize(
    ("function", "place", "value"),
    [
        (Sphere(), (3.0, 4.0), 25.0),
        (Ravine(condition=10.0), (2.0, 1.0), 7.0),
        (Saddle(), (3.0, 2.0), 5.0),
        (EggBox(), (1.0, 2.0), np.sin(1) * np.sin(2)),
        (Rosenbrock(), (-1.2, 1.0), 24.2),
        (FUNCTIONS["beale"](), (0.0, 0.0), 14.203125),
        (FUNCTIONS["himmelblau"](), (0.0, 0.0), 170.0),
        (FUNCTIONS["rastrigin"](), (0.5, 1.0), 21.25),
        (Cubic(), (2.0,), -2.0),
    ],
)
def test_the_values_are_those_of_the_formulas(function, place, value):
    np.testing.assert_allclose(value_at(function, *place)[0], value, rtol=1e-14)


def test_what_has_no_lower_bound_falls_for_ever():
    assert value_at(Saddle(), 0.0, 1e8)[0] < -1e15
    assert value_at(Cubic(), 1e6)[0] < -1e17


@pytest.mark.parametrize("value", [1, 0.1])
def test_a_function_has_nothing_to_set_aside(value):
    assert "write 0" in Sphere(validation=value).problems()["validation"]
    assert not Sphere().problems()


def test_functions_of_as_many_parameters_hold_the_same_data():
    prints = {
        prepare(function(), seed, "float32").fingerprint
        for function in (Sphere, Ravine)
        for seed in (0, 1)
    }
    assert len(prints) == 1


@pytest.mark.parametrize("size", [2, 3, 4, 9])
def test_rotations_are_rotations(size):
    rotation = draw_rotation(size, np.random.RandomState(0))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(size), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(rotation), 1)


def test_rotations_are_uniform():
    random = np.random.RandomState(0)
    drawn = np.array([draw_rotation(3, random) for _ in range(20_000)])
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose((drawn**2).mean(axis=0), 1 / 3, atol=0.02)
    # the angle of a uniform rotation has the density (1 − cos)/π, so its cosine averages −½
    np.testing.assert_allclose((np.trace(drawn, axis1=1, axis2=2) - 1).mean() / 2, -0.5, atol=0.02)


def test_the_hessian_has_the_spectrum_that_was_drawn():
    random = np.random.RandomState(42)
    expected = np.sort([*random.uniform(0, 1, 90), *random.uniform(30, 60, 10)])
    hessian = Quadratic().hyper().reshape(100, 100)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-13)
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), expected, atol=1e-12)


def test_the_points_are_those_of_the_fixed_seeds_whatever_the_run_s():
    raw, again = Quadratic().load(0), Quadratic(samples=300, test_samples=896).load(1)
    expected = np.random.RandomState(42).normal(0, 0.6, (1000, 100))
    np.testing.assert_array_equal(raw.train_y, expected)
    np.testing.assert_array_equal(raw.test_y, np.random.RandomState(43).normal(0, 0.6, (1000, 100)))
    np.testing.assert_array_equal(again.train_y, raw.train_y[:300])
    np.testing.assert_array_equal(again.test_y, raw.test_y[:896])


def test_the_published_test_loss_of_sgd_is_reached():
    """87.40 ± 0.17 over ten seeds, as DeepOBS gives it: lr 0.01585, 100 epochs of 7 × 128."""
    dataset = Quadratic(test_samples=896)
    raw, hessian = dataset.load(0), dataset.hyper().reshape(100, 100)
    losses = []
    for seed in range(10):
        random, theta = np.random.default_rng(seed), dataset.start_point()
        for _ in range(100):
            for batch in random.permutation(1000)[:896].reshape(7, 128):
                theta -= 0.01585 * hessian @ (theta - raw.train_y[batch].mean(axis=0))
        scores = np.tile(theta, (896, 1))
        losses.append(value_and_gradient(dataset, scores, raw.test_y)[0])
    assert abs(np.mean(losses) - 87.40) < 0.17
    assert 0.05 < np.std(losses, ddof=1) < 0.3


@pytest.mark.parametrize(
    ("spectrum", "field", "text"),
    [
        ([Band(count=1, low=0.0, high=1.0)], "spectrum", "write at least 2"),
        ([Band(count=3, low=2.0, high=1.0)], "spectrum.0.high", "1 is below `low`, 2"),
    ],
)
def test_impossible_spectra_are_refused(spectrum, field, text):
    assert text in Quadratic(spectrum=spectrum).problems()[field]


@pytest.mark.parametrize(
    ("kind", "minimum", "value"),
    [
        ("saddle", (1, 1), lambda x, y: x**2 - y**2),
        ("rosenbrock", (1, 1), lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2),
        (
            "beale",
            (3, 0.5),
            lambda x, y: sum((Fraction(c) - x + x * y**k) ** 2 for k, c in ENDS.items()),
        ),
        ("himmelblau", (3, 2), lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2),
    ],
)
def test_values_close_to_a_minimum_keep_their_digits(kind, minimum, value):
    """In float32, against fractions."""
    function = FUNCTIONS[kind]()
    for toward in ((0, 9), (9, 0), (9, 9)):
        scores = np.nextafter(np.array([minimum], np.float32), np.float32(toward))
        exact = value(*(Fraction(float(number)) for number in scores[0]))
        got, _ = value_and_gradient(function, scores, np.zeros_like(scores))
        assert got == pytest.approx(float(exact), rel=1e-6, abs=0)


@pytest.mark.parametrize("x", [1e-4, 1e-8, 1e-12])
def test_rastrigin_close_to_its_minimum_is_a_round_bowl(x):
    value, _ = value_at(FUNCTIONS["rastrigin"](), x, -x)
    assert value == pytest.approx(2 * (1 + 20 * np.pi**2) * x**2, rel=1e-6, abs=0)
