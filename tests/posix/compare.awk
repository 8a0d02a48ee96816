# Compares what a family printed natively (second file) with what it printed in a workspace (third),
# case by case. The first file lists what is known to differ:
#
#   WHERE <tab> CASE <tab> reason       WHERE: base/user; both may be *, and so may parts of CASE
#   WHERE <tab> ~TEXT~OTHER <tab> reason   in any case, a line with TEXT may have OTHER instead
#
# Prints FAIL WHERE: CASE: the first lines that differ; one PASS WHERE (N cases) if none failed; and
# KNOWN N for each line N of the list that was needed.
function glob_match(text, pattern) {
  gsub(/[][\\.^$+?(){}|]/, "\\\\&", pattern)
  gsub(/\*/, ".*", pattern)
  return text ~ "^" pattern "$"
}

FILENAME == ARGV[1] {
  if ($0 ~ /^#/ || $0 == "" || !glob_match(short, $1)) next
  if (split($2, part, "~") == 3) {
    allowed[part[2]] = part[3]
    line_of[part[2]] = FNR
  } else {
    known[FNR] = $2
  }
  next
}
{
  text = substr($0, length($1) + 2)
  if (NF < 2) text = "stray: " $0
  if (!($1 in native) && !($1 in virtual)) order[++count] = $1
  if (FILENAME == ARGV[2]) native[$1] = native[$1] text "\n"
  else virtual[$1] = virtual[$1] text "\n"
}

# Whether the lines that differ do so only in what is allowed.
function allowed_only(one, other,    a, b, i, n, m, from, line, used) {
  n = split(one, a, "\n")
  m = split(other, b, "\n")
  if (n != m) return 0
  for (i = 1; i <= n; ++i) {
    line = a[i]
    for (from in allowed) {
      if (line != b[i] && sub(from, allowed[from], line)) used[from] = 1
    }
    if (line != b[i]) return 0
  }
  for (from in used) print "KNOWN " line_of[from]
  return 1
}

# Whether the case is on the list.
function is_known(name,    line) {
  for (line in known) {
    if (!glob_match(name, known[line])) continue
    print "KNOWN " line
    return 1
  }
  return 0
}

# The first lines that only one of two texts has.
function differing(one, other,    a, b, i, n, m, seen, out, shown) {
  n = split(one, a, "\n")
  m = split(other, b, "\n")
  for (i = 1; i <= m; ++i) seen[b[i]] += 1
  for (i = 1; i <= n && shown < 4; ++i) {
    if (seen[a[i]]-- > 0) continue
    out = out (out == "" ? "" : " | ") a[i]
    shown += 1
  }
  return out == "" ? "(nothing)" : out
}

END {
  for (i = 1; i <= count; ++i) {
    name = order[i]
    if (native[name] == virtual[name]) continue
    if (allowed_only(native[name], virtual[name]) || is_known(name)) continue
    failed += 1
    print "FAIL " where ": " name ": native " differing(native[name], virtual[name]) \
      " BUT VIRTUAL " differing(virtual[name], native[name])
  }
  if (count == 0) print "FAIL " where ": no cases ran"
  else if (failed == 0) print "PASS " where " (" count " cases)"
}
