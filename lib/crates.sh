# shellcheck shell=bash
# The crates that a few problems use: where they come from, and how they are built.

crates_dir() { printf '%s/crates' "$(rust_home)"; }

# They are there, made by this compiler, or it is on record that they are not.
crates_are_made_or_missed() { stamped "$(crates_dir)/made-from" "$(rust_key)" || [[ -n $(deviations_of rust.crates) ]]; }

# All rlibs in one flat folder, replaced as a whole: they work with the very compiler that made them.
build_crates() {
  local target=$STATE_DIR/cache/crates folder
  folder=$(crates_dir)
  if ! stamped "$folder/made-from" "$(rust_key)"; then
    record_made folder "$folder"
    rm -rf "$folder" "$folder.part" "$target"
    mkdir -p "$folder.part"
    compile_crates "$target" && cp "$target"/release/deps/*.rlib "$folder.part" || return 1
    stamp "$folder.part/made-from" "$(rust_key)"
    mv "$folder.part" "$folder"
    rm -rf "$target"
  fi
  open_to_all "$folder"
}

compile_crates() (
  local rustc source
  rustc=$(rustc_path)
  mapfile -t source < <(crates_source)
  use_cargo_home "$1/cargo"
  CARGO_NET_RETRY=3 CARGO_HTTP_TIMEOUT=10 RUSTC=$rustc \
    "$(dirname "$rustc")/cargo" build --release --locked --manifest-path "$ROOT/crates/Cargo.toml" --target-dir "$1" "${source[@]}"
)

# use_cargo_home FOLDER: in this shell, from here on, with what its user has told cargo about the way to
# the crates. (A target, a wrapper or a profile would give other crates, in other places.) Not in the
# current folder: cargo reads settings from there and from all folders above it, such as HOME.
use_cargo_home() {
  mkdir -p "$1"
  cargo_network_settings >"$1/config.toml"
  leave_variables_behind
  cd /
  export CARGO_HOME=$1 RUSTUP_HOME=$1
}

# The tables of cargo's own settings that say where crates come from and how the network is reached.
cargo_network_settings() {
  local own=${CARGO_HOME:-$HOME/.cargo}/config
  [[ -f $own ]] || own+=.toml
  [[ -f $own ]] || return 0
  awk -v way='^[[:space:]"]*(source|registries|registry|http|net)["[:space:]]*' '
    /^[[:space:]]*\[/ && /\][[:space:]]*(#.*)?$/ {on = 0; table = 1; name = $0; sub(/^[[:space:]]*\[+/, "", name); if (name ~ way "[].]") on = 1}
    !table {on = $0 ~ way "[.=]"}
    on' "$own"
}

# cargo's words for CRATES_INDEX_URL, where crates do not come from crates.io.
crates_source() {
  [[ -n $CRATES_INDEX_URL ]] || return 0
  printf '%s\n' --config 'source.crates-io.replace-with="mirror"' --config
  if [[ -d $CRATES_INDEX_URL ]]; then
    printf 'source.mirror.directory="%s"\n' "$(realpath "$CRATES_INDEX_URL")"
  else
    printf 'source.mirror.registry="sparse+%s/"\n' "$(crates_index)"
  fi
}

crates_index() {
  local url=${CRATES_INDEX_URL:-https://index.crates.io}
  url=${url#sparse+}
  printf '%s' "${url%/}"
}

# Whether the registry knows our crates: asked by cargo where there is one, by curl where it is yet to
# be installed.
cargo_answers() {
  local rustc source folder code=0
  rustc=$(pinned_rustc)
  [[ -n $rustc ]] || {
    curl_answers "$1"
    return
  }
  mapfile -t source < <(crates_source)
  folder=$(mktemp -d)
  (
    use_cargo_home "$folder"
    CARGO_NET_RETRY=1 timeout "$ANSWER_SECONDS" "$(dirname "$rustc")/cargo" update --dry-run \
      --manifest-path "$ROOT/crates/Cargo.toml" "${source[@]}" >/dev/null 2>&1
  ) || code=1
  rm -rf "$folder"
  return "$code"
}
