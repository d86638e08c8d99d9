# shellcheck shell=bash
# The command sigil-eval, for people: from any shell, with what was provisioned.

sigil_eval_is_made() {
  stamped "$(provisioned_file)" "$(provisioned_values)" && stamped "$(sigil_eval_path)" "$(sigil_eval_launcher)" &&
    [[ -x $(sigil_eval_path) ]] && link_needs_nothing
}

make_sigil_eval() {
  stamp "$(provisioned_file)" "$(provisioned_values)"
  mkdir -p "$STATE_DIR/bin"
  stamp "$(sigil_eval_path)" "$(sigil_eval_launcher)"
  chmod +x "$(sigil_eval_path)"
  link_sigil_eval
}

# What PYTHONPATH names, or a user has installed, is not what was locked.
sigil_eval_path() { printf '%s' "$STATE_DIR/bin/sigil-eval"; }
sigil_eval_launcher() {
  printf '#!/bin/bash -p\n# Made by eval_setup.sh.\nexec %q -I %q "$@"\n' "$VENV_DIR/bin/python" "$VENV_DIR/bin/sigil-eval"
}

# What sigil-eval finds by itself, from any shell: see src/sigil_eval/provisioned.py.
provisioned_file() { printf '%s' "$VENV_DIR/sigilderg.env"; }
provisioned_values() {
  printf '%s=%s\n' rustc "$(rustc_path)" crates "$(crates_dir)" sandbox_user "$SANDBOX_USER" state_dir "$STATE_DIR" \
    vllm_python "$(realpath -m "$VLLM_VENV_DIR")/bin/python" checkout "$ROOT"
}

# Where shells look for it; root's do not in its home.
sigil_eval_link() { if [[ $HOME == /root ]]; then printf /usr/local/bin/sigil-eval; else printf '%s' "$HOME/.local/bin/sigil-eval"; fi; }

# It is there, something else is, or nothing can be put there.
link_needs_nothing() {
  local link
  link=$(sigil_eval_link)
  [[ -e $link || -L $link || ! -w $(existing_parent "$(dirname "$link")") ]]
}

link_sigil_eval() {
  local link
  link=$(sigil_eval_link)
  if [[ (-e $link || -L $link) && $(readlink "$link") != "$(sigil_eval_path)" ]]; then
    say "$link is not ours, and is left. The command is $(sigil_eval_path)"
    return 0
  fi
  record_made link "$link"
  { mkdir -p "$(dirname "$link")" && ln -sfn "$(sigil_eval_path)" "$link"; } || say "$link cannot be made. The command is $(sigil_eval_path)"
}

# As it can be typed here.
sigil_eval_as_typed() {
  local found own=$STATE_DIR/bin/sigil-eval
  [[ -x $own ]] || own=$VENV_DIR/bin/sigil-eval
  found=$(type -P sigil-eval) || true
  if [[ -n $found && $(realpath "$found") == "$(realpath -m "$own")" ]]; then
    printf sigil-eval
  else
    printf '%q' "$own"
  fi
}
