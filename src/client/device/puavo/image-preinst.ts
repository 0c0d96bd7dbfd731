/**
 * What Puavo's client does with a new image before it becomes the default: mounts it at `mnt` in the directory of
 * images and runs the image's own script, which among other things writes the configuration of grub. A shell command
 * with the environment of a hook.
 */
export const RUN_IMAGE_PREINST = `set -eu # the image's own puavo-image-preinst
mountpoint="$UPDATE_REPOSITORY_DIR/mnt"
mkdir -p "$mountpoint"
umount -f "$mountpoint" 2>/dev/null || true
mount -o ro "$UPDATE_REPOSITORY_IMAGE" "$mountpoint"
trap 'umount "$mountpoint" || true' EXIT
"$mountpoint/usr/lib/puavo-ltsp-install/puavo-image-preinst"
`;
