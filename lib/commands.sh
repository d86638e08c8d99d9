# shellcheck shell=bash
# What a person types, as it is typed here: to go on, or to ask how far it is.

interrupted() {
  say ''
  say 'Interrupted. The same command goes on from here.'
  # shellcheck disable=SC2119
  say "    $(resume_command)"
}

# What a person types to go on with the very same thing, from anywhere: the folder, the settings that
# were given, and those that are named here, the options. A value that holds a password is left to the
# person's own variable.
# shellcheck disable=SC2120  # preflight names a setting
resume_command() { # [SETTING=VALUE...]
  local name given=''
  for name in $(setting_names) HF_HOME HF_HUB_CACHE TMPDIR CUDA_VISIBLE_DEVICES PIP_INDEX_URL UV_INDEX_URL; do
    is_exported "$name" || continue
    if [[ ${!name} == *://*@* ]]; then
      given+="$name=\"\$$name\" "
    else
      printf -v given '%s%s=%q ' "$given" "$name" "${!name}"
    fi
  done
  printf 'cd %q && %s%sbash %q%s' "$PWD" "$given" "${*/%/ }" "$(eval_setup_path)" "$RESUME_OPTIONS"
}

# This program, as it is named from here.
eval_setup_path() { if [[ $PWD == "$ROOT" ]]; then printf eval_setup.sh; else printf '%s' "$ROOT/eval_setup.sh"; fi; }

# eval_setup_command WORDS: as it is typed here, for the same STATE_DIR.
eval_setup_command() {
  if is_exported STATE_DIR; then printf 'STATE_DIR=%q ' "$STATE_DIR"; fi
  printf 'bash %q %s' "$(eval_setup_path)" "$*"
}
