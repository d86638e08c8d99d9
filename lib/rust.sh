# shellcheck shell=bash
# The Rust toolchain that judges, and the crates that a few problems use.

# As root both go where the sandbox user can read them, else into STATE_DIR. (/var, /opt and /srv
# are hidden inside the sandbox, so they are no place for either.)
rust_home() { if ((EUID == 0)); then printf '%s' "$ROOT_PREFIX"; else printf '%s' "$STATE_DIR/rust"; fi; }

# STATE_DIR/rust.path names the compiler that was chosen.
rustc_path() { cat "$STATE_DIR/rust.path" 2>/dev/null || true; }
crates_dir() { printf '%s/crates' "$(rust_home)"; }

rust_describe() { say "Rust $RUST_VERSION and the crates rand, regex and md5"; }

rust_key() { printf '%s %s' "$("$(rustc_path)" --version)" "$(sha256_of "$ROOT/crates/Cargo.lock")"; }

rust_probe() {
  if [[ ! -x $(rustc_path) ]]; then
    say "Rust $RUST_VERSION is yet to be found or installed"
    return 1
  fi
  if ! stamped "$STATE_DIR/rust.stamp" "$(rust_key)"; then
    say 'not proved yet, or the compiler or the crates have changed'
    return 1
  fi
  if ! crates_are_settled; then
    say "the crates in $(crates_dir) are gone"
    return 1
  fi
  if [[ -n $(deviations_of rust) ]] && can_install_rust; then
    say "it was done without $(deviations_of rust | cut -f2 | sed -n 1p), which can be had now"
    return 1
  fi
  say "$("$(rustc_path)" --version), $(rustc_path)"
}

# They are there, made by this compiler, or it is on record that they are not.
crates_are_settled() { stamped "$(crates_dir)/made-from" "$(rust_key)" || [[ -n $(deviations_of rust.crates) ]]; }

# Whether what a deviation did without can be had by now.
can_install_rust() {
  local client address
  while IFS=$'\t' read -r _ client address; do
    answers "$client" "$address" || return 1
  done < <(rust_needs)
}

rust_needs() {
  if [[ -z $(pinned_rustc) ]]; then
    need fails curl "$RUSTUP_URL"
    need fails curl "$(rust_manifest_url)"
  fi
  [[ -d $CRATES_INDEX_URL ]] || need fails cargo "$(crates_index)/config.json"
}

rust_manifest_url() { printf '%s/dist/channel-rust-%s.toml.sha256' "$RUSTUP_DIST_SERVER" "$RUST_VERSION"; }

