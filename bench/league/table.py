"""Tables of Markdown, and numbers in them."""


def markdown(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def number(x):
    """Three digits that count; a dash for none."""
    return "-" if x is None else f"{x:.3g}"
