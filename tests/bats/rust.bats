#!/usr/bin/env bats
# Which compiler judges, where it lies, and that it is proved.

load helpers

setup() {
  make_home
  load_settings
  export PATH=$STUBS:/usr/bin:/bin RUSTUP_HOME=$HOME/.rustup
  ROOT_PREFIX=$TEST_HOME/prefix
  command_stub curl <<<'exit 6'
  # No compiler but those that a test makes.
  eval "$(declare -f find_rustcs | sed 's#printf .*/usr/lib/rust-.*#:;#')"
}
teardown() { remove_home; }

# fake_toolchain FOLDER VERSION: its rustc "compiles" by writing a program that prints what the step
# expects of hello.rs.
fake_toolchain() {
  mkdir -p "$1/bin" "$1/lib"
  cat >"$1/bin/rustc" <<RUSTC
#!/usr/bin/env bash
case \$1 in
  --version) echo '$2' ;;
  --print) echo '$1' ;;
  *) while [[ \$1 != -o ]]; do shift; done; printf '#!/bin/sh\necho \${ANSWER:-24}\n' >"\$2"; chmod +x "\$2" ;;
esac
RUSTC
  printf '#!/bin/sh\nexit 1\n' >"$1/bin/cargo"
  chmod +x "$1/bin/rustc" "$1/bin/cargo"
}

@test "the pinned build is taken without a deviation for the compiler" {
  fake_toolchain "$RUSTUP_HOME/toolchains/new" 'rustc 1.99.0 (abc 2026-10-01)'
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  run as_program run_step rust 1 1
  expect_status 0
  [ "$("$(rustc_path)" --version)" = "$RUST_BUILD" ]
  [ "$(cut -f1 "$STATE_DIR/deviations.tsv")" = rust.crates ]
}

@test "the same version of another build is a deviation" {
  fake_toolchain "$RUSTUP_HOME/toolchains/distro" 'rustc 1.95.0 (built from a source tarball)'
  run as_program run_step rust 1 1
  expect_status 0
  grep -q '^rust	' "$STATE_DIR/deviations.tsv"
}

@test "a nightly compiler is never taken" {
  fake_toolchain "$RUSTUP_HOME/toolchains/nightly" 'rustc 1.99.0-nightly (abc 2026-10-01)'
  fake_toolchain "$RUSTUP_HOME/toolchains/old" 'rustc 1.80.0 (abc 2024-07-01)'
  run as_program another_rustc
  [[ $output == */old/bin/rustc ]]
}

@test "a shim that does not know a toolchain leads to the toolchains beside it" {
  fake_toolchain "$TEST_HOME/owner/.rustup/toolchains/pinned" "$RUST_BUILD"
  mkdir -p "$TEST_HOME/owner/.cargo/bin"
  printf '#!/bin/sh\necho "rustup could not choose a version" >&2; exit 1\n' >"$TEST_HOME/owner/.cargo/bin/rustc"
  chmod +x "$TEST_HOME/owner/.cargo/bin/rustc"
  PATH=$TEST_HOME/owner/.cargo/bin:$PATH
  run as_program pinned_rustc
  expect_output "$TEST_HOME/owner/.rustup/toolchains/pinned/bin/rustc"
}

@test "a strict run refuses another compiler" {
  STRICT=1
  fake_toolchain "$RUSTUP_HOME/toolchains/new" 'rustc 1.99.0 (abc 2026-10-01)'
  run as_program run_step rust 1 1
  expect_status 3
  [ ! -e "$STATE_DIR/rust.path" ]
}

@test "a compiler whose program answers wrongly fails the step" {
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  ANSWER=25 run as_program run_step rust 1 1
  expect_status 1
}

@test "a found toolchain is copied to where the judge can read it, and stays where it was" {
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  as_program run_step rust 1 1
  [[ $(rustc_path) == "$(rust_home)"/toolchain-1.95.0/bin/rustc ]]
  [ -x "$RUSTUP_HOME/toolchains/pinned/bin/rustc" ]
}

@test "without crates the step goes on, and says which problems cannot be scored" {
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  run as_program run_step rust 1 1
  expect_status 0
  expect_output 'five problems'
}

