// Reads the SDL of our subgraphs, schema/<subgraph>/*.graphql, and composes it.
import { readFileSync, readdirSync } from "node:fs";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, visit } from "graphql";
import { composeServices, assertCompositionSuccess } from "@theguild/federation-composition";

const root = dirname(fileURLToPath(import.meta.url));
const names = ["citizen", "community", "platform", "supply"];
// directives for gqlgen and for our resolvers: nothing of the gateway's
const local = new Set(["goField", "goModel", "goTag", "goEnum", "goExtraField", "can", "personal"]);
const localTypes = new Set(["PersonalGrade", "PersonalKind", "PersonalShowing"]);

const withoutLocal = (document) =>
  visit(document, {
    Directive: (node) => (local.has(node.name.value) ? null : undefined),
    DirectiveDefinition: (node) => (local.has(node.name.value) ? null : undefined),
    EnumTypeDefinition: (node) => (localTypes.has(node.name.value) ? null : undefined),
  });

/** The subgraphs: name, placeholder of the address, parsed SDL. */
export const subgraphs = names.map((name) => {
  const files = readdirSync(join(root, name)).filter((file) => file.endsWith(".graphql")).sort();
  const text = [join(root, "federation.graphql"), ...files.map((file) => join(root, name, file))]
    .map((path) => readFileSync(path, "utf8")).join("\n");
  return { name, url: `http://127.0.0.1/${name}/graphql`, typeDefs: withoutLocal(parse(text)) };
});

/** Composes the subgraphs: { supergraphSdl, publicSdl }; says what is wrong and ends the program when it cannot. */
export function compose() {
  const result = composeServices(subgraphs);
  try {
    assertCompositionSuccess(result);
  } catch (error) {
    for (const { message, extensions } of result.errors ?? [error]) console.error(`${extensions?.code ?? ""} ${message}`);
    process.exit(1);
  }
  return result;
}
