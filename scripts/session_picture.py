"""An animated picture (SVG with CSS) of a session in a terminal.

Each line appears at its time, and the text moves up when the window is full. A reader who prefers no motion sees the
end of the session.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

COLUMNS = 110
_ROWS = 27
_CHARACTER, _LINE = 8.43, 19  # pixels, at a size of 14
_PADDING, _BAR = 16, 34
_CLIP = 4  # below the bar, so that no part of a line that was moved up is visible
_PROMPT = "$ "
_TYPING_S = 0.035  # per character
_AFTER_COMMAND_S = 0.5
_LINE_S = 0.09  # between two lines of output
_READING_S = 2.4  # after the output of a command
_END_S = 4.0
_COLORS = {
    "default": "#d5dbe3",
    "black": "#6b7785",
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#f2cc60",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "white": "#ffffff",
    "brightblack": "#8b96a5",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line in one style."""

    text: str
    color: str = "default"
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a terminal."""

    spans: tuple[Span, ...]

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans).rstrip()


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and the lines that it printed."""

    command: str
    output: Sequence[Line]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A line of the picture, and the time at which it appears."""

    line: Line
    at_s: float


def picture(steps: Sequence[Step]) -> str:
    """The picture of a session, as SVG."""
    shown = list(_timeline(steps))
    duration = shown[-1].at_s + _END_S
    width = round(COLUMNS * _CHARACTER + 2 * _PADDING)
    height = _BAR + _ROWS * _LINE + 2 * _PADDING
    title = "A session: " + "; ".join(" ".join(step.command.replace("\\", " ").split()) for step in steps)
    body = "\n".join(_text(number, each) for number, each in enumerate(shown))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{escape(title)}</title>
<style>
text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: {_COLORS["default"]} }}
.b {{ font-weight: 600 }}
{_classes()}
@media (prefers-reduced-motion: no-preference) {{
{_keyframes(shown, duration)}
}}
</style>
<rect width="{width}" height="{height}" rx="10" fill="#161b22"/>
<circle cx="20" cy="17" r="6" fill="#ff5f57"/><circle cx="40" cy="17" r="6" fill="#febc2e"/><circle cx="60" cy="17" r="6" fill="#28c840"/>
<svg x="0" y="{_BAR + _CLIP}" width="{width}" height="{height - _BAR - _CLIP}"><g class="all" transform="translate(0 {-_scroll(len(shown))})">
{body}
</g></svg>
</svg>
"""


def _timeline(steps: Sequence[Step]) -> Iterator[_Shown]:
    at = 0.6
    for step in steps:
        for number, text in enumerate(step.command.split("\n")):
            spans = (Span(_PROMPT if number == 0 else "", "green", is_bold=True), Span(text, "white", is_bold=True))
            yield _Shown(Line(spans), at)
            at += len(text) * _TYPING_S
        at += _AFTER_COMMAND_S
        for line in step.output:
            yield _Shown(line, at)
            at += _LINE_S
        yield _Shown(Line(()), at)
        at += _READING_S


def _scroll(count: int) -> int:
    """How far the text is moved up, in pixels, when so many lines are visible."""
    return max(0, count - _ROWS) * _LINE


def _classes() -> str:
    return " ".join(f".{name} {{ fill: {color} }}" for name, color in _COLORS.items())


def _keyframes(shown: Sequence[_Shown], duration_s: float) -> str:
    """The rules that show each line at its time, and scroll. All repeat with the same period."""
    rules = [f"g.all {{ animation: scroll {duration_s:.2f}s step-end infinite }}"]
    steps = [
        f"{_percent(each.at_s, duration_s)} {{ transform: translateY({-_scroll(n)}px) }}"
        for n, each in enumerate(shown, 1)
    ]
    rules.append(f"@keyframes scroll {{ 0% {{ transform: translateY(0) }} {' '.join(steps)} }}")
    for number, each in enumerate(shown):
        if each.line.text:
            rules.append(f"#l{number} {{ animation: a{number} {duration_s:.2f}s step-end infinite }}")
            at = _percent(each.at_s, duration_s)
            rules.append(f"@keyframes a{number} {{ 0% {{ visibility: hidden }} {at} {{ visibility: visible }} }}")
    return "\n".join(rules)


def _percent(at_s: float, duration_s: float) -> str:
    return f"{100 * at_s / duration_s:.3f}%"


def _text(number: int, shown: _Shown) -> str:
    """A line as an SVG text. The position of each span is given, because fonts differ in width."""
    if not shown.line.text:
        return ""
    y = _PADDING - _CLIP + number * _LINE
    spans, column = [], 0
    for span in shown.line.spans:
        if span.text.strip():
            classes = f"{span.color if span.color in _COLORS else 'default'}{' b' if span.is_bold else ''}"
            text = span.text.rstrip()
            x, length = _PADDING + column * _CHARACTER, len(text) * _CHARACTER
            spans.append(
                f'<tspan x="{x:.1f}" textLength="{length:.1f}" lengthAdjust="spacing" class="{classes}">{escape(text)}</tspan>'
            )
        column += len(span.text)
    return f'<text id="l{number}" y="{y}">{"".join(spans)}</text>'
