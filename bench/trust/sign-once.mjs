// `node sign-once.mjs MIRROR KEYS`: what `build --sign` does when the indexes are written, and no more.
import { signMirror } from '../../dist/images/sign-mirror.js';
import { contentsOnDisk } from '../../dist/images/signed-contents.js';
import { withLock } from '../../dist/images/with-lock.js';
import { Passphrase } from '../../dist/trust/passphrase.js';
import { NO_DRAFTS } from '../../dist/trust/tuf/drafts.js';
import { KeyRing } from '../../dist/trust/tuf/key-ring.js';

const [mirrorDir = '', keys = ''] = process.argv.slice(2);
const ring = await KeyRing.open(keys, new Passphrase(process.env.UPDATE_REPOSITORY_PASSPHRASE ?? '', 'the bench'));
await withLock(mirrorDir, { breakLock: false }, async (lock, state) => {
  const contents = await contentsOnDisk({ mirrorDir, state });
  await signMirror({ mirrorDir, state, lock, onEvent: () => undefined }, { contents, drafts: NO_DRAFTS }, ring);
});
