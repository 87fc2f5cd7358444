"""Parts of hand-written pages that are drawn from the code: what stands between a pair of comments."""

import re
from collections.abc import Mapping


def filled(text: str, parts: Mapping[str, str]) -> str:
    """A page with its generated parts replaced.

    Raises:
        ValueError: the page has no place for one of them.
    """
    for name, part in parts.items():
        begin, end = f"<!-- begin {name}: scripts/generate_docs.py -->", f"<!-- end {name} -->"
        place = re.search(f"{re.escape(begin)}\n.*?{re.escape(end)}", text, re.DOTALL)
        if place is None:
            raise ValueError(f"no place for {name}")
        text = f"{text[: place.start()]}{begin}\n\n{part.strip()}\n\n{end}{text[place.end() :]}"
    return text
