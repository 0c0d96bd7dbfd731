import type { ImageVersion } from './brands.js';
import { classifyImageName, parseRdiffName } from './image-name.js';
import { claimOnce, type JsonNode, jsonItems, jsonMember, wrongJson } from './json-node.js';

interface NamedFile {
  readonly filename: string;
  readonly version: ImageVersion;
}

interface NamedImage extends NamedFile {
  readonly id: string;
  readonly diffs: readonly NamedFile[];
}

/**
 * Checks what the members of a series say about each other: ids and versions that agree with the file names, no
 * version twice (Puavo's bootserver would keep the later image), no file name twice. `nodes` are where `images` came
 * from. Throws FORMAT with the path of the member that contradicts another.
 */
export function checkSeriesMeta(nodes: readonly JsonNode[], images: readonly NamedImage[]): void {
  const versions = new Map<string, string>();
  const names = new Map<string, string>();
  for (const [index, image] of images.entries()) {
    const node = nodes[index]!;
    checkImageName(node, image);
    claimOnce(versions, image.version, jsonMember(node, 'version'), 'a version that no other image of the series has');
    claimOnce(names, image.filename, jsonMember(node, 'filename'), 'a file name that no other entry has');
    const diffNodes = jsonItems(jsonMember(node, 'diffs'), image.diffs.length);
    for (const [diffIndex, diff] of image.diffs.entries()) {
      const diffNode = diffNodes[diffIndex]!;
      checkDiffName(diffNode, diff, image);
      claimOnce(names, diff.filename, jsonMember(diffNode, 'filename'), 'a file name that no other entry has');
    }
  }
}

function checkImageName(node: JsonNode, image: NamedImage): void {
  const id = image.filename.slice(0, -'.img'.length);
  if (image.id !== id) throw wrongJson(jsonMember(node, 'id'), `the file name without .img, "${id}"`);
  const name = classifyImageName(image.filename);
  if (name.kind !== 'image' || name.name.version === image.version) return;
  throw wrongJson(jsonMember(node, 'version'), `the digits of the stamp in ${image.filename}`);
}

function checkDiffName(node: JsonNode, diff: NamedFile, target: NamedFile): void {
  const name = parseRdiffName(diff.filename);
  if (name === null) return;
  if (name.version !== diff.version) {
    throw wrongJson(jsonMember(node, 'version'), `the digits of the first stamp in ${diff.filename}`);
  }
  if (name.targetVersion !== target.version) {
    throw wrongJson(jsonMember(node, 'filename'), `a delta whose second stamp is that of ${target.filename}`);
  }
}
