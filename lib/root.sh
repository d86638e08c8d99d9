# shellcheck shell=bash
# The rights of root: directly, or by sudo.

# Runs a command as root. sudo asks for a password at most where somebody can type it. What to type
# where it cannot is the command, or AS_TYPED.
as_root() {
  if ((EUID == 0)); then
    PATH=$PATH:$SYSTEM_FOLDERS "$@"
  elif ! command -v sudo >/dev/null; then
    die 3 "this needs root, and there is no sudo. As root, run: ${AS_TYPED:-$*}"
  elif sudo -n true 2>/dev/null </dev/null; then
    sudo -n "$@"
  elif ((INTERACTIVE)); then
    sudo -p 'password of %u, to install packages: ' "$@"
  else
    die 3 "this needs root, and sudo wants a password that nobody is there to type. As root, run: ${AS_TYPED:-$*}"
  fi
}

# Whether as_root can be expected to work.
can_be_root() {
  ((EUID == 0)) || sudo -n true 2>/dev/null || { ((INTERACTIVE)) && command -v sudo >/dev/null; }
}

# Whether a line that is rewritten every second could paint over a question for a password.
sudo_may_ask() { ((INTERACTIVE)) && command -v sudo >/dev/null && ! sudo -n true 2>/dev/null; }

# Whether sudo asks for a password again later, where nobody can type it.
sudo_asks_later() { ((INTERACTIVE && EUID)) && ! sudo -k -n true 2>/dev/null; }

ask_for_password() {
  sudo -v -p 'password of %u, to install packages: ' || die 3 'packages are to be installed, and sudo does not let you.'
}
