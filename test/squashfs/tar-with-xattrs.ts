/** A file, folder or symbolic link of a tar archive. */
export interface TarEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** A file's content, a link's target. */
  readonly content?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
}

const BLOCK = 512;
const TYPE_FLAGS = { file: '0', symlink: '2', directory: '5', pax: 'x' } as const;

/**
 * A tar archive (POSIX pax format) that carries extended attributes, which mksquashfs packs into the extended forms of
 * inodes: no file system has to support them for that.
 */
export function tarWithXattrs(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap(({ path, type, content = '', xattrs = {} }) => {
    const records = Object.entries(xattrs).map(([name, value]) => paxRecord(`SCHILY.xattr.${name}`, value));
    const pax = records.length === 0 ? [] : [member('pax', 'pax', records.join(''), '')];
    const data = type === 'file' ? content : '';
    return [...pax, member(path, type, data, type === 'symlink' ? content : '')];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function member(path: string, type: keyof typeof TYPE_FLAGS, data: string, target: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  const field = (text: string, at: number) => header.write(text, at, 'latin1');
  field(path, 0);
  field('0000644\0', 100);
  field('0000000\0', 108);
  field('0000000\0', 116);
  field(`${Buffer.byteLength(data).toString(8).padStart(11, '0')}\0`, 124);
  field('14000000000\0', 136);
  field('        ', 148);
  field(TYPE_FLAGS[type], 156);
  field(target, 157);
  field('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  field(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(data) / BLOCK) * BLOCK);
  body.write(data);
  return Buffer.concat([header, body]);
}

/** `LENGTH NAME=VALUE\n`, where the length counts itself. */
function paxRecord(name: string, value: string): string {
  const rest = ` ${name}=${value}\n`;
  const digits = [1, 2, 3].find((count) => `${rest.length + count}`.length === count) ?? 0;
  return `${rest.length + digits}${rest}`;
}
