"""Success rates as a drawing: one line for each network, how far an attack may go against how many photos it fools.

Must not import anything but the standard library: an SVG is text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 400, 64, 56, 24, 24
_COLOURS = ("#0b6", "#c33", "#36c", "#a60", "#63a")

Line = Sequence[tuple[float, float]]
"""(how far the attack may go, share of the photos that it fools), from left to right."""


def curves(lines: Mapping[str, Line], *, reach: str) -> str:
    """Draw success rates.

    Args:
        lines: By what they are called. Places along the axis are as far apart as they are in the list, since bounds are
            usually doubled.
        reach: What the horizontal axis says.

    Returns:
        An SVG.

    Example:
        >>> curves({"mine": [(1, 0.2), (2, 0.9)]}, reach="levels of 255").startswith("<svg")
        True
    """
    bounds = sorted({bound for line in lines.values() for bound, _ in line})
    across = (_WIDTH - _LEFT - _RIGHT) / max(1, len(bounds) - 1)
    down = _HEIGHT - _TOP - _BOTTOM

    def place(bound: float, share: float) -> tuple[float, float]:
        return round(_LEFT + across * bounds.index(bound), 1), round(_TOP + down * (1 - share), 1)

    parts = []
    for percent in range(0, 101, 25):
        _, y = place(bounds[0], percent / 100)
        parts.append(f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#ccc"/>')
        parts.append(_text(_LEFT - 8, y + 5, f"{percent} %", "end"))
    parts += [_text(place(bound, 0)[0], _HEIGHT - _BOTTOM + 20, f"{bound:g}", "middle") for bound in bounds]
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, reach, "middle"))
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [place(bound, share) for bound, share in line]
        parts.append(f'<polyline points="{" ".join(f"{x},{y}" for x, y in places)}" fill="none" stroke="{colour}" '
                     'stroke-width="3"/>')  # fmt: skip
        parts += [f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>' for x, y in places]
        parts.append(_text(_WIDTH - _RIGHT - 8, _HEIGHT - _BOTTOM - 12 - 20 * number, name, "end", colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" font-family="sans-serif" font-size="15"><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#222") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
