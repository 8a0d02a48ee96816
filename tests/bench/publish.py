"""The results' place in the repository: all of them in tests/bench/results, a summary in the README."""
import re
import textwrap

from .laboratory import REPOSITORY
from .report import amount, goal_text, ratio

WORK = re.compile(r"/[^\s:']*libvfs-bench[^\s:'/]*")  # greedy: the innermost work directory
BEGIN, END = "<!-- scripts/bench --publish -->\n", "<!-- end of what scripts/bench wrote -->\n"


def figure(row):
    """In bold where the goal is missed."""
    if row.failed:
        return f"{row.short} **failed**".strip()
    value = ratio(row.ratio()) if row.goal is None or row.goal.kind == "ratio" else \
        amount(row.figure(), row.unit)
    return f"{row.short} {'**' + value + '**' if row.verdict() == 'missed' else value}".strip()


def summary(rows):
    """One line for each of the goals' lines. Goals that differ within one stand beside their figure."""
    lines = ["| work | against | measured, **missed goals in bold** | goal |", "|---|---|---|---|"]
    for line in dict.fromkeys(row.line or row.what for row in rows):
        parts = [row for row in rows if (row.line or row.what) == line]
        goals = list(dict.fromkeys(goal_text(row) for row in parts))
        figures = [figure(row) + (f" ({goal_text(row)})" if len(goals) > 1 else "") for row in parts]
        lines.append(f"| {line} | {parts[0].reference or ''} | {', '.join(figures)} | "
                     f"{goals[0] if len(goals) == 1 else ''} |")
    return lines


def section(rows, facts):
    build = f"{facts['compiler']}, {facts['build']}"
    kind, *options = facts["file system"].split()
    kind += " in a file" if "(--image)" in options else ""
    text = f"{facts['processor']}, {facts['cores']} cores, {facts['memory']}, Linux {facts['kernel']}, {kind}, " \
           f"{facts['system']}, {facts['user']}; {build}; commit {facts['commit']}, {facts['date']}. A ratio is " \
           "the median of the rounds' ratios; quartiles, times and all peers are in " \
           "[tests/bench/results](tests/bench/results/results.md), with a " \
           "[chart](tests/bench/results/results.svg)."
    return "\n".join([*textwrap.wrap(text, 110, break_long_words=False, break_on_hyphens=False), "",
                      *summary(rows)]) + "\n"


def publish(output, rows, facts):
    target = REPOSITORY / "tests/bench/results"
    target.mkdir(exist_ok=True)
    for name in ("results.md", "results.json", "results.svg"):
        # Where it was made is of no interest to others.
        (target / name).write_text(WORK.sub("WORK", (output / name).read_text()))
    readme = REPOSITORY / "README.md"
    text = readme.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if BEGIN not in text or END not in text:
        raise SystemExit(f"bench: README.md has no place for results: {BEGIN.strip()}")
    readme.write_text(f"{before}{BEGIN}\n{section(rows, facts)}\n{END}{after}")
