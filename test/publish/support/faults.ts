import { UpdateRepositoryError } from '../../../src/errors.js';
import type { PutRequest, Storage, StorageCall, StoredObject } from '../../../src/publish/storage.js';

/** What happens to one call: it fails before it takes effect, it takes effect and its answer is lost, or all is well. */
export type Fault = 'fail' | 'lose-answer' | null;

type Method = 'list' | 'stat' | 'read' | 'put' | 'remove';

/** A storage to whose n-th call happens what `faultOf` says. */
export function withFaults(storage: Storage, faultOf: (call: number, method: Method, path: string) => Fault): Storage {
  let calls = 0;
  const through = async <T>(method: Method, path: string, perform: () => Promise<T>): Promise<T> => {
    const fault = faultOf(calls++, method, path);
    if (fault === 'fail') throw unreachable(storage, method, path);
    const answer = await perform();
    if (fault === 'lose-answer') throw unreachable(storage, method, path);
    return answer;
  };
  return {
    name: storage.name,
    abilities: storage.abilities,
    async *list(prefix: string, call: StorageCall): AsyncGenerator<StoredObject> {
      if (faultOf(calls++, 'list', prefix) !== null) throw unreachable(storage, 'list', prefix);
      yield* storage.list(prefix, call);
    },
    stat: (path, call) => through('stat', path, () => storage.stat(path, call)),
    read: (path, call) => through('read', path, () => storage.read(path, call)),
    put: (request: PutRequest, call) => through('put', request.path, () => storage.put(request, call)),
    remove: (paths, call) => through('remove', paths[0] ?? '', () => storage.remove(paths, call)),
    close: () => storage.close(),
  };
}

function unreachable({ name }: Storage, method: Method, path: string): UpdateRepositoryError {
  return new UpdateRepositoryError('NETWORK', `${name}/${path}: ${method}: the connection was reset`);
}
