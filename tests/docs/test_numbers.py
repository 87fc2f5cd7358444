"""Numbers that the README quotes are those of the measurements."""

import re

from tests.architecture.source import ROOT


def test_the_readme_quotes_the_measured_tokens() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = re.search(r"\*\*Cheap in tokens\.\*\*(.*?)\[Measured\]", readme, re.DOTALL)
    assert quoted is not None
    numbers = re.findall(r"\d[\d,]*\d", quoted[1].replace("list of 20 runs", ""))
    measured = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert len(numbers) == 5
    assert [number for number in numbers if f" {number} " not in measured] == []
