# shellcheck shell=bash
# The Rust toolchain that judges.

# As root both go where the sandbox user can read them, else into STATE_DIR. (/var, /opt and /srv
# are hidden inside the sandbox, so they are no place for either.)
rust_home() { if ((EUID == 0)); then printf '%s' "$ROOT_PREFIX"; else printf '%s' "$STATE_DIR/rust"; fi; }

# STATE_DIR/rust.path names the compiler that was chosen.
rustc_path() { cat "$STATE_DIR/rust.path" 2>/dev/null || true; }

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
  if ! crates_are_made_or_missed; then
    say "the crates in $(crates_dir) are gone"
    return 1
  fi
  if [[ -n $(deviations_of rust) ]] && rust_can_be_had; then
    say "it was done without $(deviations_of rust | cut -f2 | sed -n 1p), which can be had now"
    return 1
  fi
  say "$("$(rustc_path)" --version), $(rustc_path)"
}

# Whether what a deviation did without can be had by now.
rust_can_be_had() {
  local client address
  while IFS=$'\t' read -r _ client address; do
    answers "$client" "$address" || return 1
  done < <(rust_needs)
}

rust_needs() {
  if [[ -z $(pinned_rustc) ]]; then
    needs_answer fails curl "$RUSTUP_URL"
    needs_answer fails curl "$(rust_manifest_url)"
  fi
  [[ -d $CRATES_INDEX_URL ]] || needs_answer fails cargo "$(crates_index)/config.json"
}

rust_manifest_url() { printf '%s/dist/channel-rust-%s.toml.sha256' "$RUSTUP_DIST_SERVER" "$RUST_VERSION"; }

rust_apply() {
  local rustc
  rustc=$(pinned_rustc)
  # Another compiler is taken only where the pinned one cannot be had, not where installing it failed.
  if [[ -z $rustc ]] && answers curl "$RUSTUP_URL" && answers curl "$(rust_manifest_url)"; then
    install_rustup_toolchain
    rustc=$(pinned_rustc)
  fi
  if [[ -z $rustc ]]; then
    rustc=$(another_rustc)
    [[ -n $rustc ]] || die 3 "there is no Rust here, and neither $RUSTUP_DIST_SERVER nor apt has one." \
      "Install Rust $RUST_VERSION, or set RUSTUP_URL and RUSTUP_DIST_SERVER to a mirror."
    deviation rust "$RUST_BUILD" "$("$rustc" --version)" 'another compiler may accept other programs'
  fi
  stamp "$STATE_DIR/rust.path" "$(take_over_toolchain "$rustc")"
  rm -rf "$(rustup_folder)"
  build_crates || deviation rust.crates 'crates rand 0.4.6, regex 1.7.1, md5 0.7.0' 'none: the registry did not give them' \
    'the five problems that need them are reported as unscorable'
}

# A program is compiled and run, with a crate when there are crates.
rust_verify() {
  local folder rustc
  rustc=$(rustc_path)
  compiles_programs "$rustc"
  folder=$(folder_for_programs)
  if [[ -d $(crates_dir) ]]; then
    printf 'fn main() { println!("{:%s}", md5::compute("a")); }\n' x >"$folder/crate.rs"
    "$rustc" --edition 2021 -L "dependency=$(crates_dir)" --extern "md5=$(echo "$(crates_dir)"/libmd5-*.rlib)" \
      -o "$folder/crate" "$folder/crate.rs"
    [[ $("$folder/crate") == 0cc175b9c0f1b6a831c399e269772661 ]]
  fi
  rm -rf "$folder"
  crates_are_made_or_missed || die 1 "the crates are not in $(crates_dir)"
  stamp "$STATE_DIR/rust.stamp" "$(rust_key)"
}

# A toolchain that was only half unpacked has a compiler that tells its version and nothing more.
compiles_programs() {
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
    if [[ $version == "$RUST_BUILD" ]] && compiles_programs "$rustc" 2>/dev/null; then
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
another_rustc() {
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
take_over_toolchain() {
  local rustc=$1 sysroot target
  sysroot=$(realpath "$(dirname "$rustc")/..")
  if [[ $sysroot == /usr || $sysroot == /usr/* ]]; then
    printf '%s\n' "$rustc"
    return 0
  fi
  target=$(rust_home)/toolchain-$("$rustc" --version | cut -d' ' -f2)
  if [[ $("$target/bin/rustc" --version 2>/dev/null) != "$("$rustc" --version)" ]] ||
    ! compiles_programs "$target/bin/rustc" 2>/dev/null; then
    record_made folder "$target"
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
