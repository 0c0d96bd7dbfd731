/** An element of a document: its name with its namespace, `DAV:href`, the text right inside it, and its elements. */
export interface XmlElement {
  /** Namespace and local name, one after the other as RFC 4918 writes them. */
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** Why a text is no document that is read here. */
export class XmlFault extends Error {
  override readonly name = 'XmlFault';
}

const MAX_DEPTH = 32;
const MAX_ELEMENTS = 4_000_000;

/** One piece of markup, or text up to the next one. A document type is none: nothing may define entities. */
const TOKEN =
  /<\?.*?\?>|<!--.*?-->|<!\[CDATA\[(.*?)\]\]>|<\/([^\s<>/]+)\s*>|<([^\s<>/!?]+)((?:\s+[^\s<>/=]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/sy;
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

interface Open {
  readonly tag: string;
  readonly name: string;
  readonly namespaces: ReadonlyMap<string, string>;
  text: string;
  readonly children: XmlElement[];
}

/**
 * Reads an XML document, bounded in depth and elements: enough of XML 1.0 for the answers of WebDAV servers. Namespace
 * prefixes are resolved; attributes are dropped.
 *
 * @throws XmlFault for what is no well-formed document, or has a document type
 */
export function parseXml(document: string): XmlElement {
  const open: Open[] = [{ tag: '', name: '', namespaces: new Map(), text: '', children: [] }];
  let elements = 0;
  TOKEN.lastIndex = document.startsWith('\uFEFF') ? 1 : 0;
  while (TOKEN.lastIndex < document.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(document);
    const parent = open.at(-1);
    if (token === null || parent === undefined) throw new XmlFault(`no markup that is known at character ${at}`);
    const [, data, closing, tag, attributes = '', empty, text] = token;
    if (data !== undefined) parent.text += data;
    else if (text !== undefined) parent.text += decodeEntities(text);
    else if (closing !== undefined) close(open, closing);
    else if (tag !== undefined) {
      elements += 1;
      if (elements > MAX_ELEMENTS || open.length > MAX_DEPTH) throw new XmlFault('too many elements, or too deep');
      open.push(begin(tag, attributes, parent));
      if (empty === '/') close(open, tag);
    }
  }
  const [document0, unclosed] = open;
  const root = document0?.children[0];
  if (unclosed !== undefined) throw new XmlFault(`<${unclosed.tag}> without its end`);
  if (root === undefined || document0?.children.length !== 1 || document0.text.trim() !== '') {
    throw new XmlFault('not one element with all the rest in it');
  }
  return root;
}

function begin(tag: string, attributes: string, parent: Open): Open {
  const namespaces = new Map(parent.namespaces);
  for (const [, name = '', double, single] of attributes.matchAll(ATTRIBUTE)) {
    const value = decodeEntities(double ?? single ?? '');
    if (name === 'xmlns') namespaces.set('', value);
    else if (name.startsWith('xmlns:')) namespaces.set(name.slice('xmlns:'.length), value);
  }
  const colon = tag.indexOf(':');
  const namespace = namespaces.get(colon < 0 ? '' : tag.slice(0, colon));
  if (namespace === undefined && colon >= 0) throw new XmlFault(`<${tag}> of a namespace that is not declared`);
  return { tag, name: `${namespace ?? ''}${tag.slice(colon + 1)}`, namespaces, text: '', children: [] };
}

function close(open: Open[], tag: string): void {
  const element = open.pop();
  const parent = open.at(-1);
  if (element?.tag !== tag || parent === undefined) throw new XmlFault(`</${tag}> without its beginning`);
  parent.children.push({ name: element.name, text: element.text, children: element.children });
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#x([\da-fA-F]{1,6});|#(\d{1,7});|(\w{1,8});|)/g, (whole, hex, decimal, name) => {
    const named = name === undefined ? undefined : NAMED[name];
    if (named !== undefined) return named;
    const code = hex === undefined ? Number(decimal ?? 0) : Number.parseInt(hex, 16);
    if (code === 0 || code > 0x10ffff) throw new XmlFault(`${whole}, which stands for nothing`);
    return String.fromCodePoint(code);
  });
}
