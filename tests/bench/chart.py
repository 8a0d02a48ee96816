"""The ratios and their goals as horizontal bars."""
import pygal
from pygal.style import CleanStyle

GOAL, REACHED, MISSED, NO_GOAL = "#b9c6d6", "#4f9d5d", "#c0504d", "#7f7f7f"
MARKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]


def draw(rows, facts):
    """An SVG document. The scale is logarithmic: half the time is as far from 1 as twice the time."""
    shown = [row for row in rows if not row.failed and row.reference is not None and row.ratio()][::-1]
    figures = [row.ratio() for row in shown] + [limit(row) for row in shown if limit(row)] + [1]
    low = max((mark for mark in MARKS if mark < min(figures)), default=MARKS[0])
    high = min((mark for mark in MARKS if mark > max(figures)), default=MARKS[-1])
    chart = pygal.HorizontalBar(
        title="libvfs: time against the reference, which is 1; shorter is faster",
        style=CleanStyle(title_font_size=17, label_font_size=11, legend_font_size=12, major_label_font_size=11,
                         colors=(GOAL, REACHED), opacity="1"),
        logarithmic=True, range=(low, high), zero=low, width=1200, height=150 + 32 * max(1, len(shown)),
        legend_at_bottom=True, legend_at_bottom_columns=1, js=[], truncate_label=-1, truncate_legend=-1,
        x_title=f"{facts['processor']}, {facts['cores']} cores, Linux {facts['kernel']}",
        formatter=lambda value: f"{value:.3g}x")
    chart.y_labels = [mark for mark in MARKS if low <= mark <= high]
    chart.x_labels = [label(row) for row in shown]
    chart.add(f"goal  ({facts['date']}, commit {facts['commit']}{', --quick' if facts['quick'] else ''})",
              [limit(row) for row in shown])
    chart.add("libvfs: green if the goal is reached, red if it is missed, grey without a ratio as goal",
              [{"value": row.ratio(), "color": colour(row)} for row in shown])
    return chart.render()


def limit(row):
    return row.goal.limit if row.goal and row.goal.kind == "ratio" else None


def label(row):
    turned = ", throughput: longer is faster" if row.goal and row.goal.least else ""
    return f"{row.what} ({row.reference}{turned})"


def colour(row):
    if limit(row) is None:
        return NO_GOAL
    return REACHED if row.verdict() == "reached" else MISSED
