// Answers operations as ONE schema would that holds all our data, for tests of
// the gateway: graphql-js, the specification's reference implementation, parses,
// validates, coerces, collects, executes, completes and orders; the resolvers
// below only fetch the value of one field of one object, from the subgraph that
// owns it. Nothing here plans, and nothing is shared with the gateway.
//
//   node monolith.mjs '{"citizen": "http://127.0.0.1:1234/graphql", …}'
//
// One JSON line in for each operation: {id, query, operationName, variables,
// headers}; one line out, in any order: {id, data, errors}. It ends with its input.
import { createInterface } from "node:readline";
import {
  GraphQLError, astFromValue, buildSchema, execute, getNamedType, isAbstractType, isCompositeType, isObjectType, parse, print,
  specifiedRules, validate,
} from "graphql";
import { collectSubfields } from "graphql/execution/collectFields.js";
import { getArgumentValues } from "graphql/execution/values.js";
import { Entities, askField } from "./monolith_source.mjs";
import { compose, subgraphs } from "./subgraphs.mjs";

const addresses = JSON.parse(process.argv[2]);
const schema = buildSchema(compose().publicSdl);
const roots = [schema.getQueryType(), schema.getMutationType()];
const { entities, owners } = ownership();

for (const type of Object.values(schema.getTypeMap())) {
  if (isAbstractType(type)) type.resolveType = (value) => value.__typename;
  if (!isObjectType(type) || type.name.startsWith("__")) continue;
  for (const field of Object.values(type.getFields())) field.resolve = resolver(type, field);
}

/** Who is entered by key, and which subgraph is asked for "Type.field". */
function ownership() {
  const entities = new Set(), owners = new Map();
  for (const { name: subgraph, typeDefs } of subgraphs) {
    for (const definition of typeDefs.definitions) {
      if (!definition.fields || !schema.getType(definition.name.value)) continue;
      const type = definition.name.value;
      const keys = definition.directives.filter(({ name }) => name.value === "key").map((key) => argumentsOf(key));
      for (const { fields } of keys) {
        if (fields !== "id") throw new Error(`monolith: the key {${fields}} of ${type}: only "id" is understood`);
        entities.add(type);
      }
      if (keys.length > 0 && keys.every(({ resolvable }) => resolvable === false)) continue;
      for (const { name, directives } of definition.fields) {
        const applied = directives.map((directive) => directive.name.value);
        if (applied.includes("external")) continue;
        if (applied.includes("requires")) throw new Error(`monolith: @requires of ${type}.${name.value} is not understood`);
        owners.set(`${type}.${name.value}`, subgraph);
      }
    }
  }
  return { entities, owners };
}

function argumentsOf(directive) {
  return Object.fromEntries(directive.arguments.map(({ name, value }) => [name.value, value.value]));
}

/** The monolith's resolver of one field. */
function resolver(type, field) {
  const owner = owners.get(`${type.name}.${field.name}`);
  if (!owner && (entities.has(type.name) || roots.includes(type))) throw new Error(`monolith: nobody owns ${type.name}.${field.name}`);
  if (roots.includes(type)) {
    return (_, given, { ask }, info) => askField(ask, owner, info, wish(field, info.fieldNodes, info));
  }
  if (entities.has(type.name)) {
    return (parent, given, { held }, info) =>
      field.name === "id" ? parent.id : held.load(owner, type.name, parent.id, info, wish(field, info.fieldNodes, info));
  }
  return (parent, given, context, info) => parent[wish(field, info.fieldNodes, info).key];
}

/**
 * How a subgraph is asked for a field: the text, and the key of its value in the
 * reply, which follows from all that is asked. Of an object that has no key of
 * its own the operation's selection comes along; of an entity its key alone.
 */
function wish(field, nodes, info) {
  const values = getArgumentValues(field, nodes[0], info.variableValues);
  const given = field.args.filter(({ name }) => name in values)
    .map(({ name, type }) => `${name}: ${print(astFromValue(values[name], type))}`).join(", ");
  const type = getNamedType(field.type);
  let selection = "";
  if (isCompositeType(type)) {
    const parts = (isAbstractType(type) ? schema.getPossibleTypes(type) : [type]).map((possible) => {
      if (entities.has(possible.name)) return `... on ${possible.name} {id}`;
      const inner = [...collectSubfields(schema, info.fragments, info.variableValues, possible, nodes).values()]
        .filter(([{ name }]) => name.value !== "__typename")
        .map((group) => wish(possible.getFields()[group[0].name.value], group, info).text);
      return inner.length > 0 ? `... on ${possible.name} {${inner.join(" ")}}` : "";
    });
    selection = ` {__typename ${parts.join(" ")}}`;
  }
  const asked = field.name + (given && `(${given})`) + selection;
  const key = asked === field.name ? field.name : `${field.name}_${number(asked)}`;
  return { key, text: `${key}: ${asked}` };
}

const numbers = new Map();
/** A number for a text, the same each time. */
function number(text) {
  if (!numbers.has(text)) numbers.set(text, numbers.size);
  return numbers.get(text);
}

async function answer({ query, operationName, variables, headers }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return { errors: [error] };
  }
  const refused = validate(schema, document, specifiedRules);
  if (refused.length > 0) return { errors: refused };
  const ask = async (subgraph, body) => {
    const reply = await fetch(addresses[subgraph], {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", Accept: "application/json", ...headers },
    });
    return reply.json();
  };
  return execute({ schema, document, operationName, variableValues: variables, contextValue: { ask, held: new Entities(ask) } });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...operation } = JSON.parse(line);
  answer(operation)
    .catch((error) => ({ errors: [new GraphQLError(`monolith: ${error.stack}`)] }))
    .then((result) => process.stdout.write(JSON.stringify({ id, ...result }) + "\n"));
}
