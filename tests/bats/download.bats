#!/usr/bin/env bats
# Downloads: the pinned file, whole, or nothing.

load helpers

setup() {
  make_home
  load_settings
  seq 1 5000 >"$TEST_HOME/source"
  sha256=$(sha256_of "$TEST_HOME/source")
}
teardown() { remove_home; }

@test "the pinned file arrives" {
  run as_program fetch "file://$TEST_HOME/source" "$sha256" "$TEST_HOME/got/file"
  expect_status 0
  cmp "$TEST_HOME/source" "$TEST_HOME/got/file"
  [ ! -e "$TEST_HOME/got/file.part" ]
}

@test "another file is refused and leaves nothing" {
  run as_program fetch "file://$TEST_HOME/source" "${sha256/[0-9]/x}" "$TEST_HOME/file"
  expect_status 1
  expect_output 'is not the pinned file'
  [ ! -e "$TEST_HOME/file" ]
  [ ! -e "$TEST_HOME/file.part" ]
}

@test "a file that is there already is not fetched again" {
  cp "$TEST_HOME/source" "$TEST_HOME/file"
  run as_program fetch file:///nowhere "$sha256" "$TEST_HOME/file"
  expect_status 0
}

@test "a file that was cut off is continued" {
  head -c 1000 "$TEST_HOME/source" >"$TEST_HOME/file.part"
  run as_program fetch "file://$TEST_HOME/source" "$sha256" "$TEST_HOME/file"
  expect_status 0
  cmp "$TEST_HOME/source" "$TEST_HOME/file"
}

@test "a damaged file in its place is replaced" {
  echo rubbish >"$TEST_HOME/file"
  run as_program fetch "file://$TEST_HOME/source" "$sha256" "$TEST_HOME/file"
  expect_status 0
  cmp "$TEST_HOME/source" "$TEST_HOME/file"
}

@test "a missing file is an error that names the address" {
  run as_program fetch "file://$TEST_HOME/nowhere" "$sha256" "$TEST_HOME/file"
  expect_status 1
  expect_output "cannot download file://$TEST_HOME/nowhere"
}