@test "an exchanged compiler is proved again" {
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  as_program run_step rust 1 1
  run as_program rust_probe
  expect_status 0
  fake_toolchain "$(dirname "$(dirname "$(rustc_path)")")" 'rustc 1.99.0 (abc 2026-10-01)'
  run as_program rust_probe
  expect_status 1
}

@test "crates that have gone are found out, unless they were never to be had" {
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  as_program run_step rust 1 1
  run as_program rust_probe # with the deviation
  expect_status 0
  rm "$STATE_DIR/deviations.tsv"
  mkdir -p "$(crates_dir)"
  stamp "$(crates_dir)/made-from" "$(rust_key)"
  run as_program rust_probe
  expect_status 0
  mv "$(crates_dir)" "$(crates_dir)-renamed"
  run as_program rust_probe
  expect_status 1
  expect_output 'are gone'
  run as_program rust_verify
  expect_status 1
  expect_output 'the crates are not in'
}

@test "rustup-init that is not the pinned file is not run" {
  RUSTUP_URL=file://$TEST_HOME/rustup-init
  printf '#!/bin/sh\ntouch %s/ran\n' "$TEST_HOME" >"$TEST_HOME/rustup-init"
  rm "$STUBS/curl"
  command_stub apt-get <<<'exit 100'
  command_stub apt-cache <<<'exit 0'
  as_root() { "$@"; }
  answers() { :; }
  run as_program run_step rust 1 1
  expect_status 1
  expect_output 'is not the pinned file'
  [ ! -e "$TEST_HOME/ran" ]
}

@test "a toolchain that is only half there is passed over" {
  fake_toolchain "$RUSTUP_HOME/toolchains/half" "$RUST_BUILD"
  ANSWER=0 run as_program pinned_rustc
  expect_status 0
  [ -z "$output" ]
}

@test "crates that could be had in the meantime are built" {
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  as_program run_step rust 1 1
  run as_program rust_probe
  expect_status 0
  answers() { :; }
  run as_program rust_probe
  expect_status 1
  expect_output 'can be had now'
}

@test "cargo is told of a mirror, and of a vendored folder" {
  mkdir -p "$TEST_HOME/vendored"
  CRATES_INDEX_URL=sparse+https://mirror/index/ run as_program crates_source
  expect_output 'source.mirror.registry="sparse+https://mirror/index/"'
  CRATES_INDEX_URL=$TEST_HOME/vendored run as_program crates_source
  expect_output "source.mirror.directory=\"$TEST_HOME/vendored\""
}

@test "of cargo's settings the way to the crates counts; a target, a wrapper or flags do not" {
  mkdir -p "$HOME/.cargo"
  cat >"$HOME/.cargo/config.toml" <<'TOML'
build.target = "x86_64-unknown-linux-musl"
http.cainfo = "/ca.pem"
[build]
rustflags = [
  "-C", "target-cpu=native",
]
target-dir = "/elsewhere"
[source.crates-io] # a mirror
replace-with = "mirror"
[source.mirror]
registry = "sparse+https://mirror/"
[profile.release]
panic = "abort"
[[unstable]]
[net]
offline = false
[target.'cfg(all())']
linker = "clang"
TOML
  settings() {
    use_cargo_home "$TEST_HOME/cargo"
    cat "$CARGO_HOME/config.toml"
    pwd
    env | grep -E '^(CARGO|RUST)' | sort
  }
  export CARGO_BUILD_TARGET=x CARGO_TARGET_DIR=/x RUSTFLAGS=-Copt-level=0 RUSTC_WRAPPER=sccache CARGO_PROFILE_RELEASE_PANIC=abort
  export RUSTUP_TOOLCHAIN=nightly CARGO_HTTP_PROXY=proxy CARGO_NET_OFFLINE=false CARGO_REGISTRIES_MIRROR_TOKEN=secret CARGO_UNSTABLE_X=1
  run as_program settings
  expect_status 0
  diff - <(
    cat <<EXPECTED
http.cainfo = "/ca.pem"
[source.crates-io] # a mirror
replace-with = "mirror"
[source.mirror]
registry = "sparse+https://mirror/"
[net]
offline = false
/
CARGO_HOME=$TEST_HOME/cargo
CARGO_HTTP_PROXY=proxy
CARGO_NET_OFFLINE=false
CARGO_REGISTRIES_MIRROR_TOKEN=secret
RUSTUP_HOME=$TEST_HOME/cargo
EXPECTED
  ) <<<"$output"
}

