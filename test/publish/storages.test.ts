import { join } from 'node:path';
import { FileStorage } from '../../src/publish/file-storage.js';
import { storageContract } from './support/contract.js';
import { MemoryStorage } from './support/memory-storage.js';

const nothing = async () => undefined;

storageContract('the simulator', async () => {
  const storage = new MemoryStorage();
  return { storage, other: storage, end: nothing };
});

storageContract('a directory', async (dir) => {
  const root = join(dir, 'not there yet');
  return { storage: new FileStorage(root), other: new FileStorage(root), end: nothing };
});
