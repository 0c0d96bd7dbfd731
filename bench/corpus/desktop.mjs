// A Debian desktop of which about a quarter of the bytes was updated since its point release: what is installed, and
// at which of two versions.
import { packageVersions, unpackedPackage, withoutIndirection } from './debian-packages.mjs';
import { dpkgStatus } from './tree.mjs';

/** A small desktop. Raw images are made of it, so that they too are near 1 GB. */
const small = words(`
  firefox-esr linux-image-amd64
  libreoffice-base-core libreoffice-calc libreoffice-common libreoffice-core libreoffice-draw libreoffice-impress
  libreoffice-style-colibre libreoffice-writer
  git libc6 libperl5.36 libpython3.11-minimal libpython3.11-stdlib libssl3 locales openssl perl-modules-5.36
  python3.11-minimal samba-libs systemd tzdata
  bluez cups-daemon libgs10 libmagickcore-6.q16-6 libpoppler126 xserver-xorg-core
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-good libvlccore9 vlc-bin vlc-l10n vlc-plugin-base
  evince gnome-shell gnome-shell-common libmutter-11-0 mutter-common nautilus vim vim-runtime
  libavcodec59 libavformat59 libgl1-mesa-dri libgtk-3-0 libgtk-4-1 libicu72
  fonts-dejavu-core fonts-liberation2 fonts-noto-color-emoji fonts-noto-core adwaita-icon-theme iso-codes
`);

/** What a large one has besides. */
const large = words(`
  inkscape libjavascriptcoregtk-4.1-0 libwebkit2gtk-4.1-0
  audacity blender blender-data darktable gimp gimp-data kdenlive libgimp2.0 libqt5core5a libqt5gui5
  libqt5webenginecore5
  cpp-12 g++-12 gcc-12 libllvm15 libstdc++-12-dev mesa-vulkan-drivers
  octave python3-numpy python3-scipy r-base-core
  fonts-noto-cjk papirus-icon-theme texlive-fonts-recommended texlive-latex-recommended texlive-pictures
  gcompris-qt-data gnome-backgrounds gnome-user-docs marble-data minetest-data mythes-en-us scratch
`);

/**
 * What the two trees of a desktop are made of: packages fetched and unpacked below `cache`, once, at the oldest version
 * that apt knows, which is the point release's, and at the newest.
 * @param {string} cache
 * @param {'small' | 'large'} size
 * @returns {Record<'old' | 'new', import('./tree.mjs').Contents>}
 */
export function desktop(cache, size) {
  const versions = [...small, ...(size === 'large' ? large : [])].map(packageVersions);
  return {
    old: contents(
      cache,
      versions.map(({ oldest }) => withoutIndirection(oldest)),
    ),
    new: contents(
      cache,
      versions.map(({ newest }) => withoutIndirection(newest)),
    ),
  };
}

/**
 * @param {string} cache
 * @param {readonly import('./tree.mjs').Package[]} present
 */
function contents(cache, present) {
  return {
    folders: present.map((found) => unpackedPackage(cache, found)),
    files: { 'var/lib/dpkg/status': dpkgStatus(present) },
  };
}

/** @param {string} text */
function words(text) {
  return text.trim().split(/\s+/);
}
