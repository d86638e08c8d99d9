# shellcheck shell=bash
# The evaluation driver: that it will do, with which arguments, and in which environment; and the command
# sigil-eval. The environment is made from a list, and everything that is called here gets it.

evaluation_describe() { say 'the command sigil-eval; and this very run, checked beforehand by the driver'; }

evaluation_probe() {
  if [[ ! -x $VENV_DIR/bin/sigil-eval ]]; then
    say 'sigil-eval is not installed yet'
    return 1
  fi
  if ! stamped "$(provisioned_file)" "$(provisioned)" || ! stamped "$(own_command)" "$(launcher)" ||
    [[ ! -x $(own_command) ]] || ! link_is_settled; then
    say 'the command sigil-eval is yet to be made, or to be made anew'
    return 1
  fi
  if ! stamped "$STATE_DIR/evaluation.stamp" "$(evaluation_key)"; then
    say 'the driver has not checked this run yet'
    return 1
  fi
  say "$(own_command) is there, and the driver has checked this run"
}

evaluation_apply() {
  stamp "$(provisioned_file)" "$(provisioned)"
  mkdir -p "$STATE_DIR/bin"
  stamp "$(own_command)" "$(launcher)"
  chmod +x "$(own_command)"
  link_command
}

# What is proved is the call that is going to be made, all but what costs time.
evaluation_verify() {
  "$(own_command)" --version
  driver_command
  scoring_environment "${DRIVER[@]}" --check
  stamp "$STATE_DIR/evaluation.stamp" "$(evaluation_key)"
}

# What that check depends on. A machine that was restarted may have come up without its GPU.
evaluation_key() {
  driver_command
  {
    printf '%s\n' "${DRIVER[@]}" "$(venv_key)" "$(provisioned)" "$(boot_id)" "${CUDA_VISIBLE_DEVICES-all}"
    cat "$STATE_DIR"/{deviations.tsv,models.tsv,rust.stamp,sandbox.stamp} 2>/dev/null || true
    find "$ROOT/src" "$ROOT/scripts" -name '*.py' -printf '%p %s %T@\n' | LC_ALL=C sort
  } | sha256sum
}

# What sigil-eval finds by itself, from any shell: see src/sigil_eval/provisioned.py.
provisioned_file() { printf '%s' "$VENV_DIR/sigilderg.env"; }
provisioned() {
  printf '%s=%s\n' rustc "$(rustc_path)" crates "$(crates_dir)" sandbox_user "$SANDBOX_USER" state_dir "$STATE_DIR" \
    vllm_python "$(realpath -m "$VLLM_VENV_DIR")/bin/python" checkout "$ROOT"
}

# The command for people. What PYTHONPATH names, or a user has installed, is not what was locked.
own_command() { printf '%s' "$STATE_DIR/bin/sigil-eval"; }
launcher() {
  printf '#!/bin/bash -p\n# Made by eval_setup.sh.\nexec %q -I %q "$@"\n' "$VENV_DIR/bin/python" "$VENV_DIR/bin/sigil-eval"
}

# Where shells look for it; root's do not in its home.
command_link() { if [[ $HOME == /root ]]; then printf /usr/local/bin/sigil-eval; else printf '%s' "$HOME/.local/bin/sigil-eval"; fi; }

# It is there, something else is, or nothing can be put there.
link_is_settled() {
  local link
  link=$(command_link)
  [[ -e $link || -L $link || ! -w $(existing_parent "$(dirname "$link")") ]]
}

link_command() {
  local link
  link=$(command_link)
  if [[ (-e $link || -L $link) && $(readlink "$link") != "$(own_command)" ]]; then
    say "$link is not ours, and is left. The command is $(own_command)"
    return 0
  fi
  made link "$link"
  { mkdir -p "$(dirname "$link")" && ln -sfn "$(own_command)" "$link"; } || say "$link cannot be made. The command is $(own_command)"
}

# Runs a command with what the scorer needs to know about this machine: the check as the run.
scoring_environment() {
  SIGIL_RUSTC=$(rustc_path) SIGIL_CRATES_DIR=$(crates_dir) SIGIL_SANDBOX_USER=$SANDBOX_USER \
  SIGIL_VLLM_PYTHON=$VLLM_VENV_DIR/bin/python PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1 "$@"
}

# The driver's command line, one word a line of the array DRIVER.
driver_command() {
  DRIVER=("$VENV_DIR/bin/python" "$ROOT/scripts/evaluate_humaneval.py"
    --base-model "$BASE_MODEL" --checkpoint-path "$CHECKPOINT_PATH"
    --num-samples "$NUM_SAMPLES" --k-values "$K_VALUES" --seed "$SEED"
    --sandbox-mode "$SANDBOX_MODE" --price-per-hour "$PRICE_PER_HOUR"
    --output-dir "$OUTPUT_DIR" --provision-state "$STATE_DIR" --accepted-deviations "$ACCEPTED_DEVIATIONS")
  [[ -z $BATCH_SIZE ]] || DRIVER+=(--batch-size "$BATCH_SIZE")
  [[ -z $N_WORKERS ]] || DRIVER+=(--n-workers "$N_WORKERS")
  if [[ $SANDBOX_MODE == none ]]; then DRIVER+=(--allow-no-sandbox); fi # confirm_no_sandbox has asked
  if ((DEMO)); then DRIVER+=(--demo); fi
  if ((STRICT)); then DRIVER+=(--strict); else DRIVER+=(--no-strict); fi
}

