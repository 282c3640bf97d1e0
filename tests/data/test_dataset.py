"""The `dataset` section: what it accepts, what it says, and the sizes it leads to."""

import jsonschema
import pytest
from pydantic import TypeAdapter, ValidationError

from optrun.data.catalog import DATASETS, KINDS, AnyDataset

ADAPTER: TypeAdapter = TypeAdapter(AnyDataset)
COMPUTED = [(name, kind) for name, kinds in KINDS.items() for kind in kinds]
COMPONENTS = [*DATASETS.values(), *(KINDS[name][kind] for name, kind in COMPUTED)]


def build(**fields):
    return ADAPTER.validate_python(fields)


def spirals(**fields):
    return build(name="synthetic", kind="spirals", **fields)


@pytest.mark.parametrize("name", DATASETS)
def test_a_bare_name_is_the_dataset_with_its_defaults(name):
    assert ADAPTER.validate_python(name) == DATASETS[name]()


@pytest.mark.parametrize(("name", "kind"), COMPUTED)
def test_a_dataset_without_files_is_chosen_by_its_kind(name, kind):
    assert type(build(name=name, kind=kind)) is KINDS[name][kind]


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_is_written_out_reads_back_and_obeys_the_schema(component):
    written = component().model_dump()
    assert ADAPTER.validate_python(written) == component()
    jsonschema.validate(written, ADAPTER.json_schema())


@pytest.mark.parametrize("component", COMPONENTS)
def test_nothing_is_wrong_with_the_defaults(component):
    assert component().problems() == {}


@pytest.mark.parametrize("component", COMPONENTS)
def test_images_are_rescaled_unless_told_otherwise(component):
    dataset = component()
    steps = [step.name for step in dataset.preprocessing]
    assert steps == (["rescale"] if dataset.outline.image_shape else [])


@pytest.mark.parametrize("value", [0, 17, 0.25])
def test_validation_is_a_count_or_a_fraction(value):
    assert spirals(validation=value).validation == value
    jsonschema.validate(
        {"name": "synthetic", "kind": "spirals", "validation": value}, ADAPTER.json_schema()
    )


@pytest.mark.parametrize("value", [-1, 1.0, 1.5, -0.1, 0.0, True, "10%", None])
def test_other_validation_is_refused_with_examples(value):
    with pytest.raises(ValidationError, match=r"fraction between 0 and 1 such as 0\.1"):
        spirals(validation=value)


@pytest.mark.parametrize("value", [0, -3, 2.5, True, "all", {"per_class": 0}, {"per_clas": 3}, {}])
def test_other_subsets_are_refused(value):
    with pytest.raises(ValidationError):
        spirals(subset=value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (540, 60, 1000)),
        ({"validation": 0}, (600, 0, 1000)),
        ({"validation": 100}, (500, 100, 1000)),
        ({"validation": 1e-9}, (599, 1, 1000)),
        ({"subset": 90}, (90, 60, 1000)),
        ({"subset": {"per_class": 20}}, (60, 60, 1000)),
        ({"samples": 50, "test_samples": 7}, (45, 5, 7)),
    ],
)
def test_sizes_are_known_before_loading(fields, expected):
    sizes = spirals(**fields).sizes()
    assert (sizes.train, sizes.validation, sizes.test) == expected


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"validation": 600}, "validation", "takes 600 of the 600 training examples"),
        ({"samples": 1, "classes": 2}, "samples", "at least one for each of the 2 classes"),
        ({"subset": 541}, "subset", "write at most 540"),
        ({"subset": {"per_class": 181}}, "subset", "write at most {per_class: 180}"),
        ({"preprocessing": ["rescale"]}, "preprocessing.0", "no image set"),
        ({"preprocessing": ["center", "center"]}, "preprocessing.1", "twice"),
        (
            {"preprocessing": [{"name": "pca_whiten", "components": 3}]},
            "preprocessing.0",
            "keeps 3 components, but 2 features of 540 training examples have 2; write at most",
        ),
        (
            {"preprocessing": [{"name": "pca_whiten", "components": 2}], "subset": 2},
            "preprocessing.0",
            "write at most `components: 1`",
        ),
        (
            {"preprocessing": [{"name": "pca_whiten", "components": 1}, "sample_mean"]},
            "preprocessing.1",
            "`sample_mean` leaves only zeros",
        ),
        ({"preprocessing": ["zca_whiten"], "subset": 1}, "preprocessing.0", "at least 2 training"),
    ],
)
def test_contradictions_are_named_with_the_field_to_change(fields, field, text):
    assert text in spirals(**fields).problems()[field]


def test_all_contradictions_are_found_at_once():
    found = spirals(validation=700, preprocessing=["center", "rescale"]).problems()
    assert set(found) == {"validation", "preprocessing.1"}


@pytest.mark.parametrize("value", [0, -3, True, 1.0, 1.5, 0.0, "all"])
def test_other_numbers_of_components_are_refused_with_examples(value):
    with pytest.raises(ValidationError, match=r"a number such as 50, a fraction .* 0\.99, or null"):
        spirals(preprocessing=[{"name": "pca_whiten", "components": value}])


@pytest.mark.parametrize(
    ("steps", "features", "image_shape"),
    [
        (["rescale", "zca_whiten"], 784, (1, 28, 28)),
        (["pca_whiten"], 784, None),
        ([{"name": "pca_whiten", "components": 40}, "standardize"], 40, None),
        ([{"name": "pca_whiten", "components": 0.9}], 1, None),
    ],
)
def test_what_the_model_sees_is_known_before_loading(steps, features, image_shape):
    seen = build(name="synthetic", kind="glyphs", preprocessing=steps).seen
    assert (seen.features, seen.image_shape) == (features, image_shape)


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"label_noise": 0.1}, "label_noise", "no labels"),
        ({"subset": {"per_class": 2}}, "subset", "no classes"),
    ],
)
@pytest.mark.parametrize("kind", ["polynomial", "quadratic"])
def test_what_is_about_classes_is_refused_where_there_are_none(kind, fields, field, text):
    assert text in build(name="synthetic", kind=kind, **fields).problems()[field]


def test_there_is_nothing_to_preprocess_without_features():
    quadratic = build(name="synthetic", kind="quadratic", preprocessing=["center"])
    assert "no features" in quadratic.problems()["preprocessing"]


def test_bytes_become_numbers_before_anything_else():
    glyphs = ADAPTER.validate_python(
        {"name": "synthetic", "kind": "glyphs", "preprocessing": ["standardize", "rescale"]}
    )
    assert "must be the first step" in glyphs.problems()["preprocessing.1"]