crates_index() {
  local url=${CRATES_INDEX_URL:-https://index.crates.io}
  url=${url#sparse+}
  printf '%s' "${url%/}"
}

rust_apply() {
  local rustc
  rustc=$(pinned_rustc)
  # Another compiler is taken only where the pinned one cannot be had, not where installing it failed.
  if [[ -z $rustc ]] && answers curl "$RUSTUP_URL" && answers curl "$(rust_manifest_url)"; then
    install_rustup_toolchain
    rustc=$(pinned_rustc)
  fi
  if [[ -z $rustc ]]; then
    rustc=$(any_rustc)
    [[ -n $rustc ]] || die 3 "there is no Rust here, and neither $RUSTUP_DIST_SERVER nor apt has one." \
      "Install Rust $RUST_VERSION, or set RUSTUP_URL and RUSTUP_DIST_SERVER to a mirror."
    deviation rust "$RUST_BUILD" "$("$rustc" --version)" 'another compiler may accept other programs'
  fi
  stamp "$STATE_DIR/rust.path" "$(settle_rustc "$rustc")"
  rm -rf "$(rustup_folder)"
  build_crates || deviation rust.crates 'crates rand 0.4.6, regex 1.7.1, md5 0.7.0' 'none: the registry did not give them' \
    'the five problems that need them are reported as unscorable'
}

# A program is compiled and run, with a crate when there are crates.
rust_verify() {
  local folder rustc
  rustc=$(rustc_path)
  compiles "$rustc"
  folder=$(folder_for_programs)
  if [[ -d $(crates_dir) ]]; then
    printf 'fn main() { println!("{:%s}", md5::compute("a")); }\n' x >"$folder/crate.rs"
    "$rustc" --edition 2021 -L "dependency=$(crates_dir)" --extern "md5=$(echo "$(crates_dir)"/libmd5-*.rlib)" \
      -o "$folder/crate" "$folder/crate.rs"
    [[ $("$folder/crate") == 0cc175b9c0f1b6a831c399e269772661 ]]
  fi
  rm -rf "$folder"
  crates_are_settled || die 1 "the crates are not in $(crates_dir)"
  stamp "$STATE_DIR/rust.stamp" "$(rust_key)"
}

# A toolchain that was only half unpacked has a compiler that tells its version and nothing more.
compiles() {
  local folder code=0
  folder=$(folder_for_programs) || return 1
  printf 'fn main() { println!("{}", (1..=4).product::<u32>()); }\n' >"$folder/hello.rs"
  "$1" --edition 2021 -o "$folder/hello" "$folder/hello.rs" >&2 && [[ $("$folder/hello") == 24 ]] || code=1
  rm -rf "$folder"
  return "$code"
}

# "VERSION<TAB>PATH" of every released rustc here. rustup's rustc is a shim that works for its owner
# only, so the toolchains beside it are looked at instead; asked, it might download or write.
find_rustcs() {
  local candidate version sysroot
  {
    printf '%s\n' "$(rust_home)"/toolchain-*/bin/rustc "$(rustup_folder)"/rustup/toolchains/*/bin/rustc \
      "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/bin/rustc
    type -aP rustc | while read -r candidate; do
      printf '%s\n' "$(dirname "$candidate")"/../../.rustup/toolchains/*/bin/rustc
      [[ ! -e $(dirname "$candidate")/rustup ]] || continue
      sysroot=$("$candidate" --print sysroot 2>/dev/null) && printf '%s\n' "$sysroot/bin/rustc"
    done || true
    printf '%s\n' /usr/lib/rust-*/bin/rustc /usr/bin/rustc
  } | while read -r candidate; do
    [[ -x $candidate && -x $(dirname "$candidate")/cargo ]] || continue
    version=$("$candidate" --version 2>/dev/null) || continue
    [[ $version == *nightly* || $version == *beta* ]] || printf '%s\t%s\n' "$version" "$(realpath -s "$candidate")"
  done | awk '!seen[$0]++'
}

pinned_rustc() {
  local version rustc
  while IFS=$'\t' read -r version rustc; do
    if [[ $version == "$RUST_BUILD" ]] && compiles "$rustc" 2>/dev/null; then
      printf '%s\n' "$rustc"
      return 0
    fi
  done < <(find_rustcs)
}
newest_rustc() { find_rustcs | sort -V | tail -n 1 | cut -f2; }

install_rustup_toolchain() {
  local installer=$STATE_DIR/cache/rustup-init-$RUSTUP_VERSION
  fetch "$RUSTUP_URL" "$RUSTUP_SHA256" "$installer"
  chmod +x "$installer"
  rm -rf "$(rustup_folder)"
  (
    use_cargo_home "$(rustup_folder)/cargo"
    RUSTUP_HOME=$(rustup_folder)/rustup RUSTUP_DIST_SERVER=$RUSTUP_DIST_SERVER RUSTUP_INIT_SKIP_PATH_CHECK=yes \
      "$installer" -y --no-modify-path --profile minimal --component clippy --default-toolchain "$RUST_VERSION"
  )
}

# Where rustup unpacks. The toolchain moves on from there; the rest goes.
rustup_folder() { printf '%s/cache/rustup' "$STATE_DIR"; }

# A strict run takes none of these. Debian 12 keeps a recent compiler as rustc-web, Ubuntu as rustc-1.NN.
any_rustc() {
  local package
  if [[ $STRICT == 0 && -z $(newest_rustc) ]]; then
    for package in rustc-web "$(newest_versioned_rustc)" rustc; do
      [[ -n $package ]] || continue
      apt_install "$package" "${package/rustc/cargo}" >&2 && break
    done
  fi
  newest_rustc
}

newest_versioned_rustc() { apt-cache search --names-only '^rustc-1\.[0-9]+$' | cut -d' ' -f1 | sort -V | tail -n 1; }

# Prints the compiler's path, after copying its toolchain, by links where possible, to our own place,
# unless it lies in /usr.
settle_rustc() {
  local rustc=$1 sysroot target
  sysroot=$(realpath "$(dirname "$rustc")/..")
  if [[ $sysroot == /usr || $sysroot == /usr/* ]]; then
    printf '%s\n' "$rustc"
    return 0
  fi
  target=$(rust_home)/toolchain-$("$rustc" --version | cut -d' ' -f2)
  if [[ $("$target/bin/rustc" --version 2>/dev/null) != "$("$rustc" --version)" ]] ||
    ! compiles "$target/bin/rustc" 2>/dev/null; then
    made folder "$target"
    rm -rf "$target" "$target.part"
    mkdir -p "$target.part"
    copy_toolchain "$sysroot" "$target.part"
    mv "$target.part" "$target"
  fi
  open_to_all "$target"
  printf '%s\n' "$target/bin/rustc"
}

# Links share their modes with what they link to, so what is not for everyone is copied.
copy_toolchain() {
  local how=-a
  [[ -n $(find "$1/bin" "$1/lib" ! -type l ! -perm -a+r -print -quit) ]] || how=-al
  cp "$how" "$1/bin" "$1/lib" "$2" 2>/dev/null || cp -a "$1/bin" "$1/lib" "$2"
}

# open_to_all FOLDER: the sandbox's user has to read what lies in our place, whatever the umask was.
open_to_all() { chmod a+rX "$(rust_home)" && chmod -R a+rX "$1"; }

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

# use_cargo_home FOLDER: in this shell, from here on, with what its user has told cargo about the way to
# the crates. (A target, a wrapper or a profile would give other crates, in other places.) Not in the
# current folder: cargo reads settings from there and from all folders above it, such as HOME.
use_cargo_home() {
  mkdir -p "$1"
  cargo_way >"$1/config.toml"
  leave_behind
  cd /
  export CARGO_HOME=$1 RUSTUP_HOME=$1
}

# The tables of cargo's own settings that say where crates come from and how the network is reached.
cargo_way() {
  local own=${CARGO_HOME:-$HOME/.cargo}/config
  [[ -f $own ]] || own+=.toml
  [[ -f $own ]] || return 0
  awk -v way='^[[:space:]"]*(source|registries|registry|http|net)["[:space:]]*' '
    /^[[:space:]]*\[/ && /\][[:space:]]*(#.*)?$/ {on = 0; table = 1; name = $0; sub(/^[[:space:]]*\[+/, "", name); if (name ~ way "[].]") on = 1}
    !table {on = $0 ~ way "[.=]"}
    on' "$own"
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

# All rlibs in one flat folder, replaced as a whole: they work with the very compiler that made them.
build_crates() {
  local target=$STATE_DIR/cache/crates folder
  folder=$(crates_dir)
  if ! stamped "$folder/made-from" "$(rust_key)"; then
    made folder "$folder"
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