# The variables that count. All others stay behind, before anything is run: of what is exported in a
# shell, much bends a tool that is called here (PYTHONPATH, LD_LIBRARY_PATH, PIP_USER, CARGO_BUILD_TARGET,
# CC, GIT_DIR ...), and what was set up and evaluated would not be what is pinned.
PASSED_ON=(
  # who and where
  HOME USER LOGNAME SHELL PATH PWD TERM NO_COLOR TZ TMPDIR TMUX_TMPDIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR
  # the way out: proxies and certificates
  '*_proxy' '*_PROXY' SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GIT_SSL_CAINFO GIT_SSL_CAPATH
  PIP_CERT PIP_CLIENT_CERT
  # mirrors, and how to ask them
  PIP_CONFIG_FILE PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_NO_INDEX PIP_FIND_LINKS PIP_DEFAULT_TIMEOUT
  PIP_TIMEOUT PIP_RETRIES PIP_KEYRING_PROVIDER
  UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_INDEX 'UV_INDEX_*' UV_INSECURE_HOST UV_KEYRING_PROVIDER UV_NO_INDEX UV_FIND_LINKS
  UV_OFFLINE 'UV_HTTP_*' 'UV_CONCURRENT_*' UV_CACHE_DIR UV_LINK_MODE UV_NATIVE_TLS UV_SYSTEM_CERTS UV_NO_PROGRESS
  UV_CONFIG_FILE UV_NO_CONFIG
  CARGO_HOME 'CARGO_HTTP_*' 'CARGO_NET_*' 'CARGO_REGISTR*' RUSTUP_HOME PYENV_ROOT APT_LOCK_TIMEOUT
  # models: the hub's cache by all its names
  HF_TOKEN HUGGING_FACE_HUB_TOKEN HF_TOKEN_PATH HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE HF_HUB_OFFLINE TRANSFORMERS_OFFLINE
  HF_HUB_DOWNLOAD_TIMEOUT HF_HUB_ETAG_TIMEOUT HF_HUB_DISABLE_XET 'HF_XET_*'
  # devices, and a cache for those who compile often
  CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER CCACHE_DIR CCACHE_BASEDIR CCACHE_NOHASHDIR
)

# The names of the settings, which pass as well.
setting_names() { sed -n 's/^ *: "${\([A-Z0-9_]*\):\{0,1\}=.*/\1/p' "$ROOT/eval_setup_config.sh" | sort -u; }

passes() {
  local pattern
  for pattern in "${PASSED_ON[@]}"; do
    # shellcheck disable=SC2053  # it is a pattern
    [[ $1 != $pattern ]] || return 0
  done
  return 1
}

# From here on no program sees them. One language, too: what tools say is read here.
leave_behind() {
  local name
  local -A settings=()
  for name in $(setting_names); do settings[$name]=1; done
  for name in $(compgen -e); do
    [[ -n ${settings[$name]:-} ]] || passes "$name" || export -n "${name?}"
  done
  export PYTHONNOUSERSITE=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C.UTF-8
  umask 022 # the sandbox's user has to read what root makes
}

# In the session: what counts was written down by whoever started it, and the tmux server may be older.
forget_passed_on() {
  local name
  for name in $(compgen -e) $(setting_names); do
    case $name in HOME | PATH | PWD | SHELL | TERM | STATE_DIR | LC_ALL | PYTHONNOUSERSITE | GIT_TERMINAL_PROMPT) ;;
    *) unset "$name" ;;
    esac
  done
}

is_exported() { [[ -n ${!1+set} && ${!1@a} == *x* ]]; }

# What the session needs to know of what was settled here, besides the settings.
SETTLED=(DEMO STRICT YES FORCE_STEP RESUME_OPTIONS OFFLINE_PACKAGES STEPS_DONE LOG_OFFSET BEGUN)

# Writes the file that the session reads and deletes: 0600, because HF_TOKEN may be in it, and `tmux -e`
# would show a token to everyone.
write_session_file() {
  local file=$1
  rm -f "$file"
  (
    umask 077
    {
      printf 'cd %q\n' "$PWD"
      print_environment
      driver_command
      print_array CHOSEN_STEPS "${CHOSEN_STEPS[@]}"
      print_array DRIVER "${DRIVER[@]}"
    } >"$file"
  )
}

# What was exported is exported again, and what was not is not: see resume_command.
print_environment() {
  local name
  for name in $(compgen -e); do
    case $name in PWD | TERM) continue ;; esac
    ! passes "$name" || printf 'export %s=%q\n' "$name" "${!name}"
  done
  for name in $(setting_names) "${SETTLED[@]}"; do
    [[ -n ${!name+set} ]] || continue
    if is_exported "$name"; then printf 'export '; fi
    printf '%s=%q\n' "$name" "${!name}"
  done
}

print_array() {
  local name=$1
  shift
  printf '%s=(' "$name"
  (($# == 0)) || printf '%q ' "$@"
  printf ')\n'
}
