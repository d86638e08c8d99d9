# shellcheck shell=bash
# Deviations: what departs from the pinned environment, as rows of STATE_DIR/deviations.tsv: id, expected,
# actual, consequence. A step owns the rows whose id is its name, or starts with its name and a dot; preflight
# owns those of `platform`.

# deviation ID EXPECTED ACTUAL CONSEQUENCE: recorded; in a strict run, fatal unless accepted. The rows
# are sorted, so that they do not tell how often, and in which order, steps were run.
deviation() {
  local rows=$STATE_DIR/deviations.tsv
  {
    cat "$rows" 2>/dev/null || true
    printf '%s\t%s\t%s\t%s\n' "$@"
  } | LC_ALL=C sort >"$rows.part" || cannot_write "$rows"
  mv "$rows.part" "$rows"
  say "deviation $1: expected $2, have $3: $4"
  if ((STRICT)) && ! is_accepted "$1"; then
    die 3 "a strict run refuses this deviation. SKIP_ENV_CHECK=1 goes on and records it in every report."
  fi
}

# The differences that a lenient run goes on with, as deviations.
record_platform_deviations() {
  local kind id expected actual consequence _
  forget_deviations platform
  while IFS=$'\t' read -r kind id expected actual consequence _; do
    case $kind in
      differs) deviation "platform.$id" "$expected" "$actual" "$consequence" >/dev/null ;;
      fails | note) warn "$expected: $actual; $consequence" ;;
    esac
  done <<<"$PREFLIGHT_FINDINGS"
  print_deviations platform
}

is_accepted() { [[ " $ACCEPTED_DEVIATIONS " == *" $1 "* ]]; }

deviations_of() { deviation_rows "$1" 1; }
deviation_rows() { # STEP ITS_OWN
  [[ -f $STATE_DIR/deviations.tsv ]] || return 0
  awk -F'\t' -v step="$1" -v own="$2" '($1 == step || index($1, step ".") == 1) == own' "$STATE_DIR/deviations.tsv"
}

refused_deviations() {
  local id
  while IFS=$'\t' read -r id _; do
    is_accepted "$id" || printf '%s\n' "$id"
  done < <(deviations_of "$1")
}

forget_deviations() {
  [[ -f $STATE_DIR/deviations.tsv ]] || return 0
  deviation_rows "$1" 0 >"$STATE_DIR/deviations.tsv.part"
  mv "$STATE_DIR/deviations.tsv.part" "$STATE_DIR/deviations.tsv"
}

print_deviations() {
  local id expected actual consequence
  while IFS=$'\t' read -r id expected actual consequence; do
    say "    ${YELLOW}deviation${PLAIN} $id: expected $expected, have $actual"
    say "    ${DIM}$consequence${PLAIN}"
  done < <(deviations_of "$1")
}
