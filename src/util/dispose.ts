// `[Symbol.dispose]` for classes with a dispose() method.

/**
 * Gives a class `[Symbol.dispose]` where the engine has that symbol. Where it has not, a computed method name would make a
 * method called "undefined".
 */
export function defineDispose(type: { prototype: { dispose(): void } }): void {
  if (typeof Symbol.dispose !== "symbol") return;
  Object.defineProperty(type.prototype, Symbol.dispose, {
    configurable: true,
    writable: true,
    value(this: { dispose(): void }) {
      this.dispose();
    },
  });
}
