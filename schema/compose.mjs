// Composes schema/<subgraph>/*.graphql into the supergraph (join spec) on
// standard output. `go tool generate` runs it; who only builds Go needs no Node.
import { parse, print } from "graphql";
import { compose } from "./subgraphs.mjs";

process.stdout.write(print(parse(compose().supergraphSdl)) + "\n");
