from __future__ import annotations

import pytest

from dreamer.errors import MissingWeightsError, UnknownClassError
from dreamer.models import labels
from dreamer.models.specs import known


def found(search):
    return [label.index for label in labels.find(labels.imagenet(), search)]


def test_a_part_of_a_name_in_any_capitals():
    assert found("egyptian CAT") == [285]
    assert found("tabby") == [281]
    assert {281, 282, 285} <= set(found("cat"))


def test_an_index_or_a_synset_is_exact():
    assert found("285") == [285]
    assert found("n02124075") == [285]
    assert found("1000") == []


def test_a_slip_of_the_finger_gets_the_close_ones_closest_first():
    assert found("goldfsh")[0] == 1
    assert found("egiptian cat")[0] == 285
    assert found("qqqqqq") == []


def test_names_with_the_archive_come_with_the_weights():
    with pytest.raises(MissingWeightsError, match="dreamer models fetch inception_v1"):
        labels.of(known()["inception_v1"])


def test_a_network_of_keras_has_the_classes_of_imagenet():
    assert labels.of(known()["keras:VGG16"]) is labels.imagenet()


def test_bare_names_get_the_synset_of_the_one_class_that_is_called_so(tmp_path):
    import dataclasses

    (tmp_path / "names.txt").write_text("dummy\nkit fox\ncrane\nTabby\n", encoding="utf-8")
    spec = dataclasses.replace(known()["inception_v1"], labels=str(tmp_path / "names.txt"))
    # There are two classes of ImageNet that are called crane.
    assert [label.synset for label in labels.of(spec)] == [None, "n02119789", None, "n02123045"]


def test_missing_and_broken_files_of_names(tmp_path):
    import dataclasses

    spec = dataclasses.replace(known()["inception_v1"], labels=str(tmp_path / "names.txt"))
    with pytest.raises(UnknownClassError, match="there is no file"):
        labels.of(spec)
    (tmp_path / "names.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnknownClassError, match="cannot read"):
        labels.of(spec)
    with pytest.raises(UnknownClassError, match="are not known.*labels ="):
        labels.of(dataclasses.replace(spec, labels=None))


@pytest.mark.parametrize("plural", ["dogs", "Cats", "sharks", "wolves", "tiger cats"])
def test_a_plural_means_the_classes_of_its_singular(plural):
    found = labels.learnt(labels.imagenet(), plural)
    assert found
    assert set(found) <= set(labels.find(labels.imagenet(), plural))
    assert not labels.learnt(labels.imagenet(), "giraffes")
