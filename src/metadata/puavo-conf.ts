import { UpdateRepositoryError } from '../errors.js';

/** The puavo-conf parameters of an image: key to definition, as JSON values, unchanged from the image. */
export type PuavoConf = Readonly<Record<string, unknown>>;

/** A definition file of the image. */
interface DefinitionText {
  readonly path: string;
  readonly text: string;
}

/**
 * Merges definition files into one object: file order, then key order. Every file is a JSON object of parameter to
 * definition, and every definition an object, of which nothing is checked or changed.
 *
 * @param imageName For messages.
 * @param files In the order in which they count.
 * @throws FORMAT naming the image and the files where one is no such object, or two define the same parameter.
 */
export function mergePuavoConf(imageName: string, files: readonly DefinitionText[]): PuavoConf {
  const definitions = new Map<string, unknown>();
  const definedIn = new Map<string, string>();
  for (const { path, text } of files) {
    for (const [key, definition] of Object.entries(parseObject(imageName, path, text))) {
      const earlier = definedIn.get(key);
      if (earlier !== undefined) {
        throw unusable(imageName, `${earlier} and ${path}`, `${quote(key)} in one file`, 'it in both');
      }
      if (!isObject(definition)) throw unusable(imageName, path, `an object for ${quote(key)}`, kindOf(definition));
      definitions.set(key, definition);
      definedIn.set(key, path);
    }
  }
  // fromEntries makes own properties of all keys, `__proto__` among them; assignment would not.
  return Object.fromEntries(definitions);
}

function parseObject(imageName: string, path: string, text: string): object {
  const value = parseJson(imageName, path, text);
  if (isObject(value)) return value;
  throw unusable(imageName, path, 'a JSON object', kindOf(value));
}

function parseJson(imageName: string, path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unusable(imageName, path, 'JSON', oneLine(error.message), error);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

/** A parser's message may quote the text, line ends and all. */
function oneLine(message: string): string {
  return message.replaceAll(/\s+/g, ' ');
}

function quote(key: string): string {
  return JSON.stringify(key);
}

function unusable(
  image: string,
  path: string,
  expected: string,
  found: string,
  cause?: unknown,
): UpdateRepositoryError {
  const message = `${image}: ${path}: expected ${expected}, found ${found}`;
  return new UpdateRepositoryError('FORMAT', message, { data: { image, path, expected, found }, cause });
}
