"""The results as a Markdown table, JSON and a chart."""
import dataclasses
import json

from . import chart

UNITS = {"s": [(1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")],
         "B": [(2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")],
         "B/s": [(1e9, "GB/s"), (1e6, "MB/s")]}


@dataclasses.dataclass
class Others:
    """What else a reader has to know: who took part, who is missing and why, what was left out."""
    present: list
    absent: dict
    left_out: list


def amount(value, unit):
    if unit == "x":
        return f"{value:.2f}x"
    for size, name in UNITS[unit]:
        if value >= size:
            break
    shown = value / size
    return f"{shown:.0f} {name}" if shown >= 100 else f"{shown:.1f} {name}" if shown >= 10 else f"{shown:.2f} {name}"


def goal_text(row):
    if row.goal is None:
        return ""
    sign = "≥" if row.goal.least else "≤"
    return f"{sign} {row.goal.limit:.2f}x" if row.goal.kind == "ratio" else f"{sign} {amount(row.goal.limit, row.unit)}"


def spread_text(samples, unit):
    if len(samples.values) < 2:
        return f"{amount(samples.median, unit)} (once)" if unit != "x" else amount(samples.median, unit)
    low, high = samples.summary()["quartiles"]
    return f"{amount(samples.median, unit)} ({amount(low, unit)} – {amount(high, unit)})"


def ratio(value):
    return f"{value:.0f}x" if value >= 20 else f"{value:.2f}x" if value >= 0.1 else f"{value:.3f}x"


def ratio_text(row):
    if row.reference is None:
        return ""
    spread = row.ratio_spread()
    return ratio(row.ratio()) + (f" ({spread[0]:.2f} – {spread[1]:.2f})" if spread else "")


def line(row):
    """A row in a word or two, while the benchmark runs."""
    if row.failed:
        return f"{row.what}: failed: {row.failures or 'no figure'}"
    return f"{row.what}: {amount(row.samples[row.subject].median, row.unit)} {ratio_text(row)} " \
           f"{goal_text(row)} {row.verdict()}"


def count(rows):
    verdicts = [row.verdict() for row in rows]
    return f"{verdicts.count('reached')} goals reached, {verdicts.count('missed')} missed, " \
           f"{verdicts.count('failed')} failed"


def main_table(rows):
    lines = ["| work | against | there | libvfs | ratio | goal | |", "|---|---|---:|---:|---:|---:|---|"]
    for row in rows:
        if row.failed:
            why = "; ".join(f"{way}: {reason}" for way, reason in row.failures.items()) or "no figure"
            lines.append(f"| {row.what} | {row.reference or ''} | | | | {goal_text(row)} | failed: {why} |")
            continue
        there = spread_text(row.samples[row.reference], row.unit) if row.reference else ""
        verdict = "**missed**" if row.verdict() == "missed" else row.verdict()
        lines.append(f"| {row.what} | {row.reference or ''} | {there} | "
                     f"{spread_text(row.samples[row.subject], row.unit)} | {ratio_text(row)} | {goal_text(row)} | "
                     f"{verdict} |")
    return lines


def peer_tables(rows):
    """Ratios to the same reference, for rows that peers have a part in; a table for each group."""
    lines = []
    for group in dict.fromkeys(row.group for row in rows):
        shown = [row for row in rows if row.group == group and not row.failed and row.reference is not None and
                 set(row.samples) | set(row.failures) > set(row.needed())]
        ways = list(dict.fromkeys(way for row in shown for way in (*row.samples, *row.failures)
                                  if way not in row.needed()))
        if not shown:
            continue
        lines += ["", f"| {group} | libvfs | " + " | ".join(ways) + " |", "|---|---:|" + "---:|" * len(ways)]
        for row in shown:
            cells = [peer_cell(row, way) for way in ways]
            lines.append(f"| {row.what} | {ratio(row.ratio())} | " + " | ".join(cells) + " |")
    return lines


def peer_cell(row, way):
    if way in row.failures:
        return "left out" if row.failures[way].startswith("left out") else "failed"
    if way not in row.samples:
        return ""
    return ratio(row.ratio(way)) + (" (once)" if len(row.samples[way].values) == 1 else "")


def troubles(rows):
    found = {}
    for row in rows:
        for way, reason in row.failures.items():
            found.setdefault((row.group, way, reason), []).append(row.what)
    return [f"- {group}, {way}: {reason} ({len(rows_)} rows, first: {rows_[0]})"
            for (group, way, reason), rows_ in found.items()]


def markdown(rows, facts, others):
    lines = ["# Results of scripts/bench", ""]
    if facts["quick"]:
        lines += ["Taken with `--quick`: small inputs, few rounds. These figures decide nothing.", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items() if name not in ("quick", "group_seconds")]
    lines += [f"- peers that took part: {', '.join(others.present) or 'none'}"]
    lines += [f"- **peer that is missing**: {name}: {reason}" for name, reason in others.absent.items()]
    lines += [f"- **left out**: {what}" for what in others.left_out]
    lines += ["", f"Medians, quartiles in brackets; ratios are of single rounds, whose two sides "
              f"ran next to each other. {count(rows)}.", ""]
    lines += main_table(rows)
    lines += ["", "## Peers", "", "Each against the same reference as libvfs.", *peer_tables(rows)]
    notes = list(dict.fromkeys(f"- {row.group}: {note}" for row in rows for note in row.notes))
    if notes:
        lines += ["", "## Notes", "", *notes]
    failures = troubles(rows)
    if failures:
        lines += ["", "## What failed", "", *failures]
    return "\n".join(lines) + "\n"


def write(output, rows, facts, others):
    (output / "results.md").write_text(markdown(rows, facts, others))
    document = {"format": 1, "machine": facts, "peers": dataclasses.asdict(others),
                "rows": [row.as_json() for row in rows]}
    (output / "results.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    (output / "results.svg").write_bytes(chart.draw(rows, facts))
