"""The forms in which a program may write a value."""

import json
from collections.abc import Iterator

from tfruns.hcl.literals import NotALiteral, literal

SHORTEST = 6  # characters of a secret that is searched for in any text; a shorter one would hit innocent text


def written_forms(value: str) -> Iterator[str]:
    """How a secret may stand in a text: whole or line by line, as it is, in JSON, in HCL, and HCL in JSON."""
    for part in {value, *(line.strip() for line in value.splitlines())}:
        if len(part) >= SHORTEST:
            yield part
            for text in (part, _in_hcl(part)):
                yield text
                quoted = json.dumps(text, ensure_ascii=False)[1:-1]
                yield quoted
                # Go writes these so in JSON, unless it is told not to.
                for_html = quoted.replace("<", "\\u003c").replace(">", "\\u003e")
                yield for_html
                yield for_html.replace("&", "\\u0026")
                yield json.dumps(text)[1:-1]  # other programs write only ASCII


def _in_hcl(text: str) -> str:
    try:
        return literal(text)[1:-1]
    except NotALiteral:
        return text
