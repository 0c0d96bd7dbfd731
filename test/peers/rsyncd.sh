#!/usr/bin/env bash
# An rsync daemon for tests: rsyncd.sh DIR PORT [LINE…]
# Listens on loopback only. Its module `mirror` is DIR/mirror, `locked` is the same for the user `publisher` with the password
# `correct horse`; each LINE is added to the settings of both. Runs until it is killed.
set -euo pipefail
dir=$1 port=$2
shift 2
mkdir -p "$dir/mirror"
cd "$dir"
dir=$PWD
(umask 077 && echo 'publisher:correct horse' >secrets)

{
  echo 'use chroot = no'
  echo 'read only = no'
  echo "log file = $dir/log"
  if ((EUID == 0)); then printf '%s\n' 'uid = root' 'gid = root'; fi
  printf '%s\n' "$@"
  printf '[mirror]\npath = %s\n' "$dir/mirror"
  printf '[locked]\npath = %s\nauth users = publisher\nsecrets file = %s\n' "$dir/mirror" "$dir/secrets"
} >rsyncd.conf

exec rsync --daemon --no-detach --address=127.0.0.1 --port="$port" --config="$dir/rsyncd.conf"