# A cargo that puts its rlibs where CARGO_BUILD_TARGET says, or makes none.
fake_cargo() {
  cat >"$1" <<'CARGO'
#!/bin/bash
[[ $0 != */empty/* ]] || exit 0
while [[ $1 != --target-dir ]]; do shift; done
mkdir -p "$2/$CARGO_BUILD_TARGET/release/deps"
touch "$2/$CARGO_BUILD_TARGET/release/deps/libmd5-1.rlib"
CARGO
}

@test "crates are built for this machine, whatever its user builds for" {
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  fake_cargo "$RUSTUP_HOME/toolchains/pinned/bin/cargo"
  CARGO_BUILD_TARGET=other run as_program rust_apply
  expect_status 0
  [ -e "$(crates_dir)/libmd5-1.rlib" ]
  [ ! -e "$STATE_DIR/deviations.tsv" ]
}

@test "a folder without crates never counts as done" {
  ROOT_PREFIX=$TEST_HOME/empty STATE_DIR=$TEST_HOME/empty
  mkdir "$STATE_DIR"
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  fake_cargo "$RUSTUP_HOME/toolchains/pinned/bin/cargo"
  run as_program rust_apply
  expect_status 0
  expect_output 'deviation rust.crates'
  [ ! -e "$(crates_dir)" ]
}

@test "the registry is asked by cargo, with its user's settings, and by curl where cargo is yet to come" {
  mkdir -p "$HOME/.cargo"
  echo '[http]' >"$HOME/.cargo/config.toml"
  command_stub curl <<<'[[ $* == *https://index/config.json* ]]'
  run as_program answers cargo https://index/config.json
  expect_status 0
  run as_program answers cargo https://another/config.json
  [ "$status" -ne 0 ]
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  run as_program answers cargo https://index/config.json
  [ "$status" -ne 0 ]
  cat >"$RUSTUP_HOME/toolchains/pinned/bin/cargo" <<'CARGO'
#!/bin/bash
[[ $* == "update --dry-run "* && $CARGO_HOME != "$HOME/.cargo" && $(cat "$CARGO_HOME/config.toml") == '[http]' ]]
CARGO
  run as_program answers cargo https://another/config.json
  expect_status 0
}

@test "the sandbox's user can read the toolchain, whatever root's umask is and was" {
  ((EUID == 0)) || skip 'is about root'
  chmod 755 "$TEST_HOME"
  umask 077
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  as_program run_step rust 1 1
  setpriv --reuid 12345 --clear-groups "$(rustc_path)" --version
  [ "$(stat -c %a "$RUSTUP_HOME/toolchains/pinned/bin/rustc")" = 700 ]
  chmod 700 "$ROOT_PREFIX" "$(dirname "$(dirname "$(rustc_path)")")" # as an earlier version left it
  as_program rust_apply
  setpriv --reuid 12345 --clear-groups "$(rustc_path)" --version
}

@test "where /tmp is mounted noexec, programs are compiled and run elsewhere" {
  ((EUID == 0)) || skip 'mounts'
  fake_toolchain "$RUSTUP_HOME/toolchains/pinned" "$RUST_BUILD"
  mkdir "$TEST_HOME/noexec"
  on_noexec() {
    mount -t tmpfs -o noexec,mode=1777 noexec "$TEST_HOME/noexec"
    TMPDIR=$TEST_HOME/noexec
    find_place_for_programs
    rust_apply
    rust_verify
    ls -A "$TMPDIR" "$HOME"
  }
  export -f fake_toolchain
  as_program true
  sed -i '$d' "$TEST_HOME/program"
  echo on_noexec >>"$TEST_HOME/program"
  run unshare -m bash "$TEST_HOME/program"
  expect_status 0
  expect_no_output $'\tnoexec\t'
  expect_no_output .sigilderg
}
