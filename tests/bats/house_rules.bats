#!/usr/bin/env bats
# Rules that keep the shell code honest, each learnt from a fault.

load helpers

setup() { make_home; }
teardown() { remove_home; }

code() { sed 's/^[[:space:]]*#.*//; s/[[:space:]]# .*//' "$ROOT"/eval_setup.sh "$ROOT"/eval_setup_config.sh "$ROOT"/lib/*.sh; }

@test "every step has its four functions" {
  load_settings
  for step in $(setup_sh --list); do
    for part in describe probe apply verify; do
      declare -F "${step}_$part"
    done
  done
}

@test "no grep -q behind a pipe: under pipefail it fails by chance" {
  run grep -nE '\|[[:space:]]*grep (-[a-zA-Z]*)?q' <(code)
  [ -z "$output" ]
}

@test "no eval, no download piped into a shell, no plain http, no chmod 777" {
  run grep -nE '(^|[^-])\beval\b[[:space:]]+["$]|\|[[:space:]]*(ba|da|z)?sh\b|http://|chmod .*777' <(code)
  [ -z "$output" ]
}

@test "sudo is called in one place, and so is apt-get" {
  run grep -lE '(^|[^a-z_"-])sudo[[:space:]]+-' "$ROOT"/eval_setup.sh "$ROOT"/lib/*.sh
  [ "$output" = "$ROOT/lib/root.sh" ]
  run grep -lE '(^|[^a-z_"-])apt-get[[:space:]]+-' "$ROOT"/eval_setup.sh "$ROOT"/lib/*.sh
  [ "$output" = "$ROOT/lib/system_deps.sh" ]
}

@test "no shell start-up file, no git credential helper, no .python-version" {
  run grep -nE '\.bashrc|\.profile|credential\.helper|\.python-version|git config' <(code)
  [ -z "$output" ]
}

@test "steps are never run under if, ||, && or !" {
  run grep -nE '(if|!|\|\||&&)[[:space:]]+"?\$\{?[a-z1]+\}?_(apply|verify)|_(apply|verify)"?[[:space:]]*(\|\||&&)' <(code)
  [ -z "$output" ]
}

@test "every pinned download has a sha256, every requirement a hash" {
  grep -qE '^RUSTUP_SHA256=[0-9a-f]{64}$' "$ROOT/eval_setup_config.sh"
  grep -qE '\bFLASH_ATTN_SHA256:=[0-9a-f]{64}\}' "$ROOT/eval_setup_config.sh"
  for lock in "$ROOT"/requirements/*.lock; do
    awk '/^[a-z0-9].*==/ {if (open) exit 1; open = 1} /--hash=sha256:/ {open = 0} END {exit open}' "$lock"
  done
}

@test "the tests run with the very packages of the evaluation" {
  run comm -23 <(grep -E '^[a-z0-9].*==' "$ROOT/requirements/eval.lock" | sort) \
    <(grep -E '^[a-z0-9].*==' "$ROOT/requirements/test.lock" | sort)
  [ -z "$output" ]
}

@test "versions named twice agree" {
  load_settings
  for pin in "torch==$TORCH_VERSION" "sigil-pipeline==$PIPELINE_VERSION" "sigilderg-finetuner==$FINETUNER_VERSION" \
    "human-eval-rust==$HUMAN_EVAL_VERSION"; do
    grep -qF "$pin " "$ROOT/requirements/eval.lock"
  done
  [[ $RUST_BUILD == "rustc $RUST_VERSION "* ]]
}

@test "scripts end with main, so a truncated one does nothing" {
  for script in eval_setup.sh tests/run.sh deploy/start.sh deploy/release.sh; do
    [ "$(tail -n 1 "$ROOT/$script")" = 'main "$@"' ]
  done
}

@test "no configuration variable is unused" {
  while read -r variable; do
    grep -rqE "\\$\{?$variable\b|\(.*\b$variable\b|[A-Z_]=.*\b$variable\b" "$ROOT"/eval_setup.sh "$ROOT"/lib "$ROOT"/eval_setup_config.sh || {
      echo "unused: $variable"
      return 1
    }
  done < <(sed -nE 's/^([A-Z_]+)=.*/\1/p; s/^ *: "\$\{([A-Z_]+):=.*/\1/p' "$ROOT/eval_setup_config.sh" | sort -u)
}

@test "no shell function is longer than 30 lines" {
  run awk '/^[a-z_0-9]+\(\) [{(]$/ {name = $1; start = FNR} /^[})]/ && name {if (FNR - start + 1 > 30) print FILENAME, name; name = ""}' \
    "$ROOT"/eval_setup.sh "$ROOT"/lib/*.sh "$ROOT"/tests/run.sh "$ROOT"/tests/provisioning/run.sh "$ROOT"/deploy/*.sh
  [ -z "$output" ]
}
