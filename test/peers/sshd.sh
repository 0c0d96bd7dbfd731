#!/usr/bin/env bash
# An ssh server for tests: sshd.sh DIR PORT [COMMAND]
# Listens on loopback only, lets the current user in with a key of its own and nothing else, and keeps all it needs below
# DIR, also the file `client` for `ssh -F`. With COMMAND that is all the key may do. Runs until it is killed.
set -euo pipefail
dir=$1 port=$2 command=${3:-}
mkdir -p "$dir"
cd "$dir"
dir=$PWD
ssh-keygen -q -t ed25519 -N '' -C host -f host </dev/null
ssh-keygen -q -t ed25519 -N '' -C user -f user </dev/null

options=restrict
[[ -z $command ]] || options+=",command=\"$command\""
echo "$options $(<user.pub)" >authorized
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 host.pub)" >known

cat >server <<END
ListenAddress 127.0.0.1:$port
HostKey $dir/host
AuthorizedKeysFile $dir/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel FATAL
END
cat >client <<END
Host *
  IdentityFile $dir/user
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile $dir/known
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  BatchMode yes
END

# Where sshd separates its privileges; only root needs it, and the package makes it at boot.
((EUID != 0)) || mkdir -p /run/sshd
exec "$(PATH=$PATH:/usr/sbin:/sbin type -P sshd)" -D -e -f server
