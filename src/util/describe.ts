// What a person sees of an object: its text in templates and consoles, its JSON, and what to use instead of other libraries' names.
import { counted, show } from "./check.js";

/** The name of an object's class, what there is to say of the object, its JSON if that is something else, and more lines of text. */
export type Description = readonly [
  name: string,
  fields: Readonly<Record<string, unknown>>,
  json?: unknown,
  lines?: readonly string[],
];

/** Adds a method to a class, like one of its own. */
export function addMethod(prototype: object, key: PropertyKey, value: (this: never, ...given: never) => unknown): void {
  Object.defineProperty(prototype, key, { value, configurable: true, writable: true });
}

/** Node's console and debuggers call the method of this name. */
export const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * Gives a class `toString()`, `toJSON()` and Node's inspection, none of which throws, not even after `dispose()`; and
 * `[Symbol.dispose]`, where the engine has that symbol and the class has `dispose()`. `foreign` are names that users of other
 * libraries look for, which throw an error with the name here: `zero_grad lr,learning_rate=…`; so do their forms in camel case
 * that the class does not have. Without a name here it is a method, the same in camel case.
 */
export function describe<T extends object>(
  type: { readonly prototype: T },
  of: (self: T) => Description,
  foreign = "",
): void {
  const { prototype } = type;
  const attempt = (self: T): Description => {
    try {
      return of(self);
    } catch (error) {
      const { message } = error as Error;
      return [message, {}, { error: message }];
    }
  };
  const text = function (this: T, depth?: unknown): string {
    const [name, fields, , lines = []] = attempt(this);
    if (name.includes(":") || (depth as number) < 0) return `[${name}]`;
    return `${name} { ${[textOfEntries(fields), ...lines].join("\n  ")} }`;
  };
  addMethod(prototype, "toString", text);
  addMethod(prototype, INSPECT, text);
  addMethod(prototype, "toJSON", function (this: T): unknown {
    const [, fields, value = fields] = attempt(this);
    return value;
  });
  // An engine without that symbol would make a method called "undefined" of a computed name.
  const dispose: symbol | undefined = (Symbol as Partial<typeof Symbol>).dispose;
  if (dispose && "dispose" in prototype)
    addMethod(prototype, dispose, function (this: { dispose(): void }) {
      this.dispose();
    });
  for (const entry of foreign.match(/\S+/g) ?? []) {
    const [names, here] = entry.split("=") as [string, string?];
    for (const given of names.split(",")) {
      const camel = given.replace(/_./g, (pair) => pair[1].toUpperCase());
      for (const name of [given, camel]) {
        const refuse = function (this: T): never {
          const owner = attempt(this)[0].split(":")[0];
          throw new TypeError(`${owner}: no "${name}": use ${here?.replace(/_/g, " ") ?? `${camel}()`}`);
        };
        if (!(name in prototype))
          Object.defineProperty(prototype, name, { get: refuse, set: refuse, configurable: true });
      }
    }
  }
}

const textOfEntries = (fields: object): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      if (name === "step") return `step ${value}`;
      if (name !== "tensors" && name !== "parameters") return `${name}: ${textOf(value)}`;
      return counted(value as number, name.slice(0, -1));
    })
    .join(", ");

/** A value in one line, as one would write it in a program; long arrays by their length. */
export function textOf(value: unknown): string {
  const text = show(value);
  if (text === "an object") return `{ ${textOfEntries(value as object)} }`;
  return Array.isArray(value) && text.includes("an object") ? `[${value.map(textOf).join(", ")}]` : text;
}
