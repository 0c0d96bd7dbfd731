import { type JsonNode, jsonMember, jsonMembers, wrongJson } from '../../metadata/json-node.js';

const MAX_MEMBERS = 100;

/**
 * The members of an object that has these and may have `optional` ones. Any other is refused: it would be signed anew
 * without being understood.
 */
export function members<Key extends string>(
  node: JsonNode,
  names: readonly Key[],
  optional: readonly Key[] = [],
): Readonly<Record<Key, JsonNode>> {
  const known: readonly string[] = [...names, ...optional];
  for (const [name, member] of jsonMembers(node, MAX_MEMBERS)) {
    if (!known.includes(name)) throw wrongJson(member, 'no such member');
  }
  const found = {} as Record<Key, JsonNode>;
  for (const name of names) found[name] = present(jsonMember(node, name));
  for (const name of optional) found[name] = jsonMember(node, name);
  return found;
}

function present(member: JsonNode): JsonNode {
  if (member.value === undefined) throw wrongJson(member, 'a value');
  return member;
}
