"""The variables of a new run on the command line."""

import pytest

from tests.support.tables import rows
from tfruns.cli.run.variables import parse_variables
from tfruns.errors import InvalidInput


def test_literals_stay_unchanged_and_texts_become_literals() -> None:
    found = parse_variables(["n=2", 'l=["a", "b"]', "o={ a = 1 }", 's="a=b"'], ['t=a "b" ${c}', "empty="])
    assert found == [
        {"key": "n", "value": "2"},
        {"key": "l", "value": '["a", "b"]'},
        {"key": "o", "value": "{ a = 1 }"},
        {"key": "s", "value": '"a=b"'},
        {"key": "t", "value": '"a \\"b\\" $${c}"'},
        {"key": "empty", "value": '""'},
    ]


@rows("text", ["secret", "key=secret", "key=", "=secret", "9k=1", "a b=1", 'k="secret', "k=var.secret"])
def test_invalid_variable_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_variables([text], [])
    assert "secret" not in str(caught.value.as_dict())


def test_variable_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a is given twice"):
        parse_variables(["a=1"], ["a=x"])
