#!/usr/bin/env bats
# Uninstalling: what was made goes, after asking; what was not, stays.

load helpers

setup() {
  make_home
  load_settings
  mkdir -p "$STATE_DIR/logs" "$STATE_DIR/cache" "$TEST_HOME/elsewhere/venv"
  touch "$STATE_DIR/lock" "$STATE_DIR/python.path" "$TEST_HOME/elsewhere/mine"
  record_made folder "$TEST_HOME/elsewhere/venv"
}
teardown() { remove_home; }

@test "without anybody to ask, nothing is removed" {
  run setup_sh uninstall
  expect_status 2
  expect_output "$TEST_HOME/elsewhere/venv"
  expect_output '--yes'
  [ -d "$TEST_HOME/elsewhere/venv" ]
  [ -e "$STATE_DIR/python.path" ]
}

@test "what was made is removed, and nothing beside it" {
  echo thesis >"$STATE_DIR/thesis.txt"
  run setup_sh uninstall --yes
  expect_status 0
  [ ! -e "$TEST_HOME/elsewhere/venv" ]
  [ -e "$TEST_HOME/elsewhere/mine" ]
  [ "$(ls -A "$STATE_DIR")" = thesis.txt ]
  expect_output thesis.txt
}

@test "a folder that was only ours goes with its last content; the second time there is nothing" {
  run setup_sh uninstall --yes
  expect_status 0
  [ ! -e "$STATE_DIR" ]
  run setup_sh uninstall --yes
  expect_status 0
  expect_output 'Nothing is installed'
}

@test "packages that were new are purged, those that were there are not" {
  record_made package firejail
  record_made package gone
  command_stub dpkg-query <<<'[[ ${*: -1} == firejail ]] && echo installed'
  stub apt-get '*--simulate remove firejail => echo "Remv firejail [1]"' '*purge firejail => true'
  uninstall_as_root() {
    as_root() { "$@"; }
    YES=1
    uninstall
  }
  run as_program uninstall_as_root
  expect_status 0
  verify_stubs
}

@test "packages that something else has come to need are left" {
  command_stub dpkg-query <<<'echo installed'
  stub apt-get '*--simulate remove gcc => printf "Remv gcc [1]\nRemv dkms [2]\n"'
  as_root() { "$@"; }
  run as_program remove_packages gcc
  expect_status 0
  expect_output 'needed by: dkms'
  verify_stubs
}

@test "a running evaluation is not pulled from under itself" {
  pretend_run $$
  run setup_sh uninstall --yes
  expect_status 3
  [ -e "$STATE_DIR/python.path" ]
}

@test "what was made on another machine is left on this one, and said; what has moved along is removed" {
  MACHINE_ID=$TEST_HOME/machine-id
  echo 00000000000000000000000000000001 >"$MACHINE_ID"
  as_program record_made package gcc
  as_program record_made user "$SANDBOX_USER"
  as_program record_made folder "$TEST_HOME/elsewhere/venv"
  as_program record_made folder "$STATE_DIR/rust/toolchain"
  printf 'package\ttmux\n' >>"$STATE_DIR/made.tsv" # as an earlier version wrote it
  sed -i '/elsewhere/{/0001$/!d}' "$STATE_DIR/made.tsv"
  mkdir -p "$STATE_DIR/rust/toolchain"
  echo 00000000000000000000000000000002 >"$MACHINE_ID"
  as_program record_made package git
  command_stub dpkg-query <<<'echo installed'
  stub apt-get '*--simulate remove git => true' '*purge git => true'
  stub userdel
  uninstall_as_root() {
    as_root() { "$@"; }
    YES=1
    uninstall
  }
  run as_program uninstall_as_root
  expect_status 0
  verify_stubs
  [ -d "$TEST_HOME/elsewhere/venv" ]
  [ ! -e "$STATE_DIR" ]
  expect_output 'Made on another machine'
  for left in 'package gcc' 'package tmux' "user $SANDBOX_USER" "folder $TEST_HOME/elsewhere/venv"; do expect_output "$left"; done
}

@test "a machine that systemd has not named is known by its root file system" {
  MACHINE_ID=$TEST_HOME/machine-id
  run as_program machine_name
  [ "$output" = "$(stat -f -c %i /)" ]
  echo uninitialized >"$MACHINE_ID"
  run as_program machine_name
  [ "$output" = "$(stat -f -c %i /)" ]
}

@test "the link to sigil-eval goes, but not what has taken its place" {
  mkdir -p "$HOME/.local/bin" "$STATE_DIR/bin"
  touch "$STATE_DIR/bin/sigil-eval"
  for name in ours theirs; do record_made link "$HOME/.local/bin/$name"; done
  ln -s "$STATE_DIR/bin/sigil-eval" "$HOME/.local/bin/ours"
  echo mine >"$HOME/.local/bin/theirs"
  run setup_sh uninstall --yes
  expect_status 0
  expect_output "$HOME/.local/bin/ours"
  [ "$(ls "$HOME/.local/bin")" = theirs ]
  [ ! -e "$STATE_DIR" ]
}
