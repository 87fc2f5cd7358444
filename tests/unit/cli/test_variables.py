"""The variables of a new run on the command line."""

import pytest

from tests.support.tables import rows
from tfruns.cli.run.variables import variables_of
from tfruns.errors import InvalidInput


def test_a_literal_is_taken_as_it_is_and_a_text_becomes_one() -> None:
    found = variables_of(["n=2", 'l=["a", "b"]', "o={ a = 1 }", 's="a=b"'], ['t=a "b" ${c}', "empty="])
    assert found == [
        {"key": "n", "value": "2"},
        {"key": "l", "value": '["a", "b"]'},
        {"key": "o", "value": "{ a = 1 }"},
        {"key": "s", "value": '"a=b"'},
        {"key": "t", "value": '"a \\"b\\" $${c}"'},
        {"key": "empty", "value": '""'},
    ]


@rows("text", ["secret", "key=secret", "key=", "=secret", "9k=1", "a b=1", 'k="secret', "k=var.secret"])
def test_what_is_none_is_refused_without_repeating_the_value(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        variables_of([text], [])
    assert "secret" not in str(caught.value.as_dict())


def test_a_variable_that_is_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a is given twice"):
        variables_of(["a=1"], ["a=x"])
