"""The ratios and their goals as horizontal bars."""
import pygal
from pygal.style import CleanStyle


def draw(rows, facts):
    """An SVG document. The scale is logarithmic: half the time is as far from 1 as twice the time."""
    shown = [row for row in rows if not row.failed and row.reference is not None and row.ratio()][::-1]
    chart = pygal.HorizontalBar(
        title="libvfs: time against the reference (1 = equal; shorter is faster)",
        style=CleanStyle(title_font_size=18, label_font_size=11, legend_font_size=13),
        logarithmic=True, width=1100, height=160 + 34 * max(1, len(shown)), legend_at_bottom=True,
        legend_at_bottom_columns=2, js=[], truncate_label=-1, show_minor_y_labels=True,
        x_title=f"{facts['processor']}, {facts['cores']} cores, Linux {facts['kernel']}; {facts['date']}, "
                f"commit {facts['commit']}" + (", --quick" if facts["quick"] else ""),
        formatter=lambda value: f"{value:.2f}x")
    chart.x_labels = [f"{row.what} ({row.reference})" for row in shown]
    chart.add("goal", [row.goal.limit if row.goal and row.goal.kind == "ratio" else None for row in shown])
    chart.add("libvfs", [{"value": row.ratio(), "color": colour(row)} for row in shown])
    return chart.render()


def colour(row):
    return {"missed": "#c0504d", "reached": "#4f9d5d"}.get(row.verdict(), "#7f7f7f")
