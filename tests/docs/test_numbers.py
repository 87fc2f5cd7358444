"""The README quotes numbers from docs/benchmarks.md."""

import re

from tests.architecture.source import ROOT


def test_readme_quotes_measured_tokens() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = re.search(r"\*\*Low token use\.\*\*(.*?)\[Benchmarks\]", readme, re.DOTALL)
    assert quoted is not None
    numbers = re.findall(r"\d[\d,]*\d", re.sub(r"20\s+runs", "", quoted[1]))
    measured = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert len(numbers) == 5
    assert [number for number in numbers if f" {number} " not in measured] == []
