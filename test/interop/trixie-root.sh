#!/bin/sh
# Makes FOLDER/root a root directory that has systemd-sysupdate, systemd-pull and gpg of Debian trixie, systemd 257:
# packages from the mirror of Debian that this machine's apt has, verified by Debian's keyring and unpacked. Nothing of
# theirs runs meanwhile, and apt's own lists, packages and settings are left alone. Fetches 35 MB; does nothing when it is
# there already.
#
#     trixie-root.sh FOLDER
set -eu
folder=$1
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

mkdir -m 700 "$folder" 2>/dev/null || true
if [ -L "$folder" ] || [ ! -O "$folder" ]; then
  echo "$folder: expected a folder of one's own, found none" >&2
  exit 1
fi
[ -d "$folder/root" ] && exit 0

work=$(mktemp -d "$folder/XXXXXX")
trap 'rm -rf "$work"' EXIT
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$') || {
  echo "apt: expected a mirror of Debian among its sources, found none" >&2
  exit 1
}
mkdir -p "$work/etc/apt.conf.d" "$work/etc/preferences.d" "$work/lists/partial" "$work/archives/partial" "$work/root"
echo "deb [signed-by=$keyring] $mirror trixie main" >"$work/sources.list"
cat >"$work/apt.conf" <<END
Dir::Etc "$work/etc";
Dir::Etc::parts "$work/etc/apt.conf.d";
Dir::Etc::preferencesparts "$work/etc/preferences.d";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$work";
Dir::State::status "/dev/null";
Dir::Cache "$work";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::http::Timeout "20";
END
export APT_CONFIG="$work/apt.conf"
apt-get update -qq >&2
apt-get install -qq -y --download-only systemd-container gpg >&2
for package in "$work"/archives/*.deb; do dpkg-deb --extract "$package" "$work/root"; done
mknod -m 666 "$work/root/dev/null" c 1 3
mv -T "$work/root" "$folder/root" 2>/dev/null || [ -d "$folder/root" ]
