// Fetches for the monolith: the value of a root field, or of a field of an
// entity. A subgraph's error is raised in the field in which it happened, so
// that graphql-js reports it and carries its null upward.
import { GraphQLError } from "graphql";

/** The value of a root field; wish is {key, text}. */
export async function askField(ask, owner, info, wish) {
  const { data, errors = [] } = await ask(owner, { query: `${info.operation.operation} {${wish.text}}` });
  return settle(data?.[wish.key], errors, wish.key, info);
}

/**
 * Entities asks for fields of entities. What is wanted until the event loop
 * comes round goes to each subgraph in one request. A field that fails must not
 * hurt the others of its entity, which in a monolith are asked one by one: they
 * are asked again without it.
 */
export class Entities {
  #ask;
  #waiting = [];

  constructor(ask) {
    this.#ask = ask;
  }

  load(owner, type, id, info, { key, text }) {
    return new Promise((resolve, reject) => {
      this.#want({ owner, type, id, info, key, text, resolve, reject });
    });
  }

  #want(one) {
    if (this.#waiting.push(one) === 1) setImmediate(() => this.#flush());
  }

  #flush() {
    const owners = grouped(this.#waiting, ({ owner }) => owner);
    this.#waiting = [];
    for (const [owner, wants] of owners) {
      this.#send(owner, wants).catch((error) => wants.forEach(({ reject }) => reject(error)));
    }
  }

  async #send(owner, wants) {
    // Those of whom the same is wanted share an _entities.
    const single = [...grouped(wants, ({ type, id }) => `${type} ${id}`).values()];
    const alike = [...grouped(single, (same) => `${same[0].type} ${[...new Set(same.map(({ text }) => text))].sort().join(" ")}`).values()];
    const variables = {};
    const parts = alike.map((group, i) => {
      variables[`r${i}`] = group.map(([{ type, id }]) => ({ __typename: type, id }));
      const texts = [...new Set(group[0].map(({ text }) => text))];
      return `g${i}: _entities(representations: $r${i}) {... on ${group[0][0].type} {${texts.join(" ")}}}`;
    });
    const header = alike.map((_, i) => `$r${i}: [_Any!]!`).join(", ");
    const { data, errors = [] } = await this.#ask(owner, { query: `query (${header}) {${parts.join(" ")}}`, variables });
    alike.forEach((group, i) => group.forEach((same, j) => {
      const entity = data?.[`g${i}`]?.[j];
      const its = errors.filter(({ path }) => !path || path[0] === `g${i}` && (path.length === 1 || path[1] === j))
        .map((error) => ({ ...error, path: error.path?.slice(2) }));
      const hurt = (key) => its.some(({ path }) => !path?.length || path[0] === key);
      const some = same.some(({ key }) => hurt(key));
      for (const one of same) {
        if (!entity && some && !hurt(one.key)) this.#want(one);
        else {
          try {
            one.resolve(settle(entity?.[one.key], its, one.key, one.info));
          } catch (error) {
            one.reject(error);
          }
        }
      }
    }));
  }
}

/** The value with the subgraph's errors in the places where they happened. */
function settle(value, errors, key, info) {
  const at = { [key]: value };
  for (const error of errors) {
    if (error.path?.length && error.path[0] !== key) continue;
    const failed = new GraphQLError(error.message, { extensions: error.extensions });
    let place = at, last = key;
    for (const step of error.path?.slice(1) ?? []) {
      if (place[last] === null || typeof place[last] !== "object" || place[last] instanceof Error) break;
      place = place[last];
      last = step;
    }
    place[last] = failed; // graphql-js throws errors that it finds as values
  }
  if (at[key] instanceof Error) throw at[key];
  return at[key];
}

function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return groups;
}
